//! How likely customers are to leave: one of them, or the whole portfolio.

use mainstay_domain::AccountId;
use mainstay_storage::{StorageError, begin};
use sqlx::PgConnection;

use super::get_forecast_model::get;
use super::{App, ScoringError};
use crate::domain::customer_filter::CustomerFilter;
use crate::domain::forecast::{ChurnForecast, CustomerDay, ForecastModel, PortfolioForecast};
use crate::domain::revenue_report::ExpectedChurn;
use crate::storage::{accounts, forecasts};

/// Forecasts one account by the model of a number, or the newest.
pub(crate) async fn one(
    app: &App,
    account: &AccountId,
    number: Option<i64>,
) -> Result<(ForecastModel, CustomerDay, ChurnForecast), ScoringError> {
    let mut conn = begin(&app.core.pool).await?;
    let stored = accounts::lookup(&mut conn, account).await?;
    if stored.is_none() {
        return Err(ScoringError::AccountNotFound(account.clone()));
    }
    let model = get(&mut conn, number).await?;
    let health_model = app.models.model(&mut conn, &model.health_model).await?;
    let customer =
        forecasts::customers(&mut conn, &model.health_model, Some(account), &CustomerFilter::default()).await?.pop();
    let unavailable = |why: String| ScoringError::ForecastUnavailable { account: account.clone(), why };
    let Some(customer) = customer else {
        return Err(unavailable("it is in its trial, churned or archived".to_owned()));
    };
    let general_model = app.models.book(&mut conn).await?.general_model(app.core.clock.today());
    let today = customer.today.ok_or_else(|| {
        let name = model.health_model.name();
        unavailable(match general_model {
            Some(general) if general.id != model.health_model => {
                let general = general.id.name();
                format!("the forecast learnt from {name}, and {general} is the general model now: TrainForecast learns from it")
            }
            _ => format!("{name}, from which the forecast learnt, has not read it yet"),
        })
    })?;
    let forecast = model.definition.forecast(&health_model, &today);
    Ok((model, today, forecast))
}

/// Forecasts all customers within so many days, or within the model's horizon.
pub(crate) async fn portfolio(
    app: &App,
    days: Option<u32>,
    number: Option<i64>,
) -> Result<(ForecastModel, u32, PortfolioForecast), ScoringError> {
    let mut conn = begin(&app.core.pool).await?;
    let model = get(&mut conn, number).await?;
    let days = days.unwrap_or(model.definition.horizon_days);
    let forecast = of_customers(app, &mut conn, &model, &CustomerFilter::default(), days).await?;
    Ok((model, days, forecast))
}

/// Forecasts some of the customers by the newest model, when there is one.
pub(super) async fn newest(
    app: &App,
    conn: &mut PgConnection,
    customers: &CustomerFilter,
    days: u32,
) -> Result<Option<ExpectedChurn>, ScoringError> {
    let Some(model) = forecasts::lookup(conn, None).await? else { return Ok(None) };
    let forecast = of_customers(app, conn, &model, customers, days).await?;
    Ok(Some(ExpectedChurn { model, days, forecast }))
}

async fn of_customers(
    app: &App,
    conn: &mut PgConnection,
    model: &ForecastModel,
    customers: &CustomerFilter,
    days: u32,
) -> Result<PortfolioForecast, ScoringError> {
    let health_model = app.models.model(conn, &model.health_model).await?;
    let customers = forecasts::customers(conn, &model.health_model, None, customers).await?;
    let forecast = PortfolioForecast::of(&model.definition, &health_model, &customers, days);
    Ok(forecast.map_err(|error| StorageError::Corrupt(error.to_string()))?)
}
