//! Two groups of customers, followed equally long: how many of each stayed, and whether that differs.

use mainstay_domain::{Interval, Money, MoneyError, MoneySums};
use mainstay_statistics::combination::{self, Term};
use mainstay_statistics::survival::{KaplanMeier, LogRank, Observation, stratified_log_rank};

use super::{EXPECTED_CHURNED_MIN, FollowedCustomers};

/// A point of a group's curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct GroupDay {
    /// Of the follow-up; 0 is its beginning.
    pub day: u32,
    /// How many could leave on it.
    pub at_risk: u64,
    /// How many did.
    pub churned: u64,
    /// The share that stays longer.
    pub survival: f64,
    pub interval: Interval,
}

/// A group of customers, followed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RetentionGroup {
    pub customers: u64,
    /// How many of them left.
    pub churned: u64,
    /// How many were out of sight before the end.
    pub censored: u64,
    /// Beginning, days on which somebody left, and the last on which somebody was seen; none of nobody.
    pub curve: Vec<GroupDay>,
    /// Of a year, by currency, of all of them.
    pub revenue: Vec<Money>,
}

impl RetentionGroup {
    /// The share that stayed to the end, as far as somebody was seen; none of nobody.
    pub(crate) fn retention(&self) -> Option<f64> {
        self.curve.last().map(|point| point.survival)
    }

    /// The interval of the share that stayed.
    pub(crate) fn interval(&self) -> Option<Interval> {
        self.curve.last().map(|point| point.interval)
    }

    /// The share that stayed, so often; none where it has no interval, because all stayed or all left.
    pub(super) fn term(&self, weight: f64) -> Option<Term> {
        let last = self.curve.last()?;
        let is_certain = last.survival <= 0.0 || last.survival >= 1.0;
        (!is_certain).then_some(Term { weight, value: last.survival, interval: last.interval })
    }
}

/// How much more of one group stayed than of the other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Difference {
    /// -1 to 1.
    pub value: f64,
    /// None where one of the shares has none.
    pub interval: Option<Interval>,
}

/// Two groups, and whether they differ.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RetentionComparison {
    /// The one asked about.
    pub group: RetentionGroup,
    /// The one it is compared with.
    pub reference: RetentionGroup,
    /// None when one of them is empty.
    pub difference: Option<Difference>,
    /// The test, or what stands against it.
    pub test: Result<LogRank, String>,
}

/// The observations of a group and of the one it is compared with.
pub(super) type ObservedPair = [Vec<Observation>; 2];

impl RetentionComparison {
    /// Of customers that were followed for so many days; with their observations.
    ///
    /// # Errors
    /// When an amount of money leaves its range.
    pub(super) fn of<S>(
        group: &[&FollowedCustomers<S>],
        reference: &[&FollowedCustomers<S>],
        days: u32,
    ) -> Result<(Self, ObservedPair), MoneyError> {
        let observed = [observations(group), observations(reference)];
        let [group, reference] =
            [of_customers(group, &observed[0], days)?, of_customers(reference, &observed[1], days)?];
        let difference = group.retention().zip(reference.retention()).map(|(one, other)| Difference {
            value: one - other,
            interval: group
                .term(1.0)
                .zip(reference.term(-1.0))
                .map(|(one, other)| combination::interval(&[one, other])),
        });
        let test = compare(std::slice::from_ref(&observed));
        Ok((Self { group, reference, difference, test }, observed))
    }
}

fn observations<S>(customers: &[&FollowedCustomers<S>]) -> Vec<Observation> {
    let mut observations = Vec::new();
    for followed in customers {
        let count = usize::try_from(followed.count).unwrap_or(usize::MAX);
        let one = Observation::new(f64::from(followed.day), followed.churned).ok();
        observations.extend(one.into_iter().flat_map(|one| std::iter::repeat_n(one, count)));
    }
    observations
}

fn of_customers<S>(
    customers: &[&FollowedCustomers<S>],
    observations: &[Observation],
    days: u32,
) -> Result<RetentionGroup, MoneyError> {
    let mut sums = MoneySums::default();
    let mut censored = 0;
    for followed in customers {
        if let Some(currency) = followed.currency {
            let minor_units = i64::try_from(followed.annual_revenue).map_err(|_| MoneyError::OutOfRange)?;
            sums.add(Money { currency, minor_units })?;
        }
        if !followed.churned && followed.day < days {
            censored += followed.count;
        }
    }
    let curve = KaplanMeier::of(observations);
    Ok(RetentionGroup {
        customers: curve.as_ref().map_or(0, KaplanMeier::total),
        churned: curve.as_ref().map_or(0, KaplanMeier::ended),
        censored,
        curve: curve.as_ref().map(points).unwrap_or_default(),
        revenue: sums.iter().collect(),
    })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole days, made of `u32`")]
fn points(curve: &KaplanMeier) -> Vec<GroupDay> {
    let all = Interval { low: 1.0, high: 1.0 };
    let mut points = vec![GroupDay { day: 0, at_risk: curve.total(), churned: 0, survival: 1.0, interval: all }];
    let last = curve.last_time();
    let shown = curve.steps().iter().filter(|step| step.ended > 0 || step.time >= last);
    points.extend(shown.map(|step| GroupDay {
        day: step.time as u32,
        at_risk: step.at_risk,
        churned: step.ended,
        survival: step.survival,
        interval: step.interval,
    }));
    points
}

/// The log-rank test of pairs of groups, stratified where there are several.
pub(super) fn compare(strata: &[ObservedPair]) -> Result<LogRank, String> {
    let size = |group: usize| strata.iter().map(|pair| pair[group].len()).sum::<usize>();
    if size(0) == 0 || size(1) == 0 {
        return Err("one of the groups has no customers".to_owned());
    }
    let given: Vec<[&[Observation]; 2]> = strata.iter().map(|pair| pair.each_ref().map(Vec::as_slice)).collect();
    let test = stratified_log_rank(&given).map_err(|error| error.to_string())?;
    let fewest = test.groups.iter().map(|group| group.expected).fold(f64::INFINITY, f64::min);
    if fewest < EXPECTED_CHURNED_MIN {
        return Err(format!(
            "too few left: of one group {fewest:.1} customers would be expected to have left if the groups were alike, and \
             at least {EXPECTED_CHURNED_MIN} are needed"
        ));
    }
    Ok(test)
}
