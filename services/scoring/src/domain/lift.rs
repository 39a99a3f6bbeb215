//! What would lift a score above a mark: the fewest measures, and by how much.
//!
//! Measures count by themselves here: what one needs is found as if the others stayed as they are, although two of them may look at
//! the same signals. A measure without data is left as it is, for its weight is with the others: data may raise the score or lower it.

use mainstay_domain::{BandCuts, Points, RECOVERED_ABOVE};

use super::account_group::{Distribution, GroupDistributions};
use super::explain::Snapshot;
use super::measure::{DOUBLED, MissingReason, Reading};
use super::model::{Aggregation, Comparison, GroupStatistic, HealthModel, Input, Measure, Window};
use super::score::{MeasureOutcome, score_readings};
use super::scoring_facts::ScoringFacts;
use super::sentences::{amount_words, number_words, raw_words};

/// Two ranks this near are one.
const RANK_ROUNDING: f64 = 1e-9;

/// What would lift a score above a mark, or how far it can be lifted.
#[derive(Debug, Clone, PartialEq)]
pub struct Lift {
    /// The mark.
    pub above: Points,
    /// The score with all steps taken.
    pub score: Points,
    /// The fewest measures that do it, those with most to gain first; all that can gain when the mark cannot be reached.
    pub steps: Vec<LiftStep>,
    /// Measures with weight that cannot add more, in the model's order.
    pub obstacles: Vec<LiftObstacle>,
}

impl Lift {
    /// Whether the steps lift the score above the mark.
    pub fn is_attainable(&self) -> bool {
        self.score > self.above
    }
}

/// What one measure would have to be.
#[derive(Debug, Clone, PartialEq)]
pub struct LiftStep {
    /// Its id.
    pub measure: String,
    /// What people call it.
    pub display_name: String,
    /// The number before the curve.
    pub value: f64,
    /// What it would have to be: the nearest number that is enough, whole where only whole ones can be.
    pub needed_value: f64,
    /// What the score gains by it.
    pub gain: Points,
    /// The same in words.
    pub sentence: String,
}

/// A measure that cannot lift the score.
#[derive(Debug, Clone, PartialEq)]
pub struct LiftObstacle {
    /// Its id.
    pub measure: String,
    /// What people call it.
    pub display_name: String,
    /// Why.
    pub reason: ObstacleReason,
}

/// Why a measure cannot lift a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObstacleReason {
    /// It has no data that counts.
    Missing(MissingReason),
    /// It gives as much as it can.
    AtItsBest,
    /// Only time moves it: what happened within its window cannot be undone, or days have to pass.
    OnlyTime,
}

/// The mark above which a score is recovered, and at risk by no model.
pub fn recovered_above(cuts: &BandCuts) -> Points {
    RECOVERED_ABOVE.max(cuts.at_risk_below)
}

/// What lifts the score above the mark; none when it is there, or when there is no score.
///
/// Of the measures the one that can add most comes first, then the next, until the score is above the mark; no fewer measures do it.
/// The last of them moves only as far as it must.
pub fn lift(now: Snapshot<'_>, others: Others<'_>, above: Points) -> Option<Lift> {
    let score = now.scored.score.filter(|score| *score <= above)?;
    let mut readings = now.scored.readings();
    let mut candidates = candidates(now, others);
    candidates.sort_by(|left, right| right.gain_max().total_cmp(&left.gain_max()));
    let mut steps = Vec::new();
    let mut reached = score;
    for candidate in &candidates {
        let before = reached;
        let mut needed_value = candidate.best_value;
        reached = score_with(now.model, &mut readings, candidate.place, needed_value);
        if reached > above {
            let enough = candidate.least_value(&readings, now, above);
            let with_enough = score_with(now.model, &mut readings, candidate.place, enough);
            if with_enough > above {
                (needed_value, reached) = (enough, with_enough);
            }
        }
        steps.push(candidate.step(needed_value, reached - before));
        if reached > above {
            break;
        }
    }
    Some(Lift { above, score: reached, steps, obstacles: obstacles(now, others, &candidates) })
}

/// The score with another value of the measure at a place, which `readings` keep.
fn score_with(model: &HealthModel, readings: &mut [Reading], place: usize, value: f64) -> Points {
    if let Some(reading) = readings.get_mut(place) {
        reading.value = Ok(value);
    }
    score_readings(model, readings.to_vec(), None).score.unwrap_or_default()
}

