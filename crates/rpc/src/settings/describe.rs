//! Settings as text for people.

use std::collections::BTreeSet;

use super::reader::Asked;
use super::source::Origin;

/// How like a known key must be to be suggested, from 0 to 1 (Jaro–Winkler).
const LIKENESS_MIN: f64 = 0.8;

pub(super) fn described(asked: &[Asked]) -> String {
    let mut sorted: Vec<&Asked> = asked.iter().collect();
    sorted.sort_by(|left, right| left.key.cmp(&right.key));
    sorted
        .into_iter()
        .map(|Asked { key, doc, shown, origin }| match shown {
            Some(value) => format!("{key} = {value}\n    {doc} ({origin})\n"),
            None => format!("{key} is not set\n    {doc}\n"),
        })
        .collect()
}

pub(super) fn unknown_key(key: &str, origin: &Origin, known: &BTreeSet<&str>) -> String {
    let nearest = known
        .iter()
        .map(|candidate| (strsim::jaro_winkler(key, candidate), candidate))
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN);
    match nearest {
        Some((_, candidate)) => format!("{key} ({origin}) is not a setting; did you mean {candidate}?"),
        None => format!("{key} ({origin}) is not a setting"),
    }
}
