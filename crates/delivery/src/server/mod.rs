//! `DeliveryService` over gRPC.

mod convert;
mod request;

use chrono::{DateTime, Utc};
use mainstay_api::mainstay::common::v1::ErrorReason as CommonReason;
use mainstay_api::mainstay::delivery::v1 as api;
use mainstay_api::mainstay::delivery::v1::ErrorReason;
use mainstay_api::mainstay::delivery::v1::delivery_service_server::{DeliveryService, DeliveryServiceServer};
use mainstay_domain::SharedClock;
use mainstay_rpc::ApiError;
use mainstay_rpc::paging::{Page, PageRequest};
use mainstay_storage::{Idempotency, Replay, StorageError, fingerprint, transact};
use prost::Message;
use sqlx::{PgConnection, PgPool};
use std::time::Duration;
use tonic::{Code, Request, Response, Status};
use uuid::Uuid;

use crate::operate::{MessagePosition, Replayed};
use crate::{Delivery, DeliverySettings, Destination};

const DOMAIN: &str = "delivery.mainstay";
const LIST_METHOD: &str = "ListMessages";
const REPLAY_METHOD: &str = "mainstay.delivery.v1.DeliveryService/ReplayMessage";
const ENABLE_METHOD: &str = "mainstay.delivery.v1.DeliveryService/EnableDestination";
/// When an attempt that is under way has most likely ended.
const IN_FLIGHT_RETRY_AFTER: Duration = Duration::from_secs(5);

/// Serves the messages of a service to operators and tools.
#[derive(Debug, Clone)]
pub struct DeliveryServer {
    delivery: Delivery,
    pool: PgPool,
    clock: SharedClock,
    idempotency: Idempotency,
    configured: Vec<Destination>,
}

impl DeliveryServer {
    /// Serves the messages of `delivery`, in the database of `pool`; `idempotency` is that of the same schema.
    pub fn new(
        delivery: Delivery,
        pool: PgPool,
        clock: SharedClock,
        idempotency: Idempotency,
        settings: &DeliverySettings,
    ) -> Self {
        Self { delivery, pool, clock, idempotency, configured: settings.destinations() }
    }

    /// As a service to be added to a server.
    pub fn into_service(self) -> DeliveryServiceServer<Self> {
        DeliveryServiceServer::new(self)
    }

    async fn message(&self, connection: &mut PgConnection, id: Uuid) -> Result<api::Message, ApiError> {
        let found = self.delivery.lookup(connection, id).await?;
        let record = found.ok_or_else(|| message_not_found(id))?;
        let attempts = self.delivery.attempts(connection, id).await?;
        Ok(convert::whole_message(record, attempts))
    }

    async fn destination(
        &self,
        connection: &mut PgConnection,
        destination: &Destination,
    ) -> Result<Option<api::Destination>, ApiError> {
        let all = self.delivery.destinations(connection, &self.configured).await?;
        let found = all.into_iter().find(|state| state.destination == *destination);
        Ok(found.map(|state| convert::destination(state, &self.configured)))
    }

