//! Which rights are asked for, and which OAuth clients are kept.

use super::*;
use crate::{
    agents::{Integrations, LOCAL, Level, NewAgent},
    clock::{self, ManualClock},
    http::testing::{Reply, Server, client},
    id::{self, AgentId},
    integrations,
    oauth::{App, ClientCheck, Overrides},
    secret::Secret,
    store::MemoryStore,
    vault::{KeyRing, When},
};

const CALENDAR: &str = "google-calendar";
const READ: &str = "https://www.googleapis.com/auth/calendar.events.readonly";
const WRITE: &str = "https://www.googleapis.com/auth/calendar.events";

struct Scene {
    accounts: Accounts,
    agents: Agents,
    vault: Vault,
}

async fn scene_of(change: impl FnOnce(&mut Site)) -> Scene {
    let (store, clock, entropy) = (MemoryStore::new(), clock::system(), id::os());
    let vault = Vault::open(store.clone(), KeyRing::generate(), clock.clone()).await.unwrap();
    let agents = Agents::new(store, clock.clone(), entropy.clone());
    let mut site = Site::of(integrations::find(CALENDAR).unwrap()).unwrap();
    change(&mut site);
    let accounts = Accounts::new(Parts {
        broker: Broker::new(vault.clone(), client(), clock.clone(), entropy.clone()),
        vault: vault.clone(),
        client: client(),
        agents: Some(agents.clone()),
        sites: vec![site],
        clock,
        entropy,
    });
    Scene { accounts, agents, vault }
}

async fn scene() -> Scene {
    scene_of(|site| site.app = Some(App { client_id: "id".into(), client_secret: None })).await
}

fn local() -> UserId {
    UserId::new(LOCAL)
}

impl Scene {
    /// The scopes in the address to which a person would be sent.
    async fn asked(&self, tools: &[&str]) -> Result<BTreeSet<String>, Error> {
        let consent = Consent {
            user: local(),
            integration: CALENDAR.into(),
            account: "default".into(),
            redirect_uri: "http://localhost:7411/callback".into(),
            names: oauth::Names::new(),
            tools: tools.iter().map(|tool| (*tool).to_owned()).collect(),
            return_to: None,
            browser: None,
        };
        let address = self.accounts.start(consent).await?.started.authorize_url;
        let (_, scopes) = address.query_pairs().find(|(name, _)| name == "scope").unwrap();
        Ok(scopes.split(' ').map(str::to_owned).collect())
    }

    async fn has_agent_that_reads(&self) -> AgentId {
        let integrations = Integrations::These([CALENDAR.to_owned()].into());
        let (name, tools, level) = ("reader".into(), [].into(), Level::ReadOnly);
        self.agents.create_agent(NewAgent { user: local(), name, integrations, tools, level }).await.unwrap().id
    }

    /// An account that was granted only `scopes`.
    async fn is_granted(&self, scopes: &[&str]) {
        let now = clock::system().now();
        let connection = Connection {
            key: ConnectionKey::new(local(), CALENDAR, "default"),
            credential: Credential::OAuth {
                access: Secret::new("a"),
                refresh: None,
                expires_at: None,
                extra: BTreeMap::new(),
            },
            generation: 1,
            status: Status::Active,
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            metadata: BTreeMap::new(),
            client_id: Some("id".into()),
            connected_at: now,
            updated_at: now,
        };
        self.vault.save_connection(&connection, When::Always).await.unwrap();
    }
}

fn has(scopes: &BTreeSet<String>, scope: &str) -> bool {
    scopes.contains(scope)
}

#[tokio::test]
async fn who_set_up_no_agent_is_asked_for_what_all_tools_need() {
    let scopes = scene().await.asked(&[]).await.unwrap();
    assert!(has(&scopes, WRITE), "{scopes:?}");
}

#[tokio::test]
async fn the_tools_of_the_agents_decide() {
    let scene = scene().await;
    let reader = scene.has_agent_that_reads().await;
    let scopes = scene.asked(&[]).await.unwrap();
    assert!(has(&scopes, READ) && !has(&scopes, WRITE), "{scopes:?}");
    let writes = |agent: &mut crate::agents::Agent| {
        agent.level = Level::Full;
        agent.tools.insert("google_calendar_quick_add".into(), true);
    };
    scene.agents.update_agent(&local(), &reader, writes).await.unwrap();
    assert!(has(&scene.asked(&[]).await.unwrap(), WRITE));
}

#[tokio::test]
async fn the_operators_bound_is_not_passed_except_for_a_tool_that_is_named() {
    let scene = scene().await;
    scene.accounts.bound_to(Filters { read_only: true, ..Filters::default() });
    let scopes = scene.asked(&[]).await.unwrap();
    assert!(has(&scopes, READ) && !has(&scopes, WRITE), "{scopes:?}");
    assert!(has(&scene.asked(&["google_calendar_quick_add"]).await.unwrap(), WRITE));
    let unknown = scene.asked(&["google_calendar_quik_add"]).await.unwrap_err();
    assert_eq!(unknown.next_step(), Some("Did you mean `google_calendar_quick_add`?"));
}

