//! Answers of vendors that a browser brings: whose account it becomes is told before it does, unless the browser is
//! the one that began. And nothing arrives for somebody who was removed.

use super::{Accounts, connect::refused_consent};
use crate::{
    agents::LOCAL,
    id::UserId,
    oauth::{self, Callback, Received},
    secret::Secret,
    tool::{Error, Integration},
    vault::Connection,
};

/// What becomes of an answer.
#[derive(Clone, Debug)]
pub enum Arrived {
    /// The account is connected; with the page that the person wanted to go to.
    Connected(Box<Connection>, Option<String>),
    /// The person is asked first.
    Asks(Recipient),
}

/// Who gets an account, for the person who gives it.
#[derive(Clone, Debug)]
pub struct Recipient {
    /// The vendor.
    pub integration: &'static Integration,
    /// Whose it becomes, as people say it and by the id.
    pub person: String,
    /// What it will be called.
    pub account: String,
    /// Comes back with the answer.
    pub ticket: Secret,
}

impl Accounts {
    /// Takes the answer that a browser brings. `visitor` is what only this browser knows from now on.
    ///
    /// # Errors
    /// Nothing of what the browser brought is repeated.
    pub async fn receive(&self, callback: Callback, visitor: &Secret) -> Result<Arrived, Error> {
        match self.parts().broker.receive(callback, visitor).await.map_err(refused_consent)? {
            Received::Connected(connected) => self.arrived(*connected).await,
            Received::Asks(asked) => {
                self.check_is_somebody(&asked.key.user).await?;
                Ok(Arrived::Asks(Recipient {
                    integration: self.integration(&asked.key.integration)?,
                    person: self.person(&asked.key.user).await,
                    account: asked.key.account,
                    ticket: asked.ticket,
                }))
            }
        }
    }

    /// Connects what was asked about: the person said yes.
    ///
    /// # Errors
    /// The page does not ask any more, or the vendor refuses.
    pub async fn confirm(&self, ticket: &Secret, visitor: &Secret) -> Result<Arrived, Error> {
        let connected = self.parts().broker.confirm(ticket, visitor).await.map_err(refused_consent)?;
        self.arrived(connected).await
    }

    /// Forgets what was asked about: the person said no.
    ///
    /// # Errors
    /// The page does not ask any more.
    pub async fn decline(&self, ticket: &Secret, visitor: &Secret) -> Result<(), Error> {
        self.parts().broker.decline(ticket, visitor).await.map_err(refused_consent)
    }

    async fn arrived(&self, connected: oauth::Connected) -> Result<Arrived, Error> {
        let connection = self.settled(connected.connection).await?;
        Ok(Arrived::Connected(Box::new(connection), connected.return_to))
    }

    /// How people are told whose account something is. The id stands there because names are not unique.
    pub async fn person(&self, user: &UserId) -> String {
        let agents = self.parts().agents.as_ref();
        let known = match agents {
            Some(agents) => agents.user(user).await.ok().flatten(),
            None => None,
        };
        match known {
            Some(known) => format!("{} ({})", known.name, known.id),
            None if user.as_str() == LOCAL => format!("the person who runs this Switchboard ({LOCAL})"),
            None => user.to_string(),
        }
    }

    /// Ends every consent of `user` that is under way.
    ///
    /// # Errors
    /// The store failed.
    pub async fn forget_consents(&self, user: &UserId) -> Result<(), Error> {
        self.parts().broker.forget_consents(user).await.map_err(Error::internal)
    }

    /// Takes a connection that was just stored back, if its person was removed meanwhile.
    pub(super) async fn kept_for_somebody(&self, connection: &Connection) -> Result<(), Error> {
        let key = &connection.key;
        let Err(gone) = self.check_is_somebody(&key.user).await else { return Ok(()) };
        self.disconnect(&key.user, &key.integration, Some(&key.account)).await?;
        Err(gone)
    }

    async fn check_is_somebody(&self, user: &UserId) -> Result<(), Error> {
        let Some(agents) = self.parts().agents.as_ref().filter(|_| user.as_str() != LOCAL) else { return Ok(()) };
        match agents.user(user).await.map_err(Error::internal)? {
            Some(_) => Ok(()),
            None => Err(refused_consent(oauth::Error::BadState)),
        }
    }
}
