use proptest::prelude::*;

use super::super::risk_trigger::{Step, step};
use super::super::story_series::{DayEntries, StoryRow};
use super::*;

const TODAY: DayNumber = 20_000;

/// An account that paid on these days, each so many days late.
fn payer(payments: impl IntoIterator<Item = (DayNumber, i32)>) -> AccountSeries {
    let mut entries = DayEntries::default();
    for (day, days_late) in payments {
        let noon = date_of(day).and_hms_opt(12, 0, 0).expect("noon").and_utc();
        entries.value(StorySeries::PaymentDaysLate, noon, days_late.into());
    }
    let mut series = AccountSeries::default();
    for (row, day, amount) in entries.amounts() {
        assert!(matches!(
            row,
            StoryRow::Sum(StorySeries::PaymentDaysLate) | StoryRow::Count(StorySeries::PaymentDaysLate)
        ));
        series.add_story_days(row, &[(day, amount)]);
    }
    series
}

/// Paid each month, the newest today, each so many days late; the oldest first.
fn monthly(days_late: &[i32]) -> AccountSeries {
    let months = DayNumber::try_from(days_late.len()).expect("few");
    let day_of = |place: usize| TODAY - 30 * (months - 1 - DayNumber::try_from(place).expect("few"));
    payer(days_late.iter().enumerate().map(|(place, late)| (day_of(place), *late)))
}

fn delay(series: &AccountSeries) -> Option<PaymentDelay> {
    PaymentDelay::of(series, date_of(TODAY))
}

fn word(days_late: &[i32]) -> &'static str {
    match delay(&monthly(days_late)).map(PaymentDelay::verdict) {
        Some(Verdict::Met(_)) => "met",
        Some(Verdict::Between(_)) => "between",
        Some(Verdict::NotMet) => "not met",
        Some(Verdict::Unknown) | None => "nothing",
    }
}

#[test]
fn r65_who_pays_a_week_later_than_before_is_told_of_and_who_pays_three_days_later_is_over_it() {
    assert_eq!(word(&[0, 0, 0, 7, 7, 7]), "met");
    assert_eq!(word(&[0, 0, 0, 7, 7, 6]), "between");
    assert_eq!(word(&[0, 0, 0, 3, 3, 3]), "between");
    assert_eq!(word(&[0, 0, 0, 3, 3, 2]), "not met");
    assert_eq!(word(&[20, 20, 20, 20, 20, 20]), "not met", "late as ever");
    assert_eq!(word(&[20, 20, 20, 0, 0, 0]), "not met", "earlier than before");
    assert_eq!(word(&[0, 0, 0, 0, 0, 20]), "between", "one is late: an oversight");
}

#[test]
fn r65_too_few_payments_and_those_of_long_ago_say_nothing() {
    assert_eq!(word(&[0, 0, 30, 30, 30]), "nothing");
    assert_eq!(delay(&AccountSeries::default()), None);
    let payments = [0, 0, 0, 30, 30, 30].into_iter().zip(0..).map(|(late, month)| (TODAY - 331 + 30 * month, late));
    let of_long_ago = payer(payments);
    assert_eq!(delay(&of_long_ago), None, "the newest is 181 days old");
    let newest = date_of(TODAY - 1);
    assert_eq!(PaymentDelay::of(&of_long_ago, newest).map(|delay| delay.days_late), Some(30.0));
}

#[test]
fn r65_three_payments_are_compared_with_twelve_before_in_whole_days() {
    let mut days_late = vec![90; 4];
    days_late.extend([2; 12]);
    days_late.extend([10, 11, 12]);
    let expected = PaymentDelay {
        newest_day: date_of(TODAY),
        invoice_count: 3,
        days_late: 11.0,
        earlier_invoice_count: 12,
        earlier_days_late: 2.0,
    };
    assert_eq!(delay(&monthly(&days_late)), Some(expected), "what was before those twelve is long over");
    let batches = payer(
        [(TODAY - 40, 1), (TODAY - 40, 2), (TODAY - 40, 3), (TODAY - 40, 2), (TODAY, 9), (TODAY - 5, 9)]
            .into_iter()
            .chain([(TODAY - 5, 12), (TODAY - 5, 10)]),
    );
    let found = delay(&batches).expect("enough");
    assert_eq!((found.invoice_count, found.days_late), (4, 10.0), "all of a day");
    assert_eq!((found.earlier_invoice_count, found.earlier_days_late), (4, 2.0));
}

proptest! {
    #[test]
    fn a_habit_of_paying_later_is_told_once_and_ends_when_it_is_the_habit(
        before in 0i32..30, after in 0i32..60, every in 7i32..92,
    ) {
        let mut payments: Vec<(DayNumber, i32)> = Vec::new();
        let (mut lasting, mut raised): (Option<Condition>, u32) = (None, 0);
        for paid in 0..40 {
            let day = TODAY + paid * every;
            payments.push((day, if paid < 20 { before } else { after }));
            let verdict = PaymentDelay::of(&payer(payments.clone()), date_of(day)).map_or(Verdict::NotMet, PaymentDelay::verdict);
            match step(lasting.as_ref(), verdict) {
                Some(Step::Raise(condition)) => {
                    prop_assert!(paid >= 20, "raised before anything changed");
                    raised += 1;
                    lasting = Some(condition);
                }
                Some(Step::Update(condition)) => lasting = Some(condition),
                Some(Step::Clear) => lasting = None,
                None => {}
            }
        }
        prop_assert_eq!((raised, lasting), (u32::from(after - before >= 7), None));
    }
}
