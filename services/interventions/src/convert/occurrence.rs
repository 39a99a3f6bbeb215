//! What other services tell, as something that happened to an account.

use chrono::{DateTime, Utc};
use mainstay_api::mainstay::common::v1::Money as MoneyMessage;
use mainstay_api::mainstay::scoring::v1 as scoring;
use mainstay_api::mainstay::surveys::v1 as surveys;
use mainstay_domain::{AccountId, Currency, Money, Points, Violations};
use mainstay_service::wire;

use crate::domain::alert::{AlertKind, Answer, DETAILS_MAX, Occurrence};

/// Most characters of a customer's comment that an alert shows.
const COMMENT_SHOWN_MAX: usize = 500;
/// Most characters of a name that a headline shows.
const NAME_SHOWN_MAX: usize = 100;

/// What a risk trigger of scoring says; none when this version does not know its kind.
pub(crate) fn of_trigger(trigger: &scoring::RiskTrigger) -> Option<Occurrence> {
    let account = AccountId::parse_name(&trigger.account).ok()?;
    let (headline, mut details) = words(trigger);
    details
        .extend(trigger.recommended_steps.iter().map(|step| format!("{}: {}", role_words(step.role()), step.sentence)));
    details.truncate(DETAILS_MAX);
    let happened_at = trigger.raise_time.as_ref().and_then(time)?;
    Some(Occurrence {
        account,
        kind: kind_of_trigger(trigger.kind())?,
        subject: trigger.subject.clone(),
        headline,
        details,
        happened_at,
        occurred_at: trigger.change_time.as_ref().and_then(time).unwrap_or(happened_at),
        count: Some(trigger.occurrence_count),
        severity: None,
        owner_email: None,
        score: trigger.score.map(Points::nearest),
        answer: None,
    })
}

/// Who takes a step, in words.
const fn role_words(role: scoring::StepRole) -> &'static str {
    match role {
        scoring::StepRole::Unspecified => "To do",
        scoring::StepRole::Csm => "CSM",
        scoring::StepRole::CsmDirector => "Director of customer success",
        scoring::StepRole::FinanceContact => "Finance",
        scoring::StepRole::Support => "Support",
    }
}

/// The kind of the alert for a trigger.
pub(crate) fn kind_of_trigger(kind: scoring::RiskTriggerKind) -> Option<AlertKind> {
    match kind {
        scoring::RiskTriggerKind::Unspecified => None,
        scoring::RiskTriggerKind::HealthCritical => Some(AlertKind::HealthCritical),
        scoring::RiskTriggerKind::HealthAtRisk => Some(AlertKind::HealthAtRisk),
        scoring::RiskTriggerKind::HealthDrop => Some(AlertKind::HealthDrop),
        scoring::RiskTriggerKind::Inactivity => Some(AlertKind::Inactivity),
        scoring::RiskTriggerKind::PaymentFailed => Some(AlertKind::PaymentFailed),
        scoring::RiskTriggerKind::BillingDispute => Some(AlertKind::BillingDispute),
        scoring::RiskTriggerKind::TicketUrgent => Some(AlertKind::TicketUrgent),
        scoring::RiskTriggerKind::TicketFrustrated => Some(AlertKind::TicketFrustrated),
        scoring::RiskTriggerKind::UsageDecline => Some(AlertKind::UsageDecline),
        scoring::RiskTriggerKind::LoginDrop => Some(AlertKind::LoginDrop),
        scoring::RiskTriggerKind::FeatureNotAdopted => Some(AlertKind::FeatureNotAdopted),
        scoring::RiskTriggerKind::ChampionSilent => Some(AlertKind::ChampionSilent),
        scoring::RiskTriggerKind::RenewalAtRisk => Some(AlertKind::RenewalAtRisk),
        scoring::RiskTriggerKind::PaymentSlowing => Some(AlertKind::PaymentSlowing),
    }
}

