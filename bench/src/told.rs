//! `AlertRaised`, as whoever follows the feed of interventions hears it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use mainstay_api::mainstay::events::v1 as events;
use mainstay_api::mainstay::events::v1::event_feed_service_client::EventFeedServiceClient;
use mainstay_api::mainstay::interventions::v1::{AlertKind, AlertRaised};
use mainstay_domain::{Clock, SystemClock};
use prost::{Message, Name};
use tokio::task::JoinHandle;
use tonic::transport::Channel;

use crate::portfolio::account_number;

/// When each account's alert of a kind was heard of.
type Heard = HashMap<u32, DateTime<Utc>>;

/// A subscriber of the feed. It ends when dropped.
pub(crate) struct AlertsTold {
    heard: Arc<Mutex<Heard>>,
    task: JoinHandle<()>,
}

impl AlertsTold {
    /// Listens from now on for alerts of this kind.
    pub(crate) async fn listen(interventions: Channel, kind: AlertKind) -> anyhow::Result<Self> {
        let mut client = EventFeedServiceClient::new(interventions);
        let position = client.get_feed_position(events::GetFeedPositionRequest {}).await?.into_inner();
        let types = vec![AlertRaised::full_name()];
        let request = events::SubscribeRequest { cursor: position.newest_cursor, types, ..Default::default() };
        let mut answers = client.subscribe(request).await?.into_inner();
        let heard = Arc::new(Mutex::new(Heard::new()));
        let told = Arc::clone(&heard);
        let task = tokio::spawn(async move {
            while let Ok(Some(answer)) = answers.message().await {
                let now = SystemClock.now();
                let mut heard = told.lock().unwrap_or_else(PoisonError::into_inner);
                for account in answer.events.iter().filter_map(|event| account_of(event, kind)) {
                    heard.entry(account).or_insert(now);
                }
            }
        });
        Ok(Self { heard, task })
    }

    /// Waits until so many were heard of, but not for longer than that.
    pub(crate) async fn wait_for(&self, count: usize, patience: Duration) {
        let started = Instant::now();
        while self.heard().len() < count && started.elapsed() < patience {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// What was heard so far.
    pub(crate) fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for AlertsTold {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn account_of(event: &events::Event, kind: AlertKind) -> Option<u32> {
    let raised = AlertRaised::decode(event.payload.as_ref()?.value.as_slice()).ok()?;
    let alert = raised.alert.filter(|alert| alert.kind() == kind)?;
    account_number(alert.account.strip_prefix("accounts/")?)
}
