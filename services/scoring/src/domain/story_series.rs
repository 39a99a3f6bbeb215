//! What stories tell day by day: series of which measures are made, like those of usage.
//!
//! What a story enters is a pure function of what it adds up to. So a signal that comes late changes the days
//! by what the story enters now less what it entered before, and any order of signals gives the same days.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use mainstay_domain::{Violations, day_of};
use serde::{Deserialize, Serialize};

use super::series::{DayNumber, DayValues, day_number};
use super::story_source::StorySource;

/// Values are kept in thousandths, as sums of whole numbers come out the same in any order.
const VALUE_UNITS: f64 = 1_000.0;

/// A series that stories tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StorySeries {
    /// Tickets opened.
    TicketsOpened,
    /// Tickets that are not resolved.
    TicketsOpen,
    /// Tickets of priority urgent or critical that are not resolved.
    UrgentTicketsOpen,
    /// Times that a ticket was handed to a higher level.
    TicketsEscalated,
    /// Times that a ticket was opened again.
    TicketsReopened,
    /// Satisfaction with tickets, 1 to 5.
    TicketSatisfaction,
    /// What speaks from the texts of tickets, -1 (frustrated) to 1 (content).
    TicketSentiment,
    /// Hours from a ticket's opening to its first answer.
    FirstResponseHours,
    /// Hours from a ticket's opening, or reopening, to its resolution.
    ResolutionHours,
    /// Attempts to pay that failed.
    PaymentsFailed,
    /// Invoices whose payment failed or that are overdue, and that are not settled.
    InvoicesUnpaid,
    /// Billing disputes that are not settled.
    DisputesOpen,
    /// Days from when an invoice was due to when it was paid, 0 when it was paid in time.
    PaymentDaysLate,
    /// Answers to "would you recommend us?", 0 to 10.
    NpsScore,
    /// Answers to "how satisfied are you?", 1 to 5.
    CsatScore,
    /// Answers to "how easy was it?", 1 to 7.
    CesScore,
    /// Contacts between the account and those who look after it.
    Touches,
    /// Contacts to which somebody at the customer answered, or which the customer began.
    TouchesAnswered,
    /// Judgements of those who look after the account, 1 to 5.
    CsmPulse,
    /// Times that money was paid back.
    Refunds,
    /// Times that a credit note was given.
    CreditNotes,
    /// Features asked for.
    FeatureRequests,
    /// Features given.
    FeatureReleases,
    /// Incidents and outages that hit the account.
    Incidents,
    /// How many minutes those lasted.
    IncidentMinutes,
    /// Milestones reached on the way to value.
    Milestones,
}

/// How the days of a series add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Things that happen: a day has how many.
    Count,
    /// Things that last: a day has how many more there are at its end than at the end of the day before.
    Open,
    /// Figures: a day has their sum and how many there were.
    Value,
}

/// The names of the series, here once.
macro_rules! names {
    ($($series:ident => $name:literal,)*) => {
        impl StorySeries {
            /// As it is stored and written in models.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$series => $name,)*
                }
            }

            /// As the counts of its figures are stored.
            const fn count_name(self) -> &'static str {
                match self {
                    $(Self::$series => concat!($name, ".count"),)*
                }
            }
        }
    };
}

names! {
    TicketsOpened => "tickets_opened",
    TicketsOpen => "tickets_open",
    UrgentTicketsOpen => "urgent_tickets_open",
    TicketsEscalated => "tickets_escalated",
    TicketsReopened => "tickets_reopened",
    TicketSatisfaction => "ticket_satisfaction",
    TicketSentiment => "ticket_sentiment",
    FirstResponseHours => "first_response_hours",
    ResolutionHours => "resolution_hours",
    PaymentsFailed => "payments_failed",
    InvoicesUnpaid => "invoices_unpaid",
    DisputesOpen => "disputes_open",
    PaymentDaysLate => "payment_days_late",
    NpsScore => "nps_score",
    CsatScore => "csat_score",
    CesScore => "ces_score",
    Touches => "touches",
    TouchesAnswered => "touches_answered",
    CsmPulse => "csm_pulse",
    Refunds => "refunds",
    CreditNotes => "credit_notes",
    FeatureRequests => "feature_requests",
    FeatureReleases => "feature_releases",
    Incidents => "incidents",
    IncidentMinutes => "incident_minutes",
    Milestones => "milestones",
}

