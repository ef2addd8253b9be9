//! Sending, editing, scheduling, emoji, channels and files.

use serde_json::json;
use switchboard::tool::{Asking, Kind};

use super::{VENDOR, history, message, open, ts};
use crate::desk::Desk;

#[tokio::test]
async fn a_message_goes_to_a_channel_by_its_name() {
    let desk = open().await;
    let sent = desk
        .ok("send_message", json!({ "channel": "#sales", "text": "The **offer** is [here](https://a.example)" }))
        .await;
    assert!(sent.text.starts_with("Sent to #sales [id C0"), "{}", sent.text);
    let body = desk.last("chat.postMessage").body.unwrap();
    assert_eq!(body["text"], "The *offer* is <https://a.example|here>");
    assert_eq!(body.as_object().unwrap().len(), 2, "nothing is sent that was not asked for: {body}");
    assert_eq!(desk.count("chat.postMessage"), 1);
    let found = desk.ok("search_messages", json!({ "query": "from:me in:#sales offer" })).await;
    assert_eq!(sent.data["link"], found.data["hits"][0]["link"], "the vendor gives the same address");
    assert!(history(&desk, "sales").await.text.contains("Lena Hartmann (you): The *offer*"), "own words need no fence");
}

#[tokio::test]
async fn a_message_goes_to_a_person_by_the_address() {
    let desk = open().await;
    let sent = desk.ok("send_message", json!({ "channel": "mei.tanaka@northwind.example", "text": "Hello" })).await;
    assert!(sent.text.starts_with("Sent to mei.tanaka@northwind.example [id D0"), "{}", sent.text);
    assert_eq!(desk.mails(), ["mei.tanaka@northwind.example Lena Hartmann: Hello"]);
    desk.ok("send_message", json!({ "channel": "mei.tanaka@northwind.example", "text": "Again" })).await;
    assert_eq!((desk.count("users.lookupByEmail"), desk.count("conversations.open")), (1, 1), "looked up once");
}

#[tokio::test]
async fn an_answer_goes_into_its_thread() {
    let desk = open().await;
    let thread = ts(&desk, "sales", "wants the service plan").await;
    let answer = json!({ "channel": "sales", "text": "Sent.", "thread_ts": thread, "unfurl": false });
    let sent = desk.ok("send_message", answer).await;
    let body = desk.last("chat.postMessage").body.unwrap();
    assert_eq!((&body["thread_ts"], &body["unfurl_media"]), (&json!(thread), &json!(false)));
    let thread = desk.ok("read_thread", json!({ "channel": "sales", "thread_ts": thread })).await;
    assert_eq!(thread.data["messages"].as_array().unwrap().len(), 5);
    assert!(thread.text.lines().last().unwrap().contains("Sent."), "{}", thread.text);
    let tokyo = json!({ "channel": "sales", "thread_ts": body["thread_ts"], "time_zone": "Asia/Tokyo" });
    assert!(desk.ok("read_thread", tokyo).await.text.contains("+09:00"));
    let found = desk.ok("search_messages", json!({ "query": "from:me \"Sent.\"", "time_zone": "Asia/Tokyo" })).await;
    assert!(found.text.contains("+09:00"), "{}", found.text);
    let link = sent.data["link"].as_str().unwrap();
    assert!(
        sent.text.ends_with(link)
            && link.ends_with(&format!(
                "?thread_ts={}&cid={}",
                body["thread_ts"].as_str().unwrap(),
                body["channel"].as_str().unwrap()
            )),
        "{}",
        sent.text
    );
}

