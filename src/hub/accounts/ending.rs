//! Ending what was connected, without asking who else lives of it: for the day on which everything has to end.

use super::{Accounts, Site};
use crate::{
    hub::emergency::{Line, Outcome},
    oauth::Ending,
    vault::{Connection, Credential},
};

impl Accounts {
    /// Asks the vendor to end the grant of a connection that is gone here already, and says what came of it.
    pub(in crate::hub) async fn end_at_vendor(&self, connection: &Connection) -> Line {
        let site = self.0.sites.get(connection.key.integration.as_str());
        let outcome = match (site, &connection.credential) {
            (None, _) => by_hand("this installation does not know the integration any more"),
            (Some(_), Credential::Fields(_)) => by_hand("a key can only be ended where it was made"),
            (Some(site), Credential::OAuth { .. }) => self.end_grant(site, connection).await,
        };
        let title = site.map_or(&*connection.key.integration, |site| site.integration.title);
        let page = site.map(|site| site.integration.console.unwrap_or(site.integration.docs).to_owned());
        let name = connection.metadata.get("email").or_else(|| connection.metadata.get("name"));
        Line {
            at: self.0.parts.clock.now(),
            user: connection.key.user.to_string(),
            integration: connection.key.integration.clone(),
            account: connection.key.account.clone(),
            name: name.cloned(),
            vendor: title.to_owned(),
            page: page.filter(|_| matches!(outcome, Outcome::ByHand { .. })),
            outcome,
        }
    }

    async fn end_grant(&self, site: &Site, connection: &Connection) -> Outcome {
        let Some(endpoints) = &site.endpoints else { return by_hand("it has no OAuth here any more") };
        let app = match self.app(site).await {
            Ok(app) => app,
            Err(error) => return by_hand(error.what()),
        };
        match self.0.parts.broker.end_grant(connection, endpoints, &app).await {
            Ending::Confirmed { by, answer } => Outcome::Ended { by, answer },
            Ending::NotOffered => by_hand("the vendor offers no way to end a grant from here"),
            Ending::Unconfirmed { why } => by_hand(&why),
        }
    }
}

fn by_hand(why: &str) -> Outcome {
    Outcome::ByHand { why: why.to_owned() }
}
