//! What can be expected to renew, quarter by quarter.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use mainstay_domain::{Currency, Money, MoneyError, MoneySums, day_of};

use super::{Expectation, Quarter, Renewal};
use crate::domain::forecast::{count_interval, money_interval};

/// What can be expected to renew in a quarter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct QuarterForecast {
    pub quarter: Quarter,
    pub renewals: u64,
    /// Those with a likelihood, of which the figures are.
    pub forecast: u64,
    pub expected: f64,
    /// How many renew: the 95 % interval.
    pub low: u64,
    pub high: u64,
    pub revenues: Vec<QuarterRevenue>,
    pub calls: BTreeMap<Expectation, u64>,
}

/// The revenue that is due in a quarter, in one currency.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct QuarterRevenue {
    pub arr: Money,
    /// Of the renewals with a likelihood.
    pub forecast_arr: Money,
    pub expected: Money,
    pub low: Money,
    pub high: Money,
}

/// What of undecided renewals with their likelihoods can be expected in so many quarters from today's on. Those that are overdue are
/// in the first.
///
/// # Errors
/// When a sum leaves the range of money.
pub(crate) fn quarter_forecasts(
    renewals: &[(Renewal, Option<f64>)],
    today: NaiveDate,
    quarters: u32,
) -> Result<Vec<QuarterForecast>, MoneyError> {
    let first = Quarter::of(today);
    let mut by_quarter: BTreeMap<Quarter, Vec<&(Renewal, Option<f64>)>> = BTreeMap::new();
    for one in renewals {
        by_quarter.entry(Quarter::of(day_of(one.0.due_at)).max(first)).or_default().push(one);
    }
    let names = std::iter::successors(Some(first), |quarter| Some(quarter.next())).take(quarters as usize);
    names.map(|quarter| QuarterForecast::of(quarter, by_quarter.get(&quarter).map_or(&[], Vec::as_slice))).collect()
}

impl QuarterForecast {
    fn of(quarter: Quarter, renewals: &[&(Renewal, Option<f64>)]) -> Result<Self, MoneyError> {
        let likelihoods: Vec<f64> = renewals.iter().filter_map(|(_, likelihood)| *likelihood).collect();
        let (low, high) = count_interval(&likelihoods);
        let (mut all, mut known) = (MoneySums::default(), MoneySums::default());
        let mut amounts: BTreeMap<Currency, Vec<(f64, i64)>> = BTreeMap::new();
        let mut calls: BTreeMap<Expectation, u64> = BTreeMap::new();
        for (renewal, likelihood) in renewals {
            if let Some(call) = &renewal.call {
                *calls.entry(call.expectation).or_default() += 1;
            }
            let Some(arr) = renewal.arr else { continue };
            all.add(arr)?;
            known.add(Money { minor_units: likelihood.map_or(0, |_| arr.minor_units), ..arr })?;
            if let Some(likelihood) = likelihood {
                amounts.entry(arr.currency).or_default().push((*likelihood, arr.minor_units));
            }
        }
        let revenue = |(arr, forecast_arr): (Money, Money)| {
            let amounts = amounts.get(&arr.currency).map_or(&[][..], Vec::as_slice);
            let [expected, low, high] = money_interval(amounts, forecast_arr);
            QuarterRevenue { arr, forecast_arr, expected, low, high }
        };
        Ok(Self {
            quarter,
            renewals: renewals.len() as u64,
            forecast: likelihoods.len() as u64,
            expected: likelihoods.iter().sum(),
            low,
            high,
            revenues: all.iter().zip(known.iter()).map(revenue).collect(),
            calls,
        })
    }
}
