//! What of renewals was written for others, and what of it changed since.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use mainstay_api::mainstay::scoring::v1::DueRenewal;
use prost::Message as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::words::id_of;

/// What a likelihood moves by at least until its line is written again: a percent. It moves a little each day.
const LIKELIHOOD_STEP: f64 = 0.01;
/// What a score moves by at least, as in the feed of health.
const SCORE_STEP: f64 = 1.0;
/// Bytes of a digest that are kept: enough for two versions of a renewal never to be taken for one another.
const DIGEST_BYTES: usize = 16;

/// A renewal: the account's id, and when it is due.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(crate) struct Key {
    pub(crate) account: String,
    pub(crate) due: String,
}

impl Key {
    pub(crate) fn of(renewal: &DueRenewal) -> Self {
        let due = renewal.due_time.map(|due| due.to_string()).unwrap_or_default();
        Self { account: id_of(&renewal.account).to_owned(), due }
    }

    /// When it is due.
    pub(crate) fn due_time(&self) -> Option<prost_types::Timestamp> {
        self.due.parse().ok()
    }
}

impl From<Key> for String {
    fn from(Key { account, due }: Key) -> Self {
        format!("{account} {due}")
    }
}

impl TryFrom<String> for Key {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (account, due) = text.split_once(' ').ok_or_else(|| format!("`{text}` is no renewal"))?;
        let key = Self { account: account.to_owned(), due: due.to_owned() };
        if key.due_time().is_some() { Ok(key) } else { Err(format!("`{due}` is no time")) }
    }
}

/// What was written of a renewal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Written {
    /// A digest of all but the figures that move each day.
    facts: String,
    likelihood: Option<f64>,
    score: Option<f64>,
}

impl Written {
    fn of(renewal: &DueRenewal) -> Self {
        let facts = DueRenewal {
            likelihood: None,
            likelihood_low: None,
            likelihood_high: None,
            expected_arr: None,
            score: None,
            ..renewal.clone()
        };
        let mut digest = String::with_capacity(2 * DIGEST_BYTES);
        for byte in Sha256::digest(facts.encode_to_vec()).iter().take(DIGEST_BYTES) {
            write!(digest, "{byte:02x}").expect("a string takes all");
        }
        Self { facts: digest, likelihood: renewal.likelihood, score: renewal.score }
    }

    /// Whether it still says what there is, but for moves that are too small.
    fn is_still_true(&self, now: &Self) -> bool {
        let is_near = |one: Option<f64>, other: Option<f64>, step: f64| match (one, other) {
            (Some(one), Some(other)) => (one - other).abs() < step,
            (one, other) => one.is_none() && other.is_none(),
        };
        self.facts == now.facts
            && is_near(self.likelihood, now.likelihood, LIKELIHOOD_STEP)
            && is_near(self.score, now.score, SCORE_STEP)
    }
}

/// The renewals that whoever takes the files over knows, and what was written of each. None: they have one version or another, or
/// perhaps do not know it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Known(BTreeMap<Key, Option<Written>>);

/// What is to be written, and what is known to whoever reads that.
#[derive(Debug, PartialEq)]
pub(crate) struct Changes {
    /// Open renewals whose line is new or another.
    pub(crate) changed: BTreeSet<Key>,
    /// Those that are no longer open.
    pub(crate) gone: BTreeSet<Key>,
    pub(crate) after: Known,
}

impl Known {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is known to somebody who has this or the other.
    pub(crate) fn or(mut self, other: &Self) -> Self {
        for (key, written) in &mut self.0 {
            if other.0.get(key) != Some(&*written) {
                *written = None;
            }
        }
        for key in other.0.keys() {
            self.0.entry(key.clone()).or_insert(None);
        }
        self
    }

    /// The same renewals, with nothing certain about them: all is written again.
    pub(crate) fn uncertain(mut self) -> Self {
        self.0.values_mut().for_each(|written| *written = None);
        self
    }

    /// Those of them that are not among the open ones.
    pub(crate) fn gone(&self, open: &BTreeMap<Key, DueRenewal>) -> BTreeSet<Key> {
        self.0.keys().filter(|key| !open.contains_key(key)).cloned().collect()
    }