impl StorySeries {
    /// All there are.
    pub const ALL: [Self; 26] = [
        Self::TicketsOpened,
        Self::TicketsOpen,
        Self::UrgentTicketsOpen,
        Self::TicketsEscalated,
        Self::TicketsReopened,
        Self::TicketSatisfaction,
        Self::TicketSentiment,
        Self::FirstResponseHours,
        Self::ResolutionHours,
        Self::PaymentsFailed,
        Self::InvoicesUnpaid,
        Self::DisputesOpen,
        Self::PaymentDaysLate,
        Self::NpsScore,
        Self::CsatScore,
        Self::CesScore,
        Self::Touches,
        Self::TouchesAnswered,
        Self::CsmPulse,
        Self::Refunds,
        Self::CreditNotes,
        Self::FeatureRequests,
        Self::FeatureReleases,
        Self::Incidents,
        Self::IncidentMinutes,
        Self::Milestones,
    ];

    /// How its days add up.
    pub const fn shape(self) -> Shape {
        match self {
            Self::TicketsOpened
            | Self::TicketsEscalated
            | Self::TicketsReopened
            | Self::PaymentsFailed
            | Self::Touches
            | Self::TouchesAnswered
            | Self::Refunds
            | Self::CreditNotes
            | Self::FeatureRequests
            | Self::FeatureReleases
            | Self::Incidents
            | Self::IncidentMinutes
            | Self::Milestones => Shape::Count,
            Self::TicketsOpen | Self::UrgentTicketsOpen | Self::InvoicesUnpaid | Self::DisputesOpen => Shape::Open,
            Self::TicketSatisfaction
            | Self::TicketSentiment
            | Self::FirstResponseHours
            | Self::ResolutionHours
            | Self::PaymentDaysLate
            | Self::NpsScore
            | Self::CsatScore
            | Self::CesScore
            | Self::CsmPulse => Shape::Value,
        }
    }

    /// The least and the largest figure that there can be; of no meaning for what is counted or lasts.
    pub const fn value_range(self) -> (f64, f64) {
        match self {
            Self::TicketSentiment => (-1.0, 1.0),
            Self::NpsScore => (0.0, 10.0),
            Self::TicketSatisfaction | Self::CsatScore | Self::CsmPulse => (1.0, 5.0),
            Self::CesScore => (1.0, 7.0),
            Self::FirstResponseHours
            | Self::ResolutionHours
            | Self::TicketsOpened
            | Self::TicketsOpen
            | Self::UrgentTicketsOpen
            | Self::TicketsEscalated
            | Self::TicketsReopened
            | Self::PaymentsFailed
            | Self::InvoicesUnpaid
            | Self::DisputesOpen
            | Self::PaymentDaysLate
            | Self::Touches
            | Self::TouchesAnswered
            | Self::Refunds
            | Self::CreditNotes
            | Self::FeatureRequests
            | Self::FeatureReleases
            | Self::Incidents
            | Self::IncidentMinutes
            | Self::Milestones => (0.0, f64::INFINITY),
        }
    }

    /// The middle of the scale of its figures; none when they have no scale.
    pub fn value_middle(self) -> Option<f64> {
        let (least, most) = self.value_range();
        (self.shape() == Shape::Value && most.is_finite()).then(|| f64::midpoint(least, most))
    }

    /// Notes a figure that there cannot be.
    pub(super) fn check(self, found: &mut Violations, field: &str, value: Option<f64>) {
        let (least, most) = self.value_range();
        let fits = value.is_none_or(|value| (least..=most).contains(&value));
        found.require(fits, field, format!("must be {least} to {most}"));
    }

