//! Use that declines, and days with activity that become fewer.

use std::collections::HashMap;

use chrono::{Days, NaiveDate};
use mainstay_domain::AccountId;
use sqlx::PgConnection;

use super::ScoringError;
use super::account_series::load_counts_since;
use super::health_risks::Customer;
use super::risk_changes::{Change, Lasting};
use crate::domain::login_drop::LoginDays;
use crate::domain::risk_trigger::{Condition, RiskCause, RiskTriggerKind, Verdict};
use crate::domain::{AccountSeries, is_everybodys, usage_decline};
use crate::storage::peers;

/// Peers that are asked whether they fell too, on each side of an account in the order of ids.
const PEERS_EACH_SIDE: i64 = 25;
/// Days of peers' use that are looked at: seven complete weeks, the one that is not, and a day in which it may come late.
const PEER_DAYS: u64 = 64;

/// What becomes of these conditions of customers whose rows were written today. A fall is raised only when it is not that of most
/// peers too; they are asked for only when there is one to raise.
pub(super) async fn judge(
    conn: &mut PgConnection,
    customers: &[Customer<'_>],
    lasting: &Lasting,
    today: NaiveDate,
) -> Result<Vec<Change>, ScoringError> {
    let mut changes = Vec::new();
    let mut falls = Vec::new();
    for Customer { account, series, .. } in customers {
        for kind in [RiskTriggerKind::UsageDecline, RiskTriggerKind::LoginDrop] {
            match (verdict(kind, series, lasting.cause(&account.id, kind), today), lasting.has(&account.id, kind)) {
                (Verdict::Met(condition), false) => falls.push((&account.id, kind, condition)),
                (verdict, _) => changes.extend(lasting.judge(&account.id, kind, "", verdict)),
            }
        }
    }
    let Some((first, ..)) = falls.first() else { return Ok(changes) };
    let peers = load_peers(conn, first, today).await?;
    for (account, kind, condition) in falls {
        if !is_of_peers_too(&condition, &peers, today) {
            changes.extend(lasting.judge(account, kind, "", Verdict::Met(condition)));
        }
    }
    Ok(changes)
}

fn verdict(kind: RiskTriggerKind, series: &AccountSeries, lasting: Option<&RiskCause>, today: NaiveDate) -> Verdict {
    match (kind, lasting) {
        (RiskTriggerKind::LoginDrop, _) => LoginDays::of(series, today).verdict(),
        (_, Some(RiskCause::UsageDecline(last))) => usage_decline::verdict(series, today, Some(last)),
        _ => usage_decline::verdict(series, today, None),
    }
}

async fn load_peers(
    conn: &mut PgConnection,
    account: &AccountId,
    today: NaiveDate,
) -> Result<HashMap<String, AccountSeries>, ScoringError> {
    let ids = peers::neighbours(conn, account.as_str(), PEERS_EACH_SIDE).await?;
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    load_counts_since(conn, &ids, today.checked_sub_days(Days::new(PEER_DAYS)).unwrap_or(today)).await
}

fn is_of_peers_too(condition: &Condition, peers: &HashMap<String, AccountSeries>, today: NaiveDate) -> bool {
    let shares = |share: &dyn Fn(&AccountSeries) -> Option<f64>| peers.values().filter_map(share).collect();
    match &condition.cause {
        RiskCause::UsageDecline(decline) => {
            let peer_shares = shares(&|peer| usage_decline::share_of_base(peer, &decline.series, today));
            is_everybodys(decline.share(), peer_shares)
        }
        RiskCause::LoginDrop(days) => {
            let peer_shares = shares(&|peer| LoginDays::of(peer, today).share());
            days.share().is_some_and(|share| is_everybodys(share, peer_shares))
        }
        _ => false,
    }
}
