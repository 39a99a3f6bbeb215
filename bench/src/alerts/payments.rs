//! Failed payments, told to scoring.

use std::ops::Range;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use mainstay_api::mainstay::common::v1::Money;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::signal_service_client::SignalServiceClient;
use mainstay_domain::{Clock, SystemClock};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tonic::transport::Channel;

use crate::portfolio::account_id;

/// Payments of a call, and calls at once, when all are told at once.
const BATCH: usize = 250;
const CALLERS: usize = 4;

/// A payment that was told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    pub account: u32,
    /// When the call was made.
    pub called: DateTime<Utc>,
    /// When it was answered.
    pub acknowledged: DateTime<Utc>,
    /// By how much the call was made after its time.
    pub late: Duration,
}

/// One call for each account, so many a second, whether those before were answered or not.
pub(super) async fn stream(scoring: &Channel, accounts: Range<u32>, rate: u32) -> anyhow::Result<Vec<Sent>> {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / rate);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut calls = JoinSet::new();
    for account in accounts {
        let due = ticks.tick().await;
        let channel = scoring.clone();
        calls.spawn(async move {
            let late = Instant::now().saturating_duration_since(due.into_std());
            let (called, acknowledged) = tell(channel, vec![payment(account)]).await?;
            anyhow::Ok(Sent { account, called, acknowledged, late })
        });
    }
    let mut sent = Vec::new();
    while let Some(call) = calls.join_next().await {
        sent.push(call??);
    }
    Ok(sent)
}

/// All accounts' as fast as they are taken.
pub(super) async fn all_at_once(scoring: &Channel, accounts: Range<u32>) -> anyhow::Result<Vec<Sent>> {
    let all: Vec<u32> = accounts.collect();
    let batches: Vec<Vec<u32>> = all.chunks(BATCH).map(<[u32]>::to_vec).collect();
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let mine: Vec<Vec<u32>> = batches.iter().skip(caller).step_by(CALLERS).cloned().collect();
        let channel = scoring.clone();
        callers.spawn(async move {
            let mut sent = Vec::new();
            for batch in mine {
                let signals = batch.iter().map(|&account| payment(account)).collect();
                let (called, acknowledged) = tell(channel.clone(), signals).await?;
                let of = |account| Sent { account, called, acknowledged, late: Duration::ZERO };
                sent.extend(batch.into_iter().map(of));
            }
            anyhow::Ok(sent)
        });
    }
    let mut sent = Vec::new();
    while let Some(caller) = callers.join_next().await {
        sent.extend(caller??);
    }
    Ok(sent)
}

async fn tell(channel: Channel, signals: Vec<proto::Signal>) -> anyhow::Result<(DateTime<Utc>, DateTime<Utc>)> {
    let request = proto::BatchRecordSignalsRequest { signals, ..Default::default() };
    let called = SystemClock.now();
    SignalServiceClient::new(channel).batch_record_signals(request).await?;
    Ok((called, SystemClock.now()))
}

fn payment(account: u32) -> proto::Signal {
    let now = SystemClock.now();
    let invoice = proto::InvoiceSignal {
        invoice_id: format!("in_{account}"),
        action: proto::InvoiceAction::PaymentFailed.into(),
        amount: Some(Money { currency_code: "EUR".to_owned(), minor_units: 120_000 }),
        failure_reason: "card declined".to_owned(),
        ..Default::default()
    };
    proto::Signal {
        account: format!("accounts/{}", account_id(account)),
        source: "billing".to_owned(),
        source_id: format!("failed-{account}"),
        event_time: Some(prost_types::Timestamp { seconds: now.timestamp(), nanos: 0 }),
        payload: Some(proto::signal::Payload::Invoice(invoice)),
        record_time: None,
        withdrawal: None,
    }
}
