//! A vendor's OAuth server as one installation reaches it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::Url;

use super::{
    ClientAuth, Error, Pkce, Provider, Result, Revocation, TokenBody,
    template::{self, Names},
};
use crate::config;

/// What an operator sets in place of a [`Provider`]'s URLs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// The consent page.
    pub authorize_url: Option<String>,
    /// The token endpoint.
    pub token_url: Option<String>,
    /// The revocation endpoint.
    pub revoke_url: Option<String>,
    /// The device authorization endpoint.
    pub device_url: Option<String>,
    /// The list of places that a grant reaches.
    pub look_up_url: Option<String>,
    /// The issuer.
    pub issuer: Option<String>,
    /// What `{name}` in the URLs stands for, for all connections.
    pub names: Names,
}

/// A [`Provider`] for one installation: URLs checked and overrides put in. Owned, so that a consent that is under
/// way keeps the server it began with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoints {
    /// As in the [`Provider`].
    pub family: String,
    /// As in the [`Provider`].
    pub authorize_url: String,
    /// As in the [`Provider`].
    pub token_url: String,
    /// As in the [`Provider`].
    pub revoke_url: Option<String>,
    /// As in the [`Provider`].
    pub device_url: Option<String>,
    /// As in the [`Provider`].
    pub revocation: Revocation,
    /// As in the [`Provider`].
    pub issuer: Option<String>,
    /// As in the [`Provider`].
    pub pkce: Pkce,
    /// As in the [`Provider`].
    pub extra: Vec<(String, String)>,
    /// As in the [`Provider`].
    pub token_extra: Vec<(String, String)>,
    /// As in the [`Provider`].
    pub in_testing: Option<Duration>,
    /// As in the [`Provider`].
    pub headers: Vec<(String, String)>,
    /// As in the [`Provider`].
    pub separator: char,
    /// As in the [`Provider`].
    pub user_scopes: Vec<String>,
    /// As in the [`Provider`].
    pub client_auth: ClientAuth,
    /// As in the [`Provider`].
    pub body: TokenBody,
    /// As in the [`Provider`].
    pub rotates: bool,
    /// As in the [`Provider`].
    pub lifetime: Option<Duration>,
    /// As in the [`Provider`].
    pub nested: Option<String>,
    /// As in the [`Provider`].
    pub dead: Vec<String>,
    /// The names that the person gives; the vendor does not change them.
    pub asked: Vec<String>,
    /// As in the [`Provider`].
    pub instance: Option<InstanceAt>,
    /// As in the [`Provider`].
    pub look_up: Option<LookUpAt>,
    /// The operator named the servers, so they may stand in a private network.
    pub allow_private: bool,
}

/// An [`Instance`](super::Instance) for one installation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceAt {
    /// The member of the token answer.
    pub member: String,
    /// The domains in which its host must lie.
    pub domains: Vec<String>,
    /// A host that the operator named for this vendor, which is as good.
    pub host: Option<String>,
}

/// A [`LookUp`](super::LookUp) for one installation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookUpAt {
    /// Where the list is.
    pub url: String,
    /// The member of an entry that is looked for.
    pub member: String,
    /// The name under which it is kept.
    pub kept_as: String,
    /// The members by which people know an entry.
    pub known_by: Vec<String>,
    /// The name by which the person chooses.
    pub ask: String,
}

