//! What interventions tells.

use async_trait::async_trait;
use mainstay_api::mainstay::interventions::v1 as interventions;
use mainstay_events::{Event, EventHandler, HandlerError};
use prost::Name;
use sqlx::PgConnection;

use super::unreadable;
use crate::app::take_in_account::handler_error;
use crate::app::{App, take_in_condition, take_in_touch};
use crate::convert::told;

/// Applies the events of interventions: cases of detractors, for which an account is left alone, and contacts.
pub(crate) struct InterventionsFeed(pub App);

impl InterventionsFeed {
    /// Full names of the events that it wants.
    pub(crate) fn event_types() -> Vec<String> {
        vec![
            interventions::CaseOpened::full_name(),
            interventions::CaseChanged::full_name(),
            interventions::CaseResolved::full_name(),
            interventions::CaseClosed::full_name(),
            interventions::TouchRecorded::full_name(),
        ]
    }
}

#[async_trait]
impl EventHandler for InterventionsFeed {
    async fn handle(&self, conn: &mut PgConnection, event: &Event) -> Result<(), HandlerError> {
        let app = &self.0;
        if event.is::<interventions::TouchRecorded>() {
            let touch = event.decode::<interventions::TouchRecorded>()?.touch.ok_or_else(|| unreadable("touch"))?;
            let (account, touch_id, touch) = told::touch(touch).map_err(unreadable)?;
            return take_in_touch::execute(app, conn, &account, &touch_id, &touch).await.map_err(handler_error);
        }
        if event.is::<interventions::CaseResolved>() {
            let resolved = told::resolved_case(event.decode()?).map_err(unreadable)?;
            let Some(told::ResolvedCase { account, reference, at }) = resolved else { return Ok(()) };
            return take_in_condition::end(app, conn, &account, &reference, at).await.map_err(handler_error);
        }
        let case = if event.is::<interventions::CaseOpened>() {
            event.decode::<interventions::CaseOpened>()?.case
        } else if event.is::<interventions::CaseChanged>() {
            event.decode::<interventions::CaseChanged>()?.case
        } else if event.is::<interventions::CaseClosed>() {
            event.decode::<interventions::CaseClosed>()?.case
        } else {
            return Ok(());
        };
        let case = case.ok_or_else(|| unreadable("case"))?;
        match told::case(&case).map_err(unreadable)? {
            Some((account, condition)) => {
                take_in_condition::execute(app, conn, &account, &condition).await.map_err(handler_error)
            }
            None => Ok(()),
        }
    }
}
