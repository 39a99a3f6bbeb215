use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use mainstay_domain::{AccountId, Band, Currency, ModelId, Money};
use proptest::prelude::*;

use super::super::json::{StoredBand, StoredPoints};
use super::super::measure::{MissingReason, Reading};
use super::super::risk_trigger::{Condition, RiskTriggerKind};
use super::super::test_support::{account, context, model, score_today, today};
use super::super::usage_decline::{Decline, WeekOfUse};
use super::super::{HealthModel, Scored, parse_model_file, score_readings};
use super::*;

const MODEL: &str = "\
name: models/shop
display_name: Shop
components:
  - id: usage
    display_name: Usage
    weight: 1
    measures:
      - id: active_days
        display_name: Active days
        weight: 1
        input: any_user
        window: 28d
        aggregation: active_days
        curve: [[0, 0], [20, 100]]
      - id: trend
        display_name: Trend
        weight: 1
        input: {metric: emails_sent}
        window: 28d
        aggregation: sum
        comparison: earlier_window
        curve: [[0, 0], [1, 100]]
      - id: recency
        display_name: Recency
        weight: 1
        input: any_user
        window: lifetime
        aggregation: days_since_last
        curve: [[0, 100], [50, 0]]
      - id: seats
        display_name: Seats
        weight: 1
        input: {metric: seats}
        window: 30d
        aggregation: last_of_limit
        curve: [[0, 0], [1, 100]]
";

fn shop() -> HealthModel {
    HealthModel::from_draft(parse_model_file(MODEL).expect("parses")).expect("valid")
}

fn read(value: f64, raw: f64, base: Option<f64>) -> Reading {
    Reading { value: Ok(value), raw_value: Some(raw), base_value: base, freshness_days: Some(0) }
}

fn scored(readings: [Reading; 4]) -> Scored {
    score_readings(&shop(), readings.to_vec(), None)
}

fn trigger(number: u128, kind: RiskTriggerKind, subject: &str, cause: RiskCause) -> RiskTrigger {
    let raised_at: DateTime<Utc> = "2026-03-01T12:00:00Z".parse().expect("a time");
    let raised_at = raised_at + TimeDelta::hours(i64::try_from(number).expect("small"));
    RiskTrigger {
        id: Uuid::from_u128(number),
        account: AccountId::parse("acme").expect("an id"),
        kind,
        subject: subject.to_owned(),
        raised_at,
        changed_at: raised_at,
        cleared: None,
        score: None,
        condition: Condition { cause, occurrence_count: 1 },
    }
}

fn unpaid() -> RiskTrigger {
    let amount = Amount(Money { currency: Currency::parse("EUR").expect("a currency"), minor_units: 12_000 });
    let cause = RiskCause::Payment {
        amount: Some(amount),
        failed_attempt_count: 3,
        failure_reason: "card declined".to_owned(),
        overdue: true,
    };
    trigger(1, RiskTriggerKind::PaymentFailed, "in_1", cause)
}

fn critical() -> RiskTrigger {
    let cause = RiskCause::Health {
        day: NaiveDate::default(),
        score: StoredPoints(Points::whole(40)),
        previous_score: None,
        threshold: StoredPoints(Points::whole(50)),
        band: StoredBand(Band::Critical),
    };
    trigger(2, RiskTriggerKind::HealthCritical, "", cause)
}

