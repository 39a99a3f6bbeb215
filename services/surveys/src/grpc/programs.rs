//! `mainstay.surveys.v1.ProgramService`.

use mainstay_api::mainstay::surveys::v1 as proto;
use mainstay_api::mainstay::surveys::v1::program_service_server::ProgramService;
use mainstay_domain::{ProgramId, Violations};
use mainstay_rpc::field_mask;
use mainstay_rpc::paging::{Page, PageRequest};
use mainstay_service::{request, wire};
use tonic::{Request, Response, Status};

use crate::app::{App, create_program, get_program, list_programs, move_program, preview_program, update_program};
use crate::convert;
use crate::domain::program::{ProgramMove, ProgramState};

const LIST_METHOD: &str = "ListPrograms";
const PREVIEW_METHOD: &str = "PreviewProgram";
/// What a list shows that names no states.
const LISTED_BY_DEFAULT: [ProgramState; 3] = [ProgramState::Draft, ProgramState::Published, ProgramState::Paused];

/// The service's RPCs over the use cases.
pub(crate) struct ProgramRpc {
    pub app: App,
}

#[tonic::async_trait]
impl ProgramService for ProgramRpc {
    async fn create_program(
        &self,
        request: Request<proto::CreateProgramRequest>,
    ) -> Result<Response<proto::Program>, Status> {
        let message = request.get_ref();
        let mutation = request::mutation(
            &request,
            "mainstay.surveys.v1.ProgramService/CreateProgram",
            &message.request_id,
            message.validate_only,
        )?;
        let mut found = Violations::new();
        let id = found.take("program_id", ProgramId::parse(&message.program_id));
        let given = message.program.as_ref();
        found.require(given.is_some(), "program", "must be given");
        let definition = given.and_then(|program| convert::program::definition(&mut found, program));
        let (id, definition) = wire::complete(found, id.zip(definition))?;
        let program =
            create_program::execute(&self.app, &mutation, &id, &definition, convert::program::message).await?;
        Ok(Response::new(program))
    }

    async fn get_program(
        &self,
        request: Request<proto::GetProgramRequest>,
    ) -> Result<Response<proto::Program>, Status> {
        let id = program_id(&request.get_ref().name)?;
        Ok(Response::new(convert::program::message(&get_program::execute(&self.app, &id).await?)))
    }

    async fn list_programs(
        &self,
        request: Request<proto::ListProgramsRequest>,
    ) -> Result<Response<proto::ListProgramsResponse>, Status> {
        let mut message = request.into_inner();
        let token = std::mem::take(&mut message.page_token);
        let page_size = std::mem::take(&mut message.page_size);
        let binding = request::page_binding(&message);
        let mut found = Violations::new();
        let mut states = convert::program::states(&mut found, &message.states);
        wire::complete(found, Some(()))?;
        if states.is_empty() {
            states.extend(LISTED_BY_DEFAULT);
        }
        let page = PageRequest::<String>::read(page_size, &token, LIST_METHOD, &binding)?;
        let rows = list_programs::execute(&self.app, &states, page.after.as_deref(), page.limit()).await?;
        let page = Page::from_rows(rows, page.size);
        let next_page_token = page.next_token(|program| program.id.to_string(), LIST_METHOD, &binding);
        let programs = page.items.iter().map(convert::program::message).collect();
        Ok(Response::new(proto::ListProgramsResponse { programs, next_page_token }))
    }

    async fn update_program(
        &self,
        request: Request<proto::UpdateProgramRequest>,
    ) -> Result<Response<proto::Program>, Status> {
        let message = request.get_ref();
        let mutation = request::mutation(
            &request,
            "mainstay.surveys.v1.ProgramService/UpdateProgram",
            &message.request_id,
            message.validate_only,
        )?;
        let message = request.into_inner();
        let given = message.program.unwrap_or_default();
        let mut found = Violations::new();
        let id = found.take("program.name", ProgramId::parse_name(&given.name));
        let fields = field_mask::resolve(message.update_mask.as_ref(), convert::program::UPDATABLE, || {
            convert::program::set_fields(&given)
        });
        let fields = fields.map_err(|faults| found.extend(faults)).ok();
        let (id, fields) = wire::complete(found, id.zip(fields))?;
        let change = |stored: &_| {
            let mut found = Violations::new();
            let replaced = convert::program::replaced(stored, &fields, &given);
            match convert::program::definition(&mut found, &replaced) {
                Some(definition) => found.into_result(definition),
                None => Err(found),
            }
        };
        let program =
            update_program::execute(&self.app, &mutation, &id, &given.etag, change, convert::program::message).await?;
        Ok(Response::new(program))
    }

