//! Takes an alert a step further, or closes it.

use mainstay_service::{Mutation, Replayable};
use uuid::Uuid;

use super::session::{About, Of};
use super::{App, InterventionsError, Session, clear_alert, record_touch};
use crate::domain::alert::{Alert, AlertMove, Moved};
use crate::domain::clock::{Clock, ClockSubject};
use crate::domain::touch::TouchChannel;
use crate::storage::alerts;

/// A step, and how the customer was reached by it.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    /// The step.
    pub step: AlertMove,
    /// For an execution: how the customer was contacted, and whether it answered.
    pub contact: Option<(TouchChannel, bool)>,
}

/// Takes the step; one that was taken before is answered as it is, whatever the `etag`: it may be that of a first call
/// whose answer was lost.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    id: Uuid,
    etag: Option<&str>,
    step: &Step,
    actor: &str,
    answer: impl Fn(&Alert, &str, &[Clock]) -> T + Sync,
) -> Result<T, InterventionsError> {
    app.core
        .mutate(mutation, async |conn| {
            let stored = alerts::lookup(conn, id).await?.ok_or(InterventionsError::AlertNotFound(id))?;
            let mut session = Session::begin(app, conn, &stored.account, actor).await?;
            // Read again: what was read before the account was held may be old.
            let (alert, mut clocks) = session.alert(id).await?;
            let refused = |refused| InterventionsError::of_alert(id, refused);
            let (moved, met) = match alert.moved(&step.step, session.now).map_err(refused)? {
                Moved::Already => return Ok(answer(&alert, &session.account.display_name, &clocks)),
                Moved::To(moved, met) => (*moved, met),
            };
            if etag.is_some_and(|etag| !alert.etag().matches(etag)) {
                return Err(InterventionsError::EtagMismatch);
            }
            if let AlertMove::Close { resolution, notes } = &step.step {
                let why = if notes.is_empty() { "Resolved" } else { notes };
                let ended = clear_alert::close(&mut session, alert, *resolution, why).await?;
                let (_, clocks) = session.alert(id).await?;
                return Ok(answer(&ended, &session.account.display_name, &clocks));
            }
            session.meet(&mut clocks, met, Of::Alert(&moved)).await?;
            let moved = keep_due(&mut session, moved, &mut clocks).await?;
            let moved = session.change_alert(moved, &clocks).await?;
            session.note("alert_moved", sentence(&step.step), About::alert(&moved)).await?;
            if let AlertMove::Plan(_) = &step.step {
                let notice = session.alert_planned_notice(&moved, &clocks);
                session.notify(&[], &notice, About::alert(&moved)).await?;
            }
            if let (AlertMove::Execute(summary), Some((channel, is_answered))) = (&step.step, step.contact) {
                let touch = record_touch::outbound(&session, moved.case, channel, is_answered, summary);
                record_touch::in_session(&mut session, &touch).await?;
            }
            Ok(answer(&moved, &session.account.display_name, &clocks))
        })
        .await
}

/// The alert with its next due moment, which an open alert always has.
pub(super) async fn keep_due(
    session: &mut Session<'_>,
    alert: Alert,
    clocks: &mut Vec<Clock>,
) -> Result<Alert, InterventionsError> {
    let policy = session.policy_version(alert.policy, alert.policy_version).await?;
    let subject = ClockSubject::Alert(alert.id);
    let next_due_at = session.next_due(subject, clocks, policy.definition.reminder_after_seconds).await?;
    let has_breach = alert.has_breach || clocks.iter().any(super::tick_clocks::is_breach);
    Ok(Alert { next_due_at: Some(next_due_at), has_breach, ..alert })
}

fn sentence(step: &AlertMove) -> String {
    match step {
        AlertMove::Acknowledge => "Acknowledged".to_owned(),
        AlertMove::Assess { assessment, immediate_action_needed: true } => {
            format!("Assessed, immediate action needed: {assessment}")
        }
        AlertMove::Assess { assessment, .. } => format!("Assessed: {assessment}"),
        AlertMove::Plan(plan) => format!("Planned: {plan}"),
        AlertMove::Execute(execution) => format!("Executed: {execution}"),
        AlertMove::FollowUp { follow_up, issue_resolved: true } => {
            format!("Followed up, the issue is resolved: {follow_up}")
        }
        AlertMove::FollowUp { follow_up, .. } => format!("Followed up, the issue is not resolved: {follow_up}"),
        AlertMove::Close { notes, .. } => format!("Closed: {notes}"),
    }
}
