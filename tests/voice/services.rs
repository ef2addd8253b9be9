//! Every provider against its stand-in: what goes over the wire, what comes of it, and what comes of failures.

use std::time::Duration;

use serde_json::json;
use switchboard::{
    clock,
    config::{Remote, Stt, Tts, VoiceSettings},
    sandbox::{self, Sandbox},
    secret::Secret,
    voice::{
        context::Context,
        services::{
            Listening, Manner, Offered, Patience, Prompt, Services, Sound, Spoken, Trouble, Understood, Written,
        },
    },
};
use tokio::{sync::mpsc::Receiver, time::timeout};

use crate::fakes::{Failure, Fakes, Pace, Reply, Service, spoken};

/// Everything a failure may take: less than a caller would wait.
const SOON: Duration = Duration::from_secs(8);

fn remote(url: &str) -> Remote {
    Remote {
        url: url.parse().unwrap(),
        model: Some("m".into()),
        key: Some(Secret::new("hush")),
        voice: Some("v".into()),
    }
}

/// The services with little patience. `sockets` says which of the two families.
fn services(fakes: &Fakes, sockets: bool) -> Services {
    let (http, deepgram, elevenlabs) = (remote(&fakes.http()), remote(&fakes.deepgram()), remote(&fakes.elevenlabs()));
    let settings = VoiceSettings {
        llm: Some(http.clone()),
        stt: Some(if sockets { Stt::Deepgram(deepgram) } else { Stt::OpenAi(http.clone()) }),
        tts: Some(if sockets { Tts::ElevenLabs(elevenlabs) } else { Tts::OpenAi(http) }),
        ..VoiceSettings::default()
    };
    let patience = Patience { first: Duration::from_millis(800), between: Duration::from_millis(800) };
    Services::patient(&settings, patience).unwrap()
}

fn prompt(text: &str) -> Prompt {
    let mut context = Context::default();
    context.caller(text);
    Prompt { instructions: "Be brief.".into(), tools: [].into(), entries: context.entries().to_vec() }
}

/// Everything that comes until the end.
async fn all<T>(mut from: Receiver<T>) -> Vec<T> {
    let mut all = vec![];
    while let Some(one) = timeout(SOON, from.recv()).await.expect("it ends in time") {
        all.push(one);
    }
    all
}

async fn answer(services: &Services, text: &str) -> Vec<Written> {
    all(services.model.answer(prompt(text))).await
}

fn text_of(written: &[Written]) -> String {
    written.iter().filter_map(|one| if let Written::Text(text) = one { Some(text.as_str()) } else { None }).collect()
}

async fn speak(services: &Services, text: &str, manner: &Manner) -> (Vec<i16>, Option<Spoken>) {
    let mut spoken = all(services.speaker.as_ref().unwrap().speak(text, manner)).await;
    let end = spoken.pop();
    let samples = spoken.into_iter().flat_map(|one| if let Spoken::Samples(samples) = one { samples } else { vec![] });
    (samples.collect(), end)
}

fn listen(services: &Services, language: Option<&str>) -> Listening {
    services.recogniser.as_ref().unwrap().listen(language)
}

/// Says so many seconds of something and pauses.
async fn say(listening: &Listening, seconds: usize) {
    for _ in 0..seconds * 50 {
        listening.sound.send(Sound::Samples(vec![500; 320])).await.unwrap();
    }
    listening.sound.send(Sound::Pause).await.unwrap();
}

/// The next that is no partial.
async fn understood(listening: &mut Listening) -> Understood {
    loop {
        match timeout(SOON, listening.words.recv()).await.expect("it answers in time").expect("it answers") {
            Understood::Partial(_) => {}
            other => return other,
        }
    }
}

#[tokio::test]
async fn a_model_answers_word_by_word() {
    let fakes = Fakes::start(Pace::quick()).await;
    fakes.will_answer(Reply::text("<think>Hm.</think>You are free at ten."));
    let written = answer(&services(&fakes, false), "When am I free?").await;
    assert_eq!(text_of(&written), "You are free at ten.");
    assert!(written.len() > 4 && written.last() == Some(&Written::Done), "{written:?}");
    let asked = fakes.ended(Service::Llm).await;
    assert_eq!(asked.key.as_deref(), Some("Bearer hush"));
    assert_eq!(asked.asked["messages"][1], json!({ "role": "user", "content": "When am I free?" }));
    assert!(asked.is_whole && asked.asked["stream"] == true, "{asked:?}");
}

