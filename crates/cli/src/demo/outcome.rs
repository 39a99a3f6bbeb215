//! How well health found those who left.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use comfy_table::{Cell, Table};
use mainstay_api::mainstay::scoring::v1::{Band, Health};
use serde::Deserialize;

use crate::table::{band_cell, bar, percent, table};
use mainstay_domain::grouped;

/// What others reach with the same customers and the same days.
const REFERENCE: &str = include_str!("../../../../demo/cdnow/reference.json");

/// What health is to reach on these customers.
pub(crate) const GOAL: f64 = 0.77;

/// What others reach.
#[derive(Debug, Deserialize)]
pub(crate) struct Reference {
    /// Where the figures are from.
    pub(crate) source: String,
    /// One for each method.
    pub(crate) methods: Vec<ReferenceMethod>,
}

/// What one method reaches.
#[derive(Debug, Deserialize)]
pub(crate) struct ReferenceMethod {
    /// What it is.
    pub(crate) name: String,
    /// Its area under the curve.
    pub(crate) auc: f64,
}

impl Reference {
    /// The figures that are part of the program.
    pub(crate) fn embedded() -> Result<Self, serde_json::Error> {
        serde_json::from_str(REFERENCE)
    }
}

/// A customer on the day of the forecast, and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Customer {
    /// Health on that day.
    pub(crate) score: f64,
    /// The band of the score.
    pub(crate) band: Band,
    /// Days since the last purchase on that day.
    pub(crate) recency_days: i64,
    /// Whether nothing was bought afterwards.
    pub(crate) left: bool,
}

impl Customer {
    /// Of health as the service told it; none without a score or a signal.
    pub(crate) fn of(health: &Health, today: NaiveDate, left: bool) -> Option<Self> {
        let last: NaiveDate = health.last_signal_day.parse().ok()?;
        let recency_days = (today - last).num_days();
        Some(Self { score: health.score?, band: health.band(), recency_days, left })
    }
}

/// How well health found those who left.
#[derive(Debug, PartialEq)]
pub(crate) struct Outcome {
    /// Customers that were judged.
    pub(crate) customers: usize,
    /// Those who left.
    pub(crate) left: usize,
    /// Area under the curve of low health.
    pub(crate) health_auc: f64,
    /// Area under the curve of days since the last purchase.
    pub(crate) recency_auc: f64,
    /// Customers, and those who left, by band.
    pub(crate) bands: Vec<(Band, usize, usize)>,
}

impl Outcome {
    /// None when all left, or nobody.
    pub(crate) fn of(customers: &[Customer]) -> Option<Self> {
        let by = |risk: fn(&Customer) -> f64| -> Vec<(f64, bool)> {
            customers.iter().map(|customer| (risk(customer), customer.left)).collect()
        };
        let mut bands: BTreeMap<i32, (usize, usize)> = BTreeMap::new();
        for customer in customers {
            let (all, left) = bands.entry(customer.band.into()).or_default();
            *all += 1;
            *left += usize::from(customer.left);
        }
        Some(Self {
            customers: customers.len(),
            left: customers.iter().filter(|customer| customer.left).count(),
            health_auc: area_under_curve(&by(|customer| -customer.score))?,
            recency_auc: area_under_curve(&by(|customer| customer.recency_days as f64))?,
            bands: bands
                .into_iter()
                .filter_map(|(band, (all, left))| Some((Band::try_from(band).ok()?, all, left)))
                .collect(),
        })
    }

    /// Whether health reached the goal.
    pub(crate) fn is_goal_reached(&self) -> bool {
        self.health_auc >= GOAL
    }

    /// How health did beside recency and what others reach.
    pub(crate) fn methods_table(&self, reference: &Reference) -> Table {
        let mut methods = table(&["WHO LEFT IS FOUND BY", ">AUC"]);
        let own =
            [("health of this run", self.health_auc), ("days since the last purchase, of this run", self.recency_auc)];
        let others = reference.methods.iter().map(|method| (method.name.as_str(), method.auc));
        for (name, auc) in own.into_iter().chain(others) {
            methods.add_row([name.to_owned(), format!("{auc:.4}")]);
        }
        methods
    }

    /// How many of each band left.
    pub(crate) fn bands_table(&self) -> Table {
        const BAR_WIDTH: usize = 20;
        let mut bands = table(&["BAND", ">CUSTOMERS", ">LEFT", ">SHARE", ""]);
        for &(band, all, left) in &self.bands {
            bands.add_row([
                band_cell(band),
                Cell::new(grouped(&all.to_string())),
                Cell::new(grouped(&left.to_string())),
                Cell::new(percent(left as f64 / all as f64)),
                Cell::new(bar(left as f64, all as f64, BAR_WIDTH)),
            ]);
        }
        bands
    }

    /// Whether the goal is reached, and what is gained over recency, in words.
    pub(crate) fn verdict(&self) -> String {
        let reached = if self.is_goal_reached() { "is reached" } else { "is not reached" };
        let gain = self.health_auc - self.recency_auc;
        let beside = if gain >= 0.0 { "above" } else { "below" };
        format!(
            "The goal of {GOAL} {reached}: {:.4}, which is {:.4} {beside} recency alone.",
            self.health_auc,
            gain.abs()
        )
    }
}

