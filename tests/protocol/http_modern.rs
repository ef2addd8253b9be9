//! Streamable HTTP of 2026-07-28: every request speaks for itself.

use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::{
    fixtures::{call, modern, modern_with, request},
    wire::{Host, expect},
};

/// What is tried, the body, the headers, and the status and the code that must come of it.
type Row<'a> = (&'a str, String, Vec<(&'a str, &'a str)>, u16, i64);

/// Headers of a modern call of `name`.
fn headers<'a>(method: &'a str, name: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", method), ("Mcp-Name", name)]
}

#[tokio::test]
async fn a_modern_request_needs_no_session() {
    let host = Host::start().await;
    let mut found = host.modern(&modern(1, "server/discover", json!({}))).await;
    assert_eq!((found.status, found.header("content-type")), (200, Some("application/json")));
    assert!(found.header("mcp-session-id").is_none());
    assert_eq!(found.json().await["result"]["supportedVersions"][0], "2026-07-28");
    let mut said = host.modern(&modern(-7, "tools/call", call("echo", json!({"text": "hi"})))).await;
    let said = said.json().await;
    assert_eq!((&said["id"], &said["result"]["structuredContent"]["text"]), (&json!(-7), &json!("hi")));
}

#[tokio::test]
async fn a_modern_request_is_judged_in_the_order_of_the_specification() {
    let host = Host::start().await;
    let version = ("MCP-Protocol-Version", "2026-07-28");
    let unknown = ("MCP-Protocol-Version", "v999.0.0");
    let list = modern(3, "tools/list", json!({}));
    let hello = modern(3, "tools/call", json!({"name": "hello"}));
    let without = |key: &str| {
        let mut message: Value = serde_json::from_str(&list).unwrap();
        message["params"]["_meta"].as_object_mut().unwrap().shift_remove(key).unwrap();
        message.to_string()
    };
    let method = |name: &'static str| ("Mcp-Method", name);
    let rows: Vec<Row<'_>> = vec![
        ("no _meta", request(3, "server/discover", json!({})), vec![version, method("server/discover")], 400, -32602),
        ("no params", r#"{"jsonrpc":"2.0","id":3,"method":"server/discover"}"#.into(), vec![version], 400, -32602),
        ("no version in _meta", without("io.modelcontextprotocol/protocolVersion"), vec![version], 400, -32602),
        ("no capabilities in _meta", without("io.modelcontextprotocol/clientCapabilities"), vec![version], 400, -32602),
        ("missing _meta before an unknown version", request(3, "tools/list", json!({})), vec![unknown], 400, -32602),
        ("no version header", list.clone(), vec![method("tools/list")], 400, -32020),
        ("version header twice", list.clone(), vec![version, version, method("tools/list")], 400, -32020),
        (
            "header and _meta differ",
            list.replace("2026-07-28", "v999.0.0"),
            vec![version, method("tools/list")],
            400,
            -32020,
        ),
        ("the other way round", list.clone(), vec![unknown, method("tools/list")], 400, -32020),
        ("unknown version", list.replace("2026-07-28", "v999.0.0"), vec![unknown], 400, -32022),
        (
            "legacy version in _meta",
            list.replace("2026-07-28", "2025-11-25"),
            vec![("MCP-Protocol-Version", "2025-11-25")],
            400,
            -32022,
        ),
        ("no method header", list.clone(), vec![version], 400, -32020),
        ("wrong method header", list.clone(), vec![version, method("prompts/list")], 400, -32020),
        ("method in capitals", list.clone(), vec![version, method("TOOLS/LIST")], 400, -32020),
        ("no name header", hello.clone(), vec![version, method("tools/call")], 400, -32020),
        ("wrong name header", hello.clone(), headers("tools/call", "wrong_tool_name"), 400, -32020),
        ("spoilt name header", hello.clone(), headers("tools/call", "=?base64?aGVsbG8?="), 400, -32020),
        (
            "unknown method with a wrong header",
            modern(3, "unknown/method", json!({})),
            vec![version, method("ping")],
            400,
            -32020,
        ),
        (
            "unknown method",
            modern(3, "unknown/method", json!({})),
            vec![version, method("unknown/method")],
            404,
            -32601,
        ),
        ("initialize", modern(3, "initialize", json!({})), vec![version, method("initialize")], 404, -32601),
        ("ping", modern(3, "ping", json!({})), vec![version, method("ping")], 404, -32601),
        (
            "logging/setLevel",
            modern(3, "logging/setLevel", json!({})),
            vec![version, method("logging/setLevel")],
            404,
            -32601,
        ),
        (
            "resources/subscribe",
            modern(3, "resources/subscribe", json!({})),
            vec![version, method("resources/subscribe")],
            404,
            -32601,
        ),
        (
            "resources/unsubscribe",
            modern(3, "resources/unsubscribe", json!({})),
            vec![version, method("resources/unsubscribe")],
            404,
            -32601,
        ),
        (
            "prompts/list, which is not declared",
            modern(3, "prompts/list", json!({})),
            vec![version, method("prompts/list")],
            404,
            -32601,
        ),
        ("unknown tool", modern(3, "tools/call", json!({"name": "no"})), headers("tools/call", "no"), 200, -32602),
        (
            "spoilt progress token",
            modern(3, "tools/call", json!({"name": "hello", "_meta": {"progressToken": {}}})),
            headers("tools/call", "hello"),
            400,
            -32602,
        ),
    ];
    for (what, body, headers, status, code) in rows {
        let mut reply = host.post(body, &headers).await;
        let answer = expect(&mut reply, status, code, what).await;
        assert_eq!(answer["id"], 3, "{what}");
        if code == -32022 {
            assert_eq!(answer["error"]["data"]["supported"][0], "2026-07-28", "{what}");
        }
    }
}

