//! Calls that are too long, too many or too deep: each is refused in a few words, others are served meanwhile, and
//! nothing is kept.

use futures_util::future::join_all;
use serde_json::{Map, Value, json};

use crate::{
    client::{Client, http},
    target::{MOST_GROWTH, OTHERS_WAIT, Target},
};

/// The longest answer to any of them, in bytes.
const LONGEST_ANSWER: usize = 16 * 1024;

/// How often each is sent, all at the same time.
const TIMES: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn calls_without_measure_are_refused_in_a_few_words_while_others_are_served() {
    let target = Target::sandbox();
    let client = Client::of(&target.server);
    let all = hostile();
    // The first of each kind opens what later ones use.
    for (method, params, _) in &all {
        client.answer(method, params.clone()).await;
    }
    let before = target.memory();
    let pulse = target.pulse();
    let calls = (0..TIMES).flat_map(|_| &all).map(|(method, params, why)| {
        let client = &client;
        async move { (*method, *why, client.answer(method, params.clone()).await) }
    });
    let answers = join_all(calls).await;
    let worst = pulse.worst().await;
    assert!(answers.len() >= 64, "{}", answers.len());
    for (method, why, answer) in answers {
        let text = answer.to_string();
        assert!(text.len() <= LONGEST_ANSWER, "{method}: {} bytes: {}", text.len(), &text[..400]);
        assert!(text.contains(why), "{method}: {why}: {text}");
        assert!(!answer["error"].is_null() || answer["result"]["isError"] == true, "{method}: {text}");
    }
    // Three times what they may, because these answers are long work for an unoptimised build.
    assert!(worst <= OTHERS_WAIT, "others waited {worst:?}");
    let grown = target.peak_memory().saturating_sub(before);
    assert!(grown <= MOST_GROWTH, "it grew by {} MiB", grown >> 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn rest_refuses_them_in_a_few_words_too() {
    let target = Target::sandbox();
    let tool = "/api/v1/tools/google_calendar_list_meetings/call";
    let long = "x".repeat(100_000);
    for (path, body) in [
        (tool.to_owned(), json!({ "arguments": { "time_zone": long } })),
        (tool.to_owned(), unknown(20_000)),
        (tool.to_owned(), json!({ "arguments": unknown(20_000) })),
        (format!("/api/v1/tools/{}/call", &long[..8_000]), json!({})),
        ("/api/v1/agents".to_owned(), json!({ "name": "a", "tools": names(5_000) })),
        ("/api/v1/agents".to_owned(), json!({ "name": "a", "integrations": names(5_000) })),
        ("/api/v1/agents".to_owned(), json!({ "name": long })),
        ("/api/v1/agents".to_owned(), json!({ long.as_str(): 1 })),
    ] {
        let answer = http().post(target.server.url(&path)).json(&body).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        let shown = &path[..path.len().min(60)];
        assert!(status.is_client_error(), "{shown}: {status}: {text}");
        assert!(text.len() <= LONGEST_ANSWER, "{shown}: {} bytes", text.len());
    }
}

/// A method, its parameters, and what the answer has to say.
type Hostile = (&'static str, Value, &'static str);

fn hostile() -> Vec<Hostile> {
    let call = |name: &str, arguments: Value| json!({ "name": name, "arguments": arguments });
    let nested = |open: &str, inside: &str, close: &str| format!("{}{inside}{}", open.repeat(60), close.repeat(60));
    let zone = |length: usize| json!({ "start": "2026-11-23T09:00", "end": "2026-11-23T17:00", "time_zone": "Z".repeat(length) });
    let to = |text: String| json!({ "channel": "#sales", "text": text });
    let content = |text: String| json!({ "page": "Launch plan: gripper G3", "content_markdown": text });
    let formula = |formula: String| json!({ "base": "Trade fair", "table": "Tasks", "formula": formula });
    vec![
        ("tools/call", call("google_calendar_check_availability", zone(1 << 20)), "time_zone"),
        ("tools/call", call("google_calendar_check_availability", zone(3_000)), "at most 64 bytes"),
        ("tools/call", call("google_calendar_list_meetings", unknown(20_000)), "20000 arguments"),
        ("tools/call", call("google_calendar_list_meetings", json!({ "x".repeat(200_000): 1 })), "no parameter here"),
        ("tools/call", call("slack_send_message", to("[".repeat(400_000))), "takes at most"),
        ("tools/call", call("slack_send_message", to("[".repeat(200_000))), "40,000 characters"),
        ("tools/call", call("slack_send_message", to("[a](https://a".repeat(3_200))), "40,000 characters"),
        ("tools/call", call("slack_send_message", json!({ "channel": "<".repeat(4_000), "text": "x" })), "no"),
        ("tools/call", call("notion_append_content", content(nested("> ", "a", ""))), "levels deep"),
        ("tools/call", call("notion_append_content", content("a\n\n".repeat(60_000))), "several calls"),
        ("tools/call", call("gmail_search_emails", json!({ "query": "a ".repeat(3_000) })), "at most 4096 bytes"),
        ("tools/call", call("airtable_get_records", formula(nested("(", "1", ")"))), "levels deep"),
        ("tools/call", call(&"x".repeat(20_000), json!({})), "no tool of that name"),
        ("prompts/get", json!({ "name": "x".repeat(20_000) }), "prompt"),
        ("resources/read", json!({ "uri": format!("x://{}", "x".repeat(20_000)) }), "no resource"),
        (
            "completion/complete",
            json!({ "ref": { "type": "ref/prompt", "name": "x" },
                "argument": { "name": "a", "value": "x".repeat(200_000) } }),
            "takes at most",
        ),
    ]
}

/// That many arguments that no tool has.
fn unknown(count: usize) -> Value {
    Value::Object((0..count).map(|at| (format!("argument_{at}"), json!(at))).collect::<Map<_, _>>())
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|at| format!("gmail_{at}")).collect()
}
