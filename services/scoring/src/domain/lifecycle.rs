//! What happens to contracts, and what it makes of accounts.

use chrono::{DateTime, Utc};
use mainstay_domain::{Currency, Money, Violations, is_key};
use serde::{Deserialize, Serialize};

use super::account::{Account, AccountFacts, KEY_RULE, LifecycleStage, TEXT_LENGTH_MAX, check_revenue};
use super::json::Amount;
use super::story::{Newest, Stamp, keep_oldest};
use super::ticket::LINE_LENGTH_MAX;

/// Most seats of an account that a signal can say.
const SEATS_MAX: i64 = 1_000_000_000;
const PLAN_CHANGE_ARR: &str = "lifecycle.plan_change.arr";

/// Something happened to a contract, or on the way into it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LifecycleSignal {
    /// The customer began to use what it bought.
    Activation,
    /// The customer reached a milestone on the way to value.
    Milestone {
        /// Which.
        milestone: String,
    },
    /// The contract was renewed.
    Renewal {
        /// When it ends next.
        renewal_at: DateTime<Utc>,
    },
    /// The customer left.
    Churn {
        /// Why; may be empty.
        reason: String,
    },
    /// The number of seats paid for changed.
    SeatChange {
        /// Seats from now on.
        seats: i64,
    },
    /// The plan changed.
    PlanChange {
        /// The plan from now on; empty: not said.
        plan: String,
        /// Annual recurring revenue from now on.
        arr: Option<Amount>,
        /// Which way it went, as the teller sees it.
        direction: Option<PlanChangeDirection>,
    },
}

/// Which way a plan changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanChangeDirection {
    /// To a larger plan.
    Upgrade,
    /// To a smaller plan.
    Downgrade,
    /// To another that is neither.
    Lateral,
}

impl LifecycleSignal {
    /// Notes what is wrong with it, when it happened at `event_at`.
    pub fn check(&self, found: &mut Violations, event_at: Option<DateTime<Utc>>) {
        match self {
            Self::Activation => {}
            Self::Milestone { milestone } => {
                found.require(is_key(milestone), "lifecycle.milestone.milestone", KEY_RULE);
            }
            Self::Renewal { renewal_at } => {
                let is_later = event_at.is_none_or(|event_at| *renewal_at > event_at);
                found.require(is_later, "lifecycle.renewal.renewal_time", "must be after event_time");
            }
            Self::Churn { reason } => found.check_text("lifecycle.churn.reason", reason, LINE_LENGTH_MAX),
            Self::SeatChange { seats } => {
                found.require(
                    (0..=SEATS_MAX).contains(seats),
                    "lifecycle.seat_change.seats",
                    format!("must be 0 to {SEATS_MAX}"),
                );
            }
            Self::PlanChange { plan, arr, .. } => {
                found.check_text("lifecycle.plan_change.plan", plan, TEXT_LENGTH_MAX);
                if let Some(Amount(arr)) = arr {
                    check_revenue(found, PLAN_CHANGE_ARR, *arr);
                }
            }
        }
    }

    /// Notes revenue in another currency than that of the account's `mrr`.
    pub fn check_currency(&self, found: &mut Violations, mrr: Option<Currency>) {
        if let (Self::PlanChange { arr: Some(Amount(arr)), .. }, Some(mrr)) = (self, mrr) {
            found.require(
                arr.currency == mrr,
                format!("{PLAN_CHANGE_ARR}.currency_code"),
                format!(
                    "is {} but the account's mrr is in {mrr}: one account has one currency; change mrr first, or say arr \
                     in {mrr}",
                    arr.currency
                ),
            );
        }
    }

    /// Of two at the same time, the one that usually comes later has the higher rank.
    pub(super) const fn rank(&self) -> u8 {
        match self {
            Self::Activation => 1,
            Self::Milestone { .. } => 2,
            Self::Renewal { .. } => 3,
            Self::Churn { .. } => 4,
            Self::SeatChange { .. } => 5,
            Self::PlanChange { .. } => 6,
        }
    }

    /// The word of an activation.
    pub const ACTIVATION: &'static str = "activation";
    /// The word of a renewal.
    pub const RENEWAL: &'static str = "renewal";
    /// The word of leaving.
    pub const CHURN: &'static str = "churn";

