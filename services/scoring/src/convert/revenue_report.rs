//! The report of payments and revenue.

use mainstay_api::mainstay::common::v1::Money;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_domain::{MoneySums, Points, Violations, Z_95};
use mainstay_service::wire::{money_message, timestamp};

use super::account::{segment_message, segments};
use super::health::band_message;
use super::report::{list_size, owner_email, period};
use super::{forecast, renewal, shared_target};
use crate::domain::customer_filter::CustomerFilter;
use crate::domain::health_report::ReportPeriod;
use crate::domain::revenue_report::{
    AGES_DAYS_MIN, BillingCount, BillingFlowKind, PaymentStatus, RenewalCounts, RevenueQuery, RevenueReport,
    UnpaidByAge, UnpaidCustomer,
};

const LIST_SIZE: i32 = 10;

/// Which report; notes all that is wrong with the request.
pub(crate) fn query(found: &mut Violations, given: proto::GetRevenueReportRequest) -> RevenueQuery {
    RevenueQuery {
        period: period(found, given.period, ReportPeriod::Week),
        customers: CustomerFilter {
            segments: segments(found, "segments", &given.segments),
            owner_email: owner_email(found, given.owner_email),
        },
        list_size: list_size(found, given.list_size, LIST_SIZE).into(),
        asked_targets: shared_target::asked(found, &given.targets),
    }
}

const fn flow_message(kind: BillingFlowKind) -> proto::BillingFlowKind {
    match kind {
        BillingFlowKind::InvoiceFailed => proto::BillingFlowKind::InvoiceFailed,
        BillingFlowKind::InvoiceOverdue => proto::BillingFlowKind::InvoiceOverdue,
        BillingFlowKind::InvoiceRecovered => proto::BillingFlowKind::InvoiceRecovered,
        BillingFlowKind::InvoiceVoided => proto::BillingFlowKind::InvoiceVoided,
        BillingFlowKind::Refund => proto::BillingFlowKind::Refund,
        BillingFlowKind::CreditNote => proto::BillingFlowKind::CreditNote,
        BillingFlowKind::DisputeOpened => proto::BillingFlowKind::DisputeOpened,
        BillingFlowKind::DisputeClosed => proto::BillingFlowKind::DisputeClosed,
    }
}

fn money(sums: &MoneySums) -> Vec<Money> {
    sums.iter().map(money_message).collect()
}

/// The report as messages have it.
pub(crate) fn message(report: &RevenueReport) -> proto::RevenueReport {
    let flow = |(kind, one): (&BillingFlowKind, &BillingCount)| proto::BillingFlow {
        kind: flow_message(*kind).into(),
        count: one.count,
        account_count: one.account_count,
        amounts: money(&one.amounts),
    };
    proto::RevenueReport {
        as_of_time: Some(timestamp(report.as_of)),
        start_time: Some(timestamp(report.start)),
        account_count: report.sums.account_count,
        payment_status: Some(status(&report.status)),
        payment_status_before: Some(status(&report.status_before)),
        flows: report.flows.iter().map(flow).collect(),
        unpaid_customers: report.unpaid_customers.iter().map(customer).collect(),
        revenue_health: Some(revenue_health(report)),
        goals: report.goals.iter().map(shared_target::goal).collect(),
        oldest_score_day: report.sums.oldest_day.map(|day| day.to_string()).unwrap_or_default(),
    }
}

fn status(status: &PaymentStatus) -> proto::PaymentStatus {
    let age = |(place, one): (usize, &UnpaidByAge)| proto::UnpaidByAge {
        days_min: AGES_DAYS_MIN[place],
        days_max: AGES_DAYS_MIN.get(place + 1).map(|next| next - 1),
        invoice_count: one.invoice_count,
        account_count: one.account_count,
        amounts: money(&one.amounts),
    };
    proto::PaymentStatus {
        ages: status.ages.iter().enumerate().map(age).collect(),
        unpaid_invoice_count: status.unpaid.invoice_count,
        unpaid_account_count: status.unpaid.account_count,
        unpaid_amounts: money(&status.unpaid.amounts),
        unpriced_invoice_count: status.unpriced_invoice_count,
        open_dispute_count: status.disputes.count,
        disputed_amounts: money(&status.disputes.amounts),
        at_risk_account_count: status.at_risk_account_count,
        at_risk_arr: money(&status.at_risk_arr),
    }
}

fn customer(one: &UnpaidCustomer) -> proto::UnpaidCustomer {
    proto::UnpaidCustomer {
        account: one.account.name(),
        display_name: one.display_name.clone(),
        segment: segment_message(one.segment).into(),
        csm_email: one.csm_email.clone().unwrap_or_default(),
        unpaid_amount: one.unpaid.map(money_message),
        invoice_count: one.invoice_count,
        oldest_days: one.oldest_days,
        failed_attempt_count: one.failed_attempt_count,
        open_dispute_count: one.open_dispute_count,
        arr: one.arr.map(money_message),
        renewal_time: one.renewal_at.map(timestamp),
        score: one.score.map(Points::as_f64),
        band: band_message(one.band).into(),
    }
}

fn revenue_health(report: &RevenueReport) -> proto::RevenueHealth {
    let bands = report.sums.bands.iter().map(|(band, one)| proto::BandRevenue {
        band: band_message(*band).into(),
        account_count: one.account_count,
        arr: money(&one.arr),
    });
    let churn = report.expected_churn.as_ref();
    proto::RevenueHealth {
        bands: bands.collect(),
        retention: Some(renewal::retention(&report.retention, report.year, report.as_of)),
        renewal_rate: Some(renewal_rate(&report.renewals)),
        expected_churn: churn.map(|one| forecast::portfolio(&one.model, one.days, &one.forecast, report.as_of)),
    }
}

fn renewal_rate(counts: &RenewalCounts) -> proto::RenewalRate {
    let interval = counts.renewed.wilson(Z_95);
    proto::RenewalRate {
        renewed_count: counts.renewed.count,
        churned_count: counts.renewed.total - counts.renewed.count,
        undecided_count: counts.undecided,
        rate: counts.renewed.share(),
        rate_low: interval.map(|interval| interval.low),
        rate_high: interval.map(|interval| interval.high),
    }
}
