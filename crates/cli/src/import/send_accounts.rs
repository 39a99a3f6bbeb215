//! Sends batches of accounts.

use std::sync::Arc;

use mainstay_api::mainstay::scoring::v1::account_service_client::AccountServiceClient;
use mainstay_api::mainstay::scoring::v1::{BatchMode, BatchUpsertAccountsRequest, BatchUpsertAccountsResponse};
use mainstay_clients::retrying;
use mainstay_domain::{IdSource, SystemClock};
use prost_types::FieldMask;
use tokio::sync::mpsc;

use crate::connection::Connection;
use crate::failure::Failure;
use crate::import::accounts::AccountRow;
use crate::import::batches::{Batch, Item};
use crate::import::ledger::{Counts, Ledger};

/// Sends batches one after the other, so that the later of two rows of one
/// account counts. Of accounts that exist, only the fields are changed that
/// their rows name. What `source` says is kept as its word. Each call carries a request id, so that it is safe to repeat.
pub(crate) async fn send(
    connection: &Connection,
    source: &str,
    batches: &mut mpsc::Receiver<Batch<AccountRow>>,
    ledger: &mut Ledger,
) -> Result<(), Failure> {
    let ids = IdSource::new(Arc::new(SystemClock));
    let client = AccountServiceClient::new(connection.channel.clone());
    while let Some(batch) = batches.recv().await {
        for part in parts(batch) {
            let Some(request) = request(&part.items, source, ids.new_id().to_string()) else {
                ledger.settle(&part, Counts::default(), &[])?;
                continue;
            };
            let answer =
                retrying(&connection.retries, async || client.clone().batch_upsert_accounts(request.clone()).await)
                    .await?
                    .into_inner();
            ledger.settle(&part, counts(&answer), &answer.errors)?;
        }
    }
    Ok(())
}

/// A batch by the fields that its rows name: one call can change the same ones only. The first part
/// has what is not sent.
fn parts(batch: Batch<AccountRow>) -> Vec<Batch<AccountRow>> {
    let mut items: Vec<Vec<Item<AccountRow>>> = Vec::new();
    for item in batch.items {
        let fits = |part: &&mut Vec<Item<AccountRow>>| part[0].message.fields == item.message.fields;
        match items.iter_mut().find(fits) {
            Some(part) => part.push(item),
            None => items.push(vec![item]),
        }
    }
    let mut items = items.into_iter();
    let first = Batch { items: items.next().unwrap_or_default(), ..batch };
    std::iter::once(first).chain(items.map(|items| Batch { items, ..Batch::default() })).collect()
}

/// The call for rows that name the same fields; none for no rows.
fn request(items: &[Item<AccountRow>], source: &str, request_id: String) -> Option<BatchUpsertAccountsRequest> {
    let fields = &items.first()?.message.fields;
    Some(BatchUpsertAccountsRequest {
        accounts: items.iter().map(|item| item.message.account.clone()).collect(),
        mode: BatchMode::PerItem.into(),
        request_id,
        update_mask: Some(FieldMask { paths: fields.iter().map(|&field| field.to_owned()).collect() }),
        source: source.to_owned(),
    })
}

fn counts(answer: &BatchUpsertAccountsResponse) -> Counts {
    let count = |count: i32| u64::try_from(count).unwrap_or(0);
    Counts {
        added: count(answer.created_count),
        changed: count(answer.updated_count),
        known: count(answer.unchanged_count),
        ..Counts::default()
    }
}

#[cfg(test)]
mod tests {
    use mainstay_api::mainstay::scoring::v1::Account;

    use super::*;
    use crate::import::row::Reject;

    #[test]
    fn rows_that_name_the_same_fields_are_sent_together() {
        let item = |line, fields: &[&'static str]| Item {
            message: AccountRow { account: Account::default(), fields: fields.to_vec() },
            line,
            text: String::new(),
        };
        let reject = Reject { line: 5, reason: String::new(), text: String::new() };
        let items = vec![item(1, &["plan"]), item(2, &["plan", "seats"]), item(3, &["plan"]), item(4, &["seats"])];
        let batch = Batch { items, rejects: vec![reject], replaced: 1, ..Batch::default() };
        let found: Vec<(Vec<u64>, usize, u64)> = parts(batch)
            .into_iter()
            .map(|part| (part.items.iter().map(|item| item.line).collect(), part.rejects.len(), part.replaced))
            .collect();
        assert_eq!(found, [(vec![1, 3], 1, 1), (vec![2], 0, 0), (vec![4], 0, 0)]);
        assert_eq!(parts(Batch::default()).len(), 1);
        assert_eq!(request(&[], "", String::new()), None);
    }
}
