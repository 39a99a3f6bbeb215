//! `mainstay accounts claims`: which system said what of an account.

use mainstay_api::mainstay::scoring::v1::ListFieldClaimsRequest;
use mainstay_api::mainstay::scoring::v1::account_service_client::AccountServiceClient;
use mainstay_clients::retrying;

use crate::command::accounts::AccountArgument;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::{Output, note};
use crate::table::table;
use crate::words::{account_name, time_text};

/// Lists what was said.
pub(crate) async fn run(
    argument: &AccountArgument,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let request = ListFieldClaimsRequest { account: account_name(&argument.account)? };
    let client = || AccountServiceClient::new(connection.channel.clone());
    let answer = retrying(&connection.retries, async || client().list_field_claims(request.clone()).await).await?;
    let claims = answer.into_inner().claims;
    if output.is_json() {
        return claims.iter().try_for_each(|claim| Ok(output.json_line(claim)?));
    }
    if claims.is_empty() {
        note("No system said which it is: see `mainstay import accounts --source`.");
        return Ok(());
    }
    let mut shown = table(&["FIELD", "SYSTEM", "SAYS", "TOLD", ""]);
    for claim in &claims {
        let mark = if claim.disputed { "disputed" } else { "" };
        shown.add_row([&claim.field, &claim.source, &claim.value, &time_text(claim.told_time), mark]);
    }
    Ok(output.table(shown)?)
}
