//! Messages that leave, as work behind a service's RPCs.

use async_trait::async_trait;
use chrono::TimeDelta;
use mainstay_delivery::{Delivery, DeliverySettings, Dispatcher, MessageCounts};
use mainstay_domain::SharedClock;
use mainstay_rpc::service_main::ServiceError;
use mainstay_storage::{DatabaseSettings, StorageError, connect};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::Background;

/// How long messages that were sent stay to be looked at.
const SENT_RETENTION: TimeDelta = TimeDelta::days(90);
/// Messages in one statement.
const PRUNE_BATCH: u32 = 1_000;

/// Sends a service's messages, with connections of its own.
pub struct DeliveryWork {
    delivery: Delivery,
    dispatcher: Dispatcher,
    pool: PgPool,
    clock: SharedClock,
}

impl DeliveryWork {
    /// The work of a service's delivery; `database` says where its connections lead.
    ///
    /// # Errors
    /// When the database or delivery settings cannot be used.
    pub fn connect(
        delivery: &Delivery,
        settings: &DeliverySettings,
        database: &DatabaseSettings,
        clock: SharedClock,
    ) -> Result<Self, ServiceError> {
        let max_connections = Dispatcher::connections_needed();
        let pool = connect(&DatabaseSettings { max_connections, ..database.clone() })?;
        let dispatcher = Dispatcher::new(delivery.clone(), pool.clone(), clock.clone(), settings)?;
        Ok(Self { delivery: delivery.clone(), dispatcher, pool, clock })
    }
}

#[async_trait]
impl Background for DeliveryWork {
    async fn settle(&self) -> Result<usize, ServiceError> {
        Ok(self.dispatcher.run_due().await?)
    }

    async fn keep_house(&self) -> Result<(), ServiceError> {
        let sent_before = self.clock.now() - SENT_RETENTION;
        while self.delivery.prune(&self.pool, sent_before, PRUNE_BATCH).await? == u64::from(PRUNE_BATCH) {}
        Ok(())
    }

    async fn run(&self, cancel: CancellationToken) {
        self.dispatcher.run(cancel).await;
    }

    fn wake(&self) {
        self.delivery.wake();
    }

    async fn message_counts(&self) -> Result<Option<MessageCounts>, StorageError> {
        self.delivery.counts(&self.pool, self.clock.now()).await.map(Some)
    }
}
