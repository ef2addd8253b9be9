//! A caller's own tools, as resources, prompts and completions use them: through the one door, and only to look.

use std::sync::Arc;

use super::{CallRequest, Caller, Error, Hub, Reply};
use crate::tool::{self, Boxed, Client, Door, Effect, Errand, Kind, Outcome, Row};

/// The tools of one caller.
pub(super) struct Errands {
    hub: Hub,
    caller: Caller,
    client: Option<Arc<dyn Client>>,
}

impl Errands {
    pub(super) fn of(hub: &Hub, caller: &Caller, client: Option<Arc<dyn Client>>) -> Arc<dyn Door> {
        Arc::new(Errands { hub: hub.clone(), caller: caller.clone(), client })
    }

    async fn carry_out(&self, errand: Errand) -> tool::Result<Outcome> {
        let listing = self.hub.reachable(&self.caller).await.map_err(unexpected)?;
        let looks = listing.find(&errand.tool).is_some_and(|row| row.effect() == Effect::Reads);
        if !looks {
            return Err(tool::Error::not_found(format!("tool `{}` here that only looks", errand.tool)));
        }
        let Errand { tool, arguments, reading } = errand;
        let request = CallRequest { client: self.client.clone(), reading, ..CallRequest::new(tool, arguments) };
        match self.hub.call(&self.caller, request).await {
            Ok(Reply::Done(outcome)) => Ok(outcome),
            Ok(Reply::Ask(_)) => Err(tool::Error::new(Kind::NotAllowed, "This needs a person's yes.")
                .next("Call the tool itself: it asks for it.")),
            Err(Error::Tool { error, .. }) => Err(error),
            Err(error) => Err(unexpected(error)),
        }
    }
}

fn unexpected(error: Error) -> tool::Error {
    tool::Error::internal(error)
}

impl Door for Errands {
    fn rows(&self) -> Boxed<'_, tool::Result<Vec<Arc<Row>>>> {
        Box::pin(async { Ok(self.hub.reachable(&self.caller).await.map_err(unexpected)?.rows) })
    }

    fn run(&self, errand: Errand) -> Boxed<'_, tool::Result<Outcome>> {
        Box::pin(self.carry_out(errand))
    }
}
