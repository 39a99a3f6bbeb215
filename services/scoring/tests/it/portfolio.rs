//! The portfolio: accounts listed by their health, filtered, ordered and counted.

use mainstay_api::mainstay::common::v1::Money;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_testkit::pagination;

use crate::account_fixtures::time;
use crate::harness::{Harness, account, model_of, sum_of, usage};
use crate::refusals::violated_fields;

/// Scores of the twelve accounts 30 days before today, on which they have 0, 9, 18 … 99: some
/// fell by 15 points exactly, two rose by as many, and three had no score then.
const SCORES_A_MONTH_AGO: [Option<i64>; 12] =
    [Some(20), Some(24), None, Some(27), Some(50), Some(60), Some(40), None, Some(57), Some(100), Some(75), None];

fn id(number: usize) -> String {
    format!("account-{number:02}")
}

fn ids(numbers: &[usize]) -> Vec<String> {
    numbers.iter().map(|&number| id(number)).collect()
}

/// Enterprise and SMB in turn, revenue in euros and then in dollars or none, three managers.
fn portfolio_account(number: usize) -> proto::Account {
    let mut one = account(&id(number));
    one.set_segment([proto::Segment::Enterprise, proto::Segment::Smb][number % 2]);
    let currency_code = ["EUR", "USD"][usize::from(number >= 6)].to_owned();
    let minor_units = 100 * i64::try_from(number - number % 2).expect("small");
    one.arr = (!number.is_multiple_of(5)).then_some(Money { currency_code, minor_units });
    one.owners = vec![proto::Owner {
        role: proto::OwnerRole::Csm.into(),
        email: format!("csm-{}@example.com", number % 3),
        ..Default::default()
    }];
    one
}

