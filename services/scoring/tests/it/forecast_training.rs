//! What forecasts learn from: all that was told of customers, whatever scored them then.

use mainstay_api::mainstay::scoring::v1 as proto;

use crate::forecasts::{company, forecast, ids, portfolio, train};
use crate::harness::{Harness, model_of, sum_of};
use crate::refusals::reason;

async fn learn(harness: &Harness) -> proto::ForecastModel {
    train(harness, proto::TrainForecastRequest::default()).await.expect("a model")
}

async fn run(harness: &Harness, sql: &'static str) {
    sqlx::raw_sql(sql).execute(harness.database.pool()).await.expect("done");
}

/// What was learnt, whatever it is called.
fn learnt(model: &proto::ForecastModel) -> proto::ForecastModel {
    proto::ForecastModel { name: String::new(), health_model: String::new(), create_time: None, ..model.clone() }
}

/// Emails against what half of the segment have more of.
pub(crate) fn emails_in_segment() -> proto::Model {
    let curve = vec![proto::CurvePoint { x: 0.0, points: 0.0 }, proto::CurvePoint { x: 2.0, points: 100.0 }];
    model_of(proto::Measure { comparison: proto::Comparison::SegmentMedian.into(), curve, ..sum_of("emails", 7) })
}

#[tokio::test]
async fn r77_replayed_customers_teach_what_the_health_that_was_kept_of_them_taught() {
    let harness = company().await;
    let model = learn(&harness).await;
    let inputs: Vec<&str> = model.inputs.iter().map(|input| input.id.as_str()).collect();
    assert_eq!(inputs, ["emails_sum", "log_months_as_customer"]);
    let [emails, months] = [&model.inputs[0], &model.inputs[1]];
    let accuracy = model.accuracy.as_ref().expect("figures");
    // Beside each figure what was learnt from the rows of the history, when these were what one learnt from.
    let figures = [
        (model.intercept, 0.875_706_096_658_397_8),
        (emails.per_unit, -0.053_591_654_532_995_21),
        (emails.mean, 62.081_107_177_341_49),
        (months.per_unit, -0.047_066_682_360_602_79),
        (months.mean, 1.725_659_834_664_241_3),
        (accuracy.auc, 0.771_612_888_647_866_9),
        (accuracy.auc_low, 0.721_634_072_216_196_7),
    ];
    for (found, expected) in figures {
        assert!((found - expected).abs() < 1e-12, "{found} for {expected}");
    }

    run(&harness, "DELETE FROM scoring.health_history").await;
    assert_eq!(learnt(&learn(&harness).await), learnt(&model), "what was kept of health is not asked");
}

#[tokio::test]
async fn r77_r87_after_another_general_model_is_activated_a_forecast_is_learnt_at_once() {
    let mut harness = company().await;
    let before = learn(&harness).await;
    let customer = ids(&harness, 3).await.remove(0);
    let probability = forecast(&harness, &customer).await.expect("a forecast").probability;
    harness.activate("twin", model_of(sum_of("emails", 7))).await;
    harness.settle().await;
    let refused = forecast(&harness, &customer).await.expect_err("a refusal");
    assert_eq!(reason(&refused), "FORECAST_UNAVAILABLE");
    assert!(refused.message().contains("TrainForecast"), "{}", refused.message());

    let after = learn(&harness).await;
    assert_eq!((after.name.as_str(), after.health_model.as_str()), ("forecastModels/2", "models/twin"));
    assert_eq!(learnt(&after), learnt(&before), "the same measures of the same customers");
    let found = forecast(&harness, &customer).await.expect("a forecast");
    assert_eq!((found.probability.to_bits(), found.forecast_model), (probability.to_bits(), after.name));

    harness.activate("longer", model_of(sum_of("emails", 45))).await;
    harness.settle().await;
    let longer = learn(&harness).await;
    assert_eq!(longer.health_model, "models/longer");
    assert_eq!(longer.training, before.training, "the same customers on the same days");
    assert!(longer.inputs[0].mean > before.inputs[0].mean + 10.0, "as this model sees them: {:?}", longer.inputs[0]);
    let customers = i64::try_from(ids(&harness, 3).await.len()).expect("few");
    assert_eq!(portfolio(&harness, 0).await.total.map(|total| total.account_count), Some(customers));
}

