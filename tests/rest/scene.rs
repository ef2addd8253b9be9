//! A house in the sandbox behind a real port, with an administrator and two agents.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use switchboard::{
    agents::{Agents, Integrations, LOCAL, Level, NewAgent},
    api::{self, Api},
    cli::{
        house::{self, Home, House},
        owner::{self, Claim},
    },
    config::{Environment, Settings},
    hub::{Deferred, Hub},
    id::{self, UserId},
    sandbox::Sandbox,
    secret::Secret,
    transport::{Access, Authenticate, Denied, Options, access::Authenticating, listen, rest},
};
use tempfile::TempDir;
use tokio::net::TcpListener;
use url::Url;

use crate::{
    support,
    wire::{self, Reply},
};

pub const CALENDAR: &str = "/api/v1/integrations/google-calendar";

/// The house and those who may come in.
pub struct Scene {
    pub address: SocketAddr,
    pub administrator: String,
    pub agent: String,
    pub other_agent: String,
    pub hub: Hub,
    house: Arc<House>,
    /// Everything that was ever answered.
    said: Mutex<String>,
    _dir: TempDir,
}

impl Scene {
    pub async fn open() -> Scene {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::sandbox(dir.path(), support::clock());
        let settings = Settings::load(&home.dir, Environment::default()).unwrap();
        let Claim::Mine(ownership) = owner::claim(&home.dir).await.unwrap() else { panic!("nobody was there") };
        let house = House::open(&home, &settings, Arc::new(ownership)).await.unwrap();
        let agents = house.agents.clone();
        let administrator = agents.administrator_token_if_first().await.unwrap().unwrap();
        let (agent, other_agent) = (agent(&agents, "desk").await, agent(&agents, "night").await);
        let house = Deferred::ready(house);
        let hub = house::hub(house.map(|house| house.desk.clone()), home.clock.clone());
        let address = serve(hub.clone(), agents).await;
        let administrator = administrator.expose().to_owned();
        let house = house.get().await.unwrap();
        Scene { address, administrator, agent, other_agent, hub, house, said: Mutex::default(), _dir: dir }
    }

    /// The twins.
    pub fn sandbox(&self) -> &Sandbox {
        self.house.sandbox.as_ref().unwrap()
    }

    /// What the server is called.
    pub fn host(&self) -> String {
        format!("localhost:{}", self.address.port())
    }

    /// A request with exactly these headers, beside the host.
    pub async fn send(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let host = self.host();
        let reply = wire::send(self.address, method, target, &[&[("Host", &*host)], headers].concat(), body).await;
        self.said.lock().unwrap().extend([&*reply.head, &*reply.body]);
        reply
    }

    /// A request of whoever has `token`.
    pub async fn of(&self, token: &str, method: &str, target: &str, body: &Value) -> Reply {
        let token = format!("Bearer {token}");
        let headers = [("Authorization", &*token), ("Content-Type", "application/json")];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(method, target, &headers, &body).await
    }

    pub async fn get(&self, target: &str) -> Reply {
        self.of(&self.administrator, "GET", target, &Value::Null).await
    }

    pub async fn post(&self, target: &str, body: Value) -> Reply {
        self.of(&self.administrator, "POST", target, &body).await
    }

    pub async fn delete(&self, target: &str) -> Reply {
        self.of(&self.administrator, "DELETE", target, &Value::Null).await
    }

    /// How the calendar is, and its connections.
    pub async fn calendar(&self) -> Value {
        self.get(CALENDAR).await.ok(200)
    }

    /// What a person does at the vendor: opens the page, fills in its form, and is sent back. Returns the target of the
    /// callback, which must be the registered one.
    pub async fn consent(&self, authorize_url: &str, decision: &str) -> String {
        let url: Url = authorize_url.parse().unwrap();
        let twin: SocketAddr = url.socket_addrs(|| None).unwrap()[0];
        let host = twin.to_string();
        let target = format!("{}?{}", url.path(), url.query().unwrap());
        let page = wire::send(twin, "GET", &target, &[("Host", &host)], "").await;
        assert_eq!(page.status, 200, "{page:?}");
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        for input in page.body.split("<input type=\"hidden\" name=\"").skip(1) {
            let (name, rest) = input.split_once("\" value=\"").unwrap();
            form.append_pair(name, &rest.split_once('"').unwrap().0.replace("&amp;", "&"));
        }
        let form = form.append_pair("decision", decision).finish();
        let action = page.body.split_once("action=\"").unwrap().1.split_once('"').unwrap().0;
        let headers = [("Host", &*host), ("Content-Type", "application/x-www-form-urlencoded")];
        let sent = wire::send(twin, "POST", action, &headers, &form).await;
        let back = sent.header("location").unwrap_or_else(|| panic!("{sent:?}"));
        let registered = format!("http://{}", self.host());
        back.strip_prefix(&registered).unwrap_or_else(|| panic!("sent to {back}")).to_owned()
    }

