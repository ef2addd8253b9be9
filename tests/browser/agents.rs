//! Agents: made, given tools, and used by a client.

use serde_json::Value;

use crate::{
    driver::{Browser, DESK},
    guarded, sign_in,
    support::Home,
    tools_over_mcp,
};

/// What the page says that the tools cost.
async fn tokens(browser: &Browser) -> u64 {
    let said = browser.run("return Number(document.querySelector('[data-tokens]').dataset.tokens)").await;
    said.as_u64().unwrap_or_else(|| panic!("{said}"))
}

/// Waits until the page says another cost.
async fn tokens_after(browser: &Browser, before: u64) -> u64 {
    browser.find(&format!("//*[@data-tokens][not(@data-tokens='{before}')]")).await;
    tokens(browser).await
}

#[tokio::test]
async fn an_agent_is_made_given_tools_and_used_by_a_client() {
    let Some(browser) = Browser::start(DESK).await else { return };
    let home = Home::new();
    let (server, token) = guarded(&home);
    sign_in(&browser, &server, &token).await;

    browser.click("//nav//a[@href='/agents']").await;
    browser.click("//button[text()='New agent']").await;
    browser.write("//dialog//input[@name='name']", "desk").await;
    browser.click("//dialog//button[text()='Make it']").await;
    browser.find("//h1[text()='desk']").await;

    // Nothing is connected, so that only the tools of Switchboard itself are there.
    let own = tokens(&browser).await;
    browser.click("//input[@name='tool-all-slack']").await;
    let slack = tokens_after(&browser, own).await;
    assert!(slack > own, "{slack} after {own}");
    browser.write("//section[@id='tools']//input[@type='search']", "cancel meeting").await;
    browser.click("//input[@name='tool-google_calendar_cancel_meeting']").await;
    let both = tokens_after(&browser, slack).await;
    assert!(both > slack, "{both} after {slack}");
    browser.click("//input[@name='level'][@value='no-delete']").await;
    assert_eq!(tokens_after(&browser, both).await, slack, "what cannot be undone is out of its reach");
    browser.click("//input[@name='level'][@value='full']").await;
    tokens_after(&browser, slack).await;
    browser.click("//button[text()='Save']").await;
    browser.find("//p[@id='news'][contains(., 'Saved')]").await;
    assert_eq!(tokens(&browser).await, both);

    browser.click("//section[@id='tokens']//button[text()='New token']").await;
    browser.write("//dialog//input[@name='name']", "laptop").await;
    browser.click("//dialog//button[text()='Make it']").await;
    let token = browser.text("//div[@id='token']//code").await;
    let snippet = browser.text("//pre[@id='snippet']").await;
    assert!(snippet.contains(&token) && snippet.contains("claude mcp add"), "{snippet}");
    browser.click("//label[contains(., 'VS Code')]").await;
    let snippet: Value = serde_json::from_str(&browser.text("//pre[@id='snippet']").await).unwrap();
    assert_eq!(snippet["servers"]["switchboard"]["headers"]["Authorization"], format!("Bearer {token}"));
    browser.click("//dialog//button[text()='Done']").await;

    let seen = tools_over_mcp(&server, &token).await;
    assert!(seen.contains(&"google_calendar_cancel_meeting".to_owned()), "{seen:?}");
    assert!(seen.contains(&"slack_send_message".to_owned()), "{seen:?}");
    assert!(!seen.iter().any(|name| name.starts_with("gmail")), "{seen:?}");

    browser.click("//section[@id='tokens']//li[contains(., 'laptop')]//button[text()='Revoke']").await;
    browser.click("//dialog//button[text()='Revoke']").await;
    browser.find("//section[@id='tokens']//li[text()='None yet.']").await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let refused = http.get(server.url("/api/v1/tools")).bearer_auth(&token).send().await.unwrap();
    assert_eq!(refused.status(), 401);

    browser.click("//button[text()='Delete']").await;
    browser.click("//dialog//button[text()='Delete']").await;
    browser.find("//h1[text()='Agents']").await;
    browser.find("//ul[@id='agents'][not(contains(., 'desk'))]").await;
    browser.close().await;
}

#[tokio::test]
async fn the_warnings_of_a_large_set_are_shown_before_it_is_saved() {
    let Some(browser) = Browser::start(DESK).await else { return };
    let home = Home::new();
    let server = home.serve();
    browser.open(&server.url("/agents/local")).await;
    browser.find("//aside[@id='figure']//p[contains(., 'models begin to take the wrong one')]").await;
    // One integration after the other goes, and with them the warning.
    browser.click("//input[@name='follows']").await;
    for integration in ["slack", "hubspot", "salesforce"] {
        browser.click(&format!("//input[@name='tool-all-{integration}']")).await;
    }
    browser.find("//aside[@id='figure'][not(contains(., 'models begin to take the wrong one'))]").await;
    browser.click("//button[text()='Discard']").await;
    browser.find("//aside[@id='figure']//p[contains(., 'models begin to take the wrong one')]").await;
    browser.close().await;
}
