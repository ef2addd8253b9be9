//! Starting, and every way in which a callback can be wrong.

use std::collections::HashMap;

use url::Url;

use super::{disk::Disk, *};
use crate::{
    oauth::{Callback, Confirmation, Connected, Error, Received, Start, Started},
    store::Table,
};

const REDIRECT: &str = "http://localhost:7411/api/v1/integrations/oauth/callback";

fn request(server: &Server, provider: &Provider) -> Start {
    Start {
        integration: "google-calendar".to_owned(),
        endpoints: endpoints(provider, server),
        app: app(),
        user: UserId::new("local"),
        account: "default".to_owned(),
        names: BTreeMap::new(),
        scopes: vec!["https://example.com/auth/events".to_owned(), "free".to_owned()],
        redirect_uri: REDIRECT.to_owned(),
        return_to: Some("/integrations?x=1".to_owned()),
        browser: None,
    }
}

fn answer(state: &Secret) -> Callback {
    Callback { code: Some(Secret::new("code-1")), state: Some(state.clone()), ..Callback::default() }
}

fn query(url: &Url) -> HashMap<String, String> {
    url.query_pairs().into_owned().collect()
}

struct Scene {
    node: Node,
    server: Server,
    started: Started,
}

impl Scene {
    async fn new() -> Self {
        Scene::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Start)) -> Self {
        let node = Site::over(Arc::new(Disk::default())).node(1).await;
        let server = Server::always(pair(1)).await;
        let mut start = request(&server, &GOOGLE);
        change(&mut start);
        let started = node.broker.start(start).await.unwrap();
        Scene { node, server, started }
    }

    async fn callback(&self, change: impl FnOnce(&mut Callback)) -> Result<Connected, Error> {
        let mut callback = answer(&self.started.state);
        change(&mut callback);
        self.node.broker.callback(callback).await
    }

    /// Nothing was traded and nothing was stored.
    async fn is_untouched(&self) -> bool {
        let connections = self.node.vault.connections(&UserId::new("local")).await.unwrap();
        self.server.count() == 0 && connections.is_empty()
    }

    async fn open_states(&self) -> usize {
        let states = self.node.vault.store().scan(Table::OAuthStates, b"", None, 100).await;
        states.unwrap().len()
    }
}

#[tokio::test]
async fn the_address_asks_for_what_is_wanted() {
    let scene = Scene::new().await;
    let url = &scene.started.authorize_url;
    assert_eq!(url.path(), "/authorize");
    let query = query(url);
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "client-1"),
        ("redirect_uri", REDIRECT),
        ("scope", "https://example.com/auth/events free"),
        ("state", scene.started.state.expose()),
        ("code_challenge_method", "S256"),
        ("access_type", "offline"),
        ("prompt", "consent"),
    ] {
        assert_eq!(query[name], value, "{name}");
    }
    assert_eq!(query["code_challenge"].len(), 43);
    assert!(!url.as_str().contains("s3cret"));
}

#[tokio::test]
async fn an_answer_becomes_a_connection() {
    let scene = Scene::new().await;
    let Connected { connection, return_to } = scene.callback(|_| {}).await.unwrap();
    assert_eq!(return_to.as_deref(), Some("/integrations?x=1"));
    assert_eq!(scene.node.stored(&connection.key).await, connection);
    assert_eq!((connection.generation, connection.status), (1, Status::Active));
    assert_eq!(connection.scopes, ["https://example.com/auth/events", "free"]);
    assert_eq!(connection.metadata["family"], "google");

    let trade = &scene.server.arrived()[0];
    assert_eq!(trade.form("grant_type").as_deref(), Some("authorization_code"));
    assert_eq!(trade.form("code").as_deref(), Some("code-1"));
    assert_eq!(trade.form("redirect_uri").as_deref(), Some(REDIRECT));
    let verifier = oauth2::PkceCodeVerifier::new(trade.form("code_verifier").unwrap());
    let challenge = oauth2::PkceCodeChallenge::from_code_verifier_sha256(&verifier);
    assert_eq!(query(&scene.started.authorize_url)["code_challenge"], challenge.as_str());
    assert_eq!(scene.open_states().await, 0);
}

