//! Backtests of the demo's model on the demo's customers, whose figures other code computed, and of customers made up.

use std::collections::BTreeMap;

use mainstay_domain::{Band, Points};

use super::super::cdnow_tests::{MODEL, context, day, orders_by_customer, series_of};
use super::super::{DEFAULT_MODEL, HealthModel, ScoringFactsByDay, date_of, parse_model_file};
use super::*;

fn model(text: &str) -> HealthModel {
    HealthModel::from_draft(parse_model_file(text).expect("parses")).expect("valid")
}

/// Health as the days since the last purchase and nothing else.
fn recency(model: &HealthModel) -> HealthModel {
    let mut recency = model.clone();
    recency.components.retain(|component| component.id == "recency");
    recency
}

fn judge_all(
    trial: &HealthModel,
    base: &HealthModel,
    accounts: &[Vec<TrialDay>],
) -> Result<BacktestReport, TooFewOutcomes> {
    judge(&Judged { trial, base, accounts, horizon_days: 90, unknown_account_count: 0 })
}

#[test]
fn r202_a_backtest_of_the_demo_gives_the_figures_of_its_readme() {
    let health = model(MODEL);
    let recency = recency(&health);
    let today = day("19970930");
    // 39 weeks until the end of the data.
    let horizon_days = u32::try_from(day("19980630") - today).expect("later");
    let contexts = BTreeMap::from([(date_of(today), context(today))]);
    let facts = ScoringFactsByDay::default();
    let accounts: Vec<Vec<TrialDay>> = orders_by_customer()
        .values()
        .map(|orders| {
            let stayed_away = orders.iter().all(|&(day, _, _)| day <= today);
            let events = if stayed_away { vec![(today + 1, TenureEvent::Left)] } else { Vec::new() };
            let tenure = Tenure::new(events, None);
            let account = ReplayedAccount { series: &series_of(orders), facts: &facts, tenure: &tenure };
            let replayed = |model| Replay { model, contexts: &contexts };
            replay(replayed(&health), replayed(&recency), &account, &[date_of(today)], horizon_days)
        })
        .collect();
    let judged = Judged { trial: &health, base: &recency, accounts: &accounts, horizon_days, unknown_account_count: 0 };
    let report = judge(&judged).expect("enough left");
    assert_eq!((report.account_count, report.left_account_count), (2_357, 1_673));

    // demo/cdnow/README.md, computed by demo/cdnow/evaluate.py: the AUC, its interval, and that of the difference.
    let close = |found: f64, expected: f64, within: f64| {
        assert!((found - expected).abs() < within, "{found} is not {expected}");
    };
    close(report.trial.auc.value, 0.779_871, 1e-6);
    close(report.trial.auc.interval.low, 0.7592, 2e-3);
    close(report.trial.auc.interval.high, 0.8016, 2e-3);
    let areas = report.comparison.expect("both score").areas;
    close(areas.second, 0.771_442, 1e-6);
    close(areas.interval.low, 0.0002, 1e-3);
    close(areas.interval.high, 0.0168, 1e-3);
    let bands: Vec<(Band, i64, String)> = report
        .trial
        .bands
        .iter()
        .map(|(band, left)| (*band, left.total, format!("{:.0} %", left.share().unwrap_or_default() * 100.0)))
        .collect();
    let told = [
        (Band::Critical, 1_762, "83 %"),
        (Band::AtRisk, 389, "44 %"),
        (Band::Stable, 161, "22 %"),
        (Band::Healthy, 45, "11 %"),
    ];
    assert_eq!(bands, told.map(|(band, total, share)| (band, total, share.to_owned())));
    assert_eq!(report.measures[0].measure, "days_since_last");
    assert_eq!(judge(&judged), Ok(report), "the same seed, the same figures");
}

/// A customer looked at each 30 days, whose score falls from 90 in the three months before it leaves, if it does.
fn customer(left_at: Option<i32>, first: i32, score: i32) -> Vec<TrialDay> {
    (0..12)
        .map(|month| first + 30 * month)
        .filter(|day| left_at.is_none_or(|left_at| *day < left_at))
        .map(|day| {
            let left_after = left_at.map(|left_at| (left_at - day).unsigned_abs());
            let score = if left_after.is_some_and(|after| after <= 100) { score } else { 90 };
            let points = Some(Points::whole(score));
            TrialDay { day, left_after, trial: points, base: Some(Points::whole(90)), points: vec![points] }
        })
        .collect()
}

