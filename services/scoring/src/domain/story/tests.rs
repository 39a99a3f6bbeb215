//! Stories in any order, any number of times, in any batches.

use chrono::TimeDelta;
use mainstay_domain::{AccountId, Violations};
use proptest::prelude::*;

use super::super::billing::{DisputeAction, DisputeSignal, InvoiceAction, InvoiceSignal};
use super::super::risk_trigger::{Condition, RiskCause};
use super::super::series::DayNumber;
use super::super::story_series::{StoryRow, StorySeries};
use super::super::ticket::{TicketAction, TicketPriority, TicketSignal};
use super::*;

fn signal(minute: i64, number: u8, payload: Payload) -> Signal {
    Signal {
        account: AccountId::parse("acme").expect("an id"),
        source: "desk".to_owned(),
        source_id: format!("event-{number}"),
        event_at: DateTime::UNIX_EPOCH + TimeDelta::minutes(minute),
        payload,
    }
}

fn ticket(action: TicketAction, priority: Option<TicketPriority>, satisfaction: Option<i32>) -> Payload {
    Payload::Ticket(TicketSignal {
        ticket_id: "t-1".to_owned(),
        action,
        priority,
        subject: priority.map(|priority| format!("{priority:?}")).unwrap_or_default(),
        text: String::new(),
        requester_email: String::new(),
        satisfaction,
        first_response_at: None,
        sentiment: None,
        open: false,
    })
}

fn invoice(action: InvoiceAction, failure_reason: &str) -> Payload {
    Payload::Invoice(InvoiceSignal {
        invoice_id: "i-1".to_owned(),
        action,
        amount: None,
        due_at: None,
        failure_reason: failure_reason.to_owned(),
    })
}

fn dispute(action: DisputeAction, reason: &str) -> Payload {
    Payload::Dispute(DisputeSignal {
        dispute_id: "d-1".to_owned(),
        action,
        invoice_id: String::new(),
        amount: None,
        reason: reason.to_owned(),
    })
}

/// What makes the condition that every story of the kind can make.
fn condition(story: &Story) -> Option<Condition> {
    let (_, verdict) = story.verdicts().into_iter().next()?;
    let Verdict::Met(condition) = verdict else { return None };
    Some(condition)
}

fn any_payload(kind: StoryKind) -> BoxedStrategy<Payload> {
    use TicketAction::{Escalated, Opened, Reopened, Resolved, Updated};
    match kind {
        StoryKind::Ticket => (
            prop::sample::select(vec![Opened, Updated, Escalated, Resolved, Reopened]),
            prop::option::of(prop::sample::select(vec![
                TicketPriority::Low,
                TicketPriority::Urgent,
                TicketPriority::Critical,
            ])),
            prop::option::of(1..=5i32),
            prop::option::of(0..9i64),
            "[a-c]?",
            any::<bool>(),
        )
            .prop_map(|(action, priority, satisfaction, answered_hours, text, open)| {
                let mut payload = ticket(action, priority, satisfaction);
                if let Payload::Ticket(told) = &mut payload {
                    told.text = text;
                    told.open = open;
                    told.first_response_at = answered_hours.map(|hours| DateTime::UNIX_EPOCH + TimeDelta::hours(hours));
                }
                payload
            })
            .boxed(),
        StoryKind::Invoice => (
            prop::sample::select(vec![
                InvoiceAction::Issued,
                InvoiceAction::Paid,
                InvoiceAction::PaymentFailed,
                InvoiceAction::Overdue,
                InvoiceAction::Voided,
            ]),
            "[a-c]?",
        )
            .prop_map(|(action, reason)| invoice(action, &reason))
            .boxed(),
        StoryKind::Dispute => (prop::sample::select(vec![DisputeAction::Opened, DisputeAction::Closed]), "[a-c]?")
            .prop_map(|(action, reason)| dispute(action, &reason))
            .boxed(),
    }
}

/// Signals of one story, each with another id; times may be equal.
fn any_signals() -> impl Strategy<Value = (StoryKind, Vec<Signal>)> {
    prop::sample::select(vec![StoryKind::Ticket, StoryKind::Invoice, StoryKind::Dispute]).prop_flat_map(|kind| {
        let signals = proptest::collection::vec((0..6i64, any_payload(kind)), 0..12).prop_map(|told| {
            (0..).zip(told).map(|(number, (minute, payload))| signal(minute, number, payload)).collect()
        });
        (Just(kind), signals)
    })
}

