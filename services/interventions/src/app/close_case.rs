//! Closes a case: saved, churned, no action, or by a detractor's next answer.

use mainstay_domain::Points;
use mainstay_service::{Mutation, Replayable};
use uuid::Uuid;

use super::notify::{Notice, case_lines};
use super::session::{About, Of};
use super::{App, InterventionsError, Session, clear_alert, events, monitor_saved, tick_clocks};
use crate::domain::alert::{AlertKind, Resolution};
use crate::domain::case::{Case, CaseKind, Outcome, met_by_end};
use crate::domain::clock::Clock;
use crate::domain::task::{Task, TaskState};
use crate::storage::{alerts, cases, clocks, tasks};

/// How a person closes a case.
#[derive(Debug, Clone)]
pub(crate) struct Ending {
    /// How it ended.
    pub outcome: Outcome,
    /// Why.
    pub notes: String,
}

/// Closes the case as a person asks for; one that was closed so already is answered as it is.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    id: Uuid,
    etag: Option<&str>,
    ending: &Ending,
    actor: &str,
    answer: impl Fn(&Case, &str, &[Clock]) -> T + Sync,
) -> Result<T, InterventionsError> {
    let confirmed = confirmed_score(app, id, ending.outcome).await?;
    app.core
        .mutate(mutation, async |conn| {
            let stored = cases::lookup(conn, id).await?.ok_or(InterventionsError::CaseNotFound(id))?;
            let mut session = Session::begin(app, conn, &stored.account, actor).await?;
            let (case, clocks) = session.case(id).await?;
            if case.is_closed() {
                if case.outcome != Some(ending.outcome) {
                    return Err(InterventionsError::CaseClosed(id));
                }
                return Ok(answer(&case, &session.account.display_name, &clocks));
            }
            if etag.is_some_and(|etag| !case.etag().matches(etag)) {
                return Err(InterventionsError::EtagMismatch);
            }
            // Without scoring beside it, the service goes by what it was told last.
            let score = confirmed.unwrap_or(session.account.health.score);
            case.check_close(ending.outcome, &ending.notes, score)
                .map_err(|refused| InterventionsError::of_case(id, refused))?;
            let ended = in_session(&mut session, case, ending.outcome, &ending.notes, score).await?;
            let (_, clocks) = session.case(id).await?;
            Ok(answer(&ended, &session.account.display_name, &clocks))
        })
        .await
}

/// What scoring says now of the account's score, before any row is held; nothing when nobody has to confirm.
async fn confirmed_score(app: &App, id: Uuid, outcome: Outcome) -> Result<Option<Option<Points>>, InterventionsError> {
    let Some(scoring) = app.scoring.as_ref().filter(|_| outcome == Outcome::Saved) else { return Ok(None) };
    let mut conn = app.core.pool.acquire().await.map_err(mainstay_storage::StorageError::from)?;
    let case = cases::lookup(&mut conn, id).await?.ok_or(InterventionsError::CaseNotFound(id))?;
    drop(conn);
    if case.is_closed() {
        // It is answered as it is, or as it was: nothing is decided any more.
        return Ok(None);
    }
    let score = scoring.score(&case.account).await;
    score.map(Some).map_err(|error| InterventionsError::ScoreNotConfirmed(error.to_string()))
}

/// Closes a case of the session's account, with its tasks, and the alerts that were about the same.
pub(super) async fn in_session(
    session: &mut Session<'_>,
    case: Case,
    outcome: Outcome,
    notes: &str,
    score: Option<Points>,
) -> Result<Case, InterventionsError> {
    let (_, mut all) = session.case(case.id).await?;
    session.meet(&mut all, met_by_end(outcome), Of::Case(&case)).await?;
    session.end_clocks(&mut all, Of::Case(&case)).await?;
    cancel_tasks(session, case.id).await?;
    close_alerts(session, &case, outcome).await?;
    let ended = case.ended(outcome, notes, score, session.now);
    let ended = Case { has_breach: ended.has_breach || all.iter().any(tick_clocks::is_breach), ..ended };
    let ended = session.save_case(ended).await?;
    if let Some(is_saved) = is_saved(outcome) {
        cases::count_outcome(session.conn, ended.kind, session.account.segment, ended.depth(), is_saved).await?;
    }
    let body = if notes.is_empty() { words(outcome).to_owned() } else { format!("{}: {notes}", words(outcome)) };
    session.note("case_closed", body, About::case(ended.id)).await?;
    let event = events::case_closed(&ended, &session.account.display_name, &all);
    session.tell(&event).await?;
    share(session, &ended).await?;
    monitor_saved::begin(session, &ended).await?;
    Ok(ended)
}