#[tokio::test]
async fn a_state_is_good_for_one_answer() {
    let scene = Scene::new().await;
    scene.callback(|_| {}).await.unwrap();
    assert!(matches!(scene.callback(|_| {}).await, Err(Error::BadState)));
    assert_eq!(scene.server.count(), 1);
}

#[tokio::test]
async fn of_two_answers_at_once_one_is_taken() {
    let scene = Scene::new().await;
    let (one, two) = tokio::join!(scene.callback(|_| {}), scene.callback(|_| {}));
    assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
    assert_eq!(scene.server.count(), 1);
}

#[tokio::test]
async fn an_unknown_missing_or_old_state_is_refused() {
    let scene = Scene::new().await;
    for state in [None, Some(""), Some("wrong"), Some(&"x".repeat(100_000)), Some("a\0b")] {
        let outcome = scene.callback(|callback| callback.state = state.map(Secret::new)).await;
        assert!(matches!(outcome, Err(Error::BadState)), "{state:?}");
    }
    scene.node.later(600);
    assert!(matches!(scene.callback(|_| {}).await, Err(Error::BadState)));
    assert!(scene.is_untouched().await);
    assert_eq!(scene.node.broker.sweep().await.unwrap(), 1);
    assert_eq!(scene.open_states().await, 0);
}

#[tokio::test]
async fn only_the_browser_that_started_can_finish() {
    let scene = Scene::with(|start| start.browser = Some(Secret::new("cookie"))).await;
    for browser in [None, Some("another")] {
        let outcome = scene.callback(|callback| callback.browser = browser.map(Secret::new)).await;
        assert!(matches!(outcome, Err(Error::OtherBrowser)), "{browser:?}");
    }
    assert!(scene.is_untouched().await);
    let outcome = scene.callback(|callback| callback.browser = Some(Secret::new("cookie"))).await;
    assert!(outcome.is_ok(), "the stranger's attempt took nothing away: {outcome:?}");
}

#[tokio::test]
async fn an_answer_of_another_server_is_refused() {
    let issuer = "https://accounts.example.com";
    let check = async |iss: Option<&str>, fine: bool| {
        let scene = Scene::with(|start| start.endpoints.issuer = Some(issuer.to_owned())).await;
        let outcome = scene.callback(|callback| callback.iss = iss.map(str::to_owned)).await;
        assert_eq!(outcome.is_ok(), fine, "{iss:?} {outcome:?}");
        if !fine {
            assert!(matches!(outcome, Err(Error::OtherIssuer)) && scene.is_untouched().await);
            assert!(matches!(scene.callback(|_| {}).await, Err(Error::BadState)), "the state is spent");
        }
    };
    check(Some(issuer), true).await;
    check(None, false).await;
    for other in ["https://accounts.example.com/", "https://evil.example", ""] {
        check(Some(other), false).await;
    }
}

impl Scene {
    /// What becomes of an answer that a browser brings.
    async fn receive(&self, browser: &str, change: impl FnOnce(&mut Callback)) -> Result<Received, Error> {
        let mut callback = answer(&self.started.state);
        change(&mut callback);
        self.node.broker.receive(callback, &Secret::new(browser)).await
    }

    async fn asked(&self, browser: &str) -> Confirmation {
        match self.receive(browser, |_| {}).await.unwrap() {
            Received::Asks(asked) => asked,
            Received::Connected(connected) => panic!("nobody was asked: {connected:?}"),
        }
    }
}

#[tokio::test]
async fn where_no_browser_began_a_person_is_asked_before_the_code_is_traded() {
    let scene = Scene::new().await;
    let asked = scene.asked("browser").await;
    assert_eq!((asked.key.user.as_str(), &*asked.key.account), ("local", "default"));
    assert!(scene.is_untouched().await);
    let confirm = async |ticket: &Secret, browser: &str| scene.node.broker.confirm(ticket, &Secret::new(browser)).await;
    for (ticket, browser) in [
        (&asked.ticket, "another"),
        (&Secret::new(format!("{}x", asked.ticket.expose())), "browser"),
        (&scene.started.state, "browser"),
        (&Secret::new(""), "browser"),
    ] {
        assert!(matches!(confirm(ticket, browser).await, Err(Error::NotAsked)), "{browser}");
    }
    assert!(scene.is_untouched().await);
    confirm(&asked.ticket, "browser").await.unwrap();
    assert!(matches!(confirm(&asked.ticket, "browser").await, Err(Error::BadState)), "a yes counts once");
    assert_eq!(scene.server.count(), 1);
}

