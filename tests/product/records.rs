//! Records of every vendor, by the addresses at which they can be read.

use serde_json::{Value, json};

use crate::{
    client::Client,
    support::{Home, Server},
};

/// The sandbox with all tools.
fn serve(home: &Home) -> Server {
    Server::start(home.command(&["serve", "--sandbox", "--listen", "127.0.0.1:0", "--toolsets", "all"]))
}

/// What a call answers.
async fn found(client: &Client, tool: &str, arguments: Value) -> Value {
    let result = client.call(tool, arguments).await;
    assert!(result["isError"].is_null(), "{tool}: {result}");
    result["structuredContent"].clone()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

/// A text as it stands in an address.
fn coded(text: &str) -> String {
    text.replace(' ', "%20").replace('#', "%23")
}

#[tokio::test]
async fn a_record_of_every_vendor_is_read_by_its_address() {
    let home = Home::new();
    let server = serve(&home);
    let client = Client::of(&server);
    let mut seen = Vec::new();

    let accounts =
        found(&client, "salesforce_search_records", json!({"query": "Contoso", "objects": ["Account"]})).await;
    let account = &accounts["records"][0];
    let (id, title) = (text(&account["id"]), text(&account["title"]));
    seen.push((format!("salesforce://account/{id}"), title.to_owned()));
    seen.push((format!("salesforce://record/Account/{id}"), title.to_owned()));

    let contacts = found(&client, "hubspot_search_contacts", json!({"query": "Olivia"})).await;
    let contact = &contacts["records"][0];
    seen.push((format!("hubspot://contact/{}", text(&contact["id"])), text(&contact["title"]).to_owned()));
    let company = found(&client, "hubspot_get_company", json!({"domain": "contoso.example"})).await;
    seen.push((format!("hubspot://company/{}", text(&company["id"])), text(&company["title"]).to_owned()));

    let channel = found(&client, "slack_read_channel", json!({"channel": "support", "limit": 1})).await;
    let message = &channel["messages"][0];
    let place = format!("slack://message/{}/{}", text(&channel["channel_id"]), text(&message["ts"]));
    seen.push((place, text(&message["text"]).lines().next().unwrap().to_owned()));

    let mails = found(&client, "gmail_search_emails", json!({"query": "subject:budget"})).await;
    let mail = &mails["emails"][0];
    seen.push((format!("gmail://message/{}", text(&mail["id"])), text(&mail["subject"]).to_owned()));
    seen.push((format!("gmail://thread/{}", text(&mail["thread_id"])), text(&mail["subject"]).to_owned()));

    for kind in ["page", "database"] {
        let hits = found(&client, "notion_search", json!({"query": "", "type": kind})).await;
        let hit = &hits["found"][0];
        seen.push((format!("notion://{kind}/{}", text(&hit["id"])), text(&hit["title"]).to_owned()));
    }

    let sheets = found(&client, "google_sheets_find_spreadsheet", json!({"query": ""})).await;
    let sheet = &sheets["spreadsheets"][0];
    seen.push((format!("google-sheets://spreadsheet/{}", text(&sheet["id"])), text(&sheet["name"]).to_owned()));

    let (base, table) = ("Northwind Robotics CRM", "Deals");
    let rows = found(&client, "airtable_get_records", json!({"base": base, "table": table, "limit": 1})).await;
    let row = text(&rows["records"][0]["id"]);
    seen.push((format!("airtable://record/{}/{table}/{row}", coded(base)), row.to_owned()));

    for (uri, words) in seen {
        let read = client.read(&uri).await;
        assert!(read.contains(&words), "{uri} says nothing of {words:?}:\n{read}");
    }
}

#[tokio::test]
async fn a_record_that_is_not_there_has_no_contents() {
    let home = Home::new();
    let server = serve(&home);
    let client = Client::of(&server);
    for uri in [
        "salesforce://account/001D000000IRFmaIAH",
        "salesforce://record/Account/nonsense",
        "hubspot://contact/999999999",
        "slack://message/C0000000000/1.000001",
        "gmail://message/19ffffffffffffff",
        "notion://page/00000000-0000-4000-8000-000000000000",
        "google-sheets://spreadsheet/nosuchspreadsheet",
        "airtable://record/Northwind%20Robotics%20CRM/Deals/recAAAAAAAAAAAAAA",
    ] {
        let error = client.error("resources/read", json!({"uri": uri})).await;
        assert_eq!(error["code"], -32602, "{uri}: {error}");
    }
}

#[tokio::test]
async fn the_bytes_of_a_file_at_a_mail_are_read_by_the_link_in_it() {
    let home = Home::new();
    let server = serve(&home);
    let client = Client::of(&server);
    let mails = found(&client, "gmail_search_emails", json!({"query": "has:attachment from:ana"})).await;
    let mail = client.call("gmail_get_email", json!({"message_id": mails["emails"][0]["id"]})).await;
    let parts = mail["content"].as_array().unwrap();
    let link = parts.iter().find(|part| part["type"] == "resource_link").unwrap_or_else(|| panic!("{mail}"));
    assert!(text(&link["name"]).contains("service-plan.csv") && link["mimeType"] == "text/csv", "{link}");
    let read = client.result("resources/read", json!({"uri": link["uri"]})).await;
    let file = &read["contents"][0];
    assert_eq!((&file["uri"], &file["mimeType"]), (&link["uri"], &json!("text/csv")), "{read}");
    assert!(text(&file["text"]).lines().count() > 1 && text(&file["text"]).contains(','), "{read}");
}

#[tokio::test]
async fn what_is_typed_completes_the_address_of_a_record() {
    let home = Home::new();
    let server = serve(&home);
    let client = Client::of(&server);
    for (uri, variable, words) in [
        ("salesforce://account/{account_id}", "account_id", "Contoso"),
        ("hubspot://contact/{contact_id}", "contact_id", "Olivia"),
        ("notion://page/{page}", "page", ""),
        ("google-sheets://spreadsheet/{spreadsheet}", "spreadsheet", ""),
    ] {
        let ids = client.complete(json!({"type": "ref/resource", "uri": uri}), variable, words).await;
        let id = ids.first().unwrap_or_else(|| panic!("nothing for {words:?} in {uri}"));
        client.read(&uri.replace(&format!("{{{variable}}}"), id)).await;
    }
}
