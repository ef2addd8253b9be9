//! Accounts, and questions that wait for a person.

use serde_json::Value;

use crate::{
    driver::{Browser, PHONE},
    support::Home,
};

fn calendar(rest: &str) -> String {
    format!("//li[@data-integration='google-calendar']//{rest}")
}

#[tokio::test]
async fn two_clicks_connect_an_account_in_the_console() {
    let Some(browser) = Browser::start(PHONE).await else { return };
    let home = Home::new();
    let server = home.serve();
    let gone = home.command(&["disconnect", "google-calendar", "--sandbox"]).output().unwrap();
    assert!(gone.status.success());

    // 127.0.0.1 is sent on to the name under which vendors send browsers back.
    browser.open(&server.url("/")).await;
    browser.click(&calendar("button[text()='Connect']")).await;
    browser.click("//button[@value='approve']").await;
    browser.find(&calendar("span[contains(@class, 'connected')][text()='connected']")).await;
    browser.click(&calendar("button[text()='Test']")).await;
    browser.find("//p[@id='news'][contains(., 'works')]").await;
    browser.close().await;
}

#[tokio::test]
async fn an_account_is_disconnected_after_a_question() {
    let Some(browser) = Browser::start(PHONE).await else { return };
    let home = Home::new();
    let server = home.serve();
    browser.open(&server.url("/")).await;
    browser.click(&calendar("button[text()='Disconnect']")).await;
    browser.click("//dialog//button[text()='Cancel']").await;
    browser.find(&calendar("button[text()='Disconnect']")).await;
    browser.click(&calendar("button[text()='Disconnect']")).await;
    browser.click("//dialog//button[text()='Disconnect']").await;
    browser.find(&calendar("button[text()='Connect']")).await;
    browser.close().await;
}

#[tokio::test]
async fn what_waits_for_a_yes_appears_by_itself_and_is_approved() {
    let Some(browser) = Browser::start(PHONE).await else { return };
    let home = Home::new();
    let server = home.serve();
    let call = |tool: &str, arguments: &[&str]| {
        let arguments = [&["call", tool, "--sandbox", "--json"], arguments].concat();
        let output = home.command(&arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let booked =
        call("google_calendar_schedule_meeting", &["title=Zebra", "start=2031-03-05T10:00", "duration_minutes=30"]);
    let booked: Value = serde_json::from_str(&booked).unwrap_or_else(|_| panic!("{booked}"));
    let id = format!("event_id={}", booked["meeting"]["id"].as_str().unwrap());

    browser.open(&server.url("/approvals")).await;
    browser.find("//ul[@id='approvals']/li[contains(., 'Nothing waits')]").await;
    call("google_calendar_cancel_meeting", &[&id]);
    browser.find("//ul[@id='approvals']//h3[contains(., 'Zebra')]").await;
    browser.find("//b[@id='waiting'][text()='1']").await;
    browser.click("//ul[@id='approvals']//button[text()='Approve']").await;
    browser.find("//ul[@id='approvals']/li[contains(., 'Nothing waits')]").await;
    let cancelled = call("google_calendar_cancel_meeting", &[&id]);
    assert!(cancelled.contains("Zebra"), "{cancelled}");

    browser.click("//nav//a[@href='/audit']").await;
    browser.find("//tr[@data-outcome='ok'][contains(., 'cancel meeting')]").await;
    browser.click("//tr[@data-outcome='refused']//button").await;
    browser.find("//dialog//dd[contains(., 'refused')]").await;
    browser.close().await;
}
