//! Other services, asked by RPC.

use std::time::Duration;

use mainstay_api::mainstay::scoring::v1::health_service_client::HealthServiceClient;
use mainstay_api::mainstay::scoring::v1::{ExplainHealthRequest, GetHealthRequest};
use mainstay_clients::ServiceChannel;
use mainstay_domain::{AccountId, Points};
use thiserror::Error;
use tonic::{Code, Request};

/// How long a person waits for scoring.
const DEADLINE: Duration = Duration::from_secs(5);

/// Scoring, as it answers now.
#[derive(Debug, Clone)]
pub(crate) struct ScoringPeer {
    channel: ServiceChannel,
}

/// Scoring did not answer.
#[derive(Debug, Error)]
#[error("{0}")]
pub(crate) struct PeerUnavailable(String);

impl ScoringPeer {
    pub(crate) fn new(channel: ServiceChannel) -> Self {
        Self { channel }
    }

    /// The account's score now; none when it has none.
    pub(crate) async fn score(&self, account: &AccountId) -> Result<Option<Points>, PeerUnavailable> {
        let mut request = Request::new(GetHealthRequest { account: account.name(), ..Default::default() });
        request.set_timeout(DEADLINE);
        match HealthServiceClient::new(self.channel.clone()).get_health(request).await {
            Ok(health) => Ok(health.into_inner().score.map(Points::nearest)),
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => Err(PeerUnavailable(status.message().to_owned())),
        }
    }

    /// Why the account's score is what it is, in sentences; none when it has no health.
    pub(crate) async fn explain(&self, account: &AccountId) -> Result<Vec<String>, PeerUnavailable> {
        let mut request = Request::new(ExplainHealthRequest { account: account.name(), ..Default::default() });
        request.set_timeout(DEADLINE);
        match HealthServiceClient::new(self.channel.clone()).explain_health(request).await {
            Ok(explanation) => Ok(explanation.into_inner().sentences),
            Err(status) if status.code() == Code::NotFound => Ok(Vec::new()),
            Err(status) => Err(PeerUnavailable(status.message().to_owned())),
        }
    }
}
