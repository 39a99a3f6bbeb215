//! What is asked of a chance: needs, of which one is enough, and gates, of which none may say no.

use chrono::{DateTime, TimeDelta, Utc};
use mainstay_accounts::Account;
use mainstay_domain::{LARGER_PLAN_HEALTH_ABOVE, LARGER_PLAN_PERCENT, is_at_least_percent};
use serde::{Deserialize, Serialize};

use super::condition::{Condition, Touch};
use super::month::Month;
use super::usage::MonthUse;

/// How long a billing issue counts after its end, and an answer after it came, in days.
const WINDOW_DAYS: i64 = 90;
/// Seats are compared with those so many months before.
const GROWTH_MONTHS: u32 = 3;
/// The limit that counts teams, where a plan has one.
const TEAMS_METRIC: &str = "teams";

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CriterionKind {
    /// Need: 85 % of the limit or more was used in the month.
    Usage,
    /// Need: seats or teams grow.
    TeamGrowth,
    /// Need: wants what the larger plan has.
    FeatureNeed,
    /// Gate: no billing issue in the last 90 days.
    Budget,
    /// Gate: score above 85.
    Health,
    /// Gate: answers to those who look after it.
    Responsiveness,
}

impl CriterionKind {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 6] =
        [Self::Usage, Self::TeamGrowth, Self::FeatureNeed, Self::Budget, Self::Health, Self::Responsiveness];

    /// Whether it is a need, of which one is enough.
    pub const fn is_need(self) -> bool {
        matches!(self, Self::Usage | Self::TeamGrowth | Self::FeatureNeed)
    }

    /// As it stands in a sentence.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::TeamGrowth => "team growth",
            Self::FeatureNeed => "feature need",
            Self::Budget => "budget",
            Self::Health => "health",
            Self::Responsiveness => "responsiveness",
        }
    }
}

/// Whether it is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CriterionResult {
    /// The data says yes.
    Met,
    /// The data says no.
    NotMet,
    /// There is no data.
    NotKnown,
}

/// A criterion with the data behind it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Criterion {
    /// What is asked.
    pub kind: CriterionKind,
    /// Whether it is met.
    pub result: CriterionResult,
    /// The data, in a sentence.
    pub evidence: String,
    /// The figure that was compared.
    pub value: Option<f64>,
    /// What it was compared with.
    pub threshold: Option<f64>,
    /// When the data is from.
    pub data_at: Option<DateTime<Utc>>,
}

impl Criterion {
    fn unknown(kind: CriterionKind, evidence: impl Into<String>) -> Self {
        let result = CriterionResult::NotKnown;
        Self { kind, result, evidence: evidence.into(), value: None, threshold: None, data_at: None }
    }

    fn known(kind: CriterionKind, met: bool, evidence: String) -> Self {
        let result = if met { CriterionResult::Met } else { CriterionResult::NotMet };
        Self { result, ..Self::unknown(kind, evidence) }
    }

    fn with_figure(self, value: f64, threshold: f64) -> Self {
        Self { value: Some(value), threshold: Some(threshold), ..self }
    }

    fn at(self, time: Option<DateTime<Utc>>) -> Self {
        Self { data_at: time, ..self }
    }
}

/// All criteria of a chance, each of [`CriterionKind::ALL`] once and in that order.
pub fn evaluate(
    account: &Account,
    months: &[MonthUse],
    metric: &str,
    month: Month,
    conditions: &[Condition],
    touches: &[Touch],
    now: DateTime<Utc>,
) -> Vec<Criterion> {
    let report = months.iter().find(|report| report.month == month);
    vec![
        usage(report, metric, month),
        team_growth(report, months, month),
        Criterion::unknown(CriterionKind::FeatureNeed, "nobody has told of a need of features"),
        budget(conditions, now),
        health(account),
        responsiveness(touches, now),
    ]
}

