//! Carries out orders, in the process that owns the data directory.

mod accounts;

use serde::Serialize;
use serde_json::Value;

use self::accounts::wish;
use super::{
    deeds, doctor,
    house::{House, local_caller, local_principal},
    order::{
        AnswerView, ApprovalView, AuditView, CallView, Failure, LockView, OpenerView, Order, PanicOrder, RotationView,
        SandboxOrder, SandboxView, ToolView, WholeView,
    },
};
use crate::{
    approvals::{Approval, Decision},
    audit::{Cursor, Filter, Head, Verdict},
    hub::{self, Answered, CallRequest, Filters, Hub, Question, Reply, emergency::Emergency},
    id::UserId,
    integrations,
    oauth::App,
    sandbox::Sandbox,
    tool::{self, Kind, Row},
    vault::{Lock, Opener, Origin, Resealed},
};

/// What orders are carried out with.
#[derive(Clone, Copy, Debug)]
pub struct Office<'a> {
    /// Everything behind the door.
    pub house: &'a House,
    /// The door.
    pub hub: &'a Hub,
    /// Where the owner itself takes what vendors send back, when it does.
    pub redirect: Option<&'a str>,
}

impl Office<'_> {
    /// Carries out one order; the answer is what [`Order`] says. What it changed is written down.
    pub async fn perform(&self, order: Order) -> Result<Value, Failure> {
        let deed = deeds::of(&order);
        let answer = self.carry_out(order).await?;
        if let Some(deed) = deed {
            self.house.desk.note(deed.entry(&answer, self.hub.now())).await;
        }
        Ok(answer)
    }

    async fn carry_out(&self, order: Order) -> Result<Value, Failure> {
        match order {
            Order::Connections => plain(self.connections().await?),
            Order::Panic(step) => self.panic(step).await,
            Order::Test { integration, account } => plain(self.test(&integration, account.as_deref()).await?),
            Order::Disconnect { integration, account } => {
                plain(self.disconnect(&integration, account.as_deref()).await?)
            }
            Order::Redirect => plain(self.redirect),
            Order::Start { integration, account, names, tools, redirect } => {
                let consent = wish(integration, account, names, tools);
                plain(self.start(consent, redirect).await?)
            }
            Order::Prospect { integration } => plain(self.prospect(&integration).await?),
            Order::StartOnDevice { integration, account, names, tools } => {
                plain(self.start_on_device(wish(integration, account, names, tools)).await?)
            }
            Order::FinishOnDevice { ticket } => {
                let connected = self.finish_on_device(&ticket).await?;
                if let Some(view) = &connected {
                    let deed = deeds::connected(&view.integration);
                    self.house.desk.note(deed.entry(&Value::Null, self.hub.now())).await;
                }
                plain(connected)
            }
            Order::Finish { answer } => plain(self.finish(&answer).await?),
            Order::ConnectFields { integration, account, key, names } => {
                plain(self.connect_fields(&integration, &account, key, names).await?)
            }
            Order::SetApp { family, client_id, client_secret, redirect } => {
                plain(self.set_app(&family, App { client_id, client_secret }, redirect).await?)
            }
            Order::Tools { filters } => plain(self.tools(filters)),
            Order::Call { tool, arguments, answered } => {
                let answered = answered.map(|AnswerView { ticket, approved }| Answered { ticket, approved });
                plain(self.call(CallRequest { answered, ..CallRequest::new(tool, arguments) }).await?)
            }
            Order::Approvals => plain(self.approvals().await?),
            Order::Approval { id } => plain(self.approval(&id).await?),
            Order::Decide { id, approve } => plain(self.decide(&id, approve).await?),
            Order::Users(order) => self.users(order).await,
            Order::Agents(order) => self.agents(order).await,
            Order::Audit { filter, limit, cursor } => plain(self.audit(&filter, limit, cursor.as_deref()).await?),
            Order::VerifyAudit { head } => plain(self.verify_audit(head.as_deref()).await?),
            Order::RotateKey => plain(self.rotate_key().await?),
            Order::Export { file, lock } => {
                let lock = match lock {
                    LockView::Passphrase(passphrase) => Lock::Passphrase(passphrase),
                    LockView::Recipient(recipient) => Lock::Recipient(recipient),
                };
                self.house.audit.flush().await;
                plain(self.house.vault.export(&file, lock).await.map_err(Failure::of)?)
            }
            Order::Import { file, opener, clash } => {
                let opener = match opener {
                    OpenerView::Passphrase(passphrase) => Opener::Passphrase(passphrase),
                    OpenerView::Identities(identities) => Opener::Identities(identities),
                };
                let (imported, lines) = self.house.vault.import(&file, opener, clash).await.map_err(Failure::of)?;
                self.house.audit.add_from_elsewhere(lines).await.map_err(Failure::of)?;
                plain(imported)
            }
            Order::Sandbox(order) => plain(self.sandbox(order).await?),
            Order::Health => plain(doctor::look(self).await),
        }
    }

    async fn audit(&self, filter: &Filter, limit: usize, cursor: Option<&str>) -> Result<AuditView, Failure> {
        let unknown = || Failure::new("This is no cursor of the audit.").next("Leave --cursor out to begin anew.");
        let cursor = cursor.map(|text| Cursor::parse(text).ok_or_else(unknown)).transpose()?;
        let audit = &self.house.audit;
        let filter = self.hub.audit_filter(audit, filter.clone(), None).await.map_err(failed)?;
        // What this process is still writing belongs to the answer.
        audit.flush().await;
        let page = audit.newest_that(&filter, cursor.as_ref(), limit).await.map_err(Failure::of)?;
        let entries = page.entries.into_iter().map(|recorded| recorded.entry).collect();
        Ok(AuditView { entries, cursor: page.cursor.map(|cursor| cursor.to_string()) })
    }

    async fn panic(&self, step: PanicOrder) -> Result<Value, Failure> {
        let emergency = Emergency::of(self.hub).await.map_err(Failure::of)?;
        match step {
            PanicOrder::Begin => plain(emergency.begin("the command line").await.map_err(Failure::of)?),
            PanicOrder::GoOn => plain(emergency.go_on().await.map_err(Failure::of)?),
            PanicOrder::Report => plain(emergency.report().await.map_err(Failure::of)?),
            PanicOrder::Finish => plain(emergency.finish().await.map_err(Failure::of)?),
            PanicOrder::Verify { signed } => plain(emergency.is_genuine(&signed)),
        }
    }

    async fn verify_audit(&self, head: Option<&str>) -> Result<Verdict, Failure> {
        let kept = head.map(|text| {
            Head::parse(text).ok_or_else(|| {
                Failure::new(format!("`{text}` is no head of an audit."))
                    .next("Give one that an earlier check printed.")
            })
        });
        self.house.audit.verify(kept.transpose()?).await.map_err(Failure::of)
    }

    /// An identity that a variable holds, or that several nodes have, is replaced there; what is left to do here is to seal with it.
    async fn rotate_key(&self) -> Result<RotationView, Failure> {
        // Other nodes could not open what is sealed with an identity that only this one has.
        let origin = if self.house.is_shared { &Origin::Variable } else { &self.house.identity };
        let Resealed { records, damaged } = self.house.vault.rotate_at(origin).await.map_err(Failure::of)?;
        let place = (*origin != Origin::Variable).then(|| origin.to_string());
        Ok(RotationView { records, place, damaged })
    }

    fn tools(&self, filters: Filters) -> Vec<ToolView> {
        self.hub.rows().iter().filter(|row| filters.allow(row)).map(|row| tool_view(row)).collect()
    }

    async fn call(&self, request: CallRequest) -> Result<CallView, Failure> {
        let caller = local_caller(Filters::everything(), "command line");
        let tool = request.tool.clone();
        match self.hub.call(&caller, request).await {
            Ok(Reply::Done(outcome)) => {
                Ok(CallView::Done { text: outcome.joined_text(), structured: outcome.structured })
            }
            Ok(Reply::Ask(question)) => {
                Ok(CallView::Ask { question: told(&question), ticket: question.ticket, approval: question.approval })
            }
            Err(hub::Error::Tool { error, .. }) => Err(self.refused(&tool, error)),
            Err(error @ hub::Error::UnknownTool { .. }) => {
                Err(Failure::of(error).next("`switchboard tools` lists them all."))
            }
            Err(error) => Err(Failure::of(error)),
        }
    }

    /// Why a tool did not do it, in words for the person at the shell instead of a model.
    fn refused(&self, tool: &str, error: tool::Error) -> Failure {
        let kind = error.kind();
        let failure = failed(error);
        match kind {
            Kind::Arguments if failure.next.is_none() => {
                failure.next(format!("`switchboard tools {tool}` shows what it takes."))
            }
            Kind::NotConnected | Kind::Expired => {
                let row = self.hub.rows().iter().find(|row| row.name() == tool);
                match row {
                    Some(row) => failure.next(self.house.connect_hint(&row.toolset.id)),
                    None => failure,
                }
            }
            _ => failure,
        }
    }

    async fn approvals(&self) -> Result<Vec<ApprovalView>, Failure> {
        let waiting = self.house.desk.approvals.pending_of_all().await.map_err(Failure::of)?;
        Ok(waiting.into_iter().map(approval_view).collect())
    }

    async fn approval(&self, id: &str) -> Result<WholeView, Failure> {
        let approvals = &self.house.desk.approvals;
        let approval = approvals.find(id, None).await.map_err(Failure::of)?;
        let whole = approvals.whole(&approval).await.map_err(Failure::of)?;
        Ok(WholeView { approval: approval_view(approval), whole })
    }

    async fn decide(&self, id: &str, approve: bool) -> Result<ApprovalView, Failure> {
        let decision = if approve { Decision::Approved } else { Decision::Refused };
        let desk = &self.house.desk;
        let decided = desk.approvals.decide_for_anyone(id, decision, &user()).await.map_err(Failure::of)?;
        desk.note(desk.answered(&decided, "cli")).await;
        Ok(approval_view(decided))
    }

    async fn sandbox(&self, order: SandboxOrder) -> Result<SandboxView, Failure> {
        let twins = self.house.sandbox.as_ref();
        let twins = twins.ok_or_else(|| Failure::new("This is not the sandbox.").next("Add `--sandbox`."))?;
        perform_in(twins, order).await
    }
}

