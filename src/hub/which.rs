//! Which account a call means, where a person has several of one vendor.
//!
//! Then, and only then, the tools of that vendor are listed with one more argument. The agent's setting is taken where
//! it is left out; without one neither reads nor writes guess, and the refusal names the choices.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Map, Value, json};

use crate::{
    agents::Agent,
    tool::{Error, Integration, Kind, Result, Row},
};

/// A person's accounts by integration: their names, and what people recognise them by.
pub(super) type Accounts = BTreeMap<String, Vec<Account>>;

/// One account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Account {
    /// Its name here.
    pub(super) name: String,
    /// Whose it is at the vendor; told only where there are others.
    pub(super) known_as: Option<String>,
}

/// What the argument is called: `account`, unless the tool has one of that name for something else.
fn argument(row: &Row) -> &'static str {
    if row.input()["properties"].get("account").is_some() { "connected_account" } else { "account" }
}

/// The account that `agent` takes when none is named.
fn usual<'a>(agent: &'a Agent, integration: &Integration, accounts: &[Account]) -> Option<&'a str> {
    let set = agent.accounts.get(integration.id).map(String::as_str);
    set.filter(|set| accounts.iter().any(|account| account.name == *set))
}

/// `row` as it is listed for somebody with `accounts`.
pub(super) fn listed(row: &Arc<Row>, integration: Option<&Integration>, agent: &Agent, all: &Accounts) -> Arc<Row> {
    let Some(integration) = integration else { return Arc::clone(row) };
    match all.get(integration.id) {
        Some(accounts) if accounts.len() > 1 => {
            let usual = usual(agent, integration, accounts);
            let names: Vec<&str> = accounts.iter().map(|account| &*account.name).collect();
            let property = json!({ "type": "string", "description": described(accounts, usual), "enum": names });
            Arc::new(row.with_argument(argument(row), property, usual.is_none()))
        }
        _ => Arc::clone(row),
    }
}

fn described(accounts: &[Account], usual: Option<&str>) -> String {
    let usual = usual.map_or_else(String::new, |usual| format!("; else `{usual}`"));
    format!("Which account: {}{usual}.", choices(accounts))
}

fn choices(accounts: &[Account]) -> String {
    let one = |account: &Account| match &account.known_as {
        Some(known_as) if *known_as != account.name => format!("`{}` ({known_as})", account.name),
        _ => format!("`{}`", account.name),
    };
    accounts.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Takes the argument out of `arguments` and says which account is meant; `None` when there is none at all.
///
/// # Errors
/// The account that is named is not there, or there are several and none is named.
pub(super) fn taken(
    row: &Row,
    integration: &Integration,
    agent: &Agent,
    all: &Accounts,
    arguments: &mut Map<String, Value>,
) -> Result<Option<String>> {
    let accounts = all.get(integration.id).map_or(&[][..], Vec::as_slice);
    let argument = argument(row);
    let named = match arguments.get(argument) {
        Some(Value::Null) | None => None,
        Some(Value::String(name)) => Some(name.clone()),
        Some(_) => return Err(Error::arguments([format!("`{argument}` must be a string: {}", choices(accounts))])),
    };
    arguments.shift_remove(argument);
    match (named, accounts) {
        (None | Some(_), []) => Ok(None),
        (Some(name), accounts) if accounts.iter().any(|account| account.name == name) => Ok(Some(name)),
        (Some(name), accounts) => Err(Error::not_found(format!("account `{name}` of {}", integration.title))
            .next(format!("There is {}.", choices(accounts)))),
        (None, [only]) => Ok(Some(only.name.clone())),
        (None, several) => match usual(agent, integration, several) {
            Some(usual) => Ok(Some(usual.to_owned())),
            None => Err(Error::new(
                Kind::Ambiguous,
                format!("{} has several accounts: {}.", integration.title, choices(several)),
            )
            .next(format!("Say which one with `{argument}`."))),
        },
    }
}