/// What a detractor's answer says.
pub(crate) fn of_response(response: &surveys::Response) -> Option<Occurrence> {
    let account = AccountId::parse_name(&response.account).ok()?;
    let score = i16::try_from(response.score?).ok()?;
    let mut details = vec![format!("Answered {score} of 10.")];
    if !response.comment.is_empty() {
        let comment: String = response.comment.chars().take(COMMENT_SHOWN_MAX).collect();
        let cut = if response.comment.chars().count() > COMMENT_SHOWN_MAX { " …" } else { "" };
        details.push(format!("“{}{cut}”", comment.replace(char::is_control, " ")));
    }
    let who = [&response.email, &response.contact_id].into_iter().find(|text| !text.is_empty());
    details.extend(who.map(|who| format!("Contact: {who}")));
    let answered_at = response.response_time.as_ref().and_then(time)?;
    Some(Occurrence {
        account,
        kind: AlertKind::Detractor,
        subject: response.name.clone(),
        headline: format!("A customer answered {score} of 10"),
        details,
        happened_at: answered_at,
        occurred_at: answered_at,
        // One answer is one, however often it is told.
        count: Some(1),
        severity: None,
        owner_email: None,
        score: None,
        answer: Some(Answer { response: response.name.clone(), contact_id: response.contact_id.clone(), score }),
    })
}

/// The headline and the facts of a trigger.
fn words(trigger: &scoring::RiskTrigger) -> (String, Vec<String>) {
    match &trigger.cause {
        Some(scoring::risk_trigger::Cause::Health(health)) => health_words(trigger.kind(), health),
        Some(scoring::risk_trigger::Cause::Inactivity(silence)) => (
            format!("No activity for {} days", silence.inactive_days),
            vec![format!("Last activity on {}.", silence.last_activity_day)],
        ),
        Some(scoring::risk_trigger::Cause::Payment(payment)) => payment_words(payment),
        Some(scoring::risk_trigger::Cause::Dispute(dispute)) => {
            let mut details: Vec<String> = amount(dispute.amount.as_ref()).into_iter().collect();
            details.extend(line("Invoice", &dispute.invoice_id));
            details.extend(line("Reason", &dispute.reason));
            (format!("The customer disputes a charge ({})", dispute.dispute_id), details)
        }
        Some(scoring::risk_trigger::Cause::Ticket(ticket)) => ticket_words(ticket),
        Some(scoring::risk_trigger::Cause::TicketFrustrated(ticket)) => frustration_words(ticket),
        Some(scoring::risk_trigger::Cause::UsageDecline(decline)) => decline_words(decline),
        Some(scoring::risk_trigger::Cause::LoginDrop(days)) => (
            format!("Active on {} of 28 days, {} before", days.active_days, days.earlier_active_days),
            vec![format!("Days with activity of users, up to and with {}.", days.last_day)],
        ),
        Some(scoring::risk_trigger::Cause::PaymentSlowing(delay)) => slowing_words(delay),
        Some(scoring::risk_trigger::Cause::FeatureNotAdopted(unadopted)) => unadopted_words(unadopted),
        Some(scoring::risk_trigger::Cause::ChampionSilent(silence)) => champion_words(silence),
        Some(scoring::risk_trigger::Cause::RenewalAtRisk(renewal)) => renewal_words(renewal),
        None => ("The account is at risk".to_owned(), Vec::new()),
    }
}

fn health_words(kind: scoring::RiskTriggerKind, health: &scoring::HealthCause) -> (String, Vec<String>) {
    let headline = match kind {
        scoring::RiskTriggerKind::HealthDrop => {
            let before = health.previous_score.unwrap_or(health.score);
            format!("Health fell by {:.1} points in a month", before - health.score)
        }
        _ if health.score < health.threshold => {
            format!("Health fell below {:.0}: {:.1}", health.threshold, health.score)
        }
        _ => format!("Health fell below {:.0} and is at {:.1} again", health.threshold, health.score),
    };
    let mut details = vec![format!("Score {:.1} on {}.", health.score, health.day)];
    let before = health.previous_score.map(|before| format!("{before:.1}"));
    // The same when the account was not looked at for a while: it is back, and nothing fell.
    let other = before.filter(|before| *before != format!("{:.1}", health.score));
    details.extend(other.map(|before| format!("Before: {before}.")));
    (headline, details)
}

fn payment_words(payment: &scoring::PaymentCause) -> (String, Vec<String>) {
    let invoice = &payment.invoice_id;
    let headline = match payment.failed_attempt_count {
        0 => format!("Invoice {invoice} is overdue"),
        1 => format!("The payment of invoice {invoice} failed"),
        times => format!("The payment of invoice {invoice} failed {times} times"),
    };
    let mut details: Vec<String> = amount(payment.amount.as_ref()).into_iter().collect();
    details.extend(line("Reason", &payment.failure_reason));
    if payment.overdue && payment.failed_attempt_count > 0 {
        details.push("It is past its due date.".to_owned());
    }
    (headline, details)
}

