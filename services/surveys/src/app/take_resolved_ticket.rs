//! Asks about a ticket that was resolved.

use chrono::{DateTime, TimeDelta, Utc};
use mainstay_domain::AccountId;
use sqlx::PgConnection;

use super::decide_occasion::{self, Asking};
use super::{App, SurveysError};
use crate::domain::occasion::Occasion;
use crate::domain::program::{Program, Trigger};
use crate::storage::programs;

/// How long after it was resolved a ticket is asked about: when it is heard of later, the customer has forgotten it.
const HEARD_OF_WITHIN: TimeDelta = TimeDelta::days(7);

/// A ticket that was resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ResolvedTicket {
    pub account: AccountId,
    pub source: String,
    pub ticket: String,
    pub is_critical: bool,
    /// Who opened it; empty when not known.
    pub requester: String,
    pub resolved_at: DateTime<Utc>,
}

/// Decides for each programme that asks about such tickets; those for critical ones go first.
pub(crate) async fn execute(app: &App, conn: &mut PgConnection, ticket: &ResolvedTicket) -> Result<(), SurveysError> {
    let now = app.core.clock.now();
    if ticket.resolved_at + HEARD_OF_WITHIN < now {
        return Ok(());
    }
    let published = programs::published(conn).await?;
    let asks = |program: &&Program, trigger| {
        program.definition.trigger == trigger && program.published_at.is_some_and(|since| since <= ticket.resolved_at)
    };
    let critical = published.iter().filter(|program| ticket.is_critical && asks(program, Trigger::CriticalTicket));
    let any = published.iter().filter(|program| asks(program, Trigger::SupportInteraction));
    let asking: Vec<&Program> = critical.chain(any).collect();
    if asking.is_empty() {
        return Ok(());
    }
    let account = app.accounts.lock_or_insert(conn, &ticket.account).await?;
    let occasion = Occasion::ticket(&ticket.source, &ticket.ticket, ticket.resolved_at);
    let about = (!ticket.requester.is_empty()).then_some(ticket.requester.as_str());
    for program in asking {
        let asking = Asking { program, account: &account, occasion: &occasion, about, resurvey: None };
        decide_occasion::execute(app, conn, &asking).await?;
    }
    Ok(())
}
