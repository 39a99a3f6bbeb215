//! Renewals, calls, and how much of the revenue stayed.

use chrono::{DateTime, Months, NaiveDate, Utc};
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_domain::{AccountId, Money, Points, Violations, Z_95, day_of, is_email};

use super::account::{owner_message, segment_message};
use super::forecast::model_name;
use super::health::band_message;
use crate::app::list_renewals::{DueDays, RenewalForecast};
use crate::app::set_renewal_call::GivenCall;
use crate::domain::renewal::{
    Call, Expectation, Likelihood, NOTE_LENGTH_MAX, Outcome, QUARTERS_MAX, Quarter, QuarterForecast, QuarterRevenue,
    Renewal, RenewalReport, RenewedRevenue, TARGET_RATE,
};
use crate::domain::revenue_retention::{CurrencyRetention, RevenueRetention};
use mainstay_service::wire::{day, money_message, timestamp};

const QUARTERS: u32 = 4;
const MONTHS_OF_A_YEAR: u32 = 12;
/// Most accounts whose renewals are asked for at once.
const ACCOUNTS_MAX: usize = 1_000;

const fn expectation_message(expectation: Expectation) -> proto::RenewalExpectation {
    match expectation {
        Expectation::Commit => proto::RenewalExpectation::Commit,
        Expectation::Likely => proto::RenewalExpectation::Likely,
        Expectation::AtRisk => proto::RenewalExpectation::AtRisk,
        Expectation::Churn => proto::RenewalExpectation::Churn,
    }
}

fn expectation_of(number: i32) -> Option<Expectation> {
    match proto::RenewalExpectation::try_from(number).ok()? {
        proto::RenewalExpectation::Unspecified => None,
        proto::RenewalExpectation::Commit => Some(Expectation::Commit),
        proto::RenewalExpectation::Likely => Some(Expectation::Likely),
        proto::RenewalExpectation::AtRisk => Some(Expectation::AtRisk),
        proto::RenewalExpectation::Churn => Some(Expectation::Churn),
    }
}

/// What a person said.
pub(crate) fn given_call(found: &mut Violations, message: proto::SetRenewalCallRequest) -> Option<GivenCall> {
    let account = found.take("account", AccountId::parse_name(&message.account));
    let expectation = expectation_of(message.expectation);
    found.require(expectation.is_some(), "expectation", format!("{} is no expectation", message.expectation));
    found.check_text("note", &message.note, NOTE_LENGTH_MAX);
    found.require(
        is_email(&message.author_email),
        "author_email",
        "must be a mail address such as `ada@example.com`, at most 254 characters",
    );
    Some(GivenCall {
        account: account?,
        expectation: expectation?,
        note: message.note,
        author_email: message.author_email,
    })
}

/// Days on which renewals are due.
pub(crate) fn due_days(found: &mut Violations, message: &proto::ListRenewalsRequest) -> DueDays {
    let start = day(found, "start_day", &message.start_day);
    let end = day(found, "end_day", &message.end_day);
    if let (Some(start), Some(end)) = (start, end) {
        found.require(start < end, "end_day", "must be after start_day");
    }
    DueDays { start, end, undecided_only: message.undecided_only }
}

/// The accounts whose renewals are asked for; none: those of all.
pub(crate) fn accounts(found: &mut Violations, names: &[String]) -> Option<Vec<AccountId>> {
    found.require(names.len() <= ACCOUNTS_MAX, "accounts", format!("must be {ACCOUNTS_MAX} at most"));
    let parse =
        |(index, name): (usize, &String)| found.take(&format!("accounts[{index}]"), AccountId::parse_name(name));
    let accounts = names.iter().take(ACCOUNTS_MAX).enumerate().filter_map(parse).collect();
    (!names.is_empty()).then_some(accounts)
}

/// A period that ends today, and began a year before its end, unless told otherwise.
pub(crate) fn period(
    found: &mut Violations,
    start_day: &str,
    end_day: &str,
    today: NaiveDate,
) -> Option<(NaiveDate, NaiveDate)> {
    let start = day(found, "start_day", start_day);
    let end = day(found, "end_day", end_day).unwrap_or(today);
    found.require(end <= today, "end_day", format!("must be {today} at most, which is today"));
    let start = start.or_else(|| end.checked_sub_months(Months::new(MONTHS_OF_A_YEAR)))?;
    found.require(start < end, "end_day", "must be after start_day");
    Some((start, end))
}

/// How many quarters.
pub(crate) fn quarter_count(found: &mut Violations, given: i32) -> u32 {
    match u32::try_from(given) {
        Ok(0) => QUARTERS,
        Ok(quarters) if quarters <= QUARTERS_MAX => quarters,
        _ => {
            found.add("quarter_count", format!("must be 1 to {QUARTERS_MAX}, or 0 for {QUARTERS}"));
            QUARTERS
        }
    }
}