/// The twelve accounts on 2026-03-01.
pub(crate) async fn portfolio() -> Harness {
    let mut harness = Harness::start("2026-01-30T00:00:00Z").await;
    let accounts = (0..12).map(portfolio_account).collect();
    let request = proto::BatchUpsertAccountsRequest { accounts, ..Default::default() };
    harness.accounts.batch_upsert_accounts(request).await.expect("accounts");
    harness.activate("sum", model_of(sum_of("emails", 7))).await;
    let earlier = SCORES_A_MONTH_AGO.iter().enumerate();
    let earlier = earlier.filter_map(|(number, score)| Some(usage(&id(number), "2026-01-30", "emails", (*score)?)));
    harness.record(earlier.collect()).await;
    harness.settle().await;
    harness.turn_to("2026-03-01").await;
    let today = (0..).zip((0..12).map(id)).map(|(number, id): (i64, _)| usage(&id, "2026-03-01", "emails", 9 * number));
    harness.record(today.collect()).await;
    harness.settle().await;
    harness
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

/// The accounts that a filter lets through, worst score first.
async fn found(harness: &Harness, filter: proto::HealthFilter) -> Vec<String> {
    list(harness, 0, String::new(), filter, proto::HealthOrder::Unspecified).await.expect("a page").0
}

async fn summary(harness: &Harness, filter: Option<proto::HealthFilter>) -> proto::HealthSummary {
    let request = proto::SummarizeHealthRequest { filter };
    harness.health.clone().summarize_health(request).await.expect("a summary").into_inner()
}

fn counts(summary: &proto::HealthSummary) -> Vec<(proto::Band, i64)> {
    summary.bands.iter().map(|band| (band.band(), band.account_count)).collect()
}

fn in_bands(bands: &[proto::Band]) -> proto::HealthFilter {
    proto::HealthFilter { bands: bands.iter().map(|&band| band.into()).collect(), ..Default::default() }
}

#[tokio::test]
async fn r200_lists_page_in_every_order() {
    let harness = portfolio().await;
    let orders = [
        (proto::HealthOrder::Unspecified, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
        (proto::HealthOrder::ScoreAsc, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
        (proto::HealthOrder::ScoreDesc, [11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]),
        (proto::HealthOrder::Change30dAsc, [0, 9, 1, 5, 4, 3, 6, 8, 10, 2, 7, 11]),
        (proto::HealthOrder::Change30dDesc, [8, 10, 6, 3, 4, 1, 5, 9, 0, 2, 7, 11]),
        (proto::HealthOrder::ArrDesc, [4, 2, 3, 1, 11, 8, 9, 6, 7, 0, 5, 10]),
    ];
    for (order, expected) in orders {
        pagination::assert_pages_cover(
            async |size, token| list(&harness, size, token, proto::HealthFilter::default(), order).await,
            async |size, token| {
                let filter = proto::HealthFilter { owner_email: "csm-0@example.com".to_owned(), ..Default::default() };
                list(&harness, size, token, filter, order).await
            },
            &ids(&expected),
        )
        .await;
    }
}

#[tokio::test]
async fn r55_accounts_are_found_by_how_far_they_moved_in_a_month_bounds_included() {
    let mut harness = portfolio().await;
    let fallen = harness.health_of("account-05", "").await;
    assert_eq!((fallen.score, fallen.change_30d), (Some(45.0), Some(-15.0)));
    let moved = async |at_least: Option<f64>, at_most: Option<f64>| {
        let filter =
            proto::HealthFilter { change_30d_at_least: at_least, change_30d_at_most: at_most, ..Default::default() };
        found(&harness, filter).await
    };
    assert_eq!(moved(None, Some(-15.0)).await, ids(&[0, 1, 5, 9]));
    assert_eq!(moved(None, Some(-15.0 - 1.0 / 128.0)).await, ids(&[0, 9]));
    assert_eq!(moved(Some(-15.0), None).await, ids(&[1, 3, 4, 5, 6, 8, 10]));
    assert_eq!(moved(Some(15.0), None).await, ids(&[8, 10]));
    assert_eq!(moved(Some(-15.0), Some(-15.0)).await, ids(&[1, 5]));
}

#[tokio::test]
async fn r56_r57_r199_accounts_are_found_by_band_segment_and_owner() {
    let mut harness = portfolio().await;
    harness.create_accounts(&["silent-1", "silent-2"]).await;
    harness.settle().await;
    assert_eq!(found(&harness, in_bands(&[proto::Band::AtRisk])).await, ids(&[6, 7]));
    assert_eq!(found(&harness, in_bands(&[proto::Band::Healthy, proto::Band::Stable])).await, ids(&[8, 9, 10, 11]));
    assert_eq!(found(&harness, in_bands(&[proto::Band::Unspecified])).await, ["silent-1", "silent-2"]);
    let unscored_or_healthy = found(&harness, in_bands(&[proto::Band::Unspecified, proto::Band::Healthy])).await;
    assert_eq!(unscored_or_healthy, [ids(&[10, 11]), vec!["silent-1".to_owned(), "silent-2".to_owned()]].concat());

    let of_segment =
        |segment: proto::Segment| proto::HealthFilter { segments: vec![segment.into()], ..Default::default() };
    assert_eq!(found(&harness, of_segment(proto::Segment::Smb)).await, ids(&[1, 3, 5, 7, 9, 11]));
    assert_eq!(found(&harness, of_segment(proto::Segment::Unspecified)).await, ["silent-1", "silent-2"]);

    let of_owner = |email: &str| proto::HealthFilter { owner_email: email.to_owned(), ..Default::default() };
    assert_eq!(found(&harness, of_owner("csm-1@example.com")).await, ids(&[1, 4, 7, 10]));
    assert_eq!(found(&harness, of_owner("CSM-1@example.com")).await, [""; 0], "addresses are compared exactly");

    let all_at_once = proto::HealthFilter {
        bands: vec![proto::Band::Critical.into()],
        change_30d_at_most: Some(-15.0),
        ..of_owner("csm-1@example.com")
    };
    assert_eq!(found(&harness, all_at_once).await, ids(&[1]));
}

#[tokio::test]
async fn r193_r200_the_portfolio_is_counted_by_band_score_and_revenue() {
    let harness = portfolio().await;
    let all = summary(&harness, None).await;
    assert_eq!(
        counts(&all),
        [
            (proto::Band::Unspecified, 0),
            (proto::Band::Critical, 6),
            (proto::Band::AtRisk, 2),
            (proto::Band::Stable, 2),
            (proto::Band::Healthy, 2),
        ]
    );
    assert_eq!(all.histogram, [1, 1, 0, 1, 0, 1, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0, 1, 0, 1, 1]);
    assert_eq!((all.account_count, all.mean_score), (12, Some(49.5)));
    assert_eq!(all.as_of_time, Some(time(&harness.clock_time())));
    let revenue = |band: usize| -> Vec<(String, i64)> {
        all.bands[band].arr.iter().map(|sum| (sum.currency_code.clone(), sum.minor_units)).collect()
    };
    assert_eq!(revenue(1), [("EUR".to_owned(), 800)]);
    assert_eq!(revenue(3), [("USD".to_owned(), 1_600)]);

    let part = proto::HealthFilter {
        bands: vec![proto::Band::Critical.into(), proto::Band::Healthy.into()],
        segments: vec![proto::Segment::Smb.into()],
        ..Default::default()
    };
    let part = summary(&harness, Some(part)).await;
    assert_eq!((part.account_count, part.bands[1].account_count, part.bands[4].account_count), (4, 3, 1));
    assert_eq!(part.mean_score, Some((9.0 + 27.0 + 45.0 + 99.0) / 4.0));
    let none = summary(&harness, Some(in_bands(&[proto::Band::Unspecified]))).await;
    assert_eq!((none.account_count, none.mean_score), (0, None));
}

#[tokio::test]
async fn r217_accounts_without_a_score_are_counted_apart() {
    let mut harness = portfolio().await;
    harness.create_accounts(&["silent-1", "silent-2"]).await;
    harness.settle().await;
    let all = summary(&harness, None).await;
    assert_eq!((all.account_count, all.bands[0].account_count), (14, 2));
    assert_eq!(all.histogram.iter().sum::<i64>(), 12, "{:?}", all.histogram);
    assert_eq!(all.mean_score, Some(49.5));
}

#[tokio::test]
async fn an_account_not_scored_yet_is_counted_without_a_score_and_listed_once_it_is_scored() {
    let mut harness = portfolio().await;
    harness.create_accounts(&["new"]).await;
    assert_eq!(summary(&harness, None).await.bands[0].account_count, 1);
    assert_eq!(found(&harness, in_bands(&[proto::Band::Unspecified])).await, [""; 0]);
    harness.settle().await;
    assert_eq!(summary(&harness, None).await.bands[0].account_count, 1);
    assert_eq!(found(&harness, in_bands(&[proto::Band::Unspecified])).await, ["new"]);
}

#[tokio::test]
async fn archived_accounts_leave_lists_and_counts_but_keep_their_health() {
    let mut harness = portfolio().await;
    let archive = proto::ArchiveAccountRequest { name: "accounts/account-06".to_owned(), ..Default::default() };
    harness.accounts.archive_account(archive).await.expect("archived");
    assert_eq!(found(&harness, in_bands(&[proto::Band::AtRisk])).await, ids(&[7]));
    let all = summary(&harness, None).await;
    assert_eq!((all.account_count, all.bands[2].account_count), (11, 1));
    harness.settle().await;
    assert_eq!(found(&harness, proto::HealthFilter::default()).await.len(), 11);
    let kept = harness.health_of("account-06", "").await;
    assert_eq!((kept.score, kept.archive_time), (Some(54.0), Some(time(&harness.clock_time()))));
    assert_eq!(harness.health_of("account-07", "").await.archive_time, None);
}

#[tokio::test]
async fn r56_r83_one_definition_of_the_bands_holds_in_every_answer() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    harness.activate("default-cuts", model_of(sum_of("emails", 7))).await;
    harness.record(vec![usage("acme", "2026-03-01", "emails", 45)]).await;
    harness.settle().await;
    harness.turn_to("2026-03-02").await;
    let cuts = proto::BandCuts { critical_below: 30.0, at_risk_below: 50.0, healthy_above: 60.0 };
    let lower_cuts = proto::Model { band_cuts: Some(cuts), ..model_of(sum_of("emails", 7)) };
    harness.activate("lower-cuts", lower_cuts).await;
    harness.settle().await;

    let at_risk = proto::Band::AtRisk;
    assert_eq!(harness.health_of("acme", "2026-03-01").await.band(), proto::Band::Critical, "by the cuts of that day");
    assert_eq!(harness.health_of("acme", "").await.band(), at_risk);
    assert_eq!(found(&harness, in_bands(&[at_risk])).await, ["acme"]);
    assert_eq!(counts(&summary(&harness, None).await)[2], (at_risk, 1));
    let watch = proto::WatchHealthRequest { from_oldest: true, until_now: true, ..Default::default() };
    let changes = crate::health_changes::watch(&harness, watch).await.0;
    let told: Vec<_> = changes.iter().map(|change| (change.previous_band(), change.band())).collect();
    assert_eq!(told, [(proto::Band::Unspecified, proto::Band::Critical), (proto::Band::Critical, at_risk)]);
}

#[tokio::test]
async fn every_fault_of_a_filter_is_named() {
    let harness = Harness::start("2026-03-01T00:00:00Z").await;
    let filter = proto::HealthFilter {
        bands: vec![proto::Band::Healthy.into(), 9],
        segments: vec![9],
        owner_email: "ada\0@example.com".to_owned(),
        change_30d_at_most: Some(f64::NAN),
        change_30d_at_least: Some(-100.5),
    };
    let request = proto::ListHealthRequest { filter: Some(filter.clone()), order: 9, ..Default::default() };
    let faults = [
        "filter.change_30d_at_most",
        "filter.change_30d_at_least",
        "filter.owner_email",
        "filter.bands[1]",
        "filter.segments[0]",
        "order",
    ];
    let mut named = violated_fields(&harness.health.clone().list_health(request).await.expect_err("a refusal"));
    let mut expected = faults.map(str::to_owned);
    named.sort();
    expected.sort();
    assert_eq!(named, expected);
    let request = proto::SummarizeHealthRequest { filter: Some(filter) };
    let status = harness.health.clone().summarize_health(request).await.expect_err("a refusal");
    assert_eq!(violated_fields(&status).len(), faults.len() - 1);
    let too_long = proto::HealthFilter { owner_email: "a".repeat(255), ..Default::default() };
    let request = proto::ListHealthRequest { filter: Some(too_long), ..Default::default() };
    let status = harness.health.clone().list_health(request).await.expect_err("a refusal");
    assert_eq!(violated_fields(&status), ["filter.owner_email"]);
}
