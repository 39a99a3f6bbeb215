//! Makes a model the one that scores from today on, or from a later day.

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_domain::{ModelId, Violations, day_of, start_of_day};
use mainstay_jobs::NewJob;
use sqlx::PgConnection;

use super::get_model::{ModelView, active_id, lookup};
use super::mark_all_accounts::mark_all_soon;
use super::queues::ACTIVATION_QUEUE;
use super::{App, BacktestError, Mutation, Replayable, ScoringError, events};
use crate::domain::ActivationCause;
use crate::storage::{backtests, models};

/// How a model is to be activated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ActivationRequest {
    pub id: ModelId,
    /// The etag that the model must have; empty for any.
    pub etag: String,
    /// From which day on. Absent: today.
    pub start_day: Option<NaiveDate>,
    pub cause: ActivationCause,
}

/// Activates the model, and calls off what was to be activated on a later day. An active one stays as it is. `answer` makes of it
/// what the caller is told, and told again.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    request: &ActivationRequest,
    answer: impl Fn(ModelView) -> T + Sync,
) -> Result<T, ScoringError> {
    let ActivationRequest { id, etag, start_day, cause } = request;
    app.core
        .mutate(mutation, async |conn| {
            let now = app.core.clock.now();
            let today = day_of(now);
            let from_day = start_day.unwrap_or(today);
            let mut found = Violations::new();
            found.require(from_day >= today, "start_day", format!("{from_day} is in the past: today is {today}"));
            found.into_result(()).map_err(ScoringError::Invalid)?;
            models::lock_activations(conn).await?;
            let stored = lookup(conn, id).await?;
            let previous = active_id(app, conn).await?;
            let view = ModelView { active: previous.as_ref() == Some(id), stored };
            if !etag.is_empty() && !view.etag().matches(etag) {
                return Err(ScoringError::EtagMismatch);
            }
            models::call_off_later(conn, today).await?;
            if view.active {
                return Ok(answer(ModelView { active: true, stored: lookup(conn, id).await? }));
            }
            if let Some(base) = &previous
                && !cause.accepted_worse
            {
                check_backtest(conn, id, base).await?;
            }
            let stored_at = now.max(start_of_day(from_day));
            let sequence = models::activate(conn, id, from_day, stored_at, cause).await?;
            if from_day > today {
                schedule(app, conn, sequence, stored_at, now).await?;
                return Ok(answer(ModelView { active: false, stored: lookup(conn, id).await? }));
            }
            let view = ModelView { active: true, stored: lookup(conn, id).await? };
            let event = events::model_activated(app, &view, previous.as_ref(), cause, now);
            app.core.events.append(conn, &[event], now).await?;
            mark_all_soon(app, conn, today, now).await?;
            Ok(answer(view))
        })
        .await
}

/// Refuses a model whose newest backtest beside the one that scores says that it is worse, beyond what chance could have made.
async fn check_backtest(conn: &mut PgConnection, id: &ModelId, base: &ModelId) -> Result<(), ScoringError> {
    match backtests::newest_beside(conn, id, base).await? {
        Some((backtest, Some(difference))) if difference.is_worse() => {
            Err(BacktestError::ModelWorse { model: id.clone(), base: base.clone(), backtest, difference }.into())
        }
        _ => Ok(()),
    }
}

/// Has the activation told when its day begins: by then the day's scores are the model's by themselves.
async fn schedule(
    app: &App,
    conn: &mut PgConnection,
    sequence: i64,
    due_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), ScoringError> {
    let job = NewJob::due(sequence.to_string(), due_at);
    Ok(app.core.jobs.schedule(conn, ACTIVATION_QUEUE, &[job], now).await?)
}
