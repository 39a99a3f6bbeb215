//! On which days which system told what.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::codes;
use crate::domain::data_source::{DataSource, PAUSE_DAYS, SYSTEM_KEPT_DAYS, SourceDays, SystemDay, Told};
use crate::domain::signal::SignalKind;

/// The number of what is no signal.
const ACCOUNTS: i16 = 0;

const fn number(told: Told) -> i16 {
    match told {
        Told::Accounts => ACCOUNTS,
        Told::Signals(kind) => kind.number(),
    }
}

fn told(number: i16) -> Result<Told, StorageError> {
    match number {
        ACCOUNTS => Ok(Told::Accounts),
        kind => SignalKind::of_number(kind)
            .map(Told::Signals)
            .ok_or_else(|| codes::corrupt(format!("system_days.told is {kind}"))),
    }
}

/// Notes these days. Writes nothing when all are known.
pub(crate) async fn note(conn: &mut PgConnection, days: &BTreeSet<SystemDay<'_>>) -> Result<(), StorageError> {
    let systems: Vec<&str> = days.iter().map(|day| day.system).collect();
    let told: Vec<i16> = days.iter().map(|day| number(day.told)).collect();
    let days: Vec<NaiveDate> = days.iter().map(|day| day.day).collect();
    // In the same order by all, so that two who note the same wait for one another.
    sqlx::query!(
        "INSERT INTO scoring.system_days (system, told, day)
         SELECT given.* FROM unnest($1::text[], $2::smallint[], $3::date[]) AS given (system, told, day)
          WHERE NOT EXISTS (SELECT FROM scoring.system_days AS known
                             WHERE known.system = given.system AND known.told = given.told AND known.day = given.day)
          ORDER BY 1, 2, 3
         ON CONFLICT DO NOTHING",
        &systems as &[&str],
        &told,
        &days,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether a system ever told something of a kind.
pub(crate) async fn exists(conn: &mut PgConnection, system: &str, told: Told) -> Result<bool, StorageError> {
    let found = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM scoring.system_days WHERE system = $1 AND told = $2) AS "found!""#,
        system,
        number(told),
    );
    Ok(found.fetch_one(conn).await?)
}

/// What each system tells, with the newest day up to today and its longest pause, as long as it is not given up.
pub(crate) async fn sources(conn: &mut PgConnection, today: NaiveDate) -> Result<Vec<SourceDays>, StorageError> {
    let rows = sqlx::query!(
        r#"SELECT newest.system, newest.told, newest.day AS "last_day!", spoken.day_count AS "spoken_days!",
                  spoken.longest_pause AS longest_pause_days
             FROM (SELECT system, told, max(day) AS day FROM scoring.system_days WHERE day <= $1
                    GROUP BY system, told) AS newest
            CROSS JOIN LATERAL (
                  SELECT count(*) AS day_count, max(pause) AS longest_pause FROM (
                         SELECT day - lag(day) OVER (ORDER BY day) AS pause FROM scoring.system_days AS days
                          WHERE days.system = newest.system AND days.told = newest.told
                            AND day BETWEEN newest.day - $2::integer AND newest.day) AS pauses) AS spoken
            WHERE newest.day >= $1::date - $3::integer"#,
        today,
        i32::try_from(PAUSE_DAYS).map_err(codes::corrupt)?,
        i32::try_from(SYSTEM_KEPT_DAYS).map_err(codes::corrupt)?,
    )
    .fetch_all(conn)
    .await?;
    let source = |system, number| Ok::<_, StorageError>(DataSource::System { system, told: told(number)? });
    rows.into_iter()
        .map(|row| {
            Ok(SourceDays {
                source: source(row.system, row.told)?,
                last_day: row.last_day,
                spoken_days: row.spoken_days,
                longest_pause_days: row.longest_pause_days.map(i64::from),
            })
        })
        .collect()
}
