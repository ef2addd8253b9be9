//! What `serve` and `stdio` take: where to listen, whom to believe, which tools to offer.

use std::{collections::BTreeSet, net::SocketAddr, num::NonZeroUsize};

use clap::Args;
use url::Url;

use crate::{config, hub::Filters, transport::Network};

/// Which tools are offered.
#[derive(Clone, Debug, Default, Args)]
pub struct Narrowing {
    /// Offer only tools that look and change nothing.
    #[arg(long, env = "SWITCHBOARD_READ_ONLY", hide_env_values = true, value_parser = clap::builder::FalseyValueParser::new())]
    pub read_only: bool,
    /// Offer all tools of these integrations; `all` for every one [default: the core of what is connected].
    #[arg(long, value_name = "A,B", value_delimiter = ',', env = "SWITCHBOARD_TOOLSETS", hide_env_values = true)]
    pub toolsets: Vec<String>,
    /// Offer only these tools.
    #[arg(long, value_name = "X,Y", value_delimiter = ',', env = "SWITCHBOARD_TOOLS", hide_env_values = true)]
    pub tools: Vec<String>,
    /// Never offer these tools.
    #[arg(long, value_name = "Z", value_delimiter = ',', env = "SWITCHBOARD_EXCLUDE_TOOLS", hide_env_values = true)]
    pub exclude_tools: Vec<String>,
    /// List four tools that find, describe and call the others, in place of all.
    #[arg(long, env = "SWITCHBOARD_DISCOVERY", hide_env_values = true, value_parser = clap::builder::FalseyValueParser::new())]
    pub discovery: bool,
}

impl Narrowing {
    /// As a bound on tools.
    pub fn filters(&self) -> Filters {
        let named = |names: &[String]| (!names.is_empty()).then(|| names.iter().cloned().collect::<BTreeSet<_>>());
        Filters {
            read_only: self.read_only,
            toolsets: named(&self.toolsets),
            tools: named(&self.tools),
            exclude: self.exclude_tools.iter().cloned().collect(),
            discovery: self.discovery,
        }
    }
}

/// `switchboard serve`
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  switchboard serve --sandbox
  switchboard serve --listen 127.0.0.1:8080 --toolsets google-calendar")]
pub struct Serve {
    /// Listen here; port 0 takes a free one [default: 127.0.0.1:7411].
    #[arg(long, value_name = "ADDRESS", env = "SWITCHBOARD_LISTEN", hide_env_values = true)]
    pub listen: Option<SocketAddr>,
    /// The address under which browsers and vendors reach this server [default: http://localhost:PORT].
    #[arg(long, value_name = "URL", env = "SWITCHBOARD_PUBLIC_URL", hide_env_values = true)]
    pub public_url: Option<Url>,
    /// Believe what proxies at these addresses say of the client: X-Forwarded-For, -Proto and -Host.
    ///
    /// Addresses and networks, such as `10.0.0.0/8`. Who names a proxy expects strangers: nobody comes in without a
    /// token then, in the sandbox neither.
    #[arg(
        long,
        value_name = "A,B",
        value_delimiter = ',',
        env = "SWITCHBOARD_TRUST_PROXY",
        hide_env_values = true,
        conflicts_with = "allow_unauthenticated"
    )]
    pub trust_proxy: Vec<Network>,
    /// Take at most this many connections, WebSockets among them [default: 4096, or what the limit of open files allows].
    #[arg(long, value_name = "NUMBER", env = "SWITCHBOARD_CONNECTIONS", hide_env_values = true)]
    pub connections: Option<NonZeroUsize>,
    /// Take at most this many of them from one address [default: a quarter]. Loopback and named proxies are not bound.
    #[arg(long, value_name = "NUMBER", env = "SWITCHBOARD_CONNECTIONS_PER_ADDRESS", hide_env_values = true)]
    pub connections_per_address: Option<NonZeroUsize>,
    /// Let pages of these origins call /mcp and /ws, such as `http://localhost:6274`; our own may in any case.
    #[arg(
        long,
        value_name = "A,B",
        value_delimiter = ',',
        env = "SWITCHBOARD_ALLOW_ORIGIN",
        hide_env_values = true,
        value_parser = origin
    )]
    pub allow_origin: Vec<String>,
    /// Answer without a token; on loopback only, and never behind a proxy. The sandbox does so by itself.
    #[arg(long)]
    pub allow_unauthenticated: bool,
    /// Whose access tokens are taken beside our own.
    #[command(flatten)]
    pub trust: Trust,
    /// Which tools are offered.
    #[command(flatten)]
    pub narrowing: Narrowing,
}

