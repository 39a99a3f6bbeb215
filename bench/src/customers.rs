//! The made-up customers in a service: accounts by RPC, their days straight into its table, a model for them.

use chrono::{DateTime, NaiveTime, Utc};
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::account_service_client::AccountServiceClient;
use mainstay_api::mainstay::scoring::v1::model_service_client::ModelServiceClient;
use mainstay_scoring::ScoringService;

use crate::database::Database;
use crate::portfolio::{ACCOUNT_ID_SQL, DAY_COUNT, METRIC_COUNT, VALUE_SQL, account_id, day, metric_name};
use crate::report::progress;
use crate::service::{self, MESSAGE_BYTES_MAX};

/// Accounts of one call: as many as one may send.
const UPSERT_ACCOUNTS: usize = 10_000;

/// Noon of the last day of the customers' series.
pub(crate) fn noon_of_last_day() -> DateTime<Utc> {
    let noon = NaiveTime::from_hms_opt(12, 0, 0).unwrap_or_default();
    day(DAY_COUNT - 1).and_time(noon).and_utc()
}

/// Accounts with the days of their metrics and a model that compares each metric's 28 days with the 28 before, all scored.
pub(crate) async fn move_in(service: &ScoringService, database: &Database, accounts: u32) -> anyhow::Result<()> {
    move_in_compared(service, database, accounts, proto::Comparison::EarlierWindow).await
}

/// The same, with a model that compares in another way.
pub(crate) async fn move_in_compared(
    service: &ScoringService,
    database: &Database,
    accounts: u32,
    comparison: proto::Comparison,
) -> anyhow::Result<()> {
    create_accounts(service, accounts).await?;
    progress("their days");
    database.run(series_sql(accounts)).await?;
    database.run("VACUUM ANALYZE").await?;
    activate_model(service, comparison).await?;
    progress("their first scores");
    service::settle(service).await?;
    database.run("VACUUM ANALYZE").await
}

/// Accounts 1 to `accounts`, with nothing else.
pub(crate) async fn create_accounts(service: &ScoringService, accounts: u32) -> anyhow::Result<()> {
    progress(&format!("{accounts} accounts"));
    let mut client =
        AccountServiceClient::new(service.in_memory_channel()).max_encoding_message_size(MESSAGE_BYTES_MAX);
    let all: Vec<u32> = (1..=accounts).collect();
    for batch in all.chunks(UPSERT_ACCOUNTS) {
        let accounts = batch.iter().map(|&account| account_message(account)).collect();
        client.batch_upsert_accounts(proto::BatchUpsertAccountsRequest { accounts, ..Default::default() }).await?;
    }
    Ok(())
}

fn account_message(account: u32) -> proto::Account {
    proto::Account {
        name: format!("accounts/{}", account_id(account)),
        display_name: format!("Customer {account}"),
        segment: proto::Segment::MidMarket.into(),
        ..Default::default()
    }
}

/// What recording the signals would have made of them.
fn series_sql(accounts: u32) -> String {
    format!(
        "INSERT INTO scoring.count_months (account_id, kind, name, month, day_sums)
         SELECT {ACCOUNT_ID_SQL}, 1, 'metric_' || metric, month::date,
                ARRAY (SELECT {VALUE_SQL}
                         FROM generate_series(month::date - DATE '2026-01-01',
                                              (month + interval '1 month')::date - DATE '2026-01-01' - 1) AS day)
           FROM generate_series(timestamp '2026-01-01', '2026-03-01', interval '1 month') AS month,
                generate_series(1, {accounts}) AS account, generate_series(1, {METRIC_COUNT}) AS metric;
         INSERT INTO scoring.series_days (kind, name, day)
         SELECT 1, 'metric_' || metric, DATE '2026-01-01' + day
           FROM generate_series(0, {DAY_COUNT} - 1) AS day, generate_series(1, {METRIC_COUNT}) AS metric;
         INSERT INTO scoring.metrics (metric, kind, first_seen_at)
         SELECT 'metric_' || metric, 1, '2026-01-01' FROM generate_series(1, {METRIC_COUNT}) AS metric"
    )
}

async fn activate_model(service: &ScoringService, comparison: proto::Comparison) -> anyhow::Result<()> {
    let mut client = ModelServiceClient::new(service.in_memory_channel());
    let model = proto::Model {
        display_name: "Measured".to_owned(),
        components: (1..=METRIC_COUNT).map(|metric| component(metric, comparison)).collect(),
        ..Default::default()
    };
    let request =
        proto::CreateModelRequest { model_id: "measured".to_owned(), model: Some(model), ..Default::default() };
    client.create_model(request).await?;
    client
        .activate_model(proto::ActivateModelRequest { name: "models/measured".to_owned(), ..Default::default() })
        .await?;
    Ok(())
}

fn component(metric: u32, comparison: proto::Comparison) -> proto::Component {
    let name = metric_name(metric);
    let measure = proto::Measure {
        id: format!("{name}_trend"),
        display_name: format!("{name}, compared"),
        weight: 1.0,
        input: Some(proto::Input { series: Some(proto::input::Series::Metric(name.clone())) }),
        window_days: 28,
        aggregation: proto::Aggregation::Sum.into(),
        comparison: comparison.into(),
        curve: vec![proto::CurvePoint { x: 0.0, points: 0.0 }, proto::CurvePoint { x: 2.0, points: 100.0 }],
        ..Default::default()
    };
    proto::Component {
        id: name.clone(),
        display_name: name,
        weight: 1.0,
        measures: vec![measure],
        ..Default::default()
    }
}
