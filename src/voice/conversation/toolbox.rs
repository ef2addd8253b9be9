//! A conversation's way to the tools: one socket to our own server, opened anew when it breaks.

use std::{fmt, pin::Pin, sync::Arc};

use serde_json::{Map, Value};
use tokio::sync::Mutex;
use url::Url;

use crate::{
    mcp::client::{Client, Ended, Error, Listed, Question},
    secret::Secret,
};

/// Something that is being done at the server.
pub type Doing<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

/// Where the tools are.
pub trait Toolbox: fmt::Debug + Send + Sync {
    /// Which there are.
    fn list(&self) -> Doing<Vec<Listed>>;

    /// Calls one.
    fn call(&self, tool: &str, arguments: &Map<String, Value>) -> Doing<Ended>;

    /// Goes on with the very call that asked this question.
    fn answer(&self, tool: &str, arguments: &Map<String, Value>, question: &Question, approve: bool) -> Doing<Ended>;
}

/// The tools of a server that speaks the protocol on a WebSocket.
#[derive(Clone)]
pub struct Link(Arc<End>);

struct End {
    address: Url,
    token: Option<Secret>,
    client: Mutex<Option<Arc<Client>>>,
}

/// What the server's log and audit call us.
const NAME: &str = "switchboard-voice";

impl Link {
    /// The tools at `address`, for whom the token speaks. Nothing is opened yet.
    pub fn new(address: Url, token: Option<Secret>) -> Self {
        Link(Arc::new(End { address, token, client: Mutex::new(None) }))
    }

    /// The open socket, or a new one. Whoever comes meanwhile waits for the same.
    async fn client(&self) -> Result<Arc<Client>, Error> {
        let mut client = self.0.client.lock().await;
        if let Some(open) = client.as_ref().filter(|client| client.is_connected()) {
            return Ok(Arc::clone(open));
        }
        let fresh = Arc::new(Client::connect(&self.0.address, self.0.token.as_ref(), NAME).await?);
        *client = Some(Arc::clone(&fresh));
        Ok(fresh)
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("address", &self.0.address.as_str()).finish_non_exhaustive()
    }
}

impl Toolbox for Link {
    fn list(&self) -> Doing<Vec<Listed>> {
        let link = self.clone();
        Box::pin(async move { link.client().await?.tools().await })
    }

    fn call(&self, tool: &str, arguments: &Map<String, Value>) -> Doing<Ended> {
        let (link, tool, arguments) = (self.clone(), tool.to_owned(), arguments.clone());
        // A call that broke in the middle is not made again: nobody knows how far it came.
        Box::pin(async move { link.client().await?.call(&tool, &arguments).await })
    }

    fn answer(&self, tool: &str, arguments: &Map<String, Value>, question: &Question, approve: bool) -> Doing<Ended> {
        let (link, tool, arguments, question) = (self.clone(), tool.to_owned(), arguments.clone(), question.clone());
        Box::pin(async move { link.client().await?.answer(&tool, &arguments, &question, approve).await })
    }
}
