//! The client as a running tool sees it: it is asked in the way of its era, and hears the log that it wants.
//!
//! Modern: what is not answered yet ends the round with `input_required`, and the repeat of the request brings the
//! answers. Legacy: requests of ours while the call waits.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jsonrpsee::types::ErrorObjectOwned;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::{
    era::Version,
    exchange::Exchange,
    message::{invalid_params, missing_capability, page_required},
    seal::State,
    server::Core,
    tasks::{EXTENSION, Slot},
};
use crate::{
    id::{SharedEntropy, base32hex},
    tool::{Ability, Ask, Boxed, Client, Error, Kind, Level, Page, Result, What},
};

/// The client of one call.
pub(super) struct Asker {
    exchange: Arc<Exchange>,
    answer_within: Duration,
    entropy: SharedEntropy,
    /// What log lines are said to come from; `None` where the server keeps no log for clients.
    logger: Option<String>,
    /// The place for the task that the call may become, where its client knows tasks.
    slot: Option<Arc<Slot>>,
    talk: Mutex<Talk>,
}

/// What was said so far.
#[derive(Debug, Default)]
struct Talk {
    /// What came with this request, and what earlier rounds brought.
    answers: Map<String, Value>,
    /// Those of them that were asked for.
    used: Map<String, Value>,
    /// What is to be asked after this round.
    pending: Map<String, Value>,
    /// The answer that does not fit its question.
    misfit: Option<String>,
    waited: Duration,
    waiting_since: Option<Instant>,
}

impl Asker {
    /// The client behind `exchange`, which calls `name`, with the answers that it has given already.
    pub fn new(
        core: &Core,
        exchange: Arc<Exchange>,
        name: &str,
        slot: Option<Arc<Slot>>,
        answers: Map<String, Value>,
    ) -> Self {
        Asker {
            exchange,
            answer_within: core.answer_within,
            entropy: core.entropy.clone(),
            logger: core.logs.then(|| name.to_owned()),
            slot,
            talk: Mutex::new(Talk { answers, ..Talk::default() }),
        }
    }

    /// What to tell the client when a call failed for want of something from it: a protocol error, or the questions.
    /// `None` when that is not why it failed.
    pub fn wanted(&self, error: &Error) -> Option<Result<Map<String, Value>, ErrorObjectOwned>> {
        if let Some(page) = error.page() {
            return self.send_to(page);
        }
        let is_modern = self.exchange.terms.version.is_modern();
        match error.kind() {
            Kind::Input => {
                let mut talk = self.talk();
                Some(match talk.misfit.take() {
                    Some(key) => Err(misfit(&key)),
                    None => Ok(std::mem::take(&mut talk.pending)),
                })
            }
            Kind::Unable if is_modern => error.ability().map(|ability| Err(missing_capability(&capability(ability)))),
            _ => None,
        }
    }

    /// How the client is told of a page without which the call cannot go on; `None` when it has to be told in words,
    /// because it cannot be sent there, or was.
    fn send_to(&self, page: &Page) -> Option<Result<Map<String, Value>, ErrorObjectOwned>> {
        let terms = &self.exchange.terms;
        if !terms.capabilities.url || terms.version < Version::November2025 || self.settles_in_task() {
            return None;
        }
        let question = Ask::from(page.clone());
        let (method, params) = self.request(&question);
        if !terms.version.is_modern() {
            return Some(Err(page_required(&page.message, &params)));
        }
        match self.talk().answers.get(&page.key) {
            None => {
                let request = json!({"method": method, "params": params});
                Some(Ok(Map::from_iter([(page.key.clone(), request)])))
            }
            Some(answer) if question.fits(answer) => None,
            Some(_) => Some(Err(misfit(&page.key))),
        }
    }

    /// What the next round has to know.
    pub fn state(&self) -> State {
        State { answers: self.talk().used.clone(), ticket: None }
    }

