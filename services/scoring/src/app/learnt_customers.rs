//! What a forecast learns from: customers of the past as a health model sees them, and whether they left.
//!
//! Whatever scored them then, all are scored again by the one model, from the signals that are kept.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use mainstay_domain::AccountId;
use sqlx::PgConnection;

use super::ScoringError;
use super::made_distributions::distributions;
use super::replayed_accounts::{ReplayedAccounts, ReplayedDays};
use crate::domain::backtest::{Replay, Tenure};
use crate::domain::forecast::{ContractDays, CustomerDay, OutcomeRow};
use crate::domain::{GroupDistributions, HealthModel, ScoringFacts, Segment, day_number};
use crate::storage::{forecasts, group_distributions, tenures};

/// Accounts whose signals are in memory at once.
const PAGE: i64 = 500;

/// What accounts had in each measure before any comparison, with what was said of each.
type RawValues = Vec<(ScoringFacts, Vec<Option<f64>>)>;

/// As of which days, and of which of the accounts.
pub(super) struct Draw {
    pub days: Vec<NaiveDate>,
    /// So many of the parts of [`forecasts::PARTS`].
    pub parts: i64,
    pub horizon_days: u32,
}

/// The customers on these days by the model, which scores the accounts of these segments, and whether they left. Days before an
/// account's first signal are left out.
pub(super) async fn outcome_rows(
    conn: &mut PgConnection,
    model: &HealthModel,
    scored_segments: &[Segment],
    draw: &Draw,
) -> Result<Vec<OutcomeRow>, ScoringError> {
    let made = made_distributions(conn, model, scored_segments, draw).await?;
    let days = ReplayedDays::load(conn, model, &draw.days, made).await?;
    let mut rows = Vec::new();
    let mut pages = Pages::new(draw);
    while let Some(contracts) = pages.next(conn).await? {
        let is_known = |tenure: &Tenure, day| tenure.look(day_number(day), draw.horizon_days).is_some();
        let accounts = load(conn, &contracts, |tenure| draw.days.iter().any(|day| is_known(tenure, *day))).await?;
        let contexts = days.contexts(conn, &accounts).await?;
        let replay = Replay { model, contexts: &contexts };
        for (id, account) in accounts.iter() {
            let Some(contract) = contracts.get(id) else { continue };
            let days = draw.days.iter().copied().filter(|day| contract.has_begun(*day));
            rows.extend(days.filter_map(|day| {
                let customer = CustomerDay::of(day, &replay.score(&account, day)?, *contract);
                OutcomeRow::of(id, customer, account.tenure, draw.horizon_days)
            }));
        }
    }
    // Sums of floating-point numbers depend on the order: it is not to depend on the pages.
    rows.sort_by(|one, other| (one.customer.day, &one.account).cmp(&(other.customer.day, &other.account)));
    Ok(rows)
}

/// How measures are spread on those of the days for which that is not kept: over the customers that are drawn, by what they had on
/// the day before.
async fn made_distributions(
    conn: &mut PgConnection,
    model: &HealthModel,
    scored_segments: &[Segment],
    draw: &Draw,
) -> Result<BTreeMap<NaiveDate, GroupDistributions>, ScoringError> {
    let Some((first, last)) = draw.days.first().zip(draw.days.last()) else { return Ok(BTreeMap::new()) };
    if !model.compares_accounts() {
        return Ok(BTreeMap::new());
    }
    let kept = group_distributions::made_days(conn, &[model.id.as_str()], *first, *last, None).await?;
    let missing = draw.days.iter().filter(|day| !kept.contains(&(model.id.clone(), **day)));
    let days_before: Vec<NaiveDate> = missing.filter_map(NaiveDate::pred_opt).collect();
    let days = ReplayedDays::load(conn, model, &days_before, BTreeMap::new()).await?;
    let mut numbers: BTreeMap<NaiveDate, RawValues> = BTreeMap::new();
    let mut pages = Pages::new(draw);
    while let Some(contracts) = pages.next(conn).await? {
        let is_customer = |tenure: &Tenure, day| tenure.look(day_number(day), 0).is_some();
        let accounts = load(conn, &contracts, |tenure| days_before.iter().any(|day| is_customer(tenure, *day))).await?;
        let contexts = days.contexts(conn, &accounts).await?;
        let replay = Replay { model, contexts: &contexts };
        for (_, account) in accounts.iter() {
            for &day in days_before.iter().filter(|day| is_customer(account.tenure, **day)) {
                let facts = account.facts.on(day).cloned().unwrap_or_default();
                let scored = scored_segments.contains(&facts.segment).then(|| replay.score(&account, day)).flatten();
                if let Some(scored) = scored {
                    let values = scored.measures.iter().map(|measure| measure.raw_value).collect();
                    numbers.entry(day).or_default().push((facts, values));
                }
            }
        }
    }
    let of_day =
        |(day_before, numbers): (NaiveDate, RawValues)| Some((day_before.succ_opt()?, distributions(model, &numbers)));
    Ok(numbers.into_iter().filter_map(of_day).collect())
}

async fn load(
    conn: &mut PgConnection,
    contracts: &BTreeMap<AccountId, ContractDays>,
    is_wanted: impl Fn(&Tenure) -> bool,
) -> Result<ReplayedAccounts, ScoringError> {
    let ids: Vec<&str> = contracts.keys().map(AccountId::as_str).collect();
    let tenures = tenures::load(conn, &ids).await?;
    ReplayedAccounts::load(conn, tenures.into_iter().filter(|(_, tenure)| is_wanted(tenure)).collect()).await
}

/// The accounts that are drawn, page by page.
struct Pages {
    parts: i64,
    after: Option<AccountId>,
}

impl Pages {
    const fn new(draw: &Draw) -> Self {
        Self { parts: draw.parts, after: None }
    }

    async fn next(
        &mut self,
        conn: &mut PgConnection,
    ) -> Result<Option<BTreeMap<AccountId, ContractDays>>, ScoringError> {
        let page = forecasts::contracts(conn, self.parts, self.after.as_ref(), PAGE).await?;
        self.after = page.last_key_value().map(|(account, _)| account.clone());
        Ok((!page.is_empty()).then_some(page))
    }
}
