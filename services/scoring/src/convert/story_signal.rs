//! Signals of tickets, invoices, disputes and contracts.

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_domain::Violations;

use crate::domain::billing::{DisputeAction, DisputeSignal, InvoiceAction, InvoiceSignal};
use crate::domain::json::Amount;
use crate::domain::lifecycle::{LifecycleSignal, PlanChangeDirection};
use crate::domain::signal::{Payload, Signal};
use crate::domain::ticket::{TicketAction, TicketPriority, TicketSignal, TicketStory};
use mainstay_service::wire::{money, money_message, time, timestamp};

/// An enum's value, or its fault and a value that stands in until the message is refused.
pub(super) fn value_or<T>(found: &mut Violations, field: &str, number: i32, value: Option<T>, stand_in: T) -> T {
    if number == 0 {
        found.add(field, "is required");
    } else if value.is_none() {
        found.add(field, format!("{number} is no value of it"));
    }
    value.unwrap_or(stand_in)
}

fn ticket_action(number: i32) -> Option<TicketAction> {
    match proto::TicketAction::try_from(number).ok()? {
        proto::TicketAction::Unspecified => None,
        proto::TicketAction::Opened => Some(TicketAction::Opened),
        proto::TicketAction::Updated => Some(TicketAction::Updated),
        proto::TicketAction::Escalated => Some(TicketAction::Escalated),
        proto::TicketAction::Resolved => Some(TicketAction::Resolved),
        proto::TicketAction::Reopened => Some(TicketAction::Reopened),
    }
}

const fn ticket_action_message(action: TicketAction) -> proto::TicketAction {
    match action {
        TicketAction::Opened => proto::TicketAction::Opened,
        TicketAction::Updated => proto::TicketAction::Updated,
        TicketAction::Escalated => proto::TicketAction::Escalated,
        TicketAction::Resolved => proto::TicketAction::Resolved,
        TicketAction::Reopened => proto::TicketAction::Reopened,
    }
}

fn priority(found: &mut Violations, field: &str, number: i32) -> Option<TicketPriority> {
    match proto::TicketPriority::try_from(number) {
        Ok(proto::TicketPriority::Unspecified) => None,
        Ok(proto::TicketPriority::Low) => Some(TicketPriority::Low),
        Ok(proto::TicketPriority::Normal) => Some(TicketPriority::Normal),
        Ok(proto::TicketPriority::High) => Some(TicketPriority::High),
        Ok(proto::TicketPriority::Urgent) => Some(TicketPriority::Urgent),
        Ok(proto::TicketPriority::Critical) => Some(TicketPriority::Critical),
        Err(_) => {
            found.add(field, format!("{number} is no value of it"));
            None
        }
    }
}

/// A priority as messages have it.
pub(crate) const fn priority_message(priority: TicketPriority) -> proto::TicketPriority {
    match priority {
        TicketPriority::Low => proto::TicketPriority::Low,
        TicketPriority::Normal => proto::TicketPriority::Normal,
        TicketPriority::High => proto::TicketPriority::High,
        TicketPriority::Urgent => proto::TicketPriority::Urgent,
        TicketPriority::Critical => proto::TicketPriority::Critical,
    }
}

fn invoice_action(number: i32) -> Option<InvoiceAction> {
    match proto::InvoiceAction::try_from(number).ok()? {
        proto::InvoiceAction::Unspecified => None,
        proto::InvoiceAction::Issued => Some(InvoiceAction::Issued),
        proto::InvoiceAction::Paid => Some(InvoiceAction::Paid),
        proto::InvoiceAction::PaymentFailed => Some(InvoiceAction::PaymentFailed),
        proto::InvoiceAction::Overdue => Some(InvoiceAction::Overdue),
        proto::InvoiceAction::Voided => Some(InvoiceAction::Voided),
    }
}

const fn invoice_action_message(action: InvoiceAction) -> proto::InvoiceAction {
    match action {
        InvoiceAction::Issued => proto::InvoiceAction::Issued,
        InvoiceAction::Paid => proto::InvoiceAction::Paid,
        InvoiceAction::PaymentFailed => proto::InvoiceAction::PaymentFailed,
        InvoiceAction::Overdue => proto::InvoiceAction::Overdue,
        InvoiceAction::Voided => proto::InvoiceAction::Voided,
    }
}

