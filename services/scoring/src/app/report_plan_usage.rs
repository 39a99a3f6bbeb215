//! Tells, after a month has ended, how much of the limits of their plans accounts used.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc};
use mainstay_domain::{AccountId, NEAR_LIMIT_PERCENT, is_at_least_percent, start_of_day};
use mainstay_jobs::NewJob;
use sqlx::PgConnection;

use super::queues::{PLAN_USAGE_QUEUE, RESCORE_QUEUE};
use super::{App, ScoringError, events};
use crate::domain::{date_of, day_number};
use crate::storage::near_limits::NearlyUsed;
use crate::storage::{accounts, metrics, near_limits, plan_usage, scoring_facts};

/// Accounts of one transaction.
const PAGE: i64 = 500;
/// The one job of [`PLAN_USAGE_QUEUE`].
const ALL_ACCOUNTS: &str = "accounts";

/// The use of a plan in a month.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PlanUsageReport {
    pub month: NaiveDate,
    /// By metric: what was used, if there was data, and the limit.
    pub limits: Vec<(String, Option<f64>, f64)>,
    pub active_users: i64,
    pub seats: Option<i64>,
}

impl PlanUsageReport {
    /// The metrics of which so much was used that two such months are near the limit.
    fn nearly_used<'a>(&'a self, account: &'a AccountId) -> impl Iterator<Item = NearlyUsed<'a>> {
        self.limits.iter().filter_map(|(metric, used, limit)| {
            let used = (*used).filter(|used| is_at_least_percent(*used, *limit, NEAR_LIMIT_PERCENT))?;
            let share = used / limit;
            share.is_finite().then_some(NearlyUsed { account: account.as_str(), metric, share, plan_limit: *limit })
        })
    }
}

/// The newest month that is told by now.
pub(super) fn newest_told(today: NaiveDate) -> NaiveDate {
    let month = first_of_month(today - Days::new(1));
    month.checked_sub_months(Months::new(1)).unwrap_or(month)
}

/// When the use in a month is told: when the first day after it has passed, so that late signals count.
pub(crate) fn due_time(month: NaiveDate) -> DateTime<Utc> {
    start_of_day(following(month) + Days::new(1))
}

/// The first day of the month after.
pub(crate) fn following(month: NaiveDate) -> NaiveDate {
    month.checked_add_months(Months::new(1)).unwrap_or(NaiveDate::MAX)
}

/// Has the months told from now on, unless that is under way already.
pub(crate) async fn schedule(app: &App) -> Result<(), ScoringError> {
    let now = app.core.clock.now();
    let mut transaction = mainstay_storage::begin(&app.core.pool).await?;
    if app.core.jobs.present(&mut transaction, PLAN_USAGE_QUEUE, &[ALL_ACCOUNTS]).await?.is_empty() {
        // On the first day of a month the one before is still to be told.
        let month = first_of_month(now.date_naive() - Days::new(1));
        let low_mark = i64::from(day_number(month));
        let key = ALL_ACCOUNTS.to_owned();
        let job = NewJob::due(key, due_time(month)).with_low_mark(low_mark);
        app.core.jobs.schedule(&mut transaction, PLAN_USAGE_QUEUE, &[job], now).await?;
    }
    Ok(mainstay_storage::commit(transaction).await?)
}

fn first_of_month(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}

/// The month that a job's low mark says.
pub(crate) fn month_of(low_mark: Option<i64>, today: NaiveDate) -> NaiveDate {
    low_mark.and_then(|mark| i32::try_from(mark).ok()).map_or_else(|| first_of_month(today), date_of)
}

/// Tells the month of a page of accounts, after `after`; answers the last of the page, or none when no more follow. Of each account
/// a month is told once, whatever happens to the job.
pub(crate) async fn execute(
    app: &App,
    conn: &mut PgConnection,
    month: NaiveDate,
    after: Option<&str>,
) -> Result<Option<String>, ScoringError> {
    let now = app.core.clock.now();
    let month_end = start_of_day(following(month));
    let page = plan_usage::accounts_to_tell(conn, month, month_end, after, PAGE).await?;
    let ids: Vec<&str> = page.iter().map(String::as_str).collect();
    let locked = accounts::lock(conn, &ids).await?;
    let facts_by_account = scoring_facts::load(conn, &ids).await?;
    let last_day = following(month) - Days::new(1);
    let mut with_limits = Vec::new();
    for id in &ids {
        let limits = facts_by_account.get(*id).and_then(|facts| facts.on(last_day)).map(|facts| &facts.plan_limits);
        let account = AccountId::parse(id).ok().and_then(|id| locked.get(&id));
        if let (Some(limits), Some(account)) = (limits, account)
            && !limits.is_empty()
            && account.archived_at.is_none()
        {
            with_limits.push((account, limits));
        }
    }
    if !with_limits.is_empty() {
        let names: std::collections::BTreeSet<&str> =
            with_limits.iter().flat_map(|(_, limits)| limits.keys().map(String::as_str)).collect();
        let names: Vec<&str> = names.into_iter().collect();
        let known = metrics::kinds(conn, &names).await?;
        let told: Vec<&str> = with_limits.iter().map(|(account, _)| account.id.as_str()).collect();
        let usage = plan_usage::load(conn, &told, &names, month).await?;
        // What was used goes on in the trace of the signal that had the account scored last.
        let causes = app.core.jobs.traceparents(conn, RESCORE_QUEUE, &told).await?;
        let reports = with_limits.iter().map(|(account, limits)| {
            let metrics = limits.iter().filter(|(metric, _)| known.contains_key(*metric));
            let report = PlanUsageReport {
                month,
                limits: metrics
                    .map(|(metric, limit)| (metric.clone(), usage.used(&account.id, metric), *limit))
                    .collect(),
                active_users: usage.active_users(&account.id),
                seats: account.facts.seats,
            };
            (account.id.clone(), report)
        });
        let reports: Vec<_> = reports.collect();
        plan_usage::note_told(conn, &told, month).await?;
        let nearly_used: Vec<NearlyUsed<'_>> = reports.iter().flat_map(|(id, report)| report.nearly_used(id)).collect();
        near_limits::note(conn, &nearly_used, month).await?;
        let told = reports.iter().map(|(id, report)| {
            let event = events::plan_usage_reported(app, id, report, now);
            event.caused_by(causes.get(id.as_str()).map(String::as_str))
        });
        app.core.events.append(conn, &told.collect::<Vec<_>>(), now).await?;
    }
    let is_full = i64::try_from(page.len()).is_ok_and(|count| count == PAGE);
    Ok(if is_full { page.into_iter().next_back() } else { None })
}
