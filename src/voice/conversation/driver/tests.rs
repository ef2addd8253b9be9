//! Whole conversations with services that are scripted, over a line that a test holds the other end of.

use std::{
    collections::VecDeque,
    sync::{Mutex, atomic::AtomicUsize, atomic::Ordering},
};

use jiff::Zoned;
use serde_json::{Map, Value, json};
use tokio::{
    sync::mpsc::{self, Receiver},
    task::JoinHandle,
};

use super::*;
use crate::{
    agents::Agent,
    clock,
    id::UserId,
    mcp::client::{Done, Question},
    voice::{
        context::Entry,
        conversation::{settings::Settings, toolbox::Doing},
        line::{Carrier, line},
        mouth::{FRAME, Frame, RATE},
        rtvi::Said,
        services::{Manner, Model, Prompt, Speaker},
    },
};

/// A model that answers in the order of its script, and keeps what it was asked.
#[derive(Debug, Default)]
struct Script {
    answers: Mutex<VecDeque<Vec<Written>>>,
    asked: Mutex<Vec<Vec<Entry>>>,
}

impl Model for Script {
    fn answer(&self, prompt: Prompt) -> Receiver<Written> {
        self.asked.lock().unwrap().push(prompt.entries);
        let answer = self.answers.lock().unwrap().pop_front().unwrap_or_default();
        let (written, channel) = mpsc::channel(64);
        for what in answer {
            written.try_send(what).unwrap();
        }
        channel
    }
}

/// A voice that takes 80 ms to begin and then makes a tone of 100 ms.
#[derive(Debug, Default)]
struct Tone(AtomicUsize);

impl Speaker for Tone {
    fn speak(&self, _: &str, _: &Manner) -> Receiver<Spoken> {
        self.0.fetch_add(1, Ordering::SeqCst);
        let (spoken, channel) = mpsc::channel(4);
        tokio::spawn(async move {
            sleep(Duration::from_millis(80)).await;
            for what in [Spoken::Samples(vec![9; RATE / 10]), Spoken::Done] {
                let _ = spoken.send(what).await;
            }
        });
        channel
    }
}

/// Tools of which `book` takes two seconds, and `cancel` asks.
#[derive(Clone, Debug, Default)]
struct Shed(Arc<Mutex<Vec<String>>>);

impl Toolbox for Shed {
    fn list(&self) -> Doing<Vec<Listed>> {
        let tool = |name: &str| Listed {
            name: name.into(),
            title: String::new(),
            description: String::new(),
            input: json!({ "type": "object", "properties": {} }),
            only_looks: name == "look",
            is_destructive: name != "look",
        };
        Box::pin(std::future::ready(Ok(["look", "book", "cancel"].map(tool).to_vec())))
    }

    fn call(&self, tool: &str, arguments: &Map<String, Value>) -> Doing<Ended> {
        let (log, tool, arguments) = (Arc::clone(&self.0), tool.to_owned(), json!(arguments));
        Box::pin(async move {
            if tool == "cancel" {
                return Ok(Ended::Asks(Question::of_nobody("Cancel it?")));
            }
            sleep(Duration::from_secs(2)).await;
            log.lock().unwrap().push(format!("{tool} {arguments}"));
            Ok(Ended::Done(Done { text: "It is done.".into(), ..Done::default() }))
        })
    }

    fn answer(&self, tool: &str, arguments: &Map<String, Value>, question: &Question, approve: bool) -> Doing<Ended> {
        self.0.lock().unwrap().push(format!("{tool} {} {} {approve}", json!(arguments), question.text));
        Box::pin(std::future::ready(Ok(Ended::Done(Done { text: "It is cancelled.".into(), ..Done::default() }))))
    }
}

/// The other end of a line with a conversation on it.
struct Stage {
    carrier: Carrier,
    script: Arc<Script>,
    tone: Arc<Tone>,
    shed: Shed,
    running: JoinHandle<()>,
    played: usize,
}

impl Stage {
    fn new(answers: Vec<Vec<Written>>, usual: Usual) -> Stage {
        let (line, carrier) = line();
        let (tone, shed) = (Arc::new(Tone::default()), Shed::default());
        let script = Arc::new(Script { answers: Mutex::new(answers.into()), ..Script::default() });
        let now: Zoned = "2026-11-23T09:05:00[Europe/Berlin]".parse().unwrap();
        let parts = Parts {
            services: Services { recogniser: None, model: script.clone(), speaker: Some(tone.clone()) },
            tools: Arc::new(shed.clone()),
            settings: Settings::of(&Agent::implicit(UserId::new("ana")), &now),
            usual,
            metrics: Metrics::default(),
            keeper: None,
            clock: clock::system(),
            ending: CancellationToken::new(),
        };
        Stage {
            carrier,
            script,
            tone,
            shed,
            running: tokio::spawn(async { lead(line, parts).await.rest.finish().await }),
            played: 0,
        }
    }

    async fn says(&self, said: Said) {
        self.carrier.events.send(Event::Said(said)).await.unwrap();
    }

    async fn types(&self, text: &str) {
        self.says(Said::Text { content: text.into(), run_immediately: true, audio_response: true }).await;
    }

