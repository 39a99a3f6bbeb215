//! `mainstay alerts policies`: what is due when, who owns it and who hears of it.

use comfy_table::Cell;
use mainstay_api::mainstay::interventions::v1 as proto;
use mainstay_api::mainstay::interventions::v1::policy_service_client::PolicyServiceClient;
use mainstay_clients::retrying;

use crate::connection::Connection;
use crate::due::length;
use crate::failure::Failure;
use crate::output::Output;
use crate::table::table;
use crate::words::interventions::clock_step;
use crate::words::{id_of, role};

/// Shows the newest version of each policy.
pub(crate) async fn list(connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let answer = retrying(&connection.retries, async || {
        PolicyServiceClient::new(connection.channel.clone()).list_policies(proto::ListPoliciesRequest {}).await
    });
    let policies = answer.await?.into_inner().policies;
    let mut table = table(&["POLICY", ">VERSION", "OWNER", "BREACHES GO TO", "DEADLINES"]);
    for policy in &policies {
        if output.is_json() {
            output.json_line(policy)?;
            continue;
        }
        let clocks = policy.clocks.iter().map(|rule| {
            format!("{} {}", clock_step(rule.step()), length(rule.due_after.as_ref().map_or(0, |due| due.seconds)))
        });
        let chain = policy.escalation().map(role).collect::<Vec<_>>().join(", ");
        table.add_row([
            Cell::new(id_of(&policy.name)),
            Cell::new(policy.version),
            Cell::new(role(policy.owner())),
            Cell::new(chain),
            Cell::new(clocks.collect::<Vec<_>>().join(", ")),
        ]);
    }
    if output.is_json() { Ok(()) } else { Ok(output.table(table)?) }
}
