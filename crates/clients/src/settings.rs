//! How a channel behaves.

use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

use crate::{BearerToken, ServerAddress};

/// How a channel behaves. [`ChannelSettings::new`] gives values that suit a
/// command line and a service alike.
#[derive(Debug, Clone)]
pub struct ChannelSettings {
    /// Where the service listens.
    pub address: ServerAddress,
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long a call of one request and one answer may take when it says
    /// nothing itself. Streams have no deadline unless they set one.
    pub deadline: Duration,
    /// After how long without traffic the peer is asked for a sign of life.
    pub keepalive_interval: Duration,
    /// How long that sign may take before the connection counts as lost.
    pub keepalive_timeout: Duration,
    /// Sent with every call.
    pub token: Option<BearerToken>,
    /// Certificates (PEM) that are trusted besides those of the system.
    pub certificate_authority_file: Option<PathBuf>,
    /// Who calls, for the server's log, for example `mainstay-cli/0.1.0`.
    pub user_agent: String,
}

impl ChannelSettings {
    /// Connect within 5 s, answer within 30 s, a sign of life every 20 s, no token.
    pub fn new(address: ServerAddress) -> Self {
        Self {
            address,
            connect_timeout: Duration::from_secs(5),
            deadline: Duration::from_secs(30),
            keepalive_interval: Duration::from_secs(20),
            keepalive_timeout: Duration::from_secs(10),
            token: None,
            certificate_authority_file: None,
            user_agent: concat!("mainstay-clients/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// Why a channel cannot be made.
#[derive(Debug, Error)]
pub enum ClientError {
    /// The settings do not fit together.
    #[error("the connection to {address} cannot be set up: {reason}")]
    Settings {
        /// Where it was to go.
        address: ServerAddress,
        /// What is wrong.
        reason: String,
    },
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The token cannot be sent in a header.
    #[error("the token is empty or has characters that a header cannot carry")]
    Token,
}
