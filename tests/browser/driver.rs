//! A real browser, driven over `WebDriver` by `chromedriver`.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::lacks;

/// How long something may take to appear.
const PATIENCE: Duration = Duration::from_secs(30);
/// What every browser is started with. The microphone is a machine's that beeps, and nobody is asked for it.
const FLAGS: &[&str] = &[
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
];
/// The width and height of a phone.
pub const PHONE: (u32, u32) = (390, 844);
/// The width and height of a desk.
pub const DESK: (u32, u32) = (1200, 850);

/// Keys that write nothing, as `WebDriver` names them.
pub const TAB: &str = "\u{e004}";
pub const ENTER: &str = "\u{e007}";
pub const SPACE: &str = " ";
pub const ESCAPE: &str = "\u{e00c}";
pub const CONTROL: &str = "\u{e009}";

/// How `WebDriver` marks an element in JSON.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// One browser.
pub struct Browser {
    driver: Child,
    http: reqwest::Client,
    session: String,
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

impl Browser {
    /// A fresh browser of that size; `None`, said loudly, where this machine has none.
    pub async fn start(size: (u32, u32)) -> Option<Browser> {
        Browser::start_with(size, &[]).await
    }

    /// The same with further flags.
    pub async fn start_with(size: (u32, u32), more: &[&str]) -> Option<Browser> {
        let browser = Browser::launch(size, more).await;
        if browser.is_none() {
            lacks("chromedriver", "scripts/setup-tests.sh chromium");
        }
        browser
    }

    async fn launch((width, height): (u32, u32), more: &[&str]) -> Option<Browser> {
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
        let size = format!("--window-size={width},{height}");
        let flags: Vec<&str> = FLAGS.iter().chain(more).copied().chain([&*size]).collect();
        let wish = json!({
            "browserName": "chrome",
            "goog:chromeOptions": { "args": flags },
            "goog:loggingPrefs": { "browser": "ALL" },
            // The console never asks whether it may be left, but for a page with changes and a call.
            "unhandledPromptBehavior": "accept",
        });
        let begun = browser.ask("POST", "", json!({"capabilities": {"alwaysMatch": wish}})).await;
        let id = begun["sessionId"].as_str().unwrap_or_else(|| panic!("{begun}"));
        browser.session.extend(["/", id]);
        Some(browser)
    }

    pub async fn ask(&self, method: &str, path: &str, body: Value) -> Value {
        let request = self.http.request(method.parse().unwrap(), format!("{}{path}", self.session));
        let request = if method == "POST" { request.json(&body) } else { request };
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        answer["value"].clone()
    }

    pub async fn open(&self, url: &str) {
        let opened = self.ask("POST", "/url", json!({"url": url})).await;
        assert!(opened.is_null(), "{url}: {opened}");
    }

    /// Where it is.
    pub async fn address(&self) -> String {
        self.run("return location.href").await.as_str().unwrap().to_owned()
    }

    /// The element of that `XPath`, as soon as it is there.
    pub async fn find(&self, path: &str) -> String {
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
        let page = self.run("return location.href + '\\n' + document.body.innerText").await;
        panic!("{path} is not on the page: {page}\n{:?}", self.complaints().await)
    }

    /// The text of the element of that `XPath`.
    pub async fn text(&self, path: &str) -> String {
        let element = self.find(path).await;
        self.ask("GET", &format!("/element/{element}/text"), Value::Null).await.as_str().unwrap().to_owned()
    }

    /// Clicks the element of that `XPath`, also where a page is still about to be drawn again.
    pub async fn click(&self, path: &str) {
        let began = Instant::now();
        loop {
            let element = self.find(path).await;
            // A person scrolls until nothing lies over it.
            let scroll =
                json!({ "script": "arguments[0].scrollIntoView({ block: 'center' })", "args": [{ ELEMENT: element }] });
            self.ask("POST", "/execute/sync", scroll).await;
            let clicked = self.ask("POST", &format!("/element/{element}/click"), json!({})).await;
            if clicked.is_null() {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "{path}: {clicked}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Types into the element of that `XPath`.
    pub async fn write(&self, path: &str, text: &str) {
        let element = self.find(path).await;
        let written = self.ask("POST", &format!("/element/{element}/value"), json!({ "text": text })).await;
        assert!(written.is_null(), "{path}: {written}");
    }

    /// Presses keys one after the other, wherever the focus is.
    pub async fn press(&self, keys: &[&str]) {
        let actions = keys.iter().flat_map(|key| [("keyDown", *key), ("keyUp", *key)]);
        self.act(&actions.collect::<Vec<_>>()).await;
    }

    /// Presses a key while another one is held.
    pub async fn press_with(&self, held: &str, key: &str) {
        self.act(&[("keyDown", held), ("keyDown", key), ("keyUp", key), ("keyUp", held)]).await;
    }

    async fn act(&self, actions: &[(&str, &str)]) {
        let actions: Vec<Value> = actions.iter().map(|(kind, key)| json!({ "type": kind, "value": key })).collect();
        let acted = json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": actions }] });
        let acted = self.ask("POST", "/actions", acted).await;
        assert!(acted.is_null(), "{acted}");
    }

    /// Presses the tabulator until the focus is on something with these words.
    pub async fn tab_to(&self, words: &str) {
        const FOCUSED: &str = "const one = document.activeElement; \
            return one.textContent.trim() || one.getAttribute('aria-label') || one.name || ''";
        let mut passed = Vec::new();
        for _ in 0..60 {
            self.press(&[TAB]).await;
            let focused = self.run(FOCUSED).await.as_str().unwrap_or_default().to_owned();
            if focused.starts_with(words) {
                return;
            }
            passed.push(focused);
        }
        panic!("the tabulator does not come to {words:?}: {passed:?}")
    }

    pub async fn run(&self, script: &str) -> Value {
        self.ask("POST", "/execute/sync", json!({"script": script, "args": []})).await
    }

    /// Runs a script on every page that is opened from now on, before its own.
    #[cfg(feature = "voice")]
    pub async fn run_before(&self, script: &str) {
        let told = json!({ "cmd": "Page.addScriptToEvaluateOnNewDocument", "params": { "source": script } });
        let told = self.ask("POST", "/goog/cdp/execute", told).await;
        assert!(told["identifier"].is_string(), "{told}");
    }

    /// Light or dark, as the browser tells pages.
    pub async fn prefer(&self, scheme: &str) {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        let told = json!({ "cmd": "Emulation.setEmulatedMedia", "params": features });
        self.ask("POST", "/goog/cdp/execute", told).await;
    }

    /// A picture of what is to be seen, as PNG in base64.
    pub async fn picture(&self) -> String {
        self.ask("GET", "/screenshot", Value::Null).await.as_str().unwrap().to_owned()
    }

    /// What the browser complained of: refused scripts and styles, failed requests.
    pub async fn complaints(&self) -> Vec<Value> {
        let log = self.ask("POST", "/se/log", json!({"type": "browser"})).await;
        log.as_array().cloned().unwrap_or_default()
    }

    /// Ends it, and makes sure that nothing on its pages was refused or went wrong.
    pub async fn close(self) {
        let complaints = self.complaints().await;
        self.quit().await;
        assert_eq!(complaints, Vec::<Value>::new());
    }

    /// Ends it, whatever went wrong on its pages. Without this the browser stays when its driver goes.
    pub async fn quit(self) {
        self.ask("DELETE", "", Value::Null).await;
    }
}
