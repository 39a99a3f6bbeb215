//! The score of an account on a day.

use chrono::NaiveDate;
use mainstay_domain::{Band, Points};

use super::measure::{DayContext, MissingReason, Reading, read_measure};
use super::model::{Component, HealthModel};
use super::scoring_facts::ScoringFacts;
use super::series::{AccountSeries, DayNumber, date_of, day_number};

/// What is known of an account.
#[derive(Debug, Clone, Copy)]
pub struct AccountInputs<'a> {
    /// What it did. Days after the one scored may be there and do not count.
    pub series: &'a AccountSeries,
    /// What is said of it, as of the day scored.
    pub facts: &'a ScoringFacts,
    /// The day of its first signal, of any kind. Absent: it never had one.
    pub first_signal_day: Option<DayNumber>,
}

/// How healthy an account is on a day, and what made it so.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scored {
    /// 0 to 100, the multiple of 1/128 nearest to the weighted mean. Absent:
    /// no measure had data.
    pub score: Option<Points>,
    /// The band of the score.
    pub band: Option<Band>,
    /// Share of the model's weight that had fresh data, 0 to 1.
    pub coverage: f64,
    /// Age in days of the oldest newest-data among the measures that counted.
    pub freshness_days: Option<i32>,
    /// Day of the newest signal of any kind.
    pub last_signal_day: Option<NaiveDate>,
    /// What each measure did, in the model's order, all components' in one list.
    pub measures: Vec<MeasureOutcome>,
    /// What each component did, in the model's order.
    pub components: Vec<ComponentOutcome>,
}

/// What a measure did.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MeasureOutcome {
    /// The number before the curve. Absent: missing.
    pub value: Option<f64>,
    /// The number before the comparison. Absent: no fresh data.
    pub raw_value: Option<f64>,
    /// What the number was compared with. Absent: nothing.
    pub base_value: Option<f64>,
    /// What the curve makes of the value. Absent: missing.
    pub points: Option<Points>,
    /// Share of the score, 0 to 1.
    pub effective_weight: f64,
    /// What it adds to the score.
    pub contribution: Points,
    /// Why it is missing. Absent: it is not.
    pub missing: Option<MissingReason>,
    /// Age in days of its newest data. Absent: there is none.
    pub freshness_days: Option<i32>,
}

impl Scored {
    /// What was read of each measure: with the model, all that the score was made of.
    pub fn readings(&self) -> Vec<Reading> {
        self.measures.iter().map(MeasureOutcome::reading).collect()
    }
}

impl MeasureOutcome {
    fn reading(&self) -> Reading {
        Reading {
            value: self.value.ok_or(self.missing.unwrap_or(MissingReason::NoData)),
            raw_value: self.raw_value,
            base_value: self.base_value,
            freshness_days: self.freshness_days,
        }
    }
}

/// What a component did.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ComponentOutcome {
    /// Its own score, 0 to 100. Absent: left out.
    pub score: Option<Points>,
    /// Share of the score, 0 to 1.
    pub effective_weight: f64,
    /// What it adds to the score: the sum of its measures' contributions.
    pub contribution: Points,
}

/// A measure's reading and what the curve makes of it, before rounding.
struct Read {
    reading: Reading,
    points: Option<f64>,
    weight: f64,
}

/// A component's measures and the shares that are left when the missing are out.
struct ReadComponent {
    weight: f64,
    reads: Vec<Read>,
}

/// Scores an account as of the end of `day`.
pub fn score(model: &HealthModel, account: &AccountInputs, context: &DayContext, day: NaiveDate) -> Scored {
    let day = day_number(day);
    let readings = model.measures().map(|(_, measure)| read_measure(measure, account, context, day)).collect();
    score_readings(model, readings, account.series.newest_signal_day(day).map(date_of))
}

