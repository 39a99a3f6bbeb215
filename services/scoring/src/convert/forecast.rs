//! Forecasts and their models.

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_domain::{AccountId, Violations};

use super::account::segment_message;
use crate::app::get_forecast_model::ForecastModelName;
use crate::domain::Segment;
use crate::domain::forecast::{
    Accuracy, ChurnForecast, CustomerDay, ForecastGroup, ForecastInput, ForecastModel, HORIZON_DAYS_DEFAULT,
    HORIZON_DAYS_MAX, HORIZON_DAYS_MIN, InputKind, PortfolioForecast, ReliabilityPart, RowCounts,
};
use mainstay_service::wire::{money_message, timestamp};

const COLLECTION: &str = "forecastModels/";
const NEWEST: &str = "newest";

/// The name of the model of a number.
pub(crate) fn model_name(number: i64) -> String {
    format!("{COLLECTION}{number}")
}

/// Which model a name says.
pub(crate) fn parse_name(found: &mut Violations, field: &str, name: &str) -> Option<ForecastModelName> {
    let id = name.strip_prefix(COLLECTION);
    if id == Some(NEWEST) {
        return Some(ForecastModelName::Newest);
    }
    let number = id.and_then(|id| id.parse::<i64>().ok()).filter(|number| *number > 0 && model_name(*number) == name);
    if number.is_none() {
        found.add(field, format!("must be `{COLLECTION}{{number}}` or `{COLLECTION}{NEWEST}`"));
    }
    number.map(ForecastModelName::Number)
}

/// The same, where an empty name is the newest.
pub(crate) fn parse_name_or_newest(found: &mut Violations, field: &str, name: &str) -> Option<ForecastModelName> {
    if name.is_empty() { Some(ForecastModelName::Newest) } else { parse_name(found, field, name) }
}

/// Within how many days a customer must have left.
pub(crate) fn horizon_days(found: &mut Violations, field: &str, given: i32) -> u32 {
    match u32::try_from(given) {
        Ok(0) => HORIZON_DAYS_DEFAULT,
        Ok(days) if (HORIZON_DAYS_MIN..=HORIZON_DAYS_MAX).contains(&days) => days,
        _ => {
            found.add(
                field,
                format!("must be {HORIZON_DAYS_MIN} to {HORIZON_DAYS_MAX}, or 0 for {HORIZON_DAYS_DEFAULT}"),
            );
            HORIZON_DAYS_DEFAULT
        }
    }
}

/// Within how many days customers leave; none is the model's horizon.
pub(crate) fn day_count(found: &mut Violations, field: &str, given: i32) -> Option<u32> {
    let days = u32::try_from(given).ok().filter(|days| *days <= HORIZON_DAYS_MAX);
    if days.is_none() {
        found.add(field, format!("must be 1 to {HORIZON_DAYS_MAX}, or 0 for the model's horizon"));
    }
    days.filter(|days| *days > 0)
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn days_number(days: u32) -> i32 {
    i32::try_from(days).unwrap_or(i32::MAX)
}

/// A model as messages have it.
pub(crate) fn model(model: &ForecastModel) -> proto::ForecastModel {
    let definition = &model.definition;
    proto::ForecastModel {
        name: model_name(model.number),
        create_time: Some(timestamp(model.created_at)),
        health_model: model.health_model.name(),
        horizon_days: days_number(definition.horizon_days),
        intercept: definition.intercept,
        inputs: definition.inputs.iter().map(input).collect(),
        unused_inputs: definition.unused_inputs.iter().map(|kind| kind.id().to_owned()).collect(),
        training: Some(rows(&definition.training)),
        accuracy: Some(accuracy(&definition.accuracy)),
        creator: model.creator.clone(),
    }
}

fn input(input: &ForecastInput) -> proto::ForecastInput {
    proto::ForecastInput {
        id: input.kind.id().to_owned(),
        per_unit: input.per_unit,
        per_deviation: input.per_deviation,
        mean: input.mean,
        deviation: input.deviation,
        substitute: input.substitute,
        missing_share: input.missing_share,
    }
}

fn rows(counts: &RowCounts) -> proto::ForecastRows {
    let month = |day: NaiveDate| day.format("%Y-%m").to_string();
    proto::ForecastRows {
        first_month: month(counts.first_month),
        last_month: month(counts.last_month),
        row_count: number(counts.rows),
        churned_row_count: number(counts.churned_rows),
        churned_account_count: number(counts.churned_accounts),
    }
}

fn accuracy(accuracy: &Accuracy) -> proto::ForecastAccuracy {
    let part = |part: &ReliabilityPart| proto::ReliabilityPart {
        mean_probability: part.mean_probability,
        row_count: part.rows,
        churned_row_count: part.churned_rows,
        low: part.low,
        high: part.high,
    };
    proto::ForecastAccuracy {
        learnt_from: Some(rows(&accuracy.learnt_from)),
        judged_on: Some(rows(&accuracy.judged_on)),
        auc: accuracy.auc,
        auc_low: accuracy.auc_low,
        auc_high: accuracy.auc_high,
        brier: accuracy.brier,
        brier_of_base_rate: accuracy.brier_of_base_rate,
        reliability: accuracy.reliability.iter().map(part).collect(),
    }
}

/// An account's forecast as messages have it.
pub(crate) fn churn_forecast(
    account: &AccountId,
    model: &ForecastModel,
    today: &CustomerDay,
    forecast: &ChurnForecast,
) -> proto::ChurnForecast {
    let reason = |(kind, value, log_odds): &(InputKind, Option<f64>, f64)| proto::ForecastReason {
        input: kind.id().to_owned(),
        value: *value,
        log_odds: *log_odds,
    };
    proto::ChurnForecast {
        account: account.name(),
        probability: forecast.probability,
        horizon_days: days_number(model.definition.horizon_days),
        reasons: forecast.reasons.iter().map(reason).collect(),
        forecast_model: model_name(model.number),
        day: today.day.to_string(),
    }
}

/// The portfolio's forecast as messages have it.
pub(crate) fn portfolio(
    model: &ForecastModel,
    days: u32,
    forecast: &PortfolioForecast,
    as_of: DateTime<Utc>,
) -> proto::PortfolioForecast {
    proto::PortfolioForecast {
        day_count: days_number(days),
        forecast_model: model_name(model.number),
        total: Some(group(Segment::Unknown, &forecast.total)),
        segments: forecast.segments.iter().map(|(segment, members)| group(*segment, members)).collect(),
        unforecast_account_count: number(forecast.unforecast),
        as_of_time: Some(timestamp(as_of)),
    }
}

fn group(segment: Segment, group: &ForecastGroup) -> proto::ForecastGroup {
    let revenues = group.revenues.iter().map(|revenue| proto::RevenueAtRisk {
        arr: Some(money_message(revenue.arr)),
        expected_loss: Some(money_message(revenue.expected_loss)),
        low: Some(money_message(revenue.low)),
        high: Some(money_message(revenue.high)),
    });
    proto::ForecastGroup {
        segment: segment_message(segment).into(),
        account_count: number(group.accounts),
        expected_churned_count: group.expected,
        churned_count_low: number(group.low),
        churned_count_high: number(group.high),
        revenues: revenues.collect(),
    }
}
