//! A grant's whole life against the Google twin, over real HTTP: consent, use, refresh, end.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{collections::BTreeMap, sync::Arc};

use jiff::SignedDuration;
use switchboard::{
    clock::ManualClock,
    http::{self, Client, Lane, Path, Request, path},
    id::{SeededEntropy, UserId},
    oauth::{App, Bearer, Broker, Callback, Endpoints, Error, Overrides, Provider, Revoked, Start, Started},
    sandbox::{self, Endpoint, Sandbox},
    store::MemoryStore,
    vault::{ConnectionKey, KeyRing, Reason, Status, Vault},
};

const VENDOR: &str = "google-calendar";
const EVENTS: &str = "https://www.googleapis.com/auth/calendar.events";

const GOOGLE: Provider = Provider {
    family: "google",
    authorize_url: "https://accounts.google.com/o/oauth2/v2/auth",
    token_url: "https://oauth2.googleapis.com/token",
    revoke_url: Some("https://oauth2.googleapis.com/revoke"),
    extra: &[("access_type", "offline"), ("prompt", "consent")],
    ..Provider::STANDARD
};

/// A broker and the twin that it talks to, in one time.
struct Scene {
    sandbox: Sandbox,
    twin: Endpoint,
    endpoints: Endpoints,
    app: App,
    clock: Arc<ManualClock>,
    client: Client,
    vault: Vault,
    broker: Broker,
}

impl Scene {
    async fn new() -> Self {
        let clock = ManualClock::at("2026-11-23T09:00:00Z".parse().unwrap());
        let sandbox = Sandbox::start(sandbox::Options::new(clock.clone())).await.unwrap();
        let twin = sandbox.endpoint(VENDOR).unwrap();
        let overrides = Overrides {
            authorize_url: Some(twin.authorize_url.clone()),
            token_url: Some(twin.token_url.clone()),
            revoke_url: twin.revoke_url.clone(),
            issuer: twin.issuer.clone(),
            ..Overrides::default()
        };
        let endpoints = Endpoints::of(&GOOGLE, &overrides).unwrap();
        let app = App { client_id: twin.client_id.clone(), client_secret: Some(twin.client_secret.clone()) };
        let client = Client::new(http::Options::default(), clock.clone(), SeededEntropy::new(2)).unwrap();
        let vault = Vault::open(MemoryStore::new(), KeyRing::generate(), clock.clone()).await.unwrap();
        let broker = Broker::new(vault.clone(), client.clone(), clock.clone(), SeededEntropy::new(1));
        Scene { sandbox, twin, endpoints, app, clock, client, vault, broker }
    }

    async fn start(&self) -> Started {
        let start = Start {
            integration: VENDOR.to_owned(),
            endpoints: self.endpoints.clone(),
            app: self.app.clone(),
            user: UserId::new("local"),
            account: "default".to_owned(),
            names: BTreeMap::new(),
            scopes: vec![EVENTS.to_owned()],
            redirect_uri: "http://localhost:7411/api/v1/integrations/oauth/callback".to_owned(),
            return_to: None,
            browser: None,
        };
        self.broker.start(start).await.unwrap()
    }

    /// What a person does: opens the page, presses a button, and is sent back.
    async fn decide(&self, started: &Started, decision: &str) -> Callback {
        let page = Lane::new("google", started.authorize_url.clone());
        assert!(self.client.send(&page, Request::get(Path::new())).await.unwrap().is_success());
        let mut pairs: Vec<(String, String)> = started.authorize_url.query_pairs().into_owned().collect();
        pairs.push(("decision".to_owned(), decision.to_owned()));
        let mut form = page;
        form.base.set_query(None);
        let answer = self.client.send(&form, Request::post(path!["approve"]).form(&pairs)).await.unwrap();
        let back: url::Url = answer.header("location").expect("the browser is sent back").parse().unwrap();
        assert_eq!(back.path(), "/api/v1/integrations/oauth/callback");
        Callback::parse(back.query().unwrap()).unwrap()
    }

    async fn connect(&self) -> ConnectionKey {
        let started = self.start().await;
        let callback = self.decide(&started, "approve").await;
        self.broker.callback(callback).await.unwrap().connection.key
    }

    async fn call(&self, key: &ConnectionKey) -> http::Result<http::Response> {
        let bearer = Bearer::new(self.broker.clone(), key.clone(), self.endpoints.clone(), self.app.clone());
        let lane = Lane::new(VENDOR, self.twin.base_url.parse().unwrap()).on_behalf_of("local", Arc::new(bearer));
        self.client.send(&lane, Request::get(path!["calendars", "primary", "events"])).await
    }

