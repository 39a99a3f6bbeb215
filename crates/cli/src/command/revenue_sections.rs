//! The sections of the report of revenue.

use mainstay_api::mainstay::scoring::v1 as proto;

use crate::command::report_sections::{Section, Value, asked_for, band_word};
use crate::command::reports::RevenueArguments;
use crate::words::interventions::enum_word;
use crate::words::{day_of_time, id_of, segment, time_text};

/// Those of a report of revenue, as it was asked for.
pub(crate) fn revenue_sections(report: &proto::RevenueReport, asked: &RevenueArguments) -> Vec<Section> {
    let now = report.payment_status.clone().unwrap_or_default();
    let before = report.payment_status_before.clone().unwrap_or_default();
    let health = report.revenue_health.clone().unwrap_or_default();
    vec![
        summary(report, asked),
        status(&now, &before),
        ages(&now, &before),
        flows(report),
        unpaid(report),
        bands(&health),
        retention(&health),
        renewals(&health),
        churn(&health),
        goals(report),
    ]
}

fn summary(report: &proto::RevenueReport, asked: &RevenueArguments) -> Section {
    let columns = [
        (">CUSTOMERS", "customers"),
        ("SINCE", "start_time"),
        ("OLDEST SCORES", "oldest_score_day"),
        ("SEGMENTS", "segments"),
        ("LOOKED AFTER BY", "owner_email"),
    ];
    let [segments, owner] = asked_for(&asked.customers.segment, &asked.customers.owner);
    Section::new(("summary", "Customers"), &columns, "").with([vec![
        Value::count(report.account_count),
        Value::text(time_text(report.start_time)),
        Value::text(&report.oldest_score_day),
        segments,
        owner,
    ]])
}

fn status(now: &proto::PaymentStatus, before: &proto::PaymentStatus) -> Section {
    let columns = [
        ("WHEN", "when"),
        (">UNPAID INVOICES", "unpaid_invoices"),
        (">CUSTOMERS", "unpaid_customers"),
        (">UNPAID", "unpaid"),
        (">WITHOUT AMOUNT", "unpriced_invoices"),
        (">OPEN DISPUTES", "open_disputes"),
        (">DISPUTED", "disputed"),
        (">CUSTOMERS AT RISK", "customers_at_risk"),
        (">ARR AT RISK", "arr_at_risk"),
    ];
    let row = |(when, one): (&str, &proto::PaymentStatus)| {
        vec![
            Value::text(when),
            Value::count(one.unpaid_invoice_count),
            Value::count(one.unpaid_account_count),
            Value::money(&one.unpaid_amounts),
            Value::count(one.unpriced_invoice_count),
            Value::count(one.open_dispute_count),
            Value::money(&one.disputed_amounts),
            Value::count(one.at_risk_account_count),
            Value::money(&one.at_risk_arr),
        ]
    };
    let rows = [("now", now), ("before", before)].into_iter().map(row);
    Section::new(("status", "Payments, and the money at risk"), &columns, "").with(rows)
}

fn ages(now: &proto::PaymentStatus, before: &proto::PaymentStatus) -> Section {
    let columns = [
        (">DAYS", "days"),
        (">INVOICES", "invoices"),
        (">CUSTOMERS", "customers"),
        (">UNPAID", "unpaid"),
        (">INVOICES BEFORE", "invoices_before"),
        (">UNPAID BEFORE", "unpaid_before"),
    ];
    let row = |(now, before): (&proto::UnpaidByAge, &proto::UnpaidByAge)| {
        let days = match now.days_max {
            Some(most) => format!("{}-{most}", now.days_min),
            None => format!("{}+", now.days_min),
        };
        vec![
            Value::text(days),
            Value::count(now.invoice_count),
            Value::count(now.account_count),
            Value::money(&now.amounts),
            Value::count(before.invoice_count),
            Value::money(&before.amounts),
        ]
    };
    Section::new(("ages", "Unpaid invoices by age"), &columns, "").with(now.ages.iter().zip(&before.ages).map(row))
}

fn flows(report: &proto::RevenueReport) -> Section {
    let columns = [("WHAT", "what"), (">COUNT", "count"), (">CUSTOMERS", "customers"), (">AMOUNT", "amount")];
    let row = |one: &proto::BillingFlow| {
        vec![
            Value::text(enum_word(one.kind().as_str_name(), "BILLING_FLOW_KIND_")),
            Value::count(one.count),
            Value::count(one.account_count),
            Value::money(&one.amounts),
        ]
    };
    Section::new(("flows", "What happened since"), &columns, "").with(report.flows.iter().map(row))
}

