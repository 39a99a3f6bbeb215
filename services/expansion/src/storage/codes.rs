//! Numbers in the database for the domain's words. They never change their meaning.

use std::fmt::Display;

use chrono::NaiveDate;
use mainstay_domain::{AccountId, Currency, Money};
use mainstay_storage::StorageError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::domain::{CandidateState, ConditionKind, LostReason, Month, PlanId, Stage, TimelineKind};

/// Our own data does not parse: a fault of ours, not of the caller.
pub(super) fn corrupt(error: impl Display) -> StorageError {
    StorageError::Corrupt(error.to_string())
}

pub(super) fn account_id(text: &str) -> Result<AccountId, StorageError> {
    AccountId::parse(text).map_err(corrupt)
}

pub(super) fn plan_id(text: Option<&str>) -> Result<Option<PlanId>, StorageError> {
    text.map(PlanId::parse).transpose().map_err(corrupt)
}

pub(super) fn month(first_day: NaiveDate) -> Month {
    Month::of_day(first_day)
}

pub(super) fn money(currency: Option<&str>, minor_units: Option<i64>) -> Result<Option<Money>, StorageError> {
    let Some((currency, minor_units)) = currency.zip(minor_units) else { return Ok(None) };
    Ok(Some(Money { currency: Currency::parse(currency).map_err(corrupt)?, minor_units }))
}

pub(super) fn to_json(value: &impl Serialize) -> Result<Value, StorageError> {
    serde_json::to_value(value).map_err(corrupt)
}

pub(super) fn from_json<T: DeserializeOwned>(value: Value) -> Result<T, StorageError> {
    serde_json::from_value(value).map_err(corrupt)
}

/// The numbers of those values that a filter lets through; none when it lets through all.
pub(super) fn any_of<T: Copy>(values: &[T], number: impl Fn(T) -> i16) -> Option<Vec<i16>> {
    (!values.is_empty()).then(|| values.iter().map(|&value| number(value)).collect())
}

/// One table of numbers and words, read in both directions.
macro_rules! codes {
    ($what:literal, $number_of:ident, $of_number:ident, $type:ident, { $($number:literal => $variant:ident),+ $(,)? }) => {
        pub(super) const fn $number_of(value: $type) -> i16 {
            match value {
                $($type::$variant => $number,)+
            }
        }

        pub(super) fn $of_number(number: i16) -> Result<$type, StorageError> {
            match number {
                $($number => Ok($type::$variant),)+
                _ => Err(corrupt(format!(concat!($what, " {}"), number))),
            }
        }
    };
}

codes!("candidate state", candidate_state_number, candidate_state, CandidateState, {
    1 => Identified, 2 => Qualified, 3 => Suppressed, 4 => Lapsed,
});

codes!("condition kind", condition_kind_number, condition_kind, ConditionKind, {
    1 => AtRisk, 2 => PaymentFailed, 3 => BillingDispute, 4 => DetractorCase,
});

codes!("stage", stage_number, stage, Stage, {
    1 => Identified, 2 => DataPrepared, 3 => FirstConversation, 4 => Proposal, 5 => Decision, 6 => Closing,
    7 => Won, 8 => Lost, 9 => Postponed,
});

codes!("lost reason", lost_reason_number, lost_reason, LostReason, {
    1 => Budget, 2 => Price, 3 => NoNeed, 4 => Competitor, 5 => NoAnswer, 6 => Churned, 7 => Other,
});

codes!("timeline kind", timeline_kind_number, timeline_kind, TimelineKind, {
    1 => Opened, 2 => Advanced, 3 => Checklist, 4 => Updated, 5 => HandedOver, 6 => Overdue, 7 => Held,
    8 => Released, 9 => Postponed, 10 => Resumed, 11 => Won, 12 => Lost,
});
