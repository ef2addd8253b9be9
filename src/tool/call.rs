//! What a tool may use while it runs.

use std::{
    any::{Any, TypeId},
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use url::Url;

use super::{Asking, Client, Door, Error, Host, Kind, Result, asking::Reach, error::UNCERTAIN, telling::Teller};
use crate::{
    clock::SharedClock,
    http::{self, Lane, Repeat, Request, Response},
    id::{self, CallId, SharedEntropy, UserId},
    secret::Secret,
};

/// What a tool may use while it runs: the vendor, the clock, a person's answers.
///
/// It holds no credential: requests are signed on the way out. A tool can reach neither who signs them nor where they
/// go, and what it finds with [`state`](Call::state) is what the server gave to its tools.
///
/// ```compile_fail,E0616
/// fn steal(cx: &switchboard::tool::Call) {
///     let _ = &cx.parts;
/// }
/// ```
///
/// ```compile_fail,E0624
/// fn steal(cx: &switchboard::tool::Call) {
///     let _ = cx.upstream();
/// }
/// ```
///
/// ```compile_fail,E0603
/// use switchboard::hub::own::AccountDirectory;
/// ```
pub struct Call {
    pub(super) parts: CallParts,
    pub(super) client: Option<Arc<dyn Client>>,
    pub(super) door: Option<Arc<dyn Door>>,
    pub(super) reach: Reach,
}

/// What a call is made of. The hub makes calls; tests of tools may.
pub struct CallParts {
    /// The reference number that the caller's error and the log share.
    pub id: CallId,
    /// For whom.
    pub user: UserId,
    /// The time.
    pub clock: SharedClock,
    /// Randomness.
    pub entropy: SharedEntropy,
    /// The vendor, for tools of an integration.
    pub upstream: Option<Upstream>,
    /// Where reports of progress go.
    pub progress: Option<Arc<dyn Progress>>,
    /// The questions to which a person said yes, each by its [seal](Error::seal): a changed amount asks again.
    pub confirmed: BTreeSet<String>,
    /// When something that leaves the house needs a yes.
    pub asking: Asking,
    /// What the server gave its own tools.
    pub state: State,
}

/// The vendor as one connected account sees it.
#[derive(Clone)]
pub struct Upstream {
    /// The way out.
    pub client: http::Client,
    /// Where requests go and who signs them.
    pub lane: http::Lane,
    /// Whose account it is.
    pub account: Account,
    /// Turns the vendor's refusals into ours.
    pub explain: fn(&Response) -> Error,
    /// What was looked up before for this account.
    pub memory: Memory,
    /// Where the second hosts of the vendor are, by their names. No other host gets a signed request.
    pub hosts: BTreeMap<&'static str, Url>,
}

/// The connected account.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Account {
    /// The connection's name, such as `default` or `work`.
    pub name: String,
    /// What is known about it, such as `email`.
    pub metadata: BTreeMap<String, String>,
}

/// Takes reports of progress. It must never block.
pub trait Progress: Send + Sync {
    /// `done` grows from report to report; `total` is its end, where that is known.
    fn report(&self, done: f64, total: Option<f64>, message: &str);
}

impl Call {
    /// Makes a call of its parts.
    pub fn new(parts: CallParts) -> Self {
        Call { parts, client: None, door: None, reach: Reach::default() }
    }

    /// The same call with a way back to the client that made it.
    #[must_use]
    pub fn with_client(self, client: Option<Arc<dyn Client>>) -> Self {
        Call { client, ..self }
    }

    /// The same call with a way to the caller's other tools: for resources, prompts and completions.
    #[must_use]
    pub fn with_door(self, door: Arc<dyn Door>) -> Self {
        Call { door: Some(door), ..self }
    }

    /// The client that called, where it can be reached.
    pub(super) fn client(&self) -> Option<&dyn Client> {
        self.client.as_deref()
    }

    /// The reference number of this call.
    pub fn id(&self) -> &CallId {
        &self.parts.id
    }

