//! What today's scores and activities mean for the conditions of accounts.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_domain::Points;
use sqlx::PgConnection;

use super::check_inactivity::watch;
use super::model_cache::ModelBook;
use super::risk_changes::{Finding, Lasting, settle};
use super::{App, ScoringError};
use crate::domain::risk_trigger::{RiskTriggerKind, Verdict};
use crate::domain::{AccountSeries, ScoreReading, inactivity};
use crate::storage::accounts::ScoredAccount;
use crate::storage::health::CurrentHealth;

/// Today's health of an account, and the score that stood there before.
pub(super) struct TodaysHealth {
    pub row: CurrentHealth,
    pub previous_score: Option<Points>,
}

/// Of which accounts today's score was written just now; they are locked.
pub(super) struct ScoredToday<'a> {
    pub rows: &'a [TodaysHealth],
    pub accounts: &'a HashMap<String, ScoredAccount>,
    pub series: &'a HashMap<String, AccountSeries>,
    pub today: NaiveDate,
}

/// Raises, updates and clears the conditions of scores, clears that of a silence which has ended, and has those looked at later that
/// were active.
pub(super) async fn execute(
    app: &App,
    conn: &mut PgConnection,
    book: &ModelBook,
    scored: &ScoredToday<'_>,
    now: DateTime<Utc>,
) -> Result<(), ScoringError> {
    let is_customer = |health: &&TodaysHealth| {
        scored.accounts.get(health.row.record.account.as_str()).is_some_and(|account| !account.churned)
    };
    let rows: Vec<&TodaysHealth> = scored.rows.iter().filter(is_customer).collect();
    let ids: Vec<&str> = rows.iter().map(|health| health.row.record.account.as_str()).collect();
    let lasting = Lasting::load(conn, &ids).await?;
    let mut findings = Vec::new();
    let mut active = Vec::new();
    for TodaysHealth { row, previous_score } in rows {
        let account = &row.record.account;
        if let Some(model) = book.model_for(scored.today) {
            let reading = ScoreReading {
                day: row.record.day,
                score: row.record.score.zip(row.record.band),
                previous: *previous_score,
                month_earlier: row.record.score.zip(row.changes.month).map(|(score, change)| score - change),
            };
            findings.extend(reading.verdicts(&model.band_cuts).into_iter().map(|(kind, verdict)| Finding {
                account: account.clone(),
                kind,
                subject: String::new(),
                verdict,
            }));
        }
        let series = scored.series.get(account.as_str());
        let Some(last_day) = series.and_then(|series| series.newest_activity_day(scored.today)) else { continue };
        let silence = inactivity::condition(last_day, scored.today);
        let is_inactive = lasting.of_account(account, RiskTriggerKind::Inactivity).is_some();
        if !is_inactive || silence.is_none() {
            active.push((account.as_str(), last_day));
        }
        if is_inactive {
            findings.push(Finding {
                account: account.clone(),
                kind: RiskTriggerKind::Inactivity,
                subject: String::new(),
                verdict: Verdict::from(silence),
            });
        }
    }
    settle(app, conn, &lasting, findings, now).await?;
    watch(app, conn, &active, now).await
}
