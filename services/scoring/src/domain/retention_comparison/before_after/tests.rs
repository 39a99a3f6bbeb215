use proptest::prelude::*;

use super::*;

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

fn lifespan(start: &str, end: &str, churned: bool, count: u64) -> LifespanCount {
    LifespanCount { start_month: day(start), end_month: day(end), churned, count }
}

#[test]
fn r90_the_days_before_are_as_many_as_there_are_after() {
    let (before, after) = periods(day("2026-03-01"), 90, day("2026-06-15")).expect("periods");
    assert_eq!((before.first_day, before.last_day()), (day("2025-12-01"), day("2026-02-28")));
    assert_eq!((after.first_day, after.last_day(), after.days), (day("2026-03-01"), day("2026-05-29"), 90));
    let (before, after) = periods(day("2026-06-01"), 90, day("2026-06-15")).expect("periods");
    assert_eq!((before.first_day, before.last_day(), before.days), (day("2026-05-17"), day("2026-05-31"), 15));
    assert_eq!((after.last_day(), after.days), (day("2026-06-15"), 15));
    assert_eq!(periods(day("2026-06-16"), 90, day("2026-06-15")), None);
}

#[test]
fn r90_a_month_counts_who_was_there_when_it_began_and_left_in_it() {
    let lifespans = [
        lifespan("2025-06-01", "2026-04-01", true, 2),
        lifespan("2026-03-01", "2026-04-01", true, 1),
        // Started and left in one month: in neither.
        lifespan("2026-04-01", "2026-04-01", true, 4),
        // Out of sight in April, without having left.
        lifespan("2025-06-01", "2026-04-01", false, 5),
        lifespan("2026-04-01", "2026-06-01", false, 8),
    ];
    let months = churn_months(day("2026-05-20"), &lifespans, day("2026-06-15"));
    assert_eq!((months.len(), months[0].month), (14, day("2025-05-01")));
    let of = |month: &str| months.iter().find(|one| one.month == day(month)).expect("a month");
    let counts = |month: &str| (of(month).churned.count, of(month).churned.total);
    assert_eq!(counts("2025-06-01"), (0, 0));
    assert_eq!((of("2025-06-01").rate(), of("2025-06-01").interval()), (None, None));
    assert_eq!(counts("2026-03-01"), (0, 7));
    assert_eq!(counts("2026-04-01"), (3, 8));
    assert_eq!(counts("2026-05-01"), (0, 8));
    assert_eq!((of("2026-05-01").is_over, of("2026-06-01").is_over), (true, false));
    assert_eq!(of("2026-04-01").rate(), Some(0.375));
}

#[test]
fn a_change_may_be_five_years_ago_and_not_in_the_future() {
    let today = day("2026-06-15");
    for (given, fits) in [("2026-06-15", true), ("2026-06-16", false), ("2021-06-15", true), ("2021-06-14", false)] {
        let mut found = Violations::new();
        assert_eq!(check_change_day(&mut found, "day", day(given), today).is_some(), fits, "{given}");
        assert_eq!(found.len(), usize::from(!fits));
    }
}

proptest! {
    #[test]
    fn who_leaves_leaves_once(
        spans in proptest::collection::vec((0u32..20, 0u32..20, any::<bool>(), 1u64..9), 0..20),
    ) {
        let first = day("2025-01-01");
        let lifespans: Vec<LifespanCount> = spans
            .into_iter()
            .map(|(start, length, churned, count)| LifespanCount {
                start_month: first + Months::new(start),
                end_month: first + Months::new(start + length),
                churned,
                count,
            })
            .collect();
        // The change is a year after the first month, and today after the last.
        let months = churn_months(day("2026-01-10"), &lifespans, day("2029-01-01"));
        let left: i64 = months.iter().map(|month| month.churned.count).sum();
        let leaving = lifespans.iter().filter(|one| one.churned && one.start_month < one.end_month);
        prop_assert_eq!(left, leaving.map(|one| i64::try_from(one.count).expect("small")).sum::<i64>());
        for month in months {
            prop_assert!(month.churned.count <= month.churned.total);
        }
    }
}
