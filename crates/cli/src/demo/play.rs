//! Plays the purchases day by day through the RPCs.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use mainstay_api::mainstay::scoring::v1::account_service_client::AccountServiceClient;
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use mainstay_api::mainstay::scoring::v1::signal_service_client::SignalServiceClient;
use mainstay_api::mainstay::scoring::v1::{
    Account, BatchRecordSignalsRequest, BatchUpsertAccountsRequest, Signal, UsageCount,
};
use mainstay_clients::retrying;
use mainstay_domain::{AccountId, ManualClock, start_of_day};
use mainstay_service::Workers;
use prost_types::Timestamp;

use crate::connection::Connection;
use crate::demo::progress::{Progress, Sent};
use crate::demo::sample::{Purchase, Sample};
use crate::failure::Failure;

/// The data knows days only: a purchase counts as made at noon.
const PURCHASE_HOUR: i64 = 12;
/// When the shop sends what was bought that day.
const SENDING_HOUR: i64 = 20;
/// The system that saw the purchases.
const SOURCE: &str = "cdnow";

/// The shop that sends its customers and their purchases, and the clock of the service.
pub(crate) struct Shop<'a> {
    pub(crate) sample: &'a Sample,
    pub(crate) connection: &'a Connection,
    pub(crate) clock: &'a ManualClock,
    pub(crate) workers: &'a Workers,
    pub(crate) sent: Sent,
}

impl Shop<'_> {
    /// Plays the days from `first` to `last`. In the evening of each day its new
    /// customers and purchases are sent; then everything that is due is done, so
    /// that every customer has the score of the end of that day; then the next
    /// day begins.
    pub(crate) async fn play(&mut self, first: NaiveDate, last: NaiveDate, progress: &Progress) -> Result<(), Failure> {
        for day in first.iter_days().take_while(|day| *day <= last) {
            self.clock.set(at_hour(day, SENDING_HOUR));
            let purchases = self.sample.of_day(day);
            if !purchases.is_empty() {
                self.send_new_customers(day, purchases).await?;
                self.send_purchases(day, purchases).await?;
            }
            let settled = self.workers.settle().await;
            settled.map_err(|error| Failure::Suite(format!("{day} cannot be scored: {error}")))?;
            progress.day_done(day, self.sent);
        }
        progress.finish();
        Ok(())
    }

    async fn send_new_customers(&mut self, day: NaiveDate, purchases: &[Purchase]) -> Result<(), Failure> {
        let accounts: Vec<Account> = purchases.iter().filter(|one| one.number == 1).map(account).collect();
        if accounts.is_empty() {
            return Ok(());
        }
        let count = accounts.len();
        let request = BatchUpsertAccountsRequest {
            accounts,
            request_id: format!("accounts-{day}"),
            ..BatchUpsertAccountsRequest::default()
        };
        let channel = &self.connection.channel;
        retrying(&self.connection.retries, async || {
            AccountServiceClient::new(channel.clone()).batch_upsert_accounts(request.clone()).await
        })
        .await?;
        self.sent.accounts += count;
        Ok(())
    }

    async fn send_purchases(&mut self, day: NaiveDate, purchases: &[Purchase]) -> Result<(), Failure> {
        let signals: Vec<Signal> = purchases.iter().flat_map(signals).collect();
        let count = signals.len();
        let request = BatchRecordSignalsRequest {
            signals,
            request_id: format!("purchases-{day}"),
            ..BatchRecordSignalsRequest::default()
        };
        let channel = &self.connection.channel;
        retrying(&self.connection.retries, async || {
            SignalServiceClient::new(channel.clone()).batch_record_signals(request.clone()).await
        })
        .await?;
        self.sent.signals += count;
        Ok(())
    }
}

fn at_hour(day: NaiveDate, hour: i64) -> DateTime<Utc> {
    start_of_day(day) + TimeDelta::hours(hour)
}

fn timestamp(time: DateTime<Utc>) -> Timestamp {
    Timestamp { seconds: time.timestamp(), nanos: 0 }
}

/// The name of a customer's account.
pub(crate) fn account_name(customer: &str) -> String {
    format!("{}/{customer}", AccountId::COLLECTION)
}

/// A customer whose first purchase this is.
fn account(first: &Purchase) -> Account {
    Account {
        name: account_name(&first.customer),
        display_name: format!("Customer {}", first.customer),
        sign_up_time: Some(timestamp(start_of_day(first.day))),
        ..Account::default()
    }
}

/// What a purchase counts for: itself, its CDs and its price.
fn signals(purchase: &Purchase) -> [Signal; 3] {
    [("purchases", 1), ("cds", purchase.cds), ("spend_cents", purchase.cents)].map(|(metric, quantity)| Signal {
        account: account_name(&purchase.customer),
        source: SOURCE.to_owned(),
        source_id: format!("{}-{}-{metric}", purchase.customer, purchase.number),
        event_time: Some(timestamp(at_hour(purchase.day, PURCHASE_HOUR))),
        payload: Some(Payload::Usage(UsageCount { metric: metric.to_owned(), quantity })),
        ..Signal::default()
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_signal_of_the_sample_has_an_id_of_its_own() {
        let sample = Sample::embedded().expect("reads");
        let first: NaiveDate = "1997-01-01".parse().expect("a day");
        let purchases: Vec<&Purchase> = first.iter_days().take(546).flat_map(|day| sample.of_day(day)).collect();
        assert_eq!(purchases.len(), 6_919);
        let ids: HashSet<String> =
            purchases.iter().flat_map(|purchase| signals(purchase)).map(|signal| signal.source_id).collect();
        assert_eq!(ids.len(), 3 * 6_919);
        assert_eq!(purchases.iter().filter(|purchase| purchase.number == 1).count(), 2_357);
    }

    #[test]
    fn a_purchase_is_sent_with_its_day_and_amounts() {
        let sample = Sample::embedded().expect("reads");
        let purchase = &sample.of_day("1997-01-01".parse().expect("a day"))[0];
        let sent = signals(purchase);
        assert_eq!(sent[2].source_id, "0001-1-spend_cents");
        assert_eq!(
            sent[2].payload,
            Some(Payload::Usage(UsageCount { metric: "spend_cents".to_owned(), quantity: 2_933 }))
        );
        assert_eq!(sent[0].event_time.map(|time| time.seconds), Some(852_120_000));
        assert_eq!(account(purchase).display_name, "Customer 0001");
    }
}
