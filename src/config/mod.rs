//! Settings: a flag before the environment before the file.
//!
//! Flags and their `SWITCHBOARD_<FLAG>` variables are read by the command line; this module reads the file,
//! the variables of single integrations, and the secrets. `toml` is the format that Rust users already know.

mod file;
mod voice;

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
};

use directories::ProjectDirs;
pub use file::{AppFile, File, IntegrationFile};
use url::Url;
pub use voice::{IceServer, Remote, ServiceFile, Stt, Tts, VoiceFile, VoiceSettings};

use crate::secret::Secret;

/// Everything that was set outside the command line.
#[derive(Debug, Default)]
pub struct Settings {
    /// What the file says.
    pub file: File,
    environment: Environment,
    store: Option<Secret>,
}

/// The variables of the process, taken once, so that tests bring their own.
#[derive(Default)]
pub struct Environment(BTreeMap<String, String>);

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Environment {
    /// The `SWITCHBOARD_…` variables of this process.
    pub fn of_this_process() -> Self {
        Environment::from_pairs(env::vars())
    }

    /// Only the variables that are ours.
    pub fn from_pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Environment(pairs.into_iter().filter(|(name, _)| name.starts_with("SWITCHBOARD_")).collect())
    }

    /// The variable, unless it is empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The variable, or the content of the file that `<name>_FILE` names.
    pub fn secret(&self, name: &str) -> Result<Option<Secret>> {
        if let Some(value) = self.get(name) {
            return Ok(Some(Secret::new(value)));
        }
        let variable = format!("{name}_FILE");
        self.get(&variable).map(|path| read_secret(Path::new(path), &variable)).transpose()
    }
}

/// What is set for one integration; everything absent keeps the vendor's own value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overrides {
    /// Where its API is; version segment included, a path prefix allowed.
    pub base_url: Option<Url>,
    /// Where people consent.
    pub authorize_url: Option<Url>,
    /// Where codes and refresh tokens are exchanged.
    pub token_url: Option<Url>,
    /// Where grants are ended.
    pub revoke_url: Option<Url>,
    /// The `iss` that its answers must carry.
    pub issuer: Option<String>,
    /// Scopes to ask for instead of those that the enabled tools need.
    pub scopes: Option<Vec<String>>,
    /// The OAuth client.
    pub client_id: Option<String>,
    /// The OAuth client's secret.
    pub client_secret: Option<Secret>,
}

/// How the way to a shared store is protected that is not on this machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StoreTls {
    /// TLS, and the server's certificate is checked.
    #[default]
    Verified,
    /// TLS with whoever answers.
    Unverified,
    /// As the address says, be it in the clear.
    None,
}

/// How much is kept, and how much an agent may do. What is not set is as it is usual.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Lines of the audit.
    pub audit_rows: Option<u64>,
    /// Lines of the audit of one agent of one person.
    pub audit_rows_each: Option<u64>,
    /// Days for which looks are kept.
    pub audit_days: Option<u32>,
    /// Days for which changes are kept.
    pub audit_days_changes: Option<u32>,
    /// Calls of one agent in an hour; 0 for no limit.
    pub calls_per_hour: Option<u32>,
    /// Calls of one agent in an hour that may change something; 0 for no limit.
    pub writes_per_hour: Option<u32>,
}