#[tokio::test]
async fn one_permission_more_takes_none_away() {
    let scene = scene().await;
    scene.has_agent_that_reads().await;
    scene.is_granted(&[WRITE]).await;
    let again = scene.asked(&[]).await.unwrap();
    assert!(!has(&again, WRITE), "who connects anew gets what the agents need now: {again:?}");
    let more = scene.asked(&["google_calendar_list_calendars"]).await.unwrap();
    assert!(has(&more, WRITE) && more.iter().any(|scope| scope.contains("calendarlist")), "{more:?}");
}

#[tokio::test]
async fn scopes_in_the_settings_are_the_last_word() {
    let scene = scene_of(|site| {
        site.app = Some(App { client_id: "id".into(), client_secret: None });
        site.scopes = Some(vec!["just-this".into()]);
    })
    .await;
    assert_eq!(scene.asked(&["google_calendar_quick_add"]).await.unwrap(), BTreeSet::from(["just-this".to_owned()]));
}

/// What comes of keeping a client whose vendor answers so, and whether it was kept.
async fn kept(reply: Reply) -> (Result<ClientCheck, Error>, bool) {
    let server = Server::always(reply).await;
    let token_url = Some(server.url("/token").to_string());
    let overrides = Overrides { token_url, ..Overrides::default() };
    let scene = scene_of(|site| {
        *site = Site::set(site.integration, None, overrides).unwrap();
    })
    .await;
    let app = App { client_id: "id".into(), client_secret: Some(Secret::new("canary-secret")) };
    let checked = scene.accounts.set_app("google", &app, "http://localhost:7411/callback").await;
    (checked, scene.accounts.has_app(CALENDAR).await.unwrap())
}

#[tokio::test]
async fn a_client_that_the_vendor_refuses_is_not_kept() {
    let (refused, is_kept) = kept(Reply::json(401, r#"{"error":"invalid_client"}"#)).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("invalid_client") && !refused.contains("canary") && !is_kept, "{refused}");
}

#[tokio::test]
async fn what_the_vendor_says_of_a_client_is_told() {
    for (reply, expected) in [
        (Reply::json(400, r#"{"error":"invalid_grant"}"#), ClientCheck::Good),
        (Reply::json(400, r#"{"error":"redirect_uri_mismatch"}"#), ClientCheck::RedirectUnknown),
    ] {
        let (checked, is_kept) = kept(reply).await;
        assert_eq!((checked.unwrap(), is_kept), (expected, true));
    }
    let (checked, is_kept) = kept(Reply::status(503)).await;
    assert!(matches!(checked, Ok(ClientCheck::Unknown(_))) && is_kept, "a vendor that is down decides nothing");
}

#[tokio::test]
async fn a_family_that_there_is_not_is_refused_with_those_that_there_are() {
    let scene = scene().await;
    let app = App { client_id: "id".into(), client_secret: None };
    let refused = scene.accounts.set_app("gogle", &app, "x").await.unwrap_err();
    assert!(refused.to_string().contains("google"), "{refused}");
    let checked = scene.accounts.set_app("google", &app, "x").await.unwrap();
    assert!(matches!(checked, ClientCheck::Unknown(why) if why.contains("settings")), "the settings name one already");
}

#[tokio::test]
async fn the_sign_in_server_tells_the_time() {
    let date = "Mon, 23 Nov 2026 09:00:00 GMT";
    let server = Server::always(Reply::status(405).with("date", date)).await;
    let (store, entropy) = (MemoryStore::new(), id::os());
    let clock = ManualClock::at("2026-11-23T09:05:00Z".parse().unwrap());
    let vault = Vault::open(store, KeyRing::generate(), clock.clone()).await.unwrap();
    let overrides = Overrides { token_url: Some(server.url("/token").to_string()), ..Overrides::default() };
    let accounts = Accounts::new(Parts {
        broker: Broker::new(vault.clone(), client(), clock.clone(), entropy.clone()),
        vault: vault.clone(),
        client: client(),
        agents: None,
        sites: vec![Site::set(integrations::find(CALENDAR).unwrap(), None, overrides).unwrap()],
        clock: clock.clone(),
        entropy: entropy.clone(),
    });
    assert_eq!(accounts.ahead_of_a_vendor(&local()).await.map(|(_, ahead)| ahead), None, "nothing is connected");
    let scene = Scene { agents: Agents::new(vault.store().clone(), clock, entropy), accounts, vault };
    scene.is_granted(&[READ]).await;
    let (vendor, ahead) = scene.accounts.ahead_of_a_vendor(&local()).await.unwrap();
    assert_eq!((vendor.id, ahead.as_millis()), (CALENDAR, 299_500));
    assert_eq!(server.arrived()[0].header("authorization"), None);
}
