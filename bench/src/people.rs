//! Customers with people: each has owners of its own in the roles that alerts are for, and somebody who answers surveys.

use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::ensure;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::account_service_client::AccountServiceClient;
use sqlx::{AssertSqlSafe, PgPool};
use tonic::transport::Channel;

use crate::portfolio::account_id;
use crate::report::progress;
use crate::service::MESSAGE_BYTES_MAX;

/// Accounts of one call.
const UPSERT_ACCOUNTS: usize = 2_000;
const LOOK_INTERVAL: Duration = Duration::from_millis(200);
const WAIT_MAX: Duration = Duration::from_mins(5);

/// Who looks after `account`.
pub(crate) fn owner_email(account: u32) -> String {
    format!("csm-{account:07}@example.com")
}

/// The account of an address that [`owner_email`] made.
pub(crate) fn account_of_owner(email: &str) -> Option<u32> {
    email.strip_prefix("csm-")?.strip_suffix("@example.com")?.parse().ok()
}

/// Who answers surveys for `account`.
pub(crate) fn contact_email(account: u32) -> String {
    format!("ada-{account:07}@customer.example")
}

/// Makes these accounts by RPC.
pub(crate) async fn create(scoring: Channel, accounts: Range<u32>) -> anyhow::Result<()> {
    progress(&format!("{} accounts with owners", accounts.len()));
    let mut client = AccountServiceClient::new(scoring).max_encoding_message_size(MESSAGE_BYTES_MAX);
    let all: Vec<u32> = accounts.collect();
    for batch in all.chunks(UPSERT_ACCOUNTS) {
        let accounts = batch.iter().map(|&account| message(account)).collect();
        client.batch_upsert_accounts(proto::BatchUpsertAccountsRequest { accounts, ..Default::default() }).await?;
    }
    Ok(())
}

fn message(account: u32) -> proto::Account {
    let owner =
        |role: proto::OwnerRole, email: String| proto::Owner { role: role.into(), email, display_name: String::new() };
    proto::Account {
        name: format!("accounts/{}", account_id(account)),
        display_name: format!("Customer {account}"),
        segment: proto::Segment::MidMarket.into(),
        lifecycle_stage: proto::LifecycleStage::Active.into(),
        owners: vec![
            owner(proto::OwnerRole::Csm, owner_email(account)),
            owner(proto::OwnerRole::CsmDirector, "director@example.com".to_owned()),
            owner(proto::OwnerRole::ExecutiveSponsor, "sponsor@example.com".to_owned()),
            owner(proto::OwnerRole::FinanceContact, format!("finance-{account:07}@example.com")),
        ],
        contacts: vec![proto::Contact {
            id: "ada".to_owned(),
            display_name: "Ada".to_owned(),
            email: contact_email(account),
            ..Default::default()
        }],
        ..Default::default()
    }
}

/// Waits until a service's copy has so many accounts, and nothing is due in scoring.
pub(crate) async fn wait_for_copy(pool: &PgPool, schema: &str, accounts: usize) -> anyhow::Result<()> {
    progress(&format!("until {schema} knows them"));
    let copied = format!("SELECT count(*) FROM {schema}.accounts WHERE owners <> '[]'");
    let started = Instant::now();
    loop {
        let known: i64 = sqlx::query_scalar(AssertSqlSafe(copied.clone())).fetch_one(pool).await?;
        if usize::try_from(known)? >= accounts {
            break;
        }
        ensure!(started.elapsed() < WAIT_MAX, "{schema} knows {known} of {accounts} accounts");
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
    wait_for_scoring(pool).await
}

/// Waits until nothing is due in scoring, and all that it tells is in its feed.
pub(crate) async fn wait_for_scoring(pool: &PgPool) -> anyhow::Result<()> {
    let waiting = "SELECT (SELECT count(*) FROM scoring.jobs WHERE due_at <= now() AND dead_at IS NULL)
                        + (SELECT count(*) FROM scoring.outbox)";
    let started = Instant::now();
    while sqlx::query_scalar::<_, i64>(waiting).fetch_one(pool).await? > 0 {
        ensure!(started.elapsed() < WAIT_MAX, "scoring does not come to rest");
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
    Ok(())
}
