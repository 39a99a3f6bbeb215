//! Opens an opportunity for an account whose row the caller holds.

use chrono::{DateTime, Utc};
use mainstay_accounts::Account;
use mainstay_domain::{Money, OwnerRole};
use sqlx::PgConnection;

use super::compare_plans::expected_gain;
use super::events::Telling;
use super::record_step::{self, Step};
use super::{App, ExpansionError};
use crate::domain::{Criterion, Opportunity, OpportunityName, OwnerChoice, PlanId, Stage, Suppression, TimelineKind};
use crate::storage::{plans, policies};

/// What is said of the new opportunity; what is not is found out.
#[derive(Debug, Clone, Default)]
pub(super) struct Opening {
    pub metric: String,
    pub owner_email: Option<String>,
    pub target_plan: Option<PlanId>,
    pub expected_gain: Option<Money>,
    pub criteria: Vec<Criterion>,
    pub suppressions: Vec<Suppression>,
    /// Why, in a sentence.
    pub text: String,
}

/// Opens it, unless the account has an open one for the metric, which the caller has looked for. The caller has the
/// clock wound.
pub(super) async fn execute(
    app: &App,
    conn: &mut PgConnection,
    account: &Account,
    opening: Opening,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<Opportunity, ExpansionError> {
    let name = OpportunityName { account: account.id.clone(), id: app.core.ids.new_id() };
    let policy = policies::in_force(conn).await?.of(Stage::Identified);
    let owner = match opening.owner_email {
        Some(email) => OwnerChoice { email, is_fallback: false },
        None => owner_of(app, account),
    };
    let mut opportunity = Opportunity::open(name, &opening.metric, owner, policy, now);
    opportunity.current_plan = PlanId::parse(&account.plan).ok();
    opportunity.target_plan = match (opening.target_plan, &opportunity.current_plan) {
        (Some(plan), _) => Some(plan),
        (None, Some(current)) => plans::in_force(conn, current).await?.and_then(|plan| plan.draft.upgrade),
        (None, None) => None,
    };
    opportunity.expected_gain = match (opening.expected_gain, &opportunity.current_plan, &opportunity.target_plan) {
        (Some(gain), _, _) => Some(gain),
        (None, Some(from), Some(to)) => expected_gain(conn, account, from, to).await?,
        (None, _, _) => None,
    };
    opportunity.criteria = opening.criteria;
    opportunity.hold_for(&opening.suppressions, now);
    let step = Step { kind: TimelineKind::Opened, moved: None, text: opening.text, telling: Telling::Opened };
    record_step::execute(app, conn, &opportunity, step, actor, now).await?;
    Ok(opportunity)
}

/// Who works on an account's opportunities: its CSM, else its account manager, else the default of the settings, so
/// that there is always somebody.
pub(super) fn owner_of(app: &App, account: &Account) -> OwnerChoice {
    let owner = account.owner(OwnerRole::Csm).or_else(|| account.owner(OwnerRole::AccountManager));
    match owner {
        Some(owner) => OwnerChoice { email: owner.email.clone(), is_fallback: false },
        None => OwnerChoice { email: app.default_owner_email.to_string(), is_fallback: true },
    }
}
