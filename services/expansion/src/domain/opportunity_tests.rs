//! The way of an opportunity, by any sequence of moves.

use proptest::prelude::*;

use super::super::condition::ConditionKind;
use super::*;

fn start() -> DateTime<Utc> {
    "1997-03-03T00:00:00Z".parse().expect("a time")
}

fn opened() -> Opportunity {
    let name = OpportunityName { account: AccountId::parse("acme").expect("an id"), id: Uuid::from_u128(7) };
    let owner = OwnerChoice { email: "mia@example.com".to_owned(), is_fallback: false };
    Opportunity::open(name, "emails", owner, policies().of(Stage::Identified), start())
}

fn policies() -> StagePolicies {
    StagePolicies::with(Vec::new())
}

fn finish_items(opportunity: &mut Opportunity, now: DateTime<Utc>) {
    let ids: Vec<String> = opportunity.checklist.iter().map(|item| item.id.clone()).collect();
    for id in ids {
        assert_eq!(opportunity.mark(&id, Some((now, "mia".to_owned())), ""), Ok(true));
    }
}

fn suppression() -> Suppression {
    Suppression { reason: ConditionKind::BillingDispute, reference: "d1".to_owned(), started_at: start() }
}

#[test]
fn it_goes_stage_by_stage_and_is_won() {
    let mut opportunity = opened();
    for stage in Stage::OPEN {
        assert_eq!(opportunity.stage, stage);
        finish_items(&mut opportunity, start());
        if stage != Stage::Closing {
            assert_eq!(opportunity.advance(stage.next(), &policies(), start()), Ok(stage));
        }
    }
    assert_eq!(opportunity.win(None, start()), Ok(Stage::Closing));
    assert_eq!((opportunity.stage, opportunity.closed_at, opportunity.due_at), (Stage::Won, Some(start()), None));
}

#[test]
fn a_refused_move_names_everything_that_is_missing() {
    let mut opportunity = opened();
    opportunity.hold_for(&[suppression()], start());
    let before = opportunity.clone();
    let MoveRefused(missing) = opportunity.advance(Some(Stage::Closing), &policies(), start()).expect_err("refused");
    let kinds: Vec<&str> = missing.iter().map(|one| one.kind).collect();
    assert_eq!(kinds, ["STAGE", "CHECKLIST", "CHECKLIST", "CHECKLIST", "CHECKLIST", "SUPPRESSED"]);
    assert_eq!(opportunity, before, "a refused move changes nothing");
}

#[test]
fn the_clock_stands_still_on_hold() {
    let mut opportunity = opened();
    let day = TimeDelta::days(1);
    assert!(opportunity.hold_for(&[suppression()], start() + day * 3));
    assert_eq!((opportunity.due_at, opportunity.next_alarm()), (None, None));
    assert!(!opportunity.fall_due(start() + day * 100));
    assert!(!opportunity.hold_for(&[suppression()], start() + day * 50), "nothing new");
    assert!(opportunity.hold_for(&[], start() + day * 100));
    assert_eq!(opportunity.due_at, Some(start() + day * 104), "four of seven days were left");
}

#[test]
fn what_is_put_off_keeps_its_day_through_a_hold() {
    let mut opportunity = opened();
    let day = TimeDelta::days(1);
    assert_eq!(opportunity.postpone(start() + day * 10, "later", start()), Ok(Stage::Identified));
    opportunity.hold_for(&[suppression()], start() + day);
    opportunity.hold_for(&[], start() + day * 2);
    assert_eq!(opportunity.due_at, Some(start() + day * 10));
    assert!(!opportunity.fall_due(start() + day * 11), "it is not late, it wakes");
    assert_eq!(opportunity.resume(&policies(), start() + day * 11), Ok(Stage::Identified));
    assert_eq!(opportunity.due_at, Some(start() + day * 18));
}

#[derive(Debug, Clone)]
enum Move {
    Advance,
    AdvanceTo(usize),
    Win,
    Lose,
    Postpone(i64),
    Resume,
    Hold,
    Release,
    FallDue,
    FinishItems,
    HandOver,
    Wait(i64),
}

