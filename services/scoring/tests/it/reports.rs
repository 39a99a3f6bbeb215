//! Reports about all customers.

use mainstay_api::mainstay::common::v1::Money;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::report_service_client::ReportServiceClient;
use mainstay_api::mainstay::scoring::v1::risk_trigger_service_client::RiskTriggerServiceClient;
use proto::{Band, RiskTriggerKind, Segment};
use tonic::transport::Channel;
use tonic::{Code, Response};

use crate::account_fixtures::{full_account, time};
use crate::harness::{Harness, account, activity, gauge, model_of, sum_of, usage};
use crate::health_risks::points_model;
use crate::portfolio::portfolio;
use crate::refusals::violated_fields;
use crate::risk_fixtures::{churn, dispute, invoice, ticket};

fn client(harness: &Harness) -> ReportServiceClient<Channel> {
    ReportServiceClient::new(harness.channel.clone())
}

async fn health(harness: &Harness, request: proto::GetHealthReportRequest) -> proto::HealthReport {
    client(harness).get_health_report(request).await.expect("a report").into_inner()
}

async fn data(harness: &Harness) -> proto::DataQualityReport {
    let request = proto::GetDataQualityReportRequest {};
    client(harness).get_data_quality_report(request).await.map(Response::into_inner).expect("a report")
}

fn ids(customers: &[proto::CustomerReport]) -> Vec<&str> {
    customers.iter().map(|one| one.account.trim_start_matches("accounts/account-")).collect()
}

#[tokio::test]
async fn r58_r193_r200_a_report_says_how_all_customers_are_and_what_changed_in_a_month() {
    let harness = portfolio().await;
    let report = health(&harness, proto::GetHealthReportRequest::default()).await;
    assert_eq!((report.day.as_str(), report.compare_day.as_str()), ("2026-03-01", "2026-01-30"));
    assert_eq!((report.account_count, report.mean_score), (12, Some(49.5)));
    let bands: Vec<_> =
        report.bands.iter().map(|one| (one.band(), one.account_count, one.account_count_before)).collect();
    let expected = [
        (Band::Unspecified, 0, 3),
        (Band::Critical, 6, 4),
        (Band::AtRisk, 2, 3),
        (Band::Stable, 2, 1),
        (Band::Healthy, 2, 1),
    ];
    assert_eq!(bands, expected);
    let moves: Vec<_> = report.moves.iter().map(|one| (one.from_band(), one.to_band(), one.account_count)).collect();
    let expected = [
        (Band::Unspecified, Band::Critical, 1),
        (Band::Unspecified, Band::AtRisk, 1),
        (Band::Unspecified, Band::Healthy, 1),
        (Band::Critical, Band::AtRisk, 1),
        (Band::AtRisk, Band::Critical, 2),
        (Band::AtRisk, Band::Stable, 1),
        (Band::Stable, Band::Healthy, 1),
        (Band::Healthy, Band::Stable, 1),
    ];
    assert_eq!(moves, expected);
    assert_eq!(
        ids(&report.fallen),
        ["00", "09"],
        "r55: by more than 15 points, deepest first; 01 and 05 fell by exactly 15"
    );
    assert_eq!(ids(&report.risen), Vec::<&str>::new(), "08 and 10 rose by exactly 15");
    let by_fifteen = proto::GetHealthReportRequest { change_at_least: Some(15.0), ..Default::default() };
    let by_fifteen = health(&harness, by_fifteen).await;
    assert_eq!((ids(&by_fifteen.fallen), ids(&by_fifteen.risen)), (vec!["00", "09", "01", "05"], vec!["08", "10"]));
    let deepest = &report.fallen[0];
    assert_eq!(
        (deepest.score, deepest.change, deepest.csm_email.as_str()),
        (Some(0.0), Some(-20.0), "csm-0@example.com")
    );
    // Revenue is 100 for each even number before the account's, in euros up to the fifth account, and none for each fifth.
    assert_eq!(ids(&report.at_risk), ["04", "02", "03", "01", "06", "07", "00", "05"]);
    let segments: Vec<_> = report
        .segments
        .iter()
        .map(|one| (one.segment(), one.account_count, one.mean_score, one.at_risk_count))
        .collect();
    assert_eq!(segments, [(Segment::Enterprise, 6, Some(45.0), 4), (Segment::Smb, 6, Some(54.0), 4)]);
    let euros = Money { currency_code: "EUR".to_owned(), minor_units: 200 + 400 };
    assert!(report.segments[0].at_risk_arr.contains(&euros), "{:?}", report.segments[0]);
}

