//! Signals that are taken back: they stay on record, and everything that is made of signals forgets them.

use std::collections::BTreeSet;

use futures::future::join_all;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::cohort_service_client::CohortServiceClient;
use mainstay_testkit::idempotency;
use proto::adoption_target::Outcome;
use proto::exposure::Kind;
use proto::lifecycle_signal::Change;
use proto::{InvoiceAction, RiskTriggerKind, TicketAction, TicketPriority};
use tonic::Code;

use crate::account_fixtures::{archive, time};
use crate::adoption_fixtures::{milestone, set, target, uses};
use crate::harness::{Harness, account, activity, draws, gauge, model_of, shuffled, signal, sum_of, usage};
use crate::refusals::{reason, violated_fields};
use crate::risk_fixtures::{Told, churn, invoice, lasting, lifecycle, ticket, told_of};
use crate::withdrawal_fixtures::{CASE_OUTCOME, KINDS, difference, drawn, made_of, request, try_withdraw, withdraw};

const START: &str = "2026-03-10T12:00:00Z";

async fn acme() -> Harness {
    let mut harness = Harness::start(START).await;
    harness.create_accounts(&["acme"]).await;
    harness
}

/// Activated accounts, a target, and payments that are told of: by the sources, of another account.
async fn customers(ids: &[String]) -> Harness {
    let mut harness = Harness::start(START).await;
    let since = Some(time("2026-01-20"));
    let accounts = ids.iter().map(|id| proto::Account { activation_time: since, ..account(id) }).collect();
    let request = proto::BatchUpsertAccountsRequest { accounts, ..Default::default() };
    harness.accounts.batch_upsert_accounts(request).await.expect("accounts");
    harness.create_accounts(&["payer"]).await;
    let mut paid = vec![invoice("payer", "2026-01-01", "in-1", InvoiceAction::Paid); 2];
    "staging".clone_into(&mut paid[1].source);
    harness.record(paid).await;
    set(&harness, target("first", Outcome::Milestone("milestone-0".to_owned()))).await;
    harness
}

fn of_account(signals: &[proto::Signal], id: &str) -> Vec<proto::Signal> {
    signals.iter().map(|one| proto::Signal { account: format!("accounts/{id}"), ..one.clone() }).collect()
}

#[tokio::test]
async fn r216_of_each_kind_of_signal_everything_forgets_those_that_are_withdrawn() {
    let names = |kind: u32| ["kept", "mixed", "wrong", "nothing"].map(|name| format!("{name}-{kind}"));
    let ids: Vec<String> = (0..KINDS).flat_map(names).collect();
    let mut harness = customers(&ids).await;
    let mut expected = Vec::new();
    for kind in 0..KINDS {
        let [kept_id, mixed_id, wrong_id, nothing_id] = names(kind);
        let mut draw = draws(kind);
        let mut of_kind = |source: &str, count: usize| -> Vec<proto::Signal> {
            (0..count).map(|number| drawn(&mixed_id, source, &number.to_string(), kind, &mut draw)).collect()
        };
        let (kept, wrong) = (of_kind("test", 8), of_kind("staging", 8));
        harness.record(of_account(&kept, &kept_id)).await;
        harness.record([kept, wrong.clone()].concat()).await;
        harness.record(of_account(&wrong, &wrong_id)).await;
        expected.push((kind, [kept_id, mixed_id], wrong.clone()));
        expected.push((kind, [nothing_id, wrong_id.clone()], of_account(&wrong, &wrong_id)));
    }
    harness.settle().await;
    for (kind, [without, with], wrong) in expected {
        let remembered = made_of(&harness, &with).await != made_of(&harness, &without).await;
        assert_eq!(remembered, kind != CASE_OUTCOME, "{with} before");
        let answer = withdraw(&harness, &wrong).await;
        assert_eq!((answer.withdrawn_count, answer.already_withdrawn_count), (8, 0), "{with}");
        assert_eq!(answer.first_day.is_empty(), kind == CASE_OUTCOME, "{with}: {}", answer.first_day);
        let (without, made) = (made_of(&harness, &without).await, made_of(&harness, &with).await);
        assert_eq!(difference(&without, &made), [""; 0], "{with} after");
    }
}

