//! What the items of a subscription make of the plan: its name, what it brings in a year, and which way it went.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use mainstay_api::mainstay::common::v1::Money;
use mainstay_api::mainstay::scoring::v1::PlanChangeDirection;
use mainstay_domain::{Currency, Violations};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::event::{OBJECT, minor_units_in};
use crate::read::fault;
use crate::text::{WORD_LENGTH_MAX, cut, filled};

/// Most digits behind the point of `unit_amount_decimal`, as Stripe documents it.
const DECIMALS_MAX: usize = 12;

/// The items of a subscription.
#[derive(Debug, Deserialize)]
pub(super) struct Items {
    pub(super) data: Vec<Item>,
    /// Whether there are others that were not sent.
    #[serde(default)]
    has_more: bool,
}

/// One thing that is bought.
#[derive(Debug, Deserialize)]
pub(super) struct Item {
    /// Absent where use is metered.
    pub(super) quantity: Option<i64>,
    pub(super) current_period_end: Option<i64>,
    price: Option<Price>,
}

#[derive(Debug, Deserialize)]
struct Price {
    id: String,
    lookup_key: Option<String>,
    nickname: Option<String>,
    currency: Option<String>,
    /// Absent where the price goes by tiers, or has fractions.
    unit_amount: Option<i64>,
    unit_amount_decimal: Option<String>,
    /// Packages: the quantity is divided before it is paid for.
    transform_quantity: Option<IgnoredAny>,
    recurring: Option<Recurring>,
}

#[derive(Debug, Deserialize)]
struct Recurring {
    interval: String,
    interval_count: Option<i64>,
    usage_type: Option<String>,
}

impl Item {
    fn is_metered(&self) -> bool {
        let recurring = self.price.as_ref().and_then(|price| price.recurring.as_ref());
        recurring.is_some_and(|recurring| recurring.usage_type.as_deref() == Some("metered"))
    }
}

impl Recurring {
    /// How often it is paid in a year, as so many times in so many; none where that is not known.
    fn times_in_year(&self) -> Option<(i64, i64)> {
        let times = match self.interval.as_str() {
            "day" => 365,
            "week" => 52,
            "month" => 12,
            "year" => 1,
            _ => return None,
        };
        let count = self.interval_count.unwrap_or(1);
        (count > 0).then_some((times, count))
    }
}

impl Items {
    /// What the first price is called: by the caller's key, else by its nickname, else by its id. Empty when there is none.
    pub(super) fn plan(&self) -> String {
        let Some(price) = self.data.iter().find_map(|item| item.price.as_ref()) else { return String::new() };
        let named = [price.lookup_key.as_deref(), price.nickname.as_deref()].into_iter().find_map(filled);
        cut(named.unwrap_or(&price.id), WORD_LENGTH_MAX)
    }

    /// What the licensed items bring in a year, by their list prices and without what is metered. None where not all of it is known, as of
    /// tiers, or where there is nothing to sum up.
    pub(super) fn arr(&self) -> Result<Option<Money>, Violations> {
        if self.has_more {
            return Ok(None);
        }
        let mut sum: Option<(Currency, i64)> = None;
        for (index, item) in self.data.iter().enumerate().filter(|(_, item)| !item.is_metered()) {
            let Some((currency, yearly)) = item.yearly(index)? else { return Ok(None) };
            let (known, before) = sum.unwrap_or((currency, 0));
            if known != currency {
                return Ok(None);
            }
            let after = before.checked_add(yearly);
            sum = Some((currency, after.ok_or_else(|| out_of_range(&format!("{OBJECT}.items.data")))?));
        }
        Ok(sum.map(|(currency, minor_units)| Money { currency_code: currency.to_string(), minor_units }))
    }

    fn prices(&self) -> BTreeSet<&str> {
        self.data.iter().filter_map(|item| Some(item.price.as_ref()?.id.as_str())).collect()
    }
}

