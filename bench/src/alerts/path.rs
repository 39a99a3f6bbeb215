//! The moments of an alert's path, put together after the fact: looking while it goes on would be load of its own.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::ensure;
use chrono::{DateTime, Utc};

use super::is_to_owner;
use super::payments::Sent;
use crate::database::Database;
use crate::people::account_of_owner;
use crate::portfolio::account_number;
use crate::relay::Relay;
use crate::spans;
use crate::told::AlertsTold;

/// By the times that PostgreSQL keeps of commits: a row of the feed and an alert are not written again here, so that
/// `xmin` is the transaction that made them visible. The time is taken before the commit is flushed to the disk.
const MOMENTS: &str = "
    SELECT alert.account_id,
           pg_xact_commit_timestamp(alert.xmin),
           (SELECT min(pg_xact_commit_timestamp(event.xmin))
              FROM scoring.feed AS event
             WHERE event.account_id = alert.account_id AND event.event_type LIKE '%.RiskTriggerRaised'),
           (SELECT min(attempt.started_at)
              FROM interventions.delivery_messages AS message
              JOIN interventions.delivery_attempts AS attempt ON attempt.message_id = message.id
             WHERE message.account_id = alert.account_id AND message.content ->> 'to' LIKE 'csm-%'),
           alert.version
      FROM interventions.alerts AS alert
     WHERE alert.headline LIKE 'The payment of invoice %'";

/// When what became of a payment.
pub(super) struct Path {
    pub sent: Sent,
    /// The event had its place in scoring's feed.
    pub fed: Option<DateTime<Utc>>,
    /// The alert was committed.
    pub stored: Option<DateTime<Utc>>,
    /// `AlertRaised` came by the feed of interventions.
    pub heard: Option<DateTime<Utc>>,
    /// The dispatcher took the owner's mail on.
    pub claimed: Option<DateTime<Utc>>,
    /// The relay had it.
    pub mailed: Option<DateTime<Utc>>,
}

impl Path {
    /// From the acknowledgement to a moment of it.
    pub(super) fn to(&self, moment: impl Fn(&Self) -> Option<DateTime<Utc>>) -> Option<Duration> {
        spans::between(Some(self.sent.acknowledged), moment(self))
    }

    /// From the acknowledgement to the alert.
    pub(super) fn to_stored(&self) -> Option<Duration> {
        self.to(|path| path.stored)
    }

    /// From the acknowledgement to the owner's mail.
    pub(super) fn to_mail(&self) -> Option<Duration> {
        self.to(|path| path.mailed)
    }
}

type Row = (String, Option<DateTime<Utc>>, Option<DateTime<Utc>>, Option<DateTime<Utc>>, i64);

/// The paths of these payments, in the order of their calls.
pub(super) async fn of(
    database: &Database,
    relay: &Relay,
    told: &AlertsTold,
    mut sent: Vec<Sent>,
) -> anyhow::Result<Vec<Path>> {
    let rows: Vec<Row> = sqlx::query_as(MOMENTS).fetch_all(&database.pool).await?;
    let mut stored = HashMap::new();
    for (account, committed, fed, claimed, version) in rows {
        ensure!(version == 1, "the alert of {account} was written again, so that its commit is another one");
        let is_second = account_number(&account).and_then(|account| stored.insert(account, (committed, fed, claimed)));
        ensure!(is_second.is_none(), "{account} has two alerts");
    }
    let mut mailed: HashMap<u32, DateTime<Utc>> = HashMap::new();
    for mail in relay.mails(is_to_owner) {
        if let Some(account) = account_of_owner(&mail.to) {
            ensure!(mailed.insert(account, mail.at).is_none(), "{} was written to twice", mail.to);
        }
    }
    let heard = told.heard();
    sent.sort_by_key(|sent| sent.called);
    Ok(sent
        .into_iter()
        .map(|sent| {
            let (committed, fed, claimed) = stored.get(&sent.account).copied().unwrap_or_default();
            let (heard, mailed) = (heard.get(&sent.account).copied(), mailed.get(&sent.account).copied());
            Path { sent, fed, stored: committed, heard, claimed, mailed }
        })
        .collect())
}
