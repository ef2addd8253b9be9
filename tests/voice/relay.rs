//! The network between a caller and the exchange, which loses, mixes up and is cut.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use serde_json::json;
use tokio::{net::UdpSocket, task::JoinSet};

use crate::caller::{Caller, Phone, post};

/// Passes on what a caller and the exchange send each other.
pub struct Relay {
    address: SocketAddr,
    weather: Arc<Weather>,
    _tasks: JoinSet<()>,
}

#[derive(Default)]
struct Weather {
    /// Of a thousand packets, so many are lost.
    lost: AtomicU32,
    /// Of a thousand packets, so many come after the next one.
    late: AtomicU32,
    seed: AtomicU32,
}

impl Weather {
    /// Whether something that happens so often of a thousand times happens now. The same in every run.
    fn strikes(&self, often: &AtomicU32) -> bool {
        let next = |seed: u32| seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let seed = self.seed.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |seed| Some(next(seed))).unwrap();
        (next(seed) >> 8) % 1_000 < often.load(Ordering::Relaxed)
    }
}

/// A caller who reaches the exchange through a relay only.
pub async fn call(server: &str) -> (Caller, Relay) {
    let phone = Phone::new().await;
    let hidden = phone.offer.lines().filter(|line| !line.starts_with("a=candidate"));
    let hidden = hidden.map(|line| line.to_owned() + "\r\n").collect::<String>();
    let (_, answer) = post(&format!("{server}/api/offer"), &json!({ "sdp": hidden, "type": "offer" })).await;
    let (relay, through) = Relay::before(answer["sdp"].as_str().unwrap()).await;
    (phone.connect(answer["pc_id"].as_str().unwrap(), &through).await, relay)
}

impl Relay {
    /// A relay in front of what an answer names, and the answer with its address.
    async fn before(answer: &str) -> (Relay, String) {
        let line = answer.lines().find(|line| line.starts_with("a=candidate:")).expect("a candidate");
        let fields = line.split(' ').collect::<Vec<_>>();
        let exchange = format!("{}:{}", fields[4], fields[5]).parse().unwrap();
        let relay = Relay::to(exchange).await;
        let ours = format!(" 127.0.0.1 {} ", relay.address.port());
        (relay, answer.replace(&format!(" {} {} ", fields[4], fields[5]), &ours))
    }

    async fn to(exchange: SocketAddr) -> Relay {
        let front = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let back = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        back.connect(exchange).await.unwrap();
        let address = front.local_addr().unwrap();
        let weather = Arc::new(Weather::default());
        let mut tasks = JoinSet::new();
        tasks.spawn(pass(front, back, Arc::clone(&weather)));
        Relay { address, weather, _tasks: tasks }
    }

    /// Loses so many of a thousand packets from now on, each way.
    pub fn lose(&self, of_a_thousand: u32) {
        self.weather.lost.store(of_a_thousand, Ordering::Relaxed);
    }

    /// Lets so many of a thousand packets come after the next one from now on, each way.
    pub fn mix(&self, of_a_thousand: u32) {
        self.weather.late.store(of_a_thousand, Ordering::Relaxed);
    }
}

async fn pass(front: Arc<UdpSocket>, back: Arc<UdpSocket>, weather: Arc<Weather>) {
    let (mut to_back, mut to_front) = ([0; 2_048], [0; 2_048]);
    let (mut late_back, mut late_front) = (None::<Vec<u8>>, None::<Vec<u8>>);
    let mut caller = None;
    loop {
        tokio::select! {
            Ok((length, from)) = front.recv_from(&mut to_back) => {
                caller = Some(from);
                for packet in weather.over(&to_back[..length], &mut late_back) {
                    let _ = back.send(&packet).await;
                }
            }
            Ok(length) = back.recv(&mut to_front) => if let Some(caller) = caller {
                for packet in weather.over(&to_front[..length], &mut late_front) {
                    let _ = front.send_to(&packet, caller).await;
                }
            },
            else => return,
        }
    }
}

impl Weather {
    /// What comes through of a packet, and of the one that was kept back.
    fn over(&self, packet: &[u8], late: &mut Option<Vec<u8>>) -> Vec<Vec<u8>> {
        if self.strikes(&self.lost) {
            return vec![];
        }
        let kept = late.take();
        if kept.is_none() && self.strikes(&self.late) {
            *late = Some(packet.to_vec());
            return vec![];
        }
        std::iter::once(packet.to_vec()).chain(kept).collect()
    }
}
