//! How a service listens, and within which limits.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::auth::AuthSettings;
use crate::settings::Reader;
use crate::tls::TlsSettings;

/// How a service listens, within which limits it answers, and how it ends.
#[derive(Debug, Clone)]
pub struct RpcSettings {
    /// Where the RPCs are served. Port 0: a free one.
    pub listen: SocketAddr,
    /// Where `/livez`, `/readyz`, `/metrics` and, for Kubernetes' probes, the gRPC health service are
    /// served, never encrypted and never authenticated. Port 0: a free one.
    pub admin_listen: SocketAddr,
    /// Encryption of the RPCs; `None`: plain text.
    pub tls: Option<TlsSettings>,
    /// What one call, one connection and all together may take.
    pub limits: Limits,
    /// How connections are kept and ended.
    pub connections: ConnectionSettings,
    /// How callers are authenticated.
    pub auth: AuthSettings,
    /// Says in so many words that anybody who reaches `listen` may call everything.
    pub allow_unauthenticated_non_loopback: bool,
    /// Whether reflection answers without authentication.
    pub reflection_public: bool,
    /// How the server ends.
    pub drain: DrainSettings,
}

/// What one call, one connection and all together may take.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Largest message in either direction, in bytes, on the wire and decompressed.
    pub message_bytes_max: usize,
    /// Calls in progress over all connections; beyond it calls are refused at once.
    /// Open-ended streams count until they end.
    pub concurrency_max: usize,
    /// Calls in progress on one connection; beyond it the caller's library waits.
    pub streams_per_connection_max: u32,
    /// Connections at once; beyond it new ones wait to be accepted.
    pub connections_max: usize,
    /// The longest that a call may take, whatever the caller asks for. A caller without a deadline gets this one.
    pub deadline_max: Duration,
    /// The longest that a call of a streaming method may take, until its last message.
    pub stream_deadline_max: Duration,
    /// Largest size of all request headers, in bytes.
    pub header_bytes_max: u32,
    /// Whether services made with [`crate::limited`] take and send gzip.
    pub gzip: bool,
}

/// How connections are kept and ended.
#[derive(Debug, Clone)]
pub struct ConnectionSettings {
    /// A connection must have finished its handshake and said its first HTTP/2 bytes by then.
    pub handshake_timeout: Duration,
    /// A quiet connection is asked for a sign of life this often.
    pub keepalive_interval: Duration,
    /// A connection that does not give the sign of life within this is closed.
    pub keepalive_timeout: Duration,
    /// After this the client is asked to connect anew (GOAWAY; calls in progress go on), so that new replicas get their share.
    pub age_max: Duration,
    /// The age of each connection varies by up to this share of `age_max` in percent, so that not all come back at once.
    pub age_jitter_percent: u32,
}

/// How the server ends.
#[derive(Debug, Clone)]
pub struct DrainSettings {
    /// After health says NOT_SERVING, calls are still served this long, so that load balancers can notice.
    pub delay: Duration,
    /// Calls in progress get this long to finish; then their connections are cut.
    pub timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes_max: 16 * 1024 * 1024,
            concurrency_max: 1024,
            streams_per_connection_max: 256,
            connections_max: 4096,
            deadline_max: Duration::from_secs(30),
            stream_deadline_max: Duration::from_secs(600),
            header_bytes_max: 16 * 1024,
            gzip: true,
        }
    }
}

impl Default for ConnectionSettings {
    fn default() -> Self {
        Self {
            handshake_timeout: Duration::from_secs(5),
            keepalive_interval: Duration::from_secs(30),
            keepalive_timeout: Duration::from_secs(10),
            age_max: Duration::from_secs(600),
            age_jitter_percent: 20,
        }
    }
}

impl Default for DrainSettings {
    fn default() -> Self {
        Self { delay: Duration::from_secs(5), timeout: Duration::from_secs(20) }
    }
}

impl RpcSettings {
    /// Free ports on loopback, no authentication, no drain delay: for tests and for all services in one process.
    pub fn loopback() -> Self {
        let any = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
        Self {
            listen: any,
            admin_listen: any,
            tls: None,
            limits: Limits::default(),
            connections: ConnectionSettings::default(),
            auth: AuthSettings::default(),
            allow_unauthenticated_non_loopback: false,
            reflection_public: true,
            drain: DrainSettings { delay: Duration::ZERO, timeout: Duration::from_secs(5) },
        }
    }
}
impl RpcSettings {
    /// Reads the sections `rpc` and `auth`.
    pub fn read(reader: &mut Reader) -> Self {
        let _ = reader;
        todo!()
    }
}
