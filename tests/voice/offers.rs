//! What is offered, and what is answered.

use std::time::Duration;

use serde_json::{Value, json};
use switchboard::{
    agents::{Principal, Role},
    id::{AgentId, UserId},
    secret::Secret,
    voice::peer::{IceServer, Ports},
};

use crate::{
    caller::{Caller, Phone, http, post, sent},
    exchange::Exchange,
};

/// An offer with the sections of Pipecat's client in a browser: sound, camera, screen, messages.
const OFFER: &str = include_str!("offer.sdp");

#[tokio::test(flavor = "multi_thread")]
async fn sound_and_messages_are_taken_and_pictures_refused() {
    let exchange = Exchange::open().await;
    let offer = json!({ "sdp": OFFER, "type": "offer", "pc_id": null, "restart_pc": false });
    let (status, answer) = post(&format!("{}/api/offer", exchange.url), &offer).await;
    assert_eq!((status, &answer["type"]), (200, &json!("answer")), "{answer}");
    let sdp = answer["sdp"].as_str().unwrap();
    let lines = |start: &str| sdp.lines().filter(|line| line.starts_with(start)).collect::<Vec<_>>();
    let ports = lines("m=").into_iter().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" "));
    assert_eq!(ports.collect::<Vec<_>>(), ["m=audio 9", "m=video 0", "m=video 0", "m=application 9"]);
    assert_eq!(lines("a=mid:"), ["a=mid:0", "a=mid:1", "a=mid:2", "a=mid:3"]);
    assert_eq!(lines("a=group:BUNDLE"), ["a=group:BUNDLE 0 3"]);
    assert!(sdp.contains("a=rtpmap:111 opus/48000/2") && sdp.contains("a=sendrecv"), "{sdp}");
    assert!(sdp.contains("useinbandfec=1"), "{sdp}");
    assert!(lines("a=candidate:").iter().all(|line| line.contains(" 127.0.0.1 ")), "{sdp}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_page_gives_along_reaches_the_conversation() {
    let exchange = Exchange::open().await;
    let (_, started) = post(&format!("{}/start", exchange.url), &json!({ "body": { "language": "de" } })).await;
    assert_eq!(started["iceConfig"], json!({ "iceServers": [] }));
    let in_session = format!("{}/sessions/{}/api/offer", exchange.url, started["sessionId"].as_str().unwrap());
    let _first = connected(&in_session, json!({})).await;
    assert_eq!(exchange.next().await.request.data, json!({ "language": "de" }));
    for name in ["requestData", "request_data"] {
        let _caller = connected(&format!("{}/api/offer", exchange.url), json!({ name: { "agent": "a" } })).await;
        assert_eq!(exchange.next().await.request.data, json!({ "agent": "a" }));
    }
    assert!(!exchange.has_another().await);
}