    /// What changed up to the renewals that are open now.
    pub(crate) fn changes(&self, open: &BTreeMap<Key, DueRenewal>) -> Changes {
        let (mut changed, mut after) = (BTreeSet::new(), BTreeMap::new());
        for (key, renewal) in open {
            let now = Written::of(renewal);
            let written = match self.0.get(key) {
                Some(Some(written)) if written.is_still_true(&now) => written.clone(),
                _ => {
                    changed.insert(key.clone());
                    now
                }
            };
            after.insert(key.clone(), Some(written));
        }
        Changes { changed, gone: self.gone(open), after: Self(after) }
    }
}

/// What whoever takes files over knows while the last one is there, and what they know once it is gone.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Readers {
    pub(crate) while_there: Known,
    pub(crate) once_gone: Known,
}

impl Readers {
    /// What they may know now. A file that is there may be taken over at any moment: until it is replaced, they know one or the other.
    pub(crate) fn may_know(&self, is_there: bool) -> Known {
        if is_there { self.while_there.clone().or(&self.once_gone) } else { self.once_gone.clone() }
    }

    /// The same while the file is replaced by another, by which those who know `base` come to know `after`.
    pub(crate) fn replacing(self, base: Known, after: &Known) -> Self {
        Self { while_there: base, once_gone: self.once_gone.or(after) }
    }

    /// The same once it is replaced.
    pub(crate) fn replaced(self, after: Known) -> Self {
        Self { once_gone: after, ..self }
    }
}

#[cfg(test)]
mod tests {
    use mainstay_api::mainstay::scoring::v1::Band;
    use proptest::prelude::*;

    use super::*;

    fn renewal(account: &str, day: i64) -> DueRenewal {
        DueRenewal {
            account: format!("accounts/{account}"),
            due_time: Some(prost_types::Timestamp { seconds: day * 86_400, nanos: 0 }),
            likelihood: Some(0.8),
            score: Some(60.0),
            ..DueRenewal::default()
        }
    }

    fn open(renewals: &[DueRenewal]) -> BTreeMap<Key, DueRenewal> {
        renewals.iter().map(|one| (Key::of(one), one.clone())).collect()
    }

    fn accounts(keys: &BTreeSet<Key>) -> Vec<&str> {
        keys.iter().map(|key| key.account.as_str()).collect()
    }

    #[test]
    fn a_line_is_written_again_when_a_fact_changed_or_a_figure_moved_enough_since_it_was_written() {
        let first = renewal("a", 1);
        let known = Known::default().changes(&open(std::slice::from_ref(&first))).after;
        let moved = |likelihood: f64, score: f64| DueRenewal {
            likelihood: Some(likelihood),
            score: Some(score),
            ..first.clone()
        };
        for (now, is_written) in [
            (first.clone(), false),
            (moved(0.809, 60.9), false),
            (moved(0.811, 60.0), true),
            (moved(0.8, 58.9), true),
            (DueRenewal { likelihood: None, ..first.clone() }, true),
            (DueRenewal { likelihood_low: Some(0.7), ..first.clone() }, false),
            (DueRenewal { band: Band::AtRisk.into(), ..first.clone() }, true),
            (DueRenewal { forecast_model: "forecastModels/2".to_owned(), ..first.clone() }, true),
        ] {
            assert_eq!(known.changes(&open(std::slice::from_ref(&now))).changed.len() == 1, is_written, "{now:?}");
        }
        // Small moves add up.
        let known = known.changes(&open(&[moved(0.806, 60.0)])).after;
        assert_eq!(known.changes(&open(&[moved(0.812, 60.0)])).changed.len(), 1);
    }