fn ticket_words(ticket: &scoring::TicketCause) -> (String, Vec<String>) {
    let priority = if ticket.priority() == scoring::TicketPriority::Critical { "Critical" } else { "Urgent" };
    let mut details: Vec<String> = line("Subject", &ticket.subject).into_iter().collect();
    for (count, what) in [(ticket.escalation_count, "Escalated"), (ticket.reopen_count, "Reopened")] {
        details.extend((count > 0).then(|| format!("{what} {count} times.")));
    }
    (format!("{priority} ticket {}", ticket.ticket_id), details)
}

fn frustration_words(ticket: &scoring::TicketFrustratedCause) -> (String, Vec<String>) {
    let mut details: Vec<String> = line("Subject", &ticket.subject).into_iter().collect();
    details.push(match ticket.message_count {
        1 => "One message was frustrated.".to_owned(),
        count => format!("{count} messages were frustrated."),
    });
    (format!("The customer is frustrated in ticket {}", ticket.ticket_id), details)
}

fn decline_words(decline: &scoring::UsageDeclineCause) -> (String, Vec<String>) {
    let what = match decline.input.as_ref().and_then(|input| input.series.as_ref()) {
        Some(scoring::input::Series::Metric(name) | scoring::input::Series::Feature(name)) => format!("Use of {name}"),
        Some(scoring::input::Series::AnyFeature(_)) => "Use of features".to_owned(),
        Some(scoring::input::Series::AnyUser(_)) => "The number of active users".to_owned(),
        // Of stories no decline is told.
        Some(scoring::input::Series::Story(_)) | None => "Use".to_owned(),
    };
    let newest = decline.weeks.last().map_or(decline.base, |week| week.total as f64);
    let percent = (1.0 - newest / decline.base.max(f64::MIN_POSITIVE)) * 100.0;
    let mut details = vec![format!("Before: {:.0} a week, up to the week of {}.", decline.base, decline.base_week)];
    details.extend(decline.weeks.iter().map(|week| format!("Week of {}: {}.", week.week, week.total)));
    (format!("{what} is {percent:.0} % below what it was"), details)
}

fn slowing_words(delay: &scoring::PaymentSlowingCause) -> (String, Vec<String>) {
    let (late, earlier) = (delay.days_late, delay.earlier_days_late);
    let headline =
        format!("The last {} invoices were paid {late:.0} days late, {earlier:.0} before", delay.invoice_count);
    let before = format!("Before: the mean of {} invoices.", delay.earlier_invoice_count);
    (headline, vec![format!("The last payment was on {}.", delay.newest_payment_day), before])
}

fn unadopted_words(unadopted: &scoring::FeatureNotAdoptedCause) -> (String, Vec<String>) {
    let headline = match unadopted.features.as_slice() {
        [only] => format!("{} was never used", shortened(&only.feature)),
        several => format!("{} features were never used", several.len()),
    };
    let mut details = vec![format!("Activated on {}.", unadopted.activation_day)];
    let users = |known: &scoring::PeerFeature| {
        format!("{}: used by {} of {} like this one.", known.feature, known.user_count, unadopted.peer_count)
    };
    // A line is taken by the activation.
    details.extend(unadopted.features.iter().take(DETAILS_MAX - 1).map(users));
    (headline, details)
}

fn champion_words(silence: &scoring::ChampionSilentCause) -> (String, Vec<String>) {
    let names = [&silence.display_name, &silence.contact_id];
    let name = names.into_iter().find(|name| !name.is_empty()).map_or("", String::as_str);
    let headline = format!(
        "The champion {} is silent for {} days",
        shortened(&name.replace(char::is_control, " ")),
        silence.silent_days
    );
    let mut details = vec![format!("Last activity on {}.", silence.last_activity_day)];
    details.push(format!("Others active in the last week: {}.", silence.other_active_users));
    details.extend(line("Contact", &silence.contact_id));
    (headline, details)
}

fn renewal_words(renewal: &scoring::RenewalAtRiskCause) -> (String, Vec<String>) {
    let when = match renewal.days_left {
        ..0 => "is overdue".to_owned(),
        0 => "is today".to_owned(),
        1 => "is tomorrow".to_owned(),
        days => format!("is in {days} days"),
    };
    let mut details = vec![format!("Renewal on {}.", renewal.renewal_day)];
    details.extend(money(renewal.arr_at_risk.as_ref()).map(|arr| format!("Annual revenue at risk: {arr}")));
    (format!("The renewal {when}, and health is at {:.1}", renewal.score), details)
}

/// A name of the caller's, short enough for a headline.
fn shortened(name: &str) -> String {
    name.chars().take(NAME_SHOWN_MAX).collect()
}

