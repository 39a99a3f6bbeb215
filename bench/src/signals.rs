//! Signals made up for measuring, as rows and as messages.

use chrono::{DateTime, TimeDelta, Utc};
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::signal::Payload;

use crate::customers::noon_of_last_day;
use crate::portfolio::{METRIC_COUNT, account_id, metric_name, scrambled};

/// Signals of a batch that belong to one account, when an account's come together.
const GROUP: u64 = 5;
/// The signals happened within this time.
const SPAN_SECONDS: i64 = 86_400;
const SOURCE: &str = "bench";

/// Whose the signals of a batch are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mix {
    /// Five of each account, and batches under way at once have accounts of their own.
    Grouped,
    /// Any account's, so that batches under way at once meet in the same rows.
    Scattered,
}

impl Mix {
    /// In words.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Grouped => "5 signals of each account, each caller its own accounts",
            Self::Scattered => "signals of any account, callers meet in the same ones",
        }
    }
}

/// A signal as its table has it.
#[derive(Debug, Clone)]
pub(crate) struct SignalRow {
    pub account_id: String,
    pub source_id: String,
    pub kind: i16,
    pub event_at: DateTime<Utc>,
    pub name: String,
    pub user_id: Option<String>,
    pub amount: Option<i64>,
    pub level: Option<f64>,
}

impl SignalRow {
    /// The source of all of them.
    pub(crate) const SOURCE: &'static str = SOURCE;

    /// The signal as one sends it.
    pub(crate) fn message(&self) -> proto::Signal {
        let user_id = self.user_id.clone().unwrap_or_default();
        let amount = self.amount.unwrap_or_default();
        let payload = match self.kind {
            1 => Payload::Usage(proto::UsageCount { metric: self.name.clone(), quantity: amount }),
            2 => Payload::Gauge(proto::Gauge { metric: self.name.clone(), level: self.level.unwrap_or_default() }),
            3 => Payload::Activity(proto::UserActivity { user_id, action: self.name.clone() }),
            _ => Payload::FeatureUse(proto::FeatureUse { feature: self.name.clone(), user_id, count: amount }),
        };
        proto::Signal {
            account: format!("accounts/{}", self.account_id),
            source: SOURCE.to_owned(),
            source_id: self.source_id.clone(),
            event_time: Some(prost_types::Timestamp {
                seconds: self.event_at.timestamp(),
                nanos: i32::try_from(self.event_at.timestamp_subsec_nanos()).unwrap_or(0),
            }),
            payload: Some(payload),
            record_time: None,
            withdrawal: None,
        }
    }
}

/// Batch `number`, the same each time: 6 of 10 are counts, 2 activities, one a level, one the use of a feature.
pub(crate) fn batch(mix: Mix, accounts: u32, number: u64, size: u64) -> Vec<SignalRow> {
    (0..size).map(|place| signal(mix, accounts, number * size + place)).collect()
}

fn signal(mix: Mix, accounts: u32, place: u64) -> SignalRow {
    let random = scrambled(place);
    let whose = match mix {
        Mix::Grouped => place / GROUP,
        Mix::Scattered => random >> 20,
    };
    let account = u32::try_from(whose % u64::from(accounts)).unwrap_or(0) + 1;
    let seconds_ago = i64::try_from(random % 86_400).unwrap_or(0) % SPAN_SECONDS;
    let mut row = SignalRow {
        account_id: account_id(account),
        source_id: format!("{random:016x}-{place:08x}"),
        kind: 1,
        event_at: noon_of_last_day() - TimeDelta::seconds(seconds_ago),
        name: String::new(),
        user_id: None,
        amount: None,
        level: None,
    };
    let user = format!("user-{}", random >> 8 & 7);
    match place % 10 {
        0..=5 => {
            row.name = metric_name(u32::try_from(random % u64::from(METRIC_COUNT)).unwrap_or(0) + 1);
            row.amount = Some(1 + i64::try_from(random % 500).unwrap_or(0));
        }
        6 | 7 => (row.kind, row.name, row.user_id) = (3, "login".to_owned(), Some(user)),
        8 => (row.kind, row.name, row.level) = (2, "seats".to_owned(), Some((random % 1_000) as f64)),
        _ => {
            row.kind = 4;
            row.name = format!("feature-{}", random >> 16 & 7);
            row.user_id = Some(user);
            row.amount = Some(1);
        }
    }
    row
}
