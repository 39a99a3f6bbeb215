use mainstay_domain::Currency;
use mainstay_statistics::survival::KaplanMeier;
use proptest::prelude::*;

use super::super::{Age, Customer, LifetimeValue};
use super::*;

fn seen(cohort: &str, months: u32, days: u32, churned: bool, annual_revenue: i128) -> SeenCustomers {
    let currency = (annual_revenue > 0).then(|| Currency::parse("EUR").expect("a currency"));
    SeenCustomers {
        cohort: cohort.to_owned(),
        age: Age::new(months, days),
        churned,
        currency,
        count: 1,
        annual_revenue,
    }
}

fn query(dimension: CohortDimension) -> RetentionQuery {
    RetentionQuery { dimension, filter: CohortFilter::default(), months: 24, lifetime_months: 36, compared: Vec::new() }
}

fn retention(customers: Vec<SeenCustomers>) -> Retention {
    let portfolio = SeenPortfolio { customers, uncounted: BTreeMap::new() };
    Retention::of(portfolio, &query(CohortDimension::Segment)).expect("in range")
}

/// Weeks of remission of 21 treated and 21 untreated children (Freireich et al. 1963), as months.
fn leukaemia() -> Vec<SeenCustomers> {
    let of = |cohort: &'static str, churned: bool| move |month: u32| seen(cohort, month, 0, churned, 0);
    let mut customers: Vec<SeenCustomers> =
        [6, 6, 6, 7, 10, 13, 16, 22, 23].into_iter().map(of("treated", true)).collect();
    customers.extend([6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35].into_iter().map(of("treated", false)));
    let untreated = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23];
    customers.extend(untreated.into_iter().map(of("untreated", true)));
    customers
}

#[test]
fn r91_curves_and_test_are_those_of_the_textbook() {
    let retention = retention(leukaemia());
    let keys: Vec<(&str, u64, u64)> =
        retention.cohorts.iter().map(|cohort| (cohort.key.as_str(), cohort.accounts, cohort.churned)).collect();
    assert_eq!(keys, [("treated", 21, 9), ("untreated", 21, 21)]);
    let treated = &retention.cohorts[0];
    assert_eq!((treated.median_months, treated.observed_months), (Some(23.0), 35.0));
    let at = |month: usize| {
        let point = treated.months[month];
        (point.at_risk, point.churned, (point.survival * 1e4).round() / 1e4)
    };
    assert_eq!(
        [at(0), at(6), at(7), at(10), at(23)],
        [(21, 0, 1.0), (21, 3, 0.8571), (17, 1, 0.8067), (15, 1, 0.7529), (6, 1, 0.4482)]
    );
    assert_eq!(treated.months.len(), 25, "as many as were asked for, and month 0");
    // Kleinbaum and Klein: 16.79 with one degree of freedom; expected 19.25 and 10.75.
    let test = retention.test.expect("a test");
    assert!((test.chi_squared - 16.793).abs() < 5e-4, "{test:?}");
    let expected: Vec<f64> = test.groups.iter().map(|group| (group.expected * 100.0).round() / 100.0).collect();
    assert_eq!(expected, [19.25, 10.75]);
}

#[test]
fn who_leaves_at_the_end_of_a_year_is_gone_after_12_months_and_a_day_later_after_13() {
    let retention = retention(vec![
        seen("", 12, 0, true, 0),
        seen("", 12, 1, true, 0),
        seen("", 12, 30, true, 0),
        seen("", 14, 0, false, 0),
    ]);
    let months: Vec<(u64, u64)> =
        retention.cohorts[0].months[11..].iter().map(|point| (point.at_risk, point.churned)).collect();
    assert_eq!(months, [(4, 0), (4, 1), (3, 2), (1, 0)]);
}

#[test]
fn a_curve_ends_with_the_last_month_that_somebody_was_seen_to_the_end_of() {
    let lasting = retention(vec![seen("", 5, 20, false, 0), seen("", 3, 0, true, 0)]);
    assert_eq!(lasting.cohorts[0].months.last().map(|point| point.month), Some(5));
    let left = retention(vec![seen("", 5, 20, true, 0), seen("", 3, 0, true, 0)]);
    let last = *left.cohorts[0].months.last().expect("a month");
    assert_eq!((last.month, last.at_risk, last.churned, last.survival), (6, 1, 1, 0.0));
}

#[test]
fn revenue_that_leaves_weighs_as_much_as_it_is_and_currencies_stay_apart() {
    let mut dollars = seen("", 4, 0, true, 700);
    dollars.currency = Currency::parse("USD").ok();
    let retention = retention(vec![
        seen("", 1, 0, true, 9_000),
        seen("", 2, 0, true, 600),
        seen("", 4, 0, false, 400),
        dollars,
        seen("", 4, 0, false, 0),
    ]);
    let revenues = &retention.cohorts[0].revenues;
    assert_eq!(revenues.iter().map(|one| one.annual.to_string()).collect::<Vec<_>>(), ["100.00 EUR", "7.00 USD"]);
    assert_eq!(revenues.iter().map(|one| one.accounts).collect::<Vec<_>>(), [3, 1]);
    let euros: Vec<(i64, i64, f64)> = revenues[0]
        .months
        .iter()
        .map(|point| (point.at_risk.minor_units, point.churned.minor_units, (point.survival * 1e9).round() / 1e9))
        .collect();
    assert_eq!(euros, [(10_000, 0, 1.0), (10_000, 9_000, 0.1), (1_000, 600, 0.04), (400, 0, 0.04), (400, 0, 0.04)]);
}