fn unpaid(report: &proto::RevenueReport) -> Section {
    let columns = [
        ("ACCOUNT", "account"),
        ("NAME", "display_name"),
        ("SEGMENT", "segment"),
        (">UNPAID", "unpaid"),
        (">INVOICES", "invoices"),
        (">OLDEST", "oldest_days"),
        (">ATTEMPTS", "failed_attempts"),
        (">DISPUTES", "open_disputes"),
        (">SCORE", "score"),
        ("BAND", "band"),
        (">ARR", "arr"),
        ("RENEWAL", "renewal_day"),
        ("CSM", "csm_email"),
    ];
    let row = |one: &proto::UnpaidCustomer| {
        vec![
            Value::text(id_of(&one.account)),
            Value::text(&one.display_name),
            Value::text(segment(one.segment())),
            Value::money(one.unpaid_amount.as_slice()),
            Value::count(one.invoice_count),
            Value::count(one.oldest_days),
            Value::count(one.failed_attempt_count),
            Value::count(one.open_dispute_count),
            Value::points(one.score),
            Value::text(band_word(one.band())),
            Value::money(one.arr.as_slice()),
            Value::text(day_of_time(one.renewal_time)),
            Value::text(&one.csm_email),
        ]
    };
    Section::new(("unpaid", "Most unpaid money"), &columns, "Nothing is unpaid.")
        .with(report.unpaid_customers.iter().map(row))
}

fn bands(health: &proto::RevenueHealth) -> Section {
    let columns = [("BAND", "band"), (">CUSTOMERS", "customers"), (">ARR", "arr")];
    let row = |one: &proto::BandRevenue| {
        vec![Value::text(band_word(one.band())), Value::count(one.account_count), Value::money(&one.arr)]
    };
    Section::new(("bands", "Revenue by band"), &columns, "").with(health.bands.iter().map(row))
}

fn retention(health: &proto::RevenueHealth) -> Section {
    let columns = [
        (">CUSTOMERS", "customers"),
        (">ARR A YEAR AGO", "start_arr"),
        (">LEFT", "churned_arr"),
        (">LESS", "contraction_arr"),
        (">MORE", "expansion_arr"),
        (">GRR", "gross_retention"),
        (">NRR", "net_retention"),
    ];
    let row = |one: &proto::CurrencyRetention| {
        vec![
            Value::count(one.account_count),
            Value::money(one.start_arr.as_slice()),
            Value::money(one.churned_arr.as_slice()),
            Value::money(one.contraction_arr.as_slice()),
            Value::money(one.expansion_arr.as_slice()),
            Value::share(Some(one.gross_retention)),
            Value::share(Some(one.net_retention)),
        ]
    };
    let currencies = health.retention.iter().flat_map(|retention| &retention.currencies);
    Section::new(("retention", "Revenue that stayed for a year"), &columns, "Nothing is known of a year ago.")
        .with(currencies.map(row))
}

fn renewals(health: &proto::RevenueHealth) -> Section {
    let columns = [
        (">RENEWED", "renewed"),
        (">LEFT", "churned"),
        (">UNDECIDED", "undecided"),
        (">RATE", "rate"),
        (">FROM", "rate_low"),
        (">TO", "rate_high"),
    ];
    let row = |one: &proto::RenewalRate| {
        vec![
            Value::count(one.renewed_count),
            Value::count(one.churned_count),
            Value::count(one.undecided_count),
            Value::share(one.rate),
            Value::share(one.rate_low),
            Value::share(one.rate_high),
        ]
    };
    Section::new(("renewals", "Renewals of a year, with the 95 % interval"), &columns, "")
        .with(health.renewal_rate.iter().map(row))
}

fn churn(health: &proto::RevenueHealth) -> Section {
    let columns = [
        (">DAYS", "days"),
        ("MODEL", "forecast_model"),
        (">CUSTOMERS", "customers"),
        (">LEAVE", "expected_churned"),
        (">FROM", "churned_low"),
        (">TO", "churned_high"),
        (">ARR LOST", "expected_loss"),
        (">WITHOUT FORECAST", "customers_unforecast"),
    ];
    let row = |one: &proto::PortfolioForecast| {
        let total = one.total.clone().unwrap_or_default();
        let losses: Vec<_> = total.revenues.iter().filter_map(|revenue| revenue.expected_loss.clone()).collect();
        vec![
            Value::count(one.day_count),
            Value::text(id_of(&one.forecast_model)),
            Value::count(total.account_count),
            Value::points(Some(total.expected_churned_count)),
            Value::count(total.churned_count_low),
            Value::count(total.churned_count_high),
            Value::money(&losses),
            Value::count(one.unforecast_account_count),
        ]
    };
    let nothing = "There is no forecast model yet: mainstay forecast train.";
    Section::new(("churn", "What can be expected to be lost"), &columns, nothing)
        .with(health.expected_churn.iter().map(row))
}

