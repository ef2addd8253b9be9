//! Gmail, offline: a mailbox with threads, labels, drafts and attachments, as API version 1 answers.

mod drafts;
mod labels;
mod mail;
mod messages;
mod mime;
mod query;
mod seed;
mod tables;

use serde::{Deserialize, Serialize};
use serde_json::json;

use self::{
    labels::Label,
    mail::{Draft, Mail as Letter},
    tables as t,
};
use super::{
    Error,
    google_calendar::{GOOGLE, errors, fields},
    twin::{Answer, Body, Call, Mail, Object, Outcome, Profile, Route, Run, Spec, Trouble, Twin},
    world::{Mint, Scene, SeedFile},
};
use crate::text::Transformation;

/// One account's mailbox.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Gmail {
    account: String,
    /// Oldest first.
    mails: Vec<Letter>,
    drafts: Vec<Draft>,
    labels: Vec<Label>,
    outbox: Vec<Mail>,
    mint: Mint,
}

impl Gmail {
    /// A fresh id as Gmail writes them: sixteen hexadecimal digits.
    fn fresh_id(&mut self) -> String {
        let mixed = self.mint.count_on().wrapping_mul(0x9e37_79b9_7f4a_7c15);
        format!("19{:014x}", mixed >> 8)
    }

    fn mail(&self, id: &str) -> Result<&Letter, Answer> {
        check_id(id)?;
        self.mails.iter().find(|mail| mail.id == id).ok_or_else(not_found)
    }

    fn mail_mut(&mut self, id: &str) -> Result<&mut Letter, Answer> {
        check_id(id)?;
        self.mails.iter_mut().find(|mail| mail.id == id).ok_or_else(not_found)
    }
}

/// Ids are hexadecimal; anything else is a bad request rather than a missing mail.
fn check_id(id: &str) -> Result<(), Answer> {
    let fits = !id.is_empty() && id.len() <= 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if fits { Ok(()) } else { Err(invalid("Invalid id value")) }
}

/// 404: there is no such thing in the mailbox.
fn not_found() -> Answer {
    errors::error(404, "global", "notFound", "Requested entity was not found.", Some("NOT_FOUND"))
}

/// 400: a value that Gmail cannot use.
fn invalid(message: &str) -> Answer {
    errors::error(400, "global", "invalidArgument", message, Some("INVALID_ARGUMENT"))
}

/// Only the connected account's own mailbox can be opened.
fn check_user(gmail: &Gmail, call: &Call<'_>) -> Result<(), Answer> {
    let user = call.segment("userId");
    if user == "me" || user == gmail.account {
        return Ok(());
    }
    Err(errors::error(403, "global", "forbidden", &format!("Delegation denied for {user}"), Some("PERMISSION_DENIED")))
}

fn profile(gmail: &Gmail, call: &Call<'_>) -> Outcome {
    check_user(gmail, call)?;
    let threads: std::collections::BTreeSet<_> = gmail.mails.iter().map(|mail| &mail.thread_id).collect();
    Ok(Answer::ok(json!({
        "emailAddress": gmail.account, "messagesTotal": gmail.mails.len(), "threadsTotal": threads.len(),
        "historyId": gmail.mint.made().to_string(),
    })))
}

const fn read(operation: &'static str, path: &'static str, scopes: &'static [&'static str], query: t::Groups) -> Spec {
    Spec { operation, method: "GET", path, scopes, query, body: Body::None }
}

const fn write(operation: &'static str, path: &'static str, scopes: &'static [&'static str], body: Body) -> Spec {
    Spec { operation, method: "POST", path, scopes, query: &[t::COMMON], body }
}

impl Twin for Gmail {
    const PROFILE: Profile = Profile { id: "gmail", base_path: "/gmail/v1", oauth: &GOOGLE, accepts_null: true };

