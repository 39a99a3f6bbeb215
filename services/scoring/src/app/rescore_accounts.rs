//! Scores accounts from a day on until today, writes what came out, and tells
//! what changed: all in the caller's transaction.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use mainstay_domain::{AccountId, day_of};
use sqlx::PgConnection;

use super::account_outcomes;
use super::account_series::load_series;
use super::causes::Causes;
use super::day_contexts::{DayContexts, ModelsByDay};
use super::health_risks::{self, KnownToday, ScoredToday};
use super::made_distributions::{Beginnings, Steps};
use super::model_cache::ModelBook;
use super::queues::RESCORE_QUEUE;
use super::recent_scores::{Before, RecentScores, changes};
use super::{App, ScoringError, events};
use crate::domain::inactivity::silent_since;
use crate::domain::{
    AccountInputs, AccountSeries, GeneralReadings, HealthRecord, ScoringFacts, ScoringFactsByDay, day_number,
    deserves_event, score,
};
use crate::storage::accounts::{self, ScoredAccount};
use crate::storage::group_distributions::Remaking;
use crate::storage::health::{self, CurrentHealth};
use crate::storage::scoring_facts;

/// How far back a late signal rescores: older days keep the score they had.
pub(crate) const HISTORY_DAYS_MAX: u64 = 730;
/// Most days of accounts in one transaction; what is left comes in the next one.
const ACCOUNT_DAYS_MAX: usize = 5_000;

/// How long to leave an account that somebody else holds.
pub(crate) const SOON: TimeDelta = TimeDelta::milliseconds(200);
/// How long to leave one that others have to come before.
pub(crate) const WAIT: TimeDelta = TimeDelta::seconds(2);

/// An account to score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RescoreRequest {
    pub account_id: String,
    /// The earliest day whose inputs changed.
    pub from_day: NaiveDate,
    /// Whether its time has come to be looked at for what no signal tells of.
    pub look_due: bool,
    /// W3C `traceparent` of whoever has it scored.
    pub traceparent: Option<String>,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rescored {
    /// Scored up to and with this day, the one on which the transaction began.
    Done { through: NaiveDate },
    /// Scored, but not up to today: go on from this day.
    More { from_day: NaiveDate },
    /// Somebody else holds the account: try again soon.
    Locked,
    /// Others have to come through the day before this one: try again soon.
    Waiting { from_day: NaiveDate },
    /// The account is archived: it is not scored any more.
    Archived,
}

/// Has accounts scored again, each from a day on whose inputs changed; in one statement, so that all lock due work in the order of its keys.
/// What changed ahead of the clock counts when its day comes.
pub(super) async fn soon<'a>(
    app: &App,
    conn: &mut PgConnection,
    changed: impl Iterator<Item = (&'a str, NaiveDate)>,
    now: DateTime<Utc>,
) -> Result<(), ScoringError> {
    let today = day_of(now);
    let (keys, marks): (Vec<&str>, Vec<i64>) =
        changed.map(|(id, day)| (id, i64::from(day_number(day.min(today))))).unzip();
    Ok(app.core.jobs.schedule_marks(conn, RESCORE_QUEUE, &keys, &marks, now, now).await?)
}

