//! How customers pay, what they bring in, and what of it is in danger: the sums of a report, from groups that fall together.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_domain::{AccountId, Band, Money, MoneyError, MoneySums, Points, Proportion, Segment};

use super::customer_filter::CustomerFilter;
use super::forecast::{ForecastModel, PortfolioForecast};
use super::health_report::{ReportPeriod, ReportSums};
use super::retention_goals::{RetentionGoal, RetentionMetric};
use super::revenue_retention::RevenueRetention;

/// The youngest age of each range of unpaid invoices, in days.
pub(crate) const AGES_DAYS_MIN: [i32; 4] = [0, 8, 31, 61];

/// Which customers, and how much of them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RevenueQuery {
    pub period: ReportPeriod,
    pub customers: CustomerFilter,
    /// For each currency.
    pub list_size: i64,
    pub asked_targets: BTreeMap<RetentionMetric, f64>,
}

/// Unpaid invoices that have a range of ages and a currency in common, or one of them, or neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UnpaidGroup {
    /// Place in [`AGES_DAYS_MIN`]; none: of all ages.
    pub age: Option<usize>,
    pub invoice_count: i64,
    pub account_count: i64,
    /// Of how many no amount was told.
    pub unpriced_count: i64,
    /// Of one currency; none: of all, or of those without an amount.
    pub amount: Option<Money>,
    /// Whether it is of one currency, or of invoices without an amount: of a part of those of its age.
    pub is_part: bool,
}

/// Unpaid invoices of a range of ages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct UnpaidByAge {
    pub invoice_count: i64,
    pub account_count: i64,
    pub amounts: MoneySums,
}

/// So many of something, with how many customers, about how much money.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct BillingCount {
    pub count: i64,
    pub account_count: i64,
    pub amounts: MoneySums,
}

/// How customers pay at a time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct PaymentStatus {
    /// As [`AGES_DAYS_MIN`].
    pub ages: [UnpaidByAge; AGES_DAYS_MIN.len()],
    pub unpaid: UnpaidByAge,
    pub unpriced_invoice_count: i64,
    pub disputes: BillingCount,
    /// Customers with an unpaid invoice or an open dispute, and what they bring in.
    pub at_risk_account_count: i64,
    pub at_risk_arr: MoneySums,
}

impl PaymentStatus {
    /// The sums of the groups; an error when an amount of money leaves its range.
    pub(crate) fn of(groups: &[UnpaidGroup]) -> Result<Self, MoneyError> {
        let mut status = Self::default();
        for group in groups {
            if let (None, false) = (group.age, group.is_part) {
                status.unpriced_invoice_count = group.unpriced_count;
            }
            let sums = match group.age {
                Some(age) => status.ages.get_mut(age),
                None => Some(&mut status.unpaid),
            };
            let Some(sums) = sums else { continue };
            if group.is_part {
                if let Some(amount) = group.amount {
                    sums.amounts.add(amount)?;
                }
            } else {
                // Customers with invoices of several currencies and ages are counted once: not the sum of the parts.
                sums.invoice_count = group.invoice_count;
                sums.account_count = group.account_count;
            }
        }
        Ok(status)
    }
}

/// What can happen; the numbers are those of the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i16)]
pub(crate) enum BillingFlowKind {
    InvoiceFailed = 1,
    InvoiceOverdue = 2,
    InvoiceRecovered = 3,
    InvoiceVoided = 4,
    Refund = 5,
    CreditNote = 6,
    DisputeOpened = 7,
    DisputeClosed = 8,
}

impl BillingFlowKind {
    pub(crate) const ALL: [Self; 8] = [
        Self::InvoiceFailed,
        Self::InvoiceOverdue,
        Self::InvoiceRecovered,
        Self::InvoiceVoided,
        Self::Refund,
        Self::CreditNote,
        Self::DisputeOpened,
        Self::DisputeClosed,
    ];

    /// The kind of a number.
    pub(crate) fn of_number(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as i16 == number)
    }
}

/// What happened of a kind, in one currency or in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FlowGroup {
    pub kind: BillingFlowKind,
    pub count: i64,
    pub account_count: i64,
    pub amount: Option<Money>,
    /// Whether it is of one currency, or of what has no amount.
    pub is_part: bool,
}

/// What happened within a period, every kind once.
pub(crate) type BillingFlows = BTreeMap<BillingFlowKind, BillingCount>;

/// The sums of the groups; an error when an amount of money leaves its range.
pub(crate) fn billing_flows(groups: &[FlowGroup]) -> Result<BillingFlows, MoneyError> {
    let mut flows: BillingFlows = BillingFlowKind::ALL.map(|kind| (kind, BillingCount::default())).into();
    for group in groups {
        let flow = flows.entry(group.kind).or_default();
        if !group.is_part {
            flow.count = group.count;
            flow.account_count = group.account_count;
        } else if let Some(amount) = group.amount {
            flow.amounts.add(amount)?;
        }
    }
    Ok(flows)
}

/// A customer with unpaid invoices in a currency.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct UnpaidCustomer {
    pub account: AccountId,
    pub display_name: String,
    pub segment: Segment,
    pub csm_email: Option<String>,
    pub unpaid: Option<Money>,
    pub invoice_count: i64,
    pub oldest_days: i32,
    pub failed_attempt_count: i64,
    pub open_dispute_count: i64,
    pub arr: Option<Money>,
    pub renewal_at: Option<DateTime<Utc>>,
    pub score: Option<Points>,
    pub band: Option<Band>,
}

