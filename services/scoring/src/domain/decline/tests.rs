use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use mainstay_domain::{AccountId, Band, Currency, Money};
use proptest::prelude::*;

use super::super::json::{StoredBand, StoredPoints};
use super::super::measure::Reading;
use super::super::risk_trigger::{Condition, RiskTriggerKind};
use super::super::test_support::{account, context, model, score_today, today};
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
        (0.0, "Invoice in_1 is unpaid since 2026-03-01: 3 failed attempts (card declined), overdue, 120.00 EUR"),
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
        let fell: Points = triggers.iter().map(|trigger| trigger.points).sum();
        let fall = earlier.score.unwrap_or_default() - now.score.unwrap_or_default();
        if fall >= SHOWN_MOVE_MIN {
            let unseen = Points::from_units(SHOWN_MOVE_MIN.units() * i32::try_from(now.measures.len()).expect("few"));
            prop_assert!(fell + unseen >= fall, "what is named is the whole fall, but for what nobody can see");
        } else {
            prop_assert_eq!(triggers.len(), 1);
        }
    }
}
