//! What becomes of conditions that put accounts at risk: the rows, and the events.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use mainstay_domain::{AccountId, Points};
use mainstay_events::NewEvent;
use sqlx::PgConnection;

use super::{App, ScoringError, events};
use crate::domain::risk_trigger::{ClearReason, Condition, RiskTrigger, RiskTriggerKind, Step, Verdict, step};
use crate::storage::risk_triggers;

/// What is known of one condition of an account.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Finding {
    pub account: AccountId,
    pub kind: RiskTriggerKind,
    /// The invoice, dispute or ticket; empty for the account as a whole.
    pub subject: String,
    pub verdict: Verdict,
}

/// The conditions of accounts that last, by what they are about.
#[derive(Debug, Default)]
pub(super) struct Lasting(HashMap<(AccountId, RiskTriggerKind, String), RiskTrigger>);

impl Lasting {
    /// Those of these accounts, which are locked.
    pub(super) async fn load(conn: &mut PgConnection, accounts: &[&str]) -> Result<Self, ScoringError> {
        let lasting = risk_triggers::lasting(conn, accounts).await?;
        let by_subject = lasting.into_iter().map(|trigger| {
            let key = (trigger.account.clone(), trigger.kind, trigger.subject.clone());
            (key, trigger)
        });
        Ok(Self(by_subject.collect()))
    }

    /// The one of an account as a whole.
    pub(super) fn of_account(&self, account: &AccountId, kind: RiskTriggerKind) -> Option<&RiskTrigger> {
        self.0.get(&(account.clone(), kind, String::new()))
    }
}

/// Raises, updates and clears conditions by what is known of them now, each at most once in `findings`, and tells of each. The
/// accounts are locked, and their scores written.
pub(super) async fn settle(
    app: &App,
    conn: &mut PgConnection,
    lasting: &Lasting,
    findings: Vec<Finding>,
    now: DateTime<Utc>,
) -> Result<(), ScoringError> {
    let mut steps = Vec::new();
    for finding in findings {
        let key = (finding.account, finding.kind, finding.subject);
        let last = lasting.0.get(&key);
        if let Some(step) = step(last.map(|trigger| &trigger.condition), finding.verdict) {
            steps.push((key, last, step));
        }
    }
    if steps.is_empty() {
        return Ok(());
    }
    let ids: Vec<&str> = steps.iter().map(|((account, ..), ..)| account.as_str()).collect();
    let scores = risk_triggers::scores(conn, &ids).await?;
    let changed: Vec<(RiskTrigger, Told)> =
        steps.into_iter().filter_map(|(key, last, step)| stepped(app, key, last, step, &scores, now)).collect();
    write(app, conn, changed, now).await
}

/// Which event a condition deserves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    Raised,
    Updated,
    Cleared,
}

fn stepped(
    app: &App,
    (account, kind, subject): (AccountId, RiskTriggerKind, String),
    last: Option<&RiskTrigger>,
    step: Step,
    scores: &HashMap<AccountId, Points>,
    now: DateTime<Utc>,
) -> Option<(RiskTrigger, Told)> {
    let score = scores.get(&account).copied();
    let updated =
        |last: &RiskTrigger, condition: Condition| RiskTrigger { changed_at: now, score, condition, ..last.clone() };
    match (step, last) {
        (Step::Raise(condition), _) => {
            let id = app.ids.new_id();
            let trigger = RiskTrigger {
                id,
                account,
                kind,
                subject,
                raised_at: now,
                changed_at: now,
                cleared: None,
                score,
                condition,
            };
            Some((trigger, Told::Raised))
        }
        (Step::Update(condition), Some(last)) => Some((updated(last, condition), Told::Updated)),
        (Step::Clear, Some(last)) => Some((cleared(last, ClearReason::Ended, now), Told::Cleared)),
        (Step::Update(_) | Step::Clear, None) => None,
    }
}

fn cleared(last: &RiskTrigger, reason: ClearReason, now: DateTime<Utc>) -> RiskTrigger {
    RiskTrigger { cleared: Some((now, reason)), ..last.clone() }
}

/// Ends all conditions of accounts that are customers no more. The accounts are locked.
pub(super) async fn clear_all(
    app: &App,
    conn: &mut PgConnection,
    accounts: &[&str],
    now: DateTime<Utc>,
) -> Result<(), ScoringError> {
    let lasting = risk_triggers::lasting(conn, accounts).await?;
    let ended = lasting.iter().map(|last| (cleared(last, ClearReason::AccountGone, now), Told::Cleared)).collect();
    write(app, conn, ended, now).await
}

async fn write(
    app: &App,
    conn: &mut PgConnection,
    changed: Vec<(RiskTrigger, Told)>,
    now: DateTime<Utc>,
) -> Result<(), ScoringError> {
    if changed.is_empty() {
        return Ok(());
    }
    let told: Vec<NewEvent> =
        changed.iter().map(|(trigger, told)| events::risk_trigger_changed(app, trigger, *told, now)).collect();
    let triggers: Vec<RiskTrigger> = changed.into_iter().map(|(trigger, _)| trigger).collect();
    risk_triggers::write(conn, &triggers).await?;
    app.events.append(conn, &told, now).await?;
    Ok(())
}
