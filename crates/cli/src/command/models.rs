//! `mainstay models`: the models by which health is scored.

use chrono::NaiveDate;
use clap::{Args, Subcommand};
use mainstay_api::mainstay::scoring::v1::model_service_client::ModelServiceClient;
use mainstay_api::mainstay::scoring::v1::{ActivateModelRequest, GetModelRequest, ListModelsRequest, Model};
use mainstay_clients::{ServiceChannel, retrying};
use mainstay_domain::{IdSource, SystemClock};

use crate::command::{Listed, backtests, finish_list, is_enough, model_diff, model_files, page_size};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::{Output, note};
use crate::table::{percent, table};
use crate::words::{day_of_time, id_of, model_name, parse_day, time_text};

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
    /// Make a model the one that scores from today on, or from a later day
    #[command(after_help = "\
Every account is scored again; days before keep their scores. What was to be activated on a later day is called off. A
model that was backtested and found worse than the one that scores is refused.

Examples:
  mainstay models activate default
  mainstay models activate usage-2 --from 2027-01-01
  mainstay models activate usage-2 --accept-worse --reason \"logins are not recorded any more\"")]
    Activate(ActivateArguments),
}

/// Which models.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// How many at most; 0 for all
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    limit: usize,
}

/// Which model scores, from when on and why.
#[derive(Debug, Args)]
pub(crate) struct ActivateArguments {
    /// The model, by id
    model: String,
    /// From this day on (UTC); today, unless given
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    from: Option<NaiveDate>,
    /// Activate it even if its backtest says that it is worse; needs a reason
    #[arg(long, requires = "reason")]
    accept_worse: bool,
    /// Why, kept with the activation
    #[arg(long)]
    reason: Option<String>,
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

/// The model that scores today.
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
        ModelsCommand::Activate(arguments) => activate(arguments, connection, output).await,
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
                if model.active { "today" } else { "" }.to_owned(),
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
    let state = if model.active { "scores today" } else { "not active" };
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

async fn activate(arguments: &ActivateArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let request = ActivateModelRequest {
        name: model_name(&arguments.model)?,
        start_day: arguments.from.map(|day| day.to_string()).unwrap_or_default(),
        accept_worse: arguments.accept_worse,
        reason: arguments.reason.clone().unwrap_or_default(),
        ..ActivateModelRequest::default()
    };
    let model = make_active(request, connection).await?;
    if output.is_json() {
        output.json_object(&model)?;
    } else {
        output.line(&activated(&model))?;
    }
    Ok(())
}

/// Makes a model the one that scores, and says so when nobody knows how well it does.
pub(crate) async fn make_active(request: ActivateModelRequest, connection: &Connection) -> Result<Model, Failure> {
    let request = ActivateModelRequest { request_id: new_request_id(), ..request };
    let answer =
        retrying(&connection.retries, async || client(connection).activate_model(request.clone()).await).await?;
    let model = answer.into_inner();
    if model.backtest.is_empty() {
        let id = id_of(&model.name);
        note(&format!(
            "Nobody knows yet whether {id} finds those who leave: `mainstay models backtest {id}` says, once some have left."
        ));
    }
    Ok(model)
}

/// That a model scores now, or from when on it will.
pub(crate) fn activated(model: &Model) -> String {
    let id = id_of(&model.name);
    if model.active {
        format!("{id} scores from today on; all accounts are scored again.")
    } else {
        format!("{id} scores from {} on.", day_of_time(model.activate_time))
    }
}

/// An id that makes a call safe to repeat.
pub(crate) fn new_request_id() -> String {
    IdSource::new(std::sync::Arc::new(SystemClock)).new_id().to_string()
}
