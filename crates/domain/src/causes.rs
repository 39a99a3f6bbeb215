//! Errors as people read them.

use std::error::Error;
use std::iter::successors;

/// The message of an error and of each error below it, outermost first. A cause that the text so far has already is
/// left out: many libraries say what their causes say.
pub fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    for cause in successors(error.source(), |&cause| cause.source()).map(ToString::to_string) {
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use thiserror::Error;

    use super::*;

    #[derive(Debug, Error)]
    #[error("{says}")]
    struct Fault {
        says: &'static str,
        source: Option<Box<Fault>>,
    }

    fn fault(says: &'static str, source: Option<Fault>) -> Fault {
        Fault { says, source: source.map(Box::new) }
    }

    #[test]
    fn each_cause_is_said_once() {
        let chain = fault("no key", Some(fault("no answer: refused", Some(fault("refused", None)))));
        assert_eq!(with_causes(&chain), "no key: no answer: refused");
        assert_eq!(with_causes(&fault("alone", None)), "alone");
    }
}
