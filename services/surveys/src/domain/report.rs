//! Reports: what they are about, and their rows.

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_domain::{ProgramId, Segment};

use super::quarter::Quarter;
use super::statistics::NpsCounts;

/// Most programmes of a filter.
pub(crate) const PROGRAMS_MAX: usize = 100;
/// Share of satisfied customers to reach.
pub(crate) const CSAT_TARGET: f64 = 0.85;
/// Share of the invited that should answer.
pub(crate) const RESPONSE_RATE_TARGET: f64 = 0.35;
/// Quarters of a trend when the caller says none.
pub(crate) const TREND_QUARTERS_DEFAULT: u32 = 5;
/// Most quarters of a trend.
pub(crate) const TREND_QUARTERS_MAX: u32 = 40;

/// What a report is about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ReportFilter {
    /// Empty: all.
    pub programs: Vec<ProgramId>,
    /// Empty: all.
    pub segments: Vec<Segment>,
    pub start: Option<DateTime<Utc>>,
    pub end: Option<DateTime<Utc>>,
}

/// How long the periods of a report are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PeriodLength {
    Quarter,
    Month,
}

impl PeriodLength {
    /// The name of the period that begins on a day.
    pub(crate) fn name(self, first_day: NaiveDate) -> String {
        match self {
            Self::Quarter => Quarter::of(first_day).to_string(),
            Self::Month => first_day.format("%Y-%m").to_string(),
        }
    }
}

/// By what a report is broken down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Breakdown {
    pub program: bool,
    pub segment: bool,
    pub period: Option<PeriodLength>,
}

impl Breakdown {
    /// Whether there is one row for all.
    pub(crate) fn is_none(self) -> bool {
        self == Self::default()
    }
}

/// What a row is about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ReportKey {
    pub program: Option<ProgramId>,
    pub segment: Option<Segment>,
    /// The first day of the period.
    pub period: Option<NaiveDate>,
}

/// Answers to satisfaction questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct CsatCounts {
    pub satisfied: u64,
    pub neutral: u64,
    pub dissatisfied: u64,
    pub score_sum: u64,
}

impl CsatCounts {
    /// How many answers there are.
    pub(crate) fn total(&self) -> u64 {
        self.satisfied + self.neutral + self.dissatisfied
    }
}

/// Invitations and what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct InvitationCounts {
    pub invited: u64,
    pub answered: u64,
    pub open: u64,
    pub answered_after_reminder: u64,
}

/// Answers to resurveys and what was answered before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct ResurveyCounts {
    pub pairs: u64,
    pub detractors: u64,
    pub recovered: u64,
    pub score_sum_before: u64,
    pub score_sum_after: u64,
}

/// The score of a quarter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QuarterCounts {
    pub quarter: Quarter,
    pub counts: NpsCounts,
}