#[tokio::test]
async fn what_people_outside_read_is_asked_about_first() {
    let mut desk = open().await;
    let message = json!({ "channel": "#contoso-pilot", "text": "Tuesday it is." });
    let error = desk.refused("send_message", message.clone()).await;
    let question =
        "Send a message to #contoso-pilot, which people outside of the workspace may read: \"Tuesday it is.\"?";
    assert_eq!((error.kind(), error.what()), (Kind::Ask, question));
    assert_eq!(desk.count("chat.postMessage"), 0);
    desk.say_yes(question);
    desk.ok("send_message", message).await;
    let guest = json!({ "channel": "olivia.grant@contoso.example", "text": "Hi" });
    assert_eq!(desk.refused("send_message", guest).await.kind(), Kind::Ask);
    assert_eq!(desk.count("conversations.open"), 0, "nothing is opened before the yes");
    let file = json!({ "channel": "contoso-pilot", "filename": "a.txt", "content": "x" });
    assert_eq!(desk.refused("upload_text_file", file).await.kind(), Kind::Ask);
    desk.asking = Asking::Always;
    assert_eq!(desk.refused("send_message", json!({ "channel": "sales", "text": "Hi" })).await.kind(), Kind::Ask);
}

#[tokio::test]
async fn who_has_read_others_asks_before_it_writes_where_it_never_wrote() {
    let mut desk = open().await;
    let (sales, ana) = ("#sales", "ana.ruiz@northwind.example");
    let id = desk.ok("send_message", json!({ "channel": sales, "text": "Hi" })).await.data["channel_id"].clone();
    let mine = ts(&desk, ana, "I am in").await;
    let writes = [
        ("send_message", json!({ "channel": sales, "text": "Hi" })),
        ("send_message", json!({ "channel": id, "text": "Hi" })),
        ("send_message", json!({ "channel": ana, "text": "Hi" })),
        ("send_message", json!({ "channel": "@Ana Ruiz", "text": "Hi" })),
        ("schedule_message", json!({ "channel": sales, "text": "Hi", "post_at": "2026-11-24T10:00" })),
        ("update_message", json!({ "channel": ana, "ts": mine, "text": "Hi" })),
        ("upload_text_file", json!({ "channel": sales, "filename": "a.txt", "content": "Hi" })),
        ("invite_to_channel", json!({ "channel": "random", "users": [ana] })),
        ("create_channel", json!({ "name": "launch", "invite": [ana] })),
    ];
    desk.has_read_others(&[]);
    let before = desk.count("chat.postMessage");
    for (tool, arguments) in &writes {
        assert_eq!(desk.refused(tool, arguments.clone()).await.kind(), Kind::Ask, "{tool} {arguments}");
    }
    assert_eq!((desk.count("chat.postMessage"), desk.count("conversations.create")), (before, 0));
    desk.has_read_others(&[&id.as_str().unwrap().to_lowercase(), ana]);
    for (tool, arguments) in writes {
        desk.ok(tool, arguments).await;
    }
}

#[tokio::test]
async fn a_person_is_asked_about_what_will_be_read() {
    let mut desk = open().await;
    desk.asking = Asking::Always;
    let blocks = r#"[{"type":"section","text":{"type":"mrkdwn","text":"The price is 5"}}]"#;
    let error = desk.refused("send_message", json!({ "channel": "sales", "text": "News", "blocks": blocks })).await;
    assert_eq!(error.what(), "Send a message to #sales: \"The price is 5\n(in notifications: News)\"?");
    let file = json!({ "channel": "sales", "filename": "a.txt", "content": "x=1", "comment": "Run this" });
    let error = desk.refused("upload_text_file", file).await;
    assert_eq!(error.what(), "Upload the file a.txt (3 bytes) to #sales: \"Run this\nx=1\"?");
}

#[tokio::test]
async fn a_message_that_makes_no_sense_is_refused() {
    let desk = open().await;
    let wrong = [
        (json!({ "channel": "sales", "text": " " }), "`text` must not be empty"),
        (json!({ "channel": "", "text": "x" }), "`channel` must not be empty"),
        (json!({ "channel": "sales", "text": "x", "thread_ts": "yesterday" }), "copied exactly"),
        (json!({ "channel": "sales", "text": "x", "blocks": "{}" }), "a JSON list of blocks"),
        (json!({ "channel": "sales", "text": "x".repeat(40_001) }), "40,000 characters"),
        (json!({ "channel": "sales", "text": "x", "thread_ts": "1732345678.000100" }), "no such message"),
        (json!({ "channel": "design", "text": "x" }), "design: The account is not in that channel."),
    ];
    for (arguments, phrase) in wrong {
        let error = desk.refused("send_message", arguments).await;
        assert!(error.to_string().contains(phrase), "{error}");
    }
}

