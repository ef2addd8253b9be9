//! A caller as a browser is one: connects over WebRTC, speaks and is silent every 20 ms, pings, and hears.
#![allow(dead_code, reason = "each user has a part of it")]

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use rtc::{
    media_stream::MediaStreamTrack,
    rtp,
    rtp_transceiver::rtp_sender::{
        RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
    },
};
use serde_json::{Value, json};
use switchboard::voice::{
    codec::{Arrived, Decoder},
    reorder::{Next, Reorder},
};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::{Instant, interval, sleep, timeout},
};
use webrtc::{
    data_channel::{DataChannel, DataChannelEvent},
    media_stream::{
        track_local::{TrackLocal, static_rtp::TrackLocalStaticRTP},
        track_remote::{TrackRemote, TrackRemoteEvent},
    },
    peer_connection::{
        MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCIceGatheringState,
        RTCPeerConnectionState, RTCSessionDescription, Registry, configure_rtcp_reports,
    },
};

/// Nothing in a test takes longer on a machine that is busy.
pub const LIMIT: Duration = Duration::from_secs(30);

const SSRC: u32 = 7;
const STEP: usize = 320;

/// A caller before the call: it has an offer.
pub struct Phone {
    connection: Arc<dyn PeerConnection>,
    track: Arc<TrackLocalStaticRTP>,
    channel: Arc<dyn DataChannel>,
    state: watch::Receiver<RTCPeerConnectionState>,
    heard: Arc<Mutex<Vec<Heard>>>,
    /// The offer, with all candidates.
    pub offer: String,
}

/// A caller in a call.
pub struct Caller {
    /// The name of the call.
    pub id: String,
    connection: Arc<dyn PeerConnection>,
    state: watch::Receiver<RTCPeerConnectionState>,
    channel: Arc<dyn DataChannel>,
    texts: mpsc::UnboundedReceiver<String>,
    words: Arc<Mutex<VecDeque<i16>>>,
    heard: Arc<Mutex<Vec<Heard>>>,
    /// Speaks, pings and reads until the caller is dropped.
    _tasks: JoinSet<()>,
}

/// A frame that was heard.
#[derive(Clone, Debug)]
pub struct Heard {
    /// When its packet came.
    pub at: Instant,
    /// Its time in the stream, at 48 kHz.
    pub timestamp: u32,
    /// Whether it was said to be the first after a pause.
    pub marker: bool,
    /// 20 ms at 16 kHz.
    pub samples: Vec<i16>,
}

impl Heard {
    /// Whether there is anything to hear.
    pub fn is_audible(&self) -> bool {
        self.samples.iter().any(|sample| sample.unsigned_abs() > 200)
    }
}

impl Phone {
    /// A new connection with sound and the channel for messages.
    pub async fn new() -> Phone {
        let (state_in, state) = watch::channel(RTCPeerConnectionState::New);
        let (gathered_in, mut gathered) = watch::channel(false);
        let heard = Arc::default();
        let handler = Handler { state: state_in, gathered: gathered_in, heard: Arc::clone(&heard) };
        let mut media = MediaEngine::default();
        let parameters = RTCRtpCodecParameters { rtp_codec: opus(), payload_type: 96 };
        media.register_codec(parameters, RtpCodecKind::Audio).unwrap();
        let connection = PeerConnectionBuilder::new()
            .with_media_engine(media)
            .with_interceptor_registry(configure_rtcp_reports(Registry::new()))
            .with_handler(Arc::new(handler))
            .with_udp_addrs(vec!["127.0.0.1:0"])
            .build()
            .await
            .unwrap();
        let connection: Arc<dyn PeerConnection> = Arc::new(connection);
        let track = Arc::new(TrackLocalStaticRTP::new(microphone()));
        connection.add_track(Arc::clone(&track) as Arc<dyn TrackLocal>).await.unwrap();
        let channel = connection.create_data_channel("chat", None).await.unwrap();
        let offer = connection.create_offer(None).await.unwrap();
        connection.set_local_description(offer).await.unwrap();
        gathered.wait_for(|is_complete| *is_complete).await.unwrap();
        let offer = connection.local_description().await.unwrap().sdp;
        Phone { connection, track, channel, state, heard, offer }
    }

