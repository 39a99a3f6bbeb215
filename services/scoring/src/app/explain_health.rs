//! Why an account's health is what it is, and what moved it since an earlier day.

use chrono::{Days, NaiveDate};
use mainstay_domain::{AccountId, BIG_CHANGE_DAYS, Violations, start_of_day};
use sqlx::PgConnection;

use super::get_health;
use super::health_scored::ScoredView;
use super::{App, ScoringError};
use crate::domain::{
    DeclineTrigger, GroupDistributions, HealthExplanation, Lift, Others, RecommendedStep, ScoringFacts, Snapshot,
    decline_triggers, explain, lift, recommended_steps, recovered_above,
};
use crate::storage::{group_distributions, risk_triggers, scoring_facts};

/// Health with its explanation.
#[derive(Debug)]
pub(crate) struct Explained {
    pub now: ScoredView,
    pub earlier: Option<ScoredView>,
    pub explanation: HealthExplanation,
    /// What is behind a fall since that day.
    pub decline: Vec<DeclineTrigger>,
    pub decline_since: Option<NaiveDate>,
    pub steps: Vec<RecommendedStep>,
    pub lift: Option<Lift>,
}

/// Explains the health of `day`, the newest without one, beside that of `compare_day`, which must
/// be before the day that is explained.
pub(crate) async fn execute(
    app: &App,
    account: &AccountId,
    day: Option<NaiveDate>,
    compare_day: Option<NaiveDate>,
) -> Result<Explained, ScoringError> {
    let mut conn = app.core.pool.acquire().await?;
    let now = get_health::one(app, &mut conn, account, day).await?;
    if let Some(compare_day) = compare_day {
        check_compare_day(compare_day, now.view.record.day)?;
    }
    let earlier = match compare_day {
        Some(day) => Some(get_health::one(app, &mut conn, account, Some(day)).await?),
        None => None,
    };
    let month_earlier = if earlier.is_some() { None } else { month_earlier(app, &mut conn, &now).await? };
    let before = earlier.as_ref().or(month_earlier.as_ref());
    let explained_day = now.view.record.day;
    let lasting = risk_triggers::lasting_at(&mut conn, account, start_of_day(explained_day + Days::new(1))).await?;
    let decline = decline_triggers(snapshot(&now), before.map(snapshot), &lasting);
    let decline_since = before.map(|before| before.view.record.day);
    let steps = recommended_steps(&lasting, &decline);
    let (facts, distributions) = others(&mut conn, account, &now).await?;
    let others = Others { distributions: &distributions, facts: &facts };
    let lift = lift(snapshot(&now), others, recovered_above(&now.model.band_cuts));
    let explanation = explain(snapshot(&now), earlier.as_ref().map(snapshot));
    Ok(Explained { now, earlier, explanation, decline, decline_since, steps, lift })
}

/// What was said of the account on the day, and what it was compared with then.
async fn others(
    conn: &mut PgConnection,
    account: &AccountId,
    now: &ScoredView,
) -> Result<(ScoringFacts, GroupDistributions), ScoringError> {
    if !now.model.compares_accounts() {
        return Ok(Default::default());
    }
    let day = now.view.record.day;
    let facts_by_account = scoring_facts::load(conn, &[account.as_str()]).await?;
    let facts = facts_by_account.get(account.as_str()).and_then(|facts| facts.on(day)).cloned().unwrap_or_default();
    let mut by_day = group_distributions::load(conn, &now.model.id, &[day], &facts.groups().collect()).await?;
    Ok((facts, by_day.remove(&day).unwrap_or_default()))
}

/// The health of a month before, if the account was scored by then.
async fn month_earlier(
    app: &App,
    conn: &mut PgConnection,
    now: &ScoredView,
) -> Result<Option<ScoredView>, ScoringError> {
    let record = &now.view.record;
    let day = record.day - Days::new(BIG_CHANGE_DAYS.into());
    match get_health::one(app, conn, &record.account, Some(day)).await {
        Ok(view) => Ok(Some(view)),
        Err(ScoringError::HealthNotScored { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What the request asks for need not be the day that is explained: the newest, when it names none
/// or one to come, and for an account that is not scored any more its last.
fn check_compare_day(compare_day: NaiveDate, explained_day: NaiveDate) -> Result<(), ScoringError> {
    let mut found = Violations::new();
    found.require(
        compare_day < explained_day,
        "compare_day",
        format!("must be before {explained_day}, the day that is explained"),
    );
    found.into_result(()).map_err(ScoringError::Invalid)
}

fn snapshot(view: &ScoredView) -> Snapshot<'_> {
    Snapshot { model: &view.model, scored: &view.scored, day: view.view.record.day }
}
