//! Health: scored each day, explained to the last fraction of a point, told when it changes.

use std::collections::BTreeMap;

use futures::StreamExt;
use mainstay_api::mainstay::common::v1::Money;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_domain::Clock;
use mainstay_testkit::pagination;
use tonic::Code;

use crate::harness::{Harness, account, activity, gauge, model_of, sum_of, usage};
use crate::refusals::{reason, violated_fields};

/// A model with two components of three measures, whose weights do not divide evenly.
fn uneven_model() -> proto::Model {
    let mut model = model_of(sum_of("emails", 7));
    model.components[0].weight = 3.0;
    let mut users = sum_of("emails", 30);
    users.id = "users".to_owned();
    users.weight = 0.7;
    users.input = Some(proto::Input { series: Some(proto::input::Series::AnyUser(true)) });
    users.aggregation = proto::Aggregation::Distinct.into();
    users.curve[1].x = 7.0;
    let mut seats = sum_of("seats", 30);
    seats.id = "seats".to_owned();
    seats.aggregation = proto::Aggregation::Last.into();
    model.components[0].measures.push(users);
    model.components.push(proto::Component {
        id: "seats".to_owned(),
        display_name: "Seats".to_owned(),
        weight: 1.1,
        measures: vec![seats],
        ..Default::default()
    });
    model
}

async fn explain(harness: &Harness, day: &str, compare_day: &str) -> proto::HealthExplanation {
    let request = proto::ExplainHealthRequest {
        account: "accounts/acme".to_owned(),
        day: day.to_owned(),
        compare_day: compare_day.to_owned(),
    };
    harness.health.clone().explain_health(request).await.expect("an explanation").into_inner()
}

#[tokio::test]
async fn r54_contributions_add_up_exactly_to_the_score_and_changes_to_the_change() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    harness.activate("uneven", uneven_model()).await;
    harness.record(vec![usage("acme", "2026-03-01", "emails", 37), activity("acme", "2026-03-01", "ada")]).await;
    harness.settle().await;
    harness.turn_to("2026-03-05").await;
    harness
        .record(vec![
            gauge("acme", "2026-03-05", "seats", 41.7),
            activity("acme", "2026-03-05", "bob"),
            usage("acme", "2026-03-04", "emails", 11),
        ])
        .await;
    harness.settle().await;

    for day in ["2026-03-01", "2026-03-04", "2026-03-05"] {
        let explanation = explain(&harness, day, "").await;
        let score = explanation.health.expect("health").score.expect("a score");
        let of_components: f64 = explanation.components.iter().map(|component| component.contribution).sum();
        let measures = explanation.components.iter().flat_map(|component| &component.measures);
        let of_measures: f64 = measures.map(|measure| measure.contribution).sum();
        assert_eq!((of_components, of_measures), (score, score), "on {day}");
        assert!(!explanation.sentences.is_empty(), "sentences on {day}");
    }
    let comparison = explain(&harness, "2026-03-05", "2026-03-01").await.comparison.expect("a comparison");
    let moved: f64 = comparison.measures.iter().map(|measure| measure.change).sum();
    let earlier = comparison.earlier.expect("earlier health").score.expect("a score");
    let later = harness.health_of("acme", "2026-03-05").await.score.expect("a score");
    assert_eq!(moved, comparison.change);
    assert_eq!(comparison.change, later - earlier);
    assert_ne!(comparison.change, 0.0);
}

#[tokio::test]
async fn missing_input_is_left_out_and_coverage_says_so() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    harness.activate("uneven", uneven_model()).await;
    harness.record(vec![usage("acme", "2026-03-01", "emails", 60)]).await;
    harness.settle().await;
    let health = harness.health_of("acme", "").await;
    assert_eq!(health.score, Some(60.0), "the one measure with data has all the weight");
    let share = 3.0 / 4.1 * (1.0 / 1.7);
    assert!((health.coverage - share).abs() < 1e-12, "coverage {}", health.coverage);
    let missing = &explain(&harness, "", "").await.components[1].measures[0];
    assert_eq!(missing.missing_reason(), proto::MissingReason::NoData);
}

#[tokio::test]
async fn a_silent_account_is_scored_again_because_time_passes() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    harness.activate("sum", model_of(sum_of("emails", 7))).await;
    harness.record(vec![usage("acme", "2026-03-01", "emails", 80)]).await;
    harness.settle().await;
    assert_eq!(harness.health_of("acme", "").await.band(), proto::Band::Stable);
    harness.pass_days(7).await;
    let silent = harness.health_of("acme", "").await;
    assert_eq!((silent.day.as_str(), silent.score, silent.band()), ("2026-03-08", Some(0.0), proto::Band::Critical));
    assert_eq!((silent.change_1d, silent.change_7d), (Some(-80.0), Some(-80.0)));
    assert_eq!(silent.last_signal_day, "2026-03-01");
}

