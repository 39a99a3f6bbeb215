//! Conditions that put an account at risk: when one is raised, told again, and cleared.

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_domain::{AccountId, Points};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::champions::ChampionSilence;
use super::customer_filter::CustomerFilter;
use super::feature_adoption::Unadopted;
use super::frustration::Frustration;
use super::json::{Amount, StoredBand, StoredPoints};
use super::login_drop::LoginDays;
use super::payment_slowing::PaymentDelay;
use super::renewal_risk::RenewalRisk;
use super::ticket::TicketPriority;
use super::usage_decline::Decline;

/// By how much a score must have moved since a condition's last event to be told again.
const TOLD_MOVE_MIN: Points = Points::whole(5);
/// By how many days later, or less late, invoices must be paid to be told again.
const TOLD_DAYS_LATE_MIN: f64 = 7.0;
/// By how many active days of four weeks a drop must have moved to be told again: one a week.
const TOLD_DAYS_MIN: i32 = 4;

/// What condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RiskTriggerKind {
    /// The score is in the critical band.
    HealthCritical,
    /// The score is in the at-risk band or below.
    HealthAtRisk,
    /// The score fell by more than 15 points in 30 days.
    HealthDrop,
    /// No activity for 14 days or more.
    Inactivity,
    /// A payment failed, or an invoice is overdue.
    PaymentFailed,
    /// A billing dispute is open.
    BillingDispute,
    /// A ticket of priority urgent or critical is open.
    TicketUrgent,
    /// Use fell in each of three weeks, and by 30 % or more.
    UsageDecline,
    /// Users were active on half as many days as in the four weeks before, or fewer.
    LoginDrop,
    /// A new customer never used what its peers do.
    FeatureNotAdopted,
    /// A champion is silent while others go on.
    ChampionSilent,
    /// The renewal is near, and the score poor.
    RenewalAtRisk,
    /// In an open ticket the customer writes with frustration.
    TicketFrustrated,
    /// Invoices are paid later than they used to be.
    PaymentSlowing,
}

/// Why a condition ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClearReason {
    /// It is no longer met.
    Ended,
    /// The account was archived, or churned.
    AccountGone,
}

/// The data that made a condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RiskCause {
    /// A score.
    Health {
        /// Its day.
        day: NaiveDate,
        /// The score.
        score: StoredPoints,
        /// The one it is compared with.
        previous_score: Option<StoredPoints>,
        /// The cut that was crossed, or the change that was exceeded.
        threshold: StoredPoints,
        /// Its band.
        band: StoredBand,
    },
    /// A silence.
    Inactivity {
        /// The last day with activity.
        last_activity_day: NaiveDate,
        /// Whole days since then.
        inactive_days: i32,
    },
    /// An invoice.
    Payment {
        /// The amount due.
        amount: Option<Amount>,
        /// Attempts that failed.
        failed_attempt_count: i32,
        /// Why the last one did; may be empty.
        failure_reason: String,
        /// Whether it is past its due date.
        overdue: bool,
    },
    /// A dispute.
    Dispute {
        /// The invoice; empty when it is not known.
        invoice_id: String,
        /// The amount.
        amount: Option<Amount>,
        /// The customer's reason; may be empty.
        reason: String,
    },
    /// A ticket.
    Ticket {
        /// Its priority.
        priority: TicketPriority,
        /// Its subject line; may be empty.
        subject: String,
        /// How often it was escalated.
        escalation_count: i32,
        /// How often it was reopened.
        reopen_count: i32,
    },
    /// Use that declines.
    UsageDecline(Decline),
    /// Days with activity that became fewer.
    LoginDrop(LoginDays),
    /// Features that were never used.
    FeatureNotAdopted(Unadopted),
    /// A champion's silence.
    ChampionSilent(ChampionSilence),
    /// A renewal at risk.
    RenewalAtRisk(RenewalRisk),
    /// A ticket's messages.
    TicketFrustrated(Frustration),
    /// Payments that come later.
    PaymentSlowing(PaymentDelay),
}

