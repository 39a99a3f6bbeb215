//! Occasions: the moments at which a programme asks an account.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use mainstay_accounts::Account;
use mainstay_domain::{day_of, start_of_day};

use super::invitation::NotAskedReason;
use super::program::{ProgramDefinition, StartAnchor, Trigger};
use super::quarter::Quarter;

/// How long an occasion after the start may wait for a contact who may not be asked yet.
const AFTER_START_PATIENCE: TimeDelta = TimeDelta::days(15);
/// How long a resurvey is due after its case was resolved.
pub(crate) const RESURVEY_AFTER: TimeDelta = TimeDelta::days(30);
/// How long a resurvey may wait.
const RESURVEY_PATIENCE: TimeDelta = TimeDelta::days(30);
/// The smallest step of time.
const INSTANT: TimeDelta = TimeDelta::microseconds(1);

/// A moment at which a programme asks an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Occasion {
    /// What it is, the same whenever it is worked out: `quarter/2026-Q1`.
    pub key: String,
    /// From when on to ask.
    pub due_at: DateTime<Utc>,
    /// Until when it may wait for a contact who may not be asked yet.
    pub last_at: DateTime<Utc>,
    /// Why nobody is asked on it, if that is known beforehand.
    pub refusal: Option<NotAskedReason>,
}

impl Occasion {
    /// A ticket was resolved.
    pub(crate) fn ticket(source: &str, ticket: &str, at: DateTime<Utc>) -> Self {
        Self { key: format!("ticket/{source}/{ticket}"), due_at: at, last_at: at, refusal: None }
    }

    /// A detractor's case was resolved a while ago.
    pub(crate) fn resurvey(response: &str, resolved_at: DateTime<Utc>) -> Self {
        let due_at = resolved_at + RESURVEY_AFTER;
        Self { key: format!("resurvey/{response}"), due_at, last_at: due_at + RESURVEY_PATIENCE, refusal: None }
    }

    /// The first moment after it.
    pub(crate) fn after(&self) -> DateTime<Utc> {
        self.last_at + INSTANT
    }
}

/// The occasion of the calendar that is open at `at`, or the next one; none when the account has no such day before it, and
/// none for programmes that wait for an event.
pub(crate) fn calendar_occasion(
    definition: &ProgramDefinition,
    account: &Account,
    at: DateTime<Utc>,
) -> Option<Occasion> {
    let on = |day: NaiveDate| start_of_day(day) + TimeDelta::hours(i64::from(definition.send_hour));
    let occasion = match definition.trigger {
        Trigger::CriticalTicket | Trigger::SupportInteraction => return None,
        Trigger::Quarterly { tenure_days, spread_days } => {
            let Some(start) = account.signed_up_at.or(account.activated_at) else {
                return Some(undated_quarter(Quarter::of(day_of(at)), on));
            };
            // A tenure above n whole days is reached on the day n + 1.
            let tenured = day_of(start) + TimeDelta::days(i64::from(tenure_days) + 1);
            let quarter = Quarter::of(day_of(at).max(tenured));
            let slot = spread_slot(account.id.as_str(), spread_days);
            let day = (quarter.first_day() + TimeDelta::days(i64::from(slot))).max(tenured);
            quarter_occasion(quarter, on(day))
        }
        Trigger::AfterStart { days, anchor } => {
            let start = day_of(match anchor {
                StartAnchor::Activation => account.activated_at?,
                StartAnchor::SignUp => account.signed_up_at?,
            });
            let due_at = on(start + TimeDelta::days(i64::from(days)));
            Occasion { key: format!("start/{start}"), due_at, last_at: due_at + AFTER_START_PATIENCE, refusal: None }
        }
        Trigger::BeforeRenewal { days } => {
            let renewal = day_of(account.renewal_at?);
            let due_at = on(renewal - TimeDelta::days(i64::from(days)));
            let patience = TimeDelta::days(i64::from(days)) / 2;
            Occasion { key: format!("renewal/{renewal}"), due_at, last_at: due_at + patience, refusal: None }
        }
    };
    (occasion.last_at >= at).then_some(occasion)
}

/// An account's turn in a quarter.
fn quarter_occasion(quarter: Quarter, due_at: DateTime<Utc>) -> Occasion {
    Occasion { key: format!("quarter/{quarter}"), due_at, last_at: quarter.next().start() - INSTANT, refusal: None }
}

/// The quarter of an account of which nobody knows since when it is a customer. It waits for that until the last day: a
/// date may come later than the account, and a quarter is decided on once. Then what is left is to say why nobody was asked.
fn undated_quarter(quarter: Quarter, on: impl Fn(NaiveDate) -> DateTime<Utc>) -> Occasion {
    let last_day = quarter.next().first_day() - TimeDelta::days(1);
    Occasion { refusal: Some(NotAskedReason::NotEligible), ..quarter_occasion(quarter, on(last_day)) }
}

