//! What each measure of a model says alone of those who left: which warning was the most telling, and how early.

use chrono::{NaiveDate, TimeDelta};
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use proto::{Aggregation, StorySeries, TicketAction, TicketPriority};

use crate::account_fixtures::time;
use crate::backtest_fixtures::{backtest, create, customers, misleads, request};
use crate::harness::{Harness, model_of, sum_of, usage};
use crate::risk_fixtures::ticket;
use crate::story_scores::measure_of;

/// A service with customers of whom half leave, all of whom also ping; as often whether they leave or not.
async fn pinging_customers() -> Harness {
    let mut harness = customers(misleads()).await;
    let pings = (0..40i64).flat_map(|number| {
        let weeks = 0..40;
        weeks.map(move |week| {
            let on = first_week() + TimeDelta::weeks(week);
            usage(&format!("c{number:02}"), &on.to_string(), "pings", 20 + number % 5)
        })
    });
    harness.record(pings.collect()).await;
    harness
}

fn first_week() -> NaiveDate {
    NaiveDate::from_ymd_opt(2025, 9, 1).expect("a day")
}

/// A model of these measures, which all weigh the same.
fn model_with(measures: Vec<proto::Measure>) -> proto::Model {
    let mut model = model_of(sum_of("emails", 28));
    model.components[0].measures = measures;
    model
}

fn area(trial: &proto::MeasureTrial) -> f64 {
    trial.auc.expect("an area").value
}

/// Asserts that of the 20 who left nearly all were warned of, so many days before at the median.
#[track_caller]
fn assert_warned(trial: &proto::MeasureTrial, days: std::ops::RangeInclusive<f64>) {
    let lead = trial.lead_time.expect("a lead time");
    let warned = lead.warned.expect("who left");
    assert!(warned.total == 20 && warned.count >= 18, "{trial:?}");
    let median = lead.median_days.expect("warned");
    assert!(days.contains(&median), "{median} days: {trial:?}");
}

#[tokio::test]
async fn r78_of_several_warnings_the_one_that_saw_who_would_leave_comes_first_with_how_early_it_did() {
    let harness = pinging_customers().await;
    let model = model_with(vec![sum_of("meetings", 28), sum_of("pings", 28), sum_of("emails", 28)]);
    create(&harness, "three", model).await;
    let found = backtest(&harness, request("three")).await;
    let order: Vec<&str> = found.measures.iter().map(|trial| trial.measure.as_str()).collect();
    assert_eq!(order, ["emails_sum", "pings_sum", "meetings_sum"]);
    let [emails, pings, meetings] = found.measures.as_slice() else { panic!("three measures") };
    assert!(area(emails) > 0.75 && area(emails) > area(pings) && area(pings) > area(meetings), "{order:?}");
    assert!((0.4..0.6).contains(&area(pings)), "pings tell nothing: {pings:?}");
    // They stop 50 days before; each 30 days is a look.
    assert_warned(emails, 1.0..=50.0);
    let of_pings = pings.lead_time.expect("who left");
    assert_eq!(of_pings.warned.map(|warned| (warned.count, warned.total)), Some((0, 20)), "{pings:?}");
    assert_eq!(of_pings.median_days, None);
}

/// Tickets of all customers, one each fortnight: they are answered within two hours and resolved within a day, but for those of the
/// last 60 days before a customer leaves, which wait for a day and a half and are resolved after five.
fn delayed_before_leaving() -> Vec<proto::Signal> {
    let mut told = Vec::new();
    for number in 0..40i64 {
        let id = format!("c{number:02}");
        let left =
            (number < 20).then(|| NaiveDate::from_ymd_opt(2026, 2, 1).expect("a day") + TimeDelta::days(3 * number));
        for fortnight in 0..15 {
            let on = first_week() + TimeDelta::weeks(2 * fortnight);
            let days_left = left.map(|left| (left - on).num_days());
            if days_left.is_some_and(|days| days <= 5) {
                break;
            }
            let is_slow = days_left.is_some_and(|days| days < 60);
            let (answered, resolved) = if is_slow { (36, 120) } else { (2, 24) };
            let ticket_id = format!("t-{fortnight}");
            let after = |hours: i64| {
                let time = on.and_time(chrono::NaiveTime::MIN).and_utc() + TimeDelta::hours(hours);
                time.to_rfc3339()
            };
            let mut opened = ticket(&id, &after(0), &ticket_id, TicketAction::Opened, TicketPriority::Normal);
            if let Some(Payload::Ticket(told)) = &mut opened.payload {
                told.first_response_time = Some(time(&after(answered)));
            }
            told.push(opened);
            told.push(ticket(&id, &after(resolved), &ticket_id, TicketAction::Resolved, TicketPriority::Unspecified));
        }
    }
    told
}

#[tokio::test]
async fn r75_slow_answers_and_late_solutions_before_customers_leave_are_found_and_come_before_what_tells_nothing() {
    let mut harness = pinging_customers().await;
    harness.record(delayed_before_leaving()).await;
    let model = model_with(vec![
        sum_of("pings", 28),
        measure_of(StorySeries::FirstResponseHours, Aggregation::Mean, 28, 48.0),
        measure_of(StorySeries::ResolutionHours, Aggregation::Mean, 28, 168.0),
    ]);
    create(&harness, "delays", model).await;
    let found = backtest(&harness, request("delays")).await;
    let order: Vec<&str> = found.measures.iter().map(|trial| trial.measure.as_str()).collect();
    let of_delays = ["story_series_first_response_hours", "story_series_resolution_hours"];
    assert!(of_delays.iter().all(|id| order[..2].contains(id)) && order[2] == "pings_sum", "{order:?}");
    for trial in &found.measures[..2] {
        assert!(area(trial) > 0.75 && area(trial) > area(&found.measures[2]), "{trial:?}");
        assert_warned(trial, 1.0..=60.0);
    }
}
