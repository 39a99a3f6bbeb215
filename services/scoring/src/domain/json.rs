//! Amounts and points in the JSON of rows.

use mainstay_domain::{Currency, Money, MoneyError, Points};
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
