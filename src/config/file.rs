//! The settings file, `switchboard.toml`.

use std::{collections::BTreeMap, fs, path::Path, path::PathBuf};

use serde::Deserialize;
use url::Url;

use super::{Error, Result, VoiceFile};
use crate::secret::Secret;

/// Its name, in the data directory or in the platform's configuration directory.
pub(super) const NAME: &str = "switchboard.toml";

/// What the file may say. Every key is optional; an unknown one is an error, so that a misspelt one is noticed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Address and port of `serve`.
    pub listen: Option<String>,
    /// The address under which browsers and vendors reach this server.
    pub public_url: Option<Url>,
    /// The proxies whose word on client, scheme and host counts: addresses and networks.
    #[serde(default)]
    pub trust_proxy: Vec<String>,
    /// The origins whose pages may call `/mcp` and `/ws`, beside our own.
    #[serde(default)]
    pub allow_origin: Vec<String>,
    /// The address of a store that several nodes share; better kept in a file of its own.
    pub store: Option<Secret>,
    /// A file that holds that address.
    pub store_file: Option<PathBuf>,
    /// How the way to that store is protected: `verified`, which is usual, `unverified` or `none`.
    pub store_tls: Option<String>,
    /// The authorization server whose access tokens are taken.
    pub auth_issuer: Option<String>,
    /// The audience that its tokens must name.
    pub auth_audience: Option<String>,
    /// Whether everybody for whom it issues a token becomes a user.
    #[serde(default)]
    pub auth_provision: bool,
    /// Only tools that look.
    #[serde(default)]
    pub read_only: bool,
    /// The integrations whose tools are offered.
    pub toolsets: Option<Vec<String>>,
    /// The only tools that are offered.
    pub tools: Option<Vec<String>>,
    /// Tools that are never offered.
    #[serde(default)]
    pub exclude_tools: Vec<String>,
    /// How many lines of the audit are kept at most; 100,000 unless set.
    pub audit_rows: Option<u64>,
    /// How many of one agent of one person; half of `audit_rows` unless set.
    pub audit_rows_each: Option<u64>,
    /// For how many days looks are kept; 90 unless set.
    pub audit_days: Option<u32>,
    /// For how many days changes are kept; 365 unless set, and at least as long as looks.
    pub audit_days_changes: Option<u32>,
    /// How many calls to integrations an agent may make in an hour; without a limit unless set.
    pub calls_per_hour: Option<u32>,
    /// How many of them may change something; 1,000 unless set, and 0 for no limit.
    pub writes_per_hour: Option<u32>,
    /// The folder of the nightly backups; `backups` in the data directory unless set.
    pub backup_dir: Option<PathBuf>,
    /// How many backups are kept; 7 unless set, and 0 for none.
    pub backup_keep: Option<u32>,
    /// Settings of single integrations, by id.
    #[serde(default)]
    pub integrations: BTreeMap<String, IntegrationFile>,
    /// OAuth clients, by vendor family.
    #[serde(default)]
    pub apps: BTreeMap<String, AppFile>,
    /// The voice agent.
    pub voice: Option<VoiceFile>,
}

/// One `[integrations.<id>]` table.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntegrationFile {
    /// Where its API is.
    pub base_url: Option<Url>,
    /// Where people consent.
    pub authorize_url: Option<Url>,
    /// Where codes are exchanged.
    pub token_url: Option<Url>,
    /// Where grants are ended.
    pub revoke_url: Option<Url>,
    /// The `iss` that its answers must carry.
    pub issuer: Option<String>,
    /// Scopes to ask for.
    pub scopes: Option<Vec<String>>,
}

/// One `[apps.<family>]` table.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppFile {
    /// The OAuth client's id.
    pub client_id: Option<String>,
    /// Its secret; better kept in the vault or in a file of its own.
    pub client_secret: Option<Secret>,
    /// A file that holds the secret.
    pub client_secret_file: Option<PathBuf>,
}

impl File {
    /// Reads and checks one file.
    pub fn read(path: &Path) -> Result<File> {
        let text = fs::read_to_string(path).map_err(|source| Error::Unreadable { path: path.into(), source })?;
        let mistake = |reason: String| Error::Mistake { path: path.into(), reason };
        // The message of `toml` quotes the line; a line may hold a secret, so only its place is told.
        let file: File = toml::from_str(&text).map_err(|error| mistake(place(&text, &error)))?;
        let mut urls = file.integrations.values().flat_map(IntegrationFile::urls).chain(&file.public_url);
        if let Some(url) = urls.find(|url| !matches!(url.scheme(), "https" | "http")) {
            return Err(mistake(format!("`{url}` is no http or https address")));
        }
        drop(urls);
        Ok(file)
    }
}

impl IntegrationFile {
    fn urls(&self) -> impl Iterator<Item = &Url> {
        [&self.base_url, &self.authorize_url, &self.token_url, &self.revoke_url].into_iter().flatten()
    }
}

fn place(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().map_or("", |span| &text[..span.start]);
    format!("line {}: {}", before.matches('\n').count() + 1, error.message())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<File> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(NAME);
        fs::write(&path, text).unwrap();
        File::read(&path)
    }

    #[test]
    fn a_misspelt_key_is_named_with_its_line() {
        let error = read("listen = '127.0.0.1:1'\nlisten_adress = 'x'\n").unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("listen_adress"), "{error}");
    }

    #[test]
    fn a_secret_in_a_broken_line_is_not_repeated() {
        let error = read("[apps.google]\nclient_secret = hunter2\n").unwrap_err().to_string();
        assert!(error.contains("line 2") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn an_address_that_is_none_is_refused() {
        let error = read("[integrations.jira]\nbase_url = 'ftp://x/'\n").unwrap_err().to_string();
        assert!(error.contains("ftp://x/"), "{error}");
    }
}
