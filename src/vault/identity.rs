//! The master identity: where it comes from, and the ring of keys made of it.

use std::{
    fmt,
    fs::{self, OpenOptions},
    io::{self, Read, Write},
    iter,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use age::{secrecy::ExposeSecret, secrecy::SecretString, x25519};
use hkdf::Hkdf;
use serde::{Deserialize, Serialize, de::Error as _};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

#[cfg(feature = "keyring")]
use super::keyring::Drawer;
use super::{Error, Result, used_keys};
use crate::{secret::Secret, store::Store};

/// The file in the data directory that holds the identity when nothing else was said.
pub const IDENTITY_FILE: &str = "identity.txt";

/// How many bytes of the recipient's hash name a key.
pub(super) const KEY_ID_LEN: usize = 8;

/// What every passphrase-protected age file starts with (<https://age-encryption.org/v1>).
const AGE_HEADER: &[u8] = b"age-encryption.org/v1";

/// The most work that a passphrase may cost, as a power of two: about a quarter of a minute.
const MAX_WORK: u8 = 22;

/// Names a key in the clear.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct KeyId([u8; KEY_ID_LEN]);

impl KeyId {
    pub(super) fn new(bytes: [u8; KEY_ID_LEN]) -> Self {
        KeyId(bytes)
    }

    pub(super) fn bytes(self) -> [u8; KEY_ID_LEN] {
        self.0
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

impl Serialize for KeyId {
    fn serialize<S: serde::Serializer>(&self, output: S) -> std::result::Result<S::Ok, S::Error> {
        output.collect_str(&format_args!("{self:?}"))
    }
}

impl<'de> Deserialize<'de> for KeyId {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(input)?;
        let number = u64::from_str_radix(&text, 16).map_err(|_| D::Error::custom("a key id is 16 hex digits"))?;
        Ok(KeyId(number.to_be_bytes()))
    }
}

/// One identity, with what is derived from it.
pub(super) struct MasterKey {
    identity: x25519::Identity,
    /// Kept in memory only: who has it and can write to the store could try to forge records.
    recipient: x25519::Recipient,
    id: KeyId,
    mac_key: Zeroizing<[u8; 32]>,
    row_key: Zeroizing<[u8; 32]>,
}

impl MasterKey {
    fn new(identity: x25519::Identity) -> Self {
        let recipient = identity.to_public();
        let hash = Sha256::digest(recipient.to_string());
        let id = hash.first_chunk().copied().map(KeyId).expect("a SHA-256 has 32 bytes");
        let source = Hkdf::<Sha256>::new(None, identity.to_string().expose_secret().as_bytes());
        let derived = |purpose: &[u8]| {
            let mut key = Zeroizing::new([0; 32]);
            source.expand(purpose, key.as_mut()).expect("HKDF-SHA256 gives up to 8160 bytes");
            key
        };
        let (mac_key, row_key) = (derived(b"record-mac"), derived(b"row-mac"));
        MasterKey { identity, recipient, id, mac_key, row_key }
    }

    pub(super) fn id(&self) -> KeyId {
        self.id
    }

    pub(super) fn identity(&self) -> &x25519::Identity {
        &self.identity
    }

    pub(super) fn recipient(&self) -> &x25519::Recipient {
        &self.recipient
    }

    pub(super) fn mac_key(&self) -> &[u8] {
        self.mac_key.as_ref()
    }

    /// What the codes of rows are made with that are not sealed.
    pub(super) fn row_key(&self) -> &[u8] {
        self.row_key.as_ref()
    }
}

/// The identities at hand, the newest first: that one seals, all of them open.
#[derive(Clone)]
pub struct KeyRing {
    newest: Arc<MasterKey>,
    older: Vec<Arc<MasterKey>>,
}

impl KeyRing {
    /// A ring with one new identity, kept nowhere: for tests and throw-away stores.
    pub fn generate() -> Self {
        KeyRing { newest: Arc::new(MasterKey::new(x25519::Identity::generate())), older: Vec::new() }
    }

    /// The identities in `text`, one `AGE-SECRET-KEY-1…` a line, the newest first. Empty lines and lines that start
    /// with `#` are skipped. `origin` names the place in errors.
    pub fn parse(text: &Secret, origin: &str) -> Result<Self> {
        let bad = |why: &str| Error::BadIdentity { origin: origin.to_owned(), why: why.to_owned() };
        let lines = text.expose().lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let keys: Vec<Arc<MasterKey>> = lines
            .map(|line| x25519::Identity::from_str(line).map(|identity| Arc::new(MasterKey::new(identity))))
            .collect::<std::result::Result<_, _>>()
            .map_err(|_| {
                bad("each line must be an age identity such as `AGE-SECRET-KEY-1…`, as `age-keygen` prints it")
            })?;
        let mut keys = keys.into_iter();
        let newest = keys.next().ok_or_else(|| bad("it is empty; put an age identity (`AGE-SECRET-KEY-1…`) there"))?;
        Ok(KeyRing { newest, older: keys.collect() })
    }

    /// The identity that `sources` name. When they name none and `store` has no sealed records, a new one is made
    /// in the data directory; over existing records never.
    pub async fn load(sources: &Sources, store: &dyn Store) -> Result<Self> {
        if let Some(text) = &sources.text {
            return KeyRing::parse(text, "SWITCHBOARD_IDENTITY");
        }
        if sources.keyring {
            return KeyRing::of_system(&sources.drawer(), store).await;
        }
        if let Some(file) = &sources.file {
            return read(file, sources.passphrase.as_ref()).await;
        }
        let file = sources.data_dir.join(IDENTITY_FILE);
        if !file.try_exists().map_err(|error| unusable(&file, &error))? {
            if used_keys(store).await?.is_some() {
                return Err(Error::IdentityMissing(file));
            }
            make(&file).map_err(|error| unusable(&file, &error))?;
            tracing::info!(file = %file.display(), "made a master identity; keep a copy of it in a safe place");
        }
        read(&file, sources.passphrase.as_ref()).await
    }

    /// The identity in the keyring of the system.
    #[cfg(feature = "keyring")]
    async fn of_system(name: &str, store: &dyn Store) -> Result<Self> {
        KeyRing::of_drawer(&Drawer::of_this_system(name)?, store).await
    }

    #[cfg(not(feature = "keyring"))]
    #[expect(clippy::unused_async, reason = "the form that it has with a keyring")]
    async fn of_system(name: &str, _: &dyn Store) -> Result<Self> {
        Err(Error::BadIdentity {
            origin: format!("the keyring, entry `{name}`"),
            why: "this switchboard was built without it: build it with the feature `keyring`, or leave \
                  SWITCHBOARD_IDENTITY_KEYRING away"
                .to_owned(),
        })
    }

    /// The identity in an entry of a keyring. It is made there when `store` has no sealed records.
    #[cfg(feature = "keyring")]
    pub(super) async fn of_drawer(drawer: &Drawer, store: &dyn Store) -> Result<Self> {
        let origin = "the keyring of this system";
        if let Some(text) = drawer.read()? {
            return KeyRing::parse(&text, origin);
        }
        if used_keys(store).await?.is_some() {
            return Err(Error::IdentityMissing(PathBuf::from(origin)));
        }
        drawer.write(&KeyRing::generate().text())?;
        let text = drawer.read()?;
        KeyRing::parse(&text.unwrap_or_else(|| Secret::new("")), origin)
    }

    /// All identities, one a line, the newest first.
    pub(super) fn text(&self) -> Secret {
        let keys = iter::once(&self.newest).chain(&self.older);
        Secret::new(keys.map(|key| key.identity.to_string().expose_secret().to_owned()).collect::<Vec<_>>().join("\n"))
    }

    /// This ring with a new identity in front.
    pub(super) fn with_new(&self) -> Self {
        let older = iter::once(&self.newest).chain(&self.older).map(Arc::clone).collect();
        KeyRing { older, ..KeyRing::generate() }
    }

    /// Puts the identities into `file` in place of what is there, which is the same without the newest one.
    pub(super) fn save(&self, file: &Path) -> Result<()> {
        if fs::read(file).is_ok_and(|bytes| bytes.starts_with(AGE_HEADER)) {
            return Err(Error::BadIdentity {
                origin: file.display().to_string(),
                why: "it is protected with a passphrase and cannot be rotated here: put a new identity in front of \
                      the present one with `age-keygen` and `age --passphrase`, and start again"
                    .to_owned(),
            });
        }
        let keys = iter::once(&self.newest).chain(&self.older);
        let identities: Vec<SecretString> = keys.map(|key| key.identity.to_string()).collect();
        let replace = || {
            let draft = draft(file, &identities)?;
            fs::rename(draft, file)?;
            sync_directory(file)
        };
        replace().map_err(|error| unusable(file, &error))
    }

    #[cfg(test)]
    pub(super) fn only_newest(&self) -> Self {
        KeyRing { newest: Arc::clone(&self.newest), older: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        1 + self.older.len()
    }

    pub(super) fn newest(&self) -> &MasterKey {
        &self.newest
    }

    /// All of them, the newest first.
    pub(super) fn all(&self) -> impl Iterator<Item = &MasterKey> {
        iter::once(&self.newest).chain(&self.older).map(|key| &**key)
    }

    pub(super) fn by_id(&self, id: KeyId) -> Option<&MasterKey> {
        self.all().find(|key| key.id == id)
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyRing of {} [redacted]", self.len())
    }
}

/// Where the master identity may come from, the first one that is there counts.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The identity itself, from `SWITCHBOARD_IDENTITY`.
    pub text: Option<Secret>,
    /// Whether it is in the keyring of the system: `SWITCHBOARD_IDENTITY_KEYRING`.
    pub keyring: bool,
    /// A file with it, from `SWITCHBOARD_IDENTITY_FILE`.
    pub file: Option<PathBuf>,
    /// The directory of [`IDENTITY_FILE`].
    pub data_dir: PathBuf,
    /// Opens a file that `age --passphrase` (without `--armor`) made of the identity.
    pub passphrase: Option<Secret>,
}

impl Sources {
    /// Only the file in the data directory.
    pub fn in_dir(data_dir: impl Into<PathBuf>) -> Self {
        Sources { text: None, keyring: false, file: None, data_dir: data_dir.into(), passphrase: None }
    }

    /// The variables `SWITCHBOARD_IDENTITY`, `SWITCHBOARD_IDENTITY_FILE` and `SWITCHBOARD_IDENTITY_PASSPHRASE` (or
    /// the file that `SWITCHBOARD_IDENTITY_PASSPHRASE_FILE` names) as `variable` finds them, then the file in the data
    /// directory. An empty variable counts as none, and a file that cannot be read gives no passphrase.
    pub fn from_variables(data_dir: impl Into<PathBuf>, variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name| variable(name).filter(|value| !value.trim().is_empty());
        let from_file = || {
            let text = fs::read_to_string(set("SWITCHBOARD_IDENTITY_PASSPHRASE_FILE")?).map(Zeroizing::new).ok()?;
            Some(Secret::new(text.trim_end_matches(['\r', '\n'])))
        };
        Sources {
            text: set("SWITCHBOARD_IDENTITY").map(Secret::new),
            keyring: set("SWITCHBOARD_IDENTITY_KEYRING")
                .is_some_and(|text| !matches!(text.trim(), "0" | "false" | "no")),
            file: set("SWITCHBOARD_IDENTITY_FILE").map(PathBuf::from),
            data_dir: data_dir.into(),
            passphrase: set("SWITCHBOARD_IDENTITY_PASSPHRASE").map(Secret::new).or_else(from_file),
        }
    }
}

impl Sources {
    /// Where the identities come from.
    pub fn origin(&self) -> Origin {
        if self.text.is_some() {
            return Origin::Variable;
        }
        if self.keyring {
            return Origin::Keyring(self.drawer());
        }
        Origin::File(self.file.clone().unwrap_or_else(|| self.data_dir.join(IDENTITY_FILE)))
    }

    /// Each data directory has an entry of its own.
    fn drawer(&self) -> String {
        std::path::absolute(&self.data_dir).unwrap_or_else(|_| self.data_dir.clone()).display().to_string()
    }
}

/// Where the identities of a store come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `SWITCHBOARD_IDENTITY`.
    Variable,
    /// A file.
    File(PathBuf),
    /// An entry of the system's keyring.
    Keyring(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Variable => f.write_str("SWITCHBOARD_IDENTITY"),
            Origin::File(file) => write!(f, "{}", file.display()),
            Origin::Keyring(entry) => write!(f, "the keyring, entry `{entry}`"),
        }
    }
}

