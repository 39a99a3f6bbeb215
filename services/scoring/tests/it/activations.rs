//! Which model scores from when on, and why a worse one does not by mistake.

use futures::StreamExt;
use mainstay_api::mainstay::events::v1 as events;
use mainstay_api::mainstay::scoring::v1 as proto;
use prost::Message;
use tonic::{Code, Status};

use crate::backtest_fixtures::{backtest, create, customers, misleads, request, sees};
use crate::harness::{Harness, model_of, sum_of, usage};
use crate::refusals::{reason, violated_fields};
use crate::risk_fixtures::churn;

async fn activate(harness: &Harness, request: proto::ActivateModelRequest) -> Result<proto::Model, Status> {
    Ok(harness.models.clone().activate_model(request).await?.into_inner())
}

fn named(model_id: &str) -> proto::ActivateModelRequest {
    proto::ActivateModelRequest { name: format!("models/{model_id}"), ..Default::default() }
}

async fn active(harness: &Harness) -> String {
    let request = proto::GetModelRequest { name: "models/active".to_owned() };
    harness.models.clone().get_model(request).await.expect("a model").into_inner().name
}

/// The activations told so far, but for those at the start.
async fn told(harness: &Harness) -> Vec<proto::ModelActivated> {
    harness.settle().await;
    let types = vec!["mainstay.scoring.v1.ModelActivated".to_owned()];
    let request = events::SubscribeRequest { types, until_now: true, ..Default::default() };
    let answers = harness.feed.clone().subscribe(request).await.expect("the feed").into_inner();
    let told = answers.flat_map(|answer| futures::stream::iter(answer.expect("events").events)).map(|event| {
        proto::ModelActivated::decode(event.payload.expect("a payload").value.as_slice()).expect("decodes")
    });
    told.skip(2).collect().await
}

#[tokio::test]
async fn r202_a_worse_model_is_activated_only_by_who_says_so_and_why() {
    let harness = customers(sees()).await;
    create(&harness, "misleads", misleads()).await;
    let tried = backtest(&harness, request("misleads")).await;
    let refusal = activate(&harness, named("misleads")).await.expect_err("worse");
    assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::FailedPrecondition, "MODEL_WORSE"));
    assert_eq!(active(&harness).await, "models/current");
    let without_reason = proto::ActivateModelRequest { accept_worse: true, ..named("misleads") };
    assert_eq!(violated_fields(&activate(&harness, without_reason).await.expect_err("why?")), ["reason"]);

    let why = "emails are not recorded any more".to_owned();
    let wanted = proto::ActivateModelRequest { accept_worse: true, reason: why.clone(), ..named("misleads") };
    let activated = activate(&harness, wanted).await.expect("activated");
    assert_eq!((activated.active, activated.backtest), (true, tried.name));
    let told = told(&harness).await;
    assert_eq!((told[0].reason.as_str(), told[0].accepted_worse), (why.as_str(), true));
    assert_eq!(told[0].activated_by, "anonymous");
    assert_eq!(told[0].previous_model, "models/current");
}

#[tokio::test]
async fn r202_a_model_that_nobody_tried_is_activated_only_by_who_says_so_and_why() {
    let harness = customers(misleads()).await;
    create(&harness, "sees", sees()).await;
    let tried = backtest(&harness, request("sees")).await;
    let activated = activate(&harness, named("sees")).await.expect("better");
    assert_eq!(activated.backtest, tried.name);
    create(&harness, "untried", model_of(sum_of("emails", 7))).await;
    let refusal = activate(&harness, named("untried")).await.expect_err("nobody knows");
    assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::FailedPrecondition, "MODEL_UNTRIED"));
    assert_eq!(active(&harness).await, "models/sees");
    let without_reason = proto::ActivateModelRequest { accept_untried: true, ..named("untried") };
    assert_eq!(violated_fields(&activate(&harness, without_reason).await.expect_err("why?")), ["reason"]);
    let reason = "logins are not recorded any more".to_owned();
    let wanted = proto::ActivateModelRequest { accept_untried: true, reason, ..named("untried") };
    let activated = activate(&harness, wanted).await.expect("wanted all the same");
    assert_eq!((activated.active, activated.backtest.as_str()), (true, ""));
    activate(&harness, named("current")).await.expect("it scored before");
    let told = told(&harness).await;
    assert_eq!(told.iter().map(|one| one.accepted_untried).collect::<Vec<_>>(), [false, true, false]);
}

