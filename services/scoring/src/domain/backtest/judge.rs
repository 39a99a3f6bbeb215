//! How well models found those who left.

use std::collections::BTreeMap;

use mainstay_domain::{Band, Points, Proportion};
use mainstay_statistics::classification::{
    Binning, Clustered, Forecast, PairedCase, RESAMPLES, Selection, clustered_auc_difference, reliability,
};

use super::super::model::HealthModel;
use super::calibration::calibrate;
use super::replay::TrialDay;
use super::report::{BacktestReport, CutKind, MeasureTrial, ModelTrial, ScoreTenth, TrialComparison};
use super::sample::{
    Looked, TooFewOutcomes, area, cases, check, danger, lead_times, looked_at, outcomes, proportion, random, resamples,
};

/// Resamples for the interval of each measure, of which there may be hundreds: enough to see which are no better than chance.
const MEASURE_RESAMPLES: usize = 500;
/// Parts into which scores are cut.
const TENTHS: u32 = 10;
/// The share of account-days that the lowest tenth is.
const TENTH: f64 = 0.1;
/// With fewer accounts that left the report says that figures vary much.
const ACCOUNTS_LEFT_FEW: usize = 100;

/// What is to be judged.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'a> {
    /// The model that was tried.
    pub trial: &'a HealthModel,
    /// The model that scored.
    pub base: &'a HealthModel,
    /// The days of each account.
    pub accounts: &'a [Vec<TrialDay>],
    /// Within how many days leaving counts.
    pub horizon_days: u32,
    /// Accounts left out, as nobody knows when they left.
    pub unknown_account_count: usize,
}

/// Judges both models; the same data give the same report. Takes `account-days × RESAMPLES` steps.
///
/// # Errors
/// When too few of the accounts that the tried model scored left, or stayed.
pub fn judge(judged: &Judged<'_>) -> Result<BacktestReport, TooFewOutcomes> {
    let Judged { trial, base, accounts, horizon_days, unknown_account_count } = *judged;
    let mut report = BacktestReport {
        account_count: accounts.iter().filter(|days| !days.is_empty()).count(),
        left_account_count: accounts.iter().filter(|days| has_left(days, horizon_days)).count(),
        unknown_account_count,
        trial: judge_model(trial, judged, |day| day.trial)?,
        base: judge_model(base, judged, |day| day.base).ok(),
        comparison: compare(accounts, horizon_days),
        measures: judge_measures(judged),
        notes: Vec::new(),
    };
    report.notes = notes(judged, &report);
    Ok(report)
}

fn has_left(days: &[TrialDay], horizon_days: u32) -> bool {
    days.iter().any(|day| day.left_after.is_some_and(|after| after <= horizon_days))
}

fn judge_model(
    model: &HealthModel,
    judged: &Judged<'_>,
    score: impl Fn(&TrialDay) -> Option<Points>,
) -> Result<ModelTrial, TooFewOutcomes> {
    let scored = looked_at(judged.accounts, judged.horizon_days, &score);
    check(&scored)?;
    // With both outcomes there is an area.
    let auc = area(&scored, RESAMPLES).ok_or(TooFewOutcomes { left: 0, stayed: 0 })?;
    let account_days: usize = judged.accounts.iter().map(Vec::len).sum();
    let by_danger = cases(&scored);
    // Below a cut is at most one unit less.
    let below = |cut: Points| Selection::from_threshold(&by_danger, danger(cut) + 1.0);
    Ok(ModelTrial {
        outcomes: outcomes(&scored),
        unscored_count: account_days - scored.len(),
        auc,
        cuts: vec![
            (CutKind::Critical, below(model.band_cuts.critical_below)),
            (CutKind::AtRisk, below(model.band_cuts.at_risk_below)),
            (CutKind::LowestTenth, Selection::of_top_share(&by_danger, TENTH)),
        ],
        bands: by_band(model, &scored),
        tenths: tenths(&scored),
        calibration: calibrate(&scored, judged.horizon_days),
        lead_times: lead_times(judged.accounts, model.band_cuts.at_risk_below, score),
    })
}

