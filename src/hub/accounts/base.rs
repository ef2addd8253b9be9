//! Where the API of a connection is.

use url::Url;

use super::{needs_reconnect, url_path};
use crate::{
    oauth::{self, Endpoints, InstanceAt, names_of},
    tool::{Error, Integration},
    vault::Connection,
};

/// Where an integration's API is: the same for everybody, or different from connection to connection.
///
/// An integration's `base_url` may hold `{name}` for what a connection knows: what the person typed in or named, or
/// what the vendor sent along (`https://{subdomain}.zendesk.com`). When it begins with `{name}`, that is a whole
/// address out of the token answer (`{instance_url}/services/data/v66.0`), and the [`oauth::Instance`] of the
/// provider says in which domains it must lie. What the operator sets goes before all of it.
#[derive(Clone, Debug)]
pub struct Base {
    integration: &'static Integration,
    template: String,
    instance: Option<InstanceAt>,
    is_operators: bool,
}

impl Base {
    /// The vendor's own.
    ///
    /// # Errors
    /// The address of the integration is none.
    pub fn of(integration: &'static Integration, endpoints: Option<&Endpoints>) -> Result<Base, oauth::Error> {
        let template = integration.base_url.to_owned();
        let instance = endpoints.and_then(|endpoints| endpoints.instance.clone());
        Base { integration, template, instance, is_operators: false }.checked()
    }

    /// The one that the operator named; it may hold `{name}`, too.
    ///
    /// # Errors
    /// It is no address.
    #[must_use = "it is a new one"]
    pub fn set_to(mut self, address: &str) -> Result<Base, oauth::Error> {
        // What went through a URL has its braces encoded.
        self.template = address.replace("%7B", "{").replace("%7D", "}");
        self.is_operators = true;
        self.checked()
    }

    /// Whether the operator named it, so that it may stand in a private network.
    pub fn is_operators(&self) -> bool {
        self.is_operators
    }

    /// Where something else of the same vendor is: the base with another path.
    pub fn beside(&self, path: &str) -> String {
        let root = self.template.strip_suffix(url_path(self.integration.base_url)).unwrap_or(&self.template);
        format!("{}{path}", root.trim_end_matches('/'))
    }

    /// Where the requests of a connection go.
    ///
    /// # Errors
    /// The connection does not know it, or names a place that is not the vendor's.
    pub fn of_connection(&self, connection: &Connection) -> Result<Url, Error> {
        let names = names_of(connection);
        let url = match self.origin_member() {
            Some((member, path)) => {
                let named = names.get(member).ok_or_else(|| self.lost(&format!("its {member} is not known")))?;
                let instance = self.instance.as_ref().and_then(|instance| instance.accept(named));
                let origin =
                    instance.ok_or_else(|| self.lost(&format!("its {member} is not an address of the vendor")))?;
                format!("{}{path}", origin.as_str().trim_end_matches('/'))
            }
            None => {
                oauth::filled(&self.template, &names).map_err(|error| self.lost(&error.to_string()).because(error))?
            }
        };
        url.parse().map_err(Error::internal)
    }

    /// `instance_url` and `/services/data/v66.0`, when the template begins with `{instance_url}`.
    fn origin_member(&self) -> Option<(&str, &str)> {
        self.template.strip_prefix('{')?.split_once('}')
    }

    fn lost(&self, why: &str) -> Error {
        needs_reconnect(self.integration, why)
    }