fn folded<'a>(kind: StoryKind, signals: impl IntoIterator<Item = &'a Signal>) -> Story {
    let mut story = Story::untold(kind);
    signals.into_iter().for_each(|signal| story.absorb(signal));
    story
}

proptest! {
    #[test]
    fn any_order_and_any_duplication_in_any_batches_gives_the_same_story(
        (kind, signals) in any_signals(),
        order in proptest::collection::vec(any::<prop::sample::Index>(), 0..40),
    ) {
        let expected = folded(kind, &signals);
        // Some of them, some of them again, and then all of them backwards.
        let picked = order.iter().filter(|_| !signals.is_empty()).map(|index| index.get(&signals));
        let mut story = folded(kind, picked);
        // Between two batches the story is a row.
        let row = match &story {
            Story::Ticket(story) => serde_json::to_value(story),
            Story::Invoice(story) => serde_json::to_value(story),
            Story::Dispute(story) => serde_json::to_value(story),
        }
        .expect("JSON");
        story = match kind {
            StoryKind::Ticket => Story::Ticket(serde_json::from_value(row).expect("a story")),
            StoryKind::Invoice => Story::Invoice(serde_json::from_value(row).expect("a story")),
            StoryKind::Dispute => Story::Dispute(serde_json::from_value(row).expect("a story")),
        };
        signals.iter().rev().for_each(|signal| story.absorb(signal));
        prop_assert_eq!(story, expected);
    }

    #[test]
    fn r216_what_is_left_of_a_story_is_what_its_signals_tell_alone(
        (kind, signals) in any_signals(),
        is_kept in proptest::collection::vec(any::<bool>(), 12),
    ) {
        let left = || signals.iter().zip(&is_kept).filter(|(_, is_kept)| **is_kept).map(|(signal, _)| signal);
        prop_assert_eq!(folded(kind, &signals).retold(left()), folded(kind, left()));
    }

    #[test]
    fn a_settled_invoice_stays_settled((kind, signals) in any_signals(), at in 0..6i64) {
        prop_assume!(kind == StoryKind::Invoice);
        let paid = signal(at, 200, invoice(InvoiceAction::Paid, ""));
        let story = folded(kind, signals.iter().chain([&paid]));
        prop_assert_eq!(condition(&story), None);
    }
}

#[test]
fn r216_a_due_time_that_passed_has_passed_for_what_is_left_if_it_is_still_in_force() {
    let due = |number: u8, minute: i64, due_minute: i64| {
        let Payload::Invoice(told) = invoice(InvoiceAction::Issued, "") else { unreachable!() };
        let due_at = Some(DateTime::UNIX_EPOCH + TimeDelta::minutes(due_minute));
        signal(minute, number, Payload::Invoice(InvoiceSignal { due_at, ..told }))
    };
    let failed = signal(3, 9, invoice(InvoiceAction::PaymentFailed, ""));
    let (early, late) = (due(1, 0, 10), due(2, 1, 20));
    let mut story = folded(StoryKind::Invoice, [&early, &late, &failed]);
    if let Story::Invoice(invoice) = &mut story {
        invoice.lapse();
    }
    assert!(condition(&story.retold([&early, &late])).is_some(), "the same due time is in force");
    assert_eq!(condition(&story.retold([&early])), None, "another due time is in force");
    assert_eq!(story.retold([&early]), folded(StoryKind::Invoice, [&early]));
}

/// How many of a series there are at the end of the day after all signals; those of the tests happen within minutes.
fn left_open(story: &Story, wanted: StorySeries) -> i64 {
    let of_series = |(row, _, _): &(StoryRow, DayNumber, i64)| *row == StoryRow::Sum(wanted);
    story.day_entries().amounts().filter(of_series).map(|(_, _, amount)| amount).sum()
}

