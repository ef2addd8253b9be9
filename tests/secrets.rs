//! A planted secret is found nowhere but where it was put: not on disk, not in logs, not in `Debug`, not in errors.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use switchboard::{
    clock,
    id::UserId,
    secret::Secret,
    store::{Change, Durability, Expect, Key, MemoryStore, SledStore, Table},
    vault::{
        self, Connection, ConnectionKey, Credential, IDENTITY_FILE, KeyRing, OAuthApp, Sources, Status, Vault, When,
    },
};
use tracing_subscriber::fmt::MakeWriter;

/// Long enough to be found only where it was planted.
const CANARY: &str = "canary-7f3a9c51e8d24b06-do-not-sing";

/// Planted in the clear, to show that the disk would tell.
const CONTROL: &str = "control-2b8e60d17c4f9a35-may-be-seen";

/// Collects what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Log;

    fn make_writer(&'a self) -> Log {
        self.clone()
    }
}

/// The secret as it is and as it could be disguised. Base64 depends on where in a triple the text begins; without
/// its ends, each of the three forms can be found in any larger text.
fn disguises(secret: &str) -> Vec<Vec<u8>> {
    let hex = secret.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let mut forms = vec![secret.to_owned(), hex.to_uppercase(), hex];
    for shift in 0..3 {
        let encoded = STANDARD_NO_PAD.encode(format!("{}{secret}", "x".repeat(shift)));
        forms.push(encoded[4..encoded.len() - 4].to_owned());
    }
    forms.push(secret.chars().rev().collect());
    forms.into_iter().map(String::into_bytes).collect()
}

fn holds(bytes: &[u8], secret: &str) -> bool {
    disguises(secret).iter().any(|form| bytes.windows(form.len()).any(|window| window == form))
}

#[track_caller]
fn silent(what: &str, bytes: impl AsRef<[u8]>) {
    assert!(!holds(bytes.as_ref(), CANARY), "the canary sings in {what}");
}

fn connection() -> Connection {
    let canary = || Secret::new(CANARY);
    let now = clock::system().now();
    Connection {
        key: ConnectionKey::new(UserId::new("local"), "gmail", "default"),
        credential: Credential::OAuth {
            access: canary(),
            refresh: Some(canary()),
            expires_at: None,
            extra: BTreeMap::from([("id_token".to_owned(), CANARY.to_owned())]),
        },
        generation: 1,
        status: Status::Active,
        scopes: Vec::new(),
        metadata: BTreeMap::new(),
        client_id: None,
        connected_at: now,
        updated_at: now,
    }
}

fn typed() -> Connection {
    let fields = BTreeMap::from([("api_key".to_owned(), Secret::new(CANARY))]);
    let key = ConnectionKey::new(UserId::new("local"), "stripe", "default");
    Connection { key, credential: Credential::Fields(fields), ..connection() }
}

fn app() -> OAuthApp {
    OAuthApp { client_id: "id".into(), client_secret: Some(Secret::new(CANARY)) }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// All that can be seen of an error.
fn shown(error: &vault::Error) -> [String; 3] {
    [error.to_string(), format!("{error:?}"), format!("{error:#?}")]
}

/// Everything that can go wrong with a record that holds the canary, as text.
async fn failures(vault: &Vault) -> Vec<String> {
    let key = connection().key.record().unwrap();
    let sealed = vault.store().get(&key).await.unwrap().unwrap().value;
    let mut texts = Vec::new();
    let stale = vault.save_connection(&connection(), When::Generation(9)).await.unwrap_err();
    texts.extend(shown(&stale));
    let unfitting = vault.get::<u32>(&key).await.unwrap_err();
    texts.extend(shown(&unfitting));
    let huge = OAuthApp { client_secret: Some(Secret::new(CANARY.repeat(2_000))), ..app() };
    let too_large = vault.save_oauth_app("google", &huge).await.unwrap_err();
    texts.extend(shown(&too_large));
    let stranger = Vault::open(MemoryStore::new(), KeyRing::generate(), clock::system()).await.unwrap();
    for value in [sealed.clone(), sealed[..60].to_vec(), CANARY.into(), [&[1], CANARY.as_bytes()].concat()] {
        let put = Change::Put { key: key.clone(), value, expect: Expect::Anything };
        stranger.store().commit(vec![put], Durability::SurvivesCrash).await.unwrap();
        let error = stranger.connection(&connection().key).await.unwrap_err();
        texts.extend(shown(&error));
        texts.push(format!("{:?}", stranger.connections(&UserId::new("local")).await));
    }
    let bad = KeyRing::parse(&Secret::new(CANARY), "here").unwrap_err();
    texts.extend(shown(&bad));
    texts
}

#[tokio::test]
async fn the_canary_is_silent() {
    let log = Log::default();
    tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false).with_writer(log.clone()).init();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let store = SledStore::open(&path).await.unwrap();
    let keys = KeyRing::load(&Sources::in_dir(dir.path()), &*store).await.unwrap();
    let identity = fs::read_to_string(dir.path().join(IDENTITY_FILE)).unwrap();
    let identity = identity.lines().last().unwrap();
    silent("the key ring", format!("{keys:?}"));
    let vault = Vault::open(store, keys, clock::system()).await.unwrap();

    for connection in [connection(), typed()] {
        vault.save_connection(&connection, When::Absent).await.unwrap();
        assert_eq!(vault.connection(&connection.key).await.unwrap().as_ref(), Some(&connection));
        silent("Debug of a connection", format!("{connection:?} {connection:#?}"));
    }
    vault.save_oauth_app("google", &app()).await.unwrap();
    silent("Debug of the vault", format!("{vault:?} {:?} {:?}", vault.oauth_apps().await, app()));
    let change = vault.seal_connection(&connection(), Expect::Anything).unwrap();
    silent("Debug of a change", format!("{change:?}"));
    let Change::Put { value, .. } = change else { panic!("a sealed record is written") };
    silent("a sealed record", value);
    for text in failures(&vault).await {
        silent("an error", text);
    }

    let control = Change::Put { key: Key::raw(Table::Sessions, "s"), value: CONTROL.into(), expect: Expect::Absent };
    vault.store().commit(vec![control], Durability::SurvivesCrash).await.unwrap();
    drop(vault);
    drop(SledStore::open(&path).await.unwrap());
    let mut controls = 0;
    for file in files(&path) {
        let bytes = fs::read(&file).unwrap();
        silent(&file.display().to_string(), &bytes);
        assert!(!holds(&bytes, identity), "the identity is in {}", file.display());
        controls += usize::from(holds(&bytes, CONTROL));
    }
    assert!(controls > 0, "even what is not sealed was not found: the test proves nothing");
    let log = log.0.lock().unwrap().clone();
    assert!(log.len() > 1_000, "nothing was logged: the test proves nothing");
    silent("the log", &log);
    assert!(!holds(&log, identity), "the identity is in the log");
}

#[test]
fn the_search_finds_every_disguise() {
    for form in disguises(CANARY) {
        let text = [b"before ".as_slice(), &form, b" after"].concat();
        assert!(holds(&text, CANARY));
    }
    for lead in ["", "a", "ab", "abc"] {
        let encoded = STANDARD_NO_PAD.encode(format!("{lead}{CANARY} and more"));
        assert!(holds(encoded.as_bytes(), CANARY), "{lead}");
    }
    assert!(!holds(b"nothing to see here", CANARY));
}
