//! Searching and reading, and labels.

use serde_json::{Value, json};
use switchboard::tool::{Asking, Kind, LABEL};

use super::{find, id, open};

#[tokio::test]
async fn mails_are_found_with_gmails_own_words() {
    let desk = open().await;
    let found = desk.ok("search_emails", json!({ "query": "from:olivia is:unread subject:plan" })).await;
    let lines: Vec<_> = found.text.lines().collect();
    assert_eq!((lines[0], lines.len()), (LABEL, 2), "{}", found.text);
    assert!(
        lines[1].contains(
            "⟦Olivia Grant <olivia.grant@contoso.example>: Re: Six picking cells: service plan — Thank you, Ana."
        ),
        "{}",
        lines[1]
    );
    assert!(lines[1].contains("⟧ unread [id 19"), "{}", lines[1]);
    assert_eq!(desk.sent("messages.get", "format").as_deref(), Some("metadata"), "bodies are not fetched for a list");
    let own = desk.ok("search_emails", json!({ "query": "in:sent rota" })).await;
    assert!(own.text.contains("to Samuel Okafor") && !own.text.contains('⟦'), "own words need no fence: {}", own.text);
    assert_eq!(desk.ok("search_emails", json!({ "query": "xyzzy" })).await.text, "No mails.");
    assert_eq!(desk.ok("search_emails", json!({ "query": "won" })).await.data["emails"], json!([]), "spam is left out");
}

#[tokio::test]
async fn a_search_goes_on_to_its_end() {
    let desk = open().await;
    let (mut seen, mut cursor) = (vec![], Value::Null);
    loop {
        let page = desk
            .ok(
                "search_emails",
                if cursor.is_null() {
                    json!({ "query": "", "limit": 4 })
                } else {
                    json!({ "query": "", "limit": 4, "cursor": cursor })
                },
            )
            .await;
        seen.extend(page.data["emails"].as_array().unwrap().iter().map(|mail| mail["id"].as_str().unwrap().to_owned()));
        cursor = page.data["next_cursor"].clone();
        if cursor.is_null() {
            assert_eq!(page.data["about"], seen.len());
            break;
        }
        assert!(page.text.contains(cursor.as_str().unwrap()));
    }
    let count = seen.len();
    seen.sort();
    seen.dedup();
    assert!(count > 8 && count == seen.len(), "{count}");
    assert_eq!(desk.refused("search_emails", json!({ "query": "", "cursor": "x" })).await.kind(), Kind::Arguments);
}

#[tokio::test]
async fn a_page_is_read_as_markdown_past_its_stub() {
    let desk = open().await;
    let news = desk.ok("get_email", json!({ "message_id": id(&desk, "from:news@trade-press.example").await })).await;
    let text = news.data["text"].as_str().unwrap();
    assert!(text.starts_with("# This week in robotics"), "{text}");
    assert!(
        text.contains("[wet cardboard](https://trade-press.example/a)") && text.contains("- Suction cups compared"),
        "{text}"
    );
    assert!(text.contains("Fair | City\nAutomatica | Munich"), "{text}");
    assert!(!text.contains("Preheader") && !text.contains("open.gif") && !text.contains("browser"), "{text}");
    assert!(news.data.get("html").is_none());
    let page = json!({ "message_id": id(&desk, "from:news@trade-press.example").await, "include_html": true });
    assert!(desk.ok("get_email", page).await.data["html"].as_str().unwrap().contains("<table"));
}

#[tokio::test]
async fn quoted_history_is_folded() {
    let desk = open().await;
    let mail = id(&desk, "from:olivia is:unread subject:plan").await;
    let short = desk.ok("get_email", json!({ "message_id": mail })).await;
    assert!(short.data["text"].as_str().unwrap().ends_with("Olivia"), "{}", short.text);
    assert_eq!(short.data["folded_lines"], 11);
    assert!(short.text.contains("(11 lines of earlier mails are left out"), "{}", short.text);
    assert_eq!(short.data["labels"], json!(["INBOX", "UNREAD", "IMPORTANT", "Customers/Contoso"]));
    let long = desk.ok("get_email", json!({ "message_id": mail, "include_quotes": true })).await;
    assert!(long.text.contains(">> the offer looks good") && !long.text.contains("left out"), "{}", long.text);
}

#[tokio::test]
async fn a_conversation_is_read_in_order() {
    let desk = open().await;
    let thread = find(&desk, "service plan").await["thread_id"].clone();
    let all = desk.ok("get_thread", json!({ "thread_id": thread })).await;
    let mails = all.data["emails"].as_array().unwrap();
    assert_eq!((mails.len(), &all.data["total"]), (3, &json!(3)));
    let second = mails[1]["text"].as_str().unwrap();
    assert!(
        second.contains("nights cost **6 % more**") && !second.contains("Could you add"),
        "HTML quotes fold, too: {second}"
    );
    let latest = desk.ok("get_thread", json!({ "thread_id": thread, "limit": 2 })).await;
    assert_eq!(latest.data["emails"][1]["id"], mails[2]["id"]);
    let earlier = json!({ "thread_id": thread, "limit": 2, "cursor": latest.data["next_cursor"] });
    assert_eq!(desk.ok("get_thread", earlier).await.data["emails"].as_array().unwrap().len(), 1);
    let error = desk.refused("get_thread", json!({ "thread_id": "19ffffffffffffff" })).await;
    assert!(error.to_string().contains("no conversation `19ffffffffffffff`"), "{error}");
}

