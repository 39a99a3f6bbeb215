//! Whether the names in rows are those that fields are read from.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::import::mapping::Mapping;
use crate::import::row::{Header, Row};

/// How many names that no field uses are told.
const UNUSED_TOLD_MAX: usize = 20;

/// Looks at each new set of names: a CSV file has one, JSON lines may have one a row.
pub(crate) struct NameCheck<'m> {
    mapping: &'m Mapping,
    last: Option<Arc<Header>>,
    /// Why rows with the last set of names cannot be read.
    fault: Option<String>,
    unused: BTreeSet<String>,
    /// Mapped columns that some row had not, and those that no row had.
    missed: BTreeSet<&'m str>,
    never_there: BTreeSet<&'m str>,
}

impl<'m> NameCheck<'m> {
    /// A check before the first row.
    pub(crate) fn new(mapping: &'m Mapping) -> Self {
        let never_there = mapping.mapped_columns().collect();
        Self { mapping, last: None, fault: None, unused: BTreeSet::new(), missed: BTreeSet::new(), never_there }
    }

    /// Looks at a row's names and adds to `notes` what is to be told of them for the first time.
    ///
    /// # Errors
    /// Why the row cannot be read: it has a name twice.
    pub(crate) fn check(&mut self, row: &Row, notes: &mut Vec<String>) -> Result<(), String> {
        if !self.last.as_ref().is_some_and(|last| Arc::ptr_eq(last, &row.header)) {
            self.last = Some(row.header.clone());
            let repeated = row.header.repeated();
            self.fault = (!repeated.is_empty()).then(|| format!("has the column `{}` twice", repeated.join("`, `")));
            if self.fault.is_none() {
                self.note_unused(&row.header, notes);
                self.note_missed(row, notes);
            }
        }
        self.fault.clone().map_or(Ok(()), Err)
    }

    fn note_unused(&mut self, header: &Header, notes: &mut Vec<String>) {
        let room = UNUSED_TOLD_MAX - self.unused.len();
        let unused = self.mapping.unused(header);
        let new: Vec<&str> = unused.into_iter().filter(|name| !self.unused.contains(*name)).take(room).collect();
        if !new.is_empty() {
            notes.push(format!("Columns that are not used: {}", new.join(", ")));
            self.unused.extend(new.into_iter().map(str::to_owned));
        }
    }

    fn note_missed(&mut self, row: &Row, notes: &mut Vec<String>) {
        for column in self.mapping.mapped_columns() {
            if row.header.place(column).is_some() {
                self.never_there.remove(column);
            } else if self.missed.insert(column) {
                notes.push(format!("line {}: has no `{column}`, which --map names", row.line));
            }
        }
    }

    /// The mapped columns that no row had; none when there were no rows.
    pub(crate) fn never_there(self) -> Vec<&'m str> {
        if self.last.is_none() { Vec::new() } else { self.never_there.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::accounts::FIELDS;
    use crate::import::mapping::tests::{pairs, row};

    #[test]
    fn each_name_is_told_once_and_mapped_ones_that_never_come_are_known_at_the_end() {
        let columns = pairs(&[("plan", "tariff"), ("seats", "licences")]);
        let mapping = Mapping::new(FIELDS, &columns, &[]).expect("fields");
        let mut check = NameCheck::new(&mapping);
        let mut told = |columns: &[(&str, &str)]| {
            let mut notes = Vec::new();
            check.check(&row(columns), &mut notes).map(|()| notes)
        };
        let missed = |column: &str| format!("line 2: has no `{column}`, which --map names");
        let unused = |names: &str| format!("Columns that are not used: {names}");
        assert_eq!(told(&[("id", ""), ("pln", "")]), Ok(vec![unused("pln"), missed("licences"), missed("tariff")]));
        assert_eq!(told(&[("id", ""), ("pln", ""), ("tariff", "")]), Ok(Vec::new()));
        assert_eq!(told(&[("seat", ""), ("pln", "")]), Ok(vec![unused("seat")]));
        assert_eq!(told(&[("id", ""), ("ID", "")]), Err("has the column `ID` twice".to_owned()));
        assert_eq!(check.never_there(), ["licences"]);
    }

    #[test]
    fn names_that_differ_in_every_row_are_not_told_without_end() {
        let mapping = Mapping::new(FIELDS, &[], &[]).expect("nothing mapped");
        let mut check = NameCheck::new(&mapping);
        let mut notes = Vec::new();
        for number in 0..100 {
            check.check(&row(&[(&format!("x{number}"), "")]), &mut notes).expect("readable");
        }
        assert_eq!(notes.len(), UNUSED_TOLD_MAX);
    }
}
