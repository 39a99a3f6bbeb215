//! `mainstay models backtest`: how well a model would have found those who left.

use chrono::NaiveDate;
use clap::Args;
use mainstay_api::mainstay::scoring::v1::backtest_service_client::BacktestServiceClient;
use mainstay_api::mainstay::scoring::v1::{
    Backtest, BacktestModelRequest, GetBacktestRequest, ListBacktestsRequest, ListBandChangesRequest, Segment,
};
use mainstay_clients::{ServiceChannel, retrying};

use crate::command::models::new_request_id;
use crate::command::{Listed, backtest_report, finish_list, is_enough, model_diff, operations, page_size};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{band_cell, score_cell, table};
use crate::words::{SegmentWord, day_text, id_of, model_name, parse_day, resource_name, time_text};

pub(crate) const BACKTEST_HELP: &str = "\
Scores every account again as of days of the past, by the model and by the one that scores today, and compares the
scores with who left within the horizon. Nothing changes what scores today.

Examples:
  mainstay models backtest draft.yaml --from 2025-01-01             a file that need not be created
  mainstay models backtest active --from 2025-01-01 --horizon 180   the model that scores
  mainstay models backtest large --from 2025-01-01 --segment enterprise   before it is a segment's own
  mainstay models backtest draft.yaml --from 2025-01-01 --output json";

pub(crate) const BACKTESTS_HELP: &str = "\
Examples:
  mainstay models backtests                         the newest, of all models
  mainstay models backtests --model usage-2
  mainstay models backtests BACKTEST                the report of one
  mainstay models backtests BACKTEST --changes      the accounts that it puts into another band";

/// What to try on which days.
#[derive(Debug, Args)]
pub(crate) struct BacktestArguments {
    /// A model by id, or a file that ends in .yaml or .yml
    model: String,
    /// The first day as of which accounts are scored (UTC)
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    from: NaiveDate,
    /// The last one; the newest of which it is known who left after it, unless given
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    to: Option<NaiveDate>,
    /// Days from one such day to the next
    #[arg(long, default_value_t = 30, value_name = "DAYS")]
    step: i32,
    /// Who left within this many days after a day was to be found
    #[arg(long, default_value_t = 90, value_name = "DAYS")]
    horizon: i32,
    /// Only accounts of this segment, beside the model that scores them
    #[arg(long, value_name = "SEGMENT")]
    segment: Option<SegmentWord>,
}

/// Which backtests.
#[derive(Debug, Args)]
pub(crate) struct BacktestsArguments {
    /// Show this one
    backtest: Option<String>,
    /// Show the accounts that it puts into another band
    #[arg(long, requires = "backtest")]
    changes: bool,
    /// Only of this model, by id
    #[arg(long, conflicts_with = "backtest")]
    model: Option<String>,
    /// How many at most; 0 for all
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    limit: usize,
}

fn client(connection: &Connection) -> BacktestServiceClient<ServiceChannel> {
    BacktestServiceClient::new(connection.channel.clone())
}

/// Makes a backtest and shows it.
pub(crate) async fn run(
    arguments: &BacktestArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let request = BacktestModelRequest {
        model: Some(model_diff::source(&arguments.model)?),
        start_day: arguments.from.to_string(),
        end_day: arguments.to.map(|day| day.to_string()).unwrap_or_default(),
        step_days: arguments.step,
        horizon_days: arguments.horizon,
        request_id: new_request_id(),
        segment: arguments.segment.map(Segment::from).unwrap_or_default().into(),
    };
    let begun = retrying(&connection.retries, async || client(connection).backtest_model(request.clone()).await);
    let backtest: Backtest = operations::outcome(begun.await?.into_inner(), connection).await?;
    show(&backtest, output)
}

/// Lists backtests, or shows one.
pub(crate) async fn list(
    arguments: &BacktestsArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let Some(backtest) = &arguments.backtest else { return list_all(arguments, connection, output).await };
    let name = resource_name("backtests", backtest)?;
    if arguments.changes {
        return list_changes(name, arguments.limit, connection, output).await;
    }
    let request = GetBacktestRequest { name };
    let answer = retrying(&connection.retries, async || client(connection).get_backtest(request.clone()).await).await?;
    show(&answer.into_inner(), output)
}

fn show(backtest: &Backtest, output: &mut Output) -> Result<(), Failure> {
    if output.is_json() {
        output.json_object(backtest)?;
        return Ok(());
    }
    backtest_report::show(backtest, output)
}

async fn list_all(arguments: &BacktestsArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let model = arguments.model.as_deref().map(model_name).transpose()?.unwrap_or_default();
    let mut request = ListBacktestsRequest { model, ..ListBacktestsRequest::default() };
    let mut table = table(&["BACKTEST", "MODEL", "BESIDE", ">AUC", ">DIFFERENCE", "LAST DAY", "MADE"]);
    let mut shown = 0;
    loop {
        request.page_size = page_size(arguments.limit, shown);
        let page = retrying(&connection.retries, async || client(connection).list_backtests(request.clone()).await)
            .await?
            .into_inner();
        for backtest in &page.backtests {
            if output.is_json() {
                output.json_line(backtest)?;
                continue;
            }
            let auc = backtest.trial.as_ref().and_then(|trial| trial.auc);
            let difference = backtest.comparison.as_ref().map(|comparison| comparison.difference);
            table.add_row([
                id_of(&backtest.name).to_owned(),
                backtest.model.as_ref().map(|model| id_of(&model.name).to_owned()).unwrap_or_default(),
                id_of(&backtest.base_model).to_owned(),
                auc.map_or_else(|| "–".to_owned(), |auc| format!("{:.3}", auc.value)),
                difference.map_or_else(|| "–".to_owned(), |difference| format!("{difference:+.3}")),
                day_text(backtest.days.last().and_then(|day| day.parse().ok())),
                time_text(backtest.create_time),
            ]);
        }
        shown += page.backtests.len();
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() || is_enough(arguments.limit, shown) {
            break;
        }
    }
    let nothing = "There is no backtest yet: mainstay models backtest.";
    let next_page_token = request.page_token.as_str();
    finish_list(output, table, &Listed { shown, which: "newest", next_page_token, nothing })
}

async fn list_changes(
    backtest: String,
    limit: usize,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let mut request = ListBandChangesRequest { backtest, ..ListBandChangesRequest::default() };
    let mut table = table(&["ACCOUNT", "BAND NOW", ">SCORE", "BY THE MODEL", ">SCORE"]);
    let mut shown = 0;
    loop {
        request.page_size = page_size(limit, shown);
        let page = retrying(&connection.retries, async || client(connection).list_band_changes(request.clone()).await)
            .await?
            .into_inner();
        for change in &page.changes {
            if output.is_json() {
                output.json_line(change)?;
                continue;
            }
            table.add_row([
                comfy_table::Cell::new(id_of(&change.account)),
                band_cell(change.base_band()),
                score_cell(change.base_score, change.base_band()),
                band_cell(change.band()),
                score_cell(change.score, change.band()),
            ]);
        }
        shown += page.changes.len();
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() || is_enough(limit, shown) {
            break;
        }
    }
    let nothing = "No account changes its band.";
    let next_page_token = request.page_token.as_str();
    finish_list(output, table, &Listed { shown, which: "first", next_page_token, nothing })
}
