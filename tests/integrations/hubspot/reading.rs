//! Looking at contacts, companies, deals, owners and pipelines.

use serde_json::{Value, json};
use switchboard::{integrations, tool::Kind};

use super::{VENDOR, contact, open};
use crate::desk::Desk;

#[tokio::test]
async fn a_contact_comes_with_company_and_open_deals() {
    let desk = open().await;
    let id = contact(&desk, "olivia.grant@contoso.example").await;
    for arguments in [
        json!({ "email": "Olivia.Grant@contoso.example" }),
        json!({ "contact_id": id }),
        json!({ "phone": "040 5550-1210" }),
    ] {
        let found = desk.ok("get_contact", arguments.clone()).await;
        for part in [
            "contact ⟦Olivia Grant⟧ [id ",
            "E-mail: olivia.grant@contoso.example",
            "company ⟦Contoso Foods⟧ [id ",
            "Open deal ⟦Contoso: six picking cells⟧ [id ",
            "Stage: ⟦Contract sent⟧; Amount: 480000; Close date: Wed 2026-12-09T12:00+00:00",
        ] {
            assert!(found.text.contains(part), "{arguments}: {part} is missing in {}", found.text);
        }
        assert!(!found.text.contains("pilot cell"), "{}", found.text);
    }
}

#[tokio::test]
async fn a_contact_is_told_as_far_as_the_account_may_see() {
    let desk = Desk::with_scopes(&VENDOR, &["crm.objects.contacts.read"]).await;
    let found = desk.ok("get_contact", json!({ "email": "ben.adler@contoso.example" })).await;
    assert!(
        found.text.contains("may not see the company") && found.text.contains("may not see deals"),
        "{}",
        found.text
    );
    let error = desk.refused("search_deals", json!({})).await;
    assert_eq!((error.kind(), error.scopes()), (Kind::MissingScope, &["crm.objects.deals.read".to_owned()][..]));
}

#[tokio::test]
async fn a_contact_that_is_not_there_is_told_so() {
    let desk = open().await;
    let error = desk.refused("get_contact", json!({ "email": "x@y.example" })).await;
    assert!(error.kind() == Kind::NotFound && error.to_string().contains("hubspot_search_contacts"), "{error}");
    assert_eq!(desk.refused("get_contact", json!({ "phone": "+1 999 99999" })).await.kind(), Kind::NotFound);
    for arguments in [json!({}), json!({ "email": "a@b.example", "contact_id": "1" }), json!({ "phone": "12" })] {
        assert_eq!(desk.refused("get_contact", arguments).await.kind(), Kind::Arguments);
    }
}

