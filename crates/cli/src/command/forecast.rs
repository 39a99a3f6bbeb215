//! `mainstay forecast`: how likely customers are to leave, and what is lost with them.

use clap::{Args, Subcommand};
use mainstay_api::mainstay::common::v1::Money;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::forecast_service_client::ForecastServiceClient;
use mainstay_clients::{ServiceChannel, retrying};

use crate::command::investments::CompareArguments;
use crate::command::models::new_request_id;
use crate::command::{investments, is_enough, operations, page_size};
use crate::connection::Connection;
use crate::csv::{csv_line, figure};
use crate::failure::Failure;
use crate::money;
use crate::output::{Output, note};
use crate::table::{facts, percent, table};
use crate::words::{account_name, counted, day_of_time, id_of, resource_name, segment, time_text};

pub(super) const COLLECTION: &str = "forecastModels";

/// Commands about forecasts.
#[derive(Debug, Subcommand)]
pub(crate) enum ForecastCommand {
    /// Learn a new model from the customers that left and those that stayed
    #[command(after_help = "\
The model learns from the earlier months and is judged on the later ones. With too little data it is refused. It says
how far it is; with many accounts it takes minutes. Ending this command does not end the work: see `mainstay operations`.

Examples:
  mainstay forecast train --check           learn and judge, and keep nothing
  mainstay forecast train --horizon 60      who leaves within two months
  mainstay forecast train --detach          the model makes the forecasts once it is learnt")]
    Train(TrainArguments),
    /// List the models, newest first
    #[command(after_help = "\
Examples:
  mainstay forecast models
  mainstay forecast models --output json")]
    Models(ModelsArguments),
    /// Show a model: what moves its forecasts, and how good they were
    #[command(after_help = "\
Examples:
  mainstay forecast model
  mainstay forecast model 3 --output json")]
    Model(ModelArguments),
    /// Show how likely an account is to leave, and why
    #[command(after_help = "\
A probability is no health: it is what became of accounts that were as this one is.

Examples:
  mainstay forecast account acme
  mainstay forecast account acme --model 3 --output json")]
    Account(AccountArguments),
    /// Show how many customers and how much revenue can be expected to be lost
    #[command(after_help = "\
Examples:
  mainstay forecast portfolio
  mainstay forecast portfolio --days 30 --csv > next-month.csv")]
    Portfolio(PortfolioArguments),
    /// Compare what money is worth that keeps customers with projects that win new ones
    #[command(after_help = investments::HELP)]
    Compare(CompareArguments),
}

/// How to learn.
#[derive(Debug, Args)]
pub(crate) struct TrainArguments {
    /// Within how many days customers must have left to count as lost
    #[arg(long, value_name = "DAYS", default_value_t = 90)]
    horizon: i32,
    /// Learn and judge only, keep nothing
    #[arg(long)]
    check: bool,
    /// Begin, and do not wait for the end
    #[arg(long, conflicts_with = "check")]
    detach: bool,
}

/// How many models.
#[derive(Debug, Args)]
pub(crate) struct ModelsArguments {
    /// How many at most; 0 for all
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    limit: usize,
}

/// Which model.
#[derive(Debug, Args)]
pub(crate) struct ModelArguments {
    /// Its number
    #[arg(default_value = "newest", hide_default_value = true)]
    model: String,
}

/// Which account.
#[derive(Debug, Args)]
pub(crate) struct AccountArguments {
    /// The account
    account: String,
    /// By the model of this number
    #[arg(long, default_value = "newest", hide_default_value = true)]
    model: String,
}

/// Which time.
#[derive(Debug, Args)]
pub(crate) struct PortfolioArguments {
    /// Within how many days [default: the model's horizon]
    #[arg(long, value_name = "COUNT", default_value_t = 0, hide_default_value = true)]
    days: i32,
    /// By the model of this number
    #[arg(long, default_value = "newest", hide_default_value = true)]
    model: String,
    /// Write figures as CSV
    #[arg(long)]
    csv: bool,
}

/// Runs the command.
pub(crate) async fn run(
    command: &ForecastCommand,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    match command {
        ForecastCommand::Train(arguments) => train(arguments, connection, output).await,
        ForecastCommand::Models(arguments) => models(arguments, connection, output).await,
        ForecastCommand::Model(arguments) => model(arguments, connection, output).await,
        ForecastCommand::Account(arguments) => account(arguments, connection, output).await,
        ForecastCommand::Portfolio(arguments) => portfolio(arguments, connection, output).await,
        ForecastCommand::Compare(arguments) => investments::run(arguments, connection, output).await,
    }
}

