//! What a relay remembers of its conversation, for the next owner.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::mcp::{cancelled_id, envelope::RequestId};

/// How many requests may be without an answer; an owner runs and queues fewer.
pub(super) const MOST_OPEN: usize = 2048;
/// How many bytes of requests may be remembered to be made again; an owner takes no larger subscriptions.
pub(super) const REMEMBERED_BYTES: usize = 8 << 20;
/// The id under which a handshake is repeated.
pub(super) const REPLAY: &str = "switchboard-replay";

/// What the end of an owner would leave open.
#[derive(Debug, Default)]
pub(super) struct Memory {
    open: HashSet<RequestId>,
    handshake: Option<Handshake>,
    /// Requests that are not answered before their stream ends, to be made again at the next owner.
    streams: Vec<(RequestId, Vec<u8>)>,
    /// How many of them were made again, and are acknowledged once more.
    repeated: usize,
}

/// How a legacy client began.
#[derive(Debug)]
struct Handshake {
    id: RequestId,
    initialize: Vec<u8>,
    is_answered: bool,
    initialized: Option<Vec<u8>>,
}

/// What the relay reads of a message.
#[derive(Deserialize)]
struct Head<'a> {
    id: Option<RequestId>,
    #[serde(borrow)]
    method: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
}

impl Memory {
    /// Notes what the client says. An id that comes back is refused: too many are open already.
    pub(super) fn note(&mut self, line: &[u8]) -> Result<(), RequestId> {
        // What does not read as a message is the owner's to refuse.
        let Ok(Head { id, method: Some(method), params }) = serde_json::from_slice(line) else { return Ok(()) };
        match (id, &*method) {
            (Some(id), _) if self.open.len() + self.streams.len() >= MOST_OPEN => return Err(id),
            (Some(id), "subscriptions/listen") if self.remembered() + line.len() > REMEMBERED_BYTES => return Err(id),
            (Some(id), "subscriptions/listen") => self.streams.push((id, line.to_vec())),
            (Some(id), method) => {
                self.open.insert(id.clone());
                if method == "initialize" {
                    let initialize = line.to_vec();
                    self.handshake = Some(Handshake { id, initialize, is_answered: false, initialized: None });
                }
            }
            (None, "notifications/initialized") => {
                if let Some(handshake) = &mut self.handshake {
                    handshake.initialized = Some(line.to_vec());
                }
            }
            // Nobody answers a request that was cancelled.
            (None, "notifications/cancelled") => {
                if let Some(id) = cancelled_id(params) {
                    self.open.remove(&id);
                    self.streams.retain(|(stream, _)| *stream != id);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn remembered(&self) -> usize {
        self.streams.iter().map(|(_, line)| line.len()).sum()
    }

    /// Notes what the owner says. Returns whether the client is to read it: not what a dying owner left unfinished,
    /// not the answer to a handshake that the client believes to be over, and nothing of the end of a subscription
    /// that goes on at the next owner.
    pub(super) fn settle(&mut self, line: &[u8], is_leaving: bool) -> bool {
        let Ok(head) = serde_json::from_slice::<Head<'_>>(line) else { return false };
        match (head.id, head.method.as_deref()) {
            (Some(id), None) => self.answered(&id, is_leaving),
            (None, Some("notifications/cancelled")) if is_leaving => {
                cancelled_id(head.params).is_none_or(|id| !self.is_stream(&id))
            }
            (None, Some("notifications/subscriptions/acknowledged")) if self.repeated > 0 => {
                self.repeated -= 1;
                false
            }
            _ => true,
        }
    }

    fn answered(&mut self, id: &RequestId, is_leaving: bool) -> bool {
        if *id == RequestId::text(REPLAY) || is_leaving && self.is_stream(id) {
            return false;
        }
        self.open.remove(id);
        self.streams.retain(|(stream, _)| stream != id);
        if let Some(handshake) = self.handshake.as_mut().filter(|handshake| handshake.id == *id) {
            handshake.is_answered = true;
        }
        true
    }

    fn is_stream(&self, id: &RequestId) -> bool {
        self.streams.iter().any(|(stream, _)| stream == id)
    }

    /// Whether anything is under way that has an end.
    pub(super) fn is_busy(&self) -> bool {
        !self.open.is_empty()
    }

    /// The requests that nobody works on any more. A handshake is none of them: the next owner answers it.
    pub(super) fn lost(&mut self) -> Vec<RequestId> {
        let open = std::mem::take(&mut self.open);
        let begun = self.handshake.as_ref().filter(|handshake| !handshake.is_answered).map(|handshake| &handshake.id);
        let (kept, lost) = open.into_iter().partition(|id| Some(id) == begun);
        self.open = kept;
        lost.into_iter().collect()
    }

    /// What the next owner has to hear before anything else.
    pub(super) fn handshake(&mut self) -> Vec<Vec<u8>> {
        self.repeated = self.streams.len();
        let streams = self.streams.iter().map(|(_, line)| line.clone());
        let Some(handshake) = &self.handshake else { return streams.collect() };
        let first = if handshake.is_answered {
            renamed(&handshake.initialize)
        } else if self.open.contains(&handshake.id) {
            Some(handshake.initialize.clone())
        } else {
            None
        };
        first.into_iter().chain(handshake.initialized.clone()).chain(streams).collect()
    }
}

/// The same request under the id of a replay.
fn renamed(request: &[u8]) -> Option<Vec<u8>> {
    let mut request: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(request).ok()?;
    request.insert("id".into(), REPLAY.into());
    serde_json::to_vec(&request).ok()
}

/// Whether a line of the client asks for something; answers and notifications do not.
pub(super) fn is_request(line: &[u8]) -> bool {
    serde_json::from_slice::<Head<'_>>(line).is_ok_and(|head| head.id.is_some() && head.method.is_some())
}
