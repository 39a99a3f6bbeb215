//! What reports count of invoices and disputes, in any order of signals.

use chrono::TimeDelta;
use mainstay_domain::Currency;
use proptest::prelude::*;

use super::*;

fn at(hour: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::hours(hour)
}

fn stamp(hour: i64, rank: u8, number: usize) -> Stamp {
    Stamp { at: at(hour), rank, source: "billing".to_owned(), source_id: number.to_string() }
}

fn invoice(told: &[(i64, InvoiceAction)]) -> InvoiceStory {
    let mut story = InvoiceStory::default();
    for (number, (hour, action)) in told.iter().enumerate() {
        let signal = InvoiceSignal {
            invoice_id: "in-1".to_owned(),
            action: *action,
            amount: None,
            due_at: None,
            failure_reason: String::new(),
        };
        story.absorb(&stamp(*hour, *action as u8, number), &signal);
    }
    story
}

/// What happened to an invoice at an hour, and how much is due, and when, since then.
#[derive(Debug, Clone)]
struct Event {
    hour: i64,
    action: InvoiceAction,
    amount: Option<i64>,
    due: Option<i64>,
}

fn euros(minor_units: i64) -> Money {
    Money { currency: Currency::parse("EUR").expect("a currency"), minor_units }
}

/// The story of an invoice as it grows by the clock: told of, and looked at when its time has come.
#[derive(Default)]
struct Living {
    story: InvoiceStory,
    timer: Option<i64>,
}

impl Living {
    fn hear(&mut self, now: i64, number: usize, event: &Event) {
        self.wait_until(now);
        let signal = InvoiceSignal {
            invoice_id: "in-1".to_owned(),
            action: event.action,
            amount: event.amount.map(|units| Amount(euros(units))),
            due_at: event.due.map(at),
            failure_reason: String::new(),
        };
        self.story.absorb(&stamp(event.hour, event.action as u8, number), &signal);
        self.look(now);
    }

    /// Timers fire at their times; one that was set is not moved on.
    fn wait_until(&mut self, now: i64) {
        while let Some(due) = self.timer.filter(|due| *due <= now) {
            self.timer = None;
            self.look(due);
        }
    }

    fn look(&mut self, now: i64) {
        let Some(deadline) = self.story.deadline() else { return };
        if deadline.at <= at(now) {
            self.story.lapse();
        } else {
            let hour = (deadline.at - DateTime::UNIX_EPOCH).num_hours();
            self.timer = Some(self.timer.map_or(hour, |timer| timer.min(hour)));
        }
    }
}

/// The first of these is told at hour 0, as it is due at hour 10: overdue from hour 34 on.
fn due_at_10(events: &[(i64, InvoiceAction, Option<i64>)]) -> Living {
    let mut living = Living::default();
    living.hear(0, 0, &Event { hour: 0, action: InvoiceAction::Issued, amount: None, due: Some(10) });
    for (number, (hour, action, due)) in (1..).zip(events) {
        living.hear(*hour, number, &Event { hour: *hour, action: *action, amount: None, due: *due });
    }
    living
}

fn overdue_at(living: &Living) -> Option<DateTime<Utc>> {
    living.story.record().and_then(|record| record.overdue_at)
}

fn dispute(told: &[(i64, DisputeAction)]) -> DisputeStory {
    let mut story = DisputeStory::default();
    for (number, (hour, action)) in told.iter().enumerate() {
        let signal = DisputeSignal {
            dispute_id: "d-1".to_owned(),
            action: *action,
            invoice_id: String::new(),
            amount: None,
            reason: String::new(),
        };
        story.absorb(&stamp(*hour, *action as u8, number), &signal);
    }
    story
}

#[test]
fn r186_an_invoice_is_unpaid_from_its_first_trouble_until_it_is_settled_the_first_time() {
    use InvoiceAction::{Issued, Overdue, Paid, PaymentFailed, Voided};
    let told = [
        (1, Issued),
        (5, Overdue),
        (3, PaymentFailed),
        (4, PaymentFailed),
        (9, Paid),
        (8, Voided),
        (10, PaymentFailed),
    ];
    let record = invoice(&told).record().expect("it was unpaid");
    assert_eq!((record.first_failed_at, record.overdue_at), (Some(at(3)), Some(at(5))));
    assert_eq!((record.unpaid_since, record.aged_since), (Some(at(3)), Some(at(3))));
    assert_eq!((record.settlement, record.failed_attempt_count), (Some((at(8), Settlement::Voided)), 3));
    assert_eq!(invoice(&[(1, Issued), (2, Paid), (3, PaymentFailed), (4, Overdue)]).record(), None);
    let voided = invoice(&[(1, Issued), (2, Voided), (3, PaymentFailed)]).record().expect("it was voided");
    assert_eq!((voided.unpaid_since, voided.aged_since), (None, None));
    // Of one time, a payment usually comes before a voiding.
    assert_eq!(invoice(&[(2, Voided), (2, Paid)]).record(), None);
}

