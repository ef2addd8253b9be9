//! One client for the whole process.
//!
//! `reqwest` is used for its connection pool, HTTP/2 and decompression; `rustls` is named here only to choose its
//! cryptography once. Redirects, retries and deadlines are ours, because only we know what may be sent twice.

use std::{
    collections::BTreeSet,
    error::Error as StdError,
    sync::{Arc, OnceLock},
    time::Duration,
};

use tokio::time::{Instant, sleep, timeout_at};
use url::Url;

use super::{
    Body, Cancellation, Error, Event, HeaderMap, Lane, Repeat, Request, Response, Result, StatusCode,
    breaker::{Breakers, Limits, Pass},
    guard::{self, Private, Reach},
    header::CONTENT_TYPE,
    rate::{Buckets, Rate},
    retry::{self, Next, Outcome, Pace, Situation},
    scrub::Scrub,
};
use crate::{clock::SharedClock, id::SharedEntropy};

/// Bounds of the client.
#[derive(Clone, Debug)]
pub struct Options {
    /// For one attempt, from sending to the last byte of the answer.
    pub attempt: Duration,
    /// For one request with all its repeats and pauses.
    pub total: Duration,
    /// For making a connection.
    pub connect: Duration,
    /// The largest answer, in bytes after decompression.
    pub response_limit: usize,
    /// Attempts in all, where a request may be repeated.
    pub attempts: u32,
    /// The widest pause before the first repeat; it doubles with each further one, up to five seconds.
    pub pause: Duration,
    /// How many calls of a vendor must fail, and two of three among the latest with them, to make it rest.
    pub failures: u32,
    /// How long a failing vendor rests.
    pub rest: Duration,
    /// How the client introduces itself.
    pub user_agent: String,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            attempt: Duration::from_secs(10),
            total: Duration::from_secs(30),
            connect: Duration::from_secs(5),
            response_limit: 10 * 1024 * 1024,
            attempts: 4,
            pause: Duration::from_millis(200),
            failures: 5,
            rest: Duration::from_secs(15),
            user_agent: concat!("switchboard/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// The outgoing client. Clones share connections, budgets and breakers.
#[derive(Clone, Debug)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    options: Options,
    clock: SharedClock,
    entropy: SharedEntropy,
    buckets: Buckets,
    breakers: Breakers,
    public: OnceLock<reqwest::Client>,
    anywhere: OnceLock<reqwest::Client>,
}

impl Client {
    /// A client with its bounds. Connections and the system's certificates are loaded at first use.
    pub fn new(options: Options, clock: SharedClock, entropy: SharedEntropy) -> Result<Self> {
        if reqwest::header::HeaderValue::from_str(&options.user_agent).is_err() {
            return Err(Error::BadRequest("its user agent cannot be a header".to_owned()));
        }
        choose_cryptography();
        let breakers = Breakers::new(Limits { failures: options.failures, rest: options.rest });
        Ok(Client(Arc::new(Inner {
            options,
            clock,
            entropy,
            buckets: Buckets::from_now(),
            breakers,
            public: OnceLock::new(),
            anywhere: OnceLock::new(),
        })))
    }

    /// The vendors that are left alone for a while, because they failed again and again.
    pub fn resting(&self) -> BTreeSet<String> {
        let keys = self.0.breakers.resting(Instant::now());
        keys.iter().filter_map(|key| key.split(' ').next()).map(str::to_owned).collect()
    }

    /// Sends a request and reads the whole answer. An answer of any status is a [`Response`].
    ///
    /// Dropping the future cancels the request. It never outlives the smallest of the request's, the lane's and the
    /// client's deadline.
    pub async fn send(&self, lane: &Lane, request: Request) -> Result<Response> {
        let started = Instant::now();
        let mut deadline = started + self.0.options.total;
        for bound in [request.deadline.map(|limit| started + limit), lane.until].into_iter().flatten() {
            deadline = deadline.min(bound);
        }
        let sending = self.0.prepare(lane, &request, deadline)?;
        sending.run().await
    }
}

impl Inner {
    fn prepare<'a>(&'a self, lane: &'a Lane, request: &'a Request, deadline: Instant) -> Result<Sending<'a>> {
        if let Some(fault) = request.fault() {
            return Err(Error::BadRequest(fault.to_owned()));
        }
        let reach = guard::check(&lane.base, lane.allow_private).map_err(Error::Refused)?;
        Ok(Sending {
            inner: self,
            lane,
            request,
            url: address(lane, request)?,
            http: self.http(reach)?,
            vendor_key: format!("{} {}", lane.vendor, lane.base),
            deadline,
        })
    }

    fn http(&self, reach: Reach) -> Result<&reqwest::Client> {
        let cell = match reach {
            Reach::Public => &self.public,
            Reach::Anywhere => &self.anywhere,
        };
        if cell.get().is_none() {
            let built = build(&self.options, reach).map_err(|error| Error::Unreachable {
                why: format!("no secure connections on this machine ({})", innermost(&error)),
            })?;
            // Whoever comes second uses the first one's connections.
            drop(cell.set(built));
        }
        Ok(cell.get().expect("it was set in the lines above"))
    }
}

