//! What a change of plan costs an account and what it gets.

use chrono::{DateTime, Utc};
use mainstay_accounts::Account;
use mainstay_domain::{AccountId, Currency, Money};
use mainstay_storage::begin;
use sqlx::PgConnection;

use super::get_plan::lookup;
use super::{App, ExpansionError};
use crate::domain::{Missing, PlanComparison, PlanId, PlanName, compare};
use crate::storage::{plans, usage};

/// What is asked; what is not said is the account's own.
#[derive(Debug, Clone)]
pub(crate) struct Comparison {
    pub account: AccountId,
    pub from: Option<PlanId>,
    pub to: Option<PlanId>,
    pub seats: Option<i64>,
    pub currency: Option<Currency>,
}

/// Compares the plans, and says as of when.
pub(crate) async fn execute(app: &App, asked: &Comparison) -> Result<(PlanComparison, DateTime<Utc>), ExpansionError> {
    let mut conn = begin(&app.core.pool).await?;
    let account = app.accounts.lookup(&mut conn, &asked.account).await?;
    let account = account.ok_or_else(|| ExpansionError::AccountNotFound(asked.account.clone()))?;
    let mut missing = Vec::new();
    let mut miss = |kind: &'static str, text: &str| missing.push(Missing { kind, text: text.to_owned() });
    let from = asked.from.clone().or_else(|| PlanId::parse(&account.plan).ok());
    if from.is_none() {
        miss("PLAN", "the account is on no plan that is known: name from_plan");
    }
    let from = match from {
        Some(id) => Some(lookup(&mut conn, &PlanName { id, version: None }).await?),
        None => None,
    };
    let to = asked.to.clone().or_else(|| from.as_ref().and_then(|plan| plan.draft.upgrade.clone()));
    if to.is_none() && from.is_some() {
        miss("UPGRADE", "the plan has no next larger one: name to_plan");
    }
    let to = match to {
        Some(id) => Some(lookup(&mut conn, &PlanName { id, version: None }).await?),
        None => None,
    };
    let seats = asked.seats.or(account.seats);
    if seats.is_none() {
        miss("SEATS", "the account's seats are not known: name seats");
    }
    let (Some(from), Some(to), Some(seats)) = (from, to, seats) else {
        return Err(ExpansionError::PlansNotComparable(missing));
    };
    let currency = asked.currency.or(account.arr.map(|arr| arr.currency));
    let last_month = usage::recent(&mut conn, &account.id, 1).await?.pop();
    let comparison = compare(from, to, seats, currency, last_month)
        .map_err(|text| ExpansionError::PlansNotComparable(vec![Missing { kind: "PRICES", text }]))?;
    Ok((comparison, app.core.clock.now()))
}

/// How much more an account would pay a year; none when that is not known.
pub(super) async fn expected_gain(
    conn: &mut PgConnection,
    account: &Account,
    from: &PlanId,
    to: &PlanId,
) -> Result<Option<Money>, ExpansionError> {
    let (from, to) = (plans::in_force(conn, from).await?, plans::in_force(conn, to).await?);
    let (Some(from), Some(to), Some(seats)) = (from, to, account.seats) else { return Ok(None) };
    let comparison = compare(from, to, seats, account.arr.map(|arr| arr.currency), None).ok();
    Ok(comparison.and_then(|comparison| comparison.gain()).filter(|gain| gain.minor_units > 0))
}
