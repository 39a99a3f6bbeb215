//! What today's scores and activities mean for the conditions of accounts.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;

use super::causes::Causes;
use super::model_cache::ModelBook;
use super::recent_scores::Before;
use super::risk_changes::{Lasting, settle};
use super::silences::{self, Look, Silent, watch};
use super::{App, ScoringError};
use crate::domain::risk_trigger::{RiskTriggerKind, Verdict};
use crate::domain::{AccountSeries, ScoreReading, inactivity};
use crate::storage::accounts::ScoredAccount;
use crate::storage::health::CurrentHealth;

/// An account whose row of today was written just now, and what it said before.
pub(super) struct ScoredToday {
    pub row: CurrentHealth,
    pub before: Before,
    /// Whether its time has come to be looked at for silence.
    pub silence_due: bool,
}

/// What scores were made of.
pub(super) struct KnownToday<'a> {
    pub book: &'a ModelBook,
    pub accounts: &'a HashMap<String, ScoredAccount>,
    pub series: &'a HashMap<String, AccountSeries>,
    pub causes: &'a Causes<'a>,
    pub today: NaiveDate,
}

/// Raises, updates and clears the conditions of scores, raises that of a silence when its time has come, clears it when it has
/// ended, and has those looked at later that were active. The accounts are locked.
pub(super) async fn execute(
    app: &App,
    conn: &mut PgConnection,
    known: &KnownToday<'_>,
    scored: &[ScoredToday],
    now: DateTime<Utc>,
) -> Result<(), ScoringError> {
    let is_customer = |scored: &&ScoredToday| {
        known.accounts.get(scored.row.record.account.as_str()).is_some_and(|account| !account.churned)
    };
    let customers: Vec<&ScoredToday> = scored.iter().filter(is_customer).collect();
    let ids: Vec<&str> = customers.iter().map(|scored| scored.row.record.account.as_str()).collect();
    let lasting = Lasting::load(conn, &ids).await?;
    let mut changes = Vec::new();
    let (mut looks, mut silent) = (Vec::new(), Vec::new());
    for ScoredToday { row, before, silence_due } in customers {
        let (account, today) = (&row.record.account, known.today);
        if let Some(model) = known.book.model_for(today) {
            let reading = ScoreReading {
                day: today,
                score: row.record.score.zip(row.record.band),
                previous: before.score,
                month_earlier: row.record.score.zip(row.changes.month).map(|(score, change)| score - change),
            };
            let verdicts = reading.verdicts(&model.band_cuts);
            changes
                .extend(verdicts.into_iter().filter_map(|(kind, verdict)| lasting.judge(account, kind, "", verdict)));
        }
        let Some(last_day) = row.last_activity_day else { continue };
        let silence = inactivity::condition(last_day, today);
        let (was_inactive, is_inactive) = (lasting.has(account, RiskTriggerKind::Inactivity), silence.is_some());
        if was_inactive {
            changes.extend(lasting.judge(account, RiskTriggerKind::Inactivity, "", Verdict::from(silence)));
        }
        let needs_look =
            if was_inactive { !is_inactive } else { *silence_due || before.last_activity_day != Some(last_day) };
        if is_inactive && *silence_due && !was_inactive {
            silent.push(Silent { account, last_day });
        } else if needs_look {
            looks.push(Look::after(account, last_day));
        }
    }
    let (raised, looks_later) = silences::judge(conn, silent, known.series, &lasting, known.today).await?;
    changes.extend(raised);
    looks.extend(looks_later);
    settle(app, conn, changes, known.causes, now).await?;
    watch(app, conn, &looks, known.causes, now).await
}