/// Whether a chance with these criteria is qualified: there is a need, budget and health are met, and nothing is known
/// that speaks against an answer. Nobody having written yet does not keep a chance back.
pub fn is_qualified(criteria: &[Criterion]) -> bool {
    let result = |kind| criteria.iter().find(|criterion| criterion.kind == kind).map(|criterion| criterion.result);
    let has_need = criteria.iter().any(|one| one.kind.is_need() && one.result == CriterionResult::Met);
    has_need
        && result(CriterionKind::Budget) == Some(CriterionResult::Met)
        && result(CriterionKind::Health) == Some(CriterionResult::Met)
        && matches!(result(CriterionKind::Responsiveness), Some(CriterionResult::Met | CriterionResult::NotKnown))
}

fn usage(report: Option<&MonthUse>, metric: &str, month: Month) -> Criterion {
    const KIND: CriterionKind = CriterionKind::Usage;
    let Some(limit) = report.and_then(|report| report.of_metric(metric)) else {
        return Criterion::unknown(KIND, format!("no usage of `{metric}` is known for {month}"));
    };
    let Some(used) = limit.used else {
        return Criterion::unknown(KIND, format!("no data of `{metric}` came in {month}"));
    };
    let share = used / limit.limit;
    let text = format!("{used} of {} `{metric}` were used in {month} ({:.2} %)", limit.limit, share * 100.0);
    Criterion::known(KIND, is_at_least_percent(used, limit.limit, LARGER_PLAN_PERCENT), text)
        .with_figure(share, LARGER_PLAN_PERCENT / 100.0)
        .at(Some(month.end()))
}

#[expect(clippy::cast_precision_loss, reason = "seats and users are far below 2^53")]
fn team_growth(report: Option<&MonthUse>, months: &[MonthUse], month: Month) -> Criterion {
    const KIND: CriterionKind = CriterionKind::TeamGrowth;
    let Some(report) = report else {
        return Criterion::unknown(KIND, format!("no seats are known for {month}"));
    };
    let teams = report.of_metric(TEAMS_METRIC).and_then(|teams| teams.used);
    let earliest = month.minus(GROWTH_MONTHS);
    let earlier = months
        .iter()
        .filter(|other| other.month >= earliest && other.month < month && other.seats.is_some())
        .min_by_key(|other| other.month);
    if report.seats.is_none() && teams.is_none() {
        return Criterion::unknown(KIND, format!("neither seats nor teams are known for {month}"));
    }
    let mut facts = Vec::new();
    let mut met = false;
    if let Some(seats) = report.seats {
        met |= is_at_least_percent(report.active_users as f64, seats as f64, LARGER_PLAN_PERCENT)
            && report.active_users > 0;
        facts.push(format!("{} active users on {seats} seats in {month}", report.active_users));
        if let Some((earlier, before)) = earlier.and_then(|one| one.seats.map(|seats| (one.month, seats))) {
            met |= seats > before;
            facts.push(format!("{before} seats in {earlier}"));
        }
    }
    if let Some(teams) = teams {
        met |= teams > 1.0;
        facts.push(format!("{teams} teams"));
    }
    let criterion = Criterion::known(KIND, met, facts.join(", ")).at(Some(month.end()));
    match report.seats.filter(|&seats| seats > 0) {
        Some(seats) => criterion.with_figure(report.active_users as f64 / seats as f64, LARGER_PLAN_PERCENT / 100.0),
        None => criterion,
    }
}

fn budget(conditions: &[Condition], now: DateTime<Utc>) -> Criterion {
    const KIND: CriterionKind = CriterionKind::Budget;
    let since = now - TimeDelta::days(WINDOW_DAYS);
    let counts = |one: &&Condition| one.kind.is_billing() && one.ended_at.is_none_or(|ended_at| ended_at > since);
    // The one that lasts, or else lasted longest into the window.
    let last = conditions.iter().filter(counts).max_by_key(|one| one.ended_at.unwrap_or(DateTime::<Utc>::MAX_UTC));
    match last {
        None => Criterion::known(KIND, true, format!("no billing issue in the last {WINDOW_DAYS} days")).at(Some(now)),
        Some(issue) => {
            let until = issue.ended_at.map_or("lasts".to_owned(), |time| format!("ended on {}", time.date_naive()));
            let text = format!("{} from {} {until}", issue.kind.words(), issue.started_at.date_naive());
            let days = (now - issue.ended_at.unwrap_or(now)).num_days();
            #[expect(clippy::cast_precision_loss, reason = "days are few")]
            let days = days as f64;
            Criterion::known(KIND, false, text)
                .with_figure(days, f64::from(i32::try_from(WINDOW_DAYS).unwrap_or(i32::MAX)))
                .at(Some(issue.ended_at.unwrap_or(issue.started_at)))
        }
    }
}

