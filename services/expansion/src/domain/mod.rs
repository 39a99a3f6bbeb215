//! The rules of expansion: plans and prices, what makes a chance, how an opportunity moves, what reports count.
//!
//! Pure: no I/O, no database, no gRPC, no clock. What is decided on is handed in, so the same facts give the same
//! decision at any time.

mod candidate;
mod checklist;
mod comparison;
mod condition;
mod criteria;
mod month;
mod opportunity;
mod plan;
mod price;
mod report;
mod review;
mod stage;
mod timeline;
mod usage;

pub use candidate::{Candidate, CandidateCursor, CandidateFilter, CandidateState, Facts, Standing, stand};
pub use checklist::{ChecklistItem, POLICY_ITEMS_MAX, StagePolicies, StagePolicy};
pub use comparison::{LimitComparison, PlanComparison, PriceComparison, compare};
pub use condition::{Condition, ConditionKind, Suppression, Touch, suppressions};
pub use criteria::{Criterion, CriterionKind, CriterionResult, evaluate, is_qualified};
pub use mainstay_domain::Proportion;
pub use month::Month;
pub use opportunity::{
    HandOver, Hold, LostReason, Missing, MoveRefused, Opportunity, OpportunityCursor, OpportunityFilter,
    OpportunityName, OwnerChoice, POSTPONED_DAYS_MAX,
};
pub use plan::{Plan, PlanDraft, PlanId, PlanLimit, PlanName};
pub use price::{Price, PriceBasis, PricePeriod, SEATS_MAX};
pub use report::{CriterionOutcomes, PipelineEntry, StageConversion, Window};
pub use review::{AccountReview, Review};
pub use stage::Stage;
pub use timeline::{TimelineEntry, TimelineKind};
pub use usage::{LimitUse, MonthUse, SEATS_METRIC, is_near_limit, streak};
