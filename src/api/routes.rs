//! The table of all resources: who answers an operation, and what its description says.

use axum::{
    Router,
    http::Method,
    routing::{MethodRouter, delete, get, patch, post, put},
};

use super::{
    Api, agents, approvals, audit, consent, integrations,
    openapi::{self, Doc},
    panic, tools, users,
};
use crate::{
    agents::Role::{Administrator, Person},
    hub::{Described, Wish},
};

/// One operation.
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) doc: Doc,
    handler: MethodRouter<Api>,
}

impl Route {
    fn new(method: Method, path: &'static str, handler: MethodRouter<Api>, doc: Doc) -> Route {
        Route { method, path, doc, handler }
    }
}

/// Puts `routes` into a router.
pub(super) fn router(routes: Vec<Route>) -> Router<Api> {
    routes.into_iter().fold(Router::new(), |router, route| router.route(route.path, route.handler))
}

/// Everything.
pub(super) fn all() -> Vec<Route> {
    guarded().into_iter().chain(open()).collect()
}

const USER: &[(&str, &str)] = &[("user", "Whose agents; an administrator's choice, else the caller's own.")];
const ACCOUNT: &[(&str, &str)] = &[("account", "Which account, when there are several.")];
const HEAD: &[(&str, &str)] = &[("head", "A head that was kept from an earlier check: whether it lies on the chain.")];
const LINES: &[(&str, &str)] = &[
    ("cursor", "Where a page begins, as the page before said."),
    ("limit", "How many lines, from 1 to 200; else 50."),
    ("user", "Only this person's; for administrators."),
    ("agent", "Only this agent's, by id or name."),
    ("integration", "Only at this vendor."),
    ("tool", "Only of this tool."),
    ("outcome", "Only with this outcome: `ok`, `error`, `refused` or `begun`."),
];

/// What needs no token.
pub(super) fn open() -> Vec<Route> {
    vec![
        Route::new(
            Method::GET,
            "/openapi.json",
            get(openapi::document),
            Doc::new("This document").open().gives::<serde_json::Value>(200),
        ),
        Route::new(
            Method::POST,
            "/invitations/accept",
            post(users::accept),
            Doc::new("Take an invitation, once, and get a token")
                .open()
                .takes::<users::Brought>()
                .gives::<agents::NewToken>(201),
        ),
    ]
}