/// A measure that can add more.
struct Candidate<'a> {
    place: usize,
    measure: &'a Measure,
    outcome: &'a MeasureOutcome,
    value: f64,
    range: ValueRange<'a>,
    best_value: f64,
}

fn candidates<'a>(now: Snapshot<'a>, others: Others<'a>) -> Vec<Candidate<'a>> {
    let outcomes = now.model.measures().zip(&now.scored.measures).enumerate();
    let candidate = |(place, ((_, measure), outcome)): (usize, ((_, &'a Measure), &'a MeasureOutcome))| {
        let value = outcome.value.filter(|_| outcome.effective_weight > 0.0)?;
        let range = ValueRange::of(measure, outcome, others, By::Doing)?;
        let best_points = range.points_max(measure)?;
        if best_points <= measure.curve.points_at(value) {
            return None;
        }
        let best_value = range.nearest_with(measure, value, best_points)?;
        Some(Candidate { place, measure, outcome, value, range, best_value })
    };
    outcomes.filter_map(candidate).collect()
}

impl Candidate<'_> {
    /// What the score gains at most, before it is rounded.
    fn gain_max(&self) -> f64 {
        let curve = &self.measure.curve;
        self.outcome.effective_weight * (curve.points_at(self.best_value) - curve.points_at(self.value))
    }

    /// The value nearest to the one there is that lifts the score above the mark, while the others are as in `readings`.
    fn least_value(&self, readings: &[Reading], now: Snapshot<'_>, above: Points) -> f64 {
        let others: f64 = now
            .model
            .measures()
            .zip(&now.scored.measures)
            .zip(readings)
            .enumerate()
            .filter(|(place, _)| *place != self.place)
            .filter_map(|(_, (((_, measure), outcome), reading))| {
                Some(outcome.effective_weight * measure.curve.points_at(reading.value.ok()?))
            })
            .sum();
        let mark = (above + Points::from_units(1)).as_f64();
        let needed_points = (mark - others) / self.outcome.effective_weight;
        self.range.nearest_with(self.measure, self.value, needed_points).unwrap_or(self.best_value)
    }

    fn step(&self, needed_value: f64, gain: Points) -> LiftStep {
        LiftStep {
            measure: self.measure.id.clone(),
            display_name: self.measure.display_name.clone(),
            value: self.value,
            needed_value,
            gain,
            sentence: self.sentence(needed_value, gain),
        }
    }
}

impl Candidate<'_> {
    /// For example `Active days in 28: 12 days with activities of users in 28 days instead of 4, which adds 9.8`.
    fn sentence(&self, needed_value: f64, gain: Points) -> String {
        let raw = self.outcome.raw_value;
        let needed = raw.and_then(|raw| self.range.raw(needed_value, raw));
        let what = match (raw, needed) {
            (Some(raw), Some(needed)) => {
                format!("{} instead of {}", raw_words(self.measure, needed), amount_words(self.measure, raw))
            }
            _ => format!("{} instead of {}", number_words(needed_value), number_words(self.value)),
        };
        format!("{}: {what}, which adds {gain}", self.measure.display_name)
    }
}

fn obstacles(now: Snapshot<'_>, others: Others<'_>, candidates: &[Candidate<'_>]) -> Vec<LiftObstacle> {
    let outcomes = now.model.measures().zip(&now.scored.measures).enumerate();
    let with_weight = outcomes.filter(|(_, ((component, measure), _))| component.weight > 0.0 && measure.weight > 0.0);
    let left = with_weight.filter(|(place, _)| candidates.iter().all(|candidate| candidate.place != *place));
    left.map(|(_, ((_, measure), outcome))| LiftObstacle {
        measure: measure.id.clone(),
        display_name: measure.display_name.clone(),
        reason: match outcome.missing {
            Some(reason) => ObstacleReason::Missing(reason),
            None if is_moved_by_time(measure, outcome, others) => ObstacleReason::OnlyTime,
            None => ObstacleReason::AtItsBest,
        },
    })
    .collect()
}

/// Whether days that pass may add to a measure to which nothing that is done can.
fn is_moved_by_time(measure: &Measure, outcome: &MeasureOutcome, others: Others<'_>) -> bool {
    let Some(range) = ValueRange::of(measure, outcome, others, By::DoingAndTime) else { return true };
    let points = outcome.value.map(|value| measure.curve.points_at(value));
    range.points_max(measure) > points
}

/// The numbers that a measure's value can be: those of its window, divided by what they are compared with, or their ranks.
#[derive(Debug, Clone, Copy)]
struct ValueRange<'a> {
    /// The smallest and the largest number of the window.
    raw_min: f64,
    raw_max: f64,
    /// What it is divided by; 1 when it is compared with nothing.
    base: f64,
    /// Whether the window gives whole numbers only.
    is_whole: bool,
    /// Whether a value says what the number of the window is.
    tells_raw: bool,
    /// What it is ranked in. Absent: it is no rank.
    spread: Option<&'a Distribution>,
}

