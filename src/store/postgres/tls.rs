//! How the way to the server is protected: verified TLS, unless it ends on this machine or somebody said otherwise.
//!
//! What the driver takes by itself is `prefer`: TLS when the server offers it, whoever that is. Whoever stands on the way
//! could read every row and say that there is no TLS. So for a server elsewhere every weaker mode counts as
//! `verify-full`, and `disable` is refused; only the setting, which says it in words, lowers that.

use std::{io, net::IpAddr};

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::super::{Error, Result};
use crate::config::StoreTls;

/// `options` with the protection that `tls` asks for.
pub(super) fn secured(options: PgConnectOptions, tls: StoreTls) -> Result<PgConnectOptions> {
    if is_here(&options) {
        return Ok(options);
    }
    let is_disabled = matches!(options.get_ssl_mode(), PgSslMode::Disable);
    match tls {
        StoreTls::Verified if is_disabled => Err(refused(options.get_host())),
        StoreTls::Verified => Ok(options.ssl_mode(PgSslMode::VerifyFull)),
        StoreTls::Unverified if matches!(options.get_ssl_mode(), PgSslMode::VerifyCa | PgSslMode::VerifyFull) => {
            Ok(options)
        }
        StoreTls::Unverified => Ok(options.ssl_mode(PgSslMode::Require)),
        StoreTls::None => Ok(options),
    }
}

/// What to do when a connection that is verified fails; nothing for one that is not.
pub(super) fn hint(options: &PgConnectOptions) -> String {
    if is_here(options) || !matches!(options.get_ssl_mode(), PgSslMode::VerifyFull) {
        return String::new();
    }
    let host = options.get_host();
    format!(
        "; the certificate of {host} is checked: when an authority of your own signs it, add `sslrootcert=FILE` to the \
         address, and docs/nodes.md says how to go without (SWITCHBOARD_STORE_TLS)"
    )
}

/// Whether the way to the server does not leave this machine.
fn is_here(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    options.get_socket().is_some()
        || host.starts_with('/')
        || bare.eq_ignore_ascii_case("localhost")
        || bare.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

fn refused(host: &str) -> Error {
    let why = format!(
        "its address says `sslmode=disable`, and the way to {host} leaves this machine: passwords and rows would travel \
         in the clear. Leave `sslmode` away, or, where the network itself is protected, set SWITCHBOARD_STORE_TLS=none"
    );
    Error::io("be reached", io::Error::new(io::ErrorKind::PermissionDenied, why))
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;

    /// The mode that is used for `address`; `None` when it is refused.
    fn mode(address: &str, tls: StoreTls) -> Option<String> {
        let options = PgConnectOptions::from_str(address).unwrap();
        let options = if address.contains("sslmode") { options } else { options.ssl_mode(PgSslMode::Prefer) };
        secured(options, tls).ok().map(|options| format!("{:?}", options.get_ssl_mode()))
    }

    #[test]
    fn a_server_elsewhere_is_verified_whatever_weaker_mode_is_named() {
        for address in ["postgres://u@db.example.com/d", "postgres://u@10.0.0.7/d", "postgres://u@[2001:db8::7]/d"] {
            for query in ["", "?sslmode=allow", "?sslmode=prefer", "?sslmode=require", "?sslmode=verify-ca"] {
                let mode = mode(&format!("{address}{query}"), StoreTls::Verified);
                assert_eq!(mode.as_deref(), Some("VerifyFull"), "{address}{query}");
            }
            assert_eq!(mode(&format!("{address}?sslmode=disable"), StoreTls::Verified), None);
        }
        // Names that only look like this machine's.
        for address in ["postgres://u@localhost.example.com/d", "postgres://u@127.0.0.1.example.com/d"] {
            assert_eq!(mode(address, StoreTls::Verified).as_deref(), Some("VerifyFull"), "{address}");
        }
        assert_eq!(
            mode("postgres://u@127.0.0.1/d?host=db.example.com", StoreTls::Verified).as_deref(),
            Some("VerifyFull")
        );
    }

    #[test]
    fn on_this_machine_nothing_changes() {
        for address in [
            "postgres://u@localhost/d",
            "postgres://u@127.0.0.1:5433/d",
            "postgres://u@[::1]/d",
            "postgres://u@%2Fvar%2Frun%2Fpostgresql/d",
            "postgres:///d?host=/var/run/postgresql",
        ] {
            assert_eq!(mode(address, StoreTls::Verified).as_deref(), Some("Prefer"), "{address}");
        }
        assert_eq!(mode("postgres://u@localhost/d?sslmode=disable", StoreTls::Verified).as_deref(), Some("Disable"));
    }

    #[test]
    fn only_the_setting_lowers_it() {
        let address = "postgres://u@db.example.com/d";
        assert_eq!(mode(address, StoreTls::Unverified).as_deref(), Some("Require"));
        assert_eq!(mode(&format!("{address}?sslmode=disable"), StoreTls::Unverified).as_deref(), Some("Require"));
        assert_eq!(
            mode(&format!("{address}?sslmode=verify-full"), StoreTls::Unverified).as_deref(),
            Some("VerifyFull")
        );
        assert_eq!(mode(&format!("{address}?sslmode=disable"), StoreTls::None).as_deref(), Some("Disable"));
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        let options = PgConnectOptions::from_str("postgres://u:hunter2@db.example.com/d?sslmode=disable").unwrap();
        let text = secured(options, StoreTls::Verified).unwrap_err().to_string();
        assert!(text.contains("SWITCHBOARD_STORE_TLS=none") && !text.contains("hunter2"), "{text}");
    }
}
