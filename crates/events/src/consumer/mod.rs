//! Consumers of a feed, each event with one effect.

mod handler;
mod local;
mod parked;
mod remote;
mod settings;
mod source;

use std::sync::Arc;

use mainstay_storage::SchemaName;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

pub use handler::{EventHandler, HandlerError};
pub use local::LocalSource;
pub use parked::{ParkedEvent, ParkedEvents};
pub use remote::RemoteSource;
pub use settings::{ConsumerSettings, ConsumerStart};
pub use source::{EventSource, SourceBatch, SourceError, SourcePosition, SourceStream};

/// Applies the events of a feed to the consumer's own database, each once.
pub struct Consumer {
    name: &'static str,
    source: Arc<dyn EventSource>,
    handler: Arc<dyn EventHandler>,
    pool: PgPool,
    schema: SchemaName,
    settings: ConsumerSettings,
}

impl Consumer {
    /// A consumer with the name under which its offsets are kept.
    pub fn new(
        name: &'static str,
        source: Arc<dyn EventSource>,
        handler: Arc<dyn EventHandler>,
        pool: PgPool,
        schema: &SchemaName,
    ) -> Self {
        Self { name, source, handler, pool, schema: *schema, settings: ConsumerSettings::default() }
    }

    /// The same with other settings.
    #[must_use]
    pub fn with_settings(self, settings: ConsumerSettings) -> Self {
        Self { settings, ..self }
    }

    /// Works until `cancel`.
    pub async fn run(&self, cancel: CancellationToken) {
        let _ = (self.name, &self.source, &self.handler, &self.pool, self.schema, &self.settings, cancel);
        todo!()
    }
}
