//! A call that lacks its account: the person is sent to connect it, and the call goes on when it is there.

use std::{collections::BTreeSet, time::Duration};

use tokio::time::{Instant, timeout_at};

use super::{links::Wanted, running::Run};
use crate::{
    store::{Seen, Table, Watch},
    tool::{self, Ability, Integration, Kind, Outcome, Page},
    vault::Status,
};

/// How long a call waits while the person consents. Clients give a call up after a minute, most of them.
const PATIENCE: Duration = Duration::from_secs(40);
/// How long it waits as a task, which nobody gives up: as long as the link is good.
const AS_TASK: Duration = Duration::from_mins(10);

impl Run {
    /// One attempt; where only the account is missing, the person is asked to connect it, and then another.
    pub(super) async fn with_the_account(&self) -> Result<Outcome, tool::Error> {
        let error = match self.attempt(BTreeSet::new()).await {
            Err(error) if is_mended_by_connecting(error.kind()) => error,
            other => return other,
        };
        let Some(integration) = self.integration() else { return Err(error) };
        let is_more = error.kind() == Kind::MissingScope;
        let Some(page) = self.page(integration, is_more).await else { return Err(error) };
        let does = if is_more { "give that permission" } else { "connect it" };
        let told = error.next(format!("The person can {does} on a page of Switchboard.")).at_page(page.clone());
        match &self.client {
            Some(client) if client.can(Ability::Page) => self.visit(told, page).await,
            _ => Err(told),
        }
    }

    /// The page on which the account of this call is connected, or gets one permission more.
    async fn page(&self, integration: &'static Integration, is_more: bool) -> Option<Page> {
        let account = self.account.clone().or(self.only_account(integration).await);
        let account = account.as_deref().unwrap_or("default");
        let wanted = Wanted { integration, account, tool: Some(self.row.name()), is_more };
        self.hub.0.doorway.page(&self.desk, &self.caller.principal.user, wanted).await
    }

    /// The account that is there already, when it only has to be connected again.
    async fn only_account(&self, integration: &Integration) -> Option<String> {
        let accounts = self.desk.accounts.as_ref()?;
        let found = accounts.connection(&self.caller.principal.user, integration.id, None).await;
        found.ok().map(|connection| connection.key.account)
    }

    /// Sends the person to the page and waits for the account.
    async fn visit(&self, error: tool::Error, page: Page) -> Result<Outcome, tool::Error> {
        let Some(client) = &self.client else { return Err(error) };
        let changes = self.desk.accounts.as_ref().map(|accounts| accounts.store().watch(Table::Connections));
        let answer = client.ask(vec![page.into()]).await?;
        let went = answer.first().and_then(|answer| answer["action"].as_str()) == Some("accept");
        let Some(changes) = changes.filter(|_| went) else {
            return Err(tool::Error::new(error.kind(), error.what())
                .next("The person did not want to connect it now. Do not ask again unless they wish it."));
        };
        if let Some(progress) = &self.progress {
            progress.report(0.0, None, "waiting for the person to connect the account");
        }
        self.when_connected(error, changes).await
    }

    /// Tries again whenever the account has changed, until it works or the patience is over.
    async fn when_connected(&self, mut error: tool::Error, mut changes: Watch) -> Result<Outcome, tool::Error> {
        let began = Instant::now();
        loop {
            if self.is_connected().await {
                self.grant(began.elapsed());
                match self.attempt(BTreeSet::new()).await {
                    Err(again) if is_mended_by_connecting(again.kind()) => error = again,
                    other => return other,
                }
            }
            let until = began + self.patience();
            loop {
                let next = tokio::select! {
                    biased;
                    () = self.gone() => return Err(tool::Error::cancelled()),
                    next = timeout_at(until, changes.next()) => next,
                };
                match next {
                    Ok(Some(Seen::Changed(key))) if !self.is_own(&key) => {}
                    Ok(Some(_)) => break,
                    Ok(None) | Err(_) => return Err(not_yet(&error)),
                }
            }
        }
    }

    /// Completes when the connection of the client is at its end: nobody waits for the person any more.
    async fn gone(&self) {
        match &self.client {
            Some(client) => client.gone().await,
            None => std::future::pending().await,
        }
    }

    /// How long to wait for the person. A client that can look after a task is not kept waiting for it.
    fn patience(&self) -> Duration {
        match &self.client {
            Some(client) if client.can(Ability::Tasks) && client.go_on().is_ok() => AS_TASK,
            _ => PATIENCE,
        }
    }

    async fn is_connected(&self) -> bool {
        let (Some(accounts), Some(integration)) = (&self.desk.accounts, self.integration()) else { return false };
        let user = &self.caller.principal.user;
        let found = accounts.connection(user, integration.id, self.account.as_deref()).await;
        found.is_ok_and(|connection| !matches!(connection.status, Status::NeedsReconnect { .. }))
    }

    /// Whether a changed record is one of the caller's connections.
    fn is_own(&self, key: &crate::store::Key) -> bool {
        let prefix = crate::store::prefix(Table::Connections, &[self.caller.principal.user.as_str()]);
        prefix.is_ok_and(|prefix| key.id.starts_with(&prefix))
    }
}

fn is_mended_by_connecting(kind: Kind) -> bool {
    matches!(kind, Kind::NotConnected | Kind::Expired | Kind::MissingScope)
}

/// The person is still at it: the same call finds the account later.
fn not_yet(error: &tool::Error) -> tool::Error {
    tool::Error::new(error.kind(), error.what())
        .next("The person has not finished connecting it. Call again when they say that it is done.")
}
