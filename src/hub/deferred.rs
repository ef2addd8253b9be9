//! Something that is still being opened while the first questions are already answered.

use std::{fmt, sync::Arc};

use tokio::sync::watch;

/// A value that arrives later; whoever needs it waits.
///
/// `initialize` and `server/discover` need no store. They are answered while the store opens in the background.
pub struct Deferred<T>(watch::Receiver<Option<Arrived<T>>>);

type Arrived<T> = Result<Arc<T>, Arc<str>>;

impl<T: Send + Sync + 'static> Deferred<T> {
    /// Something that is there already.
    pub fn ready(value: T) -> Self {
        Deferred(watch::channel(Some(Ok(Arc::new(value)))).1)
    }

    /// Something that `opening` brings; a failure is told, in words, to everybody who waits.
    pub fn spawn<E: fmt::Display>(opening: impl Future<Output = Result<T, E>> + Send + 'static) -> Self {
        let (sender, receiver) = watch::channel(None);
        tokio::spawn(async move {
            let arrived = opening.await.map(Arc::new).map_err(|error| Arc::from(error.to_string()));
            // Nobody may be waiting any more.
            let _ = sender.send(Some(arrived));
        });
        Deferred(receiver)
    }

    /// A part of it, as soon as the whole is there.
    pub fn map<U: Send + Sync + 'static>(&self, part: impl FnOnce(&T) -> U + Send + 'static) -> Deferred<U> {
        let whole = self.clone();
        Deferred::spawn(async move { whole.get().await.map(|whole| part(&whole)) })
    }

    /// The value, as soon as it is there.
    ///
    /// # Errors
    /// The opening failed; the text says why.
    pub async fn get(&self) -> Result<Arc<T>, Arc<str>> {
        let mut receiver = self.0.clone();
        let arrived = receiver.wait_for(Option::is_some).await;
        match arrived.as_deref() {
            Ok(Some(Ok(value))) => Ok(value.clone()),
            Ok(Some(Err(why))) => Err(why.clone()),
            Ok(None) | Err(_) => Err("The start was broken off.".into()),
        }
    }
}

impl<T> Clone for Deferred<T> {
    fn clone(&self) -> Self {
        Deferred(self.0.clone())
    }
}

impl<T> fmt::Debug for Deferred<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Deferred")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn everybody_who_waits_gets_it() {
        let (open, opened) = tokio::sync::oneshot::channel::<u8>();
        let deferred = Deferred::spawn(opened);
        let waiting =
            [deferred.clone(), deferred.clone()].map(|deferred| tokio::spawn(async move { deferred.get().await }));
        open.send(7).unwrap();
        for waiting in waiting {
            assert_eq!(*waiting.await.unwrap().unwrap(), 7);
        }
    }

    #[tokio::test]
    async fn a_failure_is_told_in_words() {
        let deferred = Deferred::<u8>::spawn(async { Err("the disk is full") });
        assert_eq!(&*deferred.get().await.unwrap_err(), "the disk is full");
    }
}
