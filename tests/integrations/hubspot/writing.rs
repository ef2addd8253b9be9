//! New and changed records.

use serde_json::json;
use switchboard::tool::Kind;

use super::{CREATE_CALL, CREATE_DEAL, CREATE_NOTE, CREATE_TICKET, UPSERT, body, contact, deal, open};

#[tokio::test]
async fn a_ticket_belongs_to_who_asks() {
    let desk = open().await;
    let ticket = json!({
        "subject": "Belt squeaks", "content": "Since noon", "contact_email": "camille.moreau@tailspin.example",
        "priority": "HIGH", "owner_id": "samuel.okafor@northwind.example",
    });
    let made = desk.ok("create_ticket", ticket).await;
    assert!(
        made.text.contains("Created: ticket ⟦Belt squeaks⟧ [id ") && made.text.contains("Stage: ⟦New⟧"),
        "{}",
        made.text
    );
    let id = contact(&desk, "camille.moreau@tailspin.example").await;
    assert_eq!(
        body(&desk, CREATE_TICKET),
        json!({
            "properties": {
                "subject": "Belt squeaks", "content": "Since noon", "hs_pipeline": "0", "hs_pipeline_stage": "1",
                "hs_ticket_priority": "HIGH", "hubspot_owner_id": "507",
            },
            "associations": [{
                "to": { "id": id },
                "types": [{ "associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 16 }],
            }],
        })
    );
    assert_eq!(desk.changes(), 1);
}

#[tokio::test]
async fn a_ticket_that_does_not_fit_is_refused() {
    let desk = open().await;
    for (arguments, words) in [
        (json!({ "subject": " " }), "`subject` must not be empty"),
        (json!({ "subject": "A", "stage": "Open" }), "There is no stage `Open`"),
        (json!({ "subject": "A", "pipeline": "Sales" }), "There is no pipeline `Sales`"),
        (json!({ "subject": "A", "owner_id": "x@y.example" }), "hubspot_list_owners"),
        (json!({ "subject": "A", "contact_email": "x@y.example" }), "There is no contact `x@y.example`"),
        (json!({ "subject": "A", "contact_id": "1", "contact_email": "a@b.example" }), "not both"),
        (json!({ "subject": "A", "contact_id": "1" }), "does not exist"),
    ] {
        let error = desk.refused("create_ticket", arguments.clone()).await;
        assert!(error.to_string().contains(words), "{arguments}: {error}");
    }
    assert_eq!(desk.changes(), 0);
}

#[tokio::test]
async fn a_ticket_moves_on_by_label() {
    let desk = open().await;
    let made = desk.ok("create_ticket", json!({ "subject": "Belt squeaks" })).await;
    let id = made.data["record"]["id"].as_str().unwrap();
    let done = desk.ok("update_ticket", json!({ "ticket_id": id, "stage": "waiting on us", "priority": "LOW" })).await;
    assert!(done.text.contains("Stage: ⟦Waiting on us⟧; Priority: ⟦LOW⟧"), "{}", done.text);
    assert_eq!(desk.refused("update_ticket", json!({ "ticket_id": id })).await.kind(), Kind::Arguments);
    let error = desk.refused("update_ticket", json!({ "ticket_id": "1", "priority": "LOW" })).await;
    assert_eq!(error.kind(), Kind::NotFound, "{error}");
}

#[tokio::test]
async fn a_call_is_noted_at_the_contact() {
    let desk = open().await;
    let call = json!({
        "contact_email": "olivia.grant@contoso.example", "title": "Offer", "body": "Wants a discount.",
        "direction": "INBOUND", "duration_seconds": 340, "disposition": "left voicemail",
        "started_at": "2026-11-23T07:30+01:00",
    });
    desk.ok("log_call", call.clone()).await;
    let sent = body(&desk, CREATE_CALL);
    assert_eq!(
        sent["properties"],
        json!({
            "hs_timestamp": "2026-11-23T06:30:00Z", "hs_call_title": "Offer", "hs_call_body": "Wants a discount.",
            "hs_call_direction": "INBOUND", "hs_call_status": "COMPLETED", "hs_call_duration": "340000",
            "hs_call_disposition": "b2cf5968-551e-4856-9783-52b3da59a7d0",
        })
    );
    assert_eq!(sent["associations"][0]["types"][0]["associationTypeId"], 194);
    for (name, value, words) in [
        ("disposition", json!("Sold"), "one of Connected, Left voicemail"),
        ("started_at", json!("2026-11-23T07:30"), "needs an offset"),
        ("title", json!(""), "`title` must not be empty"),
        ("contact_email", json!(""), "give `contact_id` or `contact_email`"),
    ] {
        let mut wrong = call.clone();
        wrong[name] = value;
        let error = desk.refused("log_call", wrong).await;
        assert!(error.to_string().contains(words), "{name}: {error}");
    }
}

#[tokio::test]
async fn a_contact_is_made_once_by_its_address() {
    let desk = open().await;
    let person = json!({
        "email": "Kenji@Proseware.example", "firstname": "Kenji", "lastname": "Sato",
        "properties": [{ "name": "Topics", "value": "picking; vision module" }, { "name": "newsletter", "value": "yes" }],
    });
    let made = desk.ok("create_contact", person.clone()).await;
    assert!(made.text.contains("Created: contact ⟦Kenji Sato⟧ [id "), "{}", made.text);
    let sent = &body(&desk, UPSERT)["inputs"][0];
    assert_eq!((&sent["id"], &sent["idProperty"]), (&json!("kenji@proseware.example"), &json!("email")));
    assert_eq!(
        (&sent["properties"]["topics"], &sent["properties"]["newsletter"]),
        (&json!("picking;vision"), &json!("true"))
    );
    let again = desk.ok("create_contact", person).await;
    assert_eq!(again.data["done"], "updated");
    assert_eq!(again.data["record"]["id"], made.data["record"]["id"]);
    assert_eq!(desk.changes(), 1);
    let error = desk.refused("create_contact", json!({ "email": "nobody" })).await;
    assert_eq!(error.kind(), Kind::Arguments);
}

#[tokio::test]
async fn a_contact_is_changed_by_label_and_cleared_by_nothing() {
    let desk = open().await;
    let change = json!({
        "email": "ben.adler@contoso.example",
        "properties": [{ "name": "Job Title", "value": "Site manager" }, { "name": "phone", "value": "" }],
    });
    let done = desk.ok("update_contact", change).await;
    assert!(done.text.contains("Job title: ⟦Site manager⟧"), "{}", done.text);
    let found = desk.ok("get_contact", json!({ "email": "ben.adler@contoso.example" })).await;
    assert!(found.text.contains("Site manager") && !found.text.contains("Phone: +49 40 5550 1215"), "{}", found.text);
    for (properties, words) in [
        (json!([]), "nothing is given"),
        (json!([{ "name": "Create Date", "value": "2026-11-23" }]), "cannot be set"),
        (json!([{ "name": "Lifecycle Stage", "value": "friend" }]), "one of Lead"),
    ] {
        let error = desk.refused("update_contact", json!({ "contact_id": "1", "properties": properties })).await;
        assert!(error.to_string().contains(words), "{error}");
    }
    let nobody = json!({ "contact_id": "1", "properties": [{ "name": "city", "value": "Bonn" }] });
    assert_eq!(desk.refused("update_contact", nobody).await.kind(), Kind::NotFound);
}

#[tokio::test]
async fn a_deal_is_made_and_moved() {
    let desk = open().await;
    let person = contact(&desk, "lukas.steiner@woodgrove.example").await;
    let made =
        json!({ "name": "Woodgrove: second try", "amount": 99_000, "close_date": "2026-12-18", "contact_id": person });
    let made = desk.ok("create_deal", made).await;
    let sent = body(&desk, CREATE_DEAL);
    assert_eq!(
        sent["properties"],
        json!({
            "dealname": "Woodgrove: second try", "pipeline": "default", "dealstage": "appointmentscheduled",
            "amount": "99000", "closedate": "2026-12-18T12:00:00Z",
        })
    );
    let id = made.data["record"]["id"].as_str().unwrap();
    let done =
        json!({ "deal_id": id, "stage": "Closed won", "properties": [{ "name": "Next step", "value": "Invoice" }] });
    let done = desk.ok("update_deal", done).await;
    assert!(done.text.contains("Stage: ⟦Closed won⟧; Next step: ⟦Invoice⟧"), "{}", done.text);
    let error = desk.refused("update_deal", json!({ "deal_id": id, "stage": "Contract sent" })).await;
    assert_eq!(error.kind(), Kind::Ambiguous);
    desk.ok("update_deal", json!({ "deal_id": id, "stage": "70422" })).await;
    assert_eq!(desk.refused("create_deal", json!({ "name": "" })).await.kind(), Kind::Arguments);
    let unknown = json!({ "name": "A", "company_id": "1" });
    assert!(desk.refused("create_deal", unknown).await.to_string().contains("does not exist"));
    assert_eq!(desk.refused("update_deal", json!({ "deal_id": "1", "amount": 1 })).await.kind(), Kind::NotFound);
}

#[tokio::test]
async fn a_note_stands_at_what_it_is_about() {
    let desk = open().await;
    let deal = deal(&desk, "Fabrikam").await;
    desk.ok("add_note", json!({ "body": "Wants two lines.", "deal_id": deal })).await;
    let sent = body(&desk, CREATE_NOTE);
    assert_eq!(
        sent["properties"],
        json!({ "hs_note_body": "Wants two lines.", "hs_timestamp": "2026-11-23T07:00:00Z" })
    );
    assert_eq!(sent["associations"][0]["types"][0]["associationTypeId"], 214);
    for (arguments, words) in [
        (json!({ "body": "A" }), "give `contact_id`"),
        (json!({ "body": " ", "deal_id": "1" }), "`body` must not be empty"),
        (json!({ "body": "A", "ticket_id": "1" }), "does not exist"),
    ] {
        let error = desk.refused("add_note", arguments).await;
        assert!(error.to_string().contains(words), "{error}");
    }
}
