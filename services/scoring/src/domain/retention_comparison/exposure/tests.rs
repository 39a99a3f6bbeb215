use mainstay_domain::{Currency, Money};
use proptest::prelude::*;

use super::*;

const DAYS: u32 = 90;

fn some(stratum: Segment, exposed: bool, day: u32, churned: bool, count: u64) -> FollowedCustomers {
    FollowedCustomers { stratum, exposed, day, churned, currency: None, count, annual_revenue: 0 }
}

/// Of so many customers, how many left on day 30; the others stayed to the end.
fn left(segment: Segment, exposed: bool, churned: u64, of: u64) -> [FollowedCustomers; 2] {
    [some(segment, exposed, 30, true, churned), some(segment, exposed, DAYS, false, of - churned)]
}

fn report(customers: Vec<FollowedCustomers>) -> ExposureReport {
    ExposureReport::of(FollowedPortfolio { customers, uncounted: BTreeMap::new() }, DAYS).expect("in range")
}

fn assert_close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
}

/// 40 of enterprise, a quarter of the 20 exposed left and a tenth of the others; 100 of SMB, half of 40 and a quarter of 60.
fn two_segments() -> Vec<FollowedCustomers> {
    [
        left(Segment::Enterprise, true, 5, 20),
        left(Segment::Enterprise, false, 2, 20),
        left(Segment::Smb, true, 20, 40),
        left(Segment::Smb, false, 15, 60),
    ]
    .concat()
}

#[test]
fn r89_groups_and_segments_have_their_shares_and_the_difference_between_them() {
    let report = report(two_segments());
    let all = &report.all;
    assert_eq!((all.group.customers, all.group.churned, all.group.censored), (60, 25, 0));
    assert_eq!((all.reference.customers, all.reference.churned), (80, 17));
    let difference = all.difference.expect("two groups");
    assert_close(difference.value, 35.0 / 60.0 - 63.0 / 80.0);
    let interval = difference.interval.expect("an interval");
    assert!(interval.low < difference.value && difference.value < interval.high && interval.high < 0.0);
    let segments: Vec<_> = report.strata.iter().map(|(segment, one)| (*segment, one.group.retention())).collect();
    assert_eq!(segments, [(Segment::Enterprise, Some(0.75)), (Segment::Smb, Some(0.5))]);
    let days: Vec<_> = all.group.curve.iter().map(|point| (point.day, point.at_risk, point.churned)).collect();
    assert_eq!(days, [(0, 60, 0), (30, 60, 25), (90, 35, 0)]);
}

#[test]
fn r89_the_stratified_test_adds_up_what_the_segments_say() {
    // All left on one day, so that by hand, with O − E and V of each segment:
    // enterprise 5 − 7 × 20/40 = 1.5, V = 7 × 33/39 × 1/4; SMB 20 − 35 × 40/100 = 6, V = 35 × 65/99 × 0.4 × 0.6.
    let variance = 7.0 * 33.0 / 39.0 / 4.0 + 35.0 * 65.0 / 99.0 * 0.24;
    let report = report(two_segments());
    let test = report.stratified_test.expect("a test");
    assert_close(test.chi_squared, 7.5 * 7.5 / variance);
    assert_close(test.groups[0].expected, 3.5 + 14.0);
    assert_close(test.groups[1].expected, 3.5 + 21.0);
    // Of all together: 25 − 42 × 60/140 = 7, V = 42 × 98/139 × 60 × 80 / 140².
    let plain = report.all.test.expect("a test");
    assert_close(plain.chi_squared, 49.0 / (42.0 * 98.0 / 139.0 * 4_800.0 / 19_600.0));
    let enterprise = report.strata[0].1.test.as_ref().expect_err("3.5 expected of each");
    assert!(enterprise.contains("3.5 customers") && enterprise.contains("at least 5"), "{enterprise}");
}

#[test]
fn r89_losses_are_those_of_the_unexposed_by_the_curves_of_the_exposed() {
    let mut customers = two_segments();
    customers.extend(left(Segment::MidMarket, false, 3, 30));
    let losses = report(customers).losses.expect("segments with both");
    assert_eq!((losses.customers, losses.omitted), (80, 30), "nothing is known of exposed ones in mid-market");
    assert_close(losses.if_exposed, 20.0 * 0.25 + 60.0 * 0.5);
    assert_close(losses.if_unexposed, 2.0 + 15.0);
    let interval = losses.interval.expect("an interval");
    assert!(interval.low > 0.0 && interval.low < 18.0 && 18.0 < interval.high, "{interval:?}");
}