/// The origin of web pages, as browsers write it.
pub fn origin(text: &str) -> Result<String, String> {
    let wrong = || format!("`{text}` is no origin such as http://localhost:6274");
    let url: Url = text.trim().parse().map_err(|_| wrong())?;
    let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    let fits = is_bare && matches!(url.scheme(), "http" | "https") && url.has_host();
    if fits { Ok(url.origin().ascii_serialization()) } else { Err(wrong()) }
}

/// Whose access tokens are taken beside our own.
#[derive(Clone, Debug, Default, Args)]
pub struct Trust {
    /// Take access tokens of the OAuth authorization server with this identifier.
    #[arg(long, value_name = "URL", env = "SWITCHBOARD_AUTH_ISSUER", conflicts_with = "allow_unauthenticated")]
    pub auth_issuer: Option<String>,
    /// The audience that its tokens must name [default: the address of this server, with or without /mcp].
    #[arg(long, value_name = "NAME", env = "SWITCHBOARD_AUTH_AUDIENCE")]
    pub auth_audience: Option<String>,
    /// Make a user of everybody for whom it issues a token.
    #[arg(long, env = "SWITCHBOARD_AUTH_PROVISION", value_parser = clap::builder::BoolishValueParser::new(), num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", hide_possible_values = true, hide_default_value = true)]
    pub auth_provision: bool,
}

impl Trust {
    /// What the settings file says where the command line is silent.
    #[must_use]
    pub fn or_file(self, file: &config::File) -> Trust {
        Trust {
            auth_issuer: self.auth_issuer.or_else(|| file.auth_issuer.clone()).filter(|issuer| !issuer.is_empty()),
            auth_audience: self.auth_audience.or_else(|| file.auth_audience.clone()).filter(|name| !name.is_empty()),
            auth_provision: self.auth_provision || file.auth_provision,
        }
    }
}

/// `switchboard stdio`
#[derive(Clone, Debug, Args)]
#[command(after_help = r#"Clients start this command themselves. Most of them take this:
  {"mcpServers": {"switchboard": {"command": "switchboard", "args": ["stdio"]}}}

Add "--sandbox" to the list to try it without any account."#)]
pub struct Stdio {
    /// Serve the client as one of your agents, by its name or id: with its tools, level and accounts.
    #[arg(long, value_name = "NAME", env = "SWITCHBOARD_AGENT", hide_env_values = true)]
    pub agent: Option<String>,
    /// Which tools are offered.
    #[command(flatten)]
    pub narrowing: Narrowing,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        assert_eq!(origin(" http://LOCALHOST:6274/ ").unwrap(), "http://localhost:6274");
        assert_eq!(origin("https://tools.example.com:443").unwrap(), "https://tools.example.com");
        for wrong in ["", "*", "null", "localhost:6274", "http://a/b", "http://a?b", "file:///a", "http://u@a"] {
            assert!(origin(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_settings_file_names_an_issuer_where_the_command_line_is_silent() {
        let file = config::File {
            auth_issuer: Some("https://file.example.com".into()),
            auth_audience: Some(String::new()),
            auth_provision: true,
            ..config::File::default()
        };
        let silent = Trust::default().or_file(&file);
        assert_eq!(silent.auth_issuer.as_deref(), Some("https://file.example.com"));
        assert!(silent.auth_audience.is_none() && silent.auth_provision);
        let said = Trust { auth_issuer: Some("https://flag.example.com".into()), ..Trust::default() }.or_file(&file);
        assert_eq!(said.auth_issuer.as_deref(), Some("https://flag.example.com"));
    }
}