impl Item {
    /// What it brings in a year, in minor units, half of one rounded up.
    fn yearly(&self, index: usize) -> Result<Option<(Currency, i64)>, Violations> {
        let (Some(quantity), Some(price)) = (self.quantity, &self.price) else { return Ok(None) };
        let (Some(code), Some(recurring), None) = (&price.currency, &price.recurring, &price.transform_quantity) else {
            return Ok(None);
        };
        let path = |field: &str| format!("{OBJECT}.items.data[{index}].{field}");
        let Some((times, intervals)) = recurring.times_in_year() else { return Ok(None) };
        let (unit, parts) = match (price.unit_amount, &price.unit_amount_decimal) {
            (Some(unit), _) => (i128::from(unit), 1),
            (None, Some(text)) => decimal(text).ok_or_else(|| {
                let rule = format!("must be a number with at most {DECIMALS_MAX} digits behind the point");
                fault(path("price.unit_amount_decimal"), rule)
            })?,
            (None, None) => return Ok(None),
        };
        if unit < 0 || quantity < 0 {
            return Ok(None);
        }
        let currency = Currency::parse(&code.to_ascii_uppercase())
            .map_err(|error| fault(path("price.currency"), error.to_string()))?;
        let (units, of) = minor_units_in(currency);
        let product =
            [quantity, times, units].into_iter().try_fold(unit, |product, factor| product.checked_mul(factor.into()));
        let parts = parts * i128::from(intervals) * i128::from(of);
        let rounded = product.and_then(|product| product.checked_add(parts / 2)).map(|product| product / parts);
        let yearly = rounded.and_then(|rounded| i64::try_from(rounded).ok());
        Ok(Some((currency, yearly.ok_or_else(|| out_of_range(&path("quantity")))?)))
    }
}

/// Which way the plan went, by what the items brought before they changed and bring now. Not known where that is not, and where nothing was
/// changed that concerns it: since `2025-03-31.basil` items change with each period, which they contain.
pub(super) fn direction(items: &Items, previous_attributes: Option<&Value>) -> PlanChangeDirection {
    let before = previous_attributes.and_then(|previous| previous.get("items"));
    // What was before is told for the direction alone: what is wrong with it must not refuse what is now.
    let Some(before) = before.and_then(|before| Items::deserialize(before).ok()) else {
        return PlanChangeDirection::Unspecified;
    };
    let (Ok(Some(old)), Ok(Some(new))) = (before.arr(), items.arr()) else { return PlanChangeDirection::Unspecified };
    if old.currency_code != new.currency_code {
        return PlanChangeDirection::Unspecified;
    }
    match new.minor_units.cmp(&old.minor_units) {
        Ordering::Greater => PlanChangeDirection::Upgrade,
        Ordering::Less => PlanChangeDirection::Downgrade,
        Ordering::Equal if before.prices() != items.prices() => PlanChangeDirection::Lateral,
        Ordering::Equal => PlanChangeDirection::Unspecified,
    }
}

/// A decimal number that is not negative, as so many parts, of which so many make one.
fn decimal(text: &str) -> Option<(i128, i128)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(fraction) || fraction.len() > DECIMALS_MAX {
        return None;
    }
    let parts = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
    Some((format!("{whole}{fraction}").parse().ok()?, parts))
}