#[tokio::test]
async fn of_two_yeses_at_once_one_counts() {
    let scene = Scene::new().await;
    let asked = scene.asked("browser").await;
    let browser = Secret::new("browser");
    let broker = &scene.node.broker;
    let (one, two) = tokio::join!(broker.confirm(&asked.ticket, &browser), broker.confirm(&asked.ticket, &browser));
    assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
    assert_eq!(scene.server.count(), 1);
}

#[tokio::test]
async fn only_the_browser_that_was_asked_is_asked_again() {
    let scene = Scene::new().await;
    let first = scene.asked("browser").await;
    assert!(matches!(scene.receive("another", |_| {}).await, Err(Error::OtherBrowser)));
    let again = scene.asked("browser").await;
    let browser = Secret::new("browser");
    assert!(matches!(scene.node.broker.confirm(&first.ticket, &browser).await, Err(Error::NotAsked)));
    scene.node.later(600);
    assert!(matches!(scene.node.broker.confirm(&again.ticket, &browser).await, Err(Error::BadState)), "too late");
    assert!(scene.is_untouched().await);
}

#[tokio::test]
async fn a_no_on_the_page_ends_the_consent() {
    let scene = Scene::new().await;
    let asked = scene.asked("browser").await;
    let browser = Secret::new("browser");
    assert!(scene.node.broker.decline(&asked.ticket, &Secret::new("another")).await.is_err());
    scene.node.broker.decline(&asked.ticket, &browser).await.unwrap();
    assert!(matches!(scene.node.broker.confirm(&asked.ticket, &browser).await, Err(Error::BadState)));
    assert!(scene.is_untouched().await && scene.open_states().await == 0);
}

#[tokio::test]
async fn an_answer_that_is_none_is_not_asked_about() {
    let denied: fn(&mut Callback) = |callback| callback.error = Some("access_denied".into());
    let empty: fn(&mut Callback) = |callback| callback.code = None;
    for change in [denied, empty] {
        let scene = Scene::new().await;
        assert!(matches!(scene.receive("browser", change).await, Err(Error::Denied | Error::BadCallback)));
        assert_eq!(scene.open_states().await, 0, "it is the end of the question");
    }
}

#[tokio::test]
async fn the_browser_that_began_is_not_asked() {
    let scene = Scene::with(|start| start.browser = Some(Secret::new("cookie"))).await;
    let outcome = scene.receive("cookie", |callback| callback.browser = Some(Secret::new("cookie"))).await;
    assert!(matches!(outcome, Ok(Received::Connected(_))), "{outcome:?}");
}

#[tokio::test]
async fn consents_of_somebody_who_was_removed_come_to_nothing() {
    let scene = Scene::new().await;
    let asked = scene.asked("browser").await;
    scene.node.broker.forget_consents(&UserId::new("somebody else")).await.unwrap();
    assert_eq!(scene.open_states().await, 1);
    scene.node.broker.forget_consents(&UserId::new("local")).await.unwrap();
    let late = scene.node.broker.confirm(&asked.ticket, &Secret::new("browser")).await;
    assert!(matches!(late, Err(Error::BadState)), "{late:?}");
    assert!(scene.is_untouched().await);
}

#[tokio::test]
async fn a_consent_that_is_taken_back_while_its_code_is_traded_stores_nothing_and_ends_the_grant() {
    let node = Site::over(Arc::new(Disk::default())).node(1).await;
    let late = Reply::Late(std::time::Duration::from_secs(2), Box::new(pair(1)));
    let server = Server::turns(vec![late, Reply::status(200)]).await;
    let started = node.broker.start(request(&server, &GOOGLE)).await.unwrap();
    let broker = node.broker.clone();
    let callback = tokio::spawn(async move { broker.callback(answer(&started.state)).await });
    while server.count() == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    node.broker.forget_consents(&UserId::new("local")).await.unwrap();
    assert!(matches!(callback.await.unwrap(), Err(Error::BadState)));
    assert!(node.vault.connections(&UserId::new("local")).await.unwrap().is_empty());
    let last = server.arrived().pop().unwrap();
    assert_eq!((last.target(), last.form("token").as_deref()), ("/revoke", Some("refresh-1")), "the vendor ends it");
}

