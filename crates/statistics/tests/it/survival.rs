//! How long the customers of `saas_churn.csv` stay, against lifelines.

use std::collections::BTreeMap;

use mainstay_statistics::survival::{KaplanMeier, Observation, log_rank};

use crate::data::{Figures, Table, assert_close};

/// Figures come rounded to six digits.
const ROUNDED: f64 = 1e-6;

const FIGURES: &str = "/churn/saas_churn/kaplan_meier";

fn observations(table: &Table) -> Vec<Observation> {
    let months = table.numbers("months_active").into_iter();
    months
        .zip(table.flags("churned"))
        .map(|(months, churned)| Observation::new(months, churned).expect("valid"))
        .collect()
}

/// The observations by what their rows have in a column.
fn groups(table: &Table, column: &str) -> BTreeMap<String, Vec<Observation>> {
    let mut groups: BTreeMap<String, Vec<Observation>> = BTreeMap::new();
    let names: Vec<String> = match column {
        "csat_band" => table.numbers("csat_score").into_iter().map(|score| csat_band(score).to_owned()).collect(),
        _ => table.texts(column).into_iter().map(str::to_owned).collect(),
    };
    for (name, observation) in names.into_iter().zip(observations(table)) {
        groups.entry(name).or_default().push(observation);
    }
    groups
}

fn csat_band(score: f64) -> &'static str {
    if score < 6.5 {
        "0-6"
    } else if score < 8.5 {
        "7-8"
    } else {
        "9-10"
    }
}

fn compare(curve: &KaplanMeier, figures: &Figures, pointer: &str) {
    let count = |key: &str| figures.part(&format!("{pointer}/{key}")).as_u64();
    assert_eq!((Some(curve.total()), Some(curve.ended())), (count("n"), count("events")), "{pointer}");
    assert_eq!(curve.median(), figures.part(&format!("{pointer}/median")).as_f64(), "{pointer}: median");
    for month in 1..=12 {
        let time = f64::from(month);
        let what = format!("{pointer} at {month}");
        assert_close(curve.survival_at(time), figures.number(&format!("{pointer}/S/{month}")), ROUNDED, &what);
        let interval = curve.interval_at(time);
        assert_close(interval.low, figures.number(&format!("{pointer}/ci95/{month}/0")), ROUNDED, &what);
        assert_close(interval.high, figures.number(&format!("{pointer}/ci95/{month}/1")), ROUNDED, &what);
    }
}

#[test]
fn r91_the_curve_of_all_is_that_of_lifelines() {
    let curve = KaplanMeier::of(&observations(&Table::churn())).expect("some");
    compare(&curve, &Figures::reference(), &format!("{FIGURES}/overall"));
}

#[test]
fn r91_curves_and_tests_of_cohorts_are_those_of_lifelines() {
    let (table, figures) = (Table::churn(), Figures::reference());
    for column in ["product_data_storage", "product_accounting", "product_payroll", "company_size", "csat_band"] {
        let groups = groups(&table, column);
        let named = figures.part(&format!("{FIGURES}/{column}")).as_object().expect("groups");
        assert!(groups.keys().eq(named.keys()), "{column}: {:?}", groups.keys());
        for (name, observations) in &groups {
            let curve = KaplanMeier::of(observations).expect("some");
            compare(&curve, &figures, &format!("{FIGURES}/{column}/{name}"));
        }
        let compared: Vec<&[Observation]> = groups.values().map(Vec::as_slice).collect();
        let found = log_rank(&compared).expect("comparable");
        let pointer = format!("{FIGURES}/{column}_logrank");
        assert_close(found.chi_squared, figures.number(&format!("{pointer}/chi2")), ROUNDED, &pointer);
        assert_eq!(Some(found.degrees_of_freedom as u64), figures.part(&format!("{pointer}/df")).as_u64());
        // Very small ones have four digits.
        assert_close(found.p / figures.number(&format!("{pointer}/p")), 1.0, 5e-4, &pointer);
    }
}

#[test]
fn r91_errors_and_means_are_those_of_lifelines() {
    let curve = KaplanMeier::of(&observations(&Table::churn())).expect("some");
    let figures = Figures::exact();
    for step in curve.steps() {
        let expected = figures.number(&format!("/standard_errors/{}", step.time));
        assert_close(step.variance.sqrt(), expected, 1e-12, "standard error");
    }
    for (limit, key) in [(3.0, "3.0"), (6.5, "6.5"), (12.0, "12.0")] {
        let mean = curve.restricted_mean(limit).expect("observed");
        assert_close(mean, figures.number(&format!("/restricted_means/{key}")), 1e-9, key);
    }
    assert_eq!(curve.restricted_mean(12.5), None, "nobody was seen for so long");
}