#[tokio::test]
async fn only_own_messages_are_edited() {
    let desk = open().await;
    let mine = ts(&desk, "ana.ruiz@northwind.example", "I am in").await;
    let edit = json!({ "channel": "ana.ruiz@northwind.example", "ts": mine, "text": "Yes, from **ten** on." });
    desk.ok("update_message", edit).await;
    let edited = message(&desk, "ana.ruiz@northwind.example", "from *ten* on").await;
    assert_eq!((&edited["ts"], &edited["edited"]), (&json!(mine), &json!(true)));
    let theirs = ts(&desk, "sales", "wants the service plan").await;
    let error = desk.refused("update_message", json!({ "channel": "sales", "ts": theirs, "text": "x" })).await;
    assert_eq!(error.kind(), Kind::NotAllowed);
    assert!(error.to_string().contains("Only messages of the connected account"), "{error}");
}

#[tokio::test]
async fn a_message_waits_for_its_time() {
    let mut desk = open().await;
    let later = json!({ "channel": "sales", "text": "Slides, please", "post_at": "2026-11-23T10:00" });
    let waits = desk.ok("schedule_message", later).await;
    assert!(waits.text.starts_with("Scheduled for #sales [id C0"), "{}", waits.text);
    assert!(waits.text.contains("Mon 2026-11-23T10:00+01:00"), "{}", waits.text);
    assert_eq!(desk.last("chat.scheduleMessage").body.unwrap()["post_at"], 1_795_424_400);
    assert!(!history(&desk, "sales").await.text.contains("Slides"));
    desk.wait(3).await;
    assert!(history(&desk, "sales").await.text.contains("Slides, please"));
    let tokyo = json!({ "channel": "sales", "text": "x", "post_at": "2026-11-24T09:00", "time_zone": "Asia/Tokyo" });
    assert!(desk.ok("schedule_message", tokyo).await.text.contains("+09:00"));
    for (when, phrase) in
        [("2026-11-20T10:00", "in the past"), ("2027-11-20T10:00", "120 days"), ("2026-11-25", "needs a time")]
    {
        let error = desk.refused("schedule_message", json!({ "channel": "sales", "text": "x", "post_at": when })).await;
        assert!(error.to_string().contains(phrase), "{error}");
    }
}

#[tokio::test]
async fn an_emoji_is_given_once() {
    let desk = open().await;
    let ts = ts(&desk, "random", "Cake").await;
    let emoji = json!({ "channel": "random", "ts": ts, "emoji": ":heart:" });
    assert!(desk.ok("add_reaction", emoji.clone()).await.text.starts_with("Reacted in #random"));
    let again = desk.ok("add_reaction", emoji).await;
    assert!(again.text.ends_with("It was there before."), "{}", again.text);
    assert_eq!(message(&desk, "random", "Cake").await["reactions"], json!(["heart 3"]));
    let error = desk.refused("add_reaction", json!({ "channel": "random", "ts": ts, "emoji": "❤" })).await;
    assert!(error.to_string().contains("no emoji of this name"), "{error}");
}

