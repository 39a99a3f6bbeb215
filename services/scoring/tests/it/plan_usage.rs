//! How much of a plan was used in a month, told once, after it has ended.

use mainstay_api::mainstay::scoring::v1 as proto;

use crate::harness::{Harness, account, activity, at, gauge, model_of, sum_of, usage};
use crate::referenceable::report as health_report;
use crate::risk_fixtures::{churn, events_of};
use crate::withdrawal_fixtures::withdraw;

async fn with_limits(harness: &mut Harness, ids: &[&str], limits: &[(&str, f64)]) {
    let plan_limits: std::collections::HashMap<String, f64> =
        limits.iter().map(|(metric, limit)| ((*metric).to_owned(), *limit)).collect();
    let accounts = ids
        .iter()
        .map(|id| proto::Account {
            plan_limits: plan_limits.clone().into_iter().collect(),
            seats: Some(8),
            ..account(id)
        })
        .collect();
    let request = proto::BatchUpsertAccountsRequest { accounts, ..Default::default() };
    harness.accounts.batch_upsert_accounts(request).await.expect("accounts");
}

async fn reports(harness: &Harness) -> Vec<proto::PlanUsageReported> {
    events_of::<proto::PlanUsageReported>(harness).await.into_iter().map(|(_, report)| report).collect()
}

#[tokio::test]
async fn the_use_of_a_plan_is_told_on_the_second_day_after_the_month() {
    let mut harness = Harness::start("2026-02-10T00:00:00Z").await;
    harness.create_accounts(&["unlimited"]).await;
    with_limits(&mut harness, &["acme"], &[("emails", 100.0), ("seats", 10.0), ("unknown", 5.0), ("storage", 9.0)])
        .await;
    harness
        .record(
            vec![
                usage("acme", "2026-02-03", "emails", 30),
                usage("acme", "2026-02-28T23:59:59Z", "emails", 55),
                usage("unlimited", "2026-02-10", "storage", 1),
                gauge("acme", "2026-02-05", "seats", 9.0),
                gauge("acme", "2026-02-09", "seats", 7.5),
                activity("acme", "2026-02-05", "ada"),
                activity("acme", "2026-02-06", "ada"),
                activity("acme", "2026-02-06", "bob"),
            ]
            .into_iter()
            .filter(|signal| signal.event_time.is_some_and(|time| time.seconds < at("2026-02-11").timestamp()))
            .collect(),
        )
        .await;
    harness.turn_to("2026-03-01").await;
    // Late, and of the month after.
    harness
        .record(vec![usage("acme", "2026-02-28T23:59:59Z", "emails", 55), usage("acme", "2026-03-01", "emails", 1)])
        .await;
    harness.settle().await;
    assert_eq!(reports(&harness).await, []);
    harness.turn_to("2026-03-02").await;
    let limit = |metric: &str, used, limit| proto::LimitUsage { metric: metric.to_owned(), used, limit };
    let expected = proto::PlanUsageReported {
        month: "2026-02".to_owned(),
        limits: vec![limit("emails", Some(85.0), 100.0), limit("seats", Some(9.0), 10.0), limit("storage", None, 9.0)],
        active_users: 2,
        seats: Some(8),
    };
    assert_eq!(reports(&harness).await, [expected]);
    harness.turn_to("2026-04-01").await;
    assert_eq!(reports(&harness).await.len(), 1);
    harness.turn_to("2026-04-02").await;
    let told = reports(&harness).await;
    assert_eq!((told.len(), told[1].month.as_str()), (2, "2026-03"));
    assert_eq!((told[1].limits[0].used, told[1].active_users), (Some(1.0), 0));
}

#[tokio::test]
async fn a_month_that_passed_while_the_service_was_down_is_told_once_by_any_number_of_replicas() {
    let mut harness = Harness::start("2026-02-10T00:00:00Z").await;
    let ids: Vec<String> = (0..1_100).map(|number| format!("account-{number:04}")).collect();
    with_limits(&mut harness, &ids.iter().map(String::as_str).collect::<Vec<_>>(), &[("emails", 100.0)]).await;
    harness.record(vec![usage("account-0000", "2026-02-10", "emails", 1)]).await;
    harness.settle().await;
    harness.clock.set(at("2026-04-20"));
    let (_service, other) = harness.replica().await;
    let (first, second) = tokio::join!(harness.try_settle(), other.settle());
    first.expect("due work");
    second.expect("due work");
    let mut told: std::collections::BTreeMap<String, usize> = Default::default();
    for report in reports(&harness).await {
        *told.entry(report.month).or_default() += 1;
    }
    assert_eq!(told.into_iter().collect::<Vec<_>>(), [("2026-02".to_owned(), 1_100), ("2026-03".to_owned(), 1_100)]);
}

#[tokio::test]
async fn an_account_that_came_after_the_month_has_no_report_of_it() {
    let mut harness = Harness::start("2026-03-01T12:00:00Z").await;
    with_limits(&mut harness, &["acme"], &[("emails", 100.0)]).await;
    harness.record(vec![usage("acme", "2026-02-10", "emails", 1)]).await;
    harness.turn_to("2026-03-20").await;
    assert_eq!(reports(&harness).await, []);
    let archive = proto::ArchiveAccountRequest { name: "accounts/acme".to_owned(), ..Default::default() };
    harness.accounts.archive_account(archive).await.expect("archived");
    harness.turn_to("2026-04-20").await;
    assert_eq!(reports(&harness).await, [], "an archived account has none either");
}