/// What measures that are ranked are ranked in.
#[derive(Debug, Clone, Copy)]
pub struct Others<'a> {
    /// How measures were spread over groups for the day that is scored.
    pub distributions: &'a GroupDistributions,
    /// What was said of the account on that day.
    pub facts: &'a ScoringFacts,
}

impl<'a> Others<'a> {
    fn of(self, measure: &Measure) -> Option<&'a Distribution> {
        let (kind, _) = measure.comparison.with_group()?;
        self.distributions.lookup(&self.facts.group(kind)?, &measure.id)
    }
}

/// What may move a measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// What somebody does: what happened stays so, and there can only be more of it.
    Doing,
    /// That, and days that pass.
    DoingAndTime,
}

impl<'a> ValueRange<'a> {
    /// None when nothing of this moves the value.
    fn of(measure: &Measure, outcome: &MeasureOutcome, others: Others<'a>, by: By) -> Option<Self> {
        let (raw_min, raw_max, is_whole) = Self::raws(measure, outcome, by)?;
        let tells_raw = true;
        if let Some((_, GroupStatistic::Rank)) = measure.comparison.with_group() {
            let spread = Some(others.of(measure)?);
            return Some(Self { raw_min, raw_max, base: 1.0, is_whole, tells_raw, spread });
        }
        Some(match (measure.comparison, outcome.base_value) {
            (Comparison::None, _) => Self { raw_min, raw_max, base: 1.0, is_whole, tells_raw, spread: None },
            // Against nothing, something counts as doubled: in steps of that.
            (_, Some(0.0)) => {
                let least = if raw_min > 0.0 { 1.0 } else { 0.0 };
                Self {
                    raw_min: least,
                    raw_max: 1.0,
                    base: 1.0 / DOUBLED,
                    is_whole: true,
                    tells_raw: false,
                    spread: None,
                }
            }
            (_, Some(base)) => Self { raw_min, raw_max, base, is_whole, tells_raw, spread: None },
            // What it was compared with is not known: any number may come out.
            (_, None) => Self {
                raw_min: f64::NEG_INFINITY,
                raw_max: f64::INFINITY,
                base: 1.0,
                is_whole: false,
                tells_raw: false,
                spread: None,
            },
        })
    }

    /// The smallest and the largest number that the window can come to, and whether only whole ones.
    fn raws(measure: &Measure, outcome: &MeasureOutcome, by: By) -> Option<(f64, f64, bool)> {
        let days_max = match measure.window {
            Window::Days(days) => f64::from(days),
            Window::Lifetime => f64::INFINITY,
        };
        let known = outcome.raw_value.filter(|_| by == By::Doing);
        // What happened within the window cannot be undone.
        let happened = known.unwrap_or(0.0);
        Some(match measure.aggregation {
            Aggregation::Sum | Aggregation::Distinct => (happened, f64::INFINITY, true),
            Aggregation::MeanPerDay => (happened, f64::INFINITY, false),
            Aggregation::ActiveDays => (happened, days_max, true),
            Aggregation::Max => match measure.input {
                // Counts or levels: these may be fractions, and below 0.
                Input::Metric(_) => {
                    let is_whole = outcome.raw_value.is_some_and(|raw| raw.fract() == 0.0);
                    (known.unwrap_or(f64::NEG_INFINITY), f64::INFINITY, is_whole)
                }
                Input::Feature(_) | Input::AnyFeature | Input::AnyUser | Input::Story(_) => {
                    (happened, f64::INFINITY, true)
                }
            },
            // It may happen today, and only time makes it longer ago. An account without a signal in the window was silent for all of it.
            Aggregation::DaysSinceLast => (0.0, known.unwrap_or(days_max), true),
            Aggregation::Mean | Aggregation::FadedLast => {
                let Input::Story(series) = &measure.input else { return None };
                let (least, most) = series.value_range();
                (least, most, false)
            }
            Aggregation::Last if matches!(measure.input, Input::Story(_)) => (0.0, f64::INFINITY, true),
            Aggregation::Last => (f64::NEG_INFINITY, f64::INFINITY, false),
            Aggregation::LastOfLimit => (0.0, f64::INFINITY, false),
            Aggregation::DaysSinceFirst => return None,
        })
    }

