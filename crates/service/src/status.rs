//! `mainstay.status.v1.StatusService`: how a service is doing.

use mainstay_api::mainstay::status::v1 as proto;
use mainstay_api::mainstay::status::v1::status_service_server::{StatusService, StatusServiceServer};
use mainstay_jobs::QueueStats;
use mainstay_rpc::ApiError;
use mainstay_storage::StorageError;
use tonic::{Request, Response, Status};

use crate::wire::timestamp;
use crate::{Core, Workers};

/// Says how a service is doing.
#[derive(Debug, Clone)]
pub struct StatusRpc {
    service: &'static str,
    core: Core,
    workers: Workers,
}

impl StatusRpc {
    /// Of the service with this name, core and workers.
    pub fn new(service: &'static str, core: Core, workers: Workers) -> Self {
        Self { service, core, workers }
    }

    /// As a service to be added to a server.
    pub fn into_service(self) -> StatusServiceServer<Self> {
        StatusServiceServer::new(self)
    }

    async fn status(&self) -> Result<proto::ServiceStatus, StorageError> {
        let Core { pool, clock, events, jobs, .. } = &self.core;
        let now = clock.now();
        let position = events.position(pool).await?;
        let queues = jobs.stats(pool, now).await?;
        let consumers = self.workers.progress().await?;
        let messages = self.workers.message_counts().await?;
        Ok(proto::ServiceStatus {
            service: self.service.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            time: Some(timestamp(now)),
            feed_offset: position.last_offset,
            outbox_size: position.outbox_size,
            consumers: consumers
                .into_iter()
                .map(|progress| proto::ConsumerStatus {
                    feed: progress.feed,
                    reachable: progress.lag.is_some(),
                    lag: progress.lag,
                    parked_count: progress.parked,
                })
                .collect(),
            queues: queues.into_iter().map(queue).collect(),
            messages: messages.map(|counts| proto::MessagesStatus {
                pending_count: count(counts.pending),
                dead_count: count(counts.dead),
            }),
        })
    }
}

#[tonic::async_trait]
impl StatusService for StatusRpc {
    async fn get_status(&self, _: Request<proto::GetStatusRequest>) -> Result<Response<proto::ServiceStatus>, Status> {
        Ok(Response::new(self.status().await.map_err(ApiError::from)?))
    }
}

fn queue(stats: QueueStats) -> proto::QueueStatus {
    proto::QueueStatus {
        queue: stats.queue,
        due_count: count(stats.due),
        scheduled_count: count(stats.scheduled),
        dead_count: count(stats.dead),
        oldest_due_time: stats.oldest_due.map(timestamp),
    }
}

fn count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
