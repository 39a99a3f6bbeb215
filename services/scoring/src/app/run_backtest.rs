//! Goes on with a backtest: a page of accounts in a transaction, and at the end the figures.
//!
//! When a model compares accounts with others, all accounts are gone through twice: how measures were spread on the day before is
//! made of the readings of all, as it is where accounts are scored day by day.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::NaiveDate;
use mainstay_domain::AccountId;
use mainstay_statistics::classification::AucDifference;
use prost::Message;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use super::day_contexts::{pulsed_by, pulses_on};
use super::operation_steps::Progress;
use super::replayed_accounts::ReplayedAccounts;
use super::replayed_groups::{DistributionsByDay, RawDay, distributions_by_day};
use super::{App, ScoringError, long_computation};
use crate::convert;
use crate::domain::backtest::{
    BacktestRecord, BandChange, BandMove, Difference, Judged, Replay, ReplayedAccount, TrialDay, judge, replay,
};
use crate::domain::{DayContext, HealthModel, Segment, day_number};
use crate::storage::replayed_accounts::{self, Step};
use crate::storage::{backtests, tenures};

/// Accounts in one transaction.
const PAGE: i64 = 500;

/// What is kept of an account that was scored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Replayed {
    is_unknown: bool,
    days: Vec<TrialDay>,
}

/// Both models, with what all accounts together tell about the days.
struct Models {
    trial: HealthModel,
    base: Arc<HealthModel>,
    trial_contexts: BTreeMap<NaiveDate, DayContext>,
    base_contexts: BTreeMap<NaiveDate, DayContext>,
}

/// Does the next page; answers where to go on, or none when it is complete or there is none.
pub(crate) async fn execute(
    app: &App,
    conn: &mut PgConnection,
    id: Uuid,
    progress: Progress,
) -> Result<Option<Progress>, ScoringError> {
    let Some(record) = backtests::lookup(conn, id).await? else { return Ok(None) };
    let base = app.models.model(conn, &record.base_model).await?;
    let needs_distributions = record.model.compares_accounts() || base.compares_accounts();
    let is_scoring = progress.has_distributions || !needs_distributions;
    let accounts = tenures::page(conn, progress.after.as_deref(), PAGE).await?;
    let last = accounts.last().map(|(account, _)| account.as_str().to_owned());
    let is_last = i64::try_from(accounts.len()).is_ok_and(|count| count < PAGE);
    let page = ReplayedAccounts::load(conn, accounts).await?;
    let last = last.or(progress.after);
    if is_scoring {
        score_page(conn, &record, base.clone(), &page).await?;
        if is_last {
            complete(conn, record, base.as_ref().clone()).await?;
            return Ok(None);
        }
        return Ok(Some(Progress { has_distributions: progress.has_distributions, after: last }));
    }
    let scored_by_base =
        app.models.book(conn).await?.activations().segments_scored_by(&base.id, app.core.clock.today());
    read_page(conn, &record, base.clone(), &scored_by_base, &page).await?;
    if !is_last {
        return Ok(Some(Progress { has_distributions: false, after: last }));
    }
    let raw: Vec<(AccountId, Vec<RawDay>)> = replayed_accounts::load(conn, id, Step::Readings).await?;
    let distributions = distributions_by_day(&record.model, &base, raw.into_iter().flat_map(|(_, days)| days));
    backtests::set_group_distributions(conn, id, &distributions.to_json()?).await?;
    Ok(Some(Progress { has_distributions: true, after: None }))
}

/// What `each` makes of every account.
fn map<T>(page: &ReplayedAccounts, each: impl Fn(&ReplayedAccount<'_>) -> T) -> Vec<(AccountId, T)> {
    page.iter().map(|(id, account)| (id.clone(), each(&account))).collect()
}

impl Models {
    async fn load(
        conn: &mut PgConnection,
        record: &BacktestRecord,
        base: Arc<HealthModel>,
        days: &BTreeSet<NaiveDate>,
        distributions: &DistributionsByDay,
    ) -> Result<Self, ScoringError> {
        let series = pulsed_by([&record.model, &*base]);
        let mut contexts = [BTreeMap::new(), BTreeMap::new()];
        for (day, pulses) in pulses_on(conn, &series, days).await? {
            let [trial, of_base] = &mut contexts;
            let context = |distributions| DayContext { pulses: pulses.clone(), distributions };
            trial.insert(day, context(distributions.trial(day)));
            of_base.insert(day, context(distributions.base(day)));
        }
        let [trial_contexts, base_contexts] = contexts;
        Ok(Self { trial: record.model.clone(), base, trial_contexts, base_contexts })
    }

    fn trial(&self) -> Replay<'_> {
        Replay { model: &self.trial, contexts: &self.trial_contexts }
    }

    fn base(&self) -> Replay<'_> {
        Replay { model: &self.base, contexts: &self.base_contexts }
    }
}