/// A condition as it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// What makes it.
    pub cause: RiskCause,
    /// How often it was met; above 0.
    pub occurrence_count: i32,
}

/// What is known of a condition.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It is met: it begins, or goes on.
    Met(Condition),
    /// It is between the mark where it begins and that where it ends: it goes on if it lasts.
    Between(Condition),
    /// It is not met.
    NotMet,
    /// Nothing is known: what lasts goes on.
    Unknown,
}

impl From<Option<Condition>> for Verdict {
    fn from(condition: Option<Condition>) -> Self {
        condition.map_or(Self::NotMet, Self::Met)
    }
}

/// What becomes of a condition.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// It begins.
    Raise(Condition),
    /// It lasts, with other data.
    Update(Condition),
    /// It ends.
    Clear,
}

/// A condition of an account, from when it began to when it ended.
#[derive(Debug, Clone, PartialEq)]
pub struct RiskTrigger {
    /// Its id.
    pub id: Uuid,
    /// Whose.
    pub account: AccountId,
    /// What condition.
    pub kind: RiskTriggerKind,
    /// The invoice, dispute, ticket or contact; empty for conditions of the account as a whole.
    pub subject: String,
    /// When it began.
    pub raised_at: DateTime<Utc>,
    /// When its data last changed.
    pub changed_at: DateTime<Utc>,
    /// When it ended, and why.
    pub cleared: Option<(DateTime<Utc>, ClearReason)>,
    /// The score at the last change.
    pub score: Option<Points>,
    /// As of the last change.
    pub condition: Condition,
}

/// What becomes of a condition that lasts with this data, or of one that does not last.
pub fn step(lasting: Option<&Condition>, verdict: Verdict) -> Option<Step> {
    match (lasting, verdict) {
        (None, Verdict::Met(condition)) => Some(Step::Raise(condition)),
        (Some(last), Verdict::Met(condition) | Verdict::Between(condition)) => {
            condition.deserves_event(last).then_some(Step::Update(condition))
        }
        (Some(_), Verdict::NotMet) => Some(Step::Clear),
        (None, Verdict::Between(_) | Verdict::NotMet) | (_, Verdict::Unknown) => None,
    }
}

impl Condition {
    /// Whether it differs enough from what was told `last`. A score moves all the time, and the days of a silence pass by
    /// themselves: the one is told when it moved by 5 points, the other when its last activity is another one. So with all that
    /// moves by itself.
    fn deserves_event(&self, last: &Self) -> bool {
        match (&self.cause, &last.cause) {
            (RiskCause::Health { score, .. }, RiskCause::Health { score: told, .. }) => {
                (score.0 - told.0).abs() >= TOLD_MOVE_MIN
            }
            (
                RiskCause::Inactivity { last_activity_day, .. },
                RiskCause::Inactivity { last_activity_day: told, .. },
            ) => last_activity_day != told,
            (RiskCause::UsageDecline(now), RiskCause::UsageDecline(told)) => now.has_moved_by_a_tenth(told),
            (RiskCause::LoginDrop(now), RiskCause::LoginDrop(told)) => {
                (now.active_days - told.active_days).abs() >= TOLD_DAYS_MIN
            }
            (RiskCause::FeatureNotAdopted(now), RiskCause::FeatureNotAdopted(told)) => {
                now.activation_day != told.activation_day || !now.names().eq(told.names())
            }
            (RiskCause::PaymentSlowing(now), RiskCause::PaymentSlowing(told)) => {
                (now.days_late - told.days_late).abs() >= TOLD_DAYS_LATE_MIN
            }
            (RiskCause::ChampionSilent(now), RiskCause::ChampionSilent(told)) => {
                now.last_activity_day != told.last_activity_day
            }
            (RiskCause::RenewalAtRisk(now), RiskCause::RenewalAtRisk(told)) => {
                (now.renewal_day, now.arr) != (told.renewal_day, told.arr)
                    || (now.score.0 - told.score.0).abs() >= TOLD_MOVE_MIN
            }
            (
                RiskCause::Payment { .. }
                | RiskCause::Dispute { .. }
                | RiskCause::Ticket { .. }
                | RiskCause::TicketFrustrated(_)
                // The others beside what is none of their kind.
                | RiskCause::Health { .. }
                | RiskCause::Inactivity { .. }
                | RiskCause::UsageDecline(_)
                | RiskCause::LoginDrop(_)
                | RiskCause::FeatureNotAdopted(_)
                | RiskCause::ChampionSilent(_)
                | RiskCause::RenewalAtRisk(_)
                | RiskCause::PaymentSlowing(_),
                _,
            ) => self != last,
        }
    }
}

