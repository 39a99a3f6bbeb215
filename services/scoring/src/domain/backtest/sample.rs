//! Figures of account-days of which it is known who left.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_domain::{Points, Proportion};
use mainstay_statistics::classification::{Case, Clustered, auc, clustered_auc_interval};
use mainstay_statistics::lead_time::{LeadTimes, Reading, lead_time_days};
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::super::series::DayNumber;
use super::replay::TrialDay;
use super::report::Area;

/// With fewer accounts that left, or that stayed, nothing is judged. It is a floor below which figures are chance, and no
/// promise: 100 of each are asked for where models are compared (Vergouwe et al. 2005, J Clin Epidemiol 58:475).
pub const ACCOUNTS_OF_OUTCOME_MIN: usize = 10;

/// Steps that a bootstrap takes at most, a case in a resample being one: beyond some hundred thousand account-days, whose
/// intervals are narrow, there are fewer resamples. While figures are made a transaction is open, which must not take long.
const STEPS_MAX: usize = 400_000_000;
/// Resamples at least, of however many cases.
const RESAMPLES_MIN: usize = 200;

/// The seed of every bootstrap: the same data give the same figures.
const SEED: u64 = 0x006d_6169_6e73_7461;

/// A figure of an account-day, by which it is to be found whether the account leaves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Looked {
    /// Which account, from 0.
    pub account: usize,
    pub day: DayNumber,
    /// The lower, the likelier it leaves.
    pub figure: Points,
    /// Whether it left within the horizon.
    pub left: bool,
}

/// Too few accounts left, or stayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooFewOutcomes {
    /// Accounts that left within the horizon of some day.
    pub left: usize,
    /// Accounts that did not.
    pub stayed: usize,
}

/// How many resamples are taken of so many cases, when there are time and reason for `wanted`.
pub(super) fn resamples(cases: usize, wanted: usize) -> usize {
    wanted.min(STEPS_MAX / cases.max(1)).max(RESAMPLES_MIN)
}

pub(super) fn random() -> StdRng {
    StdRng::seed_from_u64(SEED)
}

/// The account-days that have a figure.
pub(super) fn looked_at(
    accounts: &[Vec<TrialDay>],
    horizon_days: u32,
    figure: impl Fn(&TrialDay) -> Option<Points>,
) -> Vec<Looked> {
    let mut found = Vec::new();
    for (account, days) in accounts.iter().enumerate() {
        found.extend(days.iter().filter_map(|day| {
            let left = day.left_after.is_some_and(|after| after <= horizon_days);
            Some(Looked { account, day: day.day, figure: figure(day)?, left })
        }));
    }
    found
}

/// Refuses a sample in which too few accounts left, or stayed.
pub(super) fn check(sample: &[Looked]) -> Result<(), TooFewOutcomes> {
    let all: BTreeSet<usize> = sample.iter().map(|looked| looked.account).collect();
    let left: BTreeSet<usize> = sample.iter().filter(|looked| looked.left).map(|looked| looked.account).collect();
    let found = TooFewOutcomes { left: left.len(), stayed: all.len() - left.len() };
    if found.left.min(found.stayed) >= ACCOUNTS_OF_OUTCOME_MIN { Ok(()) } else { Err(found) }
}

/// How many left.
pub(super) fn outcomes(sample: &[Looked]) -> Proportion {
    proportion(sample.iter().filter(|looked| looked.left).count(), sample.len())
}

pub(super) fn proportion(count: usize, total: usize) -> Proportion {
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    Proportion { count: number(count), total: number(total) }
}

/// The cases, in which the higher score is the likelier to leave.
pub(super) fn cases(sample: &[Looked]) -> Vec<Case> {
    sample.iter().filter_map(|looked| Case::new(danger(looked.figure), looked.left).ok()).collect()
}

/// The figure turned round: the higher, the likelier to leave.
pub(super) fn danger(figure: Points) -> f64 {
    -f64::from(figure.units())
}

/// The area under the curve; none unless enough accounts left and stayed.
pub(super) fn area(sample: &[Looked], wanted: usize) -> Option<Area> {
    check(sample).ok()?;
    let clustered: Vec<_> = sample
        .iter()
        .filter_map(|looked| Clustered::case(looked.account, danger(looked.figure), looked.left).ok())
        .collect();
    let value = auc(&cases(sample))?;
    Some(Area {
        value,
        interval: clustered_auc_interval(&clustered, resamples(clustered.len(), wanted), &mut random())?,
    })
}

/// How early those who left had a figure below a cut, by how many days before they left it was.
pub(super) fn lead_times(
    accounts: &[Vec<TrialDay>],
    below: Points,
    figure: impl Fn(&TrialDay) -> Option<Points>,
) -> LeadTimes {
    let mut times = Vec::new();
    for days in accounts {
        // One who came back may have left twice.
        let mut ends: BTreeMap<i64, Vec<Reading>> = BTreeMap::new();
        for day in days {
            let Some(days_before_end) = day.left_after else { continue };
            let warned = figure(day).is_some_and(|figure| figure < below);
            let end = i64::from(day.day) + i64::from(days_before_end);
            ends.entry(end).or_default().push(Reading { days_before_end, warned });
        }
        times.extend(ends.values().map(|readings| lead_time_days(readings)));
    }
    LeadTimes::of(&times)
}
