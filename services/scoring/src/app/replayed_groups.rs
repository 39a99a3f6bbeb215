//! How measures were spread over groups for a backtest or a training, made of what all accounts had on the days before.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use mainstay_storage::StorageError;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::made_distributions::distributions;
use crate::domain::backtest::{Replay, ReplayedAccount};
use crate::domain::{Distribution, GroupDistributions, HealthModel, ScoringFacts, Segment};
use crate::storage::codes;

/// What an account had on a day in each measure, by both models, before any comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct RawDay {
    day: NaiveDate,
    /// The segment's number.
    segment: i16,
    industry: String,
    plan: String,
    /// Empty where the model compares nothing, or would not score the account.
    trial: Vec<Option<f64>>,
    /// Likewise.
    base: Vec<Option<f64>>,
}

impl RawDay {
    /// Of a model that is tried on a segment or on all, and one that scores these segments. None where neither compares the account,
    /// or nothing was known of it yet.
    pub(super) fn of(
        tried_on: Option<Segment>,
        trial: Replay<'_>,
        (base, scored_by_base): (Replay<'_>, &[Segment]),
        account: &ReplayedAccount<'_>,
        day: NaiveDate,
    ) -> Option<Self> {
        let facts = account.facts.on(day).cloned().unwrap_or_default();
        let is_tried = tried_on.is_none_or(|segment| segment == facts.segment);
        let trial = raw_values(trial, is_tried, account, day);
        let base = raw_values(base, scored_by_base.contains(&facts.segment), account, day);
        Self::known(day, facts, trial, base)
    }

    /// The same where no model is tried beside the one that scores.
    pub(super) fn of_scoring(
        base: Replay<'_>,
        scored_by_base: &[Segment],
        account: &ReplayedAccount<'_>,
        day: NaiveDate,
    ) -> Option<Self> {
        let facts = account.facts.on(day).cloned().unwrap_or_default();
        let base = raw_values(base, scored_by_base.contains(&facts.segment), account, day);
        Self::known(day, facts, Vec::new(), base)
    }

    fn known(day: NaiveDate, facts: ScoringFacts, trial: Vec<Option<f64>>, base: Vec<Option<f64>>) -> Option<Self> {
        let segment = codes::segment_number(facts.segment);
        let is_known = !trial.is_empty() || !base.is_empty();
        is_known.then_some(Self { day, segment, industry: facts.industry, plan: facts.plan, trial, base })
    }
}

/// What a model reads of an account that it scores, when it compares accounts.
fn raw_values(replay: Replay<'_>, is_scored: bool, account: &ReplayedAccount<'_>, day: NaiveDate) -> Vec<Option<f64>> {
    let is_read = is_scored && replay.model.compares_accounts();
    let scored = is_read.then(|| replay.score(account, day)).flatten();
    scored.map(|scored| scored.measures.iter().map(|measure| measure.raw_value).collect()).unwrap_or_default()
}

/// A distribution: of a group by kind and name, for a measure, its quantiles, over so many accounts.
type Row = (i16, String, String, Vec<f64>, usize);

/// The distributions for each day, made of the day before.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct DistributionsByDay {
    trial: BTreeMap<NaiveDate, Vec<Row>>,
    base: BTreeMap<NaiveDate, Vec<Row>>,
}

impl DistributionsByDay {
    /// As they are kept while the operation runs.
    pub(super) fn to_json(&self) -> Result<Value, StorageError> {
        serde_json::to_value(self).map_err(codes::corrupt)
    }

    /// As they were kept; none without.
    pub(super) fn of_json(kept: Option<&Value>) -> Result<Self, StorageError> {
        kept.map_or_else(|| Ok(Self::default()), |kept| Self::deserialize(kept).map_err(codes::corrupt))
    }

    pub(super) fn trial(&self, day: NaiveDate) -> GroupDistributions {
        read(self.trial.get(&day))
    }

    pub(super) fn base(&self, day: NaiveDate) -> GroupDistributions {
        read(self.base.get(&day))
    }
}

fn read(rows: Option<&Vec<Row>>) -> GroupDistributions {
    let mut distributions = GroupDistributions::default();
    for (kind, name, measure, quantiles, account_count) in rows.into_iter().flatten() {
        let distribution = Distribution::from_quantiles(quantiles.clone(), *account_count);
        if let (Ok(group), Some(distribution)) = (codes::account_group(*kind, name.clone()), distribution) {
            distributions.insert(group, measure, distribution);
        }
    }
    distributions
}

fn rows(distributions: &GroupDistributions) -> Vec<Row> {
    let row = |(group, measure, distribution): (_, &str, &Distribution)| {
        let (kind, name) = codes::account_group_columns(group);
        (kind, name, measure.to_owned(), distribution.quantiles().to_vec(), distribution.account_count())
    };
    distributions.iter().map(row).collect()
}

/// The distributions of what all accounts had.
pub(super) fn distributions_by_day(
    trial: &HealthModel,
    base: &HealthModel,
    days: impl Iterator<Item = RawDay>,
) -> DistributionsByDay {
    type OfDay = Vec<(ScoringFacts, Vec<Option<f64>>)>;
    type Numbers = BTreeMap<NaiveDate, OfDay>;
    let (mut of_trial, mut of_base) = (Numbers::new(), Numbers::new());
    for raw in days {
        let Ok(segment) = codes::segment(raw.segment) else { continue };
        let facts = ScoringFacts { segment, industry: raw.industry, plan: raw.plan, ..ScoringFacts::default() };
        for (of_model, values) in [(&mut of_trial, raw.trial), (&mut of_base, raw.base)] {
            if !values.is_empty() {
                of_model.entry(raw.day).or_default().push((facts.clone(), values));
            }
        }
    }
    let by_day = |model: &HealthModel, numbers: Numbers| {
        let of_day = |(day_before, numbers): (NaiveDate, OfDay)| {
            Some((day_before.succ_opt()?, rows(&distributions(model, &numbers))))
        };
        numbers.into_iter().filter_map(of_day).collect()
    };
    DistributionsByDay { trial: by_day(trial, of_trial), base: by_day(base, of_base) }
}
