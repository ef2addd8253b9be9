//! A call from its first packet to its last: three small tasks around one owner of what is known.
//!
//! The owner hears and notices who is there. Beside it one task plays, because a clock waits for nobody, and one sends
//! texts, because a slow channel must hold up neither.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, sleep, sleep_until, timeout},
};
use webrtc::{data_channel::DataChannel, peer_connection::RTCPeerConnectionState as State};

use super::{
    Candidate, Peer, Reach, Refused,
    connection::{Connection, Happened},
    hearing::Hearing,
    inbox::Excess,
    playout::Playout,
    presence::{Change, Presence, Sign},
};
use crate::voice::{
    line::{Carrier, Event, Player},
    rtvi::Said,
    texts::Texts,
};

/// How often the round trip is looked at.
const MEASURES: Duration = Duration::from_secs(5);

/// A conversation that is behind by so many events is stuck: 20 s of sound.
const STUCK: usize = 1_000;

/// After the end, so long goes by for what is still under way.
const LINGERS: Duration = Duration::from_millis(200);

/// How long the last texts may take.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Tells a page that the agent has left (Pipecat's `SmallWebRTC`).
const LEFT: &str = r#"{"type":"signalling","message":{"type":"peerLeft"}}"#;

type Channel = Option<Arc<dyn DataChannel>>;

/// The handle of a call that is under way. When it is dropped, the call goes on until one side ends it.
#[derive(Debug)]
pub struct Call {
    connection: Mutex<Arc<Connection>>,
    orders: mpsc::Sender<Order>,
}

#[derive(Debug)]
enum Order {
    Replace(Box<Peer>),
    HangUp,
}

impl Call {
    /// Begins a call. `can_return` says whether the client knows how to come back with [`replace`](Self::replace).
    /// `connected` is told once the caller can be heard for the first time. The future is the call; it ends with it.
    pub fn begin(
        peer: Peer,
        carrier: Carrier,
        can_return: bool,
        connected: oneshot::Sender<()>,
    ) -> (Call, impl Future<Output = ()> + Send) {
        let (orders, taken) = mpsc::channel(4);
        let call = Call { connection: Mutex::new(Arc::clone(&peer.connection)), orders };
        (call, Under::begin(peer, carrier, can_return, connected).run(taken))
    }

    fn connection(&self) -> Arc<Connection> {
        Arc::clone(&self.connection.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Answers a later offer on the connection that there is.
    ///
    /// # Errors
    /// [`Refused`] when it does not fit.
    pub async fn renegotiate(&self, offer: &str, reach: Reach) -> Result<String, Refused> {
        self.connection().answer(offer, reach).await
    }

    /// Takes in a candidate of the caller.
    ///
    /// # Errors
    /// [`Refused`] when it is none.
    pub async fn candidate(&self, candidate: Candidate, reach: Reach) -> Result<(), Refused> {
        self.connection().candidate(candidate, reach).await
    }

    /// Goes on over a new connection, with the same conversation.
    pub async fn replace(&self, peer: Peer) {
        *self.connection.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&peer.connection);
        // If nobody takes it, the call has ended in the meantime.
        let _ = self.orders.send(Order::Replace(Box::new(peer))).await;
    }

    /// Ends the call.
    pub async fn hang_up(&self) {
        let _ = self.orders.send(Order::HangUp).await;
    }
}

/// What is known of a call.
struct Under {
    peer: Peer,
    hearing: Hearing,
    presence: Presence,
    /// Who waits for the caller to be there.
    connected: Option<oneshot::Sender<()>>,
    is_lost: bool,
    events: mpsc::Sender<Event>,
    /// Events that the conversation has not taken yet. They wait here, so that this task never does.
    untold: VecDeque<Event>,
    /// Where sound goes out, while the caller is there.
    outlet: watch::Sender<Option<Arc<Connection>>>,
    channel: watch::Sender<Channel>,
    playing: JoinSet<()>,
    sending: JoinSet<()>,
}

/// The call has ended.
#[derive(Debug)]
struct Ended;

impl Under {
    fn begin(peer: Peer, carrier: Carrier, can_return: bool, connected: oneshot::Sender<()>) -> Under {
        let Carrier { events, texts, player } = carrier;
        let (outlet, outlets) = watch::channel(None);
        let (channel, channels) = watch::channel(None);
        let mut playing = JoinSet::new();
        playing.spawn(play(player, outlets, events.clone()));
        let mut sending = JoinSet::new();
        sending.spawn(send(texts, channels));
        let presence = Presence::new(Instant::now(), can_return);
        let hearing = Hearing::default();
        Under {
            peer,
            hearing,
            presence,
            connected: Some(connected),
            is_lost: false,
            events,
            untold: VecDeque::new(),
            outlet,
            channel,
            playing,
            sending,
        }
    }