#[tokio::test]
async fn contacts_are_found_by_words_and_filters_in_pages() {
    let mut desk = open().await;
    let found = desk.ok("search_contacts", json!({ "query": "contoso" })).await;
    assert_eq!(found.data["records"].as_array().unwrap().len(), 2, "{}", found.text);
    let filter = json!([{ "property": "Job Title", "operator": "EQ", "value": "procurement" }]);
    let found = desk.ok("search_contacts", json!({ "filters": filter })).await;
    assert!(found.text.contains("⟦Aisha Rahman⟧"), "{}", found.text);
    let (mut count, mut cursor) = (0, Value::Null);
    loop {
        let mut arguments = json!({ "limit": 4 });
        if cursor.is_string() {
            arguments["cursor"] = cursor;
        }
        let page = desk.ok("search_contacts", arguments).await;
        count += page.data["records"].as_array().unwrap().len();
        cursor = page.data["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(count, 6);
    // The index lags behind; what is read by its address does not.
    desk.ok("create_contact", json!({ "email": "new@proseware.example" })).await;
    let none = desk.ok("search_contacts", json!({ "query": "proseware" })).await.text;
    assert_eq!(none, "Nothing found.\nHubSpot's search does not know changes of the last seconds yet.");
    contact(&desk, "new@proseware.example").await;
    desk.wait(1).await;
    assert!(desk.ok("search_contacts", json!({ "query": "proseware" })).await.text.contains("new@proseware"));
}

#[tokio::test]
async fn a_filter_that_does_not_fit_is_refused() {
    let desk = open().await;
    let filters = |property: &str, value: Value| {
        let mut filter = json!({ "property": property, "operator": "EQ" });
        if value.is_string() {
            filter["value"] = value;
        }
        json!({ "filters": [filter] })
    };
    for (arguments, words) in [
        (filters("Jop Title", json!("x")), "Did you mean ⟦Job Title⟧ [jobtitle]"),
        (filters("Visits", json!("many")), "a number such as"),
        (filters("City", Value::Null), "needs a `value`"),
        (filters("Lifecycle Stage", json!("friend")), "one of Lead, Opportunity"),
    ] {
        let error = desk.refused("search_contacts", arguments.clone()).await;
        assert!(error.to_string().contains(words), "{arguments}: {error}");
    }
}

#[tokio::test]
async fn a_company_is_found_by_what_people_write() {
    let desk = open().await;
    let found = desk.ok("get_company", json!({ "domain": "https://www.fabrikam.example/about" })).await;
    assert!(found.text.contains("company ⟦Fabrikam Logistics⟧ [id "), "{}", found.text);
    assert!(found.text.contains("City: ⟦Rotterdam⟧"), "{}", found.text);
    let id = found.data["id"].as_str().unwrap();
    assert_eq!(desk.ok("get_company", json!({ "company_id": id })).await.data, found.data);
    assert_eq!(desk.refused("get_company", json!({ "domain": "nobody.example" })).await.kind(), Kind::NotFound);
    assert_eq!(desk.refused("get_company", json!({ "company_id": "1" })).await.kind(), Kind::NotFound);
    assert_eq!(desk.refused("get_company", json!({})).await.kind(), Kind::Arguments);
}

#[tokio::test]
async fn deals_are_found_by_the_label_of_their_stage() {
    let desk = open().await;
    let stage = |label: &str| json!({ "filters": [{ "property": "Deal Stage", "operator": "EQ", "value": label }] });
    let won = desk.ok("search_deals", stage("closed won")).await;
    assert!(
        won.text.contains("deal ⟦Contoso: pilot cell⟧") && won.text.contains("Stage: ⟦Closed won⟧"),
        "{}",
        won.text
    );
    let error = desk.refused("search_deals", stage("contract sent")).await;
    assert_eq!(error.kind(), Kind::Ambiguous);
    for part in ["(⟦Sales pipeline⟧) [contractsent]", "(⟦Service renewals⟧) [70422]"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    let large = json!({ "filters": [{ "property": "amount", "operator": "GT", "value": "400000" }] });
    let large = desk.ok("search_deals", large).await;
    assert_eq!(large.data["total"], 2, "{}", large.text);
}

#[tokio::test]
async fn owners_and_pipelines_are_listed() {
    let desk = open().await;
    let one = desk.ok("list_owners", json!({ "email": "ana.ruiz@northwind.example" })).await;
    assert_eq!(one.text, "Ana Ruiz <ana.ruiz@northwind.example> [id 502]");
    let first = desk.ok("list_owners", json!({ "limit": 5 })).await;
    let rest = desk.ok("list_owners", json!({ "limit": 5, "cursor": first.data["next_cursor"] })).await;
    assert_eq!(rest.data["owners"].as_array().unwrap().len(), 3);
    assert_eq!(desk.ok("list_owners", json!({ "email": "x@y.example" })).await.text, "No owners.");
    let tickets = desk.ok("list_pipelines", json!({ "object": "tickets" })).await;
    assert_eq!(
        tickets.text,
        "Support pipeline [id 0]: New [1] → Waiting on contact [2] → Waiting on us [3] → Closed [4]"
    );
    assert_eq!(desk.refused("list_pipelines", json!({ "object": "contacts" })).await.kind(), Kind::Arguments);
}

#[tokio::test]
async fn the_probe_needs_no_more_than_its_scope() {
    let desk = Desk::with_scopes(&VENDOR, &["crm.objects.owners.read"]).await;
    let identity = (integrations::find("hubspot").unwrap().probe)(&desk.cx()).await.unwrap();
    assert_eq!((identity.name.as_str(), identity.detail.as_str()), ("HubSpot", "with lena.hartmann@northwind.example"));
}
