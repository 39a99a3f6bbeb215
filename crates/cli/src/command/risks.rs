//! `mainstay risks`: the conditions that put accounts at risk.

use clap::{Args, Subcommand, ValueEnum};
use comfy_table::Cell;
use mainstay_api::mainstay::scoring::v1::input::Series;
use mainstay_api::mainstay::scoring::v1::risk_trigger::Cause;
use mainstay_api::mainstay::scoring::v1::risk_trigger_service_client::RiskTriggerServiceClient;
use mainstay_api::mainstay::scoring::v1::{
    ListRiskTriggersRequest, PeerFeature, RiskTrigger, RiskTriggerClearReason, RiskTriggerKind, Segment,
    TicketPriority, UsageDeclineCause,
};
use mainstay_clients::retrying;

use crate::command::{Listed, finish_list, is_enough, page_size};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::money;
use crate::output::Output;
use crate::table::{points, table};
use crate::words::{SegmentWord, account_name, counted, id_of, time_text};

/// Commands about conditions that put accounts at risk.
#[derive(Debug, Subcommand)]
pub(crate) enum RisksCommand {
    /// List what puts accounts at risk, what began last first
    #[command(after_help = "\
Examples:
  mainstay risks list
  mainstay risks list --account acme --ended
  mainstay risks list --owner mia@example.com --kind champion-silent,payment-slowing
  mainstay risks list --kind payment-failed,billing-dispute --limit 0 --output json")]
    List(ListArguments),
}

/// Which conditions.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// Only of this account
    #[arg(long)]
    account: Option<String>,
    /// Only these kinds
    #[arg(long, value_enum, value_delimiter = ',')]
    kind: Vec<KindWord>,
    /// Only of accounts that this person looks after, in any role
    #[arg(long, value_name = "EMAIL", default_value = "", hide_default_value = true)]
    owner: String,
    /// Only of accounts of these segments
    #[arg(long, value_enum, value_delimiter = ',')]
    segment: Vec<SegmentWord>,
    /// Also those that have ended
    #[arg(long)]
    ended: bool,
    /// How many at most; 0 for all
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    limit: usize,
}

/// A kind of condition, as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KindWord {
    /// The score is critical
    HealthCritical,
    /// The score is at risk
    HealthAtRisk,
    /// The score fell by more than 15 points in 30 days
    HealthDrop,
    /// No activity for 14 days or more
    Inactivity,
    /// A payment failed, or an invoice is overdue
    PaymentFailed,
    /// A billing dispute is open
    BillingDispute,
    /// An urgent or critical ticket is open
    TicketUrgent,
    /// Use fell in each of three weeks, and by 30 % or more
    UsageDecline,
    /// Users came on half as many days as in the four weeks before, or fewer
    LoginDrop,
    /// A new customer never used what most like it do
    FeatureNotAdopted,
    /// A champion is silent while others go on
    ChampionSilent,
    /// The renewal is within 90 days, and the score at risk
    RenewalAtRisk,
    /// In an open ticket the customer writes with frustration
    TicketFrustrated,
    /// Invoices are paid later than they used to be
    PaymentSlowing,
}

impl From<KindWord> for RiskTriggerKind {
    fn from(word: KindWord) -> Self {
        match word {
            KindWord::HealthCritical => Self::HealthCritical,
            KindWord::HealthAtRisk => Self::HealthAtRisk,
            KindWord::HealthDrop => Self::HealthDrop,
            KindWord::Inactivity => Self::Inactivity,
            KindWord::PaymentFailed => Self::PaymentFailed,
            KindWord::BillingDispute => Self::BillingDispute,
            KindWord::TicketUrgent => Self::TicketUrgent,
            KindWord::UsageDecline => Self::UsageDecline,
            KindWord::LoginDrop => Self::LoginDrop,
            KindWord::FeatureNotAdopted => Self::FeatureNotAdopted,
            KindWord::ChampionSilent => Self::ChampionSilent,
            KindWord::RenewalAtRisk => Self::RenewalAtRisk,
            KindWord::TicketFrustrated => Self::TicketFrustrated,
            KindWord::PaymentSlowing => Self::PaymentSlowing,
        }
    }
}

