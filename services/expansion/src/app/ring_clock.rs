//! Does what the clocks of an account's opportunities say: stages fall due, those that were put off go on.

use chrono::{DateTime, Utc};
use mainstay_domain::AccountId;
use sqlx::PgConnection;

use super::events::Telling;
use super::record_step::{self, Step};
use super::resume_opportunity::resumed_step;
use super::{App, ExpansionError, SYSTEM_ACTOR};
use crate::domain::{Opportunity, Stage, StagePolicies, TimelineKind};
use crate::storage::{opportunities, policies};

/// Does what is due; says when something is due next.
pub(crate) async fn execute(
    app: &App,
    conn: &mut PgConnection,
    account: &AccountId,
) -> Result<Option<DateTime<Utc>>, ExpansionError> {
    let now = app.core.clock.now();
    if app.accounts.lock(conn, account).await?.is_none() {
        return Ok(None);
    }
    let policies = policies::in_force(conn).await?;
    let mut next = None;
    for mut opportunity in opportunities::open_of_account(conn, account).await? {
        if let Some(step) = step(&mut opportunity, &policies, now) {
            opportunity.version += 1;
            record_step::execute(app, conn, &opportunity, step, SYSTEM_ACTOR, now).await?;
        }
        next = [next, opportunity.next_alarm()].into_iter().flatten().min();
    }
    Ok(next)
}

fn step(opportunity: &mut Opportunity, policies: &StagePolicies, now: DateTime<Utc>) -> Option<Step> {
    if opportunity.stage == Stage::Postponed && opportunity.due_at.is_some_and(|due_at| due_at <= now) {
        return opportunity.resume(policies, now).ok().map(resumed_step);
    }
    opportunity.fall_due(now).then(|| Step {
        kind: TimelineKind::Overdue,
        moved: None,
        text: format!("the stage {} is overdue; it is with {}", opportunity.stage.words(), opportunity.owner.email),
        telling: Telling::Overdue,
    })
}
