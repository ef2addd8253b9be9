//! Nobody makes the program send packets into a network in which they are not themselves.

use std::time::Duration;

use serde_json::json;
use tokio::{net::UdpSocket, time::timeout};

use crate::{
    office::Office,
    phone_lines::{OFFER, Person},
    target::Target,
};

/// A candidate that leads to a port of this machine.
fn candidate(port: u16) -> String {
    format!("candidate:1 1 udp 2113937151 127.0.0.1 {port} typ host")
}

/// The offer with that candidate in it.
fn offer(port: u16) -> String {
    let lines = OFFER.lines().map(|line| match line.strip_prefix("a=candidate:") {
        Some(_) => format!("a={}", candidate(port)),
        None => line.to_owned(),
    });
    lines.map(|line| line + "\r\n").collect()
}

/// Whether any packet comes to a port of this machine within this time.
async fn is_reached(socket: &UdpSocket, within: Duration) -> bool {
    timeout(within, socket.recv_from(&mut [0; 2_000])).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_from_outside_points_at_nothing_inside() {
    // Whoever calls is the proxy here, and says in a header where the caller is.
    let target = Target::with(&["--trust-proxy", "127.0.0.1"]);
    let log = target.server.log();
    let token = log.lines().map(str::trim).find(|line| line.starts_with("swb_"));
    let eve = Person::with_token(&target, token.unwrap_or_else(|| panic!("no token in {log}")).to_owned());
    let outside = [("X-Forwarded-For", "93.184.216.34")];
    for (headers, is_inside) in [(&outside[..], false), (&[][..], true)] {
        let (first, later) =
            (UdpSocket::bind("127.0.0.1:0").await.unwrap(), UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let port = |socket: &UdpSocket| socket.local_addr().unwrap().port();
        let body = json!({ "sdp": offer(port(&first)), "type": "offer" });
        let (status, answer) = eve.sends("POST", "/api/offer", &body, headers).await;
        assert_eq!(status, 200, "private addresses are left out without a word: {answer}");
        let one = json!({ "candidate": candidate(port(&later)), "sdp_mid": "0", "sdp_mline_index": 0 });
        let patch = json!({ "pc_id": answer["pc_id"], "candidates": [one] });
        let (status, answer) = eve.sends("PATCH", "/api/offer", &patch, headers).await;
        assert_eq!(status, 200, "{answer}");
        let within = if is_inside { Duration::from_secs(10) } else { Duration::from_secs(2) };
        assert_eq!(is_reached(&first, within).await, is_inside, "by the offer, from {headers:?}");
        assert_eq!(is_reached(&later, within).await, is_inside, "by a later candidate, from {headers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn candidates_are_few_and_small() {
    let office = Office::open();
    let eve = Person::named(&office, "Eve").await;
    let (status, answer) = eve.calls(OFFER).await;
    assert_eq!(status, 200, "{answer}");
    let patch = async |candidates: Vec<String>| {
        let candidates = candidates.into_iter().map(|one| json!({ "candidate": one, "sdp_mid": "0" }));
        let body = json!({ "pc_id": answer["pc_id"], "candidates": candidates.collect::<Vec<_>>() });
        eve.sends("PATCH", "/api/offer", &body, &[]).await
    };
    let (status, problem) = patch(vec![candidate(9); 51]).await;
    assert_eq!((status, &problem["code"]), (400, &json!("too_many_candidates")), "{problem}");
    let (status, problem) = patch(vec![candidate(9) + &" x".repeat(500)]).await;
    assert_eq!((status, &problem["code"]), (400, &json!("bad_offer")), "{problem}");
    // Names and foreign private addresses are left out, and do not count.
    let left_out = ["intranet.example", "6d1f.local", "10.1.2.3", "169.254.169.254", "0.0.0.0", "224.0.0.1"];
    let left_out = left_out.map(|at| format!("candidate:1 1 udp 1 {at} 9 typ host"));
    for _ in 0..5 {
        assert_eq!(patch(left_out.to_vec()).await.0, 200);
    }
    let each = |from: u16| (from..from + 30).map(candidate).collect::<Vec<_>>();
    assert_eq!((patch(each(20_000)).await.0, patch(each(20_100)).await.0), (200, 200));
    let (status, problem) = patch(each(20_200)).await;
    assert_eq!((status, &problem["code"]), (400, &json!("too_many_candidates")), "{problem}");
}
