//! Texts that no database can hold are refused by name, wherever a request carries one.

use mainstay_api::mainstay::events::v1::SubscribeRequest;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_rpc::paging::encode_token;
use mainstay_storage::fingerprint;
use prost::Message;
use serde::Serialize;
use tonic::{Code, Response, Status};

use crate::harness::{Harness, account, model_of, sum_of, usage};
use crate::refusals::{reason, violated_fields};

const NUL: &str = "a\0b";

fn assert_names<T: std::fmt::Debug>(field: &str, answer: Result<Response<T>, Status>) {
    let status = answer.expect_err(field);
    assert_eq!(
        (status.code(), violated_fields(&status)),
        (Code::InvalidArgument, vec![field.to_owned()]),
        "{status:?}"
    );
}

#[tokio::test]
async fn a_request_id_that_cannot_be_kept_is_refused_by_every_mutation() {
    let Harness { mut accounts, mut signals, mut models, mut health, .. } =
        Harness::start("2026-03-01T00:00:00Z").await;
    for request_id in [NUL.to_owned(), "x".repeat(129)] {
        let create = proto::CreateAccountRequest {
            account_id: "acme".to_owned(),
            account: Some(account("acme")),
            request_id: request_id.clone(),
            ..Default::default()
        };
        assert_names("request_id", accounts.create_account(create).await);
        let update = proto::UpdateAccountRequest {
            account: Some(account("acme")),
            request_id: request_id.clone(),
            ..Default::default()
        };
        assert_names("request_id", accounts.update_account(update).await);
        let archive = proto::ArchiveAccountRequest {
            name: "accounts/acme".to_owned(),
            request_id: request_id.clone(),
            ..Default::default()
        };
        assert_names("request_id", accounts.archive_account(archive).await);
        let upsert = proto::BatchUpsertAccountsRequest {
            accounts: vec![account("acme")],
            request_id: request_id.clone(),
            ..Default::default()
        };
        assert_names("request_id", accounts.batch_upsert_accounts(upsert).await);
        let record = proto::BatchRecordSignalsRequest {
            signals: vec![usage("acme", "2026-03-01", "emails", 1)],
            request_id: request_id.clone(),
            ..Default::default()
        };
        assert_names("request_id", signals.batch_record_signals(record).await);
        let create = proto::CreateModelRequest {
            model_id: "m".to_owned(),
            model: Some(model_of(sum_of("emails", 7))),
            request_id: request_id.clone(),
            ..Default::default()
        };
        assert_names("request_id", models.create_model(create).await);
        let activate = proto::ActivateModelRequest {
            name: "models/default".to_owned(),
            request_id: request_id.clone(),
            ..Default::default()
        };
        assert_names("request_id", models.activate_model(activate).await);
        let recompute = proto::RecomputeHealthRequest { start_day: String::new(), request_id };
        assert_names("request_id", health.recompute_health(recompute).await);
    }
}

#[tokio::test]
async fn filters_and_days_that_cannot_be_looked_up_are_refused() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    let filter = proto::HealthFilter { owner_email: NUL.to_owned(), ..Default::default() };
    let list = proto::ListHealthRequest { filter: Some(filter.clone()), ..Default::default() };
    assert_names("filter.owner_email", harness.health.list_health(list).await);
    let summarize = proto::SummarizeHealthRequest { filter: Some(filter) };
    assert_names("filter.owner_email", harness.health.summarize_health(summarize).await);
    for filter in [
        ("filter.owner_email", proto::AccountFilter { owner_email: NUL.to_owned(), ..Default::default() }),
        ("filter.product_line", proto::AccountFilter { product_line: NUL.to_owned(), ..Default::default() }),
        ("filter.parent", proto::AccountFilter { parent: NUL.to_owned(), ..Default::default() }),
    ] {
        let list = proto::ListAccountsRequest { filter: Some(filter.1), ..Default::default() };
        assert_names(filter.0, harness.accounts.list_accounts(list).await);
    }
    let list =
        proto::ListSignalsRequest { parent: "accounts/acme".to_owned(), source: NUL.to_owned(), ..Default::default() };
    assert_names("source", harness.signals.list_signals(list).await);
    let subscribe = SubscribeRequest { types: vec![NUL.to_owned()], until_now: true, ..Default::default() };
    assert_names("types[0]", harness.feed.subscribe(subscribe).await);
    for day in ["-5000-01-01", "+12026-01-01", "0000-12-31"] {
        let get = proto::GetHealthRequest { account: "accounts/acme".to_owned(), day: day.to_owned() };
        assert_names("day", harness.health.get_health(get).await);
    }
}

/// A token such as the service gives, with another place in it.
fn made_up<M: Message>(method: &str, request: &M, cursor: &impl Serialize) -> String {
    encode_token(cursor, method, &fingerprint(&[&request.encode_to_vec()]))
}

#[tokio::test]
async fn made_up_page_tokens_are_refused() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    let assert_refused = |status: Status| {
        assert_eq!(
            (status.code(), reason(&status).as_str()),
            (Code::InvalidArgument, "INVALID_PAGE_TOKEN"),
            "{status:?}"
        );
    };
    let list = proto::ListAccountsRequest::default();
    let page_token = made_up("ListAccounts", &list, &NUL);
    let request = proto::ListAccountsRequest { page_token, ..list };
    assert_refused(harness.accounts.list_accounts(request).await.expect_err("a refusal"));

    let place = serde_json::json!({ "figure": null, "currency": null, "account_id": NUL });
    let list = proto::ListHealthRequest::default();
    let page_token = made_up("ListHealth", &list, &place);
    let request = proto::ListHealthRequest { page_token, ..list };
    assert_refused(harness.health.list_health(request).await.expect_err("a refusal"));

    let place = serde_json::json!({ "event_at": "2026-03-01T00:00:00Z", "source": "test", "source_id": NUL });
    let list = proto::ListSignalsRequest { parent: "accounts/acme".to_owned(), ..Default::default() };
    let page_token = made_up("ListSignals", &list, &place);
    let request = proto::ListSignalsRequest { page_token, ..list };
    assert_refused(harness.signals.list_signals(request).await.expect_err("a refusal"));
}
