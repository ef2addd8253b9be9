//! Calls to an agent from the page, and from Pipecat's own client.

use serde_json::Value;

use crate::{
    driver::{Browser, DESK, ENTER, ESCAPE, PHONE},
    support::{Home, lacks, test_tool},
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
    type_words(&browser, "Cancel the meeting with Ana Ruiz tomorrow.").await;
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
}
