//! How credentials get on a request, and what a 401 leads to.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use crate::http::{
    Authorize, AuthorizeError, Error, HeaderMap, HeaderValue, Lane, Pending, Request, StatusCode,
    header::AUTHORIZATION,
    path,
    testing::{Reply, Server, client},
};

/// Bears `token-0`, and the next one after each refusal while there is one.
#[derive(Debug)]
struct Tokens {
    generation: AtomicUsize,
    last: usize,
    refusals: AtomicUsize,
}

impl Tokens {
    fn up_to(last: usize) -> Arc<Self> {
        Arc::new(Tokens { generation: AtomicUsize::new(0), last, refusals: AtomicUsize::new(0) })
    }
}

impl Authorize for Tokens {
    fn headers(&self) -> Pending<'_, Result<HeaderMap, AuthorizeError>> {
        Box::pin(async {
            let value = format!("Bearer token-{}", self.generation.load(Ordering::SeqCst));
            Ok(HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::try_from(value).unwrap())]))
        })
    }

    fn refused(&self) -> Pending<'_, Result<bool, AuthorizeError>> {
        Box::pin(async {
            self.refusals.fetch_add(1, Ordering::SeqCst);
            if self.generation.load(Ordering::SeqCst) == self.last {
                return Ok(false);
            }
            self.generation.fetch_add(1, Ordering::SeqCst);
            Ok(true)
        })
    }
}

/// Takes `token-<n>` and nothing else.
async fn vendor(n: usize) -> Server {
    Server::start(move |_, request| {
        let fits = request.header("authorization") == Some(&format!("Bearer token-{n}"));
        Reply::status(if fits { 200 } else { 401 })
    })
    .await
}

fn lane(server: &Server, tokens: &Arc<Tokens>) -> Lane {
    server.lane().on_behalf_of("anna", Arc::clone(tokens) as Arc<dyn Authorize>)
}

#[tokio::test]
async fn a_refused_credential_is_renewed_once_for_reads_and_writes() {
    for request in [Request::get(path!["things"]), Request::post(path!["things"])] {
        let (server, tokens) = (vendor(1).await, Tokens::up_to(5));
        let answer = client().send(&lane(&server, &tokens), request).await.unwrap();
        assert_eq!((answer.status, server.count()), (StatusCode::OK, 2));
        assert_eq!(tokens.refusals.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn a_second_refusal_is_the_answer() {
    let (server, tokens) = (vendor(9).await, Tokens::up_to(5));
    let answer = client().send(&lane(&server, &tokens), Request::get(path!["things"])).await.unwrap();
    assert_eq!((answer.status, server.count()), (StatusCode::UNAUTHORIZED, 2));
    assert_eq!(tokens.refusals.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn without_a_fresh_credential_nothing_is_sent_again() {
    let (server, tokens) = (vendor(1).await, Tokens::up_to(0));
    let answer = client().send(&lane(&server, &tokens), Request::get(path!["things"])).await.unwrap();
    assert_eq!((answer.status, server.count()), (StatusCode::UNAUTHORIZED, 1));
}

#[derive(Debug)]
struct Gone;

impl Authorize for Gone {
    fn headers(&self) -> Pending<'_, Result<HeaderMap, AuthorizeError>> {
        let reason = "access was withdrawn".to_owned();
        Box::pin(async { Err(AuthorizeError::NeedsReconnect { reason }) })
    }

    fn refused(&self) -> Pending<'_, Result<bool, AuthorizeError>> {
        Box::pin(async { Ok(false) })
    }
}

#[tokio::test]
async fn without_a_credential_nothing_is_sent() {
    let server = vendor(0).await;
    let lane = server.lane().on_behalf_of("anna", Arc::new(Gone));
    let error = client().send(&lane, Request::get(path!["things"])).await.unwrap_err();
    assert!(matches!(error, Error::Unauthorized(AuthorizeError::NeedsReconnect { .. })), "{error:?}");
    assert_eq!(server.count(), 0);
}
