//! What comparisons of two groups of customers share: shares with their intervals, tests, and the points of curves.

use mainstay_api::mainstay::common::v1::Money;
use mainstay_api::mainstay::scoring::v1 as proto;

use crate::command::cohorts::{share_text, why};
use crate::csv::csv_line;
use crate::money;
use crate::words::counted;

/// The share of a group that stayed; a dash for nobody.
pub(crate) fn stayed(group: &proto::RetentionGroup) -> String {
    match (group.retention, group.retention_low, group.retention_high) {
        (Some(share), Some(low), Some(high)) => share_text(share, low, high),
        _ => "–".to_owned(),
    }
}

/// How much more stayed, in points of a hundred: `-12.0 (-25.1 to 1.2)`.
pub(crate) fn difference(comparison: &proto::RetentionComparison) -> String {
    let points = |share: f64| share * 100.0;
    match (comparison.difference, comparison.difference_low, comparison.difference_high) {
        (Some(value), Some(low), Some(high)) => {
            format!("{:+.1} ({:+.1} to {:+.1})", points(value), points(low), points(high))
        }
        (Some(value), ..) => format!("{:+.1}", points(value)),
        (None, ..) => "–".to_owned(),
    }
}

/// How likely groups that are alike would differ so much; a dash where nothing can be said.
pub(crate) fn p_value(test: Option<&proto::GroupTest>) -> String {
    test.map_or_else(|| "–".to_owned(), |test| format!("{:.4}", test.p_value))
}

/// What a test found, or why there is none.
pub(crate) fn test_line(name: &str, test: Option<&proto::GroupTest>, obstacle: &str) -> String {
    match test {
        Some(test) => format!("{name}: chi² {:.2}, p {:.4}.", test.chi_squared, test.p_value),
        None => format!("{name}: none; {obstacle}."),
    }
}

/// Sums of money; a dash for none.
pub(crate) fn revenue(sums: &[Money]) -> String {
    if sums.is_empty() {
        return "–".to_owned();
    }
    sums.iter().map(money::format).collect::<Vec<_>>().join(", ")
}

/// The accounts that are not counted, and why.
pub(crate) fn uncounted_lines(uncounted: &[proto::UncountedAccounts]) -> impl Iterator<Item = String> {
    uncounted.iter().map(|part| format!("Not counted: {}, {}.", counted(part.count, "account"), why(part.reason())))
}

/// The titles of [`curve_lines`], behind those of what the curves are of.
pub(crate) const CURVE_TITLES: [&str; 6] = ["day", "at_risk", "churned", "survival", "low", "high"];

/// The points of a group's curve, each behind what it is of.
pub(crate) fn curve_lines(of: &[String], group: Option<&proto::RetentionGroup>) -> Vec<String> {
    let points = group.map(|group| group.days.as_slice()).unwrap_or_default();
    let line = |point: &proto::RetentionDay| {
        let mut fields = of.to_vec();
        fields.extend([point.day.to_string(), point.at_risk_count.to_string(), point.churned_count.to_string()]);
        fields.extend([point.survival, point.low, point.high].map(|share| share.to_string()));
        csv_line(&fields)
    };
    points.iter().map(line).collect()
}
