//! Vendors' habits, one small server each.

use std::time::Duration;

use super::*;
use crate::oauth::{Ask, Callback, ClientAuth, Connected, Error, Instance, LookUp, Pkce, Start, Started, TokenBody};

/// Connects at a vendor of such habits that answers so.
async fn connect(provider: &Provider, scopes: &[&str], reply: Reply) -> (Started, Result<Connected>, Vec<Arrived>) {
    let (node, server) = (Node::new().await, Server::always(reply).await);
    let start = Start {
        integration: provider.family.to_owned(),
        endpoints: endpoints(provider, &server),
        app: app(),
        user: UserId::new("local"),
        account: "default".to_owned(),
        names: BTreeMap::new(),
        scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
        redirect_uri: "https://example.com/callback".to_owned(),
        return_to: None,
        browser: None,
    };
    let started = node.broker.start(start).await.unwrap();
    let callback =
        Callback { code: Some(Secret::new("code-1")), state: Some(started.state.clone()), ..Callback::default() };
    let outcome = node.broker.callback(callback).await;
    (started, outcome, server.arrived())
}

async fn connection_at(provider: &Provider, body: &str) -> Connection {
    let (_, outcome, _) = connect(provider, &["a", "b"], Reply::json(200, body)).await;
    outcome.unwrap().connection
}

fn parts(connection: &Connection) -> (&str, Option<&str>, Option<Timestamp>, &BTreeMap<String, String>) {
    let Credential::OAuth { access, refresh, expires_at, extra } = &connection.credential else {
        panic!("a grant is an OAuth credential");
    };
    (access.expose(), refresh.as_ref().map(Secret::expose), *expires_at, extra)
}

fn after(seconds: i64) -> Option<Timestamp> {
    start().checked_add(SignedDuration::from_secs(seconds)).ok()
}

const SLACK: Provider = Provider {
    family: "slack",
    pkce: Pkce::Off,
    separator: ',',
    user_scopes: &["search:read"],
    client_auth: ClientAuth::Basic,
    nested: Some("authed_user"),
    dead: &["invalid_refresh_token"],
    ..GOOGLE
};

#[tokio::test]
async fn slack_separates_by_commas_and_tells_bots_from_people() {
    let body = r#"{"ok":true,"access_token":"xoxb-1","token_type":"bot","scope":"chat:write,users:read",
        "team":{"id":"T1","name":"Acme"},"authed_user":{"id":"U1","access_token":"xoxp-canary"}}"#;
    let (started, outcome, arrived) =
        connect(&SLACK, &["chat:write", "users:read", "search:read"], Reply::json(200, body)).await;
    let query: BTreeMap<_, _> = started.authorize_url.query_pairs().into_owned().collect();
    assert_eq!((&*query["scope"], &*query["user_scope"]), ("chat:write,users:read", "search:read"));
    assert_eq!(query.get("code_challenge"), None);
    assert_eq!(arrived[0].header("authorization"), Some("Basic Y2xpZW50LTE6czNjcmV0"));
    assert_eq!((arrived[0].form("client_secret"), arrived[0].form("code_verifier")), (None, None));

    let connection = outcome.unwrap().connection;
    let (access, refresh, expires_at, extra) = parts(&connection);
    assert_eq!((access, refresh, expires_at), ("xoxb-1", None, None));
    assert_eq!((&*extra["team.name"], &*extra["authed_user.id"]), ("Acme", "U1"));
    assert_eq!(connection.scopes, ["chat:write", "users:read"]);
    assert!(!format!("{connection:?}").contains("canary"));
}

#[tokio::test]
async fn a_nested_token_is_found_when_it_is_the_only_one() {
    let body = r#"{"ok":true,"authed_user":{"id":"U1","access_token":"xoxp-1","refresh_token":"xoxe-1",
        "expires_in":43200,"scope":"search:read"}}"#;
    let connection = connection_at(&SLACK, body).await;
    let (access, refresh, expires_at, _) = parts(&connection);
    assert_eq!((access, refresh, expires_at), ("xoxp-1", Some("xoxe-1"), after(43_200)));
    assert_eq!(connection.scopes, ["search:read"]);
}