    /// Runs it to its end. Dropping what is left ends both tasks and closes the connection.
    async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        let mut measures = interval(MEASURES);
        measures.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let events = self.events.clone();
        let mut is_listened_to = true;
        loop {
            let due = self.due();
            let went_on = tokio::select! {
                // What has come counts before the time that has passed: after a moment in which this machine stood
                // still, there are signs of life before there is a reason to miss them.
                biased;
                permit = events.reserve(), if is_listened_to && !self.untold.is_empty() => {
                    if let (Ok(permit), Some(event)) = (permit, self.untold.pop_front()) {
                        permit.send(event);
                    }
                    Ok(())
                }
                // Its last words may still be on their way.
                () = events.closed(), if is_listened_to => { is_listened_to = false; self.sign(Sign::HungUp) }
                Some(order) = orders.recv() => self.obey(order),
                Ok(()) = self.peer.state.changed() => self.state_changed(),
                Some(happened) = self.peer.happened.recv() => self.happened(happened),
                // The conversation has ended, and its last words are sent.
                _ = self.sending.join_next() => { sleep(LINGERS).await; Err(Ended) }
                () = sleep_until(due) => self.passed(),
                _ = measures.tick() => { self.measure().await; Ok(()) }
            };
            if went_on.and_then(|()| self.keeps_up()).is_err() {
                break;
            }
        }
        self.playing.abort_all();
    }

    fn obey(&mut self, order: Order) -> Result<(), Ended> {
        match order {
            Order::Replace(peer) => self.replace(*peer),
            Order::HangUp => Err(Ended),
        }
    }

    fn keeps_up(&mut self) -> Result<(), Ended> {
        if self.events.is_closed() {
            self.untold.clear();
        }
        if self.untold.len() < STUCK {
            return Ok(());
        }
        tracing::error!("a conversation is stuck; its call is ended");
        Err(Ended)
    }

    fn due(&self) -> Instant {
        let silence = self.hearing.due().filter(|_| !self.is_lost);
        let far = Instant::now() + MEASURES;
        silence.into_iter().chain(self.presence.due()).min().unwrap_or(far)
    }

    fn happened(&mut self, happened: Happened) -> Result<(), Ended> {
        match happened {
            Happened::Packet { sequence, payload } => {
                let frames = self.hearing.packet(Instant::now(), sequence, payload);
                self.untold.extend(frames.into_iter().map(Event::Sound));
            }
            Happened::Opened(channel) => {
                self.channel.send_replace(Some(channel));
            }
            Happened::Text(text) => match Said::read(&text) {
                Said::Ping => return self.sign(Sign::Ping),
                Said::Unknown => {}
                said => self.untold.push_back(Event::Said(said)),
            },
            Happened::TooMuch(why) => self.untold.push_back(Event::Said(Said::TooMuch(match why {
                Excess::Size => "a message was left out, because it is larger than 32 KiB",
                Excess::Pace => "messages were left out, because there were more than 20 a second",
            }))),
            Happened::Closed => return self.sign(Sign::HungUp),
        }
        Ok(())
    }

    fn state_changed(&mut self) -> Result<(), Ended> {
        let state = *self.peer.state.borrow_and_update();
        tracing::debug!(?state, "the connection of a call");
        match state {
            State::Connected => self.sign(Sign::Connected),
            State::Disconnected | State::Failed => self.sign(Sign::Disconnected),
            State::Closed => self.sign(Sign::HungUp),
            _ => Ok(()),
        }
    }

    fn replace(&mut self, peer: Peer) -> Result<(), Ended> {
        self.outlet.send_replace(None);
        self.channel.send_replace(None);
        self.peer = peer;
        self.hearing = Hearing::default();
        self.sign(Sign::Replaced)
    }

    fn passed(&mut self) -> Result<(), Ended> {
        let now = Instant::now();
        if !self.is_lost {
            self.untold.extend(self.hearing.silence(now).into_iter().map(Event::Sound));
        }
        let change = self.presence.passed(now);
        self.changed(change)
    }

