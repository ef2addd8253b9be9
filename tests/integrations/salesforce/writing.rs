//! New and changed records.

use serde_json::{Value, json};
use switchboard::tool::Kind;

use super::{field, id_of, open};

fn body(desk: &crate::desk::Desk, operation: &str) -> Value {
    desk.last(operation).body.unwrap()
}

#[tokio::test]
async fn a_lead_is_made_with_fields_of_the_organisation() {
    let desk = open().await;
    let lead = json!({
        "last_name": "Sato", "company": "Proseware", "first_name": "Kenji", "email": "kenji@proseware.example",
        "source": "Web", "custom": [
            { "name": "Employees", "value": "120" }, { "name": "interests", "value": "picking; Vision" },
            { "name": "Demo_At__c", "value": "2026-11-30T15:00" },
        ],
    });
    let made = desk.ok("create_lead", lead).await;
    assert!(made.text.contains("Created: Lead ⟦Kenji Sato⟧ [id 00Q"), "{}", made.text);
    assert_eq!(
        body(&desk, "createRecord"),
        json!({
            "LastName": "Sato", "Company": "Proseware", "FirstName": "Kenji", "Email": "kenji@proseware.example",
            "LeadSource": "Web", "NumberOfEmployees": 120, "Interests__c": "Picking;Vision",
            "Demo_At__c": "2026-11-30T14:00:00Z",
        })
    );
    assert_eq!(desk.changes(), 1);
}

#[tokio::test]
async fn a_lead_that_does_not_fit_is_refused_before_it_is_sent() {
    let desk = open().await;
    let lead = |name: &str, value: &str| json!({ "last_name": "A", "company": "B", "custom": [{ "name": name, "value": value }] });
    for (arguments, words) in [
        (json!({ "last_name": " ", "company": "B" }), "`last_name` must not be empty"),
        (lead("Employes", "12"), "Did you mean ⟦Employees⟧ [NumberOfEmployees]"),
        (lead("Employees", "a dozen"), "a whole number such as 12"),
        (lead("Converted", "true"), "cannot be set"),
        (lead("Company", "C"), "set by an argument of its own"),
    ] {
        let error = desk.refused("create_lead", arguments.clone()).await;
        assert!(error.to_string().contains(words), "{arguments}: {error}");
    }
    assert_eq!(desk.count("createRecord"), 0);
}

#[tokio::test]
async fn salesforces_own_checks_are_passed_on() {
    let desk = open().await;
    let person = json!({ "last_name": "Diaz", "company": "X", "email": "rosa.diaz@adventure.example" });
    let error = desk.refused("create_lead", person).await;
    assert!(error.kind() == Kind::Conflict && error.to_string().contains("Look it up"), "{error}");
    let error = desk.refused("create_contact", json!({ "last_name": "A", "email": "no address" })).await;
    assert!(error.kind() == Kind::Arguments && error.to_string().contains("(Email)"), "{error}");
    let long = json!({ "last_name": "x".repeat(81) });
    assert!(desk.refused("create_contact", long).await.to_string().contains("max length=80"));
    assert_eq!(desk.changes(), 0);
}

#[tokio::test]
async fn a_contact_belongs_to_the_customer_that_was_named() {
    let desk = open().await;
    let account = id_of(&desk, "Account", "Tailspin Toys").await;
    let contact = json!({ "last_name": "Petit", "first_name": "Luc", "account_id": "tailspin toys", "title": "Buyer" });
    let made = desk.ok("create_contact", contact).await;
    assert_eq!(body(&desk, "createRecord")["AccountId"], account.as_str());
    let id = made.data["record"]["id"].as_str().unwrap();
    assert_eq!(field(&desk, "Contact", id, "Full Name").await, Value::Null, "the name is the title");
    let error = desk.refused("create_contact", json!({ "last_name": "A", "account_id": "Tailspin" })).await;
    assert!(error.kind() == Kind::NotFound && error.to_string().contains("⟦Tailspin Toys⟧"), "no guess: {error}");
}

#[tokio::test]
async fn a_case_names_who_asks() {
    let desk = open().await;
    let case = json!({
        "subject": "Belt squeaks", "description": "Since noon", "contact_id": "camille.moreau@tailspin.example",
        "priority": "high",
    });
    let made = desk.ok("create_case", case).await;
    assert!(made.text.contains("Created: Case ⟦Belt squeaks⟧ [id 500"), "{}", made.text);
    let sent = body(&desk, "createRecord");
    assert_eq!((&sent["Priority"], &sent["Origin"]), (&json!("High"), &json!("Phone")));
    assert_eq!(sent["ContactId"], id_of(&desk, "Contact", "Camille Moreau").await);
    let error = desk.refused("create_case", json!({ "subject": "A", "priority": "urgent" })).await;
    assert!(error.to_string().contains("one of High, Medium, Low"), "{error}");
    let error = desk.refused("create_case", json!({ "subject": "A", "contact_id": "x@y.example" })).await;
    assert!(error.to_string().contains("salesforce_lookup_contact"), "{error}");
}

#[tokio::test]
async fn an_opportunity_moves_on_by_name_and_label() {
    let desk = open().await;
    let change = json!({
        "opportunity_id": "contoso: six picking cells", "stage": "closed won", "amount": 495_000, "close_date": "2026-12-01",
        "custom": [{ "name": "Opportunity Type", "value": "New Customer" }],
    });
    let done = desk.ok("update_opportunity", change.clone()).await;
    assert!(done.text.contains("Updated: Opportunity ⟦Contoso: six picking cells⟧"), "{}", done.text);
    assert!(done.text.contains("Stage: ⟦Closed Won⟧; Amount: 495000; Close date: 2026-12-01"), "{}", done.text);
    let again = desk.ok("update_opportunity", change).await;
    assert_eq!(again.data["done"], "unchanged");
    assert_eq!((desk.count("updateRecord"), desk.changes()), (1, 1));
    let id = id_of(&desk, "Opportunity", "Contoso: six picking cells").await;
    assert_eq!(field(&desk, "Opportunity", &id, "Closed").await, "true");
}

