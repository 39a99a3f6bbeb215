//! Which features an account uses, and what it reached with them.

use mainstay_domain::{AccountId, day_of};
use mainstay_storage::begin;

use super::absences::load_peer_use;
use super::account_series::load_series;
use super::{App, ScoringError};
use crate::domain::account_adoption::{AccountAdoption, used_features};
use crate::domain::feature_adoption::{PeerGroup, unused_features};
use crate::storage::{accounts, adoption_targets, milestones};

/// As it was scored last; its features as they are by now.
pub(crate) async fn execute(app: &App, id: &AccountId) -> Result<AccountAdoption, ScoringError> {
    let mut conn = begin(&app.core.pool).await?;
    let conn = &mut *conn;
    let as_of = app.core.clock.now();
    let today = day_of(as_of);
    let account = accounts::lookup(conn, id).await?.ok_or_else(|| ScoringError::AccountNotFound(id.clone()))?;
    let ids = [id.as_str()];
    let series = load_series(conn, &ids).await?.remove(id.as_str()).unwrap_or_default();
    let group = PeerGroup { segment: account.facts.segment, plan: account.facts.plan };
    let peers = load_peer_use(conn, &[&group], today).await?.into_iter().next().unwrap_or_default();
    Ok(AccountAdoption {
        account: id.clone(),
        as_of,
        activation_day: account.facts.activated_at.filter(|at| *at <= as_of).map(day_of),
        outcomes: adoption_targets::outcomes(conn, &ids).await?.remove(id.as_str()).unwrap_or_default(),
        features: used_features(&series, today),
        unused: unused_features(&series, &peers),
        peer_count: peers.peer_count,
        milestones: milestones::days(conn, &ids).await?.remove(id.as_str()).unwrap_or_default(),
    })
}
