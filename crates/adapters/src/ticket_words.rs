//! The words for what happens to tickets, and for how urgent they are; in any case.

use mainstay_api::mainstay::scoring::v1::{TicketAction, TicketPriority};

/// What happened to a ticket, by its word.
///
/// # Errors
/// It is no such word: the text names those that are.
pub fn ticket_action(text: &str) -> Result<TicketAction, String> {
    let words = [
        ("opened", TicketAction::Opened),
        ("updated", TicketAction::Updated),
        ("escalated", TicketAction::Escalated),
        ("resolved", TicketAction::Resolved),
        ("reopened", TicketAction::Reopened),
    ];
    meaning(text, "action of a ticket", &words)
}

/// How urgent a ticket is, by its word.
///
/// # Errors
/// It is no such word: the text names those that are.
pub fn ticket_priority(text: &str) -> Result<TicketPriority, String> {
    let words = [
        ("low", TicketPriority::Low),
        ("normal", TicketPriority::Normal),
        ("high", TicketPriority::High),
        ("urgent", TicketPriority::Urgent),
        ("critical", TicketPriority::Critical),
    ];
    meaning(text, "priority", &words)
}

fn meaning<T: Copy>(text: &str, what: &str, words: &[(&str, T)]) -> Result<T, String> {
    let given = text.trim().to_lowercase();
    words.iter().find(|(word, _)| *word == given).map(|(_, meaning)| *meaning).ok_or_else(|| {
        let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        format!("`{text}` is no {what}: {}", all.join(", "))
    })
}
