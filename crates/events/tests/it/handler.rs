//! A handler whose effects can be counted, and that fails where a test tells it to.

use std::sync::Arc;
use std::time::Duration;

use mainstay_api::mainstay::events::v1::FeedPosition as Sample;
use mainstay_events::{Consumer, ConsumerSettings, Event, EventHandler, HandlerError, LocalSource};
use sqlx::{PgConnection, PgPool};

use crate::fixture::{Fixture, SCHEMA};

/// What a handler does after it has written the effect.
pub(crate) enum Then {
    Return,
    Fail(HandlerError),
    Panic,
    /// Stays between effect and commit until it is aborted.
    Hang,
}

/// Writes each event's effect; `then` decides what follows.
pub(crate) struct Recorder<F>(pub(crate) F);

#[async_trait::async_trait]
impl<F: Fn(&Event) -> Then + Send + Sync> EventHandler for Recorder<F> {
    async fn handle(&self, conn: &mut PgConnection, event: &Event) -> Result<(), HandlerError> {
        let account_id = event.account.as_ref().expect("an account").as_str();
        let number = number_of(event);
        // The primary key refuses a second effect of an event.
        sqlx::query("INSERT INTO events_test.effects VALUES ($1, $2, $3, $4)")
            .bind(event.id)
            .bind(event.offset)
            .bind(account_id)
            .bind(number)
            .execute(&mut *conn)
            .await?;
        let last: Option<i64> = sqlx::query_scalar(
            "INSERT INTO events_test.seen AS seen VALUES ($1, $2)
             ON CONFLICT (account_id) DO UPDATE SET number = $2 WHERE seen.number < $2
             RETURNING number",
        )
        .bind(account_id)
        .bind(number)
        .fetch_optional(&mut *conn)
        .await?;
        assert_eq!(last, Some(number), "an event of {account_id} was overtaken");
        match (self.0)(event) {
            Then::Return => Ok(()),
            Then::Fail(error) => Err(error),
            Then::Panic => panic!("as the test says"),
            Then::Hang => std::future::pending().await,
        }
    }
}

/// As [`Recorder`], and each event by itself.
pub(crate) struct OneByOne<F>(pub(crate) Recorder<F>);

#[async_trait::async_trait]
impl<F: Fn(&Event) -> Then + Send + Sync> EventHandler for OneByOne<F> {
    async fn handle(&self, conn: &mut PgConnection, event: &Event) -> Result<(), HandlerError> {
        self.0.handle(conn, event).await
    }

    fn is_one_per_transaction(&self) -> bool {
        true
    }
}

pub(crate) fn number_of(event: &Event) -> i64 {
    event.decode::<Sample>().expect("a sample").newest_offset
}

/// Settings with which nothing takes long, and nothing is parked soon.
pub(crate) fn quick_settings() -> ConsumerSettings {
    ConsumerSettings {
        attempts_max: 1_000,
        retry_base: Duration::from_millis(2),
        retry_max: Duration::from_millis(5),
        lease: Duration::from_millis(300),
        ..ConsumerSettings::default()
    }
}

/// A consumer in the log's own process.
pub(crate) fn local_consumer(
    fixture: &Fixture,
    pool: &PgPool,
    settings: ConsumerSettings,
    then: impl Fn(&Event) -> Then + Send + Sync + 'static,
) -> Consumer {
    let source = Arc::new(LocalSource::new(fixture.reader()));
    Consumer::new("recorder", source, Arc::new(Recorder(then)), pool.clone(), &SCHEMA).with_settings(settings)
}