/// Of what two sources tell of each thing, one is withdrawn: bit by bit, while the other goes on to tell, late and in any order.
#[tokio::test]
async fn r216_in_any_order_and_of_any_kinds_what_is_left_makes_what_it_would_have_made_alone() {
    const PARTS: usize = 4;
    let seeds = 1..=4u32;
    let ids: Vec<String> = seeds.clone().flat_map(|seed| [format!("kept-{seed}"), format!("mixed-{seed}")]).collect();
    let mut harness = customers(&ids).await;
    let mut told = Vec::new();
    for seed in seeds.clone() {
        let mut draw = draws(seed);
        let mixed = format!("mixed-{seed}");
        let mut of_source = |source: &str, count: usize| -> Vec<proto::Signal> {
            let mut one = |number: usize| {
                let kind = draw(KINDS);
                drawn(&mixed, source, &number.to_string(), kind, &mut draw)
            };
            (0..count).map(&mut one).collect()
        };
        told.push((seed, of_source("test", 80), of_source("staging", 80)));
    }
    for part in 0..PARTS {
        for (seed, kept, wrong) in &told {
            let of_part = |signals: &[proto::Signal]| {
                signals.iter().skip(part).step_by(PARTS).cloned().collect::<Vec<proto::Signal>>()
            };
            let (kept, wrong) = (of_part(kept), of_part(wrong));
            harness.record(of_account(&kept, &format!("kept-{seed}"))).await;
            harness.record(shuffled([kept, wrong.clone()].concat(), *seed)).await;
            if part % 2 == 0 {
                withdraw(&harness, &wrong[..wrong.len() / 2]).await;
            }
        }
        harness.pass_days(1).await;
    }
    for (seed, _, wrong) in &told {
        let remembered = difference(
            &made_of(&harness, &format!("kept-{seed}")).await,
            &made_of(&harness, &format!("mixed-{seed}")).await,
        );
        assert_ne!(remembered, [""; 0], "seed {seed}");
        let answer = withdraw(&harness, wrong).await;
        assert_eq!((answer.withdrawn_count, answer.already_withdrawn_count), (60, 20), "seed {seed}");
    }
    // By then all due times that passed are noted.
    harness.pass_days(9).await;
    for seed in seeds {
        let kept = made_of(&harness, &format!("kept-{seed}")).await;
        let mixed = made_of(&harness, &format!("mixed-{seed}")).await;
        assert_eq!(difference(&kept, &mixed), [""; 0], "seed {seed}");
        for kind in ["count", "level", "story", "ticket", "invoice", "feature", "milestone", "outcome", "health", "day"]
        {
            assert!(kept.iter().any(|row| row.starts_with(&format!("[\"{kind}\""))), "seed {seed} has no {kind}");
        }
    }
}

#[tokio::test]
async fn r216_a_withdrawn_signal_stays_on_record_with_who_withdrew_it_when_and_why() {
    let mut harness = acme().await;
    let (wrong, right) = (usage("acme", "2026-03-02", "emails", 9), usage("acme", "2026-03-01", "emails", 5));
    harness.record(vec![wrong.clone(), right.clone()]).await;
    withdraw(&harness, std::slice::from_ref(&wrong)).await;
    let list = async |kinds: Vec<i32>, exclude_withdrawn: bool| {
        let parent = "accounts/acme".to_owned();
        let request = proto::ListSignalsRequest { parent, kinds, exclude_withdrawn, ..Default::default() };
        harness.signals.clone().list_signals(request).await.expect("signals").into_inner().signals
    };
    let withdrawal = proto::SignalWithdrawal {
        withdrawn_by: "anonymous".to_owned(),
        reason: "written by a test".to_owned(),
        withdraw_time: Some(time(START)),
    };
    let record_time = Some(time(START));
    let right = proto::Signal { record_time, ..right };
    let wrong = proto::Signal { record_time, withdrawal: Some(withdrawal), ..wrong };
    for kinds in [vec![], vec![proto::SignalKind::Usage.into()]] {
        assert_eq!(list(kinds.clone(), false).await, [wrong.clone(), right.clone()]);
        assert_eq!(list(kinds, true).await, std::slice::from_ref(&right));
    }
}

