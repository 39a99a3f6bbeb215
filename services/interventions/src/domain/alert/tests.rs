use mainstay_domain::Segment;
use proptest::prelude::*;

use super::super::policy::PolicySubject;
use super::*;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_000_000, 0).expect("a time")
}

fn alert() -> Alert {
    Alert {
        id: Uuid::from_u128(1),
        account: AccountId::parse("acme").expect("an id"),
        kind: AlertKind::Inactivity,
        subject: String::new(),
        headline: "No activity for 14 days".to_owned(),
        details: Vec::new(),
        state: AlertState::New,
        severity: Severity::High,
        owner_email: "mia@example.com".to_owned(),
        owner_is_fallback: false,
        happened_at: now(),
        occurrence_count: 1,
        last_occurred_at: now(),
        next_due_at: Some(now()),
        has_breach: false,
        escalation_count: 0,
        policy: PolicyId { subject: PolicySubject::Alert(AlertKind::Inactivity), segment: Some(Segment::Smb) },
        policy_version: 1,
        case: None,
        score: None,
        assessment: String::new(),
        immediate_action_needed: false,
        plan: String::new(),
        execution: String::new(),
        follow_up: String::new(),
        issue_resolved: None,
        resolution: None,
        resolution_notes: String::new(),
        closed_at: None,
        version: 1,
    }
}

fn assess() -> AlertMove {
    AlertMove::Assess { assessment: "a".to_owned(), immediate_action_needed: true }
}

fn follow_up(issue_resolved: bool) -> AlertMove {
    AlertMove::FollowUp { follow_up: "f".to_owned(), issue_resolved }
}

fn close(resolution: Resolution) -> AlertMove {
    AlertMove::Close { resolution, notes: "because".to_owned() }
}

fn after(moves: &[AlertMove]) -> Alert {
    moves.iter().fold(alert(), |alert, step| match alert.moved(step, now()).expect("allowed") {
        Moved::To(moved, _) => *moved,
        Moved::Already => alert,
    })
}

#[test]
fn an_alert_comes_to_its_end_step_by_step() {
    let moves = [
        AlertMove::Acknowledge,
        assess(),
        AlertMove::Plan("call".to_owned()),
        AlertMove::Execute("called".to_owned()),
        follow_up(true),
        close(Resolution::Resolved),
    ];
    let ended = after(&moves);
    assert_eq!(
        (ended.state, ended.resolution, ended.next_due_at),
        (AlertState::Closed, Some(Resolution::Resolved), None)
    );
    assert_eq!((ended.assessment.as_str(), ended.plan.as_str()), ("a", "call"));
}

#[test]
fn a_step_too_early_names_all_that_is_missing() {
    let refused = alert().moved(&close(Resolution::Resolved), now());
    let missing = vec![
        "the assessment (AssessAlert)",
        "the action plan (PlanAlert)",
        "the execution (RecordExecution)",
        "the follow-up (FollowUpAlert)",
    ];
    assert_eq!(refused, Err(RefusedMove::Illegal { state: AlertState::New, missing }));
    let refused = after(&[assess()]).moved(&AlertMove::Execute("called".to_owned()), now());
    let missing = vec!["the action plan (PlanAlert)"];
    assert_eq!(refused, Err(RefusedMove::Illegal { state: AlertState::Assessed, missing }));
}

#[test]
fn assessing_says_that_it_was_seen_and_is_the_review() {
    let Ok(Moved::To(assessed, met)) = alert().moved(&assess(), now()) else { panic!("not assessed") };
    assert_eq!(assessed.state, AlertState::Assessed);
    assert_eq!(met, [ClockStep::Acknowledge, ClockStep::Assess, ClockStep::Review]);
    assert_eq!(assessed.moved(&AlertMove::Acknowledge, now()), Ok(Moved::Already));
}

#[test]
fn an_alert_that_needs_nothing_can_be_closed_at_once() {
    for resolution in [Resolution::NoAction, Resolution::FalseAlarm] {
        assert_eq!(after(&[close(resolution)]).resolution, Some(resolution));
    }
}

#[test]
fn a_repeat_is_counted_as_its_teller_counts_and_never_less() {
    let occurrence = |count| Occurrence {
        account: AccountId::parse("acme").expect("an id"),
        kind: AlertKind::PaymentFailed,
        subject: "in_1".to_owned(),
        headline: "again".to_owned(),
        details: vec!["3 attempts".to_owned()],
        happened_at: now(),
        occurred_at: now(),
        count,
        severity: None,
        owner_email: None,
        score: None,
        answer: None,
    };
    assert_eq!(alert().repeated(&occurrence(None)).occurrence_count, 2);
    assert_eq!(alert().repeated(&occurrence(Some(3))).occurrence_count, 3);
    assert_eq!(alert().repeated(&occurrence(Some(0))).occurrence_count, 1);
    assert_eq!(alert().repeated(&occurrence(Some(3))).details, ["3 attempts"]);
}

#[test]
fn r101_an_alert_is_resolved_when_the_follow_up_found_it_so_and_may_be_followed_up_again_until_then() {
    let done = || {
        let plan = AlertMove::Plan("p".to_owned());
        vec![AlertMove::Acknowledge, assess(), plan, AlertMove::Execute("e".to_owned()), follow_up(false)]
    };
    let refused = after(&done()).moved(&close(Resolution::Resolved), now()).expect_err("the issue goes on");
    let missing = vec!["a follow-up that found the issue resolved (FollowUpAlert)"];
    assert_eq!(refused, RefusedMove::Illegal { state: AlertState::FollowedUp, missing });
    assert!(after(&[done(), vec![close(Resolution::NoAction)]].concat()).is_closed());
    let resolved = after(&[done(), vec![follow_up(true), close(Resolution::Resolved)]].concat());
    assert_eq!(resolved.resolution, Some(Resolution::Resolved));
}

fn any_move() -> impl Strategy<Value = AlertMove> {
    prop_oneof![
        Just(AlertMove::Acknowledge),
        Just(assess()),
        Just(AlertMove::Plan("p".to_owned())),
        Just(AlertMove::Execute("e".to_owned())),
        any::<bool>().prop_map(follow_up),
        Just(close(Resolution::Resolved)),
        Just(close(Resolution::NoAction)),
    ]
}

proptest! {
    #[test]
    fn whatever_is_done_an_alert_never_goes_back_and_holds_what_its_state_says(moves in proptest::collection::vec(any_move(), 0..20)) {
        let mut alert = alert();
        for step in moves {
            let before = alert.clone();
            match alert.moved(&step, now()) {
                Ok(Moved::To(moved, _)) => alert = *moved,
                Ok(Moved::Already) => {}
                Err(RefusedMove::Closed) => prop_assert!(before.is_closed()),
                Err(RefusedMove::Illegal { missing, .. }) => prop_assert!(!missing.is_empty()),
            }
            prop_assert!(alert.state >= before.state);
            prop_assert!(!before.is_closed() || alert == before, "what is closed stays as it is");
            prop_assert_eq!(alert.is_closed(), alert.next_due_at.is_none());
            prop_assert_eq!(alert.is_closed(), alert.resolution.is_some());
            if alert.state >= AlertState::Planned && !alert.is_closed() {
                prop_assert!(!alert.assessment.is_empty() && !alert.plan.is_empty());
            }
            if alert.resolution == Some(Resolution::Resolved) {
                prop_assert!(alert.issue_resolved == Some(true) && !alert.execution.is_empty());
            }
        }
    }
}
