//! Tells people: in the transaction of what they are told of, so that nobody hears of what did not happen and everybody
//! of what did. What leaves is `mainstay_delivery`'s business.

use mainstay_accounts::Account;
use mainstay_delivery::{Content, Email, EnqueueError, NewMessage, Slack, Webhook};
use mainstay_domain::{OwnerRole, Violations};
use mainstay_service::wire::timestamp;
use mainstay_storage::fingerprint;
use serde_json::json;

use super::session::About;
use super::{InterventionsError, Session, find_owner};
use crate::convert;
use crate::domain::alert::Alert;
use crate::domain::case::Case;
use crate::domain::clock::{Clock, ClockState};
use crate::domain::task::Task;

/// Most characters of a subject line.
const SUBJECT_LENGTH_MAX: usize = 250;

/// What people are told.
pub(super) struct Notice {
    /// For lists of messages: a word.
    pub purpose: &'static str,
    /// What makes it the same notice: with a person or channel behind it, the dedupe key.
    pub key: String,
    /// The subject line.
    pub subject: String,
    /// The text, line by line.
    pub lines: Vec<String>,
    /// Whether Slack hears of it.
    pub slack: bool,
    /// What webhooks hear of it.
    pub webhook: Option<serde_json::Value>,
}

/// People in their order, without repeats: an owner may also be the next of the chain.
pub(super) fn once_each(people: &[String]) -> Vec<&str> {
    let mut once: Vec<&str> = Vec::with_capacity(people.len());
    for person in people {
        if !once.contains(&person.as_str()) {
            once.push(person);
        }
    }
    once
}

