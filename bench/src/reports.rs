//! Reports about all customers, against the count of the rows they are read from.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use chrono::TimeDelta;
use mainstay_api::mainstay::scoring::v1::adoption_service_client::AdoptionServiceClient;
use mainstay_api::mainstay::scoring::v1::cohort_service_client::CohortServiceClient;
use mainstay_api::mainstay::scoring::v1::report_service_client::ReportServiceClient;
use mainstay_api::mainstay::scoring::v1::{
    AdoptionGrain, GetDataQualityReportRequest, GetFeatureAdoptionReportRequest, GetFeatureRequestReportRequest,
    GetHealthReportRequest, GetOutcomeReportRequest, GetRevenueReportRequest, GetServiceReportRequest,
    GetTouchpointMapRequest,
};
use mainstay_domain::{Clock, ManualClock, start_of_day};

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

    let client = ReportServiceClient::new(service.in_memory_channel());
    let baseline = timed(async || {
        let scored: i64 = sqlx::query_scalar(BASELINE).fetch_one(&database.pool).await?;
        Ok(scored)
    });
    let baseline = baseline.await?;
    let health = timed(async || {
        let report = client.clone().get_health_report(GetHealthReportRequest::default()).await?.into_inner();
        Ok(report.account_count)
    });
    let health = health.await?;
    let data = timed(async || {
        let report = client.clone().get_data_quality_report(GetDataQualityReportRequest {}).await?.into_inner();
        Ok(report.account_count)
    });
    let data = data.await?;
    let revenue = timed(async || {
        let report = client.clone().get_revenue_report(GetRevenueReportRequest::default()).await?.into_inner();
        let churn = report.revenue_health.and_then(|health| health.expected_churn);
        ensure!(churn.is_some(), "there is no forecast in the report of revenue");
        Ok(report.account_count)
    });
    let revenue = revenue.await?;
    let features = timed(async || {
        let request = GetFeatureRequestReportRequest { list_size: Some(FEATURES), ..Default::default() };
        let report = client.clone().get_feature_request_report(request).await?.into_inner();
        ensure!(
            report.features.iter().any(|one| one.score_change_account_count > 0),
            "no feature has a change of score"
        );
        Ok(report.features.iter().map(|one| one.account_count).sum())
    });
    let features = features.await?;
    let adoption = AdoptionServiceClient::new(service.in_memory_channel());
    let adopted = timed(async || {
        let request = GetFeatureAdoptionReportRequest {
            grain: AdoptionGrain::Fortnight.into(),
            period_count: Some(PERIODS),
            ..Default::default()
        };
        let report = adoption.clone().get_feature_adoption_report(request).await?.into_inner();
        ensure!(report.feature_count == 50, "{} features were used", report.feature_count);
        Ok(report.periods.last().map_or(0, |period| period.account_count))
    });
    let adopted = adopted.await?;
    let outcomes = timed(async || {
        let report = adoption.clone().get_outcome_report(GetOutcomeReportRequest::default()).await?.into_inner();
        ensure!(report.targets.len() == 5, "{} targets stand", report.targets.len());
        Ok(report.groups.iter().map(|group| group.account_count).sum())
    });
    let outcomes = outcomes.await?;
    let service_report = timed(async || {
        let report = client.clone().get_service_report(GetServiceReportRequest::default()).await?.into_inner();
        let figures = report.figures.unwrap_or_default();
        ensure!(figures.first_contact_rate.is_some() && figures.effort_score_mean.is_some(), "nobody was served");
        Ok(figures.opened_count)
    });
    let service_report = service_report.await?;
    let cohorts = CohortServiceClient::new(service.in_memory_channel());
    let touchpoints = timed(async || {
        let map = cohorts.clone().get_touchpoint_map(GetTouchpointMapRequest::default()).await?.into_inner();
        ensure!(map.touchpoints.len() == 4, "{} touchpoints were met", map.touchpoints.len());
        Ok(map.customer_count)
    });
    let touchpoints = touchpoints.await?;
    for (count, _) in [baseline, health, data, revenue, features, adopted, outcomes, service_report, touchpoints] {
        ensure!(count == i64::from(accounts), "{count} of {accounts} accounts were read");
    }

    let mut report = Report::new(
        format!("Reports over {} accounts, median of {REPEATS}", whole(accounts.into())),
        &["what", "answered in", "of the count"],
    );
    for (what, (_, elapsed)) in [
        ("the count of scores", baseline),
        ("GetHealthReport", health),
        ("GetDataQualityReport", data),
        ("GetRevenueReport", revenue),
        ("GetFeatureRequestReport", features),
        ("GetFeatureAdoptionReport, a year", adopted),
        ("GetOutcomeReport", outcomes),
        ("GetServiceReport", service_report),
        ("GetTouchpointMap", touchpoints),
    ] {
        report.row([what.to_owned(), seconds(elapsed), ratio(elapsed.as_secs_f64(), baseline.1.as_secs_f64())]);
    }
    report.print();
    drop(service);
    database.pool.close().await;
    Ok(())
}

/// What was counted last, and the median time of counting it.
async fn timed(count: impl AsyncFn() -> anyhow::Result<i64>) -> anyhow::Result<(i64, Duration)> {
    let mut samples = Samples::default();
    let mut counted = 0;
    for _ in 0..REPEATS {
        let started = Instant::now();
        counted = count().await?;
        samples.push(started.elapsed());
    }
    Ok((counted, samples.median()))
}
