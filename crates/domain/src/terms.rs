//! Terms that services judge by: each has its value here and nowhere else, so that all mean the same by it. Scoring tells them to
//! whoever asks (`DefinitionService`), with a version that changes with the value.

use crate::Points;

/// A score above this has recovered; one of exactly this is neither at risk nor recovered.
pub const RECOVERED_ABOVE: Points = Points::whole(70);

/// A fall by more than this within [`BIG_CHANGE_DAYS`] is a big change.
pub const BIG_CHANGE_ABOVE: Points = Points::whole(15);
/// A big change is over when the fall is at most this.
pub const BIG_CHANGE_ENDS_AT: Points = Points::whole(10);
/// The month within which a change is big, in days.
pub const BIG_CHANGE_DAYS: u8 = 30;

/// How far above a cut a score must rise for a condition of that cut to end, so that one that swings around it does not raise the
/// condition each time.
pub const HYSTERESIS: Points = Points::whole(2);

/// Whole days without activity that make a customer inactive.
pub const INACTIVE_DAYS_MIN: i32 = 14;

/// The best answer to the NPS question.
pub const NPS_SCORE_MAX: i32 = 10;
/// The lowest answer of a promoter.
pub const NPS_PROMOTER_MIN: i32 = 9;
/// The lowest answer of a passive; lower ones are detractors'.
pub const NPS_PASSIVE_MIN: i32 = 7;

/// Days back within which the newest answer to the NPS question says whether a customer can be named as a reference.
pub const REFERENCEABLE_DAYS: u16 = 180;

/// Days after its resolution within which a ticket that comes back was not resolved at first contact.
pub const FIRST_CONTACT_DAYS: u8 = 7;

/// Percent of a limit of its plan from which on an account is near it.
pub const NEAR_LIMIT_PERCENT: f64 = 80.0;
/// Whether so much of a limit was used, in percent. Multiplied out: whole numbers give whole numbers, so that exactly at the boundary is
/// not a matter of rounding.
pub fn is_at_least_percent(used: f64, limit: f64, percent: f64) -> bool {
    used * 100.0 >= limit * percent
}

/// Months in a row near a limit that make a chance to grow.
pub const NEAR_LIMIT_MONTHS_MIN: u32 = 2;
/// Percent of a limit, or of seats, from which on a larger plan is needed.
pub const LARGER_PLAN_PERCENT: f64 = 85.0;
/// The score above which an account is healthy enough for a larger plan.
pub const LARGER_PLAN_HEALTH_ABOVE: Points = Points::whole(85);
