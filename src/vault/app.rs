//! Our own registrations at vendors: one OAuth client for a family of integrations.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Result, Vault};
use crate::{
    secret::{self, Secret},
    store::{Expect, Key, Table},
};

/// An OAuth client as a vendor's developer console hands it out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OAuthApp {
    /// Names the client; not secret.
    pub client_id: String,
    /// Proves it; public clients have none.
    #[serde(serialize_with = "secret::exposed_option")]
    pub client_secret: Option<Secret>,
}

impl fmt::Debug for OAuthApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OAuthApp({})", self.client_id)
    }
}

impl Vault {
    /// The OAuth client of a vendor family such as `google`.
    pub async fn oauth_app(&self, family: &str) -> Result<Option<OAuthApp>> {
        let app = self.get(&Key::of(Table::OAuthApps, &[family])?).await?;
        Ok(app.map(|opened| opened.value))
    }

    /// The families that have an OAuth client here, with it.
    pub async fn oauth_apps(&self) -> Result<Vec<(String, OAuthApp)>> {
        let apps = self.list(Table::OAuthApps, b"").await?;
        Ok(apps.into_iter().map(|(family, app)| (String::from_utf8_lossy(&family).into_owned(), app.value)).collect())
    }

    /// Keeps an OAuth client, in place of an earlier one.
    pub async fn save_oauth_app(&self, family: &str, app: &OAuthApp) -> Result<()> {
        self.put(Key::of(Table::OAuthApps, &[family])?, app, Expect::Anything).await.map(drop)
    }

    /// Forgets an OAuth client.
    pub async fn remove_oauth_app(&self, family: &str) -> Result<()> {
        self.delete(Key::of(Table::OAuthApps, &[family])?).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::tests::vault;

    #[tokio::test]
    async fn a_family_has_one_app() {
        let vault = vault().await;
        let app = |secret: &str| OAuthApp { client_id: "id-1".into(), client_secret: Some(Secret::new(secret)) };
        vault.save_oauth_app("google", &app("one")).await.unwrap();
        vault.save_oauth_app("google", &app("two")).await.unwrap();
        assert_eq!(vault.oauth_app("google").await.unwrap(), Some(app("two")));
        assert_eq!(vault.oauth_apps().await.unwrap(), [("google".to_owned(), app("two"))]);
        assert_eq!(format!("{:?}", app("two")), "OAuthApp(id-1)");
        vault.remove_oauth_app("google").await.unwrap();
        assert_eq!(vault.oauth_app("google").await.unwrap(), None);
    }
}
