//! Tasks.

use mainstay_api::mainstay::interventions::v1 as proto;
use mainstay_service::wire::timestamp;

use super::names;
use crate::domain::task::{Task, TaskState};

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
    }
}