    /// The number of the window behind a value, for one that was `before`.
    fn raw(&self, value: f64, before: f64) -> Option<f64> {
        if let Some(spread) = self.spread {
            let same = self.raws_near(spread, value).filter(|raw| (spread.rank(*raw) - value).abs() < RANK_ROUNDING);
            return same.min_by(|left, right| (left - before).abs().total_cmp(&(right - before).abs()));
        }
        let raw = value * self.base;
        self.tells_raw.then(|| if self.is_whole { raw.round() } else { raw })
    }

    /// The values that can be at or next to `value`.
    fn around(&self, value: f64) -> Vec<f64> {
        if let Some(spread) = self.spread {
            return self.raws_near(spread, value).map(|raw| spread.rank(raw)).collect();
        }
        let raw = value * self.base;
        let raws = if self.is_whole { [raw.floor(), raw.ceil()] } else { [raw, raw] };
        let clamped = |raw: f64| (raw.clamp(self.raw_min, self.raw_max), raw);
        let finite = raws.into_iter().map(clamped).filter(|(raw, _)| raw.is_finite());
        finite
            .map(|(raw, asked)| {
                // A value that needs no rounding stays as it is: dividing what was multiplied may miss it.
                if !self.is_whole && raw.to_bits() == asked.to_bits() { value } else { raw / self.base }
            })
            .collect()
    }

    /// The numbers that can be and rank at or next to `rank`.
    fn raws_near(&self, spread: &Distribution, rank: f64) -> impl Iterator<Item = f64> {
        let range = *self;
        let numbers = spread.numbers_near(rank).into_iter();
        let possible = numbers.flat_map(move |number| {
            if range.is_whole {
                [number.floor() - 1.0, number.floor(), number.ceil(), number.ceil() + 1.0]
            } else {
                [number; 4]
            }
        });
        possible.map(move |raw| raw.clamp(range.raw_min, range.raw_max)).filter(|raw| raw.is_finite())
    }

    /// The most points that the measure can have; none when its curve has none for it.
    fn points_max(&self, measure: &Measure) -> Option<f64> {
        let corners = measure.curve.corners().iter().flat_map(|corner| self.around(corner.x));
        corners.map(|value| measure.curve.points_at(value)).max_by(f64::total_cmp)
    }

    /// The value nearest to `from` that has at least these points.
    fn nearest_with(&self, measure: &Measure, from: f64, points: f64) -> Option<f64> {
        let reaching = measure.curve.reaching(points);
        let values = reaching.into_iter().flat_map(|value| self.around(value));
        let enough = values.filter(|&value| measure.curve.points_at(value) >= points);
        let nearest = enough.min_by(|left, right| (left - from).abs().total_cmp(&(right - from).abs()))?;
        let short = shortened(nearest, nearest >= from);
        let is_enough = !self.is_whole
            && self.spread.is_none()
            && (self.raw_min..=self.raw_max).contains(&(short * self.base))
            && measure.curve.points_at(short) >= points;
        Some(if is_enough { short } else { nearest })
    }
}

/// A number of at most three digits next to this one, above or below it.
fn shortened(number: f64, is_above: bool) -> f64 {
    if number == 0.0 || !number.is_finite() {
        return number;
    }
    let unit = 10f64.powf(number.abs().log10().floor() - 2.0);
    let units = number / unit;
    // Divided by a whole number of units, decimal fractions come out as people write them.
    let whole = if is_above { units.ceil() } else { units.floor() };
    if unit < 1.0 { whole / (1.0 / unit).round() } else { whole * unit }
}

#[cfg(test)]
mod tests;
