//! What the services mean by their terms.

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::definition_service_client::DefinitionServiceClient;
use tonic::{Code, Response, Status};

use crate::account_fixtures::time;
use crate::harness::{Harness, model_of, sum_of, usage};
use crate::refusals::{reason, violated_fields};

async fn list(harness: &Harness) -> proto::ListDefinitionsResponse {
    let mut client = DefinitionServiceClient::new(harness.channel.clone());
    client.list_definitions(proto::ListDefinitionsRequest {}).await.expect("definitions").into_inner()
}

async fn get(harness: &Harness, name: &str) -> Result<proto::Definition, Status> {
    let mut client = DefinitionServiceClient::new(harness.channel.clone());
    client.get_definition(proto::GetDefinitionRequest { name: name.to_owned() }).await.map(Response::into_inner)
}

#[tokio::test]
async fn r83_the_cuts_follow_the_model_that_scores_and_so_does_the_version() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    let before = list(&harness).await;
    let at_risk = get(&harness, "definitions/at-risk").await.expect("a definition");
    assert_eq!(at_risk.sentence, "The score is 50 or more, and below 70.");
    assert_eq!((at_risk.model.as_str(), at_risk.effective_time), ("models/default", Some(time("1970-01-01"))));

    harness.create_accounts(&["acme"]).await;
    let cuts = proto::BandCuts { critical_below: 30.0, at_risk_below: 60.5, healthy_above: 85.0 };
    harness.clock.set(crate::harness::at("2026-03-05T10:00:00Z"));
    harness.activate("lenient", proto::Model { band_cuts: Some(cuts), ..model_of(sum_of("emails", 7)) }).await;
    let after = list(&harness).await;
    let changed = get(&harness, "definitions/at-risk").await.expect("a definition");
    assert_eq!(changed.sentence, "The score is 30 or more, and below 60.5.");
    assert_eq!((changed.model.as_str(), changed.effective_time), ("models/lenient", Some(time("2026-03-05"))));
    assert_ne!(before.version, after.version);
    let moved: Vec<&str> = before
        .definitions
        .iter()
        .zip(&after.definitions)
        .filter(|(before, after)| before.version != after.version)
        .map(|(before, _)| before.name.as_str())
        .collect();
    assert_eq!(moved, ["definitions/critical", "definitions/at-risk", "definitions/stable"], "not healthy, nor others");

    // Scores at and below the cut that the registry says.
    for (emails, band) in [(60, proto::Band::AtRisk), (1, proto::Band::Stable)] {
        harness.record(vec![usage("acme", "2026-03-05", "emails", emails)]).await;
        harness.settle().await;
        let health = harness.health_of("acme", "").await;
        let bounds = changed.values.iter().all(|value| match value.bound() {
            proto::DefinitionBound::AtLeast => health.score >= Some(value.number),
            proto::DefinitionBound::Below => health.score < Some(value.number),
            other => panic!("{other:?}"),
        });
        assert_eq!((health.band(), bounds), (band, band == proto::Band::AtRisk));
    }
}

#[tokio::test]
async fn definitions_are_found_by_name() {
    let harness = Harness::start("2026-03-01T00:00:00Z").await;
    let all = list(&harness).await;
    assert_eq!(list(&harness).await, all, "always the same");
    for definition in &all.definitions {
        assert_eq!(&get(&harness, &definition.name).await.expect("a definition"), definition);
        assert!(!definition.requirements.is_empty() && !definition.services.is_empty(), "{}", definition.name);
    }
    let status = get(&harness, "definitions/happy").await.expect_err("a refusal");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::NotFound, "DEFINITION_NOT_FOUND"));
    for bad in ["", "recovered", "definitions/", "definitions/a b"] {
        assert_eq!(violated_fields(&get(&harness, bad).await.expect_err("a refusal")), ["name"], "{bad}");
    }
}
