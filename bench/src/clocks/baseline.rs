//! What the clocks' end comes to in rows, written by single statements: into tables with the same columns and indexes.

use std::time::{Duration, Instant};

use anyhow::ensure;
use chrono::{DateTime, Utc};

use crate::database::Database;
use crate::report::progress;

/// Keeps what the clocks' end will change.
pub(super) async fn keep_before(database: &Database) -> anyhow::Result<()> {
    database
        .run(
            "CREATE SCHEMA before;
             CREATE TABLE before.clocks (LIKE interventions.clocks INCLUDING ALL);
             CREATE TABLE before.alerts (LIKE interventions.alerts INCLUDING ALL);
             CREATE TABLE before.jobs (LIKE interventions.jobs INCLUDING ALL);
             CREATE TABLE before.marks AS
             SELECT (SELECT last_offset FROM interventions.feed_head) AS feed_offset,
                    (SELECT coalesce(max(sequence), 0) FROM interventions.timeline) AS story;
             CREATE TABLE before.messages AS SELECT id FROM interventions.delivery_messages;
             INSERT INTO before.clocks SELECT * FROM interventions.clocks;
             INSERT INTO before.alerts SELECT * FROM interventions.alerts;
             INSERT INTO before.jobs SELECT * FROM interventions.jobs",
        )
        .await
}

/// Measures them on what was kept; each in a transaction, the first being one UPDATE.
pub(super) async fn measure(database: &Database, now: DateTime<Utc>) -> anyhow::Result<Vec<(String, Duration)>> {
    progress("the same rows in bulk");
    database
        .run(
            "CREATE SCHEMA after;
             CREATE TABLE after.clocks (LIKE interventions.clocks INCLUDING ALL);
             INSERT INTO after.clocks SELECT * FROM before.clocks;
             CREATE TABLE after.feed (LIKE interventions.feed INCLUDING ALL);
             CREATE TABLE after.timeline (LIKE interventions.timeline INCLUDING ALL);
             CREATE TABLE after.delivery_messages (LIKE interventions.delivery_messages INCLUDING ALL)",
        )
        .await?;
    database.run("VACUUM ANALYZE").await?;
    let started = Instant::now();
    let updated = sqlx::query("UPDATE after.clocks SET state = 3 WHERE state = 1 AND due_at <= $1")
        .bind(now)
        .execute(&database.pool)
        .await?
        .rows_affected();
    let update = started.elapsed();

    let started = Instant::now();
    let mut transaction = database.pool.begin().await?;
    let mut counts = Vec::new();
    for (what, sql) in [
        ("clocks", "UPDATE before.clocks SET state = 3 WHERE state = 1 AND due_at <= $1"),
        (
            "alerts",
            "UPDATE before.alerts AS alert
                SET has_breach = true, escalation_count = done.escalation_count, next_due_at = done.next_due_at,
                    version = done.version
               FROM interventions.alerts AS done
              WHERE done.account_id = alert.account_id AND done.alert_id = alert.alert_id AND $1 IS NOT NULL",
        ),
        ("timers", "DELETE FROM before.jobs WHERE queue = 'clocks' AND due_at <= $1"),
        (
            "events",
            "INSERT INTO after.feed SELECT * FROM interventions.feed
              WHERE feed_offset > (SELECT feed_offset FROM before.marks) AND $1 IS NOT NULL",
        ),
        (
            "entries of stories",
            "INSERT INTO after.timeline OVERRIDING SYSTEM VALUE SELECT * FROM interventions.timeline
              WHERE sequence > (SELECT story FROM before.marks) AND $1 IS NOT NULL",
        ),
        (
            "messages",
            "INSERT INTO after.delivery_messages SELECT message.* FROM interventions.delivery_messages AS message
              WHERE NOT EXISTS (SELECT FROM before.messages AS known WHERE known.id = message.id) AND $1 IS NOT NULL",
        ),
    ] {
        let written = sqlx::query(sql).bind(now).execute(&mut *transaction).await?.rows_affected();
        counts.push(format!("{written} {what}"));
    }
    transaction.commit().await?;
    let bulk = started.elapsed();
    ensure!(updated > 0, "no clock was updated");
    Ok(vec![
        (format!("one UPDATE of {updated} clocks"), update),
        (format!("the same writes in bulk: {}", counts.join(", ")), bulk),
    ])
}
