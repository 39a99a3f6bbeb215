//! Records signals: each once, durable, added to the days they belong to.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_domain::{AccountId, Violations, day_of};
use mainstay_storage::transact;
use sqlx::PgConnection;

use super::mark_all_accounts::mark_all_soon;
use super::refused_batch::{BatchFields, refuse_all};
use super::{App, Mutation, Replayable, ScoringError, pulse_changes, record_stories, rescore_accounts};
use crate::domain::billing::InvoiceSignal;
use crate::domain::data_source::{SystemDay, Told};
use crate::domain::signal::{Payload, Signal, SignalKind};
use crate::storage::accounts::Standing;
use crate::storage::series_deltas::SeriesDeltas;
use crate::storage::{
    accounts, billing_records, feature_periods, feature_signals, metrics, milestones, payment_sources, pulses, series,
    signal_details, signals, survey_answers, system_days,
};

const FIELDS: BatchFields = BatchFields { items: "signals", account: "account" };

/// What became of a batch.
#[derive(Debug, Default)]
pub(crate) struct RecordedSignals {
    pub recorded: usize,
    pub duplicates: usize,
    /// Items that were refused, by their place.
    pub refused: Vec<(usize, ScoringError)>,
}

/// An item of a batch: its place in the request, and the signal or what is wrong with it.
pub(crate) type Item = (usize, Result<Signal, Violations>);

/// Records a batch; with `all_or_nothing` one wrong item refuses it all.
/// `answer` makes of the outcome what the caller is told, and told again.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    items: &[Item],
    all_or_nothing: bool,
    answer: impl Fn(RecordedSignals) -> T + Sync,
) -> Result<T, ScoringError> {
    // Of the last run: a transaction that met another one runs again.
    let (recorded_count, duplicate_count) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let answer = app
        .core
        .mutate(mutation, async |conn| {
            let recorded = take(app, conn, items, all_or_nothing).await?;
            recorded_count.store(recorded.recorded, Ordering::Relaxed);
            duplicate_count.store(recorded.duplicates, Ordering::Relaxed);
            Ok::<_, ScoringError>(answer(recorded))
        })
        .await?;
    if !mutation.validate_only {
        count(recorded_count.into_inner(), duplicate_count.into_inner());
    }
    Ok(answer)
}

/// Records those of a batch that can be recorded. Without a request id: the signals' own ids make it safe to repeat.
pub(crate) async fn record_each(app: &App, items: &[Item]) -> Result<RecordedSignals, ScoringError> {
    if items.is_empty() {
        return Ok(RecordedSignals::default());
    }
    let recorded = transact(&app.core.pool, async |conn| take(app, conn, items, false).await).await?;
    app.core.work_arrived.notify_one();
    count(recorded.recorded, recorded.duplicates);
    Ok(recorded)
}

/// Records what another service told, in the transaction of its event. The consumer counts it, once the transaction has ended.
pub(crate) async fn record_told(app: &App, conn: &mut PgConnection, signal: Signal) -> Result<(), ScoringError> {
    take(app, conn, &[(0, Ok(signal))], true).await.map(drop)
}

fn count(recorded: usize, duplicates: usize) {
    ::metrics::counter!("mainstay_scoring_signals_recorded_total").increment(recorded as u64);
    ::metrics::counter!("mainstay_scoring_signals_duplicate_total").increment(duplicates as u64);
}

async fn take(
    app: &App,
    conn: &mut PgConnection,
    items: &[Item],
    all_or_nothing: bool,
) -> Result<RecordedSignals, ScoringError> {
    let now = app.core.clock.now();
    let (accepted, refused) = sort_out(conn, items, now).await?;
    if all_or_nothing && !refused.is_empty() {
        return Err(refuse_all(FIELDS, refused));
    }
    let recorded = record(app, conn, &accepted, now).await?;
    Ok(RecordedSignals { refused, ..recorded })
}