/// Where backups of the store go, and how many stay. What is not set is as it is usual.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackupSettings {
    /// The folder.
    pub dir: Option<PathBuf>,
    /// How many are kept; 0 for none at all.
    pub keep: Option<u32>,
}

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("{path} cannot be read: {source}. Make it readable for this user, or remove it.", path = path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is no settings file.
    #[error("{path} has a mistake: {reason}", path = path.display())]
    Mistake {
        /// Which file.
        path: PathBuf,
        /// Line, column and what is wrong.
        reason: String,
    },
    /// A setting has a value that cannot be used.
    #[error("{name} is `{value}`, but must be {expected}.")]
    Value {
        /// The variable or key.
        name: String,
        /// What it says.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A setting is not there, and another one needs it.
    #[error("{name} is not set, but {reason}.")]
    Missing {
        /// The variable.
        name: String,
        /// Why it is needed.
        reason: &'static str,
    },
    /// The machine has no place for a user's data.
    #[error("No home directory is known for this user. Name a folder with --data-dir.")]
    Homeless,
}

/// The result of reading settings.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Settings {
    /// Reads `switchboard.toml` from the data directory or else the platform's configuration directory.
    pub fn load(data_dir: &Path, environment: Environment) -> Result<Settings> {
        let beside = data_dir.join(file::NAME);
        let general = project_dirs().map(|dirs| dirs.config_dir().join(file::NAME));
        let found = [Some(beside), general].into_iter().flatten().find(|path| path.exists());
        let file = found.map(|path| File::read(&path)).transpose()?.unwrap_or_default();
        Ok(Settings { file, environment, store: None })
    }

    /// The environment they were loaded with.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The address of the store that several nodes share, when one is set: on the command line, in
    /// `SWITCHBOARD_STORE` or the file that `SWITCHBOARD_STORE_FILE` names, or in the settings file.
    pub fn store(&self) -> Result<Option<Secret>> {
        let set = match &self.store {
            Some(flag) => Some(flag.clone()),
            None => self.environment.secret("SWITCHBOARD_STORE")?.or_else(|| self.file.store.clone()),
        };
        match (&set, &self.file.store_file) {
            (None, Some(path)) => read_secret(path, "store_file").map(Some),
            _ => Ok(set),
        }
    }

    /// How the way to the shared store is protected.
    pub fn store_tls(&self) -> Result<StoreTls> {
        let name = "SWITCHBOARD_STORE_TLS";
        let set = self.environment.get(name).map(str::to_owned).or_else(|| self.file.store_tls.clone());
        match set.as_deref().map(str::trim) {
            None | Some("" | "verified") => Ok(StoreTls::Verified),
            Some("unverified") => Ok(StoreTls::Unverified),
            Some("none") => Ok(StoreTls::None),
            Some(other) => Err(Error::Value {
                name: name.into(),
                value: other.into(),
                expected: "`verified`, `unverified` or `none`",
            }),
        }
    }

    /// These settings with the address of a store from the command line, which comes before the others.
    #[must_use]
    pub fn with_store(self, flag: Option<Secret>) -> Self {
        Settings { store: flag.or(self.store), ..self }
    }

    /// How much is kept, and how much an agent may do.
    pub fn limits(&self) -> Result<Limits> {
        Ok(Limits {
            audit_rows: self.number("SWITCHBOARD_AUDIT_ROWS")?.or(self.file.audit_rows),
            audit_rows_each: self.number("SWITCHBOARD_AUDIT_ROWS_EACH")?.or(self.file.audit_rows_each),
            audit_days: self.number("SWITCHBOARD_AUDIT_DAYS")?.or(self.file.audit_days),
            audit_days_changes: self.number("SWITCHBOARD_AUDIT_DAYS_CHANGES")?.or(self.file.audit_days_changes),
            calls_per_hour: self.number("SWITCHBOARD_CALLS_PER_HOUR")?.or(self.file.calls_per_hour),
            writes_per_hour: self.number("SWITCHBOARD_WRITES_PER_HOUR")?.or(self.file.writes_per_hour),
        })
    }

    /// Where backups go, and how many stay.
    pub fn backups(&self) -> Result<BackupSettings> {
        let dir = self.environment.get("SWITCHBOARD_BACKUP_DIR").map(PathBuf::from);
        Ok(BackupSettings {
            dir: dir.or_else(|| self.file.backup_dir.clone()),
            keep: self.number("SWITCHBOARD_BACKUP_KEEP")?.or(self.file.backup_keep),
        })
    }

    fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>> {
        let Some(value) = self.environment.get(name) else { return Ok(None) };
        let wrong = |_| Error::Value { name: name.into(), value: value.into(), expected: "a number, such as 1000" };
        value.trim().parse().map(Some).map_err(wrong)
    }

    /// What is set for the integration `id` of the vendor family `family`.
    pub fn overrides(&self, id: &str, family: &str) -> Result<Overrides> {
        let own = Variables { environment: &self.environment, prefix: prefix(id) };
        let shared = Variables { environment: &self.environment, prefix: prefix(family) };
        let file = self.file.integrations.get(id).cloned().unwrap_or_default();
        let app = self.file.apps.get(family).cloned().unwrap_or_default();
        Ok(Overrides {
            base_url: own.url("BASE_URL")?.or(file.base_url),
            authorize_url: own.url("AUTHORIZE_URL")?.or(file.authorize_url),
            token_url: own.url("TOKEN_URL")?.or(file.token_url),
            revoke_url: own.url("REVOKE_URL")?.or(file.revoke_url),
            issuer: own.text("ISSUER").or(file.issuer),
            scopes: own.text("SCOPES").map(|scopes| words(&scopes)).or(file.scopes),
            client_id: own.text("CLIENT_ID").or_else(|| shared.text("CLIENT_ID")).or(app.client_id.clone()),
            client_secret: first_secret([own.secret("CLIENT_SECRET")?, shared.secret("CLIENT_SECRET")?], &app)?,
        })
    }
}

/// The variables that begin with one prefix.
struct Variables<'a> {
    environment: &'a Environment,
    prefix: String,
}

impl Variables<'_> {
    fn text(&self, name: &str) -> Option<String> {
        self.environment.get(&format!("{}_{name}", self.prefix)).map(str::to_owned)
    }

    fn secret(&self, name: &str) -> Result<Option<Secret>> {
        self.environment.secret(&format!("{}_{name}", self.prefix))
    }

    fn url(&self, name: &str) -> Result<Option<Url>> {
        self.text(name).map(|value| parse_url(&format!("{}_{name}", self.prefix), &value)).transpose()
    }
}