#[tokio::test]
async fn r194_the_trend_goes_back_four_weeks_and_changes_can_be_those_of_a_week() {
    let harness = portfolio().await;
    let report = health(&harness, proto::GetHealthReportRequest::default()).await;
    let days: Vec<&str> = report.trend.iter().map(|point| point.day.as_str()).collect();
    assert_eq!(days, ["2026-02-01", "2026-02-08", "2026-02-15", "2026-02-22", "2026-03-01"]);
    let first = &report.trend[0];
    assert_eq!((first.scored_count, first.at_risk_count, first.critical_count), (9, 7, 4));
    assert!((first.mean_score.expect("scores") - 453.0 / 9.0).abs() < 0.01, "{first:?}");
    assert_eq!(report.trend[4].mean_score, report.mean_score);

    harness.pass_days(1).await;
    let week = proto::GetHealthReportRequest { period: proto::ReportPeriod::Week.into(), ..Default::default() };
    let report = health(&harness, week).await;
    assert_eq!((report.day.as_str(), report.compare_day.as_str()), ("2026-03-02", "2026-02-23"));
    assert_eq!(ids(&report.fallen), Vec::<&str>::new());
    assert_eq!(ids(&report.risen), ["10", "09", "08", "06", "05", "04", "03"], "from 0 a week ago");
}

#[tokio::test]
async fn r199_a_report_can_be_of_a_segment_or_of_a_persons_customers() {
    let harness = portfolio().await;
    let segments = vec![Segment::Smb.into()];
    let report =
        health(&harness, proto::GetHealthReportRequest { segments, list_size: Some(1), ..Default::default() }).await;
    assert_eq!((report.account_count, ids(&report.fallen)), (6, vec!["09"]));
    let owner_email = "csm-2@example.com".to_owned();
    let change_at_least = Some(15.0);
    let request = proto::GetHealthReportRequest { owner_email, change_at_least, ..Default::default() };
    let report = health(&harness, request).await;
    assert_eq!((report.account_count, report.trend[4].scored_count, ids(&report.fallen)), (4, 4, vec!["05"]));
    // Who is at risk among them, by what warns early, and whose accounts these are.
    let all = health(&harness, proto::GetHealthReportRequest::default()).await;
    let lasting = |report: &proto::HealthReport| report.risk_triggers.iter().map(|one| one.lasting_count).sum::<i64>();
    let owner_email = "csm-2@example.com".to_owned();
    let request =
        proto::ListRiskTriggersRequest { owner_email: owner_email.clone(), lasting_only: true, ..Default::default() };
    let client = || RiskTriggerServiceClient::new(harness.channel.clone());
    let mine = client().list_risk_triggers(request.clone()).await.expect("conditions").into_inner().risk_triggers;
    assert_eq!(i64::try_from(mine.len()).expect("few"), lasting(&report));
    assert!(lasting(&report) > 0 && lasting(&report) < lasting(&all), "{} of {}", lasting(&report), lasting(&all));
    let mut named: Vec<&str> = mine.iter().map(|one| one.account.trim_start_matches("accounts/account-")).collect();
    named.sort_unstable();
    named.dedup();
    assert_eq!(named, ["02", "05", "08"], "08 came up to 72, which is not more than 2 points above the cut");
    assert_eq!(ids(&report.at_risk), ["02", "05"]);
    let smb = proto::ListRiskTriggersRequest { segments: vec![Segment::Smb.into()], ..request };
    let mine = client().list_risk_triggers(smb).await.expect("conditions").into_inner().risk_triggers;
    assert!(!mine.is_empty() && mine.len() < usize::try_from(lasting(&report)).expect("few"), "{mine:?}");
}

