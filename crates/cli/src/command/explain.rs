//! `mainstay health explain`: why a score is what it is.

use chrono::NaiveDate;
use clap::Args;
use comfy_table::{Attribute, Cell, Table};
use mainstay_api::mainstay::scoring::v1::{ExplainHealthRequest, HealthComparison, HealthExplanation};
use mainstay_clients::retrying;

use crate::command::corrections::in_a_line;
use crate::command::explain_why;
use crate::command::health::client;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::Output;
use crate::parts::{decimal, rounded, shown_parts};
use crate::table::{bar, percent, points, table};
use crate::words::{account_name, band, day_text, id_of, missing_reason, parse_day};

/// What to explain.
#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    /// The account, by id
    account: String,
    /// The UTC day to explain, YYYY-MM-DD; else the newest
    #[arg(long, value_parser = parse_day)]
    day: Option<NaiveDate>,
    /// An earlier day to compare with
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    compare: Option<NaiveDate>,
}

/// Runs the command.
pub(crate) async fn run(
    arguments: &ExplainArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let request = ExplainHealthRequest {
        account: account_name(&arguments.account)?,
        day: day_text(arguments.day),
        compare_day: day_text(arguments.compare),
    };
    let explanation = retrying(&connection.retries, async || client(connection).explain_health(request.clone()).await)
        .await?
        .into_inner();
    if output.is_json() {
        output.json_object(&explanation)?;
        return Ok(());
    }
    show(&explanation, output)
}

/// Shows why a score is what it is, and what moved it.
pub(crate) fn show(explanation: &HealthExplanation, output: &mut Output) -> Result<(), Failure> {
    output.line(&headline(explanation))?;
    for label in explanation.health.iter().flat_map(|health| &health.corrections) {
        output.line(&format!("  But {}", in_a_line(label)))?;
    }
    for sentence in &explanation.sentences {
        output.line(&format!("  {sentence}"))?;
    }
    output.line("")?;
    output.table(parts_table(explanation))?;
    if let Some(comparison) = &explanation.comparison {
        output.line("")?;
        output.line(&comparison_headline(comparison))?;
        output.table(changes_table(comparison))?;
    }
    explain_why::show(explanation, output)
}

fn headline(explanation: &HealthExplanation) -> String {
    let health = explanation.health.clone().unwrap_or_default();
    let score = health.score.map(|score| format!("{}, ", decimal(rounded(score)))).unwrap_or_default();
    format!(
        "{} ({}) on {}: {score}{}; model {}",
        id_of(&health.account),
        health.account_display_name,
        health.day,
        band(health.band()),
        id_of(&health.model)
    )
}

/// The parts of a score. ADDS is rounded so that the measures shown add up to
/// their component as shown, and the components to the score as shown.
fn parts_table(explanation: &HealthExplanation) -> Table {
    const BAR_WIDTH: usize = 12;
    let mut table = table(&["COMPONENT / MEASURE", ">WEIGHT", ">VALUE", ">POINTS", ">ADDS", ">LOST", "OF ITS WEIGHT"]);
    let score = explanation.health.as_ref().and_then(|health| health.score);
    let contributions: Vec<f64> = explanation.components.iter().map(|component| component.contribution).collect();
    let total = rounded(score.unwrap_or_else(|| contributions.iter().sum()));
    let shown_components = shown_parts(total, &contributions);
    for (component, &adds) in explanation.components.iter().zip(&shown_components) {
        let most = component.effective_weight * 100.0;
        let lost = if component.score.is_some() { points(Some(most - component.contribution)) } else { String::new() };
        let component_row = [
            component.display_name.clone(),
            percent(component.effective_weight),
            String::new(),
            points(component.score),
            decimal(adds),
            lost,
            bar(component.contribution, most, BAR_WIDTH),
        ];
        table.add_row(component_row.map(|text| Cell::new(text).add_attribute(Attribute::Bold)));
        let parts: Vec<f64> = component.measures.iter().map(|measure| measure.contribution).collect();
        for (measure, adds) in component.measures.iter().zip(shown_parts(adds, &parts)) {
            let picture = match missing_reason(measure.missing_reason()) {
                "" => bar(measure.contribution, measure.effective_weight * 100.0, BAR_WIDTH),
                reason => format!("left out: {reason}"),
            };
            table.add_row([
                format!("  {}", measure.display_name),
                percent(measure.effective_weight),
                figure(measure.value),
                points(measure.points),
                decimal(adds),
                points(Some(measure.lost_points)),
                picture,
            ]);
        }
    }
    let shown_total = score.map_or_else(|| points(None), |_| decimal(total));
    let total_row = ["Score", "", "", "", &shown_total, "", ""];
    table.add_row(total_row.map(|text| Cell::new(text).add_attribute(Attribute::Bold)));
    table
}

fn comparison_headline(comparison: &HealthComparison) -> String {
    let earlier = comparison.earlier.clone().unwrap_or_default();
    format!(
        "Since {}: {} → {} in sum",
        earlier.day,
        earlier.score.map_or_else(|| "no score".to_owned(), |score| decimal(rounded(score))),
        signed(rounded(comparison.change))
    )
}