#[test]
fn r85_a_lifetime_is_the_area_under_the_curve_and_its_value_what_it_brings() {
    let retention = retention(vec![
        seen("", 1, 0, true, 1_200),
        seen("", 2, 0, false, 1_200),
        seen("", 3, 0, true, 2_400),
        seen("", 4, 0, false, 0),
    ]);
    let revenue = &retention.cohorts[0].revenues[0];
    // 1 × 1 + 3/4 × 2 + 3/8 × 1, and nothing is known beyond month 4.
    assert_eq!((revenue.lifetime_months, revenue.lifetime_limit_months), (2.875, 4.0));
    // 1 600 a year are 400/3 a month.
    assert_eq!(revenue.lifetime_value.minor_units, 383);
}

#[test]
fn r85_of_a_customer_that_became_old_more_months_are_expected_than_the_curve_says_from_the_start() {
    let customers = [seen("", 1, 0, true, 0), seen("", 2, 0, true, 0), seen("", 4, 0, false, 0)];
    let cohort: Vec<&SeenCustomers> = customers.iter().collect();
    let euros = |minor_units| Some(Money { currency: Currency::parse("EUR").expect("a currency"), minor_units });
    let value = |months: u32, churned: bool, lookahead: u32| {
        let customer =
            Customer { cohort: String::new(), age: Age::new(months, 0), churned, annual_revenue: euros(1_200) };
        let value = LifetimeValue::of(customer, &cohort, lookahead).expect("in range");
        (value.lookahead_months, value.expected_months, value.value.map(|value| value.minor_units))
    };
    let (_, from_the_start, _) = value(0, false, 2);
    assert!(from_the_start.is_some_and(|months| (months - (1.0 + 2.0 / 3.0)).abs() < 1e-12));
    let (lookahead, expected, money) = value(1, false, 2);
    assert_eq!(lookahead, Some(2.0));
    assert!(expected.is_some_and(|months| (months - 1.5).abs() < 1e-12), "{expected:?}");
    assert_eq!(money, Some(150));
    let (lookahead, expected, money) = value(2, false, 36);
    assert_eq!((lookahead, money), (Some(2.0), Some(200)), "no further than was seen");
    assert!(expected.is_some_and(|months| (months - 2.0).abs() < 1e-12), "{expected:?}");
    assert_eq!(value(4, false, 36), (None, None, None), "nobody became older");
    assert_eq!(value(1, true, 36), (Some(36.0), Some(0.0), Some(0)), "who left brings nothing");
}

#[test]
fn what_cannot_be_compared_says_why() {
    let one = retention(vec![seen("a", 1, 0, true, 0)]);
    assert!(one.test.is_err_and(|obstacle| obstacle.contains("1 groups")));
    let early = retention(vec![
        seen("a", 5, 0, true, 0),
        seen("a", 6, 0, false, 0),
        seen("a", 6, 0, false, 0),
        seen("new", 1, 0, false, 0),
    ]);
    assert!(early.test.is_err_and(|obstacle| obstacle.contains("`new`")));
}

#[test]
fn of_many_cohorts_the_largest_are_shown_and_of_months_the_newest() {
    let portfolio = || SeenPortfolio {
        customers: (0..=COHORTS_MAX)
            .map(|number| SeenCustomers {
                count: 1 + u64::from(number > 0),
                ..seen(&format!("{number:03}"), 3, 0, false, 0)
            })
            .collect(),
        uncounted: BTreeMap::new(),
    };
    for dimension in [CohortDimension::Plan, CohortDimension::OnboardingMonth] {
        let retention = Retention::of(portfolio(), &query(dimension)).expect("in range");
        assert_eq!((retention.cohorts.len(), retention.omitted_cohorts), (COHORTS_MAX, 1));
        assert_eq!(retention.cohorts[0].key, "001", "the smallest, which is the oldest, is left out");
    }
}

proptest! {
    #[test]
    fn months_add_up_and_equal_revenue_gives_the_curve_of_customers(
        ages in proptest::collection::vec((0u32..40, 0u32..31, any::<bool>()), 1..60)
    ) {
        let customers: Vec<SeenCustomers> =
            ages.iter().map(|(months, days, churned)| seen("", *months, *days, *churned, 100)).collect();
        let retention = retention(customers);
        let cohort = &retention.cohorts[0];
        let churned: u64 = cohort.months.iter().map(|point| point.churned).sum();
        prop_assert!(churned <= cohort.churned);
        prop_assert_eq!(cohort.months[0].at_risk, cohort.accounts);
        for (point, revenue) in cohort.months.iter().zip(&cohort.revenues[0].months) {
            prop_assert_eq!(revenue.at_risk.minor_units, i64::try_from(point.at_risk).expect("small") * 100);
            prop_assert_eq!(revenue.churned.minor_units, i64::try_from(point.churned).expect("small") * 100);
            prop_assert!((revenue.survival - point.survival).abs() < 1e-9);
        }
    }

    #[test]
    fn the_curve_is_that_of_the_ages_in_months(ages in proptest::collection::vec((0u32..20, any::<bool>()), 1..60)) {
        let customers: Vec<SeenCustomers> =
            ages.iter().map(|(months, churned)| seen("", *months, 0, *churned, 0)).collect();
        let observations: Vec<Observation> = ages
            .iter()
            .map(|(months, churned)| Observation::new(f64::from(*months), *churned).expect("valid"))
            .collect();
        let plain = KaplanMeier::of(&observations).expect("some");
        for point in &retention(customers).cohorts[0].months {
            prop_assert!((plain.survival_at(f64::from(point.month)) - point.survival).abs() < 1e-12);
        }
    }
}
