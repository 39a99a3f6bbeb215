//! What the body of a delivery comes to, in which there may be several payloads.

use std::borrow::Cow;

use mainstay_domain::Violations;

use crate::mapped::{Mapped, Outcome};

/// What the payloads of a body come to. One that is malformed does not keep the others from being taken in.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Body {
    /// What is to be taken in, and of which payload.
    pub mapped: Vec<(Place, Mapped)>,
    /// Why the first of those that mean nothing means nothing.
    pub ignored: Option<Cow<'static, str>>,
    /// What is malformed: each fault with the path of its field.
    pub faults: Violations,
}

/// Where a payload stands in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It is the body.
    Whole,
    /// It has this index in the list that the body is.
    InList(usize),
}

impl Place {
    /// Faults of the payload as faults of the body.
    pub fn faults(self, of_payload: Violations) -> Violations {
        match self {
            Self::Whole => of_payload,
            Self::InList(index) => {
                let mut found = Violations::new();
                found.absorb(&format!("[{index}]"), of_payload);
                found
            }
        }
    }
}

impl Body {
    /// Adds what a payload comes to.
    pub(crate) fn add(&mut self, place: Place, outcome: Result<Outcome, Violations>) {
        match outcome {
            Ok(Outcome::Mapped(mapped)) => self.mapped.push((place, mapped)),
            Ok(Outcome::Ignored(reason)) => {
                self.ignored.get_or_insert(reason);
            }
            Err(faults) => self.faults.extend(place.faults(faults)),
        }
    }
}
