//! Spoken conversations with the program: a caller with a voice, the sandbox's tools, and services that are stand-ins.

use std::{process::Command, time::Duration};

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::{
    caller::{Caller, LIMIT, clip},
    conversation::Talk,
    fakes::{Failure, Fakes, Pace, Reply, Service},
    support::{Home, Server},
};

/// So long after the last packet with sound it is certain that the agent is silent.
const SILENT: Duration = Duration::from_millis(300);

/// The program with these services; the scripted model answers unless the stand-in does.
fn serve(home: &Home, fakes: &Fakes, with_model: bool) -> Server {
    let mut command: Command = home.command(&["serve", "--sandbox", "--listen", "127.0.0.1:0"]);
    fakes.serve(&mut command);
    if !with_model {
        command.env_remove("SWITCHBOARD_LLM_URL").env_remove("SWITCHBOARD_LLM_MODEL");
    }
    Server::start(command)
}

/// A caller who has heard the greeting.
async fn call(fakes: &Fakes, with_model: bool) -> Talk {
    let home = Home::new();
    let server = serve(&home, fakes, with_model);
    let mut talk = Talk::with(home, server, json!({})).await;
    has_greeted(&mut talk).await;
    talk
}

/// Waits until the greeting has been heard, which may be before the page is ready.
async fn has_greeted(talk: &mut Talk) {
    if !talk.messages.iter().any(|message| message["type"] == "bot-stopped-speaking") {
        is_silent(talk).await;
    }
}

/// Waits until the agent has spoken and is silent again.
async fn is_silent(talk: &mut Talk) {
    talk.until("bot-stopped-speaking").await;
}

/// The number of frames with sound so far.
fn audible(caller: &Caller) -> usize {
    caller.frames().iter().filter(|frame| frame.is_audible()).count()
}

