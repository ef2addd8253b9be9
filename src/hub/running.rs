//! One call from the door to the tool and back.

use std::{collections::BTreeSet, sync::Arc};

use tracing::Instrument;

use super::{CallRequest, Caller, Error, Hub, Reply, bound};
use crate::{
    id::CallId,
    tool::{self, Asking, Call, CallParts, Effect, Kind, Row},
};

/// Runs the tool and bounds what comes back.
pub(super) async fn run(hub: &Hub, caller: &Caller, row: Arc<Row>, request: CallRequest) -> Result<Reply, Error> {
    let id = CallId::fresh(&*hub.0.entropy);
    let span = tracing::info_span!("call", tool = row.name(), agent = %caller.principal.agent, request = %id);
    let call = Call::new(CallParts {
        id: id.clone(),
        clock: hub.0.clock.clone(),
        entropy: hub.0.entropy.clone(),
        upstream: None,
        progress: request.progress.clone(),
        confirmed: BTreeSet::new(),
        asking: Asking::default(),
        state: hub.0.state.clone(),
    });
    let bounds = hub.0.bounds;
    let work = async move {
        let outcome = tokio::time::timeout(bounds.time, row.call(request.arguments, &call)).await;
        let outcome = outcome.unwrap_or_else(|_| Err(out_of_time(bounds.time, row.effect())));
        outcome.and_then(|outcome| bound::within(bounds.tokens, outcome))
    };
    let outcome = work.instrument(span).await;
    outcome.map(Reply::Done).map_err(|error| Error::Tool { call: id, error })
}

fn out_of_time(time: std::time::Duration, effect: Effect) -> tool::Error {
    let error =
        tool::Error::new(Kind::Vendor, format!("The call took longer than {} s and was given up.", time.as_secs()));
    if effect == Effect::Reads {
        error.next("Try again, or ask for less at once.")
    } else {
        error.next("It may have been done all the same: look before you repeat it.")
    }
}
