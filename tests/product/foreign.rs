//! A client that is not ours, the official Rust SDK, connects an account from inside a conversation.

use rmcp::{
    ClientHandler, ClientLifecycleMode, ClientServiceExt, ErrorData, RoleClient,
    model::{
        CallToolRequestParams, ClientConfig, ElicitRequestParams, ElicitResult, ElicitationAction, Implementation,
        ProtocolVersion,
    },
    service::RequestContext,
    transport::StreamableHttpClientTransport,
};
use serde_json::json;

use crate::{browser::Browser, connecting::disconnect, support::Home};

/// Opens each page that they are sent to, and consents there.
struct Person(ClientConfig);

impl ClientHandler for Person {
    fn get_info(&self) -> ClientConfig {
        self.0.clone()
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _context: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let ElicitRequestParams::UrlElicitationParams { message, url, .. } = request else {
            panic!("a page is asked for: {request:?}");
        };
        assert!(message.contains("Google Calendar"), "{message}");
        let done = Browser::new().connect(&url).await;
        assert!(done.text.contains("Google Calendar is connected"), "{}", done.text);
        Ok(ElicitResult::new(ElicitationAction::Accept))
    }
}

#[tokio::test]
async fn the_rust_sdk_connects_an_account_while_its_call_waits() {
    let lifecycles = [
        ClientLifecycleMode::Initialize,
        ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] },
    ];
    for lifecycle in lifecycles {
        let home = Home::new();
        let server = home.serve();
        disconnect(&home);
        // A second time it is there already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let transport = StreamableHttpClientTransport::from_uri(server.url("/mcp"));
        let abilities = serde_json::from_value(json!({"elicitation": {"form": {}, "url": {}}})).unwrap();
        let person = Person(ClientConfig::new(abilities, Implementation::new("tests", "1.0.0")));
        let client = person.serve_with_lifecycle(transport, lifecycle).await.unwrap();
        let call = CallToolRequestParams::new("google_calendar_list_meetings");
        let result = client.call_tool(call).await.unwrap();
        assert!(result.structured_content.is_some_and(|found| found["meetings"].is_array()), "{:?}", result.content);
        client.cancel().await.unwrap();
    }
}
