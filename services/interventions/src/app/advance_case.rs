//! Moves a case to its next state.

use mainstay_service::{Mutation, Replayable};
use uuid::Uuid;

use super::session::{About, Of};
use super::{App, InterventionsError, Session, clear_alert, events, tick_clocks};
use crate::domain::alert::{AlertKind, Resolution};
use crate::domain::case::{Case, CaseMoved, CaseState};
use crate::domain::clock::{Clock, ClockStep, ClockSubject};
use crate::domain::policy::ClockRule;
use crate::storage::cases;

/// Moves the case; one that is in the state already is answered as it is.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    id: Uuid,
    etag: Option<&str>,
    to: CaseState,
    actor: &str,
    answer: impl Fn(&Case, &str, &[Clock]) -> T + Sync,
) -> Result<T, InterventionsError> {
    app.core
        .mutate(mutation, async |conn| {
            let stored = cases::lookup(conn, id).await?.ok_or(InterventionsError::CaseNotFound(id))?;
            let mut session = Session::begin(app, conn, &stored.account, actor).await?;
            let (case, mut clocks) = session.case(id).await?;
            let refused = |refused| InterventionsError::of_case(id, refused);
            let (moved, met) = match case.advanced(to, session.now).map_err(refused)? {
                CaseMoved::Already => return Ok(answer(&case, &session.account.display_name, &clocks)),
                CaseMoved::To(moved, met) => (*moved, met),
            };
            if etag.is_some_and(|etag| !case.etag().matches(etag)) {
                return Err(InterventionsError::EtagMismatch);
            }
            session.meet(&mut clocks, &met, Of::Case(&moved)).await?;
            if moved.state == CaseState::Resolved {
                resolved(&mut session, &moved, &mut clocks).await?;
            }
            let moved = tick_clocks::keep_due(&mut session, moved, &mut clocks).await?;
            let moved = session.change_case(moved, &clocks).await?;
            session.note("case_advanced", format!("Now {}", moved.state.words()), About::case(id)).await?;
            Ok(answer(&moved, &session.account.display_name, &clocks))
        })
        .await
}

/// What a detractor complained of was resolved: surveys hears of it and asks again, and the alert is over.
async fn resolved(session: &mut Session<'_>, case: &Case, clocks: &mut Vec<Clock>) -> Result<(), InterventionsError> {
    let policy = session.policy_version(case.policy, case.policy_version).await?;
    let rules: Vec<ClockRule> =
        policy.definition.clocks.iter().filter(|rule| rule.step == ClockStep::Resurvey).cloned().collect();
    clocks.extend(session.start_clocks(ClockSubject::Case(case.id), &rules, session.now).await?);
    session.tell(&events::case_resolved(case, session.now)).await?;
    clear_alert::in_session(session, AlertKind::Detractor, &case.subject, session.now, Resolution::Resolved).await
}
