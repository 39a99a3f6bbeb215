//! What reports count of a ticket, and whether it was resolved at first contact.

use chrono::{DateTime, TimeDelta, Utc};
use mainstay_domain::FIRST_CONTACT_DAYS;

use super::super::story::Stamp;
use super::{TicketAction, TicketStory};

/// What reports count of a ticket; of everything the first time that it happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TicketRecord {
    pub opened_at: DateTime<Utc>,
    /// Not before it was opened.
    pub answered_at: Option<DateTime<Utc>>,
    pub resolved_at: Option<DateTime<Utc>>,
    /// When it was opened again.
    pub reopened_at: Option<DateTime<Utc>>,
    pub escalated_at: Option<DateTime<Utc>>,
    /// Whether it was resolved at first contact, by what was told so far; none as long as it is not resolved.
    pub at_first_contact: Option<bool>,
}

impl TicketRecord {
    /// The newest of its times: whatever happened to a ticket after a time, this is after it, too.
    pub(crate) fn newest_at(&self) -> DateTime<Utc> {
        let later = [self.answered_at, self.resolved_at, self.reopened_at, self.escalated_at];
        later.into_iter().flatten().fold(self.opened_at, DateTime::max)
    }
}

impl TicketStory {
    /// What reports count of it; none when nothing was told.
    pub(crate) fn record(&self) -> Option<TicketRecord> {
        let opened_at = self.first_told.as_ref()?.at;
        let resolution = self.first_move(|_, action| action == TicketAction::Resolved);
        // Some help desks have no word for reopening, and say once more that the ticket was opened.
        let is_reopening = |stamp: &Stamp, action| {
            action == TicketAction::Reopened
                || (action == TicketAction::Opened && resolution.is_some_and(|resolution| stamp > resolution))
        };
        let resolved_at = resolution.map(|stamp| stamp.at);
        let reopened_at = self.first_move(is_reopening).map(|stamp| stamp.at);
        let escalated_at = self.first_move(|_, action| action == TicketAction::Escalated).map(|stamp| stamp.at);
        let is_first_contact = |resolved_at: DateTime<Utc>| {
            let decided_at = resolved_at + TimeDelta::days(FIRST_CONTACT_DAYS.into());
            let needed_more = [reopened_at, escalated_at].into_iter().flatten().any(|at| at <= decided_at);
            // What came with the opening or with the resolution is part of it.
            let wrote_again = self.customer_wrote_at.iter().any(|at| opened_at < *at && *at < resolved_at);
            !needed_more && !wrote_again
        };
        Some(TicketRecord {
            opened_at,
            answered_at: self.answered_at().filter(|answered_at| *answered_at >= opened_at),
            resolved_at,
            reopened_at,
            escalated_at,
            at_first_contact: resolved_at.map(is_first_contact),
        })
    }

