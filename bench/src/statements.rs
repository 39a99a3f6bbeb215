//! Where the server spends its time, by statement, from `pg_stat_statements`.

use std::time::Duration;

use sqlx::PgPool;

/// What a kind of statement took in all.
#[derive(Debug)]
pub(crate) struct Spent {
    /// The verb and the first table that it names, with its schema.
    pub statement: String,
    /// How often it ran.
    pub calls: i64,
    /// Rows that it gave or wrote.
    pub rows: i64,
    /// Time in the executor; locks waited for are part of it, planning is not.
    pub elapsed: Duration,
}

/// Begins to count anew.
pub(crate) async fn reset(pool: &PgPool) -> anyhow::Result<()> {
    sqlx::raw_sql("CREATE EXTENSION IF NOT EXISTS pg_stat_statements").execute(pool).await?;
    sqlx::query("SELECT pg_stat_statements_reset()").execute(pool).await?;
    Ok(())
}

/// What this database's statements took since, the longest first.
pub(crate) async fn spent(pool: &PgPool) -> anyhow::Result<Vec<Spent>> {
    let rows: Vec<(String, i64, i64, f64)> = sqlx::query_as(
        r"SELECT upper(substring(query FROM '^\s*(\w+)'))
                     || COALESCE(' ' || substring(query FROM '((?:scoring|surveys|interventions)\.\w+)'), ''),
                 sum(calls)::bigint, sum(rows)::bigint, sum(total_exec_time)
            FROM pg_stat_statements
           WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
             AND query NOT LIKE '%pg_stat_statements%'
           GROUP BY 1 ORDER BY 4 DESC",
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(statement, calls, rows, millis)| {
            let elapsed = Duration::from_secs_f64(millis / 1e3);
            Spent { statement, calls, rows, elapsed }
        })
        .collect())
}
