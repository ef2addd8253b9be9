//! A language model behind OpenAI's chat completions: `POST {base}/chat/completions`, answered as a stream.
//!
//! `async-openai` speaks the protocol; what it brings is read leniently, because each server leaves out other fields.

use std::time::Duration;

use async_openai::{Client, types::stream::StreamResponse};
use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::Value;
use tokio::{
    sync::mpsc,
    time::{Instant, timeout, timeout_at},
};

use super::{
    Model, Prompt, Trouble, Written,
    calls::{CallPiece, Calls},
    endpoint::Endpoint,
    prompt,
    thoughts::Thoughts,
};

/// So many pieces wait at most for the conversation.
const WAITING: usize = 64;

/// For so long the rest of a finished answer is read, so that its connection can be used again.
const REST: Duration = Duration::from_secs(1);

/// A model by its name at a server.
#[derive(Clone, Debug)]
pub struct ChatModel {
    endpoint: Endpoint,
    client: Client<Endpoint>,
    model: String,
}

impl ChatModel {
    pub(super) fn new(endpoint: Endpoint, model: impl Into<String>) -> Self {
        ChatModel { client: endpoint.openai(), endpoint, model: model.into() }
    }
}

impl Model for ChatModel {
    fn answer(&self, prompt: Prompt) -> mpsc::Receiver<Written> {
        let (out, written) = mpsc::channel(WAITING);
        let asking = Asking { model: self.clone(), prompt, out };
        tokio::spawn(async move {
            let unwanted = asking.out.clone();
            tokio::select! {
                () = unwanted.closed() => {}
                () = asking.run() => {}
            }
        });
        written
    }

    fn warm(&self) {
        self.endpoint.warm();
    }
}

/// One question on its way.
struct Asking {
    model: ChatModel,
    prompt: Prompt,
    out: mpsc::Sender<Written>,
}

/// A question that failed, and whether a part of the answer had been told before.
struct Failure {
    trouble: Trouble,
    is_late: bool,
}

impl Asking {
    async fn run(&self) {
        let began = Instant::now();
        let mut outcome = self.attempt().await;
        if let Err(Failure { trouble, is_late: false }) = &outcome
            && trouble.is_passing()
            && self.endpoint().patience.allows_another(began.elapsed())
        {
            tracing::debug!(%trouble, "asking the model once more");
            outcome = self.attempt().await;
        }
        if let Err(failure) = outcome {
            self.tell(Written::Failed(failure.trouble)).await;
        }
    }

    fn endpoint(&self) -> &Endpoint {
        &self.model.endpoint
    }

    async fn tell(&self, written: Written) {
        // Whoever does not listen any more has dropped the question; then this task is dropped too.
        let _ = self.out.send(written).await;
    }

    async fn attempt(&self) -> Result<(), Failure> {
        let early = |trouble| Failure { trouble, is_late: false };
        let patience = self.endpoint().patience;
        let mut until = Instant::now() + patience.first;
        let chat = self.model.client.chat();
        let request = prompt::request(&self.model.model, &self.prompt);
        let asked = timeout_at(until, chat.create_stream_byot::<_, Value>(&request)).await;
        let mut stream = asked
            .map_err(|_| early(self.endpoint().slow()))?
            .map_err(|error| early(self.endpoint().trouble(&error)))?;
        let mut answer = Answer::default();
        while !answer.is_finished {
            let next = timeout_at(until, self.next(&mut stream)).await;
            let piece = next.unwrap_or_else(|_| Err(self.endpoint().slow()));
            let piece = piece.map_err(|trouble| Failure { trouble, is_late: answer.has_begun })?;
            until = Instant::now() + patience.between;
            let said = answer.take(piece);
            if !said.is_empty() {
                self.tell(Written::Text(said)).await;
            }
        }
        self.finish(answer).await;
        read_rest(stream);
        Ok(())
    }

    /// The next piece. An answer that ends without saying so was cut.
    async fn next(&self, stream: &mut StreamResponse<Value>) -> Result<Piece, Trouble> {
        let event = stream.next().await.ok_or_else(|| self.endpoint().away())?;
        let event = event.map_err(|error| self.endpoint().trouble(&error))?;
        let chunk: Chunk = serde_json::from_value(event).map_err(|_| self.endpoint().rubbish())?;
        match (chunk.choices, chunk.error) {
            (_, Some(error)) => {
                let reason = error["message"].as_str().or(error.as_str()).unwrap_or_default();
                Err(self.endpoint().refuses(reason))
            }
            (None, None) => Err(self.endpoint().rubbish()),
            (Some(choices), None) => Ok(choices.into_iter().next().unwrap_or_default()),
        }
    }

    async fn finish(&self, answer: Answer) {
        self.endpoint().was_used();
        for call in answer.calls.complete() {
            self.tell(call).await;
        }
        self.tell(Written::Done).await;
    }
}

/// An answer so far.
#[derive(Default)]
struct Answer {
    thoughts: Thoughts,
    calls: Calls,
    has_begun: bool,
    is_finished: bool,
}

impl Answer {
    /// Takes a piece and gives what is to be said of it.
    fn take(&mut self, piece: Piece) -> String {
        self.is_finished = piece.finish_reason.is_some();
        let delta = piece.delta.unwrap_or_default();
        delta.tool_calls.into_iter().flatten().for_each(|call| self.calls.take(call));
        let mut said =
            self.thoughts.leave_out(delta.content.as_deref().or(delta.refusal.as_deref()).unwrap_or_default());
        if self.is_finished {
            said.push_str(&self.thoughts.rest());
        }
        self.has_begun |= !said.is_empty();
        said
    }
}

/// After the last word come figures and an end mark; with them read, the connection serves the next question.
fn read_rest(mut stream: StreamResponse<Value>) {
    tokio::spawn(async move { timeout(REST, async { while stream.next().await.is_some() {} }).await });
}

/// What a server sends at a time.
#[derive(Debug, Deserialize)]
struct Chunk {
    choices: Option<Vec<Piece>>,
    error: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
struct Piece {
    delta: Option<Delta>,
    finish_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Delta {
    content: Option<String>,
    refusal: Option<String>,
    tool_calls: Option<Vec<CallPiece>>,
}
