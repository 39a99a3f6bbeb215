//! What the services mean by a term, with the very numbers that they judge by.
//!
//! The numbers are the constants that the services' own code uses, those of `mainstay_domain` and of the code here that judges by them,
//! and the cuts of the model that scores: nothing is said here twice. A definition's version is made of its numbers, so that it changes with them, and with nothing else.

mod conditions;

use std::cmp::Ordering;

use chrono::NaiveDate;
use mainstay_domain::{
    BIG_CHANGE_ABOVE, BIG_CHANGE_DAYS, BIG_CHANGE_ENDS_AT, BandCuts, FIRST_CONTACT_DAYS, HYSTERESIS, INACTIVE_DAYS_MIN,
    LARGER_PLAN_HEALTH_ABOVE, LARGER_PLAN_PERCENT, ModelId, NEAR_LIMIT_MONTHS_MIN, NEAR_LIMIT_PERCENT, NPS_PASSIVE_MIN,
    NPS_PROMOTER_MIN, NPS_SCORE_MAX, Points, RECOVERED_ABOVE, REFERENCEABLE_DAYS, stable_hash,
};

/// When the terms that no model says were settled. One that gets another value gets the day of the change instead.
const SETTLED: Option<NaiveDate> = NaiveDate::from_ymd_opt(2026, 11, 22);

/// When the mark of the at-risk cut was told apart from that of the critical one.
const HYSTERESIS_SPLIT: Option<NaiveDate> = NaiveDate::from_ymd_opt(2026, 11, 27);

/// When the terms of service and of references were settled.
const SERVICE_SETTLED: Option<NaiveDate> = NaiveDate::from_ymd_opt(2026, 11, 27);

/// What the services mean by a term.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// Its id.
    pub id: &'static str,
    /// What people call it.
    pub display_name: &'static str,
    /// What it means, with the numbers.
    pub sentence: String,
    /// The numbers; all bounds hold.
    pub values: Vec<DefinitionValue>,
    /// Since when it holds so.
    pub since: NaiveDate,
    /// The model that says it.
    pub model: Option<ModelId>,
    /// The requirements that ask for it.
    pub requirements: &'static [&'static str],
    /// The services whose code judges by the numbers; the others take their word for it.
    pub services: &'static [&'static str],
}

/// One number of a definition.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DefinitionValue {
    /// What it bounds.
    pub id: &'static str,
    /// On which side it holds.
    pub bound: Bound,
    /// The number.
    pub number: f64,
    /// What is counted.
    pub unit: Unit,
}

/// On which side of a number something holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// Below it.
    Below,
    /// On it and below.
    AtMost,
    /// On it and above.
    AtLeast,
    /// Above it.
    Above,
    /// On it: a length of time within which something is compared.
    Within,
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Points of health.
    Points,
    /// Days.
    Days,
    /// Months.
    Months,
    /// Percent.
    Percent,
    /// Answers to the NPS question.
    Answer,
    /// Hours.
    Hours,
    /// How many there are of what the value's id says.
    Count,
    /// Sentiment of a text, -1 to 1.
    Sentiment,
}

/// The cuts that score today.
#[derive(Debug, Clone, PartialEq)]
pub struct CutsInForce {
    /// The cuts.
    pub cuts: BandCuts,
    /// The model that has them.
    pub model: ModelId,
    /// The first day that is scored by such cuts without a break.
    pub since: NaiveDate,
}

impl Definition {
    /// Another one when, and only when, a value is.
    pub fn version(&self) -> String {
        let bytes = self.values.iter().flat_map(|value| {
            let bound = format!("{}/{:?}/{:?}/", value.id, value.bound, value.unit);
            bound.into_bytes().into_iter().chain(value.number.to_bits().to_be_bytes())
        });
        short_hash(bytes)
    }
}

/// Another one when, and only when, the version of one of them is.
pub fn registry_version(definitions: &[Definition]) -> String {
    short_hash(
        definitions.iter().flat_map(|definition| format!("{}@{};", definition.id, definition.version()).into_bytes()),
    )
}

fn short_hash(bytes: impl Iterator<Item = u8>) -> String {
    format!("{:016x}", stable_hash(bytes))
}

fn points(id: &'static str, bound: Bound, points: Points) -> DefinitionValue {
    DefinitionValue { id, bound, number: points.as_f64(), unit: Unit::Points }
}

