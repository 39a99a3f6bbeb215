//! Uses, milestones, and what is to be reached.

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::adoption_service_client::AdoptionServiceClient;
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use proto::lifecycle_signal::Change;
use tonic::transport::Channel;

use crate::harness::{Harness, signal};

/// The service of adoption.
pub(crate) fn client(harness: &Harness) -> AdoptionServiceClient<Channel> {
    AdoptionServiceClient::new(harness.channel.clone())
}

/// A feature was used so often.
pub(crate) fn uses(id: &str, time: &str, feature: &str, count: i64) -> proto::Signal {
    let used = proto::FeatureUse { feature: feature.to_owned(), user_id: String::new(), count };
    signal(id, time, Payload::FeatureUse(used))
}

/// A milestone was reached.
pub(crate) fn milestone(id: &str, time: &str, milestone: &str) -> proto::Signal {
    let change = Change::Milestone(proto::Milestone { milestone: milestone.to_owned() });
    signal(id, time, Payload::Lifecycle(proto::LifecycleSignal { change: Some(change) }))
}

/// A target for all segments, within 30 days, for 60 %.
pub(crate) fn target(id: &str, outcome: proto::adoption_target::Outcome) -> proto::AdoptionTarget {
    proto::AdoptionTarget {
        name: format!("adoptionTargets/{id}"),
        display_name: format!("Target {id}"),
        outcome: Some(outcome),
        within_days: 30,
        target_share: 0.6,
        ..Default::default()
    }
}

/// Sets a target, and has what is due done.
pub(crate) async fn set(harness: &Harness, target: proto::AdoptionTarget) -> proto::AdoptionTarget {
    let request = proto::SetAdoptionTargetRequest { adoption_target: Some(target), ..Default::default() };
    let target = client(harness).set_adoption_target(request).await.expect("set").into_inner();
    harness.settle().await;
    target
}
