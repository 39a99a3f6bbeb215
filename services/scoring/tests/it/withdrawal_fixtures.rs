//! Signals of all kinds, their withdrawal, and all that is made of an account's signals.

use mainstay_api::mainstay::common::v1::Money;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use proto::lifecycle_signal::Change;
use tonic::Status;

use crate::harness::{Harness, at, signal};

/// How many kinds of signals can be withdrawn.
pub(crate) const KINDS: u32 = 16;
/// That of how cases ended, of which no row is made.
pub(crate) const CASE_OUTCOME: u32 = 15;

/// Asks for the withdrawal of signals of `test`.
pub(crate) fn request(id: &str, source_ids: &[&str]) -> proto::WithdrawSignalsRequest {
    proto::WithdrawSignalsRequest {
        account: format!("accounts/{id}"),
        source: "test".to_owned(),
        source_ids: source_ids.iter().map(|id| (*id).to_owned()).collect(),
        reason: "written by a test".to_owned(),
        ..Default::default()
    }
}

pub(crate) async fn try_withdraw(
    harness: &Harness,
    request: proto::WithdrawSignalsRequest,
) -> Result<proto::WithdrawSignalsResponse, Status> {
    harness.signals.clone().withdraw_signals(request).await.map(tonic::Response::into_inner)
}

/// Withdraws these signals, all of one account and source.
pub(crate) async fn withdraw(harness: &Harness, signals: &[proto::Signal]) -> proto::WithdrawSignalsResponse {
    let first = signals.first().expect("a signal");
    let request = proto::WithdrawSignalsRequest {
        account: first.account.clone(),
        source: first.source.clone(),
        source_ids: signals.iter().map(|one| one.source_id.clone()).collect(),
        reason: "written by a test".to_owned(),
        ..Default::default()
    };
    try_withdraw(harness, request).await.expect("withdrawn")
}

/// A signal of a kind, of one of few things, within the hours of 40 days before 2026-03-10.
pub(crate) fn drawn(
    id: &str,
    source: &str,
    source_id: &str,
    kind: u32,
    draw: &mut impl FnMut(u32) -> u32,
) -> proto::Signal {
    let hours_ago = 24 * i64::from(draw(40)) + i64::from(draw(3));
    let time = (at("2026-03-10") - chrono::TimeDelta::hours(hours_ago)).to_rfc3339();
    let mut one = signal(id, &time, payload(kind, draw));
    source.clone_into(&mut one.source);
    source_id.clone_into(&mut one.source_id);
    one
}

fn number(draw: &mut impl FnMut(u32) -> u32, least: i32, most: i32) -> i32 {
    least + i32::try_from(draw(u32::try_from(most - least + 1).expect("a range"))).expect("few")
}

fn amount(draw: &mut impl FnMut(u32) -> u32) -> Money {
    Money { currency_code: "EUR".to_owned(), minor_units: 1 + i64::from(draw(1_000)) }
}

fn payload(kind: u32, draw: &mut impl FnMut(u32) -> u32) -> Payload {
    let one_of = |name: &str, number: u32| format!("{name}-{number}");
    match kind {
        0 => Payload::Usage(proto::UsageCount { metric: one_of("count", draw(2)), quantity: draw(9).into() }),
        1 => Payload::Gauge(proto::Gauge { metric: one_of("level", draw(2)), level: f64::from(draw(9)) }),
        2 => Payload::Activity(proto::UserActivity { user_id: one_of("user", draw(3)), action: String::new() }),
        3 => {
            let user_id = if draw(2) == 0 { String::new() } else { one_of("user", draw(3)) };
            let (feature, count) = (one_of("feature", draw(3)), i64::from(draw(4)));
            Payload::FeatureUse(proto::FeatureUse { feature, user_id, count })
        }
        4 => Payload::Ticket(proto::TicketSignal {
            ticket_id: one_of("t", draw(3)),
            action: number(draw, 1, 5),
            priority: number(draw, 0, 5),
            subject: one_of("subject", draw(3)),
            text: ["", "We are really frustrated!", "Thank you, that is great."][draw(3) as usize].to_owned(),
            satisfaction: (draw(3) == 0).then(|| number(draw, 1, 5)),
            open: draw(2) == 0,
            ..Default::default()
        }),
        5 => Payload::Invoice(proto::InvoiceSignal {
            invoice_id: one_of("in", draw(4)),
            action: number(draw, 1, 5),
            amount: (draw(2) == 0).then(|| amount(draw)),
            due_time: (draw(3) == 0).then(|| crate::account_fixtures::time(&format!("2026-02-{:02}", 1 + draw(25)))),
            failure_reason: one_of("reason", draw(3)),
        }),
        6 => Payload::Dispute(proto::DisputeSignal {
            dispute_id: one_of("d", draw(3)),
            action: number(draw, 1, 2),
            amount: (draw(2) == 0).then(|| amount(draw)),
            ..Default::default()
        }),
        7 => {
            let change = Change::Milestone(proto::Milestone { milestone: one_of("milestone", draw(3)) });
            Payload::Lifecycle(proto::LifecycleSignal { change: Some(change) })
        }
        8 => {
            let (question, score) = (number(draw, 1, 3), number(draw, 1, 5));
            Payload::SurveyAnswer(proto::SurveyAnswerSignal { question, score, ..Default::default() })
        }
        9 => Payload::Touch(proto::TouchSignal { inbound: draw(2) == 0, answered: draw(2) == 0 }),
        10 => Payload::Pulse(proto::PulseSignal { rating: number(draw, 1, 5), ..Default::default() }),
        11 => {
            let (kind, amount) = (number(draw, 1, 2), Some(amount(draw)));
            Payload::Credit(proto::CreditSignal { kind, amount, ..Default::default() })
        }
        12 => {
            let feature = one_of("feature", draw(3));
            Payload::FeatureRequest(proto::FeatureRequestSignal { feature, ..Default::default() })
        }
        13 => Payload::FeatureRelease(proto::FeatureReleaseSignal { feature: one_of("feature", draw(3)) }),
        14 => {
            let (incident_id, severity, minutes) = (one_of("inc", draw(9)), number(draw, 1, 3), number(draw, 0, 90));
            Payload::Incident(proto::IncidentSignal { incident_id, severity, minutes })
        }
        _ => {
            let (case_id, outcome) = (one_of("case", draw(9)), number(draw, 1, 5));
            Payload::CaseOutcome(proto::CaseOutcomeSignal { case_id, outcome, ..Default::default() })
        }
    }
}

