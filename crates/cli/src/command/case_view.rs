//! How a case is shown.

use comfy_table::Cell;
use mainstay_api::mainstay::interventions::v1 as proto;

use crate::command::alert_view::show_clocks;
use crate::due::{due_cell, due_text};
use crate::failure::Failure;
use crate::money;
use crate::output::Output;
use crate::table::{facts, percent, points};
use crate::words::interventions::{clock_step, enum_word};
use crate::words::{counted, id_of, time_text};

/// A line of a list.
pub(crate) fn row(case: &proto::Case) -> Vec<Cell> {
    let priority = case.priority.clone().unwrap_or_default();
    let last = match case.close_time {
        Some(closed) => Cell::new(time_text(Some(closed))),
        None => due_cell(case.next_due_time),
    };
    vec![
        Cell::new(id_of(&case.name)),
        Cell::new(id_of(&case.account)),
        Cell::new(enum_word(case.kind().as_str_name(), "CASE_KIND_")),
        Cell::new(state(case)),
        Cell::new(priority.expected_gain.as_ref().map(money::format).unwrap_or_default()),
        Cell::new(percent(priority.save_chance)),
        Cell::new(&case.owner_email),
        last,
    ]
}

fn state(case: &proto::Case) -> String {
    match case.outcome() {
        proto::CaseOutcome::Unspecified => enum_word(case.state().as_str_name(), "CASE_STATE_"),
        outcome => enum_word(outcome.as_str_name(), "CASE_OUTCOME_"),
    }
}

/// All that is known of a case.
pub(crate) fn show(case: &proto::Case, output: &mut Output) -> Result<(), Failure> {
    if output.is_json() {
        return Ok(output.json_object(case)?);
    }
    let priority = case.priority.clone().unwrap_or_default();
    let mut rows = vec![
        ("case", id_of(&case.name).to_owned()),
        ("account", format!("{} ({})", case.account_display_name, id_of(&case.account))),
        ("kind", enum_word(case.kind().as_str_name(), "CASE_KIND_")),
        ("state", format!("{} since {}", state(case), time_text(case.state_time))),
        ("owner", case.owner_email.clone()),
    ];
    if let (Some(gain), Some(revenue)) = (&priority.expected_gain, &priority.revenue_at_risk) {
        let parts = format!(
            "{} = {} at risk × {} decline × {} chance",
            money::format(gain),
            money::format(revenue),
            percent(priority.decline),
            percent(priority.save_chance)
        );
        rows.push(("priority", parts));
    }
    rows.push(("chance to save", chance_text(&priority)));
    let scores = [("score at opening", case.score_at_open), ("score at the end", case.score_at_close)];
    rows.extend(scores.into_iter().filter_map(|(name, score)| Some((name, points(Some(score?))))));
    rows.extend(case.survey_score.map(|score| ("answered", format!("{score} of 10"))));
    rows.extend(case.resurvey_score.map(|score| ("asked again", format!("{score} of 10"))));
    let steps: Vec<String> =
        case.assessment_steps().map(|step| enum_word(step.as_str_name(), "ASSESSMENT_STEP_")).collect();
    if !steps.is_empty() {
        rows.push(("assessed", steps.join(", ")));
    }
    for (name, text) in [
        ("root cause", &case.root_cause),
        ("plan", &case.plan),
        ("resolution", &case.resolution),
        ("what worked", &case.what_worked),
        ("because", &case.outcome_notes),
    ] {
        if !text.is_empty() {
            rows.push((name, text.clone()));
        }
    }
    output.table(facts(rows))?;
    output.line("")?;
    show_clocks(&case.clocks, output)
}

/// The chance to save the customer, and what it is made of.
fn chance_text(priority: &proto::CasePriority) -> String {
    let chance = percent(priority.save_chance);
    if priority.save_chance_cases == 0 {
        return format!("{chance}, the target: no case of its kind and segment ended before");
    }
    let closed = counted(priority.save_chance_cases.into(), "closed case");
    format!(
        "{chance}, from {closed} of its kind and segment (as deep at opening: {})",
        priority.save_chance_alike_cases
    )
}

/// Where a case is, and what is due in it.
pub(crate) fn say(case: &proto::Case, output: &mut Output) -> Result<(), Failure> {
    if output.is_json() {
        return Ok(output.json_object(case)?);
    }
    let running = case.clocks.iter().filter(|clock| clock.state() == proto::ClockState::Running);
    let next = running.min_by_key(|clock| clock.due_time.map(|due| due.seconds));
    let due = match next {
        Some(clock) if case.close_time.is_none() => {
            format!("; next: {}, {}", clock_step(clock.step()), due_text(clock.due_time))
        }
        _ => String::new(),
    };
    Ok(output.line(&format!("The case of {}: {}{due}.", case.account_display_name, state(case)))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r79_the_chance_says_what_it_is_made_of() {
        let chance = |save_chance, save_chance_cases, save_chance_alike_cases| {
            let parts =
                proto::CasePriority { save_chance, save_chance_cases, save_chance_alike_cases, ..Default::default() };
            chance_text(&parts)
        };
        assert_eq!(chance(0.75, 0, 0), "75%, the target: no case of its kind and segment ended before");
        assert_eq!(chance(0.5, 1, 0), "50%, from 1 closed case of its kind and segment (as deep at opening: 0)");
        assert_eq!(chance(0.3, 12, 6), "30%, from 12 closed cases of its kind and segment (as deep at opening: 6)");
    }
}