    /// The person for whom the call is made.
    pub fn user(&self) -> &UserId {
        &self.parts.user
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    /// `len` random characters of `0-9a-v`: an identifier that a vendor takes from its clients.
    pub fn fresh_id(&self, len: usize) -> String {
        id::base32hex(&*self.parts.entropy, len)
    }

    /// The connected account.
    ///
    /// # Errors
    /// The tool belongs to no integration.
    pub fn account(&self) -> Result<&Account> {
        Ok(&self.upstream()?.account)
    }

    /// Sends a signed request to the vendor and reads its answer.
    ///
    /// # Errors
    /// The vendor's refusal in our words; or that there was no answer, and then whether a write may have
    /// happened all the same.
    pub async fn send(&self, request: Request) -> Result<Response> {
        let upstream = self.upstream()?;
        send(upstream, &self.lane(upstream), request).await
    }

    /// [`send`](Self::send), with the JSON answer read as `T`.
    pub async fn fetch<T: DeserializeOwned>(&self, request: Request) -> Result<T> {
        let is_write = request.repeat != Repeat::Safe;
        read(&self.send(request).await?, is_write)
    }

    /// [`fetch`](Self::fetch) from a second host of the vendor, which the tool names in
    /// [`HOSTS`](super::Tool::HOSTS).
    pub async fn fetch_from<T: DeserializeOwned>(&self, host: &Host, request: Request) -> Result<T> {
        let upstream = self.upstream()?;
        let mut lane = self.lane(upstream);
        // Only the integration's own hosts get its credential, whatever the tool says of them.
        let known = upstream.hosts.get(host.id);
        lane.base =
            known.ok_or_else(|| Error::internal(format!("`{}` is no host of this integration", host.id)))?.clone();
        // Where the vendor has it, it stands in no private network.
        lane.allow_private = lane.base.as_str().trim_end_matches('/') != host.base_url.trim_end_matches('/');
        let is_write = request.repeat != Repeat::Safe;
        read(&send(upstream, &lane, request).await?, is_write)
    }

    /// Sends a request, unsigned, to an address that the vendor handed out, such as one for the bytes of a file. Such an
    /// address is itself the permission: the credential stays at home.
    ///
    /// It has to lie at the host of the vendor's API or in one of `domains`, such as `slack.com`.
    ///
    /// # Errors
    /// The address leads elsewhere, or what [`send`](Self::send) fails with.
    pub async fn send_elsewhere(&self, address: &str, domains: &[&str], mut request: Request) -> Result<Response> {
        let upstream = self.upstream()?;
        let home = &upstream.lane.base;
        let stranger = || Error::new(Kind::Vendor, "The vendor named an address outside of its own domain.");
        let url = Url::parse(address).map_err(|error| stranger().because(error))?;
        let is_home = url.origin() == home.origin();
        if !is_home && (url.scheme() != "https" || !lies_in(&url, domains)) {
            return Err(stranger());
        }
        for segment in url.path_segments().into_iter().flatten().filter(|segment| !segment.is_empty()) {
            request.path = request.path.then(percent_decode_str(segment).decode_utf8_lossy());
        }
        // What stands in such an address signs it.
        request = url.query_pairs().fold(request, |request, (_, value)| request.hiding(&Secret::new(value)));
        request.query.extend(url.query_pairs().into_owned());
        let mut origin = url;
        origin.set_path("");
        origin.set_query(None);
        let mut lane = Lane::new(upstream.lane.vendor.clone(), origin);
        lane.allow_private = is_home && upstream.lane.allow_private;
        let Lane { until, witness, cancellation, .. } = self.lane(upstream);
        send(upstream, &Lane { until, witness, cancellation, ..lane }, request).await
    }

    /// What `make` finds out, remembered for this account under `name` for as long as `keep`.
    ///
    /// For look-ups that hardly change, such as the zone of a calendar.
    pub async fn recall<T, F>(&self, name: &str, keep: Duration, make: F) -> Result<T>
    where
        T: Clone + Send + Sync + 'static,
        F: Future<Output = Result<T>> + Send,
    {
        let memory = &self.upstream()?.memory;
        if let Some(known) = memory.get(name) {
            return Ok(known);
        }
        let found = make.await?;
        memory.keep(name, found.clone(), keep);
        Ok(found)
    }

    /// Reports progress to whoever waits; `done` must grow.
    pub fn progress(&self, done: f64, total: Option<f64>, message: &str) {
        if let Some(progress) = &self.parts.progress {
            progress.report(done, total, message);
        }
    }

    /// What the server gave its own tools.
    ///
    /// # Errors
    /// The server gave nothing of this type.
    pub fn state<T: Send + Sync + 'static>(&self) -> Result<&T> {
        let missing = || Error::internal(format!("no state of type {} was given", std::any::type_name::<T>()));
        self.parts.state.get().ok_or_else(missing)
    }

    /// The way to the vendor as it is now: what a person or a task takes is no time of the call, and the client hears
    /// what happens.
    fn lane(&self, upstream: &Upstream) -> Lane {
        let mut lane = upstream.lane.clone();
        if let Some(client) = &self.client {
            lane.until = lane.until.map(|until| until + client.waited());
            lane.witness = Some(Teller::of(client));
        }
        lane
    }

    fn upstream(&self) -> Result<&Upstream> {
        self.parts.upstream.as_ref().ok_or_else(|| Error::internal("the tool belongs to no integration"))
    }
}

