//! Policies: what is due when, who owns it and who hears of it, by kind and segment.

use mainstay_domain::{OwnerRole, Segment, Violations};
use serde::{Deserialize, Serialize};

use super::alert::{AlertKind, Severity};
use super::case::CaseKind;
use super::clock::ClockStep;

/// The longest time that a clock may run: a year.
pub const CLOCK_SECONDS_MAX: i64 = 366 * 24 * 3600;
/// The longest chain of escalation.
pub const CHAIN_LENGTH_MAX: usize = 5;

/// What a policy is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PolicySubject {
    /// Alerts of a kind.
    Alert(AlertKind),
    /// Cases of a kind.
    Case(CaseKind),
}

impl PolicySubject {
    /// All that there can be policies for.
    pub fn all() -> impl Iterator<Item = Self> {
        AlertKind::ALL.into_iter().map(Self::Alert).chain(CaseKind::ALL.into_iter().map(Self::Case))
    }

    /// Whether a deadline for this step can be met on it.
    pub const fn has_step(self, step: ClockStep) -> bool {
        use ClockStep as Step;
        match self {
            Self::Alert(_) => matches!(
                step,
                Step::Acknowledge
                    | Step::Assess
                    | Step::Review
                    | Step::Plan
                    | Step::Execute
                    | Step::FollowUp
                    | Step::EscalateToDirector
            ),
            Self::Case(CaseKind::AtRisk) => {
                matches!(step, Step::CaseAssess | Step::CaseIntervene | Step::CaseResolve | Step::Contact | Step::Call)
            }
            Self::Case(CaseKind::Detractor) => {
                matches!(
                    step,
                    Step::Contact | Step::Call | Step::RootCause | Step::Plan | Step::Resolve | Step::Resurvey
                )
            }
        }
    }

    /// In a policy's id.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Alert(kind) => kind.key(),
            Self::Case(CaseKind::AtRisk) => "case_at_risk",
            Self::Case(CaseKind::Detractor) => "case_detractor",
        }
    }
}

/// Which policy: for all segments, or for one of them, which goes before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PolicyId {
    /// What it is about.
    pub subject: PolicySubject,
    /// For accounts of which segment; none for those that have no policy of their own.
    pub segment: Option<Segment>,
}

impl PolicyId {
    /// Reads `payment_failed` or `payment_failed.enterprise`.
    pub fn parse(text: &str) -> Option<Self> {
        let (subject, segment) = match text.split_once('.') {
            Some((subject, segment)) => (subject, Some(segment)),
            None => (text, None),
        };
        let subject = PolicySubject::all().find(|known| known.key() == subject)?;
        let segment = match segment {
            None => None,
            Some(word) => Some(Segment::ALL.into_iter().find(|known| segment_key(*known) == word)?),
        };
        Some(Self { subject, segment })
    }

    /// As it is written.
    pub fn text(self) -> String {
        match self.segment {
            None => self.subject.key().to_owned(),
            Some(segment) => format!("{}.{}", self.subject.key(), segment_key(segment)),
        }
    }
}

const fn segment_key(segment: Segment) -> &'static str {
    match segment {
        Segment::Unknown => "unknown",
        Segment::Enterprise => "enterprise",
        Segment::MidMarket => "mid_market",
        Segment::Smb => "smb",
    }
}

/// A deadline that a policy sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockRule {
    /// What has to be done.
    pub step: ClockStep,
    /// How long after the beginning it is due.
    pub due_after_seconds: i64,
    /// How long after the beginning its owner is warned; none: never.
    pub warn_after_seconds: Option<i64>,
}

/// What is due when, who owns it and who hears of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyDefinition {
    /// How pressing it is; for alerts.
    pub severity: Severity,
    /// Who owns it.
    pub owner: OwnerRole,
    /// Who hears of it at once, besides the owner.
    pub notify: Vec<OwnerRole>,
    /// Who hears of breaches, one further with each; the last of all that follow.
    pub escalation: Vec<OwnerRole>,
    /// Whether an alert opens a case of this kind by itself.
    pub opens_case: Option<CaseKindKey>,
    /// The deadlines from the beginning on.
    pub clocks: Vec<ClockRule>,
    /// How long after the last deadline it is to be looked at again, and again after that.
    pub reminder_after_seconds: i64,
    /// For cases at risk: within which time of its opening a call with the key stakeholder is to be scheduled, for which a task
    /// is given; none: no such task.
    #[serde(default)]
    pub call_within_seconds: Option<i64>,
}

/// The kind of a case, as policies are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseKindKey {
    /// An account at risk.
    AtRisk,
    /// A detractor.
    Detractor,
}

impl From<CaseKindKey> for CaseKind {
    fn from(key: CaseKindKey) -> Self {
        match key {
            CaseKindKey::AtRisk => Self::AtRisk,
            CaseKindKey::Detractor => Self::Detractor,
        }
    }
}

/// A policy as it holds: a version never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Which.
    pub id: PolicyId,
    /// Its version, from 1.
    pub version: i32,
    /// What it says.
    pub definition: PolicyDefinition,
}

impl Policy {
    /// Who hears of breach number `count`, from 1.
    pub fn escalation(&self, count: i32) -> Option<OwnerRole> {
        let place = usize::try_from(count - 1).unwrap_or(0);
        let chain = &self.definition.escalation;
        chain.get(place).or_else(|| chain.last()).copied()
    }
}

