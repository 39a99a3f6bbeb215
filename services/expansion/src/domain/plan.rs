//! Plans and their versions.

use std::fmt;

use chrono::{DateTime, Utc};
use mainstay_domain::{Violations, is_key, is_resource_id};
use serde::{Deserialize, Serialize};

use super::price::{Price, SEATS_MAX};

const COLLECTION: &str = "plans";
const DISPLAY_NAME_LENGTH_MAX: usize = 200;
const DESCRIPTION_LENGTH_MAX: usize = 4_000;
const LIMITS_MAX: usize = 50;
const FEATURES_MAX: usize = 200;
const FEATURE_LENGTH_MAX: usize = 100;
const PRICES_MAX: usize = 50;

/// The id of a plan: the word by which accounts say which plan they are on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PlanId(String);

impl PlanId {
    /// Reads the id alone.
    ///
    /// # Errors
    /// A sentence that says what it should be.
    pub fn parse(id: &str) -> Result<Self, String> {
        if is_resource_id(id) {
            return Ok(Self(id.to_owned()));
        }
        let shown: String = id.chars().take(80).collect();
        Err(format!(
            "the id must be 1 to 64 characters of letters, digits and `._~-`, the first a letter or digit, not `{shown}`"
        ))
    }

    /// Reads `plans/{plan}`.
    ///
    /// # Errors
    /// A sentence that says what it should be.
    pub fn parse_name(name: &str) -> Result<Self, String> {
        match name.split_once('/') {
            Some((COLLECTION, id)) => Self::parse(id),
            _ => Err(format!("must be `{COLLECTION}/` followed by the id")),
        }
    }

    /// The id alone.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The resource name.
    pub fn name(&self) -> String {
        format!("{COLLECTION}/{}", self.0)
    }
}

impl fmt::Display for PlanId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// A version of a plan, or the one in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanName {
    /// The plan.
    pub id: PlanId,
    /// The version; none for the one in force.
    pub version: Option<i32>,
}

impl PlanName {
    /// Reads `plans/{plan}` or `plans/{plan}/versions/{version}`.
    ///
    /// # Errors
    /// A sentence that says what it should be.
    pub fn parse(name: &str) -> Result<Self, String> {
        let Some((plan, version)) = name.split_once("/versions/") else {
            return Ok(Self { id: PlanId::parse_name(name)?, version: None });
        };
        let number = version.parse::<i32>().ok().filter(|number| *number > 0 && number.to_string() == version);
        let number = number.ok_or("must be `plans/{plan}/versions/` followed by a number from 1 on")?;
        Ok(Self { id: PlanId::parse_name(plan)?, version: Some(number) })
    }

    /// The resource name.
    pub fn name(&self) -> String {
        match self.version {
            Some(version) => format!("{}/versions/{version}", self.id.name()),
            None => self.id.name(),
        }
    }
}

/// A limit of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanLimit {
    /// The metric that counts against it.
    pub metric: String,
    /// How much a month; above 0.
    pub limit: f64,
}

/// What a version of a plan says.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanDraft {
    /// Which plan.
    pub id: PlanId,
    /// What people call it.
    pub display_name: String,
    /// For whom it is.
    pub description: String,
    /// Limits, in the order of metrics.
    pub limits: Vec<PlanLimit>,
    /// Seats without a price of their own.
    pub included_seats: i64,
    /// What it can do.
    pub features: Vec<String>,
    /// What it costs.
    pub prices: Vec<Price>,
    /// The next larger plan.
    pub upgrade: Option<PlanId>,
}

impl PlanDraft {
    /// Notes all that is wrong with it; brings limits into their order.
    ///
    /// # Errors
    /// The faults, by the fields of `plan`.
    pub fn checked(mut self) -> Result<Self, Violations> {
        let mut found = Violations::new();
        found.check_text("display_name", &self.display_name, DISPLAY_NAME_LENGTH_MAX);
        found.require(!self.display_name.is_empty(), "display_name", "is required");
        found.check_text("description", &self.description, DESCRIPTION_LENGTH_MAX);
        found.require(self.limits.len() <= LIMITS_MAX, "limits", format!("at most {LIMITS_MAX} are allowed"));
        found.require(self.features.len() <= FEATURES_MAX, "features", format!("at most {FEATURES_MAX} are allowed"));
        found.require(self.prices.len() <= PRICES_MAX, "prices", format!("at most {PRICES_MAX} are allowed"));
        let seats = 0..=SEATS_MAX;
        found.require(seats.contains(&self.included_seats), "included_seats", format!("must be 0 to {SEATS_MAX}"));
        for (index, limit) in self.limits.iter().enumerate() {
            let is_first = self.limits[..index].iter().all(|other| other.metric != limit.metric);
            found.require(
                is_key(&limit.metric),
                format!("limits[{index}].metric"),
                "must match `[a-z0-9][a-z0-9_.-]{0,62}`",
            );
            found.require(is_first, format!("limits[{index}].metric"), "is there already");
            let is_amount = limit.limit.is_finite() && limit.limit > 0.0;
            found.require(is_amount, format!("limits[{index}].limit"), "must be above 0 and finite");
        }
        for (index, feature) in self.features.iter().enumerate() {
            let field = format!("features[{index}]");
            found.check_text(&field, feature, FEATURE_LENGTH_MAX);
            found.require(!feature.is_empty(), field.clone(), "must not be empty");
            found.require(!self.features[..index].contains(feature), field, "is there already");
        }
        for (index, price) in self.prices.iter().enumerate() {
            let is_first = self.prices[..index].iter().all(|other| !other.is_for_the_same(price));
            let field = format!("prices[{index}]");
            found.require(is_first, field.clone(), "there is a price of this currency, period and basis already");
            found.require(price.amount.minor_units >= 0, format!("{field}.amount.minor_units"), "must be 0 or more");
        }
        found.require(
            self.upgrade.as_ref() != Some(&self.id),
            "upgrade_plan",
            "a plan is not the next larger one of itself",
        );
        self.limits.sort_by(|one, other| one.metric.cmp(&other.metric));
        found.into_result(self)
    }
}

/// A version of a plan as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What it says.
    pub draft: PlanDraft,
    /// 1, 2, 3 and so on.
    pub version: i32,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was published.
    pub published_at: Option<DateTime<Utc>>,
    /// Whether it is the version in force.
    pub in_force: bool,
}

impl Plan {
    /// Its name.
    pub fn name(&self) -> PlanName {
        PlanName { id: self.draft.id.clone(), version: Some(self.version) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_one_way() {
        let name = PlanName::parse("plans/Team/versions/12").expect("a name");
        assert_eq!(
            (name.id.as_str(), name.version, name.name().as_str()),
            ("Team", Some(12), "plans/Team/versions/12")
        );
        assert_eq!(PlanName::parse("plans/Team").expect("a name").version, None);
        for bad in [
            "",
            "Team",
            "plans/",
            "plans/Team/versions/",
            "plans/Team/versions/0",
            "plans/Team/versions/01",
            "plans/a b",
        ] {
            assert!(PlanName::parse(bad).is_err(), "{bad}");
        }
    }
}