#[tokio::test]
async fn attachments_are_links_that_can_be_read() {
    let desk = open().await;
    let mail = id(&desk, "has:attachment from:ana").await;
    let mail = desk.ok("get_email", json!({ "message_id": mail })).await;
    let file = &mail.data["attachments"][0];
    assert_eq!((&file["name"], &file["mime_type"]), (&json!("service-plan.csv"), &json!("text/csv")));
    let uri = file["uri"].as_str().unwrap();
    assert!(uri.starts_with("gmail://attachment/19") && mail.text.contains(uri), "{}", mail.text);
    assert_eq!(desk.count("messages.attachments.get"), 0, "the bytes stay where they are until somebody reads them");
}

#[tokio::test]
async fn a_long_text_is_fetched_where_gmail_keeps_it() {
    let mut desk = open().await;
    let body = format!("The beginning.\n\n{}", "All of it. ".repeat(2000));
    let long = json!({ "to": ["claire.dubois@northwind.example"], "subject": "Minutes", "body": body });
    let sent = desk.ok("send_email", long.clone()).await;
    let mail = desk.ok("get_email", json!({ "message_id": sent.data["message_id"] })).await;
    assert!(mail.data["text"].as_str().unwrap().starts_with("The beginning.\n\nAll of it. "), "{}", mail.text);
    assert_eq!(mail.data["attachments"].as_array().map_or(0, Vec::len), 0, "a text is no file: {}", mail.text);
    let thread = desk.ok("get_thread", json!({ "thread_id": sent.data["thread_id"] })).await;
    assert!(thread.text.contains("The beginning."), "{}", thread.text);
    assert_eq!(desk.count("messages.attachments.get"), 2);

    // What a person says yes to is what is sent.
    let draft = desk.ok("create_draft", long).await;
    desk.asking = Asking::Always;
    let asked = desk.refused("send_draft", json!({ "draft_id": draft.data["draft_id"] })).await;
    assert!(asked.what().contains("The beginning."), "{}", asked.what());
}

#[tokio::test]
async fn a_mail_that_is_not_there_is_told() {
    let desk = open().await;
    let error = desk.refused("get_email", json!({ "message_id": "19ffffffffffffff" })).await;
    assert_eq!(error.to_string(), "There is no mail `19ffffffffffffff`. `gmail_search_emails` shows the ids of mails.");
    for wrong in ["", "../x", "the one from Ana"] {
        assert_eq!(desk.refused("get_email", json!({ "message_id": wrong })).await.kind(), Kind::Arguments);
    }
}

#[tokio::test]
async fn labels_are_changed_by_their_names() {
    let desk = open().await;
    let mail = id(&desk, "subject:budget").await;
    let change = json!({ "message_id": mail, "add": ["customers", "UNREAD"], "remove": ["Inbox"] });
    let done = desk.ok("modify_labels", change).await;
    assert_eq!(done.data["labels"], json!(["STARRED", "Customers", "UNREAD"]));
    assert_eq!(desk.last("messages.modify").body.unwrap()["addLabelIds"], json!(["Label_1", "UNREAD"]));
    let error = desk.refused("modify_labels", json!({ "message_id": mail, "add": ["Custmers"] })).await;
    assert!(error.to_string().contains("Did you mean ⟦Customers⟧ [Label_1]"), "{error}");
    for wrong in [json!({ "message_id": mail }), json!({ "message_id": mail, "add": ["INBOX"], "remove": ["INBOX"] })] {
        assert_eq!(desk.refused("modify_labels", wrong).await.kind(), Kind::Arguments);
    }
    let fixed = desk.refused("modify_labels", json!({ "message_id": mail, "add": ["SENT"] })).await;
    assert!(fixed.to_string().contains("Gmail refused: Invalid label: SENT."), "{fixed}");
    assert_eq!(desk.count("labels.list"), 1);
    let list = desk.ok("list_labels", json!({})).await;
    assert!(
        list.text.starts_with("Customers [id Label_1]") && list.text.contains("Gmail's own: CHAT, SENT"),
        "{}",
        list.text
    );
}

#[tokio::test]
async fn a_mail_goes_to_the_trash() {
    let desk = open().await;
    let mail = id(&desk, "subject:budget").await;
    let done = desk.ok("trash_email", json!({ "message_id": mail })).await;
    assert!(done.text.contains("TRASH") && !done.text.contains("INBOX"), "{}", done.text);
    assert_eq!(desk.ok("search_emails", json!({ "query": "subject:budget" })).await.data["emails"], json!([]));
    let error = desk.refused("trash_email", json!({ "message_id": "19ffffffffffffff" })).await;
    assert_eq!(error.kind(), Kind::NotFound);
}