#[tokio::test]
async fn r70_conditions_that_warn_are_counted_and_who_left_is_no_customer() {
    let mut harness = Harness::start("2026-03-10T00:00:00Z").await;
    let mut activated = account("acme");
    activated.sign_up_time = Some(time("2026-02-01"));
    activated.activation_time = Some(time("2026-02-05"));
    let request = proto::BatchUpsertAccountsRequest {
        accounts: vec![activated, account("other"), account("gone")],
        ..Default::default()
    };
    harness.accounts.batch_upsert_accounts(request).await.expect("accounts");
    let failed = proto::InvoiceAction::PaymentFailed;
    harness
        .record(vec![invoice("acme", "2026-03-09", "in-1", failed), invoice("other", "2026-03-09", "in-2", failed)])
        .await;
    harness.settle().await;
    harness
        .record(vec![invoice("other", "2026-03-10", "in-2", proto::InvoiceAction::Paid), churn("gone", "2026-03-10")])
        .await;
    harness.settle().await;
    let report = health(&harness, proto::GetHealthReportRequest::default()).await;
    assert_eq!(report.account_count, 2, "{report:?}");
    let payments = report.risk_triggers.iter().find(|one| one.kind() == proto::RiskTriggerKind::PaymentFailed);
    let payments = payments.expect("payments");
    assert_eq!((payments.lasting_count, payments.raised_count, payments.cleared_count), (1, 2, 1));
    assert_eq!((report.time_to_value_days_median, report.activated_count), (Some(4.0), 1));
}

#[tokio::test]
async fn r70_conditions_of_each_kind_are_counted_apart() {
    let mut harness = Harness::start("2026-02-01T00:00:00Z").await;
    harness.activate("points", points_model()).await;
    let acme = proto::Account { renewal_time: Some(time("2026-05-10")), ..account("acme") };
    let accounts = vec![acme, account("other"), account("gone")];
    let request = proto::BatchUpsertAccountsRequest { accounts, ..Default::default() };
    harness.accounts.batch_upsert_accounts(request).await.expect("accounts");
    let opened = proto::DisputeAction::Opened;
    harness
        .record(vec![dispute("other", "2026-02-01", "d-old", opened), usage("acme", "2026-02-01", "emails", 1)])
        .await;
    harness.settle().await;
    harness.turn_to("2026-03-10").await;
    let day = "2026-03-10";
    let urgent = |id: &str| ticket(id, day, "t-1", proto::TicketAction::Opened, proto::TicketPriority::Urgent);
    let points = [("acme", 40.0), ("other", 60.0)].map(|(id, points)| gauge(id, day, "points", points));
    let mut told = vec![dispute("acme", day, "d-1", opened), urgent("acme"), urgent("gone")];
    told.extend(points);
    harness.record(told).await;
    harness.settle().await;
    harness.record(vec![dispute("acme", day, "d-1", proto::DisputeAction::Closed), churn("gone", day)]).await;
    harness.settle().await;
    let report = health(&harness, proto::GetHealthReportRequest::default()).await;
    let counts: Vec<_> = report
        .risk_triggers
        .iter()
        .map(|one| (one.kind(), one.lasting_count, one.raised_count, one.cleared_count))
        .collect();
    let expected = [
        (RiskTriggerKind::HealthCritical, 1, 1, 0),
        (RiskTriggerKind::HealthAtRisk, 2, 2, 0),
        (RiskTriggerKind::Inactivity, 1, 1, 0),
        // The one that lasts began before the month.
        (RiskTriggerKind::BillingDispute, 1, 1, 1),
        (RiskTriggerKind::TicketUrgent, 1, 1, 0),
        (RiskTriggerKind::RenewalAtRisk, 1, 1, 0),
    ];
    assert_eq!(counts, expected);
}

