//! Terms that services judge by: each has its value here, so that all mean the same by it.

use crate::Points;

/// A score above this has recovered; one of exactly this is neither at risk nor recovered.
pub const RECOVERED_ABOVE: Points = Points::whole(70);

/// The month within which a change is big, in days.
pub const BIG_CHANGE_DAYS: u8 = 30;
