//! Who is it? Contacts and customers.

use serde_json::json;
use switchboard::{integrations, tool::Kind};

use super::{VENDOR, id_of, open};
use crate::desk::Desk;

#[tokio::test]
async fn a_contact_is_found_by_email_phone_and_name() {
    let desk = open().await;
    for arguments in [
        json!({ "email": "OLIVIA.grant@contoso.example" }),
        json!({ "phone": "+49 (40) 5550-1210" }),
        json!({ "phone": "40 5550 1210" }),
        json!({ "name": "olivia" }),
    ] {
        let found = desk.ok("lookup_contact", arguments.clone()).await;
        assert_eq!(found.data["records"].as_array().unwrap().len(), 1, "{arguments}: {}", found.text);
        assert!(found.text.contains("\nContact ⟦Olivia Grant⟧ [id 003"), "{}", found.text);
        assert!(found.text.contains("Email: olivia.grant@contoso.example; Phone: +49 40 5550 1210"), "{}", found.text);
        assert!(found.text.contains("Account: ⟦Contoso Foods [id 001"), "{}", found.text);
    }
}

#[tokio::test]
async fn nobody_is_no_error_and_no_question_is() {
    let desk = open().await;
    for arguments in [json!({ "email": "x@y.example" }), json!({ "phone": "+1 999 999" }), json!({ "name": "Zz" })] {
        assert_eq!(desk.ok("lookup_contact", arguments).await.text, "Nothing found.");
    }
    for arguments in [json!({}), json!({ "email": "", "name": " " }), json!({ "email": "a@b.example", "name": "Ana" })]
    {
        let error = desk.refused("lookup_contact", arguments).await;
        assert_eq!(error.to_string(), "give exactly one of `email`, `phone` and `name`.");
    }
    let error = desk.refused("lookup_contact", json!({ "phone": "12" })).await;
    assert!(error.to_string().contains("four digits"), "{error}");
}

#[tokio::test]
async fn contacts_come_in_pages_to_the_end() {
    let desk = open().await;
    let (mut names, mut cursor) = (vec![], json!(null));
    loop {
        let mut arguments = json!({ "name": "a", "limit": 2 });
        if cursor.is_string() {
            arguments["cursor"] = cursor;
        }
        let page = desk.ok("lookup_contact", arguments).await;
        let records = page.data["records"].as_array().unwrap();
        names.extend(records.iter().map(|record| record["title"].as_str().unwrap().to_owned()));
        cursor = page.data["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
        assert!(page.text.contains("2 of 6:"), "{}", page.text);
    }
    let expected = ["Aisha Rahman", "Ben Adler", "Camille Moreau", "Lukas Steiner", "Maarten Visser", "Olivia Grant"];
    assert_eq!(names, expected);
}

#[tokio::test]
async fn quotes_and_wildcards_in_a_name_are_only_text() {
    let desk = open().await;
    for name in ["O'Neill", "' OR Name != '", "100%", r"back\slash", "_____"] {
        assert_eq!(desk.ok("lookup_contact", json!({ "name": name })).await.text, "Nothing found.", "{name}");
    }
}

#[tokio::test]
async fn a_customer_comes_with_people_deals_and_cases() {
    let desk = open().await;
    let id = id_of(&desk, "Account", "Contoso Foods").await;
    for arguments in [
        json!({ "account_id": id }),
        json!({ "name": "contoso" }),
        json!({ "email": "ben.adler@contoso.example" }),
        json!({ "phone": "+49 40 5550 1200" }),
        json!({ "phone": "+49 40 5550 1215" }),
    ] {
        let found = desk.ok("lookup_customer", arguments.clone()).await;
        for part in [
            "Account ⟦Contoso Foods⟧ [id 001",
            "Billing city: ⟦Hamburg⟧",
            "Contacts:\n- Contact ⟦Ben Adler⟧",
            "Open opportunities:\n- Opportunity ⟦Contoso: six picking cells⟧",
            "Stage: ⟦Negotiation/Review⟧; Amount: 480000; Close date: 2026-12-09",
            "Open cases:\n- Case ⟦",
            "Created date: Fri 2026-11-20T10:00+01:00",
        ] {
            assert!(found.text.contains(part), "{arguments}: {part} is missing in {}", found.text);
        }
        assert!(!found.text.contains("pilot cell"), "a deal that is closed is not open: {}", found.text);
    }
}

#[tokio::test]
async fn a_customer_that_may_be_several_is_asked_back() {
    let desk = open().await;
    let error = desk.refused("lookup_customer", json!({ "name": "o" })).await;
    assert_eq!(error.kind(), Kind::Ambiguous, "{error}");
    assert!(error.to_string().contains("Contoso Foods") && error.to_string().contains("[001"), "{error}");
    let error = desk.refused("lookup_customer", json!({ "name": "Contosso Foods" })).await;
    assert!(error.to_string().contains("Did you mean ⟦Contoso Foods⟧ (⟦Hamburg, Germany⟧) [001"), "{error}");
    for arguments in [json!({ "email": "nobody@x.example" }), json!({ "account_id": "001000000000000AAA" })] {
        assert_eq!(desk.refused("lookup_customer", arguments).await.kind(), Kind::NotFound);
    }
    assert_eq!(desk.refused("lookup_customer", json!({})).await.kind(), Kind::Arguments);
}

#[tokio::test]
async fn the_probe_says_whose_organisation_it_is() {
    let desk = Desk::with_scopes(&VENDOR, &["api"]).await;
    let identity = (integrations::find("salesforce").unwrap().probe)(&desk.cx()).await.unwrap();
    assert_eq!(identity.name, "Northwind Robotics");
    assert_eq!(identity.detail, "a sandbox of Salesforce, Europe/Berlin");
}

#[tokio::test]
async fn a_grant_without_the_data_api_is_told_so() {
    let desk = Desk::with_scopes(&VENDOR, &["openid"]).await;
    let error = desk.refused("lookup_contact", json!({ "name": "Ana" })).await;
    assert_eq!((error.kind(), error.scopes()), (Kind::MissingScope, &["api".to_owned()][..]), "{error}");
}