    /// A word for it, by which rows are told apart.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Activation => Self::ACTIVATION,
            Self::Milestone { .. } => "milestone",
            Self::Renewal { .. } => Self::RENEWAL,
            Self::Churn { .. } => Self::CHURN,
            Self::SeatChange { .. } => "seat_change",
            Self::PlanChange { .. } => "plan_change",
        }
    }
}

/// What lifecycle signals said of an account so far, and since when what callers said of it themselves holds: a signal that is
/// older changes nothing of that.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Lifecycle {
    first_activation: Option<Stamp>,
    /// The newest activation or renewal.
    last_return: Option<Stamp>,
    last_churn: Option<Stamp>,
    renewal_at: Newest<DateTime<Utc>>,
    seats: Newest<i64>,
    #[serde(default)]
    plan: Newest<String>,
    #[serde(default)]
    arr: Newest<Amount>,
    given: GivenSince,
}

/// What a signal says of the contract; none of what it does not say.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ToldContract<'a> {
    /// The plan.
    pub plan: Option<&'a str>,
    /// Annual recurring revenue.
    pub arr: Option<Money>,
    /// Seats paid for.
    pub seats: Option<i64>,
    /// When it ends next.
    pub renewal_at: Option<DateTime<Utc>>,
}

/// Since when what callers said holds; none where they said nothing.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct GivenSince {
    stage: Option<DateTime<Utc>>,
    activation: Option<DateTime<Utc>>,
    renewal: Option<DateTime<Utc>>,
    seats: Option<DateTime<Utc>>,
    plan: Option<DateTime<Utc>>,
    /// By the year or by the month: either says what the account brings.
    revenue: Option<DateTime<Utc>>,
}

impl Lifecycle {
    /// Of an account of which no signal has told yet: what is known of it was said when it was created.
    pub fn of(account: &Account) -> Self {
        let facts = &account.facts;
        let since = |is_given: bool| is_given.then_some(account.created_at);
        let given = GivenSince {
            stage: since(facts.lifecycle_stage != LifecycleStage::Unknown),
            activation: since(facts.activated_at.is_some()),
            renewal: since(facts.renewal_at.is_some()),
            seats: since(facts.seats.is_some()),
            plan: since(!facts.plan.is_empty()),
            revenue: since(facts.annual_revenue().is_some()),
        };
        Self { given, ..Self::default() }
    }

    /// When a caller last said at which stage the account is; with its creation, if it did so then.
    pub fn stage_given_at(&self) -> Option<DateTime<Utc>> {
        self.given.stage
    }

    /// Whether a caller's change of an account concerns what signals may change too.
    pub fn is_concerned(before: &AccountFacts, after: &AccountFacts) -> bool {
        let part = |facts: &AccountFacts| (facts.lifecycle_stage, facts.activated_at, facts.renewal_at, facts.seats);
        part(before) != part(after) || before.plan != after.plan || revenue_of(before) != revenue_of(after)
    }

    /// Notes what a caller changed.
    pub fn note_given(&mut self, before: &AccountFacts, after: &AccountFacts, now: DateTime<Utc>) {
        let since = |known: Option<DateTime<Utc>>, changed: bool, is_given: bool| {
            if changed { is_given.then_some(now) } else { known }
        };
        let given = &mut self.given;
        given.stage = since(given.stage, before.lifecycle_stage != after.lifecycle_stage, true);
        given.activation =
            since(given.activation, before.activated_at != after.activated_at, after.activated_at.is_some());
        given.renewal = since(given.renewal, before.renewal_at != after.renewal_at, true);
        given.seats = since(given.seats, before.seats != after.seats, true);
        given.plan = since(given.plan, before.plan != after.plan, true);
        given.revenue = since(given.revenue, revenue_of(before) != revenue_of(after), true);
    }