/// Scores the accounts, for a recomputation or without one; the answers stand in the order of the requests.
pub(crate) async fn execute(
    app: &App,
    conn: &mut PgConnection,
    requests: &[RescoreRequest],
    remaking: Option<Remaking>,
) -> Result<Vec<Rescored>, ScoringError> {
    let today = app.core.clock.today();
    let now = app.core.clock.now();
    let book = app.models.book(conn).await?;
    let ids: Vec<&str> = requests.iter().map(|request| request.account_id.as_str()).collect();
    let locked = accounts::lock_free(conn, &ids).await?;
    let scored_ids: Vec<&str> =
        locked.values().filter(|account| !account.archived).map(|account| account.id.as_str()).collect();
    let series = load_series(conn, &scored_ids).await?;

    let beginnings = beginnings(requests, &locked, &series, today);
    let marked_days: Vec<NaiveDate> = requests.iter().map(|request| request.from_day).collect();
    let first_days: Vec<NaiveDate> = beginnings.iter().map(|(_, first)| *first).collect();
    let days = Beginnings { marked_days: &marked_days, first_days: &first_days };
    let steps = Steps::find(app, conn, &book, days, remaking, now).await?;
    let (waiting, beginnings): (Vec<_>, Vec<_>) =
        beginnings.into_iter().partition(|(_, first)| steps.is_waiting(*first));
    let plans = plan(&beginnings, &steps, today);
    let in_the_past: Vec<&str> =
        plans.iter().filter(|plan| plan.first < today).map(|plan| plan.account.id.as_str()).collect();
    let past_facts = scoring_facts::load(conn, &in_the_past).await?;
    let all_facts =
        plans.iter().map(|plan| &plan.account.facts).chain(past_facts.values().flat_map(ScoringFactsByDay::all));
    let groups = all_facts.flat_map(ScoringFacts::groups).collect();
    let contexts = DayContexts::load(conn, &book, &models_by_day(&book, &plans), &steps, &groups).await?;
    let mut days = ScoredDays::default();
    for plan in &plans {
        let known = KnownDays { book: &book, past_facts: &past_facts, series: &series, contexts: &contexts };
        score_days(plan, &known, now, &mut days);
    }
    if !days.records.is_empty() {
        health::write_history(conn, &days.records).await?;
    }
    let partly: Vec<&str> = plans
        .iter()
        .filter(|plan| matches!(plan.outcome, Rescored::More { .. }))
        .map(|plan| plan.account.id.as_str())
        .collect();
    if !partly.is_empty() {
        health::forget_recent_scores(conn, &partly).await?;
    }
    let look_due: HashSet<&str> =
        requests.iter().filter(|request| request.look_due).map(|request| request.account_id.as_str()).collect();
    let causes: Causes<'_> = requests
        .iter()
        .filter_map(|request| Some((request.account_id.as_str(), request.traceparent.as_deref()?)))
        .collect();
    let scored = write_today(app, conn, days, &locked, &series, &causes, now).await?;
    let of_today: Vec<&ScoredAccount> =
        scored.iter().filter_map(|(row, _)| locked.get(row.record.account.as_str())).collect();
    if !of_today.is_empty() {
        account_outcomes::update(conn, &of_today, &series, today).await?;
    }
    let scored: Vec<ScoredToday> = scored
        .into_iter()
        .map(|(row, before)| {
            let look_due = look_due.contains(row.record.account.as_str());
            ScoredToday { row, before, look_due }
        })
        .collect();
    if !scored.is_empty() {
        let known = KnownToday { book: &book, accounts: &locked, series: &series, causes: &causes, today };
        health_risks::execute(app, conn, &known, &scored, now).await?;
    }

    let waited = waiting.iter().map(|(account, first)| (account.id.as_str(), Rescored::Waiting { from_day: *first }));
    let outcomes: HashMap<&str, Rescored> =
        plans.iter().map(|plan| (plan.account.id.as_str(), plan.outcome)).chain(waited).collect();
    Ok(requests
        .iter()
        .map(|request| match locked.get(&request.account_id) {
            None => Rescored::Locked,
            Some(account) if account.archived => Rescored::Archived,
            Some(_) => outcomes.get(request.account_id.as_str()).copied().unwrap_or(Rescored::Locked),
        })
        .collect())
}

/// The days of an account that this transaction scores.
struct Plan<'a> {
    account: &'a ScoredAccount,
    first: NaiveDate,
    last: NaiveDate,
    today: NaiveDate,
    outcome: Rescored,
}

/// The accounts that are scored, each with the first of its days.
fn beginnings<'a>(
    requests: &[RescoreRequest],
    locked: &'a HashMap<String, ScoredAccount>,
    series: &HashMap<String, AccountSeries>,
    today: NaiveDate,
) -> Vec<(&'a ScoredAccount, NaiveDate)> {
    let oldest = today.checked_sub_days(Days::new(HISTORY_DAYS_MAX)).unwrap_or(today);
    let beginning = |request: &RescoreRequest| {
        let account = locked.get(&request.account_id).filter(|account| !account.archived)?;
        let first_signal = series.get(&request.account_id).and_then(AccountSeries::first_signal_day);
        let earliest_useful = first_signal.map_or(today, crate::domain::date_of).clamp(oldest, today);
        Some((account, request.from_day.clamp(earliest_useful.min(today), today)))
    };
    requests.iter().filter_map(beginning).collect()
}

/// What each account gets of this transaction.
fn plan<'a>(beginnings: &[(&'a ScoredAccount, NaiveDate)], steps: &Steps, today: NaiveDate) -> Vec<Plan<'a>> {
    let mut days_left = ACCOUNT_DAYS_MAX;
    let mut plans = Vec::new();
    for &(account, first) in beginnings {
        let later_days = first.iter_days().skip(1).take_while(|day| *day <= today && steps.may_go_on_to(*day));
        let granted = (1 + later_days.count()).min(days_left.max(1));
        days_left = days_left.saturating_sub(granted);
        let last = first + TimeDelta::days(i64::try_from(granted).unwrap_or(1) - 1);
        let outcome = if last < today {
            Rescored::More { from_day: last + TimeDelta::days(1) }
        } else {
            Rescored::Done { through: today }
        };
        plans.push(Plan { account, first, last, today, outcome });
    }
    plans
}

