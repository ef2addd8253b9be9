//! Connects one conversation's [`Core`] with the line, the services and the tools. It waits for whichever speaks first,
//! and never for one in particular.

mod calls;
mod services;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::{
    sync::mpsc::{Sender, error::TrySendError},
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use self::{
    calls::Call,
    services::{Ear, Keeping, understood},
};
use super::{
    core::Core,
    keeper::Keeper,
    moves::{Input, Output, Stage},
    settings::Settings,
    sources::Sources,
    toolbox::Toolbox,
    usual::Usual,
};
use crate::{
    clock::SharedClock,
    mcp::client::{Ended, Error, Listed},
    telemetry::metrics::Metrics,
    voice::{
        ears::Ears,
        line::{Event, Line},
        rtvi::Tell,
        services::{Services, Sound, Spoken, Trouble, Written},
        texts::Texts,
        turn::At,
    },
};

/// Time passes in steps of this, for what waits for a time.
const TICK: Duration = Duration::from_millis(20);

/// What is under way when the line is cut may still end within this.
const GRACE: Duration = Duration::from_secs(30);

/// Before a line is cut, the last texts have so long to leave.
const LAST_WORDS: Duration = Duration::from_millis(400);

/// What a conversation works with.
#[derive(Debug)]
pub struct Parts {
    /// Who understands, answers and speaks.
    pub services: Services,
    /// The way to the tools.
    pub tools: Arc<dyn Toolbox>,
    /// How it is led.
    pub settings: Settings,
    /// Sentences that were made before.
    pub usual: Usual,
    /// Where it is counted.
    pub metrics: Metrics,
    /// What takes it down, when it is to be.
    pub keeper: Option<Keeper>,
    /// The time of day.
    pub clock: SharedClock,
    /// Ends the conversation from outside.
    pub ending: CancellationToken,
}

/// What a conversation leaves when it has ended.
#[derive(Debug)]
pub struct Left {
    /// The line, and the agent that goes on with the caller. Else the line is cut.
    pub goes_on: Option<(Line, String)>,
    /// What is still under way.
    pub rest: Rest,
}

/// Calls that change something and may still finish.
#[derive(Debug)]
pub struct Rest {
    jobs: JoinSet<Job>,
    calls: HashMap<String, Call>,
}

/// Leads a conversation to its end.
pub async fn lead(line: Line, parts: Parts) -> Left {
    parts.metrics.conversation(true);
    let metrics = parts.metrics.clone();
    let mut driver = Driver::new(line, parts);
    driver.run().await;
    metrics.conversation(false);
    driver.leave().await
}

impl Rest {
    /// Waits for it, but not for ever. Whatever is not done by then is known to nobody; the server's audit tells.
    pub async fn finish(self) {
        let Rest { mut jobs, mut calls } = self;
        let finish = async {
            while !calls.is_empty() {
                match jobs.join_next().await {
                    Some(Ok(Job::Called(id, _))) => drop(calls.remove(&id)),
                    Some(_) => {}
                    None => break,
                }
            }
        };
        let _ = timeout(GRACE, finish).await;
    }
}

/// What comes back from a task.
#[derive(Debug)]
enum Job {
    Called(String, Result<Ended, Error>),
    Listed(Result<Vec<Listed>, Error>),
    Prepared,
}

#[derive(Debug)]
struct Driver {
    core: Core,
    line: Line,
    parts: Parts,
    began: Instant,
    ears: Ears,
    ear: Option<Ear>,
    answers: Sources<Written>,
    voices: Sources<Spoken>,
    keeping: HashMap<u64, Keeping>,
    jobs: JoinSet<Job>,
    calls: HashMap<String, Call>,
    is_listing: bool,
    texts: Texts,
    messages: u64,
    figures: Figures,
}

/// What is told of a conversation in the log.
#[derive(Debug, Default)]
struct Figures {
    turns: Vec<Duration>,
    interruptions: usize,
    calls: usize,
}

impl Driver {
    fn new(line: Line, mut parts: Parts) -> Self {
        parts.settings.has_ears = parts.services.recogniser.is_some();
        parts.settings.has_voice = parts.services.speaker.is_some();
        line.player.mouth().record(parts.keeper.as_ref().is_some_and(Keeper::records));
        let core = Core::new(parts.settings.clone(), line.player.clone(), parts.clock.now());
        Driver {
            core,
            line,
            parts,
            began: Instant::now(),
            ears: Ears::default(),
            ear: None,
            answers: Sources::default(),
            voices: Sources::default(),
            keeping: HashMap::new(),
            jobs: JoinSet::new(),
            calls: HashMap::new(),
            is_listing: false,
            texts: Texts::default(),
            messages: 0,
            figures: Figures::default(),
        }
    }

