//! Lets REST be reached: the same guard and the same tokens as everywhere, with refusals as problem documents.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};

use super::{
    Options, access,
    guard::{self, Hosts, TurnedAway},
    held,
};
use crate::{api::Problem, hub::Caller, mcp::RUNNING};

/// Puts the guard and the look at the token before every route of `router`. Its handlers find the
/// [`Caller`] among the extensions of the request.
pub fn require(router: Router, options: Options) -> Router {
    let hosts = Arc::clone(&options.hosts);
    admit(router.layer(middleware::from_fn_with_state(Arc::new(options), identify)), hosts)
}

/// Puts only the guard before every route of `router`: for pages that need no token.
pub fn admit(router: Router, hosts: Arc<Hosts>) -> Router {
    guard::protect(router, hosts).layer(middleware::map_response(as_problem))
}

async fn identify(State(options): State<Arc<Options>>, request: Request, next: Next) -> Response {
    if let Some(caller) = access::browser(&options, request.headers(), request.extensions()).await {
        // A browser brings its cookie along wherever a page sends it, and says which page that was.
        if !request.method().is_safe() && !request.headers().contains_key(header::ORIGIN) {
            return Problem::new(StatusCode::FORBIDDEN, "not_allowed", "a browser says which page it comes from")
                .into_response();
        }
        return counted(&options, caller, request, next).await;
    }
    match access::caller(&options, request.headers(), request.extensions()).await {
        Ok(caller) => counted(&options, caller, request, next).await,
        Err(refusal) => *refusal,
    }
}

/// Hands a request on that counts against its caller until the answer is taken.
async fn counted(options: &Options, caller: Caller, mut request: Request, next: Next) -> Response {
    let (quotas, person) = (&options.quotas, caller.principal.user.as_str());
    let (place, permit) = match (quotas.requests.take(person, 1), quotas.bytes.take(person, RUNNING)) {
        (Ok(place), Ok(permit)) => (place, Arc::new(permit)),
        (Err(why), _) | (_, Err(why)) => {
            let problem = Problem::new(held::status(why), "busy", format!("the request was not begun: {why}"));
            return held::retried(why, problem.into_response());
        }
    };
    request.extensions_mut().insert(Arc::clone(&permit));
    request.extensions_mut().insert(caller);
    held::hold(next.run(request).await, (place, permit))
}

/// Says a refusal of the guard or of the look at the token as REST does. Its headers stay.
async fn as_problem(mut response: Response) -> Response {
    let Some(TurnedAway(why)) = response.extensions_mut().remove() else { return response };
    let code = match response.status() {
        StatusCode::UNAUTHORIZED => "unauthorized",
        StatusCode::FORBIDDEN => "not_allowed",
        StatusCode::SERVICE_UNAVAILABLE => "unavailable",
        _ => "bad_request",
    };
    let mut told = Problem::new(response.status(), code, why).into_response();
    for name in [header::WWW_AUTHENTICATE, header::CONNECTION] {
        if let Some(value) = response.headers_mut().remove(&name) {
            told.headers_mut().insert(name, value);
        }
    }
    told
}
