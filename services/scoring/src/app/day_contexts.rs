//! What all accounts together tell about the days that are scored.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use chrono::NaiveDate;
use mainstay_domain::ModelId;
use sqlx::PgConnection;

use super::ScoringError;
use super::model_cache::ModelBook;
use crate::domain::{
    AccountGroup, DayContext, Distribution, GroupDistributions, HealthModel, Pulses, ScoringFacts, SeriesKey,
    day_number,
};
use crate::storage::{accounts, group_distributions, pulses};

/// The models that score somebody on each day.
pub(super) type ModelsByDay = BTreeMap<NaiveDate, Vec<Arc<HealthModel>>>;

/// The contexts of the days that are scored.
pub(crate) struct DayContexts {
    by_model_and_day: HashMap<(ModelId, NaiveDate), DayContext>,
}

impl DayContexts {
    /// Loads what the models need that score on the days.
    pub(crate) async fn load(
        conn: &mut PgConnection,
        book: &ModelBook,
        models_by_day: &ModelsByDay,
    ) -> Result<Self, ScoringError> {
        let mut by_model_and_day = HashMap::new();
        let days = models_by_day.keys().copied().collect();
        let mut compared_days: BTreeMap<&ModelId, (&HealthModel, Vec<NaiveDate>)> = BTreeMap::new();
        for (day, models) in models_by_day {
            for model in models.iter().filter(|model| model.compares_accounts()) {
                compared_days.entry(&model.id).or_insert_with(|| (&**model, Vec::new())).1.push(*day);
            }
        }
        let mut distributions = HashMap::new();
        for (id, (model, days)) in compared_days {
            for (day, of_day) in load_distributions(conn, book, model, &days).await? {
                distributions.insert((id, day), of_day);
            }
        }
        for (day, pulses) in pulses_on(conn, &pulsed_series(models_by_day), &days).await? {
            for model in models_by_day.get(&day).into_iter().flatten() {
                let distributions = distributions.remove(&(&model.id, day)).unwrap_or_default();
                let context = DayContext { pulses: pulses.clone(), distributions };
                by_model_and_day.insert((model.id.clone(), day), context);
            }
        }
        Ok(Self { by_model_and_day })
    }

    /// The context of a day for a model.
    pub(crate) fn get(&self, model: &ModelId, day: NaiveDate) -> Option<&DayContext> {
        self.by_model_and_day.get(&(model.clone(), day))
    }
}

/// When signals of the series came in last, up to each of the days.
pub(super) async fn pulses_on(
    conn: &mut PgConnection,
    series: &BTreeSet<SeriesKey>,
    days: &BTreeSet<NaiveDate>,
) -> Result<Vec<(NaiveDate, Pulses)>, ScoringError> {
    let Some((&first, &last)) = days.first().zip(days.last()) else { return Ok(Vec::new()) };
    let mut pulse_days: BTreeMap<NaiveDate, Vec<SeriesKey>> = BTreeMap::new();
    for (series, day) in pulses::load(conn, series, first, last).await? {
        pulse_days.entry(day).or_default().push(series);
    }
    let mut pulses = Pulses::default();
    let mut noted_until = None;
    let mut by_day = Vec::with_capacity(days.len());
    for &day in days {
        let start = noted_until.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        for (&pulse_day, pulsed) in pulse_days.range((start, std::ops::Bound::Included(day))) {
            for series in pulsed {
                if series.name.is_empty() {
                    pulses.note_kind(series.kind, day_number(pulse_day));
                } else {
                    pulses.note(series.kind, &series.name, day_number(pulse_day));
                }
            }
        }
        noted_until = Some(day);
        by_day.push((day, pulses.clone()));
    }
    Ok(by_day)
}

/// The series whose pulses the models ask for.
fn pulsed_series(models_by_day: &ModelsByDay) -> BTreeSet<SeriesKey> {
    models_by_day
        .values()
        .flatten()
        .flat_map(|model| model.measures())
        .map(|(_, measure)| measure.input.pulse())
        .collect()
}

/// The days from `first` to `last` on which a model compares accounts and nobody has yet made the distributions: an account that is
/// scored on such a day may be scored on no later one in the same transaction, for that day's distributions are made of this one.
pub(crate) async fn days_without_distributions(
    conn: &mut PgConnection,
    book: &ModelBook,
    first: NaiveDate,
    last: NaiveDate,
) -> Result<HashSet<NaiveDate>, ScoringError> {
    let comparing: Vec<&str> =
        book.models().filter(|model| model.compares_accounts()).map(|model| model.id.as_str()).collect();
    if comparing.is_empty() {
        return Ok(HashSet::new());
    }
    let kept = group_distributions::kept_days(conn, &comparing, first, last).await?;
    let is_without = |day: &NaiveDate| {
        let models = book.models_on(*day);
        models.into_iter().any(|model| model.compares_accounts() && !kept.contains(&(model.id.clone(), *day)))
    };
    Ok(first.iter_days().take_while(|day| *day <= last).filter(is_without).collect())
}

/// The distributions for each of the days. Those for a day are made from the day before, once, by whoever needs them first, and then
/// kept: a late signal does not move everybody's score. There are none on the day of a model's activation, and while most accounts
/// that it scores have no score on the day before, as when days of the past are scored for the first time: what the few that come
/// first have says nothing of all.
async fn load_distributions(
    conn: &mut PgConnection,
    book: &ModelBook,
    model: &HealthModel,
    days: &[NaiveDate],
) -> Result<BTreeMap<NaiveDate, GroupDistributions>, ScoringError> {
    let mut by_day = group_distributions::load(conn, &model.id, days).await?;
    for day in days {
        if by_day.contains_key(day) {
            continue;
        }
        let day_before = day.pred_opt().unwrap_or(*day);
        let scored_segments = book.activations().segments_scored_by(&model.id, day_before);
        if scored_segments.is_empty() {
            continue;
        }
        let rows = group_distributions::raw_values(conn, &model.id, day_before).await?;
        let account_count = accounts::count_unarchived(conn, &scored_segments).await?;
        if rows.len() * 2 < account_count {
            continue;
        }
        group_distributions::keep(conn, &model.id, *day, &distributions(model, &rows)).await?;
        by_day.append(&mut group_distributions::load(conn, &model.id, &[*day]).await?);
    }
    Ok(by_day)
}

/// How the model's measures that are compared with groups were spread over them, by what accounts had in each measure.
pub(super) fn distributions(model: &HealthModel, rows: &[(ScoringFacts, Vec<Option<f64>>)]) -> GroupDistributions {
    let mut distributions = GroupDistributions::default();
    for (place, (_, measure)) in model.measures().enumerate() {
        let Some((kind, _)) = measure.comparison.with_group() else { continue };
        let mut numbers: BTreeMap<AccountGroup, Vec<f64>> = BTreeMap::new();
        for (facts, values) in rows {
            if let (Some(group), Some(value)) = (facts.group(kind), values.get(place).copied().flatten()) {
                numbers.entry(group).or_default().push(value);
            }
        }
        for (group, numbers) in numbers {
            if let Some(distribution) = Distribution::of(numbers) {
                distributions.insert(group, &measure.id, distribution);
            }
        }
    }
    distributions
}
