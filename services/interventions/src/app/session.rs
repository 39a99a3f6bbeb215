//! What a use case does to one account, in one transaction that holds the account's row.

use chrono::{DateTime, TimeDelta, Utc};
use mainstay_accounts::Account;
use mainstay_domain::AccountId;
use mainstay_events::NewEvent;
use mainstay_jobs::NewJob;
use mainstay_storage::StorageError;
use prost::{Message, Name};
use sqlx::PgConnection;
use uuid::Uuid;

use super::queues::CLOCKS_QUEUE;
use super::{App, InterventionsError, events};
use crate::domain::alert::Alert;
use crate::domain::case::Case;
use crate::domain::clock::{self, Clock, ClockState, ClockStep, ClockSubject};
use crate::domain::policy::{ClockRule, Policy, PolicyId, PolicySubject};
use crate::domain::timeline::{BY_ITSELF, TimelineEntry};
use crate::storage::{alerts, cases, clocks, policies, timeline};

/// What a use case does to one account: the account's row is held from the beginning to the end of the transaction, which
/// gives its events and its story their order.
pub(crate) struct Session<'a> {
    pub app: &'a App,
    pub conn: &'a mut PgConnection,
    pub account: Account,
    /// When it happens.
    pub now: DateTime<Utc>,
    /// Who does it.
    pub actor: String,
}

/// What is said of in the story.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct About {
    pub alert: Option<Uuid>,
    pub case: Option<Uuid>,
}

impl About {
    pub(crate) fn alert(alert: &Alert) -> Self {
        Self { alert: Some(alert.id), case: alert.case }
    }

    pub(crate) fn case(case: Uuid) -> Self {
        Self { alert: None, case: Some(case) }
    }
}

impl<'a> Session<'a> {
    /// Holds an account that the copy has.
    pub(crate) async fn begin(
        app: &'a App,
        conn: &'a mut PgConnection,
        account: &AccountId,
        actor: &str,
    ) -> Result<Self, InterventionsError> {
        let held = app.accounts.lock(conn, account).await?;
        let account = held.ok_or_else(|| InterventionsError::AccountNotFound(account.name()))?;
        Ok(Self { app, conn, account, now: app.core.clock.now(), actor: actor.to_owned() })
    }

    /// Holds an account on which new work begins: not of one that left, which nothing would ever close.
    pub(crate) async fn begin_for_customer(
        app: &'a App,
        conn: &'a mut PgConnection,
        account: &AccountId,
        actor: &str,
    ) -> Result<Self, InterventionsError> {
        let session = Self::begin(app, conn, account, actor).await?;
        if session.account.is_customer() { Ok(session) } else { Err(InterventionsError::AccountGone(account.name())) }
    }

    /// Holds an account of which another service told that something happened at a moment; the copy may not have it yet.
    /// What follows happens then, also when it was heard of late: a service that was away comes to the same end.
    pub(crate) async fn begin_as_of(
        app: &'a App,
        conn: &'a mut PgConnection,
        account: &AccountId,
        happened_at: DateTime<Utc>,
    ) -> Result<Self, InterventionsError> {
        let account = app.accounts.lock_or_insert(conn, account).await?;
        let now = happened_at.min(app.core.clock.now());
        Ok(Self { app, conn, account, now, actor: BY_ITSELF.to_owned() })
    }

    /// Adds a sentence to the story.
    pub(crate) async fn note(&mut self, kind: &str, body: String, about: About) -> Result<(), StorageError> {
        let entry = TimelineEntry {
            account: self.account.id.clone(),
            happened_at: self.now,
            kind: kind.to_owned(),
            body,
            actor: self.actor.clone(),
            alert: about.alert,
            case: about.case,
        };
        timeline::insert(self.conn, &entry).await
    }

    /// Appends an event of the account.
    pub(crate) async fn tell<M: Message + Name>(&mut self, payload: &M) -> Result<(), StorageError> {
        let event = NewEvent::of(self.app.core.ids.new_id(), Some(&self.account.id), payload, self.now);
        self.app.core.events.append(self.conn, &[event], self.now).await
    }

    /// The policy that holds for something of this account: that of its segment, else that for all.
    pub(crate) async fn policy(&mut self, subject: PolicySubject) -> Result<Policy, InterventionsError> {
        for segment in [Some(self.account.segment), None] {
            if let Some(policy) = policies::newest(self.conn, PolicyId { subject, segment }).await? {
                return Ok(policy);
            }
        }
        // Policies are stored before the service serves; without one, the default holds rather than none.
        let policy = crate::domain::default_policies::all().into_iter().find(|(id, _)| id.subject == subject);
        let (id, definition) = policy.ok_or_else(|| InterventionsError::PolicyNotFound(subject.key().to_owned()))?;
        Ok(Policy { id, version: 0, definition })
    }

    /// The policy by which something began.
    pub(crate) async fn policy_version(&mut self, id: PolicyId, version: i32) -> Result<Policy, InterventionsError> {
        match policies::version(self.conn, id, version).await? {
            Some(policy) => Ok(policy),
            None => self.policy(id.subject).await,
        }
    }