/// The signals that can be recorded, and the errors of the others by place.
async fn sort_out<'a>(
    conn: &mut PgConnection,
    items: &'a [Item],
    now: DateTime<Utc>,
) -> Result<(Vec<&'a Signal>, Vec<(usize, ScoringError)>), ScoringError> {
    let valid = || items.iter().filter_map(|(_, item)| item.as_ref().ok());
    let mut ids: Vec<&str> = valid().map(|signal| signal.account.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    let standings = accounts::standings(conn, &ids).await?;
    // A signal that is refused all the same must not decide what its metric is.
    let is_in_use =
        |signal: &&Signal| standings.get(signal.account.as_str()).is_some_and(|standing| !standing.archived);
    let of_known_accounts = valid().filter(is_in_use);
    let kinds = known_kinds(conn, of_known_accounts, now).await?;
    let mut accepted = Vec::with_capacity(items.len());
    let mut refused = Vec::new();
    for (place, item) in items {
        let error = match item {
            Err(violations) => Some(ScoringError::Invalid(violations.clone())),
            Ok(signal) => why_refused(signal, &standings, &kinds),
        };
        match (error, item) {
            (Some(error), _) => refused.push((*place, error)),
            (None, Ok(signal)) => accepted.push(signal),
            (None, Err(_)) => {}
        }
    }
    Ok((accepted, refused))
}

fn why_refused(
    signal: &Signal,
    standings: &HashMap<String, Standing>,
    kinds: &HashMap<String, SignalKind>,
) -> Option<ScoringError> {
    let Some(standing) = standings.get(signal.account.as_str()) else {
        return Some(ScoringError::AccountNotFound(signal.account.clone()));
    };
    if standing.archived {
        return Some(ScoringError::AccountArchived(signal.account.clone()));
    }
    if let Payload::Lifecycle(told) = &signal.payload {
        let mut found = Violations::new();
        told.check_currency(&mut found, standing.mrr_currency);
        return (!found.is_empty()).then_some(ScoringError::Invalid(found));
    }
    let (metric, kind) = signal.payload.metric()?;
    let known = *kinds.get(metric)?;
    (known != kind).then(|| ScoringError::MetricKindMismatch { metric: metric.to_owned(), known })
}

/// The kinds of the metrics used; a metric that is new has the kind of its first signal here.
async fn known_kinds<'a>(
    conn: &mut PgConnection,
    signals: impl Iterator<Item = &'a Signal>,
    now: DateTime<Utc>,
) -> Result<HashMap<String, SignalKind>, ScoringError> {
    let mut first_kinds: BTreeMap<&str, SignalKind> = BTreeMap::new();
    for (metric, kind) in signals.filter_map(|signal| signal.payload.metric()) {
        first_kinds.entry(metric).or_insert(kind);
    }
    let names: Vec<&str> = first_kinds.keys().copied().collect();
    let mut known = metrics::kinds(conn, &names).await?;
    let new: Vec<(&str, SignalKind)> =
        first_kinds.into_iter().filter(|(metric, _)| !known.contains_key(*metric)).collect();
    if !new.is_empty() {
        metrics::note(conn, &new, now).await?;
        known = metrics::kinds(conn, &names).await?;
    }
    Ok(known)
}

async fn record(
    app: &App,
    conn: &mut PgConnection,
    accepted: &[&Signal],
    now: DateTime<Utc>,
) -> Result<RecordedSignals, ScoringError> {
    if accepted.is_empty() {
        return Ok(RecordedSignals::default());
    }
    let paying = tellers_of(accepted, InvoiceSignal::tells_payment);
    payment_sources::note(conn, &tellers_of(accepted, |_| true), &paying, now).await?;
    system_days::note(conn, &told_on(accepted, day_of(now))).await?;
    let new = signals::insert_new(conn, accepted, now).await?;
    let recorded = || new.iter().map(|&index| accepted[index]);
    signal_details::insert(conn, recorded()).await?;
    billing_records::insert_credits(conn, recorded()).await?;
    feature_signals::insert(conn, recorded()).await?;
    let reached_milestones = milestones::add(conn, recorded()).await?;
    survey_answers::insert(conn, recorded()).await?;
    let deltas = SeriesDeltas::of(recorded());
    if !deltas.first_days().is_empty() {
        series::add(conn, &deltas).await?;
        feature_periods::add(conn, &deltas).await?;
    }
    if !deltas.pulse_days().is_empty() {
        revive(app, conn, &deltas, now).await?;
    }
    let changed_accounts = record_stories::execute(app, conn, recorded(), now).await?;
    mark(app, conn, &deltas, &changed_accounts, reached_milestones, now).await?;
    Ok(RecordedSignals { recorded: new.len(), duplicates: accepted.len() - new.len(), refused: Vec::new() })
}

/// The sources that tell such a thing of an invoice in these signals.
fn tellers_of<'a>(signals: &[&'a Signal], is_it: impl Fn(&InvoiceSignal) -> bool) -> BTreeSet<&'a str> {
    let tells = |signal: &&&Signal| matches!(&signal.payload, Payload::Invoice(told) if is_it(told));
    signals.iter().filter(tells).map(|signal| signal.source.as_str()).collect()
}

/// Which systems told something of which kind in these signals.
fn told_on<'a>(signals: &[&'a Signal], day: NaiveDate) -> BTreeSet<SystemDay<'a>> {
    let told = |signal: &&'a Signal| {
        let told = Told::Signals(signal.payload.kind());
        SystemDay { system: &signal.source, told, day }
    };
    signals.iter().map(told).collect()
}

/// Has all accounts scored again when a source came to life.
///
/// Before the accounts of the signals are marked: who marks all accounts holds this job while it waits for their marks.
async fn revive(
    app: &App,
    conn: &mut PgConnection,
    deltas: &SeriesDeltas<'_>,
    now: DateTime<Utc>,
) -> Result<(), ScoringError> {
    let new_days = pulses::add(conn, deltas.pulse_days()).await?;
    if let Some(first_day) = pulse_changes::first_day_changed(app, conn, &new_days, day_of(now)).await? {
        mark_all_soon(app, conn, first_day, now).await?;
    }
    Ok(())
}

/// Has the accounts of new signals scored again, from the earliest day that changed.
async fn mark(
    app: &App,
    conn: &mut PgConnection,
    deltas: &SeriesDeltas<'_>,
    changed_accounts: &[(AccountId, NaiveDate)],
    reached_milestones: BTreeSet<&str>,
    now: DateTime<Utc>,
) -> Result<(), ScoringError> {
    let of_signals = deltas.first_days().iter().map(|(&id, &day)| (id, day));
    // Where they stand with their targets is written as they are scored.
    let of_milestones = reached_milestones.into_iter().map(|id| (id, day_of(now)));
    let of_changes = changed_accounts.iter().map(|(account, day)| (account.as_str(), *day));
    rescore_accounts::soon(app, conn, of_signals.chain(of_changes).chain(of_milestones), now).await
}
