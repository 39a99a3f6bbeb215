//! Deadlines, and how each goes: warned of, met or breached, each once.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What has to be done by a deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockStep {
    /// Acknowledge the alert.
    Acknowledge,
    /// Assess whether immediate action is needed.
    Assess,
    /// Document the action plan.
    Plan,
    /// Contact the customer, carry out the plan.
    Execute,
    /// Follow up: is it resolved?
    FollowUp,
    /// A CSM reviews the ticket.
    Review,
    /// The director of customer success is involved.
    EscalateToDirector,
    /// Contact the detractor.
    Contact,
    /// Document the root cause.
    RootCause,
    /// Resolve what the detractor complained of.
    Resolve,
    /// Ask the detractor again.
    Resurvey,
    /// Assess the account at risk.
    CaseAssess,
    /// Carry out the intervention.
    CaseIntervene,
    /// Come to an end: saved, churned or no action.
    CaseResolve,
    /// Do the task.
    Task,
    /// Look at what has no other deadline left.
    Reminder,
    /// Call the customer, or meet.
    Call,
}

impl ClockStep {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::Acknowledge,
        Self::Assess,
        Self::Plan,
        Self::Execute,
        Self::FollowUp,
        Self::Review,
        Self::EscalateToDirector,
        Self::Contact,
        Self::RootCause,
        Self::Resolve,
        Self::Resurvey,
        Self::CaseAssess,
        Self::CaseIntervene,
        Self::CaseResolve,
        Self::Task,
        Self::Reminder,
        Self::Call,
    ];

    /// What to do, as people say it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Assess => "assess",
            Self::Plan => "plan",
            Self::Execute | Self::Contact => "contact the customer",
            Self::FollowUp => "follow up",
            Self::Review => "review the ticket",
            Self::EscalateToDirector => "involve the director",
            Self::RootCause => "document the root cause",
            Self::Resolve => "resolve the complaint",
            Self::Resurvey => "hear the customer again",
            Self::CaseAssess => "assess the account",
            Self::CaseIntervene => "carry out the intervention",
            Self::CaseResolve => "bring the case to an end",
            Self::Task => "do the task",
            Self::Reminder => "look at it again",
            Self::Call => "call the customer",
        }
    }
}

/// What a deadline belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClockSubject {
    /// An alert.
    Alert(Uuid),
    /// A case.
    Case(Uuid),
    /// A task.
    Task(Uuid),
}

/// How a deadline went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClockState {
    /// It is still to come.
    Running,
    /// It was met in time.
    Met,
    /// It passed without being met.
    Breached,
    /// What it was for ended before it was due.
    Cancelled,
}

/// A deadline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    /// Its id.
    pub id: Uuid,
    /// What it belongs to.
    pub subject: ClockSubject,
    /// What has to be done.
    pub step: ClockStep,
    /// When it began to run.
    pub started_at: DateTime<Utc>,
    /// When its owner is warned; before `due_at`.
    pub warn_at: Option<DateTime<Utc>>,
    /// When it is due.
    pub due_at: DateTime<Utc>,
    /// How it went.
    pub state: ClockState,
    /// When its owner was warned.
    pub warned_at: Option<DateTime<Utc>>,
    /// When it was met, in time or late.
    pub met_at: Option<DateTime<Utc>>,
}

/// What time does to a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tick {
    /// Nothing before this moment.
    Wait(DateTime<Utc>),
    /// Its owner is to be warned now.
    Warn,
    /// It is breached now.
    Breach,
    /// It has ended; nothing ever.
    Over,
}

impl Clock {
    /// What the time does to it now. Past its due time a warning comes too late and is left out.
    pub fn tick(&self, now: DateTime<Utc>) -> Tick {
        if self.state != ClockState::Running {
            return Tick::Over;
        }
        if now >= self.due_at {
            return Tick::Breach;
        }
        match self.warn_at {
            Some(warn_at) if self.warned_at.is_none() && now >= warn_at => Tick::Warn,
            Some(warn_at) if self.warned_at.is_none() => Tick::Wait(warn_at),
            _ => Tick::Wait(self.due_at),
        }
    }

    /// The next moment at which the time does something to it.
    pub fn next_tick_at(&self) -> DateTime<Utc> {
        match self.warn_at {
            Some(warn_at) if self.warned_at.is_none() => warn_at,
            _ => self.due_at,
        }
    }

    /// The clock whose owner was warned.
    #[must_use]
    pub fn warned(self, now: DateTime<Utc>) -> Self {
        Self { warned_at: Some(now), ..self }
    }

