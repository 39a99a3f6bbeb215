//! Cases: the work on an account at risk, or on a detractor, as two state machines.

use chrono::{DateTime, Utc};
use mainstay_domain::{AccountId, Etag, NPS_PASSIVE_MIN, Points, RECOVERED_ABOVE};
use uuid::Uuid;

use super::clock::ClockStep;
use super::policy::PolicyId;
use super::priority::{Depth, Priority};

/// What a case is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CaseKind {
    /// An account at risk.
    AtRisk,
    /// A customer who answered a survey with 0 to 6.
    Detractor,
}

impl CaseKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::AtRisk, Self::Detractor];

    /// The state in which a case begins.
    pub const fn first_state(self) -> CaseState {
        match self {
            Self::AtRisk => CaseState::Identified,
            Self::Detractor => CaseState::Alerted,
        }
    }

    /// The states that follow each other, without the end.
    pub const fn states(self) -> &'static [CaseState] {
        match self {
            Self::AtRisk => {
                &[CaseState::Identified, CaseState::Assessing, CaseState::Intervening, CaseState::Resolving]
            }
            Self::Detractor => &[
                CaseState::Alerted,
                CaseState::Contacted,
                CaseState::CauseFound,
                CaseState::Planned,
                CaseState::Resolved,
            ],
        }
    }
}

/// How far a case has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CaseState {
    /// At risk: known, nothing done yet.
    Identified,
    /// At risk: being assessed.
    Assessing,
    /// At risk: being worked on with the customer.
    Intervening,
    /// At risk: recovery being watched.
    Resolving,
    /// Detractor: somebody was told.
    Alerted,
    /// Detractor: the customer was contacted.
    Contacted,
    /// Detractor: the root cause is documented.
    CauseFound,
    /// Detractor: it is planned what will be done.
    Planned,
    /// Detractor: it was done.
    Resolved,
    /// Over.
    Closed,
}

impl CaseState {
    /// As people say it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Identified => "identified",
            Self::Assessing => "assessing",
            Self::Intervening => "intervening",
            Self::Resolving => "resolving",
            Self::Alerted => "alerted",
            Self::Contacted => "contacted",
            Self::CauseFound => "cause found",
            Self::Planned => "planned",
            Self::Resolved => "resolved",
            Self::Closed => "closed",
        }
    }
}

/// How a case ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// At risk: the score is above 70 again.
    Saved,
    /// The customer left.
    Churned,
    /// Nothing was done.
    NoAction,
    /// Detractor: asked again, the customer is none any more.
    Recovered,
    /// Detractor: asked again, the customer still is one.
    NotRecovered,
}

/// A step of the assessment of an account at risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AssessmentStep {
    /// The account's history was reviewed.
    History,
    /// Its usage was analysed.
    Usage,
    /// Its support tickets were reviewed.
    Tickets,
    /// Renewal date and revenue at risk were looked up.
    Renewal,
    /// The priority was set.
    Priority,
}

impl AssessmentStep {
    /// All five.
    pub const ALL: [Self; 5] = [Self::History, Self::Usage, Self::Tickets, Self::Renewal, Self::Priority];

    const fn missing(self) -> &'static str {
        match self {
            Self::History => "the assessment step history",
            Self::Usage => "the assessment step usage",
            Self::Tickets => "the assessment step tickets",
            Self::Renewal => "the assessment step renewal",
            Self::Priority => "the assessment step priority",
        }
    }
}

/// What is found out in a case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Findings {
    /// Steps of the assessment that are done, in their order.
    pub assessment_steps: Vec<AssessmentStep>,
    /// Specific pain points.
    pub root_cause: String,
    /// What will be done.
    pub plan: String,
    /// What was done about it.
    pub resolution: String,
    /// What worked, for the playbook.
    pub what_worked: String,
}

impl Findings {
    /// These, with others added: steps are joined, a text that is given replaces the one that was there.
    #[must_use]
    pub fn with(&self, added: &Self) -> Self {
        let text = |old: &String, new: &String| if new.is_empty() { old.clone() } else { new.clone() };
        let mut assessment_steps = [self.assessment_steps.clone(), added.assessment_steps.clone()].concat();
        assessment_steps.sort_unstable();
        assessment_steps.dedup();
        Self {
            assessment_steps,
            root_cause: text(&self.root_cause, &added.root_cause),
            plan: text(&self.plan, &added.plan),
            resolution: text(&self.resolution, &added.resolution),
            what_worked: text(&self.what_worked, &added.what_worked),
        }
    }
}

