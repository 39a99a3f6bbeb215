//! How a service listens, and within which limits.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use super::listen::Listen;
use crate::auth::AuthSettings;
use crate::settings::Reader;
use crate::tls::TlsSettings;

/// How far above the port of the RPCs the admin port is by default.
pub const ADMIN_PORT_OFFSET: u16 = 10;

/// How a service listens, within which limits it answers, and how it ends.
#[derive(Debug, Clone)]
pub struct RpcSettings {
    /// Where the RPCs are served. Port 0: a free one.
    pub listen: Listen,
    /// Where `/livez`, `/readyz`, `/metrics` and, for Kubernetes' probes, the gRPC health service are
    /// served, never encrypted and never authenticated. Port 0: a free one.
    pub admin_listen: Listen,
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
    /// How often the service is asked whether it is ready.
    pub readiness_interval: Duration,
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
    /// After health says `NOT_SERVING`, calls are still served this long, so that load balancers can notice.
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
            stream_deadline_max: Duration::from_mins(10),
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
            age_max: Duration::from_mins(10),
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
            listen: any.into(),
            admin_listen: any.into(),
            tls: None,
            limits: Limits::default(),
            connections: ConnectionSettings::default(),
            auth: AuthSettings::default(),
            allow_unauthenticated_non_loopback: false,
            reflection_public: true,
            readiness_interval: Duration::from_secs(5),
            drain: DrainSettings { delay: Duration::ZERO, timeout: Duration::from_secs(5) },
        }
    }
}
impl RpcSettings {
    /// Reads the sections `rpc` and `auth`. By default it listens on this machine only, with the RPCs at
    /// `port` and the admin pages at [`ADMIN_PORT_OFFSET`] above.
    pub fn read(reader: &mut Reader, port: u16) -> Self {
        let loopback = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
        let listen = reader.socket_address("rpc.listen", "where the RPCs are served", loopback(port));
        let admin_listen = reader.socket_address(
            "rpc.admin_listen",
            "where /livez, /readyz, /metrics and health for probes are served, in plain text and to anybody",
            loopback(port + ADMIN_PORT_OFFSET),
        );
        let tls = read_tls(reader);
        let allow_unauthenticated_non_loopback = reader.bool(
            "rpc.allow_unauthenticated_non_loopback",
            "serve other machines without authentication: whoever reaches the port may call everything",
            false,
        );
        let reflection_public =
            reader.bool("rpc.reflection_public", "whether reflection answers without authentication", true);
        let readiness_interval = reader.duration(
            "rpc.readiness_interval",
            "how often the service checks whether it is ready; three failures in a row make it not ready",
            Duration::from_secs(5),
            Duration::from_millis(100)..=Duration::from_mins(1),
        );
        Self {
            listen: listen.into(),
            admin_listen: admin_listen.into(),
            tls,
            limits: Limits::read(reader),
            connections: ConnectionSettings::read(reader),
            auth: AuthSettings::read(reader),
            allow_unauthenticated_non_loopback,
            reflection_public,
            readiness_interval,
            drain: DrainSettings::read(reader),
        }
    }
}

fn read_tls(reader: &mut Reader) -> Option<TlsSettings> {
    let certificate = reader.optional_path("rpc.tls.certificate_file", "the server's certificate chain, PEM");
    let key = reader.optional_path("rpc.tls.key_file", "the private key of the certificate, PEM");
    match (certificate, key) {
        (None, None) => None,
        (Some(certificate_file), Some(key_file)) => Some(TlsSettings { certificate_file, key_file }),
        (Some(_), None) => {
            reader.fault("rpc.tls.key_file", "is missing beside rpc.tls.certificate_file");
            None
        }
        (None, Some(_)) => {
            reader.fault("rpc.tls.certificate_file", "is missing beside rpc.tls.key_file");
            None
        }
    }
}