fn kind_words(kind: RiskTriggerKind) -> &'static str {
    match kind {
        RiskTriggerKind::Unspecified => "",
        RiskTriggerKind::HealthCritical => "critical score",
        RiskTriggerKind::HealthAtRisk => "score at risk",
        RiskTriggerKind::HealthDrop => "score fell",
        RiskTriggerKind::Inactivity => "inactive",
        RiskTriggerKind::PaymentFailed => "unpaid",
        RiskTriggerKind::BillingDispute => "dispute",
        RiskTriggerKind::TicketUrgent => "urgent ticket",
        RiskTriggerKind::UsageDecline => "use declines",
        RiskTriggerKind::LoginDrop => "fewer logins",
        RiskTriggerKind::FeatureNotAdopted => "not adopted",
        RiskTriggerKind::ChampionSilent => "champion silent",
        RiskTriggerKind::RenewalAtRisk => "renewal at risk",
        RiskTriggerKind::TicketFrustrated => "frustrated ticket",
        RiskTriggerKind::PaymentSlowing => "pays later",
    }
}

/// Runs the command.
pub(crate) async fn run(command: &RisksCommand, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    match command {
        RisksCommand::List(arguments) => list(arguments, connection, output).await,
    }
}

async fn list(arguments: &ListArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let mut request = ListRiskTriggersRequest {
        account: arguments.account.as_deref().map(account_name).transpose()?.unwrap_or_default(),
        kinds: arguments.kind.iter().map(|&word| RiskTriggerKind::from(word).into()).collect(),
        lasting_only: !arguments.ended,
        owner_email: arguments.owner.clone(),
        segments: arguments.segment.iter().map(|&word| Segment::from(word).into()).collect(),
        ..ListRiskTriggersRequest::default()
    };
    let mut table = table(&["ACCOUNT", "KIND", "ABOUT", "SINCE", "ENDED", ">TIMES", ">SCORE", "WHY"]);
    let mut shown = 0;
    loop {
        request.page_size = page_size(arguments.limit, shown);
        let client = || RiskTriggerServiceClient::new(connection.channel.clone());
        let page = retrying(&connection.retries, async || client().list_risk_triggers(request.clone()).await)
            .await?
            .into_inner();
        for trigger in &page.risk_triggers {
            if output.is_json() {
                output.json_line(trigger)?;
            } else {
                table.add_row(row(trigger));
            }
        }
        shown += page.risk_triggers.len();
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() || is_enough(arguments.limit, shown) {
            break;
        }
    }
    let next_page_token = request.page_token.as_str();
    finish_list(
        output,
        table,
        &Listed { shown, which: "newest", next_page_token, nothing: "Nothing puts these accounts at risk." },
    )
}

fn row(trigger: &RiskTrigger) -> Vec<Cell> {
    let ended = match trigger.clear_reason() {
        RiskTriggerClearReason::AccountGone => format!("{}, account gone", time_text(trigger.clear_time)),
        _ => time_text(trigger.clear_time),
    };
    vec![
        Cell::new(id_of(&trigger.account)),
        Cell::new(kind_words(trigger.kind())),
        Cell::new(&trigger.subject),
        Cell::new(time_text(trigger.raise_time)),
        Cell::new(ended),
        Cell::new(trigger.occurrence_count),
        Cell::new(points(trigger.score)),
        Cell::new(trigger.cause.as_ref().map(why).unwrap_or_default()),
    ]
}

