//! How likely customers are to leave, by what became of others.

use mainstay_api::google::longrunning::Operation;
use mainstay_api::google::longrunning::operation::Result as OperationResult;
use mainstay_api::mainstay::common::v1::Money;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::cohort_service_client::CohortServiceClient;
use mainstay_api::mainstay::scoring::v1::forecast_service_client::ForecastServiceClient;
use mainstay_api::mainstay::scoring::v1::lifecycle_signal::Change;
use prost::{Message, Name};
use proto::Segment;
use tonic::transport::Channel;
use tonic::{Code, Response, Status};

use crate::backtest_fixtures::{finish, operation};
use crate::harness::{Harness, account, model_of, sum_of};
use crate::refusals::{reason, violated_fields};
use crate::risk_fixtures::{churn, lifecycle};

/// 600 customers since 2025 with a value between 0 and 100 each, that moves by up to 10 from month to month. In each month a
/// customer leaves on the 16th with a probability whose log-odds are -0.5 - 0.05 × the value. Each writes so many emails on the last
/// day of each month until it leaves. Their health is kept for the first of each month until they leave, and for today, 2026-07-01,
/// of those who are still there.
const COMPANY: &str = "
    CREATE FUNCTION scoring.chance(text) RETURNS float8 LANGUAGE sql IMMUTABLE AS
        $$ SELECT (('x' || left(md5($1), 8))::bit(32)::bigint::float8 + 0.5) / 4294967296 $$;
    CREATE TEMPORARY TABLE customer_months AS
        SELECT number, month, date '2025-01-01' + make_interval(months => month) AS day,
               GREATEST(1, round(100 * scoring.chance('value ' || number)
                   + 20 * (scoring.chance('move ' || number || ' ' || month) - 0.5))) AS value
          FROM generate_series(1, 600) AS number, generate_series(0, 17) AS month;
    CREATE TEMPORARY TABLE leavers AS
        SELECT number, min(day) + interval '15 days' AS churned_at FROM customer_months
         WHERE scoring.chance('leave ' || number || ' ' || month) < 1 / (1 + exp(0.5 + 0.05 * value))
         GROUP BY number;
    INSERT INTO scoring.accounts (account_id, display_name, segment, industry, product_line, plan, lifecycle_stage,
        currency, arr_minor_units, activated_at, churned_at, plan_limits, owners, owner_emails, contacts, labels, version,
        created_at, updated_at)
    SELECT 'account-' || number, 'Customer', 1 + number % 3, '', '', '', CASE WHEN churned_at IS NULL THEN 3 ELSE 5 END,
           'EUR', 100 * number, timestamptz '2025-01-01Z', churned_at AT TIME ZONE 'UTC', '{}', '[]', '{}', '[]', '{}', 1,
           timestamptz '2025-01-01Z', timestamptz '2025-01-01Z'
      FROM generate_series(1, 600) AS number LEFT JOIN leavers USING (number);
    INSERT INTO scoring.health_history (account_id, day, score, coverage, last_signal_day, model_id, measure_values,
        measure_raw_values, measure_base_values, measure_missing, measure_freshness_days, scored_at)
    SELECT 'account-' || number, day, NULL, 1, day - interval '1 day', 'sum', ARRAY[value], ARRAY[value], ARRAY[NULL::float8],
           ARRAY[NULL::smallint], ARRAY[1], day
      FROM customer_months LEFT JOIN leavers USING (number) WHERE churned_at IS NULL OR churned_at > day;
    INSERT INTO scoring.health (account_id, day, score, coverage, last_signal_day, model_id, measure_values,
        measure_raw_values, measure_base_values, measure_missing, measure_freshness_days, scored_at)
    SELECT account_id, '2026-07-01', score, coverage, '2026-06-30', model_id, measure_values, measure_raw_values,
           measure_base_values, measure_missing, measure_freshness_days, scored_at
      FROM scoring.health_history JOIN scoring.accounts USING (account_id) WHERE day = '2026-06-01' AND churned_at IS NULL;
    CREATE TEMPORARY TABLE emails AS
        SELECT number, day::date - 1 AS day, value::bigint FROM customer_months LEFT JOIN leavers USING (number)
         WHERE churned_at IS NULL OR churned_at > customer_months.day
         UNION ALL
        SELECT number, '2026-06-30', value::bigint FROM customer_months LEFT JOIN leavers USING (number)
         WHERE churned_at IS NULL AND day = '2026-06-01';
    INSERT INTO scoring.count_months (account_id, kind, name, month, day_sums)
    SELECT 'account-' || number, 1, 'emails', date_trunc('month', day), array_fill(value, ARRAY[1], ARRAY[date_part('day', day)::integer])
      FROM emails;
    INSERT INTO scoring.series_days (kind, name, day) SELECT DISTINCT 1, 'emails', day FROM emails;
    INSERT INTO scoring.metrics (metric, kind, first_seen_at) VALUES ('emails', 1, timestamptz '2024-12-31Z');
    INSERT INTO scoring.scoring_facts (account_id, from_day, segment, plan_limits)
    SELECT account_id, '2025-01-01', segment, '{}' FROM scoring.accounts;
    DROP TABLE customer_months, leavers, emails";

