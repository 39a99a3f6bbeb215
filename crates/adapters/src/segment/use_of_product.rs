//! What users do.

use mainstay_api::mainstay::scoring::v1::signal::Payload;
use mainstay_api::mainstay::scoring::v1::{FeatureUse, UsageCount, UserActivity};
use mainstay_domain::Violations;
use serde_json::Value;

use super::call::Call;
use crate::mapped::Outcome;
use crate::read::fault;
use crate::text::{filled, key};

/// Most that one signal counts.
const QUANTITY_MAX: i64 = 1_000_000_000_000;
/// Most uses of a feature that one signal counts.
const FEATURE_COUNT_MAX: i64 = 1_000_000_000;

/// Something was tracked.
pub(super) fn tracked(call: &Call) -> Result<Outcome, Violations> {
    let event = filled(call.sent.event.as_deref()).ok_or_else(|| fault("event", "is missing"))?;
    let property = |name: &str| call.sent.properties.as_ref().and_then(|properties| properties.get(name));
    let count = property("quantity").filter(|quantity| !quantity.is_null());
    let feature = property("feature").and_then(Value::as_str).and_then(|feature| filled(Some(feature)));
    if let Some(feature) = feature.or_else(|| event.strip_suffix(" Used").or_else(|| event.strip_suffix(" used"))) {
        let count = count.map(|count| whole("properties.quantity", count, FEATURE_COUNT_MAX)).transpose()?;
        return Ok(feature_used(call, feature, count.unwrap_or(1)));
    }
    // A value with a currency is money.
    let value = property("value").filter(|value| value.as_i64().is_some() && property("currency").is_none());
    match (count, value) {
        (Some(count), _) => Ok(counted(call, event, whole("properties.quantity", count, QUANTITY_MAX)?)),
        (None, Some(value)) => Ok(counted(call, event, whole("properties.value", value, QUANTITY_MAX)?)),
        (None, None) => Ok(active(call, event)),
    }
}

/// A page or screen was looked at.
pub(super) fn viewed(call: &Call) -> Outcome {
    active(call, &call.sent.kind)
}

fn whole(path: &str, value: &Value, most: i64) -> Result<i64, Violations> {
    let number = value.as_i64().filter(|number| (0..=most).contains(number));
    number.ok_or_else(|| fault(path, format!("must be a whole number from 0 to {most}, not {value}")))
}

fn nameless(name: &str) -> Outcome {
    Outcome::ignored(format!("no letter or digit of ASCII is in `{name}`, so that it names nothing here"))
}

fn feature_used(call: &Call, feature: &str, count: i64) -> Outcome {
    let Some(feature) = key(feature) else { return nameless(feature) };
    let user_id = call.user_id().unwrap_or_default();
    // Scoring reads 0 as 1.
    if count == 0 {
        return Outcome::ignored("the feature was used 0 times");
    }
    Outcome::signals(vec![call.told().signal(Payload::FeatureUse(FeatureUse { feature, user_id, count }))])
}

fn counted(call: &Call, event: &str, quantity: i64) -> Outcome {
    let Some(metric) = key(event) else { return nameless(event) };
    let action = metric.clone();
    let mut signals = vec![call.told().part("usage", Payload::Usage(UsageCount { metric, quantity }))];
    if let Some(user_id) = call.user_id() {
        signals.push(call.told().part("activity", Payload::Activity(UserActivity { user_id, action })));
    }
    Outcome::signals(signals)
}

fn active(call: &Call, name: &str) -> Outcome {
    let Some(action) = key(name) else { return nameless(name) };
    let Some(user_id) = call.user_id() else {
        return Outcome::ignored("nobody knows which user it was: the call has no userId");
    };
    Outcome::signals(vec![call.told().signal(Payload::Activity(UserActivity { user_id, action }))])
}
