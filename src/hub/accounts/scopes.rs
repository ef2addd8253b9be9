//! Which rights a consent is asked for.

use std::collections::BTreeSet;

use super::{Accounts, Site};
use crate::{
    agents::{Agent, Integrations, LOCAL, Level},
    hub::listing::reaches,
    tool::{Error, Integration, ToolDef},
    vault::{ConnectionKey, Status},
};

impl Accounts {
    /// The smallest scopes that do for the enabled tools of an integration together: those of the agents that `user`
    /// has set up, and `named` ones in any case. Who has set up none may use every tool, within the operator's bound.
    /// Who names a tool wants one right more: what the tools may do with the account already, they go on to.
    pub(super) async fn scopes_for(
        &self,
        site: &Site,
        key: &ConnectionKey,
        named: &[String],
    ) -> Result<Vec<String>, Error> {
        let (integration, user) = (site.integration, &key.user);
        check_names(integration, named)?;
        if let Some(set) = &site.scopes {
            return Ok(set.clone());
        }
        let agents = match &self.0.parts.agents {
            Some(agents) => agents.agents(user).await.map_err(Error::internal)?,
            None => Vec::new(),
        };
        let chosen: Vec<Agent> = agents.into_iter().filter(has_a_choice).collect();
        let granted = if named.is_empty() { None } else { self.granted(key).await? };
        let may_already = |tool: &ToolDef| granted.as_ref().is_some_and(|granted| tool.scopes.are_met_by(granted));
        let is_wanted = |tool: &&ToolDef| {
            let enabled = chosen.is_empty() || chosen.iter().any(|agent| enables(agent, integration, tool));
            let is_named = named.iter().any(|name| *name == tool.name);
            is_named || may_already(tool) || (enabled && self.within_bound(integration, tool))
        };
        Ok(smallest(integration, integration.tools.iter().filter(is_wanted)))
    }

    /// The rights that a consent for the account of `key` would ask for, with those of `tools` in any case; each with
    /// whether it was granted before.
    ///
    /// # Errors
    /// There is no such integration or tool, or the store failed.
    pub async fn rights(&self, key: &ConnectionKey, tools: &[String]) -> Result<Vec<(String, bool)>, Error> {
        let asked = self.scopes_for(self.site(&key.integration)?, key, tools).await?;
        let granted = self.granted(key).await?.unwrap_or_default();
        let known = |scope: String| {
            let was_granted = granted.contains(&scope);
            (scope, was_granted)
        };
        Ok(asked.into_iter().map(known).collect())
    }

    /// What a connection that works was granted.
    async fn granted(&self, key: &ConnectionKey) -> Result<Option<Vec<String>>, Error> {
        let found = self.0.parts.vault.listed_connection(key).await.map_err(Error::internal)?;
        let working = found.filter(|found| !matches!(found.status, Status::NeedsReconnect { .. }));
        Ok(working.map(|found| found.scopes))
    }

    fn within_bound(&self, integration: &Integration, tool: &ToolDef) -> bool {
        self.0.bound.get().is_none_or(|bound| bound.allows(integration.id, &tool.name, tool.effect))
    }
}

/// Whether somebody set the agent up: the implicit one of a user says nothing about what is wanted.
fn has_a_choice(agent: &Agent) -> bool {
    agent.id.as_str() != LOCAL
        || agent.integrations != Integrations::Connected
        || !agent.tools.is_empty()
        || agent.level != Level::Full
}

/// Whether an agent gets a tool once its integration is connected.
fn enables(agent: &Agent, integration: &Integration, tool: &ToolDef) -> bool {
    let by_integration = || agent.has_integration(integration.id, true) && integration.core.contains(&&*tool.name);
    agent.switched(&tool.name).unwrap_or_else(by_integration) && reaches(agent.level, tool.effect)
}

fn check_names(integration: &Integration, named: &[String]) -> Result<(), Error> {
    let known = || integration.tools.iter().map(|tool| &*tool.name);
    let Some(unknown) = named.iter().find(|name| !known().any(|one| one == **name)) else { return Ok(()) };
    let near = crate::text::nearest(unknown, known());
    let next =
        near.map_or_else(|| "`switchboard tools` lists them all.".to_owned(), |near| format!("Did you mean `{near}`?"));
    Err(Error::not_found(format!("tool `{unknown}` of {}", integration.title)).next(next))
}

/// The smallest scopes that the tools together need, and those that the integration itself needs.
fn smallest<'a>(integration: &Integration, tools: impl Iterator<Item = &'a ToolDef>) -> Vec<String> {
    let tools = tools.filter_map(|tool| tool.scopes.smallest());
    let all: BTreeSet<_> = integration.base_scopes.iter().copied().chain(tools).collect();
    all.into_iter().map(str::to_owned).collect()
}