    fn checked(self) -> Result<Base, oauth::Error> {
        let none =
            || oauth::Error::Setup(format!("the base URL `{}` of {} is none", self.template, self.integration.id));
        match (self.origin_member(), &self.instance) {
            (Some((member, _)), Some(instance)) if instance.member == member => Ok(self),
            (Some(_), _) => Err(none()),
            (None, _) => match Url::parse(&oauth::sample(&self.template)) {
                Ok(_) => Ok(self),
                Err(_) => Err(none()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::Timestamp;

    use super::*;
    use crate::{
        http::{HeaderMap, Response},
        id::UserId,
        oauth::{Instance, Overrides, Provider},
        secret::Secret,
        tool::{Category, Identity},
        vault::{ConnectionKey, Credential, Status},
    };

    const SALESFORCE: Provider = Provider {
        family: "salesforce",
        authorize_url: "https://login.salesforce.com/services/oauth2/authorize",
        token_url: "https://login.salesforce.com/services/oauth2/token",
        instance: Some(Instance { member: "instance_url", domains: &["salesforce.com"] }),
        ..Provider::STANDARD
    };

    static BY_INSTANCE: Integration = integration("{instance_url}/services/data/v66.0", Some(SALESFORCE));
    static BY_NAME: Integration = integration("https://{subdomain}.zendesk.com/api/v2", None);
    static BY_CLOUD: Integration = integration("https://api.atlassian.com/ex/jira/{cloudId}", None);

    const fn integration(base_url: &'static str, oauth: Option<Provider>) -> Integration {
        Integration {
            id: "example",
            title: "Example",
            category: Category::Crm,
            docs: "",
            console: None,
            base_url,
            oauth,
            fields: &[],
            sign: |_| HeaderMap::new(),
            rate: None,
            explain: |_: &Response| Error::not_found("it"),
            is_limit: None,
            status: None,
            probe: |_| Box::pin(async { Ok(Identity::default()) }),
            base_scopes: &[],
            tools: &[],
            core: &[],
        }
    }

    fn connection(credential: Credential) -> Connection {
        Connection {
            key: ConnectionKey::new(UserId::new("local"), "example", "default"),
            credential,
            generation: 1,
            status: Status::Active,
            scopes: Vec::new(),
            metadata: BTreeMap::new(),
            client_id: None,
            connected_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn told(name: &str, value: &str) -> Connection {
        let extra = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        connection(Credential::OAuth { access: Secret::new("a"), refresh: None, expires_at: None, extra })
    }

    fn typed(name: &str, value: &str) -> Connection {
        connection(Credential::Fields(BTreeMap::from([(name.to_owned(), Secret::new(value))])))
    }

    fn base(integration: &'static Integration) -> Base {
        let none = Overrides::default();
        let endpoints = integration.oauth.as_ref().map(|provider| Endpoints::of(provider, &none).unwrap());
        Base::of(integration, endpoints.as_ref()).unwrap()
    }

    fn check(base: &Base, connection: &Connection) -> Result<String, String> {
        base.of_connection(connection).map(String::from).map_err(|error| error.what().to_owned())
    }

    #[test]
    fn requests_go_to_the_instance_of_the_connection_if_it_is_the_vendors() {
        let base = base(&BY_INSTANCE);
        let acme = told("instance_url", "https://acme.my.salesforce.com");
        assert_eq!(check(&base, &acme).unwrap(), "https://acme.my.salesforce.com/services/data/v66.0");
        let pasted = typed("instance_url", "https://acme.my.salesforce.com/");
        assert_eq!(check(&base, &pasted).unwrap(), "https://acme.my.salesforce.com/services/data/v66.0");
        for foreign in ["https://evil.example", "http://acme.my.salesforce.com", ""] {
            let error = check(&base, &told("instance_url", foreign)).unwrap_err();
            assert!(error.contains("not an address of the vendor"), "{foreign}: {error}");
        }
        assert!(check(&base, &told("x", "y")).unwrap_err().contains("instance_url is not known"));
    }

    #[test]
    fn what_a_person_named_is_put_into_the_host() {
        let base = base(&BY_NAME);
        for connection in [told("subdomain", "acme"), typed("subdomain", " acme ")] {
            assert_eq!(check(&base, &connection).unwrap(), "https://acme.zendesk.com/api/v2");
        }
        for foreign in ["evil.example/", "a.b", "a@b", ""] {
            assert!(check(&base, &typed("subdomain", foreign)).is_err(), "{foreign}");
        }
    }

    #[test]
    fn the_operators_address_goes_before_the_vendors() {
        let set = base(&BY_INSTANCE).set_to("http://127.0.0.1:9/services/data/v66.0").unwrap();
        let acme = told("instance_url", "https://acme.my.salesforce.com");
        assert_eq!(check(&set, &acme).unwrap(), "http://127.0.0.1:9/services/data/v66.0");
        assert!(set.is_operators());

        let encoded = url::Url::parse("http://127.0.0.1:9/proxy/ex/jira/{cloudId}").unwrap();
        let set = base(&BY_CLOUD).set_to(encoded.as_str()).unwrap();
        assert_eq!(check(&set, &told("cloudId", "c-1")).unwrap(), "http://127.0.0.1:9/proxy/ex/jira/c-1");
        assert_eq!(
            set.beside("/oauth/token/accessible-resources"),
            "http://127.0.0.1:9/proxy/oauth/token/accessible-resources"
        );
        assert!(base(&BY_CLOUD).set_to("not an address").is_err());
    }
}