proptest! {
    #[test]
    fn what_is_left_open_at_the_end_is_what_the_story_says((kind, signals) in any_signals()) {
        let story = folded(kind, &signals);
        match &story {
            Story::Ticket(ticket) => {
                let is_open = i64::from(!signals.is_empty() && ticket.is_open());
                prop_assert_eq!(left_open(&story, StorySeries::TicketsOpen), is_open);
                let is_urgent = i64::from(condition(&story).is_some());
                prop_assert_eq!(left_open(&story, StorySeries::UrgentTicketsOpen), is_urgent);
            }
            Story::Invoice(invoice) => {
                let unpaid = left_open(&story, StorySeries::InvoicesUnpaid);
                prop_assert_eq!(unpaid, i64::from(condition(&story).is_some()));
                prop_assert!(!invoice.is_settled() || unpaid == 0);
            }
            Story::Dispute(dispute) => {
                prop_assert_eq!(left_open(&story, StorySeries::DisputesOpen), i64::from(dispute.is_open()));
            }
        }
    }
}

#[test]
fn r63_r75_a_ticket_enters_its_delays_where_they_ended() {
    let hours = |hours: i64| hours * 60;
    let opened = signal(0, 1, ticket(TicketAction::Opened, Some(TicketPriority::Urgent), None));
    let Payload::Ticket(told) = ticket(TicketAction::Updated, Some(TicketPriority::Low), None) else { unreachable!() };
    let answered = TicketSignal { first_response_at: Some(DateTime::UNIX_EPOCH + TimeDelta::hours(5)), ..told };
    let answered = signal(hours(6), 2, Payload::Ticket(answered));
    let resolved = signal(hours(30), 3, ticket(TicketAction::Resolved, None, Some(2)));
    let reopened = signal(hours(80), 4, ticket(TicketAction::Reopened, None, None));
    let escalated = signal(hours(81), 5, ticket(TicketAction::Escalated, None, None));
    let again = signal(hours(100), 6, ticket(TicketAction::Resolved, None, Some(5)));
    let story = folded(StoryKind::Ticket, [&again, &opened, &escalated, &answered, &reopened, &resolved]);
    let entries: Vec<(String, DayNumber, i64)> =
        story.day_entries().amounts().map(|(row, day, amount)| (row.name().to_owned(), day, amount)).collect();
    let expected = [
        ("tickets_opened", 0, 1),
        ("tickets_open", 0, 1),
        ("tickets_open", 1, -1),
        ("tickets_open", 3, 1),
        ("tickets_open", 4, -1),
        ("tickets_escalated", 3, 1),
        ("tickets_reopened", 3, 1),
        ("ticket_satisfaction", 1, 2_000),
        ("ticket_satisfaction", 4, 5_000),
        ("first_response_hours", 0, 5_000),
        ("resolution_hours", 1, 30_000),
        ("resolution_hours", 4, 20_000),
        ("ticket_satisfaction.count", 1, 1),
        ("ticket_satisfaction.count", 4, 1),
        ("first_response_hours.count", 0, 1),
        ("resolution_hours.count", 1, 1),
        ("resolution_hours.count", 4, 1),
    ];
    let expected: Vec<_> = expected.iter().map(|&(row, day, amount)| (row.to_owned(), day, amount)).collect();
    assert_eq!(entries, expected, "urgent for six hours of one day, which is over at its end");
}

#[test]
fn r190_an_opening_and_a_rating_that_several_tell_of_count_once() {
    let amounts = |signals: &[&Signal]| -> Vec<(String, DayNumber, i64)> {
        let story = folded(StoryKind::Ticket, signals.iter().copied());
        let entries = story.day_entries();
        let of_these = |row: &str| ["ticket_sentiment.count", "ticket_satisfaction.count"].contains(&row);
        entries
            .amounts()
            .map(|(row, day, amount)| (row.name().to_owned(), day, amount))
            .filter(|one| of_these(&one.0))
            .collect()
    };
    let counted = |name: &str, day, amount| (name.to_owned(), day, amount);
    let mood = |minute, number, action, sentiment| {
        let Payload::Ticket(told) = ticket(action, None, None) else { unreachable!() };
        signal(minute, number, Payload::Ticket(TicketSignal { sentiment: Some(sentiment), ..told }))
    };
    let by_event = mood(1, 1, TicketAction::Opened, -0.5);
    let by_export = mood(0, 2, TicketAction::Opened, -0.5);
    let of_comment = mood(2, 3, TicketAction::Updated, -0.5);
    assert_eq!(amounts(&[&by_event, &by_export]), [counted("ticket_sentiment.count", 0, 1)]);
    assert_eq!(amounts(&[&by_event, &of_comment, &by_export]), [counted("ticket_sentiment.count", 0, 2)]);

    let day = |day: i64| day * 24 * 60;
    let rated = |at, number, action, rating| signal(at, number, ticket(action, None, Some(rating)));
    let resolved = signal(day(1), 1, ticket(TicketAction::Resolved, None, None));
    let good = rated(day(2), 2, TicketAction::Resolved, 5);
    let closed = rated(day(5), 3, TicketAction::Resolved, 5);
    let bad = rated(day(6), 4, TicketAction::Updated, 1);
    let count = |at| counted("ticket_satisfaction.count", at, 1);
    let satisfactions = |signals: &[&Signal]| -> Vec<_> {
        amounts(signals).into_iter().filter(|(name, ..)| name.starts_with("ticket_satisfaction")).collect()
    };
    assert_eq!(satisfactions(&[&closed, &resolved, &good]), [count(2)]);
    assert_eq!(satisfactions(&[&bad, &closed, &resolved, &good]), [count(2), count(6)]);
    let reopened = signal(day(3), 5, ticket(TicketAction::Reopened, None, None));
    assert_eq!(satisfactions(&[&closed, &resolved, &good, &reopened]), [count(2), count(5)]);
}