/// Work on an account at risk, or on a detractor.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Its id.
    pub id: Uuid,
    /// Whose.
    pub account: AccountId,
    /// What it is about.
    pub kind: CaseKind,
    /// How far it has come.
    pub state: CaseState,
    /// What it is about within the account: a detractor's answer, else empty.
    pub subject: String,
    /// Who leads it.
    pub owner_email: String,
    /// Whether nobody was known in the policy's role.
    pub owner_is_fallback: bool,
    /// What comes first, with its parts.
    pub priority: Priority,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// When it came into its state.
    pub state_at: DateTime<Utc>,
    /// When something is due next; none once closed.
    pub next_due_at: Option<DateTime<Utc>>,
    /// Whether a clock was breached.
    pub has_breach: bool,
    /// How far along the policy's chain it was escalated.
    pub escalation_count: i32,
    /// The policy that set its clocks.
    pub policy: PolicyId,
    /// Its version.
    pub policy_version: i32,
    /// The score when it was opened.
    pub score_at_open: Option<Points>,
    /// The score when it was closed.
    pub score_at_close: Option<Points>,
    /// What was found out.
    pub findings: Findings,
    /// Whether the customer was contacted since it was opened.
    pub has_outbound_touch: bool,
    /// For a detractor: the id of the person at the customer.
    pub contact_id: String,
    /// For a detractor: the answer's score.
    pub survey_score: Option<i16>,
    /// For a detractor who was asked again: the new answer's score.
    pub resurvey_score: Option<i16>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Why it ended so.
    pub outcome_notes: String,
    /// When it was resolved.
    pub resolved_at: Option<DateTime<Utc>>,
    /// At risk: when the intervention began.
    pub intervening_at: Option<DateTime<Utc>>,
    /// When it was closed.
    pub closed_at: Option<DateTime<Utc>>,
    /// Grows with each change.
    pub version: i64,
}

/// Why a move is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefusedCaseMove {
    /// The case is over.
    Closed,
    /// The state does not allow it; all that is missing, in words.
    Illegal {
        /// The state it is in.
        state: CaseState,
        /// What has to be there first.
        missing: Vec<String>,
    },
}

/// What a move came to.
#[derive(Debug, Clone, PartialEq)]
pub enum CaseMoved {
    /// The case was there already; nothing changes.
    Already,
    /// The case as it is now, and the clocks that this meets.
    To(Box<Case>, Vec<ClockStep>),
}

impl Case {
    /// The etag of the case as it is.
    pub fn etag(&self) -> Etag {
        Etag::of_version(self.version)
    }

    /// How deep the account had fallen when it was opened: fixed, so that it is compared with its like for as long as it is open.
    pub fn depth(&self) -> Depth {
        Depth::of(self.score_at_open)
    }

    /// Whether it is over.
    pub fn is_closed(&self) -> bool {
        self.closed_at.is_some()
    }

    /// The case in another state, when it comes next and all that this needs is there.
    ///
    /// # Errors
    /// All that is missing.
    pub fn advanced(&self, to: CaseState, now: DateTime<Utc>) -> Result<CaseMoved, RefusedCaseMove> {
        if self.is_closed() {
            return Err(RefusedCaseMove::Closed);
        }
        if self.state == to {
            return Ok(CaseMoved::Already);
        }
        let states = self.kind.states();
        let place = |state: CaseState| states.iter().position(|known| *known == state);
        let (Some(here), Some(there)) = (place(self.state), place(to)) else {
            return Err(self.illegal(vec![format!("a state of this kind of case, not {}", to.words())]));
        };
        if there < here {
            return Err(self.illegal(vec![format!("the case is past {}", to.words())]));
        }
        let mut missing: Vec<String> =
            states[here + 1..there].iter().map(|state| format!("the state {}", state.words())).collect();
        missing.extend(self.missing_for(to).into_iter().map(str::to_owned));
        if !missing.is_empty() {
            return Err(self.illegal(missing));
        }
        let at = |state, before| if to == state { Some(now) } else { before };
        let case = Self {
            state: to,
            state_at: now,
            resolved_at: at(CaseState::Resolved, self.resolved_at),
            intervening_at: at(CaseState::Intervening, self.intervening_at),
            ..self.clone()
        };
        Ok(CaseMoved::To(Box::new(case), met_by(to).to_vec()))
    }