#[tokio::test]
async fn an_opportunity_is_not_changed_by_a_guess() {
    let desk = open().await;
    for (arguments, words) in [
        (json!({ "opportunity_id": "Contoso", "stage": "Closed Won" }), "Did you mean"),
        (json!({ "opportunity_id": "006000000000000AAA", "amount": 1 }), "There is no opportunity"),
        (json!({ "opportunity_id": "Tailspin: returns station" }), "nothing is given"),
        (json!({ "opportunity_id": "Tailspin: returns station", "stage": "Sold" }), "one of Prospecting"),
        (json!({ "opportunity_id": "Tailspin: returns station", "close_date": "2026-12-01T10:00" }), "is a day"),
    ] {
        let error = desk.refused("update_opportunity", arguments.clone()).await;
        assert!(error.to_string().contains(words), "{arguments}: {error}");
    }
    assert_eq!(desk.count("updateRecord"), 0);
}

#[tokio::test]
async fn a_case_is_changed_by_its_number() {
    let desk = open().await;
    let found =
        desk.ok("run_soql", json!({ "soql": "SELECT CaseNumber FROM Case WHERE Subject LIKE 'Gripper%'" })).await;
    let number = found.data["records"][0]["title"].as_str().unwrap().to_owned();
    let short = number.trim_start_matches('0').to_owned();
    let done = desk
        .ok("update_case", json!({ "case_id": short, "status": "Closed", "comments": "Replaced the gripper." }))
        .await;
    assert!(done.text.contains("Updated: Case ⟦Gripper drops wet cartons⟧"), "{}", done.text);
    assert!(done.text.contains("Status: ⟦Closed⟧") && done.text.contains("customers do not see it"), "{}", done.text);
    assert_eq!(body(&desk, "updateRecord"), json!({ "Status": "Closed", "Comments": "Replaced the gripper." }));
    let error = desk.refused("update_case", json!({ "case_id": "99999999", "status": "Closed" })).await;
    assert!(error.to_string().contains("There is no case `99999999`"), "{error}");
    let error = desk.refused("update_case", json!({ "case_id": "the gripper", "status": "Closed" })).await;
    assert_eq!(error.kind(), Kind::Arguments);
}

#[tokio::test]
async fn a_call_is_noted_with_the_person_and_the_deal() {
    let desk = open().await;
    let call = json!({
        "subject": "Offer discussed", "notes": "Wants a discount.", "who_id": "olivia.grant@contoso.example",
        "what_id": "Contoso: six picking cells", "duration_seconds": 340, "disposition": "Interested",
    });
    desk.ok("log_call", call).await;
    let sent = body(&desk, "createRecord");
    assert_eq!(
        (&sent["TaskSubtype"], &sent["Status"], &sent["ActivityDate"], &sent["CallDurationInSeconds"]),
        (&json!("Call"), &json!("Completed"), &json!("2026-11-23"), &json!(340))
    );
    assert_eq!(sent["WhoId"], id_of(&desk, "Contact", "Olivia Grant").await);
    assert_eq!(sent["WhatId"], id_of(&desk, "Opportunity", "Contoso: six picking cells").await);
    let lead = json!({ "subject": "A", "notes": "B", "who_id": "rosa.diaz@adventure.example" });
    desk.ok("log_call", lead).await;
    assert_eq!(body(&desk, "createRecord")["WhoId"], id_of(&desk, "Lead", "Rosa Diaz").await);
    let error = desk.refused("log_call", json!({ "subject": "A", "notes": "B", "who_id": "Olivia" })).await;
    assert!(error.to_string().contains("neither an id nor an e-mail address"), "{error}");
    let wrong = json!({ "subject": "A", "notes": "B", "what_id": "001000000000000AAA" });
    assert_eq!(desk.refused("log_call", wrong).await.kind(), Kind::NotFound);
}

#[tokio::test]
async fn a_task_is_given_to_a_colleague() {
    let desk = open().await;
    let task = json!({
        "subject": "Call back", "due_date": "2026-11-30", "owner_id": "Priya Nair", "priority": "high",
        "what_id": "fabrikam logistics",
    });
    let made = desk.ok("create_task", task).await;
    assert!(made.text.contains("Activity date: 2026-11-30"), "{}", made.text);
    let sent = body(&desk, "createRecord");
    assert_eq!(sent["OwnerId"], id_of(&desk, "User", "Priya Nair").await);
    assert_eq!(sent["WhatId"], id_of(&desk, "Account", "Fabrikam Logistics").await);
    assert_eq!(sent["Priority"], "High");
    for (arguments, words) in [
        (json!({ "subject": "" }), "`subject` must not be empty"),
        (json!({ "subject": "x".repeat(256) }), "at most 255"),
        (json!({ "subject": "A", "owner_id": "x@northwind.example" }), "There is no active user"),
        (json!({ "subject": "A", "priority": "Now" }), "one of High, Normal, Low"),
    ] {
        let error = desk.refused("create_task", arguments.clone()).await;
        assert!(error.to_string().contains(words), "{arguments}: {error}");
    }
}