/// Which models score on the days that some plan has: those whose activation holds on the day.
fn models_by_day(book: &ModelBook, plans: &[Plan<'_>]) -> ModelsByDay {
    let first = plans.iter().map(|plan| plan.first).min();
    let last = plans.iter().map(|plan| plan.last).max();
    let Some((first, last)) = first.zip(last) else { return ModelsByDay::new() };
    first
        .iter_days()
        .take_while(|day| *day <= last)
        .filter(|day| plans.iter().any(|plan| (plan.first..=plan.last).contains(day)))
        .map(|day| (day, book.models_on(day)))
        .collect()
}

/// What scores of days are made of.
struct KnownDays<'a> {
    book: &'a ModelBook,
    past_facts: &'a HashMap<String, ScoringFactsByDay>,
    series: &'a HashMap<String, AccountSeries>,
    contexts: &'a DayContexts,
}

/// What came out.
#[derive(Default)]
struct ScoredDays {
    records: Vec<HealthRecord>,
    /// What the general model reads today of accounts that another one scores.
    by_general_model: HashMap<AccountId, GeneralReadings>,
}

fn score_days(plan: &Plan<'_>, known: &KnownDays<'_>, now: DateTime<Utc>, days: &mut ScoredDays) {
    let nothing = AccountSeries::default();
    let series = known.series.get(plan.account.id.as_str()).unwrap_or(&nothing);
    let first_signal_day = series.first_signal_day();
    let past_facts = known.past_facts.get(plan.account.id.as_str());
    for day in plan.first.iter_days().take_while(|day| *day <= plan.last) {
        let facts_then = past_facts.filter(|_| day < plan.today).and_then(|facts| facts.on(day));
        let facts = facts_then.unwrap_or(&plan.account.facts);
        let Some(model) = known.book.model_for(facts.segment, day) else { continue };
        let Some(context) = known.contexts.get(&model.id, day) else { continue };
        let inputs = AccountInputs {
            series,
            facts,
            first_signal_day: first_signal_day.filter(|first| *first <= day_number(day)),
        };
        let scored = score(&model, &inputs, context, day);
        days.records.push(HealthRecord::of(&plan.account.id, day, &model.id, &scored, now));
        if day < plan.today {
            continue;
        }
        let general = known.book.general_model(day).filter(|general| general.id != model.id);
        let Some(general) = general else { continue };
        if let Some(context) = known.contexts.get(&general.id, day) {
            let readings = GeneralReadings::of(&general.id, &score(&general, &inputs, context, day));
            days.by_general_model.insert(plan.account.id.clone(), readings);
        }
    }
}

/// Writes today's rows of those whose today was scored, with an event for each
/// change that deserves one; answers the rows.
async fn write_today(
    app: &App,
    conn: &mut PgConnection,
    days: ScoredDays,
    accounts: &HashMap<String, ScoredAccount>,
    series: &HashMap<String, AccountSeries>,
    causes: &Causes<'_>,
    now: DateTime<Utc>,
) -> Result<Vec<(CurrentHealth, Before)>, ScoringError> {
    let today = now.date_naive();
    let ScoredDays { records, mut by_general_model } = days;
    let scored_before_today: HashSet<AccountId> =
        records.iter().filter(|record| record.day < today).map(|record| record.account.clone()).collect();
    let todays: Vec<HealthRecord> = records.into_iter().filter(|record| record.day == today).collect();
    if todays.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<&str> = todays.iter().map(|record| record.account.as_str()).collect();
    let known = health::known(conn, &ids).await?;
    let recent = RecentScores::load(conn, known, &scored_before_today, &ids, today).await?;
    let mut told = Vec::new();
    let mut rows = Vec::with_capacity(todays.len());
    let mut previous = Vec::with_capacity(todays.len());
    for record in todays {
        previous.push(recent.before(&record.account));
        let last = recent.announced(&record.account);
        let announced = if deserves_event(last, record.announcement()) {
            let event = events::health_changed(app, &record, last, now);
            told.push(event.caused_by(causes.of(record.account.as_str())));
            record.announcement()
        } else {
            last
        };
        let recent_scores = recent.scores(&record.account);
        let changes = changes(record.score, &recent_scores);
        let of_account = series.get(record.account.as_str());
        let newest_activity_day = of_account.and_then(|series| series.newest_activity_day(today));
        let account = accounts.get(record.account.as_str());
        let last_activity_day = account.map_or(newest_activity_day, |account| {
            silent_since(newest_activity_day, account.activation_day, account.created_day, today)
        });
        let by_general_model = by_general_model.remove(&record.account);
        rows.push(CurrentHealth { record, changes, recent_scores, announced, last_activity_day, by_general_model });
    }
    health::write_current(conn, &rows).await?;
    if !told.is_empty() {
        app.core.events.append(conn, &told, now).await?;
    }
    Ok(rows.into_iter().zip(previous).collect())
}