#[tokio::test]
async fn who_lost_its_score_moved_out_of_its_band_and_mrr_counts_as_revenue() {
    let mut harness = Harness::start("2026-01-01T00:00:00Z").await;
    let mut measure = sum_of("emails", 7);
    measure.freshness_limit_days = 10;
    harness.activate("short", model_of(measure)).await;
    let mut monthly = account("monthly");
    monthly.mrr = Some(Money { currency_code: "EUR".to_owned(), minor_units: 100 });
    let mut dollars = account("dollars");
    dollars.arr = Some(Money { currency_code: "USD".to_owned(), minor_units: 5 });
    let request = proto::BatchUpsertAccountsRequest { accounts: vec![monthly, dollars], ..Default::default() };
    harness.accounts.batch_upsert_accounts(request).await.expect("accounts");
    harness
        .record(vec![usage("monthly", "2026-01-01", "emails", 30), usage("dollars", "2026-01-01", "emails", 30)])
        .await;
    harness.settle().await;
    let report = health(&harness, proto::GetHealthReportRequest { list_size: Some(1), ..Default::default() }).await;
    let at_risk: Vec<_> = report.at_risk.iter().map(|one| (one.account.as_str(), one.arr.clone())).collect();
    let money = |code: &str, minor_units| Some(Money { currency_code: code.to_owned(), minor_units });
    let expected = [("accounts/monthly", money("EUR", 1_200)), ("accounts/dollars", money("USD", 5))];
    assert_eq!(at_risk, expected, "the most of each currency");

    let week = proto::ReportPeriod::Week.into();
    let mut harness = Harness::start("2026-01-01T00:00:00Z").await;
    let mut measure = sum_of("emails", 7);
    measure.freshness_limit_days = 10;
    harness.activate("short", model_of(measure)).await;
    harness.create_accounts(&["dark"]).await;
    harness.record(vec![usage("dark", "2026-01-01", "emails", 30)]).await;
    harness.settle().await;
    harness.pass_days(12).await;
    let report = health(&harness, proto::GetHealthReportRequest { period: week, ..Default::default() }).await;
    let moves: Vec<_> = report.moves.iter().map(|one| (one.from_band(), one.to_band(), one.account_count)).collect();
    assert_eq!(moves, [(Band::Critical, Band::Unspecified, 1)], "{report:?}");
    assert_eq!(report.oldest_score_day, "2026-01-13");
}

#[tokio::test]
async fn every_fault_of_a_request_for_a_report_is_named() {
    let harness = Harness::start("2026-03-01T00:00:00Z").await;
    let request = proto::GetHealthReportRequest {
        period: 9,
        segments: vec![77],
        owner_email: "x".repeat(255),
        list_size: Some(101),
        change_at_least: Some(f64::NAN),
    };
    let status = client(&harness).get_health_report(request).await.expect_err("a refusal");
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(violated_fields(&status), ["period", "owner_email", "list_size", "change_at_least", "segments[0]"]);
    let request = proto::SetDataOwnerRequest {
        subject: "fields/x".to_owned(),
        owner_email: "nobody".to_owned(),
        ..Default::default()
    };
    let status = client(&harness).set_data_owner(request).await.expect_err("a refusal");
    assert_eq!(violated_fields(&status), ["subject", "owner_email"]);
    let subject = "sources/metrics/emials".to_owned();
    let request = proto::SetDataOwnerRequest { subject, ..Default::default() };
    let status = client(&harness).set_data_owner(request).await.expect_err("a metric that nobody sends");
    assert_eq!((status.code(), violated_fields(&status)), (Code::InvalidArgument, vec!["subject".to_owned()]));
    let subject = "sources/systems/zendesk/ticket".to_owned();
    let request = proto::SetDataOwnerRequest { subject, ..Default::default() };
    let status = client(&harness).set_data_owner(request).await.expect_err("a system that tells nothing");
    assert_eq!((status.code(), violated_fields(&status)), (Code::InvalidArgument, vec!["subject".to_owned()]));
}