fn out_of_range(path: &str) -> Violations {
    fault(path, "is out of range: what it brings in a year cannot be counted")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn items(of: &[Value]) -> Items {
        serde_json::from_value(json!({"data": of})).expect("items")
    }

    fn item(unit: &Value, quantity: i64, interval: &str, count: i64) -> Value {
        let (amount, decimal) = if unit.is_string() { (&Value::Null, unit) } else { (unit, &Value::Null) };
        let recurring = json!({"interval": interval, "interval_count": count, "usage_type": "licensed"});
        json!({"quantity": quantity, "price": {"id": "price_1", "currency": "eur", "unit_amount": amount,
            "unit_amount_decimal": decimal, "recurring": recurring}})
    }

    #[test]
    fn a_year_has_as_many_periods_as_the_interval_says_and_half_a_minor_unit_is_rounded_up() {
        for (unit, quantity, interval, count, expected) in [
            (json!(1_000), 12, "month", 1, 144_000),
            (json!(1_000), 12, "month", 3, 48_000),
            (json!(1_000), 1, "month", 5, 2_400),
            (json!(100), 1, "month", 7, 171),
            (json!(1), 1, "month", 24, 1),
            (json!(1), 1, "month", 25, 0),
            (json!(12_000), 2, "year", 1, 24_000),
            (json!(12_000), 1, "year", 3, 4_000),
            (json!(100), 1, "week", 1, 5_200),
            (json!(100), 1, "week", 2, 2_600),
            (json!(10), 1, "day", 1, 3_650),
            (json!("0.5"), 3, "month", 1, 18),
            (json!("1000"), 1, "year", 1, 1_000),
            (json!("0.000000000001"), 1, "year", 1, 0),
            (json!(0), 1, "month", 1, 0),
        ] {
            let arr = items(&[item(&unit, quantity, interval, count)]).arr().expect("good").expect("known");
            assert_eq!((arr.currency_code.as_str(), arr.minor_units), ("EUR", expected), "{unit} {interval} {count}");
        }
    }

    #[test]
    fn what_cannot_be_counted_is_told_with_its_path() {
        let fault = |of: &[Value]| {
            let found = items(of).arr().expect_err("a fault");
            found.iter().next().expect("one").field.clone()
        };
        for text in ["", ".5", "1.-5", "-1", "1e3", "0.0000000000001", "1,5"] {
            let of = [item(&json!(1), 1, "month", 1), item(&json!(text), 1, "month", 1)];
            assert_eq!(fault(&of), "data.object.items.data[1].price.unit_amount_decimal", "{text}");
        }
        let largest = json!(i64::MAX);
        assert_eq!(fault(&[item(&largest, i64::MAX, "day", 1)]), "data.object.items.data[0].quantity");
        let two = [item(&largest, 1, "year", 1), item(&json!(1), 1, "year", 1)];
        assert_eq!(fault(&two), "data.object.items.data");
    }

    proptest! {
        #[test]
        fn a_decimal_says_the_same_as_the_amount_and_more_seats_never_bring_less(
            unit in 0_i64..1_000_000_000,
            quantity in 0_i64..1_000_000,
            more in 0_i64..1_000,
            count in 1_i64..36,
            zeros in 0_usize..12,
        ) {
            let yearly = |unit: &Value, quantity| {
                items(&[item(unit, quantity, "month", count)]).arr().expect("good").expect("known").minor_units
            };
            let counted = yearly(&json!(unit), quantity);
            let decimal = if zeros == 0 { unit.to_string() } else { format!("{unit}.{}", "0".repeat(zeros)) };
            prop_assert_eq!(yearly(&json!(decimal), quantity), counted);
            prop_assert!(yearly(&json!(unit), quantity + more) >= counted);
            // Within half a minor unit of the exact amount.
            let distance = i128::from(counted) * i128::from(count) - i128::from(unit) * i128::from(quantity) * 12;
            prop_assert!(distance.abs() * 2 <= i128::from(count));
        }

        #[test]
        fn a_change_and_its_way_back_go_in_opposite_directions(
            (old, new) in (0_i64..1_000, 0_i64..1_000),
            (seats, more) in (1_i64..100, 1_i64..100),
        ) {
            let told = |from: &Value, to: &Value| {
                let previous = json!({"items": {"data": [from]}});
                direction(&items(std::slice::from_ref(to)), Some(&previous))
            };
            let (one, other) = (item(&json!(old), seats, "month", 1), item(&json!(new), more, "month", 1));
            let opposite = match told(&one, &other) {
                PlanChangeDirection::Upgrade => PlanChangeDirection::Downgrade,
                PlanChangeDirection::Downgrade => PlanChangeDirection::Upgrade,
                same => same,
            };
            prop_assert_eq!(told(&other, &one), opposite);
            prop_assert_eq!(told(&one, &one), PlanChangeDirection::Unspecified);
        }
    }
}
