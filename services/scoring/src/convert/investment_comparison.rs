//! Comparisons of what money is worth that keeps customers, and that wins new ones.

use std::collections::BTreeSet;

use mainstay_api::mainstay::common::v1 as common;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_domain::{Currency, Money, Violations};
use mainstay_service::wire::{money, money_message, timestamp};

use super::cohort::{lifetime_months, number};
use super::forecast::model_name;
use crate::app::compare_investments::ComparedInvestments;
use crate::domain::investment::{
    GrowthProject, InvestmentQuery, InvestmentReturn, PROJECTS_MAX, ProjectComparison, RequiredShare,
    RetentionInvestment,
};

const DISPLAY_NAME_LENGTH_MAX: usize = 100;
/// Ten trillion of a currency with cents: sums over years stay within range.
const AMOUNT_MAX: i64 = 1_000_000_000_000_000;

/// What is asked for; none where something is wrong with it.
pub(crate) fn query(found: &mut Violations, given: &proto::CompareInvestmentsRequest) -> Option<InvestmentQuery> {
    let retention_cost = amount(found, "retention_cost", given.retention_cost.as_ref(), 1);
    let is_share = |share: f64| share > 0.0 && share <= 1.0;
    for (field, share) in [("prevented_share", given.prevented_share), ("gross_margin", given.gross_margin)] {
        found.require(share.is_none_or(is_share), field, "must be above 0, at most 1");
    }
    let months = lifetime_months(found, "month_count", given.month_count);
    found.require(
        given.growth_projects.len() <= PROJECTS_MAX,
        "growth_projects",
        format!("must be at most {PROJECTS_MAX}"),
    );
    let currency = retention_cost.map(|cost| cost.currency);
    let mut names = BTreeSet::new();
    let mut projects = Vec::new();
    for (index, project) in given.growth_projects.iter().take(PROJECTS_MAX).enumerate() {
        let field = format!("growth_projects[{index}]");
        let is_new = names.insert(project.display_name.as_str());
        found.require(is_new, format!("{field}.display_name"), "is that of a project before it");
        projects.extend(growth_project(found, &field, project, currency));
    }
    Some(InvestmentQuery {
        retention_cost: retention_cost?,
        prevented_share: given.prevented_share,
        projects,
        gross_margin: given.gross_margin.unwrap_or(1.0),
        months,
    })
}

fn growth_project(
    found: &mut Violations,
    field: &str,
    given: &proto::GrowthProject,
    currency: Option<Currency>,
) -> Option<GrowthProject> {
    let name_field = format!("{field}.display_name");
    found.require(!given.display_name.is_empty(), &name_field, "is required");
    found.check_text(&name_field, &given.display_name, DISPLAY_NAME_LENGTH_MAX);
    let mut of_currency = |name: &str, given: Option<&common::Money>, least: i64| {
        let field = format!("{field}.{name}");
        let amount = amount(found, &field, given, least)?;
        if let Some(currency) = currency.filter(|currency| *currency != amount.currency) {
            found.add(format!("{field}.currency_code"), format!("must be {currency}, as of retention_cost"));
        }
        Some(amount)
    };
    let cost = of_currency("cost", given.cost.as_ref(), 1);
    let annual_revenue = of_currency("annual_revenue", given.annual_revenue.as_ref(), 0);
    let probability = given.probability.unwrap_or(1.0);
    found.require((0.0..=1.0).contains(&probability), format!("{field}.probability"), "must be 0 to 1");
    let (cost, annual_revenue) = cost.zip(annual_revenue)?;
    Some(GrowthProject { display_name: given.display_name.clone(), cost, annual_revenue, probability })
}

/// A required amount, of so many minor units at least.
fn amount(found: &mut Violations, field: &str, given: Option<&common::Money>, least: i64) -> Option<Money> {
    found.require(given.is_some(), field, "is required");
    let amount = money(found, field, given)?;
    let is_within = (least..=AMOUNT_MAX).contains(&amount.minor_units);
    found.require(is_within, format!("{field}.minor_units"), format!("must be {least} to {AMOUNT_MAX}"));
    Some(amount)
}

/// Both sides as messages have them.
pub(crate) fn comparison(query: &InvestmentQuery, compared: &ComparedInvestments) -> proto::InvestmentComparison {
    let comparison = &compared.comparison;
    proto::InvestmentComparison {
        retention: Some(retention(query.retention_cost, &comparison.retention)),
        growth_projects: comparison.projects.iter().map(project).collect(),
        month_limit: comparison.month_limit,
        new_customer_months: comparison.new_customer_months,
        gross_margin: query.gross_margin,
        forecast_model: model_name(compared.model.number),
        unforecast_account_count: number(compared.unforecast),
        other_currency_account_count: number(compared.other_currency),
        as_of_time: Some(timestamp(compared.as_of)),
    }
}

fn retention(cost: Money, retention: &RetentionInvestment) -> proto::RetentionInvestment {
    let [expected_loss, expected_loss_low, expected_loss_high] =
        retention.expected_loss.map(|amount| Some(money_message(amount)));
    let [value_at_stake, value_at_stake_low, value_at_stake_high] =
        retention.value_at_stake.map(|amount| Some(money_message(amount)));
    proto::RetentionInvestment {
        cost: Some(money_message(cost)),
        arr: Some(money_message(retention.arr)),
        expected_loss,
        expected_loss_low,
        expected_loss_high,
        kept_customer_months: retention.kept_customer_months,
        value_at_stake,
        value_at_stake_low,
        value_at_stake_high,
        break_even: retention.break_even.map(required_share),
        expected_return: retention.expected_return.map(investment_return),
    }
}

fn project(compared: &ProjectComparison) -> proto::GrowthProjectComparison {
    proto::GrowthProjectComparison {
        display_name: compared.project.display_name.clone(),
        cost: Some(money_message(compared.project.cost)),
        expected_return: Some(investment_return(compared.expected_return)),
        equal_return: compared.equal_return.map(required_share),
    }
}

fn investment_return(given: InvestmentReturn) -> proto::InvestmentReturn {
    proto::InvestmentReturn {
        value: Some(money_message(given.value)),
        net_value: Some(money_message(given.net_value)),
        ratio: given.ratio,
    }
}

const fn required_share(given: RequiredShare) -> proto::RequiredShare {
    proto::RequiredShare { share: given.share, low: given.low, high: given.high }
}
