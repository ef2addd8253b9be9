//! Our registrations at vendors: one OAuth client for a family of integrations.

use std::collections::BTreeSet;

use super::{Accounts, Site};
use crate::{
    oauth::{self, ClientCheck},
    tool::{Error, Integration, Kind},
    vault::OAuthApp,
};

impl Accounts {
    /// Keeps the OAuth client of a vendor family, after the vendor was asked about it. `redirect_uri` is where it will
    /// send people back to.
    ///
    /// # Errors
    /// There is no such family, or the vendor refuses the client; then nothing is kept.
    pub async fn set_app(&self, family: &str, app: &OAuthApp, redirect_uri: &str) -> Result<ClientCheck, Error> {
        let site = self.site_of_family(family)?;
        let checked = self.check_app(site, app, redirect_uri).await;
        if let ClientCheck::Refused(code) = &checked {
            let what = format!("{family} refuses this OAuth client ({code}), so it was not kept.");
            return Err(Error::new(Kind::NotAllowed, what)
                .next("Copy client id and secret once more, each as a whole; a secret that was shown once may have to be made anew."));
        }
        self.0.parts.vault.save_oauth_app(family, app).await.map_err(Error::internal)?;
        Ok(checked)
    }

    /// Whether an OAuth client is set up for an integration.
    pub async fn has_app(&self, integration: &str) -> Result<bool, Error> {
        Ok(self.app(self.site(integration)?).await.is_ok())
    }

    /// The names that a person has to give before consenting.
    pub fn needs(&self, integration: &str) -> Result<BTreeSet<String>, Error> {
        let endpoints = self.site(integration)?.endpoints.as_ref();
        Ok(endpoints.into_iter().flat_map(oauth::Endpoints::needs).map(str::to_owned).collect())
    }

    /// Our registration at the vendor: from the settings, or else from the vault.
    pub(super) async fn app(&self, site: &Site) -> Result<oauth::App, Error> {
        if let Some(app) = &site.app {
            return Ok(app.clone());
        }
        let family = site.integration.family();
        let kept = self.0.parts.vault.oauth_app(family).await.map_err(Error::internal)?;
        kept.ok_or_else(|| no_app(site.integration, family))
    }

    async fn check_app(&self, site: &Site, app: &OAuthApp, redirect_uri: &str) -> ClientCheck {
        if site.app.is_some() {
            return ClientCheck::Unknown("the settings name another client, which is used instead".to_owned());
        }
        match &site.endpoints {
            Some(endpoints) if endpoints.needs().next().is_none() => {
                self.0.parts.broker.check_client(endpoints, app, redirect_uri).await
            }
            _ => ClientCheck::Unknown("its address depends on the account".to_owned()),
        }
    }

    fn site_of_family(&self, family: &str) -> Result<&Site, Error> {
        let mut sites = self.0.sites.values().filter(|site| site.endpoints.is_some());
        sites.find(|site| site.integration.family() == family).ok_or_else(|| {
            let with_oauth = self.integrations().filter(|one| one.oauth.is_some());
            let known: Vec<_> = with_oauth.map(Integration::family).collect::<BTreeSet<_>>().into_iter().collect();
            Error::not_found(format!("vendor family `{family}` with OAuth"))
                .next(format!("There are: {}.", known.join(", ")))
        })
    }
}

fn no_app(integration: &Integration, family: &str) -> Error {
    let place = integration.console.map_or_else(String::new, |address| format!(" at {address}"));
    Error::new(Kind::NotAllowed, format!("No OAuth client is set up for {}.", integration.title)).next(format!(
        "Register one{place}, then keep it: `switchboard app set {family} --client-id ID --client-secret-stdin`; `switchboard connect {}` at a terminal leads through it.",
        integration.id
    ))
}
