//! A client of an MCP server over a WebSocket: a program's way to the tools, and the voice agent's.
//!
//! It speaks 2026-07-28, in which each request stands for itself. jsonrpsee's client is underneath: it keeps answers
//! and requests together, pings, and notices when the server is gone. A future that is dropped forgets its answer; the
//! call itself goes on at the server.
//!
//! ```no_run
//! # async fn run() -> Result<(), switchboard::mcp::client::Error> {
//! use switchboard::mcp::client::{Client, Ended};
//!
//! let client = Client::connect(&"ws://127.0.0.1:7411/ws".parse().unwrap(), None, "my-program").await?;
//! let tools = client.tools().await?;
//! if let Ended::Asks(question) = client.call("google_calendar_cancel_meeting", &Default::default()).await? {
//!     println!("{}", question.text);
//! }
//! # Ok(()) }
//! ```

use std::{fmt, time::Duration};

use jsonrpsee::{
    core::{
        client::{ClientT, Error as RpcError},
        traits::ToRpcParams,
    },
    ws_client::{HeaderMap, HeaderValue, PingConfig, WsClient, WsClientBuilder},
};
use serde_json::{Map, Value, json, value::RawValue};
use url::Url;

use super::era::{META_CAPABILITIES, META_CLIENT, META_VERSION, Version};
use crate::secret::Secret;

/// How long an answer is waited for. Servers give calls up before.
const ANSWER_WITHIN: Duration = Duration::from_mins(2);

/// How large an answer may be.
const LARGEST: u32 = 10 * 1024 * 1024;

/// Lists end after so many pages; a server that goes on for ever is ill.
const MOST_PAGES: usize = 100;

/// A connection to an MCP server. Requests may be under way side by side.
pub struct Client {
    rpc: WsClient,
    name: String,
}

/// A tool as the server lists it.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// What a model reads.
    pub description: String,
    /// The schema of its arguments.
    pub input: Value,
    /// Whether it changes nothing, as the server says.
    pub only_looks: bool,
    /// Whether it may alter or remove something, as the server says.
    pub is_destructive: bool,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    /// With a result, or with an error that a model can read.
    Done(Done),
    /// With a question to a person; [`Client::answer`] goes on.
    Asks(Question),
}

/// A result.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Done {
    /// What a model reads.
    pub text: String,
    /// The structure, where there is one.
    pub structured: Option<Value>,
    /// Whether it says why the call failed.
    pub is_error: bool,
}

/// A question to a person, for one call.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// What will happen after a yes.
    pub text: String,
    key: String,
    state: Option<String>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server cannot be reached, or is gone.
    #[error("the tool server cannot be reached: {0}")]
    Away(String),
    /// The server did not let us in.
    #[error("the tool server refuses the token")]
    Refused,
    /// The server refuses the request: the tool is unknown, or may not be called.
    #[error("{message}")]
    Request {
        /// JSON-RPC's code.
        code: i32,
        /// What the server says.
        message: String,
    },
    /// The answer is none that this client understands.
    #[error("the tool server's answer cannot be understood: {0}")]
    Answer(&'static str),
}

