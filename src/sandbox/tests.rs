//! The sandbox from outside: over the wire, as an integration meets it.

use jiff::SignedDuration;
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::*;
use crate::clock::ManualClock;

const EVENTS: &str = "https://www.googleapis.com/auth/calendar.events";
const READONLY: &str = "https://www.googleapis.com/auth/calendar.readonly";

/// A sandbox on a Monday morning, its clock, and a client that is connected to the calendar.
pub(super) struct Fixture {
    pub(super) sandbox: Sandbox,
    pub(super) clock: Arc<ManualClock>,
    client: reqwest::Client,
    base: String,
    token: String,
}

impl Fixture {
    pub(super) async fn new() -> Self {
        Fixture::with(None, &[EVENTS, READONLY]).await
    }

    pub(super) async fn with(dir: Option<&Path>, scopes: &[&str]) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let clock = ManualClock::at("2026-11-23T07:00:00Z".parse().unwrap());
        let mut options = Options::new(clock.clone());
        options.dir = dir.map(Path::to_owned);
        let sandbox = Sandbox::start(options).await.unwrap();
        let base = sandbox.endpoint("google-calendar").unwrap().base_url;
        let token = sandbox.grant("google-calendar", scopes).await.unwrap().access.expose().to_owned();
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Fixture { sandbox, clock, client, base, token }
    }

    pub(super) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.base);
        self.client.request(method, url).bearer_auth(&self.token)
    }

    pub(super) async fn get(&self, path: &str) -> (StatusCode, Value) {
        answer(self.request(Method::GET, path)).await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        answer(self.request(Method::POST, path).json(&body)).await
    }
}