    /// Whether it can be below 0, where a share of another number says nothing.
    pub const fn can_be_negative(self) -> bool {
        self.value_range().0 < 0.0
    }

    /// Who tells it.
    pub const fn source(self) -> StorySource {
        match self {
            Self::TicketsOpened
            | Self::TicketsOpen
            | Self::UrgentTicketsOpen
            | Self::TicketsEscalated
            | Self::TicketsReopened
            | Self::TicketSatisfaction
            | Self::TicketSentiment
            | Self::FirstResponseHours
            | Self::ResolutionHours => StorySource::Tickets,
            Self::PaymentsFailed
            | Self::InvoicesUnpaid
            | Self::DisputesOpen
            | Self::PaymentDaysLate
            | Self::Refunds
            | Self::CreditNotes => StorySource::Billing,
            Self::NpsScore | Self::CsatScore | Self::CesScore => StorySource::Surveys,
            Self::Touches | Self::TouchesAnswered => StorySource::Touches,
            Self::CsmPulse => StorySource::Pulses,
            Self::FeatureRequests => StorySource::Requests,
            Self::FeatureReleases => StorySource::Releases,
            Self::Incidents | Self::IncidentMinutes => StorySource::Incidents,
            Self::Milestones => StorySource::Milestones,
        }
    }
}

/// A row of days that a story adds to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum StoryRow {
    /// How many, or by how many more; of figures their sum, in thousandths.
    #[serde(rename = "sum")]
    Sum(StorySeries),
    /// Of figures, how many there were.
    #[serde(rename = "count")]
    Count(StorySeries),
}

impl StoryRow {
    /// As it is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sum(series) => series.name(),
            Self::Count(series) => series.count_name(),
        }
    }

    /// The row of a stored name.
    pub fn parse(name: &str) -> Option<Self> {
        let rows = StorySeries::ALL.into_iter().flat_map(|series| [Self::Sum(series), Self::Count(series)]);
        rows.into_iter().find(|row| row.name() == name)
    }
}

/// What a story enters into the days of its account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DayEntries(BTreeMap<(StoryRow, DayNumber), i64>);

impl DayEntries {
    /// One more that happened then.
    pub fn count(&mut self, series: StorySeries, at: DateTime<Utc>) {
        self.add(StoryRow::Sum(series), at, 1);
    }

    /// So many more that happened then.
    pub fn amount(&mut self, series: StorySeries, at: DateTime<Utc>, amount: i64) {
        self.add(StoryRow::Sum(series), at, amount);
    }

    /// One more from then on, until it ends; none: it lasts.
    pub fn span(&mut self, series: StorySeries, from: DateTime<Utc>, until: Option<DateTime<Utc>>) {
        self.add(StoryRow::Sum(series), from, 1);
        if let Some(until) = until {
            self.add(StoryRow::Sum(series), until, -1);
        }
    }

    /// A figure of then; finite.
    #[expect(clippy::cast_possible_truncation, reason = "figures are scores and hours: far below 2^63 thousandths")]
    pub fn value(&mut self, series: StorySeries, at: DateTime<Utc>, value: f64) {
        self.add(StoryRow::Sum(series), at, (value * VALUE_UNITS).round() as i64);
        self.add(StoryRow::Count(series), at, 1);
    }

    fn add(&mut self, row: StoryRow, at: DateTime<Utc>, amount: i64) {
        let place = (row, day_number(day_of(at)));
        let sum = self.0.entry(place).or_default();
        *sum = sum.saturating_add(amount);
        if *sum == 0 {
            self.0.remove(&place);
        }
    }

    /// By what this is more than what was entered before.
    #[must_use]
    pub fn minus(&self, before: &Self) -> Self {
        let mut left = self.0.clone();
        for (&place, &amount) in &before.0 {
            let sum = left.entry(place).or_default();
            *sum = sum.saturating_sub(amount);
        }
        left.retain(|_, amount| *amount != 0);
        Self(left)
    }

