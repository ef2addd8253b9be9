//! One WebRTC connection to a caller: answers their offer, and carries packets and texts.
//!
//! `webrtc` 0.21 does the work, known to this folder only; its versions are pinned because they may break until 1.0.
//! Its callbacks run on the task that drives the connection, so they never wait.

use std::{
    fmt,
    net::UdpSocket,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use rtc::{
    media_stream::MediaStreamTrack,
    peer_connection::configuration::setting_engine::SctpMaxMessageSize,
    rtp,
    rtp_transceiver::rtp_sender::{
        RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
    },
    statistics::report::RTCStatsReportEntry,
};
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};
use webrtc::{
    data_channel::{DataChannel, DataChannelEvent},
    media_stream::{
        track_local::{TrackLocal, static_rtp::TrackLocalStaticRTP},
        track_remote::{TrackRemote, TrackRemoteEvent},
    },
    peer_connection::{
        MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCConfigurationBuilder,
        RTCIceCandidateInit, RTCIceGatheringState, RTCIceServer, RTCPeerConnectionState, RTCSessionDescription,
        Registry, SettingEngineBuilder, StatsSelector, configure_rtcp_reports,
    },
};

use super::{
    Candidate, Refused, Settings,
    candidates::{self, Reach},
    inbox::{self, Excess, Inbox, Taken},
    playout::Outgoing,
    sdp,
};
use crate::voice::codec::CLOCK_RATE;

/// The label of the channel for messages (Pipecat's clients).
const CHANNEL: &str = "chat";

/// How long candidates are looked for: those of this machine are there at once, a STUN server answers in a round trip.
const GATHERS: Duration = Duration::from_secs(2);

/// So many bytes wait at most on the channel for a slow network; then whoever sends waits.
const MOST_WAITING: usize = 256 * 1024;

/// So many things wait at most between a connection and its call: seconds of sound.
const EVENTS: usize = 256;

/// So many bytes that the caller sent may wait to be read.
const MOST_UNREAD: u32 = 256 * 1024;

/// What is announced as the largest message; see [`inbox`].
#[expect(clippy::cast_possible_truncation, reason = "it is a small number")]
const LARGEST_MESSAGE: u32 = inbox::LARGEST as u32;

/// No client opens more channels; each takes memory.
const MOST_CHANNELS: usize = 8;

/// Without anything from the caller for so long, the connection counts as broken.
const DISCONNECTED: Duration = Duration::from_secs(4);

/// And for so much longer, as failed.
const FAILED: Duration = Duration::from_secs(20);

/// How often the way to the caller is tried when nothing else is sent.
const KEEP_ALIVE: Duration = Duration::from_secs(1);

/// What comes over a connection.
pub enum Happened {
    /// A packet of sound.
    Packet {
        /// Its number.
        sequence: u16,
        /// What is in it.
        payload: Vec<u8>,
    },
    /// The channel for messages is open.
    Opened(Arc<dyn DataChannel>),
    /// A message.
    Text(String),
    /// Messages were left out.
    TooMuch(Excess),
    /// The channel for messages, or the only stream of sound, was closed by the other side.
    Closed,
}

/// A connection with what comes over it.
pub struct Peer {
    /// The connection.
    pub connection: Arc<Connection>,
    /// What comes over it.
    pub happened: mpsc::Receiver<Happened>,
    /// How it is.
    pub state: watch::Receiver<RTCPeerConnectionState>,
}

/// A connection. When it is dropped, it is closed.
pub struct Connection {
    inner: Arc<dyn PeerConnection>,
    track: Arc<TrackLocalStaticRTP>,
    ssrc: u32,
    /// What the answer agreed on for Opus.
    payload_type: AtomicU8,
    has_gathered: watch::Receiver<bool>,
    settings: Arc<Settings>,
    /// How many candidates of the caller are being tried.
    candidates: AtomicUsize,
}

impl Peer {
    /// Answers an offer: gives the connection that waits for the caller, and the answer.
    ///
    /// # Errors
    /// [`Refused`] when the offer is none that a call can come of, or no port is free.
    pub async fn answer(settings: &Arc<Settings>, offer: &str, reach: Reach) -> Result<(Peer, String), Refused> {
        let offer = sdp::admit(offer, reach)?;
        let (happened_in, happened) = mpsc::channel(EVENTS);
        let (state_in, state) = watch::channel(RTCPeerConnectionState::New);
        let (gathered_in, has_gathered) = watch::channel(false);
        let handler = Handler {
            happened: happened_in,
            state: state_in,
            gathered: gathered_in,
            listens: Arc::default(),
            channels: AtomicUsize::default(),
        };
        let inner = Box::pin(build(settings, handler)).await?;
        let ssrc = rand::random();
        let track = Arc::new(TrackLocalStaticRTP::new(agent(ssrc)));
        let settings = Arc::clone(settings);
        let (payload_type, candidates) = (AtomicU8::default(), AtomicUsize::default());
        let connection = Connection { inner, track, ssrc, payload_type, has_gathered, settings, candidates };
        let sound: Arc<dyn TrackLocal> = Arc::clone(&connection.track) as _;
        connection.inner.add_track(sound).await.map_err(Refused::because)?;
        let answer = connection.take(offer).await?;
        Ok((Peer { connection: Arc::new(connection), happened, state }, answer))
    }
}

