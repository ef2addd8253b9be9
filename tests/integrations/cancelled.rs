//! A call that is cancelled before its first write changes nothing at the vendor, whichever tool it is of and after
//! whichever of its reads it is cancelled; and no write begins afterwards.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::Value;
use switchboard::{
    http::{Cancellation, Event, Witness},
    tool::Effect,
};

use crate::{
    airtable, desk::Desk, gmail, google_calendar, google_sheets, hubspot, ill::Story as _, notion, salesforce, slack,
};

/// More requests than any tool makes before its first write.
const MOST: usize = 20;

/// Cancels a call as soon as so many of its requests are answered: in the very moment in which the next one follows.
#[derive(Debug)]
struct Leaver {
    cancellation: Cancellation,
    left: AtomicUsize,
}

impl Witness for Leaver {
    fn hear(&self, _vendor: &str, event: &Event<'_>) {
        if matches!(event, Event::Asked { .. }) && self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.cancellation.cancel();
        }
    }
}

/// What became of a call that was cancelled after `reads` requests.
struct Left {
    has_written: bool,
    is_over: bool,
}

async fn leave(desk: &Desk, tool: &str, arguments: Value, reads: usize) -> Left {
    let cancellation = Cancellation::default();
    if reads == 0 {
        cancellation.cancel();
    }
    let leaver = Leaver { cancellation: cancellation.clone(), left: AtomicUsize::new(reads.max(1)) };
    let work = desk.call_within(&cancellation, Arc::new(leaver), tool, arguments);
    let said = cancellation.run(work).await;
    if cancellation.is_cancelled() && !cancellation.has_written() {
        // It ended in the middle, or was told that its write was not sent.
        let ended = said.as_ref().is_none_or(|said| said.as_ref().is_err_and(|error| error.code() == "cancelled"));
        assert!(ended || reads > 0, "{tool} went on after {reads} reads: {said:?}");
    }
    Left { has_written: cancellation.has_written(), is_over: !cancellation.is_cancelled() }
}

/// Cancels calls of one tool after each of their reads. `ready` begins anew and gives the arguments.
async fn check(desk: &mut Desk, tool: &str, ready: impl AsyncFn(&mut Desk, &str) -> Value) {
    for reads in 0..MOST {
        let arguments = ready(desk, tool).await;
        let before = (desk.changes(), desk.mails().len());
        let left = leave(desk, tool, arguments, reads).await;
        if left.has_written || left.is_over {
            assert!(reads > 0, "{tool} wrote although it was cancelled before it began");
            return;
        }
        assert_eq!((desk.changes(), desk.mails().len()), before, "{tool}, cancelled after {reads} reads");
    }
    panic!("{tool} never wrote");
}

/// The tools of the vendor that do more than look, without the name of the integration.
fn writes(desk: &Desk) -> BTreeSet<String> {
    let integration = desk.integration();
    let prefix = format!("{}_", integration.id.replace('-', "_"));
    let tools = integration.tools.iter().filter(|def| def.effect != Effect::Reads);
    tools.map(|def| def.name.strip_prefix(&prefix).unwrap().to_owned()).collect()
}

/// Cancels calls of every tool that does more than look.
async fn check_all(mut desk: Desk, ready: impl AsyncFn(&mut Desk, &str) -> Value) {
    for tool in writes(&desk) {
        check(&mut desk, &tool, &ready).await;
    }
}

/// The same where the calls of all tools are made ready at once.
async fn check_calls(desk: Desk, calls: impl AsyncFn(&Desk) -> Vec<(&'static str, Value, &'static str)>) {
    check_all(desk, async |desk: &mut Desk, tool: &str| {
        desk.reset().await;
        let all = calls(desk).await;
        let found = all.into_iter().find(|(name, ..)| *name == tool);
        found.unwrap_or_else(|| panic!("there is no call of {tool}")).1
    })
    .await;
}

#[tokio::test]
async fn nothing_is_written_to_airtable_for_a_call_that_was_cancelled() {
    check_all(airtable::open().await, airtable::faults::Ill::ready).await;
}

#[tokio::test]
async fn nothing_is_written_to_gmail_for_a_call_that_was_cancelled() {
    check_calls(gmail::open().await, gmail::faults::calls).await;
}

#[tokio::test]
async fn nothing_is_written_to_google_calendar_for_a_call_that_was_cancelled() {
    check_all(google_calendar::open().await, google_calendar::faults::ready).await;
}

#[tokio::test]
async fn nothing_is_written_to_google_sheets_for_a_call_that_was_cancelled() {
    check_all(google_sheets::open().await, google_sheets::faults::Ill::ready).await;
}

#[tokio::test]
async fn nothing_is_written_to_hubspot_for_a_call_that_was_cancelled() {
    check_all(hubspot::open().await, hubspot::faults::ready).await;
}

#[tokio::test]
async fn nothing_is_written_to_notion_for_a_call_that_was_cancelled() {
    check_all(notion::open().await, notion::faults::Ill::ready).await;
}

#[tokio::test]
async fn nothing_is_written_to_salesforce_for_a_call_that_was_cancelled() {
    check_all(salesforce::open().await, salesforce::faults::ready).await;
}

#[tokio::test]
async fn nothing_is_written_to_slack_for_a_call_that_was_cancelled() {
    check_calls(slack::open().await, slack::faults::calls).await;
}