/// What the model was told last.
fn told(fakes: &Fakes) -> Vec<Value> {
    let asked = fakes.log(Service::Llm).pop().expect("the model was asked").asked;
    asked["messages"].as_array().expect("messages").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spoken_question_is_answered_in_sound() {
    let fakes = Fakes::start(Pace::default()).await;
    let mut talk = call(&fakes, true).await;
    fakes.will_hear("When is my next meeting?");
    fakes.will_answer(Reply::text("It is at ten."));
    let before = audible(&talk.caller);
    let said = clip("frei");
    talk.caller.say(&said).await;
    let heard = talk.until_data("user-transcription", |data| data["final"] == true).await;
    assert_eq!(heard["text"], "When is my next meeting?");
    is_silent(&mut talk).await;
    sleep(SILENT).await;
    assert!(audible(&talk.caller) > before + 20, "{} frames", audible(&talk.caller) - before);
    let stt = fakes.log(Service::Stt).pop().unwrap();
    let is_loud = |sample: &i16| sample.unsigned_abs() > 500;
    let speech = said.iter().rposition(is_loud).unwrap() - said.iter().position(is_loud).unwrap();
    assert!(stt.sound >= speech * 2, "{} bytes of {} with speech", stt.sound, speech * 2);
    assert_eq!(told(&fakes).last().unwrap()["content"], "When is my next meeting?");
    assert_eq!(fakes.log(Service::Llm).len(), 1, "what was prepared is what was said");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_interrupts_and_the_model_knows_what_was_not_heard() {
    let fakes = Fakes::start(Pace::default()).await;
    let mut talk = call(&fakes, true).await;
    let long = "You have two meetings today. The first one is at ten with Ana in the big room. \
                The second one is at two with Ben, and it is about the budget of the next year.";
    fakes.will_answer(Reply::text(long));
    talk.types("What is on today?").await;
    talk.until("bot-started-speaking").await;
    sleep(Duration::from_millis(800)).await;
    fakes.will_hear("No, stop, tomorrow please.");
    fakes.will_answer(Reply::text("Tomorrow is free."));
    talk.caller.say(&clip("meeting")).await;
    talk.until("bot-interrupted").await;
    talk.reads("Tomorrow is free.").await;
    let told = told(&fakes);
    let notes = told.iter().filter_map(|message| message["content"].as_str()).collect::<Vec<_>>().join("\n");
    assert!(notes.contains("budget") && notes.contains("did not hear"), "{told:#?}");
    let said =
        told.iter().filter(|message| message["role"] == "assistant").map(|message| message["content"].to_string());
    assert!(!said.collect::<String>().contains("budget"), "{told:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spoken_yes_cancels_a_meeting_and_nothing_else_does() {
    let fakes = Fakes::start(Pace::quick()).await;
    let mut talk = call(&fakes, false).await;
    for (answer, approved) in [("What time is it?", false), ("Yes, please do it.", true)] {
        talk.types("Cancel the dentist").await;
        let question = talk.is_asked().await;
        is_silent(&mut talk).await;
        let spoken = fakes.log(Service::Tts).into_iter().map(|logged| logged.asked["input"].to_string());
        let read = spoken.into_iter().rfind(|text| text.contains("Cancel")).expect("the question was read out");
        let written = question["question"].as_str().unwrap();
        assert!(written.contains("202") && written.contains('T'), "the page shows the exact time: {written}");
        assert!(!read.contains(|letter: char| letter.is_ascii_digit()), "it is said as people say it: {read}");
        fakes.will_hear(answer);
        talk.caller.say(&clip("frei")).await;
        assert_eq!(talk.is_settled().await, approved, "{answer}");
        talk.until("bot-stopped-speaking").await;
    }
    talk.types("Cancel the dentist").await;
    talk.reads("no such meeting").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failing_services_are_excused_and_the_conversation_goes_on() {
    let fakes = Fakes::start(Pace::quick()).await;
    let mut talk = call(&fakes, true).await;
    fakes.fail(Service::Llm, Failure::Status(500), 2);
    talk.types("Hello?").await;
    talk.reads("I cannot think of an answer").await;
    is_silent(&mut talk).await;

    fakes.fail(Service::Llm, Failure::Cut, 1);
    fakes.will_answer(Reply::text("It is at ten in the morning, and then."));
    talk.types("When?").await;
    talk.reads("I am sorry").await;
    // There may be a pause before the apology.
    sleep(Duration::from_secs(6)).await;

    fakes.fail(Service::Stt, Failure::Status(500), 3);
    talk.caller.say(&clip("frei")).await;
    talk.reads("I did not catch that").await;
    is_silent(&mut talk).await;

    fakes.fail(Service::Tts, Failure::Status(500), 10);
    fakes.will_answer(Reply::text("This is to be read."));
    talk.types("Are you there?").await;
    let shown = talk.until("bot-output").await;
    assert_eq!((&shown["text"], &shown["will_be_spoken"]), (&json!("This is to be read."), &json!(false)));
}

/// However a service fails in the middle of a turn, the caller hears something, and the next turn is as ever.
async fn is_never_silent(service: Service) {
    let fakes = Fakes::start(Pace::quick()).await;
    let mut talk = call(&fakes, true).await;
    // What is said in a hurry is made at the beginning of a conversation.
    sleep(Duration::from_secs(3)).await;
    for failure in [Failure::Status(500), Failure::Hang, Failure::Stall, Failure::Cut, Failure::Rubbish] {
        fakes.fail(service, failure, usize::MAX);
        let before = audible(&talk.caller);
        asks(&mut talk, service).await;
        hears_more(&talk, before, &format!("{service:?} with {failure:?}")).await;
        fakes.mend();
        is_quiet(&talk).await;
        fakes.will_answer(Reply::text("It is at eleven."));
        asks(&mut talk, service).await;
        talk.reads("It is at eleven.").await;
        is_quiet(&talk).await;
    }
}

/// Asks in the way that needs the service.
async fn asks(talk: &mut Talk, service: Service) {
    if service == Service::Stt { talk.caller.say(&clip("frei")).await } else { talk.types("When?").await }
}

/// Waits until at least ten more frames with sound than before have come.
async fn hears_more(talk: &Talk, before: usize, why: &str) {
    let began = Instant::now();
    while audible(&talk.caller) < before + 10 {
        assert!(began.elapsed() < LIMIT, "the caller hears nothing: {why}\n{}", talk.server.log());
        sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until no sound has come for a while.
async fn is_quiet(talk: &Talk) {
    let mut heard = audible(&talk.caller);
    loop {
        sleep(SILENT * 3).await;
        let now = audible(&talk.caller);
        if std::mem::replace(&mut heard, now) == now {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_failure_leaves_a_caller_in_silence() {
    // Side by side, because most of it is waiting for what hangs.
    tokio::join!(is_never_silent(Service::Llm), is_never_silent(Service::Stt), is_never_silent(Service::Tts));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_comes_back_goes_on_with_the_same_conversation() {
    let fakes = Fakes::start(Pace::quick()).await;
    let mut talk = call(&fakes, true).await;
    fakes.will_answer(Reply::text("Pleased to meet you."));
    talk.types("My name is Ana.").await;
    talk.reads("Pleased to meet you.").await;
    is_silent(&mut talk).await;
    let id = talk.caller.id.clone();
    talk.caller = Caller::restart(&talk.server.url(""), &id).await;
    fakes.will_answer(Reply::text("You are Ana."));
    talk.types("Who am I?").await;
    talk.reads("You are Ana.").await;
    let said = told(&fakes).iter().map(|message| message["content"].to_string()).collect::<String>();
    assert!(said.contains("My name is Ana."), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_has_both_sides() {
    let fakes = Fakes::start(Pace::quick()).await;
    let home = Home::new();
    let server = serve(&home, &fakes, true);
    let agent = json!({ "name": "desk", "level": "read-only", "integrations": ["slack"], "voice": { "record": true } });
    let post = crate::caller::http().post(server.url("/api/v1/agents")).json(&agent);
    let (status, made) = crate::caller::sent(post).await;
    assert_eq!(status, 201, "{made}");
    let mut talk = Talk::with(home, server, json!({ "agent": "desk" })).await;
    has_greeted(&mut talk).await;
    talk.caller.say(&clip("meeting")).await;
    talk.until("bot-stopped-speaking").await;
    talk.send(json!({ "type": "disconnect-bot", "id": "x", "data": {} })).await;
    talk.caller.is_left().await;
    let (left, right) = recording(&talk.home).await;
    let is_loud = |side: &[i16]| side.iter().filter(|sample| sample.unsigned_abs() > 500).count() > 4_000;
    assert!(is_loud(&left) && is_loud(&right), "{} samples", left.len());
}

/// Both sides of the one recording, when it is whole.
async fn recording(home: &Home) -> (Vec<i16>, Vec<i16>) {
    let folder = home.path().join("sandbox").join("conversations");
    let began = Instant::now();
    while began.elapsed() < LIMIT {
        sleep(Duration::from_millis(200)).await;
        let files = std::fs::read_dir(&folder).into_iter().flatten().map(|file| file.unwrap().path());
        let Some(path) = files.into_iter().find(|path| path.extension().is_some_and(|it| it == "wav")) else {
            continue;
        };
        let Ok(reader) = hound::WavReader::open(&path) else { continue };
        let samples = reader.into_samples::<i16>().filter_map(Result::ok).collect::<Vec<_>>();
        if samples.len() > 2 * 16_000 {
            return samples.chunks_exact(2).map(|pair| (pair[0], pair[1])).unzip();
        }
    }
    panic!("no recording in {}", folder.display())
}
