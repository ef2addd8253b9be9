//! Access tokens of an issuer outside, over `/mcp` and `/ws`.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use jiff::SignedDuration;
use serde_json::{Value, json};
use switchboard::{
    agents::{Agents, LOCAL, Scope},
    cli::door::Tokens,
    clock::{Clock, ManualClock},
    hub::Filters,
    id::{self, AgentId, SeededEntropy, UserId},
    issuer::{self, Issuer},
    store::MemoryStore,
    transport::{Access, Hosts, Options, ProtectedResource, listen},
};
use tokio::{io::AsyncWriteExt, net::TcpStream, time::timeout};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest},
};

use crate::{
    fixtures::{call, initialize, modern, request, until},
    issuer::{MockIssuer, TestKey, unsigned},
    wire::{Host, Reply},
};

const OWN: &str = "https://tools.example.com";
const CHALLENGE: &str =
    "Bearer resource_metadata=\"https://tools.example.com/.well-known/oauth-protected-resource/mcp\"";
const SCOPE: &str = "scope=\"tools:read tools:write\"";

/// A server that trusts an issuer.
struct Scene {
    host: Host,
    issuer: MockIssuer,
    key: TestKey,
    clock: Arc<ManualClock>,
    agents: Agents,
}

impl Scene {
    async fn open() -> Scene {
        Scene::open_with(true, Filters::default()).await
    }

    async fn open_with(provision: bool, filters: Filters) -> Scene {
        let (issuer, key) = (MockIssuer::start("/tenant").await, TestKey::p256("first"));
        issuer.publish(&[&key]);
        let clock = ManualClock::at("2026-11-23T09:00:00Z".parse().unwrap());
        let agents = Agents::new(MemoryStore::new(), clock.clone(), SeededEntropy::new(1));
        let scope = if filters.read_only { Scope::Read } else { Scope::Write };
        let resource = ProtectedResource::new(&OWN.parse().unwrap(), &issuer.name, scope);
        let options = issuer::Options { issuer: issuer.name.clone(), audiences: resource.audiences(), provision };
        let trusted = Issuer::new(options, agents.clone(), clock.clone(), id::os()).unwrap();
        let access = Access::Bearer(Arc::new(Tokens::new(agents.clone(), Some(trusted))));
        let hosts = Arc::new(Hosts::default());
        let resource_metadata = Some(resource.metadata_address());
        let options = Options { filters, resource_metadata, ..Options::new(access) };
        let host = Host::start_beside(options, listen::Limits::default(), resource.router(hosts)).await;
        Scene { host, issuer, key, clock, agents }
    }

    fn now(&self) -> i64 {
        self.clock.now().as_second()
    }