    /// Takes the answer, and waits until the call stands.
    pub async fn connect(mut self, id: &str, answer: &str) -> Caller {
        let answer = RTCSessionDescription::answer(answer.to_owned()).unwrap();
        let payload_type = 96;
        self.connection.set_remote_description(answer).await.unwrap();
        let connected = self.state.wait_for(|state| *state == RTCPeerConnectionState::Connected);
        timeout(LIMIT, connected).await.expect("the caller connects").unwrap();
        let (texts_in, texts) = mpsc::unbounded_channel();
        let (opened_in, opened) = watch::channel(false);
        let words = Arc::<Mutex<VecDeque<i16>>>::default();
        let mut tasks = JoinSet::new();
        tasks.spawn(read(Arc::clone(&self.channel), texts_in, opened_in));
        tasks.spawn(speak(Arc::clone(&self.track), Arc::clone(&words), payload_type));
        tasks.spawn(ping(Arc::clone(&self.channel), opened.clone()));
        let Phone { connection, channel, state, heard, .. } = self;
        let caller = Caller { id: id.into(), connection, state, channel, texts, words, heard, _tasks: tasks };
        let mut opened = opened;
        timeout(LIMIT, opened.wait_for(|it| *it)).await.expect("the channel opens").unwrap();
        caller
    }
}

impl Caller {
    /// Calls as Pipecat's client does: `/start`, and then the offer in the session.
    pub async fn call(server: &str) -> Caller {
        Caller::call_with(server, &json!({})).await
    }

    /// The same with what a page gives along.
    pub async fn call_with(server: &str, body: &Value) -> Caller {
        let phone = Phone::new().await;
        let (_, started) = post(&format!("{server}/start"), &json!({ "transport": "webrtc", "body": body })).await;
        let session = started["sessionId"].as_str().expect("a session").to_owned();
        let offer = json!({ "sdp": phone.offer, "type": "offer", "pc_id": null, "restart_pc": false });
        let (status, answer) = post(&format!("{server}/sessions/{session}/api/offer"), &offer).await;
        assert_eq!(status, 200, "{answer}");
        phone.connect(answer["pc_id"].as_str().unwrap(), answer["sdp"].as_str().unwrap()).await
    }

    /// Comes back to the same call over a new connection.
    pub async fn restart(server: &str, id: &str) -> Caller {
        let phone = Phone::new().await;
        let offer = json!({ "sdp": phone.offer, "type": "offer", "pc_id": id, "restart_pc": true });
        let (status, answer) = post(&format!("{server}/api/offer"), &offer).await;
        assert_eq!(status, 200, "{answer}");
        assert_eq!(answer["pc_id"], id);
        phone.connect(id, answer["sdp"].as_str().unwrap()).await
    }

    /// Finds the way anew over the same connection (ICE restart).
    pub async fn renegotiate(&self, server: &str) {
        self.connection.restart_ice().await.unwrap();
        let offer = self.connection.create_offer(None).await.unwrap();
        self.connection.set_local_description(offer).await.unwrap();
        sleep(Duration::from_millis(300)).await;
        let sdp = self.connection.local_description().await.unwrap().sdp;
        let offer = json!({ "sdp": sdp, "type": "offer", "pc_id": self.id, "restart_pc": false });
        let (status, answer) = post(&format!("{server}/api/offer"), &offer).await;
        assert_eq!((status, &answer["pc_id"]), (200, &json!(self.id)), "{answer}");
        let answer = RTCSessionDescription::answer(answer["sdp"].as_str().unwrap().to_owned()).unwrap();
        self.connection.set_remote_description(answer).await.unwrap();
    }

