//! Renewals, how likely they are, and what of them can be expected.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_domain::{AccountId, ModelId, day_of, start_of_day};
use mainstay_storage::{StorageError, begin};
use sqlx::PgConnection;

use super::{App, ScoringError};
use crate::domain::HealthModel;
use crate::domain::forecast::ForecastModel;
use crate::domain::renewal::{
    Likelihood, Quarter, QuarterForecast, Renewal, RenewalCursor, RenewalReport, quarter_forecasts,
};
use crate::storage::renewals::DueRange;
use crate::storage::{forecasts, renewals};

/// The newest forecast model with its health model, when there is one.
pub(super) struct Forecaster {
    pub model: ForecastModel,
    pub health_model: Arc<HealthModel>,
}

impl Forecaster {
    /// Reads it.
    pub(super) async fn newest(app: &App, conn: &mut PgConnection) -> Result<Option<Self>, ScoringError> {
        let Some(model) = forecasts::lookup(conn, None).await? else { return Ok(None) };
        let health_model = app.models.model(conn, &model.health_model).await?;
        Ok(Some(Self { model, health_model }))
    }

    fn likelihood(&self, renewal: &Renewal) -> Option<Likelihood> {
        renewal.likelihood(&self.model.definition, &self.health_model)
    }
}

/// Days on which renewals are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct DueDays {
    pub start: Option<NaiveDate>,
    /// The day after the last.
    pub end: Option<NaiveDate>,
    pub undecided_only: bool,
}

impl DueDays {
    fn range(self) -> DueRange {
        let Self { start, end, undecided_only } = self;
        DueRange { start: start.map(start_of_day), end: end.map(start_of_day), undecided_only }
    }
}

/// At most `limit` renewals after a place in the list, with their likelihoods and the number of the model by which these are. Only
/// those of `accounts`, where some are given.
pub(crate) async fn execute(
    app: &App,
    days: DueDays,
    accounts: Option<&[AccountId]>,
    after: Option<&RenewalCursor>,
    limit: i64,
) -> Result<(Vec<(Renewal, Option<Likelihood>)>, Option<i64>), ScoringError> {
    let mut conn = begin(&app.core.pool).await?;
    let forecaster = Forecaster::newest(app, &mut conn).await?;
    let renewals = list(&mut conn, forecaster.as_ref(), days, accounts, after, limit).await?;
    Ok((renewals, forecaster.map(|forecaster| forecaster.model.number)))
}

async fn list(
    conn: &mut PgConnection,
    forecaster: Option<&Forecaster>,
    days: DueDays,
    accounts: Option<&[AccountId]>,
    after: Option<&RenewalCursor>,
    limit: i64,
) -> Result<Vec<(Renewal, Option<Likelihood>)>, ScoringError> {
    let health_model: Option<&ModelId> = forecaster.map(|forecaster| &forecaster.model.health_model);
    let renewals = renewals::list(conn, health_model, days.range(), accounts, after, limit).await?;
    let with_likelihood = |renewal: Renewal| {
        let likelihood = forecaster.and_then(|forecaster| forecaster.likelihood(&renewal));
        (renewal, likelihood)
    };
    Ok(renewals.into_iter().map(with_likelihood).collect())
}

/// What can be expected to renew.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RenewalForecast {
    pub as_of: DateTime<Utc>,
    pub quarters: Vec<QuarterForecast>,
    /// The number of the forecast model.
    pub model: Option<i64>,
}

/// In so many quarters from the running one on.
pub(crate) async fn forecast(app: &App, quarters: u32) -> Result<RenewalForecast, ScoringError> {
    let mut conn = begin(&app.core.pool).await?;
    let as_of = app.core.clock.now();
    let today = day_of(as_of);
    let forecaster = Forecaster::newest(app, &mut conn).await?;
    let end = (0..quarters).fold(Quarter::of(today), |quarter, _| quarter.next()).first_day();
    let days = DueDays { start: None, end, undecided_only: true };
    let renewals = list(&mut conn, forecaster.as_ref(), days, None, None, i64::MAX).await?;
    let likely = |(renewal, likelihood): (Renewal, Option<Likelihood>)| (renewal, likelihood.map(|one| one.value));
    let renewals: Vec<_> = renewals.into_iter().map(likely).collect();
    let quarters =
        quarter_forecasts(&renewals, today, quarters).map_err(|error| StorageError::Corrupt(error.to_string()))?;
    Ok(RenewalForecast { as_of, quarters, model: forecaster.map(|forecaster| forecaster.model.number) })
}

/// What became of the renewals that were due.
pub(crate) async fn report(app: &App, start: NaiveDate, end: NaiveDate) -> Result<RenewalReport, ScoringError> {
    let mut conn = begin(&app.core.pool).await?;
    let days = DueDays { start: Some(start), end: Some(end), undecided_only: false };
    let renewals = renewals::list(&mut conn, None, days.range(), None, None, i64::MAX).await?;
    Ok(RenewalReport::of(&renewals).map_err(|error| StorageError::Corrupt(error.to_string()))?)
}