    fn sign(&mut self, sign: Sign) -> Result<(), Ended> {
        let change = self.presence.on(Instant::now(), sign);
        // A connection that stands is an outlet also where nothing changes for the conversation: a new one after a
        // hang-up that was none.
        if sign == Sign::Connected {
            self.outlet.send_replace(Some(Arc::clone(&self.peer.connection)));
        }
        self.changed(change)
    }

    fn changed(&mut self, change: Option<Change>) -> Result<(), Ended> {
        match change {
            None => {}
            Some(Change::Here { again }) => {
                self.is_lost = false;
                // Whoever does not wait any more has no use for it.
                let _ = self.connected.take().map(|connected| connected.send(()));
                self.outlet.send_replace(Some(Arc::clone(&self.peer.connection)));
                self.untold.extend(again.then_some(Event::Back));
            }
            Some(Change::Lost) => {
                self.is_lost = true;
                self.outlet.send_replace(None);
                self.untold.push_back(Event::Lost);
            }
            Some(Change::Gone) => return Err(Ended),
        }
        Ok(())
    }

    async fn measure(&mut self) {
        self.untold.extend(self.peer.connection.round_trip().await.map(Event::RoundTrip));
    }
}

/// Plays, as long as the call goes on. Nothing is played to a caller who is not there.
async fn play(player: Player, mut outlets: watch::Receiver<Option<Arc<Connection>>>, events: mpsc::Sender<Event>) {
    let mut playout = Playout::new(rand::random(), rand::random());
    let mut untold = VecDeque::new();
    loop {
        let Ok(outlet) = outlets.wait_for(Option::is_some).await.map(|outlet| outlet.clone()) else { return };
        let next = async {
            match playout.due() {
                Some(due) => sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = next => {}
            () = player.woken(), if playout.may_hurry() => {}
            _ = outlets.changed() => continue,
        }
        let (packet, event) = playout.frame(Instant::now(), &mut player.mouth());
        if let (Some(packet), Some(outlet)) = (packet, outlet) {
            outlet.send(packet).await;
        }
        untold.extend(event);
        // Only for room, in order: the clock does not wait for the conversation.
        while let Some(event) = untold.pop_front() {
            if let Err(mpsc::error::TrySendError::Full(event)) = events.try_send(event) {
                untold.push_front(event);
                break;
            }
        }
    }
}

/// Sends texts until the conversation has no more, and then that it has left.
async fn send(mut texts: mpsc::Receiver<String>, mut channels: watch::Receiver<Channel>) {
    let mut outbox = Outbox::default();
    loop {
        tokio::select! {
            is_open = outbox.ready() => outbox.send(is_open).await,
            text = texts.recv() => match text {
                Some(text) => outbox.push(text),
                None => break,
            },
            changed = channels.changed() => match changed {
                Ok(()) => outbox.channel.clone_from(&channels.borrow_and_update()),
                Err(_) => return,
            },
        }
    }
    outbox.push(LEFT.to_owned());
    // Nobody waits longer for a caller who does not take it.
    let _ = timeout(LAST_WORDS, outbox.flush()).await;
}

/// Texts on their way to a channel.
#[derive(Default)]
struct Outbox {
    waiting: Texts,
    channel: Channel,
}

impl Outbox {
    fn push(&mut self, text: String) {
        self.waiting.push(text);
    }

    /// Waits until a text can be sent, and tells whether the channel is still open. Nothing is lost when the waiting is
    /// given up.
    async fn ready(&self) -> bool {
        match &self.channel {
            Some(channel) if !self.waiting.is_empty() => channel.writable().await.is_ok(),
            _ => std::future::pending().await,
        }
    }

    /// Sends the first text, for which there is room now.
    async fn send(&mut self, is_open: bool) {
        let Some(channel) = self.channel.as_ref().filter(|_| is_open) else {
            self.channel = None;
            return;
        };
        let Some(text) = self.waiting.pop() else { return };
        if let Err(error) = channel.send_text(&text).await {
            tracing::debug!(%error, "a message of a call was not sent");
        }
    }

    async fn flush(&mut self) {
        while self.channel.is_some() && !self.waiting.is_empty() {
            let is_open = self.ready().await;
            self.send(is_open).await;
        }
    }
}