/// The data that made a condition, in words.
fn why(cause: &Cause) -> String {
    let parts: Vec<String> = match cause {
        Cause::Health(health) => {
            let before = health.previous_score.map(|score| format!("{} before", points(Some(score))));
            [Some(points(Some(health.score))), before].into_iter().flatten().collect()
        }
        Cause::Inactivity(silence) => {
            vec![format!("{} since {}", counted(silence.inactive_days.into(), "day"), silence.last_activity_day)]
        }
        Cause::Payment(payment) => {
            let failed = payment.failed_attempt_count;
            let attempts = (failed > 0).then(|| format!("{} failed", counted(failed.into(), "attempt")));
            let overdue = payment.overdue.then(|| "overdue".to_owned());
            let amount = payment.amount.as_ref().map(money::format);
            [amount, attempts, overdue, said(&payment.failure_reason)].into_iter().flatten().collect()
        }
        Cause::Dispute(dispute) => {
            let invoice = said(&dispute.invoice_id).map(|invoice| format!("invoice {invoice}"));
            let amount = dispute.amount.as_ref().map(money::format);
            [amount, invoice, said(&dispute.reason)].into_iter().flatten().collect()
        }
        Cause::Ticket(ticket) => {
            let priority = match ticket.priority() {
                TicketPriority::Critical => "critical",
                _ => "urgent",
            };
            let count =
                |count: i32, what: &str| (count > 0).then(|| format!("{what} {}", counted(count.into(), "time")));
            let escalated = count(ticket.escalation_count, "escalated");
            let reopened = count(ticket.reopen_count, "reopened");
            [Some(priority.to_owned()), escalated, reopened, said(&ticket.subject)].into_iter().flatten().collect()
        }
        Cause::TicketFrustrated(ticket) => {
            let messages = counted(ticket.message_count.into(), "frustrated message");
            [Some(messages), said(&ticket.subject)].into_iter().flatten().collect()
        }
        Cause::UsageDecline(decline) => decline_words(decline),
        Cause::LoginDrop(days) => {
            let of_28 = |days: i32| format!("{days} of 28 days");
            vec![of_28(days.active_days), format!("{} before", of_28(days.earlier_active_days))]
        }
        Cause::PaymentSlowing(delay) => {
            let late = format!("last {} invoices {:.0} days late", delay.invoice_count, delay.days_late);
            vec![late, format!("{:.0} days before", delay.earlier_days_late)]
        }
        Cause::FeatureNotAdopted(unadopted) => {
            let feature = |known: &PeerFeature| {
                format!("{} ({} of {} use it)", known.feature, known.user_count, unadopted.peer_count)
            };
            unadopted.features.iter().map(feature).collect()
        }
        Cause::ChampionSilent(silence) => {
            let since = format!("since {}", silence.last_activity_day);
            [said(&silence.display_name), Some(since)].into_iter().flatten().collect()
        }
        Cause::RenewalAtRisk(renewal) => {
            let arr = renewal.arr_at_risk.as_ref().map(money::format);
            let renewed = format!("renewal {}", renewal.renewal_day);
            [Some(renewed), Some(points(Some(renewal.score))), arr].into_iter().flatten().collect()
        }
    };
    parts.join(", ")
}

/// What declined, and its weeks.
fn decline_words(decline: &UsageDeclineCause) -> Vec<String> {
    let what = match decline.input.as_ref().and_then(|input| input.series.as_ref()) {
        Some(Series::Metric(name) | Series::Feature(name)) => name.clone(),
        Some(Series::AnyFeature(_)) => "features".to_owned(),
        Some(Series::AnyUser(_)) => "users".to_owned(),
        Some(Series::Story(_)) | None => String::new(),
    };
    let weeks: Vec<String> = decline.weeks.iter().map(|week| week.total.to_string()).collect();
    vec![format!("{what} {:.0} a week", decline.base), format!("then {}", weeks.join(" → "))]
}

