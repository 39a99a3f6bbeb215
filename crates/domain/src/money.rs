//! Exact amounts of money; sums never mix currencies.

use std::collections::BTreeMap;
use std::fmt;

use thiserror::Error;

/// An ISO 4217 currency code: three capital letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// Why an amount cannot be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MoneyError {
    /// Not three capital letters.
    #[error("`{0}` is not an ISO 4217 currency code, three capital letters such as `EUR`")]
    InvalidCurrency(String),
    /// The two amounts are of different currencies.
    #[error("{0} and {1} cannot be added: they are different currencies")]
    MixedCurrencies(Currency, Currency),
    /// The sum is larger than an amount can be.
    #[error("the sum is out of range")]
    OutOfRange,
}

impl Currency {
    /// Reads a currency code.
    pub fn parse(code: &str) -> Result<Self, MoneyError> {
        match code.as_bytes() {
            [a, b, c] if [a, b, c].iter().all(|letter| letter.is_ascii_uppercase()) => Ok(Self([*a, *b, *c])),
            _ => Err(MoneyError::InvalidCurrency(code.to_owned())),
        }
    }

    /// Digits after the point of the currency's amounts (ISO 4217:2015, list one).
    /// Currencies that the list does not name otherwise have two.
    pub fn exponent(self) -> u32 {
        match self.as_str() {
            "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "UYI" | "VND"
            | "VUV" | "XAF" | "XOF" | "XPF" => 0,
            "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
            "CLF" | "UYW" => 4,
            _ => 2,
        }
    }

    /// The three letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// An exact amount in a currency's minor unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    /// The currency.
    pub currency: Currency,
    /// The amount in minor units: cents for `EUR`, whole yen for `JPY`.
    pub minor_units: i64,
}

impl fmt::Display for Money {
    /// For people: `1,234.50 EUR`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", format_minor_units(self.minor_units, self.currency.exponent()), self.currency)
    }
}

/// An amount for people, of a currency with so many digits after the point: `1,234.50`.
pub fn format_minor_units(minor_units: i64, exponent: u32) -> String {
    let exponent = exponent as usize;
    let digits = format!("{:0>width$}", minor_units.unsigned_abs(), width = exponent + 1);
    let (whole, fraction) = digits.split_at(digits.len() - exponent);
    let sign = if minor_units < 0 { "-" } else { "" };
    let point = if exponent == 0 { "" } else { "." };
    format!("{sign}{}{point}{fraction}", grouped(whole))
}

/// Digits in groups of three: `1,234`.
pub fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

impl Money {
    /// The sum of two amounts of one currency.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::MixedCurrencies(self.currency, other.currency));
        }
        let minor_units = self.minor_units.checked_add(other.minor_units).ok_or(MoneyError::OutOfRange)?;
        Ok(Self { currency: self.currency, minor_units })
    }
}

/// Sums by currency, in the order of the codes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MoneySums(BTreeMap<Currency, i64>);

impl MoneySums {
    /// Adds an amount to the sum of its currency.
    pub fn add(&mut self, amount: Money) -> Result<(), MoneyError> {
        let sum = self.0.entry(amount.currency).or_default();
        *sum = sum.checked_add(amount.minor_units).ok_or(MoneyError::OutOfRange)?;
        Ok(())
    }

    /// The sums, one for each currency seen.
    pub fn iter(&self) -> impl Iterator<Item = Money> + '_ {
        self.0.iter().map(|(&currency, &minor_units)| Money { currency, minor_units })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(code: &str, minor_units: i64) -> Money {
        Money { currency: Currency::parse(code).expect("a currency"), minor_units }
    }

    #[test]
    fn two_currencies_are_never_added() {
        let error = money("EUR", 100).checked_add(money("USD", 100)).expect_err("mixed");
        assert_eq!(error.to_string(), "EUR and USD cannot be added: they are different currencies");
    }

    #[test]
    fn sums_keep_currencies_apart() {
        let mut sums = MoneySums::default();
        for amount in [money("USD", 5), money("EUR", 7), money("USD", -2)] {
            sums.add(amount).expect("in range");
        }
        assert_eq!(sums.iter().collect::<Vec<_>>(), [money("EUR", 7), money("USD", 3)]);
        assert_eq!(sums.add(money("EUR", i64::MAX)), Err(MoneyError::OutOfRange));
    }

    #[test]
    fn a_currency_is_three_capital_letters() {
        for bad in ["", "EU", "eur", "EURO", "E1R", "€"] {
            assert!(Currency::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(Currency::parse("CHF").expect("a currency").as_str(), "CHF");
    }
}
