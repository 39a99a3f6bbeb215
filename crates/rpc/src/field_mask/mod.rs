//! Which fields an update changes.

use std::collections::BTreeSet;

use mainstay_domain::Violations;
use prost_types::FieldMask;

const FIELD: &str = "update_mask";

/// The paths that `mask` names. `*`, which stands alone, means all of `known`; no
/// mask or an empty one means `set_fields`, those that the message has set. Unknown paths are
/// faults of `update_mask`, each of them.
pub fn resolve(
    mask: Option<&FieldMask>,
    known: &[&'static str],
    set_fields: impl Fn() -> Vec<&'static str>,
) -> Result<BTreeSet<&'static str>, Violations> {
    let paths = mask.map_or(&[][..], |mask| &mask.paths);
    match paths {
        [] => return Ok(set_fields().into_iter().collect()),
        [all] if all == "*" => return Ok(known.iter().copied().collect()),
        _ => {}
    }
    let mut violations = Violations::new();
    let mut fields = BTreeSet::new();
    for path in paths {
        match known.iter().find(|field| *field == path) {
            Some(field) => {
                fields.insert(*field);
            }
            None if path == "*" => violations.add(FIELD, "`*` means all fields and must stand alone"),
            None => {
                let shown: String = path.chars().take(80).collect();
                violations.add(FIELD, format!("`{shown}` cannot be updated; the fields are {}", known.join(", ")));
            }
        }
    }
    violations.into_result(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["display_name", "arr", "renewal_date"];

    fn resolved(paths: &[&str]) -> Result<Vec<&'static str>, Vec<String>> {
        let mask = FieldMask { paths: paths.iter().map(ToString::to_string).collect() };
        resolve(Some(&mask), KNOWN, || vec!["arr"])
            .map(|fields| fields.into_iter().collect())
            .map_err(|violations| violations.into_iter().map(|violation| violation.description).collect())
    }

    #[test]
    fn named_fields_are_those_of_the_mask() {
        assert_eq!(
            resolved(&["renewal_date", "display_name", "renewal_date"]),
            Ok(vec!["display_name", "renewal_date"])
        );
        assert_eq!(resolved(&["*"]), Ok(vec!["arr", "display_name", "renewal_date"]));
    }

    #[test]
    fn no_mask_means_the_fields_that_are_set() {
        assert_eq!(resolved(&[]), Ok(vec!["arr"]));
        assert_eq!(resolve(None, KNOWN, || vec!["arr"]), Ok(BTreeSet::from(["arr"])));
    }

    #[test]
    fn all_unknown_paths_are_named() {
        let faults = resolved(&["arr", "Arr", "name", "*", ""]).expect_err("unknown paths");
        assert_eq!(faults.len(), 4);
        assert_eq!(faults[0], "`Arr` cannot be updated; the fields are display_name, arr, renewal_date");
        assert_eq!(faults[2], "`*` means all fields and must stand alone");
    }
}
