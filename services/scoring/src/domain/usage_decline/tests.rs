use proptest::prelude::*;

use super::super::risk_trigger::{Step, step};
use super::super::series::{SeriesKey, SeriesKind};
use super::*;

/// A Monday.
const MONDAY: DayNumber = 20_003;

/// Emails in these weeks, the first from [`MONDAY`] on, sent on three days of each, one of them a Sunday.
fn emails(weeks: &[i64]) -> AccountSeries {
    let mut series = AccountSeries::default();
    let key = SeriesKey { kind: SeriesKind::Usage, name: "emails".to_owned() };
    for (week, &total) in (0..).zip(weeks) {
        let monday = MONDAY + week * WEEK_DAYS;
        let third = total / 3;
        series.add_counts(&key, [(monday, third), (monday + 2, third), (monday + 6, total - 2 * third)]);
    }
    series
}

/// The first day on which so many weeks are complete.
fn after(weeks: usize) -> NaiveDate {
    date_of(MONDAY + DayNumber::try_from(weeks).expect("few") * WEEK_DAYS + 1)
}

fn told(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Met(_) => "met",
        Verdict::Between(_) => "between",
        Verdict::NotMet => "not met",
        Verdict::Unknown => "unknown",
    }
}

fn first_verdict(weeks: &[i64]) -> &'static str {
    told(&verdict(&emails(weeks), after(weeks.len()), None))
}

fn decline(verdict: Verdict) -> Decline {
    match verdict {
        Verdict::Met(Condition { cause: RiskCause::UsageDecline(decline), .. })
        | Verdict::Between(Condition { cause: RiskCause::UsageDecline(decline), .. }) => decline,
        other => panic!("{other:?}"),
    }
}

#[test]
fn r60_three_weeks_each_below_the_one_before_and_a_fall_of_30_percent_are_a_decline() {
    let steady = [1000, 1000, 1000, 1000];
    let with = |falling: &[i64]| first_verdict(&[steady.as_slice(), falling].concat());
    assert_eq!(with(&[900, 800, 700]), "met");
    assert_eq!(with(&[900, 800, 701]), "not met", "29.9 %");
    assert_eq!(with(&[900, 900, 600]), "not met", "level for a week");
    assert_eq!(with(&[900, 950, 600]), "not met", "up for a week");
    assert_eq!(with(&[1000, 800, 600]), "not met", "two weeks");
    assert_eq!(with(&[900, 500, 0]), "met", "down to nothing");
}

#[test]
fn r60_the_figures_of_a_decline_are_told() {
    let series = emails(&[1000, 980, 1020, 1000, 900, 800, 700]);
    let decline = decline(verdict(&series, after(7), None));
    assert_eq!((decline.series.clone(), decline.base), (UseSeries::Metric("emails".to_owned()), 1000.0));
    assert_eq!(decline.base_monday, date_of(MONDAY + 21));
    let weeks: Vec<_> = decline.weeks.iter().map(|week| (day_number(week.monday) - MONDAY, week.total)).collect();
    assert_eq!(weeks, [(28, 900), (35, 800), (42, 700)]);
}

#[test]
fn a_week_counts_when_it_has_been_over_for_a_day() {
    let weeks = [1000, 1000, 1000, 1000, 900, 800, 700];
    let told_on = |day: DayNumber| told(&verdict(&emails(&weeks), date_of(MONDAY + 7 * WEEK_DAYS + day), None));
    assert_eq!((told_on(0), told_on(1), told_on(7), told_on(8)), ("not met", "met", "met", "met"));
}

#[test]
fn small_accounts_new_ones_and_a_single_high_week_make_no_decline() {
    assert_eq!(first_verdict(&[99, 99, 99, 99, 90, 80, 10]), "not met", "a base below 100");
    assert_eq!(first_verdict(&[100, 100, 100, 100, 90, 80, 10]), "met");
    assert_eq!(first_verdict(&[1000, 900, 800, 600]), "not met", "no weeks before that make a base");
    assert_eq!(first_verdict(&[0, 0, 0, 5000, 3000, 2000, 1000]), "not met", "an import, and back to normal");
    assert_eq!(first_verdict(&[1000, 1000, 1000, 4000, 1200, 1100, 1000]), "not met", "a campaign, and back to normal");
}

#[test]
fn fewer_users_each_week_are_a_decline() {
    let users_of = |weeks: &[usize]| {
        let mut series = AccountSeries::default();
        for (week, &users) in (0..).zip(weeks) {
            for user in 0..users {
                let key = SeriesKey { kind: SeriesKind::User, name: format!("user-{user}") };
                let monday = MONDAY + week * WEEK_DAYS;
                series.add_counts(&key, [(monday, 40), (monday + 3, 40)]);
            }
        }
        told(&verdict(&series, after(weeks.len()), None))
    };
    assert_eq!(users_of(&[10, 10, 10, 10, 9, 8, 7]), "met");
    assert_eq!(users_of(&[9, 9, 9, 9, 8, 7, 2]), "not met", "too few to tell");
}

