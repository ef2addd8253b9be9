//! `switchboard panic` ends everything that opens a door, here and at the vendors, says what was confirmed and what was
//! not, and goes on where it was when it was killed.

use std::{
    collections::BTreeSet,
    fs,
    process::Stdio,
    time::{Duration, Instant},
};

use futures_util::StreamExt;
use serde_json::Value;
use switchboard::{
    cli::house::{self, House},
    clock,
    hub::{
        Deferred, Hub,
        emergency::{Emergency, Progress},
    },
    id::UserId,
    vault::{Connection, ConnectionKey, Credential, Status},
};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::connect_async;

use crate::{support::Home, target::Target};

/// The sign-ins of the vendors that end grants when they are asked to, in the sandbox.
const THAT_REVOKE: [&str; 5] = ["oauth-google", "oauth-hubspot", "oauth-notion", "oauth-salesforce", "oauth-slack"];

fn told(home: &Home, arguments: &[&str]) -> String {
    let done = home.command(&[arguments, &["--sandbox"]].concat()).output().unwrap();
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap() + &String::from_utf8_lossy(&done.stderr)
}

/// The lists that were written, as they stand in the data directory.
fn lists(home: &Home) -> Vec<(std::path::PathBuf, Value)> {
    let all = fs::read_dir(home.path().join("sandbox")).unwrap().map(|entry| entry.unwrap().path());
    let is_list = |path: &std::path::PathBuf| path.extension().is_some_and(|extension| extension == "json");
    all.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("panic-") && is_list(path))
        .map(|path| (path.clone(), serde_json::from_slice(&fs::read(path).unwrap()).unwrap()))
        .collect()
}

