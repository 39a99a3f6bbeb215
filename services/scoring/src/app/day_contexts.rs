//! What all accounts together tell about the days that are scored.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::NaiveDate;
use mainstay_domain::ModelId;
use sqlx::PgConnection;

use super::ScoringError;
use super::model_cache::ModelBook;
use crate::domain::{DayContext, HealthModel, Pulses, Segment, SegmentBase, SegmentBases, SeriesKey, day_number};
use crate::storage::{accounts, pulses, segments};

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
        for (day, pulses) in pulses_on(conn, &pulsed_series(models_by_day), &days).await? {
            for model in models_by_day.get(&day).into_iter().flatten() {
                let segment_bases = if model.compares_segments() {
                    load_segment_bases(conn, book, model, day).await?
                } else {
                    SegmentBases::default()
                };
                let context = DayContext { pulses: pulses.clone(), segment_bases };
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

/// The bases for a day are made from the day before, once, by whoever needs them first, and then kept: a late signal does not
/// move everybody's score. There are none on the day of a model's activation, and while most accounts that it scores have no score
/// on the day before, as when days of the past are scored for the first time: medians of the few that come first are wrong for all.
async fn load_segment_bases(
    conn: &mut PgConnection,
    book: &ModelBook,
    model: &HealthModel,
    day: NaiveDate,
) -> Result<SegmentBases, ScoringError> {
    if let Some(bases) = segments::lookup(conn, &model.id, day).await? {
        return Ok(bases);
    }
    let day_before = day.pred_opt().unwrap_or(day);
    let scored_segments = book.activations().segments_scored_by(&model.id, day_before);
    if scored_segments.is_empty() {
        return Ok(SegmentBases::default());
    }
    let rows = segments::raw_values(conn, &model.id, day_before).await?;
    let account_count = accounts::count_unarchived(conn, &scored_segments).await?;
    if rows.len() * 2 < account_count {
        return Ok(SegmentBases::default());
    }
    segments::keep(conn, &model.id, day, &medians(model, &rows)).await?;
    Ok(segments::lookup(conn, &model.id, day).await?.unwrap_or_default())
}

/// The medians of what accounts had in each measure.
pub(super) fn medians(
    model: &HealthModel,
    rows: &[(Segment, Vec<Option<f64>>)],
) -> BTreeMap<(Segment, String), SegmentBase> {
    let mut numbers: BTreeMap<(Segment, usize), Vec<f64>> = BTreeMap::new();
    for (segment, values) in rows {
        for (place, value) in values.iter().enumerate() {
            if let Some(value) = value {
                numbers.entry((*segment, place)).or_default().push(*value);
            }
        }
    }
    let measures: Vec<&str> = model.measures().map(|(_, measure)| measure.id.as_str()).collect();
    numbers
        .into_iter()
        .filter_map(|((segment, place), numbers)| {
            let measure = measures.get(place)?;
            Some(((segment, (*measure).to_owned()), SegmentBase::of(numbers)?))
        })
        .collect()
}
