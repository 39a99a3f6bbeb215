//! Parts that add up, also as they are shown.

use mainstay_domain::Points;

/// Hundredths of a point.
pub(crate) type Hundredths = i64;

/// Points as the protos carry them, in hundredths, unrounded: the whole
/// hundredths below, and what is left of one, in 1/128.
fn split(points: f64) -> (Hundredths, i64) {
    let units = i64::from(Points::nearest(points).units()) * 100;
    let unit = i64::from(Points::UNITS_PER_POINT);
    (units.div_euclid(unit), units.rem_euclid(unit))
}

/// Points rounded to hundredths.
pub(crate) fn rounded(points: f64) -> Hundredths {
    let (whole, left) = split(points);
    whole + i64::from(left * 2 >= i64::from(Points::UNITS_PER_POINT))
}

/// Rounds parts to hundredths so that they add up to `total` as shown, by the
/// largest remainder: each is rounded down, and those that lost most are
/// rounded up until the sum is right. `total` is the sum of the parts, rounded
/// up or down; every part is within a hundredth of what it is.
pub(crate) fn shown_parts(total: Hundredths, parts: &[f64]) -> Vec<Hundredths> {
    let split_parts: Vec<_> = parts.iter().map(|&part| split(part)).collect();
    let mut shown: Vec<Hundredths> = split_parts.iter().map(|&(whole, _)| whole).collect();
    let missing = total - shown.iter().sum::<Hundredths>();
    let mut by_loss: Vec<usize> = (0..parts.len()).collect();
    by_loss.sort_by_key(|&place| std::cmp::Reverse(split_parts[place].1));
    for &place in by_loss.iter().take(usize::try_from(missing).unwrap_or(0)) {
        shown[place] += 1;
    }
    shown
}

/// Hundredths as a decimal.
pub(crate) fn decimal(hundredths: Hundredths) -> String {
    let sign = if hundredths < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", hundredths.abs() / 100, hundredths.abs() % 100)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn thirds_add_up_to_the_whole() {
        let third = Points::from_units(4_266).as_f64();
        let last = Points::from_units(4_268).as_f64();
        let shown = shown_parts(rounded(third + third + last), &[third, third, last]);
        assert_eq!(shown, [3_333, 3_333, 3_334]);
        assert_eq!(decimal(shown[2]), "33.34");
        assert_eq!(decimal(-5), "-0.05");
    }

    proptest! {
        #[test]
        fn shown_parts_add_up_at_both_levels(groups in proptest::collection::vec(proptest::collection::vec(-6_400i32..6_400, 1..6), 1..6)) {
            let points = |units: i32| Points::from_units(units).as_f64();
            let sums: Vec<f64> = groups.iter().map(|group| points(group.iter().sum())).collect();
            let total = rounded(sums.iter().sum());
            let shown = shown_parts(total, &sums);
            prop_assert_eq!(shown.iter().sum::<i64>(), total);
            for (group, &shown_sum) in groups.iter().zip(&shown) {
                let parts: Vec<f64> = group.iter().map(|&units| points(units)).collect();
                let shown_group = shown_parts(shown_sum, &parts);
                prop_assert_eq!(shown_group.iter().sum::<i64>(), shown_sum);
                for (part, shown_part) in parts.iter().zip(shown_group) {
                    prop_assert!((part * 100.0 - shown_part as f64).abs() <= 1.0);
                }
            }
        }
    }
}