#[test]
fn r61_the_causes_of_a_fall_are_named_by_what_they_cost() {
    let model = shop();
    let before =
        scored([read(18.0, 18.0, None), read(1.0, 40.0, Some(40.0)), read(0.0, 0.0, None), read(0.9, 0.9, None)]);
    let now =
        scored([read(4.0, 4.0, None), read(0.5, 40.0, Some(80.0)), read(10.0, 10.0, None), read(0.85, 0.85, None)]);
    let snapshot = |scored| Snapshot { model: &model, scored, day: today() };
    let triggers = decline_triggers(snapshot(&now), Some(snapshot(&before)), &[unpaid(), critical()]);
    let said: Vec<(f64, &str)> =
        triggers.iter().map(|trigger| (trigger.points.as_f64().round(), trigger.sentence.as_str())).collect();
    let expected = [
        (18.0, "Active days: days with activities of users fell from 18 to 4 in 28 days"),
        (13.0, "Trend: emails sent stayed at 40 in 28 days, but what that is compared with rose from 40 to 80"),
        (5.0, "Recency: days without activities of users rose from 0 to 10"),
        (1.0, "Seats: seats, as a share of the plan's limit, fell from 90 % to 85 %"),
        (0.0, "Invoice in_1 is unpaid since 2026-03-01: 3 attempts failed (card declined), overdue, 120.00 EUR"),
    ];
    assert_eq!(said, expected, "the condition of the score itself is no cause");
    assert_eq!(triggers[4].source, DeclineSource::RiskTrigger(unpaid().id));

    let rose = decline_triggers(snapshot(&before), Some(snapshot(&now)), &[]);
    assert_eq!(rose, [], "a score that rose has no causes of a fall");
    let dropped = Reading { value: Err(MissingReason::Stale), raw_value: None, ..read(0.0, 0.0, None) };
    let stale = scored([dropped, read(0.0, 0.0, Some(40.0)), read(0.0, 0.0, None), read(0.9, 0.9, None)]);
    let triggers = decline_triggers(snapshot(&stale), Some(snapshot(&before)), &[]);
    let said: Vec<&str> = triggers.iter().map(|trigger| trigger.sentence.as_str()).collect();
    let expected =
        ["Trend: emails sent fell from 40 to 0 in 28 days", "Active days: it dropped out (its newest data is too old)"];
    assert_eq!(said, expected);
}

#[test]
fn r61_conditions_are_told_with_their_data() {
    let silence = RiskCause::Inactivity { last_activity_day: "2026-02-01".parse().expect("a day"), inactive_days: 27 };
    let dispute =
        RiskCause::Dispute { invoice_id: "in_2".to_owned(), amount: None, reason: "charged twice".to_owned() };
    let ticket = RiskCause::Ticket {
        priority: TicketPriority::Critical,
        subject: "Sends nothing".to_owned(),
        escalation_count: 2,
        reopen_count: 1,
    };
    let bare =
        RiskCause::Payment { amount: None, failed_attempt_count: 0, failure_reason: String::new(), overdue: false };
    for (kind, subject, cause, sentence) in [
        (RiskTriggerKind::Inactivity, "", silence, "Nobody was active since 2026-02-01: 27 days or more"),
        (
            RiskTriggerKind::BillingDispute,
            "d-1",
            dispute,
            "Dispute d-1 is open since 2026-03-01: charged twice, of invoice in_2",
        ),
        (
            RiskTriggerKind::TicketUrgent,
            "t-1",
            ticket,
            "Critical ticket t-1 is open since 2026-03-01: Sends nothing, escalated 2 times, reopened once",
        ),
        (RiskTriggerKind::PaymentFailed, "in_3", bare, "Invoice in_3 is unpaid since 2026-03-01"),
    ] {
        assert_eq!(condition_sentence(&trigger(1, kind, subject, cause)), sentence);
    }
}

#[test]
fn a_measure_is_behind_a_fall_by_its_own_points_and_not_by_its_weight() {
    let (before_model, mut now_model) = (shop(), shop());
    now_model.id = ModelId::parse("heavier").expect("an id");
    for (component, weight) in [(0, 1.0), (1, 7.0)] {
        now_model.components[0].measures[component].weight = weight;
    }
    let readings = |days: f64| {
        vec![read(days, days, None), read(0.5, 20.0, Some(40.0)), read(0.0, 0.0, None), read(0.9, 0.9, None)]
    };
    let said = |days_before: f64, days_now: f64| -> Vec<(f64, String)> {
        let before = score_readings(&before_model, readings(days_before), None);
        let now = score_readings(&now_model, readings(days_now), None);
        assert!(now.score < before.score, "the model values the trend above all");
        let triggers = decline_triggers(
            Snapshot { model: &now_model, scored: &now, day: today() },
            Some(Snapshot { model: &before_model, scored: &before, day: today() }),
            &[],
        );
        triggers.into_iter().map(|trigger| (trigger.points.as_f64(), trigger.sentence)).collect()
    };
    assert_eq!(said(18.0, 18.0), [], "nothing of the customer fell");
    let fell = said(18.0, 8.0);
    assert_eq!(fell, [(5.0, "Active days: days with activities of users fell from 18 to 8 in 28 days".to_owned())]);
}

