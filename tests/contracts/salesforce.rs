//! Salesforce.

use reqwest::Method;
use serde_json::json;

use super::Script;

/// A session that touches every operation and the forms that queries have.
pub async fn session(script: &Script) {
    let page = script.get("/query?q=SELECT%20Id,Name,Account.Name%20FROM%20Contact%20ORDER%20BY%20Name").await;
    let contact = page["records"][0]["Id"].as_str().unwrap().to_owned();
    script.get("/query?q=SELECT%20COUNT()%20FROM%20Lead").await;
    script.get("/query?q=SELECT%20StageName,SUM(Amount)%20FROM%20Opportunity%20GROUP%20BY%20StageName").await;
    script.get("/query?q=SELECT%20Id,(SELECT%20Id%20FROM%20Contacts)%20FROM%20Account%20LIMIT%201").await;
    // `SELECT Id FROM Contact`, from its third row on: here a locator carries its query.
    script.get("/query/01gU0VMRUNUIElkIEZST00gQ29udGFjdA-2").await;
    let body = json!({ "q": "contoso*", "in": "ALL", "sobjects": [{ "name": "Account", "fields": ["Id", "Name"] }], "overallLimit": 5 });
    script.post("/parameterizedSearch", body).await;
    script.get("/sobjects").await;
    script.get("/sobjects/Opportunity/describe").await;
    let lead = json!({ "LastName": "Sato", "Company": "Proseware", "Interests__c": "Vision", "NumberOfEmployees": 7 });
    script.post("/sobjects/Lead", lead).await;
    script.get(&format!("/sobjects/Contact/{contact}?fields=Id,Email")).await;
    script.get(&format!("/sobjects/Contact/{contact}")).await;
    script.send(Method::PATCH, &format!("/sobjects/Contact/{contact}"), Some(json!({ "Title": "Buyer" }))).await;
}
