//! What the door promises, with tools made for the purpose.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use serde_json::json;

use super::*;
use crate::{
    agents::{Agents, Integrations, Level, NewAgent, Role},
    approvals::{Approvals, Decision},
    clock,
    id::{self, AgentId, UserId},
    store::MemoryStore,
    tool::{Call, Effect, Kind, Running, RuntimeTool, State},
};

/// How often each tool really did something.
#[derive(Clone, Default)]
struct Done(Arc<AtomicU32>);

impl Done {
    fn count(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}

fn tool(name: &str, effect: Effect, handler: for<'a> fn(Map<String, Value>, &'a Call) -> Running<'a>) -> ToolDef {
    let input =
        json!({ "type": "object", "properties": { "id": { "type": "string" } }, "additionalProperties": false });
    let tool = RuntimeTool {
        title: None,
        description: format!("Does {name}."),
        input,
        output: None,
        meta: None,
        icons: Vec::new(),
        handler: Box::new(handler),
    };
    ToolDef::at_runtime(name, effect, tool)
}

fn look(_: Map<String, Value>, _: &Call) -> Running<'_> {
    Box::pin(async { Ok(Outcome::text("looked")) })
}

fn erase(arguments: Map<String, Value>, cx: &Call) -> Running<'_> {
    Box::pin(async move {
        let id = arguments.get("id").and_then(Value::as_str).unwrap_or("everything").to_owned();
        cx.confirm(format!("Erase {id}?"))?;
        cx.state::<Done>()?.0.fetch_add(1, Ordering::SeqCst);
        Ok(Outcome::text(format!("erased {id}")))
    })
}

fn slow_write(_: Map<String, Value>, cx: &Call) -> Running<'_> {
    Box::pin(async move {
        tokio::time::sleep(Duration::from_secs(2)).await;
        cx.state::<Done>()?.0.fetch_add(1, Ordering::SeqCst);
        Ok(Outcome::text("written"))
    })
}

fn never(_: Map<String, Value>, _: &Call) -> Running<'_> {
    Box::pin(std::future::pending())
}

struct Fixture {
    hub: Hub,
    desk: Desk,
    agents: Agents,
    done: Done,
}

fn fixture() -> Fixture {
    let (clock, entropy) = (clock::system(), id::os());
    let store = MemoryStore::new();
    let agents = Agents::new(store.clone(), clock.clone(), entropy.clone());
    let desk = Desk {
        accounts: None,
        agents: Some(agents.clone()),
        audit: None,
        approvals: Approvals::new(store, clock.clone(), entropy.clone()),
        key: TicketKey::fresh(&*entropy),
        pace: Pace::default(),
    };
    let done = Done::default();
    let tools = [
        tool("box_look", Effect::Reads, look),
        tool("box_erase", Effect::Irreversible, erase),
        tool("box_write", Effect::Adds, slow_write),
        tool("box_never", Effect::Reads, never),
    ];
    let toolset = Toolset { id: "box".into(), title: "Box".into() };
    let hub = Hub::builder(clock, entropy)
        .tools(&toolset, tools)
        .unwrap()
        .state(done.clone())
        .desk(Deferred::ready(desk.clone()))
        .build();
    Fixture { hub, desk, agents, done }
}

fn caller() -> Caller {
    let principal = Principal { role: Role::Administrator, ..Principal::local() };
    Caller { client: "test".into(), ..Caller::new(principal) }
}

fn request(tool: &str, id: &str) -> CallRequest {
    let arguments = json!({ "id": id }).as_object().cloned().unwrap();
    CallRequest::new(tool, arguments)
}

fn answered(question: &Question, approved: bool, tool: &str, id: &str) -> CallRequest {
    let answered = Answered { ticket: question.ticket.clone(), approved };
    CallRequest { answered: Some(answered), ..request(tool, id) }
}

async fn asked(fixture: &Fixture, id: &str) -> Question {
    match fixture.hub.call(&caller(), request("box_erase", id)).await.unwrap() {
        Reply::Ask(question) => question,
        Reply::Done(outcome) => panic!("done without a yes: {outcome:?}"),
    }
}

#[tokio::test]
async fn what_cannot_be_undone_happens_once_for_each_yes() {
    let fixture = fixture();
    let question = asked(&fixture, "a").await;
    assert_eq!(question.text, "Erase a?");
    assert_eq!(fixture.done.count(), 0);
    let reply = fixture.hub.call(&caller(), answered(&question, true, "box_erase", "a")).await.unwrap();
    assert!(matches!(reply, Reply::Done(outcome) if outcome.joined_text() == "erased a"));
    assert_eq!(fixture.done.count(), 1);
    asked(&fixture, "a").await;
    assert_eq!(fixture.done.count(), 1);
}

