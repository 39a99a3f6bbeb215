//! What plans cost, in exact integers.

use mainstay_domain::{Currency, Money, MoneyError};
use serde::{Deserialize, Serialize};

/// Most seats.
pub const SEATS_MAX: i64 = 1_000_000_000;
const MONTHS_PER_YEAR: i64 = 12;

/// For how long a price is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PricePeriod {
    /// A month.
    Month,
    /// A year.
    Year,
}

/// What a price is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceBasis {
    /// The plan as a whole.
    Flat,
    /// Each seat beyond those included.
    PerSeat,
}

/// A price of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// For how long.
    pub period: PricePeriod,
    /// For what.
    pub basis: PriceBasis,
    /// How much; 0 or more.
    pub amount: Money,
}

impl Price {
    /// Whether both are a price of the same thing.
    pub fn is_for_the_same(&self, other: &Self) -> bool {
        (self.amount.currency, self.period, self.basis) == (other.amount.currency, other.period, other.basis)
    }
}

/// What seats cost a year when paid by this period in this currency; none when there is no such price.
///
/// # Errors
/// [`MoneyError::OutOfRange`] when it is more than an amount can be.
pub(super) fn yearly(
    prices: &[Price],
    included_seats: i64,
    seats: i64,
    period: PricePeriod,
    currency: Currency,
) -> Result<Option<Money>, MoneyError> {
    let paid_seats = (seats - included_seats).max(0);
    let mut sum = None;
    for price in prices.iter().filter(|price| price.period == period && price.amount.currency == currency) {
        let quantity = match price.basis {
            PriceBasis::Flat => 1,
            PriceBasis::PerSeat => paid_seats,
        };
        let periods = match period {
            PricePeriod::Month => MONTHS_PER_YEAR,
            PricePeriod::Year => 1,
        };
        let amount = price.amount.minor_units.checked_mul(quantity).and_then(|amount| amount.checked_mul(periods));
        let amount = Money { currency, minor_units: amount.ok_or(MoneyError::OutOfRange)? };
        sum = Some(match sum {
            None => amount,
            Some(sum) => amount.checked_add(sum)?,
        });
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::parse(code).expect("a currency")
    }

    fn price(period: PricePeriod, basis: PriceBasis, code: &str, minor_units: i64) -> Price {
        Price { period, basis, amount: Money { currency: currency(code), minor_units } }
    }

    #[test]
    fn flat_and_seats_add_up_within_a_period_and_currency() {
        let prices = [
            price(PricePeriod::Month, PriceBasis::Flat, "EUR", 10_000),
            price(PricePeriod::Month, PriceBasis::PerSeat, "EUR", 1_999),
            price(PricePeriod::Year, PriceBasis::Flat, "EUR", 99_999),
            price(PricePeriod::Month, PriceBasis::Flat, "USD", 7),
        ];
        let of = |period, code, seats| yearly(&prices, 5, seats, period, currency(code)).expect("in range");
        let minor_units = |money: Option<Money>| money.map(|money| money.minor_units);
        assert_eq!(minor_units(of(PricePeriod::Month, "EUR", 8)), Some(12 * (10_000 + 3 * 1_999)));
        assert_eq!(minor_units(of(PricePeriod::Month, "EUR", 2)), Some(120_000), "included seats cost nothing");
        assert_eq!(minor_units(of(PricePeriod::Year, "EUR", 8)), Some(99_999));
        assert_eq!(minor_units(of(PricePeriod::Month, "USD", 8)), Some(84));
        assert_eq!(of(PricePeriod::Year, "USD", 8), None);
    }

    proptest! {
        #[test]
        fn a_year_is_exact_or_refused(
            flat in 0i64.., seat in 0i64.., included in 0..=SEATS_MAX, seats in 0..=SEATS_MAX, monthly in any::<bool>()
        ) {
            let period = if monthly { PricePeriod::Month } else { PricePeriod::Year };
            let prices = [price(period, PriceBasis::Flat, "EUR", flat), price(period, PriceBasis::PerSeat, "EUR", seat)];
            let paid = i128::from((seats - included).max(0));
            let exact = (i128::from(flat) + i128::from(seat) * paid) * if monthly { 12 } else { 1 };
            match yearly(&prices, included, seats, period, currency("EUR")) {
                Ok(sum) => prop_assert_eq!(sum.map(|sum| i128::from(sum.minor_units)), Some(exact)),
                Err(error) => {
                    prop_assert_eq!(error, MoneyError::OutOfRange);
                    prop_assert!(exact > i128::from(i64::MAX));
                }
            }
        }
    }
}
