//! Google Sheets, with the part of Drive that finds spreadsheets.

use reqwest::Method;
use serde_json::json;

use super::Script;

/// A session that touches every operation.
pub async fn session(script: &Script) {
    let found = script.host("/drive/v3/files?q=name%20contains%20'fair'&orderBy=modifiedTime%20desc&pageSize=5").await;
    script.host("/drive/v3/files?pageSize=1&fields=nextPageToken,files(id,owners(emailAddress,me),modifiedTime)").await;
    let id = found["files"][0]["id"].as_str().unwrap();
    let one = format!("/spreadsheets/{id}");
    script.get(&one).await;
    script.get(&format!("{one}?fields=spreadsheetId,sheets(properties(title))")).await;
    script.get(&format!("{one}/values/Budget!A1%3AC3?valueRenderOption=FORMULA")).await;
    script.get(&format!("{one}/values/Budget?majorDimension=COLUMNS&dateTimeRenderOption=FORMATTED_STRING")).await;
    script
        .get(&format!("{one}/values:batchGet?ranges=Budget!A1&ranges=Totals&valueRenderOption=UNFORMATTED_VALUE"))
        .await;
    let values = json!({ "values": [["Flowers", null, "€120", false, "=SUM(C2:C3)"]] });
    script
        .send(Method::PUT, &format!("{one}/values/Budget!A9%3AE9?valueInputOption=USER_ENTERED"), Some(values.clone()))
        .await;
    let append = "append?valueInputOption=RAW&insertDataOption=INSERT_ROWS";
    script.post(&format!("{one}/values/Budget:{append}"), values).await;
    script.post(&format!("{one}/values/Budget!A9%3AE9:clear"), json!({})).await;
    let header = json!([{ "values": [{ "userEnteredValue": { "stringValue": "Name" } }] }]);
    let sheet = json!({ "properties": { "title": "People" }, "data": [{ "startRow": 0, "rowData": header }] });
    script.post("/spreadsheets", json!({ "properties": { "title": "New" }, "sheets": [sheet] })).await;
}
