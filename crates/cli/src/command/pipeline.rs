//! `mainstay opportunities pipeline`.

use clap::Args;
use mainstay_api::mainstay::expansion::v1 as proto;
use mainstay_api::mainstay::expansion::v1::report_service_client::ReportServiceClient;
use mainstay_clients::retrying;

use crate::connection::Connection;
use crate::expansion_words::stage;
use crate::failure::Failure;
use crate::money;
use crate::output::{Output, note};
use crate::table::table;
use crate::words::time_text;

pub(crate) const PIPELINE_HELP: &str = "\
Currencies are never added up: a stage has a line for each.

Examples:
  mainstay opportunities pipeline
  mainstay opportunities pipeline --owner sam@example.com --output json";

/// Whose.
#[derive(Debug, Args)]
pub(crate) struct PipelineArguments {
    /// Only of this owner
    #[arg(long, value_name = "EMAIL", default_value = "", hide_default_value = true)]
    owner: String,
}

/// Shows the pipeline.
pub(crate) async fn pipeline(
    arguments: &PipelineArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let request = proto::GetPipelineRequest { owner_email: arguments.owner.clone() };
    let client = || ReportServiceClient::new(connection.channel.clone());
    let pipeline =
        retrying(&connection.retries, async || client().get_pipeline(request.clone()).await).await?.into_inner();
    if output.is_json() {
        return Ok(output.json_object(&pipeline)?);
    }
    if pipeline.entries.is_empty() {
        note("The pipeline is empty.");
        return Ok(());
    }
    let mut rows = table(&["STAGE", ">COUNT", ">GAIN A YEAR", ">ON HOLD", ">OVERDUE", ">WITH SALES"]);
    for entry in &pipeline.entries {
        rows.add_row([
            stage(entry.stage()).to_owned(),
            entry.count.to_string(),
            entry.expected_gain.as_ref().map_or_else(|| "not known".to_owned(), money::format),
            entry.held_count.to_string(),
            entry.overdue_count.to_string(),
            entry.handed_over_count.to_string(),
        ]);
    }
    output.table(rows)?;
    Ok(output.line(&format!("As of {}.", time_text(pipeline.as_of_time)))?)
}
