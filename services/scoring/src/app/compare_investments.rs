//! What money is worth that keeps customers, beside money that wins new ones.

use chrono::{DateTime, Utc};
use mainstay_storage::{StorageError, begin};

use super::get_forecast_model::get;
use super::{App, ScoringError};
use crate::domain::Segment;
use crate::domain::cohort::{CohortDimension, CohortFilter, RemainingMonths};
use crate::domain::customer_filter::CustomerFilter;
use crate::domain::forecast::{ForecastCustomer, ForecastModel};
use crate::domain::investment::{CustomerAtRisk, InvestmentComparison, InvestmentQuery, LOSS_DAYS};
use crate::storage::{cohorts, forecasts};

/// Both sides, and of whom.
pub(crate) struct ComparedInvestments {
    pub comparison: InvestmentComparison,
    pub model: ForecastModel,
    /// Customers without a forecast.
    pub unforecast: u64,
    /// Customers with one that bring nothing in this currency.
    pub other_currency: u64,
    pub as_of: DateTime<Utc>,
}

/// Compares by the customers of these segments, or all, who leave by the model of a number, or the newest.
pub(crate) async fn execute(
    app: &App,
    query: &InvestmentQuery,
    segments: Vec<Segment>,
    number: Option<i64>,
) -> Result<ComparedInvestments, ScoringError> {
    let mut conn = begin(&app.core.pool).await?;
    let conn = &mut *conn;
    let as_of = app.core.clock.now();
    let model = get(conn, number).await?;
    let health_model = app.models.model(conn, &model.health_model).await?;
    let filter = CohortFilter { segments: segments.clone(), ..CohortFilter::default() };
    let seen = cohorts::seen(conn, CohortDimension::All, &filter, None, as_of.date_naive()).await?;
    let filter = CustomerFilter { segments, owner_email: None };
    let customers = forecasts::customers(conn, &model.health_model, None, &filter).await?;
    let (mut at_risk, mut unforecast) = (Vec::new(), 0);
    for ForecastCustomer { arr, today, .. } in &customers {
        let Some(today) = today else {
            unforecast += 1;
            continue;
        };
        let Some(arr) = arr.filter(|arr| arr.currency == query.retention_cost.currency) else { continue };
        at_risk.push(CustomerAtRisk {
            probability: model.definition.within(&health_model, today, LOSS_DAYS),
            annual_revenue: arr.minor_units,
            age_months: today.months_as_customer(),
        });
    }
    let remaining = RemainingMonths::of(&seen.customers, query.months);
    let comparison = InvestmentComparison::of(query, &at_risk, &remaining);
    Ok(ComparedInvestments {
        comparison: comparison.map_err(|error| StorageError::Corrupt(error.to_string()))?,
        model,
        other_currency: (customers.len() - at_risk.len()) as u64 - unforecast,
        unforecast,
        as_of,
    })
}