#[tokio::test]
async fn headers_may_be_spelled_as_http_allows() {
    let host = Host::start().await;
    let body = modern(3, "tools/call", json!({"name": "hello"}));
    for headers in [
        vec![("mcp-protocol-version", "2026-07-28"), ("mcp-method", "tools/call"), ("mcp-name", "hello")],
        vec![("MCP-PROTOCOL-VERSION", "2026-07-28"), ("MCP-METHOD", "tools/call"), ("MCP-NAME", "hello")],
        vec![("MCP-Protocol-Version", "  2026-07-28  "), ("Mcp-Method", "tools/call"), ("Mcp-Name", "  hello  ")],
        vec![("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", "tools/call"), ("Mcp-Name", "=?base64?aGVsbG8=?=")],
        // Session ids mean nothing here, and are neither looked at nor answered.
        vec![
            ("MCP-Protocol-Version", "2026-07-28"),
            ("Mcp-Method", "tools/call"),
            ("Mcp-Name", "hello"),
            ("Mcp-Session-Id", "x"),
        ],
    ] {
        let mut reply = host.post(&body, &headers).await;
        assert_eq!(reply.json().await["result"]["content"][0]["text"], "hello", "{headers:?}");
        assert!(reply.header("mcp-session-id").is_none());
    }
}

#[tokio::test]
async fn an_argument_with_a_header_must_come_in_both() {
    let host = Host::start().await;
    for (value, header, is_taken) in [
        (json!("Hello"), Some("Hello"), true),
        (json!("Hello"), Some("=?base64?SGVsbG8=?="), true),
        (json!("Hello"), Some("=?base64?SGVsbG8?="), false),
        (json!("Hello"), Some("=?base64?SGVs!!!bG8=?="), false),
        (json!("SGVsbG8="), Some("SGVsbG8="), true),
        (json!("=?base64?SGVsbG8="), Some("=?base64?SGVsbG8="), true),
        (json!("Hello"), Some("hello"), false),
        (json!("Hello"), None, false),
        (json!(null), Some("Hello"), false),
        (json!(null), None, true),
    ] {
        let arguments = if value.is_null() { json!({}) } else { json!({"value": value}) };
        let mut headers = headers("tools/call", "headed");
        headers.extend(header.map(|header| ("Mcp-Param-Value", header)));
        headers.push(("Mcp-Param-Unknown", "is passed over"));
        let mut reply = host.post(modern(1, "tools/call", call("headed", arguments)), &headers).await;
        if is_taken {
            assert!(reply.json().await["result"]["content"].is_array(), "{value} {header:?}");
        } else {
            expect(&mut reply, 400, -32020, &format!("{value} {header:?}")).await;
        }
    }
}

