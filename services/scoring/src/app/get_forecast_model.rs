//! Forecast models: one, or a page of them.

use sqlx::PgConnection;

use super::{App, ScoringError};
use crate::domain::forecast::ForecastModel;
use crate::storage::forecasts;

/// Which model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ForecastModelName {
    Number(i64),
    Newest,
}

impl ForecastModelName {
    /// The number; none for the newest.
    pub(crate) const fn number(self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(number),
            Self::Newest => None,
        }
    }
}

/// Reads the model of a number; without one the newest.
pub(crate) async fn execute(app: &App, number: Option<i64>) -> Result<ForecastModel, ScoringError> {
    let mut conn = app.core.pool.acquire().await?;
    get(&mut conn, number).await
}

/// The same on a connection at hand.
pub(super) async fn get(conn: &mut PgConnection, number: Option<i64>) -> Result<ForecastModel, ScoringError> {
    forecasts::lookup(conn, number).await?.ok_or(ScoringError::ForecastModelNotFound(number))
}

/// At most `limit` models whose number is below `before`, newest first.
pub(crate) async fn list(app: &App, before: Option<i64>, limit: i64) -> Result<Vec<ForecastModel>, ScoringError> {
    let mut conn = app.core.pool.acquire().await?;
    Ok(forecasts::list(&mut conn, before, limit).await?)
}
