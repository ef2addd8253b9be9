//! The relay between streams that the test holds both ends of.

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, DuplexStream, duplex};

use super::{
    memory::{MOST_OPEN, REPLAY},
    *,
};
use crate::mcp::envelope::RequestId;

/// One end of a conversation.
struct End(BufReader<DuplexStream>);

impl End {
    async fn says(&mut self, message: &Value) {
        self.0.write_all(format!("{message}\n").as_bytes()).await.unwrap();
    }

    async fn hears(&mut self) -> Value {
        let mut line = String::new();
        self.0.read_line(&mut line).await.unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in {line:?}"))
    }
}

fn pair() -> (End, DuplexStream) {
    let (ours, theirs) = duplex(1 << 16);
    (End(BufReader::new(ours)), theirs)
}

/// A client, and the relay that serves it.
fn client() -> (End, Relay<tokio::io::WriteHalf<DuplexStream>>) {
    let (client, stream) = pair();
    let (input, output) = split(stream);
    (client, Relay::new(input, output))
}

fn request(id: impl Into<Value>, method: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id.into(), "method": method})
}

fn answer(id: impl Into<Value>) -> Value {
    json!({"jsonrpc": "2.0", "id": id.into(), "result": {}})
}

/// What the client and an owner do while the relay is between them.
async fn between<W: AsyncWrite + Unpin>(relay: &mut Relay<W>, scene: impl AsyncFnOnce(End)) -> Ended {
    let (owner, stream) = pair();
    let stays = CancellationToken::new();
    let (ended, ()) = tokio::join!(relay.through(stream, &stays), scene(owner));
    ended.unwrap()
}

#[tokio::test]
async fn lines_pass_both_ways_until_the_client_leaves() {
    let (mut client, mut relay) = client();
    let ended = between(&mut relay, async |mut owner| {
        client.says(&request(1, "tools/list")).await;
        assert_eq!(owner.hears().await, request(1, "tools/list"));
        owner.says(&answer(1)).await;
        assert_eq!(client.hears().await, answer(1));
        client.says(&request(2, "ping")).await;
        client.0.shutdown().await.unwrap();
        owner.hears().await;
        owner.says(&answer(2)).await;
        drop(owner);
        assert_eq!(client.hears().await, answer(2), "the last answer comes after the last word");
    });
    assert_eq!(ended.await, Ended::Client);
}

#[tokio::test]
async fn what_an_owner_leaves_open_is_answered_once_and_not_repeated() {
    let (mut client, mut relay) = client();
    let ended = between(&mut relay, async |mut owner| {
        for id in ["a", "b", "c"] {
            client.says(&request(id, "tools/call")).await;
            owner.hears().await;
        }
        owner.says(&answer("a")).await;
        client.hears().await;
        let cancelled = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "b"}});
        client.says(&cancelled).await;
        owner.hears().await;
        owner.0.write_all(br#"{"jsonrpc":"2.0","id":"c","res"#).await.unwrap();
    });
    assert_eq!(ended.await, Ended::Owner);
    let lost = client.hears().await;
    assert_eq!((&lost["id"], &lost["error"]["code"]), (&json!("c"), &json!(-32603)), "{lost}");
    assert!(lost["error"]["message"].as_str().unwrap().contains("look before you repeat"), "{lost}");

    let ended = between(&mut relay, async |mut owner| {
        client.says(&request("d", "ping")).await;
        assert_eq!(owner.hears().await, request("d", "ping"), "the next owner hears nothing of what was lost");
        owner.says(&answer("d")).await;
        assert_eq!(client.hears().await, answer("d"));
    });
    assert_eq!(ended.await, Ended::Owner);
}

#[tokio::test]
async fn a_handshake_is_repeated_and_its_second_answer_kept_back() {
    let (mut client, mut relay) = client();
    let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let first = between(&mut relay, async |mut owner| {
        client.says(&request(0, "initialize")).await;
        owner.hears().await;
        owner.says(&answer(0)).await;
        client.hears().await;
        client.says(&initialized).await;
        owner.hears().await;
    });
    first.await;
    // The second owner dies before it answers; the third one hears everything again.
    for dies_early in [true, false] {
        let next = between(&mut relay, async |mut owner| {
            assert_eq!(owner.hears().await, request(REPLAY, "initialize"));
            assert_eq!(owner.hears().await, initialized);
            if !dies_early {
                owner.says(&answer(REPLAY)).await;
                client.says(&request(1, "tools/list")).await;
                owner.hears().await;
                owner.says(&answer(1)).await;
                assert_eq!(client.hears().await, answer(1), "nothing else came first");
            }
        });
        assert_eq!(next.await, Ended::Owner);
    }
}