#[tokio::test]
async fn r216_sent_again_a_withdrawn_signal_is_a_duplicate_and_stays_withdrawn() {
    let mut harness = acme().await;
    let wrong = usage("acme", "2026-03-02", "emails", 9);
    harness.record(vec![wrong.clone()]).await;
    let first = withdraw(&harness, std::slice::from_ref(&wrong)).await;
    assert_eq!((first.withdrawn_count, first.first_day.as_str()), (1, "2026-03-02"));
    let without = made_of(&harness, "acme").await;
    let sent_again = harness.record(vec![wrong.clone()]).await;
    assert_eq!((sent_again.recorded_count, sent_again.duplicate_count), (0, 1));
    harness.clock.advance(chrono::TimeDelta::hours(1));
    let twice =
        proto::WithdrawSignalsRequest { reason: "once more".to_owned(), ..request("acme", &[&wrong.source_id]) };
    let again = try_withdraw(&harness, twice).await.expect("an answer");
    assert_eq!((again.withdrawn_count, again.already_withdrawn_count, again.first_day.as_str()), (0, 1, ""));
    assert_eq!(made_of(&harness, "acme").await, without);
    let list = proto::ListSignalsRequest { parent: "accounts/acme".to_owned(), ..Default::default() };
    let listed = harness.signals.list_signals(list).await.expect("signals").into_inner().signals.remove(0);
    let kept = listed.withdrawal.expect("a withdrawal");
    assert_eq!((kept.reason.as_str(), kept.withdraw_time), ("written by a test", Some(time(START))));
    // What is right comes under another id.
    let right = proto::Signal { source_id: "right".to_owned(), ..usage("acme", "2026-03-02", "emails", 3) };
    assert_eq!(harness.record(vec![right]).await.recorded_count, 1);
}

#[tokio::test]
async fn r216_scores_are_computed_again_from_the_first_day_and_days_without_signals_have_none() {
    let mut harness = Harness::start("2026-01-20T00:00:00Z").await;
    harness.activate("sum", model_of(sum_of("emails", 7))).await;
    harness.turn_to("2026-03-10").await;
    harness.create_accounts(&["acme"]).await;
    let wrong = usage("acme", "2026-02-01", "emails", 70);
    harness.record(vec![wrong.clone(), usage("acme", "2026-02-20", "emails", 40)]).await;
    harness.settle().await;
    assert_eq!(harness.health_of("acme", "2026-02-07").await.score, Some(70.0));
    let score_on = async |day: &str| {
        let request = proto::GetHealthRequest { account: "accounts/acme".to_owned(), day: day.to_owned() };
        harness.health.clone().get_health(request).await.map(|health| health.into_inner().score).map_err(|e| reason(&e))
    };
    assert_eq!(withdraw(&harness, &[wrong]).await.first_day, "2026-02-01");
    harness.settle().await;
    for day in ["2026-02-01", "2026-02-07", "2026-02-19"] {
        assert_eq!(score_on(day).await, Err("HEALTH_NOT_SCORED".to_owned()), "{day}");
    }
    assert_eq!(score_on("2026-02-26").await, Ok(Some(40.0)));
}