fn answered(minute: i64, number: u8, after_hours: i64) -> Signal {
    let Payload::Ticket(told) = ticket(TicketAction::Updated, None, None) else { unreachable!() };
    let first_response_at = Some(DateTime::UNIX_EPOCH + TimeDelta::hours(after_hours));
    signal(minute, number, Payload::Ticket(TicketSignal { first_response_at, ..told }))
}

#[test]
fn a_first_response_that_was_wrong_is_corrected_by_the_newer_signal() {
    let opened = signal(120, 1, ticket(TicketAction::Opened, None, None));
    let hours = |signals: &[&Signal]| {
        let story = folded(StoryKind::Ticket, signals.iter().copied());
        let entries = story.day_entries();
        let of_series = |(row, _, amount)| (row == StoryRow::Sum(StorySeries::FirstResponseHours)).then_some(amount);
        entries.amounts().find_map(of_series)
    };
    let (wrong, corrected, before_opening) = (answered(200, 2, 3), answered(300, 3, 10), answered(400, 4, 1));
    assert_eq!(hours(&[&opened, &wrong]), Some(1_000));
    assert_eq!(hours(&[&opened, &wrong, &corrected]), Some(8_000));
    assert_eq!(hours(&[&corrected, &opened, &wrong]), Some(8_000), "in any order");
    assert_eq!(hours(&[&opened, &before_opening]), None, "nobody answers before he is asked");
    let as_given = [answered(300, 5, 5), answered(240, 6, 4), answered(360, 7, 6)];
    assert_eq!(hours(&[&opened, &as_given[0], &as_given[1], &as_given[2]]), Some(2_000), "the earliest that was seen");
    assert_eq!(hours(&[&opened, &as_given[0], &corrected, &as_given[2]]), Some(8_000), "hindsight knows better");
}

#[test]
fn a_first_response_before_the_opening_is_refused_with_its_field() {
    let fields = |signal: &Signal| {
        let mut found = Violations::new();
        signal.payload.check(&mut found, Some(signal.event_at));
        found.into_iter().map(|violation| violation.field).collect::<Vec<_>>()
    };
    let mut opened = answered(120, 1, 1);
    assert_eq!(fields(&opened), Vec::<String>::new(), "an update may tell of what was before it");
    let Payload::Ticket(told) = &mut opened.payload else { unreachable!() };
    told.action = TicketAction::Opened;
    assert_eq!(fields(&opened), ["ticket.first_response_time"]);
    assert_eq!(fields(&answered(120, 1, -1)), ["ticket.first_response_time"]);
}

#[test]
fn a_ticket_is_as_its_newest_event_left_it() {
    let opened = signal(0, 1, ticket(TicketAction::Opened, Some(TicketPriority::Urgent), None));
    let resolved = signal(2, 2, ticket(TicketAction::Resolved, None, Some(4)));
    let commented = signal(3, 3, ticket(TicketAction::Updated, None, None));
    let reopened = signal(4, 4, ticket(TicketAction::Reopened, None, None));
    assert!(condition(&folded(StoryKind::Ticket, [&opened])).is_some());
    assert_eq!(condition(&folded(StoryKind::Ticket, [&commented, &resolved, &opened])), None);
    let again = folded(StoryKind::Ticket, [&reopened, &commented, &resolved, &opened]);
    let again = condition(&again).expect("urgent");
    assert!(matches!(again.cause, RiskCause::Ticket { reopen_count: 1, escalation_count: 0, .. }));
}