    fn refreshes(&self) -> u64 {
        self.sandbox.count("google", "oauth.refresh").unwrap_or(0)
    }

    async fn generation(&self, key: &ConnectionKey) -> u64 {
        self.vault.connection(key).await.unwrap().unwrap().generation
    }
}

#[tokio::test]
async fn from_consent_to_a_call() {
    let scene = Scene::new().await;
    let key = scene.connect().await;
    let connection = scene.vault.connection(&key).await.unwrap().unwrap();
    assert_eq!((connection.status, connection.scopes), (Status::Active, vec![EVENTS.to_owned()]));
    let answer = scene.call(&key).await.unwrap();
    assert!(answer.is_success(), "{}", answer.text());
}

#[tokio::test]
async fn a_no_is_a_no() {
    let scene = Scene::new().await;
    let started = scene.start().await;
    let callback = scene.decide(&started, "deny").await;
    assert!(matches!(scene.broker.callback(callback).await, Err(Error::Denied)));
}

#[tokio::test]
async fn a_callback_cannot_be_played_again_or_swapped() {
    let scene = Scene::new().await;
    let (one, two) = (scene.start().await, scene.start().await);
    let (first, second) = (scene.decide(&one, "approve").await, scene.decide(&two, "approve").await);
    let swapped = Callback { code: second.code.clone(), ..first.clone() };
    let outcome = scene.broker.callback(swapped).await;
    assert!(matches!(outcome, Err(Error::BadCallback)), "a code is bound to its question: {outcome:?}");
    assert!(matches!(scene.broker.callback(first).await, Err(Error::BadState)));
    assert_eq!(scene.vault.connections(&UserId::new("local")).await.unwrap(), []);
}

#[tokio::test]
async fn an_expired_token_is_renewed_on_the_way() {
    let scene = Scene::new().await;
    let key = scene.connect().await;
    scene.clock.advance(SignedDuration::from_hours(1));
    assert!(scene.call(&key).await.unwrap().is_success());
    assert_eq!((scene.refreshes(), scene.generation(&key).await), (1, 2));
    assert!(scene.call(&key).await.unwrap().is_success());
    assert_eq!(scene.refreshes(), 1);
}

#[tokio::test]
async fn a_token_that_the_vendor_ended_early_is_renewed_after_the_401() {
    let scene = Scene::new().await;
    let key = scene.connect().await;
    scene.sandbox.expire(VENDOR).await.unwrap();
    assert!(scene.call(&key).await.unwrap().is_success());
    assert_eq!((scene.refreshes(), scene.generation(&key).await), (1, 2));
}

#[tokio::test]
async fn fifty_calls_after_the_end_are_one_refresh() {
    let scene = Arc::new(Scene::new().await);
    let key = scene.connect().await;
    scene.clock.advance(SignedDuration::from_hours(2));
    let call = |_| {
        let (scene, key) = (Arc::clone(&scene), key.clone());
        tokio::spawn(async move { scene.call(&key).await.unwrap().is_success() })
    };
    for call in (0..50).map(call).collect::<Vec<_>>() {
        assert!(call.await.unwrap());
    }
    assert_eq!(scene.refreshes(), 1);
}

#[tokio::test]
async fn a_grant_that_was_taken_back_needs_the_person() {
    let scene = Scene::new().await;
    let key = scene.connect().await;
    scene.sandbox.revoke(VENDOR).await.unwrap();
    for _ in 0..10 {
        let error = scene.call(&key).await.unwrap_err();
        assert!(matches!(error, http::Error::Unauthorized(_)), "{error:?}");
    }
    assert_eq!(scene.refreshes(), 1);
    let status = scene.vault.connection(&key).await.unwrap().unwrap().status;
    assert_eq!(status, Status::NeedsReconnect { reason: Reason::RefreshRefused });

    let key = scene.connect().await;
    assert!(scene.call(&key).await.unwrap().is_success(), "connecting again mends it");
}

#[tokio::test]
async fn disconnecting_ends_the_grant_at_the_vendor() {
    let scene = Scene::new().await;
    let key = scene.connect().await;
    let fresh = scene.broker.credential(&key, &scene.endpoints, &scene.app).await.unwrap();
    let revoked = scene.broker.disconnect(&key, &scene.endpoints, &scene.app).await.unwrap();
    assert_eq!(revoked, Revoked::Yes);
    let lane = Lane::new(VENDOR, scene.twin.base_url.parse().unwrap());
    let request = Request::get(path!["calendars", "primary", "events"]);
    let request = request.header("authorization", format!("Bearer {}", fresh.access.expose()));
    assert_eq!(scene.client.send(&lane, request).await.unwrap().status, 401);
}
