//! How much of the revenue of those who were customers is still there: gross and net revenue retention.

use chrono::{DateTime, Utc};
use mainstay_domain::Currency;

/// How much of the revenue stayed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RevenueRetention {
    pub currencies: Vec<CurrencyRetention>,
    /// Accounts whose revenue changed its currency.
    pub currency_changed: u64,
    /// Since when revenue is known.
    pub known_since: Option<DateTime<Utc>>,
}

/// The yearly revenue in one currency of those who were customers at the beginning, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CurrencyRetention {
    pub currency: Currency,
    pub accounts: u64,
    /// At the beginning; above 0.
    pub start: i64,
    /// Lost with customers that left.
    pub churned: i64,
    /// Lost as customers pay less.
    pub contraction: i64,
    /// Won as customers pay more.
    pub expansion: i64,
}

impl CurrencyRetention {
    /// The share that is left without what was won.
    pub(crate) fn gross(&self) -> f64 {
        (self.start - self.churned - self.contraction) as f64 / self.start as f64
    }

    /// The share that is left, 1 and above where more was won than lost.
    pub(crate) fn net(&self) -> f64 {
        self.gross() + self.expansion as f64 / self.start as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_won_counts_in_the_net_share_only() {
        let currency = Currency::parse("EUR").expect("a currency");
        let retention =
            CurrencyRetention { currency, accounts: 4, start: 1_000, churned: 100, contraction: 50, expansion: 250 };
        assert!((retention.gross() - 0.85).abs() < 1e-12);
        assert!((retention.net() - 1.1).abs() < 1e-12);
    }
}
