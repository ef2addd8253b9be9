//! Slack.

use serde_json::{Value, json};

use super::Script;

/// A session that touches every method.
pub async fn session(script: &Script) {
    form(script, "auth.test", &[]).await;
    let kinds = [("types", "public_channel,private_channel,im"), ("exclude_archived", "true"), ("limit", "200")];
    let list = form(script, "conversations.list", &kinds).await;
    let sales = id_of(&list, "sales");
    form(script, "conversations.list", &[("limit", "2")]).await;
    form(script, "conversations.info", &[("channel", &sales), ("include_num_members", "true")]).await;

    let made = json(script, "conversations.create", json!({ "name": "launch", "is_private": true })).await;
    let launch = made["channel"]["id"].as_str().unwrap().to_owned();
    json(script, "conversations.setTopic", json!({ "channel": launch, "topic": "Plans" })).await;
    let people = form(script, "users.list", &[("limit", "4")]).await;
    let ana = people["members"][1]["id"].as_str().unwrap().to_owned();
    json(script, "conversations.invite", json!({ "channel": launch, "users": ana })).await;
    form(script, "users.info", &[("user", &ana)]).await;
    form(script, "users.lookupByEmail", &[("email", "mei.tanaka@northwind.example")]).await;
    for _ in 0..2 {
        json(script, "conversations.open", json!({ "users": people["members"][3]["id"] })).await;
    }

    let blocks = json!([{ "type": "divider" }]);
    let post = json!({ "channel": sales, "text": "Hello <@x>", "blocks": blocks, "unfurl_links": false });
    let sent = json(script, "chat.postMessage", post).await;
    let ts = sent["ts"].as_str().unwrap().to_owned();
    json(script, "chat.postMessage", json!({ "channel": sales, "text": "Answer", "thread_ts": ts })).await;
    json(script, "chat.update", json!({ "channel": sales, "ts": ts, "text": "Hello again" })).await;
    json(script, "reactions.add", json!({ "channel": sales, "timestamp": ts, "name": "tada" })).await;
    let later = json!({ "channel": sales, "text": "Later", "post_at": 1_796_000_000 });
    json(script, "chat.scheduleMessage", later).await;
    form(script, "conversations.history", &[("channel", &sales), ("limit", "3"), ("inclusive", "true")]).await;
    form(script, "conversations.replies", &[("channel", &sales), ("ts", &ts)]).await;
    form(script, "search.messages", &[("query", "offer in:sales"), ("count", "2"), ("sort", "timestamp")]).await;
    upload(script, &sales).await;
}

async fn upload(script: &Script, channel: &str) {
    let place = form(script, "files.getUploadURLExternal", &[("filename", "a.txt"), ("length", "5")]).await;
    let address = place["upload_url"].as_str().unwrap();
    let sent = script.client.post(address).body("12345").send().await.unwrap();
    assert!(sent.status().is_success());
    let files = json!([{ "id": place["file_id"], "title": "A" }]);
    let body = json!({ "files": files, "channel_id": channel, "initial_comment": "Here" });
    json(script, "files.completeUploadExternal", body).await;
    form(script, "conversations.history", &[("channel", channel), ("limit", "1")]).await;
}

fn id_of(list: &Value, name: &str) -> String {
    let channel = list["channels"].as_array().unwrap().iter().find(|channel| channel["name"] == name);
    channel.unwrap()["id"].as_str().unwrap().to_owned()
}

async fn json(script: &Script, method: &str, body: Value) -> Value {
    good(method, script.post(&format!("/{method}"), body).await)
}

async fn form(script: &Script, method: &str, pairs: &[(&str, &str)]) -> Value {
    good(method, script.form(&format!("/{method}"), pairs).await)
}

fn good(method: &str, answer: Value) -> Value {
    assert_eq!(answer["ok"], true, "{method}: {answer}");
    answer
}
