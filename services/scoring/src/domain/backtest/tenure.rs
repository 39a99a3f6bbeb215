//! When an account was a customer, as signals and callers told it.

use super::super::series::DayNumber;

/// What changed whether an account is a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TenureEvent {
    /// It was activated or renewed.
    Returned,
    /// It left.
    Left,
}

/// When an account was a customer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tenure {
    /// By day; the later of a day last.
    events: Vec<(DayNumber, TenureEvent)>,
    archived: Option<DayNumber>,
    is_unknown: bool,
}

/// What is known by now of an account as it was on a day of the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// How many days later it left, 1 or more. Absent: it has not left since.
    pub left_after: Option<u32>,
}

impl Tenure {
    /// Of an account with these events in the order of their times, that was archived on a day.
    pub fn new(events: Vec<(DayNumber, TenureEvent)>, archived: Option<DayNumber>) -> Self {
        debug_assert!(events.is_sorted_by_key(|(day, _)| *day), "events rise");
        Self { events, archived, is_unknown: false }
    }

    /// Of an account that left, nobody knows when.
    pub fn unknown() -> Self {
        Self { is_unknown: true, ..Self::default() }
    }

    /// Whether it left and nobody knows when.
    pub fn is_unknown(&self) -> bool {
        self.is_unknown
    }

    /// The account as of the end of a day. None when it was gone or archived by then, or when it is not known whether it left
    /// within the horizon, as it was archived before the horizon's end without having left.
    pub fn look(&self, day: DayNumber, horizon_days: u32) -> Option<Look> {
        if self.is_unknown || self.archived.is_some_and(|archived| archived <= day) {
            return None;
        }
        let later = self.events.partition_point(|(event_day, _)| *event_day <= day);
        let (before, after) = self.events.split_at(later);
        if before.last().is_some_and(|(_, event)| *event == TenureEvent::Left) {
            return None;
        }
        let left = after.iter().find(|(_, event)| *event == TenureEvent::Left);
        let left_after = left.and_then(|(left_day, _)| u32::try_from(left_day - day).ok());
        let within = left_after.is_some_and(|days| days <= horizon_days);
        let horizon_end = day.saturating_add(i32::try_from(horizon_days).unwrap_or(i32::MAX));
        let is_cut_off = self.archived.is_some_and(|archived| archived <= horizon_end);
        (within || !is_cut_off).then_some(Look { left_after })
    }
}

#[cfg(test)]
mod tests {
    use super::TenureEvent::{Left, Returned};
    use super::*;

    fn look(tenure: &Tenure, day: DayNumber) -> Option<Look> {
        tenure.look(day, 90)
    }

    fn left(days: u32) -> Look {
        Look { left_after: Some(days) }
    }

    const STAYED: Option<Look> = Some(Look { left_after: None });

    #[test]
    fn who_left_is_looked_at_until_the_day_before() {
        let tenure = Tenure::new(vec![(10, Returned), (200, Left)], None);
        assert_eq!(look(&tenure, 0), Some(left(200)));
        assert_eq!(look(&tenure, 199), Some(left(1)));
        assert_eq!(look(&tenure, 200), None);
        assert_eq!(look(&tenure, 500), None);
    }

    #[test]
    fn who_came_back_is_a_customer_again() {
        let tenure = Tenure::new(vec![(100, Left), (150, Returned), (300, Left), (310, Left)], None);
        assert_eq!(look(&tenure, 120), None);
        assert_eq!(look(&tenure, 150), Some(left(150)));
        assert_eq!(look(&tenure, 305), None);
    }

    #[test]
    fn who_never_left_has_not_left() {
        assert_eq!(look(&Tenure::default(), 7), STAYED);
        assert_eq!(look(&Tenure::unknown(), 7), None);
    }

    #[test]
    fn what_an_archived_account_would_have_done_is_not_known() {
        let stayed = Tenure::new(Vec::new(), Some(200));
        assert_eq!([109, 110, 200].map(|day| look(&stayed, day)), [STAYED, None, None]);
        let gone = Tenure::new(vec![(180, Left)], Some(200));
        assert_eq!(look(&gone, 100), Some(left(80)), "it left before it was archived");
        assert_eq!(look(&gone, 80), Some(left(100)), "nothing came between");
    }
}
