//! What we sign and clients carry for us: nothing but the very thing that we signed is taken back.

use std::{
    future::Future,
    sync::{Arc, OnceLock},
};

use serde_json::{Map, Value, json, value::RawValue};
use switchboard::{
    agents::Principal,
    clock::ManualClock,
    hub::{Answered, CallRequest, Caller, Error, Hub, Reply},
    id::{SeededEntropy, UserId},
    mcp::{
        Server,
        envelope::RequestId,
        era::{Meta, Version},
        exchange::Exchange,
        session::Sessions,
        wishes::Wishes,
    },
    secret::Secret,
    store::MemoryStore,
    tool::{Effect, Outcome, RuntimeTool, ToolDef, Toolset},
};

/// A `requestState`, and the ticket within it, count only as they were sealed.
///
/// The first byte says whether the rest is the state itself or what is changed in a good one.
pub fn state(data: &[u8]) {
    let scene = Scene::get();
    let state = forged(&scene.state, data);
    if state != scene.state {
        let answer = scene.repeat(&state);
        assert_eq!(answer["error"]["code"], -32602, "{state:?}: {answer}");
    }
    let ticket = forged(scene.ticket.expose(), data);
    if ticket != scene.ticket.expose() {
        let answered = Answered { ticket: Secret::new(ticket.clone()), approved: true };
        let request = CallRequest { answered: Some(answered), ..CallRequest::new("erase", Map::new()) };
        let reply = now(scene.hub.call(&Caller::local(), request));
        assert!(matches!(reply, Err(Error::BadTicket)), "{ticket:?}: {reply:?}");
    }
}

/// A session is found only under the id that it got, and only by the one who began it.
pub fn session(data: &[u8]) {
    let scene = Scene::get();
    let id = forged(&scene.session, data);
    let found = now(scene.sessions.find(&id, &Caller::local().principal));
    assert_eq!(found.is_some(), id == scene.session, "{id:?}");
    let stranger = Principal { user: UserId::new("bob"), ..Caller::local().principal };
    assert!(now(scene.sessions.find(&id, &stranger)).is_none(), "{id:?}");
}

/// A forgery: the bytes as they are, or a good text with some bytes changed or cut off.
fn forged(good: &str, data: &[u8]) -> String {
    let Some((&kind, rest)) = data.split_first() else {
        return String::new();
    };
    if kind % 2 == 0 {
        return String::from_utf8_lossy(rest).into_owned();
    }
    let mut bytes = good.as_bytes().to_vec();
    for change in rest.chunks_exact(3) {
        let at = usize::from(u16::from_be_bytes([change[0], change[1]])) % (bytes.len() + 1);
        match bytes.get_mut(at) {
            Some(byte) => *byte ^= change[2] & 0x7f,
            None => bytes.push(change[2]),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A server with one tool that asks, and something of each kind that it sealed.
struct Scene {
    hub: Hub,
    server: Server,
    sessions: Sessions,
    session: String,
    state: String,
    ticket: Secret,
}

impl Scene {
    fn get() -> &'static Scene {
        static SCENE: OnceLock<Scene> = OnceLock::new();
        SCENE.get_or_init(Scene::make)
    }

    fn make() -> Scene {
        let clock = ManualClock::at("2026-11-25T09:00:00Z".parse().expect("it is a moment"));
        let entropy = SeededEntropy::new(1);
        let toolset = Toolset { id: "test".into(), title: "Test".into() };
        let hub =
            Hub::builder(clock.clone(), entropy.clone()).tools(&toolset, [erase()]).expect("it is a tool").build();
        let key = Secret::new("key");
        let server = Server::builder().hub(hub.clone()).session_key(key.clone());
        let server = server.clock(clock.clone()).entropy(entropy.clone()).build();
        let sessions = Sessions::new(&key, clock, entropy, MemoryStore::new());
        let session = sessions.start(terms(Version::November2025), &Caller::local().principal).id;
        let ticket = match now(hub.call(&Caller::local(), CallRequest::new("erase", Map::new()))) {
            Ok(Reply::Ask(question)) => question.ticket,
            other => panic!("the tool asks: {other:?}"),
        };
        let mut scene = Scene { hub, server, sessions, session, state: String::new(), ticket };
        scene.state =
            scene.ask(&json!({"name": "erase"}))["result"]["requestState"].as_str().unwrap_or_default().into();
        assert!(!scene.state.is_empty(), "the first round gives a state");
        scene
    }

    /// The call once more, with a yes and this state.
    fn repeat(&self, state: &str) -> Value {
        let yes = json!({"confirm": {"action": "accept", "content": {"approve": true}}});
        self.ask(&json!({"name": "erase", "inputResponses": yes, "requestState": state}))
    }

    fn ask(&self, params: &Value) -> Value {
        let params = RawValue::from_string(params.to_string()).expect("it is JSON");
        let terms = terms(Version::July2026);
        let exchange = Exchange {
            caller: Caller::local(),
            terms,
            id: RequestId::text("1"),
            progress: None,
            outlet: None,
            closing: self.server.closing().clone(),
            headers: None,
            wishes: Arc::new(Wishes::from_level(None)),
            trace: None,
            permit: None,
        };
        let answer = now(self.server.answer("tools/call", Some(params), exchange));
        serde_json::from_str(&answer.text).expect("an answer is JSON")
    }
}

fn erase() -> ToolDef {
    let tool = RuntimeTool::new("Erases.", json!({"type": "object", "properties": {}}), |_, cx| {
        Box::pin(async move {
            cx.confirm("Erase everything?")?;
            Ok(Outcome::text("erased"))
        })
    });
    ToolDef::at_runtime("erase", Effect::Irreversible, tool)
}

/// What a client that can show forms agrees on.
fn terms(version: Version) -> switchboard::mcp::era::Terms {
    let params = json!({"_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}},
    }});
    let params = RawValue::from_string(params.to_string()).expect("it is JSON");
    let terms = Meta::of(Some(&params)).and_then(|meta| meta.terms()).expect("they are whole");
    switchboard::mcp::era::Terms { version, ..terms }
}

/// Runs something that needs no other thread.
fn now<T>(work: impl Future<Output = T>) -> T {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime starts");
    }
    RUNTIME.with(|runtime| runtime.block_on(work))
}