#[test]
fn the_age_of_an_invoice_counts_from_when_it_was_due_and_its_amount_is_the_newest() {
    let mut story = InvoiceStory::default();
    let mut tell = |hour: i64, action: InvoiceAction, amount: Option<i64>, due: Option<i64>| {
        let signal = InvoiceSignal {
            invoice_id: "in-1".to_owned(),
            action,
            amount: amount.map(|units| Amount(euros(units))),
            due_at: due.map(at),
            failure_reason: String::new(),
        };
        story.absorb(&stamp(hour, action as u8, 0), &signal);
        story.record()
    };
    assert_eq!(tell(1, InvoiceAction::Issued, Some(700), Some(50)), None);
    let failed = tell(60, InvoiceAction::PaymentFailed, Some(800), None).expect("it is unpaid");
    assert_eq!((failed.unpaid_since, failed.aged_since), (Some(at(60)), Some(at(50))));
    assert_eq!(failed.amount, Some(euros(800)));
    let postponed = tell(70, InvoiceAction::Issued, None, Some(90)).expect("it is unpaid");
    assert_eq!(postponed.aged_since, Some(at(60)), "a later due time makes it no younger than its failure");
}

#[test]
fn r65_an_invoice_is_overdue_24_hours_after_its_due_time_and_not_a_moment_sooner() {
    let mut living = due_at_10(&[]);
    living.wait_until(33);
    assert_eq!((overdue_at(&living), living.story.condition()), (None, None));
    let deadline = living.story.deadline().map(|deadline| (deadline.at, deadline.source.to_owned()));
    assert_eq!(deadline, Some((at(34), "billing".to_owned())));
    living.wait_until(34);
    assert_eq!(living.story.deadline(), None, "it was noted");
    let record = living.story.record().expect("it is unpaid");
    assert_eq!((record.overdue_at, record.unpaid_since, record.aged_since), (Some(at(34)), Some(at(34)), Some(at(10))));
    let condition = living.story.condition().expect("it puts the account at risk");
    assert!(
        matches!(condition.cause, RiskCause::Payment { overdue: true, failed_attempt_count: 0, .. }),
        "{condition:?}"
    );
}

#[test]
fn r65_an_invoice_that_is_settled_in_time_was_never_overdue_also_when_that_is_told_late() {
    for action in [InvoiceAction::Paid, InvoiceAction::Voided] {
        let mut told_late = due_at_10(&[]);
        told_late.wait_until(40);
        told_late.hear(41, 1, &Event { hour: 34, action, amount: None, due: None });
        let mut told_at_once = due_at_10(&[(34, action, None)]);
        told_at_once.wait_until(41);
        for living in [&told_late, &told_at_once] {
            assert_eq!((overdue_at(living), living.story.deadline()), (None, None), "{action:?}");
        }
        assert_eq!(told_late.story, told_at_once.story);
    }
}

#[test]
fn r65_an_invoice_that_is_paid_late_was_overdue_until_then_also_when_all_is_told_at_once() {
    let mut imported = Living::default();
    imported.hear(90, 1, &Event { hour: 50, action: InvoiceAction::Paid, amount: None, due: None });
    imported.hear(90, 0, &Event { hour: 0, action: InvoiceAction::Issued, amount: None, due: Some(10) });
    let living = due_at_10(&[(50, InvoiceAction::Paid, None)]);
    assert_eq!((overdue_at(&living), living.story.condition()), (Some(at(34)), None));
    assert_eq!(living.story, imported.story);
}

#[test]
fn r65_a_due_time_that_is_moved_counts_from_its_new_time_on() {
    let mut later = due_at_10(&[(40, InvoiceAction::Issued, Some(60))]);
    assert_eq!((overdue_at(&later), later.story.condition()), (None, None), "it is not overdue any more");
    later.wait_until(84);
    assert_eq!(overdue_at(&later), Some(at(84)));
    let mut sooner = due_at_10(&[(5, InvoiceAction::Issued, Some(6))]);
    sooner.wait_until(30);
    assert_eq!(overdue_at(&sooner), Some(at(30)));
}

#[test]
fn an_invoice_is_overdue_from_when_it_was_told_to_be_if_that_is_earlier() {
    let mut sooner = due_at_10(&[(12, InvoiceAction::Overdue, None)]);
    sooner.wait_until(40);
    assert_eq!(overdue_at(&sooner), Some(at(12)));
    assert_eq!(overdue_at(&due_at_10(&[(40, InvoiceAction::Overdue, None)])), Some(at(34)));
}

#[test]
fn a_due_time_that_is_no_time_never_passes() {
    for nothing in [-17_259_888, 0] {
        let living = due_at_10(&[(1, InvoiceAction::Issued, Some(nothing))]);
        assert_eq!(living.story.deadline(), None, "{nothing}");
    }
}

