//! Calls to an agent from the page, and from Pipecat's own client.

use std::path::Path;

use serde_json::Value;

use crate::{
    driver::{Browser, DESK, ENTER, ESCAPE, PHONE},
    fakes::{Fakes, Pace, Reply, Service},
    support::{Home, Server, lacks, test_tool},
};

/// Types a sentence to the agent.
async fn type_words(browser: &Browser, words: &str) {
    browser.write("//input[@name='words'][not(@disabled)]", &format!("{words}{ENTER}")).await;
}

#[tokio::test]
async fn a_typed_conversation_books_a_meeting_and_asks_before_it_is_cancelled() {
    let Some(browser) = Browser::start(DESK).await else { return };
    let home = Home::new();
    let server = home.serve();
    browser.open(&server.url("/call")).await;
    browser.click("//button[contains(., 'Call')][contains(@class, 'dial')]").await;
    browser.find("//li[contains(@class, 'agent')]").await;

    type_words(&browser, "Book a meeting with Ana Ruiz tomorrow at 8 pm.").await;
    // Somebody new is to be invited, so that it asks.
    browser.click("//li[contains(@class, 'ask')][contains(., 'ana.ruiz')]//button[text()='Yes']").await;
    browser.find("//li[@data-tool='google_calendar_schedule_meeting'][contains(@class, 'done')]").await;
    type_words(&browser, "Cancel the meeting with Ana Ruiz tomorrow at 8 pm.").await;
    browser.click("//li[contains(@class, 'ask')][contains(., 'Cancel')]//button[text()='Yes']").await;
    browser.find("//li[contains(@class, 'answered')][contains(., 'Cancel')][contains(., 'You said yes')]").await;
    browser.find("//li[@data-tool='google_calendar_cancel_meeting'][contains(@class, 'done')]").await;
    browser.find("//figure[contains(@class, 'latency')][not(@hidden)]").await;

    // It goes on while another page is looked at.
    browser.click("//nav//a[@href='/audit']").await;
    browser.find("//tr[@data-outcome='ok'][contains(., 'cancel meeting')]").await;
    browser.click("//a[@id='return']").await;
    browser.find("//li[contains(@class, 'answered')]").await;
    browser.click("//button[@aria-label='Hang up']").await;
    browser.find("//p[contains(@class, 'state')][text()='The call is over']").await;
    browser.close().await;
}

#[tokio::test]
async fn the_page_tells_who_goes_on_with_a_call() {
    let Some(browser) = Browser::start(DESK).await else { return };
    let home = Home::new();
    let server = home.serve();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for name in ["desk", "sales"] {
        let voice = serde_json::json!({ "greeting": format!("This is {name}.") });
        let agent = serde_json::json!({ "name": name, "level": "read-only", "integrations": [], "voice": voice });
        let made = http.post(server.url("/api/v1/agents")).json(&agent).send().await.unwrap();
        assert_eq!(made.status(), 201, "{}", made.text().await.unwrap());
    }
    browser.open(&server.url("/call?agent=desk")).await;
    browser.click("//button[contains(@class, 'dial')]").await;
    browser.find("//h1[text()='desk']").await;
    type_words(&browser, "Transfer me to sales").await;
    browser.find("//li[contains(., 'You are put through to sales.')]").await;
    browser.find("//li[contains(@class, 'agent')][contains(., 'This is sales.')]").await;
    browser.find("//h1[text()='sales']").await;
    browser.close().await;
}

#[tokio::test]
async fn a_call_fits_a_phone() {
    let Some(browser) = Browser::start(PHONE).await else { return };
    let home = Home::new();
    let server = home.serve();
    browser.open(&server.url("/call")).await;
    browser.click("//button[contains(@class, 'dial')]").await;
    type_words(&browser, "What is on my calendar today?").await;
    browser.find("//li[contains(@class, 'tool')][contains(@class, 'done')]").await;
    let fits = "return document.documentElement.scrollWidth <= innerWidth && document.documentElement.scrollHeight <= innerHeight";
    assert_eq!(browser.run(fits).await, true);
    browser.press(&[ESCAPE, "x"]).await;
    browser.find("//p[contains(@class, 'state')][text()='The call is over']").await;
    browser.close().await;
}

