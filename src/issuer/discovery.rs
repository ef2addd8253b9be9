//! Where an issuer keeps its keys, by its own word.

use serde::Deserialize;
use url::Url;

use super::keys::KeySet;
use crate::http::{Client, Lane, Path, Request};

/// Asks an issuer for its keys.
#[derive(Debug)]
pub(super) struct Discovery {
    client: Client,
    issuer: String,
    address: Url,
}

/// What counts of an issuer's description of itself (RFC 8414, section 2).
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: Url,
}

impl Discovery {
    pub(super) fn new(client: Client, issuer: String, address: Url) -> Self {
        Discovery { client, issuer, address }
    }

    /// The issuer's present keys, or in words for the log why they cannot be had.
    pub(super) async fn keys(&self) -> Result<KeySet, String> {
        let address = self.metadata().await?.jwks_uri;
        if address.scheme() != self.address.scheme() {
            return Err(format!("its keys are at {address}, which is no {} address", self.address.scheme()));
        }
        let document = self.get(address).await?;
        KeySet::read(&document).ok_or_else(|| "its set of keys cannot be read".to_owned())
    }

    /// The first description that is one and is this issuer's own.
    async fn metadata(&self) -> Result<Metadata, String> {
        let mut why = String::new();
        for address in well_known(&self.address) {
            match self.described_at(address).await {
                Ok(metadata) => return Ok(metadata),
                Err(error) => why = format!("{why}{}{error}", if why.is_empty() { "" } else { "; " }),
            }
        }
        Err(why)
    }

    async fn described_at(&self, address: Url) -> Result<Metadata, String> {
        let shown = address.to_string();
        let document = self.get(address).await?;
        let metadata: Metadata =
            serde_json::from_slice(&document).map_err(|_| format!("{shown} is no description of an issuer"))?;
        // Otherwise one tenant of a host could speak for another (RFC 8414, section 3.3).
        if metadata.issuer != self.issuer {
            return Err(format!("{shown} describes another issuer"));
        }
        Ok(metadata)
    }

    async fn get(&self, address: Url) -> Result<Vec<u8>, String> {
        let shown = address.to_string();
        // The operator named the issuer, wherever it is; what the issuer names on other hosts has to be public.
        let allow_private = address.host() == self.address.host();
        let lane = Lane { allow_private, ..Lane::new("issuer", address) };
        let request = Request::get(Path::new()).header("accept", "application/json");
        let answer = self.client.send(&lane, request).await.map_err(|error| format!("{shown}: {error}"))?;
        if !answer.is_success() {
            return Err(format!("{shown} answers {}", answer.status));
        }
        Ok(answer.body)
    }
}

/// Where the description of an issuer may be, in the order in which the MCP authorization pages ask for it: OAuth's
/// form, then both of OIDC.
fn well_known(issuer: &Url) -> Vec<Url> {
    let path = issuer.path().trim_end_matches('/');
    let mut paths = vec![
        format!("/.well-known/oauth-authorization-server{path}"),
        format!("/.well-known/openid-configuration{path}"),
        format!("{path}/.well-known/openid-configuration"),
    ];
    paths.dedup();
    let at = |path: String| {
        let mut address = issuer.clone();
        address.set_path(&path);
        address
    };
    paths.into_iter().map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(issuer: &str) -> Vec<String> {
        well_known(&issuer.parse().unwrap()).iter().map(Url::to_string).collect()
    }

    #[test]
    fn descriptions_are_sought_in_all_usual_places() {
        assert_eq!(of("https://id.example.com/"), of("https://id.example.com"));
        assert_eq!(
            of("https://id.example.com"),
            [
                "https://id.example.com/.well-known/oauth-authorization-server",
                "https://id.example.com/.well-known/openid-configuration",
            ]
        );
        assert_eq!(
            of("https://id.example.com/t/1"),
            [
                "https://id.example.com/.well-known/oauth-authorization-server/t/1",
                "https://id.example.com/.well-known/openid-configuration/t/1",
                "https://id.example.com/t/1/.well-known/openid-configuration",
            ]
        );
    }
}
