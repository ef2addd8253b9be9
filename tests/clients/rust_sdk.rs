//! The official Rust client, `rmcp`, in both protocols.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use rmcp::{
    ClientHandler, ClientLifecycleMode, ClientServiceExt, ErrorData, RoleClient,
    model::{
        CallToolRequestParams, ClientCapabilities, ClientConfig, ElicitRequestParams, ElicitResult, ElicitationAction,
        Implementation, ProtocolVersion,
    },
    service::{RequestContext, RunningService},
    transport::{StreamableHttpClientTransport, TokioChildProcess},
};
use serde_json::Value;
use tokio::process::Command;

use super::{
    Company, LEGACY,
    story::{Client, Outcome, Page},
    support::{Home, Server},
};

/// A client that is connected.
#[derive(Debug)]
pub struct RustSdk {
    service: RunningService<RoleClient, Person>,
    person: Person,
}

/// Answers the server's questions.
#[derive(Clone, Debug)]
struct Person {
    config: ClientConfig,
    approve: Arc<AtomicBool>,
    questions: Arc<Mutex<Vec<String>>>,
}

impl RustSdk {
    /// Lets the client start `switchboard stdio` itself.
    pub async fn stdio(home: &Home, version: &str, company: Company) -> RustSdk {
        let command = Command::from(home.stdio());
        let (transport, _) = TokioChildProcess::builder(command).stderr(home.ear()).spawn().unwrap();
        let person = Person::new(company);
        let service = person.clone().serve_with_lifecycle(transport, lifecycle(version)).await;
        RustSdk { service: service.unwrap_or_else(|error| panic!("{error}\n{}", home.told())), person }
    }

    /// Lets the client connect to a server that runs.
    pub async fn http(server: &Server, version: &str, company: Company) -> RustSdk {
        // The client is built with TLS and without a provider for it, though it speaks to loopback only.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let transport = StreamableHttpClientTransport::from_uri(server.url("/mcp"));
        let person = Person::new(company);
        let service = person.clone().serve_with_lifecycle(transport, lifecycle(version)).await;
        RustSdk { service: service.unwrap_or_else(|error| panic!("{error}\n{}", server.log())), person }
    }
}

/// How the client opens in a protocol.
fn lifecycle(version: &str) -> ClientLifecycleMode {
    if version == LEGACY {
        return ClientLifecycleMode::Initialize;
    }
    ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] }
}

impl Client for RustSdk {
    fn version(&self) -> String {
        self.service.peer().peer_info().unwrap().protocol_version.to_string()
    }

    async fn first_page(&mut self) -> Page {
        let page = self.service.list_tools(None).await.unwrap();
        let names = page.tools.iter().map(|tool| tool.name.to_string()).collect();
        Page { names, more: page.next_cursor.is_some() }
    }

    async fn call(&mut self, tool: &str, arguments: Value) -> Outcome {
        let Value::Object(arguments) = arguments else { panic!("arguments are an object: {arguments}") };
        let request = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
        let result = self.service.call_tool(request).await.unwrap();
        let texts = result.content.iter().filter_map(|block| block.as_text());
        Outcome {
            is_error: result.is_error.unwrap_or(false),
            text: texts.map(|text| text.text.clone()).collect::<Vec<_>>().join("\n"),
            structured: result.structured_content.unwrap_or_default(),
        }
    }

    async fn say(&mut self, approve: bool) {
        self.person.approve.store(approve, Ordering::SeqCst);
    }

    async fn questions(&mut self) -> Vec<String> {
        self.person.questions.lock().unwrap().clone()
    }

    async fn leave(self) {
        self.service.cancel().await.unwrap();
    }
}

impl Person {
    fn new(company: Company) -> Person {
        let capabilities = match company {
            Company::Person => ClientCapabilities::builder().enable_elicitation().build(),
            Company::Nobody => ClientCapabilities::default(),
        };
        Person {
            config: ClientConfig::new(capabilities, Implementation::new("tests", "1.0.0")),
            approve: Arc::default(),
            questions: Arc::default(),
        }
    }
}

impl ClientHandler for Person {
    fn get_info(&self) -> ClientConfig {
        self.config.clone()
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _context: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let ElicitRequestParams::FormElicitationParams { message, requested_schema, .. } = request else {
            return Ok(ElicitResult::new(ElicitationAction::Decline));
        };
        self.questions.lock().unwrap().push(message);
        if !self.approve.load(Ordering::SeqCst) {
            return Ok(ElicitResult::new(ElicitationAction::Decline));
        }
        let schema = serde_json::to_value(requested_schema).unwrap();
        Ok(ElicitResult::new(ElicitationAction::Accept).with_content(super::yes_to(&schema)))
    }
}