impl Session<'_> {
    /// Tells these people, each once, and the channels of the settings.
    pub(super) async fn notify(
        &mut self,
        people: &[String],
        notice: &Notice,
        about: About,
    ) -> Result<(), InterventionsError> {
        if self.app.channels.email {
            for person in once_each(people) {
                self.write_to(person, notice, about).await?;
            }
        }
        let channels = self.app.channels.clone();
        if notice.slack {
            for destination in &channels.slack {
                let text = slack_message(&notice.subject, &notice.lines);
                let content = Slack { destination: destination.clone(), text, blocks: None };
                self.post(notice, &format!("slack:{destination}"), content, about).await?;
            }
        }
        if let Some(payload) = &notice.webhook {
            for destination in &channels.webhooks {
                let event_type = format!("interventions.{}", notice.purpose);
                let content = Webhook { destination: destination.clone(), event_type, data: payload.clone() };
                self.post(notice, &format!("webhook:{destination}"), content, about).await?;
            }
        }
        Ok(())
    }

    /// Writes to a person; where the address is none, to the one who is asked when nobody is known. What cannot be said at all
    /// is in the story: a notice never undoes what it tells of.
    async fn write_to(&mut self, person: &str, notice: &Notice, about: About) -> Result<(), InterventionsError> {
        if sendable(self.try_to_write(person, notice).await)?.is_none() {
            return Ok(());
        }
        let instead = self.app.default_owners.everyone.clone();
        let body = format!("`{person}` cannot be written to; {instead} is told instead");
        self.note("notice_redirected", body, about).await?;
        if let Some(faults) = sendable(self.try_to_write(&instead, notice).await)? {
            self.note_failure(&instead, &faults, about).await?;
        }
        Ok(())
    }

    async fn note_failure(&mut self, to: &str, faults: &Violations, about: About) -> Result<(), InterventionsError> {
        tracing::error!(account = self.account.id.as_str(), to, ?faults, "a notice cannot be sent");
        Ok(self.note("notice_failed", format!("{to} could not be told"), about).await?)
    }

    async fn try_to_write(&mut self, person: &str, notice: &Notice) -> Result<(), EnqueueError> {
        let text = notice.lines.join("\n") + "\n";
        let subject = subject_line(&notice.subject);
        let email = Email { to: person.to_owned(), subject, text, ..Email::default() };
        self.enqueue(notice, &format!("email:{person}"), email).await
    }

    /// A channel of the settings: one that cannot take the notice holds up nothing.
    async fn post(
        &mut self,
        notice: &Notice,
        to: &str,
        content: impl Into<Content>,
        about: About,
    ) -> Result<(), InterventionsError> {
        if let Some(faults) = sendable(self.enqueue(notice, to, content).await)? {
            self.note_failure(to, &faults, about).await?;
        }
        Ok(())
    }

    async fn enqueue(&mut self, notice: &Notice, to: &str, content: impl Into<Content>) -> Result<(), EnqueueError> {
        let message = NewMessage::new(self.app.core.ids.new_id(), notice.purpose, content)
            .about(&self.account.id)
            .with_dedupe_key(dedupe_key(&notice.key, to));
        self.app.delivery.enqueue(self.conn, &message, self.now).await.map(drop)
    }

    /// The mail addresses of the account's people in these roles, or of their defaults.
    pub(super) fn people(&self, roles: &[OwnerRole]) -> Vec<String> {
        roles.iter().map(|role| find_owner::of(self.app, &self.account, *role).email).collect()
    }

    /// Says who raised what, with the context that a person needs to decide, and what is due in the case that deals with it.
    pub(super) fn alert_raised_notice(
        &self,
        alert: &Alert,
        clocks: &[Clock],
        case: Option<&(Case, Vec<Clock>)>,
    ) -> Notice {
        let mut lines = alert_lines(alert, &self.account);
        lines.push(String::new());
        lines.extend(clock_lines(clocks));
        if let Some((case, clocks)) = case {
            lines.push(format!("Case: {} ({})", case.id, case.state.words()));
            lines.extend(clock_lines(clocks));
        }
        lines.push(String::new());
        lines.push(format!("Owner: {}{}", alert.owner_email, fallback_words(alert.owner_is_fallback)));
        lines.push(format!("Acknowledge: mainstay alerts acknowledge {}", alert.id));
        lines.push(format!("Talking points: mainstay cases talking-points {}", alert.account));
        Notice {
            purpose: "alert_raised",
            key: format!("alert/{}/raised", alert.id),
            subject: format!("{}: {}", self.account.display_name, alert.headline),
            lines,
            slack: true,
            webhook: Some(self.alert_payload(alert, clocks)),
        }
    }

    /// Has the CRM keep the plan.
    pub(super) fn alert_planned_notice(&self, alert: &Alert, clocks: &[Clock]) -> Notice {
        Notice {
            purpose: "alert_planned",
            // A plan that is written anew is told anew.
            key: format!("alert/{}/planned/{}", alert.id, alert.version),
            subject: format!("{}: planned: {}", self.account.display_name, alert.headline),
            lines: vec![alert.plan.clone()],
            slack: false,
            webhook: Some(self.alert_payload(alert, clocks)),
        }
    }

    /// Says that a deadline is near, has passed, or that it is time to look again.
    pub(super) fn clock_notice(
        &self,
        purpose: &'static str,
        clock: &Clock,
        of: &str,
        mut lines: Vec<String>,
        webhook: Option<serde_json::Value>,
    ) -> Notice {
        let what = clock.step.words();
        let subject = match purpose {
            "clock_warned" => {
                format!("{}: {what} by {}", self.account.display_name, clock.due_at.format("%F %H:%M UTC"))
            }
            "reminder" => format!("{}: still open", self.account.display_name),
            _ => format!("{}: overdue: {what}", self.account.display_name),
        };
        lines.push(format!("Due: {what} by {}", clock.due_at.format("%F %H:%M UTC")));
        lines.push(of.to_owned());
        let slack = purpose == "clock_breached";
        let webhook = webhook.map(|mut payload| {
            payload["deadline"] = json!({
                "step": convert::clock::step_message(clock.step).as_str_name(),
                "dueTime": timestamp(clock.due_at).to_string(),
            });
            payload
        });
        Notice { purpose, key: format!("clock/{}/{purpose}", clock.id), subject, lines, slack, webhook }
    }

    /// An alert as webhooks get it, by the names of the proto.
    pub(super) fn alert_payload(&self, alert: &Alert, clocks: &[Clock]) -> serde_json::Value {
        let alert = convert::alert::message(alert, &self.account.display_name, clocks);
        json!({
            "alert": alert.name,
            "account": alert.account,
            "accountDisplayName": alert.account_display_name,
            "kind": alert.kind().as_str_name(),
            "state": alert.state().as_str_name(),
            "severity": alert.severity().as_str_name(),
            "subject": alert.subject,
            "headline": alert.headline,
            "details": alert.details,
            "ownerEmail": alert.owner_email,
            "occurrenceCount": alert.occurrence_count,
            "nextDueTime": alert.next_due_time.map(|time| time.to_string()),
            "case": alert.case,
            "plan": alert.plan,
        })
    }
}

impl Session<'_> {
    /// A case as webhooks get it, by the names of the proto.
    pub(super) fn case_payload(&self, case: &Case) -> serde_json::Value {
        let case = convert::case::message(case, &self.account.display_name, &[]);
        json!({
            "case": case.name,
            "account": case.account,
            "accountDisplayName": case.account_display_name,
            "kind": case.kind().as_str_name(),
            "state": case.state().as_str_name(),
            "outcome": case.outcome().as_str_name(),
            "ownerEmail": case.owner_email,
            "nextDueTime": case.next_due_time.map(|time| time.to_string()),
        })
    }
}

