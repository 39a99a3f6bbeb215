//! What scoring tells: accounts and tickets.

use async_trait::async_trait;
use mainstay_api::mainstay::scoring::v1 as scoring;
use mainstay_events::{Event, EventHandler, HandlerError};
use prost::Name;
use sqlx::PgConnection;

use super::handler_error;
use crate::app::take_resolved_ticket::ResolvedTicket;
use crate::app::{App, take_account_change, take_resolved_ticket};

/// Applies what scoring tells. Activations, renewals and churn come as changes of the account.
pub(crate) struct ScoringFeed(pub App);

impl ScoringFeed {
    /// Full names of the events that it wants.
    pub(crate) fn event_types() -> Vec<String> {
        vec![scoring::AccountChanged::full_name(), scoring::TicketChanged::full_name()]
    }
}

#[async_trait]
impl EventHandler for ScoringFeed {
    async fn handle(&self, conn: &mut PgConnection, event: &Event) -> Result<(), HandlerError> {
        let account = event.account.as_ref().ok_or_else(|| HandlerError::Skip("it is of no account".to_owned()))?;
        if event.is::<scoring::AccountChanged>() {
            return take_account_change::execute(&self.0, conn, account, event).await;
        }
        let changed: scoring::TicketChanged = event.decode()?;
        if changed.action() != scoring::TicketAction::Resolved {
            return Ok(());
        }
        if changed.ticket_id.is_empty() {
            return Err(HandlerError::Skip("it names no ticket".to_owned()));
        }
        let ticket = ResolvedTicket {
            account: account.clone(),
            is_critical: changed.priority() == scoring::TicketPriority::Critical,
            source: changed.source,
            ticket: changed.ticket_id,
            requester: changed.requester_email,
            resolved_at: event.event_time,
        };
        take_resolved_ticket::execute(&self.0, conn, &ticket).await.map_err(handler_error)
    }
}
