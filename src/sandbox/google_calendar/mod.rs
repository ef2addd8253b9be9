//! Google Calendar, offline: calendars, events, series, invitations and free/busy, as API version 3 answers.

mod calendars;
pub(in crate::sandbox) mod errors;
mod event;
mod events;
pub(in crate::sandbox) mod fields;
mod free_busy;
mod guests;
mod listing;
mod quick_add;
mod recurrence;
mod seed;
mod tables;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use self::{calendars::Calendar, event::Event, tables as t};
use super::{
    Error,
    oauth::{Quirks, RefreshTokens},
    shape::{Field, Kind},
    twin::{Answer, Body, Call, Mail, Object, Outcome, Profile, Route, Run, Spec, Trouble, Twin},
    world::{Mint, Person, Scene, SeedFile},
};
use crate::text::Transformation;

/// What Google's OAuth server does (developers.google.com/identity/protocols/oauth2/web-server).
pub const GOOGLE: Quirks = Quirks {
    family: "google",
    authorize_path: "/o/oauth2/v2/auth",
    token_path: "/token",
    revoke_path: Some("/revoke"),
    refresh: RefreshTokens::OfflineConsent,
    says_issuer: true,
    revokes_all: true,
    extra: &[
        Field::optional("access_type", Kind::Choice(&["online", "offline"])),
        Field::optional("prompt", Kind::Text),
        Field::optional("include_granted_scopes", Kind::Boolean),
        Field::optional("enable_granular_consent", Kind::Boolean),
        Field::optional("login_hint", Kind::Text),
        Field::optional("hd", Kind::Text),
        Field::optional("hl", Kind::Text),
        Field::optional("nonce", Kind::Text),
    ],
    extra_scopes: &["openid", "email", "profile"],
    ..Quirks::STANDARD
};

/// One account's calendars and everything in them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GoogleCalendar {
    account: String,
    people: Vec<Person>,
    settings: BTreeMap<String, String>,
    calendars: Vec<Calendar>,
    /// Events by calendar and id; exceptions of a series stand beside it.
    events: BTreeMap<String, BTreeMap<String, Event>>,
    outbox: Vec<Mail>,
    mint: Mint,
}

impl GoogleCalendar {
    fn events_of(&self, calendar: &str) -> &BTreeMap<String, Event> {
        static NONE: BTreeMap<String, Event> = BTreeMap::new();
        self.events.get(calendar).unwrap_or(&NONE)
    }

    /// A tag for the whole world.
    fn etag(&self) -> String {
        format!("\"w{}\"", self.mint.made())
    }
}

impl Twin for GoogleCalendar {
    const PROFILE: Profile =
        Profile { id: "google-calendar", base_path: "/calendar/v3", oauth: &GOOGLE, accepts_null: true };