/// What is only for known callers.
#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn guarded() -> Vec<Route> {
    let (read, write, change) = (Method::GET, Method::POST, Method::PATCH);
    let route = Route::new;
    vec![
        route(read.clone(), "/me", get(users::me), Doc::new("Who calls").gives::<users::Me>(200)),
        route(
            read.clone(),
            "/integrations",
            get(integrations::list),
            Doc::new("What can be connected, and what is").lists::<integrations::View>("integrations"),
        ),
        route(
            write.clone(),
            "/integrations/oauth/start",
            post(consent::start),
            Doc::new("Begin to connect through the vendor's consent page")
                .needs(Person)
                .takes::<consent::Wish>()
                .gives::<consent::Started>(200),
        ),
        route(
            read.clone(),
            "/integrations/{id}",
            get(integrations::one),
            Doc::new("One integration, with the fields of a key").gives::<integrations::View>(200),
        ),
        route(
            write.clone(),
            "/integrations/{id}/connect",
            post(integrations::connect),
            Doc::new("Connect with a key or token")
                .needs(Person)
                .takes::<integrations::Credentials>()
                .gives::<integrations::ConnectionView>(201),
        ),
        route(
            write.clone(),
            "/integrations/{id}/test",
            post(integrations::test),
            Doc::new("Ask the vendor whether a connection works")
                .needs(Person)
                .query(ACCOUNT)
                .gives::<integrations::Tested>(200),
        ),
        route(
            Method::DELETE,
            "/integrations/{id}/disconnect",
            delete(integrations::disconnect),
            Doc::new("End a connection, at the vendor too").needs(Person).query(ACCOUNT).ends(204),
        ),
        route(
            read.clone(),
            "/tools",
            get(tools::list),
            Doc::new("The tools that the caller may use").lists::<tools::View<'static>>("tools"),
        ),
        route(
            read.clone(),
            "/catalog",
            get(tools::catalog),
            Doc::new("Everything that an agent can be given").needs(Person).lists::<tools::Choice<'static>>("tools"),
        ),
        route(
            write.clone(),
            "/tools/{name}/call",
            post(tools::call),
            Doc::new("Call a tool").takes::<tools::Arguments>().gives::<tools::Done>(200),
        ),
        route(
            read.clone(),
            "/agents",
            get(agents::list),
            Doc::new("The agents of a person").needs(Person).query(USER).lists::<Described>("agents"),
        ),
        route(
            write.clone(),
            "/agents",
            post(agents::create),
            Doc::new("Make an agent").needs(Person).query(USER).takes::<Wish>().gives::<Described>(201),
        ),
        route(
            read.clone(),
            "/agents/{id}",
            get(agents::one),
            Doc::new("One agent, by id or name").needs(Person).query(USER).gives::<Described>(200),
        ),
        route(
            change.clone(),
            "/agents/{id}",
            patch(agents::change),
            Doc::new("Change what is named").needs(Person).query(USER).takes::<Wish>().gives::<Described>(200),
        ),
        route(
            Method::DELETE,
            "/agents/{id}",
            delete(agents::remove),
            Doc::new("Remove an agent and its tokens").needs(Person).query(USER).ends(204),
        ),
        route(
            write.clone(),
            "/agents/{id}/preview",
            post(agents::preview),
            Doc::new("What an agent would be like; nothing is changed")
                .needs(Person)
                .query(USER)
                .takes::<Wish>()
                .gives::<Described>(200),
        ),
        route(
            Method::PUT,
            "/agents/{id}/tools",
            put(agents::choose),
            Doc::new("Give an agent exactly these tools")
                .needs(Person)
                .query(USER)
                .takes::<agents::Tools>()
                .gives::<Described>(200),
        ),
        route(
            read.clone(),
            "/agents/{id}/tokens",
            get(agents::tokens),
            Doc::new("The tokens of an agent").needs(Person).query(USER).lists::<agents::TokenView>("tokens"),
        ),
        route(
            write.clone(),
            "/agents/{id}/tokens",
            post(agents::create_token),
            Doc::new("Make a token for an own agent; shown once")
                .needs(Person)
                .takes::<agents::TokenWish>()
                .gives::<agents::NewToken>(201),
        ),
        route(
            Method::DELETE,
            "/agents/{id}/tokens/{tid}",
            delete(agents::revoke_token),
            Doc::new("Make a token worthless").needs(Person).query(USER).ends(204),
        ),
        route(
            write.clone(),
            "/panic",
            post(panic::end),
            Doc::new("End every grant, token and session after a theft")
                .needs(Administrator)
                .takes::<panic::Meant>()
                .gives::<panic::Ended>(200),
        ),
        route(
            read.clone(),
            "/users",
            get(users::list),
            Doc::new("Everybody who was added").needs(Administrator).lists::<users::UserView>("users"),
        ),
        route(
            write.clone(),
            "/users",
            post(users::create),
            Doc::new("Add a person, and invite them")
                .needs(Administrator)
                .takes::<users::NewUser>()
                .gives::<users::Added>(201),
        ),
        route(
            read.clone(),
            "/users/{id}",
            get(users::one),
            Doc::new("One person; `me` is the caller").needs(Person).gives::<users::UserView>(200),
        ),
        route(
            change,
            "/users/{id}",
            patch(users::change),
            Doc::new("Change a person").needs(Administrator).takes::<users::UserChange>().gives::<users::UserView>(200),
        ),
        route(
            Method::DELETE,
            "/users/{id}",
            delete(users::remove),
            Doc::new("Remove a person with everything that is theirs").needs(Administrator).ends(204),
        ),
        route(
            write.clone(),
            "/users/{id}/invitation",
            post(users::invite),
            Doc::new("Invite a person again").needs(Administrator).gives::<users::InvitationView>(201),
        ),
        route(
            read.clone(),
            "/users/{id}/tokens",
            get(users::tokens),
            Doc::new("The tokens with which a person speaks").needs(Person).lists::<agents::TokenView>("tokens"),
        ),
        route(
            write.clone(),
            "/users/{id}/tokens",
            post(users::create_token),
            Doc::new("Make a token for oneself; shown once")
                .needs(Person)
                .takes::<agents::TokenWish>()
                .gives::<agents::NewToken>(201),
        ),
        route(
            Method::DELETE,
            "/users/{id}/tokens/{tid}",
            delete(users::revoke_token),
            Doc::new("Make a person's token worthless").needs(Person).ends(204),
        ),
        route(
            write.clone(),
            "/users/{id}/tokens/{tid}/renewal",
            post(users::renew_token),
            Doc::new("Put a new token in the place of an own one; shown once")
                .needs(Person)
                .takes::<users::Renewal>()
                .gives::<agents::NewToken>(201),
        ),
        route(
            read.clone(),
            "/approvals",
            get(approvals::list),
            Doc::new("Questions that wait for a person").lists::<approvals::View>("approvals"),
        ),
        route(
            read.clone(),
            "/approvals/{id}",
            get(approvals::show),
            Doc::new("One question, with everything that would leave after a yes").gives::<approvals::WholeView>(200),
        ),
        route(
            write,
            "/approvals/{id}",
            post(approvals::decide),
            Doc::new("Answer a question").needs(Person).takes::<approvals::Answer>().gives::<approvals::View>(200),
        ),
        route(
            read.clone(),
            "/audit",
            get(audit::list),
            Doc::new("Calls and refusals, the newest first").query(LINES).lists::<audit::View>("entries"),
        ),
        route(
            read,
            "/audit/verify",
            get(audit::verify),
            Doc::new("Whether every line is as it was written")
                .needs(Administrator)
                .query(HEAD)
                .gives::<crate::audit::Verdict>(200),
        ),
    ]
}
