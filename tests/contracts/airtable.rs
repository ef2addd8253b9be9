//! Airtable.

use reqwest::Method;
use serde_json::{Value, json};

use super::Script;

/// A session that touches every operation and every type of field.
pub async fn session(script: &Script) {
    script.get("/meta/whoami").await;
    let bases = script.get("/meta/bases").await;
    script.get(&format!("/meta/bases?offset={}", bases["offset"].as_str().unwrap())).await;
    let base = id_of(&bases["bases"], "Trade fair");
    let tables = script.get(&format!("/meta/bases/{base}/tables?include=visibleFieldIds")).await;
    let table = id_of(&tables["tables"], "Tasks");

    let records = format!("/{base}/{table}");
    let list = json!({ "pageSize": 2, "view": "To do", "sort": [{ "field": "Budget", "direction": "desc" }],
        "filterByFormula": "{Budget}>1000", "fields": ["Task", "Budget"], "returnFieldsByFieldId": false });
    script.post(&format!("{records}/listRecords"), list).await;
    script.post(&format!("/{base}/Tasks/listRecords"), json!({})).await;

    let made = script.post(&records, json!({ "fields": full(), "typecast": true })).await;
    let id = made["id"].as_str().unwrap();
    script
        .post(&records, json!({ "records": [{ "fields": { "Task": "One" } }, { "fields": { "Task": "Two" } }] }))
        .await;
    script.get(&format!("{records}/{id}?returnFieldsByFieldId=true")).await;
    let patch = json!({ "fields": { "Status": "Done", "Notes": null } });
    script.send(Method::PATCH, &format!("{records}/{id}"), Some(patch)).await;
    let merge = json!({ "records": [{ "fields": { "Task": "One", "Budget": 5 } }, { "fields": { "Task": "Three" } }],
        "performUpsert": { "fieldsToMergeOn": ["Task"] } });
    script.send(Method::PATCH, &records, Some(merge)).await;
    let many = json!({ "records": [{ "id": id, "fields": { "Approved": true } }] });
    script.send(Method::PATCH, &records, Some(many)).await;
    script.post(&format!("{records}/{id}/comments"), json!({ "text": "Well done" })).await;
    script.get(&format!("{records}/{id}/comments?pageSize=10")).await;
    script.send(Method::DELETE, &format!("{records}/{id}"), None).await;
}

fn full() -> Value {
    json!({
        "Task": "Everything", "Status": "Waiting", "Due": "2026-12-01", "Budget": 12.5, "Effort": 3600,
        "Owner": { "email": "mei.tanaka@northwind.example" }, "Handed over": "2026-11-23T09:00:00.000Z",
        "Approved": false, "Files": [{ "url": "https://northwind.example/plan.pdf" }], "Notes": "a\nb",
    })
}

fn id_of(list: &Value, name: &str) -> String {
    let found = list.as_array().unwrap().iter().find(|one| one["name"] == name).unwrap();
    found["id"].as_str().unwrap().to_owned()
}
