//! The second half of `mainstay health explain`: what is behind a fall, what to do, and what would lift the score.

use comfy_table::Table;
use mainstay_api::mainstay::scoring::v1 as proto;

use crate::failure::Failure;
use crate::output::Output;
use crate::table::{points, table};
use crate::words::missing_reason;

/// Shows it, as far as there is anything to say.
pub(crate) fn show(explanation: &proto::HealthExplanation, output: &mut Output) -> Result<(), Failure> {
    let headline = match explanation.decline_since_day.as_str() {
        "" => "What is behind it".to_owned(),
        day => format!("What is behind it since {day}"),
    };
    show_causes(&headline, &explanation.decline_triggers, &explanation.recommended_steps, output)?;
    if let Some(lift) = &explanation.lift {
        output.line("")?;
        for line in lift_lines(lift) {
            output.line(&line)?;
        }
    }
    Ok(())
}

/// Shows what is behind a fall, and what to do.
pub(crate) fn show_causes(
    headline: &str,
    triggers: &[proto::DeclineTrigger],
    steps: &[proto::RecommendedStep],
    output: &mut Output,
) -> Result<(), Failure> {
    if !triggers.is_empty() {
        output.line("")?;
        output.line(headline)?;
        output.table(decline_table(triggers))?;
    }
    if !steps.is_empty() {
        output.line("")?;
        output.line("What to do")?;
        output.table(steps_table(steps))?;
    }
    Ok(())
}

fn decline_table(triggers: &[proto::DeclineTrigger]) -> Table {
    let mut table = table(&[">COST", "WHAT HAPPENED"]);
    for trigger in triggers {
        let cost = if trigger.points > 0.0 { points(Some(trigger.points)) } else { points(None) };
        table.add_row([cost, trigger.sentence.clone()]);
    }
    table
}

fn steps_table(steps: &[proto::RecommendedStep]) -> Table {
    let mut table = table(&["WHO", "STEP"]);
    for step in steps {
        table.add_row([role(step.role()), &step.sentence]);
    }
    table
}

fn role(role: proto::StepRole) -> &'static str {
    match role {
        proto::StepRole::Unspecified => "",
        proto::StepRole::Csm => "CSM",
        proto::StepRole::CsmDirector => "CSM director",
        proto::StepRole::FinanceContact => "finance contact",
        proto::StepRole::Support => "support",
    }
}

fn lift_lines(lift: &proto::Lift) -> Vec<String> {
    let (above, reached) = (lift.above, points(Some(lift.score)));
    let headline = match (lift.attainable, lift.steps.is_empty()) {
        (true, _) => format!("What would lift it above {above}, to {reached}"),
        (false, false) => format!("Nothing lifts it above {above}; all that can be gained makes it {reached}"),
        (false, true) => format!("Nothing lifts it above {above}: no measure can add more"),
    };
    let steps = lift.steps.iter().map(|step| format!("  {}.", step.sentence));
    let obstacles: Vec<String> = lift.obstacles.iter().map(obstacle).collect();
    let obstacles =
        (!lift.attainable && !obstacles.is_empty()).then(|| format!("  No help: {}.", obstacles.join(", ")));
    std::iter::once(headline).chain(steps).chain(obstacles).collect()
}

fn obstacle(obstacle: &proto::LiftObstacle) -> String {
    let why = match obstacle.reason() {
        proto::LiftObstacleReason::Unspecified => "",
        proto::LiftObstacleReason::Missing => missing_reason(obstacle.missing_reason()),
        proto::LiftObstacleReason::AtItsBest => "gives all it can",
        proto::LiftObstacleReason::OnlyTime => "only time moves it",
    };
    format!("{} ({why})", obstacle.display_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_stand_beside_what_they_cost() {
        let trigger = |points, sentence: &str| proto::DeclineTrigger {
            points,
            sentence: sentence.to_owned(),
            ..proto::DeclineTrigger::default()
        };
        let mut table = decline_table(&[trigger(17.5, "Active days: fell"), trigger(0.0, "Invoice in_1 is unpaid")]);
        table.force_no_tty();
        let expected = "\
COST  WHAT HAPPENED
17.5  Active days: fell
   –  Invoice in_1 is unpaid";
        assert_eq!(table.trim_fmt(), expected);
    }

    #[test]
    fn what_cannot_be_reached_is_said() {
        let step =
            proto::LiftStep { sentence: "Seats: 10 instead of 8, which adds 12.0".to_owned(), ..Default::default() };
        let obstacle = proto::LiftObstacle {
            display_name: "Trend".to_owned(),
            reason: proto::LiftObstacleReason::Missing.into(),
            missing_reason: proto::MissingReason::Stale.into(),
            ..Default::default()
        };
        let lift =
            proto::Lift { above: 70.0, attainable: true, score: 72.0, steps: vec![step], obstacles: vec![obstacle] };
        let step = "  Seats: 10 instead of 8, which adds 12.0.";
        assert_eq!(lift_lines(&lift), ["What would lift it above 70, to 72.0", step]);
        let short = proto::Lift { attainable: false, score: 64.0, ..lift };
        let expected = [
            "Nothing lifts it above 70; all that can be gained makes it 64.0",
            step,
            "  No help: Trend (data too old).",
        ];
        assert_eq!(lift_lines(&short), expected);
        let nothing = proto::Lift { steps: Vec::new(), obstacles: Vec::new(), ..short };
        assert_eq!(lift_lines(&nothing), ["Nothing lifts it above 70: no measure can add more"]);
    }
}
