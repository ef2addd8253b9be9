//! `/panic`: ends everything after a theft.

use axum::{Extension, Json as Body, extract::State};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Api, Problem, administrator, read};
use crate::{
    hub::{self, Caller, Hub, emergency::Emergency},
    tool,
};

/// That it is meant.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Meant {
    /// The word `panic`.
    confirm: String,
}

/// What ended, and the way back in.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Ended {
    /// Which grants their vendors confirmed to have ended, and which have to be ended by hand.
    list: Value,
    /// The signature under the list.
    signature: String,
    /// The token of the administrator, shown once: the only one that is good now.
    token: String,
}

/// Ends every grant, token and session. It goes on when the client leaves.
pub(super) async fn end(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    read::Json(Meant { confirm }): read::Json<Meant>,
) -> Result<Body<Ended>, Problem> {
    administrator(&caller)?;
    if confirm != "panic" {
        return Err(tool::Error::arguments(["`confirm` must be the word `panic`".to_owned()]).into());
    }
    let by = format!("{} over REST", caller.principal.user);
    let ending = tokio::spawn(to_the_end(api.0.hub.clone(), by));
    let mut report = ending.await.map_err(Problem::internal)??;
    let signature = report.signed["signature"].as_str().unwrap_or_default().to_owned();
    Ok(Body(Ended { list: report.signed["list"].take(), signature, token: report.token.expose().to_owned() }))
}

/// What is cut off goes on with the next one. The list is kept until then: an answer may be lost on its way.
async fn to_the_end(hub: Hub, by: String) -> Result<hub::emergency::Report, hub::Error> {
    let emergency = Emergency::of(&hub).await?;
    let mut progress = emergency.begin(&by).await?;
    while progress.left > 0 {
        progress = emergency.go_on().await?;
    }
    emergency.report().await
}
