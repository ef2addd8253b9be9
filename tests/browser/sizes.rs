//! Every page on a phone and on a desk, in light and in dark.

use crate::{
    driver::{Browser, DESK, PHONE},
    support::Home,
};

const PAGES: &[(&str, &str)] = &[
    ("/", "//li[@data-integration='slack']"),
    ("/agents", "//li[@data-agent='local']"),
    ("/agents/local", "//aside[@id='figure']"),
    ("/approvals", "//h1[text()='Approvals']"),
    ("/audit", "//table"),
    ("/people", "//section"),
    ("/welcome", "//ol"),
];

#[tokio::test]
async fn every_page_fits_its_screen_and_has_words_that_can_be_read() {
    for size in [PHONE, DESK] {
        let Some(browser) = Browser::start(size).await else { return };
        let home = Home::new();
        let server = home.serve();
        for scheme in ["light", "dark"] {
            browser.prefer(scheme).await;
            for (path, content) in PAGES {
                browser.open(&server.url(path)).await;
                browser.find(content).await;
                let sticking_out = browser.run(STICKING_OUT).await;
                assert_eq!(sticking_out, serde_json::json!([]), "{path} at {size:?}");
                let faint = browser.run(FAINT).await;
                assert_eq!(faint, serde_json::json!([]), "{path} in {scheme}");
                assert!(browser.picture().await.len() > 1_000, "{path} at {size:?}");
            }
        }
        browser.close().await;
    }
}

/// What is wider than the screen.
const STICKING_OUT: &str = "
    if (document.documentElement.scrollWidth <= innerWidth) return [];
    return [...document.querySelectorAll('main *')].filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
        .map((one) => one.outerHTML.slice(0, 120)).slice(0, 5);";

/// Texts whose contrast against what is behind them is less than 4.5 to 1 (WCAG 2.2, success criterion 1.4.3).
const FAINT: &str = "
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const mixed = (...layers) => {
        canvas.clearRect(0, 0, 1, 1);
        for (const layer of layers) { canvas.fillStyle = layer; canvas.fillRect(0, 0, 1, 1); }
        return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const light = (rgb) => {
        const [r, g, b] = rgb.map((part) => part / 255).map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (one) => {
        const layers = [];
        for (let at = one; at; at = at.parentElement) layers.unshift(getComputedStyle(at).backgroundColor);
        return layers;
    };
    const isShown = (one) => one.checkVisibility({ opacityProperty: true, visibilityProperty: true });
    const hasText = (one) => [...one.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
    const isActive = (one) => !one.closest(':disabled, .beyond');
    return [...document.querySelectorAll('body *')].filter((one) => hasText(one) && isShown(one) && isActive(one)).map((one) => {
        const back = behind(one);
        const [a, b] = [light(mixed(...back)), light(mixed(...back, getComputedStyle(one).color))].sort((a, b) => b - a);
        return [(a + 0.05) / (b + 0.05), one.textContent.trim().slice(0, 40)];
    }).filter(([contrast]) => contrast < 4.5).slice(0, 5);";
