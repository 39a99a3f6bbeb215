//! Amounts of money between decimal text and minor units, without floats.

use mainstay_api::mainstay::common::v1::Money;
use mainstay_domain::{Currency, format_minor_units};

/// Reads an amount such as `1234.50` or `1234.50 EUR`. The currency is that of
/// the text, or else `currency`; where both are given they must agree.
pub(crate) fn parse(text: &str, currency: Option<&str>) -> Result<Money, String> {
    let (amount, written) = match text.split_once(char::is_whitespace) {
        Some((amount, code)) => (amount, Some(code.trim())),
        None => (text, None),
    };
    let code = match (written, currency) {
        (Some(written), Some(column)) if written != column => {
            return Err(format!("`{text}` is in {written}, but the currency column says {column}"));
        }
        (Some(code), _) | (None, Some(code)) => code,
        (None, None) => {
            return Err(format!("`{text}` needs a currency: write `{text} EUR`, or give a currency column"));
        }
    };
    let currency = Currency::parse(code).map_err(|error| error.to_string())?;
    let minor_units = minor_units(amount, currency.exponent())
        .map_err(|fault| format!("`{amount}` is not an amount of {currency}: {fault}"))?;
    Ok(Money { currency_code: currency.to_string(), minor_units })
}

/// Reads an amount that stands by itself, such as `1234.50 EUR`.
pub(crate) fn parse_argument(text: &str) -> Result<Money, String> {
    if !text.contains(char::is_whitespace) {
        return Err(format!("`{text}` needs a currency: write `{text} EUR`"));
    }
    parse(text, None)
}

fn minor_units(amount: &str, exponent: u32) -> Result<i64, String> {
    let (negative, digits) = match amount.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, amount.strip_prefix('+').unwrap_or(amount)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) || digits.ends_with('.') {
        return Err("it must be digits with a point before the decimals, such as 1234.50".to_owned());
    }
    let kept = fraction.trim_end_matches('0');
    let exponent_digits = exponent as usize;
    if kept.len() > exponent_digits {
        return Err(match exponent {
            0 => "the currency has no decimals".to_owned(),
            _ => format!("the currency has {exponent} decimals"),
        });
    }
    let text = format!("{}{whole}{kept:0<exponent_digits$}", if negative { "-" } else { "" });
    text.parse().map_err(|_| "it is too large".to_owned())
}

/// An amount for people: `1,234.50 EUR`.
pub(crate) fn format(money: &Money) -> String {
    let exponent = Currency::parse(&money.currency_code).map_or(2, Currency::exponent);
    format!("{} {}", format_minor_units(money.minor_units, exponent), money.currency_code)
}

/// An amount for programs: `1234.50 EUR`, as [`parse`] reads it.
pub(crate) fn exact(money: &Money) -> String {
    format(money).replace(',', "")
}

/// An amount for programs and its currency, as columns of their own; both empty for none.
pub(crate) fn amount_and_currency(money: Option<&Money>) -> (String, String) {
    let exact = money.map(exact).unwrap_or_default();
    let (amount, currency) = exact.split_once(' ').unwrap_or_default();
    (amount.to_owned(), currency.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn minor(text: &str, currency: Option<&str>) -> Result<i64, String> {
        parse(text, currency).map(|money| money.minor_units)
    }

    #[test]
    fn decimals_become_the_minor_units_of_their_currency() {
        for (text, currency, expected) in [
            ("1234.50", "EUR", 123_450),
            ("1234.5", "EUR", 123_450),
            ("1234", "EUR", 123_400),
            ("-0.01", "USD", -1),
            ("0.10", "USD", 10),
            ("1500", "JPY", 1_500),
            ("1500.00", "JPY", 1_500),
            ("1.234", "KWD", 1_234),
            ("0.0001", "CLF", 1),
            ("92233720368547758.07", "EUR", i64::MAX),
            ("-92233720368547758.08", "EUR", i64::MIN),
        ] {
            assert_eq!(minor(text, Some(currency)), Ok(expected), "{text} {currency}");
        }
        assert_eq!(parse("1234.50 CHF", None).map(|money| money.currency_code), Ok("CHF".to_owned()));
        assert_eq!(minor("1 EUR", Some("EUR")), Ok(100));
    }

    #[test]
    fn what_is_no_exact_amount_is_refused_with_the_reason() {
        for (text, currency, part) in [
            ("1.005", Some("EUR"), "the currency has 2 decimals"),
            ("1.5", Some("JPY"), "the currency has no decimals"),
            ("1,234.50", Some("EUR"), "digits with a point"),
            ("1e3", Some("EUR"), "digits with a point"),
            (".5", Some("EUR"), "digits with a point"),
            ("5.", Some("EUR"), "digits with a point"),
            ("92233720368547758.08", Some("EUR"), "too large"),
            ("5", None, "needs a currency"),
            ("5 EUR", Some("USD"), "the currency column says USD"),
            ("5", Some("eur"), "ISO 4217"),
        ] {
            let fault = minor(text, currency).expect_err(text);
            assert!(fault.contains(part), "{text}: {fault}");
        }
    }

    proptest! {
        #[test]
        fn every_amount_reads_back_from_its_text(minor_units: i64, code in "(EUR|JPY|KWD|CLF)") {
            let money = Money { currency_code: code, minor_units };
            let text = format(&money).replace(',', "");
            prop_assert_eq!(parse(&text, None), Ok(money));
        }
    }
}
