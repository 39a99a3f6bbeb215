//! Hands a saved account back to monthly monitoring: its owner looks at it again after each of three months, so that a
//! relapse is not first seen by the next alert.

use chrono::{DateTime, TimeDelta, Utc};
use mainstay_domain::Points;
use mainstay_jobs::NewJob;
use sqlx::PgConnection;
use uuid::Uuid;

use super::notify::{Notice, account_lines};
use super::open_case::open_at_risk;
use super::queues::MONITORING_QUEUE;
use super::session::About;
use super::{App, InterventionsError, Session};
use crate::domain::case::{Case, Outcome};
use crate::storage::cases;

/// How long after the end of a case its account is looked at, and again after that.
const EVERY: TimeDelta = TimeDelta::days(30);
/// How often.
const ROUNDS: i32 = 3;

/// Has the account of a saved case looked at.
pub(super) async fn begin(session: &mut Session<'_>, case: &Case) -> Result<(), InterventionsError> {
    if case.outcome == Some(Outcome::Saved) {
        let job = NewJob::due(case.id.to_string(), session.now + EVERY);
        session.app.core.jobs.schedule(session.conn, MONITORING_QUEUE, &[job], session.now).await?;
    }
    Ok(())
}

/// Has the owner of a case that was saved look at its account, and says when next. It ends after the last month, with the
/// customer, and when a new case has taken over.
pub(crate) async fn execute(
    app: &App,
    conn: &mut PgConnection,
    id: Uuid,
) -> Result<Option<DateTime<Utc>>, InterventionsError> {
    let Some(stored) = cases::lookup(conn, id).await? else { return Ok(None) };
    let Some(closed_at) = stored.closed_at else { return Ok(None) };
    let mut session = Session::begin_as_of(app, conn, &stored.account, app.core.clock.now()).await?;
    let has_new_case = open_at_risk(&mut session).await?.is_some();
    if !session.account.is_customer() || has_new_case {
        return Ok(None);
    }
    // Months that passed while the service was away are looked at once.
    let passed = (session.now - closed_at).num_days() / EVERY.num_days();
    let round = i32::try_from(passed).unwrap_or(ROUNDS).clamp(1, ROUNDS);
    let words = |score: Option<Points>| score.map_or("no score".to_owned(), |score| format!("{:.1}", score.as_f64()));
    let scores =
        format!("{}, and {} when it was saved", words(session.account.health.score), words(stored.score_at_close));
    let body = format!("Month {round} of {ROUNDS} after it was saved: health is {scores}");
    session.note("case_monitored", body.clone(), About::case(id)).await?;
    let mut lines = vec![body];
    lines.extend(account_lines(&session.account));
    lines.push(format!("Talking points: mainstay cases talking-points {}", session.account.id));
    let notice = Notice {
        purpose: "case_monitored",
        key: format!("case/{id}/monitored/{round}"),
        subject: format!("{}: month {round} after it was saved", session.account.display_name),
        lines,
        slack: false,
        webhook: None,
    };
    session.notify(std::slice::from_ref(&stored.owner_email), &notice, About::case(id)).await?;
    Ok((round < ROUNDS).then(|| closed_at + EVERY * (round + 1)))
}
