//! `mainstay definitions`: what the services mean by their terms.

use clap::Args;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::definition_service_client::DefinitionServiceClient;
use mainstay_clients::{ServiceChannel, retrying};

use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{facts, table};
use crate::words::{day_of_time, id_of, resource_name};

/// Which terms.
#[derive(Debug, Args)]
#[command(after_help = "\
The numbers are those that the services judge by; a version changes when a number does. The cuts
between the bands are those of the model that scores.

Examples:
  mainstay definitions
  mainstay definitions at-risk
  mainstay definitions --output json | jq -r .version")]
pub(crate) struct DefinitionsArguments {
    /// One term, by id; else all
    term: Option<String>,
}

fn client(connection: &Connection) -> DefinitionServiceClient<ServiceChannel> {
    DefinitionServiceClient::new(connection.channel.clone())
}

/// Runs the command.
pub(crate) async fn run(
    arguments: &DefinitionsArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    match &arguments.term {
        Some(term) => show(term, connection, output).await,
        None => list(connection, output).await,
    }
}

async fn list(connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let request = proto::ListDefinitionsRequest {};
    let answer =
        retrying(&connection.retries, async || client(connection).list_definitions(request).await).await?.into_inner();
    if output.is_json() {
        return Ok(output.json_object(&answer)?);
    }
    let mut table = table(&["TERM", "MEANS", "SINCE", "VERSION"]);
    for definition in &answer.definitions {
        table.add_row([
            id_of(&definition.name),
            &definition.sentence,
            &day_of_time(definition.effective_time),
            &definition.version,
        ]);
    }
    output.table(table)?;
    Ok(output.line(&format!("Version of all: {}", answer.version))?)
}

async fn show(term: &str, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let request = proto::GetDefinitionRequest { name: resource_name("definitions", term)? };
    let definition = retrying(&connection.retries, async || client(connection).get_definition(request.clone()).await)
        .await?
        .into_inner();
    if output.is_json() {
        return Ok(output.json_object(&definition)?);
    }
    let rows = [
        ("term", format!("{} ({})", definition.display_name, id_of(&definition.name))),
        ("means", definition.sentence.clone()),
        ("numbers", definition.values.iter().map(value).collect::<Vec<_>>().join(", ")),
        ("version", definition.version.clone()),
        ("since", day_of_time(definition.effective_time)),
        ("model", id_of(&definition.model).to_owned()),
        ("asked for by", definition.requirements.join(", ")),
        ("used by", definition.services.join(", ")),
    ];
    let rows = rows.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    Ok(output.table(facts(rows))?)
}

/// For example `score < 70 points`.
fn value(value: &proto::DefinitionValue) -> String {
    let bound = match value.bound() {
        proto::DefinitionBound::Unspecified => "",
        proto::DefinitionBound::Below => "<",
        proto::DefinitionBound::AtMost => "≤",
        proto::DefinitionBound::AtLeast => "≥",
        proto::DefinitionBound::Above => ">",
        proto::DefinitionBound::Within => "=",
    };
    let unit = match value.unit() {
        proto::DefinitionUnit::Points => " points",
        proto::DefinitionUnit::Days => " days",
        proto::DefinitionUnit::Months => " months",
        proto::DefinitionUnit::Percent => " %",
        proto::DefinitionUnit::Hours => " hours",
        proto::DefinitionUnit::Answer
        | proto::DefinitionUnit::Count
        | proto::DefinitionUnit::Sentiment
        | proto::DefinitionUnit::Unspecified => "",
    };
    format!("{} {bound} {}{unit}", value.id, value.number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_said_with_their_bound_and_unit() {
        let score = proto::DefinitionValue {
            id: "score".to_owned(),
            bound: proto::DefinitionBound::Below.into(),
            number: 60.5,
            unit: proto::DefinitionUnit::Points.into(),
        };
        assert_eq!(value(&score), "score < 60.5 points");
    }
}