/// A client of the service that forecasts.
pub(crate) fn client(harness: &Harness) -> ForecastServiceClient<Channel> {
    ForecastServiceClient::new(harness.channel.clone())
}

/// The company, on 2026-07-01.
pub(crate) async fn company() -> Harness {
    let mut harness = Harness::start("2025-01-01T00:00:00Z").await;
    harness.activate("sum", model_of(sum_of("emails", 7))).await;
    // There is nobody yet to be scored anew because of it.
    harness.settle().await;
    harness.clock.set(crate::harness::at("2026-07-01"));
    sqlx::raw_sql(COMPANY).execute(harness.database.pool()).await.expect("a company");
    harness
}

/// Begins to learn.
pub(crate) async fn begin(harness: &Harness, request: proto::TrainForecastRequest) -> Result<Operation, Status> {
    client(harness).train_forecast(request).await.map(Response::into_inner)
}

/// What the operation gave at its end.
pub(crate) async fn outcome(harness: &Harness, name: &str) -> Result<proto::ForecastModel, Status> {
    match operation(harness, name).await.result.expect("it has ended") {
        OperationResult::Response(response) => {
            assert_eq!(response.type_url, format!("type.googleapis.com/{}", proto::ForecastModel::full_name()));
            Ok(proto::ForecastModel::decode(response.value.as_slice()).expect("decodes"))
        }
        OperationResult::Error(status) => {
            let details = status.encode_to_vec();
            Err(Status::with_details(status.code.into(), status.message, details.into()))
        }
    }
}

/// Learns, to the end.
pub(crate) async fn train(
    harness: &Harness,
    request: proto::TrainForecastRequest,
) -> Result<proto::ForecastModel, Status> {
    let begun = begin(harness, request).await?;
    finish(harness).await;
    outcome(harness, &begun.name).await
}

pub(crate) async fn forecast(harness: &Harness, id: &str) -> Result<proto::ChurnForecast, Status> {
    let request = proto::GetChurnForecastRequest { account: format!("accounts/{id}"), ..Default::default() };
    client(harness).get_churn_forecast(request).await.map(Response::into_inner)
}

pub(crate) async fn portfolio(harness: &Harness, day_count: i32) -> proto::PortfolioForecast {
    let request = proto::ForecastPortfolioRequest { day_count, ..Default::default() };
    client(harness).forecast_portfolio(request).await.expect("a forecast").into_inner()
}

/// Accounts with one of these stages.
pub(crate) async fn ids(harness: &Harness, stage: i16) -> Vec<String> {
    let sql = "SELECT account_id FROM scoring.accounts WHERE lifecycle_stage = $1 ORDER BY account_id";
    sqlx::query_scalar(sql).bind(stage).fetch_all(harness.database.pool()).await.expect("ids")
}

