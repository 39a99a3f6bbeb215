//! Writes a step of an opportunity: its row, its timeline, its event, its clock.

use chrono::{DateTime, Utc};
use mainstay_domain::AccountId;
use mainstay_jobs::NewJob;
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::App;
use super::events::{self, Telling};
use super::queues::CLOCK_QUEUE;
use crate::domain::{Opportunity, Stage, TimelineEntry, TimelineKind};
use crate::storage::{opportunities, timeline};

/// A step that an opportunity made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub kind: TimelineKind,
    /// The stages before and after, when it moved.
    pub moved: Option<(Stage, Stage)>,
    pub text: String,
    pub telling: Telling,
}

/// Writes the step; the caller holds the account's row, and has counted the opportunity's version on unless it is new.
pub(super) async fn execute(
    app: &App,
    conn: &mut PgConnection,
    opportunity: &Opportunity,
    step: Step,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    opportunities::store(conn, opportunity).await?;
    let Step { kind, moved, text, telling } = step;
    let entry = TimelineEntry { number: 0, kind, at: now, actor: actor.to_owned(), moved, text };
    timeline::append(conn, &opportunity.name, &entry).await?;
    let event = events::of_opportunity(app, opportunity, telling, now);
    app.core.events.append(conn, &[event], now).await
}

/// Has the clocks of an account looked at now. Best before its row is locked, as whoever rings them does.
pub(super) async fn wind_clock(
    app: &App,
    conn: &mut PgConnection,
    account: &AccountId,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    let job = NewJob::due(account.as_str(), now);
    app.core.jobs.schedule(conn, CLOCK_QUEUE, &[job], now).await.map(drop)
}