#[tokio::test]
async fn r216_conditions_that_withdrawn_signals_made_end_and_those_they_ended_begin_again() {
    let mut harness = acme().await;
    let opened = ticket("acme", "2026-03-01", "t-1", TicketAction::Opened, TicketPriority::Urgent);
    let other = ticket("acme", "2026-03-02", "t-2", TicketAction::Opened, TicketPriority::Critical);
    let resolved = ticket("acme", "2026-03-03", "t-2", TicketAction::Resolved, TicketPriority::Unspecified);
    harness.record(vec![opened.clone(), other, resolved.clone()]).await;
    withdraw(&harness, &[opened, resolved]).await;
    let told = told_of(&harness, RiskTriggerKind::TicketUrgent).await;
    let of = |told: Told, id: &str| (told, id.to_owned());
    assert_eq!(told, [of(Told::Raised, "t-1"), of(Told::Cleared, "t-1"), of(Told::Raised, "t-2")]);
    let lasting = lasting(&harness, "acme").await;
    let urgent = lasting.iter().filter(|trigger| trigger.kind() == RiskTriggerKind::TicketUrgent);
    assert_eq!(urgent.map(|trigger| trigger.subject.as_str()).collect::<Vec<_>>(), ["t-2"]);
}

#[tokio::test]
async fn r216_an_invoice_that_was_overdue_by_its_due_time_stays_so_without_another_signal_of_it() {
    let mut harness = acme().await;
    harness.record(vec![invoice("acme", "2026-01-01", "in-0", InvoiceAction::Paid)]).await;
    let mut issued = invoice("acme", "2026-02-20", "in-1", InvoiceAction::Issued);
    if let Some(proto::signal::Payload::Invoice(told)) = &mut issued.payload {
        told.due_time = Some(time("2026-03-05"));
    }
    let failed = invoice("acme", "2026-02-25", "in-1", InvoiceAction::PaymentFailed);
    let paid = invoice("acme", "2026-03-01", "in-1", InvoiceAction::Paid);
    harness.record(vec![issued.clone(), failed.clone(), paid.clone()]).await;
    assert_eq!(lasting(&harness, "acme").await, []);
    // Without its payment it was overdue since.
    withdraw(&harness, &[paid]).await;
    let overdue = async |harness: &Harness| {
        let lasting = lasting(harness, "acme").await;
        let cause = |trigger: &proto::RiskTrigger| match &trigger.cause {
            Some(proto::risk_trigger::Cause::Payment(cause)) => (cause.overdue, cause.failed_attempt_count),
            _ => panic!("a payment"),
        };
        lasting.iter().map(cause).collect::<Vec<_>>()
    };
    assert_eq!(overdue(&harness).await, [(true, 1)]);
    withdraw(&harness, &[failed]).await;
    assert_eq!(overdue(&harness).await, [(true, 0)]);
    withdraw(&harness, &[issued]).await;
    assert_eq!(overdue(&harness).await, []);
}

#[tokio::test]
async fn r216_comparisons_of_who_was_exposed_forget_what_was_withdrawn() {
    let mut harness = Harness::start("2026-06-15T12:00:00Z").await;
    let since = Some(time("2025-01-15"));
    let accounts = ["hit", "spared"].map(|id| proto::Account { activation_time: since, ..account(id) }).to_vec();
    let request = proto::BatchUpsertAccountsRequest { accounts, ..Default::default() };
    harness.accounts.batch_upsert_accounts(request).await.expect("accounts");
    let told = |id: &str| {
        let incident = proto::IncidentSignal { incident_id: "inc-1".to_owned(), severity: 2, minutes: 90 };
        signal(id, "2026-02-01", proto::signal::Payload::Incident(incident))
    };
    let outcome = proto::CaseOutcomeSignal { case_id: "case-1".to_owned(), outcome: 1, ..Default::default() };
    let case = signal("hit", "2026-02-01", proto::signal::Payload::CaseOutcome(outcome));
    harness.record(vec![told("hit"), case.clone()]).await;
    let exposed = async |kind: Kind| {
        let exposure = Some(proto::Exposure { kind: Some(kind) });
        let request = proto::CompareExposureRequest { exposure, ..Default::default() };
        let mut client = CohortServiceClient::new(harness.channel.clone());
        let answer = client.compare_exposure(request).await.expect("an answer").into_inner();
        answer.all.and_then(|all| all.group).map(|group| group.customer_count)
    };
    let incidents = Kind::Incidents(proto::IncidentExposure { incident_count_min: 1, minutes_min: 0 });
    let cases = Kind::Cases(proto::CaseExposure::default());
    assert_eq!((exposed(incidents.clone()).await, exposed(cases.clone()).await), (Some(1), Some(1)));
    withdraw(&harness, &[told("hit"), case]).await;
    assert_eq!((exposed(incidents).await, exposed(cases).await), (Some(0), Some(0)));
}