    const ROUTES: &'static [Route<Self>] = &[
        Route {
            spec: Spec {
                operation: "calendar.calendarList.list",
                method: "GET",
                path: "/calendar/v3/users/me/calendarList",
                scopes: t::LIST_SCOPES,
                query: &[t::COMMON, t::PAGED, t::CALENDAR_LIST],
                body: Body::None,
            },
            run: Run::Read(calendars::list),
        },
        Route {
            spec: Spec {
                operation: "calendar.calendarList.get",
                method: "GET",
                path: "/calendar/v3/users/me/calendarList/{calendarId}",
                scopes: t::LISTED_SCOPES,
                query: &[t::COMMON],
                body: Body::None,
            },
            run: Run::Read(calendars::get_listed),
        },
        Route {
            spec: Spec {
                operation: "calendar.calendars.get",
                method: "GET",
                path: "/calendar/v3/calendars/{calendarId}",
                scopes: t::CALENDAR_SCOPES,
                query: &[t::COMMON],
                body: Body::None,
            },
            run: Run::Read(calendars::get),
        },
        Route {
            spec: Spec {
                operation: "calendar.calendars.insert",
                method: "POST",
                path: "/calendar/v3/calendars",
                scopes: t::CALENDAR_WRITE_SCOPES,
                query: &[t::COMMON],
                body: Body::Json(t::CALENDAR),
            },
            run: Run::Write(calendars::insert),
        },
        Route {
            spec: Spec {
                operation: "calendar.colors.get",
                method: "GET",
                path: "/calendar/v3/colors",
                scopes: t::COLOR_SCOPES,
                query: &[t::COMMON],
                body: Body::None,
            },
            run: Run::Read(calendars::colors),
        },
        Route {
            spec: Spec {
                operation: "calendar.settings.list",
                method: "GET",
                path: "/calendar/v3/users/me/settings",
                scopes: t::SETTING_SCOPES,
                query: &[t::COMMON, t::PAGED, t::SETTINGS],
                body: Body::None,
            },
            run: Run::Read(calendars::settings),
        },
        Route {
            spec: Spec {
                operation: "calendar.settings.get",
                method: "GET",
                path: "/calendar/v3/users/me/settings/{setting}",
                scopes: t::SETTING_SCOPES,
                query: &[t::COMMON],
                body: Body::None,
            },
            run: Run::Read(calendars::setting),
        },
        Route {
            spec: Spec {
                operation: "calendar.events.list",
                method: "GET",
                path: "/calendar/v3/calendars/{calendarId}/events",
                scopes: t::READ_SCOPES,
                query: &[t::COMMON, t::PAGED, t::WINDOW, t::LIST],
                body: Body::None,
            },
            run: Run::Read(listing::list),
        },
        Route {
            spec: Spec {
                operation: "calendar.events.insert",
                method: "POST",
                path: "/calendar/v3/calendars/{calendarId}/events",
                scopes: t::WRITE_SCOPES,
                query: &[t::COMMON, t::UPDATES, t::WRITE],
                body: Body::Json(t::EVENT),
            },
            run: Run::Write(events::insert),
        },
        Route {
            spec: Spec {
                operation: "calendar.events.quickAdd",
                method: "POST",
                path: "/calendar/v3/calendars/{calendarId}/events/quickAdd",
                scopes: t::WRITE_SCOPES,
                query: &[t::COMMON, t::UPDATES, t::QUICK_ADD],
                body: Body::None,
            },
            run: Run::Write(quick_add::quick_add),
        },
        Route {
            spec: Spec {
                operation: "calendar.events.get",
                method: "GET",
                path: "/calendar/v3/calendars/{calendarId}/events/{eventId}",
                scopes: t::READ_SCOPES,
                query: &[t::COMMON, t::GET],
                body: Body::None,
            },
            run: Run::Read(events::get),
        },
        Route {
            spec: Spec {
                operation: "calendar.events.patch",
                method: "PATCH",
                path: "/calendar/v3/calendars/{calendarId}/events/{eventId}",
                scopes: t::WRITE_SCOPES,
                query: &[t::COMMON, t::UPDATES, t::WRITE, t::REWRITE],
                body: Body::Json(t::EVENT),
            },
            run: Run::Write(events::patch),
        },
        Route {
            spec: Spec {
                operation: "calendar.events.update",
                method: "PUT",
                path: "/calendar/v3/calendars/{calendarId}/events/{eventId}",
                scopes: t::WRITE_SCOPES,
                query: &[t::COMMON, t::UPDATES, t::WRITE, t::REWRITE],
                body: Body::Json(t::EVENT),
            },
            run: Run::Write(events::update),
        },
        Route {
            spec: Spec {
                operation: "calendar.events.delete",
                method: "DELETE",
                path: "/calendar/v3/calendars/{calendarId}/events/{eventId}",
                scopes: t::WRITE_SCOPES,
                query: &[t::COMMON, t::UPDATES],
                body: Body::None,
            },
            run: Run::Write(events::delete),
        },
        Route {
            spec: Spec {
                operation: "calendar.events.move",
                method: "POST",
                path: "/calendar/v3/calendars/{calendarId}/events/{eventId}/move",
                scopes: t::MOVE_SCOPES,
                query: &[t::COMMON, t::UPDATES, t::MOVE],
                body: Body::None,
            },
            run: Run::Write(events::move_to),
        },
        Route {
            spec: Spec {
                operation: "calendar.events.instances",
                method: "GET",
                path: "/calendar/v3/calendars/{calendarId}/events/{eventId}/instances",
                scopes: t::READ_SCOPES,
                query: &[t::COMMON, t::PAGED, t::WINDOW, t::INSTANCES],
                body: Body::None,
            },
            run: Run::Read(listing::instances),
        },
        Route {
            spec: Spec {
                operation: "calendar.freebusy.query",
                method: "POST",
                path: "/calendar/v3/freeBusy",
                scopes: t::FREE_BUSY_SCOPES,
                query: &[t::COMMON],
                body: Body::Json(t::FREE_BUSY),
            },
            run: Run::Read(free_busy::query),
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
pub(super) const TRANSFORMATIONS: &[Transformation] = &[
    Transformation { name: "sandbox: an event in a sentence", run: quick_add::title },
    Transformation { name: "sandbox: a rule of a series", run: recurrence::last },
];

#[cfg(test)]
mod tests;
