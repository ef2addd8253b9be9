//! Calls for which the token does not reach far enough: the client is told which scopes would do.

use axum::response::Response;
use serde::Deserialize;

use super::{Visit, access};
use crate::{hub::Caller, mcp::envelope::Request};

/// What counts of the parameters of `tools/call`.
#[derive(Deserialize)]
struct Called {
    name: String,
}

impl Visit<'_> {
    /// The refusal when the request calls a tool that a token with more scopes could call. A tool that is not there
    /// for another reason stays unknown.
    pub(super) async fn lacks_scope(&self, request: &Request<'_>) -> Option<Response> {
        let beyond = self.beyond.as_ref().filter(|_| request.method == "tools/call")?;
        let called: Called = serde_json::from_str(request.params?.get()).ok()?;
        let is_hidden = !self.offers(&self.caller, &called.name).await && self.offers(beyond, &called.name).await;
        is_hidden.then(|| access::step_up(self.options, &request.id))
    }

    async fn offers(&self, caller: &Caller, tool: &str) -> bool {
        self.server.hub().tools(caller).await.is_ok_and(|tools| tools.find(tool).is_some())
    }
}
