//! Ends that a segment has a model of its own.

use chrono::NaiveDate;
use mainstay_domain::day_of;

use super::activate_model::check_backtest;
use super::get_model::{ModelView, active_id, view};
use super::put_in_force::{check_cuts, check_start_day, put_in_force};
use super::{App, Mutation, Replayable, ScoringError};
use crate::domain::{ActivationCause, Segment};
use crate::storage::models;

/// Has the segment's accounts scored by the general model from a day on, and calls off what was to be activated for them on a
/// later day; a segment without a model of its own stays as it is. `answer` makes of the general model what the caller is told,
/// and told again.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    segment: Segment,
    start_day: Option<NaiveDate>,
    cause: &ActivationCause,
    answer: impl Fn(ModelView) -> T + Sync,
) -> Result<T, ScoringError> {
    app.core
        .mutate(mutation, async |conn| {
            let today = day_of(app.core.clock.now());
            let from_day = check_start_day(start_day, today)?;
            models::lock_activations(conn).await?;
            models::call_off_later(conn, Some(segment), today).await?;
            let book = app.models.book(conn).await?;
            if let Some(own) = book.activations().own(segment, today) {
                if let Some(general) = book.general_model(from_day).filter(|_| !cause.accepted_worse) {
                    check_backtest(conn, &general.id, own, Some(segment)).await?;
                }
                put_in_force(app, conn, None, Some(segment), from_day, cause).await?;
            }
            check_cuts(app, conn, today).await?;
            let general = active_id(app, conn).await?;
            Ok(answer(view(app, conn, &general).await?))
        })
        .await
}