/// How many contracts renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct RenewalCounts {
    /// Of the decided ones.
    pub renewed: Proportion,
    pub undecided: i64,
}

/// What customers can be expected to be lost within some days.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ExpectedChurn {
    pub model: ForecastModel,
    pub days: u32,
    pub forecast: PortfolioForecast,
}

/// How customers pay, what they bring in, and what of it is in danger.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RevenueReport {
    pub as_of: DateTime<Utc>,
    pub start: DateTime<Utc>,
    pub status: PaymentStatus,
    pub status_before: PaymentStatus,
    pub flows: BillingFlows,
    pub unpaid_customers: Vec<UnpaidCustomer>,
    pub sums: ReportSums,
    /// The months of the retention: the first day, and the day after the last.
    pub year: (NaiveDate, NaiveDate),
    pub retention: RevenueRetention,
    pub renewals: RenewalCounts,
    pub expected_churn: Option<ExpectedChurn>,
    pub goals: Vec<RetentionGoal>,
}

#[cfg(test)]
mod tests {
    use mainstay_domain::Currency;
    use proptest::prelude::*;

    use super::*;

    /// An invoice: whose, its range of ages, and its amount in one of two currencies.
    type Invoice = (u8, usize, Option<(usize, i64)>);

    fn invoices() -> impl Strategy<Value = Vec<Invoice>> {
        let amount = proptest::option::of((0..2usize, 0..1_000_000i64));
        proptest::collection::vec((0..5u8, 0..AGES_DAYS_MIN.len(), amount), 0..30)
    }

    fn money((code, minor_units): (usize, i64)) -> Money {
        Money { currency: Currency::parse(["EUR", "USD"][code]).expect("a currency"), minor_units }
    }

    fn number(count: usize) -> i64 {
        i64::try_from(count).expect("few")
    }

    /// As the database groups them: by age and currency, by age, by currency, and all.
    fn grouped(invoices: &[Invoice]) -> Vec<UnpaidGroup> {
        let ages = (0..AGES_DAYS_MIN.len()).map(Some).chain([None]);
        let currencies = [None, Some(None), Some(Some(0)), Some(Some(1))];
        let keys = ages.flat_map(|age| currencies.map(|currency| (age, currency)));
        keys.filter_map(|(age, currency)| {
            let of_key = |(_, its_age, amount): &&Invoice| {
                age.is_none_or(|age| age == *its_age)
                    && currency.is_none_or(|currency| currency == amount.map(|(code, _)| code))
            };
            let members: Vec<&Invoice> = invoices.iter().filter(of_key).collect();
            let mut accounts: Vec<u8> = members.iter().map(|(account, ..)| *account).collect();
            accounts.sort_unstable();
            accounts.dedup();
            let sum = members.iter().filter_map(|(_, _, amount)| amount.map(|(_, units)| units)).sum();
            let is_some = !members.is_empty();
            is_some.then(|| UnpaidGroup {
                age,
                invoice_count: number(members.len()),
                account_count: number(accounts.len()),
                unpriced_count: number(members.iter().filter(|(_, _, amount)| amount.is_none()).count()),
                amount: currency.flatten().map(|code| money((code, sum))),
                is_part: currency.is_some(),
            })
        })
        .collect()
    }

    proptest! {
        #[test]
        fn r186_no_invoice_is_lost_and_no_currency_mixed(invoices in invoices()) {
            let status = PaymentStatus::of(&grouped(&invoices)).expect("small amounts");
            prop_assert_eq!(status.unpaid.invoice_count, number(invoices.len()));
            prop_assert_eq!(status.ages.iter().map(|age| age.invoice_count).sum::<i64>(), status.unpaid.invoice_count);
            prop_assert!(status.ages.iter().all(|age| age.account_count <= status.unpaid.account_count));
            prop_assert!(status.unpaid.account_count <= status.ages.iter().map(|age| age.account_count).sum());
            let mut all = MoneySums::default();
            for (_, _, amount) in &invoices {
                if let Some(amount) = amount {
                    all.add(money(*amount)).expect("small amounts");
                }
            }
            prop_assert_eq!(&status.unpaid.amounts, &all);
            let mut by_age = MoneySums::default();
            for amount in status.ages.iter().flat_map(|age| age.amounts.iter()) {
                by_age.add(amount).expect("small amounts");
            }
            prop_assert_eq!(by_age, all);
            let unpriced = number(invoices.iter().filter(|(_, _, amount)| amount.is_none()).count());
            prop_assert_eq!(status.unpriced_invoice_count, unpriced);
        }
    }

    #[test]
    fn every_flow_is_there_once_and_amounts_that_are_too_large_are_an_error() {
        let flows = billing_flows(&[]).expect("no amounts");
        assert_eq!(flows.keys().copied().collect::<Vec<_>>(), BillingFlowKind::ALL);
        assert!(BillingFlowKind::ALL.into_iter().all(|kind| BillingFlowKind::of_number(kind as i16) == Some(kind)));
        let part = FlowGroup {
            kind: BillingFlowKind::Refund,
            count: 1,
            account_count: 1,
            amount: Some(money((0, i64::MAX))),
            is_part: true,
        };
        assert_eq!(billing_flows(&[part, part]), Err(MoneyError::OutOfRange));
    }
}
