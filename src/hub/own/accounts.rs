//! What our own tools may do with accounts: see how they stand, and send a person to connect one. Nothing here opens a
//! credential, and only our own tools are given it.

use std::sync::Arc;

use crate::{
    hub::{
        Deferred, Desk,
        accounts::expiry,
        links::{Doorway, Wanted},
    },
    id::UserId,
    tool::{Call, Error, Integration, Page, Result},
    vault::{Connection, Status},
};

/// The accounts as our own tools know them.
#[derive(Clone)]
pub(in crate::hub) struct AccountDirectory {
    desk: Deferred<Desk>,
    doorway: Arc<Doorway>,
}

/// One account, and how it stands.
pub(super) struct Listed {
    /// The integration's id.
    pub(super) integration: String,
    /// What the account is called here.
    pub(super) account: String,
    /// Whose account it is at the vendor.
    pub(super) name: Option<String>,
    /// `active`, or why it has to be connected again.
    pub(super) status: String,
}

impl AccountDirectory {
    pub(in crate::hub) fn of(desk: Deferred<Desk>, doorway: Arc<Doorway>) -> Self {
        AccountDirectory { desk, doorway }
    }

    /// The accounts of the caller, and the ids of the integrations of which they have none.
    pub(super) async fn list(&self, cx: &Call) -> Result<(Vec<Listed>, Vec<String>)> {
        let desk = self.desk().await?;
        let Some(accounts) = &desk.accounts else { return Ok((Vec::new(), Vec::new())) };
        let connections = accounts.connections(cx.user()).await?;
        let is_connected = |id: &str| connections.iter().any(|connection| connection.key.integration == id);
        let available = accounts.integrations().map(|integration| integration.id).filter(|id| !is_connected(id));
        let available = available.map(str::to_owned).collect();
        Ok((connections.iter().map(|connection| listed(connection, cx)).collect(), available))
    }

    /// The integration of that id, and the page on which `user` connects an account of it; no page where no browser
    /// can reach this process.
    pub(super) async fn page(
        &self,
        user: &UserId,
        integration: &str,
        account: &str,
    ) -> Result<(&'static Integration, Option<Page>)> {
        let desk = self.desk().await?;
        let accounts = desk.accounts.as_ref().ok_or_else(|| Error::not_found("integration to connect here"))?;
        let integration = accounts.integration(integration)?;
        let wanted = Wanted { integration, account, tool: None, is_more: false };
        Ok((integration, self.doorway.page(&desk, user, wanted).await))
    }

    async fn desk(&self) -> Result<Arc<Desk>> {
        self.desk.get().await.map_err(|why| Error::internal(why.to_string()))
    }
}

fn listed(connection: &Connection, cx: &Call) -> Listed {
    let has_ended = expiry(connection).is_some_and(|end| end <= cx.now());
    let status = match &connection.status {
        Status::Active if has_ended => "active, to be renewed at the next call".to_owned(),
        Status::Active => "active".to_owned(),
        Status::Refreshing => "refreshing".to_owned(),
        Status::NeedsReconnect { reason } => format!("needs to be connected again: {reason}"),
    };
    Listed {
        integration: connection.key.integration.clone(),
        account: connection.key.account.clone(),
        name: connection.metadata.get("name").or_else(|| connection.metadata.get("email")).cloned(),
        status,
    }
}
