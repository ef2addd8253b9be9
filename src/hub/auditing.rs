//! Which lines of the audit somebody means: names become ids, and a value that nothing has is a mistake, not an empty
//! page.

use std::collections::BTreeSet;

use super::Hub;
use crate::{
    agents::LOCAL,
    audit::{Audit, DEEDS, Filter, HOUSE},
    id::UserId,
    text::nearest,
    tool::{Error, Kind, Result},
};

/// How lines may end.
const OUTCOMES: &[&str] = &["ok", "error", "refused", "begun"];

impl Hub {
    /// The filter with ids in place of names. `whose` is the person whose lines are looked at, when it is one.
    ///
    /// # Errors
    /// A value that is neither known here nor stands in any line; the nearest ones are told.
    pub async fn audit_filter(&self, audit: &Audit, filter: Filter, whose: Option<&UserId>) -> Result<Filter> {
        let Filter { user, agent, integration, tool, outcome } = filter;
        if let Some(outcome) = outcome.as_deref().filter(|outcome| !OUTCOMES.contains(outcome)) {
            return Err(unknown("outcome", outcome, OUTCOMES.iter().copied()));
        }
        let user = match user {
            Some(user) => Some(self.person(audit, &user).await?),
            None => None,
        };
        let whose = whose.map(ToString::to_string).or_else(|| user.clone());
        let agent = match agent {
            Some(agent) => Some(self.agent_meant(audit, &agent, whose.as_deref()).await?),
            None => None,
        };
        if let Some(wanted) = &integration {
            let known: BTreeSet<&str> = self.integrations().map(|one| one.id).chain([HOUSE]).collect();
            let only = Filter { integration: Some(wanted.clone()), ..Filter::default() };
            is_known(audit, "integration", wanted, &known, only).await?;
        }
        if let Some(wanted) = &tool {
            let known: BTreeSet<&str> = self.rows().iter().map(|row| row.name()).chain(DEEDS.iter().copied()).collect();
            let only = Filter { tool: Some(wanted.clone()), ..Filter::default() };
            is_known(audit, "tool", wanted, &known, only).await?;
        }
        Ok(Filter { user, agent, integration, tool, outcome })
    }

    /// The id of the person with this id or name.
    async fn person(&self, audit: &Audit, called: &str) -> Result<String> {
        let users = self.agents().await?.users().await.map_err(Error::internal)?;
        let mut named = users.iter().filter(|user| user.name == called);
        if !users.iter().any(|user| user.id.as_str() == called)
            && let Some(user) = named.next()
        {
            return match named.next() {
                None => Ok(user.id.to_string()),
                Some(_) => Err(ambiguous(
                    "user",
                    called,
                    users.iter().filter(|user| user.name == called).map(|user| user.id.to_string()),
                )),
            };
        }
        let known = users.iter().flat_map(|user| [user.id.as_str(), user.name.as_str()]).chain([LOCAL]).collect();
        let only = Filter { user: Some(called.to_owned()), ..Filter::default() };
        is_known(audit, "user", called, &known, only).await?;
        Ok(called.to_owned())
    }

    /// The id of the agent with this id or name, of `whose` when that is known.
    async fn agent_meant(&self, audit: &Audit, called: &str, whose: Option<&str>) -> Result<String> {
        let agents = self.agents().await?;
        let people: Vec<UserId> = if let Some(user) = whose {
            vec![UserId::new(user)]
        } else {
            let users = agents.users().await.map_err(Error::internal)?;
            users.into_iter().map(|user| user.id).chain([UserId::new(LOCAL)]).collect()
        };
        let mut all = Vec::new();
        for user in &people {
            all.extend(agents.agents(user).await.map_err(Error::internal)?);
        }
        if all.iter().any(|agent| agent.id.as_str() == called) {
            return Ok(called.to_owned());
        }
        let named: BTreeSet<&str> =
            all.iter().filter(|agent| agent.name == called).map(|agent| agent.id.as_str()).collect();
        match named.len() {
            1 => return Ok(named.into_iter().map(str::to_owned).collect()),
            0 => {}
            _ => return Err(ambiguous("agent", called, named.into_iter().map(str::to_owned))),
        }
        let known = all.iter().flat_map(|agent| [agent.id.as_str(), agent.name.as_str()]).collect();
        let only = Filter { agent: Some(called.to_owned()), ..Filter::default() };
        is_known(audit, "agent", called, &known, only).await?;
        Ok(called.to_owned())
    }
}

/// Whether `wanted` is known here, or stands in a line: what is gone by now has left its lines.
async fn is_known(audit: &Audit, what: &str, wanted: &str, known: &BTreeSet<&str>, only: Filter) -> Result<()> {
    if known.contains(wanted) || audit.has_any(&only).await.map_err(Error::internal)? {
        return Ok(());
    }
    Err(unknown(what, wanted, known.iter().copied()))
}

fn unknown<'a>(what: &str, wanted: &str, known: impl Iterator<Item = &'a str> + Clone) -> Error {
    let wanted: String = wanted.chars().take(100).collect();
    let near = nearest(&wanted, known.clone()).map(str::to_owned);
    let error = Error::not_found(format!("{what} `{wanted}`"));
    if let Some(near) = near {
        return error.next(format!("Did you mean `{near}`?"));
    }
    let some: Vec<&str> = known.take(10).collect();
    error.next(format!("There is {}.", some.join(", ")))
}

fn ambiguous(what: &str, called: &str, ids: impl Iterator<Item = String>) -> Error {
    let ids: Vec<String> = ids.take(10).collect();
    Error::new(Kind::Ambiguous, format!("Several of the name `{called}` are there as {what}."))
        .next(format!("Name one by its id: {}.", ids.join(", ")))
}
