//! Without a mouse.

use crate::{
    driver::{Browser, CONTROL, DESK, ENTER, ESCAPE, SPACE},
    support::Home,
};

#[tokio::test]
async fn an_agent_is_made_with_the_keyboard_alone() {
    let Some(browser) = Browser::start(DESK).await else { return };
    let home = Home::new();
    let server = home.serve();
    browser.open(&server.url("/")).await;
    browser.find("//li[@data-integration='slack']").await;
    browser.tab_to("Skip to the page").await;
    browser.press(&[ENTER]).await;
    browser.tab_to("Search integrations").await;
    browser.press(&["s", "l", "a", "c", "k"]).await;
    browser.find("//ul[@id='list'][count(li)=1]").await;
    browser.tab_to("Test").await;
    browser.press(&[ENTER]).await;
    browser.find("//p[@id='news'][contains(., 'Slack works')]").await;

    browser.press(&["g", "a"]).await;
    browser.find("//h1[text()='Agents']").await;
    browser.tab_to("New agent").await;
    browser.press(&[ENTER]).await;
    browser.find("//dialog").await;
    // The first field has the focus.
    browser.press(&["d", "e", "s", "k", ENTER]).await;
    browser.find("//h1[text()='desk']").await;
    browser.press(&["/"]).await;
    browser.press(&["c", "a", "n", "c", "e", "l"]).await;
    browser.find("//section[@id='tools']//details[@open]").await;
    browser.tab_to("tool-google_calendar_cancel_meeting").await;
    browser.press(&[SPACE]).await;
    browser.find("//div[@class='save'][not(@hidden)]").await;
    let focused = browser.run("return document.activeElement.name").await;
    assert_eq!(focused, "tool-google_calendar_cancel_meeting", "the focus stays where it was");
    browser.press_with(CONTROL, "s").await;
    browser.find("//p[@id='news'][contains(., 'Saved')]").await;
    browser.press(&["?"]).await;
    browser.find("//dialog//h2[text()='Keys']").await;
    browser.press(&[ESCAPE]).await;
    browser.find("//body[not(dialog)]").await;
    browser.close().await;
}
