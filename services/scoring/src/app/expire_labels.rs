//! Ends labels whose time is over.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use mainstay_domain::AccountId;
use mainstay_jobs::Job;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{App, ScoringError, events};
use crate::domain::label::{Label, LabelMove};
use crate::storage::{accounts, labels};

/// The key of a label's timer.
pub(super) fn key(account: &AccountId, id: Uuid) -> String {
    format!("{account}/{id}")
}

/// The label's account and id in the key of its timer.
fn parse_key(key: &str) -> Option<(AccountId, Uuid)> {
    let (account, id) = key.split_once('/')?;
    Some((AccountId::parse(account).ok()?, id.parse().ok()?))
}

/// Ends those of the labels whose timers are due that are still open. One answer for each job: when to look again, if its time is not
/// over yet.
pub(crate) async fn execute(
    app: &App,
    conn: &mut PgConnection,
    due: &[Job],
) -> Result<Vec<Option<DateTime<Utc>>>, ScoringError> {
    let now = app.core.clock.now();
    let keys: Vec<Option<(AccountId, Uuid)>> = due.iter().map(|job| parse_key(&job.key)).collect();
    let accounts: Vec<&str> = keys.iter().flatten().map(|(account, _)| account.as_str()).collect();
    accounts::lock(conn, &accounts).await?;
    let open: HashMap<Uuid, Label> =
        labels::open(conn, &accounts).await?.into_iter().map(|label| (label.id, label)).collect();
    let mut next_looks = Vec::with_capacity(due.len());
    for (job, key) in due.iter().zip(&keys) {
        let label = key.as_ref().and_then(|(_, id)| open.get(id));
        let Some(label) = label else {
            next_looks.push(None);
            continue;
        };
        match label.moved(&LabelMove::Expire, now) {
            Ok(Some(expired)) => {
                labels::advance(conn, &expired).await?;
                let told = events::label_moved(app, &expired, now).caused_by(job.traceparent.as_deref());
                app.core.events.append(conn, &[told], now).await?;
                next_looks.push(None);
            }
            Ok(None) | Err(_) => next_looks.push(Some(label.said.expires_at)),
        }
    }
    Ok(next_looks)
}
