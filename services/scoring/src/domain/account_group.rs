//! Accounts that are alike, and how a measure is spread over them.

use std::collections::BTreeMap;

use mainstay_domain::Segment;
use mainstay_statistics::quantile;

/// Below so many accounts with data a group is too small to have a median to compare with.
pub const MEDIAN_ACCOUNTS_MIN: usize = 5;
/// Below so many accounts with data a group is too small to rank in: one account more or less would move a rank by more than 1/20.
pub const RANK_ACCOUNTS_MIN: usize = 20;
/// Most quantiles that are kept of a distribution: one for each percent.
const QUANTILES_MAX: usize = 101;

/// In what accounts of a group are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AccountGroupKind {
    /// The size class.
    Segment,
    /// The industry.
    Industry,
    /// The plan.
    Plan,
}

impl AccountGroupKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Segment, Self::Industry, Self::Plan];
}

/// Accounts that are alike.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum AccountGroup {
    /// Of this size class; those of which it is not known are a group, too.
    Segment(Segment),
    /// Of this industry: its name in lower case, for callers write it in their own words.
    Industry(String),
    /// On this plan, likewise.
    Plan(String),
}

impl AccountGroup {
    /// The accounts of an industry; none when it is not known.
    pub fn industry(name: &str) -> Option<Self> {
        folded(name).map(Self::Industry)
    }

    /// The accounts on a plan; none when it is not known.
    pub fn plan(name: &str) -> Option<Self> {
        folded(name).map(Self::Plan)
    }

    /// In what its accounts are alike.
    pub const fn kind(&self) -> AccountGroupKind {
        match self {
            Self::Segment(_) => AccountGroupKind::Segment,
            Self::Industry(_) => AccountGroupKind::Industry,
            Self::Plan(_) => AccountGroupKind::Plan,
        }
    }
}

fn folded(name: &str) -> Option<String> {
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_lowercase())
}

/// How the numbers of a measure are spread over accounts.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    /// Quantiles that rise and lie evenly from the smallest number to the largest; at least one.
    quantiles: Vec<f64>,
    account_count: usize,
}

impl Distribution {
    /// How these finite numbers are spread, in any order; none without numbers. Up to 101 numbers are kept as they are; of more, a
    /// quantile for each percent, between two numbers by its distance to them.
    pub fn of(mut numbers: Vec<f64>) -> Option<Self> {
        numbers.sort_by(f64::total_cmp);
        let account_count = numbers.len();
        let steps = QUANTILES_MAX - 1;
        if account_count > QUANTILES_MAX {
            numbers = (0..=steps).filter_map(|step| quantile(&numbers, step as f64 / steps as f64)).collect();
        }
        Self::from_quantiles(numbers, account_count)
    }

    /// One that was kept; none without quantiles.
    pub fn from_quantiles(quantiles: Vec<f64>, account_count: usize) -> Option<Self> {
        (!quantiles.is_empty()).then_some(Self { quantiles, account_count })
    }

    /// The quantiles, evenly from the smallest number to the largest.
    pub fn quantiles(&self) -> &[f64] {
        &self.quantiles
    }

    /// How many accounts had a number.
    pub const fn account_count(&self) -> usize {
        self.account_count
    }

    /// The median; of an even count the mean of the middle two.
    pub fn median(&self) -> f64 {
        quantile(&self.quantiles, 0.5).unwrap_or_default()
    }

    /// The median alone, for those who ask for no more.
    #[must_use]
    pub fn to_median(&self) -> Self {
        Self { quantiles: vec![self.median()], account_count: self.account_count }
    }

    /// Where a number stands: 0 at the smallest and below, 1 at the largest and above, 0.5 in the middle. A number that several
    /// accounts have stands in the middle of them, also at the ends. A larger number never stands lower.
    pub fn rank(&self, number: f64) -> f64 {
        let at_or_above = self.quantiles.partition_point(|quantile| *quantile < number);
        let above = self.quantiles.partition_point(|quantile| *quantile <= number);
        f64::midpoint(self.crossing(at_or_above, number), self.crossing(above, number))
    }

    /// The number that stands at a rank, between the next smaller and the next larger one that is known: where several accounts have the
    /// same, they stand at one rank, and those beside it are skipped.
    pub fn numbers_near(&self, rank: f64) -> [f64; 3] {
        let number = quantile(&self.quantiles, rank).unwrap_or_default();
        let below = self.quantiles.iter().rev().find(|quantile| **quantile < number);
        let above = self.quantiles.iter().find(|quantile| **quantile > number);
        [
            below.copied().unwrap_or_else(|| number.next_down()),
            number,
            above.copied().unwrap_or_else(|| number.next_up()),
        ]
    }

    /// Where the number lies between the quantile at `place` and the one before it.
    fn crossing(&self, place: usize, number: f64) -> f64 {
        let last = self.quantiles.len() - 1;
        if place == 0 {
            return 0.0;
        }
        if place > last {
            return 1.0;
        }
        let (low, high) = (self.quantiles[place - 1], self.quantiles[place]);
        // Of the largest numbers there are the distance is none any more: halved, it is.
        let scale = if (high - low).is_finite() { 1.0 } else { 0.5 };
        let share = (number * scale - low * scale) / (high * scale - low * scale);
        ((place - 1) as f64 + share.clamp(0.0, 1.0)) / last as f64
    }
}

/// How measures are spread over groups on the day before the one scored.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GroupDistributions(BTreeMap<AccountGroup, BTreeMap<String, Distribution>>);

impl GroupDistributions {
    /// Keeps the distribution of a measure over a group.
    pub fn insert(&mut self, group: AccountGroup, measure_id: &str, distribution: Distribution) {
        self.0.entry(group).or_default().insert(measure_id.to_owned(), distribution);
    }

    /// The distribution of a measure over a group, when there is one.
    pub fn lookup(&self, group: &AccountGroup, measure_id: &str) -> Option<&Distribution> {
        self.0.get(group)?.get(measure_id)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&AccountGroup, &str, &Distribution)> {
        self.0.iter().flat_map(|(group, measures)| {
            measures.iter().map(move |(measure, distribution)| (group, measure.as_str(), distribution))
        })
    }
}

#[cfg(test)]
mod tests;