#[tokio::test]
async fn r216_a_source_that_spoke_has_spoken() {
    let mut harness = acme().await;
    let days = async |harness: &Harness| -> Vec<String> {
        let sql = "SELECT concat_ws('/', system, told, day) FROM scoring.system_days
                    UNION ALL SELECT concat_ws('/', kind, name, day) FROM scoring.series_days
                    UNION ALL SELECT concat_ws('/', source, heard_at) FROM scoring.payment_sources ORDER BY 1";
        sqlx::query_scalar(sql).fetch_all(harness.database.pool()).await.expect("days")
    };
    let told = vec![
        usage("acme", "2026-03-02", "emails", 9),
        invoice("acme", "2026-03-01", "in-1", InvoiceAction::Paid),
        uses("acme", "2026-03-01", "export", 2),
    ];
    harness.record(told.clone()).await;
    let before = days(&harness).await;
    assert!(before.len() > 5, "{before:?}");
    withdraw(&harness, &told).await;
    assert_eq!(days(&harness).await, before);
}

#[tokio::test]
async fn r216_signals_that_changed_the_account_are_refused_and_milestones_are_not() {
    let mut harness = acme().await;
    let changes = vec![
        churn("acme", "2026-03-01"),
        lifecycle("acme", "2026-03-02", Change::SeatChange(proto::SeatChange { seats: 5 })),
        lifecycle("acme", "2026-03-03", Change::Activation(proto::Activation {})),
    ];
    let reached = milestone("acme", "2026-03-04", "first_campaign");
    harness.record([changes.clone(), vec![reached.clone()]].concat()).await;
    let ids: Vec<&str> = changes.iter().chain([&reached]).map(|one| one.source_id.as_str()).collect();
    let refused = try_withdraw(&harness, request("acme", &ids)).await.expect_err("refused");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "SIGNAL_CHANGED_ACCOUNT"));
    assert!(refused.message().contains("UpdateAccount"), "{}", refused.message());
    assert_eq!(violated_fields(&refused), ["source_ids[0]", "source_ids[1]", "source_ids[2]"]);
    assert_eq!(withdraw(&harness, &[reached]).await.withdrawn_count, 1);
}

#[tokio::test]
async fn r216_ids_that_are_not_known_are_named_and_nothing_is_withdrawn() {
    let mut harness = acme().await;
    harness.create_accounts(&["other"]).await;
    let known = usage("acme", "2026-03-02", "emails", 9);
    let of_other = usage("other", "2026-03-02", "emails", 8);
    harness.record(vec![known.clone(), of_other.clone()]).await;
    let before = made_of(&harness, "acme").await;
    let ids = ["nobody", known.source_id.as_str(), of_other.source_id.as_str(), "nobody"];
    let refused = try_withdraw(&harness, request("acme", &ids)).await.expect_err("refused");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "SIGNAL_NOT_FOUND"));
    assert_eq!(violated_fields(&refused), ["source_ids[0]", "source_ids[2]", "source_ids[3]"]);
    let elsewhere = proto::WithdrawSignalsRequest { source: "crm".to_owned(), ..request("acme", &[&known.source_id]) };
    assert_eq!(reason(&try_withdraw(&harness, elsewhere).await.expect_err("refused")), "SIGNAL_NOT_FOUND");
    assert_eq!(made_of(&harness, "acme").await, before);
    let nobody = try_withdraw(&harness, request("nobody", &["1"])).await.expect_err("refused");
    assert_eq!(reason(&nobody), "ACCOUNT_NOT_FOUND");
}