#[tokio::test]
async fn a_refusal_reflects_nothing() {
    let scene = Scene::new().await;
    let canary = "<script>alert('canary')</script>";
    let outcome = scene.callback(|callback| {
        callback.error = Some(canary.to_owned());
        callback.code = None;
    });
    let error = outcome.await.unwrap_err();
    assert!(matches!(error, Error::Denied) && !format!("{error} {error:?}").contains("canary"), "{error:?}");
    assert!(scene.is_untouched().await);
    assert_eq!(scene.open_states().await, 0);
}

#[tokio::test]
async fn a_code_that_is_no_code_is_not_traded() {
    for code in [None, Some(String::new()), Some("x".repeat(10_000))] {
        let scene = Scene::new().await;
        let outcome = scene.callback(|callback| callback.code = code.map(Secret::new)).await;
        assert!(matches!(outcome, Err(Error::BadCallback)));
        assert!(scene.is_untouched().await);
    }
}

#[tokio::test]
async fn a_refused_code_leaves_nothing_behind() {
    let node = Node::new().await;
    let server = Server::always(invalid_grant()).await;
    let started = node.broker.start(request(&server, &GOOGLE)).await.unwrap();
    let error = node.broker.callback(answer(&started.state)).await.unwrap_err();
    assert!(matches!(error, Error::BadCallback) && !format!("{error:?}").contains("canary"), "{error:?}");
    assert_eq!(server.count(), 1, "a code is traded once");
    assert!(node.vault.connections(&UserId::new("local")).await.unwrap().is_empty());
}

#[tokio::test]
async fn connecting_again_replaces_the_grant() {
    let scene = Scene::new().await;
    let key = scene.node.connected().await;
    let before = scene.node.stored(&key).await;
    let connection = scene.callback(|_| {}).await.unwrap().connection;
    assert_eq!((connection.key, connection.generation), (key, before.generation + 1));
    assert_eq!(connection.metadata.get("email"), None, "it may be another account");
}

#[tokio::test]
async fn a_query_with_a_parameter_twice_is_refused() {
    let callback = Callback::parse("code=a%2Fb&state=s&scope=x&iss=https%3A%2F%2Fi").unwrap();
    assert_eq!(callback.code, Some(Secret::new("a/b")));
    assert_eq!(callback.iss.as_deref(), Some("https://i"));
    for twice in ["state=a&state=b", "code=a&code=a&state=s", "iss=&iss=", "error=a&error=b"] {
        assert!(matches!(Callback::parse(twice), Err(Error::BadCallback)), "{twice}");
    }
}

#[tokio::test]
async fn people_are_only_sent_to_places_of_ours() {
    let (node, server) = (Node::new().await, Server::always(pair(1)).await);
    for return_to in
        ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "", "/a\r\nb", "/\t/evil.example"]
    {
        let start = Start { return_to: Some(return_to.to_owned()), ..request(&server, &GOOGLE) };
        assert!(matches!(node.broker.start(start).await, Err(Error::BadRequest(_))), "{return_to:?}");
    }
    for redirect in ["http://evil.example/callback", "https://a.example/#x", "javascript:alert(1)", "callback"] {
        let start = Start { redirect_uri: redirect.to_owned(), ..request(&server, &GOOGLE) };
        assert!(matches!(node.broker.start(start).await, Err(Error::Setup(_))), "{redirect:?}");
    }
}

#[tokio::test]
async fn nothing_that_prints_holds_a_secret() {
    let scene = Scene::with(|start| start.browser = Some(Secret::new("cookie"))).await;
    let start = request(&scene.server, &GOOGLE);
    let text =
        format!("{start:?} {:?} {:?} {:?}", scene.started.state, answer(&scene.started.state), scene.node.broker);
    for secret in ["s3cret", "code-1", scene.started.state.expose()] {
        assert!(!text.contains(secret), "{text}");
    }
}
