//! What scoring tells.

use async_trait::async_trait;
use mainstay_accounts::Accounts;
use mainstay_api::mainstay::scoring::v1 as scoring;
use mainstay_events::{Event, EventHandler, HandlerError};
use prost::Name;
use sqlx::PgConnection;

use super::unreadable;
use crate::app::take_in_account::handler_error;
use crate::app::{App, take_in_account, take_in_condition, take_in_usage};
use crate::convert::told;

/// Applies scoring's events.
pub(crate) struct ScoringFeed(pub App);

impl ScoringFeed {
    /// Full names of the events that it wants.
    pub(crate) fn event_types() -> Vec<String> {
        let mut types = Accounts::event_types();
        types.extend([
            scoring::PlanUsageReported::full_name(),
            scoring::RiskTriggerRaised::full_name(),
            scoring::RiskTriggerUpdated::full_name(),
            scoring::RiskTriggerCleared::full_name(),
        ]);
        types
    }
}

#[async_trait]
impl EventHandler for ScoringFeed {
    async fn handle(&self, conn: &mut PgConnection, event: &Event) -> Result<(), HandlerError> {
        let app = &self.0;
        if event.is::<scoring::PlanUsageReported>() {
            let usage = told::usage(event.decode()?).map_err(unreadable)?;
            let account = event.account.as_ref().ok_or_else(|| unreadable("account"))?;
            return take_in_usage::execute(app, conn, account, &usage).await.map_err(handler_error);
        }
        let trigger = if event.is::<scoring::RiskTriggerRaised>() {
            event.decode::<scoring::RiskTriggerRaised>()?.trigger
        } else if event.is::<scoring::RiskTriggerUpdated>() {
            event.decode::<scoring::RiskTriggerUpdated>()?.trigger
        } else if event.is::<scoring::RiskTriggerCleared>() {
            event.decode::<scoring::RiskTriggerCleared>()?.trigger
        } else {
            return take_in_account::execute(app, conn, event).await;
        };
        let trigger = trigger.ok_or_else(|| unreadable("trigger"))?;
        match told::risk_trigger(&trigger).map_err(unreadable)? {
            Some((account, condition)) => {
                take_in_condition::execute(app, conn, &account, &condition).await.map_err(handler_error)
            }
            None => Ok(()),
        }
    }
}
