//! Programmes in the order of their ids.

use mainstay_storage::begin;

use super::{App, SurveysError};
use crate::domain::program::{Program, ProgramState};
use crate::storage::programs;

/// At most `limit` programmes after the id `after`, in one of the states.
pub(crate) async fn execute(
    app: &App,
    states: &[ProgramState],
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Program>, SurveysError> {
    let mut conn = begin(&app.core.pool).await?;
    Ok(programs::list(&mut conn, states, after, limit).await?)
}
