//! Invoices are overdue once their due time passed, without anybody saying so.

use chrono::TimeDelta;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::report_service_client::ReportServiceClient;
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use mainstay_domain::{Clock, start_of_day};
use proto::RiskTriggerKind::PaymentFailed;
use proto::{Aggregation, BillingFlowKind, InvoiceAction, StorySeries};

use crate::account_fixtures::{archive, time};
use crate::harness::{Harness, at, model_of, usage};
use crate::risk_fixtures::{Told, churn, invoice, lasting, risk_events, told_of};
use crate::story_scores::measure_of;

/// Noon on 2026-03-10, with customers, and a source that has told of a payment of one of them.
async fn paying() -> Harness {
    let mut harness = customers().await;
    harness.record(vec![invoice("other", "2026-03-01", "in-0", InvoiceAction::Paid)]).await;
    harness
}

/// The same, of whose payments nobody has told.
async fn customers() -> Harness {
    let mut harness = Harness::start("2026-03-10T12:00:00Z").await;
    harness.create_accounts(&["acme", "other"]).await;
    harness
}

/// An invoice was issued, or another due time given to it.
fn due(id: &str, at: &str, invoice_id: &str, due_time: &str) -> proto::Signal {
    let mut signal = invoice(id, at, invoice_id, InvoiceAction::Issued);
    if let Some(Payload::Invoice(told)) = &mut signal.payload {
        told.due_time = Some(time(due_time));
    }
    signal
}

/// Turns the clock to a time; the source tells of something else each midnight until then, and then.
async fn live_to(harness: &mut Harness, at_time: &str) {
    let end = at(at_time);
    loop {
        let midnight = start_of_day(harness.clock.today() + TimeDelta::days(1));
        harness.clock.set(midnight.min(end));
        let time = harness.clock_time();
        harness.record(vec![invoice("other", &time, &format!("of-{time}"), InvoiceAction::Issued)]).await;
        if midnight >= end {
            break;
        }
    }
    harness.settle().await;
}

async fn told(harness: &Harness) -> Vec<Told> {
    told_of(harness, PaymentFailed).await.into_iter().map(|(told, _)| told).collect()
}

/// How many invoices wait for their due time.
async fn timers(harness: &Harness) -> i64 {
    let sql = "SELECT count(*) FROM scoring.jobs WHERE queue = 'due_times'";
    sqlx::query_scalar(sql).fetch_one(harness.database.pool()).await.expect("a count")
}

/// From when invoices were unpaid, as reports count them, each with the day as the days of its account have it.
async fn unpaid(harness: &Harness) -> Vec<(String, Option<String>)> {
    let sql = "SELECT invoice_id, to_char(overdue_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')
                 FROM scoring.billing_invoices ORDER BY invoice_id";
    sqlx::query_as(sql).fetch_all(harness.database.pool()).await.expect("rows")
}

/// By how many more the unpaid invoices of an account became on the days of March.
async fn unpaid_days(harness: &Harness, id: &str) -> Vec<(i32, i64)> {
    let sql = "SELECT day, day_sums[day] FROM scoring.count_months CROSS JOIN generate_subscripts(day_sums, 1) AS day
                WHERE account_id = $1 AND name = 'invoices_unpaid' AND month = '2026-03-01' AND day_sums[day] <> 0 ORDER BY day";
    sqlx::query_as(sql).bind(id).fetch_all(harness.database.pool()).await.expect("rows")
}

#[tokio::test]
async fn r65_an_invoice_is_overdue_a_day_after_its_due_time_without_anybody_saying_so() {
    let mut harness = paying().await;
    harness.record(vec![due("acme", "2026-03-10", "in-1", "2026-03-11")]).await;
    harness.clock.set(at("2026-03-12T23:59:59Z"));
    assert_eq!(told(&harness).await, []);
    live_to(&mut harness, "2026-03-13").await;
    let mut told = risk_events(&harness).await;
    told.retain(|(_, trigger)| trigger.kind() == PaymentFailed);
    let [(Told::Raised, trigger)] = &told[..] else { panic!("once: {told:?}") };
    assert_eq!((trigger.account.as_str(), trigger.kind()), ("accounts/acme", PaymentFailed));
    assert_eq!((trigger.subject.as_str(), trigger.raise_time), ("in-1", Some(time("2026-03-13"))));
    let Some(proto::risk_trigger::Cause::Payment(cause)) = &trigger.cause else { panic!("a payment") };
    assert_eq!((cause.overdue, cause.failed_attempt_count), (true, 0));

    let mut reports = ReportServiceClient::new(harness.channel.clone());
    let report = reports.get_revenue_report(proto::GetRevenueReportRequest::default()).await.expect("a report");
    let report = report.into_inner();
    let status = report.payment_status.expect("a status");
    assert_eq!((status.unpaid_invoice_count, status.at_risk_account_count), (1, 1));
    let overdue = report.flows.iter().find(|flow| flow.kind() == BillingFlowKind::InvoiceOverdue);
    assert_eq!(overdue.expect("every kind").count, 1);
    assert_eq!(unpaid_days(&harness, "acme").await, [(13, 1)]);
    assert_eq!(timers(&harness).await, 0);
    harness.pass_days(3).await;
    assert_eq!(told_of(&harness, PaymentFailed).await.len(), 1, "that once");
}

