//! Opens a case: by hand, or because an alert calls for one.

use chrono::TimeDelta;
use mainstay_domain::AccountId;
use mainstay_service::{Mutation, Replayable};

use super::notify::{Notice, case_lines, clock_lines, task_lines};
use super::session::About;
use super::{App, InterventionsError, Session, events, find_owner, tasks};
use crate::domain::alert::{AlertKind, Occurrence};
use crate::domain::case::{Case, CaseKind, Findings};
use crate::domain::clock::{Clock, ClockStep, ClockSubject};
use crate::domain::owners::Assignee;
use crate::domain::policy::{ClockRule, PolicySubject};
use crate::domain::priority::{Depth, Priority};
use crate::domain::task::TaskResource;
use crate::storage::{alerts, cases, tasks as tasks_of};

const CALL_TITLE: &str = "Schedule a call with the key stakeholder";

/// Opens a case at risk that a person asks for.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    account: &AccountId,
    owner_email: Option<&str>,
    actor: &str,
    answer: impl Fn(&Case, &str, &[Clock]) -> T + Sync,
) -> Result<T, InterventionsError> {
    app.core
        .mutate(mutation, async |conn| {
            let mut session = Session::begin_for_customer(app, conn, account, actor).await?;
            if let Some(open) = open_at_risk(&mut session).await? {
                return Err(InterventionsError::CaseOpen(open.id));
            }
            let owner = owner_email.map(|email| Assignee { email: email.to_owned(), is_fallback: false });
            let (case, clocks) = open(&mut session, CaseKind::AtRisk, owner, None).await?;
            Ok(answer(&case, &session.account.display_name, &clocks))
        })
        .await
}

/// The open case at risk of the account, or a new one.
pub(super) async fn at_risk_or_open(session: &mut Session<'_>) -> Result<Case, InterventionsError> {
    match open_at_risk(session).await? {
        Some(case) => Ok(case),
        None => Ok(open(session, CaseKind::AtRisk, None, None).await?.0),
    }
}

/// The open case at risk of the account, if there is one.
pub(super) async fn open_at_risk(session: &mut Session<'_>) -> Result<Option<Case>, InterventionsError> {
    let open = cases::open_of_account(session.conn, &session.account.id).await?;
    Ok(open.into_iter().find(|case| case.kind == CaseKind::AtRisk))
}

/// A case for a detractor's answer; one for each answer.
pub(super) async fn for_detractor(
    session: &mut Session<'_>,
    occurrence: &Occurrence,
) -> Result<Case, InterventionsError> {
    let account = session.account.id.clone();
    let known = cases::lookup_by_subject(session.conn, &account, CaseKind::Detractor, &occurrence.subject).await?;
    match known {
        Some(case) => Ok(case),
        None => Ok(open(session, CaseKind::Detractor, None, Some(occurrence)).await?.0),
    }
}

async fn open(
    session: &mut Session<'_>,
    kind: CaseKind,
    owner: Option<Assignee>,
    occurrence: Option<&Occurrence>,
) -> Result<(Case, Vec<Clock>), InterventionsError> {
    let policy = session.policy(PolicySubject::Case(kind)).await?;
    let owner = owner.unwrap_or_else(|| find_owner::of(session.app, &session.account, policy.definition.owner));
    let score = session.account.health.score;
    let experience = cases::experience(session.conn, kind, session.account.segment, Depth::of(score)).await?;
    let answer = occurrence.and_then(|occurrence| occurrence.answer.as_ref());
    let id = session.app.core.ids.new_id();
    // A detractor waits from the moment of the answer on, not from when it was heard.
    let opened_at = occurrence.map_or(session.now, |occurrence| occurrence.happened_at);
    let mut rules: Vec<ClockRule> =
        policy.definition.clocks.iter().filter(|rule| rule.step != ClockStep::Resurvey).cloned().collect();
    if kind == CaseKind::AtRisk {
        // Progress is looked at each week, beside the deadlines of the phases.
        rules.push(ClockRule {
            step: ClockStep::Reminder,
            due_after_seconds: policy.definition.reminder_after_seconds,
            warn_after_seconds: None,
        });
    }
    let mut clocks = session.start_clocks(ClockSubject::Case(id), &rules, opened_at).await?;
    let next_due_at =
        session.next_due(ClockSubject::Case(id), &mut clocks, policy.definition.reminder_after_seconds).await?;
    let case = Case {
        id,
        account: session.account.id.clone(),
        kind,
        state: kind.first_state(),
        subject: answer.map(|answer| answer.response.clone()).unwrap_or_default(),
        owner_email: owner.email,
        owner_is_fallback: owner.is_fallback,
        priority: Priority::of(session.account.arr, score, experience),
        opened_at,
        state_at: session.now,
        next_due_at: Some(next_due_at),
        has_breach: false,
        escalation_count: 0,
        policy: policy.id,
        policy_version: policy.version,
        score_at_open: score,
        score_at_close: None,
        findings: Findings::default(),
        has_outbound_touch: false,
        contact_id: answer.map(|answer| answer.contact_id.clone()).unwrap_or_default(),
        survey_score: answer.map(|answer| answer.score),
        resurvey_score: None,
        outcome: None,
        outcome_notes: String::new(),
        resolved_at: None,
        intervening_at: None,
        closed_at: None,
        version: 1,
    };
    cases::insert(session.conn, &case).await?;
    if kind == CaseKind::AtRisk {
        take_alerts(session, &case).await?;
    }
    let what = if kind == CaseKind::AtRisk { "A case at risk was opened" } else { "A detractor's case was opened" };
    session.note("case_opened", format!("{what}; {} leads it", case.owner_email), About::case(case.id)).await?;
    let event = events::case_opened(&case, &session.account.display_name, &clocks);
    session.tell(&event).await?;
    if let Some(within) = policy.definition.call_within_seconds {
        let due_at = opened_at + TimeDelta::seconds(within);
        tasks::in_session(session, &case, CALL_TITLE, &case.owner_email, TaskResource::General, due_at).await?;
    }
    if occurrence.is_none() {
        let mut lines = case_lines(&case, &session.account);
        lines.extend(clock_lines(&clocks));
        lines.extend(task_lines(&tasks_of::open_of_case(session.conn, case.id).await?));
        let notice = Notice {
            purpose: "case_opened",
            key: format!("case/{}/opened", case.id),
            subject: format!("{}: a case was opened for you", session.account.display_name),
            lines,
            slack: false,
            webhook: None,
        };
        session.notify(std::slice::from_ref(&case.owner_email), &notice, About::case(case.id)).await?;
    }
    Ok((case, clocks))
}

/// The account's open alerts belong to the case from now on; a detractor's has its own.
async fn take_alerts(session: &mut Session<'_>, case: &Case) -> Result<(), InterventionsError> {
    let account = session.account.id.clone();
    for mut alert in alerts::open_of_account(session.conn, &account).await? {
        if alert.kind != AlertKind::Detractor {
            alert.case = Some(case.id);
            let (_, clocks) = session.alert(alert.id).await?;
            session.change_alert(alert, &clocks).await?;
        }
    }
    Ok(())
}