#[tokio::test]
async fn a_yes_is_good_for_this_very_call_only() {
    let fixture = fixture();
    let question = asked(&fixture, "a").await;
    let other = fixture.hub.call(&caller(), answered(&question, true, "box_erase", "b")).await;
    assert!(matches!(other, Err(Error::BadTicket)), "{other:?}");
    let tampered = Question { ticket: Secret::new(format!("{}x", question.ticket.expose())), ..question.clone() };
    let other = fixture.hub.call(&caller(), answered(&tampered, true, "box_erase", "a")).await;
    assert!(matches!(other, Err(Error::BadTicket)), "{other:?}");
    let mut stranger = caller();
    stranger.principal.user = UserId::new("somebody-else");
    let other = fixture.hub.call(&stranger, answered(&question, true, "box_erase", "a")).await;
    assert!(matches!(other, Err(Error::BadTicket)), "{other:?}");
    assert_eq!(fixture.done.count(), 0);
}

#[tokio::test]
async fn a_ticket_is_used_once() {
    let fixture = fixture();
    let question = asked(&fixture, "a").await;
    fixture.hub.call(&caller(), answered(&question, true, "box_erase", "a")).await.unwrap();
    let again = fixture.hub.call(&caller(), answered(&question, true, "box_erase", "a")).await;
    assert!(matches!(again, Err(Error::BadTicket)), "{again:?}");
    assert_eq!(fixture.done.count(), 1);
}

#[tokio::test]
async fn a_no_leaves_everything_as_it_was() {
    let fixture = fixture();
    let question = asked(&fixture, "a").await;
    let reply = fixture.hub.call(&caller(), answered(&question, false, "box_erase", "a")).await.unwrap();
    assert!(matches!(reply, Reply::Ask(_)), "{reply:?}");
    assert_eq!(fixture.done.count(), 0);
}

#[tokio::test]
async fn a_yes_may_come_from_elsewhere() {
    let fixture = fixture();
    let question = asked(&fixture, "a").await;
    let user = UserId::new("local");
    fixture.desk.approvals.decide(&question.approval, Decision::Approved, &user).await.unwrap();
    let reply = fixture.hub.call(&caller(), request("box_erase", "a")).await.unwrap();
    assert!(matches!(reply, Reply::Done(_)), "{reply:?}");
    assert_eq!(fixture.done.count(), 1);
}

#[tokio::test]
async fn of_many_calls_with_one_yes_one_gets_through() {
    let fixture = fixture();
    let question = asked(&fixture, "a").await;
    let user = UserId::new("local");
    fixture.desk.approvals.decide(&question.approval, Decision::Approved, &user).await.unwrap();
    let calls = (0..10).map(|_| {
        let hub = fixture.hub.clone();
        tokio::spawn(async move { hub.call(&caller(), request("box_erase", "a")).await })
    });
    for call in calls.collect::<Vec<_>>() {
        let _ = call.await.unwrap();
    }
    assert_eq!(fixture.done.count(), 1);
}

#[tokio::test]
async fn read_only_wins_over_everything() {
    let fixture = fixture();
    let filters = Filters { read_only: true, ..Filters::everything() };
    let caller = Caller { filters, ..caller() };
    let names: Vec<_> =
        fixture.hub.tools(&caller).await.unwrap().rows.iter().map(|row| row.name().to_owned()).collect();
    assert_eq!(names, ["box_look", "box_never"]);
    let refused = fixture.hub.call(&caller, request("box_erase", "a")).await;
    assert!(matches!(refused, Err(Error::UnknownTool { .. })), "{refused:?}");
}

#[tokio::test]
async fn an_agent_gets_what_its_level_allows() {
    let fixture = fixture();
    let agent = fixture.agents.create_agent(NewAgent {
        user: UserId::new("local"),
        name: "careful".into(),
        integrations: Integrations::Connected,
        tools: BTreeMap::from([("box_never".into(), false)]),
        level: Level::NoDelete,
    });
    let mut caller = caller();
    caller.principal.agent = agent.await.unwrap().id;
    let names: Vec<_> =
        fixture.hub.tools(&caller).await.unwrap().rows.iter().map(|row| row.name().to_owned()).collect();
    assert_eq!(names, ["box_look", "box_write"]);
    assert!(fixture.hub.call(&caller, request("box_erase", "a")).await.is_err());
}

#[tokio::test]
async fn an_agent_that_is_gone_gets_nothing() {
    let fixture = fixture();
    let mut caller = caller();
    caller.principal.agent = AgentId::new("gone");
    let refused = fixture.hub.tools(&caller).await;
    assert!(matches!(&refused, Err(Error::Closed(why)) if why.contains("does not exist any more")), "{refused:?}");
}