#[tokio::test]
async fn progress_turns_the_answer_into_a_stream() {
    let host = Host::start().await;
    let mut params = call("count", json!({"to": 3}));
    params["_meta"] = json!({"progressToken": "p"});
    let mut reply = host.modern(&modern(1, "tools/call", params.clone())).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("text/event-stream")));
    assert_eq!(reply.header("x-accel-buffering"), Some("no"));
    for done in 1..=3 {
        let event = reply.event().await.unwrap();
        assert_eq!(event["params"], json!({"progressToken": "p", "progress": done, "total": 3, "message": "counting"}));
    }
    assert_eq!(reply.event().await.unwrap()["result"]["content"][0]["text"], "counted to 3");
    assert_eq!(reply.event().await, None);

    let mut headers = headers("tools/call", "count");
    headers.extend([("Content-Type", "application/json"), ("Accept", "application/json")]);
    let body = modern(1, "tools/call", params);
    let mut reply = host.send("POST", "/mcp", &headers, body.as_bytes()).await;
    assert_eq!(reply.header("content-type"), Some("application/json"), "a client without streams gets none");
    assert!(reply.json().await["result"].is_object());
}

#[tokio::test]
async fn a_modern_call_ends_with_its_connection() {
    let host = Host::start().await;
    let body = modern(1, "tools/call", call("slow", json!({"millis": 60_000})));
    let head = format!(
        "POST /mcp HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nAccept: text/event-stream\r\n\
         MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: slow\r\nContent-Length: {}\r\n\r\n",
        host.address,
        body.len()
    );
    let mut stream = TcpStream::connect(host.address).await.unwrap();
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    host.seen.begun(1).await;
    drop(stream);
    host.seen.dropped(1).await;
}