fn by_band(model: &HealthModel, scored: &[Looked]) -> Vec<(Band, Proportion)> {
    let mut bands: BTreeMap<Band, (usize, usize)> =
        [Band::Critical, Band::AtRisk, Band::Stable, Band::Healthy].map(|band| (band, (0, 0))).into();
    for looked in scored {
        let (left, total) = bands.entry(model.band_cuts.band(looked.figure)).or_default();
        *left += usize::from(looked.left);
        *total += 1;
    }
    bands.into_iter().map(|(band, (left, total))| (band, proportion(left, total))).collect()
}

/// The reliability curve of scores turned round, as if they were chances.
fn tenths(scored: &[Looked]) -> Vec<ScoreTenth> {
    let whole = Points::MAX.as_f64();
    let turned: Vec<Forecast> = scored
        .iter()
        .filter_map(|looked| Forecast::new(1.0 - looked.figure.as_f64() / whole, looked.left).ok())
        .collect();
    let mut tenths: Vec<ScoreTenth> = reliability(&turned, Binning::Quantiles(TENTHS))
        .into_iter()
        .map(|bin| ScoreTenth { mean_score: (1.0 - bin.mean_probability) * whole, left: bin.observed })
        .collect();
    tenths.reverse();
    tenths
}

fn compare(accounts: &[Vec<TrialDay>], horizon_days: u32) -> Option<TrialComparison> {
    let both = |day: &TrialDay| day.trial.zip(day.base);
    let scored = looked_at(accounts, horizon_days, |day| both(day).map(|(trial, _)| trial));
    check(&scored).ok()?;
    let base = looked_at(accounts, horizon_days, |day| both(day).map(|(_, base)| base));
    let pairs: Vec<_> = scored
        .iter()
        .zip(&base)
        .filter_map(|(trial, base)| {
            let case = PairedCase::new(danger(trial.figure), danger(base.figure), trial.left).ok()?;
            Some(Clustered { cluster: trial.account, case })
        })
        .collect();
    let areas = clustered_auc_difference(&pairs, resamples(pairs.len(), RESAMPLES), &mut random())?;
    Some(TrialComparison { outcomes: outcomes(&scored), areas })
}

fn judge_measures(judged: &Judged<'_>) -> Vec<MeasureTrial> {
    let model = judged.trial;
    let mut trials: Vec<MeasureTrial> = model
        .measures()
        .enumerate()
        .map(|(place, (component, measure))| {
            let points = |day: &TrialDay| day.points.get(place).copied().flatten();
            let sample = looked_at(judged.accounts, judged.horizon_days, points);
            MeasureTrial {
                measure: measure.id.clone(),
                display_name: measure.display_name.clone(),
                component: component.id.clone(),
                outcomes: outcomes(&sample),
                auc: area(&sample, MEASURE_RESAMPLES),
                lead_times: lead_times(judged.accounts, model.band_cuts.at_risk_below, points),
            }
        })
        .collect();
    let value = |trial: &MeasureTrial| trial.auc.map_or(f64::NEG_INFINITY, |area| area.value);
    trials.sort_by(|one, other| value(other).total_cmp(&value(one)));
    trials
}

fn notes(judged: &Judged<'_>, report: &BacktestReport) -> Vec<String> {
    let mut notes = Vec::new();
    let (trial, base) = (judged.trial.id.name(), judged.base.id.name());
    if judged.trial == judged.base {
        notes.push(format!("{trial} is the model that scores: it is compared with itself."));
    }
    if report.left_account_count < ACCOUNTS_LEFT_FEW {
        notes.push(format!(
            "{} accounts left: with fewer than {ACCOUNTS_LEFT_FEW} such figures vary much, as their intervals show.",
            report.left_account_count
        ));
    }
    if report.unknown_account_count > 0 {
        notes.push(format!(
            "Nobody knows when {} of the accounts left: they are left out; send churn signals with their times.",
            report.unknown_account_count
        ));
    }
    if report.base.is_none() {
        notes.push(format!("{base} gave a score to too few who left or stayed, and is not judged."));
    } else if report.comparison.is_none() {
        notes.push("Too few who left or stayed have a score by both models: they are not compared.".to_owned());
    }
    for (name, model) in [(&trial, Some(&report.trial)), (&base, report.base.as_ref())] {
        if let Some(Err(reason)) = model.map(|model| &model.calibration) {
            notes.push(format!("Scores of {name} are not read as chances: {reason}."));
        }
    }
    notes.dedup();
    notes
}