/// A renewal as messages have it, its likelihood by the model of a number.
pub(crate) fn message((renewal, likelihood): &(Renewal, Option<Likelihood>), model: Option<i64>) -> proto::DueRenewal {
    let value = likelihood.map(|likelihood| likelihood.value);
    let observed = likelihood.and_then(|likelihood| likelihood.observed);
    let expected = renewal.arr.zip(value).map(|(arr, likelihood)| share_of(arr, likelihood));
    let outcome = match renewal.outcome.map(|(outcome, _)| outcome) {
        None => proto::RenewalOutcome::Unspecified,
        Some(Outcome::Renewed) => proto::RenewalOutcome::Renewed,
        Some(Outcome::Churned) => proto::RenewalOutcome::Churned,
    };
    proto::DueRenewal {
        account: renewal.account.name(),
        account_display_name: renewal.display_name.clone(),
        segment: segment_message(renewal.segment).into(),
        due_time: Some(timestamp(renewal.due_at)),
        arr: renewal.arr.map(money_message),
        score: renewal.score.map(Points::as_f64),
        band: band_message(renewal.band).into(),
        likelihood: value,
        expected_arr: expected.map(money_message),
        call: renewal.call.as_ref().map(call),
        outcome: outcome.into(),
        decision_time: renewal.outcome.map(|(_, decided_at)| timestamp(decided_at)),
        quarter: Quarter::of(day_of(renewal.due_at)).name(),
        owners: renewal.owners.iter().map(owner_message).collect(),
        forecast_model: model.filter(|_| likelihood.is_some()).map(model_name).unwrap_or_default(),
        likelihood_low: observed.map(|interval| interval.low),
        likelihood_high: observed.map(|interval| interval.high),
    }
}

/// A share of 0 to 1 of an amount that is not negative, to the minor unit.
fn share_of(amount: Money, share: f64) -> Money {
    #[expect(clippy::cast_possible_truncation, reason = "at most the amount")]
    let minor_units = (amount.minor_units as f64 * share).round_ties_even() as i64;
    Money { minor_units: minor_units.min(amount.minor_units), ..amount }
}

/// What a person expects, as messages have it.
pub(crate) fn call(call: &Call) -> proto::RenewalCall {
    proto::RenewalCall {
        account: call.account.name(),
        due_time: Some(timestamp(call.due_at)),
        expectation: expectation_message(call.expectation).into(),
        note: call.note.clone(),
        author_email: call.author_email.clone(),
        call_time: Some(timestamp(call.called_at)),
        likelihood: call.likelihood,
        creator: call.creator.clone(),
    }
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// What can be expected, as messages have it.
pub(crate) fn forecast(forecast: &RenewalForecast) -> proto::RenewalForecast {
    proto::RenewalForecast {
        quarters: forecast.quarters.iter().map(quarter).collect(),
        forecast_model: forecast.model.map(model_name).unwrap_or_default(),
        as_of_time: Some(timestamp(forecast.as_of)),
    }
}

fn quarter(quarter: &QuarterForecast) -> proto::QuarterForecast {
    let revenue = |revenue: &QuarterRevenue| proto::QuarterRevenue {
        arr: Some(money_message(revenue.arr)),
        forecast_arr: Some(money_message(revenue.forecast_arr)),
        expected_arr: Some(money_message(revenue.expected)),
        low: Some(money_message(revenue.low)),
        high: Some(money_message(revenue.high)),
    };
    let called = |(expectation, count): (&Expectation, &u64)| proto::CalledRenewals {
        expectation: expectation_message(*expectation).into(),
        count: number(*count),
    };
    proto::QuarterForecast {
        quarter: quarter.quarter.name(),
        renewal_count: number(quarter.renewals),
        forecast_count: number(quarter.forecast),
        expected_count: quarter.expected,
        count_low: number(quarter.low),
        count_high: number(quarter.high),
        revenues: quarter.revenues.iter().map(revenue).collect(),
        calls: quarter.calls.iter().map(called).collect(),
    }
}

/// How many renewed, as messages have it.
pub(crate) fn report(
    report: &RenewalReport,
    (start, end): (NaiveDate, NaiveDate),
    as_of: DateTime<Utc>,
) -> proto::RenewalReport {
    let interval = report.renewed.wilson(Z_95);
    let revenue = |revenue: &RenewedRevenue| proto::RenewedRevenue {
        renewed_arr: Some(money_message(revenue.renewed)),
        churned_arr: Some(money_message(revenue.churned)),
        renewal_rate: revenue.rate(),
    };
    proto::RenewalReport {
        start_day: start.to_string(),
        end_day: end.to_string(),
        renewed_count: report.renewed.count,
        churned_count: report.renewed.total - report.renewed.count,
        undecided_count: number(report.undecided),
        renewal_rate: report.renewed.share(),
        rate_low: interval.map(|interval| interval.low),
        rate_high: interval.map(|interval| interval.high),
        target_rate: TARGET_RATE,
        revenues: report.revenues.iter().map(revenue).collect(),
        accuracy: report.accuracy.map(|(count, people_brier, model_brier)| proto::CallAccuracy {
            count: number(count),
            people_brier,
            model_brier,
        }),
        as_of_time: Some(timestamp(as_of)),
    }
}

/// How much of the revenue stayed, as messages have it.
pub(crate) fn retention(
    retention: &RevenueRetention,
    (start, end): (NaiveDate, NaiveDate),
    as_of: DateTime<Utc>,
) -> proto::RevenueRetention {
    let currency = |one: &CurrencyRetention| {
        let money = |minor_units| Some(money_message(Money { currency: one.currency, minor_units }));
        proto::CurrencyRetention {
            account_count: number(one.accounts),
            start_arr: money(one.start),
            churned_arr: money(one.churned),
            contraction_arr: money(one.contraction),
            expansion_arr: money(one.expansion),
            gross_retention: one.gross(),
            net_retention: one.net(),
        }
    };
    proto::RevenueRetention {
        start_day: start.to_string(),
        end_day: end.to_string(),
        currencies: retention.currencies.iter().map(currency).collect(),
        currency_changed_account_count: number(retention.currency_changed),
        known_since_time: retention.known_since.map(timestamp),
        as_of_time: Some(timestamp(as_of)),
    }
}
