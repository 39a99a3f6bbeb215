//! `mainstay accounts card`: an account at a glance.

use comfy_table::Table;
use mainstay_api::mainstay::scoring::v1::account_card_service_client::AccountCardServiceClient;
use mainstay_api::mainstay::scoring::v1::{
    AccountCard, GetAccountCardRequest, Input, NewestFigure, StorySeries, UseFigure, input,
};
use mainstay_clients::retrying;

use crate::command::accounts::AccountArgument;
use crate::command::explain_why::show_causes;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::money;
use crate::output::Output;
use crate::table::{facts, points, table};
use crate::words::{account_name, band, counted, day_of_time, id_of, segment};

/// Shows the card.
pub(crate) async fn run(
    argument: &AccountArgument,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let request = GetAccountCardRequest { account: account_name(&argument.account)? };
    let client = || AccountCardServiceClient::new(connection.channel.clone());
    let answer = retrying(&connection.retries, async || client().get_account_card(request.clone()).await).await?;
    let card = answer.into_inner();
    if output.is_json() {
        output.json_object(&card)?;
        return Ok(());
    }
    output.table(facts(who_and_how(&card)))?;
    if !card.uses.is_empty() {
        output.line("")?;
        output.table(uses(&card.uses))?;
    }
    show_causes("What is behind it", &card.decline_triggers, &card.recommended_steps, output)
}

fn who_and_how(card: &AccountCard) -> Vec<(&'static str, String)> {
    let account = card.account.clone().unwrap_or_default();
    let mut rows = vec![("Account", format!("{} ({})", account.display_name, id_of(&account.name)))];
    let health = card.health.as_ref().map_or_else(
        || "not scored yet".to_owned(),
        |health| {
            let change = health.change_30d.map(|change| format!(", {change:+.1} in 30 days")).unwrap_or_default();
            format!("{} ({}){change}", points(health.score), band(health.band()))
        },
    );
    rows.push(("Health", health));
    let corrections = card.health.iter().flat_map(|health| &health.corrections);
    rows.extend(corrections.map(|label| ("Against it", label.reason.clone())));
    let plan = [segment(account.segment()).to_owned(), account.plan.clone()];
    rows.push(("Plan", plan.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")));
    rows.push((
        "Revenue",
        account.arr.as_ref().map(|arr| format!("{} a year", money::format(arr))).unwrap_or_default(),
    ));
    rows.push(("Renewal", account.renewal_time.map(|time| day_of_time(Some(time))).unwrap_or_default()));
    let open = [
        (card.open_ticket_count, "open ticket"),
        (card.urgent_ticket_count, "urgent ticket"),
        (card.unpaid_invoice_count, "unpaid invoice"),
        (card.open_dispute_count, "open dispute"),
    ];
    let open = open.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| counted(count, what));
    rows.push(("Open", open.collect::<Vec<_>>().join(", ")));
    rows.push(("Said", card.newest_figures.iter().map(said).collect::<Vec<_>>().join(", ")));
    rows.push(("Last contact", card.last_touch_day.clone()));
    rows.retain(|(_, value)| !value.is_empty());
    rows
}

fn said(figure: &NewestFigure) -> String {
    let name = match figure.series() {
        StorySeries::NpsScore => "NPS",
        StorySeries::CsatScore => "CSAT",
        StorySeries::CesScore => "CES",
        StorySeries::CsmPulse => "judged",
        StorySeries::TicketSatisfaction => "tickets",
        _ => "sentiment",
    };
    format!("{name} {:.1} on {}", figure.value, figure.day)
}

fn uses(figures: &[UseFigure]) -> Table {
    let mut table = table(&["USE", ">28 DAYS", ">BEFORE", "LAST"]);
    for figure in figures {
        let what = match figure.input.as_ref() {
            Some(Input { series: Some(input::Series::Metric(name) | input::Series::Feature(name)) }) => name.clone(),
            Some(Input { series: Some(input::Series::AnyFeature(_)) }) => "features in use".to_owned(),
            _ => "active users".to_owned(),
        };
        table.add_row([what, figure.total.to_string(), figure.earlier_total.to_string(), figure.last_day.clone()]);
    }
    table
}
