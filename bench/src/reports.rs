//! Reports about all customers, against the count of the rows they are read from.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use chrono::TimeDelta;
use mainstay_api::mainstay::common::v1::Money;
use mainstay_api::mainstay::scoring::v1::adoption_service_client::AdoptionServiceClient;
use mainstay_api::mainstay::scoring::v1::cohort_service_client::CohortServiceClient;
use mainstay_api::mainstay::scoring::v1::forecast_service_client::ForecastServiceClient;
use mainstay_api::mainstay::scoring::v1::health_service_client::HealthServiceClient;
use mainstay_api::mainstay::scoring::v1::renewal_service_client::RenewalServiceClient;
use mainstay_api::mainstay::scoring::v1::report_service_client::ReportServiceClient;
use mainstay_api::mainstay::scoring::v1::{
    AdoptionGrain, CohortDimension, CompareInvestmentsRequest, ForecastPortfolioRequest, GetDataQualityReportRequest,
    GetFeatureAdoptionReportRequest, GetFeatureRequestReportRequest, GetHealthReportRequest, GetOutcomeReportRequest,
    GetRenewalForecastRequest, GetRenewalReportRequest, GetRetentionRequest, GetRevenueReportRequest,
    GetRevenueRetentionRequest, GetServiceReportRequest, GetTouchpointMapRequest, SummarizeHealthRequest,
};
use mainstay_domain::{Clock, ManualClock, start_of_day};
use tonic::transport::Channel;

use crate::customers;
use crate::database::Server;
use crate::report::{Report, progress, ratio, seconds, whole};
use crate::report_rows;
use crate::samples::Samples;
use crate::service;

const REPEATS: usize = 5;

/// The least that a report has to read.
const BASELINE: &str = "SELECT count(health.score) FROM scoring.accounts JOIN scoring.health USING (account_id)";

/// Fortnights of a year.
const PERIODS: i32 = 26;

/// Most features of a list.
const FEATURES: i32 = 100;

/// Measures the reports over a portfolio of this size, a day after it moved in.
pub(crate) async fn run(server: &Server, accounts: u32) -> anyhow::Result<()> {
    let database = server.database("bench_reports").await?;
    let clock = ManualClock::at(customers::noon_of_last_day());
    let service = service::at_rest(&database, Arc::new(clock.clone())).await?;
    customers::move_in(&service, &database, accounts).await?;
    progress("all again on the next day");
    clock.set(start_of_day(clock.today() + TimeDelta::days(1)));
    service::settle(&service).await?;
    progress("what they pay, owe, ask for and say");
    report_rows::write(&database).await?;

    let channel = service.in_memory_channel();
    let baseline = timed(async || {
        let scored: i64 = sqlx::query_scalar(BASELINE).fetch_one(&database.pool).await?;
        all(accounts, scored)
    });
    let baseline = baseline.await?;
    let mut answered = of_health(&channel, accounts).await?;
    answered.extend(of_use_and_service(&channel, accounts).await?);
    answered.extend(of_revenue(&channel, accounts).await?);

    let mut report = Report::new(
        format!("Reports over {} accounts, median of {REPEATS}", whole(accounts.into())),
        &["what", "answered in", "of the count"],
    );
    for (what, elapsed) in std::iter::once(("the count of scores", baseline)).chain(answered) {
        report.row([what.to_owned(), seconds(elapsed), ratio(elapsed.as_secs_f64(), baseline.as_secs_f64())]);
    }
    report.print();
    drop(service);
    database.pool.close().await;
    Ok(())
}