#[test]
fn a_measure_that_comes_back_low_is_behind_the_fall_and_those_that_share_with_it_are_not() {
    let model = shop();
    let missing = Reading { value: Err(MissingReason::Stale), raw_value: None, ..read(0.0, 0.0, None) };
    let readings =
        |first: Reading| scored([first, read(0.8, 32.0, Some(40.0)), read(0.0, 0.0, None), read(0.9, 0.9, None)]);
    let (before, now) = (readings(missing), readings(read(2.0, 2.0, None)));
    let snapshot = |scored| Snapshot { model: &model, scored, day: today() };
    let triggers = decline_triggers(snapshot(&now), Some(snapshot(&before)), &[]);
    let said: Vec<&str> = triggers.iter().map(|trigger| trigger.sentence.as_str()).collect();
    assert_eq!(said, ["Active days: it counts again, with 10.0 of 100 points"]);
}

#[test]
fn a_decline_that_lasts_is_not_said_to_fall_where_it_does_not() {
    let decline = |first_monday: &str, totals: [i64; 3]| {
        let first: NaiveDate = first_monday.parse().expect("a day");
        let weeks = (0..).zip(totals).map(|(week, total)| WeekOfUse { monday: first + Days::new(7 * week), total });
        let base_monday = "2026-02-02".parse().expect("a day");
        let series = UseSeries::Metric("emails_sent".to_owned());
        let cause = RiskCause::UsageDecline(Decline { series, base_monday, base: 100.0, weeks: weeks.collect() });
        condition_sentence(&trigger(1, RiskTriggerKind::UsageDecline, "", cause))
    };
    let fell = "emails sent declined for three weeks: 90, 80, 60, against 100 a week before";
    assert_eq!(decline("2026-02-09", [90, 80, 60]), fell);
    let lasts = "emails sent declined since 2026-02-09: 60, 75, 62 in three weeks, against 100 a week before that day";
    assert_eq!(decline("2026-02-23", [60, 75, 62]), lasts);
}

proptest! {
    #[test]
    fn causes_stand_in_the_order_of_their_points_and_are_measures_that_lost(
        model in model(),
        account in account(),
        contexts in (context(), context()),
    ) {
        let (now, earlier) =
            (score_today(&model, &account, &contexts.0), score_today(&model, &account, &contexts.1));
        let snapshot = |scored| Snapshot { model: &model, scored, day: today() };
        let triggers = decline_triggers(snapshot(&now), Some(snapshot(&earlier)), &[unpaid()]);
        prop_assert!(triggers.is_sorted_by(|left, right| left.points >= right.points));
        prop_assert_eq!(triggers.last().map(|trigger| trigger.points), Some(Points::ZERO));
        let fell: f64 = triggers.iter().map(|trigger| trigger.points.as_f64()).sum();
        let fall = earlier.score.unwrap_or_default() - now.score.unwrap_or_default();
        if fall < SHOWN_MOVE_MIN {
            prop_assert_eq!(triggers.len(), 1);
            return Ok(());
        }
        let outcomes = || now.measures.iter().zip(&earlier.measures);
        for trigger in &triggers {
            let DeclineSource::Measure(id, _) = &trigger.source else { continue };
            let mut measures = model.measures().zip(outcomes());
            let (_, (after, before)) = measures.find(|((_, measure), _)| &measure.id == id).expect("of the model");
            prop_assert!(after.points.is_none() || before.points.is_none() || after.points < before.points);
        }
        let keeps_weights = outcomes().all(|(after, before)| (after.effective_weight - before.effective_weight).abs() < 1e-9);
        if keeps_weights {
            let unseen = SHOWN_MOVE_MIN.as_f64() * now.measures.len() as f64;
            prop_assert!(fell + unseen >= fall.as_f64(), "what is named is the whole fall, but for what nobody can see");
        }
    }
}
