//! Sends the daily digest of billing alerts: to who owns them or is told of them by mail, and to Slack.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::{DateTime, NaiveTime, Utc};
use mainstay_accounts::Account;
use mainstay_delivery::{Content, Email, EnqueueError, NewMessage, Slack};
use mainstay_domain::OwnerRole;
use mainstay_jobs::NewJob;
use mainstay_storage::transact;
use sqlx::PgConnection;
use uuid::Uuid;

use super::digest_text::{self, Period};
use super::notify::{dedupe_key, once_each, slack_message, subject_line};
use super::queues::BILLING_DIGEST_QUEUE;
use super::{App, InterventionsError, find_owner};
use crate::domain::billing_digest::{BillingDigest, DigestEntry, next_after};
use crate::domain::default_policies;
use crate::domain::policy::PolicyId;
use crate::storage::digests::{self, UntoldAlert};
use crate::storage::policies;

/// The one job of [`BILLING_DIGEST_QUEUE`].
const ALL_ALERTS: &str = "alerts";
/// Alerts that are read at a time.
const PAGE: i64 = 500;
/// Alerts of before the first digest that are passed over at a time.
const PASSED_OVER_MAX: i64 = 5_000;
/// For lists of messages.
const PURPOSE: &str = "billing_digest";

/// How the digests go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NextDigest {
    /// When there is something to do again.
    pub due_at: DateTime<Utc>,
    /// Up to when digests have told; none: alerts of before the first digest are still being passed over.
    pub since: Option<DateTime<Utc>>,
}

/// Has digests sent from now on, or no more. Where they are sent already, the job looks anew at when: the setting may be another one.
pub(crate) async fn schedule(app: &App) -> Result<(), InterventionsError> {
    let now = app.core.clock.now();
    let is_off = app.billing_digest_at.is_none();
    transact(&app.core.pool, async |conn| {
        if is_off {
            app.core.jobs.cancel(conn, BILLING_DIGEST_QUEUE, &[ALL_ALERTS]).await?;
            return Ok(());
        }
        // Without a low mark: that of a job that is there stays, which is since when there is something to tell.
        let job = NewJob::due(ALL_ALERTS, now);
        Ok(app.core.jobs.schedule(conn, BILLING_DIGEST_QUEUE, &[job], now).await?)
    })
    .await
}

/// Sends the digest if it is time, of everything since the one before, however long ago that was: all messages and the note
/// of what they tell are one transaction.
pub(crate) async fn execute(
    app: &App,
    conn: &mut PgConnection,
    time_of_day: NaiveTime,
    since: Option<DateTime<Utc>>,
) -> Result<NextDigest, InterventionsError> {
    let now = app.core.clock.now();
    // After a clock that ran ahead none would come for as long.
    let Some(since) = since.map(|since| since.min(now)) else { return begin(conn, time_of_day, now).await };
    let due_at = next_after(since, time_of_day);
    if now < due_at {
        return Ok(NextDigest { due_at, since: Some(since) });
    }
    let digests = Gathering::of_all(app, conn).await?;
    send(app, conn, &digests, Period { start: since, end: now }).await?;
    // Last: who works on one of these alerts waits from here to the commit.
    digests::note_told(conn, &digests.raised, &digests.ended).await?;
    Ok(NextDigest { due_at: next_after(now, time_of_day), since: Some(now) })
}

/// What happened before the first digest is no news to anybody.
async fn begin(
    conn: &mut PgConnection,
    time_of_day: NaiveTime,
    now: DateTime<Utc>,
) -> Result<NextDigest, InterventionsError> {
    let passed = digests::pass_over(conn, PASSED_OVER_MAX).await?;
    if i64::try_from(passed).is_ok_and(|passed| passed < PASSED_OVER_MAX) {
        return Ok(NextDigest { due_at: next_after(now, time_of_day), since: Some(now) });
    }
    Ok(NextDigest { due_at: now, since: None })
}

/// The digests as they come together, in one pass over the alerts.
#[derive(Default)]
struct Gathering {
    all: BillingDigest,
    by_person: BTreeMap<String, BillingDigest>,
    /// Alerts of which it is told that they were raised.
    raised: Vec<Uuid>,
    /// Alerts of which it is told that they have ended.
    ended: Vec<Uuid>,
    /// Who is told at once, besides the owner, by policy.
    notified: HashMap<(PolicyId, i32), Vec<OwnerRole>>,
    /// Who is written to instead of whom: where the address is one, the person.
    receivers: HashMap<String, String>,
}

impl Gathering {
    async fn of_all(app: &App, conn: &mut PgConnection) -> Result<Self, InterventionsError> {
        let mut gathering = Self::default();
        let mut after = (String::new(), Uuid::nil());
        loop {
            let page = digests::untold(conn, (&after.0, after.1), PAGE).await?;
            let Some(last) = page.last() else { return Ok(gathering) };
            after = (last.account.as_str().to_owned(), last.id);
            let ids: Vec<_> = page.iter().map(|alert| &alert.account).collect();
            let mut accounts = app.accounts.lookup_all(conn, &ids).await?;
            for alert in page {
                let account =
                    accounts.entry(alert.account.clone()).or_insert_with(|| Account::unknown(alert.account.clone()));
                gathering.add(app, conn, account, alert).await?;
            }
        }
    }

