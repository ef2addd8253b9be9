//! An account goes to nobody whom its person was not told about: a consent ends in the browser that began it, or on a
//! page that says whose account it becomes and asks.

use reqwest::{StatusCode, Url, header};
use serde_json::{Value, json};

use crate::{
    client::http,
    office::{Answer, Office},
};

const START: &str = "/api/v1/integrations/oauth/start";
const CONFIRM: &str = "/api/v1/integrations/oauth/confirm";

fn wish(account: &str) -> Value {
    json!({ "integration": "google-calendar", "account": account })
}

impl Office {
    /// Begins as a program does: with a token, and without a browser.
    async fn start(&self, token: &str, account: &str) -> String {
        let started = self.post(token, START, wish(account)).await;
        assert!(started.header("set-cookie").is_empty(), "a program is not a browser: {started:?}");
        started.json(200)["authorize_url"].as_str().unwrap().to_owned()
    }

    /// What somebody sees who was sent back by the vendor, in a browser that knows nothing of it.
    async fn arrive(&self, authorize_url: &str) -> Answer {
        Answer::of(http().get(agreed(authorize_url).await)).await
    }

    /// Sends the form of the page.
    async fn say(&self, page: &Answer, cookie: &str, origin: &str, decision: &str) -> Answer {
        let form = [("ticket", &*ticket(page)), ("decision", decision)];
        let request = http().post(self.url(CONFIRM)).form(&form).header(header::ORIGIN, origin);
        let request = if cookie.is_empty() { request } else { request.header(header::COOKIE, cookie) };
        Answer::of(request).await
    }
}

/// Agrees at the twin; the answer is where the browser is sent.
async fn agreed(authorize_url: &str) -> String {
    let mut url: Url = authorize_url.parse().unwrap();
    let mut form: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    form.push(("decision".to_owned(), "approve".to_owned()));
    url.set_path(&format!("{}/approve", url.path()));
    url.set_query(None);
    let sent = Answer::of(http().post(url).form(&form)).await;
    sent.header("location").to_owned()
}

#[track_caller]
fn ticket(page: &Answer) -> String {
    let ticket = page.text.split_once("name=\"ticket\" value=\"").and_then(|(_, rest)| rest.split_once('"'));
    ticket.unwrap_or_else(|| panic!("it does not ask: {page:?}")).0.to_owned()
}