fn health(account: &Account) -> Criterion {
    const KIND: CriterionKind = CriterionKind::Health;
    let Some(score) = account.health.score else {
        return Criterion::unknown(KIND, "the account has no score");
    };
    Criterion::known(KIND, score > LARGER_PLAN_HEALTH_ABOVE, format!("the score is {:.2}", score.as_f64()))
        .with_figure(score.as_f64(), LARGER_PLAN_HEALTH_ABOVE.as_f64())
        .at(account.health.scored_at)
}

fn responsiveness(touches: &[Touch], now: DateTime<Utc>) -> Criterion {
    const KIND: CriterionKind = CriterionKind::Responsiveness;
    let since = now - TimeDelta::days(WINDOW_DAYS);
    let recent: Vec<&Touch> = touches.iter().filter(|touch| touch.at > since).collect();
    if recent.is_empty() {
        return Criterion::unknown(KIND, format!("nobody was in touch in the last {WINDOW_DAYS} days"));
    }
    let answers = recent.iter().filter(|touch| touch.inbound || touch.answered);
    let last = answers.clone().map(|touch| touch.at).max();
    let text = format!(
        "{} of {} contacts in the last {WINDOW_DAYS} days were answered or came from the customer",
        answers.count(),
        recent.len()
    );
    let newest = recent.iter().map(|touch| touch.at).max();
    Criterion::known(KIND, last.is_some(), text).at(last.or(newest))
}

#[cfg(test)]
mod tests {
    use mainstay_domain::AccountId;

    use super::super::condition::ConditionKind;
    use super::super::usage::LimitUse;
    use super::*;

    fn now() -> DateTime<Utc> {
        "1997-03-03T00:00:00Z".parse().expect("a time")
    }

    fn month(text: &str) -> Month {
        Month::parse(text).expect("a month")
    }

    fn report(of: &str, used: f64, users: i64, seats: Option<i64>) -> MonthUse {
        let limits = vec![LimitUse { metric: "emails".to_owned(), used: Some(used), limit: 10_000.0 }];
        MonthUse { month: month(of), limits, active_users: users, seats }
    }

    fn scored(score: f64) -> Account {
        let mut account = Account::unknown(AccountId::parse("acme").expect("an id"));
        account.health.score = Some(mainstay_domain::Points::nearest(score));
        account
    }

    fn results(
        account: &Account,
        months: &[MonthUse],
        conditions: &[Condition],
        touches: &[Touch],
    ) -> Vec<CriterionResult> {
        let criteria = evaluate(account, months, "emails", month("1997-02"), conditions, touches, now());
        assert_eq!(criteria.iter().map(|one| one.kind).collect::<Vec<_>>(), CriterionKind::ALL);
        assert!(criteria.iter().all(|one| !one.evidence.is_empty()));
        criteria.into_iter().map(|one| one.result).collect()
    }

    use CriterionResult::{Met, NotKnown, NotMet};

    #[test]
    fn r162_eighty_five_percent_of_capacity_is_a_need_and_a_hair_less_is_not() {
        let at = results(&scored(90.0), &[report("1997-02", 8_500.0, 0, None)], &[], &[]);
        assert_eq!(at[0], Met);
        let below = results(&scored(90.0), &[report("1997-02", 8_499.0, 0, None)], &[], &[]);
        assert_eq!(below[0], NotMet);
        assert_eq!(results(&scored(90.0), &[], &[], &[])[0], NotKnown);
    }

    #[test]
    fn r161_a_score_of_85_is_not_above_85() {
        let of = |score| results(&scored(score), &[report("1997-02", 9_000.0, 0, None)], &[], &[])[4];
        assert_eq!((of(85.0), of(85.01)), (NotMet, Met));
        let unscored = Account::unknown(AccountId::parse("acme").expect("an id"));
        assert_eq!(results(&unscored, &[], &[], &[])[4], NotKnown);
    }

