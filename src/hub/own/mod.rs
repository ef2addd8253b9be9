//! The tools that are always there: what time it is, which accounts are connected, how to connect one.

mod accounts;
mod agenda;
mod prompts;
pub(super) mod shelf;
mod suggest;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) use self::accounts::AccountDirectory;
use self::accounts::Listed;
use crate::{
    moment::{Shown, Zone},
    tool::{Ability, Answer, Call, Effect, Elicited, Result, Scopes, Tool, ToolDef, Toolset, Written, addresses_in},
};

/// All of them.
pub(super) const TOOLS: &[ToolDef] = &[ToolDef::of::<Now>(), ToolDef::of::<Connections>(), ToolDef::of::<Connect>()];

/// Where they belong.
pub(super) const TOOLSET: Toolset =
    Toolset { id: std::borrow::Cow::Borrowed("switchboard"), title: std::borrow::Cow::Borrowed("Switchboard") };

/// Tells the present date, weekday and time. Call this before working with words like "today" or "next Tuesday".
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Now {
    /// IANA time zone, such as `Europe/Berlin`; this server's own when left out.
    time_zone: Option<Zone>,
}

/// The present moment.
#[derive(Debug, Serialize, JsonSchema)]
struct Present {
    /// Local time with weekday and offset.
    now: Shown,
    /// The time zone it is told in.
    time_zone: String,
}

impl Answer for Present {
    fn text(&self) -> String {
        format!("{} ({})", self.now, self.time_zone)
    }
}

impl Tool for Now {
    const NAME: &'static str = "switchboard_now";
    const EFFECT: Effect = Effect::Reads;
    const SCOPES: Scopes = Scopes::NONE;
    type Output = Present;

    async fn call(self, cx: &Call) -> Result<Present> {
        let zone = self.time_zone.unwrap_or_else(Zone::of_this_machine);
        Ok(Present { now: Shown::new(cx.now(), &zone), time_zone: zone.name().to_owned() })
    }
}

/// Lists the connected accounts and whether they work. Call this when a tool says that something is not connected.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Connections {}

/// The connected accounts, and what else could be connected.
#[derive(Debug, Serialize, JsonSchema)]
struct Overview {
    /// The connected accounts.
    connected: Vec<Entry>,
    /// Integrations that could be connected, by id.
    available: Vec<String>,
}

/// A connected account.
#[derive(Debug, Serialize, JsonSchema)]
struct Entry {
    /// The integration's id, such as `google-calendar`.
    integration: String,
    /// What the account is called here.
    account: String,
    /// Whose account it is at the vendor.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Written>,
    /// `active`, or why it has to be connected again.
    status: String,
}

impl Answer for Overview {
    fn text(&self) -> String {
        let connected = self.connected.iter().map(|entry| {
            let name = entry.name.as_ref().map_or_else(String::new, |name| format!(", {name}"));
            format!("{} ({}{name}): {}", entry.integration, entry.account, entry.status)
        });
        let available = (!self.available.is_empty()).then(|| format!("Not connected: {}.", self.available.join(", ")));
        let lines: Vec<_> = connected.chain(available).collect();
        if lines.is_empty() { "Nothing is connected.".into() } else { lines.join("\n") }
    }
}

impl Tool for Connections {
    const NAME: &'static str = "switchboard_connections";
    const EFFECT: Effect = Effect::Reads;
    const SCOPES: Scopes = Scopes::NONE;
    type Output = Overview;

    async fn call(self, cx: &Call) -> Result<Overview> {
        let (connected, available) = cx.state::<AccountDirectory>()?.list(cx).await?;
        let connected = connected.into_iter().map(|Listed { integration, account, name, status }| Entry {
            integration,
            account,
            name: name.map(|name| label(&name)),
            status,
        });
        Ok(Overview { connected: connected.collect(), available })
    }
}

/// Lets the person connect an account, or connect it again. It connects nothing by itself: only the person can consent.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Connect {
    /// The integration's id, such as `google-calendar`; `switchboard_connections` lists them.
    integration: String,
    /// A name for a further account, such as `work`.
    account: Option<String>,
}

/// What the person has to do.
#[derive(Debug, Serialize, JsonSchema)]
struct Instructions {
    /// The integration's id.
    integration: String,
    /// What to tell the person.
    steps: String,
}

impl Answer for Instructions {
    fn text(&self) -> String {
        self.steps.clone()
    }
}

impl Tool for Connect {
    const NAME: &'static str = "switchboard_connect";
    const EFFECT: Effect = Effect::Reads;
    const SCOPES: Scopes = Scopes::NONE;
    type Output = Instructions;

    async fn call(self, cx: &Call) -> Result<Instructions> {
        let account = self.account.as_deref().unwrap_or("default");
        let directory = cx.state::<AccountDirectory>()?;
        let (integration, page) = directory.page(cx.user(), &self.integration, account).await?;
        let title = integration.title;
        let steps = match page {
            Some(page) if cx.can(Ability::Page) => match cx.visit(page).await? {
                Elicited::Accepted(_) => format!("The person is connecting {title} on the page that was opened."),
                Elicited::Declined | Elicited::Cancelled => format!("The person did not want to connect {title} now."),
            },
            Some(page) => format!("To connect {title}, the person opens {} and consents there.", page.url),
            None => format!(
                "To connect {title}, the person runs `switchboard connect {}` on the machine where Switchboard is, and \
                 consents in the browser.",
                integration.id
            ),
        };
        Ok(Instructions { integration: self.integration, steps })
    }
}

/// What people know an account by. An address is what the person signed in with; any other name may be anybody's.
fn label(name: &str) -> Written {
    let is_address = addresses_in(name) == [name.to_lowercase()];
    Written::by(is_address, name).line(100)
}
