//! Raises an alert, or counts what happened again on the one that is open.

use super::session::About;
use super::{App, InterventionsError, Session, events, find_owner, open_case};
use crate::domain::alert::{Alert, AlertKind, AlertState, Occurrence};
use crate::domain::case::CaseKind;
use crate::domain::clock::{Clock, ClockSubject};
use crate::domain::owners::Assignee;
use crate::domain::policy::{Policy, PolicySubject};
use crate::storage::alerts;
use mainstay_service::{Mutation, Replayable};

/// Raises an alert that a person asks for.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    occurrence: &Occurrence,
    actor: &str,
    answer: impl Fn(&Alert, &str, &[Clock]) -> T + Sync,
) -> Result<T, InterventionsError> {
    app.core
        .mutate(mutation, async |conn| {
            let mut session = Session::begin_for_customer(app, conn, &occurrence.account, actor).await?;
            let (alert, clocks) = in_session(&mut session, occurrence).await?;
            Ok(answer(&alert, &session.account.display_name, &clocks))
        })
        .await
}

/// Raises an alert within a transaction that holds the account.
pub(crate) async fn in_session(
    session: &mut Session<'_>,
    occurrence: &Occurrence,
) -> Result<(Alert, Vec<Clock>), InterventionsError> {
    let open = alerts::lookup_open(session.conn, &occurrence.account, occurrence.kind, &occurrence.subject).await?;
    raise_or_count(session, open, occurrence).await
}

async fn raise_or_count(
    session: &mut Session<'_>,
    open: Option<Alert>,
    occurrence: &Occurrence,
) -> Result<(Alert, Vec<Clock>), InterventionsError> {
    match open {
        Some(alert) => count_again(session, alert, occurrence).await,
        None => raise(session, occurrence).await,
    }
}

/// Raises an alert that another service calls for: not for an account that left, and not again for what a person has
/// dealt with while it lasted, however often it is told. What was overtaken by later news comes again when a feed is read
/// anew, and is none.
pub(crate) async fn told_by_others(
    session: &mut Session<'_>,
    occurrence: &Occurrence,
) -> Result<(), InterventionsError> {
    let Occurrence { kind, subject, happened_at, .. } = occurrence;
    let account = session.account.id.clone();
    let is_dealt_with = alerts::was_closed_since(session.conn, &account, *kind, subject, *happened_at).await?;
    let open = alerts::lookup_open(session.conn, &account, *kind, subject).await?;
    let is_overtaken = open.as_ref().is_some_and(|alert| alert.is_later_than(occurrence));
    if session.account.is_customer() && !is_dealt_with && !is_overtaken {
        raise_or_count(session, open, occurrence).await?;
    }
    Ok(())
}

async fn count_again(
    session: &mut Session<'_>,
    alert: Alert,
    occurrence: &Occurrence,
) -> Result<(Alert, Vec<Clock>), InterventionsError> {
    let (_, clocks) = session.alert(alert.id).await?;
    let repeated = alert.repeated(occurrence);
    if repeated.is_told_the_same_as(&alert) {
        return Ok((alert, clocks));
    }
    let has_happened_again = repeated.occurrence_count > alert.occurrence_count;
    let alert = session.change_alert(repeated, &clocks).await?;
    let body = if has_happened_again {
        format!("Happened again ({} times): {}", alert.occurrence_count, alert.headline)
    } else {
        format!("Now: {}", alert.headline)
    };
    session.note("alert_repeated", body, About::alert(&alert)).await?;
    Ok((alert, clocks))
}

async fn raise(session: &mut Session<'_>, occurrence: &Occurrence) -> Result<(Alert, Vec<Clock>), InterventionsError> {
    let policy = session.policy(PolicySubject::Alert(occurrence.kind)).await?;
    let owner = owner(session, &policy, occurrence);
    let id = session.app.core.ids.new_id();
    let mut clocks =
        session.start_clocks(ClockSubject::Alert(id), &policy.definition.clocks, occurrence.happened_at).await?;
    let next_due_at =
        session.next_due(ClockSubject::Alert(id), &mut clocks, policy.definition.reminder_after_seconds).await?;
    let mut alert = Alert {
        id,
        account: session.account.id.clone(),
        kind: occurrence.kind,
        subject: occurrence.subject.clone(),
        headline: occurrence.headline.clone(),
        details: occurrence.details.clone(),
        state: AlertState::New,
        severity: occurrence.severity.unwrap_or(policy.definition.severity),
        owner_email: owner.email,
        owner_is_fallback: owner.is_fallback,
        happened_at: occurrence.happened_at,
        occurrence_count: occurrence.count.unwrap_or(1).max(1),
        last_occurred_at: occurrence.occurred_at,
        next_due_at: Some(next_due_at),
        has_breach: false,
        escalation_count: 0,
        policy: policy.id,
        policy_version: policy.version,
        case: None,
        score: occurrence.score.or(session.account.health.score),
        assessment: String::new(),
        immediate_action_needed: false,
        plan: String::new(),
        execution: String::new(),
        follow_up: String::new(),
        issue_resolved: None,
        resolution: None,
        resolution_notes: String::new(),
        closed_at: None,
        version: 1,
    };
    alert.case = case_for(session, &policy, occurrence).await?;
    alerts::insert(session.conn, &alert).await?;
    session.note("alert_raised", alert.headline.clone(), About::alert(&alert)).await?;
    let event = events::alert_raised(&alert, &session.account.display_name, &clocks);
    session.tell(&event).await?;
    tell_people(session, &policy, &alert, &clocks).await?;
    Ok((alert, clocks))
}

fn owner(session: &Session<'_>, policy: &Policy, occurrence: &Occurrence) -> Assignee {
    match &occurrence.owner_email {
        Some(email) => Assignee { email: email.clone(), is_fallback: false },
        None => find_owner::of(session.app, &session.account, policy.definition.owner),
    }
}

/// The case that deals with it: a new one where the policy says so, or the one that is open for the account at risk.
async fn case_for(
    session: &mut Session<'_>,
    policy: &Policy,
    occurrence: &Occurrence,
) -> Result<Option<uuid::Uuid>, InterventionsError> {
    match policy.definition.opens_case.map(CaseKind::from) {
        Some(CaseKind::Detractor) => {
            let case = open_case::for_detractor(session, occurrence).await?;
            Ok(Some(case.id))
        }
        Some(CaseKind::AtRisk) => Ok(Some(open_case::at_risk_or_open(session).await?.id)),
        None if occurrence.kind == AlertKind::Detractor => Ok(None),
        None => Ok(open_case::open_at_risk(session).await?.map(|case| case.id)),
    }
}

async fn tell_people(
    session: &mut Session<'_>,
    policy: &Policy,
    alert: &Alert,
    clocks: &[Clock],
) -> Result<(), InterventionsError> {
    let mut people = vec![alert.owner_email.clone()];
    people.extend(session.people(&policy.definition.notify));
    let case = match alert.case {
        Some(case) => Some(session.case(case).await?),
        None => None,
    };
    let notice = session.alert_raised_notice(alert, clocks, case.as_ref());
    session.notify(&people, &notice, About::alert(alert)).await
}