#[tokio::test]
async fn an_error_with_status_200_is_an_error() {
    for body in
        [r#"{"ok":false,"error":"bad_client_secret"}"#, r#"{"error":"bad_verification_code"}"#, r#"{"ok":false}"#]
    {
        let (_, outcome, _) = connect(&SLACK, &[], Reply::json(200, body)).await;
        assert!(matches!(outcome, Err(Error::ClientRefused { .. })), "{body} {outcome:?}");
    }
}

#[tokio::test]
async fn what_an_error_says_is_not_shown_unless_it_is_a_code() {
    for body in
        [r#"{"error":"canary is not a code!"}"#, r#"{"error":{"code":"canary.1","message":"canary"}}"#, "canary"]
    {
        let (_, outcome, _) = connect(&GOOGLE, &[], Reply::json(400, body)).await;
        let error = outcome.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
}

#[tokio::test]
async fn an_expiry_may_be_a_number_a_text_or_missing() {
    let check = async |provider: &Provider, expires_in: &str, expected| {
        let body = format!(r#"{{"access_token":"a"{expires_in}}}"#);
        let connection = connection_at(provider, &body).await;
        assert_eq!(parts(&connection).2, expected, "{expires_in}");
    };
    check(&GOOGLE, r#","expires_in":3600"#, after(3600)).await;
    check(&GOOGLE, r#","expires_in":"3600""#, after(3600)).await;
    check(&GOOGLE, r#","expires_in":3599.0"#, after(3599)).await;
    for unknown in ["", r#","expires_in":null"#, r#","expires_in":0"#, r#","expires_in":"""#, r#","expires_in":-5"#] {
        check(&GOOGLE, unknown, None).await;
    }
    let salesforce = Provider { lifetime: Some(Duration::from_hours(2)), ..GOOGLE };
    check(&salesforce, r#","issued_at":"1700000000000""#, after(7200)).await;
    check(&GOOGLE, r#","expires_in":1e300"#, after(10 * 365 * 86_400)).await;
}

#[tokio::test]
async fn scopes_may_be_missing_a_text_or_a_list() {
    let check = async |scope: &str, expected: &[&str]| {
        let body = format!(r#"{{"access_token":"a"{scope}}}"#);
        assert_eq!(connection_at(&GOOGLE, &body).await.scopes, expected, "{scope}");
    };
    check("", &["a", "b"]).await;
    check(r#","scope":"x  y""#, &["x", "y"]).await;
    check(r#","scope":"x,y""#, &["x", "y"]).await;
    check(r#","scope":["x","y"]"#, &["x", "y"]).await;
}

#[tokio::test]
async fn further_members_are_kept_and_secrets_among_them_are_not() {
    let body = r#"{"access_token":"a","instance_url":"https://na1.example","id_token":"canary","signature":"canary",
        "workspace_name":"Acme","bot":{"id":"b"},"list":["x"],"api_key":"canary","stripe_user_id":"acct_1"}"#;
    let connection = connection_at(&GOOGLE, body).await;
    let kept: Vec<_> = parts(&connection).3.keys().map(String::as_str).collect();
    assert_eq!(kept, ["bot.id", "instance_url", "stripe_user_id", "workspace_name"]);
    assert!(!format!("{connection:?}").contains("canary"));
}

#[tokio::test]
async fn an_identity_token_names_the_account() {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let claims = URL_SAFE_NO_PAD.encode(r#"{"sub":"108","email":"anna@example.com","name":"Anna"}"#);
    let body = format!(r#"{{"access_token":"a","id_token":"e30.{claims}.c2ln"}}"#);
    let connection = connection_at(&GOOGLE, &body).await;
    let named: Vec<_> = connection.metadata.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(named, [("email", "anna@example.com"), ("family", "google"), ("subject", "108")]);
}

#[tokio::test]
async fn notion_takes_json_and_basic() {
    let notion = Provider { body: TokenBody::Json, client_auth: ClientAuth::Basic, pkce: Pkce::Off, ..GOOGLE };
    let (started, outcome, arrived) = connect(&notion, &[], Reply::json(200, r#"{"access_token":"a"}"#)).await;
    outcome.unwrap();
    assert!(!started.authorize_url.query().unwrap().contains("scope="));
    assert_eq!(arrived[0].header("content-type"), Some("application/json"));
    let body: serde_json::Value = serde_json::from_str(&arrived[0].body).unwrap();
    let expected = serde_json::json!({
        "grant_type": "authorization_code", "code": "code-1", "redirect_uri": "https://example.com/callback"
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn stripe_takes_the_secret_as_user_name() {
    let stripe = Provider { client_auth: ClientAuth::SecretAsUser, pkce: Pkce::Off, ..GOOGLE };
    let (_, outcome, arrived) = connect(&stripe, &[], Reply::json(200, r#"{"access_token":"a"}"#)).await;
    outcome.unwrap();
    assert_eq!(arrived[0].header("authorization"), Some("Basic czNjcmV0Og=="));
    assert_eq!(arrived[0].form("client_id"), None);
}

#[tokio::test]
async fn zendesk_is_asked_for_a_life() {
    let zendesk = Provider { token_extra: &[("expires_in", "172800")], ..GOOGLE };
    let (_, outcome, arrived) = connect(&zendesk, &[], Reply::json(200, r#"{"access_token":"a"}"#)).await;
    outcome.unwrap();
    assert_eq!(arrived[0].form("expires_in").as_deref(), Some("172800"));
}

#[tokio::test]
async fn an_answer_may_be_a_form() {
    let kind = ("content-type", "application/x-www-form-urlencoded; charset=utf-8".to_owned());
    let body = b"access_token=gho_1&scope=repo%2Cgist&token_type=bearer".to_vec();
    let (_, outcome, arrived) = connect(&GOOGLE, &[], Reply::Whole(200, vec![kind], body)).await;
    let connection = outcome.unwrap().connection;
    assert_eq!((parts(&connection).0, connection.scopes.len()), ("gho_1", 2));
    assert_eq!(arrived[0].header("accept"), Some("application/json"));
}

#[tokio::test]
async fn vendors_have_words_of_their_own_for_a_dead_grant() {
    let hubspot = Provider { dead: &["BAD_REFRESH_TOKEN"], ..GOOGLE };
    let github = Provider { dead: &["bad_refresh_token"], ..GOOGLE };
    let jira = Provider { dead: &["unauthorized_client"], ..GOOGLE };
    for (provider, reply) in [
        (&hubspot, Reply::json(400, r#"{"status":"BAD_REFRESH_TOKEN","message":"missing or unknown"}"#)),
        (&github, Reply::json(200, r#"{"error":"bad_refresh_token"}"#)),
        (&jira, Reply::json(403, r#"{"error":"unauthorized_client","error_description":"refresh_token is invalid"}"#)),
        (&SLACK, Reply::json(200, r#"{"ok":false,"error":"invalid_refresh_token"}"#)),
    ] {
        let (node, server) = (Node::new().await, Server::always(reply).await);
        let key = node.connected().await;
        node.later(3600);
        let outcome = node.broker.credential(&key, &endpoints(provider, &server), &app()).await;
        assert!(matches!(outcome, Err(Error::NeedsReconnect { .. })), "{provider:?} {outcome:?}");
    }
}

#[tokio::test]
async fn a_public_client_has_no_secret() {
    let (node, server) = (Node::new().await, rotating().await);
    let key = node.connected().await;
    node.later(3600);
    let public = App { client_secret: None, ..app() };
    let basic = Provider { client_auth: ClientAuth::Basic, ..ROTATING };
    node.broker.credential(&key, &endpoints(&basic, &server), &public).await.unwrap();
    let request = &server.arrived()[0];
    assert_eq!((request.form("client_id").as_deref(), request.header("authorization")), (Some("client-1"), None));
}

const SALESFORCE: Provider = Provider {
    family: "salesforce",
    instance: Some(Instance { member: "instance_url", domains: &["salesforce.com", "force.com"] }),
    ..GOOGLE
};

#[tokio::test]
async fn salesforce_says_where_the_account_is_and_is_believed_only_about_its_own_hosts() {
    let body = |url: &str| format!(r#"{{"access_token":"00D-1","instance_url":"{url}","issued_at":"1"}}"#);
    let connection = connection_at(&SALESFORCE, &body("https://acme.my.salesforce.com/x")).await;
    assert_eq!(parts(&connection).3["instance_url"], "https://acme.my.salesforce.com");
    for foreign in ["https://evil.example", "http://acme.my.salesforce.com", "https://salesforce.com.evil.example"] {
        let (_, outcome, _) = connect(&SALESFORCE, &["api"], Reply::json(200, &body(foreign))).await;
        assert!(matches!(outcome, Err(Error::ForeignInstance(_))), "{foreign}: {outcome:?}");
    }
}

const NOTION: Provider = Provider {
    family: "notion",
    pkce: Pkce::Off,
    client_auth: ClientAuth::Basic,
    body: TokenBody::Json,
    headers: &[("notion-version", "2026-03-11")],
    ..GOOGLE
};

#[tokio::test]
async fn a_version_goes_along_with_every_request_for_a_token() {
    let (_, outcome, arrived) = connect(&NOTION, &[], Reply::json(200, r#"{"access_token":"ntn-1"}"#)).await;
    outcome.unwrap();
    assert_eq!(arrived[0].header("notion-version"), Some("2026-03-11"));
    assert_eq!(arrived[0].header("accept"), Some("application/json"));
}

const JIRA: Provider = Provider {
    family: "atlassian",
    asks: &[Ask { name: "site", label: "Site", help: "The first part of its address." }],
    look_up: Some(LookUp {
        url: "https://api.atlassian.com/oauth/token/accessible-resources",
        member: "id",
        kept_as: "cloudId",
        known_by: &["url", "name"],
        ask: "site",
    }),
    ..GOOGLE
};

/// Connects at a vendor that has these sites.
async fn connect_to_site(sites: &str, wish: Option<&str>) -> (Result<Connected>, Vec<Arrived>) {
    let sites = sites.to_owned();
    let node = Node::new().await;
    let server = Server::start(move |_, request| {
        if request.line.contains(" /token ") {
            Reply::json(200, r#"{"access_token":"at-1","refresh_token":"rt-1","cloudId":"forged","site":"x"}"#)
        } else {
            Reply::json(200, &sites)
        }
    })
    .await;
    let url = |path: &str| Some(server.url(path).to_string());
    let overrides = Overrides {
        token_url: url("/token"),
        look_up_url: url("/oauth/token/accessible-resources"),
        ..Overrides::default()
    };
    let start = Start {
        integration: "jira".to_owned(),
        endpoints: Endpoints::of(&JIRA, &overrides).unwrap(),
        app: app(),
        user: UserId::new("local"),
        account: "default".to_owned(),
        names: wish.map(|wish| ("site".to_owned(), wish.to_owned())).into_iter().collect(),
        scopes: vec!["read:jira-work".to_owned()],
        redirect_uri: "https://example.com/callback".to_owned(),
        return_to: None,
        browser: None,
    };
    let started = node.broker.start(start).await.unwrap();
    let callback = Callback { code: Some(Secret::new("code-1")), state: Some(started.state), ..Callback::default() };
    (node.broker.callback(callback).await, server.arrived())
}

#[tokio::test]
async fn jira_is_asked_for_the_cloud_id_with_the_new_token() {
    let acme = r#"{"id":"cloud-1","name":"Acme","url":"https://acme.atlassian.net"}"#;
    let beta = r#"{"id":"cloud-2","name":"Beta","url":"https://beta.atlassian.net"}"#;
    let (outcome, arrived) = connect_to_site(&format!("[{acme}]"), None).await;
    let connection = outcome.unwrap().connection;
    assert_eq!(parts(&connection).3["cloudId"], "cloud-1");
    assert_eq!(arrived[1].header("authorization"), Some("Bearer at-1"));

    let both = format!("[{acme},{beta}]");
    let (outcome, _) = connect_to_site(&both, Some("beta")).await;
    assert_eq!(parts(&outcome.unwrap().connection).3["cloudId"], "cloud-2");
    let (outcome, _) = connect_to_site(&both, None).await;
    let error = outcome.unwrap_err().to_string();
    assert!(error.contains("https://acme.atlassian.net, https://beta.atlassian.net"), "{error}");
    assert!(connect_to_site("{}", None).await.0.is_err());
}