#[tokio::test]
async fn a_channel_is_made_with_topic_and_people() {
    let desk = open().await;
    let wish = json!({ "name": "launch-2027", "private": true, "topic": "Plans", "invite": ["ana.ruiz@northwind.example", "@Mei Tanaka"] });
    let made = desk.ok("create_channel", wish).await;
    assert!(made.text.contains("Created #launch-2027 [id C0"), "{}", made.text);
    assert!(made.text.contains("Invited: ⟦Ana Ruiz⟧, ⟦Mei Tanaka⟧"), "{}", made.text);
    let channels = desk.ok("list_channels", json!({ "query": "launch", "which": "private" })).await;
    assert!(channels.text.contains("Plans") && channels.text.contains("3 members, private"), "{}", channels.text);
    let taken = desk.refused("create_channel", json!({ "name": "launch-2027" })).await;
    assert_eq!(taken.kind(), Kind::Conflict);
    let slip = desk.refused("create_channel", json!({ "name": "Launch 2027" })).await;
    assert!(slip.to_string().contains("write `launch-2027`"), "{slip}");
    let nobody = json!({ "name": "other", "invite": ["nobody@northwind.example"] });
    assert_eq!(desk.refused("create_channel", nobody).await.kind(), Kind::NotFound);
    assert_eq!(desk.count("conversations.create"), 2, "a slip in the people makes no channel");
}

#[tokio::test]
async fn those_who_are_in_a_channel_do_not_keep_others_out() {
    let desk = open().await;
    let people = json!(["ana.ruiz@northwind.example", "jonas.weber@northwind.example"]);
    let done = desk.ok("invite_to_channel", json!({ "channel": "sales", "users": people })).await;
    assert!(
        done.text.contains("Invited: ⟦Jonas Weber⟧") && done.text.contains("Already in it: ⟦Ana Ruiz⟧"),
        "{}",
        done.text
    );
    assert_eq!(desk.mails(), ["jonas.weber@northwind.example Added to #sales"]);
    let again =
        desk.ok("invite_to_channel", json!({ "channel": "sales", "users": ["jonas.weber@northwind.example"] })).await;
    assert_eq!(again.data["invited"], json!([]));
    let error = desk
        .refused("invite_to_channel", json!({ "channel": "sales", "users": ["lena.hartmann@northwind.example"] }))
        .await;
    assert_eq!(error.kind(), Kind::NotAllowed);
    let error =
        desk.refused("invite_to_channel", json!({ "channel": "mei.tanaka@northwind.example", "users": ["x"] })).await;
    assert!(error.to_string().contains("names a person"), "{error}");
}

#[tokio::test]
async fn a_text_becomes_a_file_and_the_credential_stays_at_home() {
    let desk = open().await;
    let file = json!({ "channel": "support", "filename": "report.md", "content": "# Tickets\nälles gut", "comment": "**Today**" });
    let done = desk.ok("upload_text_file", file).await;
    assert!(done.text.starts_with("Uploaded report.md (20 bytes) to #support [id C0"), "{}", done.text);
    assert_eq!(desk.last("files.completeUploadExternal").body.unwrap()["initial_comment"], "*Today*");
    assert_eq!(
        (desk.count("upload"), desk.last("upload").status),
        (1, 200),
        "the twin refuses uploads with a credential"
    );
    assert!(history(&desk, "support").await.text.contains("files: report.md"));
    for (name, content) in [("a/b.txt", "x"), ("", "x"), ("a.txt", "")] {
        let wrong = json!({ "channel": "support", "filename": name, "content": content });
        assert_eq!(desk.refused("upload_text_file", wrong).await.kind(), Kind::Arguments);
    }
}

#[tokio::test]
async fn a_token_without_the_right_to_look_can_still_send() {
    let mut desk = Desk::with_scopes(&VENDOR, &["chat:write"]).await;
    let full = open().await;
    let sales = full.ok("list_channels", json!({ "query": "sales" })).await.data["channels"][0]["id"].clone();
    let message = json!({ "channel": sales, "text": "Hi" });
    // Nobody can tell who reads that channel, so a person is asked.
    let error = desk.refused("send_message", message.clone()).await;
    assert_eq!(error.kind(), Kind::Ask);
    desk.say_yes(error.what());
    desk.ok("send_message", message).await;
    let error = desk.refused("send_message", json!({ "channel": "#sales", "text": "Hi" })).await;
    assert_eq!(error.kind(), Kind::MissingScope);
    assert_eq!(error.scopes(), ["channels:read"]);
}