#[tokio::test]
async fn r216_r217_what_is_missing_silent_unread_or_told_twice_is_found() {
    let mut harness = Harness::start("2026-02-01T00:00:00Z").await;
    let mut twin = account("twin");
    twin.display_name = "Customer  ACME".to_owned();
    let mut holding = full_account("full");
    holding.parent = String::new();
    let request =
        proto::BatchUpsertAccountsRequest { accounts: vec![account("acme"), twin, holding], ..Default::default() };
    harness.accounts.batch_upsert_accounts(request).await.expect("accounts");
    let mut measure = sum_of("emails", 7);
    measure.weight = 1.0;
    let mut exports = sum_of("exports", 7);
    exports.input = Some(proto::Input { series: Some(proto::input::Series::Feature("exports".to_owned())) });
    let mut model = model_of(measure);
    model.components[0].measures.extend([sum_of("calls", 7), exports]);
    harness.activate("two", model).await;
    let mut told = vec![usage("acme", "2026-02-03", "emails", 3), usage("acme", "2026-02-01", "logins", 1)];
    told.extend((1..=20).map(|day| activity("acme", &format!("2026-02-{day:02}"), "u-1")));
    harness.turn_to("2026-02-20").await;
    harness.record(told).await;
    harness.turn_to("2026-02-23").await;

    let report = data(&harness).await;
    assert_eq!((report.account_count, report.unscored_count, report.stale_count), (3, 2, 0));
    let lacking = |field: &str| {
        let found = report.fields.iter().find(|one| one.field == field).expect("the field");
        (found.missing_count, found.missing_share.map(|share| (share * 3.0).round()))
    };
    assert_eq!(
        (lacking("owners.csm"), lacking("arr"), lacking("owners.account_manager")),
        ((2, Some(2.0)), (2, Some(2.0)), (3, Some(3.0)))
    );
    let sources: Vec<_> = report
        .sources
        .iter()
        .filter(|one| !one.source.starts_with("systems/"))
        .map(|one| (one.source.as_str(), one.silent_days, one.longest_pause_days, one.is_silent))
        .collect();
    let expected =
        [("users", 3, Some(1), true), ("metrics/emails", 20, None, false), ("metrics/logins", 22, None, false)];
    assert_eq!(sources, expected);
    assert_eq!(
        (report.unread_metrics, report.awaited_inputs),
        (vec!["logins".to_owned()], vec!["features/exports".to_owned(), "metrics/calls".to_owned()])
    );
    assert_eq!(report.duplicate_names.len(), 1);
    assert_eq!(report.duplicate_names[0].accounts, ["accounts/acme", "accounts/twin"]);

    crate::backtest_fixtures::create(&harness, "large", model_of(sum_of("logins", 7))).await;
    let segment = proto::Segment::Enterprise.into();
    let request = proto::ActivateModelRequest { name: "models/large".to_owned(), segment, ..Default::default() };
    harness.models.clone().activate_model(request).await.expect("activated");
    assert_eq!(data(&harness).await.unread_metrics, Vec::<String>::new(), "a segment's own model reads it");
}

#[tokio::test]
async fn r217_who_is_scored_by_less_than_half_or_silent_for_more_than_a_week_is_counted() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    harness.create_accounts(&["thin", "half", "week", "stale", "unscored"]).await;
    let level = |metric: &str, weight| {
        let aggregation = proto::Aggregation::Last.into();
        proto::Measure { aggregation, weight, ..sum_of(metric, 28) }
    };
    let mut model = model_of(sum_of("emails", 28));
    model.components[0].measures.extend([level("seats", 1.0), level("storage", 2.0)]);
    harness.activate("levels", model).await;
    let told = |id: &str, day: &str, levels: &[&str]| {
        let levels = levels.iter().map(|metric| gauge(id, day, metric, 50.0));
        levels.chain([usage(id, day, "emails", 50)]).collect::<Vec<_>>()
    };
    for (day, id, levels) in [
        ("2026-03-01", "stale", &["seats", "storage"][..]),
        ("2026-03-02", "week", &["seats", "storage"]),
        ("2026-03-09", "half", &["seats"]),
        ("2026-03-09", "thin", &[]),
    ] {
        harness.turn_to(day).await;
        harness.record(told(id, day, levels)).await;
        harness.settle().await;
    }
    assert_eq!(harness.health_of("half", "").await.coverage, 0.5, "not less than half");
    assert_eq!(harness.health_of("week", "").await.last_signal_day, "2026-03-02", "7 days ago");
    let report = data(&harness).await;
    assert_eq!(report.account_count, 5);
    assert_eq!((report.thin_count, report.stale_count, report.unscored_count), (1, 1, 1), "{report:?}");
}

