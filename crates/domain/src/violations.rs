//! All faults of an input, gathered before any is reported.

/// One fault of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field as in the proto, for example `signals[3].usage.metric`.
    pub field: String,
    /// What is wrong and what would be right.
    pub description: String,
}

/// Faults gathered while an input is read, so that a caller hears of all of
/// them at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a fault.
    pub fn add(&mut self, field: impl Into<String>, description: impl Into<String>) {
        self.0.push(Violation { field: field.into(), description: description.into() });
    }

    /// Takes the value of `result`, or notes its error as a fault of `field`.
    pub fn take<T, E: std::fmt::Display>(&mut self, field: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.add(field, error.to_string())).ok()
    }

    /// Notes a fault unless `holds`.
    pub fn require(&mut self, holds: bool, field: impl Into<String>, description: impl Into<String>) {
        if !holds {
            self.add(field, description);
        }
    }

    /// Notes a text that has more than `most` characters, or that no database can hold.
    pub fn check_text(&mut self, field: &str, text: &str, most: usize) {
        let length = text.chars().count();
        self.require(length <= most, field, format!("has {length} characters, at most {most} are allowed"));
        self.require(!text.contains('\0'), field, "must not contain the character NUL");
    }

    /// Moves in the faults of a part, their fields below `prefix`.
    pub fn absorb(&mut self, prefix: &str, part: Self) {
        self.0.extend(part.0.into_iter().map(|violation| Violation {
            field: if violation.field.is_empty() { prefix.to_owned() } else { format!("{prefix}.{}", violation.field) },
            description: violation.description,
        }));
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The faults, in the order noted.
    pub fn iter(&self) -> std::slice::Iter<'_, Violation> {
        self.0.iter()
    }

    /// `value` when there are no faults, else the faults.
    pub fn into_result<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl Extend<Violation> for Violations {
    fn extend<I: IntoIterator<Item = Violation>>(&mut self, faults: I) {
        self.0.extend(faults);
    }
}

impl IntoIterator for Violations {
    type Item = Violation;
    type IntoIter = std::vec::IntoIter<Violation>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Violations {
    type Item = &'a Violation;
    type IntoIter = std::slice::Iter<'a, Violation>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}