fn dispute_action(number: i32) -> Option<DisputeAction> {
    match proto::DisputeAction::try_from(number).ok()? {
        proto::DisputeAction::Unspecified => None,
        proto::DisputeAction::Opened => Some(DisputeAction::Opened),
        proto::DisputeAction::Closed => Some(DisputeAction::Closed),
    }
}

const fn dispute_action_message(action: DisputeAction) -> proto::DisputeAction {
    match action {
        DisputeAction::Opened => proto::DisputeAction::Opened,
        DisputeAction::Closed => proto::DisputeAction::Closed,
    }
}

fn plan_change_direction(found: &mut Violations, field: &str, number: i32) -> Option<PlanChangeDirection> {
    match proto::PlanChangeDirection::try_from(number) {
        Ok(proto::PlanChangeDirection::Unspecified) => None,
        Ok(proto::PlanChangeDirection::Upgrade) => Some(PlanChangeDirection::Upgrade),
        Ok(proto::PlanChangeDirection::Downgrade) => Some(PlanChangeDirection::Downgrade),
        Ok(proto::PlanChangeDirection::Lateral) => Some(PlanChangeDirection::Lateral),
        Err(_) => {
            found.add(field, format!("{number} is no value of it"));
            None
        }
    }
}

const fn plan_change_direction_message(direction: PlanChangeDirection) -> proto::PlanChangeDirection {
    match direction {
        PlanChangeDirection::Upgrade => proto::PlanChangeDirection::Upgrade,
        PlanChangeDirection::Downgrade => proto::PlanChangeDirection::Downgrade,
        PlanChangeDirection::Lateral => proto::PlanChangeDirection::Lateral,
    }
}

/// A ticket's signal of a message.
pub(super) fn ticket(found: &mut Violations, given: proto::TicketSignal) -> Payload {
    let action = ticket_action(given.action);
    Payload::Ticket(TicketSignal {
        ticket_id: given.ticket_id,
        action: value_or(found, "ticket.action", given.action, action, TicketAction::Updated),
        priority: priority(found, "ticket.priority", given.priority),
        subject: given.subject,
        text: given.text,
        requester_email: given.requester_email,
        satisfaction: given.satisfaction,
        first_response_at: time(found, "ticket.first_response_time", given.first_response_time.as_ref()),
        sentiment: given.sentiment,
        open: given.open,
    })
}

/// An invoice's signal of a message.
pub(super) fn invoice(found: &mut Violations, given: proto::InvoiceSignal) -> Payload {
    let action = invoice_action(given.action);
    Payload::Invoice(InvoiceSignal {
        invoice_id: given.invoice_id,
        action: value_or(found, "invoice.action", given.action, action, InvoiceAction::Issued),
        amount: money(found, "invoice.amount", given.amount.as_ref()).map(Amount),
        due_at: time(found, "invoice.due_time", given.due_time.as_ref()),
        failure_reason: given.failure_reason,
    })
}

/// A dispute's signal of a message.
pub(super) fn dispute(found: &mut Violations, given: proto::DisputeSignal) -> Payload {
    let action = dispute_action(given.action);
    Payload::Dispute(DisputeSignal {
        dispute_id: given.dispute_id,
        action: value_or(found, "dispute.action", given.action, action, DisputeAction::Opened),
        invoice_id: given.invoice_id,
        amount: money(found, "dispute.amount", given.amount.as_ref()).map(Amount),
        reason: given.reason,
    })
}

/// A contract's signal of a message; none when it does not say what happened, which is noted.
pub(super) fn lifecycle(found: &mut Violations, given: proto::LifecycleSignal) -> Option<Payload> {
    use proto::lifecycle_signal::Change;
    let told = match given.change {
        Some(Change::Activation(proto::Activation {})) => Some(LifecycleSignal::Activation),
        Some(Change::Milestone(given)) => Some(LifecycleSignal::Milestone { milestone: given.milestone }),
        Some(Change::Renewal(given)) => {
            let field = "lifecycle.renewal.renewal_time";
            found.require(given.renewal_time.is_some(), field, "is required");
            let renewal_at = time(found, field, given.renewal_time.as_ref());
            renewal_at.map(|renewal_at| LifecycleSignal::Renewal { renewal_at })
        }
        Some(Change::Churn(given)) => Some(LifecycleSignal::Churn { reason: given.reason }),
        Some(Change::SeatChange(given)) => Some(LifecycleSignal::SeatChange { seats: given.seats }),
        Some(Change::PlanChange(given)) => Some(plan_change(found, given)),
        None => {
            let changes = "activation, milestone, renewal, churn, seat_change, plan_change";
            found.add("lifecycle.change", format!("is required: one of {changes}"));
            None
        }
    };
    told.map(Payload::Lifecycle)
}