impl Client {
    /// Connects. `name` is what the server's log and audit call this client.
    ///
    /// # Errors
    /// The server is not there, or refuses the token.
    pub async fn connect(address: &Url, token: Option<&Secret>, name: &str) -> Result<Client, Error> {
        let mut headers = HeaderMap::new();
        if let Some(token) = token {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose())).map_err(|_| Error::Refused)?;
            value.set_sensitive(true);
            headers.insert("authorization", value);
        }
        let builder = WsClientBuilder::default()
            .set_headers(headers)
            .request_timeout(ANSWER_WITHIN)
            .max_response_size(LARGEST)
            .enable_ws_ping(PingConfig::new());
        let rpc = builder.build(address).await.map_err(|error| refused(&error))?;
        Ok(Client { rpc, name: name.to_owned() })
    }

    /// Every tool that the server lets this client use.
    pub async fn tools(&self) -> Result<Vec<Listed>, Error> {
        let mut all = vec![];
        let mut cursor = None;
        for _ in 0..MOST_PAGES {
            let params = cursor.map_or_else(|| json!({}), |cursor: String| json!({ "cursor": cursor }));
            let page = self.request("tools/list", params).await?;
            let tools = page["tools"].as_array().ok_or(Error::Answer("a list without tools"))?;
            all.extend(tools.iter().filter_map(Listed::read));
            cursor = page["nextCursor"].as_str().map(str::to_owned);
            if cursor.is_none() {
                return Ok(all);
            }
        }
        Err(Error::Answer("a list without an end"))
    }

    /// Calls a tool.
    pub async fn call(&self, tool: &str, arguments: &Map<String, Value>) -> Result<Ended, Error> {
        self.round(json!({ "name": tool, "arguments": arguments })).await
    }

    /// Makes the call again with a person's answer to its question. The arguments must be the same.
    pub async fn answer(
        &self,
        tool: &str,
        arguments: &Map<String, Value>,
        question: &Question,
        approved: bool,
    ) -> Result<Ended, Error> {
        let content = json!({ "action": "accept", "content": { "approve": true } });
        let answer = if approved { content } else { json!({ "action": "decline" }) };
        let answers = Map::from_iter([(question.key.clone(), answer)]);
        let mut params = json!({ "name": tool, "arguments": arguments, "inputResponses": answers });
        if let Some(state) = &question.state {
            params["requestState"] = state.as_str().into();
        }
        self.round(params).await
    }

    /// Whether the server is still there.
    pub fn is_connected(&self) -> bool {
        self.rpc.is_connected()
    }

    async fn round(&self, params: Value) -> Result<Ended, Error> {
        let result = self.request("tools/call", params).await?;
        if result["resultType"] == "input_required" {
            return Question::read(&result)
                .map(Ended::Asks)
                .ok_or(Error::Answer("it asks for what nobody can answer here"));
        }
        Ok(Ended::Done(Done::read(&result)))
    }

    async fn request(&self, method: &str, mut params: Value) -> Result<Value, Error> {
        params["_meta"] = json!({
            META_VERSION: Version::July2026.name(),
            META_CLIENT: { "name": self.name, "version": env!("CARGO_PKG_VERSION") },
            META_CAPABILITIES: { "elicitation": { "form": {} } },
        });
        self.rpc.request(method, Params(params)).await.map_err(|error| failed(&error))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("name", &self.name)
            .field("is_connected", &self.is_connected())
            .finish_non_exhaustive()
    }
}

impl Listed {
    fn read(tool: &Value) -> Option<Listed> {
        let text = |name: &str| tool[name].as_str().unwrap_or_default().to_owned();
        let hint = |name: &str, otherwise| tool["annotations"][name].as_bool().unwrap_or(otherwise);
        Some(Listed {
            name: tool["name"].as_str()?.to_owned(),
            title: text("title"),
            description: text("description"),
            input: tool["inputSchema"].clone(),
            // What a server leaves unsaid is the worse case (2026-07-28, server/tools, "Tool annotations").
            only_looks: hint("readOnlyHint", false),
            is_destructive: hint("destructiveHint", true),
        })
    }
}

impl Done {
    fn read(result: &Value) -> Done {
        let content = result["content"].as_array().into_iter().flatten();
        let texts = content.filter_map(|part| part["text"].as_str()).collect::<Vec<_>>();
        Done {
            text: texts.join("\n"),
            structured: result.get("structuredContent").cloned(),
            is_error: result["isError"] == true,
        }
    }
}

impl Question {
    /// A question that no server has asked.
    #[cfg(all(test, feature = "voice"))]
    pub(crate) fn of_nobody(text: &str) -> Question {
        Question { text: text.to_owned(), key: "approve".to_owned(), state: None }
    }

    /// The one question of an interim result that a yes or no answers.
    fn read(result: &Value) -> Option<Question> {
        let requests = result["inputRequests"].as_object()?;
        let (key, request) = requests.iter().next().filter(|_| requests.len() == 1)?;
        let params = &request["params"];
        let is_yes_or_no = request["method"] == "elicitation/create"
            && params["requestedSchema"]["properties"]["approve"]["type"] == "boolean";
        is_yes_or_no.then(|| Question {
            text: params["message"].as_str().unwrap_or_default().to_owned(),
            key: key.clone(),
            state: result["requestState"].as_str().map(str::to_owned),
        })
    }
}

/// Parameters that are an object already.
struct Params(Value);

impl ToRpcParams for Params {
    fn to_rpc_params(self) -> Result<Option<Box<RawValue>>, serde_json::Error> {
        serde_json::value::to_raw_value(&self.0).map(Some)
    }
}

fn refused(error: &RpcError) -> Error {
    let text = error.to_string();
    // jsonrpsee tells the status of a refused upgrade in words only.
    if text.contains("401") || text.contains("403") { Error::Refused } else { Error::Away(text) }
}

fn failed(error: &RpcError) -> Error {
    match error {
        RpcError::Call(object) => Error::Request { code: object.code(), message: object.message().to_owned() },
        RpcError::ParseError(_) => Error::Answer("it is not JSON of the right shape"),
        RpcError::RequestTimeout => Error::Away("it did not answer in time".to_owned()),
        other => Error::Away(other.to_string()),
    }
}