#[tokio::test]
async fn r200_who_is_not_at_risk_and_near_a_limit_of_the_plan_is_an_opportunity_of_the_whole_portfolio() {
    let mut harness = Harness::start("2026-02-10T00:00:00Z").await;
    let ids = ["exactly", "below", "over", "once", "at-risk", "gone"];
    with_limits(&mut harness, &ids, &[("emails", 100.0), ("seats", 10.0)]).await;
    harness.activate("sum", model_of(sum_of("logins", 7))).await;
    let logs_in = |day: &str| ids.map(|id| usage(id, day, "logins", if id == "at-risk" { 10 } else { 90 }));
    // Emails in February and March.
    let used = [
        ("exactly", [80, 80]),
        ("below", [80, 79]),
        ("over", [99, 130]),
        ("once", [0, 99]),
        ("at-risk", [99, 99]),
        ("gone", [99, 99]),
    ];
    let emails = |place: usize, day: &str| used.map(|(id, months)| usage(id, day, "emails", months[place]));
    harness.record(emails(0, "2026-02-10").to_vec()).await;
    harness.record(vec![gauge("over", "2026-02-10", "seats", 9.5), churn("gone", "2026-02-10")]).await;
    harness.turn_to("2026-03-02").await;
    harness.record(logs_in("2026-03-02").to_vec()).await;
    harness.settle().await;
    let found = health_report(&harness, Vec::new()).await;
    assert_eq!((found.ready_to_grow_account_count, found.ready_to_grow), (0, Vec::new()), "one month says little");

    harness.record(emails(1, "2026-03-02").to_vec()).await;
    harness.record(vec![gauge("over", "2026-03-02", "seats", 9.5)]).await;
    harness.turn_to("2026-04-02").await;
    harness.record(logs_in("2026-04-02").to_vec()).await;
    harness.settle().await;
    let found = health_report(&harness, Vec::new()).await;
    let near: Vec<_> = found.ready_to_grow.iter().map(near_limit_of).collect();
    assert_eq!(near, [("accounts/exactly", "emails", Some(0.8)), ("accounts/over", "emails", Some(1.3))]);
    assert_eq!((found.ready_to_grow_account_count, found.account_count), (2, 5));
    let at_risk: Vec<_> = found.at_risk.iter().map(near_limit_of).collect();
    assert_eq!(at_risk, [("accounts/at-risk", "emails", Some(0.99))], "which is said of whoever is listed");
    let of_others = health_report(&harness, vec![proto::Segment::Smb.into()]).await;
    assert_eq!((of_others.ready_to_grow_account_count, of_others.ready_to_grow), (0, Vec::new()));

    harness.turn_to("2026-05-02").await;
    harness.record(logs_in("2026-05-02").to_vec()).await;
    harness.settle().await;
    let found = health_report(&harness, Vec::new()).await;
    assert_eq!((found.ready_to_grow_account_count, found.ready_to_grow), (0, Vec::new()), "April had no emails");
}

#[tokio::test]
async fn r216_who_is_near_a_limit_by_what_is_withdrawn_is_not() {
    let mut harness = Harness::start("2026-02-10T00:00:00Z").await;
    with_limits(&mut harness, &["acme", "still"], &[("emails", 100.0)]).await;
    harness.activate("sum", model_of(sum_of("logins", 7))).await;
    harness.record(["acme", "still"].map(|id| usage(id, "2026-02-10", "emails", 90)).to_vec()).await;
    harness.turn_to("2026-03-02").await;
    let twice = ["acme", "still"].map(|id| usage(id, "2026-03-02", "emails", 45));
    let other = ["acme", "still"].map(|id| usage(id, "2026-03-01", "emails", if id == "acme" { 45 } else { 85 }));
    harness.record([twice.clone(), other].concat()).await;
    harness.turn_to("2026-04-02").await;
    harness.record(["acme", "still"].map(|id| usage(id, "2026-04-02", "logins", 90)).to_vec()).await;
    harness.settle().await;
    let near = async |harness: &Harness| {
        let report = health_report(harness, Vec::new()).await;
        assert_eq!(report.ready_to_grow_account_count, i64::try_from(report.ready_to_grow.len()).expect("few"));
        report.ready_to_grow.into_iter().map(|one| (one.account, one.near_limit_share)).collect::<Vec<_>>()
    };
    let of = |id: &str, share: f64| (format!("accounts/{id}"), Some(share));
    assert_eq!(near(&harness).await, [of("acme", 0.9), of("still", 1.3)]);
    for one in twice {
        withdraw(&harness, &[one]).await;
    }
    harness.settle().await;
    assert_eq!(near(&harness).await, [of("still", 0.85)]);
}

fn near_limit_of(one: &proto::CustomerReport) -> (&str, &str, Option<f64>) {
    (&one.account, &one.near_limit_metric, one.near_limit_share)
}