/// The target of a metric, with which side of it is the better one.
pub(crate) fn target_value(metric: proto::RetentionMetric, target: Option<f64>, lower_is_better: bool) -> Value {
    let mut value = measured(metric, target);
    if target.is_some() {
        value.put_before(if lower_is_better { "≤ " } else { "≥ " });
    }
    value
}

fn measured(metric: proto::RetentionMetric, value: Option<f64>) -> Value {
    if metric == proto::RetentionMetric::TimeToValueDays { Value::points(value) } else { Value::share(value) }
}

/// Where a target comes from, in a word.
pub(crate) fn origin_word(origin: proto::TargetOrigin) -> String {
    match origin {
        proto::TargetOrigin::Unspecified => String::new(),
        told => enum_word(told.as_str_name(), "TARGET_ORIGIN_"),
    }
}

fn goals(report: &proto::RevenueReport) -> Section {
    let columns = [
        ("METRIC", "metric"),
        ("CURRENCY", "currency"),
        (">VALUE", "value"),
        (">TARGET", "target"),
        ("STATE", "state"),
        (">COUNTED", "counted"),
        ("ORIGIN", "target_origin"),
        ("TEAMS", "teams"),
    ];
    let row = |one: &proto::RetentionGoal| {
        vec![
            Value::text(enum_word(one.metric().as_str_name(), "RETENTION_METRIC_")),
            Value::text(&one.currency_code),
            measured(one.metric(), one.value),
            target_value(one.metric(), one.target, one.lower_is_better),
            Value::text(enum_word(one.state().as_str_name(), "GOAL_STATE_")),
            Value::count(one.counted),
            Value::text(origin_word(one.target_origin())),
            Value::text(one.teams.join(" ")),
        ]
    };
    Section::new(("goals", "Shared goals"), &columns, "").with(report.goals.iter().map(row))
}

#[cfg(test)]
mod tests {
    use mainstay_api::mainstay::common::v1::Money;

    use super::*;
    use crate::command::report_sections::assert_asked_for_by;
    use crate::command::reports::{CustomersArguments, PeriodWord, RevenueSection};

    fn asked() -> RevenueArguments {
        let customers = CustomersArguments { segment: Vec::new(), owner: String::new() };
        RevenueArguments { period: PeriodWord::Week, customers, size: 10, target: Vec::new(), csv: None }
    }

    fn lines(report: &proto::RevenueReport, name: &str) -> Vec<String> {
        let sections = revenue_sections(report, &asked());
        sections.iter().find(|section| section.name == name).expect("the section").csv_lines()
    }

    #[test]
    fn every_section_can_be_asked_for_and_no_other() {
        assert_asked_for_by::<RevenueSection>(&revenue_sections(&proto::RevenueReport::default(), &asked()));
    }

    #[test]
    fn currencies_stand_beside_one_another_and_ages_beside_those_of_before() {
        let money = |code: &str, minor_units| Money { currency_code: code.to_owned(), minor_units };
        let age = |days_min, days_max, invoice_count| proto::UnpaidByAge {
            days_min,
            days_max,
            invoice_count,
            account_count: 1,
            amounts: vec![money("EUR", 100 * invoice_count), money("JPY", invoice_count)],
        };
        let status = |count| proto::PaymentStatus {
            ages: vec![age(0, Some(7), count), age(61, None, count + 1)],
            ..Default::default()
        };
        let goal = proto::RetentionGoal {
            metric: proto::RetentionMetric::GrossRetention.into(),
            currency_code: "EUR".to_owned(),
            value: Some(0.8496),
            target: Some(0.85),
            state: proto::GoalState::Missed.into(),
            target_origin: proto::TargetOrigin::Shared.into(),
            teams: vec!["sales".to_owned(), "support".to_owned()],
            counted: 3,
            ..Default::default()
        };
        let report = proto::RevenueReport {
            payment_status: Some(status(2)),
            payment_status_before: Some(status(4)),
            goals: vec![goal],
            ..Default::default()
        };
        let expected = [
            "days,invoices,customers,unpaid,invoices_before,unpaid_before",
            "0-7,2,1,2.00 EUR; 2 JPY,4,4.00 EUR; 4 JPY",
            "61+,3,1,3.00 EUR; 3 JPY,5,5.00 EUR; 5 JPY",
        ];
        assert_eq!(lines(&report, "ages"), expected);
        assert_eq!(lines(&report, "goals")[1], "gross retention,EUR,0.8496,0.85,missed,3,shared,sales support");
    }
}