/// Scores what was read of an account's measures, one reading for each measure
/// in the model's order: the same readings give the same score at any time.
///
/// # Panics
/// With another number of readings than the model has measures.
pub fn score_readings(model: &HealthModel, readings: Vec<Reading>, last_signal_day: Option<NaiveDate>) -> Scored {
    assert_eq!(readings.len(), model.measures().count(), "readings for the measures of the model {}", model.id);
    let mut readings = readings.into_iter();
    let components: Vec<ReadComponent> =
        model.components.iter().map(|component| read_component(component, readings.by_ref())).collect();
    let present_weight = sum(components.iter().filter(|component| component.is_present()).map(|one| one.weight));

    let mut scored = Scored { coverage: coverage(&components), last_signal_day, ..Scored::default() };
    let mut exact_units = Vec::new();
    for component in &components {
        let effective_weight =
            if component.is_present() && present_weight > 0.0 { component.weight / present_weight } else { 0.0 };
        let measure_weight = component.present_weight();
        for read in &component.reads {
            let share = match read.points {
                Some(_) if measure_weight > 0.0 => effective_weight * (read.weight / measure_weight),
                _ => 0.0,
            };
            exact_units.push(share * read.points.unwrap_or(0.0) * f64::from(Points::UNITS_PER_POINT));
            scored.measures.push(read.outcome(share));
        }
        scored.components.push(ComponentOutcome {
            score: component.mean().map(Points::nearest),
            effective_weight,
            contribution: Points::ZERO,
        });
    }
    if present_weight > 0.0 {
        let total = Points::nearest(sum(exact_units.iter().copied()) / f64::from(Points::UNITS_PER_POINT));
        let total = total.clamp(Points::ZERO, Points::MAX);
        scored.score = Some(total);
        scored.band = Some(model.band_cuts.band(total));
        for (outcome, contribution) in scored.measures.iter_mut().zip(apportion(total, &exact_units)) {
            outcome.contribution = contribution;
        }
    }
    let counted = scored.measures.iter().filter(|outcome| outcome.effective_weight > 0.0);
    scored.freshness_days = counted.filter_map(|outcome| outcome.freshness_days).max();
    let mut outcomes = scored.measures.iter();
    for (component, read) in scored.components.iter_mut().zip(&components) {
        component.contribution = outcomes.by_ref().take(read.reads.len()).map(|outcome| outcome.contribution).sum();
    }
    scored
}

fn read_component(component: &Component, readings: impl Iterator<Item = Reading>) -> ReadComponent {
    // Weights relative to the largest: sums of very large and very small ones stay exact enough.
    let largest = component.measures.iter().map(|measure| measure.weight).fold(f64::MIN_POSITIVE, f64::max);
    let reads = component
        .measures
        .iter()
        .zip(readings)
        .map(|(measure, reading)| {
            let points = reading.value.ok().map(|value| measure.curve.points_at(value));
            Read { reading, points, weight: measure.weight / largest }
        })
        .collect();
    ReadComponent { weight: component.weight, reads }
}

impl Read {
    fn outcome(&self, effective_weight: f64) -> MeasureOutcome {
        MeasureOutcome {
            value: self.reading.value.ok(),
            raw_value: self.reading.raw_value,
            base_value: self.reading.base_value,
            points: self.points.map(Points::nearest),
            effective_weight,
            contribution: Points::ZERO,
            missing: self.reading.value.err(),
            freshness_days: self.reading.freshness_days,
        }
    }
}

impl ReadComponent {
    fn present_weight(&self) -> f64 {
        sum(self.reads.iter().filter(|read| read.points.is_some()).map(|read| read.weight))
    }

    fn is_present(&self) -> bool {
        self.present_weight() > 0.0
    }

    /// Its measures' weighted mean; none when no measure with a weight has data.
    fn mean(&self) -> Option<f64> {
        let weighted = sum(self.reads.iter().map(|read| read.weight * read.points.unwrap_or(0.0)));
        self.is_present().then(|| (weighted / self.present_weight()).clamp(0.0, 100.0))
    }
}

/// Share of all weight that had data.
fn coverage(components: &[ReadComponent]) -> f64 {
    let all = sum(components.iter().map(|component| component.weight));
    let covered = sum(components.iter().map(|component| {
        component.weight * component.present_weight() / sum(component.reads.iter().map(|read| read.weight))
    }));
    (covered / all).clamp(0.0, 1.0)
}

fn sum(numbers: impl Iterator<Item = f64>) -> f64 {
    numbers.fold(0.0, |sum, number| sum + number)
}

/// Whole units for each part, adding up to `total`, by the largest remainder
/// (the method of Hamilton): each part is rounded down, then the units left go
/// to the parts that lost most, the first of equals first.
#[expect(clippy::cast_possible_truncation, reason = "parts lie between 0 and 12 800 units")]
fn apportion(total: Points, exact_units: &[f64]) -> Vec<Points> {
    let mut units: Vec<i32> = exact_units.iter().map(|exact| exact.floor() as i32).collect();
    let left = total.units() - units.iter().sum::<i32>();
    let mut by_remainder: Vec<usize> = (0..units.len()).collect();
    let remainder = |index: usize| exact_units[index] - exact_units[index].floor();
    by_remainder.sort_by(|&a, &b| remainder(b).total_cmp(&remainder(a)).then(a.cmp(&b)));
    if left >= 0 {
        by_remainder.iter().cycle().take(left.unsigned_abs() as usize).for_each(|&index| units[index] += 1);
    } else {
        // Only when rounding of floats lifted a part over a whole unit.
        by_remainder.retain(|&index| units[index] > 0);
        by_remainder.iter().rev().cycle().take(left.unsigned_abs() as usize).for_each(|&index| units[index] -= 1);
    }
    units.into_iter().map(Points::from_units).collect()
}

#[cfg(test)]
mod tests;
