//! What other services tell: answers, contacts, how cases ended.

use async_trait::async_trait;
use mainstay_api::mainstay::interventions::v1 as interventions;
use mainstay_api::mainstay::surveys::v1 as surveys;
use mainstay_domain::Violations;
use mainstay_events::{Event, EventHandler, HandlerError};
use prost::Name;
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
        let received: surveys::ResponseReceived = event.decode()?;
        record(&self.0, conn, told::answer(received.response.unwrap_or_default(), event.event_time)).await
    }

    fn is_one_per_transaction(&self) -> bool {
        true
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
            let closed: interventions::CaseClosed = event.decode()?;
            return record(&self.0, conn, told::case_outcome(closed.case.unwrap_or_default(), event.event_time)).await;
        }
        let recorded: interventions::TouchRecorded = event.decode()?;
        record(&self.0, conn, told::touch(recorded.touch.unwrap_or_default(), event.event_time)).await
    }

    fn is_one_per_transaction(&self) -> bool {
        true
    }
}

async fn record(app: &App, conn: &mut PgConnection, signal: Result<Signal, Violations>) -> Result<(), HandlerError> {
    let signal = signal.map_err(|found| HandlerError::Skip(format!("what it tells is no signal: {found:?}")))?;
    record_told(app, conn, signal).await.map_err(|error| match error {
        ScoringError::Storage(error) => error.into(),
        // It will not become right: what another service tells of an account that is not known here is of a test or of another world.
        error @ (ScoringError::OfItem { .. }
        | ScoringError::Invalid(_)
        | ScoringError::AccountNotFound(_)
        | ScoringError::AccountArchived(_)) => HandlerError::Skip(error.to_string()),
        error => HandlerError::Retry(error.to_string()),
    })
}