async fn perform_in(twins: &Sandbox, order: SandboxOrder) -> Result<SandboxView, Failure> {
    match order {
        SandboxOrder::Status => shown(super::twins::table(&twins.status()), &twins.status()),
        SandboxOrder::Reset { seed } => {
            twins.reset(seed.as_deref()).await.map_err(Failure::of)?;
            shown("The world is as it was seeded.", &())
        }
        SandboxOrder::Diff => {
            let diff = twins.diff();
            shown(diff.to_string(), &diff)
        }
        SandboxOrder::Fault { vendor, what } => {
            twins.fault(&vendor, &what).map_err(Failure::of)?;
            let text = if what.trim() == "off" {
                format!("{vendor} works again.")
            } else {
                format!("{vendor} is broken on purpose now: {what}. `switchboard sandbox fault {vendor} off` mends it.")
            };
            shown(text, &())
        }
        SandboxOrder::Revoke { vendor } => {
            twins.revoke(&vendor).await.map_err(Failure::of)?;
            let next = format!("connect it again with `switchboard connect {vendor} --sandbox`");
            shown(format!("All grants of {vendor} have ended, as if the person had withdrawn them; {next}."), &())
        }
        SandboxOrder::Expire { vendor } => {
            twins.expire(&vendor).await.map_err(Failure::of)?;
            shown(format!("The access tokens of {vendor} have run out; the next call fetches a new one."), &())
        }
    }
}

