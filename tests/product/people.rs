//! Several people at one server: a link is good for the person who called, and for nobody else.

use std::{net::SocketAddr, sync::Arc};

use jiff::SignedDuration;
use serde_json::json;
use switchboard::{
    agents::Agents,
    api::{self, Api},
    cli::{
        door::{Sessions, Tokens},
        house::{self, Home, House},
        owner::{self, Claim},
    },
    clock::{ManualClock, SharedClock},
    config::{Environment, Settings},
    console::{self, Console, Visitors},
    hub::{Deferred, Hub, Pages},
    id,
    tool::Boxed,
    transport::{Access, Browsers, Options, guard, http, listen, rest},
};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::{browser::Browser, client::Client, support};

struct Office {
    address: SocketAddr,
    agents: Agents,
    _house: Arc<House>,
    _dir: TempDir,
}

struct At(String);

impl Pages for At {
    fn origin(&self, _hub: Hub) -> Boxed<'_, Option<String>> {
        Box::pin(std::future::ready(Some(self.0.clone())))
    }
}

impl Office {
    async fn open() -> Office {
        Office::open_at(support::clock()).await
    }

    async fn open_at(clock: SharedClock) -> Office {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::sandbox(dir.path(), clock);
        let settings = Settings::load(&home.dir, Environment::default()).unwrap();
        let Claim::Mine(ownership) = owner::claim(&home.dir).await.unwrap() else { panic!("nobody was there") };
        let house = House::open(&home, &settings, Arc::new(ownership)).await.unwrap();
        let agents = house.agents.clone();
        let house = Deferred::ready(house);
        let hub = house::hub(house.map(|house| house.desk.clone()), home.clock.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let origin = format!("http://localhost:{}", address.port());
        hub.serve_pages(Arc::new(At(origin.clone())));
        let api = Api::new(hub.clone(), origin.parse().unwrap(), id::os());
        let options = Options {
            browsers: Some(Browsers(Arc::new(Sessions(agents.clone())))),
            ..Options::new(Access::Bearer(Arc::new(Tokens::new(agents.clone(), None))))
        };
        let server = house::server(&hub);
        let console = console::router(Console::new(api.clone(), Visitors::SignedIn(agents.clone())));
        let router = http::router(server, options.clone())
            .merge(rest::require(api::router(api.clone()), options.clone()))
            .merge(rest::admit(api::callback(api), options.hosts.clone()))
            .merge(guard::protect(console, options.hosts));
        tokio::spawn(listen::serve(listener, router, listen::Limits::default(), std::future::pending()));
        Office { address, agents, _house: house.get().await.unwrap(), _dir: dir }
    }

    fn url(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.address.port())
    }

    async fn person(&self, name: &str) -> String {
        let user = self.agents.create_user(name, false).await.unwrap();
        let (_, token) = self.agents.create_person_token(&user.id, "test", None).await.unwrap();
        token.expose().to_owned()
    }

    async fn signed_in(&self, token: &str) -> Browser {
        let mut browser = Browser::new();
        let page = browser.open(&self.url("/login")).await;
        let home = browser.submit(&page, &[("token", token)]).await;
        assert!(home.status == 200 && home.url.path() == "/", "{}", home.text);
        browser
    }
}

#[tokio::test]
async fn a_link_is_good_for_the_person_who_called() {
    let office = Office::open().await;
    let (ann, bob) = (office.person("Ann").await, office.person("Bob").await);
    let anns = Client::at(&office.url("/mcp")).with_token(&ann).able_to(json!({"elicitation": {"url": {}}}));
    let call = json!({"integration": "google-calendar"});
    let asked = anns.call("switchboard_connect", call.clone()).await;
    let url =
        asked["inputRequests"]["connect"]["params"]["url"].as_str().unwrap_or_else(|| panic!("{asked}")).to_owned();

    let mut bobs = office.signed_in(&bob).await;
    let refused = bobs.open(&url).await;
    assert_eq!(refused.status, 403);
    assert!(refused.text.contains("not made for the person who is signed in"), "{}", refused.text);
    let secret = url.rsplit_once('/').unwrap().1;
    assert!(!refused.text.contains(secret) && !refused.text.contains("Google"), "{}", refused.text);

    // A stranger is asked to sign in, and comes back to the page.
    let mut browser = Browser::new();
    let login = browser.open(&url).await;
    assert_eq!(login.url.path(), "/login");
    let question = browser.submit(&login, &[("token", &ann)]).await;
    assert!(question.text.contains("Connect Google Calendar"), "{}", question.text);
    let vendor = browser.submit(&question, &[]).await;
    let done = browser.consent(&vendor).await;
    assert!(done.text.contains("Google Calendar is connected"), "{}", done.text);

    let listed = anns.call("google_calendar_list_meetings", json!({})).await;
    assert!(listed["structuredContent"]["meetings"].is_array(), "{listed}");
    let bobs = Client::at(&office.url("/mcp")).with_token(&bob);
    let refused = bobs.call("google_calendar_list_meetings", json!({})).await;
    assert!(refused["content"][0]["text"].as_str().unwrap().contains("is not connected"), "{refused}");
    assert!(!bobs.read("switchboard://connections").await.contains("google-calendar ("));

    // What she can read by its address is not there for him, and nothing of it is said.
    let meeting = &listed["structuredContent"]["meetings"][0];
    let (uri, title) = (format!("google-calendar://event/{}", meeting["id"].as_str().unwrap()), &meeting["title"]);
    let title = title.as_str().unwrap();
    assert!(anns.read(&uri).await.contains(title), "{meeting}");
    let gone = bobs.error("resources/read", json!({"uri": uri})).await;
    assert_eq!(gone["code"], -32602, "{gone}");
    assert!(!gone.to_string().contains(title), "{gone}");
}