#[tokio::test]
async fn listeners_hear_of_changed_tools() {
    let host = Host::start().await;
    let listen = |wish: Value| modern(81, "subscriptions/listen", json!({"notifications": wish}));
    let mut wanted = host.modern(&listen(json!({"toolsListChanged": true}))).await;
    let mut unwanted = host.modern(&listen(json!({"promptsListChanged": true}))).await;
    for stream in [&mut wanted, &mut unwanted] {
        assert_eq!(stream.event().await.unwrap()["method"], "notifications/subscriptions/acknowledged");
    }
    host.hub.changed();
    let hint = wanted.event().await.unwrap();
    assert_eq!(hint["method"], "notifications/tools/list_changed");
    assert_eq!(hint["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], 81);
    host.server.close();
    for stream in [&mut wanted, &mut unwanted] {
        assert_eq!(stream.event().await.unwrap()["method"], "notifications/cancelled");
        let end = stream.event().await.unwrap();
        assert_eq!(end["result"]["resultType"], "complete");
        assert_eq!(end["result"]["_meta"]["io.modelcontextprotocol/subscriptionId"], 81);
        assert_eq!(stream.event().await, None);
    }
}

#[tokio::test]
async fn paths_and_headers_narrow_the_list() {
    let host = Host::start().await;
    let body = modern(1, "tools/list", json!({}));
    let list = async |path: &str, more: &[(&str, &str)]| {
        let usual = [
            ("Content-Type", "application/json"),
            ("MCP-Protocol-Version", "2026-07-28"),
            ("Mcp-Method", "tools/list"),
        ];
        let mut reply = host.send("POST", path, &[&usual, more].concat(), body.as_bytes()).await;
        let answer = reply.json().await;
        let tools = answer["result"]["tools"].as_array().cloned().unwrap_or_default();
        tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let all = list("/mcp", &[]).await;
    assert!(all.contains(&"erase".to_owned()) && all.len() > 5);
    let reading = list("/mcp/readonly", &[]).await;
    assert_eq!(reading.len(), all.len() - 1);
    assert!(!reading.contains(&"erase".to_owned()));
    assert_eq!(list("/mcp", &[("X-MCP-Readonly", "true")]).await, reading);
    assert_eq!(list("/mcp/readonly", &[("X-MCP-Readonly", "false")]).await, reading, "a header never widens");
    assert_eq!(list("/mcp", &[("X-MCP-Tools", "echo, hello")]).await, ["hello", "echo"]);
    assert_eq!(list("/mcp/readonly", &[("X-MCP-Tools", "erase")]).await, [""; 0]);
    assert_eq!(list("/mcp", &[("X-MCP-Tools", "echo,hello"), ("X-MCP-Exclude-Tools", "echo")]).await, ["hello"]);
    assert_eq!(list("/mcp/x/test", &[]).await, all);
    assert_eq!(host.post(&body, &[("X-MCP-Readonly", "perhaps")]).await.status, 400);
}

#[tokio::test]
async fn many_clients_never_get_each_others_answers() {
    let host = Host::start().await;
    let calls = (0..200).map(|number| {
        let host = &host;
        async move {
            let text = format!("number {number}");
            // All use the same id: in the modern era it belongs to the request alone.
            let mut reply = host.modern(&modern(1, "tools/call", call("echo", json!({"text": text})))).await;
            assert_eq!(reply.json().await["result"]["structuredContent"]["text"], text);
        }
    });
    futures_util::future::join_all(calls).await;
}

#[tokio::test]
async fn a_question_ends_a_modern_call_and_its_repeat_goes_on() {
    let host = Host::start().await;
    let form = r#"{"elicitation":{}}"#;
    let erase = || json!({"name": "erase"});
    let mut asked = host.modern(&modern_with(1, "tools/call", erase(), form)).await;
    let asked = asked.json().await["result"].clone();
    assert_eq!(asked["resultType"], "input_required");
    let question = &asked["inputRequests"]["confirm"];
    assert_eq!(question["method"], "elicitation/create");
    assert_eq!(question["params"]["message"], "Erase everything?");
    assert_eq!(question["params"]["requestedSchema"]["required"], json!(["approve"]));
    let state = asked["requestState"].as_str().unwrap();
    let repeat = async |responses: Value, state: &str| {
        let params = json!({"name": "erase", "inputResponses": responses, "requestState": state});
        host.modern(&modern_with(2, "tools/call", params, form)).await.json().await
    };
    let yes = json!({"confirm": {"action": "accept", "content": {"approve": true}}});
    let tampered = repeat(yes.clone(), &format!("{state}-TAMPERED")).await;
    assert_eq!(tampered["error"]["code"], -32602);
    for spoilt in [
        json!(null),
        json!(7),
        json!({"confirm": 7}),
        json!({"confirm": {"action": "accept"}}),
        json!({"confirm": {"action": "maybe"}}),
    ] {
        let answer = repeat(spoilt.clone(), state).await;
        assert_eq!(answer["error"]["code"], -32602, "{spoilt}: {answer}");
    }
    let again = repeat(json!({"wrong_key": {}}), state).await;
    assert_eq!(again["result"]["resultType"], "input_required", "{again}");
    let done = repeat(yes.clone(), state).await;
    assert_eq!(done["result"]["content"][0]["text"], "erased", "{done}");
    let replayed = repeat(yes, state).await;
    assert_ne!(replayed["result"]["content"][0]["text"], "erased", "{replayed}");
}

#[tokio::test]
async fn a_no_is_an_answer() {
    let host = Host::start().await;
    let form = r#"{"elicitation":{"form":{}}}"#;
    for no in [
        json!({"action": "decline"}),
        json!({"action": "cancel"}),
        json!({"action": "accept", "content": {"approve": false}}),
    ] {
        let mut asked = host.modern(&modern_with(1, "tools/call", json!({"name": "erase"}), form)).await;
        let state = asked.json().await["result"]["requestState"].clone();
        let params = json!({"name": "erase", "inputResponses": {"confirm": no}, "requestState": state});
        let answer = host.modern(&modern_with(2, "tools/call", params, form)).await.json().await;
        assert_eq!(answer["result"]["isError"], true, "{no}: {answer}");
    }
}

#[tokio::test]
async fn a_client_that_cannot_ask_is_told_where_a_person_may_approve() {
    let host = Host::start().await;
    for capabilities in ["{}", r#"{"sampling":{}}"#, r#"{"elicitation":{"url":{}}}"#] {
        let mut reply = host.modern(&modern_with(1, "tools/call", json!({"name": "erase"}), capabilities)).await;
        let result = reply.json().await["result"].clone();
        assert_eq!(result["isError"], true);
        let text = result["content"][0]["text"].as_str().unwrap();
        assert!(text.contains("Erase everything?") && text.contains("switchboard approvals approve "), "{text}");
    }
}
