//! What to do about what is behind a fall: the one table of it, by what happened.

use mainstay_domain::Points;
use uuid::Uuid;

use super::decline::{DeclineSource, DeclineTrigger};
use super::model::Input;
use super::risk_trigger::{RiskTrigger, RiskTriggerKind};
use super::story_source::StorySource;

/// Who takes a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StepRole {
    /// The customer success manager.
    Csm,
    /// The director of customer success.
    CsmDirector,
    /// The contact in finance.
    FinanceContact,
    /// Support.
    Support,
}

/// A step that is worth taking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecommendedStep {
    /// Who takes it.
    pub role: StepRole,
    /// What to do.
    pub sentence: &'static str,
    /// The conditions that ask for it, by their ids.
    pub risk_triggers: Vec<Uuid>,
    /// The measures that ask for it, by their ids.
    pub measures: Vec<String>,
}

type Rule = (StepRole, &'static str);

/// What a condition asks for, and its place among the others: what keeps a customer from working or paying comes first, the score last.
const fn rules_of(kind: RiskTriggerKind) -> (u8, &'static [Rule]) {
    match kind {
        RiskTriggerKind::TicketUrgent => (
            1,
            &[
                (StepRole::Support, "Give the ticket to somebody who can solve it, and tell the customer by when."),
                (StepRole::Csm, "Review the ticket within 4 hours and tell the customer that you follow it."),
            ],
        ),
        RiskTriggerKind::TicketFrustrated => (
            2,
            &[
                (StepRole::Csm, "Call who wrote: say that it was read, who solves it, and by when."),
                (StepRole::Support, "Answer in the ticket what happens next, and in which steps."),
            ],
        ),
        RiskTriggerKind::PaymentFailed => (
            2,
            &[
                (StepRole::FinanceContact, "Ask for another means of payment, or agree on a date."),
                (StepRole::Csm, "Find out whether it is an oversight or a decision not to pay."),
            ],
        ),
        RiskTriggerKind::PaymentSlowing => (
            5,
            &[
                (
                    StepRole::FinanceContact,
                    "Ask who approves the invoices now, and whether another date or way to pay helps.",
                ),
                (StepRole::Csm, "Find out whether the budget is under review before the renewal is."),
            ],
        ),
        RiskTriggerKind::BillingDispute => (
            3,
            &[
                (
                    StepRole::FinanceContact,
                    "Check the invoice against the contract and answer the objection in writing.",
                ),
                (StepRole::Csm, "Call the customer about the dispute before anybody asks for the renewal."),
            ],
        ),
        RiskTriggerKind::Inactivity => (
            4,
            &[(
                StepRole::Csm,
                "Ask the champion what keeps people from using it, and show the one thing they bought it for.",
            )],
        ),
        RiskTriggerKind::ChampionSilent => {
            (4, &[(StepRole::Csm, "Find out whether the champion left, and win the next one before the renewal.")])
        }
        RiskTriggerKind::RenewalAtRisk => (
            4,
            &[(
                StepRole::Csm,
                "Agree with the account manager on who speaks with the sponsor, and about what, this week.",
            )],
        ),
        RiskTriggerKind::FeatureNotAdopted => (
            5,
            &[(
                StepRole::Csm,
                "Show what others of their kind use it for, on the customer's own data, and set a date to try it.",
            )],
        ),
        RiskTriggerKind::UsageDecline | RiskTriggerKind::LoginDrop => (
            5,
            &[(
                StepRole::Csm,
                "Ask what changed in their work before it becomes a silence: who stopped, and for what instead?",
            )],
        ),
        RiskTriggerKind::HealthCritical => (
            6,
            &[
                (StepRole::CsmDirector, "Join the CSM within 24 hours and call the sponsor at the customer."),
                (StepRole::Csm, "Agree on a plan with dates that takes the causes one by one."),
            ],
        ),
        RiskTriggerKind::HealthDrop => {
            (7, &[(StepRole::Csm, "Go through what fell with the customer this week: what changed on their side?")])
        }
        RiskTriggerKind::HealthAtRisk => (
            8,
            &[(
                StepRole::Csm,
                "Take the measure with most points to gain, and agree on a first step with the customer.",
            )],
        ),
    }
}

/// What to do about a condition by itself.
pub const fn steps_against(kind: RiskTriggerKind) -> &'static [(StepRole, &'static str)] {
    rules_of(kind).1
}

