//! Explanations in plain words.

use std::cmp::Reverse;

use mainstay_domain::{Band, Points};

use super::account_group::AccountGroupKind;
use super::explain::{HealthComparison, MeasureChange, Snapshot, points_at_stake};
use super::measure::MissingReason;
use super::model::{Aggregation, Comparison, Component, GroupStatistic, Input, Measure, Window};
use super::score::{ComponentOutcome, MeasureOutcome};
use super::story_series::StorySeries;

/// How many measures a sentence names.
const NAMED_MAX: usize = 3;

/// The smallest move that one decimal shows.
pub(super) const SHOWN_MOVE_MIN: Points = Points::from_units(7);

/// A component with its outcome and those of its measures.
struct Part<'a> {
    component: &'a Component,
    outcome: &'a ComponentOutcome,
    measures: Vec<(&'a Measure, &'a MeasureOutcome)>,
}

/// What the score is, what each component gives, those that lose most first,
/// and what was left out.
pub(super) fn of_score(now: Snapshot<'_>) -> Vec<String> {
    let mut parts = parts_of(now);
    let mut sentences = vec![headline(now)];
    parts.sort_by_key(|part| Reverse(lost(part.outcome.effective_weight, part.outcome.contribution)));
    sentences.extend(parts.iter().filter(|part| part.outcome.effective_weight > 0.0).map(component_sentence));
    let left_out: Vec<String> = now
        .model
        .measures()
        .zip(&now.scored.measures)
        .filter_map(|((_, measure), outcome)| {
            outcome.missing.map(|reason| format!("{} ({})", measure.display_name, missing_words(reason)))
        })
        .collect();
    if !left_out.is_empty() {
        sentences.push(format!("Left out: {}.", left_out.join(", ")));
    }
    sentences
}

/// By how much the score moved, whether the measures weigh otherwise, and which of them moved it most.
pub(super) fn of_change(now: Snapshot<'_>, earlier: Snapshot<'_>, comparison: &HealthComparison) -> Vec<String> {
    let mut sentences = vec![change_headline(now, earlier, comparison.change)];
    let is_same_model = now.model.id == earlier.model.id;
    if is_same_model {
        sentences.extend(weight_shared_anew(now, earlier));
    } else {
        sentences.push(format!("The model is another one: `{}` then, `{}` now.", earlier.model.id, now.model.id));
    }
    let shown = comparison.measures.iter().filter(|one| one.change.abs() >= SHOWN_MOVE_MIN);
    let movers: Vec<String> = shown.take(NAMED_MAX).map(|change| mover_words(change, is_same_model)).collect();
    if !movers.is_empty() {
        sentences.push(format!("What moved it most: {}.", movers.join(", ")));
    }
    sentences
}

/// Which measures lost or regained data between two days of one model: their weight goes to the
/// others or comes back from them, and moves what those give although they read the same.
fn weight_shared_anew(now: Snapshot<'_>, earlier: Snapshot<'_>) -> Option<String> {
    if now.scored.score.is_none() || earlier.scored.score.is_none() {
        return None;
    }
    let outcomes = now.scored.measures.iter().zip(&earlier.scored.measures);
    let measures = now.model.measures().zip(outcomes);
    let with_weight = measures.filter(|((component, measure), _)| component.weight > 0.0 && measure.weight > 0.0);
    let (mut dropped_out, mut came_back) = (Vec::new(), Vec::new());
    for ((_, measure), (outcome, outcome_then)) in with_weight {
        match (outcome_then.missing, outcome.missing) {
            (None, Some(reason)) => dropped_out.push(format!("{} ({})", measure.display_name, missing_words(reason))),
            (Some(_), None) => came_back.push(measure.display_name.clone()),
            _ => {}
        }
    }
    let moves = [("dropped out", dropped_out), ("came back", came_back)];
    let moves: Vec<String> = moves
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(what, names)| format!("{} {what}", listed(names, ", ")))
        .collect();
    (!moves.is_empty()).then(|| {
        format!(
            "{}: {} of the model's weight had fresh data then, {} now. The weight is shared anew among the \
             measures with data, which moves them too.",
            moves.join("; "),
            percent(earlier.scored.coverage),
            percent(now.scored.coverage)
        )
    })
}