#[tokio::test]
async fn before_ten_have_left_no_model_can_be_tried_and_none_has_to_be() {
    let mut harness = Harness::start("2026-03-01T12:00:00Z").await;
    harness.activate("first", model_of(sum_of("emails", 28))).await;
    let ids: Vec<String> = (0..20).map(|number| format!("c{number:02}")).collect();
    harness.create_accounts(&ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
    harness.record(ids[..9].iter().map(|id| churn(id, "2026-02-01")).collect()).await;
    create(&harness, "second", model_of(sum_of("emails", 7))).await;
    activate(&harness, named("second")).await.expect("nine have left");
    harness.record(vec![churn(&ids[9], "2026-02-01")]).await;
    create(&harness, "third", model_of(sum_of("emails", 14))).await;
    let refusal = activate(&harness, named("third")).await.expect_err("ten have left");
    assert_eq!(reason(&refusal), "MODEL_UNTRIED");
}

#[tokio::test]
async fn a_model_scores_from_the_day_it_is_wanted_for() {
    let mut harness = Harness::start("2026-03-01T12:00:00Z").await;
    harness.activate("first", model_of(sum_of("emails", 28))).await;
    create(&harness, "second", model_of(sum_of("emails", 7))).await;
    harness.create_accounts(&["acme"]).await;
    harness.record(vec![usage("acme", "2026-02-20", "emails", 40)]).await;
    let wanted = proto::ActivateModelRequest { start_day: "2026-03-03".to_owned(), ..named("second") };
    let scheduled = activate(&harness, wanted.clone()).await.expect("scheduled");
    assert!(!scheduled.active);
    assert_eq!(scheduled.activate_time, Some(crate::account_fixtures::time("2026-03-03")));
    assert_eq!(told(&harness).await, []);
    harness.turn_to("2026-03-02").await;
    assert_eq!(
        (active(&harness).await.as_str(), harness.health_of("acme", "").await.score),
        ("models/first", Some(40.0))
    );

    harness.turn_to("2026-03-03").await;
    assert_eq!(
        (active(&harness).await.as_str(), harness.health_of("acme", "").await.score),
        ("models/second", Some(0.0))
    );
    assert_eq!(harness.health_of("acme", "2026-03-02").await.model, "models/first");
    let told = told(&harness).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].previous_model, "models/first");
    assert!(told[0].model.as_ref().is_some_and(|model| model.active && model.name == "models/second"));
    let refusal = activate(&harness, wanted).await;
    assert_eq!(refusal.expect("it scores already").name, "models/second");
    let past = proto::ActivateModelRequest { start_day: "2026-03-02".to_owned(), ..named("first") };
    assert_eq!(violated_fields(&activate(&harness, past).await.expect_err("gone by")), ["start_day"]);
}

#[tokio::test]
async fn an_activation_calls_off_what_was_to_come() {
    let mut harness = Harness::start("2026-03-01T12:00:00Z").await;
    harness.activate("first", model_of(sum_of("emails", 28))).await;
    for (id, days) in [("second", 7), ("third", 14)] {
        create(&harness, id, model_of(sum_of("emails", days))).await;
        let wanted = proto::ActivateModelRequest { start_day: "2026-03-05".to_owned(), ..named(id) };
        activate(&harness, wanted).await.expect("scheduled");
    }
    let request = proto::GetModelRequest { name: "models/second".to_owned() };
    let second = harness.models.clone().get_model(request).await.expect("kept").into_inner();
    assert_eq!(second.activate_time, None, "the third took its place");
    let kept = activate(&harness, named("first")).await.expect("it scores already");
    assert!(kept.active);
    harness.turn_to("2026-03-05").await;
    assert_eq!(active(&harness).await, "models/first");
    assert_eq!(told(&harness).await, []);
}
