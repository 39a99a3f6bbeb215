//! Tasks.

use mainstay_api::mainstay::interventions::v1 as proto;
use mainstay_service::wire::timestamp;

use super::names;
use crate::domain::task::{Task, TaskResource, TaskState};

/// A task as messages have it.
pub(crate) fn message(task: &Task) -> proto::Task {
    let state = match task.state {
        TaskState::Open => proto::TaskState::Open,
        TaskState::Done => proto::TaskState::Done,
        TaskState::Cancelled => proto::TaskState::Cancelled,
    };
    proto::Task {
        name: names::task(task.id),
        case: names::case(task.case),
        account: task.account.name(),
        title: task.title.clone(),
        owner_email: task.owner_email.clone(),
        due_time: Some(timestamp(task.due_at)),
        state: state.into(),
        overdue: task.is_overdue,
        create_time: Some(timestamp(task.created_at)),
        end_time: task.ended_at.map(timestamp),
        resource: resource_message(task.resource).into(),
    }
}

fn resource_message(resource: TaskResource) -> proto::TaskResource {
    match resource {
        TaskResource::General => proto::TaskResource::Unspecified,
        TaskResource::Technical => proto::TaskResource::Technical,
        TaskResource::Training => proto::TaskResource::Training,
        TaskResource::Product => proto::TaskResource::Product,
    }
}

/// What kind of help a task takes, of a message.
pub(crate) fn resource(number: i32) -> Option<TaskResource> {
    match proto::TaskResource::try_from(number).ok()? {
        proto::TaskResource::Unspecified => Some(TaskResource::General),
        proto::TaskResource::Technical => Some(TaskResource::Technical),
        proto::TaskResource::Training => Some(TaskResource::Training),
        proto::TaskResource::Product => Some(TaskResource::Product),
    }
}