#[test]
fn who_is_out_of_sight_is_neither_gone_nor_there() {
    let smb = Segment::Smb;
    let euros = |minor_units| Money { currency: Currency::parse("EUR").expect("a currency"), minor_units };
    let worth = |followed: FollowedCustomers, annual_revenue| FollowedCustomers {
        currency: Some(euros(0).currency),
        annual_revenue,
        ..followed
    };
    let report = report(vec![
        worth(some(smb, true, 10, false, 5), 500),
        worth(some(smb, true, 20, true, 1), 100),
        some(smb, true, DAYS, false, 4),
        some(smb, false, DAYS, false, 10),
    ]);
    let exposed = &report.all.group;
    assert_eq!((exposed.customers, exposed.churned, exposed.censored), (10, 1, 5));
    assert_eq!(exposed.retention(), Some(0.8), "of five that were still seen one left");
    assert_eq!(exposed.revenue, [euros(600)]);
    let difference = report.all.difference.expect("two groups");
    assert_eq!(difference.interval, None, "of the others nobody left");
    assert_eq!(report.losses.expect("both").interval, None);
}

#[test]
fn without_customers_or_without_one_of_the_groups_nothing_is_compared() {
    let nobody = report(Vec::new());
    assert_eq!((nobody.all.difference, nobody.losses), (None, None));
    assert_eq!(nobody.all.group.retention(), None);
    assert_eq!(nobody.stratified_test, Err("one of the groups has no customers".to_owned()));
    let unexposed = report(left(Segment::Smb, false, 20, 60).to_vec());
    assert_eq!((unexposed.all.difference, unexposed.losses), (None, None));
    assert!(unexposed.all.test.is_err() && unexposed.stratified_test.is_err());
    let staying = report([left(Segment::Smb, true, 0, 50), left(Segment::Smb, false, 0, 50)].concat());
    assert_eq!(staying.all.test, Err("nobody left, so that nothing can differ".to_owned()));
}

fn portfolio() -> impl Strategy<Value = Vec<FollowedCustomers>> {
    let segments = prop::sample::select(vec![Segment::Unknown, Segment::Enterprise, Segment::Smb]);
    let one = (segments, any::<bool>(), 1u32..=DAYS, any::<bool>(), 1u64..30)
        .prop_map(|(segment, exposed, day, churned, count)| some(segment, exposed, day, churned, count));
    proptest::collection::vec(one, 0..30)
}

proptest! {
    #[test]
    fn nobody_is_counted_twice(customers in portfolio()) {
        let all: u64 = customers.iter().map(|one| one.count).sum();
        let left: u64 = customers.iter().filter(|one| one.churned).map(|one| one.count).sum();
        let found = report(customers);
        let of = |one: &RetentionComparison| (
            one.group.customers + one.reference.customers,
            one.group.churned + one.reference.churned,
        );
        prop_assert_eq!(of(&found.all), (all, left));
        let sums = found.strata.iter().map(|(_, one)| of(one)).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        prop_assert_eq!(sums, (all, left));
        if let Some(losses) = found.losses {
            prop_assert_eq!(losses.customers + losses.omitted, found.all.reference.customers);
            prop_assert!(0.0 <= losses.if_exposed && losses.if_exposed <= losses.customers as f64 + 1e-9);
            prop_assert!(0.0 <= losses.if_unexposed && losses.if_unexposed <= losses.customers as f64 + 1e-9);
        }
    }

    #[test]
    fn exposed_and_unexposed_that_are_swapped_mirror_each_other(customers in portfolio()) {
        let swapped = customers.iter().map(|one| FollowedCustomers { exposed: !one.exposed, ..one.clone() }).collect();
        let (there, back) = (report(customers), report(swapped));
        prop_assert_eq!(&there.all.group, &back.all.reference);
        prop_assert_eq!(there.all.difference.map(|one| one.value), back.all.difference.map(|one| -one.value));
        let interval = |report: &ExposureReport| report.all.difference.and_then(|one| one.interval);
        match (interval(&there), interval(&back)) {
            (Some(one), Some(other)) => {
                prop_assert!((one.low + other.high).abs() < 1e-12 && (one.high + other.low).abs() < 1e-12);
            }
            (one, other) => prop_assert_eq!(one, other),
        }
        match (there.stratified_test, back.stratified_test) {
            (Ok(one), Ok(other)) => prop_assert!((one.chi_squared - other.chi_squared).abs() < 1e-8 * one.chi_squared.max(1.0)),
            (one, other) => prop_assert_eq!(one, other),
        }
    }

    #[test]
    fn segments_that_are_alike_lose_alike(churned in 1u64..20, more in 1u64..20) {
        // The same share leaves of exposed and unexposed: nothing is to be lost by exposure.
        let customers = [left(Segment::Smb, true, churned, churned + more), left(Segment::Smb, false, 2 * churned, 2 * (churned + more))].concat();
        let losses = report(customers).losses.expect("both");
        prop_assert!((losses.if_exposed - losses.if_unexposed).abs() < 1e-9);
        let interval = losses.interval.expect("an interval");
        prop_assert!(interval.low < 0.0 && 0.0 < interval.high);
    }
}
