//! What all services mean by the same word: names, time, money, points, bands.
//!
//! Everything here is pure: no I/O, no database, no gRPC. Time comes in through
//! [`Clock`] and nowhere else.

mod band;
mod call_timeout;
mod causes;
mod clock;
mod customer;
mod etag;
mod ids;
mod money;
mod names;
mod partition;
mod points;
mod proportion;
mod stable_hash;
mod terms;
mod violations;

pub use band::{Band, BandCuts};
pub use call_timeout::{CALL_TIMEOUT_HEADER, format_call_timeout, parse_call_timeout};
pub use causes::with_causes;
pub use clock::{Clock, ManualClock, SharedClock, SystemClock, day_of, start_of_day};
pub use customer::{Contact, LifecycleStage, Owner, OwnerRole, Segment};
pub use etag::Etag;
pub use ids::IdSource;
pub use money::{Currency, Money, MoneyError, MoneySums, format_minor_units, grouped};
pub use names::{
    AccountId, AdoptionTargetId, EMAIL_LENGTH_MAX, InvalidName, ModelId, ProgramId, is_email, is_key, is_resource_id,
};
pub use partition::{PARTITION_COUNT, partition_of};
pub use points::Points;
pub use proportion::{Interval, Proportion, Z_95};
pub use stable_hash::stable_hash;
pub use terms::{
    BIG_CHANGE_ABOVE, BIG_CHANGE_DAYS, BIG_CHANGE_ENDS_AT, FIRST_CONTACT_DAYS, HYSTERESIS, INACTIVE_DAYS_MIN,
    LARGER_PLAN_HEALTH_ABOVE, LARGER_PLAN_PERCENT, NEAR_LIMIT_MONTHS_MIN, NEAR_LIMIT_PERCENT, NPS_PASSIVE_MIN,
    NPS_PROMOTER_MIN, NPS_SCORE_MAX, RECOVERED_ABOVE, REFERENCEABLE_DAYS, is_at_least_percent,
};
pub use violations::{Violation, Violations};