    /// Takes in a signal; in any order, and however often, the same.
    pub fn absorb(&mut self, stamp: &Stamp, told: &LifecycleSignal) {
        let newer = |known: &mut Option<Stamp>| *known = known.take().max(Some(stamp.clone()));
        match told {
            LifecycleSignal::Activation => {
                newer(&mut self.last_return);
                keep_oldest(&mut self.first_activation, stamp);
            }
            LifecycleSignal::Renewal { renewal_at } => {
                newer(&mut self.last_return);
                self.renewal_at.offer(stamp, *renewal_at);
            }
            LifecycleSignal::Churn { .. } => newer(&mut self.last_churn),
            LifecycleSignal::SeatChange { seats } => self.seats.offer(stamp, *seats),
            LifecycleSignal::PlanChange { plan, arr, .. } => {
                if !plan.is_empty() {
                    self.plan.offer(stamp, plan.clone());
                }
                if let Some(arr) = arr {
                    self.arr.offer(stamp, *arr);
                }
            }
            LifecycleSignal::Milestone { .. } => {}
        }
    }

    /// What a signal says of the contract, as far as none says newer.
    pub fn newest_of(&self, stamp: &Stamp) -> ToldContract<'_> {
        fn of<'a, T>(newest: &'a Newest<T>, stamp: &Stamp) -> Option<&'a T> {
            newest.get().filter(|_| newest.stamp() == Some(stamp))
        }
        ToldContract {
            plan: of(&self.plan, stamp).map(String::as_str),
            arr: of(&self.arr, stamp).map(|Amount(arr)| *arr),
            seats: of(&self.seats, stamp).copied(),
            renewal_at: of(&self.renewal_at, stamp).copied(),
        }
    }

    /// What the account is now, made of what it was. A time or a currency that contradicts what else is known of the account is
    /// left out.
    pub fn applied(&self, facts: &AccountFacts) -> AccountFacts {
        let mut applied = facts.clone();
        applied.lifecycle_stage = self.stage(facts.lifecycle_stage);
        let activation = self.first_activation.as_ref().filter(|_| self.given.activation.is_none());
        if let Some(stamp) = activation
            && facts.signed_up_at.is_none_or(|signed_up_at| stamp.at >= signed_up_at)
        {
            applied.activated_at = Some(stamp.at);
        }
        if let Some(&renewal_at) = newer_than(&self.renewal_at, self.given.renewal)
            && facts.contract_start_at.is_none_or(|start| renewal_at > start)
        {
            applied.renewal_at = Some(renewal_at);
        }
        if let Some(&seats) = newer_than(&self.seats, self.given.seats) {
            applied.seats = Some(seats);
        }
        if let Some(plan) = newer_than(&self.plan, self.given.plan) {
            applied.plan.clone_from(plan);
        }
        if let Some(&Amount(arr)) = newer_than(&self.arr, self.given.revenue)
            && facts.mrr.is_none_or(|mrr| mrr.currency == arr.currency)
        {
            applied.arr = Some(arr);
        }
        applied
    }

    /// When the customer left for the last time and did not come back since, as signals tell it.
    pub fn churned_at(&self) -> Option<DateTime<Utc>> {
        let churn = self.last_churn.as_ref()?;
        self.last_return.as_ref().is_none_or(|last_return| last_return < churn).then_some(churn.at)
    }

    fn stage(&self, known: LifecycleStage) -> LifecycleStage {
        let since_given = |stamp: &&Stamp| self.given.stage.is_none_or(|given| stamp.at > given);
        let churn = self.last_churn.as_ref().filter(since_given);
        let last_return = self.last_return.as_ref().filter(since_given);
        match (churn, last_return) {
            (Some(churn), Some(last_return)) if last_return > churn => LifecycleStage::Active,
            (Some(_), _) => LifecycleStage::Churned,
            (None, Some(_)) if known == LifecycleStage::Churned => LifecycleStage::Active,
            (None, _) if known == LifecycleStage::Unknown && self.first_activation.is_some() => LifecycleStage::Active,
            (None, _) => known,
        }
    }
}

fn revenue_of(facts: &AccountFacts) -> (Option<Money>, Option<Money>) {
    (facts.arr, facts.mrr)
}

fn newer_than<T>(newest: &Newest<T>, given: Option<DateTime<Utc>>) -> Option<&T> {
    let is_newer = newest.stamp().is_some_and(|stamp| given.is_none_or(|given| stamp.at > given));
    newest.get().filter(|_| is_newer)
}

#[cfg(test)]
mod tests;
