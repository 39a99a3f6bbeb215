//! One programme.

use mainstay_domain::ProgramId;
use sqlx::PgConnection;

use super::{App, SurveysError};
use crate::domain::program::Program;
use crate::storage::programs;

/// Reads the programme.
pub(crate) async fn execute(app: &App, id: &ProgramId) -> Result<Program, SurveysError> {
    let mut conn = app.core.pool.acquire().await?;
    get(&mut conn, id).await
}

/// The programme, which must be there.
pub(super) async fn get(conn: &mut PgConnection, id: &ProgramId) -> Result<Program, SurveysError> {
    programs::lookup(conn, id).await?.ok_or_else(|| SurveysError::ProgramNotFound(id.clone()))
}

/// The programme, which must be there, held until the transaction ends.
pub(super) async fn lock(conn: &mut PgConnection, id: &ProgramId) -> Result<Program, SurveysError> {
    programs::lock(conn, id).await?.ok_or_else(|| SurveysError::ProgramNotFound(id.clone()))
}
