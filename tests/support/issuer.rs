//! An authorization server on loopback: it describes itself, publishes keys, and signs whatever a test wants.
#![allow(dead_code, reason = "each test program uses its own part of this")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, Uri},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What the server says, for a test to change while it runs.
#[derive(Debug)]
pub struct Said {
    /// The keys that it publishes.
    pub keys: Vec<Value>,
    /// How it calls itself.
    pub issuer: String,
    /// Whether it answers at all.
    pub is_down: bool,
    /// What it was asked for, in order.
    pub asked: Vec<String>,
}

/// The server.
#[derive(Clone)]
pub struct MockIssuer {
    /// Its identifier.
    pub name: String,
    origin: String,
    said: Arc<Mutex<Said>>,
}

impl MockIssuer {
    /// Starts a server whose identifier has this path, such as `/tenant`, and which publishes no keys yet.
    pub async fn start(path: &str) -> MockIssuer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let origin = format!("http://{address}");
        let name = format!("{origin}{path}");
        let said = Said { keys: Vec::new(), issuer: name.clone(), is_down: false, asked: Vec::new() };
        let issuer = MockIssuer { name, origin, said: Arc::new(Mutex::new(said)) };
        let router = Router::new().fallback(answer).with_state(issuer.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        issuer
    }

    /// What it says from now on.
    pub fn say<T>(&self, change: impl FnOnce(&mut Said) -> T) -> T {
        change(&mut self.said.lock().unwrap())
    }

    /// Publishes these keys and no others.
    pub fn publish(&self, keys: &[&TestKey]) {
        self.say(|said| said.keys = keys.iter().map(|key| key.public()).collect());
    }

    /// How often its keys were asked for.
    pub fn times_asked(&self) -> usize {
        self.say(|said| said.asked.iter().filter(|path| *path == "/keys").count())
    }

    fn description_path(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.name.trim_start_matches(&self.origin).trim_end_matches('/'))
    }
}

async fn answer(State(issuer): State<MockIssuer>, uri: Uri) -> (StatusCode, String) {
    let path = uri.path().to_owned();
    let (description, keys) = (issuer.description_path(), format!("{}/keys", issuer.origin));
    issuer.say(|said| {
        said.asked.push(path.clone());
        let document = match path {
            _ if said.is_down => return (StatusCode::NOT_FOUND, String::new()),
            path if path == description => json!({"issuer": said.issuer, "jwks_uri": keys}),
            path if path == "/keys" => json!({"keys": said.keys}),
            _ => return (StatusCode::NOT_FOUND, String::new()),
        };
        (StatusCode::OK, document.to_string())
    })
}

/// A key pair with a name.
pub struct TestKey {
    id: String,
    pair: Pair,
}

enum Pair {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl TestKey {
    /// A fresh pair on P-256.
    pub fn p256(id: &str) -> TestKey {
        let (random, kind) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let sealed = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(kind, sealed.as_ref(), &random).unwrap();
        TestKey { id: id.into(), pair: Pair::P256(pair) }
    }

    /// A fresh pair of Edwards' curve.
    pub fn ed25519(id: &str) -> TestKey {
        let sealed = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        TestKey { id: id.into(), pair: Pair::Ed25519(Ed25519KeyPair::from_pkcs8(sealed.as_ref()).unwrap()) }
    }

    /// The public half as an issuer publishes it.
    pub fn public(&self) -> Value {
        match &self.pair {
            Pair::P256(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                json!({"kty": "EC", "crv": "P-256", "kid": self.id, "use": "sig", "alg": "ES256", "x": coded(x), "y": coded(y)})
            }
            Pair::Ed25519(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "kid": self.id, "use": "sig", "x": coded(pair.public_key().as_ref())})
            }
        }
    }

    /// A token with these claims.
    pub fn sign(&self, claims: &Value) -> String {
        let alg = if matches!(self.pair, Pair::P256(_)) { "ES256" } else { "EdDSA" };
        self.sign_headed(&json!({"alg": alg, "kid": self.id, "typ": "at+jwt"}), claims)
    }

    /// A token with this header and these claims.
    pub fn sign_headed(&self, header: &Value, claims: &Value) -> String {
        let unsigned = unsigned(header, claims);
        let signature = match &self.pair {
            Pair::P256(pair) => pair.sign(&SystemRandom::new(), unsigned.as_bytes()).unwrap().as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.sign(unsigned.as_bytes()).as_ref().to_vec(),
        };
        format!("{unsigned}.{}", coded(&signature))
    }

    /// A token for which the bytes of the public key were taken as a shared secret.
    pub fn confuse(&self, claims: &Value) -> String {
        let public = match &self.pair {
            Pair::P256(pair) => pair.public_key().as_ref(),
            Pair::Ed25519(pair) => pair.public_key().as_ref(),
        };
        let unsigned = unsigned(&json!({"alg": "HS256", "kid": self.id, "typ": "at+jwt"}), claims);
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, public), unsigned.as_bytes());
        format!("{unsigned}.{}", coded(signature.as_ref()))
    }
}

/// Header and claims, not yet signed.
pub fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.{}", coded(header.to_string().as_bytes()), coded(claims.to_string().as_bytes()))
}

fn coded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
