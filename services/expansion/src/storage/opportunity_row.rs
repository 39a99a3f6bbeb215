//! An opportunity as it lies in its row.

use chrono::{DateTime, TimeDelta, Utc};
use mainstay_storage::StorageError;
use serde_json::Value;
use uuid::Uuid;

use super::codes::{self, corrupt, from_json};
use crate::domain::{Hold, Opportunity, OpportunityName, OwnerChoice};

pub(super) struct OpportunityRow {
    pub(super) account_id: String,
    pub(super) opportunity_id: Uuid,
    pub(super) metric: String,
    pub(super) stage: i16,
    pub(super) postponed_stage: Option<i16>,
    pub(super) postponed_until: Option<DateTime<Utc>>,
    pub(super) owner_email: String,
    pub(super) owner_is_fallback: bool,
    pub(super) current_plan_id: Option<String>,
    pub(super) target_plan_id: Option<String>,
    pub(super) expected_currency: Option<String>,
    pub(super) expected_minor_units: Option<i64>,
    pub(super) won_currency: Option<String>,
    pub(super) won_minor_units: Option<i64>,
    pub(super) checklist: Value,
    pub(super) due_at: Option<DateTime<Utc>>,
    pub(super) overdue_at: Option<DateTime<Utc>>,
    pub(super) held_at: Option<DateTime<Utc>>,
    pub(super) held_seconds: Option<i64>,
    pub(super) holds: Value,
    pub(super) hand_over: Option<Value>,
    pub(super) lost_reason: Option<i16>,
    pub(super) note: String,
    pub(super) criteria: Value,
    pub(super) created_at: DateTime<Utc>,
    pub(super) stage_at: DateTime<Utc>,
    pub(super) closed_at: Option<DateTime<Utc>>,
    pub(super) version: i64,
}

impl TryFrom<OpportunityRow> for Opportunity {
    type Error = StorageError;

    fn try_from(row: OpportunityRow) -> Result<Self, StorageError> {
        let postponed_stage = row.postponed_stage.map(codes::stage).transpose()?;
        let hold = match (row.held_at, row.held_seconds) {
            (Some(since), Some(seconds)) => {
                let left = TimeDelta::try_seconds(seconds).ok_or_else(|| corrupt(format!("{seconds} seconds left")))?;
                Some(Hold { since, left })
            }
            _ => None,
        };
        Ok(Self {
            name: OpportunityName { account: codes::account_id(&row.account_id)?, id: row.opportunity_id },
            metric: row.metric,
            stage: codes::stage(row.stage)?,
            postponed: postponed_stage.zip(row.postponed_until),
            owner: OwnerChoice { email: row.owner_email, is_fallback: row.owner_is_fallback },
            current_plan: codes::plan_id(row.current_plan_id.as_deref())?,
            target_plan: codes::plan_id(row.target_plan_id.as_deref())?,
            expected_gain: codes::money(row.expected_currency.as_deref(), row.expected_minor_units)?,
            checklist: from_json(row.checklist)?,
            due_at: row.due_at,
            overdue_at: row.overdue_at,
            hold,
            holds: from_json(row.holds)?,
            hand_over: row.hand_over.map(from_json).transpose()?,
            lost_reason: row.lost_reason.map(codes::lost_reason).transpose()?,
            note: row.note,
            won_amount: codes::money(row.won_currency.as_deref(), row.won_minor_units)?,
            criteria: from_json(row.criteria)?,
            created_at: row.created_at,
            stage_at: row.stage_at,
            closed_at: row.closed_at,
            version: row.version,
        })
    }
}