#[tokio::test]
async fn r77_a_model_learns_from_the_company_and_says_how_good_it_was() {
    let harness = company().await;
    let model = train(&harness, proto::TrainForecastRequest::default()).await.expect("a model");
    assert_eq!((model.name.as_str(), model.health_model.as_str()), ("forecastModels/1", "models/sum"));
    assert_eq!(model.horizon_days, 90);
    let inputs: Vec<&str> = model.inputs.iter().map(|input| input.id.as_str()).collect();
    assert_eq!(inputs, ["emails_sum", "log_months_as_customer"]);
    assert_eq!(model.unused_inputs[..2], ["data_coverage", "log_days_since_signal"]);
    assert_eq!(model.unused_inputs.len(), 5, "nobody has a renewal date: {:?}", model.unused_inputs);
    // Of a month the log-odds fall by 0.05 for each point; over three months somewhat less.
    assert!((-0.055..-0.035).contains(&model.inputs[0].per_unit), "{:?}", model.inputs[0]);
    let training = model.training.as_ref().expect("rows");
    // From 2025-01-01 to 90 days before 2026-06-30, the last day that is over.
    assert_eq!((training.first_month.as_str(), training.last_month.as_str()), ("2025-01", "2026-04"));
    let sql = "SELECT count(*) FROM scoring.health_history WHERE day <= '2026-04-01'";
    let kept: i64 = sqlx::query_scalar(sql).fetch_one(harness.database.pool()).await.expect("a count");
    assert_eq!(training.row_count, kept);
    let sql = "SELECT count(*) FROM scoring.health_history JOIN scoring.accounts USING (account_id)
        WHERE day <= '2026-04-01' AND churned_at <= day + 90";
    let left: i64 = sqlx::query_scalar(sql).fetch_one(harness.database.pool()).await.expect("a count");
    assert_eq!(training.churned_row_count, left);
    let accuracy = model.accuracy.as_ref().expect("figures");
    let judged_on = accuracy.judged_on.as_ref().expect("rows");
    assert_eq!((judged_on.first_month.as_str(), judged_on.last_month.as_str()), ("2025-12", "2026-04"));
    assert_eq!(accuracy.learnt_from.as_ref().map(|rows| rows.last_month.as_str()), Some("2025-09"));
    assert!(accuracy.auc > 0.6 && accuracy.auc_low > 0.5 && accuracy.auc_high < 1.0, "{accuracy:?}");
    assert!(accuracy.brier < accuracy.brier_of_base_rate, "{accuracy:?}");
    assert_eq!(accuracy.reliability.iter().map(|part| part.row_count).sum::<i64>(), judged_on.row_count);

    let again = train(&harness, proto::TrainForecastRequest::default()).await.expect("a model");
    assert_eq!(again.name, "forecastModels/2");
    let same = proto::ForecastModel { name: model.name.clone(), create_time: model.create_time, ..again };
    assert_eq!(same, model, "the same data give the same model");
}

#[tokio::test]
async fn models_are_kept_listed_and_never_learnt_twice_for_one_request() {
    let harness = company().await;
    let request = proto::TrainForecastRequest { horizon_days: 60, request_id: "once".to_owned(), ..Default::default() };
    let first = train(&harness, request.clone()).await.expect("a model");
    assert_ne!(first.creator, "", "who called is kept");
    assert_eq!(train(&harness, request.clone()).await.expect("a model"), first);
    let other = proto::TrainForecastRequest { horizon_days: 30, ..request };
    assert_eq!(reason(&train(&harness, other).await.expect_err("a refusal")), "REQUEST_ID_REUSED");
    let look = proto::TrainForecastRequest { validate_only: true, ..Default::default() };
    assert_eq!(train(&harness, look).await.expect("a model").name, "forecastModels/0");
    let second = train(&harness, proto::TrainForecastRequest::default()).await.expect("a model");

    let get = async |name: &str| {
        let request = proto::GetForecastModelRequest { name: name.to_owned() };
        client(&harness).get_forecast_model(request).await.map(Response::into_inner)
    };
    assert_eq!(get("forecastModels/newest").await.expect("a model"), second);
    assert_eq!(get(&first.name).await.expect("a model"), first);
    let status = get("forecastModels/99").await.expect_err("a refusal");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::NotFound, "FORECAST_MODEL_NOT_FOUND"));
    for bad in ["", "forecastModels/", "forecastModels/0", "forecastModels/01", "models/1"] {
        assert_eq!(violated_fields(&get(bad).await.expect_err(bad)), ["name"], "{bad}");
    }
    let fetch = async |page_size: i32, page_token: String| {
        let request = proto::ListForecastModelsRequest { page_size, page_token };
        let page = client(&harness).list_forecast_models(request).await?.into_inner();
        let names: Vec<String> = page.forecast_models.into_iter().map(|model| model.name).collect();
        Ok::<_, Status>((names, page.next_page_token))
    };
    let (names, token) = fetch(1, String::new()).await.expect("a page");
    assert_eq!(names, [second.name]);
    let (names, token) = fetch(1, token).await.expect("a page");
    assert_eq!((names, token), (vec![first.name], String::new()));
}

