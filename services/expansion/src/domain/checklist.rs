//! What is to be done in a stage, and in which time.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use mainstay_domain::{Violations, is_key};
use serde::{Deserialize, Serialize};

use super::stage::Stage;

/// Most items of a policy.
pub const POLICY_ITEMS_MAX: usize = 50;
const ITEM_TEXT_LENGTH_MAX: usize = 500;
const DUE_DAYS_MAX: i32 = 365;
/// A week a stage, as long as a conversation of five weeks has.
const DUE_DAYS_DEFAULT: i32 = 7;

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChecklistItem {
    /// Its id in the checklist.
    pub id: String,
    /// What is to be done.
    pub text: String,
    /// Whether the stage cannot be left without it.
    pub required: bool,
    /// When it was done, and by whom.
    pub done: Option<(DateTime<Utc>, String)>,
    /// What came of it.
    pub note: String,
}

/// What is to be done in a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagePolicy {
    /// The stage, an open one.
    pub stage: Stage,
    /// 1, 2, 3 and so on; 0 for what ships with the service.
    pub version: i32,
    /// Days until it is due.
    pub due_days: i32,
    /// What is to be done.
    pub items: Vec<ChecklistItem>,
}

impl StagePolicy {
    /// Notes all that is wrong with it.
    ///
    /// # Errors
    /// The faults, by the fields of `policy`.
    pub fn checked(self) -> Result<Self, Violations> {
        let mut found = Violations::new();
        found.require(Stage::OPEN.contains(&self.stage), "stage", "must be an open stage: only those have a policy");
        found.require((1..=DUE_DAYS_MAX).contains(&self.due_days), "due_days", format!("must be 1 to {DUE_DAYS_MAX}"));
        found.require(self.items.len() <= POLICY_ITEMS_MAX, "items", format!("at most {POLICY_ITEMS_MAX} are allowed"));
        for (index, item) in self.items.iter().enumerate() {
            let is_first = self.items[..index].iter().all(|other| other.id != item.id);
            found.require(is_key(&item.id), format!("items[{index}].id"), "must match `[a-z0-9][a-z0-9_.-]{0,62}`");
            found.require(is_first, format!("items[{index}].id"), "is there already");
            let field = format!("items[{index}].text");
            found.check_text(&field, &item.text, ITEM_TEXT_LENGTH_MAX);
            found.require(!item.text.is_empty(), field, "is required");
            let is_open = item.done.is_none() && item.note.is_empty();
            found.require(is_open, format!("items[{index}]"), "a policy says what is to be done, not what was");
        }
        found.into_result(self)
    }
}

/// The policies in force; each open stage has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagePolicies(BTreeMap<Stage, StagePolicy>);

impl StagePolicies {
    /// What ships with the service, with these in place of some.
    pub fn with(set: Vec<StagePolicy>) -> Self {
        let mut all: BTreeMap<Stage, StagePolicy> = Stage::OPEN.iter().map(|&stage| (stage, shipped(stage))).collect();
        all.extend(set.into_iter().map(|policy| (policy.stage, policy)));
        Self(all)
    }

    /// Those of all open stages, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &StagePolicy> {
        self.0.values()
    }

    /// That of a stage. A closed one has nothing to do in it.
    pub fn of(&self, stage: Stage) -> StagePolicy {
        self.0.get(&stage).cloned().unwrap_or_else(|| shipped(stage))
    }
}

/// The conversation of five weeks: what each week asks for must be done to come into the next stage.
fn shipped(stage: Stage) -> StagePolicy {
    let items: &[(&str, &str)] = match stage {
        Stage::Identified => &[
            ("usage_pack", "Compile usage against the limits of the plan, with its trend"),
            ("roi", "Calculate the return on today's use, and on the larger plan's"),
            ("matching_features", "Name the premium features that match how the customer works"),
            (
                "price_comparison",
                "Prepare an open comparison of prices and the cost of the upgrade, as ComparePlans gives it",
            ),
        ],
        Stage::DataPrepared => &[
            ("present_trends", "Present usage trends and how near the limit is"),
            ("show_value", "Show what premium features are worth for the customer's workflows"),
            ("success_stories", "Share stories of customers with a similar upgrade"),
            ("interest", "Gauge the interest"),
            ("decision_makers", "Name who decides"),
        ],
        Stage::FirstConversation => &[
            ("proposal", "Write a proposal of its own, with price and timeline"),
            ("roi_justification", "Justify it by time and cost saved"),
            ("demo_prepared", "Prepare a demonstration of the premium features"),
            ("sales_contact", "Agree with sales on the change of the contract"),
        ],
        Stage::Proposal => &[
            ("demo_done", "Demonstrate the premium features"),
            ("concerns_answered", "Answer the questions and concerns of those who decide"),
            ("migration_plan", "Give a timeline of the implementation and a plan of the migration"),
            ("decision_date", "Agree on the date of the decision and the next steps"),
        ],
        Stage::Decision => &[("decision", "Have the customer's decision in writing")],
        Stage::Closing => &[
            ("terms", "Agree on the terms and change the contract"),
            ("technical_upgrade", "Have the account upgraded"),
            ("training_booked", "Book the training on the new features"),
        ],
        Stage::Won | Stage::Lost | Stage::Postponed => &[],
    };
    let mut items: Vec<ChecklistItem> = items.iter().map(|&(id, text)| item(id, text, true)).collect();
    if stage == Stage::Closing {
        items.push(item("adoption_watched", "Watch adoption and satisfaction after the upgrade", false));
    }
    StagePolicy { stage, version: 0, due_days: DUE_DAYS_DEFAULT, items }
}

fn item(id: &str, text: &str, required: bool) -> ChecklistItem {
    ChecklistItem { id: id.to_owned(), text: text.to_owned(), required, done: None, note: String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ships_is_as_it_must_be() {
        for policy in StagePolicies::with(Vec::new()).iter() {
            assert!(!policy.items.is_empty(), "{policy:?}");
            let checked = policy.clone().checked();
            assert_eq!(checked.as_ref(), Ok(policy));
        }
    }

    #[test]
    fn all_that_is_wrong_is_named() {
        let items = vec![item("a", "x", true), item("a", "", true), item("B", "x", false)];
        let found = StagePolicy { stage: Stage::Won, version: 0, due_days: 0, items }.checked().expect_err("wrong");
        let fields: Vec<&str> = found.iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(fields, ["stage", "due_days", "items[1].id", "items[1].text", "items[2].id"]);
    }
}
