//! Makes a model the one that scores from today on, or from a later day: all accounts, or those of a segment.
//!
//! Models that score on the same day have the same cuts between the bands: "at risk" means the same for every account.

use chrono::NaiveDate;
use mainstay_domain::{ModelId, day_of};
use sqlx::PgConnection;

use super::get_model::{ModelView, view};
use super::put_in_force::{check_cuts, check_start_day, put_in_force};
use super::{App, BacktestError, Mutation, Replayable, ScoringError};
use crate::domain::backtest::{ACCOUNTS_OF_OUTCOME_MIN, FoundDifference};
use crate::domain::{ActivationCause, Segment};
use crate::storage::{backtests, models, tenures};

/// How a model is to be activated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ActivationRequest {
    pub id: ModelId,
    /// Whose accounts it is to score. Absent: all whose segment has no model of its own.
    pub segment: Option<Segment>,
    /// The etag that the model must have; empty for any.
    pub etag: String,
    /// From which day on. Absent: today.
    pub start_day: Option<NaiveDate>,
    pub cause: ActivationCause,
}

/// Activates the model, and calls off what was to be activated for the same accounts on a later day. One that scores them stays as
/// it is. `answer` makes of it what the caller is told, and told again.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    request: &ActivationRequest,
    answer: impl Fn(ModelView) -> T + Sync,
) -> Result<T, ScoringError> {
    let ActivationRequest { id, segment, etag, start_day, cause } = request;
    let segment = *segment;
    app.core
        .mutate(mutation, async |conn| {
            let today = day_of(app.core.clock.now());
            let from_day = check_start_day(*start_day, today)?;
            models::lock_activations(conn).await?;
            let before = view(app, conn, id).await?;
            if !etag.is_empty() && !before.etag().matches(etag) {
                return Err(ScoringError::EtagMismatch);
            }
            models::call_off_later(conn, segment, today).await?;
            let scores_them = segment.map_or(before.active, |segment| before.segments.contains(&segment));
            if scores_them {
                // What was called off may have been what gave other accounts the same cuts.
                check_cuts(app, conn, today).await?;
                return Ok(answer(view(app, conn, id).await?));
            }
            let book = app.models.book(conn).await?;
            let previous = segment.map_or_else(
                || book.general_model(today).map(|model| model.id.clone()),
                |segment| book.model_for(segment, today).map(|model| model.id.clone()),
            );
            if let Some(base) = &previous {
                if !cause.accepted_worse {
                    check_backtest(conn, id, base, segment).await?;
                }
                let is_proven = cause.accepted_untried || book.activations().has_scored(id, segment, today);
                if !is_proven {
                    check_tried(conn, id, base, segment).await?;
                }
            }
            put_in_force(app, conn, Some(id), segment, from_day, cause).await?;
            check_cuts(app, conn, today).await?;
            Ok(answer(view(app, conn, id).await?))
        })
        .await
}

/// Refuses a model that no backtest tried beside the one that scores, as soon as there are outcomes to try it on.
async fn check_tried(
    conn: &mut PgConnection,
    id: &ModelId,
    base: &ModelId,
    segment: Option<Segment>,
) -> Result<(), ScoringError> {
    let left = tenures::count_left(conn).await?;
    let stayed = tenures::count(conn).await? - left;
    let can_be_tried = usize::try_from(left.min(stayed)).is_ok_and(|fewest| fewest >= ACCOUNTS_OF_OUTCOME_MIN);
    if !can_be_tried || backtests::is_tried_beside(conn, id, base, segment).await? {
        return Ok(());
    }
    Err(BacktestError::ModelUntried { model: id.clone(), base: base.clone() }.into())
}

/// Refuses a model of which a backtest beside the one that scores says that it is worse, beyond what chance could have made.
pub(super) async fn check_backtest(
    conn: &mut PgConnection,
    id: &ModelId,
    base: &ModelId,
    segment: Option<Segment>,
) -> Result<(), ScoringError> {
    let found = backtests::found_beside(conn, id, base, segment).await?;
    match FoundDifference::worse(&found) {
        Some(&FoundDifference { backtest, difference, .. }) => {
            Err(BacktestError::ModelWorse { model: id.clone(), base: base.clone(), backtest, difference }.into())
        }
        None => Ok(()),
    }
}