fn said(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use mainstay_api::mainstay::common::v1::Money;
    use mainstay_api::mainstay::scoring::v1::{
        ChampionSilentCause, FeatureNotAdoptedCause, HealthCause, InactivityCause, Input, LoginDropCause, PaymentCause,
        RenewalAtRiskCause, TicketCause, WeekOfUse,
    };

    use super::*;

    #[test]
    fn a_condition_says_what_made_it() {
        let payment = PaymentCause {
            invoice_id: "in-1".to_owned(),
            amount: Some(Money { currency_code: "EUR".to_owned(), minor_units: 4_900 }),
            failed_attempt_count: 3,
            failure_reason: "card expired".to_owned(),
            overdue: true,
        };
        assert_eq!(why(&Cause::Payment(payment)), "49.00 EUR, 3 attempts failed, overdue, card expired");
        let silence = InactivityCause { last_activity_day: "2026-03-01".to_owned(), inactive_days: 14 };
        assert_eq!(why(&Cause::Inactivity(silence)), "14 days since 2026-03-01");
        let score = HealthCause { score: 49.5, previous_score: Some(60.0), ..HealthCause::default() };
        assert_eq!(why(&Cause::Health(score)), "49.5, 60.0 before");
        let ticket = TicketCause {
            priority: TicketPriority::Critical.into(),
            subject: "Nothing works".to_owned(),
            escalation_count: 1,
            ..TicketCause::default()
        };
        assert_eq!(why(&Cause::Ticket(ticket)), "critical, escalated 1 time, Nothing works");
    }

    #[test]
    fn a_condition_of_use_or_of_a_renewal_says_what_made_it() {
        let week = |total: i64| WeekOfUse { total, ..WeekOfUse::default() };
        let decline = UsageDeclineCause {
            input: Some(Input { series: Some(Series::Metric("emails".to_owned())) }),
            base: 1_000.0,
            weeks: [900, 800, 700].map(week).to_vec(),
            ..UsageDeclineCause::default()
        };
        assert_eq!(why(&Cause::UsageDecline(decline)), "emails 1000 a week, then 900 → 800 → 700");
        let days = LoginDropCause { active_days: 9, earlier_active_days: 20, ..LoginDropCause::default() };
        assert_eq!(why(&Cause::LoginDrop(days)), "9 of 28 days, 20 of 28 days before");
        let feature = |name: &str, user_count| PeerFeature { feature: name.to_owned(), user_count };
        let unadopted = FeatureNotAdoptedCause {
            features: vec![feature("exports", 9), feature("api", 7)],
            peer_count: 10,
            ..FeatureNotAdoptedCause::default()
        };
        let both = "exports (9 of 10 use it), api (7 of 10 use it)";
        assert_eq!(why(&Cause::FeatureNotAdopted(unadopted)), both);
        let silence = ChampionSilentCause {
            display_name: "Ada".to_owned(),
            last_activity_day: "2026-03-01".to_owned(),
            ..ChampionSilentCause::default()
        };
        assert_eq!(why(&Cause::ChampionSilent(silence)), "Ada, since 2026-03-01");
        let renewal = RenewalAtRiskCause {
            renewal_day: "2026-05-01".to_owned(),
            score: 61.5,
            arr_at_risk: Some(Money { currency_code: "EUR".to_owned(), minor_units: 1_200_000 }),
            ..RenewalAtRiskCause::default()
        };
        assert_eq!(why(&Cause::RenewalAtRisk(renewal)), "renewal 2026-05-01, 61.5, 12,000.00 EUR");
    }

    #[test]
    fn a_condition_is_a_row() {
        let trigger = RiskTrigger {
            account: "accounts/acme".to_owned(),
            kind: RiskTriggerKind::PaymentFailed.into(),
            subject: "in-1".to_owned(),
            raise_time: Some(prost_types::Timestamp { seconds: 0, nanos: 0 }),
            clear_time: Some(prost_types::Timestamp { seconds: 86_400, nanos: 0 }),
            clear_reason: RiskTriggerClearReason::AccountGone.into(),
            occurrence_count: 2,
            ..RiskTrigger::default()
        };
        let mut table = table(&["ACCOUNT", "KIND", "ABOUT", "SINCE", "ENDED", ">TIMES", ">SCORE", "WHY"]);
        table.add_row(row(&trigger));
        table.force_no_tty();
        let expected = "\
ACCOUNT  KIND    ABOUT  SINCE                 ENDED                               TIMES  SCORE  WHY
acme     unpaid  in-1   1970-01-01T00:00:00Z  1970-01-02T00:00:00Z, account gone      2      –";
        assert_eq!(table.trim_fmt(), expected);
    }
}