impl PolicyDefinition {
    /// All that is wrong with it, as a policy about a subject.
    pub fn check(&self, subject: PolicySubject, found: &mut Violations) {
        let has_first = self.clocks.iter().any(|rule| rule.step != ClockStep::Resurvey);
        found.require(
            has_first,
            "clocks",
            "must have one that runs from the beginning: what is open has a next due time",
        );
        for (index, rule) in self.clocks.iter().enumerate() {
            let field = format!("clocks[{index}]");
            let is_in_range = (1..=CLOCK_SECONDS_MAX).contains(&rule.due_after_seconds);
            found.require(is_in_range, format!("{field}.due_after"), "must be 1 second to 366 days");
            if let Some(warn) = rule.warn_after_seconds {
                let is_before = (0..rule.due_after_seconds).contains(&warn);
                found.require(is_before, format!("{field}.warn_after"), "must be before `due_after`, and not negative");
            }
            let is_first = !self.clocks[..index].iter().any(|other| other.step == rule.step);
            found.require(is_first, format!("{field}.step"), "stands in the list twice");
            let is_told = rule.step != ClockStep::EscalateToDirector || rule.warn_after_seconds.is_some();
            found.require(is_told, format!("{field}.warn_after"), "is required: the director is involved then");
            let fault = match rule.step {
                ClockStep::Task | ClockStep::Reminder => Some("is set by the service itself"),
                step if !subject.has_step(step) => Some("is none of its subject: nobody could ever meet it"),
                _ => None,
            };
            if let Some(fault) = fault {
                found.add(format!("{field}.step"), fault);
            }
        }
        found.require(
            (60..=CLOCK_SECONDS_MAX).contains(&self.reminder_after_seconds),
            "reminder_after",
            "must be 1 minute to 366 days",
        );
        if let Some(within) = self.call_within_seconds {
            let is_at_risk = subject == PolicySubject::Case(CaseKind::AtRisk);
            found.require(is_at_risk, "call_within", "is of cases at risk only; use a rule of the step call");
            found.require((60..=CLOCK_SECONDS_MAX).contains(&within), "call_within", "must be 1 minute to 366 days");
        }
        found.require(!self.escalation.is_empty(), "escalation", "must name at least one role");
        found.require(
            self.escalation.len() <= CHAIN_LENGTH_MAX,
            "escalation",
            format!("has {} roles, at most {CHAIN_LENGTH_MAX} are allowed", self.escalation.len()),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::default_policies;
    use super::*;

    #[test]
    fn ids_are_read_as_they_are_written() {
        for subject in PolicySubject::all() {
            for segment in [None, Some(Segment::Enterprise), Some(Segment::Smb)] {
                let id = PolicyId { subject, segment };
                assert_eq!(PolicyId::parse(&id.text()), Some(id));
            }
        }
        for bad in ["", "payment", "payment_failed.", "payment_failed.big", "payment_failed.smb.x"] {
            assert_eq!(PolicyId::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_last_of_the_chain_hears_of_all_that_follow() {
        let (id, definition) = default_policies::all().remove(0);
        let chain = vec![OwnerRole::CsmDirector, OwnerRole::ExecutiveSponsor];
        let policy = Policy { id, version: 1, definition: PolicyDefinition { escalation: chain, ..definition } };
        let heard: Vec<_> = (1..=4).map(|count| policy.escalation(count)).collect();
        let (director, sponsor) = (Some(OwnerRole::CsmDirector), Some(OwnerRole::ExecutiveSponsor));
        assert_eq!(heard, [director, sponsor, sponsor, sponsor]);
    }

    #[test]
    fn a_policy_that_would_leave_something_without_a_deadline_is_refused() {
        let (id, definition) = default_policies::all().remove(0);
        let faults = |definition: &PolicyDefinition| {
            let mut found = Violations::new();
            definition.check(id.subject, &mut found);
            found.iter().map(|fault| fault.field.clone()).collect::<Vec<_>>()
        };
        let none = PolicyDefinition { clocks: Vec::new(), escalation: Vec::new(), ..definition.clone() };
        assert_eq!(faults(&none), ["clocks", "escalation"]);
        let last = ClockRule { step: ClockStep::Resurvey, due_after_seconds: 10, warn_after_seconds: None };
        let unwarned = ClockRule { step: ClockStep::EscalateToDirector, ..last.clone() };
        assert_eq!(
            faults(&PolicyDefinition { clocks: vec![last], ..definition.clone() }),
            ["clocks", "clocks[0].step"],
            "a detractor is asked again, not an account of low health"
        );
        assert_eq!(
            faults(&PolicyDefinition { clocks: vec![unwarned], ..definition.clone() }),
            ["clocks[0].warn_after"]
        );
        let rule = ClockRule { step: ClockStep::Plan, due_after_seconds: 10, warn_after_seconds: Some(10) };
        let odd = PolicyDefinition {
            clocks: vec![rule.clone(), ClockRule { due_after_seconds: 0, warn_after_seconds: None, ..rule }],
            reminder_after_seconds: 1,
            ..definition
        };
        assert_eq!(faults(&odd), ["clocks[0].warn_after", "clocks[1].due_after", "clocks[1].step", "reminder_after"]);
    }
}
