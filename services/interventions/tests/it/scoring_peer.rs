//! Scoring as a service that is asked by RPC: it says of every account the score that a test wants.

use std::sync::{Arc, Mutex, PoisonError};

use futures::stream::Empty;
use mainstay_api::google::longrunning::Operation;
use mainstay_api::mainstay::scoring::v1 as scoring;
use mainstay_api::mainstay::scoring::v1::health_service_server::{HealthService, HealthServiceServer};
use mainstay_clients::{ChannelSettings, ServiceChannel};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, async_trait};

/// What it says; nothing: it is away.
#[derive(Debug, Clone, Default)]
pub(crate) struct ScoringSays(Arc<Mutex<Option<f64>>>);

impl ScoringSays {
    /// Starts it on a socket, and gives a channel to it.
    pub(crate) fn start(self) -> ServiceChannel {
        let incoming = TcpIncoming::bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
        let address = incoming.local_addr().expect("bound");
        let server = Server::builder().add_service(HealthServiceServer::new(self));
        tokio::spawn(server.serve_with_incoming(incoming));
        let settings = ChannelSettings::new(address.to_string().parse().expect("an address"));
        mainstay_clients::connect(settings).expect("a channel")
    }

    pub(crate) fn say(&self, score: Option<f64>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = score;
    }

    fn score(&self) -> Result<f64, Status> {
        let score = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        score.ok_or_else(|| Status::failed_precondition("closed for today"))
    }
}

fn unserved<T>() -> Result<Response<T>, Status> {
    Err(Status::unimplemented("not here"))
}

#[async_trait]
impl HealthService for ScoringSays {
    type WatchHealthStream = Empty<Result<scoring::WatchHealthResponse, Status>>;

    async fn get_health(
        &self,
        request: Request<scoring::GetHealthRequest>,
    ) -> Result<Response<scoring::Health>, Status> {
        let account = request.into_inner().account;
        Ok(Response::new(scoring::Health { account, score: Some(self.score()?), ..Default::default() }))
    }

    async fn explain_health(
        &self,
        _: Request<scoring::ExplainHealthRequest>,
    ) -> Result<Response<scoring::HealthExplanation>, Status> {
        let sentences = vec![format!("Health is {:.1} of 100.", self.score()?)];
        Ok(Response::new(scoring::HealthExplanation { sentences, ..Default::default() }))
    }

    async fn batch_get_health(
        &self,
        _: Request<scoring::BatchGetHealthRequest>,
    ) -> Result<Response<scoring::BatchGetHealthResponse>, Status> {
        unserved()
    }

    async fn list_health(
        &self,
        _: Request<scoring::ListHealthRequest>,
    ) -> Result<Response<scoring::ListHealthResponse>, Status> {
        unserved()
    }

    async fn summarize_health(
        &self,
        _: Request<scoring::SummarizeHealthRequest>,
    ) -> Result<Response<scoring::HealthSummary>, Status> {
        unserved()
    }

    async fn get_health_history(
        &self,
        _: Request<scoring::GetHealthHistoryRequest>,
    ) -> Result<Response<scoring::GetHealthHistoryResponse>, Status> {
        unserved()
    }

    async fn watch_health(
        &self,
        _: Request<scoring::WatchHealthRequest>,
    ) -> Result<Response<Self::WatchHealthStream>, Status> {
        unserved()
    }

    async fn recompute_health(
        &self,
        _: Request<scoring::RecomputeHealthRequest>,
    ) -> Result<Response<Operation>, Status> {
        unserved()
    }
}