    /// What has to be there before a case comes into a state.
    fn missing_for(&self, state: CaseState) -> Vec<&'static str> {
        let mut missing = Vec::new();
        let mut need = |is_there: bool, words| {
            if !is_there {
                missing.push(words);
            }
        };
        match state {
            CaseState::Intervening => {
                for step in AssessmentStep::ALL {
                    need(self.findings.assessment_steps.contains(&step), step.missing());
                }
                need(!self.findings.root_cause.is_empty(), "the root cause");
                need(!self.findings.plan.is_empty(), "the plan");
            }
            CaseState::Resolving | CaseState::Contacted => {
                need(self.has_outbound_touch, "an outbound touch (RecordTouch) since the case was opened");
            }
            CaseState::CauseFound => need(!self.findings.root_cause.is_empty(), "the root cause"),
            CaseState::Planned => need(!self.findings.plan.is_empty(), "the plan"),
            CaseState::Resolved => need(!self.findings.resolution.is_empty(), "the resolution"),
            CaseState::Identified | CaseState::Assessing | CaseState::Alerted | CaseState::Closed => {}
        }
        missing
    }

    /// Whether it may be closed so by a person; for saved, `score` is what scoring says now.
    ///
    /// # Errors
    /// All that is missing.
    pub fn check_close(&self, outcome: Outcome, notes: &str, score: Option<Points>) -> Result<(), RefusedCaseMove> {
        let mut missing = Vec::new();
        match outcome {
            Outcome::Saved => {
                if self.kind != CaseKind::AtRisk {
                    missing.push("a case at risk: a detractor's ends by the next answer".to_owned());
                } else if self.state != CaseState::Resolving {
                    missing.push("the state resolving".to_owned());
                }
                if self.findings.what_worked.is_empty() {
                    missing.push("what worked, for the playbook".to_owned());
                }
                let mark = RECOVERED_ABOVE.as_f64();
                match score {
                    Some(score) if score > RECOVERED_ABOVE => {}
                    Some(score) => missing.push(format!("a score above {mark}: it is {:.2}", score.as_f64())),
                    None => missing.push(format!("a score above {mark}: there is none")),
                }
            }
            Outcome::Churned | Outcome::NoAction if notes.is_empty() => {
                missing.push("the reason, in `notes`".to_owned());
            }
            Outcome::Churned | Outcome::NoAction => {}
            Outcome::Recovered | Outcome::NotRecovered => {
                missing.push("the customer's next answer, by which the service closes it".to_owned());
            }
        }
        if missing.is_empty() { Ok(()) } else { Err(self.illegal(missing)) }
    }

    /// The case after it ended.
    #[must_use]
    pub fn ended(&self, outcome: Outcome, notes: &str, score: Option<Points>, now: DateTime<Utc>) -> Self {
        Self {
            state: CaseState::Closed,
            state_at: now,
            outcome: Some(outcome),
            outcome_notes: notes.to_owned(),
            score_at_close: score,
            closed_at: Some(now),
            next_due_at: None,
            ..self.clone()
        }
    }

    /// How a detractor's case ends by the customer's next answer.
    pub fn outcome_of_answer(score: i16) -> Outcome {
        if i32::from(score) >= NPS_PASSIVE_MIN { Outcome::Recovered } else { Outcome::NotRecovered }
    }

    fn illegal(&self, missing: Vec<String>) -> RefusedCaseMove {
        RefusedCaseMove::Illegal { state: self.state, missing }
    }
}

/// The clocks that coming into a state meets.
const fn met_by(state: CaseState) -> &'static [ClockStep] {
    match state {
        CaseState::Intervening => &[ClockStep::CaseAssess],
        CaseState::Resolving => &[ClockStep::CaseIntervene],
        CaseState::Contacted => &[ClockStep::Contact],
        CaseState::CauseFound => &[ClockStep::RootCause],
        CaseState::Planned => &[ClockStep::Plan],
        CaseState::Resolved => &[ClockStep::Resolve],
        CaseState::Identified | CaseState::Assessing | CaseState::Alerted | CaseState::Closed => &[],
    }
}

/// The clocks that an end of a case meets: a detractor was heard again only when it answered.
pub const fn met_by_end(outcome: Outcome) -> &'static [ClockStep] {
    match outcome {
        Outcome::Recovered | Outcome::NotRecovered => &[ClockStep::Resurvey],
        Outcome::Saved | Outcome::Churned | Outcome::NoAction => &[ClockStep::CaseResolve],
    }
}

#[cfg(test)]
mod tests;