#[tokio::test]
async fn r216_signals_of_an_archived_account_are_withdrawn_once_it_is_back() {
    let mut harness = acme().await;
    let wrong = usage("acme", "2026-03-02", "emails", 9);
    harness.record(vec![wrong.clone()]).await;
    archive(&harness, "acme", "").await.expect("archived");
    let refused = try_withdraw(&harness, request("acme", &[&wrong.source_id])).await.expect_err("refused");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "ACCOUNT_ARCHIVED"));
    let back = proto::UnarchiveAccountRequest { name: "accounts/acme".to_owned(), ..Default::default() };
    harness.accounts.unarchive_account(back).await.expect("back");
    assert_eq!(withdraw(&harness, &[wrong]).await.withdrawn_count, 1);
}

#[tokio::test]
async fn r216_every_fault_of_a_withdrawal_is_named() {
    let harness = acme().await;
    let mut bad = request("a b", &["ok", "", "a\nb"]);
    "No key".clone_into(&mut bad.source);
    " ".clone_into(&mut bad.reason);
    let refused = try_withdraw(&harness, bad).await.expect_err("refused");
    assert_eq!(violated_fields(&refused), ["account", "source", "source_ids[1]", "source_ids[2]", "reason"]);
    for (count, expected) in [(0, true), (1_001, true), (1_000, false)] {
        let ids: Vec<String> = (0..count).map(|number| number.to_string()).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let refused = try_withdraw(&harness, request("acme", &ids)).await.expect_err("refused");
        assert_eq!(violated_fields(&refused)[0] == "source_ids", expected, "{count}");
    }
    let long = proto::WithdrawSignalsRequest { reason: "x".repeat(1_001), ..request("acme", &["1"]) };
    assert_eq!(violated_fields(&try_withdraw(&harness, long).await.expect_err("refused")), ["reason"]);
}

#[tokio::test]
async fn r216_a_withdrawal_that_is_only_checked_changes_nothing() {
    let mut harness = acme().await;
    let wrong = usage("acme", "2026-03-02", "emails", 9);
    harness.record(vec![wrong.clone()]).await;
    let before = made_of(&harness, "acme").await;
    let check = proto::WithdrawSignalsRequest { validate_only: true, ..request("acme", &[&wrong.source_id]) };
    let answer = try_withdraw(&harness, check).await.expect("an answer");
    assert_eq!((answer.withdrawn_count, answer.first_day.as_str()), (1, "2026-03-02"));
    assert_eq!(made_of(&harness, "acme").await, before);
    assert_eq!(withdraw(&harness, &[wrong]).await.withdrawn_count, 1);
}

#[tokio::test]
async fn r216_a_withdrawal_may_be_sent_again() {
    let mut harness = acme().await;
    let told: Vec<proto::Signal> =
        (1..=3).map(|day| usage("acme", &format!("2026-03-0{day}"), "emails", day)).collect();
    harness.record(told.clone()).await;
    let call = async |request_id: String, content: usize| {
        let request = proto::WithdrawSignalsRequest { request_id, ..request("acme", &[&told[content].source_id]) };
        try_withdraw(&harness, request).await
    };
    let count = async || {
        let sql = "SELECT count(*) FROM scoring.signal_withdrawals";
        let count: i64 = sqlx::query_scalar(sql).fetch_one(harness.database.pool()).await.expect("a count");
        count.unsigned_abs()
    };
    idempotency::assert_repeatable(call, count).await;
}

