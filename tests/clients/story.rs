//! What every client lives through: a meeting is found a time for, booked, moved and cancelled.

use jiff::{SignedDuration, Timestamp, ToSpan, tz::TimeZone};
use serde_json::{Value, json};

use super::{Company, support::today};

/// The tools that the story needs.
const TOOLS: [&str; 6] = [
    "google_calendar_check_availability",
    "google_calendar_schedule_meeting",
    "google_calendar_reschedule_meeting",
    "google_calendar_cancel_meeting",
    "google_calendar_list_meetings",
    "google_calendar_get_meeting",
];

/// A client that is connected.
pub trait Client {
    /// The protocol version that was agreed on.
    fn version(&self) -> String;
    /// The first page of tools.
    async fn first_page(&mut self) -> Page;
    /// One call of a tool, with every question on the way answered.
    async fn call(&mut self, tool: &str, arguments: Value) -> Outcome;
    /// What the person says from now on.
    async fn say(&mut self, approve: bool);
    /// The questions that the person was asked so far.
    async fn questions(&mut self) -> Vec<String>;
    /// Ends the connection in the client's own way.
    async fn leave(self);
}

/// A page of tools.
#[derive(Debug)]
pub struct Page {
    /// Their names.
    pub names: Vec<String>,
    /// Whether there are more pages.
    pub more: bool,
}

/// What came of a call.
#[derive(Debug)]
pub struct Outcome {
    /// Whether the tool failed.
    pub is_error: bool,
    /// What a model reads.
    pub text: String,
    /// What a program reads.
    pub structured: Value,
}

impl Outcome {
    /// The structure of a call that went well.
    #[track_caller]
    fn good(self) -> Value {
        assert!(!self.is_error, "the call failed: {}", self.text);
        assert!(!self.text.is_empty(), "a model reads nothing of {}", self.structured);
        self.structured
    }

    /// The text of a call that failed.
    #[track_caller]
    fn bad(self) -> String {
        assert!(self.is_error, "the call went well: {}", self.text);
        self.text
    }
}

/// A stretch of time to meet in.
#[derive(Clone, Copy, Debug)]
struct Hour {
    start: Timestamp,
    end: Timestamp,
}

/// Lets a client live through everything, with a person to ask and without one; `connect` makes a new connection.
pub async fn is_lived<C: Client>(version: &str, connect: impl AsyncFn(Company) -> C) {
    let mut client = connect(Company::Person).await;
    assert_eq!(client.version(), version, "the protocol that was agreed on");
    all_tools_are_on_the_first_page(&mut client).await;
    a_meeting_is_booked_moved_and_cancelled(&mut client).await;
    client.leave().await;

    let mut alone = connect(Company::Nobody).await;
    assert_eq!(alone.version(), version, "the protocol that was agreed on");
    without_a_person_nothing_is_cancelled(&mut alone).await;
    alone.leave().await;
}

/// Lets a client list the tools and call two of them: for clients whose interface has no place for a person.
pub async fn is_glimpsed(version: &str, mut client: impl Client) {
    assert_eq!(client.version(), version, "the protocol that was agreed on");
    all_tools_are_on_the_first_page(&mut client).await;
    let now = client.call("switchboard_now", json!({"time_zone": "Europe/Berlin"})).await;
    assert!(!now.is_error && now.text.contains("Europe/Berlin"), "{}", now.text);
    let today = client.call("google_calendar_list_meetings", json!({"limit": 3})).await;
    assert!(!today.is_error && today.text.contains("[id "), "{}", today.text);
    client.leave().await;
}

async fn all_tools_are_on_the_first_page<C: Client>(client: &mut C) {
    let page = client.first_page().await;
    assert!(!page.more, "there is a second page, which some clients never read");
    for tool in TOOLS {
        assert!(page.names.iter().any(|name| name == tool), "{tool} is not listed among {:?}", page.names);
    }
}

async fn a_meeting_is_booked_moved_and_cancelled<C: Client>(client: &mut C) {
    let [first, second] = free_hours(client).await;
    let meeting = book(client, "Design review", first).await;
    assert!(!is_free(client, first).await, "the hour is free although it was booked");

    let moved = json!({"event_id": meeting, "start": second.start});
    client.call("google_calendar_reschedule_meeting", moved).await.good();
    assert!(is_free(client, first).await, "the hour is busy although its meeting was moved away");
    assert!(!is_free(client, second).await, "the hour is free although a meeting was moved there");

    only_a_yes_cancels(client, &meeting, second).await;
}

async fn only_a_yes_cancels<C: Client>(client: &mut C, meeting: &str, hour: Hour) {
    let cancel = json!({"event_id": meeting});
    client.say(false).await;
    client.call("google_calendar_cancel_meeting", cancel.clone()).await.bad();
    assert!(!is_free(client, hour).await, "the meeting is gone although the person said no");

    client.say(true).await;
    client.call("google_calendar_cancel_meeting", cancel).await.good();
    assert!(is_free(client, hour).await, "the hour is busy although the meeting was cancelled");

    let questions = client.questions().await;
    assert_eq!(questions.len(), 2, "the person was asked {questions:?}");
    for question in questions {
        assert!(question.contains("Design review"), "the question does not name the meeting: {question}");
    }
}

async fn without_a_person_nothing_is_cancelled<C: Client>(client: &mut C) {
    let [hour, _] = free_hours(client).await;
    let meeting = book(client, "Board meeting", hour).await;
    let text = client.call("google_calendar_cancel_meeting", json!({"event_id": meeting})).await.bad();
    assert!(text.contains("approve"), "the refusal does not say how a person can approve: {text}");
    assert!(!is_free(client, hour).await, "the meeting is gone although nobody was asked");
    let still_there = client.call("google_calendar_get_meeting", json!({"event_id": meeting})).await.good();
    assert!(still_there.to_string().contains("Board meeting"), "another meeting came back: {still_there}");
}

/// Books a meeting and returns its id.
async fn book<C: Client>(client: &mut C, title: &str, hour: Hour) -> String {
    let wish = json!({"title": title, "start": hour.start, "end": hour.end});
    let booked = client.call("google_calendar_schedule_meeting", wish).await.good();
    let id = booked["meeting"]["id"].as_str();
    id.unwrap_or_else(|| panic!("the booking names no meeting: {booked}")).to_owned()
}

/// Two free hours in the next weeks that do not overlap.
async fn free_hours<C: Client>(client: &mut C) -> [Hour; 2] {
    let today = today().to_zoned(TimeZone::UTC).date();
    let wish = json!({
        "start": today + 2.days(), "end": today + 16.days(), "duration_minutes": 60,
        "working_hours_start": "09:00", "working_hours_end": "17:00",
    });
    let answer = client.call("google_calendar_check_availability", wish).await.good();
    [0, 1].map(|index| {
        let start = answer["free"][index]["start"].as_str();
        // The weekday stands before the moment.
        let start = start.and_then(|start| start.split_whitespace().last()?.parse::<Timestamp>().ok());
        let start = start.unwrap_or_else(|| panic!("there are no two free hours: {answer}"));
        Hour { start, end: start + SignedDuration::from_hours(1) }
    })
}

async fn is_free<C: Client>(client: &mut C, hour: Hour) -> bool {
    let wish = json!({"start": hour.start, "end": hour.end});
    let answer = client.call("google_calendar_check_availability", wish).await.good();
    let busy = answer["busy"].as_array().unwrap_or_else(|| panic!("nothing is said of busy time: {answer}"));
    busy.is_empty()
}