    /// Plays for so long, and gives the messages that came meanwhile.
    async fn play(&mut self, millis: u64) -> Vec<Value> {
        let mut was_silent = true;
        for _ in 0..millis / 20 {
            sleep(TICK).await;
            let frame = self.carrier.player.mouth().frame(was_silent);
            was_silent = frame == Frame::Silence;
            self.played += usize::from(!was_silent) * FRAME;
            let _ = self.carrier.events.send(Event::Sound(vec![0; 320])).await;
        }
        let texts = std::iter::from_fn(|| self.carrier.texts.try_recv().ok());
        texts.map(|text| serde_json::from_str(&text).unwrap()).collect()
    }

    fn log(&self) -> Vec<String> {
        self.shed.0.lock().unwrap().clone()
    }
}

fn text(text: &str) -> Vec<Written> {
    vec![Written::Text(text.into()), Written::Done]
}

fn call(tool: &str) -> Vec<Written> {
    vec![Written::Call { id: "1".into(), tool: tool.into(), arguments: r#"{"a":1}"#.into() }, Written::Done]
}

fn of_type<'a>(messages: &'a [Value], kind: &str) -> Vec<&'a Value> {
    messages.iter().filter(|message| message["type"] == kind).map(|message| &message["data"]).collect()
}

#[tokio::test(start_paused = true)]
async fn a_typed_question_is_answered_with_a_tool_in_words_and_sound() {
    let mut stage = Stage::new(vec![call("look"), text("Nothing is on.")], Usual::default());
    stage.says(Said::Ready { id: "7".into() }).await;
    stage.types("What is on?").await;
    let messages = stage.play(3_500).await;
    assert_eq!(messages.iter().find(|message| message["type"] == "bot-ready").unwrap()["id"], "7");
    assert_eq!(of_type(&messages, "llm-function-call-in-progress")[0]["function_name"], "look");
    assert_eq!(of_type(&messages, "llm-function-call-stopped").len(), 1);
    let words =
        of_type(&messages, "bot-llm-text").iter().map(|data| data["text"].as_str().unwrap()).collect::<String>();
    assert!(words.contains("Nothing is on."), "{words}");
    assert!(stage.played >= RATE / 10, "{}", stage.played);
    let asked = stage.script.asked.lock().unwrap();
    let Some(Entry::Called(called)) = asked[1].last() else { panic!("{asked:?}") };
    assert_eq!(called.result, "It is done.");
}

#[tokio::test(start_paused = true)]
async fn a_question_is_answered_for_exactly_the_call_that_asked() {
    let mut stage = Stage::new(vec![call("cancel"), text("Done.")], Usual::default());
    stage.types("Cancel it.").await;
    let messages = stage.play(1_000).await;
    let asked = of_type(&messages, "server-message")[0].clone();
    assert_eq!((&asked["kind"], &asked["question"]), (&json!("approval"), &json!("Cancel it?")));
    let data = json!({ "call": asked["call"], "approve": true });
    stage.says(Said::Message { id: "9".into(), topic: "approval".into(), data }).await;
    let messages = stage.play(1_000).await;
    assert_eq!(of_type(&messages, "server-response")[0]["d"], json!({ "done": true }));
    assert_eq!(stage.log(), [r#"cancel {"a":1} Cancel it? true"#]);
}

#[tokio::test(start_paused = true)]
async fn usual_sentences_are_made_once_for_all_conversations() {
    let usual = Usual::default();
    let mut first = Stage::new(vec![], usual.clone());
    first.says(Said::Ready { id: "1".into() }).await;
    first.play(5_000).await;
    let made = first.tone.0.load(Ordering::SeqCst);
    assert!(made >= 5, "the greeting, and what may be needed: {made}");
    let mut second = Stage::new(vec![], usual);
    second.says(Said::Ready { id: "1".into() }).await;
    second.play(5_000).await;
    assert_eq!(second.tone.0.load(Ordering::SeqCst), 0);
    assert!(second.played > 0);
}

#[tokio::test(start_paused = true)]
async fn what_changes_something_is_finished_after_the_line_is_cut() {
    let mut stage = Stage::new(vec![call("book")], Usual::default());
    stage.types("Book a room.").await;
    stage.play(500).await;
    let Stage { carrier, shed, running, .. } = stage;
    drop(carrier);
    running.await.unwrap();
    assert_eq!(shed.0.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_page_that_reads_nothing_keeps_nobody_waiting() {
    let words = (0..200).map(|_| Written::Text("word ".into())).collect::<Vec<_>>();
    let answers = vec![words.into_iter().take(60).chain([Written::Done]).collect::<Vec<_>>(); 3];
    let mut stage = Stage::new(answers, Usual::default());
    for _ in 0..3 {
        stage.types("Speak!").await;
        for _ in 0..50 {
            sleep(TICK).await;
            let frame = stage.carrier.player.mouth().frame(false);
            stage.played += usize::from(frame != Frame::Silence) * FRAME;
            stage.carrier.events.send(Event::Sound(vec![0; 320])).await.unwrap();
        }
    }
    assert!(stage.played > 0);
    assert_eq!(stage.script.asked.lock().unwrap().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_hangs_up_ends_the_line() {
    let mut stage = Stage::new(vec![], Usual::default());
    stage.says(Said::HangUp).await;
    while stage.carrier.texts.recv().await.is_some() {}
    stage.running.await.unwrap();
}