    #[test]
    fn what_is_kept_is_a_line_that_reads_back_and_anything_else_is_refused() {
        let known = Known::default().changes(&open(&[renewal("a.b~c", 1), renewal("Z", 2)])).after;
        let known = known.clone().or(&Known::default()).or(&known);
        let line = serde_json::to_string(&known).expect("JSON");
        assert_eq!(line, r#"{"Z 1970-01-03T00:00:00Z":null,"a.b~c 1970-01-02T00:00:00Z":null}"#);
        assert_eq!(serde_json::from_str::<Known>(&line).ok(), Some(known));
        for wrong in ["AAAAAAAAAGQ", "", r#"{"a":null}"#, r#"{"a soon":null}"#] {
            assert!(serde_json::from_str::<Known>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_may_be_known_and_is_gone_is_told_as_gone() {
        let known = |renewals: &[DueRenewal]| Known::default().changes(&open(renewals)).after;
        let either = known(&[renewal("a", 1), renewal("b", 1)]).or(&known(&[renewal("b", 1), renewal("c", 1)]));
        let changes = either.changes(&open(&[renewal("b", 1), renewal("c", 1)]));
        assert_eq!((accounts(&changes.gone), accounts(&changes.changed)), (vec!["a"], vec!["c"]));
        let all = either.uncertain().changes(&open(&[renewal("b", 1)]));
        assert_eq!((accounts(&all.gone), accounts(&all.changed)), (vec!["a", "c"], vec!["b"]));
    }

    /// What a tool has that takes files over: a version of each renewal.
    type Held = BTreeMap<Key, DueRenewal>;

    fn take_over(held: &mut Held, now: &Held, changes: &Changes) {
        for key in &changes.gone {
            held.remove(key);
        }
        for key in &changes.changed {
            held.insert(key.clone(), now[key].clone());
        }
    }

    /// Which moment a run dies in, if it does.
    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Death {
        None,
        BeforeTheFile,
        AfterTheFile,
    }

    /// What happens between two runs and in the next.
    #[derive(Debug, Clone)]
    struct Step {
        /// The version of each of four renewals; 0 for none.
        versions: [u8; 4],
        is_taken_over: bool,
        /// The file is taken over after the run looked for it, and before it puts the next in place.
        is_taken_meanwhile: bool,
        death: Death,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let death =
            prop_oneof![3 => Just(Death::None), 1 => Just(Death::BeforeTheFile), 1 => Just(Death::AfterTheFile)];
        let step = ([0u8..3, 0u8..3, 0u8..3, 0u8..3], any::<bool>(), any::<bool>(), death);
        let step = step.prop_map(|(versions, is_taken_over, is_taken_meanwhile, death)| Step {
            versions,
            is_taken_over,
            is_taken_meanwhile,
            death,
        });
        proptest::collection::vec(step, 1..12)
    }

    proptest! {
        #[test]
        fn r184_who_takes_files_over_has_all_that_is_open_whenever_runs_die_and_files_are_taken(steps in steps()) {
            let mut readers = Readers::default();
            let mut file: Option<(Held, Changes)> = None;
            let mut held = Held::new();
            let last = Step { versions: steps.last().expect("a step").versions, is_taken_over: true, is_taken_meanwhile: false, death: Death::None };
            for step in steps.into_iter().chain([last]) {
                if step.is_taken_over && let Some((then, changes)) = file.take() {
                    take_over(&mut held, &then, &changes);
                }
                let now: Held = open(&step.versions.iter().enumerate().filter(|(_, version)| **version > 0).map(|(place, version)| {
                    DueRenewal { account_display_name: version.to_string(), ..renewal(&format!("n{place}"), 1) }
                }).collect::<Vec<_>>());
                let base = readers.may_know(file.is_some());
                let changes = base.changes(&now);
                let after = changes.after.clone();
                readers = readers.replacing(base, &after);
                if step.death == Death::BeforeTheFile {
                    continue;
                }
                if step.is_taken_meanwhile && let Some((then, changes)) = file.take() {
                    take_over(&mut held, &then, &changes);
                }
                file = Some((now, changes));
                if step.death == Death::None {
                    readers = readers.replaced(after);
                }
            }
            let (now, changes) = file.expect("the last run lives");
            take_over(&mut held, &now, &changes);
            prop_assert_eq!(held, now);
        }
    }
}