/// One request on its way, with all its attempts.
struct Sending<'a> {
    inner: &'a Inner,
    lane: &'a Lane,
    request: &'a Request,
    url: Url,
    http: &'a reqwest::Client,
    vendor_key: String,
    deadline: Instant,
}

impl Sending<'_> {
    async fn run(&self) -> Result<Response> {
        let mut unsure = false;
        match self.attempts(&mut unsure).await {
            Ok(response) => Ok(Response { unsure, ..response }),
            Err(error) if unsure && !error.may_have_happened() => Err(Error::Unsure(Box::new(error))),
            Err(error) => Err(error),
        }
    }

    /// Sends until there is something to show. `unsure` becomes true when an attempt that was followed by another may
    /// have been carried out.
    async fn attempts(&self, unsure: &mut bool) -> Result<Response> {
        let mut renewed = false;
        let mut attempt = 1;
        let mut pass = None;
        loop {
            let admitted = self.admit(pass.take()).await?;
            let outcome = self.attempt(attempt, *unsure, pass.insert(admitted)).await?;
            if !renewed && self.is_refused(&outcome) {
                renewed = true;
                if self.renew().await? {
                    self.tell(&Event::Renewed);
                    continue;
                }
            }
            let has_left_a_mark = self.request.repeat != Repeat::Safe && retry::may_have_happened(&outcome);
            let status = outcome.as_ref().ok().map(|answer| answer.status);
            match self.situation(attempt).next(self.pace(), outcome) {
                Next::Done(outcome) => return outcome,
                Next::Again(pause) => {
                    self.tell(&Event::Again { status, pause, attempt });
                    *unsure |= has_left_a_mark;
                    self.rest(pause, *unsure).await?;
                }
            }
            attempt += 1;
        }
    }

    /// Waits for the connection's turn, then asks whether the vendor rests.
    async fn admit(&self, earlier: Option<Pass>) -> Result<Pass> {
        if let Some(rate) = self.lane.rate {
            // First the one that lets fewer through, so that who waits for it takes nothing from the others.
            if let Some((class, rate)) = rate.narrower.and_then(|narrower| narrower(self.request)) {
                self.take_turn(rate, &class).await?;
            }
            self.take_turn(rate, "").await?;
        }
        let now = Instant::now();
        let admitted = match earlier {
            None => self.inner.breakers.admit(&self.vendor_key, now),
            Some(pass) => pass.again(now),
        };
        admitted.map_err(|retry_after| Error::Resting { retry_after })
    }

    async fn take_turn(&self, rate: Rate, class: &str) -> Result<()> {
        let key = format!("{}\0{}\0{class}", self.lane.vendor, self.lane.connection);
        while let Err(wait) = self.inner.buckets.take(rate, &key) {
            if Instant::now() + wait >= self.deadline {
                return Err(Error::Limited { retry_after: wait });
            }
            self.tell(&Event::Turn { wait });
            sleep(wait).await;
        }
        Ok(())
    }

    /// One attempt. The outer error is one that no further attempt can mend.
    async fn attempt(&self, attempt: u32, unsure: bool, pass: &mut Pass) -> Result<Outcome> {
        let credential = self.credential().await?;
        if !self.is_wanted(unsure) {
            return Err(Error::Cancelled);
        }
        let started = Instant::now();
        let limit = self.inner.options.attempt.min(self.left());
        let outcome = match timeout_at(started + limit, self.exchange(credential)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::Timeout { after: limit }),
        };
        if let Some(is_alive) = is_alive(&outcome) {
            pass.attempted(Instant::now(), is_alive);
        }
        self.log(attempt, started, &outcome);
        Ok(outcome)
    }

    /// Whether to send it now. What only looks is always sent, and what may have been carried out already is repeated
    /// until that is certain.
    fn is_wanted(&self, unsure: bool) -> bool {
        let Some(cancellation) = self.revocable(unsure) else { return true };
        cancellation.let_out(self.request.completes)
    }

    /// The pause before the next attempt; over at once when that one is not wanted any more.
    async fn rest(&self, pause: Duration, unsure: bool) -> Result<()> {
        match self.revocable(unsure).filter(|_| !self.request.completes) {
            None => sleep(pause).await,
            Some(cancellation) => tokio::select! {
                () = cancellation.cancelled() => return Err(Error::Cancelled),
                () = sleep(pause) => {}
            },
        }
        Ok(())
    }

    /// What can still call the request back: one that changes something and has surely not been carried out yet.
    fn revocable(&self, unsure: bool) -> Option<&Cancellation> {
        self.lane.cancellation.as_ref().filter(|_| self.request.repeat != Repeat::Safe && !unsure)
    }

    async fn credential(&self) -> Result<HeaderMap> {
        let Some(authorize) = &self.lane.authorize else {
            return Ok(HeaderMap::new());
        };
        let asked = timeout_at(self.deadline, authorize.headers()).await;
        let mut headers = asked.map_err(|_| self.no_credential_in_time())??;
        headers.values_mut().for_each(|value| value.set_sensitive(true));
        Ok(headers)
    }

    async fn renew(&self) -> Result<bool> {
        let Some(authorize) = &self.lane.authorize else {
            return Ok(false);
        };
        let asked = timeout_at(self.deadline, authorize.refused()).await;
        Ok(asked.map_err(|_| self.no_credential_in_time())??)
    }

    fn no_credential_in_time(&self) -> Error {
        Error::Unauthorized(super::AuthorizeError::Unavailable {
            reason: format!("{} did not renew it in time", self.lane.vendor),
            retry_after: None,
        })
    }

    async fn exchange(&self, credential: HeaderMap) -> Outcome {
        let scrub = Scrub::of(&credential, self.request);
        let mut headers = self.request.headers.clone();
        // `extend` would keep an integration's own value beside the credential.
        for (name, value) in &credential {
            headers.insert(name, value.clone());
        }
        let mut request = self.http.request(self.request.method.clone(), self.url.clone());
        if let Body::Bytes { content_type, bytes } = &self.request.body {
            request = request.header(CONTENT_TYPE, content_type).body(bytes.clone());
        }
        let answer = request.headers(headers).send().await.map_err(|error| classify(&error))?;
        let mut answer = read(answer, self.inner.options.response_limit).await?;
        // Before anything looks at it: what explains a refusal, what is logged, what is told.
        scrub.answer(&mut answer);
        if let Some(status) = self.lane.status {
            answer.status = status(&answer);
        }
        Ok(answer)
    }

    fn is_refused(&self, outcome: &Outcome) -> bool {
        self.lane.authorize.is_some() && matches!(outcome, Ok(answer) if answer.status == StatusCode::UNAUTHORIZED)
    }

    fn situation(&self, attempt: u32) -> Situation<'_> {
        Situation {
            repeat: self.request.repeat,
            attempt,
            left: self.left(),
            now: self.inner.clock.now(),
            is_limit: self.lane.is_limit,
            rest: self.lane.rest,
            entropy: &*self.inner.entropy,
        }
    }

    fn pace(&self) -> Pace {
        let options = &self.inner.options;
        Pace {
            attempts: self.request.attempts.map_or(options.attempts, |own| own.min(options.attempts)),
            first: options.pause,
            longest: Duration::from_secs(5),
        }
    }

    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Values of path, query, headers and bodies stay out.
    fn log(&self, attempt: u32, started: Instant, outcome: &Outcome) {
        let (method, path) = (&self.request.method, self.request.path.template());
        let status = outcome.as_ref().ok().map(|answer| answer.status);
        self.tell(&Event::Asked { method, path, status, took: started.elapsed() });
        tracing::debug!(
            vendor = %self.lane.vendor,
            %method,
            path,
            status = status.map_or(0, |status| status.as_u16()),
            error = outcome.as_ref().err().map(tracing::field::display),
            millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            attempt,
            "asked a vendor",
        );
    }

    fn tell(&self, event: &Event<'_>) {
        if let Some(witness) = &self.lane.witness {
            witness.hear(&self.lane.vendor, event);
        }
    }
}