/// Share of pairs of one who left and one who stayed in which the first has the
/// higher risk; equal risks count one half (the Mann–Whitney statistic by
/// midranks). None when there is no such pair.
fn area_under_curve(customers: &[(f64, bool)]) -> Option<f64> {
    let mut by_risk = customers.to_vec();
    by_risk.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (mut rank_sum, mut ranked) = (0.0, 0);
    for equal in by_risk.chunk_by(|one, other| one.0.total_cmp(&other.0).is_eq()) {
        let midrank = ranked as f64 + (equal.len() + 1) as f64 / 2.0;
        rank_sum += midrank * equal.iter().filter(|(_, left)| *left).count() as f64;
        ranked += equal.len();
    }
    let left = customers.iter().filter(|(_, left)| *left).count();
    let stayed = customers.len() - left;
    let lowest = left as f64 * (left + 1) as f64 / 2.0;
    (left > 0 && stayed > 0).then(|| (rank_sum - lowest) / (left as f64 * stayed as f64))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Pair by pair.
    fn counted(customers: &[(f64, bool)]) -> f64 {
        let risks = |who: bool| customers.iter().filter(move |(_, left)| *left == who).map(|(risk, _)| *risk);
        let worth = |one: f64, other: f64| if one > other { 1.0 } else { f64::from(u8::from(one >= other)) / 2.0 };
        let pairs: Vec<f64> =
            risks(true).flat_map(|left| risks(false).map(move |stayed| worth(left, stayed))).collect();
        pairs.iter().sum::<f64>() / pairs.len() as f64
    }

    fn close(one: Option<f64>, other: f64) -> bool {
        one.is_some_and(|one| (one - other).abs() < 1e-12)
    }

    #[test]
    fn the_area_is_the_share_of_pairs_in_the_right_order() {
        // By hand: 3 > 2, 3 > 1, 2 = 2, 2 > 1 of the pairs (3, 2) × (2, 1).
        assert!(close(area_under_curve(&[(3.0, true), (2.0, true), (2.0, false), (1.0, false)]), 3.5 / 4.0));
        assert!(close(area_under_curve(&[(1.0, true), (2.0, false)]), 0.0));
        assert!(close(area_under_curve(&[(2.0, true), (1.0, false)]), 1.0));
        // By hand: all equal.
        assert!(close(area_under_curve(&[(5.0, true), (5.0, false), (5.0, false)]), 0.5));
        // By hand: 4 against 1, 3, 4, 6 gives 2.5 of 4; 1 gives 0.5 of 4.
        let mixed = [(4.0, true), (1.0, true), (1.0, false), (3.0, false), (4.0, false), (6.0, false)];
        assert!(close(area_under_curve(&mixed), 3.0 / 8.0));
        assert_eq!(area_under_curve(&[(1.0, true)]), None);
        assert_eq!(area_under_curve(&[]), None);
    }

    proptest! {
        #[test]
        fn midranks_count_the_pairs(customers in proptest::collection::vec((0_u8..6, any::<bool>()), 2..40)) {
            let customers: Vec<_> = customers.into_iter().map(|(risk, left)| (f64::from(risk), left)).collect();
            match area_under_curve(&customers) {
                Some(area) => prop_assert!((area - counted(&customers)).abs() < 1e-12),
                None => prop_assert!(customers.windows(2).all(|pair| pair[0].1 == pair[1].1)),
            }
        }
    }

    fn customer(score: f64, band: Band, recency_days: i64, left: bool) -> Customer {
        Customer { score, band, recency_days, left }
    }

    #[test]
    fn low_health_and_long_silence_are_the_risks() {
        let customers = [
            customer(20.0, Band::Critical, 200, true),
            customer(30.0, Band::Critical, 10, false),
            customer(60.0, Band::AtRisk, 100, true),
            customer(90.0, Band::Healthy, 1, false),
        ];
        let outcome = Outcome::of(&customers).expect("both kinds");
        assert_eq!((outcome.customers, outcome.left), (4, 2));
        assert!(close(Some(outcome.health_auc), 0.75) && close(Some(outcome.recency_auc), 1.0));
        assert_eq!(outcome.bands, [(Band::Critical, 2, 1), (Band::AtRisk, 1, 1), (Band::Healthy, 1, 0)]);
        assert!(!outcome.is_goal_reached());
        assert_eq!(outcome.verdict(), "The goal of 0.77 is not reached: 0.7500, which is 0.2500 below recency alone.");
        let mut bands = outcome.bands_table();
        bands.force_no_tty();
        let expected = "\
BAND      CUSTOMERS  LEFT  SHARE
critical          2     1    50%  ██████████░░░░░░░░░░
at risk           1     1   100%  ████████████████████
healthy           1     0     0%  ░░░░░░░░░░░░░░░░░░░░";
        assert_eq!(bands.trim_fmt(), expected);
    }

    #[test]
    fn health_without_a_score_is_not_judged() {
        let today: NaiveDate = "1997-09-30".parse().expect("a day");
        let mut health = Health { last_signal_day: "1997-09-01".to_owned(), ..Health::default() };
        assert_eq!(Customer::of(&health, today, true), None);
        health.score = Some(50.0);
        assert_eq!(Customer::of(&health, today, true).map(|customer| customer.recency_days), Some(29));
    }

    #[test]
    fn the_reference_figures_name_their_source() {
        let reference = Reference::embedded().expect("reads");
        assert!(!reference.source.is_empty());
        assert_eq!(reference.methods.len(), 3);
        assert!(reference.methods.iter().all(|method| (0.5..1.0).contains(&method.auc)));
    }
}
