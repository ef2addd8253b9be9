//! Mails that ask for more than any reader needs: they are shown as text with a note, and nobody else waits for it.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    client::Client,
    target::{MOST_GROWTH, OTHERS_WAIT, Target},
};

/// How many of them are read at the same time.
const MAILS: usize = 64;

/// What one of them says; each kind is just beyond one of our bounds.
fn mail(number: usize) -> Value {
    let formats = || (0..400).map(|size| format!("<p><font style=\"{size}\">")).collect::<Vec<_>>().concat();
    let (html, text) = match number % 4 {
        0 => (Some(format!("{}Greetings", "<div>".repeat(600))), None),
        1 => (Some(format!("{}Greetings", formats())), None),
        2 => (Some(format!("{}Greetings<br>{}", "<blockquote>".repeat(100), "a<br>".repeat(500))), None),
        _ => (None, Some(format!("Greetings\n\n{}no quote", ">\n> a\n".repeat(4_000)))),
    };
    json!({
        "from": "mallory@stranger.example", "to": ["{me}"], "subject": format!("Mail {number}"), "day": -1, "at": "09:00",
        "html": html, "text": text,
    })
}

/// Puts them into the mailbox of the sandbox.
fn deliver(target: &Target) {
    let seed = json!({"gmail": {"mails": (0..MAILS).map(mail).collect::<Vec<_>>()}});
    let path = target.home.path().join("hostile.json");
    std::fs::write(&path, seed.to_string()).unwrap();
    let reset = target.home.command(&["sandbox", "reset", "--seed", path.to_str().unwrap()]).output().unwrap();
    assert!(reset.status.success(), "{reset:?}");
}

/// The ids of the mails, all pages of them.
async fn found(client: &Client) -> Vec<String> {
    let (mut ids, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let mut asked = json!({"query": "from:mallory@stranger.example", "limit": 50});
        if !cursor.is_null() {
            asked["cursor"] = cursor;
        }
        let page = client.call("gmail_search_emails", asked).await["structuredContent"].clone();
        let emails = page["emails"].as_array().unwrap_or_else(|| panic!("{page}"));
        ids.extend(emails.iter().map(|email| email["id"].as_str().unwrap().to_owned()));
        cursor = page["next_cursor"].clone();
        if cursor.is_null() {
            return ids;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_beyond_the_bounds_are_read_as_text_while_others_are_served() {
    let target = Target::sandbox();
    deliver(&target);
    let client = Client::of(&target.server);
    let ids = found(&client).await;
    assert_eq!(ids.len(), MAILS);
    let before = target.memory();
    let pulse = target.pulse();
    let reads = ids.iter().map(|id| client.call("gmail_get_email", json!({"message_id": id})));
    let answers = join_all(reads).await;
    let worst = pulse.worst().await;
    let grown = target.peak_memory().saturating_sub(before);
    for answer in &answers {
        let text = answer["content"][0]["text"].as_str().unwrap();
        assert!(text.contains("Greetings"), "{answer}");
        let is_noted = text.contains("(Shown as text only: its HTML ");
        let number: usize =
            text.split_once("Mail ").unwrap().1.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap();
        assert_eq!(is_noted, number % 4 != 3, "{text}");
    }
    eprintln!("others waited for {worst:?} at most; {grown} bytes more");
    assert!(worst <= OTHERS_WAIT, "others waited for {worst:?}");
    assert!(grown <= MOST_GROWTH, "{grown} bytes more");
}
