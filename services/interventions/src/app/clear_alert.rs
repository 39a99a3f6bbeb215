//! Closes an alert whose cause ended by itself.

use chrono::{DateTime, Utc};

use super::notify::Notice;
use super::session::{About, Of};
use super::{InterventionsError, Session, events, tick_clocks};
use crate::domain::alert::{Alert, AlertKind, Resolution};
use crate::domain::clock::{Clock, ClockState, ClockStep};
use crate::storage::alerts;

/// Closes the open alert of the session's account about what began then and has ended, if there is one. One about what has
/// begun since stays open: an end comes again when a feed is read anew.
pub(crate) async fn in_session(
    session: &mut Session<'_>,
    kind: AlertKind,
    subject: &str,
    began_at: DateTime<Utc>,
    resolution: Resolution,
) -> Result<(), InterventionsError> {
    let account = session.account.id.clone();
    let open = alerts::lookup_open(session.conn, &account, kind, subject).await?;
    if let Some(alert) = open.filter(|alert| alert.happened_at <= began_at) {
        let why = match resolution {
            Resolution::AccountGone => "The account left",
            _ => "What raised it has ended",
        };
        close(session, alert, resolution, why).await?;
    }
    Ok(())
}

/// Closes an alert of the session's account, and ends its clocks.
pub(super) async fn close(
    session: &mut Session<'_>,
    alert: Alert,
    resolution: Resolution,
    notes: &str,
) -> Result<Alert, InterventionsError> {
    let alert = tell_director(session, alert, resolution).await?;
    let (_, mut clocks) = session.alert(alert.id).await?;
    session.end_clocks(&mut clocks, Of::Alert(&alert)).await?;
    let has_breach = alert.has_breach || clocks.iter().any(tick_clocks::is_breach);
    let ended = Alert { has_breach, ..alert.ended(resolution, notes, session.now) };
    let ended = session.save_alert(ended).await?;
    session.note("alert_closed", format!("Closed: {notes}"), About::alert(&ended)).await?;
    let event = events::alert_closed(&ended, &session.account.display_name, &clocks);
    session.tell(&event).await?;
    let notice = Notice {
        purpose: "alert_closed",
        key: format!("alert/{}/closed", ended.id),
        subject: format!("{}: closed: {}", session.account.display_name, ended.headline),
        lines: vec![notes.to_owned()],
        slack: false,
        webhook: Some(session.alert_payload(&ended, &clocks)),
    };
    session.notify(&[], &notice, About::alert(&ended)).await?;
    Ok(ended)
}

/// A score below 50 reaches the director also when a person ends the alert before it was time: what ended by itself does not.
async fn tell_director(
    session: &mut Session<'_>,
    alert: Alert,
    resolution: Resolution,
) -> Result<Alert, InterventionsError> {
    let (_, mut clocks) = session.alert(alert.id).await?;
    let is_to_be_told = |clock: &&Clock| {
        clock.step == ClockStep::EscalateToDirector
            && clock.state == ClockState::Running
            && clock.due_at >= session.now
            && !matches!(resolution, Resolution::ConditionEnded | Resolution::AccountGone)
    };
    let Some(clock) = clocks.iter().find(is_to_be_told).cloned() else { return Ok(alert) };
    session.meet(&mut clocks, &[ClockStep::EscalateToDirector], Of::Alert(&alert)).await?;
    tick_clocks::involve_director(session, alert, clocks, &clock).await
}
