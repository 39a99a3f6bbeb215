//! A version of a plan, or the one in force.

use sqlx::PgConnection;

use super::{App, ExpansionError};
use crate::domain::{Plan, PlanName};
use crate::storage::plans;

/// Reads the plan.
pub(crate) async fn execute(app: &App, name: &PlanName) -> Result<Plan, ExpansionError> {
    let mut conn = app.core.pool.acquire().await?;
    lookup(&mut conn, name).await
}

/// The plan, which must be there.
pub(super) async fn lookup(conn: &mut PgConnection, name: &PlanName) -> Result<Plan, ExpansionError> {
    let plan = match name.version {
        Some(version) => plans::lookup(conn, &name.id, version).await?,
        None => plans::in_force(conn, &name.id).await?,
    };
    plan.ok_or_else(|| ExpansionError::PlanNotFound(name.clone()))
}
