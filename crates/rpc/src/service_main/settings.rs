//! The settings that all services have.

use std::time::Duration;

use mainstay_storage::DatabaseSettings;
use mainstay_telemetry::{LogFormat, TelemetryError, TelemetrySettings};

use crate::server::RpcSettings;
use crate::settings::{Reader, Secret};

/// The settings that all services have.
#[derive(Debug, Clone)]
pub struct CommonSettings {
    /// How the service listens. Sections `rpc` and `auth`.
    pub rpc: RpcSettings,
    /// Where its data is. Section `database`.
    pub database: DatabaseSettings,
    /// How the schema is brought up to date. Section `migration`.
    pub migration: MigrationSettings,
    /// Logs and traces. Section `telemetry`.
    pub telemetry: TelemetrySettings,
}

/// How the schema is brought up to date.
#[derive(Debug, Clone)]
pub struct MigrationSettings {
    /// The database as the role that owns the tables reaches it, straight and not through a transaction
    /// pooler; `None`: as `database.url`.
    pub url: Option<Secret>,
    /// The role that serves, which gets the rights on rows; `None`: the one that migrates.
    pub serving_role: Option<String>,
}

impl CommonSettings {
    /// Reads all sections for the service `name`, whose RPCs are at `port` by default.
    pub fn read(reader: &mut Reader, name: &str, port: u16) -> Self {
        Self {
            rpc: RpcSettings::read(reader, port),
            database: read_database(reader, name),
            migration: MigrationSettings {
                url: reader.optional_secret(
                    "migration.url",
                    "the database as the role that owns the tables reaches it, not through a pooler; else database.url",
                ),
                serving_role: reader
                    .optional_string("migration.serving_role", "the role that `serve` uses; gets the rights on rows"),
            },
            telemetry: read_telemetry(reader, name),
        }
    }
}

fn read_database(reader: &mut Reader, name: &str) -> DatabaseSettings {
    let url = reader.required_secret("database.url", "postgres://user:password@host:port/database");
    let default = DatabaseSettings::new(url.expose(), format!("mainstay-{name}"));
    DatabaseSettings {
        max_connections: reader.u32(
            "database.max_connections",
            "connections of this replica for calls; its other work has pools of its own",
            default.max_connections,
            1..=1000,
        ),
        acquire_timeout: reader.duration(
            "database.acquire_timeout",
            "how long a call waits for a connection; below the calls' deadlines",
            default.acquire_timeout,
            Duration::from_millis(10)..=Duration::from_mins(1),
        ),
        statement_timeout: reader.duration(
            "database.statement_timeout",
            "how long one statement may run; 0s: as the server has it",
            default.statement_timeout,
            Duration::ZERO..=Duration::from_hours(1),
        ),
        lock_timeout: reader.duration(
            "database.lock_timeout",
            "how long a statement may wait for a lock; 0s: as the server has it",
            default.lock_timeout,
            Duration::ZERO..=Duration::from_hours(1),
        ),
        idle_in_transaction_timeout: reader.duration(
            "database.idle_in_transaction_timeout",
            "how long a transaction may stand open with nothing to do; 0s: as the server has it",
            default.idle_in_transaction_timeout,
            Duration::ZERO..=Duration::from_hours(1),
        ),
        ..default
    }
}

fn read_telemetry(reader: &mut Reader, name: &str) -> TelemetrySettings {
    let default = TelemetrySettings::named(name);
    let otlp_endpoint = reader.optional_string(
        "telemetry.otlp_endpoint",
        "where traces and metrics go by OTLP over gRPC, with its scheme: http://collector:4317",
    );
    let words = ["auto", "json", "pretty"];
    let format = reader.choice("telemetry.log_format", "auto: pretty on a terminal, else JSON", "auto", &words);
    let log_filter = reader.string(
        "telemetry.log_filter",
        "what is logged, for example info,mainstay_rpc=debug",
        &default.log_filter,
    );
    let log_format = format.parse().unwrap_or(LogFormat::Auto);
    let settings = TelemetrySettings { otlp_endpoint, log_format, log_filter, ..default };
    match settings.check() {
        Err(fault @ TelemetryError::Filter { .. }) => reader.fault("telemetry.log_filter", fault),
        Err(fault) => reader.fault("telemetry.otlp_endpoint", fault),
        Ok(()) => {}
    }
    settings
}