    async fn replay(
        &self,
        connection: &mut PgConnection,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<api::Message, ApiError> {
        match self.delivery.replay(connection, id, now).await? {
            Replayed::Due => self.message(connection, id).await,
            Replayed::Unknown => Err(message_not_found(id)),
            Replayed::InFlight => Err(ApiError::new(
                Code::FailedPrecondition,
                DOMAIN,
                ErrorReason::MessageInFlight.as_str_name(),
                "an attempt at sending the message is under way: look at how it ends",
            )
            .with_metadata("message", convert::message_name(id))
            .with_precondition("ATTEMPT", convert::message_name(id), "no attempt under way")
            .with_retry_after(IN_FLIGHT_RETRY_AFTER)),
        }
    }

    async fn enable(
        &self,
        connection: &mut PgConnection,
        destination: &Destination,
    ) -> Result<api::Destination, ApiError> {
        self.delivery.enable(connection, destination).await?;
        let found = self.destination(connection, destination).await?;
        found.ok_or_else(|| {
            let name = convert::destination_name(destination);
            ApiError::new(
                Code::NotFound,
                DOMAIN,
                ErrorReason::DestinationNotFound.as_str_name(),
                format!("`{name}` is not in the settings, nothing waits for it, and it is not disabled"),
            )
            .with_metadata("destination", name)
        })
    }

    /// Runs `work` in one transaction together with the record of its answer, then wakes the dispatchers.
    async fn mutate<T, W>(&self, mutation: &request::Mutation, work: W) -> Result<T, ApiError>
    where
        T: Message + Default,
        W: for<'c> request::Work<'c, T>,
    {
        let work = &work;
        let answer = transact(&self.pool, async |connection| self.attempt(connection, mutation, work).await).await?;
        self.delivery.wake();
        Ok(answer)
    }

    async fn attempt<T, W>(
        &self,
        connection: &mut PgConnection,
        mutation: &request::Mutation,
        work: &W,
    ) -> Result<T, ApiError>
    where
        T: Message + Default,
        W: for<'c> request::Work<'c, T>,
    {
        let Some(key) = &mutation.key else { return work(connection).await };
        match self.idempotency.begin(connection, key, mutation.fingerprint, self.clock.now()).await? {
            Replay::First => {
                let answer = work(connection).await?;
                self.idempotency.finish(connection, key, &answer.encode_to_vec()).await?;
                Ok(answer)
            }
            Replay::Answered(bytes) => T::decode(bytes.as_slice())
                .map_err(|error| StorageError::Corrupt(format!("a kept answer: {error}")).into()),
            Replay::Mismatch => Err(ApiError::common(
                CommonReason::RequestIdReused,
                "this request_id was used before with another content: use a new id for a new request",
            )),
        }
    }
}

#[async_trait::async_trait]
impl DeliveryService for DeliveryServer {
    async fn list_messages(
        &self,
        request: Request<api::ListMessagesRequest>,
    ) -> Result<Response<api::ListMessagesResponse>, Status> {
        let mut message = request.into_inner();
        let token = std::mem::take(&mut message.page_token);
        let page_size = std::mem::take(&mut message.page_size);
        let binding = fingerprint(&[&message.encode_to_vec()]);
        let filter = request::filter(&message)?;
        let page = PageRequest::<MessagePosition>::read(page_size, &token, LIST_METHOD, &binding)?;
        let rows = self.delivery.list(&self.pool, &filter, page.after, page.limit()).await.map_err(ApiError::from)?;
        let page = Page::from_rows(rows, page.size);
        let next_page_token = page.next_token(|record| (record.created_at, record.id), LIST_METHOD, &binding);
        let messages = page.items.into_iter().map(convert::listed_message).collect();
        Ok(Response::new(api::ListMessagesResponse { messages, next_page_token }))
    }

    async fn get_message(&self, request: Request<api::GetMessageRequest>) -> Result<Response<api::Message>, Status> {
        let id = request::message_id(&request.get_ref().name)?;
        let mut connection = self.connection().await?;
        Ok(Response::new(self.message(&mut connection, id).await?))
    }

    async fn replay_message(
        &self,
        request: Request<api::ReplayMessageRequest>,
    ) -> Result<Response<api::Message>, Status> {
        let mutation = request::mutation(&request, REPLAY_METHOD, &request.get_ref().request_id)?;
        let id = request::message_id(&request.get_ref().name)?;
        let work = async |connection: &mut PgConnection| self.replay(connection, id, self.clock.now()).await;
        Ok(Response::new(self.mutate(&mutation, work).await?))
    }

    async fn list_destinations(
        &self,
        _request: Request<api::ListDestinationsRequest>,
    ) -> Result<Response<api::ListDestinationsResponse>, Status> {
        let mut connection = self.connection().await?;
        let states = self.delivery.destinations(&mut connection, &self.configured).await.map_err(ApiError::from)?;
        let destinations = states.into_iter().map(|state| convert::destination(state, &self.configured)).collect();
        Ok(Response::new(api::ListDestinationsResponse { destinations }))
    }

    async fn enable_destination(
        &self,
        request: Request<api::EnableDestinationRequest>,
    ) -> Result<Response<api::Destination>, Status> {
        let mutation = request::mutation(&request, ENABLE_METHOD, &request.get_ref().request_id)?;
        let destination = request::destination(&request.get_ref().name)?;
        let destination = &destination;
        let work = async |connection: &mut PgConnection| self.enable(connection, destination).await;
        Ok(Response::new(self.mutate(&mutation, work).await?))
    }
}

impl DeliveryServer {
    async fn connection(&self) -> Result<sqlx::pool::PoolConnection<sqlx::Postgres>, ApiError> {
        self.pool.acquire().await.map_err(|error| StorageError::from(error).into())
    }
}

fn message_not_found(id: Uuid) -> ApiError {
    let name = convert::message_name(id);
    ApiError::new(
        Code::NotFound,
        DOMAIN,
        ErrorReason::MessageNotFound.as_str_name(),
        format!("`{name}` does not exist, or was sent so long ago that it is not kept"),
    )
    .with_metadata("message", name)
}
