//! A call's end is the end of its statement.

use std::time::Duration;

use mainstay_api::mainstay::scoring::v1 as proto;
use sqlx::PgPool;
use tonic::Request;

use crate::harness::Harness;

/// Far below the lock timeout and the statement timeout, which would end the statement too.
const END_BY: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_read_and_a_mutation_that_outlast_their_deadline_are_ended_in_the_database() {
    let harness = Harness::start("1997-01-01T00:00:00Z").await;
    let pool = harness.database.pool();
    let mut holder = pool.begin().await.expect("a transaction");
    sqlx::raw_sql("LOCK TABLE scoring.accounts IN ACCESS EXCLUSIVE MODE").execute(&mut *holder).await.expect("locked");

    let (mut reader, mut writer) = (harness.accounts.clone(), harness.accounts.clone());
    let read = reader.list_accounts(hurried(proto::ListAccountsRequest::default()));
    let archive = proto::ArchiveAccountRequest { name: "accounts/a".to_owned(), ..Default::default() };
    let mutation = writer.archive_account(hurried(archive));
    let (read, mutation) = tokio::join!(read, mutation);
    read.expect_err("it takes too long");
    mutation.expect_err("it takes too long");
    tokio::time::timeout(END_BY, until_nobody_waits(pool)).await.expect("the statements are ended");
    holder.rollback().await.expect("released");
}

fn hurried<M>(message: M) -> Request<M> {
    let mut request = Request::new(message);
    request.set_timeout(Duration::from_millis(200));
    request
}

async fn until_nobody_waits(pool: &PgPool) {
    let waiting = "SELECT EXISTS (SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock')";
    while sqlx::query_scalar::<_, bool>(waiting).fetch_one(pool).await.expect("an answer") {
        tokio::task::yield_now().await;
    }
}
