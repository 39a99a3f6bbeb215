//! Records what was found out in a case.

use mainstay_service::{Mutation, Replayable};
use uuid::Uuid;

use super::session::{About, Of};
use super::{App, InterventionsError, Session, tick_clocks};
use crate::domain::case::{Case, Findings};
use crate::domain::clock::{Clock, ClockStep};
use crate::storage::cases;

/// Adds findings to those that are known; none that is new changes nothing.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    id: Uuid,
    etag: Option<&str>,
    added: &Findings,
    actor: &str,
    answer: impl Fn(&Case, &str, &[Clock]) -> T + Sync,
) -> Result<T, InterventionsError> {
    app.core
        .mutate(mutation, async |conn| {
            let stored = cases::lookup(conn, id).await?.ok_or(InterventionsError::CaseNotFound(id))?;
            let mut session = Session::begin(app, conn, &stored.account, actor).await?;
            let (case, mut clocks) = session.case(id).await?;
            if case.is_closed() {
                return Err(InterventionsError::CaseClosed(id));
            }
            let findings = case.findings.with(added);
            if findings == case.findings {
                return Ok(answer(&case, &session.account.display_name, &clocks));
            }
            if etag.is_some_and(|etag| !case.etag().matches(etag)) {
                return Err(InterventionsError::EtagMismatch);
            }
            let body = sentence(&case.findings, &findings);
            let documented = documented(&case.findings, &findings);
            let mut case = Case { findings, ..case };
            if !documented.is_empty() {
                session.meet(&mut clocks, &documented, Of::Case(&case)).await?;
                case = tick_clocks::keep_due(&mut session, case, &mut clocks).await?;
            }
            let case = session.change_case(case, &clocks).await?;
            session.note("case_updated", body, About::case(id)).await?;
            Ok(answer(&case, &session.account.display_name, &clocks))
        })
        .await
}

/// The deadlines for writing something down that this meets, whenever the case comes into the state for it.
fn documented(before: &Findings, after: &Findings) -> Vec<ClockStep> {
    [(ClockStep::RootCause, &before.root_cause, &after.root_cause), (ClockStep::Plan, &before.plan, &after.plan)]
        .into_iter()
        .filter(|(_, old, new)| old.is_empty() && !new.is_empty())
        .map(|(step, ..)| step)
        .collect()
}

fn sentence(before: &Findings, after: &Findings) -> String {
    let mut parts = Vec::new();
    let steps = after.assessment_steps.len();
    if steps != before.assessment_steps.len() {
        parts.push(format!("{steps} of 5 steps of the assessment are done"));
    }
    for (what, old, new) in [
        ("root cause", &before.root_cause, &after.root_cause),
        ("plan", &before.plan, &after.plan),
        ("resolution", &before.resolution, &after.resolution),
        ("what worked", &before.what_worked, &after.what_worked),
    ] {
        if old != new {
            parts.push(format!("{what}: {new}"));
        }
    }
    parts.join("; ")
}
