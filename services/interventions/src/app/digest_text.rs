//! What a digest of billing alerts says.

use chrono::{DateTime, Utc};

use super::notify::subject_line;
use crate::domain::billing_digest::{BillingDigest, DigestEntry, LISTED_MAX, Shortlist};

/// Most alerts of a list in a channel, where many read and few scroll.
const POSTED_MAX: usize = 10;
/// What lists all that are open.
const LIST: &str = "mainstay alerts list --kind payment-failed,billing-dispute --limit 0";

/// From the digest before to this one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Period {
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
}

/// The subject line, and the head of a post.
pub(super) fn subject(digest: &BillingDigest) -> String {
    format!("Billing alerts: {}", digest.head())
}

/// What is written to a person.
pub(super) fn mail(digest: &BillingDigest, period: Period, person: &str) -> Vec<String> {
    let mut lines = vec![digest.head()];
    lines.extend(lists(digest, period, LISTED_MAX));
    let owner = if is_all_of(digest, person) { format!(" --owner {person}") } else { String::new() };
    lines.push(String::new());
    lines.push(format!("All that are open: {LIST}{owner}"));
    lines.push(format!("All that have ended: {LIST}{owner} --closed"));
    lines
}

/// Whether they own whatever is in it; who is told of others' alerts finds them among all.
fn is_all_of(digest: &BillingDigest, person: &str) -> bool {
    [&digest.new, &digest.ended, &digest.open]
        .into_iter()
        .all(|list| list.count() <= LISTED_MAX && list.first().all(|entry| entry.owner_email == person))
}

/// What a channel is told, below the head.
pub(super) fn post(digest: &BillingDigest, period: Period) -> Vec<String> {
    let mut lines = lists(digest, period, POSTED_MAX);
    lines.push(String::new());
    lines.push(format!("All that are open: {LIST}"));
    lines
}

fn lists(digest: &BillingDigest, period: Period, listed_max: usize) -> Vec<String> {
    let mut lines = vec![format!("From {} to {}", minute(period.start), minute(period.end))];
    if digest.unknown_arr_count > 0 {
        lines.push(format!("Accounts with open alerts whose ARR is not known: {}", digest.unknown_arr_count));
    }
    lines.extend(list("New", &digest.new, listed_max, new_lines));
    lines.extend(list("Ended", &digest.ended, listed_max, ended_lines));
    lines.extend(list("Open, what is overdue first", &digest.open, listed_max, open_lines));
    lines
}

fn list(
    heading: &str,
    list: &Shortlist,
    listed_max: usize,
    entry_lines: impl Fn(&DigestEntry) -> Vec<String>,
) -> Vec<String> {
    if list.count() == 0 {
        return Vec::new();
    }
    let mut lines = vec![String::new(), format!("{heading} ({}):", list.count())];
    lines.extend(list.first().take(listed_max).flat_map(entry_lines));
    if list.count() > listed_max {
        lines.push(format!("  … and {} more", list.count() - listed_max));
    }
    lines
}

fn new_lines(entry: &DigestEntry) -> Vec<String> {
    vec![format!("  {}; since {}", what(entry), minute(entry.happened_at))]
}

fn ended_lines(entry: &DigestEntry) -> Vec<String> {
    let how = entry.end.map(|(ended_at, resolution)| format!("; {}, {}", resolution.words(), minute(ended_at)));
    vec![format!("  {}{}", what(entry), how.unwrap_or_default())]
}

fn open_lines(entry: &DigestEntry) -> Vec<String> {
    let overdue = entry.overdue_since.map(|since| format!("overdue since {}", minute(since)));
    let next = entry.next_due_at.map(|due| format!("next due {}", minute(due)));
    let arr = entry.arr.map(|arr| format!("ARR {arr}"));
    let owner = Some(format!("owner {}", entry.owner_email));
    let facts: Vec<String> = [overdue, next, owner, arr].into_iter().flatten().collect();
    vec![format!("  {}", what(entry)), format!("    {}", facts.join("; "))]
}

/// Names and headlines come from other systems: one line, and not too long.
fn what(entry: &DigestEntry) -> String {
    subject_line(&format!("{} ({}): {}", entry.account_name, entry.account, entry.headline))
}

fn minute(time: DateTime<Utc>) -> String {
    time.format("%F %H:%M UTC").to_string()
}