impl Connection {
    /// Answers a later offer.
    ///
    /// # Errors
    /// [`Refused`] when it does not fit.
    pub async fn answer(&self, offer: &str, reach: Reach) -> Result<String, Refused> {
        self.take(sdp::admit(offer, reach)?).await
    }

    async fn take(&self, offer: sdp::Offer) -> Result<String, Refused> {
        self.candidates.store(offer.candidates, Ordering::Relaxed);
        let offer = RTCSessionDescription::offer(offer.sdp).map_err(Refused::because)?;
        self.inner.set_remote_description(offer).await.map_err(Refused::because)?;
        let answer = self.inner.create_answer(None).await.map_err(Refused::because)?;
        let payload_type = sdp::payload_type(&answer.sdp)
            .ok_or_else(|| Refused::Offer("the offer's audio and this server have no codec in common".into()))?;
        self.payload_type.store(payload_type, Ordering::Relaxed);
        self.inner.set_local_description(answer.clone()).await.map_err(Refused::because)?;
        let mut has_gathered = self.has_gathered.clone();
        if tokio::time::timeout(GATHERS, has_gathered.wait_for(|it| *it)).await.is_err() {
            tracing::debug!("not all addresses for a call were found in time; it is tried with those that were");
        }
        let described = self.inner.local_description().await.map_or(answer.sdp, |described| described.sdp);
        Ok(sdp::publish(&described, &self.settings.public))
    }

    /// Takes in a candidate of the caller that came after the offer.
    ///
    /// # Errors
    /// [`Refused`] when it is none, or one too many.
    pub async fn candidate(&self, candidate: Candidate, reach: Reach) -> Result<(), Refused> {
        if candidate.candidate.is_empty() {
            return Ok(());
        }
        let to = candidates::destination(&candidate.candidate).map_err(|why| Refused::Offer(why.into()))?;
        if !to.is_some_and(|to| reach.allows(to.ip())) {
            return Ok(());
        }
        if candidate.sdp_mid.as_ref().is_some_and(|mid| mid.len() > candidates::LONGEST) {
            return Err(Refused::Offer("a candidate's section has a name longer than any has".into()));
        }
        if self.candidates.fetch_add(1, Ordering::Relaxed) >= candidates::MOST {
            self.candidates.store(candidates::MOST, Ordering::Relaxed);
            return Err(Refused::TooMany);
        }
        let candidate = RTCIceCandidateInit {
            candidate: candidate.candidate,
            sdp_mid: candidate.sdp_mid,
            sdp_mline_index: candidate.sdp_mline_index,
            ..Default::default()
        };
        self.inner.add_ice_candidate(candidate).await.map_err(Refused::because)
    }

    /// Sends sound.
    pub async fn send(&self, out: Outgoing) {
        let header = rtp::Header {
            version: 2,
            marker: out.marker,
            payload_type: self.payload_type.load(Ordering::Relaxed),
            sequence_number: out.sequence,
            timestamp: out.timestamp,
            ssrc: self.ssrc,
            ..Default::default()
        };
        let packet = rtp::Packet { header, payload: out.payload.into() };
        if let Err(error) = self.track.write_rtp(packet).await {
            tracing::debug!(%error, "a packet of a call was not sent");
        }
    }

    /// How long a packet needs there and back: as the caller's reports say, else as the connection's own tries do.
    pub async fn round_trip(&self) -> Option<Duration> {
        let report = self.inner.get_stats(std::time::Instant::now(), StatsSelector::None).await;
        let told = report.iter().filter_map(|entry| match entry {
            RTCStatsReportEntry::RemoteInboundRtp(stats) => Some(stats.round_trip_time),
            _ => None,
        });
        let tried = report.candidate_pairs().map(|pair| pair.current_round_trip_time);
        let seconds = told.chain(tried).find(|seconds| *seconds > 0.0)?;
        Duration::try_from_secs_f64(seconds).ok()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let inner = Arc::clone(&self.inner);
        tokio::spawn(async move {
            if let Err(error) = inner.close().await {
                tracing::debug!(%error, "a connection was not closed in order");
            }
        });
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("ssrc", &self.ssrc).finish_non_exhaustive()
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").field("connection", &self.connection).finish_non_exhaustive()
    }
}