/// A caller whose offer has these members beside the usual ones.
async fn connected(url: &str, mut offer: Value) -> Caller {
    let phone = Phone::new().await;
    offer["sdp"] = phone.offer.as_str().into();
    offer["type"] = "offer".into();
    let (status, answer) = post(url, &offer).await;
    assert_eq!(status, 200, "{answer}");
    phone.connect(answer["pc_id"].as_str().unwrap(), answer["sdp"].as_str().unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_begins_before_the_caller_is_there() {
    let exchange = Exchange::open().await;
    let url = format!("{}/api/offer", exchange.url);
    let (status, _) = post(&url, &json!({ "sdp": OFFER, "type": "offer" })).await;
    assert_eq!(status, 200);
    exchange.has_calls(1, Duration::from_secs(1)).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!exchange.has_another().await, "nobody is there who could be greeted");
    let _caller = connected(&url, json!({})).await;
    exchange.next().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_takes_some_lines_and_another_still_gets_one() {
    let exchange = Exchange::with(|settings| (settings.most_calls, settings.most_calls_each) = (3, 2)).await;
    let other = Principal { user: UserId::new("ben"), agent: AgentId::new("ben"), role: Role::Person };
    let door = exchange.door_for(other).await;
    let offer = json!({ "sdp": OFFER, "type": "offer" });
    let call = async |door: &str| {
        let (status, answer) = post(&format!("{door}/api/offer"), &offer).await;
        (status, answer["code"].as_str().unwrap_or_default().to_owned())
    };
    let taken = (200, String::new());
    assert_eq!((call(&exchange.url).await, call(&exchange.url).await), (taken.clone(), taken.clone()));
    assert_eq!(call(&exchange.url).await, (429, "too_many_calls".into()));
    assert_eq!(call(&door).await, taken);
    assert_eq!(call(&door).await, (503, "busy".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_begun_no_faster_than_people_call() {
    let exchange = Exchange::with(|settings| settings.starts_per_minute = 3).await;
    let sent = async || {
        let offer = json!({ "sdp": OFFER, "type": "offer" });
        http().post(format!("{}/api/offer", exchange.url)).json(&offer).send().await.unwrap()
    };
    for _ in 0..3 {
        assert_eq!(sent().await.status(), 200);
    }
    let refused = sent().await;
    assert_eq!(refused.status(), 429);
    let wait = refused.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap();
    assert!((1..=20).contains(&wait), "{wait}");
}

#[tokio::test(flavor = "multi_thread")]
async fn offers_that_no_call_can_come_of_are_refused() {
    let exchange = Exchange::open().await;
    let url = format!("{}/api/offer", exchange.url);
    let without = |line: &str| {
        let kept = OFFER.lines().filter(|one| !one.starts_with(line));
        json!({ "sdp": kept.map(|one| one.to_owned() + "\r\n").collect::<String>(), "type": "offer" })
    };
    for (offer, status, code) in [
        (json!({}), 400, "bad_request"),
        (json!([1]), 400, "bad_request"),
        (json!({ "sdp": 7, "type": "offer" }), 400, "bad_request"),
        (json!({ "sdp": "", "type": "offer" }), 400, "bad_offer"),
        (json!({ "sdp": "v=0\r\nm=audio", "type": "offer" }), 400, "bad_offer"),
        (json!({ "sdp": OFFER, "type": "answer" }), 400, "bad_offer"),
        (without("m=audio"), 400, "bad_offer"),
        (without("a=fingerprint"), 400, "bad_offer"),
        (without("a=ice-pwd"), 400, "bad_offer"),
        (without("a=mid"), 400, "bad_offer"),
        (without("a=rtpmap:111"), 400, "bad_offer"),
        (without("s="), 400, "bad_offer"),
        (json!({ "sdp": OFFER.replace("a=candidate:", "a=candidate:x y"), "type": "offer" }), 400, "bad_offer"),
        (json!({ "sdp": OFFER, "type": "offer", "pc_id": "nobody" }), 404, "not_found"),
        (json!({ "sdp": OFFER, "type": "offer", "pc_id": "nobody", "restart_pc": true }), 404, "not_found"),
    ] {
        let (got, problem) = post(&url, &offer).await;
        let shown = offer.to_string().chars().take(60).collect::<String>();
        assert_eq!((got, problem["code"].as_str()), (status, Some(code)), "{shown}: {problem}");
        assert!(problem["detail"].as_str().unwrap().ends_with('.'), "{problem}");
    }
    let (status, _) = sent(http().post(&url).body("{")).await;
    assert_eq!(status, 400);
    let (status, _) = sent(http().post(&url).body(vec![b' '; 300_000])).await;
    assert_eq!(status, 413);
    let whip = format!("{}/api/whip", exchange.url);
    assert_eq!(sent(http().post(&whip).body(OFFER)).await.0, 415);
    assert_eq!(sent(http().post(&whip).header("content-type", "application/sdp").body("v=1")).await.0, 400);
    let patch = |body: Value| sent(http().patch(&url).json(&body));
    assert_eq!(patch(json!({ "pc_id": "nobody", "candidates": [] })).await.0, 404);
    assert_eq!(patch(json!({ "candidates": [] })).await.0, 400);
    exchange.has_calls(0, Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn candidates_may_come_later() {
    let exchange = Exchange::open().await;
    let url = format!("{}/api/offer", exchange.url);
    let (_, answer) = post(&url, &json!({ "sdp": OFFER, "type": "offer" })).await;
    let candidates = |candidate: &str| {
        let one = json!({ "candidate": candidate, "sdp_mid": "0", "sdp_mline_index": 0 });
        sent(http().patch(&url).json(&json!({ "pc_id": answer["pc_id"], "candidates": [one] })))
    };
    let success = (200, json!({ "status": "success" }));
    assert_eq!(candidates("candidate:1 1 udp 99 127.0.0.1 50000 typ host").await, success);
    assert_eq!(candidates("candidate:1 1 udp 99 6d1f.local 50000 typ host").await, success);
    assert_eq!(candidates("").await, success);
    assert_eq!(candidates("candidate:nonsense").await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_and_sessions_belong_to_who_made_them() {
    let exchange = Exchange::open().await;
    let other = Principal { user: UserId::new("eve"), agent: AgentId::new("eve"), role: Role::Administrator };
    let door = exchange.door_for(other).await;
    let (_, started) = post(&format!("{}/start", exchange.url), &json!({})).await;
    let session = format!("/sessions/{}/api/offer", started["sessionId"].as_str().unwrap());
    let offer = json!({ "sdp": OFFER, "type": "offer" });
    assert_eq!(post(&format!("{door}{session}"), &offer).await.0, 404);
    let caller = connected(&format!("{}{session}", exchange.url), json!({})).await;
    let id = caller.id.as_str();
    let again = json!({ "sdp": OFFER, "type": "offer", "pc_id": id, "restart_pc": true });
    assert_eq!(post(&format!("{door}/api/offer"), &again).await.0, 404);
    assert_eq!(sent(http().delete(format!("{door}/api/whip/{id}"))).await.0, 404);
    assert_eq!(exchange.next().await.caller, Principal::local());
    exchange.has_calls(1, Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_calls_are_taken_than_there_may_be() {
    let exchange = Exchange::with(|settings| settings.most_calls = 1).await;
    let caller = Caller::call(&exchange.url).await;
    let (status, problem) =
        post(&format!("{}/api/offer", exchange.url), &json!({ "sdp": OFFER, "type": "offer" })).await;
    assert_eq!((status, problem["code"].as_str()), (503, Some("busy")), "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("1 calls"), "{problem}");
    caller.hang_up().await;
    exchange.has_calls(0, Duration::from_secs(10)).await;
    Caller::call(&exchange.url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn media_comes_to_the_ports_and_addresses_that_were_set() {
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let exchange = Exchange::with(|settings| {
        settings.ports = Some(Ports { first: port, last: port });
        settings.public = vec!["203.0.113.7".parse().unwrap()];
    })
    .await;
    let offer = json!({ "sdp": OFFER, "type": "offer" });
    let (status, problem) = post(&format!("{}/api/offer", exchange.url), &offer).await;
    assert_eq!((status, problem["code"].as_str()), (503, Some("no_port")), "{problem}");
    drop(taken);
    let (_, answer) = post(&format!("{}/api/offer", exchange.url), &offer).await;
    let sdp = answer["sdp"].as_str().unwrap();
    for address in ["127.0.0.1", "203.0.113.7"] {
        assert!(sdp.contains(&format!(" {address} {port} typ host")), "{sdp}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_told_the_servers_that_help_it_through() {
    let server = |url: &str, username: &str, credential: &str| IceServer {
        url: url.into(),
        username: username.into(),
        credential: Secret::new(credential),
    };
    let servers = [server("stun:stun.example:3478", "", ""), server("turn:turn.example:3478", "ann", "secret")];
    let exchange = Exchange::with(|settings| settings.ice_servers = servers.to_vec()).await;
    let (_, started) = post(&format!("{}/start", exchange.url), &json!({ "enableDefaultIceServers": true })).await;
    assert_eq!(
        started["iceConfig"]["iceServers"],
        json!([
            { "urls": ["stun:stun.example:3478"] },
            { "urls": ["turn:turn.example:3478"], "username": "ann", "credential": "secret" },
        ])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_answered_and_never_connects_takes_up_no_line_for_long() {
    let exchange = Exchange::open().await;
    let phone = Phone::new().await;
    let (status, _) =
        post(&format!("{}/api/offer", exchange.url), &json!({ "sdp": phone.offer, "type": "offer" })).await;
    assert_eq!(status, 200);
    exchange.has_calls(1, Duration::from_secs(1)).await;
    exchange.has_calls(0, Duration::from_secs(25)).await;
    assert!(!exchange.has_another().await);
}
