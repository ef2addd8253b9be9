//! People: invited by a link, and signed in by it.

use serde_json::Value;

use crate::{
    driver::{Browser, DESK, PHONE},
    guarded, sign_in,
    support::Home,
    tools_over_mcp,
};

#[tokio::test]
async fn somebody_who_is_invited_signs_in_by_the_link_and_makes_a_token() {
    let Some(administrator) = Browser::start(DESK).await else { return };
    let home = Home::new();
    let (server, token) = guarded(&home);
    sign_in(&administrator, &server, &token).await;
    administrator.click("//nav//a[@href='/people']").await;
    administrator.click("//button[text()='Invite somebody']").await;
    administrator.write("//dialog//input[@name='name']", "Ana").await;
    administrator.click("//dialog//button[text()='Invite']").await;
    let link = administrator.text("//div[@id='invitation']//code").await;
    assert!(link.contains("/login#swi_"), "{link}");
    administrator.click("//dialog//button[text()='Done']").await;
    administrator.find("//li[@data-person='Ana']").await;

    let Some(ana) = Browser::start(PHONE).await else { return };
    ana.open(&link).await;
    ana.find("//h1[text()='Welcome to Switchboard']").await;
    let address = ana.address().await;
    assert!(address.ends_with("/login"), "the invitation stands in the address bar: {address}");
    ana.click("//button[text()='Accept the invitation']").await;
    ana.find("//h1[text()='Welcome, Ana']").await;
    ana.click("//button[text()='Make a token']").await;
    ana.write("//dialog//input[@name='name']", "phone").await;
    ana.click("//dialog//button[text()='Make it']").await;
    let own = ana.text("//div[@id='token']//code").await;
    assert!(tools_over_mcp(&server, &own).await.contains(&"switchboard_now".to_owned()));
    ana.click("//dialog//button[text()='Done']").await;
    ana.click("//nav//a[@href='/people']").await;
    ana.find("//h1[text()='You']").await;
    assert_eq!(ana.complaints().await, Vec::<Value>::new());

    // It was good once.
    let Some(other) = Browser::start(PHONE).await else { return };
    other.open(&link).await;
    other.click("//button[text()='Accept the invitation']").await;
    other.find("//p[contains(., 'is not known here, or has ended')]").await;

    administrator.click("//li[@data-person='Ana']//button[text()='Remove']").await;
    administrator.click("//dialog//button[text()='Remove']").await;
    administrator.find("//ul[@id='people'][not(contains(., 'Ana'))]").await;
    ana.open(&server.url("/agents")).await;
    ana.find("//h1[text()='Sign in to Switchboard']").await;
    ana.quit().await;
    other.quit().await;
    administrator.close().await;
}