#[tokio::test]
async fn a_model_calls_several_tools_at_once() {
    let fakes = Fakes::start(Pace::quick()).await;
    let calls =
        [("slack_find_user", json!({ "name": "Ana" })), ("google_calendar_list_meetings", json!({ "limit": 1 }))];
    let calls = calls.map(|(tool, arguments)| (tool.to_owned(), arguments));
    fakes.will_answer(Reply { text: "One moment.".into(), calls: calls.to_vec() });
    let parameters = json!({ "type": "object", "properties": {}, "required": [], "additionalProperties": false });
    let tool = Offered::new("slack_find_user", "Finds people.", &parameters);
    let prompt = Prompt { tools: [tool].into(), ..prompt("Where is Ana?") };
    let written = all(services(&fakes, false).model.answer(prompt)).await;
    let called = written.iter().filter_map(|one| match one {
        Written::Call { tool, arguments, .. } => Some((tool.clone(), serde_json::from_str(arguments).unwrap())),
        _ => None,
    });
    assert_eq!(called.collect::<Vec<_>>(), calls);
    assert_eq!(written.last(), Some(&Written::Done));
    let offered = &fakes.ended(Service::Llm).await.asked["tools"][0]["function"];
    assert_eq!((&offered["name"], &offered["strict"]), (&json!("slack_find_user"), &json!(true)));
}

#[tokio::test]
async fn every_failure_of_a_model_is_a_trouble_in_time() {
    let refuses = |reason: &str| Trouble::Refuses { service: "language", reason: reason.into() };
    // The failure, what it comes to, and how often it was asked.
    for (failure, expected, asked) in [
        (Failure::Status(500), Trouble::Away("language"), 2),
        (Failure::Status(429), refuses("429 failing on order"), 1),
        (Failure::Status(401), refuses("401: the key is not accepted"), 1),
        (Failure::Hang, Trouble::Slow("language"), 1),
        (Failure::Stall, Trouble::Slow("language"), 1),
        (Failure::Cut, Trouble::Away("language"), 1),
        (Failure::Rubbish, Trouble::Rubbish("language"), 1),
    ] {
        let fakes = Fakes::start(Pace::quick()).await;
        fakes.fail(Service::Llm, failure, 9);
        let written = answer(&services(&fakes, false), "Hello").await;
        assert_eq!(written.last(), Some(&Written::Failed(expected)), "{failure:?}");
        assert_eq!(fakes.log(Service::Llm).len(), asked, "{failure:?}");
    }
}

#[tokio::test]
async fn a_failure_that_passes_is_not_noticed() {
    for sockets in [false, true] {
        let fakes = Fakes::start(Pace::quick()).await;
        let services = services(&fakes, sockets);
        for service in [Service::Llm, Service::Stt, Service::Tts] {
            fakes.fail(service, Failure::Status(503), 1);
        }
        assert_eq!(answer(&services, "Hello").await.last(), Some(&Written::Done));
        assert_eq!(speak(&services, "Hello", &Manner::default()).await.1, Some(Spoken::Done));
        let mut listening = listen(&services, None);
        say(&listening, 1).await;
        assert_eq!(understood(&mut listening).await, Understood::Final("Hello there.".into()));
    }
}

#[tokio::test]
async fn whoever_drops_an_answer_ends_the_request() {
    let slow = Pace { word: Duration::from_millis(100), ..Pace::quick() };
    let fakes = Fakes::start(slow).await;
    let services = services(&fakes, false);
    fakes.will_answer(Reply::text(&"word ".repeat(200)));
    let mut written = services.model.answer(prompt("Tell me everything"));
    assert!(matches!(written.recv().await, Some(Written::Text(_))));
    drop(written);
    assert!(!fakes.ended(Service::Llm).await.is_whole);
    fakes.fail(Service::Tts, Failure::Stall, 1);
    let mut sound = services.speaker.as_ref().unwrap().speak("A text of some length.", &Manner::default());
    assert!(matches!(sound.recv().await, Some(Spoken::Samples(_))));
    drop(sound);
    assert!(!fakes.ended(Service::Tts).await.is_whole);
}

