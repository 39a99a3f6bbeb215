//! Looks at the chances and the open opportunities of an account with what is known now.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use mainstay_domain::AccountId;
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::events::{self, Telling};
use super::lose_opportunity::lost_step;
use super::open_opportunity::{self, Opening, owner_of};
use super::record_step::{self, Step, wind_clock};
use super::{App, ExpansionError, SYSTEM_ACTOR};
use crate::domain::{
    AccountReview, Candidate, CandidateState, Condition, Facts, LostReason, Month, Opportunity, Standing, Suppression,
    TimelineKind, is_qualified, stand, suppressions,
};
use crate::storage::{candidates, conditions, opportunities, touches, usage};

/// How far back issues and answers are looked at, as the criteria do.
const WINDOW_DAYS: i64 = 90;
/// How many reports of usage are looked at.
const MONTHS: i64 = 13;

/// Looks at the account, in the review of a month or because something about it changed. Only a review finds new
/// chances; chances that are there are looked at each time, so that one that was suppressed goes on at once.
pub(crate) async fn execute(
    app: &App,
    conn: &mut PgConnection,
    id: &AccountId,
    review_month: Option<Month>,
) -> Result<AccountReview, ExpansionError> {
    let now = app.core.clock.now();
    let account = app.accounts.lock_or_insert(conn, id).await?;
    let known = candidates::of_account(conn, id).await?;
    let open = opportunities::open_of_account(conn, id).await?;
    if review_month.is_none() && known.is_empty() && open.is_empty() {
        return Ok(AccountReview::default());
    }
    let facts = Facts {
        account,
        months: usage::recent(conn, id, MONTHS).await?,
        conditions: load_conditions(conn, id, now).await?,
        touches: touches::since(conn, id, looked_back_to(now)).await?,
        now,
    };
    let open = keep_up(app, conn, &facts, open).await?;
    look_at_chances(app, conn, &facts, &known, &open, review_month).await
}

/// The conditions that last, and those that ended not long ago.
pub(super) async fn load_conditions(
    conn: &mut PgConnection,
    id: &AccountId,
    now: DateTime<Utc>,
) -> Result<Vec<Condition>, StorageError> {
    conditions::since(conn, id, looked_back_to(now)).await
}

/// Issues that ended by this time, and contacts up to it, count no more.
pub(super) fn looked_back_to(now: DateTime<Utc>) -> DateTime<Utc> {
    now - TimeDelta::days(WINDOW_DAYS)
}

/// Brings open opportunities in line with their account: lost with it, on hold while it is suppressed, with the owner
/// that it has by now. Gives those that are open still.
async fn keep_up(
    app: &App,
    conn: &mut PgConnection,
    facts: &Facts,
    open: Vec<Opportunity>,
) -> Result<Vec<Opportunity>, ExpansionError> {
    let reasons = suppressions(&facts.conditions);
    let mut left = Vec::new();
    for mut opportunity in open {
        for step in steps(app, facts, &reasons, &mut opportunity) {
            opportunity.version += 1;
            record_step::execute(app, conn, &opportunity, step, SYSTEM_ACTOR, facts.now).await?;
            wind_clock(app, conn, &facts.account.id, facts.now).await?;
        }
        if opportunity.is_open() {
            left.push(opportunity);
        }
    }
    Ok(left)
}

fn steps(app: &App, facts: &Facts, reasons: &[Suppression], opportunity: &mut Opportunity) -> Vec<Step> {
    let mut steps = Vec::new();
    if !facts.account.is_customer() {
        const NOTE: &str = "the customer left";
        if let Ok(from) = opportunity.lose(LostReason::Churned, NOTE, facts.now) {
            steps.push(lost_step(from, NOTE));
        }
        return steps;
    }
    let owner = owner_of(app, &facts.account);
    if opportunity.owner.is_fallback && !owner.is_fallback {
        let text = format!("owner {}", owner.email);
        opportunity.owner = owner;
        steps.push(Step { kind: TimelineKind::Updated, moved: None, text, telling: Telling::Updated });
    }
    if opportunity.hold_for(reasons, facts.now) {
        let words: Vec<&str> = reasons.iter().map(|one| one.reason.words()).collect();
        let (kind, text) = match reasons {
            [] => (TimelineKind::Released, "nothing suppresses the account any more".to_owned()),
            _ => (TimelineKind::Held, format!("on hold: {}", words.join(", "))),
        };
        steps.push(Step { kind, moved: None, text, telling: Telling::HoldChanged });
    }
    steps
}

async fn look_at_chances(
    app: &App,
    conn: &mut PgConnection,
    facts: &Facts,
    known: &[Candidate],
    open: &[Opportunity],
    review_month: Option<Month>,
) -> Result<AccountReview, ExpansionError> {
    let newest_reported = facts.months.iter().map(|report| report.month).max();
    let is_reported = |month| facts.months.iter().any(|report| report.month == month);
    let closed = opportunities::last_closed(conn, &facts.account.id).await?;
    let mut outcome = AccountReview { reported: review_month.is_some_and(is_reported), ..AccountReview::default() };
    for metric in metrics(facts, known, review_month) {
        let before = known.iter().find(|candidate| candidate.metric == metric);
        // A look at an older month must not undo what a newer one found.
        let month = review_month.or(newest_reported).max(before.map(|before| before.month));
        let Some(month) = month else { continue };
        let standing = Standing {
            open: open.iter().find(|one| one.metric == metric).map(|one| one.name.id),
            closed: closed.iter().find(|(of, _, _)| *of == metric).map(|&(_, id, at)| (id, at)),
        };
        let Some((mut candidate, opens)) = stand(facts, &metric, month, before, standing) else { continue };
        if opens {
            wind_clock(app, conn, &facts.account.id, facts.now).await?;
            let opening = Opening {
                metric: metric.clone(),
                criteria: candidate.criteria.clone(),
                text: format!("{} months in a row at 80 % of `{metric}` or more", candidate.consecutive_months),
                ..Opening::default()
            };
            let opened = open_opportunity::execute(app, conn, &facts.account, opening, SYSTEM_ACTOR, facts.now).await?;
            candidate.opportunity = Some(opened.name.id);
            outcome.opened += 1;
        }
        count(&mut outcome, &candidate);
        candidates::store(conn, &candidate).await?;
        if before.is_none_or(|before| candidate.differs_from(before)) {
            let event = events::candidate_changed(app, &candidate, before.map(|before| before.state), facts.now);
            app.core.events.append(conn, &[event], facts.now).await?;
        }
    }
    Ok(outcome)
}

/// The metrics to look at: those with a chance and, in a review, all that have a limit.
fn metrics(facts: &Facts, known: &[Candidate], review_month: Option<Month>) -> BTreeSet<String> {
    let mut metrics: BTreeSet<String> = known.iter().map(|candidate| candidate.metric.clone()).collect();
    if let Some(month) = review_month {
        let report = facts.months.iter().find(|report| report.month == month);
        metrics.extend(report.into_iter().flat_map(|report| report.metrics()).map(str::to_owned));
    }
    metrics
}

fn count(outcome: &mut AccountReview, candidate: &Candidate) {
    if candidate.state == CandidateState::Lapsed {
        return;
    }
    outcome.identified += 1;
    outcome.qualified += i32::from(is_qualified(&candidate.criteria));
    outcome.suppressed += i32::from(candidate.state == CandidateState::Suppressed);
}
