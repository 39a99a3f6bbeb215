//! What changes of an opportunity are asked for.

use std::collections::BTreeSet;

use mainstay_api::mainstay::expansion::v1 as proto;
use mainstay_domain::Violations;
use mainstay_rpc::{ApiError, caller, field_mask};
use mainstay_service::wire::complete;
use tonic::Request;

use crate::app::advance_opportunity::ChangeRequest;
use crate::app::update_opportunity::{Change, OpportunityChanges};
use crate::convert::opportunity::{gain, name, optional_email};
use crate::convert::plan::optional_plan;

/// Most characters of a note.
pub(super) const NOTE_LENGTH_MAX: usize = 2_000;

const OWNER_EMAIL: &str = "owner_email";
const TARGET_PLAN: &str = "target_plan";
const EXPECTED_GAIN: &str = "expected_gain";

/// Which opportunity is to change, and who asks for it, once the rest of the request was read.
pub(super) fn change<M>(
    request: &Request<M>,
    mut found: Violations,
    given_name: &str,
    etag: &str,
) -> Result<ChangeRequest, ApiError> {
    let name = name(&mut found, "name", given_name);
    let name = complete(found, name)?;
    Ok(ChangeRequest { name, etag: etag.to_owned(), actor: caller(request).identity })
}

/// The new values that an update names.
pub(super) fn changes(found: &mut Violations, asked: &proto::UpdateOpportunityRequest) -> OpportunityChanges {
    let given = asked.opportunity.clone().unwrap_or_default();
    found.require(asked.opportunity.is_some(), "opportunity", "is required");
    let set_fields = || {
        let set = [
            (OWNER_EMAIL, !given.owner_email.is_empty()),
            (TARGET_PLAN, !given.target_plan.is_empty()),
            (EXPECTED_GAIN, given.expected_gain.is_some()),
        ];
        set.into_iter().filter(|(_, is_set)| *is_set).map(|(field, _)| field).collect()
    };
    let known = [OWNER_EMAIL, TARGET_PLAN, EXPECTED_GAIN];
    let fields = match field_mask::resolve(asked.update_mask.as_ref(), &known, set_fields) {
        Ok(fields) => fields,
        Err(faults) => {
            found.extend(faults);
            BTreeSet::new()
        }
    };
    let mut changes = OpportunityChanges::default();
    if fields.contains(OWNER_EMAIL) {
        changes.owner_email = optional_email(found, "opportunity.owner_email", &given.owner_email);
        let has_owner = !given.owner_email.is_empty();
        found.require(has_owner, "opportunity.owner_email", "is required: each opportunity has an owner");
    }
    if fields.contains(TARGET_PLAN) {
        changes.target_plan = Change::Set(optional_plan(found, "opportunity.target_plan", &given.target_plan));
    }
    if fields.contains(EXPECTED_GAIN) {
        changes.expected_gain = Change::Set(gain(found, "opportunity.expected_gain", given.expected_gain.as_ref()));
    }
    changes
}
