//! What becomes of conditions that put accounts at risk: the rows, and the events.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use mainstay_domain::{AccountId, Points};
use mainstay_events::NewEvent;
use sqlx::PgConnection;

use super::causes::Causes;
use super::{App, ScoringError, events};
use crate::domain::risk_trigger::{ClearReason, RiskCause, RiskTrigger, RiskTriggerKind, Step, Verdict, step};
use crate::storage::risk_triggers;

/// What becomes of one condition of an account.
#[derive(Debug)]
pub(super) struct Change {
    account: AccountId,
    kind: RiskTriggerKind,
    /// The invoice, dispute, ticket or contact; empty for the account as a whole.
    subject: String,
    /// The one that lasts.
    last: Option<RiskTrigger>,
    step: Step,
}

/// The conditions of accounts that last, by account.
#[derive(Debug, Default)]
pub(super) struct Lasting(HashMap<AccountId, Vec<RiskTrigger>>);

impl Lasting {
    /// Those of these accounts, which are locked.
    pub(super) async fn load(conn: &mut PgConnection, accounts: &[&str]) -> Result<Self, ScoringError> {
        let mut by_account: HashMap<AccountId, Vec<RiskTrigger>> = HashMap::new();
        for trigger in risk_triggers::lasting(conn, accounts).await? {
            by_account.entry(trigger.account.clone()).or_default().push(trigger);
        }
        Ok(Self(by_account))
    }

    fn get(&self, account: &AccountId, kind: RiskTriggerKind, subject: &str) -> Option<&RiskTrigger> {
        self.0.get(account)?.iter().find(|trigger| trigger.kind == kind && trigger.subject == subject)
    }

    /// Whether one of an account as a whole lasts.
    pub(super) fn has(&self, account: &AccountId, kind: RiskTriggerKind) -> bool {
        self.get(account, kind, "").is_some()
    }

    /// What made the one of an account as a whole that lasts.
    pub(super) fn cause(&self, account: &AccountId, kind: RiskTriggerKind) -> Option<&RiskCause> {
        self.get(account, kind, "").map(|trigger| &trigger.condition.cause)
    }

    /// What those of a kind that last are about.
    pub(super) fn subjects(&self, account: &AccountId, kind: RiskTriggerKind) -> impl Iterator<Item = &str> {
        let all = self.0.get(account).into_iter().flatten();
        all.filter(move |trigger| trigger.kind == kind).map(|trigger| trigger.subject.as_str())
    }

    /// What becomes of a condition by what is known of it now, if anything does.
    pub(super) fn judge(
        &self,
        account: &AccountId,
        kind: RiskTriggerKind,
        subject: &str,
        verdict: Verdict,
    ) -> Option<Change> {
        let last = self.get(account, kind, subject);
        let step = step(last.map(|trigger| &trigger.condition), verdict)?;
        Some(Change { account: account.clone(), kind, subject: subject.to_owned(), last: last.cloned(), step })
    }
}

/// Raises, updates and clears conditions, each at most once in `changes`, and tells of each. The accounts are locked, and their
/// scores written.
pub(super) async fn settle(
    app: &App,
    conn: &mut PgConnection,
    changes: Vec<Change>,
    causes: &Causes<'_>,
    now: DateTime<Utc>,
) -> Result<(), ScoringError> {
    if changes.is_empty() {
        return Ok(());
    }
    let ids: Vec<&str> = changes.iter().map(|change| change.account.as_str()).collect();
    let scores = risk_triggers::scores(conn, &ids).await?;
    let changed = changes.into_iter().filter_map(|change| stepped(app, change, &scores, now)).collect();
    write(app, conn, changed, causes, now).await
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
    change: Change,
    scores: &HashMap<AccountId, Points>,
    now: DateTime<Utc>,
) -> Option<(RiskTrigger, Told)> {
    let Change { account, kind, subject, last, step } = change;
    let score = scores.get(&account).copied();
    match (step, last) {
        (Step::Raise(condition), _) => {
            let id = app.core.ids.new_id();
            let (raised_at, changed_at, cleared) = (now, now, None);
            let trigger = RiskTrigger { id, account, kind, subject, raised_at, changed_at, cleared, score, condition };
            Some((trigger, Told::Raised))
        }
        (Step::Update(condition), Some(last)) => {
            Some((RiskTrigger { changed_at: now, score, condition, ..last }, Told::Updated))
        }
        (Step::Clear, Some(last)) => Some((cleared(last, ClearReason::Ended, now), Told::Cleared)),
        (Step::Update(_) | Step::Clear, None) => None,
    }
}

fn cleared(last: RiskTrigger, reason: ClearReason, now: DateTime<Utc>) -> RiskTrigger {
    RiskTrigger { cleared: Some((now, reason)), ..last }
}

/// Ends all conditions of accounts that are customers no more. The accounts are locked.
pub(super) async fn clear_all(
    app: &App,
    conn: &mut PgConnection,
    accounts: &[&str],
    now: DateTime<Utc>,
) -> Result<(), ScoringError> {
    let lasting = risk_triggers::lasting(conn, accounts).await?;
    let ended = lasting.into_iter().map(|last| (cleared(last, ClearReason::AccountGone, now), Told::Cleared)).collect();
    write(app, conn, ended, &Causes::default(), now).await
}

async fn write(
    app: &App,
    conn: &mut PgConnection,
    changed: Vec<(RiskTrigger, Told)>,
    causes: &Causes<'_>,
    now: DateTime<Utc>,
) -> Result<(), ScoringError> {
    if changed.is_empty() {
        return Ok(());
    }
    let event = |(trigger, told): &(RiskTrigger, Told)| {
        events::risk_trigger_changed(app, trigger, *told, now).caused_by(causes.of(trigger.account.as_str()))
    };
    let told: Vec<NewEvent> = changed.iter().map(event).collect();
    let triggers: Vec<RiskTrigger> = changed.into_iter().map(|(trigger, _)| trigger).collect();
    risk_triggers::write(conn, &triggers).await?;
    app.core.events.append(conn, &told, now).await?;
    Ok(())
}