impl Endpoints {
    /// The provider with its URLs put together and checked.
    pub fn of(provider: &Provider, overrides: &Overrides) -> Result<Self> {
        let Overrides { authorize_url, token_url, issuer, names, .. } = overrides;
        let url = |own, theirs: &Option<String>| checked(template::fill(theirs.as_deref().unwrap_or(own), names)?);
        // What was set up for one server says nothing about another: neither who it is nor where it ends grants.
        let own_issuer = provider.issuer.filter(|_| authorize_url.is_none());
        let issuer = issuer.as_deref().or(own_issuer);
        let beside = |own: Option<&'static str>, theirs: &Option<String>| {
            let own = own.filter(|_| token_url.is_none());
            theirs.as_deref().or(own).map(|text| checked(template::fill(text, names)?)).transpose()
        };
        Ok(Endpoints {
            family: provider.family.to_owned(),
            authorize_url: url(provider.authorize_url, authorize_url)?,
            token_url: url(provider.token_url, token_url)?,
            revoke_url: beside(provider.revoke_url, &overrides.revoke_url)?,
            device_url: beside(provider.device_url, &overrides.device_url)?,
            revocation: provider.revocation,
            issuer: issuer.map(str::to_owned),
            pkce: provider.pkce,
            extra: owned_pairs(provider.extra),
            token_extra: owned_pairs(provider.token_extra),
            in_testing: provider.in_testing,
            headers: owned_pairs(provider.headers),
            separator: provider.separator,
            user_scopes: owned(provider.user_scopes),
            client_auth: provider.client_auth,
            body: provider.body,
            rotates: provider.rotates,
            lifetime: provider.lifetime,
            nested: provider.nested.map(str::to_owned),
            dead: owned(provider.dead),
            asked: provider.asks.iter().map(|ask| ask.name.to_owned()).collect(),
            instance: provider.instance.map(|instance| InstanceAt {
                member: instance.member.to_owned(),
                domains: owned(instance.domains),
                host: token_url.as_deref().and_then(host),
            }),
            look_up: provider.look_up.map(|look_up| look_up_at(&look_up, overrides)).transpose()?,
            allow_private: token_url.is_some(),
        })
    }

    /// The endpoints of one connection: with what it knows put in for `{name}`.
    ///
    /// # Errors
    /// Something that an address depends on is not known, or is not fit to stand in one.
    pub fn at(&self, names: &Names) -> Result<Self> {
        let whole = |text: &String| template::whole(text, names);
        Ok(Endpoints {
            authorize_url: whole(&self.authorize_url)?,
            token_url: whole(&self.token_url)?,
            revoke_url: self.revoke_url.as_ref().map(whole).transpose()?,
            device_url: self.device_url.as_ref().map(whole).transpose()?,
            ..self.clone()
        })
    }

    /// The names that a person has to give before consenting.
    pub fn needs(&self) -> impl Iterator<Item = &str> {
        let all = [Some(&self.authorize_url), Some(&self.token_url), self.revoke_url.as_ref()];
        all.into_iter().flatten().flat_map(|text| template::names(text))
    }
}

impl InstanceAt {
    /// The origin that a token answer names, if a token may be sent there.
    pub fn accept(&self, named: &str) -> Option<Url> {
        let url = Url::parse(named.trim()).ok()?;
        let host = url.host_str()?.to_ascii_lowercase();
        let is_below = |domain: &String| host.strip_suffix(domain.as_str()).is_some_and(|rest| rest.ends_with('.'));
        let is_vendors = url.scheme() == "https" && url.port().is_none() && self.domains.iter().any(is_below);
        let is_operators = self.host.as_ref() == Some(&host) && is_safe(&url);
        let origin = url.origin().ascii_serialization();
        if is_vendors || is_operators { Url::parse(&origin).ok() } else { None }
    }
}

fn look_up_at(look_up: &super::LookUp, overrides: &Overrides) -> Result<LookUpAt> {
    Ok(LookUpAt {
        url: checked(overrides.look_up_url.clone().unwrap_or_else(|| look_up.url.to_owned()))?,
        member: look_up.member.to_owned(),
        kept_as: look_up.kept_as.to_owned(),
        known_by: owned(look_up.known_by),
        ask: look_up.ask.to_owned(),
    })
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

fn owned_pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let pair = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
    pairs.iter().map(pair).collect()
}

fn host(url: &str) -> Option<String> {
    Some(Url::parse(&template::sample(url)).ok()?.host_str()?.to_ascii_lowercase())
}

fn is_safe(url: &Url) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && config::is_loopback(url))
}

