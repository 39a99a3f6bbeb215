//! The portfolio as the service tells it.

use chrono::NaiveDate;
use comfy_table::{Cell, Table};
use mainstay_api::mainstay::scoring::v1::{
    Band, BatchGetHealthRequest, ExplainHealthRequest, Health, HealthExplanation, HealthFilter, HealthOrder,
    HealthSummary, ListHealthRequest, SummarizeHealthRequest,
};
use mainstay_clients::retrying;

use crate::command::explain;
use crate::command::health::client;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{band_cell, bar, change, change_cell, percent, points, score_cell, table};
use crate::words::{band, id_of};
use mainstay_domain::grouped;

const AT_RISK_SHOWN: i32 = 10;
const MOVERS_SHOWN: i32 = 5;
const MOVE_DAYS: u64 = 30;
const BAR_WIDTH: usize = 40;
/// Most accounts that one `BatchGetHealth` takes.
const ACCOUNTS_MAX: usize = 1_000;

/// Shows the whole portfolio: bands, scores, who is at risk, who moved, and one customer in full.
pub(crate) async fn show(connection: &Connection, day: NaiveDate, output: &mut Output) -> Result<(), Failure> {
    let summary = retrying(&connection.retries, async || {
        client(connection).summarize_health(SummarizeHealthRequest::default()).await
    });
    let summary = summary.await?.into_inner();
    title(&format!("{} customers on {day}, by band", grouped(&summary.account_count.to_string())), output)?;
    output.table(bands_table(&summary))?;
    title(&format!("Their scores, {} on average", points(summary.mean_score)), output)?;
    output.table(histogram_table(&summary.histogram))?;

    title("The ten lowest scores, and why", output)?;
    let lowest = list(connection, &[], HealthOrder::ScoreAsc, AT_RISK_SHOWN).await?;
    show_reasons(connection, &lowest, output).await?;
    title("The ten at risk who fell most in 30 days, and why", output)?;
    let slipping = list(connection, &[Band::Critical, Band::AtRisk], HealthOrder::Change30dAsc, AT_RISK_SHOWN).await?;
    show_reasons(connection, &slipping, output).await?;

    let falling = list(connection, &[], HealthOrder::Change30dAsc, MOVERS_SHOWN).await?;
    let rising = list(connection, &[], HealthOrder::Change30dDesc, MOVERS_SHOWN).await?;
    title("Biggest moves in 30 days", output)?;
    output.table(movers_table(falling.iter().chain(&rising)))?;

    if let Some(health) = falling.first() {
        title("One of them in full", output)?;
        let earlier = day - chrono::Days::new(MOVE_DAYS);
        explain::show(&explain(connection, &health.account, Some(earlier)).await?, output)?;
    }
    Ok(())
}

/// The health of accounts on a day.
pub(crate) async fn health_on(
    connection: &Connection,
    accounts: &[String],
    day: NaiveDate,
) -> Result<Vec<Health>, Failure> {
    let mut all = Vec::with_capacity(accounts.len());
    for accounts in accounts.chunks(ACCOUNTS_MAX) {
        let request = BatchGetHealthRequest { accounts: accounts.to_vec(), day: day.to_string() };
        let answer =
            retrying(&connection.retries, async || client(connection).batch_get_health(request.clone()).await).await?;
        all.extend(answer.into_inner().health);
    }
    Ok(all)
}

async fn list(connection: &Connection, bands: &[Band], order: HealthOrder, count: i32) -> Result<Vec<Health>, Failure> {
    let filter = HealthFilter { bands: bands.iter().map(|&band| band.into()).collect(), ..HealthFilter::default() };
    let request = ListHealthRequest {
        page_size: count,
        filter: Some(filter),
        order: order.into(),
        ..ListHealthRequest::default()
    };
    let answer = retrying(&connection.retries, async || client(connection).list_health(request.clone()).await).await?;
    Ok(answer.into_inner().health)
}

async fn explain(
    connection: &Connection,
    account: &str,
    compare_day: Option<NaiveDate>,
) -> Result<HealthExplanation, Failure> {
    let request = ExplainHealthRequest {
        account: account.to_owned(),
        compare_day: compare_day.map(|day| day.to_string()).unwrap_or_default(),
        ..ExplainHealthRequest::default()
    };
    let answer =
        retrying(&connection.retries, async || client(connection).explain_health(request.clone()).await).await?;
    Ok(answer.into_inner())
}