    async fn preview_program(
        &self,
        request: Request<proto::PreviewProgramRequest>,
    ) -> Result<Response<proto::PreviewProgramResponse>, Status> {
        let mut message = request.into_inner();
        let token = std::mem::take(&mut message.page_token);
        let page_size = std::mem::take(&mut message.page_size);
        let binding = request::page_binding(&message);
        let id = program_id(&message.name)?;
        let page = PageRequest::<String>::read(page_size, &token, PREVIEW_METHOD, &binding)?;
        let rows = preview_program::execute(&self.app, &id, page.after.as_deref(), page.limit()).await?;
        let page = Page::from_rows(rows, page.size);
        let next_page_token = page.next_token(|preview| preview.account.id.to_string(), PREVIEW_METHOD, &binding);
        let accounts: Vec<_> = page.items.iter().map(convert::program::preview_message).collect();
        let asked = accounts.iter().flat_map(|account| &account.contacts).filter(|contact| contact.would_ask);
        let would_ask_count = wire::count(asked.count());
        Ok(Response::new(proto::PreviewProgramResponse { accounts, next_page_token, would_ask_count }))
    }

    async fn publish_program(
        &self,
        request: Request<proto::PublishProgramRequest>,
    ) -> Result<Response<proto::Program>, Status> {
        let message = request.get_ref();
        let method = "mainstay.surveys.v1.ProgramService/PublishProgram";
        let mutation = request::mutation(&request, method, &message.request_id, false)?;
        self.make_move(&mutation, &message.name, &message.etag, ProgramMove::Publish).await
    }

    async fn pause_program(
        &self,
        request: Request<proto::PauseProgramRequest>,
    ) -> Result<Response<proto::Program>, Status> {
        let message = request.get_ref();
        let method = "mainstay.surveys.v1.ProgramService/PauseProgram";
        let mutation = request::mutation(&request, method, &message.request_id, false)?;
        self.make_move(&mutation, &message.name, &message.etag, ProgramMove::Pause).await
    }

    async fn resume_program(
        &self,
        request: Request<proto::ResumeProgramRequest>,
    ) -> Result<Response<proto::Program>, Status> {
        let message = request.get_ref();
        let method = "mainstay.surveys.v1.ProgramService/ResumeProgram";
        let mutation = request::mutation(&request, method, &message.request_id, false)?;
        self.make_move(&mutation, &message.name, &message.etag, ProgramMove::Resume).await
    }

    async fn archive_program(
        &self,
        request: Request<proto::ArchiveProgramRequest>,
    ) -> Result<Response<proto::Program>, Status> {
        let message = request.get_ref();
        let method = "mainstay.surveys.v1.ProgramService/ArchiveProgram";
        let mutation = request::mutation(&request, method, &message.request_id, false)?;
        self.make_move(&mutation, &message.name, &message.etag, ProgramMove::Archive).await
    }
}

impl ProgramRpc {
    async fn make_move(
        &self,
        mutation: &mainstay_service::Mutation,
        name: &str,
        etag: &str,
        step: ProgramMove,
    ) -> Result<Response<proto::Program>, Status> {
        let id = program_id(name)?;
        let program = move_program::execute(&self.app, mutation, &id, etag, step, convert::program::message).await?;
        Ok(Response::new(program))
    }
}

fn program_id(name: &str) -> Result<ProgramId, Status> {
    let mut found = Violations::new();
    let id = found.take("name", ProgramId::parse_name(name));
    Ok(wire::complete(found, id)?)
}