fn parts_of(now: Snapshot<'_>) -> Vec<Part<'_>> {
    let mut outcomes = now.scored.measures.iter();
    let components = now.model.components.iter().zip(&now.scored.components);
    components
        .map(|(component, outcome)| Part {
            component,
            outcome,
            measures: component.measures.iter().zip(outcomes.by_ref()).collect(),
        })
        .collect()
}

fn headline(now: Snapshot<'_>) -> String {
    let (Some(score), Some(band)) = (now.scored.score, now.scored.band) else {
        return format!("On {} there is no score: no measure had fresh data.", now.day);
    };
    let fresh = if now.scored.coverage < 1.0 {
        format!(" {} of the model's weight had fresh data.", percent(now.scored.coverage))
    } else {
        String::new()
    };
    format!("On {} health is {score} of 100, {}.{fresh}", now.day, band_words(band))
}

fn component_sentence(part: &Part<'_>) -> String {
    let stake = points_at_stake(part.outcome.effective_weight);
    let mut readings: Vec<_> = part.measures.iter().filter(|(_, outcome)| outcome.effective_weight > 0.0).collect();
    readings.sort_by_key(|(_, outcome)| Reverse(lost(outcome.effective_weight, outcome.contribution)));
    let words = readings.into_iter().map(|(measure, outcome)| reading_words(measure, outcome)).collect();
    format!(
        "{} gives {} of its {} points: {}.",
        part.component.display_name,
        part.outcome.contribution,
        number_words(tenths(stake)),
        listed(words, "; ")
    )
}

fn lost(effective_weight: f64, contribution: Points) -> Points {
    points_at_stake(effective_weight) - contribution
}

fn change_headline(now: Snapshot<'_>, earlier: Snapshot<'_>, change: Points) -> String {
    let since = format!("Since {}", earlier.day);
    match (earlier.scored.score, now.scored.score) {
        (Some(_), Some(after)) if change == Points::ZERO => format!("{since} health stayed at {after}."),
        (Some(before), Some(after)) => {
            let verb = if change > Points::ZERO { "rose" } else { "fell" };
            format!("{since} health {verb} by {}, from {before} to {after}.", change.abs())
        }
        (None, Some(after)) => format!("{since} health appeared: there was no score then, now it is {after}."),
        (Some(before), None) => format!("{since} health vanished: it was {before} then, now there is no score."),
        (None, None) => format!("{since} nothing changed: there was no score then and there is none now."),
    }
}

fn mover_words(change: &MeasureChange, is_same_model: bool) -> String {
    let sign = if change.change > Points::ZERO { "+" } else { "" };
    let words = |value: Option<f64>| value.map_or_else(|| "missing".to_owned(), number_words);
    let (then, now) = (words(change.earlier_value), words(change.value));
    let values = if change.value == change.earlier_value {
        let cause = if is_same_model { "its weight moved" } else { "the model values it otherwise" };
        format!("unchanged at {now}; {cause}")
    } else {
        format!("{then} then, {now} now")
    };
    format!("{} {sign}{} ({values})", change.display_name, change.change)
}

/// The first of some words, and how many more there are.
fn listed(mut words: Vec<String>, separator: &str) -> String {
    let more = words.len().saturating_sub(NAMED_MAX);
    words.truncate(NAMED_MAX);
    let named = words.join(separator);
    if more > 0 { format!("{named}{separator}and {more} more") } else { named }
}

fn band_words(band: Band) -> &'static str {
    match band {
        Band::Critical => "critical",
        Band::AtRisk => "at risk",
        Band::Stable => "stable",
        Band::Healthy => "healthy",
    }
}

pub(super) fn missing_words(reason: MissingReason) -> &'static str {
    match reason {
        MissingReason::NoData => "there never was data",
        MissingReason::Stale => "its newest data is too old",
        MissingReason::TooYoung => "the account is too young for the comparison",
        MissingReason::NoGroupBase(AccountGroupKind::Segment) => "its segment has nothing to compare with",
        MissingReason::NoGroupBase(AccountGroupKind::Industry) => "its industry has nothing to compare with",
        MissingReason::NoGroupBase(AccountGroupKind::Plan) => "its plan has nothing to compare with",
        MissingReason::NoPlanLimit => "the account has no plan limit for it",
        MissingReason::NoEarlierData => "the days before have nothing to compare with",
    }
}