/// The base with the path's segments and the query behind it.
fn address(lane: &Lane, request: &Request) -> Result<Url> {
    let path = request.path.encoded().map_err(|fault| Error::BadRequest(fault.to_owned()))?;
    let mut url = lane.base.clone();
    url.set_fragment(None);
    let prefix = url.path().trim_end_matches('/').to_owned();
    url.set_path(&format!("{prefix}{path}"));
    if !request.query.is_empty() {
        url.query_pairs_mut().extend_pairs(&request.query);
    }
    Ok(url)
}

/// Reads the body chunk by chunk, so that an endless or a small but well packed one is cut in time.
async fn read(mut answer: reqwest::Response, limit: usize) -> Outcome {
    let too_large = || Error::TooLarge { limit };
    if answer.content_length().is_some_and(|length| length > limit as u64) {
        return Err(too_large());
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| broken(&error))? {
        if body.len() + chunk.len() > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Response { status: answer.status(), headers: std::mem::take(answer.headers_mut()), body, unsure: false })
}

/// What an attempt says of the vendor. Only silence and illness count against it; a refusal of any kind is a sign of life.
/// `None` where it never came to asking.
fn is_alive(outcome: &Outcome) -> Option<bool> {
    match outcome {
        Ok(answer) => Some(!retry::is_failure(answer.status)),
        Err(Error::TooLarge { .. }) => Some(true),
        Err(Error::Timeout { .. } | Error::Unreachable { .. } | Error::Broken { .. }) => Some(false),
        Err(_) => None,
    }
}