#[tokio::test]
async fn a_recording_is_understood_at_each_pause() {
    let fakes = Fakes::start(Pace::quick()).await;
    fakes.will_hear("Book a meeting");
    fakes.will_hear("[BLANK_AUDIO]");
    let mut listening = listen(&services(&fakes, false), Some("de-DE"));
    say(&listening, 1).await;
    assert_eq!(understood(&mut listening).await, Understood::Final("Book a meeting".into()));
    say(&listening, 2).await;
    assert_eq!(understood(&mut listening).await, Understood::Final(String::new()));
    let asked = fakes.log(Service::Stt);
    assert_eq!(asked.iter().map(|one| one.sound).collect::<Vec<_>>(), [32_000, 64_000], "only what is new");
    assert_eq!((&asked[0].asked["language"], &asked[0].asked["model"]), (&json!("de"), &json!("m")));
    assert_eq!(asked[0].key.as_deref(), Some("Bearer hush"));
}

#[tokio::test]
async fn every_failure_of_a_recogniser_is_a_trouble_in_time() {
    let service = "speech recognition";
    let refused = Trouble::Refuses { service, reason: "401: the key is not accepted".into() };
    for (failure, expected) in [
        (Failure::Status(500), Trouble::Away(service)),
        (Failure::Status(401), refused),
        (Failure::Hang, Trouble::Slow(service)),
        (Failure::Stall, Trouble::Slow(service)),
        (Failure::Cut, Trouble::Away(service)),
        (Failure::Rubbish, Trouble::Rubbish(service)),
    ] {
        for sockets in [false, true] {
            let fakes = Fakes::start(Pace::quick()).await;
            fakes.fail(Service::Stt, failure, 9);
            let mut listening = listen(&services(&fakes, sockets), None);
            say(&listening, 1).await;
            let outcome = understood(&mut listening).await;
            assert_eq!(outcome, Understood::Failed(expected.clone()), "{failure:?}, sockets: {sockets}");
        }
    }
}

#[tokio::test]
async fn a_socket_understands_while_it_listens() {
    let fakes = Fakes::start(Pace::quick()).await;
    fakes.will_hear("Book a meeting");
    fakes.will_hear("with Ana");
    let mut listening = listen(&services(&fakes, true), Some("en-US"));
    listening.sound.send(Sound::Samples(vec![500; 16_000])).await.unwrap();
    let first = timeout(SOON, listening.words.recv()).await.unwrap();
    assert_eq!(first, Some(Understood::Partial("Book".into())));
    say(&listening, 1).await;
    assert_eq!(understood(&mut listening).await, Understood::Final("Book a meeting".into()));
    say(&listening, 1).await;
    assert_eq!(understood(&mut listening).await, Understood::Final("with Ana".into()));
    listening.sound.send(Sound::Pause).await.unwrap();
    assert_eq!(understood(&mut listening).await, Understood::Final(String::new()), "nothing was said since");
    drop(listening.sound);
    let asked = fakes.ended(Service::Stt).await;
    assert_eq!(asked.key.as_deref(), Some("Token hush"));
    assert_eq!(asked.sound, 3 * 32_000);
    assert_eq!(asked.asked.as_array().unwrap().last(), Some(&json!("CloseStream")));
    for part in ["model=m", "encoding=linear16", "sample_rate=16000", "interim_results=true", "language=en-US"] {
        assert!(asked.query.contains(part), "{}", asked.query);
    }
}

#[tokio::test]
async fn a_socket_that_breaks_is_opened_again_and_hears_everything() {
    let fakes = Fakes::start(Pace::quick()).await;
    fakes.will_hear("lost");
    fakes.will_hear("Book a meeting");
    fakes.fail(Service::Stt, Failure::Cut, 1);
    let mut listening = listen(&services(&fakes, true), None);
    say(&listening, 1).await;
    assert_eq!(understood(&mut listening).await, Understood::Final("Book a meeting".into()));
    assert_eq!(fakes.log(Service::Stt).iter().map(|one| one.sound).collect::<Vec<_>>(), [32_000, 32_000]);
}