    /// The claims of a good token, with changes.
    fn claims(&self, changes: Value) -> Value {
        let mut claims = json!({
            "iss": self.issuer.name, "sub": "ann", "aud": "https://tools.example.com/mcp",
            "iat": self.now(), "exp": self.now() + 300, "scope": "tools:read tools:write",
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
    }

    fn token(&self, changes: Value) -> String {
        self.key.sign(&self.claims(changes))
    }

    async fn list(&self, token: &str) -> Reply {
        self.modern(token, "tools/list", json!({}), None).await
    }

    async fn call(&self, token: &str, tool: &str) -> Reply {
        self.modern(token, "tools/call", call(tool, json!({})), Some(tool)).await
    }

    async fn modern(&self, token: &str, method: &str, params: Value, name: Option<&str>) -> Reply {
        let authorization = format!("Bearer {token}");
        let mut headers = vec![("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", method)];
        headers.push(("Authorization", &authorization));
        headers.extend(name.map(|name| ("Mcp-Name", name)));
        self.host.post(modern(1, method, params), &headers).await
    }

    /// The status with which an upgrade to WebSocket is answered.
    async fn upgrade(&self, token: &str) -> u16 {
        let mut request = format!("ws://{}/ws", self.host.address).into_client_request().unwrap();
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        match connect_async(request).await {
            Ok((_, response)) => response.status().as_u16(),
            Err(Error::Http(response)) => response.status().as_u16(),
            Err(error) => panic!("{error}"),
        }
    }

    /// The answer to a token that must be refused is the same for every reason, on every way in.
    async fn is_refused(&self, why: &str, token: &str) {
        let mut reply = self.list(token).await;
        assert_eq!(reply.status, 401, "{why}");
        let challenge = format!("{CHALLENGE}, error=\"invalid_token\", {SCOPE}");
        assert_eq!(reply.header("www-authenticate"), Some(challenge.as_str()), "{why}");
        let body = r#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"a valid token is needed: send it as `Authorization: Bearer …`"}}"#;
        assert_eq!(reply.body().await, body, "{why}");
        assert_eq!(self.upgrade(token).await, 401, "{why}");
    }
}

fn names(list: &Value) -> Vec<&str> {
    list["result"]["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_good_token_opens_every_way_in() {
    let scene = Scene::open().await;
    let token = scene.token(json!({}));
    assert!(names(&scene.list(&token).await.json().await).contains(&"erase"));
    assert_eq!(scene.call(&token, "hello").await.json().await["result"]["content"][0]["text"], "hello");
    assert_eq!(scene.upgrade(&token).await, 101);
    let edwards = TestKey::ed25519("second");
    scene.issuer.publish(&[&scene.key, &edwards]);
    scene.clock.advance(SignedDuration::from_secs(31));
    assert_eq!(scene.list(&edwards.sign(&scene.claims(json!({})))).await.status, 200);
}

#[tokio::test]
async fn every_other_token_is_refused_and_learns_nothing() {
    let scene = Scene::open().await;
    let good = scene.token(json!({}));
    assert_eq!(scene.list(&good).await.status, 200, "only the change below is what is refused");
    let now = scene.now();
    let claims = scene.claims(json!({}));
    let none = json!({"alg": "none", "typ": "at+jwt"});
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (header, payload) = signed.split_once('.').unwrap();
    let more = scene.token(json!({"scope": "admin"}));
    let more = more.split('.').nth(1).unwrap();
    for (why, token) in [
        ("a character more", format!("{good}A")),
        ("a character less", good[..good.len() - 1].to_owned()),
        ("another issuer", scene.token(json!({"iss": "https://evil.example.com"}))),
        ("nearly the issuer", scene.token(json!({"iss": format!("{}/", scene.issuer.name)}))),
        ("another audience", scene.token(json!({"aud": "https://other.example.com/mcp"}))),
        ("no audience", scene.token(json!({"aud": null}))),
        ("expired", scene.token(json!({"exp": now - 60}))),
        ("never expires", scene.token(json!({"exp": null}))),
        ("not yet valid", scene.token(json!({"nbf": now + 61}))),
        ("nobody's", scene.token(json!({"sub": ""}))),
        ("alg none", format!("{}.", unsigned(&none, &claims))),
        ("alg none with a signature", format!("{}.{signature}", unsigned(&none, &claims))),
        ("HS256 with the public key", scene.key.confuse(&claims)),
        ("another key of that name", TestKey::p256("first").sign(&claims)),
        ("an unknown key", TestKey::p256("unknown").sign(&claims)),
        ("a key that it brings along", {
            let own = TestKey::p256("own");
            own.sign_headed(&json!({"alg": "ES256", "kid": "first", "jwk": own.public()}), &claims)
        }),
        ("claims of another token", format!("{header}.{more}.{signature}")),
        ("no signature", format!("{header}.{payload}.")),
        (
            "an identity token",
            scene.key.sign_headed(&json!({"alg": "ES256", "kid": "first", "typ": "secevent+jwt"}), &claims),
        ),
        ("too large", scene.token(json!({"groups": "g".repeat(16 << 10)}))),
        ("no token at all", "nonsense".to_owned()),
        ("one of ours that is unknown", format!("swb_{}", "A".repeat(43))),
    ] {
        scene.is_refused(why, &token).await;
    }
    assert_eq!(scene.agents.users().await.unwrap().len(), 1, "nobody was made of a bad token");
}

#[tokio::test]
async fn without_a_token_a_client_learns_where_to_get_one() {
    let scene = Scene::open().await;
    let reply = scene.host.post(modern(1, "tools/list", json!({})), &[]).await;
    let challenge = format!("{CHALLENGE}, {SCOPE}");
    assert_eq!((reply.status, reply.header("www-authenticate")), (401, Some(challenge.as_str())));
    let query = format!("/mcp?access_token={}", scene.token(json!({})));
    let reply = scene.host.send("POST", &query, &[("Content-Type", "application/json")], b"{}").await;
    assert_eq!((reply.status, reply.header("www-authenticate")), (401, Some(challenge.as_str())), "not in the query");
    let query = format!("/ws?access_token={}", scene.token(json!({})));
    assert_eq!(scene.host.send("GET", &query, &[], b"").await.status, 401);
    assert_eq!(scene.issuer.times_asked(), 0);
}

#[tokio::test]
async fn the_descriptions_say_who_issues_tokens() {
    let scene = Scene::open().await;
    for (path, resource) in [("/mcp", "https://tools.example.com/mcp"), ("", "https://tools.example.com")] {
        let path = format!("/.well-known/oauth-protected-resource{path}");
        let mut reply = scene.host.send("GET", &path, &[], b"").await;
        assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")));
        let issuer = &scene.issuer.name;
        let expected = format!(
            r#"{{"resource":"{resource}","authorization_servers":["{issuer}"],"scopes_supported":["tools:read","tools:write"],"bearer_methods_supported":["header"]}}"#
        );
        assert_eq!(reply.body().await, expected);
        let foreign = scene.host.send("GET", &path, &[("Origin", "https://evil.example.com")], b"").await;
        assert_eq!(foreign.status, 403);
        assert_eq!(scene.host.send("POST", &path, &[], b"").await.status, 405);
    }
    let elsewhere = scene.host.send("GET", "/.well-known/oauth-protected-resource/ws", &[], b"").await;
    assert_eq!(elsewhere.status, 404);
}

#[tokio::test]
async fn a_server_that_only_reads_asks_for_no_more() {
    let scene = Scene::open_with(true, Filters { read_only: true, ..Filters::default() }).await;
    let reply = scene.host.post(modern(1, "tools/list", json!({})), &[]).await;
    assert_eq!(reply.header("www-authenticate"), Some(format!("{CHALLENGE}, scope=\"tools:read\"").as_str()));
    // No scope would help here, so none is asked for.
    assert_eq!(scene.call(&scene.token(json!({"scope": "tools:read"})), "erase").await.status, 200);
}

#[tokio::test]
async fn a_token_to_read_sees_what_reads_and_is_told_what_it_lacks() {
    let scene = Scene::open().await;
    let reader = scene.token(json!({"scope": "openid tools:read"}));
    let list = scene.list(&reader).await.json().await;
    assert!(names(&list).contains(&"hello") && !names(&list).contains(&"erase"), "{list}");
    assert_eq!(scene.call(&reader, "hello").await.status, 200);
    let step_up = format!("{CHALLENGE}, error=\"insufficient_scope\", {SCOPE}");

    let mut refused = scene.call(&reader, "erase").await;
    assert_eq!((refused.status, refused.header("www-authenticate")), (403, Some(step_up.as_str())));
    assert_eq!(refused.json().await["id"], 1);
    let unknown = scene.call(&reader, "no_such_tool").await;
    assert_eq!((unknown.status, unknown.header("www-authenticate")), (200, None), "no scope would help");

    let authorization = format!("Bearer {reader}");
    let bearer = ("Authorization", authorization.as_str());
    let started = scene.host.post(initialize(0, "2025-11-25", json!({})), &[bearer]).await;
    let session = ("Mcp-Session-Id", started.header("mcp-session-id").unwrap());
    let legacy = request(2, "tools/call", call("erase", json!({})));
    let refused = scene.host.post(legacy, &[bearer, session]).await;
    assert_eq!((refused.status, refused.header("www-authenticate")), (403, Some(step_up.as_str())));
    assert_eq!(scene.call(&scene.token(json!({})), "erase").await.status, 200);
}

#[tokio::test]
async fn a_token_without_our_scopes_is_told_the_least() {
    let scene = Scene::open().await;
    for scope in [json!(null), json!("openid profile"), json!("tools:readx")] {
        let token = scene.token(json!({"scope": scope}));
        let reply = scene.list(&token).await;
        let challenge = format!("{CHALLENGE}, error=\"insufficient_scope\", scope=\"tools:read\"");
        assert_eq!((reply.status, reply.header("www-authenticate")), (403, Some(challenge.as_str())), "{scope}");
        assert_eq!(scene.upgrade(&token).await, 403);
    }
}

#[tokio::test]
async fn a_new_key_is_found_and_strangers_cannot_make_us_ask_for_ever() {
    let scene = Scene::open().await;
    assert_eq!(scene.list(&scene.token(json!({}))).await.status, 200);
    let next = TestKey::p256("next");
    scene.issuer.publish(&[&next]);
    let token = next.sign(&scene.claims(json!({})));
    for _ in 0..5 {
        scene.is_refused("asked a moment ago", &token).await;
    }
    assert_eq!(scene.issuer.times_asked(), 1);
    scene.clock.advance(SignedDuration::from_secs(30));
    assert_eq!(scene.list(&token).await.status, 200);
    scene.is_refused("its key was taken back", &scene.token(json!({}))).await;
    assert_eq!(scene.issuer.times_asked(), 2);
}

#[tokio::test]
async fn who_asks_and_leaves_does_not_keep_the_keys_from_others() {
    let scene = Scene::open().await;
    scene.issuer.say(|said| said.thinks = Duration::from_millis(50));
    let nonsense = TestKey::p256("unknown").sign(&scene.claims(json!({})));
    let mut hurried = TcpStream::connect(scene.host.address).await.unwrap();
    let head = format!(
        "POST /mcp HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {nonsense}\r\nContent-Length: 0\r\n\r\n",
        scene.host.address
    );
    hurried.write_all(head.as_bytes()).await.unwrap();
    until(|| scene.issuer.say(|said| !said.asked.is_empty())).await;
    drop(hurried);
    assert_eq!(scene.list(&scene.token(json!({}))).await.status, 200);
    assert_eq!(scene.issuer.times_asked(), 1);
}

#[tokio::test]
async fn keys_outlive_a_silent_issuer_for_a_day() {
    let scene = Scene::open().await;
    assert_eq!(scene.list(&scene.token(json!({}))).await.status, 200);
    scene.issuer.say(|said| said.is_down = true);
    scene.clock.advance(SignedDuration::from_hours(23));
    assert_eq!(scene.list(&scene.token(json!({}))).await.status, 200);
    scene.clock.advance(SignedDuration::from_hours(1));
    let reply = scene.list(&scene.token(json!({}))).await;
    assert_eq!((reply.status, reply.header("www-authenticate")), (503, None), "it may well be good");
    scene.issuer.say(|said| said.is_down = false);
    scene.clock.advance(SignedDuration::from_secs(30));
    assert_eq!(scene.list(&scene.token(json!({}))).await.status, 200);
}

#[tokio::test]
async fn a_description_of_another_issuer_is_not_believed() {
    let scene = Scene::open().await;
    scene.issuer.say(|said| said.issuer = "https://evil.example.com".into());
    assert_eq!(scene.list(&scene.token(json!({}))).await.status, 503);
    assert_eq!(scene.issuer.times_asked(), 0);
}

#[tokio::test]
async fn people_are_made_at_first_sight_only_where_that_is_wanted() {
    let open = Scene::open().await;
    for _ in 0..2 {
        assert_eq!(open.list(&open.token(json!({"name": "Ann"}))).await.status, 200);
    }
    assert_eq!(open.list(&open.token(json!({"sub": "bob", "scope": "admin"}))).await.status, 200);
    let users = open.agents.users().await.unwrap();
    assert_eq!(
        users.iter().map(|user| (user.name.as_str(), user.admin)).collect::<Vec<_>>(),
        [("Ann", false), ("bob", false)]
    );

    let closed = Scene::open_with(false, Filters::default()).await;
    let reply = closed.list(&closed.token(json!({}))).await;
    assert_eq!((reply.status, reply.header("www-authenticate")), (403, Some(CHALLENGE)));
    assert_eq!(closed.upgrade(&closed.token(json!({}))).await, 403);
    assert!(closed.agents.users().await.unwrap().is_empty());
}

#[tokio::test]
async fn our_own_tokens_go_on_to_count() {
    let scene = Scene::open().await;
    let (user, agent) = (UserId::new(LOCAL), AgentId::new(LOCAL));
    let (_, own) = scene.agents.create_token(&user, &agent, "laptop", None).await.unwrap();
    assert_eq!(scene.call(own.expose(), "erase").await.status, 200);
    assert_eq!(scene.upgrade(own.expose()).await, 101);
    assert_eq!(scene.issuer.times_asked(), 0, "no token of ours is a reason to ask anybody");
}

#[tokio::test]
async fn a_session_belongs_to_the_person_who_began_it() {
    let scene = Scene::open().await;
    let bearer = |sub: &str| format!("Bearer {}", scene.token(json!({"sub": sub})));
    let (ann, bob) = (bearer("ann"), bearer("bob"));
    let started = scene.host.post(initialize(0, "2025-11-25", json!({})), &[("Authorization", &ann)]).await;
    let session = ("Mcp-Session-Id", started.header("mcp-session-id").unwrap());
    let ping = request(1, "ping", json!({}));
    assert_eq!(scene.host.post(&ping, &[session, ("Authorization", &bob)]).await.status, 404);
    assert_eq!(scene.host.post(&ping, &[session, ("Authorization", &ann)]).await.status, 200);
}

#[tokio::test]
async fn a_listener_ends_with_its_token() {
    let scene = Scene::open().await;
    let exp = scene.clock.now().as_duration().as_secs_f64() - 59.8;
    let token = scene.token(json!({"exp": exp}));
    let wish = json!({"notifications": {"toolsListChanged": true}});
    let mut stream = scene.modern(&token, "subscriptions/listen", wish, None).await;
    assert_eq!(stream.event().await.unwrap()["method"], "notifications/subscriptions/acknowledged");
    assert_eq!(stream.event().await.unwrap()["method"], "notifications/cancelled");
    assert_eq!(stream.event().await.unwrap()["result"]["resultType"], "complete");
    assert!(stream.event().await.is_none());
}

#[tokio::test]
async fn a_socket_ends_with_its_token() {
    let scene = Scene::open().await;
    let mut upgrade = format!("ws://{}/ws", scene.host.address).into_client_request().unwrap();
    // With the minute for clocks that differ, it counts for another fifth of a second.
    let exp = scene.clock.now().as_duration().as_secs_f64() - 59.8;
    let token = scene.token(json!({"exp": exp}));
    upgrade.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    let (mut socket, _) = connect_async(upgrade).await.unwrap();
    let last = timeout(Duration::from_secs(5), socket.next()).await.unwrap();
    let Some(Ok(Message::Close(Some(frame)))) = last else { panic!("{last:?}") };
    assert_eq!((u16::from(frame.code), frame.reason.as_str()), (1008, "the token has run out"));
}