    /// Each row and day with its amount, none of them 0.
    pub fn amounts(&self) -> impl Iterator<Item = (StoryRow, DayNumber, i64)> {
        self.0.iter().map(|(&(row, day), &amount)| (row, day, amount))
    }

    /// The entries of these rows, days and amounts.
    pub fn of_amounts(amounts: impl IntoIterator<Item = (StoryRow, DayNumber, i64)>) -> Self {
        Self(amounts.into_iter().map(|(row, day, amount)| ((row, day), amount)).collect())
    }
}

/// Hours between two times; none when the later is not later.
pub(super) fn hours_between(from: DateTime<Utc>, until: DateTime<Utc>) -> Option<f64> {
    let length = until - from;
    (length >= TimeDelta::zero()).then(|| length.num_seconds() as f64 / 3_600.0)
}

/// The figures of a day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct DayFigures {
    pub day: DayNumber,
    /// How many; above 0.
    pub count: i64,
    pub sum: f64,
}

/// The days of one series of an account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoryDays {
    sums: DayValues,
    counts: DayValues,
}

impl StoryDays {
    /// Adds to the sums, or to the counts of figures.
    pub(super) fn add(&mut self, row: StoryRow, days: &[(DayNumber, i64)]) {
        match row {
            StoryRow::Sum(_) => self.sums.add(days),
            StoryRow::Count(_) => self.counts.add(days),
        }
    }

    /// What happened, by day.
    pub fn happened(&self) -> &DayValues {
        &self.sums
    }

    /// How many last at the end of a day.
    pub fn open_at(&self, day: DayNumber) -> i64 {
        self.sums.between(DayNumber::MIN, day).iter().map(|&(_, change)| change).sum()
    }

    /// The most that lasted at the end of any day from `first` to `last`.
    pub fn most_open(&self, first: DayNumber, last: DayNumber) -> i64 {
        let mut open = self.open_at(first);
        let mut most = open;
        for &(_, change) in self.sums.between(first.saturating_add(1), last) {
            open += change;
            most = most.max(open);
        }
        most
    }

    /// The mean of the figures from `first` to `last`, both included; none without any.
    pub fn mean(&self, first: DayNumber, last: DayNumber) -> Option<f64> {
        let total = |days: &DayValues| days.between(first, last).iter().map(|&(_, amount)| amount).sum::<i64>();
        let count = total(&self.counts);
        (count > 0).then(|| total(&self.sums) as f64 / VALUE_UNITS / count as f64)
    }

    /// The figures of the days up to and with `last` that have any, the newest day first.
    pub(super) fn figures_back_from(&self, last: DayNumber) -> impl Iterator<Item = DayFigures> {
        self.counts.between(DayNumber::MIN, last).iter().rev().map(|&(day, count)| {
            let sum: i64 = self.sums.between(day, day).iter().map(|&(_, sum)| sum).sum();
            DayFigures { day, count, sum: sum as f64 / VALUE_UNITS }
        })
    }

    /// The newest day with a figure, up to and with `last`.
    pub fn newest_value_day(&self, last: DayNumber) -> Option<DayNumber> {
        self.counts.newest_day(last)
    }

    /// The first day with an entry.
    pub(super) fn first_day(&self) -> Option<DayNumber> {
        [&self.sums, &self.counts].into_iter().filter_map(|days| days.days().first().map(|&(day, _)| day)).min()
    }

    /// The newest day with an entry, up to and with `last`.
    pub(super) fn newest_day(&self, last: DayNumber) -> Option<DayNumber> {
        [&self.sums, &self.counts].into_iter().filter_map(|days| days.newest_day(last)).max()
    }

    /// Adds all of another.
    pub(super) fn merge(&mut self, other: &Self) {
        self.sums.add(other.sums.days());
        self.counts.add(other.counts.days());
    }
}

#[cfg(test)]
mod tests;
