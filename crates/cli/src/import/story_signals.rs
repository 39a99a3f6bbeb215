//! Signals of tickets, invoices, disputes, contracts, answers and contacts from rows.

use mainstay_adapters::{ticket_action, ticket_priority};
use mainstay_api::mainstay::scoring::v1::lifecycle_signal::Change;
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use mainstay_api::mainstay::scoring::v1::{
    Activation, Churn, DisputeAction, DisputeSignal, InvoiceAction, InvoiceSignal, LifecycleSignal, Milestone,
    PlanChange, PlanChangeDirection, Renewal, SeatChange, SurveyAnswerSignal, SurveyQuestion, TicketSignal,
    TouchSignal,
};

use crate::import::fields::FieldReader;
use crate::import::values::{DateReader, number, whole_number};
use crate::money;

/// A word of an enum: its name without the prefix, in any case, with spaces, hyphens or underscores.
pub(super) fn word<T>(text: &str, what: &str, words: &[(&str, T)]) -> Result<T, String>
where
    T: Copy,
{
    let given = text.trim().to_lowercase().replace([' ', '-'], "_");
    let known = words.iter().find(|(word, _)| *word == given);
    known.map(|(_, value)| *value).ok_or_else(|| {
        let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        format!("`{text}` is no {what}: {}", all.join(", "))
    })
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    word(text, "yes or no", &[("yes", true), ("no", false), ("true", true), ("false", false)])
}

/// What happened to a ticket.
pub(crate) fn ticket(fields: &mut FieldReader<'_>, dates: &DateReader) -> Payload {
    let rating = |text: &str| {
        whole_number(text).and_then(|number| i32::try_from(number).map_err(|_| "must be 1 to 5".to_owned()))
    };
    Payload::Ticket(TicketSignal {
        ticket_id: fields.required_text("ticket_id"),
        action: fields.required("action", ticket_action).unwrap_or_default().into(),
        priority: fields.read("priority", ticket_priority).unwrap_or_default().into(),
        subject: fields.text("subject"),
        text: fields.text("text"),
        requester_email: fields.text("requester_email"),
        satisfaction: fields.read("satisfaction", rating),
        first_response_time: fields.read("first_response_time", |text| dates.read(text)),
        sentiment: fields.read("sentiment", number),
        open: fields.read("open", yes_or_no).unwrap_or_default(),
    })
}

/// What happened to an invoice.
pub(crate) fn invoice(fields: &mut FieldReader<'_>, dates: &DateReader) -> Payload {
    let action = |text: &str| {
        let words = [
            ("issued", InvoiceAction::Issued),
            ("paid", InvoiceAction::Paid),
            ("payment_failed", InvoiceAction::PaymentFailed),
            ("overdue", InvoiceAction::Overdue),
            ("voided", InvoiceAction::Voided),
        ];
        word(text, "action of an invoice", &words)
    };
    let currency = fields.mapping.value("currency", fields.row);
    Payload::Invoice(InvoiceSignal {
        invoice_id: fields.required_text("invoice_id"),
        action: fields.required("action", action).unwrap_or_default().into(),
        amount: fields.read("amount", |text| money::parse(text, currency)),
        due_time: fields.read("due_time", |text| dates.read(text)),
        failure_reason: fields.text("failure_reason"),
    })
}

/// What happened to a dispute.
pub(crate) fn dispute(fields: &mut FieldReader<'_>) -> Payload {
    let action = |text: &str| {
        let words = [("opened", DisputeAction::Opened), ("closed", DisputeAction::Closed)];
        word(text, "action of a dispute", &words)
    };
    let currency = fields.mapping.value("currency", fields.row);
    Payload::Dispute(DisputeSignal {
        dispute_id: fields.required_text("dispute_id"),
        action: fields.required("action", action).unwrap_or_default().into(),
        invoice_id: fields.text("invoice_id"),
        amount: fields.read("amount", |text| money::parse(text, currency)),
        reason: fields.text("reason"),
    })
}

/// An answer to a survey.
pub(crate) fn survey_answer(fields: &mut FieldReader<'_>) -> Payload {
    let question = |text: &str| {
        let words = [("nps", SurveyQuestion::Nps), ("csat", SurveyQuestion::Csat), ("ces", SurveyQuestion::Ces)];
        word(text, "question of a survey", &words)
    };
    let score = |text: &str| {
        whole_number(text).and_then(|number| i32::try_from(number).map_err(|_| "is out of range".to_owned()))
    };
    Payload::SurveyAnswer(SurveyAnswerSignal {
        question: fields.required("question", question).unwrap_or_default().into(),
        score: fields.required("score", score).unwrap_or_default(),
        contact_id: fields.text("contact_id"),
        comment: fields.text("comment"),
    })
}

/// A contact.
pub(crate) fn touch(fields: &mut FieldReader<'_>) -> Payload {
    let is_inbound = |text: &str| word(text, "direction", &[("inbound", true), ("outbound", false)]);
    Payload::Touch(TouchSignal {
        inbound: fields.required("direction", is_inbound).unwrap_or_default(),
        answered: fields.read("answered", yes_or_no).unwrap_or_default(),
    })
}

/// What happened to a contract.
#[derive(Debug, Clone, Copy)]
enum ContractAction {
    Activation,
    Milestone,
    Renewal,
    Churn,
    SeatChange,
    PlanChange(PlanChangeDirection),
}

/// What happened to a contract.
pub(crate) fn lifecycle(fields: &mut FieldReader<'_>, dates: &DateReader) -> Payload {
    let action = |text: &str| {
        let words = [
            ("activation", ContractAction::Activation),
            ("milestone", ContractAction::Milestone),
            ("renewal", ContractAction::Renewal),
            ("churn", ContractAction::Churn),
            ("seat_change", ContractAction::SeatChange),
            ("upgrade", ContractAction::PlanChange(PlanChangeDirection::Upgrade)),
            ("downgrade", ContractAction::PlanChange(PlanChangeDirection::Downgrade)),
            ("plan_change", ContractAction::PlanChange(PlanChangeDirection::Unspecified)),
        ];
        word(text, "action of a contract", &words)
    };
    let change = fields.required("action", action).map(|action| match action {
        ContractAction::Activation => Change::Activation(Activation {}),
        ContractAction::Milestone => Change::Milestone(Milestone { milestone: fields.required_text("milestone") }),
        ContractAction::Renewal => {
            Change::Renewal(Renewal { renewal_time: fields.required("renewal_time", |text| dates.read(text)) })
        }
        ContractAction::Churn => Change::Churn(Churn { reason: fields.text("reason") }),
        ContractAction::SeatChange => {
            Change::SeatChange(SeatChange { seats: fields.required("seats", whole_number).unwrap_or_default() })
        }
        ContractAction::PlanChange(direction) => Change::PlanChange(plan_change(fields, direction)),
    });
    Payload::Lifecycle(LifecycleSignal { change })
}

fn plan_change(fields: &mut FieldReader<'_>, direction: PlanChangeDirection) -> PlanChange {
    let currency = fields.mapping.value("currency", fields.row);
    let says_something = direction != PlanChangeDirection::Unspecified
        || ["plan", "arr"].iter().any(|field| fields.mapping.value(field, fields.row).is_some());
    fields.faults.require(says_something, "plan", "is missing, and so is arr: a plan_change says at least one of them");
    PlanChange {
        plan: fields.text("plan"),
        arr: fields.read("arr", |text| money::parse(text, currency)),
        direction: direction.into(),
    }
}