fn shown(text: impl Into<String>, structured: &impl Serialize) -> Result<SandboxView, Failure> {
    Ok(SandboxView { text: text.into(), structured: plain(structured)? })
}

pub(super) fn plain(answer: impl Serialize) -> Result<Value, Failure> {
    serde_json::to_value(answer).map_err(Failure::of)
}

/// A tool's error as a command tells it.
pub(super) fn failed(error: tool::Error) -> Failure {
    tracing::debug!(code = error.code(), cause = %error.chain(), "an order failed");
    let pause = error.retry_after().map(|pause| format!("Try again in {} s.", pause.as_secs().max(1)));
    Failure { what: error.what().to_owned(), next: error.next_step().map(str::to_owned).or(pause) }
}

fn user() -> UserId {
    local_principal().user
}

fn title(integration: &str) -> String {
    integrations::find(integration).map_or_else(|| integration.to_owned(), |known| known.title.to_owned())
}

fn tool_view(row: &Row) -> ToolView {
    let integration = integrations::find(&row.toolset.id);
    ToolView {
        integration: row.toolset.id.to_string(),
        integration_title: row.toolset.title.to_string(),
        effect: serde_json::to_value(row.effect())
            .ok()
            .and_then(|effect| effect.as_str().map(str::to_owned))
            .unwrap_or_default(),
        core: integration.is_none_or(|known| known.core.contains(&row.name())),
        tokens: row.tokens(),
        definition: row.definition().clone(),
    }
}

/// The question, and where the rest is when that is not all.
fn told(question: &Question) -> String {
    question.more().map_or_else(|| question.text.clone(), |more| format!("{} {more}", question.text))
}

fn approval_view(approval: Approval) -> ApprovalView {
    ApprovalView {
        id: approval.id,
        is_shortened: approval.whole.is_some(),
        question: approval.question,
        agent: approval.agent.to_string(),
        tool: approval.tool,
        expires_at: approval.expires_at,
    }
}