#[tokio::test]
async fn r65_an_overdue_invoice_weighs_from_the_day_on_which_it_is_overdue_also_when_the_timer_is_late() {
    let mut harness = paying().await;
    let measure = measure_of(StorySeries::InvoicesUnpaid, Aggregation::Last, 1, 2.0);
    harness.activate("billing", model_of(measure)).await;
    let seen = usage("acme", "2026-03-10", "emails", 1);
    harness.record(vec![seen, due("acme", "2026-03-10", "in-1", "2026-03-11")]).await;
    harness.settle().await;
    // Nothing works until then.
    live_to(&mut harness, "2026-03-15").await;
    let mut scores = Vec::new();
    for day in 12..=15 {
        scores.push(harness.health_of("acme", &format!("2026-03-{day}")).await.score);
    }
    assert_eq!(scores, [Some(100.0), Some(50.0), Some(50.0), Some(50.0)]);
}

#[tokio::test]
async fn r65_an_invoice_that_is_paid_in_time_is_never_overdue_also_when_that_is_told_late() {
    let mut harness = paying().await;
    let issued = ["in-1", "in-2"].map(|invoice_id| due("acme", "2026-03-10", invoice_id, "2026-03-11"));
    harness.record(issued.to_vec()).await;
    harness.clock.set(at("2026-03-12"));
    harness.record(vec![invoice("acme", "2026-03-12", "in-1", InvoiceAction::Paid)]).await;
    live_to(&mut harness, "2026-03-14").await;
    assert_eq!(told_of(&harness, PaymentFailed).await, [(Told::Raised, "in-2".to_owned())]);
    harness.record(vec![invoice("acme", "2026-03-13", "in-2", InvoiceAction::Paid)]).await;
    assert_eq!(told(&harness).await, [Told::Raised, Told::Cleared]);
    assert_eq!((unpaid(&harness).await, unpaid_days(&harness, "acme").await), (vec![], vec![]));
}

#[tokio::test]
async fn r65_paying_an_overdue_invoice_ends_what_its_due_time_began() {
    let mut harness = paying().await;
    harness.record(vec![due("acme", "2026-03-10", "in-1", "2026-03-11")]).await;
    live_to(&mut harness, "2026-03-16").await;
    harness.record(vec![invoice("acme", "2026-03-15", "in-1", InvoiceAction::Paid)]).await;
    assert_eq!(told(&harness).await, [Told::Raised, Told::Cleared]);
    assert_eq!(unpaid(&harness).await, [("in-1".to_owned(), Some("2026-03-13 00:00".to_owned()))]);
    assert_eq!(unpaid_days(&harness, "acme").await, [(13, 1), (15, -1)]);
}

#[tokio::test]
async fn r65_a_due_time_that_is_moved_begins_anew_before_and_after_it_passed() {
    let mut harness = paying().await;
    harness.record(vec![due("acme", "2026-03-10", "in-1", "2026-03-11")]).await;
    harness.record(vec![due("acme", "2026-03-10T01:00:00Z", "in-1", "2026-03-13")]).await;
    live_to(&mut harness, "2026-03-14").await;
    assert_eq!(told(&harness).await, []);
    live_to(&mut harness, "2026-03-15").await;
    assert_eq!(told(&harness).await, [Told::Raised]);
    harness.record(vec![due("acme", "2026-03-15", "in-1", "2026-03-19")]).await;
    // Said before: what was said last holds.
    harness.record(vec![due("acme", "2026-03-13", "in-1", "2026-02-28")]).await;
    assert_eq!(told(&harness).await, [Told::Raised, Told::Cleared]);
    assert_eq!((unpaid(&harness).await, unpaid_days(&harness, "acme").await), (vec![], vec![]));
    live_to(&mut harness, "2026-03-20").await;
    assert_eq!(told(&harness).await.len(), 2);
    live_to(&mut harness, "2026-03-21").await;
    assert_eq!(told(&harness).await[2..], [Told::Raised]);
    // Brought forward, a timer rings sooner than the one that was set.
    harness.record(vec![due("other", "2026-03-20", "in-2", "2026-04-19")]).await;
    harness.record(vec![due("other", "2026-03-21", "in-2", "2026-03-21")]).await;
    live_to(&mut harness, "2026-03-23").await;
    assert_eq!(told(&harness).await[3..], [Told::Raised]);
}

