use proptest::prelude::*;

use super::super::policy::PolicySubject;
use super::*;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_000_000, 0).expect("a time")
}

fn case(kind: CaseKind) -> Case {
    Case {
        id: Uuid::from_u128(1),
        account: AccountId::parse("acme").expect("an id"),
        kind,
        state: kind.first_state(),
        subject: String::new(),
        owner_email: "mia@example.com".to_owned(),
        owner_is_fallback: false,
        priority: Priority {
            revenue_at_risk: None,
            decline: 0.5,
            save_chance: 0.75,
            save_chance_cases: 0,
            save_chance_alike: 0,
        },
        opened_at: now(),
        state_at: now(),
        next_due_at: Some(now()),
        has_breach: false,
        escalation_count: 0,
        policy: PolicyId { subject: PolicySubject::Case(kind), segment: None },
        policy_version: 1,
        score_at_open: Some(Points::whole(40)),
        score_at_close: None,
        findings: Findings::default(),
        has_outbound_touch: false,
        contact_id: String::new(),
        survey_score: None,
        resurvey_score: None,
        outcome: None,
        outcome_notes: String::new(),
        resolved_at: None,
        intervening_at: None,
        closed_at: None,
        version: 1,
    }
}

fn all_findings() -> Findings {
    let text = || "known".to_owned();
    Findings {
        assessment_steps: AssessmentStep::ALL.to_vec(),
        root_cause: text(),
        plan: text(),
        resolution: text(),
        what_worked: text(),
    }
}

fn missing(refused: Result<CaseMoved, RefusedCaseMove>) -> Vec<String> {
    match refused {
        Err(RefusedCaseMove::Illegal { missing, .. }) => missing,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn r109_r110_a_case_is_not_worked_on_before_all_five_steps_the_cause_and_the_plan_are_there() {
    let assessing = Case { state: CaseState::Assessing, ..case(CaseKind::AtRisk) };
    let refused = missing(assessing.advanced(CaseState::Intervening, now()));
    assert_eq!(refused.len(), 7, "{refused:?}");
    let some = Findings { assessment_steps: vec![AssessmentStep::Usage], plan: "p".to_owned(), ..Findings::default() };
    let refused = missing(Case { findings: some, ..assessing.clone() }.advanced(CaseState::Intervening, now()));
    assert_eq!(
        refused,
        [
            "the assessment step history",
            "the assessment step tickets",
            "the assessment step renewal",
            "the assessment step priority",
            "the root cause"
        ]
    );
    let ready = Case { findings: all_findings(), ..assessing };
    let Ok(CaseMoved::To(moved, met)) = ready.advanced(CaseState::Intervening, now()) else { panic!("refused") };
    assert_eq!((moved.state, met), (CaseState::Intervening, vec![ClockStep::CaseAssess]));
}

#[test]
fn states_cannot_be_left_out_or_gone_back_to() {
    let refused = missing(case(CaseKind::AtRisk).advanced(CaseState::Resolving, now()));
    assert_eq!(
        refused,
        ["the state assessing", "the state intervening", "an outbound touch (RecordTouch) since the case was opened"]
    );
    let later = Case { state: CaseState::Intervening, ..case(CaseKind::AtRisk) };
    assert_eq!(missing(later.advanced(CaseState::Assessing, now())), ["the case is past assessing"]);
    let refused = missing(case(CaseKind::AtRisk).advanced(CaseState::Contacted, now()));
    assert_eq!(refused, ["a state of this kind of case, not contacted"]);
}

#[test]
fn r116_saved_needs_a_score_above_70_and_exactly_70_is_not() {
    let resolving = Case { state: CaseState::Resolving, findings: all_findings(), ..case(CaseKind::AtRisk) };
    let close = |score: Option<f64>| resolving.check_close(Outcome::Saved, "", score.map(Points::nearest));
    assert_eq!(close(Some(70.01)), Ok(()));
    for score in [None, Some(70.0), Some(12.0)] {
        assert!(
            matches!(close(score), Err(RefusedCaseMove::Illegal { missing, .. }) if missing.len() == 1),
            "{score:?}"
        );
    }
}

#[test]
fn r117_saved_needs_what_worked() {
    let findings = Findings { what_worked: String::new(), ..all_findings() };
    let resolving = Case { state: CaseState::Resolving, findings, ..case(CaseKind::AtRisk) };
    let refused = resolving.check_close(Outcome::Saved, "", Some(Points::whole(90)));
    let missing = vec!["what worked, for the playbook".to_owned()];
    assert_eq!(refused, Err(RefusedCaseMove::Illegal { state: CaseState::Resolving, missing }));
}

#[test]
fn r25_r26_a_detractors_case_needs_the_cause_before_the_plan_and_the_plan_before_the_resolution() {
    let contacted = Case { state: CaseState::Contacted, ..case(CaseKind::Detractor) };
    assert_eq!(missing(contacted.advanced(CaseState::CauseFound, now())), ["the root cause"]);
    assert_eq!(missing(contacted.advanced(CaseState::Planned, now())), ["the state cause found", "the plan"]);
    assert_eq!(
        missing(case(CaseKind::Detractor).advanced(CaseState::Contacted, now())),
        ["an outbound touch (RecordTouch) since the case was opened"]
    );
}

#[test]
fn a_detractors_case_ends_by_the_next_answer_only_or_with_a_reason() {
    let resolved = Case { state: CaseState::Resolved, ..case(CaseKind::Detractor) };
    assert!(resolved.check_close(Outcome::Recovered, "", None).is_err());
    assert!(resolved.check_close(Outcome::NoAction, "", None).is_err());
    assert_eq!(resolved.check_close(Outcome::NoAction, "left the company", None), Ok(()));
    assert_eq!(Case::outcome_of_answer(7), Outcome::Recovered);
    assert_eq!(Case::outcome_of_answer(6), Outcome::NotRecovered);
}

#[test]
fn findings_are_added_to_what_is_known() {
    let known = Findings {
        root_cause: "price".to_owned(),
        assessment_steps: vec![AssessmentStep::Usage],
        ..Findings::default()
    };
    let added = Findings {
        assessment_steps: vec![AssessmentStep::Usage, AssessmentStep::History],
        plan: "call".to_owned(),
        ..Findings::default()
    };
    let both = known.with(&added);
    assert_eq!(both.assessment_steps, [AssessmentStep::History, AssessmentStep::Usage]);
    assert_eq!((both.root_cause.as_str(), both.plan.as_str()), ("price", "call"));
}

#[derive(Debug, Clone)]
enum Act {
    Advance(usize),
    Find(usize),
    Touch,
    Close(usize, bool, f64),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0usize..10).prop_map(Act::Advance),
        3 => (0usize..5).prop_map(Act::Find),
        1 => Just(Act::Touch),
        1 => (0usize..5, any::<bool>(), 0.0f64..100.0).prop_map(|(outcome, notes, score)| Act::Close(outcome, notes, score)),
    ]
}

