//! `mainstay models`: the models by which health is scored.

use clap::{Args, Subcommand};
use mainstay_api::mainstay::scoring::v1::model_service_client::ModelServiceClient;
use mainstay_api::mainstay::scoring::v1::{GetModelRequest, ListModelsRequest, Model};
use mainstay_clients::{ServiceChannel, retrying};
use mainstay_domain::{IdSource, SystemClock};

use crate::command::{Listed, backtests, finish_list, is_enough, model_activation, model_diff, model_files, page_size};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{percent, table};
use crate::words::{id_of, model_name, time_text};

/// Commands about models.
#[derive(Debug, Subcommand)]
pub(crate) enum ModelsCommand {
    /// List models, newest first
    #[command(after_help = "\
Examples:
  mainstay models list
  mainstay models list --output json")]
    List(ListArguments),
    /// Show a model: its components, measures and their weights
    #[command(after_help = "\
Examples:
  mainstay models get active
  mainstay models get default --yaml > default.yaml     to review, change and apply
  mainstay models get default --output json")]
    Get(GetArguments),
    /// Create a model from a YAML file
    #[command(after_help = model_files::APPLY_HELP)]
    Apply(model_files::ApplyArguments),
    /// Show in what two models differ, and how much each measure weighs in both
    #[command(after_help = model_diff::HELP)]
    Diff(model_diff::DiffArguments),
    /// Say how well a model would have found those who left
    #[command(after_help = backtests::BACKTEST_HELP)]
    Backtest(backtests::BacktestArguments),
    /// List backtests, or show one
    #[command(after_help = backtests::BACKTESTS_HELP)]
    Backtests(backtests::BacktestsArguments),
    /// Make a model the one that scores from today on, or from a later day: all accounts, or a segment's
    #[command(after_help = model_activation::ACTIVATE_HELP)]
    Activate(model_activation::ActivateArguments),
    /// Have a segment's accounts scored by the general model again
    #[command(after_help = model_activation::RELEASE_HELP)]
    Release(model_activation::ReleaseArguments),
}

/// Which models.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// How many at most; 0 for all
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    limit: usize,
}

/// Which model, and how to show it.
#[derive(Debug, Args)]
pub(crate) struct GetArguments {
    /// The model, by id
    model: String,
    /// Show it as the YAML that `models apply` reads
    #[arg(long)]
    yaml: bool,
}

/// The client for models on a connection.
pub(crate) fn client(connection: &Connection) -> ModelServiceClient<ServiceChannel> {
    ModelServiceClient::new(connection.channel.clone())
}

/// The general model of today.
pub(crate) async fn active(connection: &Connection) -> Result<Model, Failure> {
    get("models/active".to_owned(), connection).await
}

/// A model by its name.
pub(crate) async fn get(name: String, connection: &Connection) -> Result<Model, Failure> {
    let request = GetModelRequest { name };
    let answer = retrying(&connection.retries, async || client(connection).get_model(request.clone()).await).await?;
    Ok(answer.into_inner())
}

/// Runs the command.
pub(crate) async fn run(command: &ModelsCommand, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    match command {
        ModelsCommand::List(arguments) => list(arguments, connection, output).await,
        ModelsCommand::Get(arguments) => {
            let model = get(model_name(&arguments.model)?, connection).await?;
            if arguments.yaml {
                output.text(&model_files::yaml(model)?)?;
                return Ok(());
            }
            show(&model, output)
        }
        ModelsCommand::Apply(arguments) => model_files::apply(arguments, connection, output).await,
        ModelsCommand::Diff(arguments) => model_diff::run(arguments, connection, output).await,
        ModelsCommand::Backtest(arguments) => backtests::run(arguments, connection, output).await,
        ModelsCommand::Backtests(arguments) => backtests::list(arguments, connection, output).await,
        ModelsCommand::Activate(arguments) => model_activation::activate(arguments, connection, output).await,
        ModelsCommand::Release(arguments) => model_activation::release(arguments, connection, output).await,
    }
}

async fn list(arguments: &ListArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let mut request = ListModelsRequest::default();
    let mut table = table(&["MODEL", "NAME", ">COMPONENTS", "SCORES", "CREATED", "ACTIVATED"]);
    let mut shown = 0;
    loop {
        request.page_size = page_size(arguments.limit, shown);
        let page = retrying(&connection.retries, async || client(connection).list_models(request.clone()).await)
            .await?
            .into_inner();
        for model in &page.models {
            if output.is_json() {
                output.json_line(model)?;
                continue;
            }
            table.add_row([
                id_of(&model.name).to_owned(),
                model.display_name.clone(),
                model.components.len().to_string(),
                model_activation::scored(model),
                time_text(model.create_time),
                time_text(model.activate_time),
            ]);
        }
        shown += page.models.len();
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() || is_enough(arguments.limit, shown) {
            break;
        }
    }
    let next_page_token = request.page_token.as_str();
    finish_list(output, table, &Listed { shown, which: "newest", next_page_token, nothing: "There are no models." })
}

fn show(model: &Model, output: &mut Output) -> Result<(), Failure> {
    if output.is_json() {
        output.json_object(model)?;
        return Ok(());
    }
    let state = match model_activation::scored(model) {
        whose if whose.is_empty() => "scores nobody".to_owned(),
        whose => format!("scores {whose}"),
    };
    output.line(&format!("{} ({}): {state}", id_of(&model.name), model.display_name))?;
    if !model.description.is_empty() {
        output.line(&model.description)?;
    }
    output.line("")?;
    let mut table = table(&["COMPONENT / MEASURE", ">WEIGHT", "NAME", ">WINDOW"]);
    let share = |weight: f64, sum: f64| if sum > 0.0 { percent(weight / sum) } else { percent(0.0) };
    let sum: f64 = model.components.iter().map(|component| component.weight).sum();
    for component in &model.components {
        let name = component.display_name.clone();
        table.add_row([component.id.clone(), share(component.weight, sum), name, String::new()]);
        let sum: f64 = component.measures.iter().map(|measure| measure.weight).sum();
        for measure in &component.measures {
            let window = match measure.window_days {
                0 => "all days".to_owned(),
                days => format!("{days} days"),
            };
            let weight = share(measure.weight, sum);
            table.add_row([format!("  {}", measure.id), weight, measure.display_name.clone(), window]);
        }
    }
    output.table(table)?;
    Ok(())
}

/// An id that makes a call safe to repeat.
pub(crate) fn new_request_id() -> String {
    IdSource::new(std::sync::Arc::new(SystemClock)).new_id().to_string()
}
