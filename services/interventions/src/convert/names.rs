//! Names of resources.

use mainstay_domain::{Violations, is_email};
use uuid::Uuid;

/// The name of an alert.
pub(crate) fn alert(id: Uuid) -> String {
    format!("alerts/{id}")
}

/// The name of a case.
pub(crate) fn case(id: Uuid) -> String {
    format!("cases/{id}")
}

/// The name of a task.
pub(crate) fn task(id: Uuid) -> String {
    format!("tasks/{id}")
}

/// The name of a contact.
pub(crate) fn touch(id: Uuid) -> String {
    format!("touches/{id}")
}

/// The id in a name; notes what is no name of the collection.
pub(crate) fn id_of(found: &mut Violations, field: &str, collection: &str, name: &str) -> Option<Uuid> {
    let id = name
        .strip_prefix(collection)
        .and_then(|rest| rest.strip_prefix('/'))
        .and_then(|id| Uuid::parse_str(id).ok().filter(|uuid| uuid.to_string() == id));
    if id.is_none() {
        let shown: String = name.chars().take(80).collect();
        found.add(field, format!("must be `{collection}/` followed by a UUID, not `{shown}`"));
    }
    id
}

/// A mail address that must be given.
pub(crate) fn email(found: &mut Violations, field: &str, given: &str) {
    found.require(is_email(given), field, "must be a mail address such as `ada@example.com`, at most 254 characters");
}

/// A text that must be given, of at most so many characters.
pub(crate) fn required_text(found: &mut Violations, field: &str, text: &str, most: usize) {
    found.require(!text.trim().is_empty(), field, "is required");
    found.check_text(field, text, most);
}

/// What is not empty.
pub(crate) fn given(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        let id = Uuid::from_u128(7);
        let mut found = Violations::new();
        assert_eq!(id_of(&mut found, "name", "alerts", &alert(id)), Some(id));
        for bad in [
            "",
            "alerts",
            "alerts/",
            "cases/00000000-0000-0000-0000-000000000007",
            "alerts/7",
            "alerts/00000000000000000000000000000007",
        ] {
            assert_eq!(id_of(&mut found, "name", "alerts", bad), None, "{bad}");
        }
        assert_eq!(found.len(), 6);
    }
}