type Answered = Vec<(&'static str, Duration)>;

/// How customers are, and how far the data can be trusted.
async fn of_health(channel: &Channel, accounts: u32) -> anyhow::Result<Answered> {
    let health = || HealthServiceClient::new(channel.clone());
    let summary = timed(async || {
        let summary = health().summarize_health(SummarizeHealthRequest::default()).await?.into_inner();
        all(accounts, summary.account_count)
    });
    let reports = || ReportServiceClient::new(channel.clone());
    let report = timed(async || {
        let report = reports().get_health_report(GetHealthReportRequest::default()).await?.into_inner();
        all(accounts, report.account_count)
    });
    let data = timed(async || {
        let report = reports().get_data_quality_report(GetDataQualityReportRequest {}).await?.into_inner();
        all(accounts, report.account_count)
    });
    Ok(vec![
        ("SummarizeHealth", summary.await?),
        ("GetHealthReport", report.await?),
        ("GetDataQualityReport", data.await?),
    ])
}

/// What customers use, reach, ask for and meet.
async fn of_use_and_service(channel: &Channel, accounts: u32) -> anyhow::Result<Answered> {
    let reports = || ReportServiceClient::new(channel.clone());
    let requested = timed(async || {
        let request = GetFeatureRequestReportRequest { list_size: Some(FEATURES), ..Default::default() };
        let report = reports().get_feature_request_report(request).await?.into_inner();
        let is_compared = report.features.iter().any(|one| one.score_change_account_count > 0);
        ensure!(is_compared, "no feature has a change of score");
        all(accounts, report.features.iter().map(|one| one.account_count).sum())
    });
    let adoption = || AdoptionServiceClient::new(channel.clone());
    let adopted = timed(async || {
        let request = GetFeatureAdoptionReportRequest {
            grain: AdoptionGrain::Fortnight.into(),
            period_count: Some(PERIODS),
            ..Default::default()
        };
        let report = adoption().get_feature_adoption_report(request).await?.into_inner();
        ensure!(report.feature_count == 50, "{} features were used", report.feature_count);
        all(accounts, report.periods.last().map_or(0, |period| period.account_count))
    });
    let outcomes = timed(async || {
        let report = adoption().get_outcome_report(GetOutcomeReportRequest::default()).await?.into_inner();
        ensure!(report.targets.len() == 5, "{} targets stand", report.targets.len());
        all(accounts, report.groups.iter().map(|group| group.account_count).sum())
    });
    let served = timed(async || {
        let report = reports().get_service_report(GetServiceReportRequest::default()).await?.into_inner();
        let figures = report.figures.unwrap_or_default();
        ensure!(figures.first_contact_rate.is_some() && figures.effort_score_mean.is_some(), "nobody was served");
        all(accounts, figures.opened_count)
    });
    let touchpoints = timed(async || {
        let client = || CohortServiceClient::new(channel.clone());
        let map = client().get_touchpoint_map(GetTouchpointMapRequest::default()).await?.into_inner();
        ensure!(map.touchpoints.len() == 4, "{} touchpoints were met", map.touchpoints.len());
        all(accounts, map.customer_count)
    });
    Ok(vec![
        ("GetFeatureRequestReport", requested.await?),
        ("GetFeatureAdoptionReport, a year", adopted.await?),
        ("GetOutcomeReport", outcomes.await?),
        ("GetServiceReport", served.await?),
        ("GetTouchpointMap", touchpoints.await?),
    ])
}

/// What customers bring, what of it may be lost, and what it is worth.
async fn of_revenue(channel: &Channel, accounts: u32) -> anyhow::Result<Answered> {
    let revenue = timed(async || {
        let client = || ReportServiceClient::new(channel.clone());
        let report = client().get_revenue_report(GetRevenueReportRequest::default()).await?.into_inner();
        let churn = report.revenue_health.and_then(|health| health.expected_churn);
        ensure!(churn.is_some(), "there is no forecast in the report of revenue");
        all(accounts, report.account_count)
    });
    let renewals = || RenewalServiceClient::new(channel.clone());
    let expected = timed(async || {
        let forecast = renewals().get_renewal_forecast(GetRenewalForecastRequest::default()).await?.into_inner();
        all(accounts, forecast.quarters.iter().map(|quarter| quarter.renewal_count).sum())
    });
    let renewed = timed(async || {
        let report = renewals().get_renewal_report(GetRenewalReportRequest::default()).await?.into_inner();
        ensure!(report.renewed_count > 0 && report.churned_count > 0, "nothing was decided");
        Ok(())
    });
    let kept = timed(async || {
        let retention = renewals().get_revenue_retention(GetRevenueRetentionRequest::default()).await?.into_inner();
        ensure!(retention.currencies.len() == 2, "{} currencies are known", retention.currencies.len());
        Ok(())
    });
    let forecasts = || ForecastServiceClient::new(channel.clone());
    let lost = timed(async || {
        let forecast = forecasts().forecast_portfolio(ForecastPortfolioRequest::default()).await?.into_inner();
        all(accounts, forecast.total.unwrap_or_default().account_count)
    });
    let invested = timed(async || {
        let retention_cost = Some(Money { currency_code: "EUR".to_owned(), minor_units: 10_000_000 });
        let request = CompareInvestmentsRequest { retention_cost, ..Default::default() };
        let compared = forecasts().compare_investments(request).await?.into_inner();
        ensure!(compared.retention.is_some_and(|retention| retention.break_even.is_some()), "nothing is at stake");
        all(accounts / 2, compared.other_currency_account_count)
    });
    let retained = timed(async || {
        let client = || CohortServiceClient::new(channel.clone());
        let request = GetRetentionRequest { dimension: CohortDimension::Segment.into(), ..Default::default() };
        let retention = client().get_retention(request).await?.into_inner();
        all(accounts, retention.cohorts.iter().map(|cohort| cohort.account_count).sum())
    });
    Ok(vec![
        ("GetRevenueReport", revenue.await?),
        ("GetRenewalForecast", expected.await?),
        ("GetRenewalReport", renewed.await?),
        ("GetRevenueRetention", kept.await?),
        ("ForecastPortfolio", lost.await?),
        ("CompareInvestments", invested.await?),
        ("GetRetention by segment", retained.await?),
    ])
}

/// Whether all accounts were read.
fn all(accounts: u32, count: i64) -> anyhow::Result<()> {
    ensure!(count == i64::from(accounts), "{count} of {accounts} accounts were read");
    Ok(())
}

/// The median time of a report.
async fn timed(answer: impl AsyncFn() -> anyhow::Result<()>) -> anyhow::Result<Duration> {
    let mut samples = Samples::default();
    for _ in 0..REPEATS {
        let started = Instant::now();
        answer().await?;
        samples.push(started.elapsed());
    }
    Ok(samples.median())
}