/// All rows that are made of an account's signals, without the times at which they were made. Of conditions those that stories
/// make: the others remember what was told before. Of past days not how fresh sources were: that is not made anew when another account
/// speaks.
const MADE: &str = "
    SELECT row::text FROM (
        SELECT jsonb_build_array('count', kind, name, month + place - 1, day_sums[place]) AS row
          FROM scoring.count_months, generate_subscripts(day_sums, 1) AS place
         WHERE account_id = $1 AND day_sums[place] <> 0
        UNION ALL
        SELECT jsonb_build_array('level', name, month + place - 1, day_levels[place], day_level_micros[place])
          FROM scoring.gauge_months, generate_subscripts(day_levels, 1) AS place
         WHERE account_id = $1 AND day_level_micros[place] IS NOT NULL
        UNION ALL
        SELECT jsonb_build_array('series', kind, name) FROM scoring.count_months
         WHERE account_id = $1 AND kind <> 5 GROUP BY kind, name
        UNION ALL
        SELECT jsonb_build_array('metric', name) FROM scoring.gauge_months WHERE account_id = $1 GROUP BY name
        UNION ALL
        SELECT jsonb_build_array('feature', to_jsonb(made) - 'account_id') FROM scoring.feature_periods AS made
         WHERE account_id = $1
        UNION ALL
        SELECT jsonb_build_array('story', to_jsonb(made) - 'account_id' - 'updated_at') FROM scoring.stories AS made
         WHERE account_id = $1
        UNION ALL
        SELECT jsonb_build_array('ticket', to_jsonb(made) - 'account_id') FROM scoring.ticket_resolutions AS made
         WHERE account_id = $1
        UNION ALL
        SELECT jsonb_build_array('invoice', to_jsonb(made) - 'account_id') FROM scoring.billing_invoices AS made
         WHERE account_id = $1
        UNION ALL
        SELECT jsonb_build_array('dispute', to_jsonb(made) - 'account_id') FROM scoring.billing_disputes AS made
         WHERE account_id = $1
        UNION ALL
        SELECT jsonb_build_array('credit', to_jsonb(made) - 'account_id') FROM scoring.billing_credits AS made
         WHERE account_id = $1
        UNION ALL
        SELECT jsonb_build_array('feature signal', to_jsonb(made) - 'account_id') FROM scoring.feature_signals AS made
         WHERE account_id = $1
        UNION ALL
        SELECT jsonb_build_array('answer', to_jsonb(made) - 'account_id') FROM scoring.survey_answers AS made
         WHERE account_id = $1
        UNION ALL
        SELECT jsonb_build_array('milestone', to_jsonb(made) - 'account_id') FROM scoring.milestones AS made
         WHERE account_id = $1
        UNION ALL
        SELECT jsonb_build_array('outcome', to_jsonb(made) - 'account_id') FROM scoring.account_outcomes AS made
         WHERE account_id = $1
        UNION ALL
        SELECT jsonb_build_array('condition', kind, subject, occurrence_count, cause) FROM scoring.risk_triggers
         WHERE account_id = $1 AND cleared_at IS NULL AND subject <> ''
        UNION ALL
        SELECT jsonb_build_array('health', to_jsonb(made) - 'account_id' - 'scored_at' - 'announced_score' - 'announced_band')
          FROM scoring.health AS made WHERE account_id = $1
        UNION ALL
        SELECT jsonb_build_array('day', to_jsonb(made) - 'account_id' - 'scored_at' - 'freshness_days' - 'measure_freshness_days')
          FROM scoring.health_history AS made
         WHERE account_id = $1 AND score IS NOT NULL
    ) AS made ORDER BY 1";

/// What is made of an account's signals, once everything due is done.
pub(crate) async fn made_of(harness: &Harness, id: &str) -> Vec<String> {
    harness.settle().await;
    sqlx::query_scalar(MADE).bind(id).fetch_all(harness.database.pool()).await.expect("what is made")
}

/// What two accounts differ in.
pub(crate) fn difference(one: &[String], other: &[String]) -> Vec<String> {
    let only = |mark: &str, these: &[String], those: &[String]| -> Vec<String> {
        these.iter().filter(|row| !those.contains(row)).map(|row| format!("{mark} {row}")).collect()
    };
    [only("only of the first:", one, other), only("only of the second:", other, one)].concat()
}
