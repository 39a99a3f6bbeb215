//! What is behind a fall of a score, in words: the measures that fell, and the conditions that last.

use std::cmp::Reverse;

use chrono::Days;
use mainstay_domain::Points;
use uuid::Uuid;

use super::explain::Snapshot;
use super::json::Amount;
use super::model::{Aggregation, Input, Measure, Window};
use super::risk_trigger::{RiskCause, RiskTrigger};
use super::score::MeasureOutcome;
use super::sentences::{SHOWN_MOVE_MIN, amount_words, counted, input_words, missing_words, number_words, window_words};
use super::ticket::TicketPriority;
use super::usage_decline::{Decline, UseSeries};

/// One thing behind a fall.
#[derive(Debug, Clone, PartialEq)]
pub struct DeclineTrigger {
    /// What it is.
    pub source: DeclineSource,
    /// The points that it cost; 0 for a condition, which is no part of the score.
    pub points: Points,
    /// What happened, in words.
    pub sentence: String,
}

/// Where a fall comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeclineSource {
    /// A measure, by its id, that looks at this.
    Measure(String, Input),
    /// A condition that lasts, by its id.
    RiskTrigger(Uuid),
}

/// What is behind the fall since an earlier day: the measures whose points fell, largest loss first, when the score fell at all; then
/// the conditions that last, newest first. Conditions of the score itself are not causes, and left out.
pub fn decline_triggers(
    now: Snapshot<'_>,
    earlier: Option<Snapshot<'_>>,
    lasting: &[RiskTrigger],
) -> Vec<DeclineTrigger> {
    let mut triggers = earlier.map(|earlier| fallen_measures(now, earlier)).unwrap_or_default();
    let mut conditions: Vec<&RiskTrigger> =
        lasting.iter().filter(|trigger| !matches!(trigger.condition.cause, RiskCause::Health { .. })).collect();
    conditions.sort_by_key(|trigger| (Reverse(trigger.raised_at), trigger.id));
    triggers.extend(conditions.into_iter().map(|trigger| DeclineTrigger {
        source: DeclineSource::RiskTrigger(trigger.id),
        points: Points::ZERO,
        sentence: condition_sentence(trigger),
    }));
    triggers
}

fn fallen_measures(now: Snapshot<'_>, earlier: Snapshot<'_>) -> Vec<DeclineTrigger> {
    let score = |snapshot: Snapshot<'_>| snapshot.scored.score.unwrap_or_default();
    if score(now) - score(earlier) > -SHOWN_MOVE_MIN {
        return Vec::new();
    }
    let level = mean_score(now, earlier);
    let measures = now.model.measures().zip(&now.scored.measures);
    let mut fallen: Vec<DeclineTrigger> = measures
        .filter_map(|((_, measure), outcome)| {
            let (measure_then, before) = find(earlier, &measure.id)?;
            let is_same_model = now.model.id == earlier.model.id;
            if !is_same_model && !reads_the_same(measure, measure_then) {
                return None;
            }
            let weight_then = if is_same_model { before.effective_weight } else { outcome.effective_weight };
            let points = Points::nearest(lost_points(measure, before, outcome, weight_then, level));
            (points >= SHOWN_MOVE_MIN).then(|| DeclineTrigger {
                source: DeclineSource::Measure(measure.id.clone(), measure.input.clone()),
                points,
                sentence: format!("{}: {}", measure.display_name, fall_words(measure, before, outcome)),
            })
        })
        .collect();
    fallen.sort_by_key(|trigger| Reverse(trigger.points));
    fallen
}

fn find<'a>(snapshot: Snapshot<'a>, id: &str) -> Option<(&'a Measure, &'a MeasureOutcome)> {
    let mut measures = snapshot.model.measures().zip(&snapshot.scored.measures);
    measures.find(|((_, measure), _)| measure.id == id).map(|((_, measure), outcome)| (measure, outcome))
}

/// Whether two models mean the same by a measure, however they weigh and value it.
fn reads_the_same(one: &Measure, other: &Measure) -> bool {
    (&one.input, one.window, one.aggregation, one.comparison)
        == (&other.input, other.window, other.aggregation, other.comparison)
}

