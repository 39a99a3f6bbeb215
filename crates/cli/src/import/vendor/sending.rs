//! Sends batches of payloads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mainstay_adapters::Vendor;
use mainstay_api::mainstay::scoring::v1::signal_service_client::SignalServiceClient;
use mainstay_api::mainstay::scoring::v1::{BatchMode, BatchRecordSignalsRequest};
use mainstay_clients::retrying;
use mainstay_domain::{AccountId, IdSource, SystemClock};
use tokio::sync::mpsc;

use super::accounts::{AccountSender, Refused};
use super::reading::PayloadBatch;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::import::ledger::{AccountCounts, Counts, Ledger, item_reason};
use crate::import::row::Reject;

/// Sends batches one after the other: of each what is said of accounts, then the signals. Each call carries a request id, so that it
/// is safe to repeat, and what is sent again after a cut is recognised and changes nothing.
pub(super) async fn send(
    connection: &Connection,
    vendor: Vendor,
    batches: &mut mpsc::Receiver<PayloadBatch>,
    ledger: &mut Ledger,
) -> Result<(), Failure> {
    let ids = IdSource::new(Arc::new(SystemClock));
    let client = SignalServiceClient::new(connection.channel.clone());
    let mut accounts = AccountSender::new(connection, vendor);
    while let Some(PayloadBatch { batch, ignored }) = batches.recv().await {
        let placed = batch.items.iter().enumerate();
        let news: Vec<_> = placed
            .flat_map(|(place, item)| item.message.accounts.iter().cloned().map(move |news| (place, news)))
            .collect();
        let (account_counts, mut refused) = accounts.send(&news).await?;
        let placed = batch.items.iter().enumerate();
        let (places, signals): (Vec<usize>, Vec<_>) = placed
            .flat_map(|(place, item)| item.message.signals.iter().cloned().map(move |signal| (place, signal)))
            .unzip();
        let mut counts = Counts { accounts: account_counts, ignored, ..Counts::default() };
        if !signals.is_empty() {
            let request = BatchRecordSignalsRequest {
                signals,
                mode: BatchMode::PerItem.into(),
                request_id: ids.new_id().to_string(),
                validate_only: false,
            };
            let call = async || client.clone().batch_record_signals(request.clone()).await;
            let answer = retrying(&connection.retries, call).await?.into_inner();
            counts.added = u64::try_from(answer.recorded_count).unwrap_or(0);
            counts.known = u64::try_from(answer.duplicate_count).unwrap_or(0);
            refused.extend(answer.errors.iter().filter_map(|error| {
                let place = *places.get(usize::try_from(error.index).ok()?)?;
                Some((place, item_reason(error.status.as_ref()?, error.index)))
            }));
        }
        let rejects = rejects(refused, |place, reason| batch.items[place].reject(reason));
        ledger.settle_with(&batch, counts, rejects)?;
    }
    Ok(())
}

/// The refused payloads, each once with all reasons.
fn rejects(refused: Vec<Refused>, reject: impl Fn(usize, String) -> Reject) -> Vec<Reject> {
    let mut reasons: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    for (place, reason) in refused {
        reasons.entry(place).or_default().insert(reason);
    }
    let joined = |reasons: BTreeSet<String>| reasons.into_iter().collect::<Vec<_>>().join("; ");
    reasons.into_iter().map(|(place, reasons)| reject(place, joined(reasons))).collect()
}

/// Only counts what would be sent.
pub(super) async fn count(batches: &mut mpsc::Receiver<PayloadBatch>, ledger: &mut Ledger) -> Result<(), Failure> {
    while let Some(PayloadBatch { batch, ignored }) = batches.recv().await {
        let news = batch.items.iter().flat_map(|item| &item.message.accounts);
        let accounts: BTreeSet<&AccountId> = news.map(|news| &news.account).collect();
        let sum = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let counts = Counts {
            added: sum(batch.items.iter().map(|item| item.message.signals.len()).sum()),
            accounts: AccountCounts { added: sum(accounts.len()), ..AccountCounts::default() },
            ignored,
            ..Counts::default()
        };
        ledger.settle_with(&batch, counts, Vec::new())?;
    }
    Ok(())
}
