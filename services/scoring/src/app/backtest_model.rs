//! Begins to try a model on stored history, as an operation one can watch.

use mainstay_domain::day_of;

use super::chosen_model::{self, ModelChoice};
use super::get_model::ACTIVE_NAME;
use super::get_operation::OperationView;
use super::{App, BacktestError, Mutation, Replayable, ScoringError, operation_steps};
use crate::domain::backtest::{ACCOUNTS_OF_OUTCOME_MIN, BacktestRecord, BacktestSpan, SpanDraft, TooFewOutcomes};
use crate::domain::{OperationKind, Segment};
use crate::storage::{backtests, tenures};

/// What to try on which history.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BacktestRequest {
    /// The model.
    pub choice: ModelChoice,
    /// Whose account-days alone are looked at. Absent: all.
    pub segment: Option<Segment>,
    pub span: SpanDraft,
}

/// Begins the operation, of which there is one at a time. `answer` makes of it what the caller is told, and told again.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    request: &BacktestRequest,
    answer: impl Fn(OperationView) -> T + Sync,
) -> Result<T, ScoringError> {
    app.core
        .mutate(mutation, async |conn| {
            let now = app.core.clock.now();
            let segment = request.segment;
            let span = BacktestSpan::from_draft(request.span, day_of(now)).map_err(ScoringError::Invalid)?;
            let account_count = tenures::count(conn).await?;
            span.check_size(usize::try_from(account_count).unwrap_or(usize::MAX)).map_err(ScoringError::Invalid)?;
            let model = chosen_model::get(app, conn, &request.choice).await?;
            let book = app.models.book(conn).await?;
            let base = segment.map_or_else(|| book.general_model(day_of(now)), |one| book.model_for(one, day_of(now)));
            let base = base.ok_or_else(|| ScoringError::ModelNotFound(ACTIVE_NAME.to_owned()))?;
            let left = usize::try_from(tenures::count_left(conn).await?).unwrap_or(0);
            if left < ACCOUNTS_OF_OUTCOME_MIN {
                let stayed = usize::try_from(account_count).unwrap_or(0) - left;
                return Err(BacktestError::TooFewOutcomes(TooFewOutcomes { left, stayed }).into());
            }
            let first_day = span.days().first().copied().unwrap_or_else(|| day_of(now));
            let steps = if model.compares_accounts() || base.compares_accounts() { 2 } else { 1 };
            let running = |id| BacktestError::Running(id).into();
            let kind = OperationKind::Backtest;
            let operation = operation_steps::begin(app, conn, kind, first_day, account_count * steps, running).await?;
            let record = BacktestRecord {
                id: operation.operation_id,
                model: model.as_ref().clone(),
                base_model: base.id.clone(),
                segment,
                span,
                created_at: now,
                group_distributions: None,
            };
            backtests::begin(conn, &record).await?;
            Ok(answer(OperationView::begun(operation)))
        })
        .await
}
