//! Publishes, pauses, resumes or archives a programme.

use chrono::{DateTime, Utc};
use mainstay_domain::ProgramId;
use mainstay_jobs::NewJob;
use mainstay_service::{Mutation, Replayable};
use sqlx::PgConnection;

use super::get_program::lock;
use super::queues::ENROLMENTS_QUEUE;
use super::{App, SurveysError};
use crate::domain::program::{Program, ProgramMove, ProgramState};
use crate::storage::programs;

/// Moves the programme, when it has this `etag` if one is given. One that is there already stays as it is, whatever the
/// `etag`: it may be that of a first call whose answer was lost.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    id: &ProgramId,
    etag: &str,
    step: ProgramMove,
    answer: impl Fn(&Program) -> T + Sync,
) -> Result<T, SurveysError> {
    app.core
        .mutate(mutation, async |conn| {
            if step.target() == ProgramState::Published {
                programs::lock_for_enrolment(conn).await?;
            }
            let stored = lock(conn, id).await?;
            if stored.state == step.target() {
                return Ok(answer(&stored));
            }
            if !etag.is_empty() && !stored.etag().matches(etag) {
                return Err(SurveysError::EtagMismatch);
            }
            if !step.is_allowed_from(stored.state) {
                return Err(SurveysError::IllegalMove { id: id.clone(), state: stored.state, step });
            }
            let now = app.core.clock.now();
            let moved = Program {
                state: step.target(),
                version: stored.version + 1,
                updated_at: now,
                published_at: stored.published_at.or((step == ProgramMove::Publish).then_some(now)),
                ..stored
            };
            programs::update(conn, &moved).await?;
            if moved.is_published() && moved.definition.trigger.goes_by_calendar() {
                enrol_all(app, conn, id, now).await?;
            }
            Ok(answer(&moved))
        })
        .await
}

/// Has all accounts given their dates, after the commit.
async fn enrol_all(app: &App, conn: &mut PgConnection, id: &ProgramId, now: DateTime<Utc>) -> Result<(), SurveysError> {
    let job = NewJob::due(id.to_string(), now);
    Ok(app.core.jobs.schedule(conn, ENROLMENTS_QUEUE, &[job], now).await?)
}
