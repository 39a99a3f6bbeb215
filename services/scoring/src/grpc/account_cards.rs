//! `mainstay.scoring.v1.AccountCardService`.

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::account_card_service_server::AccountCardService;
use mainstay_domain::{AccountId, Violations};
use mainstay_service::wire;
use tonic::{Request, Response, Status};

use crate::app::{App, get_account_card};
use crate::convert;

/// The service's RPCs over the use cases.
pub(crate) struct AccountCardRpc {
    pub app: App,
}

#[tonic::async_trait]
impl AccountCardService for AccountCardRpc {
    async fn get_account_card(
        &self,
        request: Request<proto::GetAccountCardRequest>,
    ) -> Result<Response<proto::AccountCard>, Status> {
        let mut found = Violations::new();
        let account = found.take("account", AccountId::parse_name(&request.get_ref().account));
        let account = wire::complete(found, account)?;
        let card = get_account_card::execute(&self.app, &account).await?;
        Ok(Response::new(convert::account_card::message(&card)))
    }
}