/// What a help desk that tells states says of a ticket that is open.
fn seen_open(minute: i64, number: u8) -> Signal {
    let Payload::Ticket(told) = ticket(TicketAction::Updated, None, None) else { unreachable!() };
    signal(minute, number, Payload::Ticket(TicketSignal { open: true, ..told }))
}

#[test]
fn r190_a_resolved_ticket_that_is_seen_open_again_is_reopened_once() {
    let opened = signal(0, 1, ticket(TicketAction::Opened, Some(TicketPriority::Urgent), None));
    let resolved = signal(2, 2, ticket(TicketAction::Resolved, None, None));
    let resolved_again = signal(6, 3, ticket(TicketAction::Resolved, None, None));
    let (early, same_minute, open, still_open) = (seen_open(1, 4), seen_open(2, 5), seen_open(4, 6), seen_open(5, 7));
    let reopenings = |signals: &[&Signal]| {
        let story = folded(StoryKind::Ticket, signals.iter().copied());
        condition(&story).map(|condition| match condition.cause {
            RiskCause::Ticket { reopen_count, .. } => reopen_count,
            other => panic!("{other:?}"),
        })
    };
    assert_eq!(reopenings(&[&opened, &early]), Some(0));
    assert_eq!(
        reopenings(&[&opened, &early, &resolved, &same_minute]),
        None,
        "of one time the resolution is the later"
    );
    assert_eq!(reopenings(&[&opened, &early, &resolved, &open, &still_open]), Some(1));
    let reopened = |minute, number| signal(minute, number, ticket(TicketAction::Reopened, None, None));
    assert_eq!(reopenings(&[&opened, &resolved, &open, &reopened(5, 9)]), Some(1), "seen first, and then told");
    assert_eq!(reopenings(&[&opened, &resolved, &reopened(3, 9), &open]), Some(1), "told first, and then seen");
    assert_eq!(reopenings(&[&opened, &resolved, &open, &resolved_again, &reopened(7, 9)]), Some(2));
    assert_eq!(reopenings(&[&still_open, &resolved, &opened, &open]), Some(1), "in any order");
    assert_eq!(reopenings(&[&open, &opened, &resolved, &resolved_again]), None);
    assert_eq!(reopenings(&[&seen_open(8, 8), &open, &opened, &resolved, &resolved_again]), Some(2));
}

#[test]
fn r63_that_a_resolved_ticket_is_seen_open_is_told_as_a_reopening_and_once() {
    let mut story = TicketStory::default();
    let mut told = Vec::new();
    for signal in
        [seen_open(0, 1), signal(2, 2, ticket(TicketAction::Resolved, None, None)), seen_open(4, 3), seen_open(5, 4)]
    {
        let (before, stamp) = (story.clone(), Stamp::of(&signal));
        let Payload::Ticket(payload) = &signal.payload else { unreachable!() };
        story.absorb(&stamp, payload);
        told.push(story.told_since(&before, &stamp).map(|(action, _)| action));
    }
    assert_eq!(told, [None, Some(TicketAction::Resolved), Some(TicketAction::Reopened), None]);
}

#[test]
fn r95_failed_attempts_of_an_invoice_are_counted_and_the_last_one_says_why() {
    let second = signal(5, 1, invoice(InvoiceAction::PaymentFailed, "card expired"));
    let first = signal(1, 2, invoice(InvoiceAction::PaymentFailed, "insufficient funds"));
    let story = folded(StoryKind::Invoice, [&second, &first, &second]);
    let condition = condition(&story).expect("unpaid");
    assert_eq!(condition.occurrence_count, 2);
    let RiskCause::Payment { failed_attempt_count, failure_reason, overdue, .. } = condition.cause else {
        panic!("a payment");
    };
    assert_eq!((failed_attempt_count, failure_reason.as_str(), overdue), (2, "card expired", false));
}
