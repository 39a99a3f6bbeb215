//! What other services tell: answers, contacts, how cases ended.

use async_trait::async_trait;
use mainstay_api::mainstay::interventions::v1 as interventions;
use mainstay_api::mainstay::surveys::v1 as surveys;
use mainstay_domain::Violations;
use mainstay_events::{Event, EventHandler, HandlerError};
use prost::{Message, Name};
use sqlx::PgConnection;

use crate::app::record_signals::record_told;
use crate::app::{App, ScoringError};
use crate::convert::told;
use crate::domain::signal::Signal;

/// What surveys tells: answers.
pub(crate) struct SurveysFeed(pub App);

/// What interventions tells: contacts, and how cases ended.
pub(crate) struct InterventionsFeed(pub App);

impl SurveysFeed {
    /// Full names of the events that it wants.
    pub(crate) fn event_types() -> Vec<String> {
        vec![surveys::ResponseReceived::full_name()]
    }
}

#[async_trait]
impl EventHandler for SurveysFeed {
    async fn handle(&self, conn: &mut PgConnection, event: &Event) -> Result<(), HandlerError> {
        let received: surveys::ResponseReceived = decode(event)?;
        record(&self.0, conn, told::answer(received.response.unwrap_or_default(), event.event_time)).await
    }
}

impl InterventionsFeed {
    /// Full names of the events that it wants.
    pub(crate) fn event_types() -> Vec<String> {
        vec![interventions::TouchRecorded::full_name(), interventions::CaseClosed::full_name()]
    }
}

#[async_trait]
impl EventHandler for InterventionsFeed {
    async fn handle(&self, conn: &mut PgConnection, event: &Event) -> Result<(), HandlerError> {
        if event.is::<interventions::CaseClosed>() {
            let closed: interventions::CaseClosed = decode(event)?;
            return record(&self.0, conn, told::case_outcome(closed.case.unwrap_or_default(), event.event_time)).await;
        }
        let recorded: interventions::TouchRecorded = decode(event)?;
        record(&self.0, conn, told::touch(recorded.touch.unwrap_or_default(), event.event_time)).await
    }
}

/// A message that this version cannot read will not become readable.
fn decode<M: Message + Name + Default>(event: &Event) -> Result<M, HandlerError> {
    event.decode().map_err(|error| HandlerError::Skip(error.to_string()))
}

async fn record(app: &App, conn: &mut PgConnection, signal: Result<Signal, Violations>) -> Result<(), HandlerError> {
    let signal = signal.map_err(|found| HandlerError::Skip(format!("what it tells is no signal: {found:?}")))?;
    let account = signal.account.clone();
    record_told(app, conn, signal).await.map_err(|error| match error {
        ScoringError::Storage(error) => error.into(),
        // Another service knows accounts by this one only; what is told of one that is unknown here is of a test or of another world.
        _ => HandlerError::Skip(format!("account {account} is unknown or archived")),
    })
}
