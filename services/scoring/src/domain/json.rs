//! Amounts, points and bands in the JSON of rows.

use mainstay_domain::{Band, Currency, Money, MoneyError, Points};
use serde::{Deserialize, Serialize};

/// An amount of money that rows keep as JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "AmountRow", into = "AmountRow")]
pub struct Amount(pub Money);

#[derive(Serialize, Deserialize)]
struct AmountRow {
    currency: String,
    minor_units: i64,
}

impl From<Amount> for AmountRow {
    fn from(Amount(money): Amount) -> Self {
        Self { currency: money.currency.to_string(), minor_units: money.minor_units }
    }
}

impl TryFrom<AmountRow> for Amount {
    type Error = MoneyError;

    fn try_from(row: AmountRow) -> Result<Self, MoneyError> {
        Ok(Self(Money { currency: Currency::parse(&row.currency)?, minor_units: row.minor_units }))
    }
}

/// Points that rows keep as JSON, in units of 1/128.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "i32", into = "i32")]
pub struct StoredPoints(pub Points);

impl From<StoredPoints> for i32 {
    fn from(StoredPoints(points): StoredPoints) -> Self {
        points.units()
    }
}

impl From<i32> for StoredPoints {
    fn from(units: i32) -> Self {
        Self(Points::from_units(units))
    }
}

/// A band that rows keep as JSON, by its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub struct StoredBand(pub Band);

impl From<StoredBand> for &'static str {
    fn from(StoredBand(band): StoredBand) -> Self {
        match band {
            Band::Critical => "critical",
            Band::AtRisk => "at_risk",
            Band::Stable => "stable",
            Band::Healthy => "healthy",
        }
    }
}

impl TryFrom<String> for StoredBand {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        let bands = [Band::Critical, Band::AtRisk, Band::Stable, Band::Healthy].map(Self);
        bands.into_iter().find(|band| <&str>::from(*band) == word).ok_or_else(|| format!("`{word}` is no band"))
    }
}