    const ROUTES: &'static [Route<Self>] = &[
        Route {
            spec: read("gmail.users.getProfile", "/gmail/v1/users/{userId}/profile", t::PROFILE, &[t::COMMON]),
            run: Run::Read(profile),
        },
        Route {
            spec: read(
                "gmail.users.messages.list",
                "/gmail/v1/users/{userId}/messages",
                t::LIST_SCOPES,
                &[t::COMMON, t::LIST],
            ),
            run: Run::Read(messages::list),
        },
        Route {
            spec: read(
                "gmail.users.messages.get",
                "/gmail/v1/users/{userId}/messages/{id}",
                t::GET_SCOPES,
                &[t::COMMON, t::GET],
            ),
            run: Run::Read(messages::get),
        },
        Route {
            spec: write(
                "gmail.users.messages.send",
                "/gmail/v1/users/{userId}/messages/send",
                t::SEND_SCOPES,
                Body::Json(t::MESSAGE),
            ),
            run: Run::Write(messages::send),
        },
        Route {
            spec: write(
                "gmail.users.messages.modify",
                "/gmail/v1/users/{userId}/messages/{id}/modify",
                t::MODIFY_SCOPES,
                Body::Json(t::MODIFY),
            ),
            run: Run::Write(messages::modify),
        },
        Route {
            spec: write(
                "gmail.users.messages.trash",
                "/gmail/v1/users/{userId}/messages/{id}/trash",
                t::MODIFY_SCOPES,
                Body::None,
            ),
            run: Run::Write(messages::trash),
        },
        Route {
            spec: read(
                "gmail.users.messages.attachments.get",
                "/gmail/v1/users/{userId}/messages/{messageId}/attachments/{id}",
                t::ATTACHMENT_SCOPES,
                &[t::COMMON],
            ),
            run: Run::Read(messages::attachment),
        },
        Route {
            spec: read(
                "gmail.users.threads.get",
                "/gmail/v1/users/{userId}/threads/{id}",
                t::GET_SCOPES,
                &[t::COMMON, t::GET_THREAD],
            ),
            run: Run::Read(messages::thread),
        },
        Route {
            spec: write(
                "gmail.users.drafts.create",
                "/gmail/v1/users/{userId}/drafts",
                t::DRAFT_SCOPES,
                Body::Json(t::DRAFT),
            ),
            run: Run::Write(drafts::create),
        },
        Route {
            spec: read(
                "gmail.users.drafts.get",
                "/gmail/v1/users/{userId}/drafts/{id}",
                t::DRAFT_READ_SCOPES,
                &[t::COMMON, t::GET_DRAFT],
            ),
            run: Run::Read(drafts::get),
        },
        Route {
            spec: Spec {
                method: "PUT",
                ..write(
                    "gmail.users.drafts.update",
                    "/gmail/v1/users/{userId}/drafts/{id}",
                    t::DRAFT_SCOPES,
                    Body::Json(t::DRAFT),
                )
            },
            run: Run::Write(drafts::update),
        },
        Route {
            spec: write(
                "gmail.users.drafts.send",
                "/gmail/v1/users/{userId}/drafts/send",
                t::DRAFT_SCOPES,
                Body::Json(t::DRAFT),
            ),
            run: Run::Write(drafts::send),
        },
        Route {
            spec: read("gmail.users.labels.list", "/gmail/v1/users/{userId}/labels", t::LABEL_SCOPES, &[t::COMMON]),
            run: Run::Read(labels::list),
        },
    ];

    fn seed(scene: &Scene, file: &SeedFile) -> Result<Self, Error> {
        seed::plant(scene, file)
    }

    fn refuse(trouble: &Trouble) -> Answer {
        errors::refuse(trouble)
    }

    fn finish(answer: Answer, call: &Call<'_>) -> Outcome {
        fields::select(answer, call)
    }

    fn objects(&self) -> Vec<Object> {
        seed::objects(self)
    }

    fn mails(&self) -> &[Mail] {
        &self.outbox
    }
}

/// What is made of texts of callers and vendors here, for the tests that hold it to its bounds.
pub(super) const TRANSFORMATIONS: &[Transformation] =
    &[Transformation { name: "sandbox: mail query", run: query::read }];
