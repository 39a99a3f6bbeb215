//! Sends batches of accounts.

use std::sync::Arc;

use mainstay_api::mainstay::scoring::v1::account_service_client::AccountServiceClient;
use mainstay_api::mainstay::scoring::v1::{Account, BatchMode, BatchUpsertAccountsRequest};
use mainstay_clients::retrying;
use mainstay_domain::{IdSource, SystemClock};
use tokio::sync::mpsc;

use crate::connection::Connection;
use crate::failure::Failure;
use crate::import::batches::Batch;
use crate::import::ledger::{Counts, Ledger};

/// Sends batches one after the other, so that the later of two rows of one
/// account counts. Each carries a request id, so that it is safe to repeat.
pub(crate) async fn send(
    connection: &Connection,
    batches: &mut mpsc::Receiver<Batch<Account>>,
    ledger: &mut Ledger,
) -> Result<(), Failure> {
    let ids = IdSource::new(Arc::new(SystemClock));
    let client = AccountServiceClient::new(connection.channel.clone());
    while let Some(batch) = batches.recv().await {
        if batch.items.is_empty() {
            ledger.settle(&batch, Counts::default(), &[])?;
            continue;
        }
        let request = BatchUpsertAccountsRequest {
            accounts: batch.messages(),
            mode: BatchMode::PerItem.into(),
            request_id: ids.new_id().to_string(),
            ..BatchUpsertAccountsRequest::default()
        };
        let answer =
            retrying(&connection.retries, async || client.clone().batch_upsert_accounts(request.clone()).await)
                .await?
                .into_inner();
        let count = |count: i32| u64::try_from(count).unwrap_or(0);
        let counts = Counts {
            added: count(answer.created_count),
            changed: count(answer.updated_count),
            known: count(answer.unchanged_count),
        };
        ledger.settle(&batch, counts, &answer.errors)?;
    }
    Ok(())
}
