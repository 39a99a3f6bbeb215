//! Programmes: created, changed, published, paused, archived.

use mainstay_api::mainstay::surveys::v1 as proto;
use mainstay_testkit::{idempotency, pagination};
use prost_types::FieldMask;
use tonic::{Code, Response, Status};

use crate::harness::{Harness, program, quarterly};
use crate::refusals::{refusal, violated_fields};

const START: &str = "2026-01-05T10:00:00Z";

async fn create(harness: &Harness, id: &str, program: proto::Program) -> Result<proto::Program, Status> {
    let request =
        proto::CreateProgramRequest { program_id: id.to_owned(), program: Some(program), ..Default::default() };
    harness.programs.clone().create_program(request).await.map(Response::into_inner)
}

async fn count(harness: &Harness) -> u64 {
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM surveys.programs")
        .fetch_one(harness.database.pool())
        .await
        .expect("it");
    count.unsigned_abs()
}

#[tokio::test]
async fn a_programme_is_created_with_what_it_does_not_say() {
    let harness = Harness::start(START).await;
    let bare = proto::Program { send_hour: None, ..quarterly() };
    let created = create(&harness, "nps", bare).await.expect("created");
    assert_eq!((created.name.as_str(), created.state()), ("programs/nps", proto::ProgramState::Draft));
    assert_eq!((created.contacts_max, created.daily_cap, created.expiry_days), (1, 0, 30));
    assert_eq!((created.reminder_days, created.send_hour), (Some(7), Some(9)));
    let trigger = created.trigger.and_then(|trigger| trigger.when).expect("a trigger");
    let expected = proto::QuarterlyTrigger { tenure_days: Some(90), spread_days: 0 };
    assert_eq!(trigger, proto::trigger::When::Quarterly(expected));
    let texts = created.texts.clone().expect("texts");
    assert_eq!(texts.question, "How likely are you to recommend us to a friend or colleague?");
    assert_eq!((created.create_time, created.publish_time), (crate::harness::time(START), None));
    let request = proto::GetProgramRequest { name: created.name.clone() };
    let got = harness.programs.clone().get_program(request).await.expect("it").into_inner();
    assert_eq!(got, created);
    let again = create(&harness, "nps", quarterly()).await.expect_err("it exists");
    assert_eq!(refusal(&again), (Code::AlreadyExists, "PROGRAM_EXISTS".to_owned()));
}

#[tokio::test]
async fn all_that_is_wrong_with_a_programme_is_named_at_once() {
    let harness = Harness::start(START).await;
    let wrong = proto::Program {
        display_name: " ".to_owned(),
        kind: 0,
        trigger: Some(proto::Trigger {
            when: Some(proto::trigger::When::Quarterly(proto::QuarterlyTrigger {
                tenure_days: Some(-1),
                spread_days: 61,
            })),
        }),
        texts: Some(proto::SurveyTexts {
            subject: "two\nlines".to_owned(),
            question: "a".repeat(301),
            ..Default::default()
        }),
        segments: vec![9],
        contacts_max: 21,
        daily_cap: -1,
        reminder_days: Some(61),
        expiry_days: 181,
        send_hour: Some(24),
        ..Default::default()
    };
    let refused = create(&harness, "a b", wrong).await.expect_err("wrong");
    let mut found = violated_fields(&refused);
    found.sort();
    assert_eq!(
        found,
        [
            "program.contacts_max",
            "program.daily_cap",
            "program.display_name",
            "program.expiry_days",
            "program.kind",
            "program.reminder_days",
            "program.segments[0]",
            "program.send_hour",
            "program.texts.question",
            "program.texts.subject",
            "program.trigger.quarterly.spread_days",
            "program.trigger.quarterly.tenure_days",
            "program_id",
        ]
    );
    let late = proto::Program { reminder_days: Some(30), ..quarterly() };
    let refused = create(&harness, "late", late).await.expect_err("a reminder at the end");
    assert_eq!(violated_fields(&refused), ["program.reminder_days"]);
    let never = proto::Program { trigger: None, ..quarterly() };
    assert_eq!(violated_fields(&create(&harness, "never", never).await.expect_err("never")), ["program.trigger"]);
    let request = proto::CreateProgramRequest { program_id: "none".to_owned(), ..Default::default() };
    let refused = harness.programs.clone().create_program(request).await.expect_err("no programme");
    assert_eq!(violated_fields(&refused), ["program"]);
    assert_eq!(count(&harness).await, 0);
}

#[tokio::test]
async fn only_drafts_change_and_only_in_what_the_mask_names() {
    let harness = Harness::start(START).await;
    let created = create(&harness, "nps", quarterly()).await.expect("created");
    let update = async |program: proto::Program, paths: &[&str]| {
        let paths = paths.iter().map(|path| (*path).to_owned()).collect();
        let request = proto::UpdateProgramRequest {
            program: Some(proto::Program { name: "programs/nps".to_owned(), ..program }),
            update_mask: Some(FieldMask { paths }),
            ..Default::default()
        };
        harness.programs.clone().update_program(request).await.map(Response::into_inner)
    };
    let given = proto::Program { display_name: "New".to_owned(), contacts_max: 3, ..Default::default() };
    let updated = update(given.clone(), &["display_name"]).await.expect("updated");
    assert_eq!((updated.display_name.as_str(), updated.contacts_max), ("New", 1));
    assert_ne!(updated.etag, created.etag);
    assert_eq!(update(given.clone(), &["display_name"]).await.expect("the same"), updated, "nothing changed");
    let updated = update(given.clone(), &[]).await.expect("updated");
    assert_eq!((updated.contacts_max, updated.kind()), (3, proto::SurveyKind::Nps));
    let stale = proto::Program { etag: created.etag.clone(), ..given.clone() };
    assert_eq!(refusal(&update(stale, &["display_name"]).await.expect_err("stale")).1, "ETAG_MISMATCH");
    let refused = update(given.clone(), &["state", "kind"]).await.expect_err("not to be updated");
    assert_eq!(violated_fields(&refused), ["update_mask"]);
    let refused = update(proto::Program::default(), &["display_name", "trigger"]).await.expect_err("emptied");
    assert_eq!(violated_fields(&refused), ["program.display_name", "program.trigger"]);

    let request = proto::PublishProgramRequest { name: "programs/nps".to_owned(), ..Default::default() };
    harness.programs.clone().publish_program(request).await.expect("published");
    let refused = update(given, &["display_name"]).await.expect_err("no draft");
    assert_eq!(refusal(&refused), (Code::FailedPrecondition, "PROGRAM_NOT_DRAFT".to_owned()));
}

