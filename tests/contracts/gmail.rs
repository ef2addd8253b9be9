//! Gmail.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::json;

use super::Script;

/// A session that touches every operation of the mailbox.
pub async fn session(script: &Script) {
    script.get("/users/me/profile").await;
    script.get("/users/me/labels").await;
    let list = script.get("/users/me/messages?q=service%20plan&maxResults=2").await;
    let mail = list["messages"][0]["id"].as_str().unwrap();
    script.get("/users/me/messages?labelIds=INBOX&labelIds=UNREAD&includeSpamTrash=true").await;
    script.get(&format!("/users/me/messages/{mail}?format=metadata&metadataHeaders=From&metadataHeaders=To")).await;
    for format in ["full", "minimal", "raw"] {
        script.get(&format!("/users/me/messages/{mail}?format={format}")).await;
    }
    let thread = list["messages"][0]["threadId"].as_str().unwrap();
    script.get(&format!("/users/me/threads/{thread}?format=full")).await;
    let with = script.get("/users/me/messages?q=has:attachment").await;
    let with = with["messages"][0]["id"].as_str().unwrap();
    let with = script.get(&format!("/users/me/messages/{with}")).await;
    let file = with["payload"]["parts"][1]["body"]["attachmentId"].as_str().unwrap();
    script.get(&format!("/users/me/messages/{}/attachments/{file}", with["id"].as_str().unwrap())).await;

    let raw = URL_SAFE_NO_PAD.encode("To: ana.ruiz@northwind.example\r\nSubject: Hello\r\n\r\nHello");
    let sent = script.post("/users/me/messages/send", json!({ "raw": raw })).await;
    let sent = sent["id"].as_str().unwrap();
    let labels = json!({ "addLabelIds": ["STARRED", "Label_1"], "removeLabelIds": ["UNREAD"] });
    script.post(&format!("/users/me/messages/{sent}/modify"), labels).await;
    script.send(Method::POST, &format!("/users/me/messages/{sent}/trash"), None).await;
    let draft = script.post("/users/me/drafts", json!({ "message": { "raw": raw } })).await;
    script.get(&format!("/users/me/drafts/{}?format=full", draft["id"].as_str().unwrap())).await;
    let again = json!({ "message": { "raw": raw } });
    script.send(Method::PUT, &format!("/users/me/drafts/{}", draft["id"].as_str().unwrap()), Some(again.clone())).await;
    script.post("/users/me/drafts/send", json!({ "id": draft["id"], "message": again["message"] })).await;
}