fn value(id: &'static str, bound: Bound, number: impl Into<f64>, unit: Unit) -> DefinitionValue {
    DefinitionValue { id, bound, number: number.into(), unit }
}

/// All terms, those of the bands first.
pub fn definitions(in_force: &CutsInForce) -> Vec<Definition> {
    let mut all = bands(in_force);
    all.extend(terms_of_health(&in_force.cuts));
    all.extend(conditions::terms_of_conditions());
    all.extend(terms_of_answers());
    all.extend(terms_of_service());
    all.extend(terms_of_growth());
    all
}

fn bands(in_force: &CutsInForce) -> Vec<Definition> {
    let CutsInForce { cuts, model, since } = in_force;
    let (critical, at_risk, healthy) = (cuts.critical_below, cuts.at_risk_below, cuts.healthy_above);
    let band = |id, display_name, sentence: String, values: Vec<DefinitionValue>| Definition {
        id,
        display_name,
        sentence,
        values,
        since: *since,
        model: Some(model.clone()),
        requirements: &["R57"],
        services: &["scoring"],
    };
    let (below, at_least) = (Bound::Below, Bound::AtLeast);
    vec![
        band(
            "critical",
            "Critical",
            format!("The score is below {}.", number(critical)),
            vec![points("score", below, critical)],
        ),
        band(
            "at-risk",
            "At risk",
            format!("The score is {} or more, and below {}.", number(critical), number(at_risk)),
            vec![points("score", at_least, critical), points("score", below, at_risk)],
        ),
        band(
            "stable",
            "Stable",
            format!("The score is {} or more, and at most {}.", number(at_risk), number(healthy)),
            vec![points("score", at_least, at_risk), points("score", Bound::AtMost, healthy)],
        ),
        band(
            "healthy",
            "Healthy",
            format!("The score is above {}.", number(healthy)),
            vec![points("score", Bound::Above, healthy)],
        ),
    ]
}

fn terms_of_health(cuts: &BandCuts) -> Vec<Definition> {
    let (change, over, days) = (number(BIG_CHANGE_ABOVE), number(BIG_CHANGE_ENDS_AT), BIG_CHANGE_DAYS);
    vec![
        settled(
            "recovered",
            "Recovered",
            recovered_sentence(cuts.at_risk_below),
            vec![points("score", Bound::Above, RECOVERED_ABOVE)],
            &["R116"],
            &["scoring", "interventions"],
        ),
        settled(
            "big-change",
            "Big change",
            format!(
                "The score is more than {change} points below that of {days} days before; over at {over} points or less."
            ),
            vec![
                points("fall", Bound::Above, BIG_CHANGE_ABOVE),
                points("fall-ends", Bound::AtMost, BIG_CHANGE_ENDS_AT),
                value("days", Bound::Within, BIG_CHANGE_DAYS, Unit::Days),
            ],
            &["R55"],
            &["scoring"],
        ),
        hysteresis(),
        settled(
            "inactive",
            "Inactive",
            format!("No activity for {INACTIVE_DAYS_MIN} whole days or more."),
            vec![value("days", Bound::AtLeast, INACTIVE_DAYS_MIN, Unit::Days)],
            &["R93"],
            &["scoring"],
        ),
    ]
}

/// The mark itself is at risk only where the cut of the model is above it.
fn recovered_sentence(at_risk_below: Points) -> String {
    let (mark, cut) = (number(RECOVERED_ABOVE), number(at_risk_below));
    match at_risk_below.cmp(&RECOVERED_ABOVE) {
        Ordering::Less => format!("The score is above {mark}."),
        Ordering::Equal => {
            format!("The score is above {mark}; one of exactly {mark} is neither at risk nor recovered.")
        }
        Ordering::Greater => {
            format!(
                "The score is above {mark}. Below {cut} it is at risk all the same, and what would lift it aims above that."
            )
        }
    }
}

fn hysteresis() -> Definition {
    let margin = number(HYSTERESIS);
    let sentence = format!(
        "A condition that a score below a cut raised ends when the score is {margin} points above the critical cut, or \
         more than {margin} points above the at-risk cut, by which renewals at risk are judged too; in any case at {}.",
        number(Points::MAX)
    );
    let values = vec![
        points("score-above-critical-cut", Bound::AtLeast, HYSTERESIS),
        points("score-above-at-risk-cut", Bound::Above, HYSTERESIS),
        points("score-ends-both", Bound::AtLeast, Points::MAX),
    ];
    let since = HYSTERESIS_SPLIT.unwrap_or_default();
    Definition { since, ..settled("hysteresis", "Hysteresis", sentence, values, &["R56", "R71"], &["scoring"]) }
}

