//! Backtests.

use std::collections::BTreeMap;

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_domain::{Band, Points, Proportion, Z_95};
use mainstay_service::wire::timestamp;
use mainstay_statistics::classification::{ReliabilityBin, Selection};
use mainstay_statistics::lead_time::LeadTimes;
use uuid::Uuid;

use super::account::segment_message;
use super::health::band_message;
use super::model::model_message;
use crate::domain::backtest::{
    Area, BacktestRecord, BacktestReport, BandChange, BandMove, Calibration, CutKind, MeasureTrial, ModelTrial,
    ScoreTenth, TrialComparison,
};

/// The collection of names of backtests.
const COLLECTION: &str = "backtests";

/// A backtest's name.
pub(crate) fn name(id: Uuid) -> String {
    format!("{COLLECTION}/{id}")
}

/// The id in a backtest's name.
pub(crate) fn parse_name(name: &str) -> Result<Uuid, &'static str> {
    let id = name.split_once('/').filter(|(collection, _)| *collection == COLLECTION).map(|(_, id)| id);
    let canonical = |id: &str| Uuid::parse_str(id).ok().filter(|uuid| uuid.to_string() == id);
    id.and_then(canonical).ok_or("must be `backtests/` followed by the UUID of the backtest")
}

/// A backtest as messages have it, with how many accounts are in which bands.
pub(crate) fn message(
    record: &BacktestRecord,
    report: BacktestReport,
    band_moves: &BTreeMap<BandMove, i64>,
) -> proto::Backtest {
    proto::Backtest {
        name: name(record.id),
        model: Some(model_message(record.model.to_draft())),
        base_model: record.base_model.name(),
        segment: record.segment.map(segment_message).unwrap_or_default().into(),
        days: record.span.days().iter().map(ToString::to_string).collect(),
        horizon_days: i32::try_from(record.span.horizon_days()).unwrap_or(i32::MAX),
        create_time: Some(timestamp(record.created_at)),
        account_count: number(report.account_count),
        left_account_count: number(report.left_account_count),
        unknown_account_count: number(report.unknown_account_count),
        trial: Some(trial(report.trial)),
        base_trial: report.base.map(trial),
        comparison: report.comparison.map(comparison),
        measures: report.measures.into_iter().map(measure).collect(),
        band_moves: band_moves
            .iter()
            .map(|(band_move, account_count)| proto::BandMove {
                base_band: band(band_move.base),
                band: band(band_move.trial),
                account_count: *account_count,
            })
            .collect(),
        notes: report.notes,
    }
}

/// An account in another band.
pub(crate) fn band_change(change: &BandChange) -> proto::BandChange {
    proto::BandChange {
        account: change.account.name(),
        base_band: band(change.base_band),
        band: band(change.band),
        base_score: change.base_score.map(Points::as_f64),
        score: change.score.map(Points::as_f64),
    }
}

fn band(band: Option<Band>) -> i32 {
    band_message(band).into()
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn share(observed: Proportion) -> proto::ObservedShare {
    let interval = observed.wilson(Z_95);
    proto::ObservedShare {
        count: observed.count,
        total: observed.total,
        share: observed.share(),
        low: interval.map(|interval| interval.low),
        high: interval.map(|interval| interval.high),
    }
}

fn trial(trial: ModelTrial) -> proto::ModelTrial {
    proto::ModelTrial {
        outcomes: Some(share(trial.outcomes)),
        unscored_count: number(trial.unscored_count),
        auc: Some(area(trial.auc)),
        cuts: trial.cuts.into_iter().map(|(kind, selection)| cut(kind, selection)).collect(),
        bands: trial
            .bands
            .into_iter()
            .map(|(of, left)| proto::BandTrial { band: band(Some(of)), left: Some(share(left)) })
            .collect(),
        tenths: trial.tenths.into_iter().map(tenth).collect(),
        calibration: trial.calibration.ok().map(calibration),
        lead_time: Some(lead_time(trial.lead_times)),
    }
}

fn area(area: Area) -> proto::AreaUnderCurve {
    proto::AreaUnderCurve { value: area.value, low: area.interval.low, high: area.interval.high }
}

fn cut(kind: CutKind, selection: Selection) -> proto::CutTrial {
    let kind = match kind {
        CutKind::Critical => proto::CutKind::Critical,
        CutKind::AtRisk => proto::CutKind::AtRisk,
        CutKind::LowestTenth => proto::CutKind::LowestTenth,
    };
    proto::CutTrial {
        kind: kind.into(),
        selected_count: i64::try_from(selection.selected).unwrap_or(i64::MAX),
        hit_count: selection.hits,
        precision: selection.precision(),
        recall: selection.recall().unwrap_or_default(),
        lift: selection.lift(),
    }
}

fn tenth(tenth: ScoreTenth) -> proto::ScoreTenth {
    proto::ScoreTenth { mean_score: tenth.mean_score, left: Some(share(tenth.left)) }
}

fn calibration(calibration: Calibration) -> proto::Calibration {
    let bin = |bin: ReliabilityBin| proto::ReliabilityBin {
        mean_probability: bin.mean_probability,
        left: Some(share(bin.observed)),
    };
    proto::Calibration {
        fitted_day_count: i32::try_from(calibration.fitted_day_count).unwrap_or(i32::MAX),
        tried: Some(share(calibration.tried)),
        brier: calibration.brier,
        brier_of_share: calibration.brier_of_share,
        bins: calibration.bins.into_iter().map(bin).collect(),
    }
}

fn lead_time(found: LeadTimes) -> proto::LeadTime {
    let quartile = |place: usize| found.quartiles_days.map(|days| days[place]);
    proto::LeadTime {
        warned: Some(share(found.warned)),
        lower_quartile_days: quartile(0),
        median_days: quartile(1),
        upper_quartile_days: quartile(2),
    }
}

fn comparison(comparison: TrialComparison) -> proto::TrialComparison {
    let TrialComparison { outcomes, areas } = comparison;
    proto::TrialComparison {
        outcomes: Some(share(outcomes)),
        auc: areas.first,
        base_auc: areas.second,
        difference: areas.difference,
        low: areas.interval.low,
        high: areas.interval.high,
    }
}

fn measure(trial: MeasureTrial) -> proto::MeasureTrial {
    proto::MeasureTrial {
        measure: trial.measure,
        display_name: trial.display_name,
        component: trial.component,
        outcomes: Some(share(trial.outcomes)),
        auc: trial.auc.map(area),
        lead_time: Some(lead_time(trial.lead_times)),
    }
}
