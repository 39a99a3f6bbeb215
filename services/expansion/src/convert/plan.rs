//! Plans and what compares them.

use chrono::{DateTime, Utc};
use mainstay_api::mainstay::expansion::v1 as proto;
use mainstay_domain::{AccountId, Violations};
use mainstay_service::wire::{money, money_message, timestamp};

use crate::domain::{Plan, PlanComparison, PlanDraft, PlanId, PlanLimit, Price, PriceBasis, PricePeriod};

/// A plan as messages have it.
pub(crate) fn message(plan: &Plan) -> proto::Plan {
    let draft = &plan.draft;
    let limit = |limit: &PlanLimit| proto::PlanLimit { metric: limit.metric.clone(), limit: limit.limit };
    proto::Plan {
        name: plan.name().name(),
        version: plan.version,
        display_name: draft.display_name.clone(),
        description: draft.description.clone(),
        limits: draft.limits.iter().map(limit).collect(),
        included_seats: draft.included_seats,
        features: draft.features.clone(),
        prices: draft.prices.iter().map(price_message).collect(),
        upgrade_plan: draft.upgrade.as_ref().map(PlanId::name).unwrap_or_default(),
        create_time: Some(timestamp(plan.created_at)),
        publish_time: plan.published_at.map(timestamp),
        in_force: plan.in_force,
    }
}

fn price_message(price: &Price) -> proto::Price {
    let basis = match price.basis {
        PriceBasis::Flat => proto::PriceBasis::Flat,
        PriceBasis::PerSeat => proto::PriceBasis::PerSeat,
    };
    let amount = Some(money_message(price.amount));
    proto::Price { period: period_message(price.period).into(), basis: basis.into(), amount }
}

fn period_message(period: PricePeriod) -> proto::PricePeriod {
    match period {
        PricePeriod::Month => proto::PricePeriod::Month,
        PricePeriod::Year => proto::PricePeriod::Year,
    }
}

/// A new version of a plan.
pub(crate) fn new_plan(found: &mut Violations, id: &str, plan: Option<proto::Plan>) -> Option<PlanDraft> {
    let id = found.take("plan_id", PlanId::parse(id));
    let Some(plan) = plan else {
        found.add("plan", "is required");
        return None;
    };
    let upgrade = optional_plan(found, "plan.upgrade_plan", &plan.upgrade_plan);
    let mut prices = Vec::new();
    for (index, message) in plan.prices.iter().enumerate() {
        prices.extend(price(found, &format!("plan.prices[{index}]"), message));
    }
    let limit = |limit: proto::PlanLimit| PlanLimit { metric: limit.metric, limit: limit.limit };
    let draft = PlanDraft {
        id: id?,
        display_name: plan.display_name,
        description: plan.description,
        limits: plan.limits.into_iter().map(limit).collect(),
        included_seats: plan.included_seats,
        features: plan.features,
        prices,
        upgrade,
    };
    match draft.checked() {
        Ok(draft) => Some(draft),
        Err(faults) => {
            found.absorb("plan", faults);
            None
        }
    }
}

/// `plans/{plan}`; empty is none.
pub(crate) fn optional_plan(found: &mut Violations, field: &str, name: &str) -> Option<PlanId> {
    (!name.is_empty()).then(|| found.take(field, PlanId::parse_name(name))).flatten()
}

fn price(found: &mut Violations, field: &str, message: &proto::Price) -> Option<Price> {
    let period = match message.period() {
        proto::PricePeriod::Month => Some(PricePeriod::Month),
        proto::PricePeriod::Year => Some(PricePeriod::Year),
        proto::PricePeriod::Unspecified => None,
    };
    let basis = match message.basis() {
        proto::PriceBasis::Flat => Some(PriceBasis::Flat),
        proto::PriceBasis::PerSeat => Some(PriceBasis::PerSeat),
        proto::PriceBasis::Unspecified => None,
    };
    found.require(period.is_some(), format!("{field}.period"), "is required");
    found.require(basis.is_some(), format!("{field}.basis"), "is required");
    found.require(message.amount.is_some(), format!("{field}.amount"), "is required");
    let amount = money(found, &format!("{field}.amount"), message.amount.as_ref());
    Some(Price { period: period?, basis: basis?, amount: amount? })
}

/// A comparison as messages have it.
pub(crate) fn comparison(account: &AccountId, compared: &PlanComparison, now: DateTime<Utc>) -> proto::PlanComparison {
    let month = compared.last_month.as_ref().map(|month| month.month.to_string()).unwrap_or_default();
    let prices = compared.prices.iter().map(|price| proto::PriceComparison {
        period: period_message(price.period).into(),
        from_amount: Some(money_message(price.from)),
        to_amount: Some(money_message(price.to)),
        difference: Some(money_message(price.difference)),
    });
    let limits = compared.limits.iter().map(|limit| proto::LimitComparison {
        metric: limit.metric.clone(),
        from_limit: limit.from,
        to_limit: limit.to,
        used: limit.used,
        month: if limit.used.is_some() { month.clone() } else { String::new() },
    });
    proto::PlanComparison {
        account: account.name(),
        from_plan: Some(message(&compared.from)),
        to_plan: Some(message(&compared.to)),
        seats: compared.seats,
        prices: prices.collect(),
        limits: limits.collect(),
        added_features: compared.added_features.clone(),
        removed_features: compared.removed_features.clone(),
        as_of_time: Some(timestamp(now)),
    }
}
