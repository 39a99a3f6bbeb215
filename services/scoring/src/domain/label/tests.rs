use proptest::prelude::*;

use super::*;

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_323_200, 0).expect("2026-03-01")
}

fn label(open_days: i64) -> Label {
    let said = SaidLabel {
        account: AccountId::parse("acme").expect("an id"),
        claim: Claim::Override(Band::Healthy),
        reason: "They moved to another tool that we do not see".to_owned(),
        speaker: Speaker::Csm,
        contact_email: String::new(),
        expires_at: start() + TimeDelta::days(open_days),
        review_due_at: start() + TimeDelta::days(open_days),
    };
    Label::made(Uuid::from_u128(1), said, "mia".to_owned(), None, start())
}

fn step(number: u8) -> LabelMove {
    let finding =
        Finding { words: number.to_string(), reviewer_email: "lee@example.com".to_owned(), recorder: "lee".to_owned() };
    match number % 4 {
        0 => LabelMove::Accept(finding),
        1 => LabelMove::Reject(finding),
        2 => LabelMove::Withdraw,
        _ => LabelMove::Expire,
    }
}

#[test]
fn r84_an_accepted_label_stays_open_until_its_time_is_over() {
    let after_days = |days| start() + TimeDelta::days(days);
    let accepted = label(30).moved(&step(0), after_days(1)).expect("a move").expect("a change");
    assert_eq!((accepted.state, accepted.ended_at), (LabelState::Accepted, None));
    assert_eq!(accepted.moved(&LabelMove::Expire, after_days(29)), Ok(None), "its time is not over");
    assert!(accepted.is_open_at(after_days(29)) && !accepted.is_open_at(after_days(30)));
    let expired = accepted.moved(&LabelMove::Expire, after_days(31)).expect("a move").expect("a change");
    assert_eq!((expired.state, expired.ended_at), (LabelState::Expired, Some(after_days(30))));
    assert_eq!(expired.review, accepted.review, "what the review found is kept");
}

#[test]
fn an_accepted_label_may_still_be_rejected_and_a_rejected_one_not_be_accepted() {
    let now = start() + TimeDelta::days(1);
    let accepted = label(30).moved(&step(0), now).expect("a move").expect("a change");
    let rejected = accepted.moved(&step(1), now).expect("a move").expect("a change");
    assert_eq!((rejected.state, rejected.ended_at), (LabelState::Rejected, Some(now)));
    assert_eq!(rejected.moved(&step(0), now), Err(LabelIsOver(LabelState::Rejected)));
}

#[test]
fn a_label_whose_time_is_over_takes_no_review_even_if_nobody_noted_its_end() {
    let late = start() + TimeDelta::days(30);
    for number in 0..3 {
        assert_eq!(label(30).moved(&step(number), late), Err(LabelIsOver(LabelState::Expired)));
    }
}

#[test]
fn r84_without_a_time_given_a_label_expires_in_30_days_and_is_reviewed_in_7() {
    let complete = |given: GivenTimes, kind| {
        let mut found = Violations::new();
        let times = given.complete(kind, start(), &mut found);
        let fields: Vec<String> = found.into_iter().map(|violation| violation.field).collect();
        (times, fields)
    };
    let in_days = |days| Some(start() + TimeDelta::days(days));
    let (times, faults) = complete(GivenTimes::default(), LabelKind::Override);
    assert_eq!((Some(times.0), Some(times.1), faults.len()), (in_days(30), in_days(7), 0));
    let soon = GivenTimes { expires_at: in_days(3), review_due_at: None };
    assert_eq!(complete(soon, LabelKind::Dispute).0, (start() + TimeDelta::days(3), start() + TimeDelta::days(3)));
    for (kind, days, is_fine) in [
        (LabelKind::Override, 90, true),
        (LabelKind::Override, 91, false),
        (LabelKind::Dispute, 180, true),
        (LabelKind::Dispute, 181, false),
        (LabelKind::Dispute, 0, false),
    ] {
        let given = GivenTimes { expires_at: in_days(days), review_due_at: None };
        assert_eq!(complete(given, kind).1.is_empty(), is_fine, "{kind:?} {days}");
    }
    for days in [-1, 0, 11] {
        let given = GivenTimes { expires_at: in_days(10), review_due_at: in_days(days) };
        assert_eq!(complete(given, LabelKind::Dispute).1, ["review_due_time"], "{days}");
    }
}

proptest! {
    #[test]
    fn r84_whatever_happens_a_label_ends_once_and_then_stays_as_it_is(
        open_days in 1i64..20,
        steps in proptest::collection::vec((any::<u8>(), 0i64..5), 0..30),
    ) {
        let mut label = label(open_days);
        let mut now = start();
        for (number, days) in steps {
            now += TimeDelta::days(days);
            let (asked, before) = (step(number), label.clone());
            let is_past = before.said.expires_at <= now;
            match label.moved(&asked, now) {
                Ok(Some(next)) => {
                    prop_assert!(before.state.is_open());
                    prop_assert_eq!(next.state, asked.target());
                    prop_assert_eq!(next.version, before.version + 1);
                    prop_assert_eq!(is_past, asked == LabelMove::Expire, "only time ends what is past its time");
                    label = next;
                }
                Ok(None) => prop_assert!(before.state == asked.target() || (asked == LabelMove::Expire && !is_past)),
                Err(LabelIsOver(state)) => {
                    prop_assert!(!state.is_open() && (state == before.state || (before.state.is_open() && is_past)));
                }
            }
            prop_assert_eq!(label.ended_at.is_none(), label.state.is_open());
            prop_assert_eq!(&label.said, &before.said);
            prop_assert_eq!(asked.ends() && label != before, label.state != before.state && !label.state.is_open());
            if let Some(ended_at) = label.ended_at {
                prop_assert!(ended_at <= now && ended_at <= label.said.expires_at);
            }
        }
    }
}
