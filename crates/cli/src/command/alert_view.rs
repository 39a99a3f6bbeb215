//! How an alert is shown.

use comfy_table::{Cell, Color};
use mainstay_api::mainstay::interventions::v1 as proto;

use crate::due::{due_cell, due_text};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{facts, points, table};
use crate::words::interventions::{clock_state, clock_step, enum_word};
use crate::words::{id_of, time_text};

/// The headings of a list; the last is what the last column tells.
pub(crate) fn headings(last: &'static str) -> [&'static str; 6] {
    ["ALERT", "ACCOUNT", "WHAT", "STATE", "OWNER", last]
}

/// A line of a list.
pub(crate) fn row(alert: &proto::Alert) -> Vec<Cell> {
    let what = match alert.occurrence_count {
        1 => alert.headline.clone(),
        times => format!("{} (×{times})", alert.headline),
    };
    let color = match alert.severity() {
        proto::AlertSeverity::Critical => Some(Color::Red),
        proto::AlertSeverity::High => Some(Color::Yellow),
        proto::AlertSeverity::Warning | proto::AlertSeverity::Unspecified => None,
    };
    let what = match color {
        Some(color) => Cell::new(what).fg(color),
        None => Cell::new(what),
    };
    let last = match alert.close_time {
        Some(closed) => Cell::new(time_text(Some(closed))),
        None => due_cell(alert.next_due_time),
    };
    vec![
        Cell::new(id_of(&alert.name)),
        Cell::new(id_of(&alert.account)),
        what,
        Cell::new(enum_word(alert.state().as_str_name(), "ALERT_STATE_")),
        Cell::new(&alert.owner_email),
        last,
    ]
}

/// All that is known of an alert.
pub(crate) fn show(alert: &proto::Alert, output: &mut Output) -> Result<(), Failure> {
    if output.is_json() {
        return Ok(output.json_object(alert)?);
    }
    let fallback = if alert.owner_is_fallback { " (nobody is known who looks after the account)" } else { "" };
    let mut rows = vec![
        ("alert", id_of(&alert.name).to_owned()),
        ("account", format!("{} ({})", alert.account_display_name, id_of(&alert.account))),
        ("what", alert.headline.clone()),
    ];
    rows.extend(alert.details.iter().map(|detail| ("", detail.clone())));
    rows.push(("state", enum_word(alert.state().as_str_name(), "ALERT_STATE_")));
    rows.push(("severity", enum_word(alert.severity().as_str_name(), "ALERT_SEVERITY_")));
    rows.push(("owner", format!("{}{fallback}", alert.owner_email)));
    rows.push(("since", time_text(alert.alert_time)));
    if alert.occurrence_count > 1 {
        rows.push(("times", format!("{}, last {}", alert.occurrence_count, time_text(alert.last_occurrence_time))));
    }
    rows.extend(alert.score.map(|score| ("score", points(Some(score)))));
    for (name, text) in [
        ("assessed", &alert.assessment),
        ("plan", &alert.plan),
        ("done", &alert.execution),
        (if alert.issue_resolved { "found resolved" } else { "found unresolved" }, &alert.follow_up),
        ("because", &alert.resolution_notes),
    ] {
        if !text.is_empty() {
            rows.push((name, text.clone()));
        }
    }
    if !alert.case.is_empty() {
        rows.push(("case", id_of(&alert.case).to_owned()));
    }
    rows.push(("policy", id_of(&alert.policy).to_owned()));
    output.table(facts(rows))?;
    output.line("")?;
    show_clocks(&alert.clocks, output)
}

/// What is due when, and how it went.
pub(crate) fn show_clocks(clocks: &[proto::Clock], output: &mut Output) -> Result<(), Failure> {
    let mut table = table(&["DEADLINE", "DUE", "STATE"]);
    for clock in clocks {
        table.add_row([
            Cell::new(clock_step(clock.step())),
            Cell::new(time_text(clock.due_time)),
            match clock.state() {
                proto::ClockState::Running => Cell::new(due_text(clock.due_time)),
                proto::ClockState::Breached => Cell::new(clock_state(clock)).fg(Color::Red),
                _ => Cell::new(clock_state(clock)),
            },
        ]);
    }
    Ok(output.table(table)?)
}