#[tokio::test]
async fn r77_r87_customers_of_a_segment_with_a_model_of_its_own_teach_and_have_forecasts() {
    let mut harness = company().await;
    let before = learn(&harness).await;
    let everybody = portfolio(&harness, 0).await;
    let request = proto::CreateModelRequest {
        model_id: "smb".to_owned(),
        model: Some(model_of(sum_of("emails", 45))),
        ..Default::default()
    };
    harness.models.create_model(request).await.expect("a model");
    let request = proto::ActivateModelRequest {
        name: "models/smb".to_owned(),
        segment: proto::Segment::Smb.into(),
        ..Default::default()
    };
    harness.models.activate_model(request).await.expect("activated");
    run(
        &harness,
        "UPDATE scoring.health_history SET model_id = 'smb'
          WHERE account_id IN (SELECT account_id FROM scoring.accounts WHERE segment = 3)",
    )
    .await;
    assert_eq!(learnt(&learn(&harness).await), learnt(&before));

    harness.settle().await;
    let sql = "SELECT accounts.account_id FROM scoring.accounts JOIN scoring.health USING (account_id)
        WHERE model_id = 'smb' AND lifecycle_stage = 3 ORDER BY account_id";
    let own: Vec<String> = sqlx::query_scalar(sql).fetch_all(harness.database.pool()).await.expect("ids");
    assert!(own.len() > 50, "{}", own.len());
    let found = forecast(&harness, &own[0]).await.expect("a forecast");
    let value = |forecast: &proto::ChurnForecast| {
        forecast.reasons.iter().find(|reason| reason.input == "emails_sum").and_then(|reason| reason.value)
    };
    let sql = "SELECT LEAST(day_sums[30], 100)::float8 FROM scoring.count_months WHERE account_id = $1 AND month = '2026-06-01'";
    let emails: f64 = sqlx::query_scalar(sql).bind(&own[0]).fetch_one(harness.database.pool()).await.expect("emails");
    assert_eq!(value(&found), Some(emails), "what the general model reads, of 7 days and not of 45");
    let [with_own, without] = [portfolio(&harness, 0).await, everybody].map(|one| one.total.expect("a total"));
    assert_eq!(with_own.account_count, without.account_count);
    assert!((with_own.expected_churned_count - without.expected_churned_count).abs() < 1e-9);

    harness.activate("twin", model_of(sum_of("emails", 7))).await;
    harness.settle().await;
    let refused = forecast(&harness, &own[0]).await.expect_err("a refusal");
    assert!(refused.message().contains("models/twin is the general model now: TrainForecast"), "{}", refused.message());
    learn(&harness).await;
    assert_eq!(forecast(&harness, &own[0]).await.map(|forecast| forecast.probability).ok(), Some(found.probability));
}

#[tokio::test]
async fn r77_days_before_the_first_signal_of_a_customer_are_not_learnt_from() {
    let harness = company().await;
    let rows = |model: proto::ForecastModel| model.training.expect("rows").row_count;
    let before = rows(learn(&harness).await);
    run(
        &harness,
        "DELETE FROM scoring.count_months WHERE month < '2025-06-01'
            AND account_id = (SELECT min(account_id) FROM scoring.accounts WHERE lifecycle_stage = 3)",
    )
    .await;
    assert_eq!(rows(learn(&harness).await), before - 6, "January to June, whose signals were of the days before");
}

#[tokio::test]
async fn r77_measures_that_compare_accounts_use_what_is_kept_of_groups_or_else_what_customers_had() {
    let mut harness = company().await;
    harness.activate("segments", emails_in_segment()).await;
    let measure = |model: &proto::ForecastModel| {
        model.inputs.iter().find(|input| input.id == "emails_sum").map(|input| (input.missing_share, input.mean))
    };
    let (missing_share, mean) = measure(&learn(&harness).await).expect("it tells something");
    assert!(missing_share == 0.0 && (40.0..60.0).contains(&mean), "half lie below 50 points: {missing_share} {mean}");

    let of_all = "INSERT INTO scoring.group_distributions (model_id, day, group_kind, group_name, measure_id, quantiles, account_count)
        SELECT 'segments', day, kind, name, measure, quantiles, account_count
          FROM generate_series(timestamptz '2025-01-01Z', '2026-04-01Z', '1 month') AS day,
               (VALUES (0, '', '', ARRAY[]::float8[], 0), (1, '1', 'emails_sum', ARRAY[1.0], 100),
                       (1, '2', 'emails_sum', ARRAY[1.0], 100), (1, '3', 'emails_sum', ARRAY[1.0], 100))
                    AS groups (kind, name, measure, quantiles, account_count)";
    run(&harness, of_all).await;
    let (missing_share, mean) = measure(&learn(&harness).await).expect("it tells something");
    assert!(missing_share == 0.0 && mean > 95.0, "against one email everybody writes many: {missing_share} {mean}");
}