#[tokio::test]
async fn a_handshake_without_an_answer_gets_it_from_the_next_owner() {
    let (mut client, mut relay) = client();
    between(&mut relay, async |mut owner| {
        client.says(&request(0, "initialize")).await;
        owner.hears().await;
    })
    .await;
    between(&mut relay, async |mut owner| {
        assert_eq!(owner.hears().await, request(0, "initialize"));
        owner.says(&answer(0)).await;
        assert_eq!(client.hears().await, answer(0));
    })
    .await;
}

#[tokio::test]
async fn an_owner_that_speaks_before_it_listens_does_not_stop_the_relay() {
    let (client, mut relay) = client();
    let (listens, mut speaks) = split(client.0);
    let mut listens = BufReader::new(listens).lines();
    // More than all buffers in both directions hold.
    let (long, many) = ("x".repeat(40_000), 10);
    let ended = between(&mut relay, async |mut owner| {
        let owner = async {
            for _ in 0..many {
                owner.says(&json!({"jsonrpc": "2.0", "method": long})).await;
            }
            for id in 0..many {
                assert_eq!(owner.hears().await["id"], id);
            }
        };
        let speaks = async {
            for id in 0..many {
                speaks.write_all(format!("{}\n", request(id, &long)).as_bytes()).await.unwrap();
            }
        };
        let listens = async {
            for _ in 0..many {
                assert!(listens.next_line().await.unwrap().unwrap().contains(&long));
            }
        };
        tokio::join!(owner, speaks, listens);
    });
    assert_eq!(ended.await, Ended::Owner);
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut memory = Memory::default();
    for id in 0..MOST_OPEN {
        memory.note(request(id, "ping").to_string().as_bytes()).unwrap();
    }
    let one_more = memory.note(request("more", "ping").to_string().as_bytes());
    assert_eq!(one_more.unwrap_err(), RequestId::text("more"));
    assert!(memory.settle(answer(7).to_string().as_bytes(), false));
    memory.note(request("more", "ping").to_string().as_bytes()).unwrap();
    assert_eq!(memory.lost().len(), MOST_OPEN);
    assert!(memory.lost().is_empty());
}

#[test]
fn what_is_no_request_leaves_nothing_open() {
    let mut memory = Memory::default();
    for line in
        ["", "{", "[]", r#"{"id":1,"result":{}}"#, r#"{"method":"notifications/x"}"#, r#"{"id":{},"method":"x"}"#]
    {
        memory.note(line.as_bytes()).unwrap();
    }
    assert!(memory.lost().is_empty() && memory.handshake().is_empty());
}

#[tokio::test]
async fn an_owner_that_leaves_answers_first_and_the_client_does_not_notice() {
    let (mut client, mut relay) = client();
    let listen = request("news", "subscriptions/listen");
    let acknowledged = json!({"jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged"});
    let ended = between(&mut relay, async |mut owner| {
        client.says(&listen).await;
        assert_eq!(owner.hears().await, listen);
        owner.says(&acknowledged).await;
        assert_eq!(client.hears().await, acknowledged);
        client.says(&request(1, "tools/call")).await;
        owner.hears().await;
        owner.says(&serde_json::from_str(LEAVING).unwrap()).await;
        // The relay hears it before this answer.
        owner.says(&json!({"jsonrpc": "2.0", "method": "notifications/progress"})).await;
        assert_eq!(client.hears().await["method"], "notifications/progress");
        client.says(&request(2, "tools/call")).await;
        owner.says(&answer(1)).await;
        assert_eq!(client.hears().await, answer(1));
        let mut rest = String::new();
        assert_eq!(owner.0.read_line(&mut rest).await.unwrap(), 0, "a new request came: {rest}");
        let cancelled = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "news"}});
        owner.says(&cancelled).await;
        owner.says(&answer("news")).await;
    });
    assert_eq!(ended.await, Ended::Owner);
    between(&mut relay, async |mut owner| {
        assert_eq!(owner.hears().await, listen, "the subscription goes on");
        owner.says(&acknowledged).await;
        assert_eq!(owner.hears().await, request(2, "tools/call"));
        owner.says(&answer(2)).await;
        assert_eq!(client.hears().await, answer(2), "nothing else came first");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_owner_that_leaves_is_not_waited_for_for_ever() {
    let (mut client, mut relay) = client();
    let ended = between(&mut relay, async |mut owner| {
        client.says(&request(1, "tools/call")).await;
        owner.hears().await;
        owner.says(&serde_json::from_str(LEAVING).unwrap()).await;
        let mut rest = String::new();
        assert_eq!(owner.0.read_line(&mut rest).await.unwrap(), 0, "{rest}");
    });
    assert_eq!(ended.await, Ended::Owner);
    assert_eq!(client.hears().await["error"]["code"], -32603, "a call without an end is told so");
}