/// Whether it could be enqueued; the faults if it never can be.
fn sendable(enqueued: Result<(), EnqueueError>) -> Result<Option<Violations>, InterventionsError> {
    match enqueued {
        Ok(()) => Ok(None),
        Err(EnqueueError::Invalid(faults)) => Ok(Some(faults)),
        Err(EnqueueError::Storage(error)) => Err(error.into()),
    }
}

/// What makes it the same notice to the same receiver, who is in it by a hash: addresses may be longer than keys.
pub(super) fn dedupe_key(notice: &str, to: &str) -> String {
    let hash = fingerprint(&[to.as_bytes()]);
    let receiver = hash.iter().take(8).fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    format!("{notice}/{receiver:016x}")
}

/// A text of other systems as a line of mail: without control characters, at most 250 characters.
pub(super) fn subject_line(text: &str) -> String {
    let line = text.replace(char::is_control, " ");
    match line.char_indices().nth(SUBJECT_LENGTH_MAX) {
        None => line,
        Some(_) => line.chars().take(SUBJECT_LENGTH_MAX - 2).chain(" …".chars()).collect(),
    }
}

/// A subject and the lines below it, as a message in Slack.
pub(super) fn slack_message(subject: &str, lines: &[String]) -> String {
    format!("*{}*\n{}", slack_text(subject), slack_text(&lines.join("\n")))
}

/// A text of other systems in Slack's mrkdwn, in which `<`, `>` and `&` have a meaning: nobody outside may mention the channel
/// or dress up a link.
fn slack_text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// What an alert says, with the account's context.
pub(super) fn alert_lines(alert: &Alert, account: &Account) -> Vec<String> {
    let mut lines = vec![alert.headline.clone()];
    lines.extend(alert.details.iter().map(|detail| format!("  {detail}")));
    lines.push(String::new());
    lines.extend(account_lines(account));
    lines
}

/// What a person needs to know of an account.
pub(super) fn account_lines(account: &Account) -> Vec<String> {
    let mut lines = vec![format!("Account: {} ({})", account.display_name, account.id)];
    lines.extend(account.arr.map(|arr| format!("ARR: {arr}")));
    lines.extend(account.renewal_at.map(|renewal| format!("Renewal: {}", renewal.format("%F"))));
    lines.extend(account.health.score.map(|score| format!("Health: {:.1}", score.as_f64())));
    let champion = account.contacts.iter().find(|contact| contact.champion && !contact.email.is_empty());
    lines.extend(champion.map(|contact| format!("Champion: {} <{}>", contact.display_name, contact.email)));
    lines
}

/// The deadlines that are still to come.
pub(super) fn clock_lines(clocks: &[Clock]) -> Vec<String> {
    let mut running: Vec<&Clock> = clocks.iter().filter(|clock| clock.state == ClockState::Running).collect();
    running.sort_by_key(|clock| clock.due_at);
    running.iter().map(|clock| format!("{} by {}", clock.step.words(), clock.due_at.format("%F %H:%M UTC"))).collect()
}

/// What is to be done in a case.
pub(super) fn task_lines(tasks: &[Task]) -> Vec<String> {
    tasks.iter().map(|task| format!("Task: {} by {}", task.title, task.due_at.format("%F %H:%M UTC"))).collect()
}

fn fallback_words(is_fallback: bool) -> &'static str {
    if is_fallback { " (nobody is known who looks after the account)" } else { "" }
}

/// What a case says.
pub(super) fn case_lines(case: &Case, account: &Account) -> Vec<String> {
    let mut lines = account_lines(account);
    lines.push(format!("Case: {} ({})", case.id, case.state.words()));
    lines.extend(case.priority.expected_gain().map(|gain| format!("Expected gain: {gain}")));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_line_is_one_line_and_not_too_long() {
        assert_eq!(subject_line("Acme\nLtd: fell"), "Acme Ltd: fell");
        let long = subject_line(&"ä".repeat(400));
        assert_eq!(long.chars().count(), 250);
        assert!(long.ends_with(" …"));
        assert_eq!(subject_line(&"x".repeat(250)).len(), 250);
    }

    #[test]
    fn customers_words_mention_nobody_in_slack() {
        assert_eq!(slack_text("<!channel> a & b"), "&lt;!channel&gt; a &amp; b");
    }
}