#[tokio::test]
async fn r79_an_account_has_a_probability_and_what_moves_it() {
    let harness = company().await;
    let model = train(&harness, proto::TrainForecastRequest::default()).await.expect("a model");
    let sql = "SELECT account_id FROM scoring.health ORDER BY measure_values[1]";
    let by_value: Vec<String> = sqlx::query_scalar(sql).fetch_all(harness.database.pool()).await.expect("ids");
    let worst = forecast(&harness, &by_value[0]).await.expect("a forecast");
    let best = forecast(&harness, by_value.last().expect("some")).await.expect("a forecast");
    assert!(worst.probability > 3.0 * best.probability, "{worst:?} {best:?}");
    assert_eq!((worst.day.as_str(), worst.horizon_days), ("2026-07-01", 90));
    assert_eq!(worst.forecast_model, model.name);
    assert_eq!(worst.reasons[0].input, "emails_sum");
    assert!(worst.reasons[0].log_odds > 0.0 && best.reasons[0].log_odds < 0.0);
    let of_mean: f64 = model.intercept + model.inputs.iter().map(|input| input.per_unit * input.mean).sum::<f64>();
    let log_odds = of_mean + worst.reasons.iter().map(|reason| reason.log_odds).sum::<f64>();
    assert!((worst.probability - 1.0 / (1.0 + (-log_odds).exp())).abs() < 1e-12);
}

#[tokio::test]
async fn r87_r197_the_portfolio_is_the_sum_of_its_customers_by_segment_and_span() {
    let harness = company().await;
    train(&harness, proto::TrainForecastRequest::default()).await.expect("a model");
    let quarter = portfolio(&harness, 0).await;
    let total = quarter.total.as_ref().expect("a total");
    let (mut expected, mut loss) = (0.0, 0.0);
    let customers = ids(&harness, 3).await;
    for id in &customers {
        let probability = forecast(&harness, id).await.expect("a forecast").probability;
        let number: f64 = id.trim_start_matches("account-").parse().expect("a number");
        expected += probability;
        loss += probability * number * 100.0;
    }
    assert_eq!((quarter.day_count, total.account_count), (90, i64::try_from(customers.len()).expect("few")));
    assert!((total.expected_churned_count - expected).abs() < 1e-9);
    let revenue = &total.revenues[0];
    let minor = |money: &Option<mainstay_api::mainstay::common::v1::Money>| money.as_ref().expect("money").minor_units;
    assert!((minor(&revenue.expected_loss) as f64 - loss).abs() <= 0.5 + 1e-6, "{revenue:?} {loss}");
    assert!(
        minor(&revenue.low) < minor(&revenue.expected_loss) && minor(&revenue.expected_loss) < minor(&revenue.high)
    );
    assert!((total.churned_count_low as f64) < expected && expected < total.churned_count_high as f64);
    let segments: Vec<Segment> = quarter.segments.iter().map(proto::ForecastGroup::segment).collect();
    assert_eq!(segments, [Segment::Enterprise, Segment::MidMarket, Segment::Smb]);
    assert_eq!(quarter.segments.iter().map(|group| group.account_count).sum::<i64>(), total.account_count);
    let month = portfolio(&harness, 30).await.total.expect("a total").expected_churned_count;
    assert!(month > expected / 3.0 && month < expected / 2.0, "{month} of {expected}");
    let sql = "UPDATE scoring.accounts SET mrr_minor_units = arr_minor_units, arr_minor_units = NULL";
    sqlx::raw_sql(sql).execute(harness.database.pool()).await.expect("monthly revenue");
    let monthly = portfolio(&harness, 0).await.total.expect("a total");
    assert_eq!(minor(&monthly.revenues[0].arr), 12 * minor(&revenue.arr), "twelve times MRR where there is no ARR");
}