/// Which conditions a list holds; all that is given must hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct RiskTriggerFilter {
    /// Of this account.
    pub account: Option<AccountId>,
    /// Of one of these kinds; empty: any.
    pub kinds: Vec<RiskTriggerKind>,
    /// Only those that last.
    pub lasting_only: bool,
    /// Of these customers.
    pub customers: CustomerFilter,
}

/// Place in a list of conditions, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskTriggerCursor {
    /// When the last one before the place began.
    pub raised_at: DateTime<Utc>,
    /// Its id.
    pub id: Uuid,
}

impl RiskTriggerCursor {
    /// The place after a condition of a list.
    pub fn after(trigger: &RiskTrigger) -> Self {
        Self { raised_at: trigger.raised_at, id: trigger.id }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::usage_decline::{UseSeries, WeekOfUse};
    use super::*;

    fn dispute(reason: u8) -> Condition {
        let cause = RiskCause::Dispute { invoice_id: String::new(), amount: None, reason: reason.to_string() };
        Condition { cause, occurrence_count: 1 }
    }

    fn any_verdict() -> impl Strategy<Value = Verdict> {
        prop_oneof![
            (0..3u8).prop_map(|reason| Verdict::Met(dispute(reason))),
            (0..3u8).prop_map(|reason| Verdict::Between(dispute(reason))),
            Just(Verdict::NotMet),
            Just(Verdict::Unknown),
        ]
    }

    #[test]
    fn a_decline_is_told_again_when_it_moved_by_exactly_a_tenth_of_its_base() {
        let decline = |total: i64, base: f64| {
            let weeks = vec![WeekOfUse { monday: NaiveDate::default(), total }];
            let series = UseSeries::AnyUser;
            let cause = RiskCause::UsageDecline(Decline { series, base_monday: NaiveDate::default(), base, weeks });
            Condition { cause, occurrence_count: 1 }
        };
        let told = |now: i64, before: i64, base: f64| decline(now, base).deserves_event(&decline(before, base));
        for (now, before) in [(60, 70), (70, 60), (50, 60), (40, 30)] {
            assert!(told(now, before, 100.0), "{before} to {now}");
        }
        assert!(!told(61, 70, 100.0) && !told(60, 70, 100.5) && told(59, 70, 100.5));
    }

    proptest! {
        #[test]
        fn a_condition_is_raised_once_while_it_lasts(verdicts in proptest::collection::vec(any_verdict(), 0..40)) {
            let mut lasting: Option<Condition> = None;
            for verdict in verdicts {
                let stepped = step(lasting.as_ref(), verdict.clone());
                match &stepped {
                    Some(Step::Raise(condition)) => {
                        prop_assert!(lasting.is_none());
                        prop_assert_eq!(&verdict, &Verdict::Met(condition.clone()));
                        lasting = Some(condition.clone());
                    }
                    Some(Step::Update(condition)) => {
                        prop_assert!(lasting.as_ref().is_some_and(|last| last != condition));
                        lasting = Some(condition.clone());
                    }
                    Some(Step::Clear) => {
                        prop_assert!(lasting.is_some() && verdict == Verdict::NotMet);
                        lasting = None;
                    }
                    None => {}
                }
                match verdict {
                    Verdict::Met(condition) => prop_assert_eq!(lasting.as_ref(), Some(&condition)),
                    Verdict::NotMet => prop_assert_eq!(lasting.as_ref(), None),
                    Verdict::Between(_) | Verdict::Unknown => {}
                }
            }
        }
    }
}
