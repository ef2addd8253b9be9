//! What Switchboard has to read and to begin with: the caller's connections, a day's agenda, records by address, and
//! prompts for the common jobs.
//!
//! All of it goes through the caller's own tools, so it is there for those who may use these tools and for nobody
//! else, it is bounded as their results are, and each look has its line in the audit.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    agenda::{self, Day},
    prompts, suggest,
};
use crate::{
    hub::{Hub, links::CONNECTIONS},
    shelf::{About, Body, Builder, Contents, Given, Resource, Shelf, Template},
    tool::{Call, Category, Content, Errand, Integration, Kind, Outcome, Readable, Reading, Result, Row},
};

/// What texts of ours are written in.
const MARKDOWN: &str = "text/markdown";

/// The shelf of the tools in `hub`.
pub(in crate::hub) fn of(hub: &Hub) -> Result<Shelf, String> {
    let roles = Arc::new(Roles::of(hub));
    let builder = agenda_of_days(connections(Shelf::builder()), &roles);
    let builder = hub.rows().iter().fold(builder, |builder, row| {
        let title = hub.integration(row).map_or("Switchboard", |integration| integration.title);
        row.readable().iter().fold(builder, |builder, readable| record(builder, row, readable, title))
    });
    prompts::put(builder, &roles).build()
}

/// Which tools can do what, whoever the vendor is.
pub(super) struct Roles {
    /// List the meetings of a window (`start`, `end`), which begins now when it is left open.
    pub(super) days: Vec<Tool>,
    /// Search mails.
    pub(super) mails: Vec<Tool>,
    /// Write down a call with a customer.
    pub(super) calls: Vec<Tool>,
    /// Read one meeting.
    pub(super) meetings: Vec<Place>,
    /// Read one customer.
    pub(super) customers: Vec<Place>,
}

/// A tool by its name, and whose it is.
pub(super) struct Tool {
    pub(super) name: String,
    pub(super) vendor: &'static str,
}

/// A form of addresses, and the tool whose rights it shares.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) tool: String,
    pub(super) readable: &'static Readable,
}

impl Roles {
    fn of(hub: &Hub) -> Roles {
        let known = || hub.rows().iter().filter_map(|row| Some((&**row, hub.integration(row)?)));
        let tools = |category: Category, verb: &str| {
            let of_role = known().filter(|(row, integration)| is_verb(row, integration, category, verb));
            of_role.map(|(row, integration)| Tool { name: row.name().to_owned(), vendor: integration.title }).collect()
        };
        let places = |category: Category, kinds: &[&str]| {
            let all = known().filter(|(_, integration)| integration.category == category);
            let all = all.flat_map(|(row, _)| row.readable().iter().map(move |readable| (row, readable)));
            let of_kind = all.filter(|(_, readable)| kinds.contains(&readable.kind()) && readable.finder.is_some());
            of_kind.map(|(row, readable)| Place { tool: row.name().to_owned(), readable }).collect()
        };
        Roles {
            days: tools(Category::Calendar, "list_meetings"),
            mails: tools(Category::Communication, "search_emails"),
            calls: tools(Category::Crm, "log_call"),
            meetings: places(Category::Calendar, &["event"]),
            customers: places(Category::Crm, &["contact", "account", "company"]),
        }
    }
}

fn is_verb(row: &Row, integration: &Integration, category: Category, verb: &str) -> bool {
    let prefix = integration.id.replace('-', "_") + "_";
    integration.category == category && row.name().strip_prefix(&prefix) == Some(verb)
}

/// The names of tools.
pub(super) fn names(tools: &[Tool]) -> Vec<String> {
    tools.iter().map(|tool| tool.name.clone()).collect()
}

fn connections(builder: Builder) -> Builder {
    let resource = Resource::new(CONNECTIONS, "connections")
        .titled("Connected accounts")
        .described("Which accounts are connected, and whether they work.", MARKDOWN)
        .for_tools(["switchboard_connections"]);
    builder.resource(resource, |uri, cx| {
        Box::pin(async move {
            let outcome = cx.look("switchboard_connections", Map::new()).await?;
            Ok(vec![Contents::text(uri, MARKDOWN, outcome.joined_text())])
        })
    })
}

