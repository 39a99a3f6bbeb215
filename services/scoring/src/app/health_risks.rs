//! What today's scores and activities mean for the conditions of accounts.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;

use super::causes::Causes;
use super::model_cache::ModelBook;
use super::recent_scores::Before;
use super::risk_changes::{Change, Lasting, settle};
use super::silences::{self, Look, Silent, watch};
use super::{App, ScoringError, absences, looks, use_changes};
use crate::domain::definitions::CutsInForce;
use crate::domain::payment_slowing::PaymentDelay;
use crate::domain::renewal_risk::RenewalReading;
use crate::domain::risk_trigger::{RiskTriggerKind, Verdict};
use crate::domain::{AccountSeries, ScoreReading, inactivity};
use crate::storage::accounts::ScoredAccount;
use crate::storage::health::CurrentHealth;

/// An account whose row of today was written just now, and what it said before.
pub(super) struct ScoredToday {
    pub row: CurrentHealth,
    pub before: Before,
    /// Whether its time has come to be looked at for what no signal tells of.
    pub look_due: bool,
}

/// What scores were made of.
pub(super) struct KnownToday<'a> {
    pub book: &'a ModelBook,
    pub accounts: &'a HashMap<String, ScoredAccount>,
    pub series: &'a HashMap<String, AccountSeries>,
    pub causes: &'a Causes<'a>,
    pub today: NaiveDate,
}

/// A customer who was scored, and what is known of them.
#[derive(Clone, Copy)]
pub(super) struct Customer<'a> {
    pub account: &'a ScoredAccount,
    pub series: &'a AccountSeries,
    pub scored: &'a ScoredToday,
}

/// Raises, updates and clears the conditions of scores and of use, raises those of what did not happen when their time has come,
/// clears them when they have ended, and has those looked at later that are to be. The accounts are locked.
pub(super) async fn execute(
    app: &App,
    conn: &mut PgConnection,
    known: &KnownToday<'_>,
    scored: &[ScoredToday],
    now: DateTime<Utc>,
) -> Result<(), ScoringError> {
    let nothing = AccountSeries::default();
    let customer_of = |scored| customer_of(known, scored, &nothing);
    let customers: Vec<Customer<'_>> = scored.iter().filter_map(customer_of).collect();
    let ids: Vec<&str> = customers.iter().map(|customer| customer.account.id.as_str()).collect();
    let lasting = Lasting::load(conn, &ids).await?;
    let mut changes = judge_scores(&customers, known, &lasting);
    changes.extend(judge_payments(&customers, &lasting, known.today));
    changes.extend(use_changes::judge(conn, &customers, &lasting, known.today).await?);
    changes.extend(absences::judge_champions(&customers, &lasting, known.today));
    changes.extend(absences::judge_adoption(conn, &customers, &lasting, known.today).await?);
    let silences = judge_silences(&customers, &lasting, known.today);
    changes.extend(silences.ended);
    let (raised, looks_later) = silences::judge(conn, silences.begun, known.series, &lasting, known.today).await?;
    changes.extend(raised);
    settle(app, conn, changes, known.causes, now).await?;
    let looks: Vec<Look<'_>> = silences.looks.into_iter().chain(looks_later).collect();
    watch(app, conn, &looks, known.causes, now).await?;
    let looked_at = customers.iter().filter(|customer| customer.scored.look_due);
    looks::watch(app, conn, looked_at.map(|customer| (customer.account, customer.series)), known.causes, now).await
}

/// None of an account that left.
fn customer_of<'a>(
    known: &KnownToday<'a>,
    scored: &'a ScoredToday,
    nothing: &'a AccountSeries,
) -> Option<Customer<'a>> {
    let id = scored.row.record.account.as_str();
    let account = known.accounts.get(id).filter(|account| !account.churned)?;
    Some(Customer { account, series: known.series.get(id).unwrap_or(nothing), scored })
}

/// What becomes of the conditions of scores.
fn judge_scores(customers: &[Customer<'_>], known: &KnownToday<'_>, lasting: &Lasting) -> Vec<Change> {
    let Some(CutsInForce { cuts, .. }) = known.book.cuts_in_force(known.today) else { return Vec::new() };
    let mut changes = Vec::new();
    for Customer { account, scored: ScoredToday { row, before, .. }, .. } in customers {
        let reading = ScoreReading {
            day: known.today,
            score: row.record.score.zip(row.record.band),
            previous: before.score,
            month_earlier: row.record.score.zip(row.changes.month).map(|(score, change)| score - change),
        };
        let renewal = RenewalReading {
            today: known.today,
            renewal_day: account.renewal_day,
            arr: account.arr,
            score: row.record.score,
        };
        let of_renewal = (RiskTriggerKind::RenewalAtRisk, renewal.verdict(cuts.at_risk_below));
        let verdicts = reading.verdicts(&cuts).into_iter().chain([of_renewal]);
        changes.extend(verdicts.filter_map(|(kind, verdict)| lasting.judge(&account.id, kind, "", verdict)));
    }
    changes
}

/// What becomes of conditions of how customers pay.
fn judge_payments(customers: &[Customer<'_>], lasting: &Lasting, today: NaiveDate) -> Vec<Change> {
    let judge = |Customer { account, series, .. }: &Customer<'_>| {
        let verdict = PaymentDelay::of(series, today).map_or(Verdict::NotMet, PaymentDelay::verdict);
        lasting.judge(&account.id, RiskTriggerKind::PaymentSlowing, "", verdict)
    };
    customers.iter().filter_map(judge).collect()
}

/// What is known of silences before the sources are asked for.
#[derive(Default)]
struct Silences<'a> {
    /// What becomes of those that last.
    ended: Vec<Change>,
    /// Those that begin, if their sources live.
    begun: Vec<Silent<'a>>,
    /// When to look at those that were active.
    looks: Vec<Look<'a>>,
}

fn judge_silences<'a>(customers: &[Customer<'a>], lasting: &Lasting, today: NaiveDate) -> Silences<'a> {
    let kind = RiskTriggerKind::Inactivity;
    let mut silences = Silences::default();
    for Customer { scored: ScoredToday { row, before, look_due }, .. } in customers {
        let account = &row.record.account;
        let Some(last_day) = row.last_activity_day else { continue };
        let silence = inactivity::condition(last_day, today);
        let (was_inactive, is_inactive) = (lasting.has(account, kind), silence.is_some());
        if was_inactive {
            silences.ended.extend(lasting.judge(account, kind, "", Verdict::from(silence)));
        }
        let needs_look =
            if was_inactive { !is_inactive } else { *look_due || before.last_activity_day != Some(last_day) };
        if is_inactive && *look_due && !was_inactive {
            silences.begun.push(Silent { account, last_day });
        } else if needs_look {
            silences.looks.push(Look::after(account, last_day));
        }
    }
    silences
}
