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
    let money = |minor_units| Money { currency: Currency::parse("EUR").expect("a currency"), minor_units };
    let mut tell = |hour: i64, action: InvoiceAction, amount: Option<i64>, due: Option<i64>| {
        let signal = InvoiceSignal {
            invoice_id: "in-1".to_owned(),
            action,
            amount: amount.map(|units| Amount(money(units))),
            due_at: due.map(at),
            failure_reason: String::new(),
        };
        story.absorb(&stamp(hour, action as u8, 0), &signal);
        story.record()
    };
    assert_eq!(tell(1, InvoiceAction::Issued, Some(700), Some(50)), None);
    let failed = tell(60, InvoiceAction::PaymentFailed, Some(800), None).expect("it is unpaid");
    assert_eq!((failed.unpaid_since, failed.aged_since), (Some(at(60)), Some(at(50))));
    assert_eq!(failed.amount, Some(money(800)));
    let postponed = tell(70, InvoiceAction::Issued, None, Some(90)).expect("it is unpaid");
    assert_eq!(postponed.aged_since, Some(at(60)), "a later due time makes it no younger than its failure");
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