/// Keeps the connections of a page, so that a test can look at them.
const KEEP_PEERS: &str = "
    window.peers = [];
    window.RTCPeerConnection = class extends RTCPeerConnection {
        constructor(...settings) { super(...settings); window.peers.push(this); }
    };
    window.energy = 0;
    setInterval(async () => {
        for (const peer of window.peers)
            for (const report of (await peer.getStats()).values())
                if (report.type === 'inbound-rtp') window.energy = report.totalAudioEnergy;
    }, 100);";

/// A recording for a microphone: a clip after three seconds of silence.
fn recording(home: &Home) -> String {
    let clip = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/voice/clips/meeting.wav");
    let mut clip = hound::WavReader::open(clip).unwrap();
    let (path, rate) = (home.path().join("said.wav"), clip.spec().sample_rate);
    let mut recording = hound::WavWriter::create(&path, clip.spec()).unwrap();
    let said: Vec<i16> = clip.samples().map(Result::unwrap).collect();
    for sample in vec![0; 3 * rate as usize].into_iter().chain(said) {
        recording.write_sample(sample).unwrap();
    }
    recording.finalize().unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_question_into_the_microphone_is_answered_in_sound() {
    let home = Home::new();
    let microphone = format!("--use-file-for-fake-audio-capture={}%noloop", recording(&home));
    let Some(browser) = Browser::start_with(DESK, &[&microphone]).await else { return };
    let fakes = Fakes::start(Pace::default()).await;
    let mut command = home.command(&["serve", "--sandbox", "--listen", "127.0.0.1:0"]);
    fakes.serve(&mut command);
    let server = Server::start(command);
    fakes.will_hear("What is on my calendar today?");
    fakes.will_answer(Reply::call("google_calendar_list_meetings", serde_json::json!({ "limit": 5 })));
    fakes.will_answer(Reply::text("Two meetings, the first one at ten."));
    browser.run_before(KEEP_PEERS).await;
    browser.open(&server.url("/call")).await;
    browser.click("//button[contains(@class, 'dial')]").await;
    browser.find("//li[contains(@class, 'agent')][contains(., 'How can I help')]").await;
    browser.find("//li[contains(@class, 'you')][contains(., 'What is on my calendar today?')]").await;
    browser.find("//li[@data-tool='google_calendar_list_meetings'][contains(@class, 'done')]").await;
    let before = browser.run("return window.energy").await.as_f64().unwrap();
    browser.find("//li[contains(@class, 'agent')][contains(., 'the first one at ten.')]").await;
    browser.find("//p[contains(@class, 'state')][text()='Listening']").await;
    let after = browser.run("return window.energy").await.as_f64().unwrap();
    assert!(after > before && before > 0.0, "the greeting and the answer are heard: {before}, {after}");
    let heard = fakes.log(Service::Stt).pop().expect("speech was recognised");
    assert!(heard.sound > 32_000, "a second of speech or more came from the microphone: {} bytes", heard.sound);
    browser.close().await;
}

/// What a browser with recognition and a voice of its own brings: it hears one question, and notes what it speaks.
const OWN_EARS_AND_VOICE: &str = "
    window.SpeechRecognition = class extends EventTarget {
        start() {
            if (window.hasHeard) return;
            window.hasHeard = true;
            const result = Object.assign([{ transcript: ' What is on my calendar today? ' }], { isFinal: true });
            const heard = Object.assign(new Event('result'), { results: [result], resultIndex: 0 });
            setTimeout(() => this.dispatchEvent(heard), 300);
        }
        abort() {}
    };
    window.SpeechSynthesisUtterance = class extends EventTarget {
        constructor(text) { super(); this.text = text; }
    };
    window.spoken = [];
    Object.defineProperty(window, 'speechSynthesis', { value: {
        cancel() {},
        speak(utterance) {
            window.spoken.push(utterance.text);
            utterance.dispatchEvent(new Event('start'));
            setTimeout(() => utterance.dispatchEvent(new Event('end')), 100);
        },
    } });";

#[tokio::test]
async fn a_browsers_own_recognition_and_voice_need_no_service() {
    let Some(browser) = Browser::start(DESK).await else { return };
    let home = Home::new();
    let mut command = home.command(&["serve", "--sandbox", "--listen", "127.0.0.1:0"]);
    // No program that speaks is found.
    command.env("PATH", home.path());
    let server = Server::start(command);
    browser.run_before(OWN_EARS_AND_VOICE).await;
    browser.open(&server.url("/call")).await;
    browser.click("//input[@name='listens']").await;
    browser.click("//button[contains(@class, 'dial')]").await;
    browser.find("//li[contains(@class, 'you')][contains(., 'What is on my calendar today?')]").await;
    browser.find("//li[@data-tool='google_calendar_list_meetings'][contains(@class, 'done')]").await;
    browser.find("//p[contains(@class, 'state')][text()='Listening']").await;
    let spoken = browser.run("return window.spoken.join(' ')").await;
    let spoken = spoken.as_str().unwrap();
    assert!(spoken.contains("How can I help you?") && spoken.contains("meeting"), "{spoken}");
    browser.close().await;
}

/// Pipecat's client connects, hears the greeting, and is answered.
const PIPECAT: &str = "
    window.told = [];
    window.failed = undefined;
    (async () => {
        const { PipecatClient, SmallWebRTCTransport, WavMediaManager } = Pipecat;
        const tell = (kind) => (data) => window.told.push([kind, data]);
        const client = new PipecatClient({
            transport: new SmallWebRTCTransport({ mediaManager: new WavMediaManager() }),
            enableMic: true,
            enableCam: false,
            callbacks: {
                onBotReady: tell('ready'), onBotLlmText: tell('text'), onBotTtsText: tell('spoken'), onBotOutput: tell('output'),
                onLLMFunctionCallInProgress: tell('call'), onLLMFunctionCallStopped: tell('called'), onError: tell('error'),
            },
        });
        window.client = client;
        await client.startBotAndConnect({ endpoint: location.origin + '/start', requestData: { transport: 'webrtc' } });
    })().catch((error) => { window.failed = String(error?.message ?? error); });";

/// Waits until the client was told something of that kind, as often as that.
async fn told(browser: &Browser, kind: &str, times: usize) -> Vec<Value> {
    for _ in 0..600 {
        let (told, failed) = (browser.run("return window.told").await, browser.run("return window.failed").await);
        assert!(failed.is_null(), "{failed}: {told}\n{:?}", browser.complaints().await);
        let of_kind = told.as_array().into_iter().flatten().filter(|one| one[0] == kind);
        let of_kind: Vec<Value> = of_kind.map(|one| one[1].clone()).collect();
        if of_kind.len() >= times {
            return of_kind;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("no {kind}: {}\n{:?}", browser.run("return window.told").await, browser.complaints().await)
}

#[tokio::test]
async fn pipecats_own_client_gets_a_greeting_and_an_answer() {
    let Some(browser) = Browser::start(DESK).await else { return };
    let Some(script) = test_tool("pipecat-web/pipecat.js") else {
        return lacks("Pipecat's client for browsers", "scripts/setup-tests.sh pipecat-web");
    };
    let home = Home::new();
    let server = home.serve();
    // A page of the same origin that forbids nothing: the client makes scripts of its own.
    browser.open(&server.url("/healthz").replace("127.0.0.1", "localhost")).await;
    let script = std::fs::read_to_string(script).unwrap();
    browser.run(&format!("{script}\nwindow.Pipecat = Pipecat;")).await;
    browser.run(PIPECAT).await;
    let ready = told(&browser, "ready", 1).await;
    assert_eq!(ready[0]["version"], "2.2.0", "{ready:?}");
    told(&browser, "text", 1).await;

    browser.run("window.told = []; window.client.sendText('What is on my calendar today?');").await;
    let calls = told(&browser, "call", 1).await;
    assert_eq!(calls[0]["function_name"], "google_calendar_list_meetings", "{calls:?}");
    told(&browser, "called", 1).await;
    told(&browser, "text", 1).await;
    browser.run("window.client.disconnect()").await;
    browser.quit().await;
}
