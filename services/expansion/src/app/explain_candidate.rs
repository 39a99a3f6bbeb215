//! Why a chance is what it is.

use mainstay_domain::AccountId;
use mainstay_storage::begin;

use super::{App, ExpansionError};
use crate::domain::{Candidate, MonthUse};
use crate::storage::{candidates, usage};

/// How many months are shown.
const MONTHS: i64 = 13;

/// The chance, and the months of its account's usage, the newest first.
pub(crate) async fn execute(
    app: &App,
    account: &AccountId,
    metric: &str,
) -> Result<(Candidate, Vec<MonthUse>), ExpansionError> {
    let mut conn = begin(&app.core.pool).await?;
    let candidate = candidates::lookup(&mut conn, account, metric).await?;
    let not_found = || ExpansionError::CandidateNotFound(format!("{}/candidates/{metric}", account.name()));
    Ok((candidate.ok_or_else(not_found)?, usage::recent(&mut conn, account, MONTHS).await?))
}
