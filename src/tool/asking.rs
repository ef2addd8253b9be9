//! When a running tool asks a person first, and what it notes about whom and what it touches.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use super::{Call, Error, Question, Result};
use crate::approvals::Seen;

/// When a tool that reaches people asks a person first.
///
/// | | a message: [`Call::confirm_sending_to`] | an invitation, a share, an address: [`Call::confirm_reaching`] |
/// |---|---|---|
/// | never | no | no |
/// | new recipients | when one of them is new | when one is new, and text of others was read before |
/// | always | yes | when there is anybody |
///
/// An address is a link or a picture in what is written, with the host that learns of it; see [`Question::leading_to`].
///
/// [`Seen`] says who is new, and for how long something counts as read before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Asking {
    /// Never.
    Never,
    /// When somebody new is reached.
    #[default]
    NewRecipients,
    /// Always.
    Always,
}

/// What a call has touched, for the audit and for the memory of whom the agent knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Noted {
    /// The thing that it was about, such as an id.
    pub target: Option<String>,
    /// The addresses that it reached.
    pub reached: BTreeSet<String>,
    /// Whether they may count as known from now on: nothing foreign had been read, or a person said yes to them.
    pub is_trusted: bool,
}

/// What is known of the agent before a call, and what the call notes.
#[derive(Debug, Default)]
pub(super) struct Reach {
    seen: Seen,
    noted: Mutex<Noted>,
}

impl Reach {
    pub(super) fn of(seen: Seen) -> Self {
        Reach { seen, noted: Mutex::default() }
    }
}

impl Call {
    /// Asks a person once; the next round of the same call passes straight through.
    ///
    /// Ask before the first side effect, and say exactly what will happen.
    pub fn confirm(&self, question: impl Into<Question>) -> Result<()> {
        let asked = Error::ask(question);
        if self.parts.confirmed.contains(asked.seal()) { Ok(()) } else { Err(asked) }
    }

    /// Asks before something leaves the house for whom the vendor, not we, knows to be new or not, such as a channel that
    /// others share. Where recipients can be named, [`confirm_sending_to`](Self::confirm_sending_to) knows it better.
    pub fn confirm_sending(&self, to_somebody_new: bool, question: impl Into<Question>) -> Result<()> {
        match self.parts.asking {
            Asking::Never => Ok(()),
            Asking::NewRecipients if !to_somebody_new => Ok(()),
            Asking::NewRecipients | Asking::Always => self.confirm(question),
        }
    }

    /// Asks before a message leaves the house for `recipients`, when the agent's setting says so: for tools that
    /// [send](super::Effect::Sends). Recipients are addresses, or the vendor's ids of people and channels.
    pub fn confirm_sending_to(
        &self,
        recipients: impl IntoIterator<Item = impl AsRef<str>>,
        question: impl Into<Question>,
    ) -> Result<()> {
        let (recipients, is_new) = self.recipients(recipients);
        let asks = match self.parts.asking {
            Asking::Never => false,
            Asking::NewRecipients => is_new,
            Asking::Always => true,
        };
        self.reaching(recipients, is_new, asks, question.into())
    }

    /// Asks before a change brings `recipients` in, when the agent's setting and what was read before say so: for
    /// tools that invite guests, share files or name followers beside what they mainly do.
    pub fn confirm_reaching(
        &self,
        recipients: impl IntoIterator<Item = impl AsRef<str>>,
        question: impl Into<Question>,
    ) -> Result<()> {
        let (recipients, is_new) = self.recipients(recipients);
        let asks = match self.parts.asking {
            Asking::Never => false,
            Asking::NewRecipients => is_new && self.reach.seen.has_read_others,
            Asking::Always => !recipients.is_empty(),
        };
        self.reaching(recipients, is_new, asks, question.into())
    }

    /// Asks before something is written that leads to other hosts, when the agent's setting and what was read before
    /// say so: for tools that reach nobody else. The others give their question the same
    /// [addresses](Question::leading_to), and the hosts count beside the recipients.
    pub fn confirm_leading(&self, question: impl Into<Question>) -> Result<()> {
        self.reaching(BTreeSet::new(), false, false, question.into())
    }

    /// Names what the call is about, such as the id of a record: the audit keeps it. Never a text or a secret.
    pub fn touches(&self, target: impl Into<String>) {
        self.note(|noted| noted.target = Some(target.into()));
    }

