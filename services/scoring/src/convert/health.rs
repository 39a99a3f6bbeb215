//! Health, and why it is so.

use std::collections::BTreeMap;

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_domain::{Band, MoneySums, Points};

use super::account::segment_message;
use super::common::{money_message, timestamp};
use crate::app::ScoringError;
use crate::app::explain_health::Explained;
use crate::app::health_scored::ScoredView;
use crate::domain::{
    Announced, ComponentExplanation, HealthComparison, MeasureChange, MeasureExplanation, MissingReason,
};
use crate::storage::health::HealthRecord;
use crate::storage::health_views::SummaryGroup;

/// A band as messages have it; none is unspecified.
pub(crate) fn band_message(band: Option<Band>) -> proto::Band {
    match band {
        None => proto::Band::Unspecified,
        Some(Band::Critical) => proto::Band::Critical,
        Some(Band::AtRisk) => proto::Band::AtRisk,
        Some(Band::Stable) => proto::Band::Stable,
        Some(Band::Healthy) => proto::Band::Healthy,
    }
}

fn number(points: Option<Points>) -> Option<f64> {
    points.map(Points::as_f64)
}

/// Health as messages have it.
pub(crate) fn health(scored: &ScoredView) -> proto::Health {
    let view = &scored.view;
    let record = &view.record;
    proto::Health {
        account: record.account.name(),
        day: record.day.to_string(),
        score: number(record.score),
        band: band_message(record.band).into(),
        coverage: record.coverage,
        freshness_days: record.freshness_days,
        model: record.model.name(),
        components: scored
            .model
            .components
            .iter()
            .zip(&scored.scored.components)
            .map(|(component, outcome)| proto::ComponentHealth {
                component: component.id.clone(),
                score: number(outcome.score),
                contribution: outcome.contribution.as_f64(),
            })
            .collect(),
        change_1d: number(view.changes.one_day),
        change_7d: number(view.changes.week),
        change_30d: number(view.changes.month),
        score_time: Some(timestamp(record.scored_at)),
        last_signal_day: record.last_signal_day.map(|day| day.to_string()).unwrap_or_default(),
        account_display_name: view.display_name.clone(),
        segment: segment_message(view.segment).into(),
        arr: view.arr.map(money_message),
    }
}

/// An explanation as messages have it.
pub(crate) fn explanation(explained: &Explained) -> proto::HealthExplanation {
    let parts = &explained.explanation;
    proto::HealthExplanation {
        health: Some(health(&explained.now)),
        components: parts.components.iter().map(component).collect(),
        comparison: parts
            .comparison
            .as_ref()
            .zip(explained.earlier.as_ref())
            .map(|(changes, earlier)| comparison(changes, earlier)),
        sentences: parts.sentences.clone(),
    }
}

fn component(part: &ComponentExplanation) -> proto::ComponentExplanation {
    proto::ComponentExplanation {
        component: part.component.clone(),
        display_name: part.display_name.clone(),
        effective_weight: part.effective_weight,
        score: number(part.score),
        contribution: part.contribution.as_f64(),
        measures: part.measures.iter().map(measure).collect(),
    }
}

fn measure(part: &MeasureExplanation) -> proto::MeasureExplanation {
    let missing = match part.missing {
        None => proto::MissingReason::Unspecified,
        Some(MissingReason::NoData) => proto::MissingReason::NoData,
        Some(MissingReason::Stale) => proto::MissingReason::Stale,
        Some(MissingReason::TooYoung) => proto::MissingReason::TooYoung,
        Some(MissingReason::NoSegmentBase) => proto::MissingReason::NoSegmentBase,
        Some(MissingReason::NoPlanLimit) => proto::MissingReason::NoPlanLimit,
    };
    proto::MeasureExplanation {
        measure: part.measure.clone(),
        display_name: part.display_name.clone(),
        effective_weight: part.effective_weight,
        value: part.value,
        points: number(part.points),
        contribution: part.contribution.as_f64(),
        lost_points: part.lost_points.as_f64(),
        missing_reason: missing.into(),
        freshness_days: part.freshness_days,
    }
}

fn comparison(changes: &HealthComparison, earlier: &ScoredView) -> proto::HealthComparison {
    let change = |part: &MeasureChange| proto::MeasureChange {
        measure: part.measure.clone(),
        display_name: part.display_name.clone(),
        change: part.change.as_f64(),
        earlier_value: part.earlier_value,
        value: part.value,
    };
    proto::HealthComparison {
        earlier: Some(health(earlier)),
        change: changes.change.as_f64(),
        measures: changes.measures.iter().map(change).collect(),
    }
}

/// A change since the last event, as events have it.
pub(crate) fn change(record: &HealthRecord, last: Announced) -> proto::HealthChange {
    proto::HealthChange {
        account: record.account.name(),
        score: number(record.score),
        previous_score: number(last.score),
        band: band_message(record.band).into(),
        previous_band: band_message(last.band).into(),
        day: record.day.to_string(),
        change_time: Some(timestamp(record.scored_at)),
        model: record.model.name(),
    }
}

const BUCKETS: usize = 20;

/// A summary as messages have it.
pub(crate) fn summary(groups: &[SummaryGroup]) -> Result<proto::HealthSummary, ScoringError> {
    let mut bands: BTreeMap<i32, (i64, MoneySums)> = (0..=4).map(|band| (band, Default::default())).collect();
    let mut histogram = vec![0; BUCKETS];
    let (mut scored_count, mut score_sum, mut account_count) = (0i64, 0i64, 0i64);
    for group in groups {
        let (count, arr) = bands.entry(band_message(group.band).into()).or_default();
        *count += group.account_count;
        if let Some(amount) = group.arr {
            arr.add(amount).map_err(|error| ScoringError::Storage(crate::storage::codes::corrupt(error)))?;
        }
        account_count += group.account_count;
        if let Some(bucket) = group.bucket.and_then(|bucket| histogram.get_mut(usize::try_from(bucket).ok()?)) {
            *bucket += group.account_count;
            scored_count += group.account_count;
            score_sum += group.score_sum;
        }
    }
    let mean = score_sum as f64 / scored_count as f64 / f64::from(Points::UNITS_PER_POINT);
    Ok(proto::HealthSummary {
        bands: bands
            .into_iter()
            .map(|(band, (account_count, arr))| proto::BandCount {
                band,
                account_count,
                arr: arr.iter().map(money_message).collect(),
            })
            .collect(),
        histogram,
        mean_score: (scored_count > 0).then_some(mean),
        account_count,
    })
}
