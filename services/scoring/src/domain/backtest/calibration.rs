//! Scores as chances: learnt from earlier days, tried on later ones.

use std::collections::BTreeSet;

use mainstay_statistics::classification::{Binning, Forecast, brier, reliability};
use mainstay_statistics::logistic::{Example, Input, LogisticModel, LogisticRegression};

use super::super::series::DayNumber;
use super::report::Calibration;
use super::sample::{Looked, outcomes};

/// Parts of the reliability curve.
const BINS: u32 = 10;

/// Learns from those of the earlier days whose horizon had ended on the first of the later half, which is what one could have
/// known then, and tries it on the later half. Or why that cannot be done.
pub(super) fn calibrate(sample: &[Looked], horizon_days: u32) -> Result<Calibration, String> {
    let days: Vec<DayNumber> = sample.iter().map(|looked| looked.day).collect::<BTreeSet<_>>().into_iter().collect();
    let first_tried = *days.get(days.len().div_ceil(2)).ok_or("there is one day only")?;
    let is_known = |day: DayNumber| i64::from(day) + i64::from(horizon_days) <= i64::from(first_tried);
    let fitted_day_count = days.iter().filter(|day| is_known(**day)).count();
    if fitted_day_count == 0 {
        return Err(format!("no day of the earlier half lies {horizon_days} days before the later half"));
    }
    let earlier: Vec<Looked> = sample.iter().filter(|looked| is_known(looked.day)).copied().collect();
    let later: Vec<Looked> = sample.iter().filter(|looked| looked.day >= first_tried).copied().collect();
    let learnt = LogisticRegression::new(vec![Input::number("score")])
        .fit(&earlier.iter().map(example).collect::<Vec<_>>())
        .map_err(|fault| format!("of the earlier days, {fault}"))?;
    let share = outcomes(&earlier).share().ok_or("there are no earlier days")?;
    let forecasts = forecasts(&learnt, &later)?;
    let constant: Vec<Forecast> = later.iter().filter_map(|looked| Forecast::new(share, looked.left).ok()).collect();
    let nothing = || "nothing is left to try it on".to_owned();
    Ok(Calibration {
        fitted_day_count,
        tried: outcomes(&later),
        brier: brier(&forecasts).ok_or_else(nothing)?,
        brier_of_share: brier(&constant).ok_or_else(nothing)?,
        bins: reliability(&forecasts, Binning::Quantiles(BINS)),
    })
}

fn example(looked: &Looked) -> Example {
    Example { values: vec![Some(looked.figure.as_f64())], outcome: looked.left }
}

fn forecasts(learnt: &LogisticModel, later: &[Looked]) -> Result<Vec<Forecast>, String> {
    let forecasts = later.iter().map(|looked| learnt.forecast(&example(looked)));
    forecasts.collect::<Result<_, _>>().map_err(|fault| fault.to_string())
}