#[tokio::test]
async fn a_link_is_good_for_ten_minutes() {
    let clock = ManualClock::at(support::today());
    let office = Office::open_at(clock.clone()).await;
    let ann = office.person("Ann").await;
    let anns = Client::at(&office.url("/mcp")).with_token(&ann).able_to(json!({"elicitation": {"url": {}}}));
    let asked = anns.call("switchboard_connect", json!({"integration": "google-calendar"})).await;
    let url = asked["inputRequests"]["connect"]["params"]["url"].as_str().unwrap_or_else(|| panic!("{asked}"));
    let mut browser = office.signed_in(&ann).await;

    clock.advance(SignedDuration::from_secs(10 * 60 - 2));
    let question = browser.open(url).await;
    assert_eq!(question.status, 200, "{}", question.text);
    clock.advance(SignedDuration::from_secs(2));
    let late = browser.open(url).await;
    assert!(late.status == 410 && late.text.contains("has run out"), "{} {}", late.status, late.text);
    // Whoever has the page open already comes too late as well.
    let sent = browser.submit(&question, &[]).await;
    assert!(sent.status == 410 && !sent.text.contains("decision"), "{} {}", sent.status, sent.text);
}

#[tokio::test]
async fn a_session_ends_when_the_person_signs_out() {
    let office = Office::open().await;
    let ann = office.person("Ann").await;
    let mut browser = office.signed_in(&ann).await;
    let home = browser.open(&office.url("/")).await;
    assert!(home.text.contains("<meta name=\"signed-in\">"), "{}", home.text);
    let login = browser.press(&home, "/logout").await;
    assert_eq!(login.url.path(), "/login");
    assert_eq!(browser.open(&office.url("/")).await.url.path(), "/login");
}

#[tokio::test]
async fn a_wrong_token_opens_no_session_and_is_not_repeated() {
    let office = Office::open().await;
    let mut browser = Browser::new();
    let page = browser.open(&office.url("/login?next=//evil.example.com")).await;
    assert!(!page.text.contains("evil"), "{}", page.text);
    let refused = browser.submit(&page, &[("token", "swb_wrongwrongwrong")]).await;
    assert_eq!(refused.status, 403);
    assert!(!refused.text.contains("wrongwrong"), "{}", refused.text);
}

#[tokio::test]
async fn a_page_of_another_server_can_do_nothing_with_the_session() {
    let office = Office::open().await;
    let token = office.person("Ann").await;
    let http = crate::client::http();
    let cookie = office.agents.open_session(&switchboard::secret::Secret::new(token)).await.unwrap().unwrap();
    let cookie = format!("switchboard_session={}", cookie.expose());
    let own = office.url("");
    let at = |path: &str| http.post(office.url(path)).header("Cookie", &cookie);
    let body = json!({"integration": "google-calendar"});
    for (origin, allowed) in [(None, false), (Some("http://localhost:1"), false), (Some("null"), false)] {
        let mut request = at("/api/v1/tools/switchboard_now/call").json(&body);
        if let Some(origin) = origin {
            request = request.header("Origin", origin);
        }
        let status = request.send().await.unwrap().status().as_u16();
        assert_eq!(status != 403, allowed, "{origin:?}: {status}");
        let mut request = at("/logout");
        if let Some(origin) = origin {
            request = request.header("Origin", origin);
        }
        assert_eq!(request.send().await.unwrap().status().as_u16(), 403, "{origin:?}");
    }
    let good = at("/api/v1/tools/switchboard_now/call").json(&json!({})).header("Origin", &own).send().await.unwrap();
    assert_eq!(good.status().as_u16(), 200);
    let mcp = at("/mcp").json(&json!({})).header("Origin", &own).send().await.unwrap();
    assert_eq!(mcp.status().as_u16(), 401, "the protocol takes no cookies");
}
