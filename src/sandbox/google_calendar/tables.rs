//! What Google Calendar v3 accepts: parameters, fields and scopes, as its discovery document declares them.

use crate::sandbox::shape::{Field, Kind};

const fn text(name: &'static str) -> Field {
    Field::optional(name, Kind::Text)
}

const fn flag(name: &'static str) -> Field {
    Field::optional(name, Kind::Boolean)
}

const fn number(name: &'static str, least: i64, most: i64) -> Field {
    Field::optional(name, Kind::Integer(least, most))
}

const fn moment(name: &'static str) -> Field {
    Field::optional(name, Kind::Moment)
}

const fn choice(name: &'static str, choices: &'static [&'static str]) -> Field {
    Field::optional(name, Kind::Choice(choices))
}

const INT32: i64 = i32::MAX as i64;

/// Parameters that every method has.
pub const COMMON: &[Field] = &[text("fields"), choice("alt", &["json"]), flag("prettyPrint"), text("quotaUser")];

/// How a list is paged.
pub const PAGED: &[Field] = &[number("maxResults", 1, INT32), text("pageToken")];

/// `events.list` and `events.instances`, where they agree.
pub const WINDOW: &[Field] = &[
    flag("alwaysIncludeEmail"),
    number("maxAttendees", 1, INT32),
    flag("showDeleted"),
    moment("timeMin"),
    moment("timeMax"),
    text("timeZone"),
];

/// What `events.list` has beside.
pub const LIST: &[Field] = &[
    Field::optional("eventTypes", Kind::List(&Kind::Choice(EVENT_TYPES))),
    text("iCalUID"),
    choice("orderBy", &["startTime", "updated"]),
    Field::optional("privateExtendedProperty", Kind::List(&Kind::Text)),
    Field::optional("sharedExtendedProperty", Kind::List(&Kind::Text)),
    text("q"),
    flag("showHiddenInvitations"),
    flag("singleEvents"),
    text("syncToken"),
    moment("updatedMin"),
];

/// What `events.instances` has beside.
pub const INSTANCES: &[Field] = &[text("originalStart")];

/// `events.get`.
pub const GET: &[Field] = &[flag("alwaysIncludeEmail"), number("maxAttendees", 1, INT32), text("timeZone")];

/// Whether guests are told.
pub const UPDATES: &[Field] = &[flag("sendNotifications"), choice("sendUpdates", &["all", "externalOnly", "none"])];

/// Methods that take an event.
pub const WRITE: &[Field] = &[
    number("conferenceDataVersion", 0, 1),
    number("eventLabelVersion", 0, 1),
    number("maxAttendees", 1, INT32),
    flag("supportsAttachments"),
];

/// `events.patch` and `events.update` beside that.
pub const REWRITE: &[Field] = &[flag("alwaysIncludeEmail")];

/// `events.move`.
pub const MOVE: &[Field] = &[Field::required("destination", Kind::Text)];

/// `events.quickAdd`.
pub const QUICK_ADD: &[Field] = &[Field::required("text", Kind::Text)];

/// `calendarList.list`.
pub const CALENDAR_LIST: &[Field] = &[
    choice("minAccessRole", ACCESS_ROLES),
    flag("showDeleted"),
    flag("showHidden"),
    flag("showOwnOrganizationOnly"),
    text("syncToken"),
];

/// `settings.list`.
pub const SETTINGS: &[Field] = &[text("syncToken")];

/// From the least access to the most; `minAccessRole` compares by it.
pub const ACCESS_ROLES: &[&str] = &["freeBusyReader", "reader", "writerWithoutPrivateAccess", "writer", "owner"];

const EVENT_TYPES: &[&str] = &["birthday", "default", "focusTime", "fromGmail", "outOfOffice", "workingLocation"];

const POINT: Kind = Kind::Object(&[Field::optional("date", Kind::Date), text("dateTime"), text("timeZone")]);

const WHO: Kind = Kind::Object(&[text("displayName"), text("email"), text("id"), flag("self")]);

const LABELS: Kind = Kind::Map(&Kind::Text);

const REMINDER: Kind = Kind::Object(&[choice("method", &["email", "popup"]), number("minutes", 0, 40_320)]);

const GUEST: Kind = Kind::Object(&[
    number("additionalGuests", 0, INT32),
    text("asyncOperation"),
    text("comment"),
    text("displayName"),
    text("email"),
    text("id"),
    flag("optional"),
    flag("organizer"),
    flag("resource"),
    choice("responseStatus", &["needsAction", "declined", "tentative", "accepted"]),
    flag("self"),
]);

const ATTACHMENT: Kind =
    Kind::Object(&[text("fileId"), text("fileUrl"), text("iconLink"), text("mimeType"), text("title")]);

const SOLUTION_KEY: Kind = Kind::Object(&[text("type")]);

const ENTRY_POINT: Kind = Kind::Object(&[
    text("accessCode"),
    Field::optional("entryPointFeatures", Kind::List(&Kind::Text)),
    text("entryPointType"),
    text("label"),
    text("meetingCode"),
    text("passcode"),
    text("password"),
    text("pin"),
    text("regionCode"),
    text("uri"),
]);

const CONFERENCE: Kind = Kind::Object(&[
    text("conferenceId"),
    Field::optional(
        "conferenceSolution",
        Kind::Object(&[text("iconUri"), Field::optional("key", SOLUTION_KEY), text("name")]),
    ),
    Field::optional(
        "createRequest",
        Kind::Object(&[
            Field::optional("conferenceSolutionKey", SOLUTION_KEY),
            text("requestId"),
            Field::optional("status", Kind::Object(&[text("statusCode")])),
        ]),
    ),
    Field::optional("entryPoints", Kind::List(&ENTRY_POINT)),
    text("notes"),
    Field::optional(
        "parameters",
        Kind::Object(&[Field::optional("addOnParameters", Kind::Object(&[Field::optional("parameters", LABELS)]))]),
    ),
    text("signature"),
]);

const GADGET: Kind = Kind::Object(&[
    text("display"),
    number("height", 0, INT32),
    text("iconLink"),
    text("link"),
    Field::optional("preferences", LABELS),
    text("title"),
    text("type"),
    number("width", 0, INT32),
]);

const WORKING_LOCATION: Kind = Kind::Object(&[
    Field::optional("customLocation", Kind::Object(&[text("label")])),
    Field::optional("homeOffice", Kind::Anything),
    Field::optional(
        "officeLocation",
        Kind::Object(&[text("buildingId"), text("deskId"), text("floorId"), text("floorSectionId"), text("label")]),
    ),
    text("type"),
]);

/// An event.
pub const EVENT: &[Field] = &[
    flag("anyoneCanAddSelf"),
    Field::optional("attachments", Kind::List(&ATTACHMENT)),
    Field::optional("attendees", Kind::List(&GUEST)),
    flag("attendeesOmitted"),
    Field::optional("birthdayProperties", Kind::Object(&[text("contact"), text("customTypeName"), text("type")])),
    text("colorId"),
    Field::optional("conferenceData", CONFERENCE),
    moment("created"),
    Field::optional("creator", WHO),
    text("description"),
    Field::optional("end", POINT),
    flag("endTimeUnspecified"),
    text("etag"),
    text("eventLabelId"),
    choice("eventType", EVENT_TYPES),
    Field::optional(
        "extendedProperties",
        Kind::Object(&[Field::optional("private", LABELS), Field::optional("shared", LABELS)]),
    ),
    Field::optional(
        "focusTimeProperties",
        Kind::Object(&[text("autoDeclineMode"), text("chatStatus"), text("declineMessage")]),
    ),
    Field::optional("gadget", GADGET),
    flag("guestsCanInviteOthers"),
    flag("guestsCanModify"),
    flag("guestsCanSeeOtherGuests"),
    text("hangoutLink"),
    text("htmlLink"),
    text("iCalUID"),
    text("id"),
    text("kind"),
    text("location"),
    flag("locked"),
    Field::optional("organizer", WHO),
    Field::optional("originalStartTime", POINT),
    Field::optional("outOfOfficeProperties", Kind::Object(&[text("autoDeclineMode"), text("declineMessage")])),
    flag("privateCopy"),
    Field::optional("recurrence", Kind::List(&Kind::Text)),
    text("recurringEventId"),
    Field::optional(
        "reminders",
        Kind::Object(&[Field::optional("overrides", Kind::List(&REMINDER)), flag("useDefault")]),
    ),
    number("sequence", 0, INT32),
    Field::optional("source", Kind::Object(&[text("title"), text("url")])),
    Field::optional("start", POINT),
    choice("status", &["confirmed", "tentative", "cancelled"]),
    text("summary"),
    choice("transparency", &["opaque", "transparent"]),
    moment("updated"),
    choice("visibility", &["default", "public", "private", "confidential"]),
    Field::optional("workingLocationProperties", WORKING_LOCATION),
];

/// A calendar that is to be made.
pub const CALENDAR: &[Field] = &[
    flag("autoAcceptInvitations"),
    Field::optional(
        "conferenceProperties",
        Kind::Object(&[Field::optional("allowedConferenceSolutionTypes", Kind::List(&Kind::Text))]),
    ),
    text("dataOwner"),
    text("description"),
    text("etag"),
    text("id"),
    text("kind"),
    text("location"),
    Field::required("summary", Kind::Text),
    text("timeZone"),
];

/// A question for free and busy times.
pub const FREE_BUSY: &[Field] = &[
    number("calendarExpansionMax", 0, INT32),
    number("groupExpansionMax", 0, INT32),
    Field::optional("items", Kind::List(&Kind::Object(&[text("id")]))),
    Field::required("timeMax", Kind::Moment),
    Field::required("timeMin", Kind::Moment),
    text("timeZone"),
];

macro_rules! scopes {
    ($($(#[$doc:meta])* $name:ident = [$($scope:literal),* $(,)?];)*) => {$(
        $(#[$doc])*
        pub const $name: &[&str] = &[
            "https://www.googleapis.com/auth/calendar",
            $(concat!("https://www.googleapis.com/auth/calendar.", $scope)),*
        ];
    )*};
}

scopes! {
    /// `calendarList.get`.
    LISTED_SCOPES = ["app.created", "calendarlist", "calendarlist.readonly", "readonly"];
    /// `calendarList.list`.
    LIST_SCOPES = ["calendarlist", "calendarlist.readonly", "readonly"];
    /// `calendars.get`.
    CALENDAR_SCOPES = ["app.created", "calendars", "calendars.readonly", "readonly"];
    /// `calendars.insert`.
    CALENDAR_WRITE_SCOPES = ["app.created", "calendars"];
    /// `colors.get`.
    COLOR_SCOPES = [
        "app.created", "calendarlist", "calendarlist.readonly", "events.freebusy", "events.owned",
        "events.owned.readonly", "events.public.readonly", "readonly",
    ];
    /// Methods that read events.
    READ_SCOPES = [
        "app.created", "events", "events.freebusy", "events.owned", "events.owned.readonly",
        "events.public.readonly", "events.readonly", "readonly",
    ];
    /// Methods that write events.
    WRITE_SCOPES = ["app.created", "events", "events.owned"];
    /// `events.move`.
    MOVE_SCOPES = ["events", "events.owned"];
    /// `freebusy.query`.
    FREE_BUSY_SCOPES = ["events.freebusy", "freebusy", "readonly"];
    /// Methods that read settings.
    SETTING_SCOPES = ["readonly", "settings", "settings.readonly"];
}
