//! Owners and pipelines: to whom records belong, and through which stages they go.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    catalog, given,
    wire::{List, Owner},
};
use crate::{
    http::Request,
    path,
    tool::{Answer, Call, Cursor, Effect, Left, Result, Scopes, Tool, Written},
};

/// Lists owners: the colleagues to whom contacts, deals and tickets can belong.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListOwners {
    /// Only the one with this address, such as `ana@example.com`.
    email: Option<String>,
    /// How many; else 50.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<u32>,
    /// To go on: from the last answer.
    cursor: Option<String>,
}

/// Some owners.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Owners {
    /// Who they are.
    owners: Vec<OwnerShown>,
    /// Where the next page begins; left out when this is the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// An owner.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct OwnerShown {
    /// The id; other tools take it as `owner_id`.
    id: String,
    /// The name.
    name: Written,
    /// The address.
    email: String,
}

impl Answer for Owners {
    fn text(&self) -> String {
        let none = self.owners.is_empty().then(|| "No owners.".to_owned());
        let lines = self.owners.iter().map(|owner| format!("{} <{}> [id {}]", owner.name, owner.email, owner.id));
        none.into_iter().chain(lines).chain(Left::line(self.next_cursor.as_deref())).collect::<Vec<_>>().join("\n")
    }
}

impl Tool for ListOwners {
    const NAME: &'static str = "hubspot_list_owners";
    const EFFECT: Effect = Effect::Reads;
    const SCOPES: Scopes = Scopes(&["crm.objects.owners.read"]);
    type Output = Owners;

    async fn call(self, cx: &Call) -> Result<Owners> {
        let after = self.cursor.as_deref().map(|cursor| Cursor::unwrap(Self::NAME, cursor)).transpose()?;
        let request = Request::get(path!["crm", "v3", "owners"])
            .query_opt("email", given(self.email.as_deref()))
            .query("limit", self.limit.unwrap_or(50))
            .query_opt("after", after);
        let found: List<Owner> = cx.fetch(request).await?;
        let next_cursor = found.paging.after().map(|after| Cursor::wrap(Self::NAME, &after));
        let owners = found.results.into_iter().map(|owner| OwnerShown {
            name: Written::by_account(format!("{} {}", owner.first_name, owner.last_name).trim()),
            id: owner.id,
            email: owner.email,
        });
        Ok(Owners { owners: owners.collect(), next_cursor })
    }
}

/// What goes through stages.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Staged {
    Deals,
    Tickets,
}

/// Lists the pipelines of deals or tickets with their stages, in order.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListPipelines {
    /// Whose pipelines.
    object: Staged,
}

/// Pipelines.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Pipelines {
    /// In the order in which people see them.
    pipelines: Vec<PipelineShown>,
}

/// A pipeline.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct PipelineShown {
    /// The id.
    id: String,
    /// What people call it.
    label: String,
    /// Its stages, from the first to the last.
    stages: Vec<StageShown>,
}

/// A stage.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct StageShown {
    /// The id.
    id: String,
    /// What people call it; other tools take it as `stage`.
    label: String,
}

impl Answer for Pipelines {
    fn text(&self) -> String {
        let line = |pipeline: &PipelineShown| {
            let stages = pipeline.stages.iter().map(|stage| format!("{} [{}]", stage.label, stage.id));
            format!("{} [id {}]: {}", pipeline.label, pipeline.id, stages.collect::<Vec<_>>().join(" → "))
        };
        self.pipelines.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

impl Tool for ListPipelines {
    const NAME: &'static str = "hubspot_list_pipelines";
    const EFFECT: Effect = Effect::Reads;
    const SCOPES: Scopes = Scopes(&["crm.objects.deals.read", "tickets"]);
    type Output = Pipelines;

    async fn call(self, cx: &Call) -> Result<Pipelines> {
        let object = match self.object {
            Staged::Deals => "deals",
            Staged::Tickets => "tickets",
        };
        let all = catalog::pipelines(cx, object).await?;
        let shown = |pipeline: &super::wire::Pipeline| PipelineShown {
            id: pipeline.id.clone(),
            label: pipeline.label.clone(),
            stages: pipeline
                .stages
                .iter()
                .map(|stage| StageShown { id: stage.id.clone(), label: stage.label.clone() })
                .collect(),
        };
        Ok(Pipelines { pipelines: all.iter().map(shown).collect() })
    }
}
