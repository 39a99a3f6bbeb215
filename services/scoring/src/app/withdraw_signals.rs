//! Takes signals of an account back: they stay on record, and everything that is made of signals forgets them.

use std::collections::BTreeSet;

use chrono::{DateTime, Days, NaiveDate, Utc};
use mainstay_domain::{AccountId, Violations, day_of};
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::account_series::load_series;
use super::rescore_accounts::HISTORY_DAYS_MAX;
use super::{App, Mutation, Replayable, ScoringError, looks, withdraw_stories};
use crate::domain::signal::Signal;
use crate::domain::withdrawal::{Withdrawal, WithdrawnIds};
use crate::domain::{AccountSeries, date_of};
use crate::storage::series_deltas::SeriesDeltas;
use crate::storage::signals::{LockedSignal, SignalKeys};
use crate::storage::{
    accounts, billing_records, feature_signals, health, milestones, near_limits, signals, survey_answers,
    withdrawn_days,
};

/// What became of the signals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WithdrawnSignals {
    pub withdrawn: usize,
    pub already_withdrawn: usize,
    /// From which day on scores are computed again; none: no day's score changes.
    pub first_day: Option<NaiveDate>,
}

/// Withdraws signals, all or none; those that are withdrawn already stay as they are.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    ids: &WithdrawnIds,
    caller: &str,
    answer: impl Fn(WithdrawnSignals) -> T + Sync,
) -> Result<T, ScoringError> {
    app.core
        .mutate(mutation, async |conn| {
            let now = app.core.clock.now();
            check_account(conn, &ids.account).await?;
            let locked = signals::lock(conn, &ids.account, &ids.source, &ids.in_order()).await?;
            check_signals(ids, &locked)?;
            let count = locked.len();
            let counting = locked.into_iter().filter(|locked| !locked.is_withdrawn).map(|locked| locked.signal);
            let withdrawn: Vec<Signal> = counting.collect();
            let withdrawal =
                Withdrawal { withdrawn_by: caller.to_owned(), reason: ids.reason.clone(), withdrawn_at: now };
            let first_day = if withdrawn.is_empty() {
                None
            } else {
                signals::withdraw(conn, &SignalKeys::of(&withdrawn), &withdrawal).await?;
                forget(app, conn, &ids.account, &withdrawn, now).await?
            };
            let (withdrawn, already_withdrawn) = (withdrawn.len(), count - withdrawn.len());
            Ok(answer(WithdrawnSignals { withdrawn, already_withdrawn, first_day }))
        })
        .await
}

/// Of an archived account nothing is scored any more: its scores could not follow.
async fn check_account(conn: &mut PgConnection, account: &AccountId) -> Result<(), ScoringError> {
    match accounts::standings(conn, &[account.as_str()]).await?.get(account.as_str()) {
        None => Err(ScoringError::AccountNotFound(account.clone())),
        Some(standing) if standing.archived => Err(ScoringError::AccountArchived(account.clone())),
        Some(_) => Ok(()),
    }
}

fn check_signals(ids: &WithdrawnIds, locked: &[LockedSignal]) -> Result<(), ScoringError> {
    let mut unknown: BTreeSet<&str> = ids.in_order().into_iter().collect();
    for known in locked {
        unknown.remove(known.signal.source_id.as_str());
    }
    let refused = |ids: &WithdrawnIds, those: &BTreeSet<&str>, description: &str| RefusedSignals {
        account: ids.account.clone(),
        source: ids.source.clone(),
        count: those.len(),
        found: ids.faults(those, description),
    };
    if !unknown.is_empty() {
        let refused = refused(ids, &unknown, "is no signal of this account and source");
        return Err(ScoringError::SignalsNotFound(refused));
    }
    let changing = locked.iter().filter(|locked| locked.signal.payload.changes_account());
    let changing: BTreeSet<&str> = changing.map(|locked| locked.signal.source_id.as_str()).collect();
    if !changing.is_empty() {
        let refused = refused(ids, &changing, "changed the account itself");
        return Err(ScoringError::SignalsChangedAccount(refused));
    }
    Ok(())
}

/// Signals of one account and source for which a withdrawal is refused.
#[derive(Debug)]
pub(crate) struct RefusedSignals {
    pub account: AccountId,
    pub source: String,
    pub count: usize,
    /// Each of them.
    pub found: Violations,
}

/// Has everything forget signals that were marked as withdrawn just now, and the scores computed again. Answers from which day on.
///
/// Locks in the order in which recording does: what signals say by themselves, then days, then the account with its stories.
async fn forget(
    app: &App,
    conn: &mut PgConnection,
    account: &AccountId,
    withdrawn: &[Signal],
    now: DateTime<Utc>,
) -> Result<Option<NaiveDate>, ScoringError> {
    let keys = SignalKeys::of(withdrawn);
    billing_records::delete_credits(conn, &keys).await?;
    feature_signals::delete(conn, &keys).await?;
    let changed_milestones = milestones::make_anew(conn, account, withdrawn).await?;
    survey_answers::delete(conn, &keys).await?;
    let added = SeriesDeltas::of(withdrawn);
    withdrawn_days::take_out(conn, account, &added).await?;
    let locked = accounts::lock(conn, &[account.as_str()]).await?;
    let locked = locked.get(account).ok_or_else(|| ScoringError::AccountNotFound(account.clone()))?;
    if locked.archived_at.is_some() {
        // Since it was looked at: run anew, it is refused.
        return Err(StorageError::Conflict.into());
    }
    let metrics: BTreeSet<&str> = withdrawn.iter().filter_map(|signal| Some(signal.payload.metric()?.0)).collect();
    near_limits::judge_anew(conn, account, &metrics.into_iter().collect::<Vec<_>>()).await?;
    let first_day_of_stories = withdraw_stories::execute(app, conn, locked, withdrawn, now).await?;

    let today = day_of(now);
    let first_day_of_signals = added.first_days().get(account.as_str()).copied();
    // Where the account stands with its targets is written as it is scored.
    let day_of_milestones = changed_milestones.then_some(today);
    let changed_days = [first_day_of_signals, first_day_of_stories, day_of_milestones];
    let Some(first_day) = changed_days.into_iter().flatten().min() else { return Ok(None) };
    let oldest = today.checked_sub_days(Days::new(HISTORY_DAYS_MAX)).unwrap_or(today);
    let first_day = first_day.clamp(oldest, today);
    forget_unfounded_days(conn, account, first_day, today).await?;
    // A silence that these signals ended may last by now, and no time of its own is set for it.
    looks::look_from(app, conn, account, first_day, now).await?;
    Ok(Some(first_day))
}

/// Forgets the scores of the days before the first signal that is left: they were made of what is withdrawn, and nobody computes them
/// again. The account is locked.
async fn forget_unfounded_days(
    conn: &mut PgConnection,
    account: &AccountId,
    first_day: NaiveDate,
    today: NaiveDate,
) -> Result<(), ScoringError> {
    let series = load_series(conn, &[account.as_str()]).await?;
    let first_signal_day = series.get(account.as_str()).and_then(AccountSeries::first_signal_day);
    let first_founded_day = first_signal_day.map_or(today, date_of).min(today);
    if first_day < first_founded_day {
        health::forget_days(conn, account, first_day, first_founded_day).await?;
        health::forget_recent_scores(conn, &[account.as_str()]).await?;
    }
    Ok(())
}
