//! Conditions that put accounts at risk, looked at.

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_testkit::pagination;
use proto::{DisputeAction, InvoiceAction, RiskTriggerKind};
use tonic::{Code, Status};

use crate::harness::Harness;
use crate::refusals::{reason, violated_fields};
use crate::risk_fixtures::{client, dispute, invoice};

async fn list(
    harness: &Harness,
    request: proto::ListRiskTriggersRequest,
) -> Result<proto::ListRiskTriggersResponse, Status> {
    client(harness).list_risk_triggers(request).await.map(tonic::Response::into_inner)
}

/// Six unpaid invoices, of which two are paid, and a dispute; of two accounts, at three times.
async fn portfolio() -> Harness {
    let mut harness = Harness::start("2026-03-10T00:00:00Z").await;
    harness.create_accounts(&["acme", "other"]).await;
    for (hour, number) in [(0, 1), (0, 2), (1, 3), (1, 4), (2, 5), (2, 6)] {
        harness.clock.set(crate::harness::at(&format!("2026-03-10T0{hour}:00:00Z")));
        let account = if number % 2 == 0 { "other" } else { "acme" };
        harness.record(vec![invoice(account, "2026-03-01", &format!("in-{number}"), InvoiceAction::Overdue)]).await;
    }
    for number in [1, 2] {
        let account = if number % 2 == 0 { "other" } else { "acme" };
        harness.record(vec![invoice(account, "2026-03-02", &format!("in-{number}"), InvoiceAction::Paid)]).await;
    }
    harness.record(vec![dispute("acme", "2026-03-01", "d-1", DisputeAction::Opened)]).await;
    harness
}

#[tokio::test]
async fn conditions_are_listed_newest_first_in_pages() {
    let harness = portfolio().await;
    let all = list(&harness, proto::ListRiskTriggersRequest::default()).await.expect("a list").risk_triggers;
    let mut expected = all.clone();
    expected.sort_by(|left, right| {
        let key = |trigger: &proto::RiskTrigger| {
            let id = trigger.name.rsplit('/').next().map(str::to_owned);
            (trigger.raise_time.map(|time| time.seconds), id)
        };
        key(right).cmp(&key(left))
    });
    assert_eq!(all, expected);
    let names: Vec<String> = all.into_iter().map(|trigger| trigger.name).collect();
    assert_eq!(names.len(), 7);
    let fetch = async |page_size: i32, page_token: String, kinds: Vec<i32>| {
        let request = proto::ListRiskTriggersRequest { page_size, page_token, kinds, ..Default::default() };
        let page = list(&harness, request).await?;
        Ok((page.risk_triggers.into_iter().map(|trigger| trigger.name).collect(), page.next_page_token))
    };
    pagination::assert_pages_cover(
        async |size, token| fetch(size, token, Vec::new()).await,
        async |size, token| fetch(size, token, vec![RiskTriggerKind::PaymentFailed.into()]).await,
        &names,
    )
    .await;
}

#[tokio::test]
async fn conditions_are_found_by_account_kind_and_whether_they_last() {
    let harness = portfolio().await;
    let subjects = async |request: proto::ListRiskTriggersRequest| {
        let mut subjects: Vec<String> = list(&harness, request)
            .await
            .expect("a list")
            .risk_triggers
            .into_iter()
            .map(|trigger| trigger.subject)
            .collect();
        subjects.sort();
        subjects
    };
    let of_acme = proto::ListRiskTriggersRequest { account: "accounts/acme".to_owned(), ..Default::default() };
    assert_eq!(subjects(of_acme.clone()).await, ["d-1", "in-1", "in-3", "in-5"]);
    let lasting = proto::ListRiskTriggersRequest { lasting_only: true, ..of_acme.clone() };
    assert_eq!(subjects(lasting.clone()).await, ["d-1", "in-3", "in-5"]);
    let kinds = vec![RiskTriggerKind::BillingDispute.into(), RiskTriggerKind::HealthDrop.into()];
    assert_eq!(subjects(proto::ListRiskTriggersRequest { kinds, ..lasting }).await, ["d-1"]);
    let nobody = proto::ListRiskTriggersRequest { account: "accounts/nobody".to_owned(), ..Default::default() };
    assert_eq!(subjects(nobody).await, Vec::<String>::new());

    let wrong = proto::ListRiskTriggersRequest { account: "acme".to_owned(), kinds: vec![0, 99], ..of_acme };
    let status = list(&harness, wrong).await.expect_err("a refusal");
    assert_eq!(violated_fields(&status), ["account", "kinds[0]", "kinds[1]"]);
}

#[tokio::test]
async fn a_condition_is_found_by_its_name() {
    let harness = portfolio().await;
    let all = list(&harness, proto::ListRiskTriggersRequest::default()).await.expect("a list").risk_triggers;
    let get = async |name: &str| {
        let request = proto::GetRiskTriggerRequest { name: name.to_owned() };
        client(&harness).get_risk_trigger(request).await.map(tonic::Response::into_inner)
    };
    for trigger in &all {
        assert_eq!(&get(&trigger.name).await.expect("a trigger"), trigger);
    }
    let elsewhere = all[0].name.replace(&all[0].account, "accounts/nobody");
    let status = get(&elsewhere).await.expect_err("a refusal");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::NotFound, "RISK_TRIGGER_NOT_FOUND"));
    for bad in ["", "accounts/acme", "accounts/acme/riskTriggers/1", &all[0].name.to_uppercase()] {
        let status = get(bad).await.expect_err("a refusal");
        assert_eq!(
            (status.code(), violated_fields(&status)),
            (Code::InvalidArgument, vec!["name".to_owned()]),
            "{bad}"
        );
    }
}
