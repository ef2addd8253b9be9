//! jsonrpsee's WebSocket client, with the messages of protocol 2026-07-28 written by hand.

use jsonrpsee::{
    core::{client::ClientT, traits::ToRpcParams},
    ws_client::{WsClient, WsClientBuilder},
};
use serde_json::{Value, json, value::RawValue};

use super::{
    Company, MODERN,
    story::{Client, Outcome, Page},
    support::Server,
};

/// A client that is connected.
#[derive(Debug)]
pub struct WebSocket {
    client: WsClient,
    version: String,
    company: Company,
    approve: bool,
    questions: Vec<String>,
}

struct Params(Value);

impl ToRpcParams for Params {
    fn to_rpc_params(self) -> Result<Option<Box<RawValue>>, serde_json::Error> {
        serde_json::value::to_raw_value(&self.0).map(Some)
    }
}

impl WebSocket {
    /// Opens the socket and asks the server what it speaks.
    pub async fn connect(server: &Server, company: Company) -> WebSocket {
        let client = WsClientBuilder::default().build(server.websocket()).await;
        let client = client.unwrap_or_else(|error| panic!("{error}\n{}", server.log()));
        let mut socket = WebSocket { client, version: String::new(), company, approve: false, questions: Vec::new() };
        let discovered = socket.request("server/discover", json!({})).await;
        let spoken = discovered["supportedVersions"].as_array().unwrap();
        assert!(spoken.contains(&json!(MODERN)), "{MODERN} is not among {spoken:?}");
        MODERN.clone_into(&mut socket.version);
        socket
    }

    async fn request(&self, method: &str, mut params: Value) -> Value {
        let capabilities = match self.company {
            Company::Person => json!({"elicitation": {"form": {}}}),
            Company::Nobody => json!({}),
        };
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientInfo": {"name": "tests", "version": "1.0.0"},
            "io.modelcontextprotocol/clientCapabilities": capabilities,
        });
        self.client.request(method, Params(params)).await.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// What the person answers to the questions of an interim result.
    fn answers(&mut self, requests: &Value) -> Value {
        let mut answers = json!({});
        for (name, request) in requests.as_object().unwrap() {
            assert_eq!(request["method"], "elicitation/create");
            self.questions.push(request["params"]["message"].as_str().unwrap().to_owned());
            answers[name] = if self.approve {
                json!({"action": "accept", "content": super::yes_to(&request["params"]["requestedSchema"])})
            } else {
                json!({"action": "decline"})
            };
        }
        answers
    }
}

impl Client for WebSocket {
    fn version(&self) -> String {
        self.version.clone()
    }

    async fn first_page(&mut self) -> Page {
        let page = self.request("tools/list", json!({})).await;
        let tools = page["tools"].as_array().unwrap();
        let names = tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect();
        Page { names, more: page.get("nextCursor").is_some() }
    }

    async fn call(&mut self, tool: &str, arguments: Value) -> Outcome {
        let mut params = json!({"name": tool, "arguments": arguments});
        let mut result = self.request("tools/call", params.clone()).await;
        if result["resultType"] == "input_required" {
            params["inputResponses"] = self.answers(&result["inputRequests"]);
            params["requestState"] = result["requestState"].take();
            result = self.request("tools/call", params).await;
        }
        assert_eq!(result["resultType"], "complete", "{result}");
        let texts = result["content"].as_array().unwrap().iter().filter_map(|block| block["text"].as_str());
        Outcome {
            is_error: result["isError"].as_bool().unwrap_or(false),
            text: texts.collect::<Vec<_>>().join("\n"),
            structured: result["structuredContent"].take(),
        }
    }

    async fn say(&mut self, approve: bool) {
        self.approve = approve;
    }

    async fn questions(&mut self) -> Vec<String> {
        self.questions.clone()
    }

    async fn leave(self) {}
}