    /// What the call has noted so far.
    pub fn noted(&self) -> Noted {
        self.reach.noted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The same call by an agent of which this is known.
    #[must_use]
    pub fn with_seen(self, seen: Seen) -> Self {
        Call { reach: Reach::of(seen), ..self }
    }

    /// The recipients without the account itself, and whether one of them is new.
    fn recipients(&self, recipients: impl IntoIterator<Item = impl AsRef<str>>) -> (BTreeSet<String>, bool) {
        let own = self.parts.upstream.as_ref().and_then(|upstream| upstream.account.metadata.get("email"));
        let own = own.map(|own| own.to_lowercase());
        let all = recipients.into_iter().map(|one| one.as_ref().trim().to_lowercase());
        let others: BTreeSet<String> = all.filter(|one| !one.is_empty() && Some(one) != own.as_ref()).collect();
        let is_new = others.iter().any(|one| self.reach.seen.is_new(one));
        (others, is_new)
    }

    /// Asks if one of the two reasons holds: whom it reaches, or where it leads. A host that was never reached before is
    /// new, and counts once text of others was read: they may have put it there.
    fn reaching(&self, recipients: BTreeSet<String>, is_new: bool, asks: bool, question: Question) -> Result<()> {
        let hosts = question.leads().reached();
        let seen = &self.reach.seen;
        let leads_elsewhere = hosts.iter().any(|host| seen.is_new(host));
        let asks = asks
            || match self.parts.asking {
                Asking::Never => false,
                Asking::NewRecipients => leads_elsewhere && seen.has_read_others,
                Asking::Always => !hosts.is_empty(),
            };
        if asks {
            self.confirm(question)?;
        }
        let is_trusted = asks || !(is_new || leads_elsewhere) || !seen.has_read_others;
        self.note(|noted| {
            noted.is_trusted = is_trusted && (noted.is_trusted || noted.reached.is_empty());
            noted.reached.extend(recipients);
            noted.reached.extend(hosts);
        });
        Ok(())
    }

    fn note(&self, note: impl FnOnce(&mut Noted)) {
        note(&mut self.reach.noted.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock,
        id::{self, CallId},
        tool::{CallParts, Kind, State},
    };

    const WHO: [&str; 1] = ["Eve@example.com"];

    fn call(asking: Asking, has_read_others: bool, known: &[&str]) -> Call {
        let known = known.iter().map(|one| (*one).to_owned()).collect();
        Call::new(CallParts {
            id: CallId::new("c"),
            user: crate::id::UserId::new("ann"),
            clock: clock::system(),
            entropy: id::os(),
            upstream: None,
            progress: None,
            confirmed: BTreeSet::from(["yes?".to_owned()]),
            asking,
            state: State::default(),
        })
        .with_seen(Seen { has_read_others, known })
    }

    /// Whether a message asks, and whether an invitation does.
    #[track_caller]
    fn check(asking: Asking, has_read: bool, known: &[&str], expected: (bool, bool)) {
        let asks = |done: Result<()>| done.is_err_and(|error| error.kind() == Kind::Ask);
        let sends = asks(call(asking, has_read, known).confirm_sending_to(WHO, "send?"));
        let invites = asks(call(asking, has_read, known).confirm_reaching(WHO, "invite?"));
        assert_eq!((sends, invites), expected, "{asking:?}, read: {has_read}, known: {known:?}");
    }

    #[test]
    fn the_setting_and_what_was_read_decide() {
        let known = ["eve@example.com"];
        for has_read in [false, true] {
            check(Asking::Never, has_read, &[], (false, false));
            check(Asking::Always, has_read, &known, (true, true));
            check(Asking::NewRecipients, has_read, &known, (false, false));
        }
        check(Asking::NewRecipients, false, &[], (true, false));
        check(Asking::NewRecipients, true, &[], (true, true));
    }

    #[test]
    fn a_host_counts_like_a_guest() {
        let question = || Question::new("Write?").leading_to(super::super::Leads::in_text("https://Evil.example/?q=1"));
        let asks = |asking, has_read, known: &[&str]| {
            let call = call(asking, has_read, known);
            let known_person = call.confirm_sending_to(["ana@example.com"], question()).is_err();
            assert_eq!(call.confirm_leading(question()).is_err(), known_person, "with and without recipients");
            known_person
        };
        let ana = "ana@example.com";
        assert!(asks(Asking::NewRecipients, true, &[ana]));
        assert!(!asks(Asking::NewRecipients, true, &[ana, "//evil.example"]));
        assert!(!asks(Asking::NewRecipients, false, &[ana]));
        assert!(!asks(Asking::Never, true, &[]));
        assert!(asks(Asking::Always, false, &[ana, "//evil.example"]));
    }

    #[test]
    fn nobody_is_nobody_new() {
        let nobody: [&str; 0] = [];
        call(Asking::NewRecipients, true, &[]).confirm_sending_to(nobody, "q").unwrap();
        call(Asking::Always, true, &[]).confirm_reaching(nobody, "q").unwrap();
        call(Asking::Always, true, &[]).confirm_sending_to(nobody, "q").unwrap_err();
    }

    #[test]
    fn whom_a_misled_agent_reaches_unasked_does_not_become_known() {
        let reached = |asking, has_read, question: &str| {
            let call = call(asking, has_read, &[]);
            call.confirm_sending_to(WHO, question).unwrap();
            let noted = call.noted();
            assert_eq!(noted.reached, BTreeSet::from(["eve@example.com".to_owned()]));
            noted.is_trusted
        };
        assert!(!reached(Asking::Never, true, "no"), "nobody was asked");
        assert!(reached(Asking::Never, false, "no"), "nothing foreign was read");
        assert!(reached(Asking::Always, true, "yes?"), "a person said yes");
    }
}