#[tokio::test]
async fn r86_finance_sees_the_revenue_at_risk_of_each_currency_as_the_sum_of_its_customers() {
    let harness = company().await;
    train(&harness, proto::TrainForecastRequest::default()).await.expect("a model");
    // Of each five customers one pays nothing that is known, and one pays in dollars.
    let sql = "UPDATE scoring.accounts
           SET arr_minor_units = CASE WHEN number % 5 > 0 THEN arr_minor_units END,
               currency = CASE number % 5 WHEN 0 THEN NULL WHEN 1 THEN 'USD' ELSE 'EUR' END
          FROM (SELECT account_id AS id, split_part(account_id, '-', 2)::integer AS number FROM scoring.accounts) AS numbers
         WHERE id = account_id";
    sqlx::raw_sql(sql).execute(harness.database.pool()).await.expect("currencies");
    let (mut euros, mut dollars) = ([0.0; 3], [0.0; 3]);
    for id in ids(&harness, 3).await {
        let probability = forecast(&harness, &id).await.expect("a forecast").probability;
        let number: i32 = id.trim_start_matches("account-").parse().expect("a number");
        let arr = 100.0 * f64::from(number);
        let sums = match number % 5 {
            0 => continue,
            1 => &mut dollars,
            _ => &mut euros,
        };
        sums[0] += arr;
        sums[1] += probability * arr;
        sums[2] += probability * (1.0 - probability) * arr * arr;
    }
    let total = portfolio(&harness, 0).await.total.expect("a total");
    assert_eq!(total.revenues.len(), 2, "{:?}", total.revenues);
    for (revenue, code, [arr, loss, variance]) in
        [(&total.revenues[0], "EUR", euros), (&total.revenues[1], "USD", dollars)]
    {
        let amount = |money: &Option<Money>| {
            let money = money.as_ref().expect("money");
            assert_eq!(money.currency_code, code);
            money.minor_units as f64
        };
        assert_eq!(amount(&revenue.arr), arr);
        let half = 1.959_964 * variance.sqrt();
        for (found, expected) in [
            (&revenue.expected_loss, loss),
            (&revenue.low, (loss - half).max(0.0)),
            (&revenue.high, (loss + half).min(arr)),
        ] {
            assert!((amount(found) - expected).abs() < 1.0, "{expected} in {revenue:?}");
        }
    }
}

#[tokio::test]
async fn a_training_sent_again_answers_as_before_though_nothing_could_be_learnt_any_more() {
    let harness = company().await;
    let request = proto::TrainForecastRequest { request_id: "once".to_owned(), ..Default::default() };
    let first = train(&harness, request.clone()).await.expect("a model");
    sqlx::raw_sql("DELETE FROM scoring.count_months").execute(harness.database.pool()).await.expect("no signals");
    assert_eq!(train(&harness, request.clone()).await.expect("a model"), first);
    let other = proto::TrainForecastRequest { horizon_days: 30, ..request };
    assert_eq!(reason(&train(&harness, other).await.expect_err("a refusal")), "REQUEST_ID_REUSED");
}

#[tokio::test]
async fn a_month_whose_horizon_ends_today_is_not_learnt_from() {
    let harness = company().await;
    for (horizon_days, last_month) in [(90, "2026-04"), (91, "2026-03")] {
        let request = proto::TrainForecastRequest { horizon_days, validate_only: true, ..Default::default() };
        let training = train(&harness, request).await.expect("a model").training.expect("rows");
        assert_eq!(training.last_month, last_month, "{horizon_days} days before 2026-06-30");
    }
}

#[tokio::test]
async fn who_left_and_came_back_is_learnt_from_as_backtests_judge_it() {
    let mut harness = company().await;
    let look = proto::TrainForecastRequest { validate_only: true, ..Default::default() };
    let before = train(&harness, look.clone()).await.expect("a model").training.expect("rows");
    let customer = ids(&harness, 3).await.remove(0);
    let back = lifecycle(&customer, "2025-07-10", Change::Activation(proto::Activation {}));
    harness.record(vec![churn(&customer, "2025-06-10"), back]).await;
    assert!(ids(&harness, 3).await.contains(&customer), "it is a customer again");
    let after = train(&harness, look).await.expect("a model").training.expect("rows");
    // It leaves within 90 days of the first days of April, May and June, and is gone on that of July.
    assert_eq!(after.churned_row_count, before.churned_row_count + 3);
    assert_eq!(after.row_count, before.row_count - 1);
}

