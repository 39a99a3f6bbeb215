//! The settings of authentication.

use std::path::PathBuf;
use std::time::Duration;

use crate::settings::Reader;

/// Whether and how callers are authenticated.
#[derive(Debug, Clone, Default)]
pub struct AuthSettings {
    /// Tokens; `None` means that nobody is authenticated.
    pub jwt: Option<JwtSettings>,
}

/// Which tokens hold.
#[derive(Debug, Clone)]
pub struct JwtSettings {
    /// The `iss` that a token must have.
    pub issuer: String,
    /// The `aud` that a token must have among its own.
    pub audience: String,
    /// Where the issuer's keys are.
    pub keys: JwksSource,
    /// Signature algorithms that are accepted, for example `RS256`.
    pub algorithms: Vec<String>,
    /// How far the issuer's clock may be off.
    pub leeway: Duration,
    /// Permissions by subject; a subject may end in `*`.
    pub grants: Vec<(String, Vec<String>)>,
}

/// Where the keys (a JSON Web Key Set) come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JwksSource {
    /// A file, read again when it changes.
    File(PathBuf),
    /// An address, `https` or loopback `http`.
    Url {
        /// The address.
        url: String,
        /// Certificate authorities (PEM) to trust instead of the system's.
        ca_file: Option<PathBuf>,
        /// A file with a bearer token to send, read at each fetch.
        token_file: Option<PathBuf>,
    },
}

impl AuthSettings {
    /// Whether callers are authenticated.
    pub fn is_configured(&self) -> bool {
        self.jwt.is_some()
    }

    /// Reads the section `auth`.
    pub fn read(reader: &mut Reader) -> Self {
        let _ = reader;
        todo!()
    }
}