/// The day, counted from 0, on which an account's turn comes when a quarter is spread over so many days: FNV-1a of the id,
/// so that it is the same in each quarter.
fn spread_slot(account_id: &str, spread_days: u32) -> u32 {
    let hash =
        account_id.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash.checked_rem(spread_days).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use mainstay_domain::AccountId;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::program::SurveyKind;
    use crate::domain::texts::SurveyTexts;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    fn program(trigger: Trigger) -> ProgramDefinition {
        ProgramDefinition {
            display_name: "Test".to_owned(),
            kind: SurveyKind::Nps,
            trigger,
            texts: SurveyTexts::default_of(SurveyKind::Nps),
            segments: Vec::new(),
            contacts_max: 1,
            daily_cap: None,
            reminder_days: Some(7),
            expiry_days: 30,
            send_hour: 9,
        }
    }

    fn account(id: &str) -> Account {
        Account::unknown(AccountId::parse(id).expect("an id"))
    }

    const QUARTERLY: Trigger = Trigger::Quarterly { tenure_days: 90, spread_days: 0 };

    #[test]
    fn a_quarter_begins_on_its_first_day_for_who_is_tenured_and_later_for_who_becomes_so() {
        let old = Account { signed_up_at: Some(at("2020-05-05T12:00:00Z")), ..account("acme") };
        let occasion = calendar_occasion(&program(QUARTERLY), &old, at("2026-02-01T00:00:00Z")).expect("an occasion");
        assert_eq!(occasion.key, "quarter/2026-Q1");
        assert_eq!(occasion.due_at, at("2026-01-01T09:00:00Z"));
        assert_eq!(occasion.last_at, at("2026-03-31T23:59:59.999999Z"));
        let next = calendar_occasion(&program(QUARTERLY), &old, occasion.after()).expect("the next");
        assert_eq!((next.key.as_str(), next.due_at), ("quarter/2026-Q2", at("2026-04-01T09:00:00Z")));

        // 90 days after 15 January is 15 April; above 90 days is the day after.
        let young = Account { signed_up_at: Some(at("2026-01-15T23:00:00Z")), ..account("globex") };
        let occasion = calendar_occasion(&program(QUARTERLY), &young, at("2026-02-01T00:00:00Z")).expect("an occasion");
        assert_eq!((occasion.key.as_str(), occasion.due_at), ("quarter/2026-Q2", at("2026-04-16T09:00:00Z")));
    }

    #[test]
    fn a_quarter_waits_to_its_last_day_for_the_date_of_who_has_none() {
        let undated = account("none");
        let occasion =
            calendar_occasion(&program(QUARTERLY), &undated, at("2026-01-01T00:00:00Z")).expect("an occasion");
        assert_eq!((occasion.key.as_str(), occasion.due_at), ("quarter/2026-Q1", at("2026-03-31T09:00:00Z")));
        assert_eq!(occasion.refusal, Some(NotAskedReason::NotEligible));
        assert_eq!(calendar_occasion(&program(QUARTERLY), &undated, occasion.last_at), Some(occasion.clone()));
        let next = calendar_occasion(&program(QUARTERLY), &undated, occasion.after()).expect("the next");
        assert_eq!((next.key.as_str(), next.due_at), ("quarter/2026-Q2", at("2026-06-30T09:00:00Z")));

        let activated = Account { activated_at: Some(at("2025-05-05T12:00:00Z")), ..undated };
        let occasion = calendar_occasion(&program(QUARTERLY), &activated, at("2026-03-31T08:00:00Z"));
        assert_eq!(
            occasion.map(|occasion| (occasion.due_at, occasion.refusal)),
            Some((at("2026-01-01T09:00:00Z"), None))
        );
    }

    #[test]
    fn a_start_and_a_renewal_that_are_long_past_are_no_occasions() {
        let activated = Account { activated_at: Some(at("2026-01-31T18:00:00Z")), ..account("acme") };
        let after_start = program(Trigger::AfterStart { days: 30, anchor: StartAnchor::Activation });
        let occasion = calendar_occasion(&after_start, &activated, at("2026-03-10T00:00:00Z")).expect("an occasion");
        assert_eq!((occasion.key.as_str(), occasion.due_at), ("start/2026-01-31", at("2026-03-02T09:00:00Z")));
        assert_eq!(calendar_occasion(&after_start, &activated, at("2026-03-17T09:00:00.000001Z")), None);
        let signed_up = program(Trigger::AfterStart { days: 30, anchor: StartAnchor::SignUp });
        assert_eq!(calendar_occasion(&signed_up, &activated, at("2026-03-10T00:00:00Z")), None);

        let renewing = Account { renewal_at: Some(at("2026-06-30T22:00:00Z")), ..account("acme") };
        let before_renewal = program(Trigger::BeforeRenewal { days: 60 });
        let occasion = calendar_occasion(&before_renewal, &renewing, at("2026-01-01T00:00:00Z")).expect("an occasion");
        assert_eq!((occasion.key.as_str(), occasion.due_at), ("renewal/2026-06-30", at("2026-05-01T09:00:00Z")));
        assert_eq!(occasion.last_at, at("2026-05-31T09:00:00Z"));
        assert_eq!(calendar_occasion(&before_renewal, &renewing, occasion.after()), None);
    }

    proptest! {
        #[test]
        fn occasions_follow_each_other_without_end_or_overlap(
            id in "[a-z0-9]{1,12}", start in 0i64..20_000, ahead in -900i64..900, tenure_days in 0u32..400,
            spread_days in 0u32..=60,
        ) {
            let definition = program(Trigger::Quarterly { tenure_days, spread_days });
            let start = at("1990-01-01T12:00:00Z") + TimeDelta::days(start);
            let customer = Account { signed_up_at: Some(start), ..account(&id) };
            let mut from = start + TimeDelta::days(ahead);
            let mut last: Option<Occasion> = None;
            for _ in 0..6 {
                let occasion = calendar_occasion(&definition, &customer, from).expect("there is always a next quarter");
                prop_assert!(occasion.last_at >= from && occasion.due_at <= occasion.last_at);
                prop_assert!((day_of(occasion.due_at) - day_of(start)).num_days() > i64::from(tenure_days));
                prop_assert_eq!(calendar_occasion(&definition, &customer, occasion.last_at), Some(occasion.clone()));
                if let Some(last) = last {
                    prop_assert!(last.key != occasion.key && last.last_at < occasion.due_at);
                    prop_assert!((occasion.due_at - last.due_at).num_days() < 185);
                }
                from = occasion.after();
                last = Some(occasion);
            }
        }
    }
}