fn changes_table(comparison: &HealthComparison) -> Table {
    let mut table = table(&["MEASURE", ">CHANGE", ">BEFORE", ">NOW"]);
    let changes: Vec<f64> = comparison.measures.iter().map(|measure| measure.change).collect();
    let total = rounded(comparison.change);
    for (measure, change) in comparison.measures.iter().zip(shown_parts(total, &changes)) {
        table.add_row([
            measure.display_name.clone(),
            signed(change),
            figure(measure.earlier_value),
            figure(measure.value),
        ]);
    }
    table.add_row(["Score", &signed(total), "", ""].map(|text| Cell::new(text).add_attribute(Attribute::Bold)));
    table
}

fn signed(hundredths: i64) -> String {
    if hundredths > 0 { format!("+{}", decimal(hundredths)) } else { decimal(hundredths) }
}

/// A measured number with at most three decimals.
fn figure(value: Option<f64>) -> String {
    let Some(value) = value else { return "–".to_owned() };
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use mainstay_api::mainstay::scoring::v1::{
        Band, ComponentExplanation, Health, MeasureChange, MeasureExplanation, MissingReason,
    };

    use super::*;

    fn measure(name: &str, effective_weight: f64, points: Option<f64>, contribution: f64) -> MeasureExplanation {
        MeasureExplanation {
            display_name: name.to_owned(),
            effective_weight,
            value: points.map(|points| points / 8.0),
            points,
            contribution,
            lost_points: effective_weight * 100.0 - contribution,
            missing_reason: if points.is_some() { MissingReason::Unspecified } else { MissingReason::Stale } as i32,
            ..MeasureExplanation::default()
        }
    }

    fn explanation() -> HealthExplanation {
        let component = |name: &str, effective_weight, score, contribution, measures| ComponentExplanation {
            display_name: name.to_owned(),
            effective_weight,
            score,
            contribution,
            measures,
            ..ComponentExplanation::default()
        };
        HealthExplanation {
            health: Some(Health {
                account: "accounts/acme".to_owned(),
                account_display_name: "Acme".to_owned(),
                day: "2026-11-22".to_owned(),
                score: Some(63.507_812_5),
                band: Band::AtRisk as i32,
                model: "models/default".to_owned(),
                ..Health::default()
            }),
            components: vec![
                component(
                    "Usage",
                    0.75,
                    Some(60.0),
                    45.007_812_5,
                    vec![
                        measure("Emails a day", 0.5, Some(50.0), 25.003_906_25),
                        measure("Active days", 0.25, Some(80.0), 20.003_906_25),
                        measure("Seats in use", 0.0, None, 0.0),
                    ],
                ),
                component("Adoption", 0.25, Some(74.0), 18.5, vec![measure("Features", 0.25, Some(74.0), 18.5)]),
            ],
            comparison: Some(HealthComparison {
                earlier: Some(Health { day: "2026-09-30".to_owned(), score: Some(71.0), ..Health::default() }),
                change: -7.492_187_5,
                measures: vec![
                    MeasureChange {
                        display_name: "Emails a day".to_owned(),
                        change: -8.0,
                        earlier_value: Some(9.5),
                        value: Some(6.25),
                        ..MeasureChange::default()
                    },
                    MeasureChange {
                        display_name: "Features".to_owned(),
                        change: 0.507_812_5,
                        ..MeasureChange::default()
                    },
                ],
            }),
            ..HealthExplanation::default()
        }
    }

    #[test]
    fn the_parts_shown_add_up_to_the_score_shown() {
        let explanation = explanation();
        assert_eq!(headline(&explanation), "acme (Acme) on 2026-11-22: 63.51, at risk; model default");
        let mut table = parts_table(&explanation);
        table.force_no_tty();
        let expected = "\
COMPONENT / MEASURE  WEIGHT  VALUE  POINTS   ADDS  LOST  OF ITS WEIGHT
Usage                   75%           60.0  45.01  30.0  ███████░░░░░
  Emails a day          50%   6.25    50.0  25.01  25.0  ██████░░░░░░
  Active days           25%     10    80.0  20.00   5.0  ██████████░░
  Seats in use           0%      –       –   0.00   0.0  left out: data too old
Adoption                25%           74.0  18.50   6.5  █████████░░░
  Features              25%   9.25    74.0  18.50   6.5  █████████░░░
Score                                       63.51";
        assert_eq!(table.trim_fmt(), expected);
    }

    #[test]
    fn the_changes_shown_add_up_to_the_change_shown() {
        let comparison = explanation().comparison.expect("given");
        assert_eq!(comparison_headline(&comparison), "Since 2026-09-30: 71.00 → -7.49 in sum");
        let mut table = changes_table(&comparison);
        table.force_no_tty();
        let expected = "\
MEASURE       CHANGE  BEFORE   NOW
Emails a day   -8.00     9.5  6.25
Features       +0.51       –     –
Score          -7.49";
        assert_eq!(table.trim_fmt(), expected);
    }
}