    async fn add(
        &mut self,
        app: &App,
        conn: &mut PgConnection,
        account: &Account,
        alert: UntoldAlert,
    ) -> Result<(), InterventionsError> {
        if alert.is_new {
            self.raised.push(alert.id);
        }
        if alert.end.is_some() {
            self.ended.push(alert.id);
        }
        let mut people = vec![alert.owner_email.clone()];
        let roles = self.notified(conn, alert.policy, alert.policy_version).await?;
        people.extend(roles.iter().map(|role| find_owner::of(app, account, *role).email));
        let receivers: Vec<String> = people.into_iter().map(|person| self.receiver(app, person)).collect();
        let entry = Arc::new(entry(account, alert));
        self.all.add(&entry);
        for receiver in once_each(&receivers) {
            match self.by_person.get_mut(receiver) {
                Some(digest) => digest.add(&entry),
                None => self.by_person.entry(receiver.to_owned()).or_default().add(&entry),
            }
        }
        Ok(())
    }

    /// The roles of the policy by which an alert began.
    async fn notified(
        &mut self,
        conn: &mut PgConnection,
        id: PolicyId,
        version: i32,
    ) -> Result<&[OwnerRole], InterventionsError> {
        Ok(match self.notified.entry((id, version)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(notified_by(conn, id, version).await?),
        })
    }

    /// The person, or who is asked when nobody is known where the address is none.
    fn receiver(&mut self, app: &App, person: String) -> String {
        let receiver = self.receivers.entry(person).or_insert_with_key(|person| {
            let email = Email { to: person.clone(), subject: "-".to_owned(), text: "-".to_owned(), ..Email::default() };
            let faults = NewMessage::new(Uuid::nil(), PURPOSE, email).violations();
            if faults.is_empty() { person.clone() } else { app.default_owners.everyone.clone() }
        });
        receiver.clone()
    }
}

/// Without the policy, those of the one that ships.
async fn notified_by(
    conn: &mut PgConnection,
    id: PolicyId,
    version: i32,
) -> Result<Vec<OwnerRole>, InterventionsError> {
    let stored = policies::version(conn, id, version).await?.map(|policy| policy.definition);
    let shipped = || default_policies::all().into_iter().find(|(known, _)| known.subject == id.subject);
    let definition = stored.or_else(|| shipped().map(|(_, definition)| definition));
    Ok(definition.map(|definition| definition.notify).unwrap_or_default())
}

fn entry(account: &Account, alert: UntoldAlert) -> DigestEntry {
    DigestEntry {
        alert: alert.id,
        account: alert.account,
        account_name: account.display_name.clone(),
        arr: account.arr,
        headline: alert.headline,
        owner_email: alert.owner_email,
        happened_at: alert.happened_at,
        overdue_since: alert.overdue_since,
        next_due_at: alert.next_due_at,
        end: alert.end,
        is_new: alert.is_new,
    }
}

async fn send(
    app: &App,
    conn: &mut PgConnection,
    digests: &Gathering,
    period: Period,
) -> Result<(), InterventionsError> {
    if app.channels.email {
        for (person, digest) in &digests.by_person {
            let subject = subject_line(&digest_text::subject(digest));
            let text = digest_text::mail(digest, period, person).join("\n") + "\n";
            let email = Email { to: person.clone(), subject, text, ..Email::default() };
            enqueue(app, conn, period, &format!("email:{person}"), email).await?;
        }
    }
    if !digests.all.is_empty() {
        for destination in &app.channels.slack {
            let lines = digest_text::post(&digests.all, period);
            let text = slack_message(&digest_text::subject(&digests.all), &lines);
            let content = Slack { destination: destination.clone(), text, blocks: None };
            enqueue(app, conn, period, &format!("slack:{destination}"), content).await?;
        }
    }
    Ok(())
}

/// Where a digest cannot go holds up nothing.
async fn enqueue(
    app: &App,
    conn: &mut PgConnection,
    period: Period,
    to: &str,
    content: impl Into<Content>,
) -> Result<(), InterventionsError> {
    // Its beginning names a digest: one that is late is followed by another on the same day.
    let key = dedupe_key(&format!("{PURPOSE}/{}", period.start.format("%FT%TZ")), to);
    let message = NewMessage::new(app.core.ids.new_id(), PURPOSE, content).with_dedupe_key(key);
    match app.delivery.enqueue(conn, &message, period.end).await {
        Ok(_) => Ok(()),
        Err(EnqueueError::Invalid(faults)) => {
            tracing::error!(to, ?faults, "a digest of billing alerts cannot be sent");
            Ok(())
        }
        Err(EnqueueError::Storage(error)) => Err(error.into()),
    }
}
