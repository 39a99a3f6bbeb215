//! How long a backtest takes, and learning a forecast. Not run with the others: they measure, and take a minute.

use std::time::Instant;

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_scoring::domain::{DEFAULT_MODEL, parse_model_file};
use mainstay_scoring::model_message;

use crate::backtest_fixtures::{backtest, create, request};
use crate::forecasts::train;
use crate::harness::Harness;

const ACCOUNTS: i32 = 10_000;

/// Three years of what the default model reads, written straight into the months: each account has five users who are active every
/// fourth day, three features and a level. One in four leaves in the last two years.
const PORTFOLIO: &str = "
INSERT INTO scoring.accounts (account_id, display_name, segment, industry, product_line, plan, lifecycle_stage, plan_limits,
                              owners, owner_emails, contacts, labels, version, created_at, updated_at)
SELECT 'c' || n, 'Customer ' || n, 3, '', '', '', 3, '{}', '[]', '{}', '[]', '{}', 1, '2024-01-01', '2024-01-01'
  FROM generate_series(1, 10000) AS n;
UPDATE scoring.accounts SET lifecycle_stage = 5 WHERE substr(account_id, 2)::integer % 4 = 0;
INSERT INTO scoring.scoring_facts (account_id, from_day, segment, plan_limits)
SELECT account_id, '2024-01-01', 3, '{}' FROM scoring.accounts;
INSERT INTO scoring.count_months (account_id, kind, name, month, day_sums)
SELECT 'c' || n, series.kind, series.name, month::date,
       ARRAY(SELECT CASE WHEN (day * 7 + n * 13 + length(series.name)) % 4 = 0 THEN 1 + (n + day) % 5 END FROM generate_series(1, 28) AS day)
  FROM generate_series(1, 10000) AS n,
       (VALUES (3, 'ann'), (3, 'bob'), (3, 'cleo'), (3, 'dan'), (3, 'eve'), (4, 'export'), (4, 'chat'), (4, 'search')) AS series (kind, name),
       generate_series('2024-01-01'::date, '2026-06-01', '1 month') AS month
 WHERE n % 4 <> 0 OR month < '2024-06-01'::date + (n % 700);
INSERT INTO scoring.series_days (kind, name, day)
SELECT kind, '', day::date FROM (VALUES (3), (4)) AS kinds (kind), generate_series('2024-01-01'::date, '2026-07-01', '1 day') AS day;
INSERT INTO scoring.signals (account_id, source, source_id, kind, event_at, recorded_at, name)
SELECT 'c' || n, 'crm', 'churn', 8, '2024-08-01'::timestamptz + make_interval(days => n % 700), '2026-07-01', 'churn'
  FROM generate_series(4, 10000, 4) AS n;
INSERT INTO scoring.signal_details (account_id, source, source_id, details)
SELECT account_id, source, source_id, '{}' FROM scoring.signals WHERE kind = 8;
INSERT INTO scoring.lifecycles (account_id, state)
SELECT account_id, jsonb_build_object(
           'first_activation', NULL, 'last_return', NULL, 'renewal_at', NULL, 'seats', NULL,
           'last_churn', jsonb_build_object('at', event_at, 'rank', 4, 'source', 'crm', 'source_id', 'churn'),
           'given', '{\"stage\": null, \"activation\": null, \"renewal\": null, \"seats\": null}'::jsonb)
  FROM scoring.signals WHERE kind = 8;
ANALYZE scoring.accounts, scoring.count_months, scoring.signals, scoring.signal_details;
";

async fn portfolio() -> Harness {
    let harness = Harness::start("2026-07-01T08:00:00Z").await;
    // The accounts are not scored first: there are none when the first model is activated.
    harness.settle().await;
    sqlx::raw_sql(PORTFOLIO).execute(harness.database.pool()).await.expect("a portfolio");
    harness
}

#[tokio::test]
#[ignore = "measures for a minute: run it by its name with --ignored --nocapture"]
async fn a_backtest_of_ten_thousand_accounts_on_24_days() {
    let harness = portfolio().await;
    let mut model = model_message(parse_model_file(DEFAULT_MODEL).expect("parses"));
    model.name = String::new();
    model.components.pop();
    create(&harness, "fewer", model).await;
    let asked = proto::BacktestModelRequest {
        start_day: "2024-04-15".to_owned(),
        end_day: "2026-04-02".to_owned(),
        horizon_days: 90,
        ..request("fewer")
    };
    let started = Instant::now();
    let found = backtest(&harness, asked).await;
    let account_days: i64 = found.trial.as_ref().and_then(|trial| trial.outcomes).map_or(0, |outcomes| outcomes.total);
    println!("{ACCOUNTS} accounts, {} days, {account_days} account-days: {:?}", found.days.len(), started.elapsed());
    assert_eq!((found.days.len(), found.account_count), (24, i64::from(ACCOUNTS)));
}

#[tokio::test]
#[ignore = "measures for a minute: run it by its name with --ignored --nocapture"]
async fn a_forecast_is_learnt_from_ten_thousand_accounts() {
    let harness = portfolio().await;
    let started = Instant::now();
    let model = train(&harness, proto::TrainForecastRequest::default()).await.expect("a model");
    let training = model.training.expect("rows");
    println!("{ACCOUNTS} accounts, {} rows: {:?}", training.row_count, started.elapsed());
    assert!(training.row_count > 30_000, "{training:?}");
}
