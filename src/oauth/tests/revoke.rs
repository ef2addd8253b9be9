//! Disconnecting: the record always goes, the grant only when nobody else lives of it.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::{
    http::{Authorize, AuthorizeError, Request, StatusCode, path},
    oauth::{Bearer, ClientAuth, Revocation, Revoked},
};

async fn disconnect(node: &Node, key: &ConnectionKey, provider: &Provider, server: &Server) -> Revoked {
    let revoked = node.broker.disconnect(key, &endpoints(provider, server), &app()).await.unwrap();
    assert_eq!(node.vault.connection(key).await.unwrap(), None);
    revoked
}

#[tokio::test]
async fn the_last_of_a_family_ends_the_grant() {
    let (node, server) = (Node::new().await, Server::always(Reply::status(200)).await);
    let calendar = node.connected_as("google-calendar", "anna@example.com").await;
    let gmail = node.connected_as("gmail", "Anna@example.com").await;
    assert_eq!(disconnect(&node, &calendar, &GOOGLE, &server).await, Revoked::Shared);
    assert_eq!(server.count(), 0);
    assert_eq!(disconnect(&node, &gmail, &GOOGLE, &server).await, Revoked::Yes);
    let request = &server.arrived()[0];
    assert_eq!((request.target(), request.form("token").as_deref()), ("/revoke", Some("refresh-1")));
}

#[tokio::test]
async fn another_account_family_or_client_is_another_grant() {
    let (node, server) = (Node::new().await, Server::always(Reply::status(200)).await);
    let key = node.connected_as("google-calendar", "anna@example.com").await;
    node.connected_as("gmail", "bert@example.com").await;
    let mut other = connection("slack", "anna@example.com");
    other.metadata.insert("family".to_owned(), "slack".to_owned());
    node.vault.save_connection(&other, When::Absent).await.unwrap();
    let mut client = connection("google-sheets", "anna@example.com");
    client.client_id = Some("client-2".to_owned());
    node.vault.save_connection(&client, When::Absent).await.unwrap();
    assert_eq!(disconnect(&node, &key, &GOOGLE, &server).await, Revoked::Yes);
}

#[tokio::test]
async fn the_grant_of_another_user_counts_too() {
    let (node, server) = (Node::new().await, Server::always(Reply::status(200)).await);
    let key = node.connected().await;
    let mut theirs = connection("gmail", "anna@example.com");
    theirs.key.user = UserId::new("bert");
    theirs.metadata.remove("email");
    node.vault.save_connection(&theirs, When::Absent).await.unwrap();
    assert_eq!(disconnect(&node, &key, &GOOGLE, &server).await, Revoked::Shared, "it may be the same account");
}

#[tokio::test]
async fn a_vendor_that_fails_does_not_keep_the_record() {
    for reply in [Reply::status(400), Reply::status(500), Reply::Reset] {
        let (node, server) = (Node::new().await, Server::always(reply).await);
        let key = node.connected().await;
        assert_eq!(disconnect(&node, &key, &GOOGLE, &server).await, Revoked::Failed);
        assert_eq!(disconnect(&node, &key, &GOOGLE, &server).await, Revoked::NotOffered, "it is gone already");
    }
}

#[tokio::test]
async fn each_vendor_ends_grants_in_its_own_way() {
    let basic = Some("Basic Y2xpZW50LTE6czNjcmV0");
    let bearer = Some("Bearer access-1");
    for (revocation, line, authorization, body) in [
        (Revocation::Token, "POST", basic, "token=refresh-1"),
        (Revocation::AccessToken, "POST", basic, "token=access-1"),
        (Revocation::BearerPost, "POST", bearer, ""),
        (Revocation::BearerDelete, "DELETE", bearer, ""),
        (Revocation::ClientDelete, "DELETE", basic, r#"{"access_token":"access-1"}"#),
    ] {
        let (node, server) = (Node::new().await, Server::always(Reply::status(204)).await);
        let key = node.connected().await;
        let provider = Provider { revocation, client_auth: ClientAuth::Basic, ..GOOGLE };
        assert_eq!(disconnect(&node, &key, &provider, &server).await, Revoked::Yes);
        let request = &server.arrived()[0];
        assert!(request.line.starts_with(line), "{revocation:?} {}", request.line);
        assert_eq!((request.header("authorization"), &*request.body), (authorization, body), "{revocation:?}");
    }
}

#[tokio::test]
async fn where_nothing_can_be_ended_nothing_is_sent() {
    let (node, server) = (Node::new().await, Server::always(Reply::status(200)).await);
    let key = node.connected().await;
    let mut endpoints = endpoints(&GOOGLE, &server);
    endpoints.revoke_url = None;
    let revoked = node.broker.disconnect(&key, &endpoints, &app()).await.unwrap();
    assert_eq!((revoked, server.count()), (Revoked::NotOffered, 0));
}

#[tokio::test]
async fn a_signer_renews_what_the_vendor_refuses() {
    let (node, tokens) = (Node::new().await, rotating().await);
    let vendor = Server::start(|_, request| {
        let fits = request.header("authorization") == Some("Bearer access-2");
        Reply::status(if fits { 200 } else { 401 })
    })
    .await;
    let key = node.connected().await;
    let bearer = Bearer::new(node.broker.clone(), key.clone(), endpoints(&ROTATING, &tokens), app());
    let lane = vendor.lane().on_behalf_of("anna", Arc::new(bearer));
    let answer = client().send(&lane, Request::post(path!["things"])).await.unwrap();
    assert_eq!((answer.status, vendor.count(), tokens.count()), (StatusCode::OK, 2, 1));
}

#[tokio::test]
async fn a_signer_says_when_a_person_is_needed() {
    let (node, tokens) = (Node::new().await, Server::always(invalid_grant()).await);
    let called = Arc::new(AtomicBool::new(false));
    let vendor = Server::start({
        let called = Arc::clone(&called);
        move |_, _| {
            called.store(true, Ordering::SeqCst);
            Reply::status(200)
        }
    })
    .await;
    let key = node.connected().await;
    node.later(3600);
    let bearer = Bearer::new(node.broker.clone(), key, endpoints(&ROTATING, &tokens), app());
    let error = bearer.headers().await.unwrap_err();
    assert!(matches!(error, AuthorizeError::NeedsReconnect { .. }), "{error:?}");
    let lane = vendor.lane().on_behalf_of("anna", Arc::new(bearer));
    client().send(&lane, Request::get(path!["things"])).await.unwrap_err();
    assert!(!called.load(Ordering::SeqCst));
}
