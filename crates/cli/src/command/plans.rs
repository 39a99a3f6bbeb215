//! `mainstay plans`: what customers can be on, and what a change costs.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use mainstay_api::mainstay::expansion::v1 as proto;
use mainstay_api::mainstay::expansion::v1::catalog_service_client::CatalogServiceClient;
use mainstay_clients::{ServiceChannel, retrying};

use crate::command::models::new_request_id;
use crate::command::{is_enough, page_size};
use crate::connection::Connection;
use crate::expansion_words::{basis, period, plan_name};
use crate::failure::Failure;
use crate::money;
use crate::output::{Output, from_json, note};
use crate::table::{facts, table};
use crate::words::{account_name, id_of, time_text};

/// Commands about plans.
#[derive(Debug, Subcommand)]
pub(crate) enum PlansCommand {
    /// List plans and their versions
    #[command(after_help = "\
Examples:
  mainstay plans list
  mainstay plans list --in-force --output json")]
    List(ListArguments),
    /// Show a plan: limits, features, prices
    #[command(after_help = "\
Examples:
  mainstay plans show team                          the version in force
  mainstay plans show team/versions/2
  mainstay plans show team --output json > team.json     to change and apply")]
    Show(PlanArgument),
    /// Create the next version of a plan from a JSON file
    #[command(after_help = "\
A version never changes: each apply makes the next one, a draft until it is published. The file has
the fields of a plan as `plans show --output json` writes them; all faults are told at once.

  { \"displayName\": \"Team\", \"upgradePlan\": \"plans/business\",
    \"limits\": [ { \"metric\": \"emails\", \"limit\": 10000 } ], \"includedSeats\": \"5\",
    \"prices\": [ { \"period\": \"PRICE_PERIOD_MONTH\", \"basis\": \"PRICE_BASIS_PER_SEAT\",
                  \"amount\": { \"currencyCode\": \"EUR\", \"minorUnits\": \"1900\" } } ] }

Examples:
  mainstay plans apply team team.json --check       say what is wrong with it, create nothing
  mainstay plans apply team team.json --publish     create it, and put it in force")]
    Apply(ApplyArguments),
    /// Put a version of a plan in force
    #[command(after_help = "\
Examples:
  mainstay plans publish team/versions/3")]
    Publish(PlanArgument),
    /// Say what a change of plan costs an account, and what it gets
    #[command(after_help = "\
Examples:
  mainstay plans compare acme                        from its plan to the next larger one
  mainstay plans compare acme --to business --seats 40 --currency EUR")]
    Compare(CompareArguments),
}

/// Which plans.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// Only versions in force
    #[arg(long)]
    in_force: bool,
    /// How many at most; 0 for all
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    limit: usize,
}

/// Which plan.
#[derive(Debug, Args)]
pub(crate) struct PlanArgument {
    /// The plan, by id; with `/versions/NUMBER` for a version
    plan: String,
}

/// Which file.
#[derive(Debug, Args)]
pub(crate) struct ApplyArguments {
    /// The plan, by id
    plan: String,
    /// The file, JSON
    file: PathBuf,
    /// Put it in force
    #[arg(long, conflicts_with = "check")]
    publish: bool,
    /// Have the server check it, and create nothing
    #[arg(long)]
    check: bool,
}

/// What to compare.
#[derive(Debug, Args)]
pub(crate) struct CompareArguments {
    /// The account, by id
    account: String,
    /// The plan left [default: the account's]
    #[arg(long)]
    from: Option<String>,
    /// The plan taken [default: the next larger one]
    #[arg(long)]
    to: Option<String>,
    /// For so many seats [default: the account's]
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    seats: i64,
    /// In this currency [default: the account's]
    #[arg(long, default_value = "", hide_default_value = true)]
    currency: String,
}

fn client(connection: &Connection) -> CatalogServiceClient<ServiceChannel> {
    CatalogServiceClient::new(connection.channel.clone())
}

/// Runs the command.
pub(crate) async fn run(command: &PlansCommand, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    match command {
        PlansCommand::List(arguments) => list(arguments, connection, output).await,
        PlansCommand::Show(argument) => {
            let request = proto::GetPlanRequest { name: plan_name(&argument.plan) };
            let plan = retrying(&connection.retries, async || client(connection).get_plan(request.clone()).await)
                .await?
                .into_inner();
            show(&plan, output)
        }
        PlansCommand::Apply(arguments) => apply(arguments, connection, output).await,
        PlansCommand::Publish(argument) => {
            let plan = publish(plan_name(&argument.plan), connection).await?;
            say(&plan, "is in force", output)
        }
        PlansCommand::Compare(arguments) => compare(arguments, connection, output).await,
    }
}

async fn list(arguments: &ListArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let mut request = proto::ListPlansRequest { in_force_only: arguments.in_force, ..Default::default() };
    let mut table = table(&["PLAN", ">VERSION", "NAME", "STATE", "NEXT LARGER", "PUBLISHED"]);
    let mut shown = 0;
    loop {
        request.page_size = page_size(arguments.limit, shown);
        let page = retrying(&connection.retries, async || client(connection).list_plans(request.clone()).await)
            .await?
            .into_inner();
        for plan in &page.plans {
            if output.is_json() {
                output.json_line(plan)?;
                continue;
            }
            let id = id_of(&plan.name);
            table.add_row([
                id.split_once('/').map_or(id, |(id, _)| id).to_owned(),
                plan.version.to_string(),
                plan.display_name.clone(),
                state(plan).to_owned(),
                id_of(&plan.upgrade_plan).to_owned(),
                time_text(plan.publish_time),
            ]);
        }
        shown += page.plans.len();
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() || is_enough(arguments.limit, shown) {
            break;
        }
    }
    if output.is_json() {
        return Ok(());
    }
    if shown == 0 {
        note("There are no plans; `mainstay plans apply` creates one.");
        return Ok(());
    }
    Ok(output.table(table)?)
}

