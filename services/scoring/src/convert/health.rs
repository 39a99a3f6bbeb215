//! Health, and why it is so.

use chrono::{DateTime, Utc};
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_domain::{Band, Points, Violations};

use super::account::{segment_message, segments};
use super::why;
use crate::app::explain_health::Explained;
use crate::app::health_scored::ScoredView;
use crate::domain::{
    AccountGroupKind, Announced, BandSummary, ComponentExplanation, HealthComparison, HealthFilter, HealthOrder,
    HealthRecord, HealthSummary, MeasureChange, MeasureExplanation, MissingReason,
};
use mainstay_domain::EMAIL_LENGTH_MAX;
use mainstay_service::wire::{enum_values, money_message, timestamp};

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
        corrections: scored.corrections.iter().map(super::label::message).collect(),
        archive_time: view.archived_at.map(timestamp),
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
        decline_triggers: why::decline_triggers(explained),
        decline_since_day: explained.decline_since.map(|day| day.to_string()).unwrap_or_default(),
        recommended_steps: why::recommended_steps(explained),
        lift: explained.lift.as_ref().map(why::lift),
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
    proto::MeasureExplanation {
        measure: part.measure.clone(),
        display_name: part.display_name.clone(),
        effective_weight: part.effective_weight,
        value: part.value,
        points: number(part.points),
        contribution: part.contribution.as_f64(),
        lost_points: part.lost_points.as_f64(),
        missing_reason: missing_message(part.missing).into(),
        freshness_days: part.freshness_days,
    }
}

/// Why a measure was left out; none is unspecified.
pub(super) fn missing_message(missing: Option<MissingReason>) -> proto::MissingReason {
    match missing {
        None => proto::MissingReason::Unspecified,
        Some(MissingReason::NoData) => proto::MissingReason::NoData,
        Some(MissingReason::Stale) => proto::MissingReason::Stale,
        Some(MissingReason::TooYoung) => proto::MissingReason::TooYoung,
        Some(MissingReason::NoGroupBase(AccountGroupKind::Segment)) => proto::MissingReason::NoSegmentBase,
        Some(MissingReason::NoGroupBase(AccountGroupKind::Industry)) => proto::MissingReason::NoIndustryBase,
        Some(MissingReason::NoGroupBase(AccountGroupKind::Plan)) => proto::MissingReason::NoPlanBase,
        Some(MissingReason::NoPlanLimit) => proto::MissingReason::NoPlanLimit,
        Some(MissingReason::NoEarlierData) => proto::MissingReason::NoEarlierData,
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

/// A summary as messages have it.
pub(crate) fn summary(summary: &HealthSummary, as_of: DateTime<Utc>) -> proto::HealthSummary {
    let band_count = |(&band, accounts): (&Option<Band>, &BandSummary)| proto::BandCount {
        band: band_message(band).into(),
        account_count: accounts.account_count,
        arr: accounts.arr.iter().map(money_message).collect(),
    };
    proto::HealthSummary {
        bands: summary.bands.iter().map(band_count).collect(),
        histogram: summary.histogram.clone(),
        mean_score: summary.mean_score,
        account_count: summary.account_count,
        as_of_time: Some(timestamp(as_of)),
    }
}

/// Which accounts a list of health holds; notes all that is wrong with the filter.
pub(crate) fn filter(found: &mut Violations, given: &proto::HealthFilter) -> HealthFilter {
    let points = |found: &mut Violations, field: &str, value: Option<f64>| {
        let value = value?;
        let fits = (-100.0..=100.0).contains(&value);
        found.require(fits, field, "must be -100 to 100");
        fits.then(|| Points::nearest(value))
    };
    found.check_text("filter.owner_email", &given.owner_email, EMAIL_LENGTH_MAX);
    let bands = enum_values(found, "filter.bands", &given.bands, "band", |number| proto::Band::try_from(number).ok());
    HealthFilter {
        bands: bands.into_iter().map(band).collect(),
        segments: segments(found, "filter.segments", &given.segments),
        owner_email: (!given.owner_email.is_empty()).then(|| given.owner_email.clone()),
        change_30d_at_most: points(found, "filter.change_30d_at_most", given.change_30d_at_most),
        change_30d_at_least: points(found, "filter.change_30d_at_least", given.change_30d_at_least),
    }
}

/// A band of a message; unspecified is none.
pub(super) fn band(given: proto::Band) -> Option<Band> {
    match given {
        proto::Band::Unspecified => None,
        proto::Band::Critical => Some(Band::Critical),
        proto::Band::AtRisk => Some(Band::AtRisk),
        proto::Band::Stable => Some(Band::Stable),
        proto::Band::Healthy => Some(Band::Healthy),
    }
}

/// Order of a list of health; unspecified is worst score first.
pub(crate) fn order(found: &mut Violations, given: i32) -> HealthOrder {
    match proto::HealthOrder::try_from(given) {
        Ok(proto::HealthOrder::Unspecified | proto::HealthOrder::ScoreAsc) => HealthOrder::ScoreAscending,
        Ok(proto::HealthOrder::ScoreDesc) => HealthOrder::ScoreDescending,
        Ok(proto::HealthOrder::Change30dAsc) => HealthOrder::Change30dAscending,
        Ok(proto::HealthOrder::Change30dDesc) => HealthOrder::Change30dDescending,
        Ok(proto::HealthOrder::ArrDesc) => HealthOrder::ArrDescending,
        Err(_) => {
            found.add("order", format!("{given} is no order of health"));
            HealthOrder::default()
        }
    }
}
