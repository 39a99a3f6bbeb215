//! An account scored again as of days of the past.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use mainstay_domain::{Points, Segment};
use serde::{Deserialize, Serialize};

use super::super::measure::DayContext;
use super::super::model::HealthModel;
use super::super::score::{AccountInputs, Scored, score};
use super::super::scoring_facts::{ScoringFacts, ScoringFactsByDay};
use super::super::series::{AccountSeries, DayNumber, day_number};
use super::tenure::Tenure;

/// A model and what all accounts together tell about each day.
#[derive(Debug, Clone, Copy)]
pub struct Replay<'a> {
    /// The model.
    pub model: &'a HealthModel,
    /// The context of each day.
    pub contexts: &'a BTreeMap<NaiveDate, DayContext>,
}

/// An account to replay.
#[derive(Debug, Clone, Copy)]
pub struct ReplayedAccount<'a> {
    /// What it did, from its first day on.
    pub series: &'a AccountSeries,
    /// What was said of it over time.
    pub facts: &'a ScoringFactsByDay,
    /// When it was a customer.
    pub tenure: &'a Tenure,
}

/// What both models said of an account as of the end of a day, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredDay", into = "StoredDay")]
pub struct TrialDay {
    /// The day.
    pub day: DayNumber,
    /// How many days later it left. Absent: it has not left since.
    pub left_after: Option<u32>,
    /// Score by the model that is tried.
    pub trial: Option<Points>,
    /// Score by the model that scores.
    pub base: Option<Points>,
    /// Points of each measure of the model that is tried, in its order.
    pub points: Vec<Option<Points>>,
}

/// A day as it is kept for a while: many are, so that names of fields would be most of it.
type StoredDay = (DayNumber, Option<u32>, Option<i32>, Option<i32>, Vec<Option<i32>>);

impl From<StoredDay> for TrialDay {
    fn from((day, left_after, trial, base, points): StoredDay) -> Self {
        let read = |units: Option<i32>| units.map(Points::from_units);
        Self { day, left_after, trial: read(trial), base: read(base), points: points.into_iter().map(read).collect() }
    }
}

impl From<TrialDay> for StoredDay {
    fn from(day: TrialDay) -> Self {
        let units = |points: Option<Points>| points.map(Points::units);
        (day.day, day.left_after, units(day.trial), units(day.base), day.points.into_iter().map(units).collect())
    }
}

impl ReplayedAccount<'_> {
    /// Those of the days on which the account was in a segment; all, where none is named.
    pub fn days_in(&self, segment: Option<Segment>, days: &[NaiveDate]) -> Vec<NaiveDate> {
        let is_in = |day: NaiveDate| {
            let of_day = self.facts.on(day).map_or(Segment::Unknown, |facts| facts.segment);
            segment.is_none_or(|wanted| wanted == of_day)
        };
        days.iter().copied().filter(|day| is_in(*day)).collect()
    }
}

impl Replay<'_> {
    /// The account's score as of the end of a day of which there is a context.
    pub fn score(&self, account: &ReplayedAccount<'_>, day: NaiveDate) -> Option<Scored> {
        let context = self.contexts.get(&day)?;
        let unknown = ScoringFacts::default();
        let first_signal_day = account.series.first_signal_day().filter(|first| *first <= day_number(day))?;
        let inputs = AccountInputs {
            series: account.series,
            facts: account.facts.on(day).unwrap_or(&unknown),
            first_signal_day: Some(first_signal_day),
        };
        Some(score(self.model, &inputs, context, day))
    }
}

/// Scores the account by both models, on those days on which it was a customer with signals and of which it is known whether it
/// left within the horizon.
pub fn replay(
    trial: Replay<'_>,
    base: Replay<'_>,
    account: &ReplayedAccount<'_>,
    days: &[NaiveDate],
    horizon_days: u32,
) -> Vec<TrialDay> {
    days.iter()
        .filter_map(|&day| {
            let look = account.tenure.look(day_number(day), horizon_days)?;
            let scored = trial.score(account, day)?;
            Some(TrialDay {
                day: day_number(day),
                left_after: look.left_after,
                trial: scored.score,
                base: base.score(account, day)?.score,
                points: scored.measures.iter().map(|measure| measure.points).collect(),
            })
        })
        .collect()
}
