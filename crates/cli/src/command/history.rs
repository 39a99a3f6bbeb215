//! `mainstay health history`: an account's health day by day.

use chrono::NaiveDate;
use clap::Args;
use comfy_table::{Cell, Table};
use mainstay_api::mainstay::scoring::v1::{GetHealthHistoryRequest, Health};
use mainstay_clients::retrying;

use crate::command::health::client;
use crate::command::{is_enough, page_size};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::{Output, note};
use crate::table::{band_cell, change_cell, percent, points, score_cell, sparkline, table};
use crate::words::{account_name, day_text, id_of, parse_day};

/// Which days.
#[derive(Debug, Args)]
pub(crate) struct HistoryArguments {
    /// The account, by id
    account: String,
    /// First UTC day, YYYY-MM-DD; else the first there is
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    from: Option<NaiveDate>,
    /// Last UTC day; else the newest
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    to: Option<NaiveDate>,
    /// How many days at most, the newest first; 0 for all
    #[arg(long, default_value_t = 30, value_name = "COUNT")]
    limit: usize,
}

/// Runs the command.
pub(crate) async fn run(
    arguments: &HistoryArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let mut request = GetHealthHistoryRequest {
        account: account_name(&arguments.account)?,
        start_day: day_text(arguments.from),
        end_day: day_text(arguments.to),
        ..GetHealthHistoryRequest::default()
    };
    let mut days = Vec::new();
    let mut shown = 0;
    loop {
        request.page_size = page_size(arguments.limit, shown);
        let page = retrying(&connection.retries, async || client(connection).get_health_history(request.clone()).await)
            .await?
            .into_inner();
        shown += page.health.len();
        if output.is_json() {
            page.health.iter().try_for_each(|health| output.json_line(health))?;
        } else {
            days.extend(page.health);
        }
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() || is_enough(arguments.limit, shown) {
            break;
        }
    }
    if output.is_json() {
        return Ok(());
    }
    if days.is_empty() {
        note("There are no scores in these days.");
        return Ok(());
    }
    output.line(&summary(&days))?;
    output.line("")?;
    output.table(days_table(&days))?;
    if !request.page_token.is_empty() {
        note(&format!("The newest {shown} days; --limit 0 shows all."));
    }
    Ok(())
}

/// The days, newest first, as a line of scores from the oldest to the newest.
fn summary(days: &[Health]) -> String {
    let scores: Vec<Option<f64>> = days.iter().rev().map(|health| health.score).collect();
    let known = || scores.iter().copied().flatten();
    let lowest = known().reduce(f64::min);
    let highest = known().reduce(f64::max);
    let account = days.first().map(|health| id_of(&health.account)).unwrap_or_default();
    if lowest.is_none() {
        return format!("{account} had no score in these days");
    }
    format!("{account}  {}  between {} and {}", sparkline(&scores), points(lowest), points(highest))
}

fn days_table(days: &[Health]) -> Table {
    let mut table = table(&["DAY", ">SCORE", "BAND", ">1 D", ">30 D", ">DATA", "MODEL"]);
    for health in days {
        table.add_row([
            Cell::new(&health.day),
            score_cell(health.score, health.band()),
            band_cell(health.band()),
            change_cell(health.change_1d),
            change_cell(health.change_30d),
            Cell::new(percent(health.coverage)),
            Cell::new(id_of(&health.model)),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use mainstay_api::mainstay::scoring::v1::Band;

    use super::*;

    fn day(day: &str, score: Option<f64>, band: Band, change_1d: Option<f64>) -> Health {
        Health {
            account: "accounts/acme".to_owned(),
            day: day.to_owned(),
            score,
            band: band.into(),
            change_1d,
            coverage: 0.75,
            model: "models/default".to_owned(),
            ..Health::default()
        }
    }

    #[test]
    fn days_are_listed_newest_first_and_drawn_oldest_first() {
        let days = [
            day("2026-11-22", Some(48.0), Band::Critical, Some(-20.0)),
            day("2026-11-21", Some(68.0), Band::AtRisk, None),
            day("2026-11-20", None, Band::Unspecified, None),
        ];
        assert_eq!(summary(&days), "acme   █▁  between 48.0 and 68.0");
        assert_eq!(summary(&days[2..]), "acme had no score in these days");
        let mut table = days_table(&days);
        table.force_no_tty();
        let expected = "\
DAY         SCORE  BAND         1 D  30 D  DATA  MODEL
2026-11-22   48.0  critical  ▼ 20.0     –   75%  default
2026-11-21   68.0  at risk        –     –   75%  default
2026-11-20      –  no score       –     –   75%  default";
        assert_eq!(table.trim_fmt(), expected);
    }
}
