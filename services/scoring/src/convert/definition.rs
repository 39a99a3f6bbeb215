//! What the services mean by a term.

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_domain::{ModelId, Violations, is_resource_id, start_of_day};
use mainstay_service::wire::timestamp;

use crate::domain::definitions::{Bound, Definition, DefinitionValue, Unit, registry_version};

const COLLECTION: &str = "definitions";

/// The name of a definition.
pub(crate) fn name(id: &str) -> String {
    format!("{COLLECTION}/{id}")
}

/// The id in `definitions/{definition}`.
pub(crate) fn parse_name(found: &mut Violations, field: &str, name: &str) -> Option<String> {
    let id = name.strip_prefix(COLLECTION).and_then(|rest| rest.strip_prefix('/')).filter(|id| is_resource_id(id));
    found.require(id.is_some(), field, format!("must be `{COLLECTION}/` followed by the id of a term"));
    id.map(str::to_owned)
}

const fn bound_message(bound: Bound) -> proto::DefinitionBound {
    match bound {
        Bound::Below => proto::DefinitionBound::Below,
        Bound::AtMost => proto::DefinitionBound::AtMost,
        Bound::AtLeast => proto::DefinitionBound::AtLeast,
        Bound::Above => proto::DefinitionBound::Above,
        Bound::Within => proto::DefinitionBound::Within,
    }
}

const fn unit_message(unit: Unit) -> proto::DefinitionUnit {
    match unit {
        Unit::Points => proto::DefinitionUnit::Points,
        Unit::Days => proto::DefinitionUnit::Days,
        Unit::Months => proto::DefinitionUnit::Months,
        Unit::Percent => proto::DefinitionUnit::Percent,
        Unit::Answer => proto::DefinitionUnit::Answer,
        Unit::Hours => proto::DefinitionUnit::Hours,
        Unit::Count => proto::DefinitionUnit::Count,
        Unit::Sentiment => proto::DefinitionUnit::Sentiment,
    }
}

/// A definition as messages have it.
pub(crate) fn message(definition: &Definition) -> proto::Definition {
    let value = |value: &DefinitionValue| proto::DefinitionValue {
        id: value.id.to_owned(),
        bound: bound_message(value.bound).into(),
        number: value.number,
        unit: unit_message(value.unit).into(),
    };
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    proto::Definition {
        name: name(definition.id),
        display_name: definition.display_name.to_owned(),
        sentence: definition.sentence.clone(),
        values: definition.values.iter().map(value).collect(),
        version: definition.version(),
        effective_time: Some(timestamp(start_of_day(definition.since))),
        model: definition.model.as_ref().map(ModelId::name).unwrap_or_default(),
        requirements: words(definition.requirements),
        services: words(definition.services),
    }
}

/// All definitions as messages have them.
pub(crate) fn list(definitions: &[Definition]) -> proto::ListDefinitionsResponse {
    proto::ListDefinitionsResponse {
        definitions: definitions.iter().map(message).collect(),
        version: registry_version(definitions),
    }
}
