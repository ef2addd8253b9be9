//! Orders about accounts: to connect, look at, test and end them, and the OAuth clients that it takes.

use std::collections::BTreeMap;

use super::{Office, failed, title, user};
use crate::{
    cli::order::{AskView, ConnectionView, DeviceView, DisconnectView, Failure, ProspectView, StartView, TestView},
    hub::{Consent, Standing, expiry},
    oauth::{App, Callback, ClientCheck, Revoked},
    secret::Secret,
    tool::Kind,
    vault::Connection,
};

impl Office<'_> {
    pub(super) async fn connections(&self) -> Result<Vec<ConnectionView>, Failure> {
        let connections = self.house.accounts.connections(&user()).await.map_err(failed)?;
        Ok(connections.iter().map(|connection| self.view(connection)).collect())
    }

    fn view(&self, connection: &Connection) -> ConnectionView {
        let Standing { status, reason } = self.house.accounts.standing(connection);
        ConnectionView {
            integration: connection.key.integration.clone(),
            title: title(&connection.key.integration),
            account: connection.key.account.clone(),
            status: status.to_owned(),
            reason,
            name: connection.metadata.get("name").or_else(|| connection.metadata.get("email")).cloned(),
            scopes: connection.scopes.clone(),
            connected_at: connection.connected_at,
            expires_at: expiry(connection),
        }
    }

    pub(super) async fn test(&self, integration: &str, account: Option<&str>) -> Result<TestView, Failure> {
        let tested = self.house.accounts.test(&user(), integration, account).await.map_err(failed)?;
        Ok(TestView {
            title: tested.integration.title.to_owned(),
            account: tested.key.account,
            name: tested.identity.name,
            detail: tested.identity.detail,
            latency_ms: u64::try_from(tested.latency.as_millis()).unwrap_or(u64::MAX),
        })
    }

    pub(super) async fn disconnect(&self, integration: &str, account: Option<&str>) -> Result<DisconnectView, Failure> {
        let (key, revoked) = self.house.accounts.disconnect(&user(), integration, account).await.map_err(failed)?;
        let vendor = match revoked {
            Revoked::Yes => "the vendor has ended the grant",
            Revoked::Shared => "the grant was left alive, because another connection lives of it",
            Revoked::NotOffered => "the vendor offers no way to end a grant",
            Revoked::Failed => "the vendor did not end the grant: end it in your account's settings there",
        };
        Ok(DisconnectView { title: title(&key.integration), account: key.account, vendor: vendor.to_owned() })
    }

    pub(super) async fn start(&self, wish: Consent, own: Option<String>) -> Result<StartView, Failure> {
        let owner_listens = own.is_none();
        let redirect_uri = own.or_else(|| self.redirect.map(str::to_owned));
        let redirect_uri = redirect_uri.ok_or_else(|| Failure::new("Nobody listens for the vendor's answer."))?;
        let begun = self.house.accounts.start(Consent { redirect_uri, ..wish }).await.map_err(failed)?;
        Ok(StartView {
            title: begun.integration.title.to_owned(),
            person: self.house.accounts.person(&user()).await,
            authorize_url: begun.started.authorize_url.into(),
            expires_at: begun.started.expires_at,
            owner_listens,
        })
    }

    pub(super) async fn prospect(&self, integration: &str) -> Result<ProspectView, Failure> {
        let accounts = &self.house.accounts;
        let known = accounts.integration(integration).map_err(failed)?;
        let provider = known.oauth.as_ref();
        let is_needed = accounts.needs(integration).map_err(failed)?;
        let asks = provider.map_or(&[][..], |provider| provider.asks).iter().map(|ask| AskView {
            name: ask.name.to_owned(),
            label: ask.label.to_owned(),
            help: ask.help.to_owned(),
            required: is_needed.contains(ask.name),
        });
        let fields = known.fields.iter().filter(|field| !field.secret).map(|field| AskView {
            name: field.name.to_owned(),
            label: field.label.to_owned(),
            help: field.help.to_owned(),
            required: field.required,
        });
        let in_testing = provider.and_then(|provider| provider.in_testing);
        Ok(ProspectView {
            title: known.title.to_owned(),
            family: known.family().to_owned(),
            has_consent: provider.is_some(),
            has_app: accounts.has_app(integration).await.map_err(failed)?,
            console: known.console.map(str::to_owned),
            days_in_testing: in_testing.map(|life| life.as_secs() / 86_400),
            asks: asks.collect(),
            fields: fields.collect(),
        })
    }

    pub(super) async fn start_on_device(&self, wish: Consent) -> Result<DeviceView, Failure> {
        let started = self.house.accounts.start_on_device(wish).await.map_err(failed)?;
        Ok(DeviceView {
            user_code: started.user_code,
            page: started.page.into(),
            page_with_code: started.page_with_code.map(Into::into),
            interval: started.interval.as_secs(),
            expires_at: started.expires_at,
            ticket: started.ticket,
        })
    }

    pub(super) async fn finish_on_device(&self, ticket: &Secret) -> Result<Option<ConnectionView>, Failure> {
        let connected = self.house.accounts.finish_on_device(ticket).await.map_err(failed)?;
        Ok(connected.map(|connection| self.view(&connection)))
    }

    pub(super) async fn set_app(&self, family: &str, app: App, own: String) -> Result<String, Failure> {
        let redirect = self.redirect.map_or(own, str::to_owned);
        let checked = self.house.accounts.set_app(family, &app, &redirect).await.map_err(failed)?;
        Ok(match checked {
            ClientCheck::Good => "the vendor knows it".to_owned(),
            ClientCheck::RedirectUnknown => {
                format!("the vendor knows it, but not its redirect URI: add {redirect} there")
            }
            ClientCheck::Refused(code) => format!("the vendor refuses it ({code})"),
            ClientCheck::Unknown(why) => format!("whether the vendor knows it could not be found out: {why}"),
        })
    }

    pub(super) async fn finish(&self, answer: &BTreeMap<String, String>) -> Result<ConnectionView, Failure> {
        let text = |name: &str| answer.get(name).cloned();
        let callback = Callback {
            code: text("code").map(Secret::new),
            state: text("state").map(Secret::new),
            iss: text("iss"),
            error: text("error"),
            browser: None,
        };
        let (connection, _) = self.house.accounts.finish(callback).await.map_err(failed)?;
        Ok(self.view(&connection))
    }

    pub(super) async fn connect_fields(
        &self,
        integration: &str,
        account: &str,
        key: Secret,
        names: BTreeMap<String, String>,
    ) -> Result<ConnectionView, Failure> {
        let accounts = &self.house.accounts;
        let fields = accounts.integration(integration).map_err(failed)?.fields;
        let secrets = fields.iter().filter(|field| field.secret).map(|field| field.name).collect::<Vec<_>>();
        let [name] = secrets[..] else {
            return Err(Failure::new(format!("{} does not take one single key.", title(integration))));
        };
        let mut fields: BTreeMap<_, _> = names.into_iter().map(|(name, value)| (name, Secret::new(value))).collect();
        fields.insert(name.to_owned(), key);
        let connected = accounts.connect_with_fields(&user(), integration, account, fields).await;
        let connection = connected.map_err(|error| match error.kind() {
            Kind::Expired => Failure::new(format!("{} does not accept this key.", title(integration)))
                .next("Is it whole, and still valid? Give it again."),
            _ => failed(error),
        })?;
        Ok(self.view(&connection))
    }
}

/// What is to be connected; where the vendor answers is said later.
pub(super) fn wish(
    integration: String,
    account: String,
    names: BTreeMap<String, String>,
    tools: Vec<String>,
) -> Consent {
    let redirect_uri = String::new();
    Consent { user: user(), integration, account, redirect_uri, names, tools, return_to: None, browser: None }
}