#[tokio::test]
async fn r218_fields_and_sources_have_owners_whom_the_report_names() {
    let mut harness = Harness::start("2026-02-01T00:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    harness.record(vec![usage("acme", "2026-02-01", "emails", 3)]).await;
    let set = |subject: &str, owner: &str| proto::SetDataOwnerRequest {
        subject: subject.to_owned(),
        owner_email: owner.to_owned(),
        request_id: String::new(),
    };
    for subject in ["fields/renewal_time", "sources/metrics/emails"] {
        let owner =
            client(&harness).set_data_owner(set(subject, "sam@example.com")).await.expect("an owner").into_inner();
        assert_eq!((owner.subject.as_str(), owner.owner_email.as_str()), (subject, "sam@example.com"));
    }
    client(&harness).set_data_owner(set("fields/renewal_time", "mia@example.com")).await.expect("another");
    let report = data(&harness).await;
    let owner_of = |report: &proto::DataQualityReport, field: &str| {
        report.fields.iter().find(|one| one.field == field).expect("the field").owner_email.clone()
    };
    assert_eq!(owner_of(&report, "renewal_time"), "mia@example.com");
    let of_emails = report.sources.iter().find(|one| one.source == "metrics/emails").expect("the source");
    assert_eq!(of_emails.owner_email, "sam@example.com");
    client(&harness).set_data_owner(set("fields/renewal_time", "")).await.expect("nobody");
    assert_eq!(owner_of(&data(&harness).await, "renewal_time"), "");
}

/// What systems tell, with whether it fell silent and who answers for it.
async fn systems(harness: &Harness) -> Vec<(String, i32, bool, String)> {
    let sources = data(harness).await.sources.into_iter();
    let of_systems = sources.filter(|one| one.source.starts_with("systems/"));
    of_systems.map(|one| (one.source, one.silent_days, one.is_silent, one.owner_email)).collect()
}

#[tokio::test]
async fn r216_r217_r218_one_of_two_help_desks_that_falls_silent_is_told_with_its_owner() {
    let mut harness = Harness::start("2026-02-01T00:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    let opened = |day: i32, source: &str| {
        let (time, id) = (format!("2026-02-{day:02}"), format!("{source}-{day}"));
        let mut told = ticket("acme", &time, &id, proto::TicketAction::Opened, proto::TicketPriority::Normal);
        told.source = source.to_owned();
        told
    };
    let mut told = Vec::new();
    for day in 4..=23 {
        harness.turn_to(&format!("2026-02-{day:02}")).await;
        // What the one tells is three days old; it tells it each day all the same.
        told = vec![opened(day - 3, "zendesk")];
        told.extend((day <= 13).then(|| opened(day, "help-desk")));
        harness.record(told.clone()).await;
    }
    let claim = account("acme");
    let request =
        proto::BatchUpsertAccountsRequest { accounts: vec![claim], source: "crm".to_owned(), ..Default::default() };
    harness.accounts.batch_upsert_accounts(request).await.expect("told of accounts");
    let subject = "sources/systems/help-desk/ticket".to_owned();
    let request =
        proto::SetDataOwnerRequest { subject, owner_email: "sam@example.com".to_owned(), ..Default::default() };
    client(&harness).set_data_owner(request).await.expect("an owner");

    let row = |source: &str, days, is_silent, owner: &str| (source.to_owned(), days, is_silent, owner.to_owned());
    let expected = [
        row("systems/help-desk/ticket", 10, true, "sam@example.com"),
        row("systems/crm/account", 0, false, ""),
        row("systems/zendesk/ticket", 0, false, ""),
    ];
    assert_eq!(systems(&harness).await, expected);
    harness.record(told).await;
    assert_eq!(systems(&harness).await, expected, "what is told again is no news");

    harness.turn_to("2026-08-12").await;
    assert_eq!(systems(&harness).await.len(), 3, "180 days after its last ticket");
    harness.turn_to("2026-08-13").await;
    let still: Vec<String> = systems(&harness).await.into_iter().map(|(source, ..)| source).collect();
    assert_eq!(still, ["systems/crm/account", "systems/zendesk/ticket"], "the other is given up");
}
