//! Which fields an update changes.

use std::collections::BTreeSet;

use mainstay_domain::Violations;
use prost_types::FieldMask;

/// The paths that `mask` names. `*` means all of `known`; no mask or an empty
/// one means `set_fields`, those that the message has set. Unknown paths are
/// faults of `update_mask`, all of them.
pub fn resolve(
    mask: Option<&FieldMask>,
    known: &[&'static str],
    set_fields: impl Fn() -> Vec<&'static str>,
) -> Result<BTreeSet<&'static str>, Violations> {
    let _ = (mask, known, set_fields);
    todo!()
}