#[tokio::test]
async fn who_is_no_customer_or_has_no_health_has_no_forecast() {
    let mut harness = company().await;
    train(&harness, proto::TrainForecastRequest::default()).await.expect("a model");
    harness.create_accounts(&["unscored"]).await;
    let trial = proto::Account { lifecycle_stage: proto::LifecycleStage::Trial.into(), ..account("trial") };
    let request = proto::BatchUpsertAccountsRequest { accounts: vec![trial], ..Default::default() };
    harness.accounts.batch_upsert_accounts(request).await.expect("accounts");
    let churned = ids(&harness, 5).await.remove(0);
    for id in ["unscored", "trial", &churned] {
        let status = forecast(&harness, id).await.expect_err("a refusal");
        assert_eq!(
            (status.code(), reason(&status).as_str()),
            (Code::FailedPrecondition, "FORECAST_UNAVAILABLE"),
            "{id}"
        );
    }
    assert_eq!(reason(&forecast(&harness, "nobody").await.expect_err("a refusal")), "ACCOUNT_NOT_FOUND");
    assert_eq!(portfolio(&harness, 0).await.unforecast_account_count, 1);
    harness.activate("other", model_of(sum_of("emails", 30))).await;
    harness.settle().await;
    harness.turn_to("2026-07-02").await;
    let all = portfolio(&harness, 0).await;
    assert_eq!(all.total.map(|total| total.account_count), Some(0), "scored by another model: to be trained anew");
    train(&harness, proto::TrainForecastRequest::default()).await.expect("a model by what was told before it scored");
    let all = portfolio(&harness, 0).await;
    let customers = i64::try_from(ids(&harness, 3).await.len()).expect("few");
    assert_eq!(all.total.map(|total| total.account_count), Some(customers + 1), "with the one that is scored now");
}

#[tokio::test]
async fn r77_with_too_little_data_nothing_is_forecast_and_the_refusal_says_why() {
    let harness = Harness::start("2026-07-01T00:00:00Z").await;
    let status = train(&harness, proto::TrainForecastRequest::default()).await.expect_err("a refusal");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "TOO_LITTLE_DATA"));
    assert!(status.message().contains("months have both signals"), "{}", status.message());
    let request = proto::ForecastPortfolioRequest::default();
    let status = client(&harness).forecast_portfolio(request).await.expect_err("a refusal");
    assert_eq!(reason(&status), "FORECAST_MODEL_NOT_FOUND");
    let status = train(&harness, proto::TrainForecastRequest { horizon_days: 27, ..Default::default() }).await;
    assert_eq!(violated_fields(&status.expect_err("a refusal")), ["horizon_days"]);
    let request = proto::ForecastPortfolioRequest { day_count: 366, forecast_model: "x".to_owned() };
    let status = client(&harness).forecast_portfolio(request).await.expect_err("a refusal");
    assert_eq!(violated_fields(&status), ["day_count", "forecast_model"]);
}