/// What the fall of a measure asks for, by what it looks at.
const fn rule_of(input: &Input) -> Rule {
    match input {
        Input::AnyUser => {
            (StepRole::Csm, "Win back the people who stopped: who left, who needs training, who never had access?")
        }
        Input::AnyFeature | Input::Feature(_) => {
            (StepRole::Csm, "Show the features that fell out of use on the customer's own data.")
        }
        Input::Story(series) => match series.source() {
            StorySource::Tickets => (
                StepRole::Support,
                "Go through the customer's open and escalated tickets and say by when each is solved.",
            ),
            StorySource::Billing => (StepRole::FinanceContact, "Settle what is unpaid or disputed with the customer."),
            StorySource::Surveys => (StepRole::Csm, "Call who answered low, and say what will be done about it."),
            StorySource::Touches => (StepRole::Csm, "Find somebody at the customer who answers, by another way."),
            StorySource::Pulses => {
                (StepRole::Csm, "Write down what is behind the judgement, and ask the customer whether it is so.")
            }
            StorySource::Requests | StorySource::Releases => {
                (StepRole::Csm, "Tell the customer what becomes of what it asked for, and by when.")
            }
            StorySource::Milestones => {
                (StepRole::Csm, "Agree with the customer on the next milestone, and on who gets there by when.")
            }
            StorySource::Incidents => {
                (StepRole::Support, "Tell the customer what happened, and what keeps it from happening again.")
            }
        },
        Input::Metric(_) => {
            (StepRole::Csm, "Ask what the customer does elsewhere or no longer does, and what would bring it back.")
        }
    }
}

/// What to do, each step once: for the conditions that last, then for the measures that lost points, those that lost most first. What is
/// said for a score at risk is left out when it is critical, for then it is said for that.
pub fn recommended_steps(lasting: &[RiskTrigger], decline: &[DeclineTrigger]) -> Vec<RecommendedStep> {
    let mut steps: Vec<RecommendedStep> = Vec::new();
    let is_critical = lasting.iter().any(|trigger| trigger.kind == RiskTriggerKind::HealthCritical);
    let counts = |trigger: &&RiskTrigger| !(is_critical && trigger.kind == RiskTriggerKind::HealthAtRisk);
    let mut conditions: Vec<&RiskTrigger> = lasting.iter().filter(counts).collect();
    conditions.sort_by_key(|trigger| (rules_of(trigger.kind).0, trigger.raised_at, trigger.id));
    for trigger in conditions {
        for &(role, sentence) in rules_of(trigger.kind).1 {
            step_of(&mut steps, role, sentence).risk_triggers.push(trigger.id);
        }
    }
    for trigger in decline.iter().filter(|trigger| trigger.points > Points::ZERO) {
        let DeclineSource::Measure(measure, input) = &trigger.source else { continue };
        let (role, sentence) = rule_of(input);
        step_of(&mut steps, role, sentence).measures.push(measure.clone());
    }
    steps
}

/// The step among those there are, or a new one behind them.
fn step_of<'a>(steps: &'a mut Vec<RecommendedStep>, role: StepRole, sentence: &'static str) -> &'a mut RecommendedStep {
    let known = steps.iter().position(|step| (step.role, step.sentence) == (role, sentence));
    let place = known.unwrap_or(steps.len());
    if known.is_none() {
        steps.push(RecommendedStep { role, sentence, risk_triggers: Vec::new(), measures: Vec::new() });
    }
    &mut steps[place]
}

#[cfg(test)]
mod tests;
