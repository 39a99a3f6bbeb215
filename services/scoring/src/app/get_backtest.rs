//! Backtests that are complete, and the accounts that they put into another band.

use mainstay_domain::ModelId;
use uuid::Uuid;

use super::{App, BacktestError, ScoringError};
use crate::convert;
use crate::domain::backtest::{BacktestEnd, BandChange};
use crate::storage::backtests;

/// The report, a message.
pub(crate) async fn execute(app: &App, id: Uuid) -> Result<Vec<u8>, ScoringError> {
    let mut conn = app.core.pool.acquire().await?;
    match backtests::lookup_end(&mut conn, id).await? {
        Some(BacktestEnd::Complete(report)) => Ok(report),
        Some(BacktestEnd::TooFew(_)) | None => Err(BacktestError::NotFound(convert::backtest::name(id)).into()),
    }
}

/// At most `limit` reports, newest first, of one model or of all, older than the one with the id `before`.
pub(crate) async fn list(
    app: &App,
    model: Option<&ModelId>,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<(Uuid, Vec<u8>)>, ScoringError> {
    let mut conn = app.core.pool.acquire().await?;
    Ok(backtests::list(&mut conn, model, before, limit).await?)
}

/// At most `limit` accounts in another band, by id, after `after`.
pub(crate) async fn band_changes(
    app: &App,
    id: Uuid,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<BandChange>, ScoringError> {
    execute(app, id).await?;
    let mut conn = app.core.pool.acquire().await?;
    Ok(backtests::band_changes(&mut conn, id, after, limit).await?)
}