fn state(plan: &proto::Plan) -> &'static str {
    match (plan.in_force, plan.publish_time) {
        (true, _) => "in force",
        (false, Some(_)) => "superseded",
        (false, None) => "draft",
    }
}

fn show(plan: &proto::Plan, output: &mut Output) -> Result<(), Failure> {
    if output.is_json() {
        return Ok(output.json_object(plan)?);
    }
    let limits: Vec<String> = plan.limits.iter().map(|limit| format!("{} = {}", limit.metric, limit.limit)).collect();
    let price = |price: &proto::Price| {
        let amount = price.amount.as_ref().map(money::format).unwrap_or_default();
        format!("{amount} {} {}", basis(price.basis()), period(price.period()))
    };
    let prices: Vec<String> = plan.prices.iter().map(price).collect();
    let rows = vec![
        ("plan", id_of(&plan.name).to_owned()),
        ("name", plan.display_name.clone()),
        ("state", state(plan).to_owned()),
        ("for", plan.description.clone()),
        ("limits", limits.join("\n")),
        ("included seats", plan.included_seats.to_string()),
        ("features", plan.features.join("\n")),
        ("prices", prices.join("\n")),
        ("next larger", id_of(&plan.upgrade_plan).to_owned()),
    ];
    Ok(output.table(facts(rows.into_iter().filter(|(_, value)| !value.is_empty()).collect()))?)
}

async fn apply(arguments: &ApplyArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let fault = |what: String| Failure::Usage(format!("{}: {what}", arguments.file.display()));
    let text = std::fs::read_to_string(&arguments.file).map_err(|error| fault(error.to_string()))?;
    let plan: proto::Plan = from_json(&text).map_err(fault)?;
    let request = proto::CreatePlanRequest {
        plan_id: arguments.plan.clone(),
        plan: Some(plan),
        request_id: new_request_id(),
        validate_only: arguments.check,
    };
    let plan = retrying(&connection.retries, async || client(connection).create_plan(request.clone()).await)
        .await?
        .into_inner();
    if arguments.check {
        return say(&plan, "could be created", output);
    }
    if arguments.publish {
        let plan = publish(plan.name, connection).await?;
        return say(&plan, "is in force", output);
    }
    say(&plan, "is a draft; `mainstay plans publish` puts it in force", output)
}

async fn publish(name: String, connection: &Connection) -> Result<proto::Plan, Failure> {
    let request = proto::PublishPlanRequest { name, request_id: new_request_id() };
    let answer = retrying(&connection.retries, async || client(connection).publish_plan(request.clone()).await).await?;
    Ok(answer.into_inner())
}

fn say(plan: &proto::Plan, what: &str, output: &mut Output) -> Result<(), Failure> {
    if output.is_json() {
        return Ok(output.json_object(plan)?);
    }
    Ok(output.line(&format!("{} {what}.", id_of(&plan.name)))?)
}

async fn compare(arguments: &CompareArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let request = proto::ComparePlansRequest {
        account: account_name(&arguments.account)?,
        from_plan: arguments.from.as_deref().map(plan_name).unwrap_or_default(),
        to_plan: arguments.to.as_deref().map(plan_name).unwrap_or_default(),
        seats: arguments.seats,
        currency_code: arguments.currency.clone(),
    };
    let compared = retrying(&connection.retries, async || client(connection).compare_plans(request.clone()).await)
        .await?
        .into_inner();
    if output.is_json() {
        return Ok(output.json_object(&compared)?);
    }
    let plan = |plan: &Option<proto::Plan>| plan.as_ref().map(|plan| id_of(&plan.name).to_owned()).unwrap_or_default();
    let (from, to) = (plan(&compared.from_plan), plan(&compared.to_plan));
    output.line(&format!("{} seats, from {from} to {to}:", compared.seats))?;
    let mut prices = table(&["PAID", ">NOW A YEAR", ">THEN A YEAR", ">MORE"]);
    for price in &compared.prices {
        let amount = |money: &Option<_>| money.as_ref().map(money::format).unwrap_or_default();
        let paid = period(price.period()).to_owned();
        prices.add_row([paid, amount(&price.from_amount), amount(&price.to_amount), amount(&price.difference)]);
    }
    output.table(prices)?;
    let mut limits = table(&["LIMIT", ">NOW", ">THEN", ">USED", "IN"]);
    for limit in &compared.limits {
        let figure = |figure: Option<f64>| figure.map_or_else(|| "none".to_owned(), |figure| figure.to_string());
        let used = limit.used.map(|used| used.to_string()).unwrap_or_default();
        limits.add_row([
            limit.metric.clone(),
            figure(limit.from_limit),
            figure(limit.to_limit),
            used,
            limit.month.clone(),
        ]);
    }
    if !compared.limits.is_empty() {
        output.line("")?;
        output.table(limits)?;
    }
    for (what, features) in [("gets", &compared.added_features), ("loses", &compared.removed_features)] {
        if !features.is_empty() {
            output.line(&format!("{what}: {}", features.join(", ")))?;
        }
    }
    Ok(())
}
