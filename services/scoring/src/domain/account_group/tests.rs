use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn of(numbers: &[f64]) -> Distribution {
    Distribution::of(numbers.to_vec()).expect("numbers")
}

fn same(figures: &[f64], expected: &[f64]) {
    let close = |(figure, expected): (&f64, &f64)| (figure - expected).abs() < 1e-12;
    assert!(
        figures.len() == expected.len() && figures.iter().zip(expected).all(close),
        "{figures:?} are not {expected:?}"
    );
}

#[test]
fn the_median_of_an_even_count_lies_between_the_middle_two() {
    same(&[of(&[9.0, 1.0, 4.0, 2.0]).median(), of(&[7.0, 1.0, 2.0]).median()], &[3.0, 2.0]);
    assert_eq!(Distribution::of(vec![]), None);
}

#[test]
fn r68_a_rank_is_the_share_of_the_way_from_the_lowest_account_to_the_highest() {
    let spread = of(&[30.0, 10.0, 50.0, 20.0, 40.0]);
    let ranks = [5.0, 10.0, 15.0, 30.0, 45.0, 50.0, 60.0].map(|number| spread.rank(number));
    same(&ranks, &[0.0, 0.0, 0.125, 0.5, 0.875, 1.0, 1.0]);
}

#[test]
fn what_many_accounts_have_ranks_in_the_middle_of_them() {
    let spread = of(&[0.0, 0.0, 0.0, 0.0, 8.0]);
    same(&[0.0, 4.0, 8.0].map(|number| spread.rank(number)), &[0.375, 0.875, 1.0]);
    same(&[of(&[3.0; 40]).rank(3.0)], &[0.5]);
    same(&[2.0, 3.0, 4.0].map(|number| of(&[3.0]).rank(number)), &[0.0, 0.5, 1.0]);
}

#[test]
fn the_quantiles_of_many_numbers_stand_for_them() {
    let numbers: Vec<f64> = (0..=1_000).rev().map(f64::from).collect();
    let spread = of(&numbers);
    assert_eq!((spread.quantiles().len(), spread.account_count()), (101, 1_001));
    same(&[spread.median(), spread.rank(250.0), spread.rank(1_000.0)], &[500.0, 0.25, 1.0]);
}

#[test]
fn industries_are_the_same_however_they_are_written() {
    assert_eq!(AccountGroup::industry(" Retail"), AccountGroup::industry("RETAIL"));
    assert_eq!(AccountGroup::industry("  "), None);
    assert_ne!(AccountGroup::industry("retail"), AccountGroup::plan("retail"));
}

fn numbers() -> impl Strategy<Value = Vec<f64>> {
    let some_alike = prop_oneof![(0i32..6).prop_map(f64::from), any::<f64>().prop_filter("finite", |n| n.is_finite())];
    vec(some_alike, 1..260)
}

proptest! {
    #[test]
    fn a_larger_number_never_ranks_lower(numbers in numbers(), one in -2.0f64..8.0, other in -2.0f64..8.0) {
        let spread = of(&numbers);
        let [low, high] = [one.min(other), one.max(other)].map(|number| spread.rank(number));
        prop_assert!((0.0..=1.0).contains(&low) && (0.0..=1.0).contains(&high) && low <= high, "{} {}", low, high);
        let ranks: Vec<f64> = spread.quantiles().iter().map(|quantile| spread.rank(*quantile)).collect();
        prop_assert!(ranks.is_sorted());
    }

    #[test]
    fn accounts_rank_half_on_average(numbers in vec((0i32..9).prop_map(f64::from), 2..101)) {
        let spread = of(&numbers);
        let mean = numbers.iter().map(|number| spread.rank(*number)).sum::<f64>() / numbers.len() as f64;
        prop_assert!((mean - 0.5).abs() < 1e-9, "{}", mean);
    }

    #[test]
    fn what_is_kept_of_a_distribution_is_the_same_distribution(numbers in numbers()) {
        let spread = of(&numbers);
        let kept = Distribution::from_quantiles(spread.quantiles().to_vec(), spread.account_count());
        prop_assert_eq!(Some(spread), kept);
    }
}
