//! Who was sent to a page to connect an account, so that their clients can be told when it is there.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use super::links::Link;
use crate::{id::UserId, vault::ConnectionKey};

/// How many pages are remembered; the news is a courtesy, and the oldest are forgotten first.
const MOST: usize = 1024;

/// The pages that somebody may be on.
#[derive(Default)]
pub(super) struct Waiting(Mutex<VecDeque<Page>>);

struct Page {
    user: UserId,
    integration: String,
    account: String,
    name: String,
}

impl Waiting {
    /// Notes that `user` was sent to the page behind `link`.
    pub(super) fn note(&self, user: &UserId, link: &Link) {
        let mut pages = self.pages();
        if pages.len() == MOST {
            pages.pop_front();
        }
        pages.push_back(Page {
            user: user.clone(),
            integration: link.integration.clone(),
            account: link.account.clone(),
            name: link.name().to_owned(),
        });
    }

    /// The names of the pages that are done with now that there is this connection.
    pub(super) fn take(&self, key: &ConnectionKey) -> Vec<String> {
        let mut pages = self.pages();
        let (done, open) = std::mem::take(&mut *pages).into_iter().partition::<VecDeque<_>, _>(|page| {
            page.user == key.user && page.integration == key.integration && page.account == key.account
        });
        *pages = open;
        done.into_iter().map(|page| page.name).collect()
    }

    fn pages(&self) -> std::sync::MutexGuard<'_, VecDeque<Page>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