    #[test]
    fn r160_seats_that_grow_or_are_nearly_full_or_several_teams_are_a_need() {
        let of = |months: &[MonthUse]| results(&scored(90.0), months, &[], &[])[1];
        assert_eq!(of(&[report("1997-02", 0.0, 5, Some(11)), report("1996-11", 0.0, 5, Some(10))]), Met);
        assert_eq!(of(&[report("1997-02", 0.0, 5, Some(10)), report("1996-11", 0.0, 5, Some(10))]), NotMet);
        assert_eq!(of(&[report("1997-02", 0.0, 5, Some(11)), report("1996-10", 0.0, 5, Some(10))]), NotMet, "too old");
        assert_eq!(of(&[report("1997-02", 0.0, 17, Some(20))]), Met, "85 % of the seats");
        assert_eq!(of(&[report("1997-02", 0.0, 16, Some(20))]), NotMet);
        assert_eq!(of(&[report("1997-02", 0.0, 16, None)]), NotKnown);
        let teams = |used| {
            let mut month = report("1997-02", 0.0, 5, None);
            month.limits.push(LimitUse { metric: TEAMS_METRIC.to_owned(), used: Some(used), limit: 10.0 });
            of(&[month])
        };
        assert_eq!((teams(1.0), teams(2.0)), (NotMet, Met));
    }

    #[test]
    fn r165_a_billing_issue_counts_for_90_days_after_its_end() {
        let issue = |kind, ended_at: Option<&str>| Condition {
            kind,
            reference: "x".to_owned(),
            started_at: "1996-11-01T00:00:00Z".parse().expect("a time"),
            ended_at: ended_at.map(|time| time.parse().expect("a time")),
        };
        let of = |condition: Condition| results(&scored(90.0), &[], &[condition], &[])[3];
        assert_eq!(of(issue(ConditionKind::PaymentFailed, None)), NotMet);
        assert_eq!(of(issue(ConditionKind::BillingDispute, Some("1996-12-03T00:00:01Z"))), NotMet);
        assert_eq!(of(issue(ConditionKind::BillingDispute, Some("1996-12-03T00:00:00Z"))), Met, "90 days ago");
        assert_eq!(of(issue(ConditionKind::AtRisk, None)), Met, "no matter of money");
    }

    #[test]
    fn r166_answers_make_responsive_and_silence_does_not() {
        let touch = |at: &str, inbound, answered| Touch { at: at.parse().expect("a time"), inbound, answered };
        let of = |touches: &[Touch]| results(&scored(90.0), &[], &[], touches)[5];
        assert_eq!(of(&[]), NotKnown);
        assert_eq!(of(&[touch("1997-02-01T00:00:00Z", false, false)]), NotMet);
        assert_eq!(of(&[touch("1997-02-01T00:00:00Z", false, true)]), Met);
        assert_eq!(of(&[touch("1997-02-01T00:00:00Z", true, false)]), Met);
        assert_eq!(of(&[touch("1996-12-03T00:00:00Z", true, false)]), NotKnown, "90 days ago is too long ago");
    }

    #[test]
    fn one_need_and_no_gate_against_it_make_a_chance_qualified() {
        let criterion = |kind, result| Criterion { result, ..Criterion::unknown(kind, "x") };
        let of = |results: [CriterionResult; 6]| {
            is_qualified(
                &CriterionKind::ALL
                    .iter()
                    .zip(results)
                    .map(|(&kind, result)| criterion(kind, result))
                    .collect::<Vec<_>>(),
            )
        };
        assert!(of([Met, NotMet, NotKnown, Met, Met, Met]));
        assert!(of([NotMet, Met, NotKnown, Met, Met, NotKnown]));
        assert!(!of([NotMet, NotMet, NotKnown, Met, Met, Met]), "no need");
        assert!(!of([Met, Met, Met, NotMet, Met, Met]), "budget");
        assert!(!of([Met, Met, Met, Met, NotMet, Met]), "health");
        assert!(!of([Met, Met, Met, Met, NotKnown, Met]), "health is not known");
        assert!(!of([Met, Met, Met, Met, Met, NotMet]), "does not answer");
    }
}
