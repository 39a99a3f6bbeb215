//! Has a model score accounts from a day on, or a segment have none of its own: the one way in for both.

use chrono::NaiveDate;
use mainstay_domain::{ModelId, Violations, day_of, start_of_day};
use mainstay_jobs::NewJob;
use sqlx::PgConnection;

use super::announce_activation::announce;
use super::queues::ACTIVATION_QUEUE;
use super::{App, ScoringError};
use crate::domain::{Activation, ActivationCause, Segment};
use crate::storage::models::{self, NewActivation};

/// The day from which on something is to hold: today, unless said otherwise.
pub(super) fn check_start_day(start_day: Option<NaiveDate>, today: NaiveDate) -> Result<NaiveDate, ScoringError> {
    let from_day = start_day.unwrap_or(today);
    let mut found = Violations::new();
    found.require(from_day >= today, "start_day", format!("{from_day} is in the past: today is {today}"));
    found.into_result(from_day).map_err(ScoringError::Invalid)
}

/// Stores it and tells of it: at once, or when its day begins. The caller holds the lock of the activations.
pub(super) async fn put_in_force(
    app: &App,
    conn: &mut PgConnection,
    model: Option<&ModelId>,
    segment: Option<Segment>,
    from_day: NaiveDate,
    cause: &ActivationCause,
) -> Result<(), ScoringError> {
    let now = app.core.clock.now();
    let activated_at = now.max(start_of_day(from_day));
    let new = NewActivation { model, segment, from_day, activated_at, cause };
    let sequence = models::activate(conn, new).await?;
    if from_day > day_of(now) {
        // By then the day's scores are the model's by themselves.
        let job = NewJob::due(sequence.to_string(), activated_at);
        return Ok(app.core.jobs.schedule(conn, ACTIVATION_QUEUE, &[job], now).await?);
    }
    let (model, cause) = (model.cloned(), cause.clone());
    announce(app, conn, &Activation { sequence, model, segment, from_day, cause }).await
}

/// Refuses what was done to activations when it leaves models with different cuts that score on the same day, from a day on.
pub(super) async fn check_cuts(app: &App, conn: &mut PgConnection, from_day: NaiveDate) -> Result<(), ScoringError> {
    match app.models.book(conn).await?.differing_cuts(from_day) {
        Some((model, other)) => Err(ScoringError::ModelCutsDiffer { model, other }),
        None => Ok(()),
    }
}
