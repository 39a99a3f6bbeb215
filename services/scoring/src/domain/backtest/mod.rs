//! How well a model would have found those who left.
//!
//! Accounts are scored again as of the end of days of the past ([`BacktestSpan`]), by the model that is tried and by the one that
//! scores ([`replay`]). Who left is known by now ([`Tenure`]), and so the scores can be judged ([`judge`]).

mod calibration;
mod judge;
mod record;
mod replay;
mod report;
mod sample;
mod span;
mod tenure;

#[cfg(test)]
mod tests;

pub use judge::{Judged, judge};
pub(crate) use record::{BacktestEnd, BacktestRecord, BandChange, Difference, FoundDifference};
pub use replay::{Replay, ReplayedAccount, TrialDay, replay};
pub use report::{
    Area, BacktestReport, BandMove, Calibration, CutKind, MeasureTrial, ModelTrial, ScoreTenth, TrialComparison,
};
pub use sample::{ACCOUNTS_OF_OUTCOME_MIN, TooFewOutcomes};
pub use span::{ACCOUNT_DAYS_MAX, BacktestSpan, SpanDraft};
pub use tenure::{Look, Tenure, TenureEvent};
