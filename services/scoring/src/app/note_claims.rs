//! Notes which source said what of accounts.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use mainstay_domain::{AccountId, day_of};
use sqlx::PgConnection;

use super::ScoringError;
use crate::domain::account::AccountFacts;
use crate::domain::data_source::{SystemDay, Told};
use crate::domain::field_claim::{Teller, claims_of_contract};
use crate::domain::lifecycle::Lifecycle;
use crate::domain::signal::Signal;
use crate::domain::story::Stamp;
use crate::storage::field_claims::Claim;
use crate::storage::{field_claims, system_days};

/// Of accounts that this transaction holds or creates, also where what is said changes nothing: it is said all the same.
pub(super) async fn execute<'a>(
    conn: &mut PgConnection,
    teller: Option<&Teller>,
    said: impl Iterator<Item = (&'a AccountId, &'a AccountFacts)>,
    now: DateTime<Utc>,
) -> Result<(), ScoringError> {
    let Some(teller) = teller else { return Ok(()) };
    let mut claims: Vec<_> = said
        .flat_map(|(account, facts)| {
            teller.claims(facts).into_iter().map(move |(field, value)| (account, field, value))
        })
        .collect();
    claims.sort_by(|one, other| (one.0, one.1).cmp(&(other.0, other.1)));
    if claims.is_empty() {
        return Ok(());
    }
    let today = SystemDay { system: &teller.source, told: Told::Accounts, day: day_of(now) };
    system_days::note(conn, &BTreeSet::from([today])).await?;
    Ok(field_claims::write(conn, &teller.source, &claims, now).await?)
}

/// Notes what the sources of signals say of contracts, of accounts that this transaction holds. A signal that comes late says
/// what was before, and is no word any more.
pub(super) async fn of_signals(
    conn: &mut PgConnection,
    told: &[(Stamp, &Signal)],
    lifecycles: &BTreeMap<AccountId, Lifecycle>,
    now: DateTime<Utc>,
) -> Result<(), ScoringError> {
    let mut said: BTreeMap<&str, Vec<Claim<'_>>> = BTreeMap::new();
    for (stamp, signal) in told {
        let Some((account, lifecycle)) = lifecycles.get_key_value(&signal.account) else { continue };
        for (field, value) in claims_of_contract(lifecycle.newest_of(stamp)) {
            said.entry(&signal.source).or_default().push((account, field, value));
        }
    }
    for (source, mut claims) in said {
        claims.sort_by(|one, other| (one.0, one.1).cmp(&(other.0, other.1)));
        field_claims::write(conn, source, &claims, now).await?;
    }
    Ok(())
}