    fn talk(&self) -> MutexGuard<'_, Talk> {
        self.talk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Finds the answers among those that are there, and notes what has to be asked.
    fn look_up(&self, questions: &[Ask]) -> Result<Vec<Value>> {
        let mut talk = self.talk();
        let mut found = Vec::new();
        for question in questions {
            match talk.answers.get(&question.key).cloned() {
                Some(answer) if question.fits(&answer) => {
                    talk.used.insert(question.key.clone(), answer.clone());
                    found.push(answer);
                }
                Some(_) => talk.misfit = Some(question.key.clone()),
                None => {
                    let (method, params) = self.request(question);
                    talk.pending.insert(question.key.clone(), json!({"method": method, "params": params}));
                }
            }
        }
        if found.len() == questions.len() {
            return Ok(found);
        }
        Err(Error::new(Kind::Input, "The client has to answer first."))
    }

    /// Whether the call goes on by itself, for good: one that does not is answered in its own request.
    pub fn settles_in_task(&self) -> bool {
        self.slot.as_ref().is_some_and(|slot| slot.settle().is_some())
    }

    /// `key`, or another one like it when it was asked under that name before: within a task each question has its
    /// own.
    pub fn unused(&self, key: &str) -> String {
        let talk = self.talk();
        let further = (2_u32..).map(|number| format!("{key}-{number}"));
        let mut all = std::iter::once(key.to_owned()).chain(further);
        all.find(|name| !talk.answers.contains_key(name)).unwrap_or_default()
    }

    fn knows(&self, questions: &[Ask]) -> bool {
        let talk = self.talk();
        questions.iter().all(|question| talk.answers.contains_key(&question.key))
    }

    /// Puts all that is not known yet into the task, and waits.
    async fn ask_in_task(&self, questions: Vec<Ask>) -> Result<Vec<Value>> {
        let Some(task) = self.slot.as_ref().and_then(|slot| slot.task()) else {
            return Ok(Vec::new());
        };
        let known = self.talk().answers.clone();
        let open = questions.iter().filter(|question| !known.contains_key(&question.key));
        let requests: Map<String, Value> = open
            .map(|question| {
                let (method, params) = self.request(question);
                (question.key.clone(), json!({"method": method, "params": params}))
            })
            .collect();
        let keys: Vec<String> = requests.keys().cloned().collect();
        for (key, answer) in keys.into_iter().zip(task.ask(requests)) {
            let gone = |_| Error::new(Kind::Vendor, "The task ended before its question was answered.");
            let answer = answer.await.map_err(gone)?;
            self.talk().answers.insert(key, answer);
        }
        let known = self.talk().answers.clone();
        let answers = questions.iter().map(|question| {
            let answer = known.get(&question.key).filter(|answer| question.fits(answer)).cloned();
            answer.ok_or_else(|| Error::new(Kind::Vendor, "The client's answer does not fit the question."))
        });
        answers.collect()
    }

    /// Asks one after the other, and waits. An answer is kept for the case that the tool runs once more.
    async fn converse(&self, questions: Vec<Ask>) -> Result<Vec<Value>> {
        let mut found = Vec::new();
        for question in questions {
            let known = self.talk().answers.get(&question.key).cloned();
            let answer = match known {
                Some(answer) => answer,
                None => self.put(&question).await?,
            };
            self.talk().answers.insert(question.key, answer.clone());
            found.push(answer);
        }
        Ok(found)
    }

    async fn put(&self, question: &Ask) -> Result<Value> {
        let Some(outlet) = &self.exchange.outlet else {
            return Err(Error::unable(question.ability()));
        };
        let (method, params) = self.request(question);
        self.talk().waiting_since = Some(Instant::now());
        let reply = outlet.ask(method, &params, self.answer_within).await;
        let mut talk = self.talk();
        let since = talk.waiting_since.take();
        talk.waited += since.map_or(Duration::ZERO, |since| since.elapsed());
        match reply {
            None if self.exchange.closing.is_cancelled() => Err(Error::cancelled()),
            None => Err(Error::new(Kind::Vendor, "The client gave no answer to a question in time.")),
            Some(Ok(answer)) if question.fits(&answer) => Ok(answer),
            Some(Ok(_)) => Err(Error::new(Kind::Vendor, "The client's answer does not fit the question.")),
            Some(Err(_)) => Err(Error::new(Kind::Vendor, "The client refused to answer a question.")),
        }
    }