/// The page names whose it becomes, at which vendor and as what, and cannot be framed, kept or scripted.
#[track_caller]
fn asks(page: &Answer, person: &str, account: &str) {
    for words in [person, "Google Calendar", &format!("<code>{account}</code>"), "No, give nothing"] {
        page.says(StatusCode::OK, words);
    }
    assert_eq!((page.header("x-frame-options"), page.header("cache-control")), ("DENY", "no-store"), "{page:?}");
    let policy = page.header("content-security-policy");
    assert!(policy.contains("frame-ancestors 'none'") && policy.contains("default-src 'none'"), "{policy}");
    let cookie = page.header("set-cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
}

#[tokio::test]
async fn whoever_opens_a_link_is_told_whose_account_it_becomes() {
    let office = Office::open();
    let (id, ana) = office.person("Ana <b>", false).await;
    let whose = format!("Ana &lt;b&gt; ({id})");

    // However it was begun without the browser that ends it: by a program, or under another name of this server.
    let address = office.target.server.url(START);
    let other_name = http().post(&address).bearer_auth(&ana).header(header::ORIGIN, office.target.server.url(""));
    let other_name = Answer::of(other_name.json(&wish("named"))).await.json(200);
    let by_other_name = other_name["authorize_url"].as_str().unwrap().to_owned();
    for (account, url) in [("program", office.start(&ana, "program").await), ("named", by_other_name)] {
        let page = office.arrive(&url).await;
        asks(&page, &whose, account);
        assert!(!office.accounts(&ana).await.contains(&account.to_owned()), "nothing is given before a yes");
        let no = office.say(&page, &page.cookie(), &office.origin(), "refuse").await;
        no.says(StatusCode::OK, "Nobody got access");
        let late = office.say(&page, &page.cookie(), &office.origin(), "connect").await;
        assert_eq!(late.status, 400, "a no is the end: {late:?}");
        assert!(office.accounts(&ana).await.is_empty());
    }

    let page = office.arrive(&office.start(&ana, "work").await).await;
    let yes = office.say(&page, &page.cookie(), &office.origin(), "connect").await;
    yes.says(StatusCode::OK, "Google Calendar is connected");
    assert_eq!(office.accounts(&ana).await, ["work"]);
    assert!(!office.accounts(&office.administrator).await.contains(&"work".to_owned()));
}

#[tokio::test]
async fn the_page_is_answered_once_by_the_browser_that_saw_it() {
    let office = Office::open();
    let own = office.origin();
    let url = agreed(&office.start(&office.administrator, "second").await).await;
    let page = Answer::of(http().get(&url)).await;
    let cookie = page.cookie();
    let foreign = format!("switchboard_browser={}", "x".repeat(43));
    for (cookie, origin, status) in [
        ("", &*own, 403),
        (&*cookie, "http://evil.example.com", 403),
        (&*cookie, "http://localhost:1", 403),
        (&*cookie, "null", 403),
        (&*foreign, &*own, 400),
    ] {
        let refused = office.say(&page, cookie, origin, "connect").await;
        assert_eq!(refused.status, status, "{cookie} {origin}: {refused:?}");
    }
    let without = http().post(office.url(CONFIRM)).form(&[("ticket", ticket(&page)), ("decision", "connect".into())]);
    assert_eq!(Answer::of(without.header(header::COOKIE, &cookie)).await.status, 403, "a browser says where it is");
    let forged = http().post(office.url(CONFIRM)).form(&[("ticket", "a.b"), ("decision", "connect")]);
    let forged = forged.header(header::COOKIE, &cookie).header(header::ORIGIN, &own);
    assert_eq!(Answer::of(forged).await.status, 400);
    // Somebody else who knows the address does not take the page over; whoever was asked may look again.
    assert_eq!(Answer::of(http().get(&url)).await.status, 400);
    let again = Answer::of(http().get(&url).header(header::COOKIE, &cookie)).await;
    assert_ne!(ticket(&again), ticket(&page), "a page that is shown anew has a ticket of its own");
    assert_eq!(office.say(&page, &cookie, &own, "connect").await.status, 400);
    assert_eq!(office.accounts(&office.administrator).await, ["default"], "none of that connected anything");

    office.say(&again, &cookie, &own, "connect").await.says(StatusCode::OK, "is connected");
    assert_eq!(office.say(&again, &cookie, &own, "connect").await.status, 400, "it is good once");
    assert_eq!(office.accounts(&office.administrator).await, ["default", "second"]);
}

#[tokio::test]
async fn a_consent_that_a_browser_began_ends_nowhere_else() {
    let office = Office::open();
    let start = http().post(office.url(START)).bearer_auth(&office.administrator).json(&wish("own"));
    let started = Answer::of(start.header(header::ORIGIN, office.origin())).await;
    let back = agreed(started.json(200)["authorize_url"].as_str().unwrap()).await;
    let victim = Answer::of(http().get(&back)).await;
    assert!(victim.status == 400 && !victim.text.contains("<form"), "{victim:?}");
    assert_eq!(office.accounts(&office.administrator).await, ["default"]);
    let own = Answer::of(http().get(&back).header(header::COOKIE, started.cookie())).await;
    own.says(StatusCode::OK, "is connected");
}

#[tokio::test]
async fn an_answer_that_does_not_name_the_issuer_is_refused() {
    let office = Office::open();
    for change in [None, Some(""), Some("https://evil.example.com")] {
        let mut back: Url = agreed(&office.start(&office.administrator, "other").await).await.parse().unwrap();
        let pairs: Vec<(String, String)> = back.query_pairs().into_owned().collect();
        assert!(pairs.iter().any(|(name, _)| name == "iss"), "the twin says who it is");
        back.query_pairs_mut().clear().extend_pairs(pairs.iter().filter(|(name, _)| name != "iss"));
        if let Some(other) = change {
            back.query_pairs_mut().append_pair("iss", other);
        }
        let refused = Answer::of(http().get(back)).await;
        assert!(refused.status == 400 && !refused.text.contains("<form"), "{change:?}: {refused:?}");
    }
    assert_eq!(office.accounts(&office.administrator).await, ["default"]);
}

#[tokio::test]
async fn the_consents_of_somebody_who_was_removed_end_with_them() {
    let office = Office::open();
    let (id, ana) = office.person("Ana", false).await;
    let asked = office.arrive(&office.start(&ana, "asked").await).await;
    ticket(&asked);
    let begun = agreed(&office.start(&ana, "begun").await).await;
    let gone = office.ask(&office.administrator, "DELETE", &format!("/api/v1/users/{id}"), &Value::Null).await;
    assert_eq!(gone.status, 204, "{gone:?}");
    let late = office.say(&asked, &asked.cookie(), &office.origin(), "connect").await;
    assert!(late.status == 400 && !late.text.contains("is connected"), "{late:?}");
    let late = Answer::of(http().get(begun)).await;
    assert!(late.status == 400 && !late.text.contains("<form"), "{late:?}");
}