#[tokio::test]
async fn days_missed_while_no_worker_ran_are_scored_afterwards() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    harness.activate("sum", model_of(sum_of("emails", 2))).await;
    harness.record(vec![usage("acme", "2026-03-01", "emails", 50)]).await;
    harness.settle().await;
    harness.turn_to("2026-03-04").await;
    let scores: BTreeMap<String, Option<f64>> = history(&harness, 0, String::new())
        .await
        .expect("a history")
        .0
        .into_iter()
        .map(|health| (health.day, health.score))
        .collect();
    let expected = [("2026-03-01", 50.0), ("2026-03-02", 50.0), ("2026-03-03", 0.0), ("2026-03-04", 0.0)];
    assert_eq!(scores, expected.map(|(day, score)| (day.to_owned(), Some(score))).into());
}

#[tokio::test]
async fn a_past_day_is_answered_with_that_days_inputs_and_model() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    harness.activate("first", model_of(sum_of("emails", 7))).await;
    harness.record(vec![usage("acme", "2026-03-01", "emails", 30)]).await;
    harness.settle().await;
    harness.turn_to("2026-03-02").await;
    let mut doubled = sum_of("emails", 7);
    doubled.curve[1].x = 50.0;
    harness.activate("second", model_of(doubled)).await;
    harness.record(vec![usage("acme", "2026-03-02", "emails", 5)]).await;
    harness.settle().await;

    let first = harness.health_of("acme", "2026-03-01").await;
    assert_eq!((first.score, first.model.as_str()), (Some(30.0), "models/first"));
    let second = harness.health_of("acme", "2026-03-02").await;
    assert_eq!((second.score, second.model.as_str()), (Some(70.0), "models/second"));
    harness.record(vec![usage("acme", "2026-03-01T10:00:00Z", "emails", 4)]).await;
    harness.settle().await;
    let late = harness.health_of("acme", "2026-03-01").await;
    assert_eq!((late.score, late.model.as_str()), (Some(34.0), "models/first"), "a late signal, the model of its day");
}

#[tokio::test]
async fn what_is_not_there_is_said_precisely() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    let mut ask = async |account: &str, day: &str| {
        let request = proto::GetHealthRequest { account: account.to_owned(), day: day.to_owned() };
        harness.health.get_health(request).await.expect_err("a refusal")
    };
    let unknown = ask("accounts/nobody", "").await;
    assert_eq!((unknown.code(), reason(&unknown).as_str()), (Code::NotFound, "ACCOUNT_NOT_FOUND"));
    let early = ask("accounts/acme", "2025-01-01").await;
    assert_eq!((early.code(), reason(&early).as_str()), (Code::NotFound, "HEALTH_NOT_SCORED"));
    let wrong = ask("acme", "yesterday").await;
    assert_eq!((wrong.code(), violated_fields(&wrong)), (Code::InvalidArgument, vec!["account".into(), "day".into()]));
}

/// Twelve accounts with scores 0, 9, 18 … 99.
async fn portfolio() -> (Harness, Vec<String>) {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    let ids: Vec<String> = (0..12).map(|number| format!("account-{number:02}")).collect();
    let accounts = (0..).zip(&ids).map(|(number, id): (i64, _)| {
        let mut one = account(id);
        one.set_segment([proto::Segment::Enterprise, proto::Segment::Smb][usize::from(number % 2 == 1)]);
        let currency_code = ["EUR", "USD"][usize::from(number >= 6)].to_owned();
        one.arr = (number % 5 > 0).then(|| Money { currency_code, minor_units: 100 * number });
        one.owners = vec![proto::Owner {
            role: proto::OwnerRole::Csm.into(),
            email: format!("csm-{}@example.com", number % 3),
            ..Default::default()
        }];
        one
    });
    let request = proto::BatchUpsertAccountsRequest { accounts: accounts.collect(), ..Default::default() };
    harness.accounts.batch_upsert_accounts(request).await.expect("accounts");
    harness.activate("sum", model_of(sum_of("emails", 7))).await;
    let signals = (1..).zip(&ids[1..]).map(|(number, id)| usage(id, "2026-03-01", "emails", 9 * number));
    harness.record(signals.collect()).await;
    harness.record(vec![usage("account-00", "2026-02-10", "emails", 1)]).await;
    harness.settle().await;
    (harness, ids)
}

async fn list(
    harness: &Harness,
    page_size: i32,
    page_token: String,
    filter: proto::HealthFilter,
    order: proto::HealthOrder,
) -> pagination::Page {
    let request = proto::ListHealthRequest { page_size, page_token, filter: Some(filter), order: order.into() };
    let page = harness.health.clone().list_health(request).await?.into_inner();
    let ids = page.health.into_iter().map(|health| health.account.replace("accounts/", "")).collect();
    Ok((ids, page.next_page_token))
}