/// What it cost the score that the measure's own points fell. Both days are valued by today's curve and weighed by the mean of both
/// weights: what a weight moved is no doing of the measure. One that drops out or comes back takes what it had, or has, beyond `level`,
/// for its weight is shared among the others.
fn lost_points(measure: &Measure, before: &MeasureOutcome, now: &MeasureOutcome, weight_then: f64, level: f64) -> f64 {
    let points = |outcome: &MeasureOutcome| outcome.value.map(|value| measure.curve.points_at(value));
    match (points(before), points(now)) {
        (Some(then), Some(points)) => weight_then.midpoint(now.effective_weight) * (then - points),
        (Some(then), None) => weight_then * (then - level),
        (None, Some(points)) => now.effective_weight * (level - points),
        (None, None) => 0.0,
    }
}

/// Between both scores; 0 where there is none, for then nothing is left to share a weight with.
fn mean_score(now: Snapshot<'_>, earlier: Snapshot<'_>) -> f64 {
    let scores = now.scored.score.zip(earlier.scored.score);
    scores.map_or(0.0, |(score, before)| score.as_f64().midpoint(before.as_f64()))
}

/// For example `days with activities of users fell from 18 to 4 in 28 days`.
fn fall_words(measure: &Measure, before: &MeasureOutcome, now: &MeasureOutcome) -> String {
    if let Some(reason) = now.missing {
        return format!("it dropped out ({})", missing_words(reason));
    }
    let Some(then) = before.value else {
        return format!("it counts again, with {} of 100 points", now.points.unwrap_or_default());
    };
    let (subject, within) = subject_words(measure);
    let bases = before.base_value.zip(now.base_value).filter(|(then, base)| !same(*then, *base));
    let compared = bases.map(|(then, base)| {
        format!(
            "what that is compared with {} from {} to {}",
            verb(then, base),
            amount_words(measure, then),
            amount_words(measure, base)
        )
    });
    match (before.raw_value.zip(now.raw_value), compared) {
        (Some((then, raw)), compared) if !same(then, raw) => {
            let compared = compared.map(|words| format!(", and {words}")).unwrap_or_default();
            let (then, raw, verb) = (amount_words(measure, then), amount_words(measure, raw), verb(then, raw));
            format!("{subject} {verb} from {then} to {raw}{within}{compared}")
        }
        (Some((_, raw)), Some(compared)) => {
            format!("{subject} stayed at {}{within}, but {compared}", amount_words(measure, raw))
        }
        _ => {
            let value = now.value.unwrap_or(then);
            format!("it {} from {} to {}", verb(then, value), number_words(then), number_words(value))
        }
    }
}

fn same(left: f64, right: f64) -> bool {
    left.to_bits() == right.to_bits()
}

fn verb(then: f64, now: f64) -> &'static str {
    if now < then { "fell" } else { "rose" }
}

/// What a measure counts, and within which days.
fn subject_words(measure: &Measure) -> (String, String) {
    let what = input_words(&measure.input);
    let subject = match measure.aggregation {
        Aggregation::Sum => what,
        Aggregation::MeanPerDay => format!("{what} a day"),
        Aggregation::ActiveDays => format!("days with {what}"),
        Aggregation::Distinct if measure.input == Input::AnyUser => "users seen".to_owned(),
        Aggregation::Distinct => "features used".to_owned(),
        Aggregation::Last => return (what, String::new()),
        Aggregation::LastOfLimit => return (format!("{what}, as a share of the plan's limit,"), String::new()),
        Aggregation::Max => format!("the most {what} on a day"),
        Aggregation::Mean => format!("the mean of {what}"),
        Aggregation::FadedLast => return (format!("{what}, faded with its age,"), String::new()),
        Aggregation::DaysSinceLast => return (format!("days without {what}"), String::new()),
        Aggregation::DaysSinceFirst => return (format!("days since the first {what}"), String::new()),
    };
    let within = match measure.window {
        Window::Days(_) => format!(" {}", window_words(measure.window)),
        Window::Lifetime => String::new(),
    };
    (subject, within)
}