/// So many who leave, one each day from day 150 on, and so many who stay.
fn customers(leave: i32, stay: i32) -> Vec<Vec<TrialDay>> {
    let leaving = (0..leave).map(|number| customer(Some(150 + number), 0, 30));
    leaving.chain((0..stay).map(|_| customer(None, 0, 30))).collect()
}

#[test]
fn too_few_who_left_or_stayed_are_told() {
    let model = one_measure();
    assert_eq!(judge_all(&model, &model, &customers(9, 30)), Err(TooFewOutcomes { left: 9, stayed: 30 }));
    assert_eq!(judge_all(&model, &model, &customers(30, 9)), Err(TooFewOutcomes { left: 30, stayed: 9 }));
    assert!(judge_all(&model, &model, &customers(10, 10)).is_ok());
    assert_eq!(judge_all(&model, &model, &[]), Err(TooFewOutcomes { left: 0, stayed: 0 }));
}

fn one_measure() -> HealthModel {
    let mut model = model(DEFAULT_MODEL);
    model.components.truncate(1);
    model.components[0].measures.truncate(1);
    model
}

#[test]
fn r78_warnings_are_judged_by_whom_they_find_and_how_early() {
    let model = one_measure();
    let report = judge_all(&model, &model, &customers(40, 40)).expect("enough");
    let trial = &report.trial;
    assert!(trial.auc.value > 0.98, "{:?}", trial.auc);
    let at_risk = trial.cuts.iter().find(|(kind, _)| *kind == CutKind::AtRisk).expect("the cut").1;
    assert_eq!(at_risk.recall(), Some(1.0));
    assert!(
        at_risk.precision().is_some_and(|precision| precision > 0.8 && precision < 1.0),
        "it warned before day 90 too"
    );
    // The first look within 100 days of the end: 70 to 100 days before it.
    let [_, median, _] = trial.lead_times.quartiles_days.expect("warned");
    assert!((71.0..=100.0).contains(&median), "{median}");
    assert_eq!((trial.lead_times.warned.count, trial.lead_times.warned.total), (40, 40));
    let measure = &report.measures[0];
    assert_eq!((measure.outcomes, measure.lead_times), (trial.outcomes, trial.lead_times));
    let base = report.base.as_ref().expect("scored");
    assert!((base.auc.value - 0.5).abs() < 1e-12, "the same score for all is chance");
    let comparison = report.comparison.expect("both scored");
    assert!(comparison.areas.interval.low > 0.4, "{comparison:?}");
    assert!(report.notes.iter().any(|note| note.starts_with("40 accounts left")), "{:?}", report.notes);
}

#[test]
fn r202_scores_are_read_as_chances_learnt_from_earlier_days_only() {
    let model = one_measure();
    // Leaving goes on over the whole year.
    let accounts: Vec<_> =
        (0..120).map(|number| customer(Some(40 + number * 3), 0, 30 + number % 50)).chain(customers(0, 60)).collect();
    let report = judge_all(&model, &model, &accounts).expect("enough");
    let calibration = report.trial.calibration.expect("enough days");
    // Of 12 days the later six begin on day 180: known then is what followed day 0, 30, 60 and 90.
    assert_eq!(calibration.fitted_day_count, 4);
    assert!(calibration.brier < calibration.brier_of_share / 2.0, "{calibration:?}");
    let binned: i64 = calibration.bins.iter().map(|bin| bin.observed.total).sum();
    assert_eq!(binned, calibration.tried.total);
    let one_day: Vec<_> = accounts.iter().map(|days| days[..1].to_vec()).collect();
    let told = judge_all(&model, &model, &one_day).expect("enough").trial.calibration;
    assert_eq!(told, Err("there is one day only".to_owned()));
}

#[test]
fn a_model_without_scores_is_not_judged_and_said_to_be_so() {
    let model = one_measure();
    let mut accounts = customers(20, 20);
    accounts.iter_mut().flatten().for_each(|day| day.base = None);
    let report = judge_all(&model, &model, &accounts).expect("enough");
    assert_eq!((report.base.clone(), report.comparison), (None, None));
    assert!(report.notes.iter().any(|note| note.contains("is not judged")), "{:?}", report.notes);
}