#[tokio::test]
async fn programmes_move_from_state_to_state_and_back_by_no_other_way() {
    let harness = Harness::start(START).await;
    let created = create(&harness, "nps", quarterly()).await.expect("created");
    let name = || "programs/nps".to_owned();
    let publish = async |etag: &str| {
        let request = proto::PublishProgramRequest { name: name(), etag: etag.to_owned(), ..Default::default() };
        harness.programs.clone().publish_program(request).await.map(Response::into_inner)
    };
    let pause = async || {
        let request = proto::PauseProgramRequest { name: name(), ..Default::default() };
        harness.programs.clone().pause_program(request).await.map(Response::into_inner)
    };
    let resume = async || {
        let request = proto::ResumeProgramRequest { name: name(), ..Default::default() };
        harness.programs.clone().resume_program(request).await.map(Response::into_inner)
    };
    let refused = pause().await.expect_err("a draft");
    assert_eq!(refusal(&refused), (Code::FailedPrecondition, "ILLEGAL_PROGRAM_STATE".to_owned()));
    assert_eq!(refusal(&publish("\"0\"").await.expect_err("stale")).1, "ETAG_MISMATCH");
    let published = publish(&created.etag).await.expect("published");
    assert_eq!(published.publish_time, crate::harness::time(START));
    assert_eq!(publish(&created.etag).await.expect("again"), published, "the first answer may have been lost");
    let paused = pause().await.expect("paused");
    assert_eq!(refusal(&publish("").await.expect_err("paused")).1, "ILLEGAL_PROGRAM_STATE");
    assert_eq!(pause().await.expect("again"), paused);
    let resumed = resume().await.expect("resumed");
    assert_eq!((resumed.state(), resumed.publish_time), (proto::ProgramState::Published, published.publish_time));
    let request = proto::ArchiveProgramRequest { name: name(), ..Default::default() };
    let archived = harness.programs.clone().archive_program(request).await.expect("archived").into_inner();
    assert_eq!(archived.state(), proto::ProgramState::Archived);
    for refused in [pause().await, resume().await, publish("").await] {
        assert_eq!(refusal(&refused.expect_err("archived")).1, "ILLEGAL_PROGRAM_STATE");
    }
    let request = proto::PublishProgramRequest { name: "programs/none".to_owned(), ..Default::default() };
    let refused = harness.programs.clone().publish_program(request).await.expect_err("none");
    assert_eq!(refusal(&refused), (Code::NotFound, "PROGRAM_NOT_FOUND".to_owned()));
}

#[tokio::test]
async fn programmes_are_listed_by_name_without_the_archived_ones() {
    let harness = Harness::start(START).await;
    for id in ["e", "c", "a", "d", "b", "old"] {
        create(&harness, id, quarterly()).await.expect("created");
    }
    let request = proto::ArchiveProgramRequest { name: "programs/old".to_owned(), ..Default::default() };
    harness.programs.clone().archive_program(request).await.expect("archived");
    let list = async |page_size, page_token, states: Vec<i32>| {
        let request = proto::ListProgramsRequest { page_size, page_token, states };
        let page = harness.programs.clone().list_programs(request).await?.into_inner();
        Ok((page.programs.into_iter().map(|program| program.name).collect(), page.next_page_token))
    };
    pagination::assert_pages_cover(
        async |size, token| list(size, token, Vec::new()).await,
        async |size, token| list(size, token, vec![1]).await,
        &["a", "b", "c", "d", "e"].map(|id| format!("programs/{id}")),
    )
    .await;
    let archived = vec![proto::ProgramState::Archived.into()];
    assert_eq!(list(0, String::new(), archived).await.expect("a page").0, ["programs/old"]);
}

#[tokio::test]
async fn creating_and_publishing_may_be_repeated_by_request_id_and_tried_first() {
    let harness = Harness::start(START).await;
    let create = async |request_id: String, content: usize| {
        let program = program(proto::SurveyKind::Csat, proto::trigger::When::SupportInteraction(Default::default()));
        let request = proto::CreateProgramRequest {
            program_id: format!("p{content}"),
            program: Some(program),
            request_id,
            validate_only: false,
        };
        harness.programs.clone().create_program(request).await.map(Response::into_inner)
    };
    idempotency::assert_repeatable(create, async || count(&harness).await).await;
    let request = proto::CreateProgramRequest {
        program_id: "tried".to_owned(),
        program: Some(quarterly()),
        validate_only: true,
        ..Default::default()
    };
    let tried = harness.programs.clone().create_program(request).await.expect("valid").into_inner();
    assert_eq!(tried.name, "programs/tried");
    let request = proto::GetProgramRequest { name: tried.name };
    assert!(harness.programs.clone().get_program(request).await.is_err(), "nothing was written");
}