/// A condition that lasts, for example `Invoice in_1 is unpaid since 2026-03-01: 3 attempts failed (card declined), 120.00 EUR`.
pub(super) fn condition_sentence(trigger: &RiskTrigger) -> String {
    let (since, subject) = (trigger.raised_at.date_naive(), &trigger.subject);
    match &trigger.condition.cause {
        RiskCause::Health { score, .. } => format!("The score is {} since {since}", score.0),
        RiskCause::Inactivity { last_activity_day, inactive_days } => {
            format!(
                "Nobody was active since {last_activity_day}: {} or more",
                counted(f64::from(*inactive_days), "days")
            )
        }
        RiskCause::Payment { amount, failed_attempt_count, failure_reason, overdue } => {
            let failed = match failed_attempt_count {
                0 => String::new(),
                count => {
                    let reason = if failure_reason.is_empty() { String::new() } else { format!(" ({failure_reason})") };
                    format!("{}{reason}", counted(f64::from(*count), "attempts failed"))
                }
            };
            let overdue = if *overdue { "overdue".to_owned() } else { String::new() };
            with_details(format!("Invoice {subject} is unpaid since {since}"), [failed, overdue, money(*amount)])
        }
        RiskCause::Dispute { invoice_id, amount, reason } => {
            let invoice = if invoice_id.is_empty() { String::new() } else { format!("of invoice {invoice_id}") };
            with_details(format!("Dispute {subject} is open since {since}"), [reason.clone(), invoice, money(*amount)])
        }
        RiskCause::Ticket { priority, subject: line, escalation_count, reopen_count } => {
            let priority = if *priority == TicketPriority::Critical { "Critical" } else { "Urgent" };
            let times = |count: i32, what: &str| match count {
                0 => String::new(),
                1 => format!("{what} once"),
                count => format!("{what} {count} times"),
            };
            let details = [line.clone(), times(*escalation_count, "escalated"), times(*reopen_count, "reopened")];
            with_details(format!("{priority} ticket {subject} is open since {since}"), details)
        }
        RiskCause::TicketFrustrated(frustration) => {
            let messages = counted(f64::from(frustration.message_count), "messages of frustration");
            with_details(
                format!("The customer is frustrated in ticket {subject} since {since}"),
                [frustration.subject.clone(), messages],
            )
        }
        RiskCause::UsageDecline(decline) => decline_sentence(decline),
        RiskCause::LoginDrop(days) => {
            format!("Days with activity fell from {} to {} in 28 days", days.earlier_active_days, days.active_days)
        }
        RiskCause::PaymentSlowing(delay) => {
            let days = |days: f64| counted(days, "days");
            let (late, earlier) = (days(delay.days_late), days(delay.earlier_days_late));
            format!("The last {} invoices were paid {late} late, those before {earlier}", delay.invoice_count)
        }
        RiskCause::FeatureNotAdopted(unadopted) => {
            let names: Vec<&str> = unadopted.names().collect();
            format!("Not used since the activation on {}: {}", unadopted.activation_day, names.join(", "))
        }
        RiskCause::ChampionSilent(silence) => {
            let name = if silence.display_name.is_empty() { subject } else { &silence.display_name };
            let days = counted(f64::from(silence.silent_days), "days");
            format!("The champion {name} was active on {} last: {days} or more", silence.last_activity_day)
        }
        RiskCause::RenewalAtRisk(risk) => {
            let (day, score) = (risk.renewal_day, risk.score.0);
            with_details(format!("The renewal on {day} is near with a score of {score}"), [money(risk.arr)])
        }
    }
}

/// Its weeks are those of the last change of the condition, and need not fall any more.
fn decline_sentence(decline: &Decline) -> String {
    let what = match &decline.series {
        UseSeries::Metric(metric) => input_words(&Input::Metric(metric.clone())),
        UseSeries::AnyFeature => input_words(&Input::AnyFeature),
        UseSeries::AnyUser => "users seen".to_owned(),
    };
    let weeks: Vec<String> = decline.weeks.iter().map(|week| number_words(week.total as f64)).collect();
    let (weeks, base) = (weeks.join(", "), number_words(decline.base));
    if decline.is_of_its_first_weeks() {
        return format!("{what} declined for three weeks: {weeks}, against {base} a week before");
    }
    let since = decline.base_monday + Days::new(7);
    format!("{what} declined since {since}: {weeks} in three weeks, against {base} a week before that day")
}

fn money(amount: Option<Amount>) -> String {
    amount.map(|Amount(money)| money.to_string()).unwrap_or_default()
}

fn with_details(what: String, details: impl IntoIterator<Item = String>) -> String {
    let details: Vec<String> = details.into_iter().filter(|detail| !detail.is_empty()).collect();
    if details.is_empty() { what } else { format!("{what}: {}", details.join(", ")) }
}

#[cfg(test)]
mod tests;