    /// Starts clocks from a moment on, by the rules of a policy.
    pub(crate) async fn start_clocks(
        &mut self,
        subject: ClockSubject,
        rules: &[ClockRule],
        from: DateTime<Utc>,
    ) -> Result<Vec<Clock>, StorageError> {
        let started: Vec<Clock> = rules
            .iter()
            .map(|rule| Clock {
                id: self.app.core.ids.new_id(),
                subject,
                step: rule.step,
                started_at: from,
                warn_at: rule.warn_after_seconds.map(|seconds| from + TimeDelta::seconds(seconds)),
                due_at: from + TimeDelta::seconds(rule.due_after_seconds),
                state: ClockState::Running,
                warned_at: None,
                met_at: None,
            })
            .collect();
        clocks::insert(self.conn, &self.account.id, &started).await?;
        let timers: Vec<NewJob> =
            started.iter().map(|clock| NewJob::due(clock.id.to_string(), clock.next_tick_at())).collect();
        self.app.core.jobs.schedule(self.conn, CLOCKS_QUEUE, &timers, self.now).await?;
        Ok(started)
    }

    /// Meets the running or breached clocks of these steps, of something that has these clocks.
    pub(crate) async fn meet(
        &mut self,
        all: &mut [Clock],
        steps: &[ClockStep],
        of: Of<'_>,
    ) -> Result<(), StorageError> {
        let now = self.now;
        let change = |clock: Clock| if steps.contains(&clock.step) { clock.met(now) } else { clock };
        self.change_clocks(all, change, of).await
    }

    /// Ends the clocks of something that is over.
    pub(crate) async fn end_clocks(&mut self, all: &mut [Clock], of: Of<'_>) -> Result<(), StorageError> {
        let now = self.now;
        self.change_clocks(all, |clock| clock.ended(now), of).await
    }

    /// Changes clocks, writes those that changed, and tells what became of each. The timers stay: one that finds its clock
    /// over does nothing, and nobody waits for a timer that is just at work.
    pub(crate) async fn change_clocks(
        &mut self,
        all: &mut [Clock],
        change: impl Fn(Clock) -> Clock,
        of: Of<'_>,
    ) -> Result<(), StorageError> {
        let mut changed = Vec::new();
        let mut notices = Vec::new();
        for clock in all.iter_mut() {
            let before = std::mem::replace(clock, change(clock.clone()));
            if before == *clock {
                continue;
            }
            notices.extend(events::clock_notices(&before, clock, of));
            changed.push(clock.clone());
        }
        clocks::update(self.conn, &changed).await?;
        for notice in notices {
            let event = notice.into_event(self.app.core.ids.new_id(), &self.account.id, self.now);
            self.app.core.events.append(self.conn, &[event], self.now).await?;
        }
        Ok(())
    }

    /// When something is due next. Where no clock runs any more, a reminder begins: nothing that is open is without a moment
    /// at which somebody looks at it.
    pub(crate) async fn next_due(
        &mut self,
        subject: ClockSubject,
        all: &mut Vec<Clock>,
        reminder_after_seconds: i64,
    ) -> Result<DateTime<Utc>, StorageError> {
        if let Some(due) = clock::next_due_at(all) {
            return Ok(due);
        }
        let rule = ClockRule {
            step: ClockStep::Reminder,
            due_after_seconds: reminder_after_seconds,
            warn_after_seconds: None,
        };
        let started = self.start_clocks(subject, &[rule], self.now).await?;
        all.extend(started);
        Ok(clock::next_due_at(all).unwrap_or(self.now))
    }

    /// The alert and its clocks, of this account.
    pub(crate) async fn alert(&mut self, id: Uuid) -> Result<(Alert, Vec<Clock>), InterventionsError> {
        let alert = alerts::lookup(self.conn, id).await?.ok_or(InterventionsError::AlertNotFound(id))?;
        let clocks = clocks::of_subject(self.conn, ClockSubject::Alert(id)).await?;
        Ok((alert, clocks))
    }

    /// The case and its clocks, of this account.
    pub(crate) async fn case(&mut self, id: Uuid) -> Result<(Case, Vec<Clock>), InterventionsError> {
        let case = cases::lookup(self.conn, id).await?.ok_or(InterventionsError::CaseNotFound(id))?;
        let clocks = clocks::of_subject(self.conn, ClockSubject::Case(id)).await?;
        Ok((case, clocks))
    }

    /// Writes an alert, and gives it with its new version.
    pub(crate) async fn save_alert(&mut self, alert: Alert) -> Result<Alert, StorageError> {
        alerts::update(self.conn, &alert).await?;
        Ok(Alert { version: alert.version + 1, ..alert })
    }

    /// Writes an alert that goes on, tells that it changed, and gives it with its new version.
    pub(crate) async fn change_alert(&mut self, alert: Alert, clocks: &[Clock]) -> Result<Alert, StorageError> {
        let alert = self.save_alert(alert).await?;
        let event = events::alert_changed(&alert, &self.account.display_name, clocks);
        self.tell(&event).await?;
        Ok(alert)
    }

    /// Writes a case that goes on, tells that it changed, and gives it with its new version.
    pub(crate) async fn change_case(&mut self, case: Case, clocks: &[Clock]) -> Result<Case, StorageError> {
        let case = self.save_case(case).await?;
        let event = events::case_changed(&case, &self.account.display_name, clocks);
        self.tell(&event).await?;
        Ok(case)
    }

    /// Writes a case, and gives it with its new version.
    pub(crate) async fn save_case(&mut self, case: Case) -> Result<Case, StorageError> {
        cases::update(self.conn, &case).await?;
        Ok(Case { version: case.version + 1, ..case })
    }
}

/// What clocks belong to, for what is told of them.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Of<'a> {
    /// An alert.
    Alert(&'a Alert),
    /// A case.
    Case(&'a Case),
    /// A task, by its owner.
    Task {
        /// The task.
        id: Uuid,
        /// Its case.
        case: Uuid,
        /// Who does it.
        owner_email: &'a str,
    },
}