fn client(connection: &Connection) -> ForecastServiceClient<ServiceChannel> {
    ForecastServiceClient::new(connection.channel.clone())
}

async fn train(arguments: &TrainArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let request = proto::TrainForecastRequest {
        horizon_days: arguments.horizon,
        request_id: new_request_id(),
        validate_only: arguments.check,
    };
    let begin = async || client(connection).train_forecast(request.clone()).await;
    let operation = retrying(&connection.retries, begin).await?.into_inner();
    if arguments.detach {
        return operations::begun(&operation, output);
    }
    let learnt: proto::ForecastModel = operations::outcome(operation, connection).await?;
    if output.is_json() {
        return Ok(output.json_object(&learnt)?);
    }
    let done = if arguments.check { "could be kept" } else { "makes the forecasts now" };
    output.line(&format!("{} {done}.", learnt.name))?;
    show(&learnt, output)
}

async fn models(arguments: &ModelsArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let mut found: Vec<proto::ForecastModel> = Vec::new();
    let mut page_token = String::new();
    loop {
        let page_size = page_size(arguments.limit, found.len());
        let request = proto::ListForecastModelsRequest { page_size, page_token };
        let list = async || client(connection).list_forecast_models(request.clone()).await;
        let page = retrying(&connection.retries, list).await?.into_inner();
        found.extend(page.forecast_models);
        page_token = page.next_page_token;
        if page_token.is_empty() || is_enough(arguments.limit, found.len()) {
            break;
        }
    }
    if output.is_json() {
        return found.iter().try_for_each(|model| Ok(output.json_line(model)?));
    }
    if found.is_empty() {
        note("There is no forecast model yet: mainstay forecast train.");
        return Ok(());
    }
    let mut rows = table(&["MODEL", "LEARNT", ">HORIZON", ">ROWS", ">LEFT", ">AUC", ">BRIER", ">BASE RATE'S"]);
    for model in &found {
        let training = model.training.clone().unwrap_or_default();
        let accuracy = model.accuracy.clone().unwrap_or_default();
        rows.add_row([
            id_of(&model.name).to_owned(),
            day_of_time(model.create_time),
            format!("{} days", model.horizon_days),
            training.row_count.to_string(),
            training.churned_account_count.to_string(),
            format!("{:.3}", accuracy.auc),
            format!("{:.4}", accuracy.brier),
            format!("{:.4}", accuracy.brier_of_base_rate),
        ]);
    }
    Ok(output.table(rows)?)
}

async fn model(arguments: &ModelArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let request = proto::GetForecastModelRequest { name: resource_name(COLLECTION, &arguments.model)? };
    let get = async || client(connection).get_forecast_model(request.clone()).await;
    let model = retrying(&connection.retries, get).await?.into_inner();
    if output.is_json() { Ok(output.json_object(&model)?) } else { show(&model, output) }
}

/// A model for people.
fn show(model: &proto::ForecastModel, output: &mut Output) -> Result<(), Failure> {
    output.table(facts(model_facts(model)))?;
    output.line("")?;
    let mut inputs = model.inputs.clone();
    inputs.sort_by(|one, other| other.per_deviation.abs().total_cmp(&one.per_deviation.abs()));
    let mut rows = table(&["INPUT", ">ODDS × A DEVIATION", ">MEAN", ">DEVIATION", ">MISSING"]);
    for input in &inputs {
        rows.add_row([
            input.id.clone(),
            format!("{:.2}", input.per_deviation.exp()),
            format!("{:.2}", input.mean),
            format!("{:.2}", input.deviation),
            percent(input.missing_share),
        ]);
    }
    output.table(rows)?;
    output.line("")?;
    let mut rows = table(&[">FORECAST", ">LEFT", ">OF", "95 % INTERVAL"]);
    for part in model.accuracy.iter().flat_map(|accuracy| &accuracy.reliability) {
        rows.add_row([
            percent_1(part.mean_probability),
            part.churned_row_count.to_string(),
            part.row_count.to_string(),
            format!("{} to {}", percent_1(part.low), percent_1(part.high)),
        ]);
    }
    Ok(output.table(rows)?)
}