    fn first_move(&self, is_wanted: impl Fn(&Stamp, TicketAction) -> bool) -> Option<&Stamp> {
        self.all_moves().into_iter().find(|(stamp, action)| is_wanted(stamp, *action)).map(|(stamp, _)| stamp)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::TicketSignal;
    use super::TicketAction::{Escalated, Opened, Reopened, Resolved, Updated};
    use super::*;

    const DAY_MINUTES: i64 = 24 * 60;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minute)
    }

    /// The record of a ticket of which this was told: the minute, what happened, and what the customer wrote.
    fn record(told: &[(i64, TicketAction, &str)]) -> TicketRecord {
        let signals: Vec<_> = told.iter().map(|(minute, action, text)| (*minute, signal(*action, text))).collect();
        record_of(&signals)
    }

    fn record_of(told: &[(i64, TicketSignal)]) -> TicketRecord {
        let mut story = TicketStory::default();
        for (place, (minute, signal)) in told.iter().enumerate() {
            let source_id = place.to_string();
            let stamp = Stamp { at: at(*minute), rank: signal.action as u8, source: "desk".to_owned(), source_id };
            story.absorb(&stamp, signal);
        }
        story.record().expect("a ticket")
    }

    fn seen_open() -> TicketSignal {
        TicketSignal { open: true, ..signal(Updated, "") }
    }

    fn signal(action: TicketAction, text: &str) -> TicketSignal {
        TicketSignal {
            ticket_id: "t-1".to_owned(),
            action,
            priority: None,
            subject: String::new(),
            text: text.to_owned(),
            requester_email: String::new(),
            satisfaction: None,
            first_response_at: None,
            sentiment: None,
            open: false,
        }
    }

    #[test]
    fn r52_a_ticket_that_nobody_needed_again_was_resolved_at_first_contact() {
        let resolved = record(&[(0, Opened, "It burns."), (5, Updated, ""), (60, Resolved, "It works, thank you.")]);
        assert_eq!(resolved.at_first_contact, Some(true));
        assert_eq!((resolved.opened_at, resolved.resolved_at, resolved.newest_at()), (at(0), Some(at(60)), at(60)));
        assert_eq!(record(&[(0, Opened, "It burns.")]).at_first_contact, None);
        assert_eq!(record(&[(0, Resolved, "")]).at_first_contact, Some(true), "all that is known of it");
    }

    #[test]
    fn r52_who_writes_again_before_the_resolution_needed_more_than_one_contact() {
        let wrote = |minute, action, text| record(&[(0, Opened, "a"), (60, Resolved, ""), (minute, action, text)]);
        assert_eq!(wrote(30, Updated, "Hello?").at_first_contact, Some(false));
        assert_eq!(wrote(30, Updated, "").at_first_contact, Some(true));
        // The help desk tells the first message twice: as the ticket's, and as a message.
        assert_eq!(wrote(0, Updated, "a").at_first_contact, Some(true));
        assert_eq!(wrote(60, Updated, "Thanks.").at_first_contact, Some(true));
        assert_eq!(wrote(90, Updated, "Thanks.").at_first_contact, Some(true));
        let earlier = record(&[(0, Updated, "a"), (30, Updated, "b"), (60, Resolved, "")]);
        assert_eq!(earlier.at_first_contact, Some(false), "whatever told of it first, opened it");
    }

    #[test]
    fn r52_the_seventh_day_after_the_resolution_belongs_to_it_and_what_comes_later_does_not() {
        let week = 60 + 7 * DAY_MINUTES;
        for action in [Reopened, Escalated, Opened] {
            let then = |minute| record(&[(0, Opened, ""), (60, Resolved, ""), (minute, action, "")]);
            assert_eq!(then(week).at_first_contact, Some(false), "{action:?}");
            assert_eq!(then(week + 1).at_first_contact, Some(true), "{action:?}");
            let later = then(week + 1);
            let told = if action == Escalated { later.escalated_at } else { later.reopened_at };
            assert_eq!((told, later.newest_at()), (Some(at(week + 1)), at(week + 1)), "{action:?}");
        }
        assert_eq!(record(&[(0, Opened, ""), (9, Escalated, ""), (60, Resolved, "")]).at_first_contact, Some(false));
        // It was resolved before, of which nothing was told.
        assert_eq!(record(&[(0, Opened, ""), (9, Reopened, ""), (60, Resolved, "")]).at_first_contact, Some(false));
        let twice = record(&[(0, Opened, ""), (1, Opened, ""), (60, Resolved, ""), (week + 9, Resolved, "")]);
        assert_eq!((twice.at_first_contact, twice.reopened_at, twice.resolved_at), (Some(true), None, Some(at(60))));
    }

    #[test]
    fn r52_a_ticket_that_is_seen_open_after_its_resolution_was_reopened() {
        let seen = |minute: i64| {
            record_of(&[
                (0, seen_open()),
                (30, seen_open()),
                (60, signal(Resolved, "")),
                (minute, seen_open()),
                (minute + 5, seen_open()),
            ])
        };
        let reopened = seen(90);
        assert_eq!((reopened.resolved_at, reopened.reopened_at), (Some(at(60)), Some(at(90))));
        assert_eq!(reopened.at_first_contact, Some(false));
        let week = 60 + 7 * DAY_MINUTES;
        assert_eq!((seen(week).at_first_contact, seen(week + 1).at_first_contact), (Some(false), Some(true)));
        assert_eq!(record_of(&[(0, seen_open()), (60, signal(Resolved, ""))]).reopened_at, None);
    }

    fn any_news() -> impl Strategy<Value = (i64, TicketSignal)> {
        let actions = prop::sample::select(vec![Updated, Escalated, Reopened]);
        (0..20_000i64, actions, "b?", any::<bool>())
            .prop_map(|(minute, action, text, open)| (minute, TicketSignal { open, ..signal(action, &text) }))
    }

    proptest! {
        #[test]
        fn r52_more_news_never_makes_a_first_contact_of_a_ticket_that_was_none(
            told in proptest::collection::vec(any_news(), 0..6),
            more in any_news(),
        ) {
            let mut signals = vec![(0, signal(Opened, "a")), (500, signal(Resolved, ""))];
            signals.extend(told);
            let before = record_of(&signals);
            signals.push(more);
            let after = record_of(&signals);
            prop_assert!(after.at_first_contact <= before.at_first_contact);
            let times = [after.answered_at, after.resolved_at, after.reopened_at, after.escalated_at];
            prop_assert!(times.into_iter().flatten().all(|at| after.opened_at <= at && at <= after.newest_at()));
        }
    }
}
