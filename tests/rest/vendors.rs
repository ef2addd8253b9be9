//! A grant's whole life at vendors whose sign-in has ways of its own: consent, use, renewal and end, each through the
//! real broker against the vendor's twin.

use serde_json::{Value, json};

use crate::scene::Scene;

/// A vendor, and a tool that needs what the consent gave.
struct Vendor {
    id: &'static str,
    tool: &'static str,
    arguments: Value,
}

/// Slack hands the person's token out beside the bot's, and separates scopes by commas; Salesforce names the address of
/// the organisation and no lifetime, and its refresh tokens are good once; HubSpot wants everything in the form; Notion
/// takes JSON and knows no scopes; Airtable wants a challenge.
fn vendors() -> [Vendor; 5] {
    let vendor = |id, tool, arguments| Vendor { id, tool, arguments };
    [
        vendor("slack", "slack_search_messages", json!({ "query": "offer" })),
        vendor("salesforce", "salesforce_list_opportunities", json!({})),
        vendor("hubspot", "hubspot_search_deals", json!({ "query": "contoso" })),
        vendor("notion", "notion_search", json!({ "query": "risks" })),
        vendor("airtable", "airtable_list_bases", json!({})),
    ]
}

impl Scene {
    async fn called(&self, token: &str, vendor: &Vendor) -> crate::wire::Reply {
        let target = format!("/api/v1/tools/{}/call", vendor.tool);
        self.of(token, "POST", &target, &json!({ "arguments": vendor.arguments })).await
    }

    async fn status(&self, token: &str, vendor: &Vendor) -> Value {
        let target = format!("/api/v1/integrations/{}", vendor.id);
        self.of(token, "GET", &target, &Value::Null).await.ok(200)["status"].clone()
    }

    fn renewals(&self, vendor: &Vendor) -> u64 {
        self.sandbox().count(&format!("oauth-{}", vendor.id), "oauth.refresh").unwrap_or(0)
    }
}

#[tokio::test]
async fn a_grant_lives_from_consent_to_its_end() {
    let scene = Scene::open().await;
    let (_, token) = scene.person("Ana", false).await;
    for vendor in vendors() {
        let id = vendor.id;
        assert_eq!(scene.status(&token, &vendor).await, "disconnected", "{id}");
        let wish = json!({ "integration": id });
        let started = scene.of(&token, "POST", "/api/v1/integrations/oauth/start", &wish).await.ok(200);
        let back = scene.consent(started["authorize_url"].as_str().unwrap(), "approve").await;
        let asked = scene.send("GET", &back, &[], "").await;
        let landed = scene.confirm(&asked, "connect").await;
        assert_eq!(landed.status, 200, "{id}: {landed:?}");
        let first = scene.called(&token, &vendor).await.ok(200);
        assert!(first["structured"].is_object(), "{id}: {first}");

        // The vendor ends the access token; whoever calls does not notice.
        for round in 1..=2 {
            let before = scene.renewals(&vendor);
            scene.sandbox().expire(id).await.unwrap();
            let again = scene.called(&token, &vendor).await.ok(200);
            assert_eq!(again["structured"], first["structured"], "{id}");
            assert_eq!(scene.renewals(&vendor), before + 1, "{id}: renewal {round}");
        }

        // The person ends the grant in the vendor's settings; then they are told, and can connect again.
        scene.sandbox().revoke(id).await.unwrap();
        assert_ne!(scene.called(&token, &vendor).await.status, 200, "{id}");
        assert_eq!(scene.status(&token, &vendor).await, "needs_reconnect", "{id}");
    }
}

#[tokio::test]
async fn slack_is_asked_for_the_rights_of_a_person() {
    let scene = Scene::open().await;
    let (_, token) = scene.person("Ana", false).await;
    let wish = json!({ "integration": "slack" });
    let started = scene.of(&token, "POST", "/api/v1/integrations/oauth/start", &wish).await.ok(200);
    let url: url::Url = started["authorize_url"].as_str().unwrap().parse().unwrap();
    let asked = |name: &str| {
        let found = url.query_pairs().find(|(given, _)| given == name);
        found.map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    assert!(asked("user_scope").split(',').any(|scope| scope == "search:read"), "{url}");
    assert_eq!((asked("scope"), asked("code_challenge")), (String::new(), String::new()), "{url}");
}
