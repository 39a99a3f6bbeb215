//! `mainstay.scoring.v1.DefinitionService`.

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::definition_service_server::DefinitionService;
use mainstay_domain::Violations;
use mainstay_service::wire;
use tonic::{Request, Response, Status};

use crate::app::{App, list_definitions};
use crate::convert;

/// The service's RPCs over the use cases.
pub(crate) struct DefinitionRpc {
    pub app: App,
}

#[tonic::async_trait]
impl DefinitionService for DefinitionRpc {
    async fn get_definition(
        &self,
        request: Request<proto::GetDefinitionRequest>,
    ) -> Result<Response<proto::Definition>, Status> {
        let mut found = Violations::new();
        let id = convert::definition::parse_name(&mut found, "name", &request.get_ref().name);
        let id = wire::complete(found, id)?;
        let definition = list_definitions::one(&self.app, &id).await?;
        Ok(Response::new(convert::definition::message(&definition)))
    }

    async fn list_definitions(
        &self,
        _request: Request<proto::ListDefinitionsRequest>,
    ) -> Result<Response<proto::ListDefinitionsResponse>, Status> {
        let definitions = list_definitions::execute(&self.app).await?;
        Ok(Response::new(convert::definition::list(&definitions)))
    }
}