/// What a measure read, for example `3 purchases in 90 days, against 9 in the 90 days before`.
fn reading_words(measure: &Measure, outcome: &MeasureOutcome) -> String {
    let Some(raw) = outcome.raw_value else {
        let value = outcome.value.map_or_else(|| "missing".to_owned(), number_words);
        let name = &measure.display_name;
        return match measure.comparison.with_group() {
            Some((kind, GroupStatistic::Median)) => {
                format!("{name} is {value} times the median {}", group_words(kind))
            }
            Some((kind, GroupStatistic::Rank)) => {
                format!("{name} is at {} {}", rank_words(outcome.value), group_words(kind))
            }
            None if measure.comparison == Comparison::EarlierWindow => {
                format!("{name} is {value} times the one before")
            }
            None => format!("{name} is {value}"),
        };
    };
    let words = raw_words(measure, raw);
    let base = |base: f64| amount_words(measure, base);
    match (measure.comparison.with_group(), outcome.base_value, measure.window) {
        (None, Some(earlier), Window::Days(days)) => {
            format!("{words}, against {} in the {} before", base(earlier), counted(f64::from(days), "days"))
        }
        (Some((kind, statistic)), Some(median), _) => {
            let rank = if statistic == GroupStatistic::Rank {
                format!(" ({})", rank_words(outcome.value))
            } else {
                String::new()
            };
            format!("{words}, against a median of {} {}{rank}", base(median), group_words(kind))
        }
        _ => words,
    }
}

/// For example `rank 23 of 100`, the lowest first.
fn rank_words(rank: Option<f64>) -> String {
    rank.map_or_else(|| "no rank".to_owned(), |rank| format!("rank {} of 100", number_words((rank * 100.0).round())))
}

const fn group_words(kind: AccountGroupKind) -> &'static str {
    match kind {
        AccountGroupKind::Segment => "in its segment",
        AccountGroupKind::Industry => "in its industry",
        AccountGroupKind::Plan => "on its plan",
    }
}

/// The number of a window by itself.
pub(super) fn amount_words(measure: &Measure, raw: f64) -> String {
    if measure.aggregation == Aggregation::LastOfLimit { percent(raw) } else { number_words(raw) }
}

pub(super) fn raw_words(measure: &Measure, raw: f64) -> String {
    let what = input_words(&measure.input);
    let within = window_words(measure.window);
    match measure.aggregation {
        Aggregation::Sum => format!("{} {within}", counted(raw, &what)),
        Aggregation::MeanPerDay => format!("{} a day {within}", counted(raw, &what)),
        Aggregation::ActiveDays => format!("{} with {what} {within}", counted(raw, "days")),
        Aggregation::Distinct if measure.input == Input::AnyUser => format!("{} seen {within}", counted(raw, "users")),
        Aggregation::Distinct => format!("{} used {within}", counted(raw, "features")),
        Aggregation::Last if matches!(measure.input, Input::Story(_)) => counted(raw, &what),
        Aggregation::Last => format!("{what} at {}", number_words(raw)),
        Aggregation::Max if matches!(measure.input, Input::Story(_)) => {
            format!("at most {} at a time {within}", counted(raw, &what))
        }
        Aggregation::Max => format!("{what} at most {} on a day {within}", number_words(raw)),
        Aggregation::DaysSinceLast => match measure.window {
            Window::Days(days) if raw >= f64::from(days) => {
                format!("{} or more without {what}", counted(raw, "days"))
            }
            _ if raw == 0.0 => format!("{what} on the day itself"),
            _ => format!("{} without {what}", counted(raw, "days")),
        },
        Aggregation::DaysSinceFirst => since_first_words(raw, &what, measure.window),
        Aggregation::LastOfLimit => format!("{what} at {} of the plan's limit", percent(raw)),
        Aggregation::Mean => format!("{what} of {} on average {within}", number_words(raw)),
        Aggregation::FadedLast => format!("{what} at {}, faded with its age", number_words(raw)),
    }
}

fn since_first_words(days: f64, what: &str, window: Window) -> String {
    let since = format!("{} since the first {}", counted(days, "days"), singular(what));
    match window {
        Window::Lifetime => since,
        Window::Days(_) => format!("{since} {}", window_words(window)),
    }
}

pub(super) fn input_words(input: &Input) -> String {
    match input {
        Input::Metric(name) => spaced(name),
        Input::Feature(name) => format!("uses of {}", spaced(name)),
        Input::AnyFeature => "uses of features".to_owned(),
        Input::AnyUser => "activities of users".to_owned(),
        Input::Story(series) => story_words(*series).to_owned(),
    }
}