#[tokio::test]
async fn r215_keeping_customers_is_compared_with_projects_that_win_new_ones() {
    let harness = company().await;
    train(&harness, proto::TrainForecastRequest::default()).await.expect("a model");
    let euro = |minor_units| Some(Money { currency_code: "EUR".to_owned(), minor_units });
    let project = proto::GrowthProject {
        display_name: "Partner channel".to_owned(),
        cost: euro(50_000),
        annual_revenue: euro(200_000),
        probability: Some(0.5),
    };
    let request = proto::CompareInvestmentsRequest {
        retention_cost: euro(100_000),
        prevented_share: Some(0.25),
        growth_projects: vec![project],
        gross_margin: Some(0.5),
        month_count: 12,
        ..Default::default()
    };
    let compared = client(&harness).compare_investments(request).await.expect("compared").into_inner();
    let retention = compared.retention.expect("retention");
    let year = portfolio(&harness, 365).await;
    let lost = year.total.expect("a total").revenues.remove(0);
    assert_eq!((&retention.arr, &retention.expected_loss), (&lost.arr, &lost.expected_loss));
    assert_eq!((&retention.expected_loss_low, &retention.expected_loss_high), (&lost.low, &lost.high));

    // All began on 2025-01-01: who is still there is 17 months old, and nobody was seen for 12 months more. As the oldest whose
    // next 12 months were seen is 6 months old, all count so.
    let request = proto::GetRetentionRequest { month_count: 18, ..Default::default() };
    let curve = CohortServiceClient::new(harness.channel.clone())
        .get_retention(request)
        .await
        .expect("a curve")
        .into_inner()
        .cohorts
        .remove(0)
        .months;
    let at = |months: usize| curve[months].survival;
    // Everybody leaves in the middle of a month, on the 16th: 15 days of 31 after its beginning.
    let area = |from: usize| {
        let months = from..from + 12;
        months.map(|month| at(month) * 15.0 / 31.0 + at(month + 1) * 16.0 / 31.0).sum::<f64>() / at(from)
    };
    assert!((compared.month_limit - 12.0).abs() < 1e-9);
    assert!((compared.new_customer_months - area(0)).abs() < 1e-9, "{} {}", compared.new_customer_months, area(0));
    // Who leaves within the year is there for up to half of it anyway.
    let longer = area(6) - 6.0..area(6);
    assert!(longer.contains(&retention.kept_customer_months), "{} {longer:?}", retention.kept_customer_months);

    let minor = |money: &Option<Money>| money.as_ref().expect("money").minor_units as f64;
    let stake = minor(&retention.expected_loss) * 0.5 * retention.kept_customer_months / 12.0;
    assert!((minor(&retention.value_at_stake) - stake).abs() < 1.0, "{stake}");
    let break_even = retention.break_even.expect("something is at stake");
    assert!((break_even.share - 100_000.0 / stake).abs() < 1e-3 && break_even.low < break_even.share);
    let kept = retention.expected_return.expect("a share was given");
    assert!((minor(&kept.value) - 0.25 * stake).abs() < 1.0 && minor(&kept.net_value) < minor(&kept.value));
    let won = &compared.growth_projects[0];
    let brought = 200_000.0 * 0.5 * 0.5 * area(0) / 12.0;
    assert!((minor(&won.expected_return.as_ref().expect("a return").value) - brought).abs() < 1.0);
    let equal = won.equal_return.expect("something is at stake");
    assert!((equal.share - break_even.share * brought / 50_000.0).abs() < 1e-3, "{equal:?} {break_even:?}");
}

#[tokio::test]
async fn r215_a_comparison_names_every_field_that_cannot_be_and_leaves_other_currencies_out() {
    let harness = company().await;
    let money = |code: &str, minor_units| Some(Money { currency_code: code.to_owned(), minor_units });
    let project = |display_name: &str, cost, annual_revenue, probability| proto::GrowthProject {
        display_name: display_name.to_owned(),
        cost,
        annual_revenue,
        probability: Some(probability),
    };
    let request = proto::CompareInvestmentsRequest {
        retention_cost: money("EUR", 0),
        prevented_share: Some(0.0),
        gross_margin: Some(f64::NAN),
        month_count: 121,
        growth_projects: vec![
            project("", money("USD", 1), None, 1.0),
            project("same", money("EUR", 1), money("EUR", -1), 1.5),
            project("same", money("EURO", 1), money("EUR", i64::MAX), 1.0),
        ],
        segments: vec![99],
        forecast_model: "newest".to_owned(),
    };
    let refused = client(&harness).compare_investments(request).await.expect_err("a refusal");
    let mut fields = violated_fields(&refused);
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "forecast_model",
            "gross_margin",
            "growth_projects[0].annual_revenue",
            "growth_projects[0].cost.currency_code",
            "growth_projects[0].display_name",
            "growth_projects[1].annual_revenue.minor_units",
            "growth_projects[1].probability",
            "growth_projects[2].annual_revenue.minor_units",
            "growth_projects[2].cost.currency_code",
            "growth_projects[2].display_name",
            "month_count",
            "prevented_share",
            "retention_cost.minor_units",
            "segments[0]",
        ]
    );
    let dollars = proto::CompareInvestmentsRequest { retention_cost: money("USD", 1), ..Default::default() };
    let refused = client(&harness).compare_investments(dollars.clone()).await.expect_err("a refusal");
    assert_eq!(reason(&refused), "FORECAST_MODEL_NOT_FOUND");
    train(&harness, proto::TrainForecastRequest::default()).await.expect("a model");
    let compared = client(&harness).compare_investments(dollars).await.expect("compared").into_inner();
    let customers = i64::try_from(ids(&harness, 3).await.len()).expect("few");
    assert_eq!((compared.other_currency_account_count, compared.unforecast_account_count), (customers, 0));
    assert_eq!(compared.retention.expect("retention").break_even, None);
}