pub(super) fn classify(error: &reqwest::Error) -> Error {
    if causes(error).any(|cause| cause.downcast_ref::<Private>().is_some()) {
        return Error::Refused(Private.to_string());
    }
    if error.is_connect() {
        return Error::Unreachable { why: innermost(error) };
    }
    if error.is_builder() {
        return Error::BadRequest(innermost(error));
    }
    broken(error)
}

pub(super) fn broken(error: &reqwest::Error) -> Error {
    Error::Broken { why: innermost(error) }
}

/// The innermost cause. The outer ones repeat the URL, with the values in it.
pub(super) fn innermost(error: &reqwest::Error) -> String {
    causes(error).last().map_or_else(|| "the request failed".to_owned(), ToString::to_string)
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    let mut next = error.source();
    std::iter::from_fn(move || {
        let cause = next?;
        next = cause.source();
        Some(cause)
    })
}

fn build(options: &Options, reach: Reach) -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .user_agent(&options.user_agent)
        .redirect(reqwest::redirect::Policy::none())
        .dns_resolver(Arc::new(reach))
        // A proxy would resolve names itself, out of the guard's sight.
        .no_proxy()
        .connect_timeout(options.connect)
        // Shorter than what servers grant, so that a write rarely meets a connection that is just being closed.
        .pool_idle_timeout(Duration::from_secs(30))
        .tcp_nodelay(true)
        .build()
}

/// One process has one cryptography provider; whoever was first has chosen.
pub(super) fn choose_cryptography() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        drop(rustls::crypto::ring::default_provider().install_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        http::{Authorize, AuthorizeError, HeaderValue, Path, Pending, header::AUTHORIZATION, testing::options},
        id::SeededEntropy,
    };

    #[derive(Debug)]
    struct Key;

    impl Authorize for Key {
        fn headers(&self) -> Pending<'_, Result<HeaderMap, AuthorizeError>> {
            let pair = (AUTHORIZATION, HeaderValue::from_static("Bearer x"));
            Box::pin(async { Ok(HeaderMap::from_iter([pair])) })
        }

        fn refused(&self) -> Pending<'_, Result<bool, AuthorizeError>> {
            Box::pin(async { Ok(false) })
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_into_a_private_network_is_refused() {
        choose_cryptography();
        let public = build(&options(), Reach::Public).unwrap();
        let error = public.get("http://localhost:9/canary").send().await.unwrap_err();
        let refused = classify(&error);
        assert!(matches!(refused, Error::Refused(_)) && !format!("{refused:?}").contains("canary"), "{refused:?}");
    }

    #[tokio::test]
    async fn credentials_are_marked_as_sensitive() {
        let client = Client::new(options(), crate::clock::system(), SeededEntropy::new(1)).unwrap();
        let lane = Lane::new("vendor", "https://example.com".parse().unwrap()).on_behalf_of("anna", Arc::new(Key));
        let request = Request::get(Path::new());
        let sending = client.0.prepare(&lane, &request, Instant::now() + Duration::from_secs(1)).unwrap();
        assert!(sending.credential().await.unwrap().values().all(HeaderValue::is_sensitive));
    }
}