/// The JSON of an answer.
fn read<T: DeserializeOwned>(response: &Response, is_write: bool) -> Result<T> {
    response.json().map_err(|error| {
        let next = if is_write {
            UNCERTAIN
        } else {
            "If it stays so, tell the administrator: the vendor may have changed its API."
        };
        Error::new(Kind::Vendor, "The vendor's answer could not be understood.").next(next).because(error)
    })
}

async fn send(upstream: &Upstream, lane: &http::Lane, request: Request) -> Result<Response> {
    let is_write = request.repeat != Repeat::Safe;
    // It is large, and stands in the future of every tool.
    let response = Box::pin(upstream.client.send(lane, request)).await.map_err(|error| {
        let uncertain = is_write && error.may_have_happened();
        let error = Error::from(error);
        if uncertain { error.next(UNCERTAIN) } else { error }
    })?;
    if response.is_success() {
        return Ok(response);
    }
    // A vendor that breaks down may do so after the work.
    let uncertain = is_write && response.may_have_happened();
    let error = (upstream.explain)(&response);
    Err(if uncertain { error.next(UNCERTAIN) } else { error })
}

/// Whether the host is one of `domains` or below it.
fn lies_in(url: &Url, domains: &[&str]) -> bool {
    let host = url.host_str().unwrap_or_default();
    let below = |domain: &&str| host.strip_suffix(*domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    domains.iter().any(below)
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Call").field(&self.parts.id).finish()
    }
}

/// Things by their type: what a server gives its own tools.
#[derive(Clone, Default)]
pub struct State(Arc<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>);

impl State {
    /// State with `value` in it as well, in place of an earlier one of the same type.
    #[must_use]
    pub fn with<T: Send + Sync + 'static>(self, value: T) -> Self {
        let mut all = Arc::unwrap_or_clone(self.0);
        all.insert(TypeId::of::<T>(), Arc::new(value));
        State(Arc::new(all))
    }

    /// The value of type `T`.
    pub fn get<T: 'static>(&self) -> Option<&T> {
        self.0.get(&TypeId::of::<T>())?.downcast_ref()
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "State of {} values", self.0.len())
    }
}

/// Look-ups that are remembered for one account; bounded, and forgotten with the connection.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<HashMap<String, Remembered>>>);

struct Remembered {
    until: Instant,
    value: Box<dyn Any + Send + Sync>,
}

impl Memory {
    /// More names than any tool uses; beyond it, everything is looked up anew.
    const MOST: usize = 256;

    fn get<T: Clone + 'static>(&self, name: &str) -> Option<T> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let remembered = known.get(name).filter(|remembered| remembered.until > Instant::now())?;
        remembered.value.downcast_ref::<T>().cloned()
    }

    fn keep<T: Send + Sync + 'static>(&self, name: &str, value: T, keep: Duration) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= Self::MOST {
            known.clear();
        }
        known.insert(name.to_owned(), Remembered { until: Instant::now() + keep, value: Box::new(value) });
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memory")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock,
        http::testing::{Reply, Server, client},
    };

    #[tokio::test]
    async fn only_the_integrations_own_hosts_get_a_signed_request() {
        let (vendor, stranger) =
            (Server::always(Reply::json(200, "{}")).await, Server::always(Reply::status(200)).await);
        let upstream = Upstream {
            client: client(),
            lane: vendor.lane(),
            account: Account::default(),
            explain: |_| Error::not_found("it"),
            memory: Memory::default(),
            hosts: BTreeMap::from([("second", vendor.url("/"))]),
        };
        let call = Call::new(CallParts {
            id: CallId::new("c-test"),
            user: UserId::new("local"),
            clock: clock::system(),
            entropy: id::os(),
            upstream: Some(upstream),
            progress: None,
            confirmed: BTreeSet::new(),
            asking: Asking::default(),
            state: State::default(),
        });
        let address: &'static str = String::from(stranger.url("/")).leak();
        for id in ["stranger", "second"] {
            let host = Host { id, base_url: address };
            let _ = call.fetch_from::<serde_json::Value>(&host, Request::get(crate::path!["x"])).await;
        }
        assert_eq!((vendor.count(), stranger.count()), (1, 0), "what a tool says of a host decides nothing");
    }

    #[test]
    fn a_domain_is_whole() {
        let is_in = |url: &str| lies_in(&url.parse().unwrap(), &["slack.com"]);
        assert!(is_in("https://files.slack.com/upload") && is_in("https://slack.com"));
        for stranger in ["https://slack.com.evil.example", "https://notslack.com", "https://evil.example/slack.com"] {
            assert!(!is_in(stranger), "{stranger}");
        }
    }
}
