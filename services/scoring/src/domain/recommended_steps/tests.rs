use chrono::NaiveDate;
use mainstay_domain::{AccountId, Band};

use super::super::json::{StoredBand, StoredPoints};
use super::super::risk_trigger::{Condition, RiskCause};
use super::*;

fn lasting(number: u128, kind: RiskTriggerKind) -> RiskTrigger {
    // What the steps are chosen by is the kind.
    let cause = RiskCause::Health {
        day: NaiveDate::default(),
        score: StoredPoints(Points::ZERO),
        previous_score: None,
        threshold: StoredPoints(Points::ZERO),
        band: StoredBand(Band::Critical),
    };
    RiskTrigger {
        id: Uuid::from_u128(number),
        account: AccountId::parse("acme").expect("an id"),
        kind,
        subject: String::new(),
        raised_at: NaiveDate::default().and_time(chrono::NaiveTime::MIN).and_utc(),
        changed_at: NaiveDate::default().and_time(chrono::NaiveTime::MIN).and_utc(),
        cleared: None,
        score: None,
        condition: Condition { cause, occurrence_count: 1 },
    }
}

fn fallen(measure: &str, input: Input) -> DeclineTrigger {
    DeclineTrigger {
        source: DeclineSource::Measure(measure.to_owned(), input),
        points: Points::whole(5),
        sentence: String::new(),
    }
}

#[test]
fn r80_what_keeps_a_customer_from_working_or_paying_comes_first_and_each_step_once() {
    let conditions = [
        lasting(1, RiskTriggerKind::HealthAtRisk),
        lasting(2, RiskTriggerKind::HealthCritical),
        lasting(3, RiskTriggerKind::PaymentFailed),
        lasting(4, RiskTriggerKind::PaymentFailed),
        lasting(5, RiskTriggerKind::TicketUrgent),
        lasting(6, RiskTriggerKind::UsageDecline),
    ];
    let decline =
        [fallen("users", Input::AnyUser), fallen("days", Input::AnyUser), fallen("reports", Input::AnyFeature)];
    let steps = recommended_steps(&conditions, &decline);
    let told: Vec<(StepRole, Vec<u128>, Vec<&str>)> = steps
        .iter()
        .map(|step| {
            let triggers = step.risk_triggers.iter().map(Uuid::as_u128).collect();
            (step.role, triggers, step.measures.iter().map(String::as_str).collect())
        })
        .collect();
    let expected = [
        (StepRole::Support, vec![5], vec![]),
        (StepRole::Csm, vec![5], vec![]),
        (StepRole::FinanceContact, vec![3, 4], vec![]),
        (StepRole::Csm, vec![3, 4], vec![]),
        (StepRole::Csm, vec![6], vec![]),
        (StepRole::CsmDirector, vec![2], vec![]),
        (StepRole::Csm, vec![2], vec![]),
        (StepRole::Csm, vec![], vec!["users", "days"]),
        (StepRole::Csm, vec![], vec!["reports"]),
    ];
    assert_eq!(told, expected, "of an account that is critical nothing is said for being at risk");
}

#[test]
fn where_nothing_is_wrong_nothing_is_to_be_done() {
    assert_eq!(recommended_steps(&[], &[]), []);
}