async fn cancel_tasks(session: &mut Session<'_>, case: Uuid) -> Result<(), InterventionsError> {
    for task in tasks::open_of_case(session.conn, case).await? {
        let mut all = clocks::of_all(session.conn, &[], &[], &[task.id]).await?;
        session.end_clocks(&mut all, tick_clocks::of_task(&task)).await?;
        let ended = Task { state: TaskState::Cancelled, ended_at: Some(session.now), ..task };
        tasks::update(session.conn, &ended).await?;
    }
    Ok(())
}

/// Alerts on the account's health, use and renewal are over with the case at risk; those on payments and tickets have ends of
/// their own. A detractor's alert is over with the detractor's case.
async fn close_alerts(session: &mut Session<'_>, case: &Case, outcome: Outcome) -> Result<(), InterventionsError> {
    let resolution = match outcome {
        Outcome::Saved | Outcome::Recovered | Outcome::NotRecovered => Resolution::Resolved,
        Outcome::Churned => Resolution::AccountGone,
        Outcome::NoAction => Resolution::NoAction,
    };
    let account = session.account.id.clone();
    for alert in alerts::open_of_account(session.conn, &account).await? {
        let is_about_the_same = match alert.kind {
            AlertKind::HealthCritical
            | AlertKind::HealthAtRisk
            | AlertKind::HealthDrop
            | AlertKind::Inactivity
            | AlertKind::UsageDecline
            | AlertKind::LoginDrop
            | AlertKind::FeatureNotAdopted
            | AlertKind::ChampionSilent
            | AlertKind::RenewalAtRisk
            | AlertKind::Manual => case.kind == CaseKind::AtRisk,
            AlertKind::Detractor => case.kind == CaseKind::Detractor,
            AlertKind::PaymentFailed
            | AlertKind::PaymentSlowing
            | AlertKind::BillingDispute
            | AlertKind::TicketUrgent
            | AlertKind::TicketFrustrated => false,
        };
        if is_about_the_same && alert.case == Some(case.id) {
            clear_alert::close(session, alert, resolution, "The case was closed").await?;
        }
    }
    Ok(())
}

/// Tells the team how it ended and what worked, so that the next one begins with that.
async fn share(session: &mut Session<'_>, ended: &Case) -> Result<(), InterventionsError> {
    let outcome = ended.outcome.map(words).unwrap_or_default();
    let mut lines = case_lines(ended, &session.account);
    for (what, text) in [
        ("Root cause", &ended.findings.root_cause),
        ("What worked", &ended.findings.what_worked),
        ("Because", &ended.outcome_notes),
    ] {
        if !text.is_empty() {
            lines.push(format!("{what}: {text}"));
        }
    }
    let notice = Notice {
        purpose: "case_closed",
        key: format!("case/{}/closed", ended.id),
        subject: format!("{}: case closed: {outcome}", session.account.display_name),
        lines,
        slack: true,
        webhook: Some(session.case_payload(ended)),
    };
    session.notify(&[], &notice, About::case(ended.id)).await
}

/// Whether a case ended well; nothing is learnt from one that ended without action.
const fn is_saved(outcome: Outcome) -> Option<bool> {
    match outcome {
        Outcome::Saved | Outcome::Recovered => Some(true),
        Outcome::Churned | Outcome::NotRecovered => Some(false),
        Outcome::NoAction => None,
    }
}

const fn words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Saved => "Saved",
        Outcome::Churned => "Churned",
        Outcome::NoAction => "No action",
        Outcome::Recovered => "Recovered",
        Outcome::NotRecovered => "Not recovered",
    }
}
