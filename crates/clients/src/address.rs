//! Where a service listens.

use std::fmt;
use std::str::FromStr;

use http::Uri;
use thiserror::Error;

/// The port that an address without scheme and port means.
pub const DEFAULT_PORT: u16 = 7461;

/// Where a service listens: `http://host:port`, `https://host:port` or `unix:/path`.
///
/// Read from text. Without a scheme `http` is meant, and without a port then
/// [`DEFAULT_PORT`]; with a scheme the scheme's own port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerAddress(String);

/// Why a text is not an address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidAddress {
    /// Nothing was given.
    #[error("the address is empty; give for example `http://127.0.0.1:{DEFAULT_PORT}`")]
    Empty,
    /// Neither `http`, `https` nor `unix`.
    #[error("`{0}` is not a scheme of ours: use `http://`, `https://` or `unix:`")]
    Scheme(String),
    /// It cannot be read.
    #[error("`{0}` is not an address; give for example `http://127.0.0.1:{DEFAULT_PORT}` or `unix:/run/mainstay.sock`")]
    Malformed(String),
    /// Something stands behind the host and port.
    #[error("`{0}` must end after the host and port: services have no path")]
    Path(String),
}

impl ServerAddress {
    /// As the transport reads it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address so many ports further on; none without a port in it, or past the last.
    #[must_use]
    pub fn with_port_offset(&self, offset: u16) -> Option<Self> {
        let (front, port) = self.0.rsplit_once(':')?;
        let port: u16 = port.parse().ok()?;
        Some(Self(format!("{front}:{}", port.checked_add(offset)?)))
    }

    /// Whether the connection is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.0.starts_with("https://")
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl FromStr for ServerAddress {
    type Err = InvalidAddress;

    fn from_str(given: &str) -> Result<Self, InvalidAddress> {
        let text = given.trim();
        if text.is_empty() {
            return Err(InvalidAddress::Empty);
        }
        if let Some(path) = text.strip_prefix("unix:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.is_empty() {
                Err(InvalidAddress::Malformed(text.to_owned()))
            } else {
                Ok(Self(format!("unix:{path}")))
            };
        }
        let has_scheme = text.contains("://");
        let with_scheme = if has_scheme { text.to_owned() } else { format!("http://{text}") };
        let malformed = || InvalidAddress::Malformed(text.to_owned());
        let uri: Uri = with_scheme.parse().map_err(|_| malformed())?;
        let scheme = uri.scheme_str().ok_or_else(malformed)?;
        if !matches!(scheme, "http" | "https") {
            return Err(InvalidAddress::Scheme(scheme.to_owned()));
        }
        let authority = uri.authority().ok_or_else(malformed)?;
        let after_host = authority.as_str().strip_prefix(authority.host()).ok_or_else(malformed)?;
        let port_is_wrong = !after_host.is_empty() && authority.port_u16().is_none();
        if authority.host().is_empty() || port_is_wrong {
            return Err(malformed());
        }
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(InvalidAddress::Path(text.to_owned()));
        }
        let port = if has_scheme || authority.port().is_some() { String::new() } else { format!(":{DEFAULT_PORT}") };
        Ok(Self(format!("{scheme}://{authority}{port}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_services_address_is_some_ports_further_on() {
        let address = |text: &str| text.parse::<ServerAddress>().expect("an address");
        assert_eq!(address("127.0.0.1").with_port_offset(2), Some(address("http://127.0.0.1:7463")));
        assert_eq!(address("https://[::1]:65535").with_port_offset(1), None);
        assert_eq!(address("https://mainstay.example.com").with_port_offset(1), None);
        assert_eq!(address("unix:/run/mainstay.sock").with_port_offset(1), None);
    }

    #[test]
    fn the_scheme_and_port_may_be_left_out() {
        for (given, read) in [
            ("127.0.0.1:9000", "http://127.0.0.1:9000"),
            ("scoring", "http://scoring:7461"),
            ("[::1]:9000", "http://[::1]:9000"),
            (" http://scoring/ ", "http://scoring"),
            ("https://mainstay.example.com", "https://mainstay.example.com"),
            ("unix:/run/mainstay.sock", "unix:/run/mainstay.sock"),
            ("unix:///run/mainstay.sock", "unix:/run/mainstay.sock"),
        ] {
            assert_eq!(
                given.parse::<ServerAddress>().map(|address| address.to_string()),
                Ok(read.to_owned()),
                "{given}"
            );
        }
    }

    #[test]
    fn what_cannot_be_reached_is_refused_with_what_is_wrong() {
        let refused = |given: &str| given.parse::<ServerAddress>().expect_err(given);
        assert_eq!(refused("  "), InvalidAddress::Empty);
        assert_eq!(refused("ftp://host"), InvalidAddress::Scheme("ftp".to_owned()));
        assert!(matches!(refused("http://host:7461/api"), InvalidAddress::Path(_)));
        for given in ["unix:", "http://", "host:99999", "user@host:1", "a b"] {
            assert!(matches!(refused(given), InvalidAddress::Malformed(_)), "{given}");
        }
    }
}
