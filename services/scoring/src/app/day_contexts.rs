//! What all accounts together tell about the days that are scored.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::NaiveDate;
use mainstay_domain::ModelId;
use sqlx::PgConnection;

use super::ScoringError;
use super::made_distributions::Steps;
use super::model_cache::ModelBook;
use crate::domain::{AccountGroup, DayContext, HealthModel, Pulses, SeriesKey, day_number};
use crate::storage::pulses;

/// The models that score somebody on each day.
pub(super) type ModelsByDay = BTreeMap<NaiveDate, Vec<Arc<HealthModel>>>;

/// The contexts of the days that are scored.
pub(crate) struct DayContexts {
    by_model_and_day: HashMap<(ModelId, NaiveDate), DayContext>,
}

impl DayContexts {
    /// Loads what the models need that score accounts of these groups on the days.
    pub(crate) async fn load(
        conn: &mut PgConnection,
        book: &ModelBook,
        models_by_day: &ModelsByDay,
        steps: &Steps,
        groups: &BTreeSet<AccountGroup>,
    ) -> Result<Self, ScoringError> {
        let mut by_model_and_day = HashMap::new();
        let days = models_by_day.keys().copied().collect();
        let mut compared_days: BTreeMap<&ModelId, (&HealthModel, Vec<NaiveDate>)> = BTreeMap::new();
        for (day, models) in models_by_day {
            for model in models.iter().filter(|model| model.compares_accounts()) {
                compared_days.entry(&model.id).or_insert_with(|| (&**model, Vec::new())).1.push(*day);
            }
        }
        let mut distributions = steps.distributions(conn, book, compared_days, groups).await?;
        let series = pulsed_by(models_by_day.values().flatten().map(Arc::as_ref));
        for (day, pulses) in pulses_on(conn, &series, &days).await? {
            for model in models_by_day.get(&day).into_iter().flatten() {
                let distributions = distributions.remove(&(model.id.clone(), day)).unwrap_or_default();
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
pub(super) fn pulsed_by<'a>(models: impl IntoIterator<Item = &'a HealthModel>) -> BTreeSet<SeriesKey> {
    models.into_iter().flat_map(HealthModel::measures).map(|(_, measure)| measure.input.pulse()).collect()
}