fn integrations(list: &Value, name: &str) -> BTreeSet<String> {
    let lines = list[name].as_array().unwrap();
    let all: BTreeSet<String> = lines.iter().map(|line| line["integration"].as_str().unwrap().to_owned()).collect();
    assert_eq!(all.len(), lines.len(), "one line for each connection: {lines:?}");
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_ends_and_a_signed_list_says_what() {
    let target = Target::sandbox();
    told(&target.home, &["agents", "add", "desk"]);
    let made = told(&target.home, &["agents", "token", "desk"]);
    assert!(made.contains("swb_"), "{made}");
    let mut socket = connect_async(target.server.websocket()).await.unwrap().0;

    let refused = target.home.command(&["panic", "--sandbox"]).output().unwrap();
    assert!(!refused.status.success(), "it asks first");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--yes"), "{refused:?}");
    let said = told(&target.home, &["panic", "--yes"]);
    assert!(said.contains("administrator token") && said.contains("swb_"), "{said}");

    let end = async { while let Some(Ok(_)) = socket.next().await {} };
    timeout(Duration::from_secs(20), end).await.expect("the connection ends");
    let (file, signed) = lists(&target.home).pop().expect("a list was written");
    let list = &signed["list"];
    let (ended, by_hand) = (integrations(list, "ended"), integrations(list, "to_be_ended_by_hand"));
    assert!(ended.contains("gmail") && ended.contains("slack") && ended.contains("hubspot"), "{list}");
    assert_eq!(ended.union(&by_hand).count(), 8, "{list}");
    assert!(list["to_be_ended_by_hand"].as_array().unwrap().iter().all(|line| line["page"].is_string()), "{list}");
    assert_eq!(list["revoked_here"]["tokens"], 1, "{list}");
    assert!(!signed.to_string().contains("swb_"), "no token is in it");
    let connected = told(&target.home, &["connections", "--json"]);
    assert_eq!(connected.trim(), "[]", "nothing is connected any more");

    let path = file.to_str().unwrap();
    assert!(told(&target.home, &["panic", "verify", path]).contains("is as this installation signed it"));
    let forged = signed.to_string().replacen("gmail", "slack", 1);
    let other = target.home.path().join("forged.json");
    fs::write(&other, forged).unwrap();
    let checked = target.home.command(&["panic", "verify", other.to_str().unwrap(), "--sandbox"]).output().unwrap();
    assert!(!checked.status.success(), "a list that was changed is not taken for genuine");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_killed_again_and_again_goes_on_and_leaves_nothing_out() {
    let home = Home::new();
    told(&home, &["connections"]);
    for patience in [300, 600, 900, 1500, 2500] {
        let mut command = home.command(&["panic", "--yes", "--sandbox"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        sleep(Duration::from_millis(patience)).await;
        child.kill().unwrap();
        child.wait().unwrap();
    }
    told(&home, &["panic", "--yes"]);
    assert_eq!(told(&home, &["connections", "--json"]).trim(), "[]");
    let lists = lists(&home);
    let named = |list: &Value| {
        let list = &list["list"];
        integrations(list, "ended").union(&integrations(list, "to_be_ended_by_hand")).cloned().collect::<BTreeSet<_>>()
    };
    assert!(lists.iter().any(|(_, list)| named(list).len() == 8), "one list has them all: {lists:?}");
}

/// The sandbox with so many more accounts of each vendor, all connected.
async fn crowded(home: &Home, accounts: usize) -> (House, Hub) {
    let place = house::Home { dir: home.path().to_owned(), is_sandbox: true, clock: clock::system() };
    fs::create_dir_all(&place.dir).unwrap();
    let house = House::open(&place, &place.settings().unwrap(), None).await.unwrap();
    let sandbox = house.sandbox.as_ref().unwrap();
    for twin in sandbox.endpoints() {
        for number in 0..accounts {
            let grant = sandbox.grant(twin.vendor, &[]).await.unwrap();
            let key = ConnectionKey::new(UserId::new("local"), twin.vendor, &*format!("account-{number}"));
            let now = clock::system().now();
            let (access, refresh) = (grant.access, grant.refresh);
            let connection = Connection {
                key,
                credential: Credential::OAuth { access, refresh, expires_at: grant.expires_at, extra: grant.extra },
                generation: 1,
                status: Status::Active,
                scopes: grant.scopes,
                metadata: [("family".to_owned(), twin.family.to_owned())].into(),
                client_id: Some(grant.client_id),
                connected_at: now,
                updated_at: now,
            };
            house.accounts.adopt(&connection).await.unwrap();
        }
    }
    let hub = house::hub(Deferred::ready(house.desk.clone()), clock::system());
    (house, hub)
}

/// How often the vendors were asked to end a grant.
fn asked(house: &House) -> u64 {
    let sandbox = house.sandbox.as_ref().unwrap();
    THAT_REVOKE.iter().map(|family| sandbox.count(family, "oauth.revoke").unwrap()).sum()
}

async fn to_the_end(emergency: &Emergency) -> Progress {
    loop {
        let progress = emergency.go_on().await.unwrap();
        if progress.left == 0 {
            return progress;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_grants_end_within_a_minute_and_none_is_asked_for_twice() {
    end_many(15).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "to connect a thousand accounts takes longer than to end them"]
async fn a_thousand_grants_end_within_a_minute_and_none_is_asked_for_twice() {
    end_many(125).await;
}

/// Ends so many grants of each vendor, and is cut off meanwhile.
async fn end_many(each: usize) {
    let home = Home::new();
    let (house, hub) = crowded(&home, each - 1).await;
    let all = 8 * each;
    let began = Instant::now();
    let first = Emergency::of(&hub).await.unwrap();
    let progress = first.begin("a test").await.unwrap();
    assert_eq!((progress.left, progress.done, progress.resumed), (all, 0, false));
    assert!(house.accounts.connections(&UserId::new("local")).await.unwrap().is_empty(), "our own doors come first");
    // It is cut off in the middle of a step, and another one goes on.
    let _ = timeout(Duration::from_millis(100), first.go_on()).await;
    drop(first);
    let second = Emergency::of(&hub).await.unwrap();
    let progress = second.begin("a test").await.unwrap();
    assert!(progress.resumed, "{progress:?}");
    let progress = to_the_end(&second).await;
    assert_eq!((progress.left, progress.done), (0, all));
    let signed = second.report().await.unwrap().signed;
    let took = began.elapsed();
    println!("{all} grants ended within {took:?}");
    assert!(took < Duration::from_mins(1), "it took {took:?}");
    assert!(second.is_genuine(&signed));
    let (ended, by_hand) =
        (signed["list"]["ended"].as_array().unwrap(), signed["list"]["to_be_ended_by_hand"].as_array().unwrap());
    // Airtable's twin has no way to end a grant.
    assert_eq!((ended.len(), by_hand.len()), (7 * each, each), "{:?}", by_hand.first());
    let (asked, ends) = (asked(&house), 7 * u64::try_from(each).unwrap());
    assert!((ends..=ends + 16).contains(&asked), "only what was cut off in flight is asked for again: {asked}");
    let alive = house.sandbox.as_ref().unwrap().status();
    let alive: Vec<_> = alive.iter().filter(|twin| twin.vendor != "airtable" && twin.live_tokens > 0).collect();
    assert!(alive.is_empty(), "{alive:?}");
    second.finish().await.unwrap();
    let again = second.begin("a test").await.unwrap();
    assert_eq!((again.left, again.done, again.resumed), (0, 0, false), "the next one begins anew");
}