pub(super) async fn answer(request: reqwest::RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.unwrap();
    let (status, text) = (response.status(), response.text().await.unwrap());
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

pub(super) fn meeting() -> Value {
    json!({
        "summary": "Lunch",
        "start": {"dateTime": "2026-11-23T12:30:00+01:00"},
        "end": {"dateTime": "2026-11-23T13:30:00+01:00"},
    })
}

#[tokio::test]
async fn what_is_booked_is_busy_afterwards() {
    let fixture = Fixture::new().await;
    let question = json!({
        "timeMin": "2026-11-23T12:15:00+01:00", "timeMax": "2026-11-23T13:45:00+01:00",
        "timeZone": "Europe/Berlin", "items": [{"id": "primary"}],
    });
    let (status, before) = fixture.post("/freeBusy", question.clone()).await;
    assert_eq!(status, 200, "{before}");
    assert_eq!(before["calendars"]["primary"]["busy"], json!([]));
    let (status, event) = fixture.post("/calendars/primary/events", meeting()).await;
    assert_eq!(status, 200, "{event}");
    let (_, after) = fixture.post("/freeBusy", question).await;
    let block = json!({"start": "2026-11-23T12:30:00+01:00", "end": "2026-11-23T13:30:00+01:00"});
    assert_eq!(after["calendars"]["primary"]["busy"], json!([block]));
}

pub(super) fn reason(body: &Value) -> &str {
    body["error"]["errors"][0]["reason"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn everything_unknown_is_refused_in_the_vendors_shape() {
    let fixture = Fixture::new().await;
    assert_eq!(fixture.get("/calendar/primary").await.0, 404);
    assert_eq!(answer(fixture.request(Method::DELETE, "/freeBusy")).await.0, 404);

    let (status, body) = fixture.get("/calendars/primary/events?singleEvent=true").await;
    assert_eq!((status.as_u16(), reason(&body)), (400, "badRequest"));
    assert!(body["error"]["message"].as_str().unwrap().contains("singleEvent"), "{body}");

    let (status, body) = fixture.get("/calendars/primary/events?maxResults=many").await;
    assert_eq!((status.as_u16(), reason(&body)), (400, "invalidParameter"));

    let (status, body) = fixture.get("/calendars/primary/events?timeMin=2026-11-23T00:00:00").await;
    assert_eq!((status.as_u16(), reason(&body)), (400, "invalidParameter"));

    let mut event = meeting();
    event["attendees"] = json!([{"mail": "ana.ruiz@northwind.example"}]);
    let (status, body) = fixture.post("/calendars/primary/events", event).await;
    assert_eq!((status.as_u16(), reason(&body)), (400, "badRequest"));
    assert!(body["error"]["message"].as_str().unwrap().contains("attendees[0].mail"), "{body}");

    let mut event = meeting();
    event["summary"] = json!(7);
    let (status, body) = fixture.post("/calendars/primary/events", event).await;
    assert_eq!((status.as_u16(), reason(&body)), (400, "invalid"));

    let text = fixture.request(Method::POST, "/calendars/primary/events").body("{}");
    let (status, body) = answer(text).await;
    assert_eq!((status.as_u16(), reason(&body)), (400, "parseError"));

    let (status, body) = fixture.post("/calendars/primary/events/quickAdd?text=x", json!({})).await;
    assert_eq!((status.as_u16(), reason(&body)), (400, "badRequest"));
    assert!(fixture.sandbox.diff().vendors.is_empty(), "a refused write changes nothing");
}

#[tokio::test]
async fn credentials_are_checked_for_being_there_good_fresh_and_wide_enough() {
    let fixture = Fixture::with(None, &[READONLY]).await;
    let url = format!("{}/calendars/primary/events", fixture.base);
    let (status, body) = answer(fixture.client.get(&url)).await;
    assert_eq!((status.as_u16(), reason(&body)), (401, "required"));
    let (status, body) = answer(fixture.client.get(&url).bearer_auth("made-up")).await;
    assert_eq!((status.as_u16(), reason(&body)), (401, "authError"));
    assert_eq!(body["error"]["status"], "UNAUTHENTICATED");

    let (status, body) = fixture.post("/calendars/primary/events", meeting()).await;
    assert_eq!((status.as_u16(), reason(&body)), (403, "insufficientPermissions"));

    assert_eq!(fixture.get("/calendars/primary/events").await.0, 200);
    fixture.clock.advance(SignedDuration::from_secs(3599));
    assert_eq!(fixture.get("/calendars/primary/events").await.0, 200);
    fixture.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(fixture.get("/calendars/primary/events").await.0, 401);
}

#[tokio::test]
async fn expire_ends_the_access_token_and_revoke_the_grant() {
    let fixture = Fixture::new().await;
    let grant = fixture.sandbox.grant("google-calendar", &[READONLY]).await.unwrap();
    fixture.sandbox.expire("google-calendar").await.unwrap();
    assert_eq!(fixture.get("/colors").await.0, 401);
    let refresh = grant.refresh.unwrap();
    let pairs = [("grant_type", "refresh_token"), ("refresh_token", refresh.expose())];
    let (status, renewed) = token(&fixture, &pairs).await;
    assert_eq!(status, 200, "{renewed}");
    assert_eq!(renewed.get("refresh_token"), None, "Google keeps the refresh token");
    let renewed = renewed["access_token"].as_str().unwrap();
    let colors = fixture.client.get(format!("{}/colors", fixture.base)).bearer_auth(renewed);
    assert_eq!(answer(colors).await.0, 200);
    fixture.sandbox.revoke("google-calendar").await.unwrap();
    let (status, refused) = token(&fixture, &pairs).await;
    assert_eq!((status.as_u16(), &refused["error"]), (400, &json!("invalid_grant")));
    fixture.sandbox.fault("google", "500:1").unwrap();
    let (status, refused) = token(&fixture, &pairs).await;
    assert_eq!((status.as_u16(), &refused["error"]), (500, &json!("internal_failure")));
    assert_eq!(fixture.sandbox.count("google", "oauth.refresh").unwrap(), 3);
}

async fn token(fixture: &Fixture, pairs: &[(&str, &str)]) -> (StatusCode, Value) {
    let endpoint = fixture.sandbox.endpoint("google-calendar").unwrap();
    let request = fixture.client.post(&endpoint.token_url).form(pairs);
    answer(request.basic_auth(&endpoint.client_id, Some(endpoint.client_secret.expose()))).await
}

const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters-1";
const REDIRECT: &str = "http://127.0.0.1:7411/api/v1/integrations/oauth/callback";

fn authorize_url(endpoint: &Endpoint, extra: &[(&str, &str)]) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use sha2::{Digest, Sha256};
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let usual = [
        ("client_id", endpoint.client_id.as_str()),
        ("redirect_uri", REDIRECT),
        ("response_type", "code"),
        ("scope", READONLY),
        ("state", "a state"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
        ("access_type", "offline"),
        ("prompt", "consent"),
    ];
    let kept = usual.iter().filter(|(name, _)| extra.iter().all(|(other, _)| other != name));
    let pairs = kept.chain(extra).filter(|(_, value)| !value.is_empty());
    url::Url::parse_with_params(&endpoint.authorize_url, pairs).unwrap().into()
}

fn pairs_of(url: &str) -> BTreeMap<String, String> {
    url::Url::parse(url).unwrap().query_pairs().into_owned().collect()
}

#[tokio::test]
async fn a_browser_connects_in_three_steps() {
    let fixture = Fixture::new().await;
    let endpoint = fixture.sandbox.endpoint("google-calendar").unwrap();
    let url = authorize_url(&endpoint, &[]);
    let page = fixture.client.get(&url).send().await.unwrap();
    assert_eq!(page.status(), 200);
    let page = page.text().await.unwrap();
    assert!(page.contains("action=\"/o/oauth2/v2/auth/approve\"") && page.contains(READONLY), "{page}");

    let (approve, query) = url.split_once('?').unwrap();
    let form = fixture.client.post(format!("{approve}/approve")).body(format!("{query}&decision=approve"));
    let back = form.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
    assert_eq!(back.status(), 302);
    let back = back.headers()["location"].to_str().unwrap().to_owned();
    assert!(back.starts_with(REDIRECT), "{back}");
    let answered = pairs_of(&back);
    assert_eq!(answered["state"], "a state");
    assert_eq!(Some(&answered["iss"]), endpoint.issuer.as_ref());

    let trade = [
        ("grant_type", "authorization_code"),
        ("code", answered["code"].as_str()),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    let (status, granted) = token(&fixture, &trade).await;
    assert_eq!(status, 200, "{granted}");
    assert_eq!((&granted["expires_in"], &granted["scope"]), (&json!(3600), &json!(READONLY)));
    assert!(granted["refresh_token"].is_string());

    let (status, again) = token(&fixture, &trade).await;
    assert_eq!((status.as_u16(), &again["error"]), (400, &json!("invalid_grant")));
    let access = granted["access_token"].as_str().unwrap();
    let colors = fixture.client.get(format!("{}/colors", fixture.base)).bearer_auth(access);
    assert_eq!(answer(colors).await.0, 401, "a code that is used twice takes its grant with it");
}

#[tokio::test]
async fn a_refresh_token_takes_offline_access_and_consent() {
    let fixture = Fixture::new().await;
    let endpoint = fixture.sandbox.endpoint("google-calendar").unwrap();
    for (extra, expected) in [(("prompt", ""), false), (("access_type", ""), false), (("nonce", "n"), true)] {
        let back = fixture.sandbox.approve("google-calendar", &authorize_url(&endpoint, &[extra])).await.unwrap();
        let code = pairs_of(&back)["code"].clone();
        let trade = [("code", code.as_str()), ("redirect_uri", REDIRECT), ("code_verifier", VERIFIER)];
        let trade: Vec<_> = [("grant_type", "authorization_code")].into_iter().chain(trade).collect();
        let (_, granted) = token(&fixture, &trade).await;
        assert_eq!(granted["refresh_token"].is_string(), expected, "{extra:?}");
    }
}

#[tokio::test]
async fn the_consent_page_refuses_what_is_not_right() {
    let fixture = Fixture::new().await;
    let endpoint = fixture.sandbox.endpoint("google-calendar").unwrap();
    for (extra, error) in [
        (("client_id", "someone-else"), "invalid_client"),
        (("redirect_uri", "https://evil.example/callback"), "redirect_uri_mismatch"),
        (("redirect_uri", "http://localhost.evil.example/"), "redirect_uri_mismatch"),
        (("response_type", "token"), "unsupported_response_type"),
        (("scope", "everything"), "invalid_scope"),
        (("scope", ""), "invalid_request"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("code_challenge", "short"), "invalid_request"),
        (("acces_type", "offline"), "invalid_request"),
    ] {
        let page = fixture.client.get(authorize_url(&endpoint, &[extra])).send().await.unwrap();
        assert_eq!(page.status(), 400, "{extra:?}");
        let page = page.text().await.unwrap();
        assert!(page.contains(error), "{extra:?}: {page}");
    }
    let denied = authorize_url(&endpoint, &[]) + "&decision=deny";
    let back = fixture.sandbox.approve("google-calendar", &denied).await.unwrap();
    let answered = pairs_of(&back);
    assert_eq!((answered["error"].as_str(), answered.get("code")), ("access_denied", None));
}

#[tokio::test]
async fn the_token_endpoint_says_what_is_wrong() {
    let fixture = Fixture::new().await;
    let endpoint = fixture.sandbox.endpoint("google-calendar").unwrap();
    let refused = async |pairs: &[(&str, &str)]| {
        let (status, body) = token(&fixture, pairs).await;
        format!("{} {}", status.as_u16(), body["error"].as_str().unwrap_or_default())
    };
    assert_eq!(refused(&[]).await, "400 invalid_request");
    assert_eq!(refused(&[("grant_type", "password")]).await, "400 unsupported_grant_type");
    assert_eq!(refused(&[("grant_type", "refresh_token")]).await, "400 invalid_request");
    let unknown = [("grant_type", "refresh_token"), ("refresh_token", "x"), ("foo", "y")];
    assert_eq!(refused(&unknown).await, "400 invalid_request");
    assert_eq!(refused(&unknown[..2]).await, "400 invalid_grant");

    let back = fixture.sandbox.approve("google-calendar", &authorize_url(&endpoint, &[])).await.unwrap();
    let code = pairs_of(&back)["code"].clone();
    let trade = |redirect, verifier| {
        let first = [("grant_type", "authorization_code"), ("code", code.as_str())];
        [first[0], first[1], ("redirect_uri", redirect), ("code_verifier", verifier)]
    };
    assert_eq!(refused(&trade("http://localhost:1/", VERIFIER)).await, "400 redirect_uri_mismatch");
    assert_eq!(refused(&trade(REDIRECT, "another")).await, "400 invalid_grant");

    let wrong = fixture.client.post(&endpoint.token_url).form(&unknown[..2]).basic_auth(&endpoint.client_id, Some("x"));
    let (status, body) = answer(wrong).await;
    assert_eq!((status.as_u16(), &body["error"]), (401, &json!("invalid_client")));
}

#[tokio::test]
async fn the_world_and_the_grants_outlive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let first = Fixture::with(Some(dir.path()), &[EVENTS, READONLY]).await;
    let (_, event) = first.post("/calendars/primary/events", meeting()).await;
    let (token, path) = (first.token.clone(), format!("/calendars/primary/events/{}", event["id"].as_str().unwrap()));
    drop(first);

    let mut second = Fixture::with(Some(dir.path()), &[READONLY]).await;
    assert_ne!(second.token, token, "ids go on where they ended");
    second.token = token;
    let (status, found) = second.get(&path).await;
    assert_eq!(status, 200, "{found}");
    assert_eq!(found["etag"], event["etag"]);
    let diff = second.sandbox.diff().to_string();
    assert!(diff.contains("+ event Lunch (when Mon 23 Nov 2026 12:30–13:30"), "{diff}");

    second.sandbox.reset(None).await.unwrap();
    assert_eq!(second.get(&path).await.0, 404, "the event is gone and the token is still good");
    assert!(second.sandbox.diff().vendors.is_empty());
}

#[tokio::test]
async fn of_many_inserts_with_one_id_only_one_happens() {
    let dir = tempfile::tempdir().unwrap();
    let fixture = Fixture::with(Some(dir.path()), &[EVENTS]).await;
    let mut event = meeting();
    event["id"] = json!("sameid");
    let inserts = (0..8).map(|_| fixture.post("/calendars/primary/events", event.clone()));
    let answers = futures_util::future::join_all(inserts).await;
    let good = answers.iter().filter(|(status, _)| status.is_success()).count();
    assert_eq!(good, 1);
    let saved: Value = serde_json::from_slice(&fs::read(dir.path().join("google-calendar.json")).unwrap()).unwrap();
    assert_eq!(saved["world"], fixture.sandbox.world("google-calendar").unwrap());
}

#[tokio::test]
async fn faults_strike_as_ordered() {
    let fixture = Fixture::new().await;
    let status = async |what: &str| {
        fixture.sandbox.fault("google-calendar", what).unwrap();
        let (status, body) = fixture.get("/colors").await;
        format!("{} {}", status.as_u16(), reason(&body))
    };
    assert_eq!(status("429:1").await, "429 rateLimitExceeded");
    assert_eq!(status("off").await, "200 ");
    assert_eq!(status("quota").await, "403 userRateLimitExceeded");
    assert_eq!(status("500").await, "500 backendError");
    assert_eq!(status("401").await, "401 authError");
    fixture.sandbox.fault("google-calendar", "429:1").unwrap();
    let limited = fixture.request(Method::GET, "/colors").send().await.unwrap();
    assert_eq!(limited.headers()["retry-after"], "1");
    assert_eq!(fixture.get("/colors").await.0, 200, "a counted fault ends by itself");
    let unknown = fixture.sandbox.fault("google-calendar", "418").unwrap_err().to_string();
    assert!(unknown.contains("slow:2s"), "{unknown}");
    let unknown = fixture.sandbox.fault("gogle", "429").unwrap_err().to_string();
    assert!(unknown.contains("google-calendar"), "{unknown}");
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_has_happened() {
    let fixture = Fixture::new().await;
    for (what, id) in [("malformed:1", "aaaaa"), ("reset:1", "bbbbb")] {
        fixture.sandbox.fault("google-calendar", what).unwrap();
        let mut event = meeting();
        event["id"] = json!(id);
        let sent = fixture.request(Method::POST, "/calendars/primary/events").json(&event).send().await.unwrap();
        assert!(sent.json::<Value>().await.is_err(), "{what}");
        let (status, body) = fixture.post("/calendars/primary/events", event).await;
        assert_eq!((status.as_u16(), reason(&body)), (409, "duplicate"));
    }
    assert_eq!(fixture.sandbox.count("google-calendar", "calendar.events.insert").unwrap(), 4);
}

#[tokio::test]
async fn a_slow_twin_answers_late() {
    let fixture = Fixture::new().await;
    fixture.sandbox.fault("google-calendar", "slow:50ms").unwrap();
    let asked = tokio::time::Instant::now();
    assert_eq!(fixture.get("/colors").await.0, 200);
    assert!(asked.elapsed() >= std::time::Duration::from_millis(50));
}

#[tokio::test]
async fn the_record_holds_exchanges_and_no_secrets() {
    let fixture = Fixture::new().await;
    fixture.post("/calendars/primary/events?sendUpdates=none", meeting()).await;
    fixture.get("/nowhere").await;
    let exchanges = fixture.sandbox.exchanges("google-calendar").unwrap();
    assert_eq!(exchanges.len(), 2);
    let insert = &exchanges[0];
    assert_eq!(insert.operation, Some("calendar.events.insert"));
    assert_eq!((insert.method.as_str(), insert.path.as_str()), ("POST", "/calendar/v3/calendars/primary/events"));
    assert_eq!(insert.query, [("sendUpdates".to_owned(), "none".to_owned())]);
    assert_eq!(insert.body.as_ref().unwrap()["summary"], "Lunch");
    assert_eq!(insert.answer.as_ref().unwrap()["status"], "confirmed");
    assert_eq!(exchanges[1].operation, None);
    let shown = format!("{exchanges:?} {:?}", fixture.sandbox);
    assert!(!shown.contains(&fixture.token));
    let secret = fixture.sandbox.endpoint("google-calendar").unwrap().client_secret;
    assert!(!shown.contains(secret.expose()));
}

#[tokio::test]
async fn a_seed_of_ones_own_replaces_what_it_names() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("seed.json");
    let fixture = Fixture::new().await;
    fs::write(&path, r#"{"google-calendar": {"events": [{"title": "Only this", "day": 0, "days": 1}]}}"#).unwrap();
    fixture.sandbox.reset(Some(&path)).await.unwrap();
    let (_, list) = fixture.get("/calendars/primary/events").await;
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert_eq!(list["items"][0]["start"]["date"], "2026-11-23");

    fs::write(&path, r#"{"google-calendar": {"events": [{"title": "No time", "day": 0}]}}"#).unwrap();
    let error = fixture.sandbox.reset(Some(&path)).await.unwrap_err().to_string();
    assert!(error.contains("seed.json") && error.contains("google-calendar.events[0].day"), "{error}");
    assert_eq!(fixture.get("/calendars/primary/events").await.1, list, "a bad seed changes nothing");

    let company = json!({"company": {"me": "kim@example.org", "time_zone": "America/New_York", "people": [
        {"name": "Kim", "email": "kim@example.org", "role": "Founder"},
        {"name": "Lou", "email": "lou@example.org", "role": "Engineer"},
    ]}});
    fs::write(&path, company.to_string()).unwrap();
    fixture.sandbox.reset(Some(&path)).await.unwrap();
    let (_, calendar) = fixture.get("/calendars/primary").await;
    assert_eq!((&calendar["id"], &calendar["timeZone"]), (&json!("kim@example.org"), &json!("America/New_York")));
    assert_eq!(fixture.sandbox.endpoint("google-calendar").unwrap().account, "kim@example.org");
}

#[tokio::test]
async fn the_seed_of_the_documentation_is_a_seed() {
    let document = include_str!("../../docs/sandbox.md");
    let seed = document.lines().skip_while(|line| *line != "    {").take_while(|line| line.starts_with("    "));
    let seed: Vec<_> = seed.collect();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("seed.json");
    fs::write(&path, seed.join("\n")).unwrap();
    let fixture = Fixture::new().await;
    fixture.sandbox.reset(Some(&path)).await.unwrap();
    let (_, list) = fixture.get("/calendars/primary/events?q=planning").await;
    assert_eq!(list["items"][0]["organizer"]["email"], "lou@example.org");
}

#[tokio::test]
async fn two_sandboxes_with_one_number_are_the_same_world() {
    let (one, other) = (Fixture::new().await, Fixture::new().await);
    let world = |fixture: &Fixture| fixture.sandbox.world("google-calendar").unwrap();
    assert_eq!(world(&one), world(&other));
    one.post("/calendars/primary/events", meeting()).await;
    other.post("/calendars/primary/events", meeting()).await;
    assert_eq!(world(&one), world(&other));
}

#[tokio::test]
async fn the_status_counts_things_and_calls() {
    let fixture = Fixture::new().await;
    fixture.get("/colors").await;
    fixture.sandbox.fault("google-calendar", "429:3").unwrap();
    let status = fixture.sandbox.status();
    assert_eq!(status.len(), CATALOG.len());
    let calendar = status.iter().find(|status| status.vendor == "google-calendar").unwrap();
    assert_eq!(calendar.calls["calendar.colors.get"], 1);
    assert_eq!(calendar.fault.as_deref(), Some("429:3"));
    assert!(calendar.objects["event"] >= 15 && calendar.objects["calendar"] >= 3, "{calendar:?}");
    assert_eq!(calendar.account, "lena.hartmann@northwind.example");
}
