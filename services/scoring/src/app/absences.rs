//! What did not happen and was to be expected: features never adopted, champions gone silent.

use std::collections::BTreeSet;

use chrono::{Datelike, Days, NaiveDate};
use mainstay_domain::start_of_day;
use sqlx::PgConnection;

use super::ScoringError;
use super::health_risks::Customer;
use super::risk_changes::{Change, Lasting};
use crate::domain::feature_adoption::{self, LOOKED_AT_DAYS, PEER_USE_DAYS, PeerGroup, PeerUse};
use crate::domain::risk_trigger::{RiskCause, RiskTriggerKind, Verdict};
use crate::storage::accounts::ScoredAccount;
use crate::storage::peers;

/// What becomes of the silence of champions. It is raised when the account's time has come to be looked at, and ends with the score
/// that follows an activity, or when the person is no champion any more.
pub(super) fn judge_champions(customers: &[Customer<'_>], lasting: &Lasting, today: NaiveDate) -> Vec<Change> {
    let kind = RiskTriggerKind::ChampionSilent;
    let mut changes = Vec::new();
    for Customer { account, series, scored } in customers {
        let silent: BTreeSet<&str> = lasting.subjects(&account.id, kind).collect();
        for champion in &account.champions {
            if scored.look_due || silent.contains(champion.id.as_str()) {
                let verdict = champion.verdict(series, today);
                changes.extend(lasting.judge(&account.id, kind, &champion.id, verdict));
            }
        }
        let is_champion = |contact: &str| account.champions.iter().any(|champion| champion.id == contact);
        let others = silent.into_iter().filter(|contact| !is_champion(contact));
        changes.extend(others.filter_map(|contact| lasting.judge(&account.id, kind, contact, Verdict::NotMet)));
    }
    changes
}

/// What becomes of features that were not adopted. Peers are asked for only when the time of somebody has come.
pub(super) async fn judge_adoption(
    conn: &mut PgConnection,
    customers: &[Customer<'_>],
    lasting: &Lasting,
    today: NaiveDate,
) -> Result<Vec<Change>, ScoringError> {
    let kind = RiskTriggerKind::FeatureNotAdopted;
    let mut changes = Vec::new();
    let mut due = Vec::new();
    for customer @ Customer { account, series, scored } in customers {
        let activation_day = account.activation_day;
        let due_day = activation_day.filter(|day| scored.look_due && feature_adoption::is_looked_at(*day, today));
        if let Some(activation_day) = due_day {
            due.push((customer, activation_day));
        } else if let Some(RiskCause::FeatureNotAdopted(last)) = lasting.cause(&account.id, kind) {
            let verdict = feature_adoption::verdict_of_lasting(series, activation_day, today, last);
            changes.extend(lasting.judge(&account.id, kind, "", verdict));
        }
    }
    if due.is_empty() {
        return Ok(changes);
    }
    let groups: BTreeSet<PeerGroup> = due.iter().map(|(customer, _)| group_of(customer.account)).collect();
    let groups: Vec<&PeerGroup> = groups.iter().collect();
    let uses = load_peer_use(conn, &groups, today).await?;
    for (Customer { account, series, .. }, activation_day) in due {
        let place = groups.binary_search(&&group_of(account)).ok();
        let Some(peers) = place.and_then(|place| uses.get(place)) else { continue };
        let verdict = feature_adoption::verdict(series, activation_day, peers);
        changes.extend(lasting.judge(&account.id, kind, "", verdict));
    }
    Ok(changes)
}

fn group_of(account: &ScoredAccount) -> PeerGroup {
    PeerGroup { segment: account.facts.segment, plan: account.facts.plan.clone() }
}

/// What the peers of each group use.
pub(super) async fn load_peer_use(
    conn: &mut PgConnection,
    groups: &[&PeerGroup],
    today: NaiveDate,
) -> Result<Vec<PeerUse>, ScoringError> {
    let days_before = |days: u64| today.checked_sub_days(Days::new(days)).unwrap_or(today);
    let activated_before = start_of_day(days_before(u64::from(LOOKED_AT_DAYS.unsigned_abs())));
    let since = days_before(u64::from(PEER_USE_DAYS));
    let since = since.with_day(1).unwrap_or(since);
    Ok(peers::feature_use(conn, groups, activated_before, since).await?)
}