/// Builds a connection on the first free port.
async fn build(settings: &Settings, handler: Handler) -> Result<Arc<dyn PeerConnection>, Refused> {
    let mut media = MediaEngine::default();
    media
        .register_codec(RTCRtpCodecParameters { rtp_codec: opus(), payload_type: 111 }, RtpCodecKind::Audio)
        .map_err(Refused::because)?;
    let servers = settings.ice_servers.iter().map(|server| RTCIceServer {
        urls: vec![server.url.clone()],
        username: server.username.clone(),
        credential: server.credential.expose().to_owned(),
    });
    let engine = SettingEngineBuilder::new()
        .with_ice_timeouts(Some(DISCONNECTED), Some(FAILED), Some(KEEP_ALIVE))
        .with_multicast_dns_mode(rtc::ice::mdns::MulticastDnsMode::Disabled)
        .with_sctp_max_message_size(SctpMaxMessageSize::Bounded(LARGEST_MESSAGE))
        .with_sctp_max_receive_buffer_size(MOST_UNREAD)
        .build();
    let port = free_port(settings)?;
    let building = PeerConnectionBuilder::new()
        .with_configuration(RTCConfigurationBuilder::default().with_ice_servers(servers.collect()).build())
        .with_media_engine(media)
        .with_interceptor_registry(configure_rtcp_reports(Registry::new()))
        .with_setting_engine(engine)
        .with_data_channel_send_buffer_limit(MOST_WAITING)
        .with_handler(Arc::new(handler))
        .with_udp_addrs(settings.sockets(port))
        .build();
    let connection = Box::pin(building).await.map_err(Refused::because)?;
    Ok(Arc::new(connection))
}

/// A port that is free on all addresses, or 0 where any will do.
fn free_port(settings: &Settings) -> Result<u16, Refused> {
    let Some(ports) = settings.ports else { return Ok(0) };
    let is_free = |port: &u16| settings.sockets(*port).iter().all(|socket| UdpSocket::bind(socket).is_ok());
    ports.from(rand::random()).find(is_free).ok_or(Refused::NoPort(ports))
}

/// Opus as it is always offered (RFC 7587 §7: two channels and 48 kHz, whatever it carries).
fn opus() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: "audio/opus".into(),
        clock_rate: CLOCK_RATE,
        channels: 2,
        sdp_fmtp_line: "minptime=10;useinbandfec=1".into(),
        rtcp_feedback: vec![],
    }
}

fn agent(ssrc: u32) -> MediaStreamTrack {
    let coding = RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(ssrc), ..Default::default() },
        active: true,
        codec: opus(),
        ..Default::default()
    };
    let name = || "agent".to_owned();
    MediaStreamTrack::new(name(), name(), name(), RtpCodecKind::Audio, vec![coding])
}

/// What the connection tells.
struct Handler {
    happened: mpsc::Sender<Happened>,
    state: watch::Sender<RTCPeerConnectionState>,
    gathered: watch::Sender<bool>,
    /// Whether somebody listens to a stream of sound already: one caller is listened to, not two at once.
    listens: Arc<AtomicBool>,
    /// How many channels the caller has opened.
    channels: AtomicUsize,
}

#[async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        self.gathered.send_replace(state == RTCIceGatheringState::Complete);
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        self.state.send_replace(state);
    }

    async fn on_data_channel(&self, channel: Arc<dyn DataChannel>) {
        if self.channels.fetch_add(1, Ordering::Relaxed) >= MOST_CHANNELS {
            tracing::debug!("a caller opens one channel after the other");
            let happened = self.happened.clone();
            tokio::spawn(async move {
                let _ = channel.close().await;
                let _ = happened.send(Happened::Closed).await;
            });
            return;
        }
        tokio::spawn(read(channel, self.happened.clone()));
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        tokio::spawn(listen(track, self.happened.clone(), Arc::clone(&self.listens)));
    }
}

async fn read(channel: Arc<dyn DataChannel>, happened: mpsc::Sender<Happened>) {
    match channel.label().await {
        Ok(label) if label == CHANNEL => {}
        label => return tracing::debug!(?label, "a channel that nobody reads here"),
    }
    // Whoever does not take them any more has ended the call.
    let _ = happened.send(Happened::Opened(Arc::clone(&channel))).await;
    let mut inbox = Inbox::new(Instant::now());
    while let Some(event) = channel.poll().await {
        match event {
            DataChannelEvent::OnMessage(message) => {
                let what = match inbox.take(Instant::now(), message.data.len()) {
                    Taken::Yes if message.is_string => {
                        Happened::Text(String::from_utf8_lossy(&message.data).into_owned())
                    }
                    Taken::LeftOut(Some(why)) => Happened::TooMuch(why),
                    Taken::Yes | Taken::LeftOut(None) => continue,
                };
                if happened.send(what).await.is_err() {
                    return;
                }
            }
            DataChannelEvent::OnClosing | DataChannelEvent::OnClose => break,
            _ => {}
        }
    }
    let _ = happened.send(Happened::Closed).await;
}

async fn listen(track: Arc<dyn TrackRemote>, happened: mpsc::Sender<Happened>, listens: Arc<AtomicBool>) {
    if track.kind().await != RtpCodecKind::Audio || listens.swap(true, Ordering::AcqRel) {
        return;
    }
    while let Some(event) = track.poll().await {
        match event {
            TrackRemoteEvent::OnRtpPacket(packet) => {
                let sequence = packet.header.sequence_number;
                // When the call cannot keep up, sound is what may be lost.
                let _ = happened.try_send(Happened::Packet { sequence, payload: packet.payload.to_vec() });
            }
            TrackRemoteEvent::OnEnding | TrackRemoteEvent::OnEnded => break,
            _ => {}
        }
    }
    listens.store(false, Ordering::Release);
}