#[test]
fn an_invoice_over_nothing_is_not_overdue_by_its_due_time() {
    let mut living = due_at_10(&[]);
    living.wait_until(40);
    let over = |hour: i64, amount: i64| Event { hour, action: InvoiceAction::Issued, amount: Some(amount), due: None };
    living.hear(41, 1, &over(41, 0));
    assert_eq!((overdue_at(&living), living.story.deadline()), (None, None));
    living.hear(42, 2, &over(42, 700));
    assert_eq!(overdue_at(&living), Some(at(34)));
}

#[test]
fn stories_of_before_due_times_counted_are_read() {
    let mut stored = serde_json::to_value(due_at_10(&[]).story).expect("JSON");
    stored.as_object_mut().expect("an object").remove("lapsed").expect("a field");
    let story: InvoiceStory = serde_json::from_value(stored).expect("a story");
    assert_eq!(story, due_at_10(&[]).story);
}

#[test]
fn r186_a_dispute_that_is_opened_again_has_a_span_for_each_time() {
    use DisputeAction::{Closed, Opened};
    let told = [(9, Opened), (1, Closed), (2, Opened), (3, Opened), (4, Closed), (5, Closed)];
    let span = |opened: i64, closed: Option<i64>| DisputeSpan { opened_at: at(opened), closed_at: closed.map(at) };
    assert_eq!(dispute(&told).spans(), [span(2, Some(4)), span(9, None)]);
    assert_eq!(dispute(&[]).spans(), []);
}

proptest! {
    #[test]
    fn spans_follow_one_another_and_the_last_is_open_when_the_dispute_is(
        told in proptest::collection::vec((0..9i64, any::<bool>()), 0..12)
    ) {
        let action = |opened| if opened { DisputeAction::Opened } else { DisputeAction::Closed };
        let told: Vec<_> = told.into_iter().map(|(hour, opened)| (hour, action(opened))).collect();
        let story = dispute(&told);
        let spans = story.spans();
        prop_assert_eq!(spans.last().is_some_and(|span| span.closed_at.is_none()), story.is_open());
        for pair in spans.windows(2) {
            prop_assert!(pair[0].closed_at.is_some_and(|closed_at| closed_at <= pair[1].opened_at), "{spans:?}");
            prop_assert!(pair[0].opened_at < pair[1].opened_at, "they are a key: {spans:?}");
        }
    }

    /// Each event is told some hours after it happened, so that any order comes about.
    #[test]
    fn r65_an_invoice_is_overdue_alike_in_whatever_order_it_is_told_of(
        told in proptest::collection::vec((1..120i64, 0..6usize, prop::option::of(1..90i64), prop::option::of(0..2i64), 0..120i64), 0..8)
    ) {
        use InvoiceAction::{Issued, Overdue, Paid, PaymentFailed, Voided};
        let actions = [Issued, Issued, Paid, Voided, PaymentFailed, Overdue];
        let told: Vec<(Event, i64)> = told
            .into_iter()
            .map(|(hour, action, due, amount, delay)| (Event { hour, action: actions[action], amount, due }, delay))
            .collect();
        let live = |told_at: &dyn Fn(&Event, i64) -> i64| {
            let mut order: Vec<_> = told.iter().enumerate().collect();
            order.sort_by_key(|(_, (event, delay))| told_at(event, *delay));
            let mut living = Living::default();
            for (number, (event, delay)) in order {
                living.hear(told_at(event, *delay), number, event);
            }
            living.wait_until(500);
            living.story
        };
        let at_once = live(&|event, _| event.hour);
        prop_assert_eq!(at_once.deadline(), None, "it was noted");
        prop_assert_eq!(&live(&|event, delay| event.hour + delay), &at_once);
        prop_assert_eq!(&live(&|_, _| 400), &at_once);
        let is_unpaid = at_once.record()
            .is_some_and(|record| record.unpaid_since.is_some() && record.settlement.is_none());
        prop_assert_eq!(is_unpaid, at_once.condition().is_some());
    }

    #[test]
    fn an_invoice_is_unpaid_now_when_it_puts_its_account_at_risk(
        told in proptest::collection::vec((0..9i64, 0..5usize), 0..12)
    ) {
        use InvoiceAction::{Issued, Overdue, Paid, PaymentFailed, Voided};
        let actions = [Issued, Overdue, Paid, PaymentFailed, Voided];
        let told: Vec<_> = told.into_iter().map(|(hour, action)| (hour, actions[action])).collect();
        let story = invoice(&told);
        let record = story.record();
        let is_unpaid = record.is_some_and(|record| record.unpaid_since.is_some() && record.settlement.is_none());
        prop_assert_eq!(is_unpaid, story.condition().is_some());
        if let Some(record) = record {
            let until = record.settlement.map(|(at, _)| at);
            prop_assert!([record.first_failed_at, record.overdue_at, record.unpaid_since, record.aged_since]
                .into_iter().flatten().all(|time| until.is_none_or(|until| time < until)), "{record:?}");
        }
    }
}