#[tokio::test]
async fn a_text_becomes_its_sound() {
    for sockets in [false, true] {
        let fakes = Fakes::start(Pace::quick()).await;
        let manner = Manner { voice: Some("nova".into()), language: Some("en-US".into()), speed: Some(110) };
        let text = "You are free at ten.";
        let (samples, end) = speak(&services(&fakes, sockets), text, &manner).await;
        assert_eq!(end, Some(Spoken::Done));
        assert!(samples == spoken(text), "{} samples, sockets: {sockets}", samples.len());
        let asked = fakes.ended(Service::Tts).await;
        if sockets {
            assert_eq!(asked.key.as_deref(), Some("hush"));
            assert!(asked.query.starts_with("voice=nova&model_id=m&output_format=pcm_24000"), "{}", asked.query);
            assert_eq!(asked.asked[0]["voice_settings"]["speed"], 1.1);
        } else {
            assert_eq!(asked.asked["voice"], "nova");
            assert_eq!((&asked.asked["speed"], &asked.asked["response_format"]), (&json!(1.1), &json!("pcm")));
        }
    }
}

#[tokio::test]
async fn every_failure_of_a_voice_is_a_trouble_in_time() {
    let refused = Trouble::Refuses { service: "voice", reason: "402 failing on order".into() };
    for (failure, expected) in [
        (Failure::Status(500), Trouble::Away("voice")),
        (Failure::Status(402), refused),
        (Failure::Hang, Trouble::Slow("voice")),
        (Failure::Stall, Trouble::Slow("voice")),
        (Failure::Cut, Trouble::Away("voice")),
        (Failure::Rubbish, Trouble::Rubbish("voice")),
    ] {
        for sockets in [false, true] {
            let fakes = Fakes::start(Pace::quick()).await;
            fakes.fail(Service::Tts, failure, 9);
            let (_, end) = speak(&services(&fakes, sockets), "A text of some length.", &Manner::default()).await;
            assert_eq!(end, Some(Spoken::Failed(expected.clone())), "{failure:?}, sockets: {sockets}");
        }
    }
}

#[tokio::test]
async fn services_that_are_gone_are_troubles_too() {
    let gone = {
        let fakes = Fakes::start(Pace::quick()).await;
        services(&fakes, false)
    };
    // The stand-ins stop, and their port is free again.
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(answer(&gone, "Hello").await, [Written::Failed(Trouble::Away("language"))]);
    assert_eq!(speak(&gone, "Hello", &Manner::default()).await.1, Some(Spoken::Failed(Trouble::Away("voice"))));
}

/// The voice of the sandbox is a program that is not ours.
mod foreign {
    use super::*;

    #[tokio::test]
    async fn the_voice_without_a_key_speaks() {
        let fakes = Fakes::start(Pace::quick()).await;
        let settings = VoiceSettings { llm: Some(remote(&fakes.http())), ..VoiceSettings::default() };
        let services = Services::of(&settings).unwrap();
        if services.speaker.is_none() {
            return crate::support::lacks("espeak-ng", "scripts/setup-tests.sh espeak-ng");
        }
        let mut lengths = vec![];
        for speed in [None, Some(200)] {
            let manner = Manner { language: Some("de-DE".into()), speed, ..Manner::default() };
            let (samples, end) = speak(&services, "Guten Tag, wie geht es Ihnen heute? -v en --stdout", &manner).await;
            assert_eq!(end, Some(Spoken::Done));
            assert!(samples.iter().any(|sample| sample.unsigned_abs() > 3_000), "it is loud enough to be heard");
            lengths.push(samples.len());
        }
        assert!(lengths[0] > 2 * 24_000 && lengths[1] < lengths[0] * 2 / 3, "{lengths:?}");
        let (samples, end) = speak(&services, "…", &Manner::default()).await;
        assert_eq!(end, Some(Spoken::Done), "{} samples", samples.len());
    }
}

#[tokio::test]
async fn the_sandboxs_script_is_a_model_like_others() {
    let sandbox = Sandbox::start(sandbox::Options::new(clock::system())).await.unwrap();
    let (url, model) = sandbox.model();
    let llm = Remote { model: Some(model.into()), key: None, ..remote(&url) };
    let services = Services::of(&VoiceSettings { llm: Some(llm), ..VoiceSettings::default() }).unwrap();
    let written = answer(&services, "Hello").await;
    assert!(text_of(&written).contains("no language model"), "{written:?}");
    let parameters = json!({ "type": "object", "properties": {}, "required": [], "additionalProperties": false });
    let tool = Offered::new("google_calendar_list_meetings", "d", &parameters);
    let prompt = Prompt { tools: [tool].into(), ..prompt("What is on my calendar today?") };
    let written = all(services.model.answer(prompt)).await;
    assert!(
        matches!(&written[..], [Written::Call { tool, .. }, Written::Done] if tool.ends_with("list_meetings")),
        "{written:?}"
    );
}
