//! What every service says of itself.

use mainstay_api::mainstay::status::v1::GetStatusRequest;
use mainstay_api::mainstay::status::v1::status_service_client::StatusServiceClient;

use crate::services::SERVICES;
use crate::world::{Weather, World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_service_says_which_feeds_it_follows_and_that_it_is_not_behind() {
    let world = World::new(Weather::Calm).await;
    let mut followed = Vec::new();
    for service in SERVICES {
        let status = StatusServiceClient::new(world.channel(service)).get_status(GetStatusRequest {}).await;
        let status = status.unwrap_or_else(|status| panic!("{service:?}: {status:?}")).into_inner();
        for consumer in &status.consumers {
            assert_eq!((consumer.lag, consumer.parked_count), (Some(0), 0), "{service:?} and {}", consumer.feed);
            followed.push((status.service.clone(), consumer.feed.clone()));
        }
    }
    followed.sort();
    let expected = [
        ("expansion", "interventions"),
        ("expansion", "scoring"),
        ("interventions", "scoring"),
        ("interventions", "surveys"),
        ("scoring", "interventions"),
        ("scoring", "surveys"),
        ("surveys", "interventions"),
        ("surveys", "scoring"),
    ];
    assert_eq!(followed, expected.map(|(service, feed)| (service.to_owned(), feed.to_owned())));
}