#[tokio::test]
async fn lists_page_in_every_order() {
    let (harness, ids) = portfolio().await;
    let mut backward = ids.clone();
    backward.reverse();
    let mut by_arr: Vec<(i64, &String)> = (0..).zip(&ids).collect();
    by_arr.sort_by_key(|(number, _)| match number % 5 {
        0 => (true, 0, *number),
        _ => (false, number / 6, -number),
    });
    let by_arr: Vec<String> = by_arr.into_iter().map(|(_, id)| id.clone()).collect();
    let orders = [
        (proto::HealthOrder::Unspecified, &ids),
        (proto::HealthOrder::ScoreDesc, &backward),
        (proto::HealthOrder::Change30dAsc, &ids),
        (proto::HealthOrder::Change30dDesc, &ids),
        (proto::HealthOrder::ArrDesc, &by_arr),
    ];
    for (order, expected) in orders {
        pagination::assert_pages_cover(
            async |size, token| list(&harness, size, token, proto::HealthFilter::default(), order).await,
            async |size, token| {
                let filter = proto::HealthFilter { owner_email: "csm-0@example.com".to_owned(), ..Default::default() };
                list(&harness, size, token, filter, order).await
            },
            expected,
        )
        .await;
    }
}

#[tokio::test]
async fn r56_r57_the_portfolio_is_filtered_and_counted_by_band() {
    let (harness, ids) = portfolio().await;
    let found = async |filter: proto::HealthFilter| {
        list(&harness, 0, String::new(), filter, proto::HealthOrder::Unspecified).await.expect("a page").0
    };
    let at_risk = proto::HealthFilter { bands: vec![proto::Band::AtRisk.into()], ..Default::default() };
    assert_eq!(found(at_risk).await, ids[6..=7]);
    let of_csm = proto::HealthFilter {
        segments: vec![proto::Segment::Smb.into()],
        owner_email: "csm-1@example.com".to_owned(),
        ..Default::default()
    };
    assert_eq!(found(of_csm).await, [ids[1].clone(), ids[7].clone()]);

    let summary = harness.health.clone().summarize_health(proto::SummarizeHealthRequest::default()).await;
    let summary = summary.expect("a summary").into_inner();
    let counts: Vec<(proto::Band, i64)> = summary.bands.iter().map(|band| (band.band(), band.account_count)).collect();
    assert_eq!(
        counts,
        [
            (proto::Band::Unspecified, 0),
            (proto::Band::Critical, 6),
            (proto::Band::AtRisk, 2),
            (proto::Band::Stable, 2),
            (proto::Band::Healthy, 2),
        ]
    );
    assert_eq!(summary.histogram.iter().sum::<i64>(), 12);
    assert_eq!((summary.histogram[0], summary.histogram[19]), (1, 1));
    assert_eq!(summary.mean_score, Some(49.5));
    let stable = &summary.bands[3].arr;
    assert_eq!(
        stable.iter().map(|sum| (sum.currency_code.as_str(), sum.minor_units)).collect::<Vec<_>>(),
        [("USD", 1700)]
    );
}

async fn history(
    harness: &Harness,
    page_size: i32,
    page_token: String,
) -> Result<(Vec<proto::Health>, String), tonic::Status> {
    let request = proto::GetHealthHistoryRequest {
        account: "accounts/acme".to_owned(),
        page_size,
        page_token,
        ..Default::default()
    };
    let page = harness.health.clone().get_health_history(request).await?.into_inner();
    Ok((page.health, page.next_page_token))
}

#[tokio::test]
async fn accounts_without_a_score_are_counted_apart() {
    let (mut harness, _) = portfolio().await;
    harness.create_accounts(&["silent-1", "silent-2"]).await;
    harness.settle().await;
    let summary = harness.health.summarize_health(proto::SummarizeHealthRequest::default()).await;
    let summary = summary.expect("a summary").into_inner();
    assert_eq!((summary.account_count, summary.bands[0].account_count), (14, 2));
    assert_eq!(summary.histogram.iter().sum::<i64>(), 12, "{:?}", summary.histogram);
    assert_eq!(summary.mean_score, Some(49.5));
}