fn terms_of_answers() -> Vec<Definition> {
    let answer = |bound, number: i32| value("answer", bound, number, Unit::Answer);
    let (passive_max, detractor_max) = (NPS_PROMOTER_MIN - 1, NPS_PASSIVE_MIN - 1);
    vec![
        settled(
            "promoter",
            "Promoter",
            format!("The answer to the NPS question is {NPS_PROMOTER_MIN} to {NPS_SCORE_MAX}."),
            vec![answer(Bound::AtLeast, NPS_PROMOTER_MIN), answer(Bound::AtMost, NPS_SCORE_MAX)],
            &["R16"],
            &["surveys", "scoring"],
        ),
        settled(
            "passive",
            "Passive",
            format!("The answer to the NPS question is {NPS_PASSIVE_MIN} to {passive_max}."),
            vec![answer(Bound::AtLeast, NPS_PASSIVE_MIN), answer(Bound::AtMost, passive_max)],
            &["R16"],
            &["surveys"],
        ),
        settled(
            "detractor",
            "Detractor",
            format!("The answer to the NPS question is 0 to {detractor_max}."),
            vec![answer(Bound::AtLeast, 0), answer(Bound::AtMost, detractor_max)],
            &["R16"],
            &["surveys", "interventions"],
        ),
    ]
}

fn terms_of_service() -> Vec<Definition> {
    let since = SERVICE_SETTLED.unwrap_or_default();
    let answer = |bound, number: i32| value("answer", bound, number, Unit::Answer);
    let first_contact = settled(
        "first-contact",
        "Resolved at first contact",
        format!(
            "Up to {FIRST_CONTACT_DAYS} days after its first resolution the ticket was neither escalated nor reopened, and \
             the customer did not write again between its opening and that resolution."
        ),
        vec![value("days", Bound::Within, FIRST_CONTACT_DAYS, Unit::Days)],
        &["R52"],
        &["scoring"],
    );
    let referenceable = settled(
        "referenceable",
        "Referenceable",
        format!(
            "The account is healthy, no condition puts it at risk, and the newest answer to the NPS question within \
             {REFERENCEABLE_DAYS} days is {NPS_PROMOTER_MIN} to {NPS_SCORE_MAX}."
        ),
        vec![
            answer(Bound::AtLeast, NPS_PROMOTER_MIN),
            answer(Bound::AtMost, NPS_SCORE_MAX),
            value("days", Bound::Within, REFERENCEABLE_DAYS, Unit::Days),
        ],
        &["R201"],
        &["scoring"],
    );
    [first_contact, referenceable].map(|definition| Definition { since, ..definition }).into()
}

fn terms_of_growth() -> Vec<Definition> {
    let (near, needed) = (NEAR_LIMIT_PERCENT, LARGER_PLAN_PERCENT);
    let percent = |number| value("used", Bound::AtLeast, number, Unit::Percent);
    vec![
        settled(
            "near-limit",
            "Near a limit",
            format!(
                "{near} % or more of a limit of the plan is used in {NEAR_LIMIT_MONTHS_MIN} or more months in a row."
            ),
            vec![percent(near), value("months", Bound::AtLeast, NEAR_LIMIT_MONTHS_MIN, Unit::Months)],
            &["R158"],
            &["expansion", "scoring"],
        ),
        settled(
            "larger-plan",
            "Ready for a larger plan",
            format!(
                "{needed} % or more of a limit or of the seats is used, and the score is above {}.",
                number(LARGER_PLAN_HEALTH_ABOVE)
            ),
            vec![percent(needed), points("score", Bound::Above, LARGER_PLAN_HEALTH_ABOVE)],
            &["R161", "R162"],
            &["expansion"],
        ),
    ]
}

/// A term that no model says.
fn settled(
    id: &'static str,
    display_name: &'static str,
    sentence: String,
    values: Vec<DefinitionValue>,
    requirements: &'static [&'static str],
    services: &'static [&'static str],
) -> Definition {
    let since = SETTLED.unwrap_or_default();
    Definition { id, display_name, sentence, values, since, model: None, requirements, services }
}

/// Points as they stand in a sentence.
fn number(points: Points) -> f64 {
    points.as_f64()
}

#[cfg(test)]
mod tests;