/// A headline with room above it.
pub(crate) fn title(text: &str, output: &mut Output) -> Result<(), Failure> {
    output.line(&format!("\n── {text} ──"))?;
    Ok(())
}

fn bands_table(summary: &HealthSummary) -> Table {
    let mut bands = table(&["BAND", ">CUSTOMERS", ">SHARE", ""]);
    let all = summary.account_count as f64;
    for count in summary.bands.iter().filter(|count| count.account_count > 0) {
        let customers = count.account_count as f64;
        bands.add_row([
            band_cell(count.band()),
            Cell::new(grouped(&count.account_count.to_string())),
            Cell::new(percent(customers / all)),
            Cell::new(bar(customers, all, BAR_WIDTH)),
        ]);
    }
    bands
}

/// A row for each range of scores, between the first and the last that has any.
fn histogram_table(histogram: &[i64]) -> Table {
    const RANGE: usize = 5;
    let mut scores = table(&[">SCORE", ">CUSTOMERS", ""]);
    let most = histogram.iter().copied().max().unwrap_or(0) as f64;
    let first = histogram.iter().position(|count| *count > 0).unwrap_or(0);
    let last = histogram.iter().rposition(|count| *count > 0).unwrap_or(0);
    for (place, count) in histogram.iter().enumerate().take(last + 1).skip(first) {
        scores.add_row([
            format!("{}–{}", place * RANGE, (place + 1) * RANGE),
            grouped(&count.to_string()),
            "█".repeat(bar(*count as f64, most, BAR_WIDTH).matches('█').count()),
        ]);
    }
    scores
}

/// Customers, and what their scores are made of; those with the same reasons together.
async fn show_reasons(connection: &Connection, customers: &[Health], output: &mut Output) -> Result<(), Failure> {
    let mut reasons: Vec<Vec<String>> = Vec::with_capacity(customers.len());
    for health in customers {
        // The first sentence only says the score.
        reasons.push(explain(connection, &health.account, None).await?.sentences.into_iter().skip(1).collect());
    }
    let explained: Vec<(&Health, Vec<String>)> = customers.iter().zip(reasons).collect();
    for alike in explained.chunk_by(|(_, one), (_, other)| one == other) {
        let [(health, sentences), ..] = alike else { continue };
        let names: Vec<&str> = alike.iter().map(|(health, _)| id_of(&health.account)).collect();
        output.line(&format!(
            "{}: {}, {}, {} in 30 days; last purchase on {}",
            names.join(", "),
            points(health.score),
            band(health.band()),
            change(health.change_30d),
            health.last_signal_day
        ))?;
        for sentence in sentences {
            output.line(&format!("    {sentence}"))?;
        }
    }
    Ok(())
}

fn movers_table<'h>(movers: impl Iterator<Item = &'h Health>) -> Table {
    let mut rows = table(&["CUSTOMER", "NAME", "BAND", ">SCORE", ">30 D", "LAST PURCHASE"]);
    for health in movers {
        rows.add_row([
            Cell::new(id_of(&health.account)),
            Cell::new(&health.account_display_name),
            band_cell(health.band()),
            score_cell(health.score, health.band()),
            change_cell(health.change_30d),
            Cell::new(&health.last_signal_day),
        ]);
    }
    rows
}

#[cfg(test)]
mod tests {
    use mainstay_api::mainstay::scoring::v1::BandCount;

    use super::*;

    #[test]
    fn bands_without_customers_are_left_out() {
        let count = |band: Band, account_count| BandCount { band: band.into(), account_count, ..BandCount::default() };
        let bands = vec![count(Band::Unspecified, 0), count(Band::Critical, 1_500), count(Band::Healthy, 500)];
        let mut table = bands_table(&HealthSummary { bands, account_count: 2_000, ..HealthSummary::default() });
        table.force_no_tty();
        let expected = "\
BAND      CUSTOMERS  SHARE
critical      1,500    75%  ██████████████████████████████░░░░░░░░░░
healthy         500    25%  ██████████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░";
        assert_eq!(table.trim_fmt(), expected);
    }

    #[test]
    fn the_histogram_spans_the_scores_there_are() {
        let mut histogram = vec![0; 20];
        histogram[2] = 20;
        histogram[4] = 10;
        let mut table = histogram_table(&histogram);
        table.force_no_tty();
        let expected = "\
SCORE  CUSTOMERS
10–15         20  ████████████████████████████████████████
15–20          0
20–25         10  ████████████████████";
        assert_eq!(table.trim_fmt(), expected);
    }
}