const fn story_words(series: StorySeries) -> &'static str {
    match series {
        StorySeries::TicketsOpened => "tickets opened",
        StorySeries::TicketsOpen => "tickets open",
        StorySeries::UrgentTicketsOpen => "tickets open of priority urgent or critical",
        StorySeries::TicketsEscalated => "escalations of tickets",
        StorySeries::TicketsReopened => "reopenings of tickets",
        StorySeries::TicketSatisfaction => "satisfaction with tickets",
        StorySeries::TicketSentiment => "sentiment of tickets",
        StorySeries::FirstResponseHours => "hours to the first answer to a ticket",
        StorySeries::ResolutionHours => "hours to the resolution of a ticket",
        StorySeries::PaymentsFailed => "payments failed",
        StorySeries::InvoicesUnpaid => "invoices unpaid",
        StorySeries::DisputesOpen => "disputes open",
        StorySeries::PaymentDaysLate => "days that invoices were paid late",
        StorySeries::NpsScore => "answers to whether they would recommend us",
        StorySeries::CsatScore => "satisfaction",
        StorySeries::CesScore => "ease",
        StorySeries::Touches => "contacts",
        StorySeries::TouchesAnswered => "contacts answered",
        StorySeries::CsmPulse => "judgement of its CSM",
        StorySeries::Refunds => "refunds",
        StorySeries::CreditNotes => "credit notes",
        StorySeries::FeatureRequests => "features asked for",
        StorySeries::FeatureReleases => "features given",
        StorySeries::Incidents => "incidents",
        StorySeries::IncidentMinutes => "minutes of incidents",
        StorySeries::Milestones => "milestones reached",
    }
}

pub(super) fn window_words(window: Window) -> String {
    match window {
        Window::Days(days) => format!("in {}", counted(f64::from(days), "days")),
        Window::Lifetime => "since the first signal".to_owned(),
    }
}

fn spaced(name: &str) -> String {
    name.replace(['_', '-', '.'], " ")
}

/// A number of things.
pub(super) fn counted(count: f64, plural: &str) -> String {
    if count.to_bits() == 1f64.to_bits() {
        format!("1 {}", singular(plural))
    } else {
        format!("{} {plural}", number_words(count))
    }
}

/// One of some things: the first word without its `s`.
fn singular(plural: &str) -> String {
    let (first, rest) = plural.split_at(plural.find(' ').unwrap_or(plural.len()));
    let one = match first {
        "activities" => "activity",
        _ => first.strip_suffix('s').filter(|stem| !stem.ends_with('s')).unwrap_or(first),
    };
    format!("{one}{rest}")
}

pub(super) fn percent(share: f64) -> String {
    format!("{} %", number_words((share * 100.0).round()))
}

fn tenths(points: Points) -> f64 {
    (points.as_f64() * 10.0).round() / 10.0
}

/// A number as people write it: about three digits, without zeros at the end.
pub(super) fn number_words(number: f64) -> String {
    const PLAIN_MAX: f64 = 1e15;
    let size = number.abs();
    let decimals = match size {
        _ if number.fract() == 0.0 || size >= 100.0 => 0,
        _ if size >= 10.0 => 1,
        _ => 2,
    };
    if size >= PLAIN_MAX {
        return format!("{number:.2e}");
    }
    let text = format!("{number:.decimals$}");
    if decimals == 0 { text } else { text.trim_end_matches('0').trim_end_matches('.').to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        for (number, words) in [
            (3.0, "3"),
            (0.333, "0.33"),
            (12.34, "12.3"),
            (1234.5, "1234"),
            (2.5, "2.5"),
            (-0.5, "-0.5"),
            (1e18, "1.00e18"),
        ] {
            assert_eq!(number_words(number), words);
        }
        assert_eq!(counted(1.0, "purchases"), "1 purchase");
        assert_eq!(counted(1.0, "uses of reports"), "1 use of reports");
        assert_eq!(counted(1.0, "activities of users"), "1 activity of users");
        assert_eq!(counted(1.0, "access"), "1 access");
        assert_eq!(counted(2.0, "days"), "2 days");
    }

    #[test]
    fn days_since_the_first_signal_name_their_window_if_they_have_one() {
        let words = |what: &str, window: Window| since_first_words(272.0, what, window);
        assert_eq!(words("purchases", Window::Lifetime), "272 days since the first purchase");
        assert_eq!(words("purchases", Window::Days(365)), "272 days since the first purchase in 365 days");
        assert_eq!(words("activities of users", Window::Lifetime), "272 days since the first activity of users");
    }
}
