//! HubSpot.

use reqwest::Method;
use serde_json::{Value, json};

use super::Script;

fn search(filters: Value) -> Value {
    json!({ "filterGroups": [{ "filters": filters }], "sorts": [], "properties": ["email"], "limit": 3, "after": "0" })
}

/// A session that touches every operation.
pub async fn session(script: &Script) {
    let objects = "/crm/v3/objects";
    let email = "olivia.grant@contoso.example";
    let path = format!("{objects}/contacts/{email}?idProperty=email&properties=email&associations=companies");
    let contact = script.get(&path).await;
    let (id, company) = (&contact["id"], &contact["associations"]["companies"]["results"][0]["id"]);
    let (id, company) = (id.as_str().unwrap(), company.as_str().unwrap());
    script.get(&format!("{objects}/companies/{company}?properties=name&properties=domain")).await;
    let with_address = json!([{ "propertyName": "email", "operator": "HAS_PROPERTY" }]);
    script.post(&format!("{objects}/contacts/search"), search(with_address)).await;
    let domain = json!([{ "propertyName": "domain", "operator": "EQ", "value": "contoso.example" }]);
    script.post(&format!("{objects}/companies/search"), search(domain)).await;
    let mine = json!([{ "propertyName": "associations.contact", "operator": "EQ", "value": id }]);
    script.post(&format!("{objects}/deals/search"), search(mine)).await;
    let input = json!({ "id": "a@b.example", "idProperty": "email", "properties": { "firstname": "A" } });
    script.post(&format!("{objects}/contacts/batch/upsert"), json!({ "inputs": [input] })).await;
    let change = json!({ "properties": { "jobtitle": "Buyer" } });
    script.send(Method::PATCH, &format!("{objects}/contacts/{id}"), Some(change)).await;

    let link = |number: u32| json!([{ "to": { "id": id }, "types": [{ "associationCategory": "HUBSPOT_DEFINED", "associationTypeId": number }] }]);
    let deal =
        json!({ "properties": { "dealname": "D", "dealstage": "closedwon", "amount": "5" }, "associations": link(3) });
    let deal = script.post(&format!("{objects}/deals"), deal).await;
    let change = json!({ "properties": { "amount": "6" } });
    script.send(Method::PATCH, &format!("{objects}/deals/{}", deal["id"].as_str().unwrap()), Some(change)).await;
    let ticket = json!({ "properties": { "subject": "T", "hs_pipeline_stage": "1" }, "associations": link(16) });
    let ticket = script.post(&format!("{objects}/tickets"), ticket).await;
    let change = json!({ "properties": { "hs_pipeline_stage": "4" } });
    script.send(Method::PATCH, &format!("{objects}/tickets/{}", ticket["id"].as_str().unwrap()), Some(change)).await;
    let at = "2026-11-23T08:00:00Z";
    let call = json!({ "properties": { "hs_timestamp": at, "hs_call_title": "C" }, "associations": link(194) });
    script.post(&format!("{objects}/calls"), call).await;
    let note = json!({ "properties": { "hs_timestamp": at, "hs_note_body": "N" }, "associations": link(202) });
    script.post(&format!("{objects}/notes"), note).await;
    script.get("/crm/v3/owners?limit=2").await;
    script.get("/crm/v3/pipelines/deals").await;
    script.get("/crm/v3/properties/contacts").await;
}