fn moves() -> impl Strategy<Value = Move> {
    prop_oneof![
        4 => Just(Move::FinishItems),
        4 => Just(Move::Advance),
        1 => (0usize..6).prop_map(Move::AdvanceTo),
        1 => Just(Move::Win),
        1 => Just(Move::Lose),
        1 => (1i64..40).prop_map(Move::Postpone),
        1 => Just(Move::Resume),
        1 => Just(Move::Hold),
        2 => Just(Move::Release),
        2 => Just(Move::FallDue),
        1 => Just(Move::HandOver),
        3 => (0i64..10).prop_map(Move::Wait),
    ]
}

/// Makes the move; whether it was allowed.
fn make(opportunity: &mut Opportunity, step: &Move, now: &mut DateTime<Utc>) -> bool {
    match step {
        Move::Advance => opportunity.advance(None, &policies(), *now).is_ok(),
        Move::AdvanceTo(place) => opportunity.advance(Some(Stage::OPEN[*place]), &policies(), *now).is_ok(),
        Move::Win => opportunity.win(None, *now).is_ok(),
        Move::Lose => opportunity.lose(LostReason::Price, "", *now).is_ok(),
        Move::Postpone(days) => opportunity.postpone(*now + TimeDelta::days(*days), "", *now).is_ok(),
        Move::Resume => opportunity.resume(&policies(), *now).is_ok(),
        Move::Hold => opportunity.hold_for(&[suppression()], *now),
        Move::Release => opportunity.hold_for(&[], *now),
        Move::FallDue => opportunity.fall_due(*now),
        Move::FinishItems => {
            let may = opportunity.is_open();
            if may {
                finish_items(opportunity, *now);
            }
            may
        }
        Move::HandOver => opportunity.hand_over("sam@example.com", "mia", "", *now).is_ok(),
        Move::Wait(days) => {
            *now += TimeDelta::days(*days);
            true
        }
    }
}

fn assert_sound(opportunity: &Opportunity) -> Result<(), TestCaseError> {
    prop_assert!(!opportunity.owner.email.is_empty());
    prop_assert_eq!(opportunity.closed_at.is_some(), opportunity.stage.is_closed());
    prop_assert_eq!(opportunity.postponed.is_some(), opportunity.stage == Stage::Postponed);
    prop_assert_eq!(opportunity.hold.is_some(), !opportunity.holds.is_empty());
    if opportunity.is_open() {
        prop_assert_eq!(opportunity.due_at.is_none(), opportunity.hold.is_some(), "due, or on hold");
    } else {
        prop_assert!(opportunity.due_at.is_none() && opportunity.hold.is_none());
    }
    prop_assert_eq!(opportunity.lost_reason.is_some(), opportunity.stage == Stage::Lost);
    Ok(())
}

proptest! {
    #[test]
    fn any_moves_leave_it_sound(steps in proptest::collection::vec(moves(), 0..60)) {
        let mut opportunity = opened();
        let mut now = start();
        for step in &steps {
            let before = opportunity.clone();
            let allowed = make(&mut opportunity, step, &mut now);
            assert_sound(&opportunity)?;
            if !allowed {
                prop_assert_eq!(&opportunity, &before, "a refused move changes nothing: {:?}", step);
            }
            if !before.is_open() {
                prop_assert_eq!(&opportunity, &before, "closed ones do not change: {:?}", step);
            }
            let (from, to) = (before.stage, opportunity.stage);
            if from != to && Stage::OPEN.contains(&from) && Stage::OPEN.contains(&to) {
                prop_assert_eq!(from.next(), Some(to), "no stage is skipped");
                let left = before.checklist.iter().filter(|item| item.required && item.done.is_none()).count();
                prop_assert_eq!(left, 0, "nothing required was left");
            }
            if to == Stage::Won && from != Stage::Won {
                prop_assert_eq!(from, Stage::Closing);
            }
        }
    }

    #[test]
    fn a_hold_adds_its_length_to_the_time(before_days in 0i64..7, hold_days in 0i64..400) {
        let mut opportunity = opened();
        let due_at = opportunity.due_at.expect("it is due");
        let held_at = start() + TimeDelta::days(before_days);
        opportunity.hold_for(&[suppression()], held_at);
        opportunity.hold_for(&[], held_at + TimeDelta::days(hold_days));
        prop_assert_eq!(opportunity.due_at, Some(due_at + TimeDelta::days(hold_days)));
    }
}