    /// The clock after what it was for was done: met when it ran and was not yet due, else breached, and met late. One
    /// that was met or cancelled stays as it is.
    #[must_use]
    pub fn met(self, now: DateTime<Utc>) -> Self {
        match self.state {
            ClockState::Running if now <= self.due_at => Self { state: ClockState::Met, met_at: Some(now), ..self },
            ClockState::Running => Self { state: ClockState::Breached, met_at: Some(now), ..self },
            ClockState::Breached if self.met_at.is_none() => Self { met_at: Some(now), ..self },
            _ => self,
        }
    }

    /// The clock whose due time passed.
    #[must_use]
    pub fn breached(self) -> Self {
        Self { state: ClockState::Breached, ..self }
    }

    /// The clock after what it was for ended: one that ran and was due is breached, one that ran is cancelled.
    #[must_use]
    pub fn ended(self, now: DateTime<Utc>) -> Self {
        match self.state {
            ClockState::Running if now > self.due_at => self.breached(),
            ClockState::Running => Self { state: ClockState::Cancelled, ..self },
            _ => self,
        }
    }
}

/// When something is due next: the earliest of the clocks that run.
pub fn next_due_at(clocks: &[Clock]) -> Option<DateTime<Utc>> {
    clocks.iter().filter(|clock| clock.state == ClockState::Running).map(|clock| clock.due_at).min()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_000_000 + minutes * 60, 0).expect("a time")
    }

    fn clock(warn: Option<i64>, due: i64) -> Clock {
        Clock {
            id: Uuid::from_u128(1),
            subject: ClockSubject::Alert(Uuid::from_u128(2)),
            step: ClockStep::Acknowledge,
            started_at: at(0),
            warn_at: warn.map(at),
            due_at: at(due),
            state: ClockState::Running,
            warned_at: None,
            met_at: None,
        }
    }

    #[test]
    fn a_clock_warns_then_is_breached_at_its_due_time() {
        let running = clock(Some(90), 120);
        assert_eq!(running.tick(at(0)), Tick::Wait(at(90)));
        assert_eq!(running.tick(at(90)), Tick::Warn);
        let warned = running.warned(at(90));
        assert_eq!(warned.tick(at(91)), Tick::Wait(at(120)));
        assert_eq!(warned.tick(at(120)), Tick::Breach);
        assert_eq!(warned.breached().tick(at(500)), Tick::Over);
    }

    #[test]
    fn done_at_the_due_time_is_in_time_and_a_microsecond_later_is_not() {
        assert_eq!(clock(None, 120).met(at(120)).state, ClockState::Met);
        let late = clock(None, 120).met(at(120) + TimeDelta::microseconds(1));
        assert_eq!((late.state, late.met_at.is_some()), (ClockState::Breached, true));
    }

    #[derive(Debug, Clone, Copy)]
    enum Act {
        Tick(i64),
        Meet(i64),
        End(i64),
    }

    fn acts() -> impl Strategy<Value = Vec<Act>> {
        let act = prop_oneof![
            (0..300i64).prop_map(Act::Tick),
            (0..300i64).prop_map(Act::Meet),
            (0..300i64).prop_map(Act::End),
        ];
        proptest::collection::vec(act, 1..12).prop_map(|mut acts| {
            acts.sort_by_key(|act| match act {
                Act::Tick(minute) | Act::Meet(minute) | Act::End(minute) => *minute,
            });
            acts
        })
    }

    proptest! {
        #[test]
        fn each_clock_is_warned_met_and_breached_at_most_once_and_never_runs_past_its_due_time(
            warn in proptest::option::of(0i64..120), due in 120i64..240, acts in acts(),
        ) {
            let mut clock = clock(warn, due);
            let (mut warned, mut breached, mut met) = (0, 0, 0);
            for act in acts {
                let before = clock.clone();
                match act {
                    Act::Tick(minute) => match clock.tick(at(minute)) {
                        Tick::Warn => {
                            warned += 1;
                            clock = clock.warned(at(minute));
                        }
                        Tick::Breach => clock = clock.breached(),
                        Tick::Wait(next) => prop_assert!(next > at(minute)),
                        Tick::Over => {}
                    },
                    Act::Meet(minute) => clock = clock.met(at(minute)),
                    Act::End(minute) => clock = clock.ended(at(minute)),
                }
                breached += usize::from(before.state != ClockState::Breached && clock.state == ClockState::Breached);
                met += usize::from(before.met_at.is_none() && clock.met_at.is_some());
                prop_assert!(warned <= 1 && breached <= 1 && met <= 1);
                if clock.state == ClockState::Met {
                    prop_assert!(clock.met_at.is_some_and(|met_at| met_at <= clock.due_at));
                }
                if before.state != ClockState::Running {
                    prop_assert!(clock.state == before.state, "an end is an end");
                }
            }
        }
    }
}
