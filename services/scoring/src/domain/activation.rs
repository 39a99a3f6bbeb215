//! How models come to score, and which of them scores whom on which day.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use mainstay_domain::{ModelId, Segment, Violations};

/// Most characters of a reason.
const REASON_LENGTH_MAX: usize = 1_000;

/// Why a model was activated, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ActivationCause {
    /// As the caller said; may be empty.
    pub reason: String,
    /// Whether the caller accepted that its backtest was worse than that of the model before.
    pub accepted_worse: bool,
    /// Whether the caller accepted that no backtest had tried it beside the model before.
    pub accepted_untried: bool,
    /// The caller, as authenticated; empty for the service itself.
    pub caller: String,
}

/// What holds from `from_day` on, until a later activation for the same accounts begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Activation {
    /// Rises with each activation.
    pub sequence: i64,
    /// None: the segment has no model of its own.
    pub model: Option<ModelId>,
    /// Whose accounts it is about; none: all whose segment has no model of its own.
    pub segment: Option<Segment>,
    pub from_day: NaiveDate,
    pub cause: ActivationCause,
}

/// All activations, in the order of their sequences.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Activations(Vec<Activation>);

impl Activations {
    pub(crate) const fn new(in_order: Vec<Activation>) -> Self {
        Self(in_order)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Activation> {
        self.0.iter()
    }

    /// All but the one of a number.
    pub(crate) fn without(&self, sequence: i64) -> Self {
        Self(self.0.iter().filter(|activation| activation.sequence != sequence).cloned().collect())
    }

    /// Of all for the same accounts that were made for the day or an earlier one, the one made last.
    fn in_force(&self, segment: Option<Segment>, day: NaiveDate) -> Option<&Activation> {
        self.0.iter().rev().find(|activation| activation.segment == segment && activation.from_day <= day)
    }

    /// The activation of the general model, which scores all accounts whose segment has no model of its own.
    pub(crate) fn general(&self, day: NaiveDate) -> Option<&Activation> {
        self.in_force(None, day)
    }

    /// The model that a segment has of its own.
    pub(crate) fn own(&self, segment: Segment, day: NaiveDate) -> Option<&ModelId> {
        self.in_force(Some(segment), day)?.model.as_ref()
    }

    /// The model that scores accounts of a segment.
    pub(crate) fn model_for(&self, segment: Segment, day: NaiveDate) -> Option<&ModelId> {
        self.own(segment, day).or_else(|| self.general(day)?.model.as_ref())
    }

    /// Whether a model was the general one, or scored a segment's accounts, on a day or before it, be it only until another one came on
    /// the same day.
    pub(crate) fn has_scored(&self, model: &ModelId, segment: Option<Segment>, day: NaiveDate) -> bool {
        let was_put_in_force = |one: &Activation| one.segment == segment && one.model.as_ref() == Some(model);
        let scored_on = |day| match segment {
            Some(segment) => self.model_for(segment, day) == Some(model),
            None => self.general(day).and_then(|general| general.model.as_ref()) == Some(model),
        };
        let begun = self.0.iter().filter(|activation| activation.from_day <= day);
        begun.into_iter().any(|activation| was_put_in_force(activation) || scored_on(activation.from_day))
    }

    /// The segments whose accounts a model scores.
    pub(crate) fn segments_scored_by(&self, model: &ModelId, day: NaiveDate) -> Vec<Segment> {
        Segment::ALL.into_iter().filter(|segment| self.model_for(*segment, day) == Some(model)).collect()
    }

    /// The segments whose own model a model is.
    pub(crate) fn segments_owning(&self, model: &ModelId, day: NaiveDate) -> Vec<Segment> {
        Segment::ALL.into_iter().filter(|segment| self.own(*segment, day) == Some(model)).collect()
    }

    /// The models that score somebody on a day.
    pub(crate) fn models_on(&self, day: NaiveDate) -> BTreeSet<&ModelId> {
        Segment::ALL.into_iter().filter_map(|segment| self.model_for(segment, day)).collect()
    }

    /// The day, and those after it on which something begins to hold.
    pub(crate) fn turns_from(&self, day: NaiveDate) -> BTreeSet<NaiveDate> {
        let later = self.0.iter().map(|activation| activation.from_day).filter(|from_day| *from_day > day);
        later.chain([day]).collect()
    }
}

impl ActivationCause {
    /// Checks what a caller said.
    pub(crate) fn check(&self, found: &mut Violations) {
        found.check_text("reason", &self.reason, REASON_LENGTH_MAX);
        if self.reason.trim().is_empty() && self.accepted_worse {
            found.add("reason", "is required with accept_worse: say why a worse model is wanted");
        } else if self.reason.trim().is_empty() && self.accepted_untried {
            found.add("reason", "is required with accept_untried: say why an untried model is wanted");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_was_scored_by_its_own_model_and_before_by_the_general_one() {
        let [general, large, third] = ["general", "large", "third"].map(|id| ModelId::parse(id).expect("an id"));
        let day = |text: &str| text.parse::<NaiveDate>().expect("a day");
        let activation = |sequence, model: &ModelId, segment, from_day| Activation {
            sequence,
            model: Some(model.clone()),
            segment,
            from_day: day(from_day),
            cause: ActivationCause::default(),
        };
        let enterprise = Some(Segment::Enterprise);
        let all = Activations::new(vec![
            activation(1, &general, None, "2026-01-01"),
            activation(2, &large, enterprise, "2026-02-01"),
            activation(3, &third, None, "2026-03-01"),
        ]);
        for (model, segment, on, expected) in [
            (&general, enterprise, "2026-02-15", true),
            (&large, enterprise, "2026-02-15", true),
            (&large, enterprise, "2026-01-31", false),
            (&large, None, "2026-02-15", false),
            (&third, enterprise, "2026-03-15", false),
            (&third, Some(Segment::Smb), "2026-03-15", true),
            (&third, None, "2026-02-28", false),
            (&general, None, "2026-03-15", true),
        ] {
            assert_eq!(all.has_scored(model, segment, day(on)), expected, "{model} for {segment:?} on {on}");
        }
    }

    #[test]
    fn a_worse_or_untried_model_needs_a_reason() {
        for (reason, accepted_worse, accepted_untried, is_fine) in [
            ("", false, false, true),
            ("", true, false, false),
            (" \n", true, false, false),
            ("", false, true, false),
            ("the old one reads a metric that is gone", true, true, true),
        ] {
            let (said, caller) = (reason.to_owned(), String::new());
            let cause = ActivationCause { reason: said, accepted_worse, accepted_untried, caller };
            let mut found = Violations::new();
            cause.check(&mut found);
            assert_eq!(found.is_empty(), is_fine, "{reason:?}");
        }
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    fn activations(rows: &[(Option<&str>, Option<Segment>, &str)]) -> Activations {
        let activation = |(place, (model, segment, from_day)): (usize, &(Option<&str>, Option<Segment>, &str))| {
            let model = model.map(|id| ModelId::parse(id).expect("an id"));
            let sequence = i64::try_from(place).expect("few") + 1;
            Activation {
                sequence,
                model,
                segment: *segment,
                from_day: day(from_day),
                cause: ActivationCause::default(),
            }
        };
        Activations::new(rows.iter().enumerate().map(activation).collect())
    }

    #[test]
    fn of_several_activations_that_reach_a_day_the_last_holds() {
        let all = activations(&[
            (Some("first"), None, "1970-01-01"),
            (Some("second"), None, "2026-03-01"),
            (Some("third"), None, "2026-03-01"),
            (Some("first"), None, "2026-02-01"),
        ]);
        let model_on = |all: &Activations, text| all.model_for(Segment::Smb, day(text)).map(ToString::to_string);
        assert_eq!(model_on(&all, "1969-12-31"), None);
        assert_eq!(model_on(&all, "1970-01-01").as_deref(), Some("first"));
        assert_eq!(model_on(&all, "2026-03-02").as_deref(), Some("first"));
        let before = Activations::new(all.iter().take(3).cloned().collect());
        assert_eq!(model_on(&before, "2026-02-28").as_deref(), Some("first"));
        assert_eq!(model_on(&before, "2026-03-01").as_deref(), Some("third"));
    }

    #[test]
    fn r68_a_segment_is_scored_by_its_own_model_while_it_has_one() {
        let all = activations(&[
            (Some("general"), None, "2026-01-01"),
            (Some("large"), Some(Segment::Enterprise), "2026-02-01"),
            (Some("newer"), None, "2026-03-01"),
            (None, Some(Segment::Enterprise), "2026-04-01"),
        ]);
        let scored = |text: &str| {
            [Segment::Enterprise, Segment::Smb]
                .map(|segment| all.model_for(segment, day(text)).map(ToString::to_string))
        };
        let names = |enterprise: &str, smb: &str| [Some(enterprise.to_owned()), Some(smb.to_owned())];
        assert_eq!(scored("2026-01-31"), names("general", "general"));
        assert_eq!(scored("2026-02-01"), names("large", "general"));
        assert_eq!(scored("2026-03-01"), names("large", "newer"), "a general one leaves segments theirs");
        assert_eq!(scored("2026-04-01"), names("newer", "newer"));

        let large = ModelId::parse("large").expect("an id");
        assert_eq!(all.segments_owning(&large, day("2026-03-15")), [Segment::Enterprise]);
        assert_eq!(all.segments_owning(&large, day("2026-04-01")), []);
        let newer = ModelId::parse("newer").expect("an id");
        assert_eq!(
            all.segments_scored_by(&newer, day("2026-03-15")),
            [Segment::Unknown, Segment::MidMarket, Segment::Smb]
        );
        assert_eq!(all.models_on(day("2026-03-15")), BTreeSet::from([&large, &newer]));
    }
}