/// Of many who withdraw the same at once each signal is withdrawn by one; what is recorded meanwhile of the same days, stories and
/// features counts.
#[tokio::test]
async fn r216_what_is_withdrawn_and_recorded_at_once_comes_out_as_if_one_came_after_the_other() {
    let ids = ["kept", "mixed"].map(str::to_owned);
    let mut harness = customers(&ids).await;
    let mut draw = draws(7);
    for round in 0..6 {
        let mut of_source = |source: &str| -> Vec<proto::Signal> {
            let mut one = |number: u32| {
                let kind = draw(KINDS);
                drawn("mixed", source, &format!("{round}-{number}"), kind, &mut draw)
            };
            (0..40).map(&mut one).collect()
        };
        let (kept, wrong) = (of_source("test"), of_source("staging"));
        harness.record(of_account(&kept, "kept")).await;
        harness.record(wrong.clone()).await;
        let withdrawals = join_all((0..3).map(|_| withdraw(&harness, &wrong)));
        let recorded = join_all(kept.chunks(4).map(|some| {
            let mut signals = harness.signals.clone();
            let request = proto::BatchRecordSignalsRequest { signals: some.to_vec(), ..Default::default() };
            async move { signals.batch_record_signals(request).await.expect("recorded") }
        }));
        let (answers, _) = futures::join!(withdrawals, recorded);
        let withdrawn: Vec<i32> = answers.iter().map(|answer| answer.withdrawn_count).collect();
        assert_eq!(withdrawn.iter().collect::<BTreeSet<_>>(), BTreeSet::from([&0, &40]), "{withdrawn:?}");
        assert_eq!(withdrawn.iter().sum::<i32>(), 40);
    }
    harness.pass_days(9).await;
    let (kept, mixed) = (made_of(&harness, "kept").await, made_of(&harness, "mixed").await);
    assert_eq!(difference(&kept, &mixed), [""; 0]);
}

/// The level of a day is its newest, of those at the same time the largest; also when the newest is withdrawn.
#[tokio::test]
async fn r216_the_level_of_a_day_is_the_newest_that_is_left() {
    let mut harness = acme().await;
    let level = |time: &str, level: f64| gauge("acme", time, "seats", level);
    let told = vec![
        level("2026-03-01T08:00:00Z", 3.0),
        level("2026-03-01T09:00:00Z", 5.0),
        level("2026-03-01T09:00:00Z", 4.0),
        level("2026-03-02T00:00:00Z", 8.0),
    ];
    harness.record(told.clone()).await;
    let levels = async || -> Vec<f64> {
        let sql = "SELECT level FROM scoring.gauge_months, unnest(day_levels) AS level WHERE level IS NOT NULL";
        sqlx::query_scalar(sql).fetch_all(harness.database.pool()).await.expect("levels")
    };
    assert_eq!(levels().await, [5.0, 8.0]);
    for (place, left) in [(1, vec![4.0, 8.0]), (3, vec![4.0]), (2, vec![3.0]), (0, vec![])] {
        withdraw(&harness, &told[place..=place]).await;
        assert_eq!(levels().await, left, "without {place}");
    }
}

/// Each of two who withdraw one of its signals may be the last.
#[tokio::test]
async fn r216_a_milestone_whose_signals_are_withdrawn_at_once_by_several_is_not_reached() {
    let mut harness = acme().await;
    for round in 0..12 {
        let told: Vec<proto::Signal> =
            (1..=3).map(|day| milestone("acme", &format!("2026-03-0{day}"), &format!("m-{round}"))).collect();
        harness.record(told.clone()).await;
        join_all(told.iter().map(|one| withdraw(&harness, std::slice::from_ref(one)))).await;
        let sql = "SELECT count(*) FROM scoring.milestones";
        let reached: i64 = sqlx::query_scalar(sql).fetch_one(harness.database.pool()).await.expect("a count");
        assert_eq!(reached, 0, "round {round}");
    }
}

#[tokio::test]
async fn r216_a_silence_that_a_withdrawn_activity_ended_is_told_again_at_once() {
    let mut harness = Harness::start("2026-03-01T12:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    harness.record(vec![activity("acme", "2026-03-01", "ann")]).await;
    harness.pass_days(16).await;
    let test = activity("acme", "2026-03-17", "test");
    harness.record(vec![test.clone()]).await;
    harness.settle().await;
    let told = async |harness: &Harness| -> Vec<Told> {
        told_of(harness, RiskTriggerKind::Inactivity).await.into_iter().map(|(told, _)| told).collect()
    };
    assert_eq!(told(&harness).await, [Told::Raised, Told::Cleared]);
    harness.turn_to("2026-03-18").await;
    withdraw(&harness, &[test]).await;
    assert_eq!(told(&harness).await, [Told::Raised, Told::Cleared, Told::Raised]);
}