    async fn run(&mut self) {
        self.parts.services.warm();
        self.look_at_tools(Duration::ZERO);
        self.prepare_usual();
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !self.core.is_over() {
            let has_texts = !self.texts.is_empty();
            tokio::select! {
                event = self.line.events.recv() => match event {
                    Some(event) => self.event(event),
                    None => return,
                },
                (answer, what) = self.answers.next() => {
                    let what = what.unwrap_or(Written::Failed(Trouble::Away("language")));
                    self.take(Input::Written { answer, what });
                }
                (piece, what) = self.voices.next() => self.spoken(piece, what),
                (listening, what) = understood(&mut self.ear) => self.take(Input::Understood { listening, what }),
                Some(job) = self.jobs.join_next() => self.come_back(job),
                true = has_room(&self.line.texts), if has_texts => self.send_texts(),
                () = self.parts.ending.cancelled() => return,
                _ = ticks.tick() => self.take(Input::Tick),
            }
        }
    }

    /// The end of a conversation: its last texts go out.
    async fn leave(mut self) -> Left {
        tracing::info!(
            seconds = self.began.elapsed().as_secs(),
            turns = self.figures.turns.len(),
            voice_to_voice_ms = median(&mut self.figures.turns).map(|time| time.as_millis()),
            interruptions = self.figures.interruptions,
            calls = self.figures.calls,
            "a conversation has ended"
        );
        self.send_texts();
        let goes_to = self.core.goes_to().map(str::to_owned);
        if goes_to.is_none() {
            sleep(LAST_WORDS).await;
        }
        let Driver { line, jobs, calls, .. } = self;
        Left { goes_on: goes_to.map(|to| (line, to)), rest: Rest { jobs, calls } }
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Sound(samples) => self.sound(&samples),
            Event::Said(said) => self.take(Input::Said(said)),
            Event::AgentBegan => self.take(Input::AgentBegan),
            Event::AgentEnded => self.take(Input::AgentEnded),
            Event::Lost => self.take(Input::Lost),
            Event::Back => self.take(Input::Back),
            Event::RoundTrip(time) => self.take(Input::RoundTrip(time)),
        }
    }

    /// Tells the core, does what it wants done, and tells it what came of that at once.
    fn take(&mut self, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            let now: At = self.began.elapsed();
            for output in self.core.on(now, input) {
                self.act(now, output, &mut inputs);
            }
        }
    }

    fn act(&mut self, now: At, output: Output, inputs: &mut Vec<Input>) {
        match output {
            Output::Listen(id) => self.listen(id),
            Output::Pause => {
                if let Some(ear) = &mut self.ear {
                    ear.send(Sound::Pause);
                }
            }
            Output::Unlisten => self.ear = None,
            Output::Ask { answer, prompt } => self.answers.add(answer, self.parts.services.model.answer(*prompt)),
            Output::Unask(answer) => self.answers.remove(answer),
            Output::Speak { piece, text, is_usual } => self.speak(piece, text, is_usual, inputs),
            Output::Unspeak(piece) => {
                self.keeping.remove(&piece);
                self.voices.remove(piece);
            }
            Output::Call { call, tool, arguments } => self.call(call, tool, arguments),
            Output::Decide { call, approve } => self.decide(call, approve),
            Output::Forget(call) => {
                if let Some(call) = self.calls.remove(&call) {
                    call.handle.abort();
                }
            }
            Output::Refresh => self.look_at_tools(Duration::ZERO),
            Output::Tell(tell) => self.tell(&tell),
            Output::Note(line) => {
                if let Some(keeper) = &mut self.parts.keeper {
                    keeper.note(now.as_secs_f64(), &line);
                }
            }
            Output::Took(stage, time) => self.took(stage, time),
            Output::Trouble(trouble) => tracing::warn!(%trouble, "a conversation is degraded"),
            Output::End(why) => tracing::debug!(why, "a line is cut"),
        }
    }

    fn took(&mut self, stage: Stage, time: Duration) {
        tracing::debug!(stage = stage.name(), ms = time.as_millis(), "took");
        self.parts.metrics.stage(stage.name(), time);
        match stage {
            Stage::Turn => self.figures.turns.push(time),
            Stage::Tool => self.figures.calls += 1,
            _ => {}
        }
    }

    fn tell(&mut self, tell: &Tell) {
        if *tell == Tell::Interrupted {
            self.figures.interruptions += 1;
            self.parts.metrics.interruption();
        }
        let fresh = || {
            self.messages += 1;
            self.messages.to_string()
        };
        tell.write(fresh).into_iter().for_each(|text| self.texts.push(text));
    }

    /// Sends the page as many texts as it takes now.
    fn send_texts(&mut self) {
        while let Some(text) = self.texts.pop() {
            if let Err(TrySendError::Full(text)) = self.line.texts.try_send(text) {
                return self.texts.put_back(text);
            }
        }
    }
}

/// Whether the page takes a text, as soon as it does; not if it is gone.
async fn has_room(texts: &Sender<String>) -> bool {
    texts.reserve().await.is_ok()
}

fn median(times: &mut [Duration]) -> Option<Duration> {
    times.sort_unstable();
    times.get(times.len() / 2).copied()
}
