//! The purchases of the CDNOW sample, as they are in the file.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use thiserror::Error;

/// The data, part of the program so that the demo works wherever the program is.
const FILE: &str = include_str!("../../../../demo/cdnow/CDNOW_sample.txt");

/// An order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Purchase {
    /// The customer's id in the sample, four digits.
    pub(crate) customer: String,
    /// The day of the order.
    pub(crate) day: NaiveDate,
    /// Which order of the customer it is, from 1.
    pub(crate) number: usize,
    /// How many CDs.
    pub(crate) cds: i64,
    /// What they cost.
    pub(crate) cents: i64,
}

/// A line that is not an order.
#[derive(Debug, PartialEq, Eq, Error)]
#[error("line {line} of the purchases: {fault}")]
pub(crate) struct SampleFault {
    line: usize,
    fault: &'static str,
}

/// All purchases by day.
#[derive(Debug)]
pub(crate) struct Sample {
    by_day: BTreeMap<NaiveDate, Vec<Purchase>>,
    customers: BTreeSet<String>,
}

impl Sample {
    /// The sample that is part of the program.
    pub(crate) fn embedded() -> Result<Self, SampleFault> {
        Self::parse(FILE)
    }

    fn parse(text: &str) -> Result<Self, SampleFault> {
        let mut by_day: BTreeMap<NaiveDate, Vec<Purchase>> = BTreeMap::new();
        let mut orders: BTreeMap<String, usize> = BTreeMap::new();
        for (place, line) in text.lines().enumerate() {
            let mut purchase = parse_line(line).map_err(|fault| SampleFault { line: place + 1, fault })?;
            let number = orders.entry(purchase.customer.clone()).or_default();
            *number += 1;
            purchase.number = *number;
            by_day.entry(purchase.day).or_default().push(purchase);
        }
        Ok(Self { by_day, customers: orders.into_keys().collect() })
    }

    /// The purchases of a day.
    pub(crate) fn of_day(&self, day: NaiveDate) -> &[Purchase] {
        self.by_day.get(&day).map_or(&[], Vec::as_slice)
    }

    /// All customers, by id.
    pub(crate) fn customers(&self) -> &BTreeSet<String> {
        &self.customers
    }

    /// Who bought on a day after `after`, up to and with `until`.
    pub(crate) fn buyers_between(&self, after: NaiveDate, until: NaiveDate) -> BTreeSet<&str> {
        let days = self.by_day.iter().filter(|(day, _)| after < **day && **day <= until);
        days.flat_map(|(_, purchases)| purchases).map(|purchase| purchase.customer.as_str()).collect()
    }
}

/// Five columns: the id in the full data, the id in the sample, the day, CDs, dollars.
fn parse_line(line: &str) -> Result<Purchase, &'static str> {
    let columns: Vec<&str> = line.split_ascii_whitespace().collect();
    let [_, customer, day, cds, dollars] = columns[..] else { return Err("must have five columns") };
    Ok(Purchase {
        customer: customer.to_owned(),
        day: NaiveDate::parse_from_str(day, "%Y%m%d").map_err(|_| "the third column must be a day as 19970131")?,
        number: 0,
        cds: cds.parse().map_err(|_| "the fourth column must be a whole number")?,
        cents: parse_cents(dollars).ok_or("the fifth column must be dollars with two decimals")?,
    })
}

fn parse_cents(dollars: &str) -> Option<i64> {
    let (whole, cents) = dollars.split_once('.')?;
    if cents.len() != 2 {
        return None;
    }
    format!("{whole}{cents}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    #[test]
    fn the_sample_is_whole() {
        let sample = Sample::embedded().expect("reads");
        assert_eq!(sample.customers().len(), 2_357);
        assert_eq!(sample.by_day.values().map(Vec::len).sum::<usize>(), 6_919);
        assert_eq!(sample.by_day.keys().next(), Some(&day("1997-01-01")));
        assert_eq!(sample.by_day.keys().next_back(), Some(&day("1998-06-30")));
        let returned = sample.buyers_between(day("1997-09-30"), day("1998-06-30"));
        assert_eq!(sample.customers().len() - returned.len(), 1_673);
    }

    #[test]
    fn orders_of_a_customer_are_numbered() {
        let text =
            " 00004 0001 19970101  2   29.33\r\n 00004 0001 19970101  1    9.00\r\n 00021 0002 19970101  3  163.34\r\n";
        let sample = Sample::parse(text).expect("reads");
        let purchases: Vec<_> = sample
            .of_day(day("1997-01-01"))
            .iter()
            .map(|one| (one.customer.as_str(), one.number, one.cds, one.cents))
            .collect();
        assert_eq!(purchases, [("0001", 1, 2, 2_933), ("0001", 2, 1, 900), ("0002", 1, 3, 16_334)]);
        assert!(sample.of_day(day("1997-01-02")).is_empty());
        assert!(sample.buyers_between(day("1997-01-01"), day("1997-01-02")).is_empty());
        assert_eq!(sample.buyers_between(day("1996-12-31"), day("1997-01-01")).len(), 2);
    }

    #[test]
    fn a_line_that_is_no_order_is_named() {
        for (line, fault) in [
            ("1 2 19970101 2", "must have five columns"),
            ("1 2 19971301 2 9.99", "the third column must be a day as 19970131"),
            ("1 2 19970101 x 9.99", "the fourth column must be a whole number"),
            ("1 2 19970101 2 9.9", "the fifth column must be dollars with two decimals"),
        ] {
            let text = format!("1 2 19970101 2 9.99\n{line}\n");
            assert_eq!(Sample::parse(&text).err(), Some(SampleFault { line: 2, fault }));
        }
    }
}