/// An address that a browser or the client may be sent to: https, or loopback.
fn checked(text: String) -> Result<String> {
    let bad = |why: &str| Error::Setup(format!("the OAuth address {text:?} {why}"));
    let url = Url::parse(&template::sample(&text)).map_err(|_| bad("is not a URL"))?;
    if !url.has_host() {
        return Err(bad("has no host"));
    }
    if is_safe(&url) { Ok(text) } else { Err(bad("must begin with https; http is for loopback only")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::Instance;

    const ZENDESK: Provider = Provider {
        family: "zendesk",
        authorize_url: "https://{subdomain}.zendesk.com/oauth/authorizations/new",
        token_url: "https://{subdomain}.zendesk.com/oauth/tokens",
        revoke_url: Some("https://{subdomain}.zendesk.com/api/v2/oauth/tokens/current.json"),
        issuer: Some("https://zendesk.example"),
        ..Provider::STANDARD
    };

    fn names(value: &str) -> Names {
        Names::from([("subdomain".to_owned(), value.to_owned()), ("team.name".to_owned(), "Acme, Inc.".to_owned())])
    }

    fn named(value: &str) -> Overrides {
        Overrides { names: names(value), ..Overrides::default() }
    }

    #[test]
    fn a_name_is_put_into_the_address() {
        let endpoints = Endpoints::of(&ZENDESK, &named("acme-1")).unwrap();
        assert_eq!(endpoints.token_url, "https://acme-1.zendesk.com/oauth/tokens");
        assert!(!endpoints.allow_private);
    }

    #[test]
    fn each_connection_may_have_a_name_of_its_own() {
        let endpoints = Endpoints::of(&ZENDESK, &Overrides::default()).unwrap();
        assert_eq!(endpoints.needs().next(), Some("subdomain"));
        let whole = endpoints.at(&names("acme-1")).unwrap();
        assert_eq!(whole.authorize_url, "https://acme-1.zendesk.com/oauth/authorizations/new");
        assert_eq!(whole.needs().next(), None);
    }

    #[test]
    fn a_name_cannot_lead_to_another_host() {
        let endpoints = Endpoints::of(&ZENDESK, &Overrides::default()).unwrap();
        for name in ["evil.example/", "a.b", "a/b", "a@b", "", "-a", "a#", "a?", "ä"] {
            assert!(matches!(Endpoints::of(&ZENDESK, &named(name)), Err(Error::Setup(_))), "{name:?}");
            assert!(matches!(endpoints.at(&names(name)), Err(Error::Setup(_))), "{name:?}");
        }
        let error = endpoints.at(&Names::new()).unwrap_err();
        assert!(error.to_string().contains("subdomain"), "{error}");
    }

    #[test]
    fn addresses_are_https_or_loopback() {
        let set = |url: &str| Endpoints::of(&ZENDESK, &Overrides { token_url: Some(url.to_owned()), ..named("a") });
        for fine in ["https://10.0.0.1/token", "http://127.0.0.1:9/token", "http://localhost:9/t", "http://[::1]:9/t"] {
            assert!(set(fine).unwrap().allow_private, "{fine}");
        }
        for bad in ["http://example.com/t", "javascript:alert(1)", "file:///etc/passwd", "token", "data:,x", ""] {
            assert!(set(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_belongs_to_one_server_is_not_said_of_another() {
        let token_url = Some("http://127.0.0.1:9/token".to_owned());
        let endpoints = Endpoints::of(&ZENDESK, &Overrides { token_url, ..named("a") }).unwrap();
        assert_eq!(endpoints.revoke_url, None);
        let elsewhere = Some("http://127.0.0.1:9/authorize".to_owned());
        let overrides = Overrides { authorize_url: elsewhere, ..named("a") };
        assert_eq!(Endpoints::of(&ZENDESK, &overrides).unwrap().issuer, None);
        let overrides = Overrides { issuer: Some("http://127.0.0.1:9".to_owned()), ..overrides };
        assert_eq!(Endpoints::of(&ZENDESK, &overrides).unwrap().issuer.as_deref(), Some("http://127.0.0.1:9"));
    }

    const SALESFORCE: Provider = Provider {
        family: "salesforce",
        authorize_url: "https://login.salesforce.com/services/oauth2/authorize",
        token_url: "https://login.salesforce.com/services/oauth2/token",
        instance: Some(Instance { member: "instance_url", domains: &["salesforce.com", "force.com"] }),
        ..Provider::STANDARD
    };

    #[test]
    fn an_instance_lies_with_the_vendor_or_where_the_operator_said() {
        let check = |overrides: &Overrides, named: &str| {
            let instance = Endpoints::of(&SALESFORCE, overrides).unwrap().instance.unwrap();
            instance.accept(named).map(String::from)
        };
        let own = Overrides::default();
        for fine in ["https://acme.my.salesforce.com", "https://ACME.my.salesforce.com/x?y", "https://a.force.com/"] {
            assert!(check(&own, fine).is_some_and(|url| url.ends_with(".com/")), "{fine}");
        }
        for bad in [
            "http://acme.my.salesforce.com",
            "https://salesforce.com.evil.example",
            "https://evilsalesforce.com",
            "https://acme.my.salesforce.com:8443",
            "https://acme.my.salesforce.com@evil.example",
            "https://127.0.0.1:9",
            "ftp://acme.my.salesforce.com",
            "",
        ] {
            assert_eq!(check(&own, bad), None, "{bad}");
        }
        let set = Overrides { token_url: Some("http://127.0.0.1:9/token".to_owned()), ..Overrides::default() };
        assert_eq!(check(&set, "http://127.0.0.1:10/").as_deref(), Some("http://127.0.0.1:10/"));
        assert_eq!(check(&set, "https://evil.example"), None);
    }
}