#[tokio::test]
async fn an_unknown_tool_is_answered_with_the_nearest() {
    let fixture = fixture();
    let error = fixture.hub.call(&caller(), request("box_lok", "a")).await.unwrap_err();
    assert_eq!(error.to_string(), "There is no tool `box_lok` here; did you mean `box_look`?");
}

#[tokio::test(start_paused = true)]
async fn a_write_goes_on_when_nobody_waits_any_more() {
    let fixture = fixture();
    let caller = caller();
    let call = fixture.hub.call(&caller, request("box_write", "a"));
    assert!(tokio::time::timeout(Duration::from_secs(1), call).await.is_err());
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(fixture.done.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_takes_too_long_is_given_up() {
    let fixture = fixture();
    let error = fixture.hub.call(&caller(), request("box_never", "a")).await.unwrap_err();
    assert!(error.to_string().contains("longer than 30 s"), "{error}");
}

#[tokio::test]
async fn misspelt_arguments_are_named_and_nothing_is_done() {
    let fixture = fixture();
    let arguments = json!({ "ids": "a" }).as_object().cloned().unwrap();
    let error = fixture.hub.call(&caller(), CallRequest::new("box_erase", arguments)).await.unwrap_err();
    assert!(error.to_string().contains("ids"), "{error}");
    assert_eq!(fixture.done.count(), 0);
}

#[test]
fn names_that_nothing_bears_are_found_in_filters() {
    let fixture = fixture();
    let filters = Filters {
        tools: Some(["box_look".to_owned(), "box_lok".to_owned()].into()),
        toolsets: Some(["all".to_owned(), "bax".to_owned()].into()),
        ..Filters::default()
    };
    assert_eq!(filters.unknown_names(fixture.hub.rows()), ["box_lok", "bax"]);
}

#[test]
fn state_is_found_by_its_type() {
    let state = State::default().with(5_u8).with("text");
    assert_eq!((state.get::<u8>(), state.get::<&str>(), state.get::<u16>()), (Some(&5), Some(&"text"), None));
}

/// What a tool of somebody else's finds of what opens credentials.
fn pry(_: Map<String, Value>, cx: &Call) -> Running<'_> {
    Box::pin(async move {
        let found = [
            cx.state::<Deferred<Desk>>().is_ok(),
            cx.state::<Arc<Desk>>().is_ok(),
            cx.state::<Desk>().is_ok(),
            cx.state::<Accounts>().is_ok(),
            cx.state::<crate::vault::Vault>().is_ok(),
            cx.state::<crate::oauth::Broker>().is_ok(),
            cx.state::<TicketKey>().is_ok(),
            cx.state::<Hub>().is_ok(),
            cx.state::<Arc<links::Doorway>>().is_ok(),
            cx.state::<AccountDirectory>().is_ok(),
            cx.offered().await?.contains("switchboard_connections"),
        ];
        Ok(Outcome::text(format!("{found:?}")))
    })
}

#[tokio::test]
async fn a_tool_finds_nothing_that_opens_a_credential_whatever_it_calls_itself() {
    let desk = fixture().desk;
    for id in ["box", "switchboard", "gmail"] {
        let toolset = Toolset { id: id.into(), title: id.into() };
        let hub = Hub::builder(clock::system(), id::os())
            .own_tools()
            .tools(&toolset, [tool("box_pry", Effect::Reads, pry)])
            .unwrap()
            .desk(Deferred::ready(desk.clone()))
            .build();
        let Reply::Done(found) = hub.call(&caller(), request("box_pry", "a")).await.unwrap() else { panic!("it asks") };
        assert_eq!(found.joined_text(), format!("{:?}", [false; 11]), "{id}");
        let cx = hub.visit(&caller(), None);
        assert!(cx.state::<Deferred<Desk>>().is_err() && cx.state::<AccountDirectory>().is_err(), "{id}");
        let own = hub.call(&caller(), CallRequest::new("switchboard_connections", Map::new())).await.unwrap();
        assert!(matches!(own, Reply::Done(_)), "our own tool sees the accounts: {own:?}");
    }
}

#[tokio::test]
async fn all_calls_can_be_ended_and_the_next_ones_run() {
    let fixture = fixture();
    let hub = fixture.hub.clone();
    let waiting = tokio::spawn(async move { hub.call(&caller(), request("box_never", "a")).await });
    while fixture.hub.0.ending().child_token().is_cancelled() || Arc::strong_count(&fixture.hub.0) < 3 {
        tokio::task::yield_now().await;
    }
    fixture.hub.cancel_calls();
    let ended = waiting.await.unwrap();
    assert!(matches!(&ended, Err(Error::Tool { error, .. }) if error.kind() == Kind::Cancelled), "{ended:?}");
    assert!(fixture.hub.call(&caller(), request("box_look", "a")).await.is_ok());
}