#[test]
fn r60_a_decline_ends_near_its_base_or_when_it_has_become_the_normal() {
    let weeks = [1000, 1000, 1000, 1000, 900, 800, 700];
    let last = decline(verdict(&emails(&weeks), after(7), None));
    let then = |more: &[i64]| {
        let all = [weeks.as_slice(), more].concat();
        told(&verdict(&emails(&all), after(all.len()), Some(&last)))
    };
    assert_eq!(then(&[849]), "between");
    assert_eq!(then(&[850]), "not met");
    assert_eq!(then(&[700; 9]), "between", "twelve weeks after the base");
    assert_eq!(then(&[700; 10]), "not met");
}

#[test]
fn of_several_declines_the_steepest_is_told() {
    let mut series = emails(&[1000, 1000, 1000, 1000, 900, 800, 650]);
    let key = SeriesKey { kind: SeriesKind::Usage, name: "calls".to_owned() };
    for (week, total) in (0..).zip([500, 500, 500, 500, 400, 300, 200]) {
        series.add_counts(&key, [(MONDAY + week * WEEK_DAYS + 1, total)]);
    }
    assert_eq!(decline(verdict(&series, after(7), None)).series, UseSeries::Metric("calls".to_owned()));
}

/// Weekly sums about 1000 that vary by 15 % and have no trend: the sum of twelve uniform numbers is all but normal.
fn steady_weeks(state: &mut u64) -> [i64; 7] {
    let mut uniform = || {
        // Knuth's MMIX generator; its upper half is random enough for this.
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(*state >> 32).expect("half")) / f64::from(u32::MAX)
    };
    [(); 7].map(|()| {
        let normal = (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
        #[expect(clippy::cast_possible_truncation, reason = "about 1000")]
        let total = (1_000.0 * (1.0 + 0.15 * normal)).round() as i64;
        total
    })
}

#[test]
fn steady_use_seldom_looks_like_a_decline_and_seldomer_than_against_one_week() {
    let mut state = 1;
    let (mut told_of, mut against_one_week, accounts) = (0, 0, 20_000);
    for _ in 0..accounts {
        let weeks = steady_weeks(&mut state);
        told_of += u32::from(first_verdict(&weeks) == "met");
        let falls = weeks[3..].windows(2).all(|pair| pair[1] < pair[0]);
        against_one_week += u32::from(falls && weeks[6] * 10 <= weeks[3] * 7);
    }
    let percent = |count: u32| f64::from(count) * 100.0 / f64::from(accounts);
    assert!((0.4..0.7).contains(&percent(told_of)), "{}", percent(told_of));
    assert!((1.2..1.7).contains(&percent(against_one_week)), "{}", percent(against_one_week));
}

fn figures(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<i64>> {
    proptest::collection::vec(prop_oneof![3 => 0i64..2_000, 1 => Just(0i64)], count)
}

proptest! {
    #[test]
    fn only_falls_of_30_percent_to_the_lowest_of_four_weeks_are_told(weeks in figures(7..8)) {
        let verdict = verdict(&emails(&weeks), after(7), None);
        let mut before = weeks[..4].to_vec();
        before.sort_unstable();
        let base = (before[1] + before[2]) as f64 / 2.0;
        let falls = weeks[3..].windows(2).all(|pair| pair[1] < pair[0]);
        let expected = falls && base >= 100.0 && weeks[6] as f64 <= 0.7 * base;
        prop_assert_eq!(matches!(verdict, Verdict::Met(_)), expected);
    }

    #[test]
    fn signals_in_any_order_say_the_same(weeks in figures(7..12), seed in any::<prop::sample::Index>()) {
        let whole = emails(&weeks);
        let (head, tail) = weeks.split_at(seed.index(weeks.len()));
        let mut late = vec![0; head.len()];
        late.extend_from_slice(tail);
        let mut merged = emails(&late);
        merged.merge(&emails(head));
        prop_assert_eq!(verdict(&merged, after(weeks.len()), None), verdict(&whole, after(weeks.len()), None));
    }

    #[test]
    fn a_decline_is_told_once_while_it_lasts_and_never_for_long(weeks in figures(30..60)) {
        let series = emails(&weeks);
        let mut lasting: Option<(usize, Condition)> = None;
        for complete in 7..weeks.len() {
            let last = lasting.as_ref().map(|(_, condition)| condition);
            let known = last.map(|last| match &last.cause {
                RiskCause::UsageDecline(decline) => decline,
                other => panic!("{other:?}"),
            });
            match step(last, verdict(&series, after(complete), known)) {
                Some(Step::Raise(condition)) => {
                    prop_assert!(weeks[complete - 4..complete].windows(2).all(|pair| pair[1] < pair[0]));
                    lasting = Some((complete, condition));
                }
                Some(Step::Update(condition)) => lasting = lasting.map(|(since, _)| (since, condition)),
                Some(Step::Clear) => lasting = None,
                None => {}
            }
            if let Some((since, _)) = &lasting {
                prop_assert!(complete - since <= 9, "twelve weeks after a base three weeks before");
            }
        }
    }
}