async fn score_page(
    conn: &mut PgConnection,
    record: &BacktestRecord,
    base: Arc<HealthModel>,
    page: &ReplayedAccounts,
) -> Result<(), ScoringError> {
    let distributions = DistributionsByDay::of_json(record.group_distributions.as_ref())?;
    let days: BTreeSet<NaiveDate> = record.span.days().iter().copied().collect();
    let models = Models::load(conn, record, base, &days, &distributions).await?;
    let replayed = map(page, |account| Replayed {
        is_unknown: account.tenure.is_unknown(),
        days: {
            let days = account.days_in(record.segment, record.span.days());
            replay(models.trial(), models.base(), account, &days, record.span.horizon_days())
        },
    });
    Ok(replayed_accounts::keep(conn, record.id, Step::Scores, &replayed).await?)
}

/// Keeps what distributions are made of: what each account had on the day before each of the days, by each model that scores it or
/// would. A model that scores a segment and others is compared with all of these.
async fn read_page(
    conn: &mut PgConnection,
    record: &BacktestRecord,
    base: Arc<HealthModel>,
    scored_by_base: &[Segment],
    page: &ReplayedAccounts,
) -> Result<(), ScoringError> {
    let days_before: Vec<NaiveDate> = record.span.days().iter().filter_map(NaiveDate::pred_opt).collect();
    let all_days = days_before.iter().copied().collect();
    let models = Models::load(conn, record, base, &all_days, &DistributionsByDay::default()).await?;
    let replayed = map(page, |account| {
        let is_customer = |day: NaiveDate| account.tenure.look(day_number(day), 0).is_some();
        let days = days_before.iter().copied().filter(|day| is_customer(*day));
        let read = |day| RawDay::of(record.segment, models.trial(), (models.base(), scored_by_base), account, day);
        days.filter_map(read).collect::<Vec<_>>()
    });
    Ok(replayed_accounts::keep(conn, record.id, Step::Readings, &replayed).await?)
}

/// Judges what was replayed, and keeps what was found.
async fn complete(conn: &mut PgConnection, record: BacktestRecord, base: HealthModel) -> Result<(), ScoringError> {
    let id = record.id;
    let replayed: Vec<(AccountId, Replayed)> = replayed_accounts::load(conn, id, Step::Scores).await?;
    let unknown_account_count = replayed.iter().filter(|(_, replayed)| replayed.is_unknown).count();
    let (accounts, days): (Vec<AccountId>, Vec<Vec<TrialDay>>) =
        replayed.into_iter().map(|(account, replayed)| (account, replayed.days)).unzip();
    let moves = band_moves(&record, &base, &accounts, &days);
    let horizon_days = record.span.horizon_days();
    // The bootstrap takes seconds.
    let judged = long_computation::run(conn, move || {
        let judged = Judged { trial: &record.model, base: &base, accounts: &days, horizon_days, unknown_account_count };
        judge(&judged).map(|report| (record, report))
    });
    let (record, report) = match judged.await? {
        Ok(judged) => judged,
        Err(found) => return Ok(backtests::refuse(conn, id, found).await?),
    };
    let mut counts: BTreeMap<BandMove, i64> = BTreeMap::new();
    for (band_move, _) in &moves {
        *counts.entry(*band_move).or_default() += 1;
    }
    let difference = report.comparison.map(|comparison| difference(&comparison.areas));
    let message = convert::backtest::message(&record, report, &counts);
    backtests::complete(conn, id, &message.encode_to_vec(), difference).await?;
    let changed: Vec<BandChange> =
        moves.into_iter().filter(|(band_move, _)| band_move.is_change()).map(|(_, change)| change).collect();
    Ok(backtests::keep_band_changes(conn, id, &changed).await?)
}

fn difference(areas: &AucDifference) -> Difference {
    Difference { value: areas.difference, low: areas.interval.low, high: areas.interval.high }
}

/// The bands of each account by both models on the last day.
fn band_moves(
    record: &BacktestRecord,
    base: &HealthModel,
    accounts: &[AccountId],
    days: &[Vec<TrialDay>],
) -> Vec<(BandMove, BandChange)> {
    let last_day = record.span.days().last().map(|day| day_number(*day));
    accounts
        .iter()
        .zip(days)
        .filter_map(|(account, days)| {
            let day = days.last().filter(|day| Some(day.day) == last_day)?;
            let base_band = day.base.map(|score| base.band_cuts.band(score));
            let band = day.trial.map(|score| record.model.band_cuts.band(score));
            let account = account.clone();
            let change = BandChange { account, base_band, band, base_score: day.base, score: day.trial };
            Some((BandMove { base: base_band, trial: band }, change))
        })
        .collect()
}