fn model_facts(model: &proto::ForecastModel) -> Vec<(&'static str, String)> {
    let accuracy = model.accuracy.clone().unwrap_or_default();
    let of = |rows: &Option<proto::ForecastRows>| {
        let rows = rows.clone().unwrap_or_default();
        format!(
            "{} of {} to {}, {} followed by churn",
            counted(rows.row_count, "row"),
            rows.first_month,
            rows.last_month,
            rows.churned_row_count
        )
    };
    let worth = if accuracy.brier < accuracy.brier_of_base_rate { "" } else { ": the forecast is worth nothing" };
    vec![
        ("Model", id_of(&model.name).to_owned()),
        ("Of", format!("churn within {} days", model.horizon_days)),
        ("Health model", id_of(&model.health_model).to_owned()),
        ("Learnt from", of(&model.training)),
        ("Judged on", of(&accuracy.judged_on)),
        ("AUC", format!("{:.3} ({:.3}–{:.3})", accuracy.auc, accuracy.auc_low, accuracy.auc_high)),
        ("Brier score", format!("{:.4}, of the base rate {:.4}{worth}", accuracy.brier, accuracy.brier_of_base_rate)),
        ("Said nothing", model.unused_inputs.join(", ")),
    ]
}

/// A share of 0 to 1 in percent, with one decimal.
fn percent_1(share: f64) -> String {
    format!("{:.1}%", share * 100.0)
}

async fn account(arguments: &AccountArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let request = proto::GetChurnForecastRequest {
        account: account_name(&arguments.account)?,
        forecast_model: resource_name(COLLECTION, &arguments.model)?,
    };
    let get = async || client(connection).get_churn_forecast(request.clone()).await;
    let forecast = retrying(&connection.retries, get).await?.into_inner();
    if output.is_json() {
        return Ok(output.json_object(&forecast)?);
    }
    let how_good = how_good(&forecast.forecast_model, connection).await?;
    output.line(&format!(
        "{} leaves within {} days with a probability of {} (as of {}, {}).",
        id_of(&forecast.account),
        forecast.horizon_days,
        percent_1(forecast.probability),
        forecast.day,
        forecast.forecast_model
    ))?;
    output.line("")?;
    let mut rows = table(&["INPUT", ">VALUE", ">ODDS ×"]);
    for reason in &forecast.reasons {
        rows.add_row([
            reason.input.clone(),
            reason.value.map_or_else(|| "missing".to_owned(), |value| format!("{value:.2}")),
            format!("{:.2}", reason.log_odds.exp()),
        ]);
    }
    output.table(rows)?;
    Ok(output.line(&how_good)?)
}

/// How good a model was on months that it did not learn from, in a line: a probability says little without it.
async fn how_good(name: &str, connection: &Connection) -> Result<String, Failure> {
    let request = proto::GetForecastModelRequest { name: name.to_owned() };
    let get = async || client(connection).get_forecast_model(request.clone()).await;
    let accuracy = retrying(&connection.retries, get).await?.into_inner().accuracy.unwrap_or_default();
    Ok(format!(
        "On later months {name} had an AUC of {:.3} ({:.3}–{:.3}) and a Brier score of {:.4} (base rate {:.4}); its reliability: \
         mainstay forecast model {}.",
        accuracy.auc,
        accuracy.auc_low,
        accuracy.auc_high,
        accuracy.brier,
        accuracy.brier_of_base_rate,
        id_of(name),
    ))
}

async fn portfolio(
    arguments: &PortfolioArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let request = proto::ForecastPortfolioRequest {
        day_count: arguments.days,
        forecast_model: resource_name(COLLECTION, &arguments.model)?,
    };
    let get = async || client(connection).forecast_portfolio(request.clone()).await;
    let forecast = retrying(&connection.retries, get).await?.into_inner();
    if output.is_json() {
        return Ok(output.json_object(&forecast)?);
    }
    let title = format!("What can be expected to be lost, as of {}", time_text(forecast.as_of_time));
    if arguments.csv {
        return Ok(output.csv_table(&csv_lines(&forecast), &title)?);
    }
    let how_good = how_good(&forecast.forecast_model, connection).await?;
    output.title(&title)?;
    output.table(groups(&forecast))?;
    output.line(&format!("Within {} days, by {}.", forecast.day_count, forecast.forecast_model))?;
    output.line(&how_good)?;
    if forecast.unforecast_account_count > 0 {
        let unforecast = counted(forecast.unforecast_account_count, "account");
        output.line(&format!("Without a forecast: {unforecast}, not read today by the model's health model."))?;
    }
    Ok(())
}

