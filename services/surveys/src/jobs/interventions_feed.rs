//! What interventions tells: detractors' cases that were resolved.

use async_trait::async_trait;
use chrono::DateTime;
use mainstay_api::mainstay::interventions::v1 as interventions;
use mainstay_events::{Event, EventHandler, HandlerError};
use prost::Name;
use sqlx::PgConnection;

use super::handler_error;
use crate::app::schedule_resurvey::ResolvedCase;
use crate::app::{App, schedule_resurvey};
use crate::domain::invitation::ResponseName;

/// Applies what interventions tells.
pub(crate) struct InterventionsFeed(pub App);

impl InterventionsFeed {
    /// Full names of the events that it wants.
    pub(crate) fn event_types() -> Vec<String> {
        vec![interventions::CaseResolved::full_name()]
    }
}

#[async_trait]
impl EventHandler for InterventionsFeed {
    async fn handle(&self, conn: &mut PgConnection, event: &Event) -> Result<(), HandlerError> {
        let skip = |why: &str| HandlerError::Skip(why.to_owned());
        let resolved: interventions::CaseResolved = event.decode()?;
        let response = ResponseName::parse(&resolved.response).map_err(skip)?;
        let time = resolved.resolve_time.ok_or_else(|| skip("it says no time"))?;
        let resolved_at = u32::try_from(time.nanos)
            .ok()
            .and_then(|nanos| DateTime::from_timestamp(time.seconds, nanos))
            .ok_or_else(|| skip("its time is none"))?;
        let case = ResolvedCase { case: resolved.case, response, resolved_at };
        if !schedule_resurvey::execute(&self.0, conn, &case).await.map_err(handler_error)? {
            return Err(skip("the answer that began the case is not known here"));
        }
        Ok(())
    }
}
