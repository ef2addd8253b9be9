//! The console in a real browser: what a person sees and clicks. The browser is driven over `WebDriver` by `chromedriver`.

#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod support;

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use support::{Home, lacks};

/// How long something may take to appear.
const PATIENCE: Duration = Duration::from_secs(20);

/// One browser.
struct Browser {
    driver: Child,
    http: reqwest::Client,
    session: String,
}

impl Browser {
    /// A fresh browser; `None` where this machine has none.
    async fn start() -> Option<Browser> {
        let mut driver = Command::new("chromedriver");
        let mut driver = driver.arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
        let said = BufReader::new(driver.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port =
            said.filter_map(|line| Some(line.split_once("successfully on port ")?.1.trim_end_matches('.').to_owned()));
        let port = { port }.next().expect("chromedriver says on which port it is");
        // A second time it is there already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut browser = Browser { driver, http, session: format!("http://127.0.0.1:{port}/session") };
        let options = json!({"args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=400,800"]});
        let wish =
            json!({"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}});
        let begun = browser.ask("POST", "", json!({"capabilities": {"alwaysMatch": wish}})).await;
        let id = begun["sessionId"].as_str().unwrap_or_else(|| panic!("{begun}"));
        browser.session.extend(["/", id]);
        Some(browser)
    }

    async fn ask(&self, method: &str, path: &str, body: Value) -> Value {
        let request = self.http.request(method.parse().unwrap(), format!("{}{path}", self.session));
        let request = if method == "POST" { request.json(&body) } else { request };
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        answer["value"].clone()
    }

    async fn open(&self, url: &str) {
        self.ask("POST", "/url", json!({"url": url})).await;
    }

    /// The element of that `XPath`, as soon as it is there.
    async fn find(&self, path: &str) -> String {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            let found = self.ask("POST", "/element", json!({"using": "xpath", "value": path})).await;
            if let Some(id) =
                found.as_object().filter(|one| !one.contains_key("error")).and_then(|one| one.values().next())
            {
                return id.as_str().unwrap().to_owned();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{path} is not on the page: {}", self.run("return document.body.innerText").await)
    }

    async fn click(&self, path: &str) {
        let element = self.find(path).await;
        let clicked = self.ask("POST", &format!("/element/{element}/click"), json!({})).await;
        assert!(clicked.is_null(), "{path}: {clicked}");
    }

    async fn run(&self, script: &str) -> Value {
        self.ask("POST", "/execute/sync", json!({"script": script, "args": []})).await
    }

    /// What the browser complained of: refused scripts and styles, failed requests.
    async fn complaints(&self) -> Vec<Value> {
        let log = self.ask("POST", "/se/log", json!({"type": "browser"})).await;
        log.as_array().cloned().unwrap_or_default()
    }

    async fn close(mut self) {
        self.ask("DELETE", "", Value::Null).await;
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn calendar(rest: &str) -> String {
    format!("//li[@data-integration='google-calendar']//{rest}")
}

#[tokio::test]
async fn two_clicks_connect_an_account_in_the_console() {
    let Some(browser) = Browser::start().await else {
        return lacks("chromedriver", "scripts/setup-tests.sh chromium");
    };
    let home = Home::new();
    let server = home.serve();
    let gone = home.command(&["disconnect", "google-calendar", "--sandbox"]).output().unwrap();
    assert!(gone.status.success());

    // 127.0.0.1 is sent on to the name under which vendors send browsers back.
    browser.open(&server.url("/")).await;
    browser.click(&calendar("button[text()='Connect']")).await;
    browser.click("//button[@value='approve']").await;
    browser.find(&calendar("span[@class='connected']")).await;
    browser.click(&calendar("button[text()='Test']")).await;
    browser.find("//p[@id='news'][contains(., 'works')]").await;

    let wide = browser.run("return document.documentElement.scrollWidth <= window.innerWidth").await;
    assert_eq!(wide, true, "nothing sticks out of a phone's screen");
    assert_eq!(browser.complaints().await, Vec::<Value>::new());
    browser.close().await;
}

#[tokio::test]
async fn what_waits_for_a_yes_is_approved_in_the_console() {
    let Some(browser) = Browser::start().await else {
        return lacks("chromedriver", "scripts/setup-tests.sh chromium");
    };
    let home = Home::new();
    let server = home.serve();
    let call = |tool: &str, arguments: &[&str]| {
        let arguments = [&["call", tool, "--sandbox", "--json"], arguments].concat();
        let output = home.command(&arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let booked =
        call("google_calendar_schedule_meeting", &["title=Zebra", "start=2031-03-05T10:00", "duration_minutes=30"]);
    let booked: Value = serde_json::from_str(&booked).unwrap_or_else(|_| panic!("{booked}"));
    let id = format!("event_id={}", booked["meeting"]["id"].as_str().unwrap());
    call("google_calendar_cancel_meeting", &[&id]);

    browser.open(&server.url("/")).await;
    browser.find("//ul[@id='approvals']//h3[contains(., 'Zebra')]").await;
    browser.click("//ul[@id='approvals']//button[text()='Approve']").await;
    browser.find("//ul[@id='approvals']/li[contains(., 'Nothing waits')]").await;
    let cancelled = call("google_calendar_cancel_meeting", &[&id]);
    assert!(cancelled.contains("Zebra"), "{cancelled}");
    browser.close().await;
}
