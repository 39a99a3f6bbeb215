//! What a forecast learns from: customers of the past as a health model sees them, and whether they left.
//!
//! Whatever scored them then, all are scored again by the one model, from the signals that are kept. A page of the accounts at a
//! time.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use mainstay_domain::AccountId;
use sqlx::PgConnection;

use super::ScoringError;
use super::replayed_accounts::{ReplayedAccounts, ReplayedDays};
use super::replayed_groups::RawDay;
use crate::domain::backtest::{Replay, Tenure};
use crate::domain::forecast::{ContractDays, CustomerDay, OutcomeRow, TrainingRecord};
use crate::domain::{GroupDistributions, HealthModel, day_number};
use crate::storage::tenures;

/// Accounts that are drawn, with what they say of their contracts.
pub(super) type Contracts = BTreeMap<AccountId, ContractDays>;

/// What each account had on the days before the unmade ones, of which is made how measures are spread on these. Nothing of those that
/// were no customers then, or whom the model did not score.
pub(super) async fn readings(
    conn: &mut PgConnection,
    model: &HealthModel,
    record: &TrainingRecord,
    contracts: &Contracts,
) -> Result<Vec<(AccountId, Vec<RawDay>)>, ScoringError> {
    let days_before: Vec<NaiveDate> = record.unmade_days.iter().filter_map(NaiveDate::pred_opt).collect();
    let is_customer = |tenure: &Tenure, day: NaiveDate| tenure.look(day_number(day), 0).is_some();
    let accounts = load(conn, contracts, |tenure| days_before.iter().any(|day| is_customer(tenure, *day))).await?;
    let days = ReplayedDays::load(conn, model, &days_before, BTreeMap::new()).await?;
    let contexts = days.contexts(conn, &accounts).await?;
    let replay = Replay { model, contexts: &contexts };
    let mut read = nothing(contracts);
    for (id, account) in accounts.iter() {
        let days = days_before.iter().copied().filter(|day| is_customer(account.tenure, *day));
        let raw = days.filter_map(|day| RawDay::of_scoring(replay, &record.scored_segments, &account, day));
        read.insert(id.clone(), raw.collect());
    }
    Ok(read.into_iter().collect())
}

/// The customers on the days, and whether they left. Days before an account's first signal are left out.
pub(super) async fn outcomes(
    conn: &mut PgConnection,
    model: &HealthModel,
    record: &TrainingRecord,
    contracts: &Contracts,
    made: BTreeMap<NaiveDate, GroupDistributions>,
) -> Result<Vec<(AccountId, Vec<OutcomeRow>)>, ScoringError> {
    let (days, horizon_days) = (&record.draw.days, record.draw.horizon_days);
    let is_known = |tenure: &Tenure, day: NaiveDate| tenure.look(day_number(day), horizon_days).is_some();
    let accounts = load(conn, contracts, |tenure| days.iter().any(|day| is_known(tenure, *day))).await?;
    let contexts = ReplayedDays::load(conn, model, days, made).await?.contexts(conn, &accounts).await?;
    let replay = Replay { model, contexts: &contexts };
    let mut learnt = nothing(contracts);
    for (id, account) in accounts.iter() {
        let Some(contract) = contracts.get(id) else { continue };
        let rows = days.iter().copied().filter(|day| contract.has_begun(*day)).filter_map(|day| {
            let customer = CustomerDay::of(day, &replay.score(&account, day)?, *contract);
            OutcomeRow::of(id, customer, account.tenure, horizon_days)
        });
        learnt.insert(id.clone(), rows.collect());
    }
    Ok(learnt.into_iter().collect())
}

/// That nothing is known of any of them: they are gone through all the same, and counted.
fn nothing<T>(contracts: &Contracts) -> BTreeMap<AccountId, Vec<T>> {
    contracts.keys().map(|account| (account.clone(), Vec::new())).collect()
}

async fn load(
    conn: &mut PgConnection,
    contracts: &Contracts,
    is_wanted: impl Fn(&Tenure) -> bool,
) -> Result<ReplayedAccounts, ScoringError> {
    let ids: Vec<&str> = contracts.keys().map(AccountId::as_str).collect();
    let tenures = tenures::load(conn, &ids).await?;
    ReplayedAccounts::load(conn, tenures.into_iter().filter(|(_, tenure)| is_wanted(tenure)).collect()).await
}
