//! What can still be expected of an account.

use mainstay_domain::AccountId;
use mainstay_storage::{StorageError, begin};

use super::{App, ScoringError};
use crate::domain::cohort::{CohortDimension, CohortFilter, LifetimeValue, SeenCustomers, UncountedReason};
use crate::storage::cohorts;

/// Looks so many months ahead by the customers of the account's cohort; a reason where the account is in none.
pub(crate) async fn execute(
    app: &App,
    account: &AccountId,
    dimension: CohortDimension,
    months: u32,
) -> Result<Result<LifetimeValue, UncountedReason>, ScoringError> {
    let mut conn = begin(&app.core.pool).await?;
    let today = app.core.clock.today();
    let customer = match cohorts::customer(&mut conn, dimension, account, today).await? {
        None => return Err(ScoringError::AccountNotFound(account.clone())),
        Some(Err(reason)) => return Ok(Err(reason)),
        Some(Ok(customer)) => customer,
    };
    let portfolio = cohorts::seen(&mut conn, dimension, &CohortFilter::default(), None, today).await?;
    let cohort: Vec<&SeenCustomers> =
        portfolio.customers.iter().filter(|group| group.cohort == customer.cohort).collect();
    let value = LifetimeValue::of(customer, &cohort, months);
    Ok(Ok(value.map_err(|error| StorageError::Corrupt(error.to_string()))?))
}
