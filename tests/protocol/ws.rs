//! A WebSocket that behaves as stdio does.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use jsonrpsee::{
    core::client::{ClientT, SubscriptionClientT},
    ws_client::WsClientBuilder,
};
use serde_json::{Value, json, value::RawValue};
use switchboard::transport::Options;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest, protocol::frame::coding::CloseCode},
};

use crate::{
    fixtures::{self, call, initialize, modern, modern_with, notification, request},
    wire::{Host, open},
};

/// A client on a socket.
pub struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    pub async fn connect(host: &Host) -> Client {
        let (socket, _) = connect_async(format!("ws://{}/ws", host.address)).await.unwrap();
        Client(socket)
    }

    pub async fn send(&mut self, message: impl Into<String>) {
        self.0.send(Message::text(message.into())).await.unwrap();
    }

    async fn next(&mut self) -> Option<Message> {
        timeout(Duration::from_secs(5), self.0.next()).await.expect("a message in time").and_then(Result::ok)
    }

    pub async fn receive(&mut self) -> Value {
        loop {
            // A slow machine may be asked for a sign of life meanwhile.
            if let Message::Text(text) = self.next().await.expect("the socket is open") {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }

    async fn ask(&mut self, message: impl Into<String>) -> Value {
        self.send(message).await;
        self.receive().await
    }

    async fn is_quiet(&mut self) {
        let answer = self.ask(r#"{"jsonrpc":"2.0","id":"quiet?","method":"ping"}"#).await;
        assert_eq!(answer["id"], "quiet?", "{answer}");
    }

    /// The code with which the server parts.
    async fn close_code(&mut self) -> Option<CloseCode> {
        loop {
            match self.next().await? {
                Message::Close(frame) => return frame.map(|frame| frame.code),
                other => assert!(!other.is_text(), "{other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn both_eras_are_spoken() {
    let host = Host::start().await;
    let mut client = Client::connect(&host).await;
    let list = client.ask(modern(-3, "tools/list", json!({}))).await;
    assert_eq!((&list["id"], &list["result"]["tools"][0]["name"]), (&json!(-3), &json!("hello")));
    let hello = client.ask(initialize(1, "2025-06-18", json!({}))).await;
    assert_eq!(hello["result"]["protocolVersion"], "2025-06-18");
    let said = client.ask(request("ä", "tools/call", call("echo", json!({"text": "a\nb"})))).await;
    assert_eq!((&said["id"], &said["result"]["structuredContent"]["text"]), (&json!("ä"), &json!("a\nb")));
}

#[tokio::test]
async fn malformed_messages_get_their_code_and_nothing_else() {
    let host = Host::start().await;
    let mut client = Client::connect(&host).await;
    for (message, code) in fixtures::malformed() {
        let Ok(text) = String::from_utf8(message) else {
            continue;
        };
        let answer = client.ask(text.clone()).await;
        assert_eq!(answer["error"]["code"], code, "{text:.80}: {answer}");
        assert!(answer.get("result").is_none() && answer.get("id") != Some(&Value::Null), "{text:.80}");
    }
    client.is_quiet().await;
}

#[tokio::test]
async fn calls_run_beside_each_other_and_can_be_cancelled() {
    let host = Host::start().await;
    let mut client = Client::connect(&host).await;
    client.send(modern(1, "tools/call", call("slow", json!({"millis": 60_000})))).await;
    host.seen.begun(1).await;
    assert_eq!(client.ask(modern(1, "tools/list", json!({}))).await["error"]["code"], -32600, "a running id");
    client.is_quiet().await;
    client.send(notification("notifications/cancelled", json!({"requestId": 1}))).await;
    host.seen.dropped(1).await;
    client.is_quiet().await;
}

#[tokio::test]
async fn calls_end_with_the_socket() {
    let host = Host::start().await;
    let mut client = Client::connect(&host).await;
    client.send(modern(1, "tools/call", call("slow", json!({"millis": 60_000})))).await;
    host.seen.begun(1).await;
    drop(client);
    host.seen.dropped(1).await;
}

#[tokio::test]
async fn a_client_is_asked_in_the_way_of_its_era() {
    let host = Host::start().await;
    let mut client = Client::connect(&host).await;
    let asked = client.ask(modern_with(1, "tools/call", json!({"name": "erase"}), r#"{"elicitation":{}}"#)).await;
    assert_eq!(asked["result"]["resultType"], "input_required");
    client.ask(initialize(2, "2025-06-18", json!({"elicitation": {}}))).await;
    let question = client.ask(request(3, "tools/call", json!({"name": "erase"}))).await;
    assert_eq!(question["method"], "elicitation/create");
    let no = json!({"jsonrpc": "2.0", "id": question["id"], "result": {"action": "decline"}});
    let refused = client.ask(no.to_string()).await;
    assert_eq!((&refused["id"], &refused["result"]["isError"]), (&json!(3), &json!(true)));
    let question = client.ask(request(4, "tools/call", json!({"name": "erase"}))).await;
    let yes =
        json!({"jsonrpc": "2.0", "id": question["id"], "result": {"action": "accept", "content": {"approve": true}}});
    assert_eq!(client.ask(yes.to_string()).await["result"]["content"][0]["text"], "erased");
    let question = client.ask(request(5, "tools/call", json!({"name": "erase"}))).await;
    let error = json!({"jsonrpc": "2.0", "id": question["id"], "error": {"code": -32601, "message": "no"}});
    let told = client.ask(error.to_string()).await;
    assert!(told["result"]["content"][0]["text"].as_str().unwrap().contains("switchboard approvals approve"), "{told}");
}

#[tokio::test]
async fn the_subprotocol_is_echoed_to_those_who_ask() {
    let host = Host::start().await;
    for (asked, echoed) in
        [(None, None), (Some("mcp"), Some("mcp")), (Some("soap, mcp"), Some("mcp")), (Some("soap"), None)]
    {
        let mut request = format!("ws://{}/ws", host.address).into_client_request().unwrap();
        if let Some(asked) = asked {
            request.headers_mut().insert("sec-websocket-protocol", asked.parse().unwrap());
        }
        // A client that asked and got nothing may refuse, so the answer is read by hand.
        let head = format!(
            "GET /ws HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{}\r\n",
            host.address,
            asked.map(|asked| format!("Sec-WebSocket-Protocol: {asked}\r\n")).unwrap_or_default()
        );
        let reply = host.raw(head).await;
        assert_eq!((reply.status, reply.header("sec-websocket-protocol")), (101, echoed), "{asked:?}");
    }
    let reply = host.send("GET", "/ws", &[], b"").await;
    assert_eq!((reply.status, reply.header("sec-websocket-version")), (426, Some("13")));
}

#[tokio::test]
async fn broken_rules_end_the_socket_with_their_code() {
    let host = Host::start_with(Options { largest_message: 10_000, ..open() }).await;
    let mut client = Client::connect(&host).await;
    client.0.send(Message::binary(b"{}".to_vec())).await.unwrap();
    assert_eq!(client.close_code().await, Some(CloseCode::Unsupported));

    let mut client = Client::connect(&host).await;
    client.send("x".repeat(20_000)).await;
    assert_eq!(client.close_code().await, Some(CloseCode::Size));

    // By hand: the client library would not send these.
    for (what, frame, code) in [
        ("bad UTF-8", &[0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28][..], 1007_u16),
        ("not masked", &[0x81, 0x02, b'{', b'}'], 1002),
        ("a reserved bit", &[0xc1, 0x82, 0, 0, 0, 0, b'{', b'}'], 1002),
        ("an unknown opcode", &[0x83, 0x82, 0, 0, 0, 0, b'{', b'}'], 1002),
        ("a huge length", &[0x81, 0xff, 0x3f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0], 1009),
        ("a split ping", &[0x09, 0x80, 0, 0, 0, 0], 1002),
    ] {
        assert_eq!(parted(&host, frame).await, Some(code), "{what}");
    }
    Client::connect(&host).await.is_quiet().await;
}

/// Sends one frame as it stands, and reads the code of the close frame that comes back.
async fn parted(host: &Host, frame: &[u8]) -> Option<u16> {
    let mut stream = TcpStream::connect(host.address).await.unwrap();
    let head = format!(
        "GET /ws HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        host.address
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut seen = Vec::new();
    while !seen.ends_with(b"\r\n\r\n") {
        seen.push(stream.read_u8().await.unwrap());
    }
    stream.write_all(frame).await.unwrap();
    let mut answer = Vec::new();
    let _ = timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await.expect("it ends in time");
    (answer.len() >= 4 && answer[0] == 0x88).then(|| u16::from_be_bytes([answer[2], answer[3]]))
}

#[tokio::test]
async fn a_flood_of_pings_is_survived() {
    let host = Host::start().await;
    let mut client = Client::connect(&host).await;
    for _ in 0..5000 {
        client.0.feed(Message::Ping(Vec::new().into())).await.unwrap();
    }
    client.send(modern(1, "tools/list", json!({}))).await;
    loop {
        if client.next().await.expect("the socket is open").is_text() {
            break;
        }
    }
}

#[tokio::test]
async fn the_server_says_goodbye() {
    let host = Host::start().await;
    let mut client = Client::connect(&host).await;
    client.is_quiet().await;
    host.server.close();
    assert_eq!(client.close_code().await, Some(CloseCode::Away));
}

#[tokio::test]
async fn the_client_of_jsonrpsee_can_use_it() {
    let host = Host::start().await;
    let client = WsClientBuilder::default().build(format!("ws://{}/ws", host.address)).await.unwrap();
    let params = |text: &str| {
        let message: Value = serde_json::from_str(text).unwrap();
        Params(message["params"].to_string())
    };
    let mut progress = client.subscribe_to_method::<Value>("notifications/progress").await.unwrap();
    let mut wish = call("count", json!({"to": 2}));
    wish["_meta"] = json!({"progressToken": 5});
    let result: Value = client.request("tools/call", params(&modern(0, "tools/call", wish))).await.unwrap();
    assert_eq!(result["content"][0]["text"], "counted to 2");
    assert_eq!(progress.next().await.unwrap().unwrap()["progress"], 1);
    let refused = client.request::<Value, _>("tools/call", params(&modern(0, "tools/call", json!({})))).await;
    assert!(refused.unwrap_err().to_string().contains("tools/call needs `name`"));
}

/// Parameters that are an object.
struct Params(String);

impl jsonrpsee::core::traits::ToRpcParams for Params {
    fn to_rpc_params(self) -> Result<Option<Box<RawValue>>, serde_json::Error> {
        RawValue::from_string(self.0).map(Some)
    }
}