fn line(what: &str, text: &str) -> Option<String> {
    (!text.is_empty()).then(|| format!("{what}: {}", text.replace(char::is_control, " ")))
}

fn amount(message: Option<&MoneyMessage>) -> Option<String> {
    money(message).map(|money| format!("Amount: {money}"))
}

fn money(message: Option<&MoneyMessage>) -> Option<Money> {
    let message = message?;
    let currency = Currency::parse(&message.currency_code).ok()?;
    Some(Money { currency, minor_units: message.minor_units })
}

/// A time of another service's message.
pub(crate) fn time(message: &prost_types::Timestamp) -> Option<DateTime<Utc>> {
    wire::time(&mut Violations::new(), "time", Some(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trigger(kind: scoring::RiskTriggerKind, cause: scoring::risk_trigger::Cause) -> scoring::RiskTrigger {
        scoring::RiskTrigger {
            account: "accounts/acme".to_owned(),
            kind: kind.into(),
            raise_time: Some(prost_types::Timestamp { seconds: 1_000, nanos: 0 }),
            occurrence_count: 3,
            cause: Some(cause),
            ..Default::default()
        }
    }

    #[test]
    fn an_alert_says_what_happened_in_one_line_and_shows_the_data() {
        let payment = scoring::PaymentCause {
            invoice_id: "in_7".to_owned(),
            amount: Some(MoneyMessage { currency_code: "EUR".to_owned(), minor_units: 12_050 }),
            failed_attempt_count: 3,
            failure_reason: "card declined".to_owned(),
            overdue: true,
        };
        let failed = trigger(scoring::RiskTriggerKind::PaymentFailed, scoring::risk_trigger::Cause::Payment(payment));
        let occurrence = of_trigger(&failed).expect("known");
        assert_eq!(occurrence.headline, "The payment of invoice in_7 failed 3 times");
        assert_eq!(occurrence.details[1..], ["Reason: card declined", "It is past its due date."]);
        assert_eq!((occurrence.kind, occurrence.count), (AlertKind::PaymentFailed, Some(3)));

        let health = scoring::HealthCause {
            day: "2026-03-01".to_owned(),
            score: 49.5,
            threshold: 50.0,
            previous_score: Some(51.0),
            ..Default::default()
        };
        let fell = trigger(scoring::RiskTriggerKind::HealthCritical, scoring::risk_trigger::Cause::Health(health));
        let occurrence = of_trigger(&fell).expect("known");
        assert_eq!(occurrence.headline, "Health fell below 50: 49.5");
        assert_eq!(occurrence.details, ["Score 49.5 on 2026-03-01.", "Before: 51.0."]);
    }

    #[test]
    fn r80_what_to_do_stands_beside_the_warning() {
        let silence = scoring::risk_trigger::Cause::Inactivity(scoring::InactivityCause::default());
        let mut silent = trigger(scoring::RiskTriggerKind::Inactivity, silence);
        let before = of_trigger(&silent).expect("known").details;
        let step = |role: scoring::StepRole, sentence: &str| scoring::RecommendedStep {
            role: role.into(),
            sentence: sentence.to_owned(),
            ..Default::default()
        };
        let role = scoring::StepRole::CsmDirector;
        silent.recommended_steps =
            vec![step(scoring::StepRole::Csm, "Ask the champion."), step(role, "Call the sponsor.")];
        let steps = ["CSM: Ask the champion.", "Director of customer success: Call the sponsor."].map(str::to_owned);
        assert_eq!(of_trigger(&silent).expect("known").details, [before, steps.to_vec()].concat());
    }

    #[test]
    fn a_trigger_of_a_kind_that_is_not_known_is_none() {
        let silence = scoring::risk_trigger::Cause::Inactivity(scoring::InactivityCause::default());
        assert_eq!(of_trigger(&trigger(scoring::RiskTriggerKind::Unspecified, silence)), None);
    }

    #[test]
    fn r29_a_detractors_words_are_shown() {
        let response = surveys::Response {
            name: "accounts/acme/responses/1".to_owned(),
            account: "accounts/acme".to_owned(),
            score: Some(2),
            comment: "Exports\nare broken".to_owned(),
            response_time: Some(prost_types::Timestamp { seconds: 1_000, nanos: 0 }),
            ..Default::default()
        };
        let occurrence = of_response(&response).expect("an occurrence");
        assert_eq!(occurrence.details, ["Answered 2 of 10.", "“Exports are broken”"]);
        assert_eq!(occurrence.answer.map(|answer| answer.score), Some(2));
    }
}