#[tokio::test]
async fn r65_where_nobody_tells_of_payments_due_times_say_nothing_until_somebody_does() {
    let mut harness = customers().await;
    let issued = [("in-1", "2026-03-11"), ("in-2", "2026-02-28")].map(|(id, at)| due("acme", "2026-03-10", id, at));
    harness.record(issued.to_vec()).await;
    harness.pass_days(5).await;
    assert_eq!(told(&harness).await, []);
    // Another system than the one that told the due time.
    let mut paid = invoice("other", "2026-03-15", "in-2", InvoiceAction::Paid);
    paid.source = "bank".to_owned();
    harness.record(vec![paid]).await;
    harness.pass_days(2).await;
    assert_eq!(told(&harness).await, []);
    harness.record(vec![invoice("other", "2026-03-17", "in-3", InvoiceAction::Paid)]).await;
    harness.pass_days(7).await;
    assert_eq!(told(&harness).await, [Told::Raised; 2]);
    assert_eq!(unpaid_days(&harness, "acme").await, [(2, 1), (13, 1)], "since when they are overdue");
}

#[tokio::test]
async fn r65_where_nobody_tells_of_payments_a_due_time_is_looked_at_less_and_less_but_never_forgotten() {
    let mut harness = customers().await;
    let voided = invoice("acme", "2026-03-05", "in-0", InvoiceAction::Voided);
    harness.record(vec![due("acme", "2026-03-10", "in-0", "2026-03-08"), voided]).await;
    assert_eq!(timers(&harness).await, 0, "nobody waits for what was voided in time");
    harness.record(vec![due("acme", "2026-03-10", "in-1", "2026-03-11")]).await;
    let mut looks: Vec<String> = Vec::new();
    for _ in 0..30 {
        harness.pass_days(1).await;
        let sql = "SELECT to_char(due_at AT TIME ZONE 'UTC', 'MM-DD') FROM scoring.jobs WHERE queue = 'due_times'";
        looks.push(sqlx::query_scalar(sql).fetch_one(harness.database.pool()).await.expect("a timer"));
    }
    looks.dedup();
    let expected: [String; 7] = ["03-13", "03-14", "03-15", "03-17", "03-21", "03-28", "04-04"].map(str::to_owned);
    assert_eq!(looks[..7], expected, "a day, two, four, then each week");
    harness.record(vec![invoice("other", "2026-04-09", "in-2", InvoiceAction::Paid)]).await;
    harness.pass_days(7).await;
    assert_eq!(told(&harness).await, [Told::Raised]);
}

/// As when the secret of a webhook expires: of all that was paid nothing comes in, and then by and by.
#[tokio::test]
async fn r65_a_source_that_fell_silent_makes_nobody_overdue_until_it_had_time_to_tell_what_was_held_up() {
    let mut harness = paying().await;
    let issued = ["in-1", "in-2"].map(|invoice_id| due("acme", "2026-03-10", invoice_id, "2026-03-12"));
    harness.record(issued.to_vec()).await;
    harness.turn_to("2026-03-14").await;
    harness.pass_days(1).await;
    assert_eq!(told(&harness).await, [], "nothing came since the 10th");
    live_to(&mut harness, "2026-03-15T06:00:00Z").await;
    live_to(&mut harness, "2026-03-16").await;
    assert_eq!(told(&harness).await, [], "it is back, and what it told of payments may come");
    harness.record(vec![invoice("acme", "2026-03-12", "in-2", InvoiceAction::Paid)]).await;
    live_to(&mut harness, "2026-03-18T05:00:00Z").await;
    assert_eq!(told(&harness).await, []);
    live_to(&mut harness, "2026-03-18T07:00:00Z").await;
    assert_eq!(told_of(&harness, PaymentFailed).await, [(Told::Raised, "in-1".to_owned())]);
    assert_eq!(unpaid_days(&harness, "acme").await, [(14, 1)], "since then");
}

