//! Connections: how a pool is set up, and what it tells about itself.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant};

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::StorageError;

/// Prepared statements kept for each connection. A service has fewer, so that none is prepared twice.
const STATEMENT_CACHE_CAPACITY: usize = 256;

/// A connection that lay idle for longer is asked for a sign of life before it is used;
/// a busy one is not, since a ping at each use costs more than half of a small read.
const PING_AFTER_IDLE: Duration = Duration::from_secs(30);

/// Connections are replaced at this age, so that a pool finds its way to a moved database.
const CONNECTION_LIFETIME: Duration = Duration::from_mins(30);

/// How to reach the database, and how long anything may take there.
///
/// The three timeouts of the server travel in the `options` of the connection's start, not in a
/// `SET`, which would not survive a transaction pooler. One of zero is not sent: what the server has
/// set for the role or database then holds, which is the way with a pooler that refuses `options`.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseSettings {
    /// Where the database is, as `postgres://user:password@host:port/database`.
    pub url: String,
    /// Most connections that the pool opens; 10 by default. All replicas' pools together should stay
    /// below 80 % of the server's `max_connections`.
    pub max_connections: u32,
    /// How long a caller waits for a connection; 1 s by default, below an RPC's deadline.
    pub acquire_timeout: Duration,
    /// How long one statement may run; 30 s by default.
    pub statement_timeout: Duration,
    /// How long a statement may wait for a lock; 10 s by default.
    pub lock_timeout: Duration,
    /// How long a transaction may stand open with nothing to do; 30 s by default.
    pub idle_in_transaction_timeout: Duration,
    /// What the server shows as the connection's owner, in `pg_stat_activity`.
    pub application_name: String,
}

impl DatabaseSettings {
    /// Settings with the default limits.
    pub fn new(url: impl Into<String>, application_name: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            max_connections: 10,
            acquire_timeout: Duration::from_secs(1),
            statement_timeout: Duration::from_secs(30),
            lock_timeout: Duration::from_secs(10),
            idle_in_transaction_timeout: Duration::from_secs(30),
            application_name: application_name.into(),
        }
    }
}

/// The URL may carry a password, so it is not shown.
impl fmt::Debug for DatabaseSettings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("DatabaseSettings")
            .field("url", &"(redacted)")
            .field("max_connections", &self.max_connections)
            .field("acquire_timeout", &self.acquire_timeout)
            .field("statement_timeout", &self.statement_timeout)
            .field("lock_timeout", &self.lock_timeout)
            .field("idle_in_transaction_timeout", &self.idle_in_transaction_timeout)
            .field("application_name", &self.application_name)
            .finish()
    }
}

/// Makes a pool. It connects when it is first used, so that a service can start before its database.
///
/// Must be called within a tokio runtime.
///
/// # Errors
/// [`StorageError::Internal`] when the URL cannot be read.
pub fn connect(settings: &DatabaseSettings) -> Result<PgPool, StorageError> {
    let timeouts = [
        ("statement_timeout", settings.statement_timeout),
        ("lock_timeout", settings.lock_timeout),
        ("idle_in_transaction_session_timeout", settings.idle_in_transaction_timeout),
    ];
    let sent_timeouts = timeouts
        .into_iter()
        .filter(|(_, timeout)| !timeout.is_zero())
        .map(|(name, timeout)| (name, timeout.as_millis().max(1).to_string()));
    let connect_options = PgConnectOptions::from_str(&settings.url)?
        .application_name(&settings.application_name)
        .statement_cache_capacity(STATEMENT_CACHE_CAPACITY)
        .options(sent_timeouts);
    Ok(PgPoolOptions::new()
        .max_connections(settings.max_connections)
        .acquire_timeout(settings.acquire_timeout)
        .max_lifetime(CONNECTION_LIFETIME)
        .test_before_acquire(false)
        .before_acquire(|connection, metadata| {
            Box::pin(async move {
                if metadata.idle_for > PING_AFTER_IDLE {
                    sqlx::Connection::ping(connection).await?;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(connect_options))
}

/// Records how many connections the pool has, in the gauges `mainstay_database_pool_connections` (labels `pool` and
/// `state`, `idle` or `used`) and `mainstay_database_pool_connections_max`; then takes one as any caller does, and
/// records how long it waited in the histogram `mainstay_database_pool_acquire_seconds`. One that does not come in
/// time is counted in `mainstay_database_pool_acquire_failures_total`.
///
/// Records once: call it again and again, about as often as the metrics are read.
pub async fn observe_pool(pool: &PgPool, name: &'static str) {
    let size = pool.size();
    let idle = u32::try_from(pool.num_idle()).unwrap_or(u32::MAX).min(size);
    metrics::gauge!("mainstay_database_pool_connections", "pool" => name, "state" => "idle").set(f64::from(idle));
    metrics::gauge!("mainstay_database_pool_connections", "pool" => name, "state" => "used")
        .set(f64::from(size - idle));
    metrics::gauge!("mainstay_database_pool_connections_max", "pool" => name)
        .set(f64::from(pool.options().get_max_connections()));

    let asked = Instant::now();
    match pool.acquire().await {
        Ok(_) => metrics::histogram!("mainstay_database_pool_acquire_seconds", "pool" => name)
            .record(asked.elapsed().as_secs_f64()),
        Err(_) => {
            metrics::counter!("mainstay_database_pool_acquire_failures_total", "pool" => name).increment(1);
        }
    }
}
