//! A backtest as people read it: first whether the model is better, then what it finds, and last the details.

use mainstay_api::mainstay::scoring::v1::{
    AreaUnderCurve, Backtest, CutKind, LeadTime, ModelTrial, ObservedShare, Segment, TrialComparison,
};

use crate::failure::Failure;
use crate::output::Output;
use crate::table::{bar, table};
use crate::words::{band, counted, id_of, segment};

/// Width of the bars of shares.
const BAR: usize = 20;

/// Shows a backtest.
pub(crate) fn show(backtest: &Backtest, output: &mut Output) -> Result<(), Failure> {
    let model = backtest.model.as_ref().map(|model| id_of(&model.name)).unwrap_or_default();
    let base = id_of(&backtest.base_model);
    let (first, last) = (backtest.days.first(), backtest.days.last());
    output.line(&format!(
        "{model} beside {base}, as of {} from {} to {}: who left within {} days?",
        counted(i64::try_from(backtest.days.len()).unwrap_or(i64::MAX), "day"),
        first.map(String::as_str).unwrap_or_default(),
        last.map(String::as_str).unwrap_or_default(),
        backtest.horizon_days
    ))?;
    let accounts = match backtest.segment() {
        Segment::Unspecified => counted(backtest.account_count, "account"),
        one => counted(backtest.account_count, &format!("{} account", segment(one))),
    };
    output.line(&format!("{accounts}, of which {} left.", backtest.left_account_count))?;
    output.line("")?;
    output.line(&verdict(model, base, backtest.comparison.as_ref()))?;
    output.line("")?;
    let trials = [(model, backtest.trial.as_ref()), (base, backtest.base_trial.as_ref())];
    show_found(&trials, output)?;
    output.line("")?;
    if let Some(trial) = &backtest.trial {
        show_left(trial, model, output)?;
    }
    show_measures(backtest, output)?;
    show_moves(backtest, base, output)?;
    for told in &backtest.notes {
        output.line(&format!("! {told}"))?;
    }
    output.line(&format!("This is {}.", backtest.name))?;
    Ok(())
}

/// What the comparison says, and what it does not.
fn verdict(model: &str, base: &str, comparison: Option<&TrialComparison>) -> String {
    let Some(found) = comparison else {
        return format!("{model} and {base} cannot be compared: too few who left have a score by both.");
    };
    let figures = format!(
        "AUC {:.3} and {:.3}, difference {:+.3}, 95 % between {:+.3} and {:+.3}",
        found.auc, found.base_auc, found.difference, found.low, found.high
    );
    if found.low > 0.0 {
        format!("{model} finds those who leave better than {base} ({figures}).")
    } else if found.high < 0.0 {
        format!("{model} finds those who leave worse than {base} ({figures}).")
    } else {
        format!("These data cannot tell which of {model} and {base} finds those who leave better ({figures}).")
    }
}

fn show_found(trials: &[(&str, Option<&ModelTrial>); 2], output: &mut Output) -> Result<(), Failure> {
    let mut found = table(&["MODEL", ">AUC", "95 %", "CUT", ">SELECTED", ">PRECISION", ">RECALL", ">LIFT"]);
    for (name, trial) in trials {
        let Some(trial) = trial else { continue };
        for (place, cut) in trial.cuts.iter().enumerate() {
            let is_first = place == 0;
            let (value, interval) = area(trial.auc.filter(|_| is_first));
            found.add_row([
                if is_first { (*name).to_owned() } else { String::new() },
                value,
                interval,
                cut_word(cut.kind()).to_owned(),
                cut.selected_count.to_string(),
                share(cut.precision),
                share(Some(cut.recall)),
                cut.lift.map_or_else(|| "–".to_owned(), |lift| format!("{lift:.1}×")),
            ]);
        }
    }
    output.table(found)?;
    for (name, trial) in trials {
        if let Some(lead) = trial.and_then(|trial| trial.lead_time.as_ref()) {
            output.line(&format!("{name}: {}", lead_text(lead)))?;
        }
    }
    Ok(())
}

fn area(area: Option<AreaUnderCurve>) -> (String, String) {
    area.map(|area| (format!("{:.3}", area.value), format!("{:.3} – {:.3}", area.low, area.high))).unwrap_or_default()
}

fn cut_word(kind: CutKind) -> &'static str {
    match kind {
        CutKind::Unspecified => "",
        CutKind::Critical => "critical",
        CutKind::AtRisk => "at risk or critical",
        CutKind::LowestTenth => "lowest tenth",
    }
}

fn share(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.1}%", share * 100.0))
}

/// How early those who left were warned of, as a sentence.
fn lead_text(lead: &LeadTime) -> String {
    let warned = lead.warned.unwrap_or_default();
    match (lead.lower_quartile_days, lead.median_days, lead.upper_quartile_days) {
        (Some(lower), Some(median), Some(upper)) => format!(
            "{} of {} who left were at risk until the end, half of them for {median:.0} days or more (quartiles {lower:.0} and {upper:.0})",
            warned.count, warned.total
        ),
        _ => format!("none of {} who left were at risk at the end", warned.total),
    }
}

fn left_of(left: Option<&ObservedShare>) -> [String; 4] {
    let left = left.copied().unwrap_or_default();
    let interval = left.low.zip(left.high).map(|(low, high)| format!("{} – {}", share(Some(low)), share(Some(high))));
    [
        left.total.to_string(),
        share(left.share),
        interval.unwrap_or_default(),
        bar(left.share.unwrap_or_default(), 1.0, BAR),
    ]
}