fn prefix(id: &str) -> String {
    format!("SWITCHBOARD_{}", id.to_uppercase().replace('-', "_"))
}

fn words(text: &str) -> Vec<String> {
    text.split([' ', ',']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn first_secret(set: [Option<Secret>; 2], app: &AppFile) -> Result<Option<Secret>> {
    let set = set.into_iter().flatten().next().or_else(|| app.client_secret.clone());
    match (&set, &app.client_secret_file) {
        (None, Some(path)) => read_secret(path, "client_secret_file").map(Some),
        _ => Ok(set),
    }
}

/// An `http` or `https` address; plain `http` only for this machine itself.
fn parse_url(name: &str, value: &str) -> Result<Url> {
    let refused = |expected| Error::Value { name: name.into(), value: value.into(), expected };
    let url: Url = value.parse().map_err(|_| refused("an address such as https://api.example.com/v1"))?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        _ => Err(refused("an https address; http is for loopback only")),
    }
}

/// Whether the address names this machine itself.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn read_secret(path: &Path, name: &str) -> Result<Secret> {
    let text = fs::read_to_string(path).map_err(|source| Error::Unreadable { path: path.into(), source })?;
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::Value {
            name: name.into(),
            value: path.display().to_string(),
            expected: "a file that holds the secret; it is empty",
        });
    }
    Ok(Secret::new(text))
}

/// The platform's data directory, `~/.local/share/switchboard` on Linux.
pub fn default_data_dir() -> Result<PathBuf> {
    project_dirs().map(|dirs| dirs.data_dir().to_path_buf()).ok_or(Error::Homeless)
}

/// `directories` knows where each platform wants a program's files.
fn project_dirs() -> Option<ProjectDirs> {
    ProjectDirs::from("", "", "switchboard")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)], file: &str) -> Settings {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Settings { file: toml::from_str(file).unwrap(), environment: Environment::from_pairs(pairs), store: None }
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let file = "[integrations.google-calendar]\nbase_url = 'https://file.example.com/v3'\nissuer = 'https://file'";
        let set = settings(&[("SWITCHBOARD_GOOGLE_CALENDAR_BASE_URL", "http://127.0.0.1:9/v3")], file);
        let overrides = set.overrides("google-calendar", "google").unwrap();
        assert_eq!(overrides.base_url.unwrap().as_str(), "http://127.0.0.1:9/v3");
        assert_eq!(overrides.issuer.unwrap(), "https://file");
    }

    #[test]
    fn one_oauth_client_serves_the_whole_family() {
        let set = settings(&[("SWITCHBOARD_GOOGLE_CLIENT_ID", "family"), ("SWITCHBOARD_GMAIL_CLIENT_ID", "own")], "");
        assert_eq!(set.overrides("google-calendar", "google").unwrap().client_id.unwrap(), "family");
        assert_eq!(set.overrides("gmail", "google").unwrap().client_id.unwrap(), "own");
    }

    #[test]
    fn a_secret_may_stand_in_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        fs::write(&path, "hush\n").unwrap();
        let set = settings(&[("SWITCHBOARD_GOOGLE_CLIENT_SECRET_FILE", path.to_str().unwrap())], "");
        let secret = set.overrides("google-calendar", "google").unwrap().client_secret.unwrap();
        assert_eq!(secret.expose(), "hush");
        assert!(!format!("{set:?}").contains("hush"));
    }

    #[test]
    fn a_store_is_named_by_flag_environment_or_file_in_this_order() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("url");
        fs::write(&path, "postgres://by-file-of-variable\n").unwrap();
        let file = "store = 'postgres://file'";
        let named = |pairs: &[(&str, &str)], flag: Option<&str>| {
            let set = settings(pairs, file).with_store(flag.map(Secret::new));
            set.store().unwrap().unwrap().expose().to_owned()
        };
        assert_eq!(named(&[], None), "postgres://file");
        assert_eq!(
            named(&[("SWITCHBOARD_STORE_FILE", path.to_str().unwrap())], None),
            "postgres://by-file-of-variable"
        );
        assert_eq!(named(&[("SWITCHBOARD_STORE", "postgres://variable")], None), "postgres://variable");
        assert_eq!(named(&[("SWITCHBOARD_STORE", "postgres://variable")], Some("postgres://flag")), "postgres://flag");
        assert_eq!(settings(&[], "").store().unwrap(), None);
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        let set = settings(&[("SWITCHBOARD_GMAIL_BASE_URL", "http://mail.example.com/v1")], "");
        let error = set.overrides("gmail", "google").unwrap_err().to_string();
        assert!(error.contains("SWITCHBOARD_GMAIL_BASE_URL") && error.contains("https"), "{error}");
    }
}