#[tokio::test]
async fn r65_after_a_week_silence_is_believed() {
    let mut harness = paying().await;
    harness.record(vec![due("acme", "2026-03-10", "in-1", "2026-03-12")]).await;
    harness.turn_to("2026-03-20").await;
    assert_eq!(told(&harness).await, []);
    harness.turn_to("2026-03-21").await;
    assert_eq!(told(&harness).await, [Told::Raised]);
}

#[tokio::test]
async fn r65_of_an_archived_account_of_which_no_payment_is_taken_in_nothing_lapses() {
    let mut harness = paying().await;
    harness.record(vec![due("acme", "2026-03-10", "in-1", "2026-03-11")]).await;
    archive(&harness, "acme", "").await.expect("archived");
    live_to(&mut harness, "2026-03-20").await;
    assert_eq!((unpaid_days(&harness, "acme").await, timers(&harness).await), (vec![], 1));
    let back = proto::UnarchiveAccountRequest { name: "accounts/acme".to_owned(), ..Default::default() };
    harness.accounts.unarchive_account(back).await.expect("unarchived");
    harness.record(vec![invoice("acme", "2026-03-12", "in-1", InvoiceAction::Paid)]).await;
    live_to(&mut harness, "2026-03-28").await;
    assert_eq!((told(&harness).await, unpaid_days(&harness, "acme").await), (vec![], vec![]));
}

#[tokio::test]
async fn r65_a_time_of_day_has_a_day_of_grace_and_a_day_until_its_end_and_one_more() {
    let mut harness = paying().await;
    let due_times = [("in-1", "2026-03-11"), ("in-2", "2026-03-11T09:30:00Z")];
    harness.record(due_times.map(|(id, due_time)| due("acme", "2026-03-10", id, due_time)).to_vec()).await;
    live_to(&mut harness, "2026-03-12T08:29:59Z").await;
    assert_eq!(told(&harness).await, []);
    live_to(&mut harness, "2026-03-12T09:30:00Z").await;
    assert_eq!(told_of(&harness, PaymentFailed).await, [(Told::Raised, "in-2".to_owned())]);
    live_to(&mut harness, "2026-03-12T22:59:59Z").await;
    assert_eq!(told(&harness).await.len(), 1);
    live_to(&mut harness, "2026-03-13").await;
    assert_eq!(told_of(&harness, PaymentFailed).await[1..], [(Told::Raised, "in-1".to_owned())]);
}

#[tokio::test]
async fn r65_of_invoices_that_are_imported_those_not_settled_are_overdue_at_once_and_none_has_a_timer() {
    let mut harness = paying().await;
    let late = invoice("acme", "2026-02-10", "in-2", InvoiceAction::Paid);
    let imported = vec![
        due("acme", "2026-01-01", "in-1", "2026-01-30"),
        invoice("acme", "2026-01-31", "in-1", InvoiceAction::Paid),
        due("acme", "2026-01-02", "in-2", "2026-01-30"),
        late,
        due("acme", "2026-02-01", "in-3", "2026-02-27"),
    ];
    harness.record(imported).await;
    assert_eq!(timers(&harness).await, 0);
    assert_eq!(told_of(&harness, PaymentFailed).await, [(Told::Raised, "in-3".to_owned())]);
    let overdue = |invoice_id: &str, at: &str| (invoice_id.to_owned(), Some(at.to_owned()));
    assert_eq!(unpaid(&harness).await, [overdue("in-2", "2026-02-01 00:00"), overdue("in-3", "2026-03-01 00:00")]);
}

#[tokio::test]
async fn r65_a_due_time_of_who_left_raises_nothing_until_they_are_back() {
    let mut harness = paying().await;
    harness.create_accounts(&["gone"]).await;
    harness.record(vec![due("gone", "2026-03-10", "in-1", "2026-03-11"), churn("gone", "2026-03-10")]).await;
    live_to(&mut harness, "2026-03-14").await;
    assert_eq!(told(&harness).await, []);
    assert_eq!(unpaid_days(&harness, "gone").await, [(13, 1)], "it is unpaid all the same");
    let back = proto::Account {
        name: "accounts/gone".to_owned(),
        lifecycle_stage: proto::LifecycleStage::Active.into(),
        ..Default::default()
    };
    let request = proto::UpdateAccountRequest {
        account: Some(back),
        update_mask: Some(prost_types::FieldMask { paths: vec!["lifecycle_stage".to_owned()] }),
        ..Default::default()
    };
    harness.accounts.update_account(request).await.expect("a customer again");
    assert_eq!(told_of(&harness, PaymentFailed).await, [(Told::Raised, "in-1".to_owned())]);
}

