//! `mainstay.interventions.v1.PolicyService`.

use mainstay_api::mainstay::interventions::v1 as proto;
use mainstay_api::mainstay::interventions::v1::policy_service_server::PolicyService;
use mainstay_domain::Violations;
use mainstay_rpc::caller;
use mainstay_service::{request, wire};
use tonic::{Request, Response, Status};

use crate::app::{App, change_policy, lookups};
use crate::convert;

/// The service's RPCs over the use cases.
pub(crate) struct PolicyRpc {
    pub app: App,
}

#[tonic::async_trait]
impl PolicyService for PolicyRpc {
    async fn list_policies(
        &self,
        _: Request<proto::ListPoliciesRequest>,
    ) -> Result<Response<proto::ListPoliciesResponse>, Status> {
        let policies = lookups::policies(&self.app).await?;
        let policies = policies.iter().map(convert::policy::message).collect();
        Ok(Response::new(proto::ListPoliciesResponse { policies }))
    }

    async fn get_policy(&self, request: Request<proto::GetPolicyRequest>) -> Result<Response<proto::Policy>, Status> {
        let message = request.get_ref();
        let mut found = Violations::new();
        let id = convert::policy::name(&mut found, "name", &message.name);
        found.require(message.version >= 0, "version", "must be 0 for the newest, or a version");
        let id = wire::complete(found, id)?;
        let version = Some(message.version).filter(|version| *version > 0);
        let policy = lookups::policy(&self.app, id, version).await?;
        Ok(Response::new(convert::policy::message(&policy)))
    }

    async fn update_policy(
        &self,
        request: Request<proto::UpdatePolicyRequest>,
    ) -> Result<Response<proto::Policy>, Status> {
        const METHOD: &str = "mainstay.interventions.v1.PolicyService/UpdatePolicy";
        let message = request.get_ref();
        let mutation = request::mutation(&request, METHOD, &message.request_id, message.validate_only)?;
        let given = message.policy.clone().unwrap_or_default();
        let mut faults = Violations::new();
        let read = convert::policy::given(&mut faults, &given);
        let mut found = Violations::new();
        found.require(message.policy.is_some(), "policy", "is required");
        found.absorb("policy", faults);
        let (id, definition) = wire::complete(found, read)?;
        let expected_version = Some(given.version).filter(|version| *version > 0);
        let actor = caller(&request).identity;
        let answer = convert::policy::message;
        let policy =
            change_policy::execute(&self.app, &mutation, id, &definition, expected_version, &actor, answer).await?;
        Ok(Response::new(policy))
    }
}