/// Makes a new identity in `file`, whole or not at all; one that appears there meanwhile is kept.
fn make(file: &Path) -> io::Result<()> {
    fs::create_dir_all(directory(file))?;
    let draft = draft(file, &[x25519::Identity::generate().to_string()])?;
    // A link, unlike a rename, does not replace an identity that another process made in this moment.
    match fs::hard_link(&draft, file) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => fs::remove_file(&draft)?,
    }
    sync_directory(file)
}

/// Writes identities into a file beside `file`.
fn draft(file: &Path, identities: &[SecretString]) -> io::Result<PathBuf> {
    let draft = file.with_extension("new");
    // One from a start that was cut off.
    let _ = fs::remove_file(&draft);
    let mut output = private().open(&draft)?;
    writeln!(output, "# Switchboard's master identity, the newest first. Who has it can read every stored")?;
    writeln!(output, "# credential; without it nobody can. Keep a copy in a safe place.")?;
    for identity in identities {
        writeln!(output, "{}", identity.expose_secret())?;
    }
    output.sync_all()?;
    Ok(draft)
}

fn directory(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new("."))
}

/// Has the disk write down the names in the directory of `file`.
#[cfg(unix)]
fn sync_directory(file: &Path) -> io::Result<()> {
    fs::File::open(directory(file))?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Options for a new file that only its owner can read.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// The identity in `file`, which may be protected with `passphrase`.
async fn read(file: &Path, passphrase: Option<&Secret>) -> Result<KeyRing> {
    let bytes = fs::read(file).map(Zeroizing::new).map_err(|error| unusable(file, &error))?;
    let origin = file.display().to_string();
    if !bytes.starts_with(AGE_HEADER) {
        refuse_exposed(file)?;
        return KeyRing::parse(&text(&bytes, &origin)?, &origin);
    }
    let bad = |why: &str| Error::BadIdentity { origin: origin.clone(), why: why.to_owned() };
    let passphrase = passphrase.map(|passphrase| SecretString::from(passphrase.expose())).ok_or_else(|| {
        bad("it is protected with a passphrase; give that with SWITCHBOARD_IDENTITY_PASSPHRASE or \
                          in the file that SWITCHBOARD_IDENTITY_PASSPHRASE_FILE names")
    })?;
    // A second of work on purpose, so not on a thread that serves others.
    let plain = tokio::task::spawn_blocking(move || unlock(&bytes, passphrase)).await.ok().flatten();
    let plain = plain.ok_or_else(|| bad("the passphrase does not open it"))?;
    KeyRing::parse(&text(&plain, &origin)?, &origin)
}

fn unlock(file: &[u8], passphrase: SecretString) -> Option<Zeroizing<Vec<u8>>> {
    let mut identity = age::scrypt::Identity::new(passphrase);
    identity.set_max_work_factor(MAX_WORK);
    let decryptor = age::Decryptor::new_buffered(file).ok()?;
    let mut reader = decryptor.decrypt(iter::once(&identity as &dyn age::Identity)).ok()?;
    let mut plain = Zeroizing::new(Vec::with_capacity(file.len()));
    reader.read_to_end(&mut plain).ok()?;
    Some(plain)
}

fn text(bytes: &[u8], origin: &str) -> Result<Secret> {
    let text = std::str::from_utf8(bytes).map_err(|_| Error::BadIdentity {
        origin: origin.to_owned(),
        why: "it is not text; put an age identity (`AGE-SECRET-KEY-1…`) there".to_owned(),
    })?;
    Ok(Secret::new(text))
}

/// An identity that others can read is as good as none.
#[cfg(unix)]
fn refuse_exposed(file: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(file).map_err(|error| unusable(file, &error))?.permissions().mode() & 0o777;
    match mode & 0o077 {
        0 => Ok(()),
        _ => Err(Error::IdentityExposed { path: file.to_owned(), mode }),
    }
}

/// Elsewhere the permissions of the user's own directory protect it.
#[cfg(not(unix))]
fn refuse_exposed(_: &Path) -> Result<()> {
    Ok(())
}

fn unusable(file: &Path, error: &io::Error) -> Error {
    Error::BadIdentity { origin: file.display().to_string(), why: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock, store::MemoryStore, vault::Vault};

    const MISTYPED: &str = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEY";

    fn identity() -> String {
        x25519::Identity::generate().to_string().expose_secret().to_owned()
    }

    async fn load(sources: &Sources) -> Result<KeyRing> {
        KeyRing::load(sources, &*MemoryStore::new()).await
    }

    #[tokio::test]
    async fn the_first_start_makes_an_identity_and_the_next_finds_it() {
        let dir = tempfile::tempdir().unwrap();
        let sources = Sources::in_dir(dir.path().join("data"));
        let first = load(&sources).await.unwrap();
        let second = load(&sources).await.unwrap();
        assert_eq!(first.newest().id(), second.newest().id());
        let names: Vec<_> = fs::read_dir(&sources.data_dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, [IDENTITY_FILE], "no draft is left");
        let written = fs::read_to_string(sources.data_dir.join(IDENTITY_FILE)).unwrap();
        assert!(!written.contains(&first.newest().recipient().to_string()), "the recipient is not written down");
    }

    #[tokio::test]
    async fn over_sealed_records_no_identity_is_made() {
        let dir = tempfile::tempdir().unwrap();
        let store = MemoryStore::new();
        let sources = Sources::in_dir(dir.path());
        let keys = KeyRing::load(&sources, &*store).await.unwrap();
        Vault::open(store.clone(), keys, clock::system()).await.unwrap();
        fs::remove_file(dir.path().join(IDENTITY_FILE)).unwrap();
        let refused = KeyRing::load(&sources, &*store).await.unwrap_err();
        assert!(matches!(refused, Error::IdentityMissing(_)), "{refused}");
        assert!(!dir.path().join(IDENTITY_FILE).exists());
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn an_identity_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let sources = Sources::in_dir(dir.path());
        load(&sources).await.unwrap();
        let file = dir.path().join(IDENTITY_FILE);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        for mode in [0o640, 0o604, 0o644] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            let refused = load(&sources).await.unwrap_err().to_string();
            assert!(refused.ends_with(&format!("Run: chmod 600 {}", file.display())), "{refused}");
        }
    }

    #[tokio::test]
    async fn the_variable_comes_first_then_the_named_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("mine");
        private().open(&file).unwrap().write_all(identity().as_bytes()).unwrap();
        let named = |name: &str| match name {
            "SWITCHBOARD_IDENTITY" => Some(identity()),
            "SWITCHBOARD_IDENTITY_FILE" => Some(file.display().to_string()),
            _ => Some(String::new()),
        };
        let both = Sources::from_variables(dir.path(), named);
        assert!(both.passphrase.is_none(), "an empty variable is none");
        let only_file = Sources { text: None, ..both.clone() };
        assert_ne!(load(&both).await.unwrap().newest().id(), load(&only_file).await.unwrap().newest().id());
        assert!(!dir.path().join(IDENTITY_FILE).exists());
    }

    #[tokio::test]
    async fn a_passphrase_opens_a_protected_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(IDENTITY_FILE);
        let mut recipient = age::scrypt::Recipient::new(SecretString::from("correct horse"));
        recipient.set_work_factor(2);
        fs::write(&file, age::encrypt(&recipient, identity().as_bytes()).unwrap()).unwrap();
        let with = |passphrase: Option<&str>| Sources {
            passphrase: passphrase.map(Secret::new),
            ..Sources::in_dir(dir.path())
        };
        load(&with(Some("correct horse"))).await.unwrap();
        let none = load(&with(None)).await.unwrap_err().to_string();
        assert!(none.contains("SWITCHBOARD_IDENTITY_PASSPHRASE"), "{none}");
        let wrong = load(&with(Some("battery"))).await.unwrap_err().to_string();
        assert!(wrong.contains("does not open it") && !wrong.contains("battery"), "{wrong}");
    }

    #[test]
    fn a_ring_holds_several_keys_and_the_first_is_the_newest() {
        let text = format!("# new\n{}\n\n# old\n{}\n", identity(), identity());
        let ring = KeyRing::parse(&Secret::new(text), "here").unwrap();
        assert_eq!(ring.older.len(), 1);
        assert!(ring.by_id(ring.older[0].id()).is_some());
        assert_eq!(format!("{ring:?}"), "KeyRing of 2 [redacted]");
    }

    #[test]
    fn rubbish_is_refused_and_not_repeated() {
        for text in ["", "# nothing", "hunter2", MISTYPED] {
            let refused = KeyRing::parse(&Secret::new(text), "the file x").unwrap_err().to_string();
            assert!(refused.starts_with("the master identity in the file x is not usable"), "{refused}");
            assert!(text.is_empty() || !refused.contains(text), "{refused}");
        }
    }
}
