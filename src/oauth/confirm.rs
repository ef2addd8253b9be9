//! Asking once more, where no browser began: whoever opened a link to a vendor may not know whose account it becomes.
//!
//! A consent that was begun by a program, or under a name of this server whose cookies do not come back, is bound to no
//! browser. Its answer is held, and the person who brings it is told on a page of ours who asked and under which name
//! the account will be kept. Only a yes of that page, in that browser, lets the code be traded.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Broker, Callback, Connected, Error, Result,
    consent::{check_answer, digest, gone},
};
use crate::{
    id,
    secret::{self, Secret},
    store::Key,
    vault::ConnectionKey,
};

/// What becomes of an answer that a browser brings.
#[derive(Clone, Debug)]
pub enum Received {
    /// The account is connected: the browser is the one that began.
    Connected(Box<Connected>),
    /// The person has to be asked first.
    Asks(Confirmation),
}

/// What a person is asked before the account is given to somebody.
#[derive(Clone, Debug)]
pub struct Confirmation {
    /// Whose account it becomes, at which vendor, and how it is called.
    pub key: ConnectionKey,
    /// Comes back with the answer; good once, and only from the browser that was asked.
    pub ticket: Secret,
    /// When an answer is no longer taken.
    pub expires_at: Timestamp,
}

/// The vendor's answer, while a person is asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Held {
    #[serde(serialize_with = "secret::exposed")]
    code: Secret,
    /// The digest of what the asked browser knows.
    browser: String,
    /// The digest of what the page gives back.
    ticket: String,
}

/// Separates the state from what was made for the page; neither has it in it.
const SEPARATOR: char = '.';

impl Broker {
    /// Takes the answer that a browser brings: connects when that browser began, and else says what to ask the person.
    /// `visitor` is what only this browser knows from now on.
    ///
    /// # Errors
    /// As for [`Broker::callback`]; also when another browser was asked already.
    pub async fn receive(&self, callback: Callback, visitor: &Secret) -> Result<Received> {
        let state = callback.state.clone().ok_or(Error::BadState)?;
        let (key, mut found) = self.open(&state).await?;
        if found.value.browser.is_some() {
            return self.callback(callback).await.map(|connected| Received::Connected(Box::new(connected)));
        }
        let code = match check_answer(&found.value, &callback) {
            Ok(code) => code,
            Err(error) => return Err(self.refuse(&key, found.version, error).await),
        };
        let browser = digest(visitor);
        if found.value.held.as_ref().is_some_and(|held| held.browser != browser) {
            return Err(Error::OtherBrowser);
        }
        let nonce = id::token(&*self.0.entropy);
        let ticket = Secret::new(format!("{}{SEPARATOR}{}", state.expose(), nonce.expose()));
        found.value.held = Some(Held { code, browser, ticket: digest(&ticket) });
        let kept = self.keep(&key, found).await?.value;
        Ok(Received::Asks(Confirmation { key: kept.key, ticket, expires_at: kept.expires_at }))
    }

    /// Trades the code that was held: the person said yes on the page with this ticket, in the browser that was asked.
    ///
    /// # Errors
    /// The ticket is unknown, used, too old or another browser's; or the vendor refuses the code.
    pub async fn confirm(&self, ticket: &Secret, visitor: &Secret) -> Result<Connected> {
        let (key, found, held) = self.asked(ticket, visitor).await?;
        let claimed = self.claim(&key, found).await?;
        self.end(key, claimed, Ok(held.code)).await
    }

    /// Forgets a consent: the person said no. The code is never traded.
    ///
    /// # Errors
    /// As for [`Broker::confirm`].
    pub async fn decline(&self, ticket: &Secret, visitor: &Secret) -> Result<()> {
        let (key, found, _) = self.asked(ticket, visitor).await?;
        match self.0.vault.commit(vec![gone(key, found.version)]).await {
            Err(error) if error.is_conflict() => Err(Error::NotAsked),
            outcome => outcome.map(|_| ()).map_err(Error::from),
        }
    }

    /// The consent about which this page asked this browser.
    async fn asked(
        &self,
        ticket: &Secret,
        visitor: &Secret,
    ) -> Result<(Key, crate::vault::Opened<super::consent::Consent>, Held)> {
        let (state, _) = ticket.expose().split_once(SEPARATOR).ok_or(Error::NotAsked)?;
        let (key, found) = self.open(&Secret::new(state)).await?;
        let held = found.value.held.clone().ok_or(Error::NotAsked)?;
        // Digests of what cannot be guessed: comparing them tells nobody anything.
        if held.ticket != digest(ticket) || held.browser != digest(visitor) {
            return Err(Error::NotAsked);
        }
        Ok((key, found, held))
    }

    /// Ends a consent whose answer is none, and gives back why.
    async fn refuse(&self, key: &Key, version: u64, why: Error) -> Error {
        match self.0.vault.commit(vec![gone(key.clone(), version)]).await {
            Err(error) if error.is_conflict() => Error::BadState,
            Err(error) => error.into(),
            Ok(_) => why,
        }
    }
}