    /// A question as a method and its parameters.
    fn request(&self, question: &Ask) -> (&'static str, Value) {
        let version = self.exchange.terms.version;
        match &question.what {
            What::Form { message, schema } => {
                let mut params = json!({"message": message, "requestedSchema": schema});
                // Modes came with 2025-11-25.
                if version >= Version::November2025 {
                    params["mode"] = "form".into();
                }
                ("elicitation/create", params)
            }
            What::Page { message, url, id } => {
                let mut params = json!({"mode": "url", "message": message, "url": url});
                if !version.is_modern() {
                    let id = id.clone().unwrap_or_else(|| base32hex(&*self.entropy, 26));
                    self.exchange.wishes.await_page(&id);
                    params["elicitationId"] = id.into();
                }
                ("elicitation/create", params)
            }
            What::Model(params) => ("sampling/createMessage", params.clone()),
            What::Roots => ("roots/list", json!({})),
        }
    }
}

impl Client for Asker {
    fn can(&self, ability: Ability) -> bool {
        let terms = &self.exchange.terms;
        let declared = match ability {
            Ability::Form => terms.capabilities.form && terms.version >= Version::June2025,
            Ability::Page => terms.capabilities.url && terms.version >= Version::November2025,
            Ability::Model => terms.capabilities.sampling,
            Ability::Roots => terms.capabilities.roots,
            Ability::Tasks => return self.slot.is_some(),
        };
        let reachable = || self.exchange.outlet.as_ref().is_some_and(super::exchange::Outlet::can_ask);
        declared && (terms.version.is_modern() || reachable())
    }

    fn ask(&self, questions: Vec<Ask>) -> Boxed<'_, Result<Vec<Value>>> {
        if self.exchange.terms.version.is_modern() {
            if !self.knows(&questions) && self.settles_in_task() {
                return Box::pin(self.ask_in_task(questions));
            }
            let found = self.look_up(&questions);
            return Box::pin(async move { found });
        }
        Box::pin(self.converse(questions))
    }

    fn log(&self, level: Level, data: &Value) {
        let (Some(logger), Some(outlet)) = (&self.logger, &self.exchange.outlet) else { return };
        if self.exchange.wishes.hear(level) {
            let line = json!({"level": level.name(), "logger": logger, "data": data});
            outlet.notify("notifications/message", Some(&line));
        }
    }

    fn go_on(&self) -> Result<()> {
        let Some(slot) = &self.slot else { return Ok(()) };
        if !slot.begin() {
            return Err(Error::new(Kind::Busy, "Too many tasks are running.").next("Try again later."));
        }
        Ok(())
    }

    fn gone(&self) -> Boxed<'_, ()> {
        Box::pin(async {
            self.exchange.closing.cancelled().await;
            // A task outlives the connection that it began on; what ends it is its own.
            if self.slot.as_ref().is_some_and(|slot| slot.task().is_some()) {
                std::future::pending::<()>().await;
            }
        })
    }

    fn waited(&self) -> Duration {
        // The call's own time ends where its task begins, which has its own.
        let as_task = self.slot.as_ref().map_or(Duration::ZERO, |slot| slot.gone_on());
        let talk = self.talk();
        talk.waited + talk.waiting_since.map_or(Duration::ZERO, |since| since.elapsed()) + as_task
    }
}

fn misfit(key: &str) -> ErrorObjectOwned {
    invalid_params(&format!("`inputResponses.{key}` is not an answer to its question"))
}

/// What a client has to declare for that.
fn capability(ability: Ability) -> Value {
    match ability {
        Ability::Form => json!({"elicitation": {"form": {}}}),
        Ability::Page => json!({"elicitation": {"url": {}}}),
        Ability::Model => json!({"sampling": {}}),
        Ability::Roots => json!({"roots": {}}),
        Ability::Tasks => json!({"extensions": {EXTENSION: {}}}),
    }
}