const STATES: [CaseState; 10] = [
    CaseState::Identified,
    CaseState::Assessing,
    CaseState::Intervening,
    CaseState::Resolving,
    CaseState::Alerted,
    CaseState::Contacted,
    CaseState::CauseFound,
    CaseState::Planned,
    CaseState::Resolved,
    CaseState::Closed,
];
const OUTCOMES: [Outcome; 5] =
    [Outcome::Saved, Outcome::Churned, Outcome::NoAction, Outcome::Recovered, Outcome::NotRecovered];

proptest! {
    #[test]
    fn whatever_is_done_a_case_holds_what_its_state_promises(is_detractor: bool, acts in proptest::collection::vec(act(), 0..40)) {
        let kind = if is_detractor { CaseKind::Detractor } else { CaseKind::AtRisk };
        let mut case = case(kind);
        for act in acts {
            let before = case.clone();
            match act {
                Act::Advance(state) => match case.advanced(STATES[state], now()) {
                    Ok(CaseMoved::To(moved, _)) => {
                        let places = |state| kind.states().iter().position(|known| *known == state).expect("a state of the kind");
                        prop_assert_eq!(places(moved.state), places(before.state) + 1);
                        case = *moved;
                    }
                    Ok(CaseMoved::Already) => prop_assert_eq!(case.state, STATES[state]),
                    Err(RefusedCaseMove::Closed) => prop_assert!(before.is_closed()),
                    Err(RefusedCaseMove::Illegal { missing, .. }) => prop_assert!(!missing.is_empty()),
                },
                Act::Find(what) => {
                    let all = all_findings();
                    let found = match what {
                        0 => Findings { assessment_steps: all.assessment_steps, ..Findings::default() },
                        1 => Findings { root_cause: all.root_cause, ..Findings::default() },
                        2 => Findings { plan: all.plan, ..Findings::default() },
                        3 => Findings { resolution: all.resolution, ..Findings::default() },
                        _ => Findings { what_worked: all.what_worked, ..Findings::default() },
                    };
                    case.findings = case.findings.with(&found);
                }
                Act::Touch => case.has_outbound_touch = true,
                Act::Close(outcome, has_notes, score) => {
                    let (outcome, score) = (OUTCOMES[outcome], Points::nearest(score));
                    let notes = if has_notes { "because" } else { "" };
                    if !case.is_closed() && case.check_close(outcome, notes, Some(score)).is_ok() {
                        case = case.ended(outcome, notes, Some(score), now());
                    }
                }
            }
            if case.state == CaseState::Intervening {
                prop_assert_eq!(case.findings.assessment_steps.len(), 5);
            }
            if matches!(case.state, CaseState::Resolving | CaseState::Contacted) {
                prop_assert!(case.has_outbound_touch);
            }
            if case.outcome == Some(Outcome::Saved) {
                prop_assert!(kind == CaseKind::AtRisk && case.score_at_close > Some(RECOVERED_ABOVE));
                prop_assert!(!case.findings.what_worked.is_empty());
            }
            prop_assert_eq!(case.is_closed(), case.outcome.is_some());
            prop_assert_eq!(case.is_closed(), case.next_due_at.is_none());
        }
    }
}