    /// Says samples at 16 kHz, and returns when they are said.
    pub async fn say(&self, samples: &[i16]) {
        self.words.lock().unwrap().extend(samples);
        while !self.words.lock().unwrap().is_empty() {
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// What was heard so far, frame by frame.
    pub fn frames(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    /// What was heard so far, at 16 kHz, without pauses in which nothing was sent.
    pub fn heard(&self) -> Vec<i16> {
        self.heard.lock().unwrap().iter().flat_map(|frame| frame.samples.clone()).collect()
    }

    /// Sends a message.
    pub async fn text(&self, text: &str) {
        self.channel.send_text(text).await.unwrap();
    }

    /// The next message.
    pub async fn next_text(&mut self) -> String {
        timeout(LIMIT, self.texts.recv()).await.expect("a message comes").expect("the channel is open")
    }

    /// Tells that its page is ready, and hears the greeting.
    pub async fn is_greeted(&mut self) {
        let ready = json!({ "label": "rtvi-ai", "type": "client-ready", "id": "1", "data": { "version": "2.2.0" } });
        self.text(&ready.to_string()).await;
        self.until("bot-stopped-speaking").await;
    }

    /// Waits for a message of a kind.
    pub async fn until(&mut self, kind: &str) {
        loop {
            let message: Value = serde_json::from_str(&self.next_text().await).unwrap();
            if message["type"] == kind {
                return;
            }
        }
    }

    /// Waits until the other side has closed the channel.
    pub async fn is_left(&mut self) {
        let end = async { while self.texts.recv().await.is_some() {} };
        timeout(LIMIT, end).await.expect("the channel is closed");
    }

    /// Hangs up, as a page that is closed does.
    pub async fn hang_up(self) {
        self.connection.close().await.unwrap();
    }

    /// How the connection is.
    pub fn state(&self) -> RTCPeerConnectionState {
        *self.state.borrow()
    }
}

/// Posts JSON and gives the status with the body; null where it is none.
pub async fn post(url: &str, body: &Value) -> (u16, Value) {
    sent(http().post(url).json(body)).await
}

/// Sends a request and gives the status with the body; null where it is no JSON.
pub async fn sent(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let body = response.bytes().await.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

/// A client that is not ours.
pub fn http() -> reqwest::Client {
    // Only a second call fails, and then there is one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

struct Handler {
    state: watch::Sender<RTCPeerConnectionState>,
    gathered: watch::Sender<bool>,
    heard: Arc<Mutex<Vec<Heard>>>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        self.gathered.send_replace(state == RTCIceGatheringState::Complete);
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        self.state.send_replace(state);
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        tokio::spawn(listen(track, Arc::clone(&self.heard)));
    }
}

async fn listen(track: Arc<dyn TrackRemote>, heard: Arc<Mutex<Vec<Heard>>>) {
    let mut reorder = Reorder::default();
    let mut decoder = Decoder::default();
    while let Some(event) = track.poll().await {
        let TrackRemoteEvent::OnRtpPacket(packet) = event else { continue };
        let at = Instant::now();
        let (timestamp, marker) = (packet.header.timestamp, packet.header.marker);
        let ready = reorder.push(packet.header.sequence_number, packet.payload.to_vec());
        for (n, next) in ready.iter().enumerate() {
            let arrived = match (next, ready.get(n + 1)) {
                (Next::Packet(packet), _) => Arrived::Packet(packet),
                (Next::Lost, Some(Next::Packet(next))) => Arrived::Before(next),
                (Next::Lost, _) => Arrived::Lost,
            };
            let samples = decoder.decode(arrived);
            heard.lock().unwrap().push(Heard { at, timestamp, marker, samples });
        }
    }
}

async fn read(channel: Arc<dyn DataChannel>, texts: mpsc::UnboundedSender<String>, opened: watch::Sender<bool>) {
    while let Some(event) = channel.poll().await {
        match event {
            DataChannelEvent::OnOpen => {
                opened.send_replace(true);
            }
            DataChannelEvent::OnMessage(message) => {
                let _ = texts.send(String::from_utf8(message.data.to_vec()).unwrap());
            }
            DataChannelEvent::OnClosing | DataChannelEvent::OnClose => return,
            _ => {}
        }
    }
}

async fn speak(track: Arc<TrackLocalStaticRTP>, words: Arc<Mutex<VecDeque<i16>>>, payload_type: u8) {
    // As a browser does it: redundant, for a network that loses something.
    let mut encoder = ropus::Encoder::builder(16_000, ropus::Channels::Mono, ropus::Application::Voip)
        .bitrate(ropus::Bitrate::Bits(32_000))
        .complexity(5)
        .inband_fec(ropus::InbandFec::Enabled)
        .packet_loss_perc(10)
        .build()
        .unwrap();
    let mut clock = interval(Duration::from_millis(20));
    for n in 0_u32.. {
        clock.tick().await;
        let mut frame = {
            let mut words = words.lock().unwrap();
            let count = words.len().min(STEP);
            words.drain(..count).collect::<Vec<_>>()
        };
        frame.resize(STEP, 0);
        let mut packet = vec![0; 1_276];
        let length = encoder.encode(&frame, &mut packet).unwrap();
        packet.truncate(length);
        let header = rtp::Header {
            version: 2,
            payload_type,
            sequence_number: n as u16,
            timestamp: n.wrapping_mul(960),
            ssrc: SSRC,
            ..Default::default()
        };
        let _ = track.write_rtp(rtp::Packet { header, payload: packet.into() }).await;
    }
}

async fn ping(channel: Arc<dyn DataChannel>, mut opened: watch::Receiver<bool>) {
    if opened.wait_for(|it| *it).await.is_err() {
        return;
    }
    let mut clock = interval(Duration::from_secs(1));
    loop {
        clock.tick().await;
        let _ = channel.send_text("ping: 1764000000000").await;
    }
}

fn opus() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: "audio/opus".into(),
        clock_rate: 48_000,
        channels: 2,
        sdp_fmtp_line: "minptime=10;useinbandfec=1".into(),
        rtcp_feedback: vec![],
    }
}

fn microphone() -> MediaStreamTrack {
    let coding = RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(SSRC), ..Default::default() },
        active: true,
        codec: opus(),
        ..Default::default()
    };
    MediaStreamTrack::new("caller".into(), "microphone".into(), "microphone".into(), RtpCodecKind::Audio, vec![coding])
}

/// The samples of a clip at 16 kHz.
pub fn clip(name: &str) -> Vec<i16> {
    let path = format!("{}/tests/voice/clips/{name}.wav", env!("CARGO_MANIFEST_DIR"));
    hound::WavReader::open(path).unwrap().into_samples().map(Result::unwrap).collect()
}

/// The same sound at 24 kHz, as speech services give it.
pub fn faster(samples: &[i16]) -> Vec<i16> {
    let at = |n: isize| usize::try_from(n).ok().and_then(|n| samples.get(n)).map_or(0.0, |x| f64::from(*x));
    let sinc =
        |x: f64| if x.abs() < 1e-9 { 1.0 } else { (x * std::f64::consts::PI).sin() / (x * std::f64::consts::PI) };
    let window = |x: f64| 0.5 + 0.5 * (x * std::f64::consts::PI / 17.0).cos();
    let sample = |n: usize| {
        let place = n as f64 / 1.5;
        let middle = place as isize;
        let taps = (middle - 16..=middle + 16).map(|k| at(k) * sinc(place - k as f64) * window(place - k as f64));
        taps.sum::<f64>() as i16
    };
    (0..samples.len() * 3 / 2).map(sample).collect()
}