#[tokio::test]
async fn r65_an_account_that_somebody_holds_is_looked_at_when_it_is_free() {
    let mut harness = paying().await;
    let issued = ["acme", "other"].map(|id| due(id, "2026-03-10", &format!("in-{id}"), "2026-03-11"));
    harness.record(issued.to_vec()).await;
    harness.settle().await;
    let mut holder = harness.database.pool().begin().await.expect("a transaction");
    let hold = "SELECT 1 FROM scoring.accounts WHERE account_id = 'acme' FOR UPDATE";
    sqlx::query(hold).execute(&mut *holder).await.expect("the account");
    live_to(&mut harness, "2026-03-13").await;
    assert_eq!(told_of(&harness, PaymentFailed).await, [(Told::Raised, "in-other".to_owned())]);
    holder.rollback().await.expect("released");
    harness.clock.set(at("2026-03-13T00:00:01Z"));
    assert_eq!(told_of(&harness, PaymentFailed).await[1..], [(Told::Raised, "in-acme".to_owned())]);
}

#[tokio::test]
async fn r65_replicas_and_signals_sent_twice_tell_of_a_due_time_once() {
    let mut harness = paying().await;
    let ids: Vec<String> = (0..200).map(|number| format!("account-{number}")).collect();
    harness.create_accounts(&ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let issued: Vec<_> = ids.iter().map(|id| due(id, "2026-03-10", "in-1", "2026-03-11")).collect();
    harness.record(issued.clone()).await;
    harness.settle().await;
    let (_service, other) = harness.replica().await;
    harness.clock.set(at("2026-03-13"));
    harness.record(vec![invoice("other", "2026-03-13", "in-9", InvoiceAction::Issued)]).await;
    let mut sender = harness.signals.clone();
    let again = proto::BatchRecordSignalsRequest { signals: issued, ..Default::default() };
    let (first, second, again) = tokio::join!(harness.try_settle(), other.settle(), sender.batch_record_signals(again));
    first.expect("due work");
    second.expect("due work");
    assert_eq!(again.expect("recorded").into_inner().duplicate_count, 200);
    assert_eq!(told(&harness).await, [Told::Raised; 200]);
    assert_eq!(timers(&harness).await, 0);
    assert_eq!(unpaid_days(&harness, "account-7").await, [(13, 1)]);
}

#[tokio::test]
async fn r65_a_payment_at_the_moment_at_which_an_invoice_is_overdue_ends_in_one_state() {
    let mut harness = paying().await;
    let ids: Vec<String> = (0..100).map(|number| format!("account-{number}")).collect();
    harness.create_accounts(&ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
    harness.record(ids.iter().map(|id| due(id, "2026-03-10", "in-1", "2026-03-11")).collect()).await;
    live_to(&mut harness, "2026-03-12T20:00:00Z").await;
    harness.clock.set(at("2026-03-13T00:00:01Z"));
    harness.record(vec![invoice("other", "2026-03-13", "in-9", InvoiceAction::Issued)]).await;
    let mut sender = harness.signals.clone();
    let paid = async {
        for ids in ids.chunks(10) {
            let paid = |id: &String| invoice(id, "2026-03-13T00:00:01Z", "in-1", InvoiceAction::Paid);
            let request =
                proto::BatchRecordSignalsRequest { signals: ids.iter().map(paid).collect(), ..Default::default() };
            sender.batch_record_signals(request).await.expect("recorded");
        }
    };
    let (settled, ()) = tokio::join!(harness.try_settle(), paid);
    settled.expect("due work");
    harness.settle().await;
    let told = told(&harness).await;
    let raised = told.iter().filter(|told| **told == Told::Raised).count();
    assert_eq!(told.iter().filter(|told| **told == Told::Cleared).count(), raised, "what began has ended");
    for id in &ids {
        let lasting = lasting(&harness, id).await;
        assert!(lasting.iter().all(|trigger| trigger.kind() != PaymentFailed), "{id}");
        assert_eq!(unpaid_days(&harness, id).await, [], "a second of one day: {id}");
    }
    let overdue = unpaid(&harness).await;
    assert_eq!(overdue, vec![("in-1".to_owned(), Some("2026-03-13 00:00".to_owned())); 100]);
}
