//! Why an account's health is what it is, and what moved it since an earlier day.

use chrono::NaiveDate;
use mainstay_domain::AccountId;

use super::get_health;
use super::health_scored::ScoredView;
use super::{App, ScoringError};
use crate::domain::{HealthExplanation, Snapshot, explain};

/// Health with its explanation.
#[derive(Debug)]
pub(crate) struct Explained {
    pub now: ScoredView,
    pub earlier: Option<ScoredView>,
    pub explanation: HealthExplanation,
}

/// Explains the health of `day`, the newest without one, beside that of `compare_day`.
pub(crate) async fn execute(
    app: &App,
    account: &AccountId,
    day: Option<NaiveDate>,
    compare_day: Option<NaiveDate>,
) -> Result<Explained, ScoringError> {
    let mut conn = app.pool.acquire().await?;
    let now = get_health::one(app, &mut conn, account, day).await?;
    let earlier = match compare_day {
        Some(day) => Some(get_health::one(app, &mut conn, account, Some(day)).await?),
        None => None,
    };
    let explanation = explain(snapshot(&now), earlier.as_ref().map(snapshot));
    Ok(Explained { now, earlier, explanation })
}

fn snapshot(view: &ScoredView) -> Snapshot<'_> {
    Snapshot { model: &view.model, scored: &view.scored, day: view.view.record.day }
}
