//! Words for the enums of the protos, and resource names from what people type.

pub(crate) mod interventions;
pub(crate) mod surveys;

use chrono::{DateTime, NaiveDate, SecondsFormat};
use clap::ValueEnum;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_domain::{AccountId, ModelId};

use crate::failure::Failure;
use mainstay_domain::grouped;

/// A band, as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum BandWord {
    /// Below 50, by default
    Critical,
    /// From 50 to below 70, by default
    AtRisk,
    /// From 70 to 85, by default
    Stable,
    /// Above 85, by default
    Healthy,
    /// Nothing is known that a score could be made of
    NoScore,
}

impl From<BandWord> for proto::Band {
    fn from(word: BandWord) -> Self {
        match word {
            BandWord::Critical => Self::Critical,
            BandWord::AtRisk => Self::AtRisk,
            BandWord::Stable => Self::Stable,
            BandWord::Healthy => Self::Healthy,
            BandWord::NoScore => Self::Unspecified,
        }
    }
}

/// A segment, as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SegmentWord {
    /// Enterprise
    Enterprise,
    /// Mid-market
    MidMarket,
    /// Small and medium business
    Smb,
}

impl From<SegmentWord> for proto::Segment {
    fn from(word: SegmentWord) -> Self {
        match word {
            SegmentWord::Enterprise => Self::Enterprise,
            SegmentWord::MidMarket => Self::MidMarket,
            SegmentWord::Smb => Self::Smb,
        }
    }
}

/// A lifecycle stage, as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StageWord {
    /// Trying the product, not paying yet
    Trial,
    /// On the way to first value
    Onboarding,
    /// In regular use
    Active,
    /// In the renewal window
    Renewing,
    /// Left
    Churned,
}

impl From<StageWord> for proto::LifecycleStage {
    fn from(word: StageWord) -> Self {
        match word {
            StageWord::Trial => Self::Trial,
            StageWord::Onboarding => Self::Onboarding,
            StageWord::Active => Self::Active,
            StageWord::Renewing => Self::Renewing,
            StageWord::Churned => Self::Churned,
        }
    }
}

/// The word for a band.
pub(crate) fn band(band: proto::Band) -> &'static str {
    match band {
        proto::Band::Unspecified => "no score",
        proto::Band::Critical => "critical",
        proto::Band::AtRisk => "at risk",
        proto::Band::Stable => "stable",
        proto::Band::Healthy => "healthy",
    }
}

/// The word for a segment; empty when it is not known.
pub(crate) fn segment(segment: proto::Segment) -> &'static str {
    match segment {
        proto::Segment::Unspecified => "",
        proto::Segment::Enterprise => "enterprise",
        proto::Segment::MidMarket => "mid-market",
        proto::Segment::Smb => "smb",
    }
}

/// The word for a lifecycle stage; empty when it is not known.
pub(crate) fn stage(stage: proto::LifecycleStage) -> &'static str {
    match stage {
        proto::LifecycleStage::Unspecified => "",
        proto::LifecycleStage::Trial => "trial",
        proto::LifecycleStage::Onboarding => "onboarding",
        proto::LifecycleStage::Active => "active",
        proto::LifecycleStage::Renewing => "renewing",
        proto::LifecycleStage::Churned => "churned",
    }
}

/// The words for an owner's role.
pub(crate) fn role(role: proto::OwnerRole) -> &'static str {
    match role {
        proto::OwnerRole::Unspecified => "owner",
        proto::OwnerRole::Csm => "CSM",
        proto::OwnerRole::AccountManager => "account manager",
        proto::OwnerRole::CsmDirector => "CSM director",
        proto::OwnerRole::FinanceContact => "finance contact",
        proto::OwnerRole::ExecutiveSponsor => "executive sponsor",
    }
}

/// Why a measure was left out.
pub(crate) fn missing_reason(reason: proto::MissingReason) -> &'static str {
    match reason {
        proto::MissingReason::Unspecified => "",
        proto::MissingReason::NoData => "no data",
        proto::MissingReason::Stale => "data too old",
        proto::MissingReason::TooYoung => "account too young",
        proto::MissingReason::NoSegmentBase => "nothing in its segment to compare with",
        proto::MissingReason::NoIndustryBase => "nothing in its industry to compare with",
        proto::MissingReason::NoPlanBase => "nothing on its plan to compare with",
        proto::MissingReason::NoPlanLimit => "no plan limit",
        proto::MissingReason::NoEarlierData => "nothing to compare with",
    }
}

/// A count of things, with digits in groups: `1 account`, `1,200 accounts`.
pub(crate) fn counted(count: i64, thing: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", grouped(&count.to_string()))
}

/// The id alone, of `accounts/acme` or `models/default`.
pub(crate) fn id_of(name: &str) -> &str {
    name.split_once('/').map_or(name, |(_, id)| id)
}

/// `accounts/acme`, from that or from `acme`.
pub(crate) fn account_name(given: &str) -> Result<String, Failure> {
    let id = if given.contains('/') { AccountId::parse_name(given) } else { AccountId::parse(given) };
    id.map(|id| id.name()).map_err(|error| Failure::Usage(format!("`{given}` is no account: {error}")))
}

/// `models/default`, from that or from `default`.
pub(crate) fn model_name(given: &str) -> Result<String, Failure> {
    let id = if given.contains('/') { ModelId::parse_name(given) } else { ModelId::parse(given) };
    id.map(|id| id.name()).map_err(|error| Failure::Usage(format!("`{given}` is no model: {error}")))
}

/// `alerts/0198…`, from that or from the id alone; what the id may be is the service's business.
pub(crate) fn resource_name(collection: &str, given: &str) -> Result<String, Failure> {
    match given.split_once('/') {
        None if given.is_empty() => Err(Failure::Usage(format!("an id of {collection} is needed"))),
        None => Ok(format!("{collection}/{given}")),
        Some((front, _)) if front == collection => Ok(given.to_owned()),
        Some(_) => Err(Failure::Usage(format!("`{given}` is not one of {collection}"))),
    }
}

/// Reads a day, for arguments.
pub(crate) fn parse_day(text: &str) -> Result<NaiveDate, String> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| "must be a day such as 2026-11-22".to_owned())
}

/// The moment at which a day begins (UTC).
pub(crate) fn midnight(day: NaiveDate) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: mainstay_domain::start_of_day(day).timestamp(), nanos: 0 }
}

/// A day as the protos say it; empty for none.
pub(crate) fn day_text(day: Option<NaiveDate>) -> String {
    day.map(|day| day.to_string()).unwrap_or_default()
}

/// A time in RFC 3339, to the second; empty for none.
pub(crate) fn time_text(time: Option<prost_types::Timestamp>) -> String {
    time.and_then(|time| DateTime::from_timestamp(time.seconds, 0))
        .map(|time| time.to_rfc3339_opts(SecondsFormat::Secs, true))
        .unwrap_or_default()
}

/// The UTC day of a time; empty for none.
pub(crate) fn day_of_time(time: Option<prost_types::Timestamp>) -> String {
    time.and_then(|time| DateTime::from_timestamp(time.seconds, 0))
        .map(|time| time.date_naive().to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_may_be_given_by_id_or_by_name() {
        assert_eq!(account_name("Acme-1").ok().as_deref(), Some("accounts/Acme-1"));
        assert_eq!(account_name("accounts/Acme-1").ok().as_deref(), Some("accounts/Acme-1"));
        assert!(account_name("models/default").is_err());
        assert!(account_name("a b").is_err());
        assert_eq!(id_of("accounts/Acme-1"), "Acme-1");
    }
}