    /// That a secret stands in nothing that was answered so far.
    #[track_caller]
    pub fn never_said(&self, secret: &str) {
        let said = self.said.lock().unwrap();
        assert!(!said.is_empty(), "nothing was answered: the check proves nothing");
        assert!(!said.contains(secret), "a secret was answered");
    }
}

async fn agent(agents: &Agents, name: &str) -> String {
    let user = UserId::new(LOCAL);
    let integrations = Integrations::These(["google-calendar".to_owned()].into());
    let new = NewAgent { user: user.clone(), name: name.into(), integrations, tools: [].into(), level: Level::Full };
    let made = agents.create_agent(new).await.unwrap();
    let (_, token) = agents.create_token(&user, &made.id, "test", None).await.unwrap();
    token.expose().to_owned()
}

impl Scene {
    /// A person who was invited and came in: the id, and a token of their own.
    pub async fn person(&self, name: &str, admin: bool) -> (String, String) {
        let added = self.post("/api/v1/users", json!({ "name": name, "admin": admin })).await.ok(201);
        let invitation = json!({ "invitation": added["invitation"]["token"] }).to_string();
        let json = [("Content-Type", "application/json")];
        let taken = self.send("POST", "/api/v1/invitations/accept", &json, &invitation).await.ok(201);
        (added["id"].as_str().unwrap().to_owned(), taken["token"].as_str().unwrap().to_owned())
    }

    /// Connects the twin of the calendar for whoever has `token`, through its consent page.
    pub async fn connect(&self, token: &str, account: &str) {
        let wish = json!({ "integration": "google-calendar", "account": account });
        let started = self.of(token, "POST", "/api/v1/integrations/oauth/start", &wish).await.ok(200);
        let back = self.consent(started["authorize_url"].as_str().unwrap(), "approve").await;
        let page = self.send("GET", &back, &[], "").await;
        assert_eq!(self.confirm(&page, "connect").await.status, 200);
    }

    /// What a person says on the page that asks whose account it becomes.
    pub async fn confirm(&self, page: &Reply, decision: &str) -> Reply {
        wire::confirm(self.address, &self.host(), page, decision).await
    }

    /// A token for a new agent of whoever has `token`.
    pub async fn agent_of(&self, token: &str, wish: Value) -> (String, String) {
        let made = self.of(token, "POST", "/api/v1/agents", &wish).await.ok(201);
        let id = made["id"].as_str().unwrap().to_owned();
        let tokens = format!("/api/v1/agents/{id}/tokens");
        let token = self.of(token, "POST", &tokens, &json!({ "name": "test" })).await.ok(201);
        (id, token["token"].as_str().unwrap().to_owned())
    }
}

/// The routers as `serve` puts them together.
async fn serve(hub: Hub, agents: Agents) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let origin = format!("http://localhost:{}", address.port()).parse().unwrap();
    let api = Api::new(hub, origin, id::os());
    let options = Options::new(Access::Bearer(Arc::new(Tokens(agents))));
    let router = rest::require(api::router(api.clone()), options.clone())
        .merge(rest::admit(api::open(api.clone()), options.hosts))
        .merge(api::health(&api));
    tokio::spawn(listen::serve(listener, router, listen::Limits::default(), std::future::pending()));
    address
}

struct Tokens(Agents);

impl Authenticate for Tokens {
    fn authenticate<'a>(&'a self, token: &'a Secret) -> Authenticating<'a> {
        Box::pin(async { self.0.principal_of(token).await.map_err(|_| Denied::Unavailable)?.ok_or(Denied::Invalid) })
    }
}