#[tokio::test]
async fn r55_history_tells_the_same_changes_as_each_day_did() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    harness.activate("sum", model_of(sum_of("emails", 40))).await;
    for number in 1..=35i64 {
        let time = (harness.clock.today()).to_string();
        harness.record(vec![usage("acme", &time, "emails", number % 4)]).await;
        harness.settle().await;
        harness.pass_days(1).await;
    }
    harness.record(vec![usage("acme", "2026-03-20", "emails", 3)]).await;
    harness.settle().await;
    let (days, _) = history(&harness, 0, String::new()).await.expect("a history");
    assert_eq!(days.len(), 36);
    for day in &days {
        let asked = harness.health_of("acme", &day.day).await;
        assert_eq!(
            (day.change_1d, day.change_7d, day.change_30d),
            (asked.change_1d, asked.change_7d, asked.change_30d),
            "on {}",
            day.day
        );
    }
    let newest = harness.health_of("acme", "").await;
    let told = (newest.change_1d, newest.change_7d, newest.change_30d);
    assert_eq!(told, (days[0].change_1d, days[0].change_7d, days[0].change_30d), "today's row");
    assert!(told.2.is_some());
}

#[tokio::test]
async fn r62_history_pages_newest_first() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    harness.record(vec![usage("acme", "2026-03-01", "emails", 50)]).await;
    harness.settle().await;
    harness.pass_days(9).await;
    let expected: Vec<String> = (1..=10).rev().map(|day| format!("2026-03-{day:02}")).collect();
    pagination::assert_pages_cover(
        async |size, token| {
            let (days, next) = history(&harness, size, token).await?;
            Ok((days.into_iter().map(|health| health.day).collect(), next))
        },
        async |page_size, page_token| {
            let request = proto::GetHealthHistoryRequest {
                account: "accounts/acme".to_owned(),
                start_day: "2026-03-02".to_owned(),
                page_size,
                page_token,
                ..Default::default()
            };
            let page = harness.health.clone().get_health_history(request).await?.into_inner();
            Ok((page.health.into_iter().map(|health| health.day).collect(), page.next_page_token))
        },
        &expected,
    )
    .await;
}

async fn watch(harness: &Harness, request: proto::WatchHealthRequest) -> (Vec<proto::HealthChange>, String) {
    let mut answers = harness.health.clone().watch_health(request).await.expect("a stream").into_inner();
    let (mut changes, mut cursor) = (Vec::new(), String::new());
    while let Some(answer) = answers.next().await {
        let answer = answer.expect("changes");
        changes.extend(answer.changes);
        cursor = answer.cursor;
    }
    (changes, cursor)
}

#[tokio::test]
async fn changes_are_watched_from_a_cursor_and_none_is_missed() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    harness.create_accounts(&["acme", "other"]).await;
    harness.activate("sum", model_of(sum_of("emails", 7))).await;
    harness.record(vec![usage("acme", "2026-03-01", "emails", 60), usage("other", "2026-03-01", "emails", 1)]).await;
    harness.settle().await;
    let request = proto::WatchHealthRequest {
        from_oldest: true,
        until_now: true,
        accounts: vec!["accounts/acme".to_owned()],
        ..Default::default()
    };
    let (first, cursor) = watch(&harness, request.clone()).await;
    let seen = |changes: &[proto::HealthChange]| -> Vec<(Option<f64>, Option<f64>, proto::Band)> {
        changes.iter().map(|change| (change.previous_score, change.score, change.band())).collect()
    };
    assert_eq!(seen(&first), [(None, Some(60.0), proto::Band::AtRisk)]);

    harness.record(vec![usage("acme", "2026-03-01T05:00:00Z", "emails", 30)]).await;
    harness.settle().await;
    harness.pass_days(7).await;
    let (later, cursor) = watch(&harness, proto::WatchHealthRequest { cursor, ..request.clone() }).await;
    assert_eq!(
        seen(&later),
        [(Some(60.0), Some(90.0), proto::Band::Healthy), (Some(90.0), Some(0.0), proto::Band::Critical)]
    );
    let (nothing, _) = watch(&harness, proto::WatchHealthRequest { cursor, ..request }).await;
    assert_eq!(seen(&nothing), []);
}

#[tokio::test]
async fn replicas_share_the_work_and_tell_each_change_once() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    let ids: Vec<String> = (0..700).map(|number| format!("account-{number}")).collect();
    harness.create_accounts(&ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
    harness.activate("sum", model_of(sum_of("emails", 7))).await;
    harness.record(ids.iter().map(|id| usage(id, "2026-03-01", "emails", 60)).collect()).await;
    let (_service, other) = harness.replica().await;
    let (_another_service, another) = harness.replica().await;
    let (first, second, third) = tokio::join!(harness.try_settle(), other.settle(), another.settle());
    for settled in [first, second, third] {
        settled.expect("due work");
    }
    harness.settle().await;
    let request = proto::WatchHealthRequest { from_oldest: true, until_now: true, ..Default::default() };
    let (changes, _) = watch(&harness, request).await;
    let mut told: BTreeMap<String, usize> = BTreeMap::new();
    for change in changes.iter().filter(|change| change.score == Some(60.0)) {
        *told.entry(change.account.clone()).or_default() += 1;
    }
    assert_eq!(told.len(), 700);
    assert!(told.values().all(|&times| times == 1), "an account told more than once");
}
