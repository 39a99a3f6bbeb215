//! Open alerts whose clocks run, made by the calls that make them in production.

use std::sync::Arc;

use anyhow::ensure;
use mainstay_api::mainstay::interventions::v1 as proto;
use mainstay_api::mainstay::interventions::v1::alert_service_client::AlertServiceClient;
use mainstay_domain::ManualClock;
use mainstay_interventions::InterventionsService;
use mainstay_rpc::RpcSettings;
use tokio::task::JoinSet;

use crate::database::Database;
use crate::people;
use crate::portfolio::account_id;
use crate::relay::Relay;
use crate::report::progress;
use crate::service::{self, RunningService, of_service};
use crate::suite::{self, interventions_settings, peer};

/// Callers at once.
const CALLERS: u32 = 8;

/// An alert by hand for each of so many accounts, of which the owners were told.
pub(super) async fn raise(database: &Database, clock: &ManualClock, relay: &Relay, alerts: u32) -> anyhow::Result<()> {
    let scoring = RunningService::start(service::at_rest(database, Arc::new(clock.clone())).await?);
    let settings = mainstay_interventions::InterventionsSettings {
        scoring: Some(peer(scoring.address())?),
        delivery: relay.delivery()?,
        ..interventions_settings()
    };
    let interventions =
        suite::interventions(database, Arc::new(clock.clone()), settings, RpcSettings::loopback()).await?;
    people::create(scoring.connect().await?, 1..alerts + 1).await?;
    // Scoring's workers and sequencer run; interventions takes over what its feed holds when it is told to.
    settle(&interventions).await?;
    people::wait_for_scoring(&database.pool).await?;
    settle(&interventions).await?;

    progress("an alert for each");
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let mut client = AlertServiceClient::new(interventions.in_memory_channel());
        callers.spawn(async move {
            for account in (1..=alerts).filter(|account| account % CALLERS == caller) {
                let request = proto::CreateAlertRequest {
                    account: format!("accounts/{}", account_id(account)),
                    headline: "Nobody answers our calls".to_owned(),
                    ..Default::default()
                };
                client.create_alert(request).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(caller) = callers.join_next().await {
        caller??;
    }
    progress("their owners are told");
    settle(&interventions).await?;
    scoring.stop().await?;
    let told = relay.count();
    ensure!(told == alerts as usize, "{told} mails told of {alerts} alerts");
    Ok(())
}

async fn settle(interventions: &InterventionsService) -> anyhow::Result<()> {
    interventions.workers().settle().await.map(drop).map_err(of_service)
}