fn show_left(trial: &ModelTrial, model: &str, output: &mut Output) -> Result<(), Failure> {
    let mut by_band = table(&["BAND", ">ACCOUNT-DAYS", ">LEFT", "95 %", ""]);
    for one in &trial.bands {
        let [total, left, interval, bar] = left_of(one.left.as_ref());
        by_band.add_row([band(one.band()).to_owned(), total, left, interval, bar]);
    }
    output.table(by_band)?;
    output.line("")?;
    let mut by_tenth = table(&["MEAN SCORE", ">ACCOUNT-DAYS", ">LEFT", "95 %", ""]);
    for one in &trial.tenths {
        let [total, left, interval, bar] = left_of(one.left.as_ref());
        by_tenth.add_row([format!("{:.1}", one.mean_score), total, left, interval, bar]);
    }
    output.table(by_tenth)?;
    output.line("")?;
    if let Some(calibration) = &trial.calibration {
        let worth = if calibration.brier < calibration.brier_of_share { "better" } else { "no better" };
        output.line(&format!(
            "Scores of {model} read as chances, learnt from the first {}, on the later ones: Brier score {:.4}, {worth} than {:.4} of always saying the same share.",
            counted(calibration.fitted_day_count.into(), "day"),
            calibration.brier,
            calibration.brier_of_share
        ))?;
        let mut bins = table(&[">FORECAST", ">ACCOUNT-DAYS", ">LEFT", "95 %", ""]);
        for bin in &calibration.bins {
            let [total, left, interval, bar] = left_of(bin.left.as_ref());
            bins.add_row([share(Some(bin.mean_probability)), total, left, interval, bar]);
        }
        output.table(bins)?;
        output.line("")?;
    }
    Ok(())
}

fn show_measures(backtest: &Backtest, output: &mut Output) -> Result<(), Failure> {
    output.line("Which measure warns best, alone:")?;
    let mut measures = table(&["MEASURE", ">AUC", "95 %", ">ACCOUNT-DAYS", ">WARNED", ">MEDIAN DAYS", "NAME"]);
    for one in &backtest.measures {
        let (value, interval) = area(one.auc);
        let lead = one.lead_time.unwrap_or_default();
        measures.add_row([
            one.measure.clone(),
            if value.is_empty() { "–".to_owned() } else { value },
            interval,
            one.outcomes.unwrap_or_default().total.to_string(),
            share(lead.warned.and_then(|warned| warned.share)),
            lead.median_days.map_or_else(|| "–".to_owned(), |days| format!("{days:.0}")),
            one.display_name.clone(),
        ]);
    }
    output.table(measures)?;
    output.line("")?;
    Ok(())
}

fn show_moves(backtest: &Backtest, base: &str, output: &mut Output) -> Result<(), Failure> {
    let changed = || backtest.band_moves.iter().filter(|moved| moved.band != moved.base_band);
    let count: i64 = changed().map(|moved| moved.account_count).sum();
    let last_day = backtest.days.last().map(String::as_str).unwrap_or_default();
    output.line(&format!("On {last_day} {} in another band than by {base}.", are(count)))?;
    if count > 0 {
        let mut moves = table(&["FROM", "TO", ">ACCOUNTS"]);
        for moved in changed() {
            moves.add_row([band(moved.base_band()), band(moved.band()), &moved.account_count.to_string()]);
        }
        output.table(moves)?;
        output.line(&format!("`mainstay models backtests {} --changes` lists them.", id_of(&backtest.name)))?;
    }
    output.line("")?;
    Ok(())
}

fn are(count: i64) -> String {
    match count {
        0 => "no account is".to_owned(),
        1 => "1 account is".to_owned(),
        count => format!("{count} accounts are"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison(low: f64, high: f64) -> TrialComparison {
        TrialComparison { auc: 0.8, base_auc: 0.75, difference: 0.05, low, high, ..TrialComparison::default() }
    }

    #[test]
    fn the_verdict_says_no_more_than_the_interval_does() {
        let told = |low, high| verdict("new", "old", Some(&comparison(low, high)));
        assert!(told(0.01, 0.09).starts_with("new finds those who leave better than old"));
        assert!(told(-0.09, -0.01).starts_with("new finds those who leave worse than old"));
        assert!(told(-0.01, 0.09).starts_with("These data cannot tell"));
        assert!(told(0.0, 0.09).starts_with("These data cannot tell"));
        assert!(verdict("new", "old", None).contains("cannot be compared"));
    }

    #[test]
    fn lead_times_are_told_with_how_many_they_are_of() {
        let warned = ObservedShare { count: 7, total: 9, ..ObservedShare::default() };
        let lead = LeadTime {
            warned: Some(warned),
            lower_quartile_days: Some(20.0),
            median_days: Some(41.0),
            upper_quartile_days: Some(60.5),
        };
        let expected =
            "7 of 9 who left were at risk until the end, half of them for 41 days or more (quartiles 20 and 60)";
        assert_eq!(lead_text(&lead), expected);
        let nobody =
            LeadTime { warned: Some(ObservedShare { total: 9, ..ObservedShare::default() }), ..LeadTime::default() };
        assert_eq!(lead_text(&nobody), "none of 9 who left were at risk at the end");
    }
}
