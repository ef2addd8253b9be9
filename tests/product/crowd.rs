//! A person with very many accounts: lists and calls look at names, not into every record.

use std::sync::Arc;

use serde_json::json;
use switchboard::{
    agents::LOCAL,
    cli::{
        house::{self, Home, House},
        owner::{self, Claim},
    },
    config::{Environment, Settings},
    hub::{CallRequest, Deferred, Filters, Reply},
    id::UserId,
    store::{Change, Durability, Expect, Key, Table},
};

use crate::support;

const ACCOUNTS: usize = 1_000;

/// A thousand records that nobody can open stand beside the one that works. Whoever looks into them stumbles.
#[tokio::test]
async fn only_the_account_that_is_used_is_opened() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::sandbox(dir.path(), support::clock());
    let settings = Settings::load(&home.dir, Environment::default()).unwrap();
    let Claim::Mine(ownership) = owner::claim(&home.dir).await.unwrap() else { panic!("nobody was there") };
    let house = House::open(&home, &settings, Arc::new(ownership)).await.unwrap();
    let put = |number: usize| {
        let account = format!("spare-{number}");
        let key = Key::of(Table::Connections, &[LOCAL, "google-calendar", &account]).unwrap();
        Change::Put { key, value: b"nobody can open this".to_vec(), expect: Expect::Absent }
    };
    house.vault.store().commit((0..ACCOUNTS).map(put).collect(), Durability::SurvivesCrash).await.unwrap();

    let hub = house::hub(Deferred::ready(house.desk.clone()), home.clock.clone());
    let caller = house::local_caller(Filters::default(), "test");
    let began = std::time::Instant::now();
    let listing = hub.tools(&caller).await.unwrap();
    let listed = began.elapsed();
    let row = listing.find("google_calendar_list_meetings").unwrap();
    let names = row.input()["properties"]["account"]["enum"].as_array().unwrap().len();
    assert_eq!(names, ACCOUNTS + 1);

    let arguments = json!({"account": "default"}).as_object().cloned().unwrap();
    let began = std::time::Instant::now();
    let reply = hub.call(&caller, CallRequest::new("google_calendar_list_meetings", arguments)).await.unwrap();
    let called = began.elapsed();
    assert!(matches!(reply, Reply::Done(_)), "{reply:?}");
    let began = std::time::Instant::now();
    let opened = house.accounts.connections(&UserId::new(LOCAL)).await.unwrap().len();
    println!("{opened} accounts: listed in {listed:?}, called in {called:?}; opening each takes {:?}", began.elapsed());
}