fn plan_change(found: &mut Violations, given: proto::PlanChange) -> LifecycleSignal {
    let says_something = !given.plan.is_empty() || given.arr.is_some() || given.direction != 0;
    found.require(says_something, "lifecycle.plan_change", "must say at least one of plan, arr and direction");
    LifecycleSignal::PlanChange {
        plan: given.plan,
        arr: money(found, "lifecycle.plan_change.arr", given.arr.as_ref()).map(Amount),
        direction: plan_change_direction(found, "lifecycle.plan_change.direction", given.direction),
    }
}

/// A ticket's signal as messages have it.
pub(super) fn ticket_message(told: TicketSignal) -> proto::TicketSignal {
    proto::TicketSignal {
        ticket_id: told.ticket_id,
        action: ticket_action_message(told.action).into(),
        priority: told.priority.map_or(proto::TicketPriority::Unspecified, priority_message).into(),
        subject: told.subject,
        text: told.text,
        requester_email: told.requester_email,
        satisfaction: told.satisfaction,
        first_response_time: told.first_response_at.map(timestamp),
        sentiment: told.sentiment,
        open: told.open,
    }
}

/// An invoice's signal as messages have it.
pub(super) fn invoice_message(told: InvoiceSignal) -> proto::InvoiceSignal {
    proto::InvoiceSignal {
        invoice_id: told.invoice_id,
        action: invoice_action_message(told.action).into(),
        amount: told.amount.map(|Amount(money)| money_message(money)),
        due_time: told.due_at.map(timestamp),
        failure_reason: told.failure_reason,
    }
}

/// A dispute's signal as messages have it.
pub(super) fn dispute_message(told: DisputeSignal) -> proto::DisputeSignal {
    proto::DisputeSignal {
        dispute_id: told.dispute_id,
        action: dispute_action_message(told.action).into(),
        invoice_id: told.invoice_id,
        amount: told.amount.map(|Amount(money)| money_message(money)),
        reason: told.reason,
    }
}

/// A contract's signal as messages have it.
pub(crate) fn lifecycle_message(told: &LifecycleSignal) -> proto::LifecycleSignal {
    use proto::lifecycle_signal::Change;
    let change = match told {
        LifecycleSignal::Activation => Change::Activation(proto::Activation {}),
        LifecycleSignal::Milestone { milestone } => {
            Change::Milestone(proto::Milestone { milestone: milestone.clone() })
        }
        LifecycleSignal::Renewal { renewal_at } => {
            Change::Renewal(proto::Renewal { renewal_time: Some(timestamp(*renewal_at)) })
        }
        LifecycleSignal::Churn { reason } => Change::Churn(proto::Churn { reason: reason.clone() }),
        LifecycleSignal::SeatChange { seats } => Change::SeatChange(proto::SeatChange { seats: *seats }),
        LifecycleSignal::PlanChange { plan, arr, direction } => Change::PlanChange(proto::PlanChange {
            plan: plan.clone(),
            arr: arr.map(|Amount(arr)| money_message(arr)),
            direction: direction.map(plan_change_direction_message).unwrap_or_default().into(),
        }),
    };
    proto::LifecycleSignal { change: Some(change) }
}

/// What an event says of a ticket that a signal moved.
pub(crate) fn ticket_changed(signal: &Signal, action: TicketAction, story: &TicketStory) -> proto::TicketChanged {
    proto::TicketChanged {
        ticket_id: signal.payload.story().map(|(_, id)| id.to_owned()).unwrap_or_default(),
        source: signal.source.clone(),
        action: ticket_action_message(action).into(),
        priority: priority_message(story.priority()).into(),
        subject: story.subject().to_owned(),
        requester_email: story.requester_email().to_owned(),
        satisfaction: story.satisfaction(),
    }
}
