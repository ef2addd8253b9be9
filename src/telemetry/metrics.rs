//! Figures for Prometheus: calls as they happen, everything else at the moment when somebody looks.
//!
//! `prometheus-client` writes the format, escaping included; no other module knows it.

use std::time::Duration;

use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

/// The type of what [`Metrics::page`] returns.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The bounds of what a caller waits for, seconds: from what nobody notices to what nobody bears.
const STAGE_BOUNDS: [f64; 9] = [0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.2, 2.0, 5.0];

/// The bounds of the durations that are told apart, seconds: from a look-up in memory to the longest call.
const BOUNDS: [f64; 9] = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];

type Labels = Vec<(&'static str, String)>;

/// What is counted while it happens. Clones share it.
#[derive(Clone, Debug)]
pub struct Metrics {
    calls: Family<Labels, Counter>,
    durations: Family<Labels, Histogram, fn() -> Histogram>,
    conversations: Gauge,
    interruptions: Counter,
    stages: Family<Labels, Histogram, fn() -> Histogram>,
}

/// A figure that is looked up, with a value for each set of labels.
#[derive(Clone, Debug)]
pub struct Figure {
    name: &'static str,
    help: &'static str,
    only_grows: bool,
    values: Vec<(Labels, u64)>,
}

impl Figure {
    /// One that goes up and down.
    pub fn level(name: &'static str, help: &'static str) -> Self {
        Figure { name, help, only_grows: false, values: Vec::new() }
    }

    /// One that counts since the start.
    pub fn count(name: &'static str, help: &'static str) -> Self {
        Figure { only_grows: true, ..Figure::level(name, help) }
    }

    /// The value without labels.
    #[must_use]
    pub fn is(mut self, value: u64) -> Self {
        self.values.push((Vec::new(), value));
        self
    }

    /// The value for one label.
    #[must_use]
    pub fn of(mut self, label: &'static str, name: impl Into<String>, value: u64) -> Self {
        self.values.push((vec![(label, name.into())], value));
        self
    }

    fn register(self, registry: &mut Registry) {
        if self.only_grows {
            let family = Family::<Labels, Counter>::default();
            for (labels, value) in &self.values {
                family.get_or_create(labels).inc_by(*value);
            }
            registry.register(self.name, self.help, family);
        } else {
            let family = Family::<Labels, Gauge>::default();
            for (labels, value) in &self.values {
                family.get_or_create(labels).set(i64::try_from(*value).unwrap_or(i64::MAX));
            }
            registry.register(self.name, self.help, family);
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics {
            calls: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(BOUNDS)),
            conversations: Gauge::default(),
            interruptions: Counter::default(),
            stages: Family::new_with_constructor(|| Histogram::new(STAGE_BOUNDS)),
        }
    }
}

impl Metrics {
    /// Counts a call of `tool` that ended with `outcome`, `ok` or the code of what went wrong.
    pub fn call(&self, tool: &str, outcome: &str, took: Duration) {
        let tool = ("tool", tool.to_owned());
        self.calls.get_or_create(&vec![tool.clone(), ("outcome", outcome.to_owned())]).inc();
        self.durations.get_or_create(&vec![tool]).observe(took.as_secs_f64());
    }

    /// Counts a spoken conversation in, or out.
    pub fn conversation(&self, begins: bool) {
        if begins {
            self.conversations.inc();
        } else {
            self.conversations.dec();
        }
    }

    /// Counts an agent that was interrupted.
    pub fn interruption(&self) {
        self.interruptions.inc();
    }

    /// Counts how long a stage of a conversation took, such as `stt`.
    pub fn stage(&self, stage: &'static str, took: Duration) {
        self.stages.get_or_create(&vec![("stage", stage.to_owned())]).observe(took.as_secs_f64());
    }

    /// Everything in the text format that Prometheus reads.
    pub fn page(&self, figures: Vec<Figure>) -> String {
        let mut registry = Registry::with_prefix("switchboard");
        registry.register("calls", "Calls of tools, by how they ended", self.calls.clone());
        registry.register("call_duration_seconds", "How long calls took", self.durations.clone());
        registry.register("conversations", "Conversations that go on", self.conversations.clone());
        registry.register("interruptions", "How often callers interrupted an agent", self.interruptions.clone());
        let help = "How long the stages of conversations took: stt, llm, tts, tool, voice_to_voice";
        registry.register("conversation_stage_seconds", help, self.stages.clone());
        for figure in figures {
            figure.register(&mut registry);
        }
        let mut page = String::new();
        // Writing into memory does not fail.
        let _ = encode(&mut page, &registry);
        page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_tells_calls_and_figures() {
        let metrics = Metrics::default();
        metrics.call("box_open", "ok", Duration::from_millis(20));
        metrics.call("box_open", "ok", Duration::from_millis(20));
        metrics.call("box_open", "busy", Duration::from_secs(1));
        metrics.conversation(true);
        metrics.interruption();
        metrics.stage("voice_to_voice", Duration::from_millis(700));
        let figures = vec![
            Figure::level("waiting", "What waits").is(7),
            Figure::count("refreshes", "Refreshes").of("outcome", "re\"newed\n", 3),
        ];
        let page = metrics.page(figures);
        for line in [
            r#"switchboard_calls_total{tool="box_open",outcome="ok"} 2"#,
            r#"switchboard_calls_total{tool="box_open",outcome="busy"} 1"#,
            r#"switchboard_call_duration_seconds_bucket{le="0.05",tool="box_open"} 2"#,
            r#"switchboard_call_duration_seconds_count{tool="box_open"} 3"#,
            "switchboard_conversations 1",
            "switchboard_interruptions_total 1",
            r#"switchboard_conversation_stage_seconds_bucket{le="0.8",stage="voice_to_voice"} 1"#,
            "switchboard_waiting 7",
            r#"switchboard_refreshes_total{outcome="re\"newed\n"} 3"#,
            "# EOF",
        ] {
            assert!(page.lines().any(|found| found == line), "{line} is missing in\n{page}");
        }
    }
}