fn agenda_of_days(builder: Builder, roles: &Arc<Roles>) -> Builder {
    let today = Resource::new("switchboard://agenda/today", "agenda_today")
        .titled("Today's agenda")
        .described("The meetings of today in every calendar.", MARKDOWN)
        .for_tools(names(&roles.days));
    let form = "switchboard://agenda/{day}";
    let day = Template::new(form, "agenda")
        .titled("Agenda of a day")
        .described(
            "The meetings of one day in every calendar: `today`, `tomorrow`, or a day such as 2026-11-23.",
            MARKDOWN,
        )
        .for_tools(names(&roles.days));
    let (of_today, of_day) = (roles.clone(), roles.clone());
    builder
        .resource(today, move |uri, cx| {
            let roles = of_today.clone();
            Box::pin(async move { show(uri, agenda::read(cx, &roles.days, Day::Today).await?) })
        })
        .template(day, move |uri, given, cx| {
            let roles = of_day.clone();
            Box::pin(async move { show(uri, agenda::read(cx, &roles.days, given["day"].parse()?).await?) })
        })
        .completes(About::Template(form.to_owned()), "day", |partial, cx| {
            Box::pin(async move { Ok(agenda::days(cx.now(), &partial.value)) })
        })
}

#[expect(clippy::unnecessary_wraps, reason = "what a reader gives back")]
fn show(uri: String, text: String) -> Result<Vec<Contents>> {
    Ok(vec![Contents::text(uri, MARKDOWN, text)])
}

/// A form of addresses that an integration declared.
fn record(builder: Builder, row: &Row, readable: &'static Readable, vendor: &str) -> Builder {
    let place = Place { tool: row.name().to_owned(), readable };
    let mut template = Template::new(readable.uri, place.name())
        .titled(format!("{vendor}: {}", readable.title))
        .for_tools([place.tool.clone()]);
    template.description = Some(format!("{} by its address, as `{}` may read it.", readable.title, place.tool));
    template.mime_type = (!readable.is_document()).then(|| MARKDOWN.to_owned());
    let reader = place.clone();
    let builder = builder.template(template, move |uri, given, cx| {
        let place = reader.clone();
        Box::pin(async move { place.read(cx, uri, given).await })
    });
    let (Some(finder), Some(variable)) = (&readable.finder, readable.variables().last()) else { return builder };
    builder.completes(About::Template(readable.uri.to_owned()), variable, move |partial, cx| {
        Box::pin(async move { Ok(suggest::ids(cx, finder, &partial.value).await) })
    })
}

impl Place {
    /// What programs call it, such as `google_calendar_event`.
    fn name(&self) -> String {
        let uri = self.readable.uri.replace("://", "/").replace('-', "_");
        let literal = uri.split('/').filter(|part| !part.is_empty() && !part.starts_with('{'));
        literal.collect::<Vec<_>>().join("_")
    }

    /// What stands at an address.
    pub(super) async fn read(&self, cx: &Call, uri: String, given: Given) -> Result<Vec<Contents>> {
        let arguments = given.into_iter().map(|(name, value)| (name, Value::String(value))).collect();
        let reading = Some(Reading { readable: self.readable, uri: uri.clone() });
        let errand = Errand { tool: self.tool.clone(), arguments, reading };
        let outcome = cx.run(errand).await.map_err(|error| match error.kind() {
            // An address that cannot be one of a thing there is no thing behind.
            Kind::Arguments => crate::tool::Error::not_found("resource at this address").because(error),
            _ => error,
        })?;
        Ok(contents(uri, outcome))
    }
}

/// A result as something that was read. A record is its text; a document is itself.
fn contents(uri: String, outcome: Outcome) -> Vec<Contents> {
    let documents = outcome.content.iter().filter_map(|part| match part {
        Content::Resource { uri, mime_type, text } => Some(Contents::text(uri, mime_type, text)),
        Content::Blob { uri, mime_type, data } => Some(Contents::blob(uri, mime_type, data)),
        _ => None,
    });
    let mut all: Vec<Contents> = documents.collect();
    let text = outcome.joined_text();
    if !text.is_empty() || all.is_empty() {
        all.insert(0, Contents { uri, mime_type: MARKDOWN.into(), body: Body::Text(text) });
    }
    all
}