/// All groups, the total last.
fn named_groups(forecast: &proto::PortfolioForecast) -> Vec<(&str, &proto::ForecastGroup)> {
    let name = |group: &proto::ForecastGroup| match segment(group.segment()) {
        "" => "not known",
        known => known,
    };
    let segments = forecast.segments.iter().map(|group| (name(group), group));
    segments.chain(forecast.total.iter().map(|total| ("all", total))).collect()
}

fn groups(forecast: &proto::PortfolioForecast) -> comfy_table::Table {
    let mut rows = table(&["SEGMENT", ">ACCOUNTS", ">LEAVE", "95 %", ">ARR", ">EXPECTED LOSS", "95 %"]);
    for (name, group) in named_groups(forecast) {
        let mut first = vec![
            name.to_owned(),
            group.account_count.to_string(),
            format!("{:.1}", group.expected_churned_count),
            format!("{}–{}", group.churned_count_low, group.churned_count_high),
        ];
        if group.revenues.is_empty() {
            rows.add_row(first);
            continue;
        }
        for revenue in &group.revenues {
            let text = |amount: &Option<Money>| amount.as_ref().map(money::format).unwrap_or_default();
            first.extend([
                text(&revenue.arr),
                text(&revenue.expected_loss),
                format!("{} – {}", text(&revenue.low), text(&revenue.high)),
            ]);
            rows.add_row(std::mem::replace(&mut first, vec![String::new(); 4]));
        }
    }
    rows
}

/// A line for each group and currency, amounts in minor units; one without currency for groups without revenue.
fn csv_lines(forecast: &proto::PortfolioForecast) -> Vec<String> {
    let titles =
        ["segment", "accounts", "leave", "leave_low", "leave_high", "currency", "arr", "loss", "loss_low", "loss_high"];
    let mut lines = vec![csv_line(&titles.map(str::to_owned))];
    for (name, group) in named_groups(forecast) {
        let front = [
            name.to_owned(),
            group.account_count.to_string(),
            group.expected_churned_count.to_string(),
            group.churned_count_low.to_string(),
            group.churned_count_high.to_string(),
        ];
        if group.revenues.is_empty() {
            lines.push(csv_line(&[front.as_slice(), &[""; 5].map(str::to_owned)].concat()));
        }
        for revenue in &group.revenues {
            let units = |amount: &Option<Money>| figure(amount.as_ref().map(|amount| amount.minor_units));
            let back = [
                revenue.arr.as_ref().map(|arr| arr.currency_code.clone()).unwrap_or_default(),
                units(&revenue.arr),
                units(&revenue.expected_loss),
                units(&revenue.low),
                units(&revenue.high),
            ];
            lines.push(csv_line(&[front.as_slice(), &back].concat()));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_currency_of_a_group_has_a_line_and_the_total_comes_last() {
        let money = |code: &str, minor_units| Some(Money { currency_code: code.to_owned(), minor_units });
        let revenue = |code, arr| proto::RevenueAtRisk {
            arr: money(code, arr),
            expected_loss: money(code, arr / 4),
            low: money(code, 0),
            high: money(code, arr / 2),
        };
        let group = |segment: proto::Segment, revenues| proto::ForecastGroup {
            segment: segment.into(),
            account_count: 4,
            expected_churned_count: 1.25,
            churned_count_low: 0,
            churned_count_high: 3,
            revenues,
        };
        let forecast = proto::PortfolioForecast {
            segments: vec![group(proto::Segment::Unspecified, Vec::new())],
            total: Some(group(proto::Segment::Unspecified, vec![revenue("EUR", 400_000), revenue("USD", 800)])),
            ..Default::default()
        };
        let mut shown = groups(&forecast);
        shown.force_no_tty();
        let expected = "\
SEGMENT    ACCOUNTS  LEAVE  95 %           ARR  EXPECTED LOSS  95 %
not known         4    1.2  0–3
all               4    1.2  0–3   4,000.00 EUR   1,000.00 EUR  0.00 EUR – 2,000.00 EUR
                                      8.00 USD       2.00 USD  0.00 USD – 4.00 USD";
        assert_eq!(shown.trim_fmt(), expected);
        assert_eq!(
            csv_lines(&forecast)[1..],
            [
                "not known,4,1.25,0,3,,,,,",
                "all,4,1.25,0,3,EUR,400000,100000,0,200000",
                "all,4,1.25,0,3,USD,800,200,0,400",
            ]
        );
    }
}