impl Limits {
    fn read(reader: &mut Reader) -> Self {
        let default = Self::default();
        Self {
            message_bytes_max: read_size(
                reader,
                "rpc.limits.message_bytes_max",
                "largest message in either direction, in bytes",
                default.message_bytes_max,
                1024..=256 * 1024 * 1024,
            ),
            concurrency_max: read_size(
                reader,
                "rpc.limits.concurrency_max",
                "calls in progress over all connections, open streams included; more are refused",
                default.concurrency_max,
                1..=1_000_000,
            ),
            streams_per_connection_max: reader.u32(
                "rpc.limits.streams_per_connection_max",
                "calls in progress on one connection; more wait at the caller",
                default.streams_per_connection_max,
                1..=100_000,
            ),
            connections_max: read_size(
                reader,
                "rpc.limits.connections_max",
                "connections at once; more wait to be accepted",
                default.connections_max,
                1..=1_000_000,
            ),
            deadline_max: reader.duration(
                "rpc.limits.deadline_max",
                "the longest that a unary call may take",
                default.deadline_max,
                Duration::from_millis(10)..=Duration::from_hours(1),
            ),
            stream_deadline_max: reader.duration(
                "rpc.limits.stream_deadline_max",
                "the longest that a streaming call may take, open-ended feeds excepted",
                default.stream_deadline_max,
                Duration::from_millis(10)..=Duration::from_hours(24),
            ),
            header_bytes_max: reader.u32(
                "rpc.limits.header_bytes_max",
                "largest size of all request headers, in bytes",
                default.header_bytes_max,
                1024..=1024 * 1024,
            ),
            gzip: reader.bool("rpc.limits.gzip", "whether messages may be compressed with gzip", default.gzip),
        }
    }
}

fn read_size(
    reader: &mut Reader,
    key: &'static str,
    doc: &'static str,
    default: usize,
    range: RangeInclusive<u32>,
) -> usize {
    let default = u32::try_from(default).unwrap_or(u32::MAX);
    usize::try_from(reader.u32(key, doc, default, range)).unwrap_or(usize::MAX)
}

impl ConnectionSettings {
    fn read(reader: &mut Reader) -> Self {
        let default = Self::default();
        Self {
            handshake_timeout: reader.duration(
                "rpc.connections.handshake_timeout",
                "a connection must have said its first HTTP/2 bytes by then, its TLS handshake included",
                default.handshake_timeout,
                Duration::from_millis(100)..=Duration::from_mins(1),
            ),
            keepalive_interval: reader.duration(
                "rpc.connections.keepalive_interval",
                "a quiet connection is asked for a sign of life this often",
                default.keepalive_interval,
                Duration::from_secs(1)..=Duration::from_hours(1),
            ),
            keepalive_timeout: reader.duration(
                "rpc.connections.keepalive_timeout",
                "a connection that gives no sign of life within this is closed",
                default.keepalive_timeout,
                Duration::from_secs(1)..=Duration::from_mins(5),
            ),
            age_max: reader.duration(
                "rpc.connections.age_max",
                "after this the client is asked to connect anew; calls in progress go on",
                default.age_max,
                Duration::from_secs(1)..=Duration::from_hours(7 * 24),
            ),
            age_jitter_percent: reader.u32(
                "rpc.connections.age_jitter_percent",
                "by how much of age_max the age of each connection varies",
                default.age_jitter_percent,
                0..=90,
            ),
        }
    }
}

impl DrainSettings {
    fn read(reader: &mut Reader) -> Self {
        let default = Self::default();
        Self {
            delay: reader.duration(
                "rpc.drain.delay",
                "calls are still served this long after health says NOT_SERVING, so that load balancers notice",
                default.delay,
                Duration::ZERO..=Duration::from_mins(2),
            ),
            timeout: reader.duration(
                "rpc.drain.timeout",
                "calls in progress get this long to finish, then their connections are cut",
                default.timeout,
                Duration::ZERO..=Duration::from_hours(1),
            ),
        }
    }
}
