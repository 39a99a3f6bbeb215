//! Curves: from a number to points.

/// A corner of a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurvePoint {
    /// The number.
    pub x: f64,
    /// What it is worth, 0 to 100 points.
    pub points: f64,
}

/// A piecewise linear curve: straight lines between its corners, level beyond
/// the first and the last.
///
/// Its corners are 2 to 50, finite, their x rising strictly and their points
/// between 0 and 100: the check of a model makes sure of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve(Vec<CurvePoint>);

impl Curve {
    /// A curve of corners that were checked.
    pub(super) fn of_checked(corners: Vec<CurvePoint>) -> Self {
        debug_assert!(corners.len() >= 2 && corners.windows(2).all(|pair| pair[0].x < pair[1].x));
        Self(corners)
    }

    /// The corners, by rising x.
    pub fn corners(&self) -> &[CurvePoint] {
        &self.0
    }

    /// Where it has at least these points: its corners that do, and the places between two corners where it comes to them. Between any
    /// two neighbours of these it has them throughout or, but for its own places, nowhere.
    pub fn reaching(&self, points: f64) -> Vec<f64> {
        let mut places: Vec<f64> =
            self.0.iter().filter(|corner| corner.points >= points).map(|corner| corner.x).collect();
        for pair in self.0.windows(2) {
            let [left, right] = pair else { continue };
            match (left.points >= points, right.points >= points) {
                (true, false) => places.push(self.last_with(points, left.x, right.x)),
                (false, true) => places.push(self.last_with(points, right.x, left.x)),
                _ => {}
            }
        }
        places
    }

    /// The place farthest from `enough`, which has the points, on the way to `short`, which has not.
    fn last_with(&self, points: f64, mut enough: f64, mut short: f64) -> f64 {
        loop {
            // Halves keep the sum of two huge numbers finite.
            let middle = enough / 2.0 + short / 2.0;
            if middle.to_bits() == enough.to_bits() || middle.to_bits() == short.to_bits() {
                return enough;
            }
            if self.points_at(middle) >= points { enough = middle } else { short = middle }
        }
    }

    /// What `x` is worth, 0 to 100 points.
    pub fn points_at(&self, x: f64) -> f64 {
        let after = self.0.partition_point(|corner| corner.x <= x);
        let (Some(left), Some(right)) = (after.checked_sub(1).and_then(|index| self.0.get(index)), self.0.get(after))
        else {
            let nearest = if after == 0 { self.0.first() } else { self.0.last() };
            return nearest.map_or(0.0, |corner| corner.points);
        };
        // Halves keep the difference of two huge numbers finite.
        let share = (x / 2.0 - left.x / 2.0) / (right.x / 2.0 - left.x / 2.0);
        let (low, high) = (left.points.min(right.points), left.points.max(right.points));
        (left.points + (right.points - left.points) * share).clamp(low, high)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn curve(corners: &[(f64, f64)]) -> Curve {
        Curve::of_checked(corners.iter().map(|&(x, points)| CurvePoint { x, points }).collect())
    }

    fn close(left: f64, right: f64) -> bool {
        (left - right).abs() < 1e-12
    }

    #[test]
    fn lines_join_the_corners_and_the_ends_are_level() {
        let fall = curve(&[(0.0, 100.0), (30.0, 20.0), (60.0, 0.0)]);
        for (x, points) in
            [(-5.0, 100.0), (0.0, 100.0), (15.0, 60.0), (30.0, 20.0), (45.0, 10.0), (60.0, 0.0), (1e9, 0.0)]
        {
            assert!(close(fall.points_at(x), points), "{x}: {}", fall.points_at(x));
        }
    }

    #[test]
    fn the_largest_numbers_give_points_too() {
        let wide = curve(&[(-f64::MAX, 0.0), (f64::MAX, 100.0)]);
        assert!(close(wide.points_at(0.0), 50.0));
        assert!(close(wide.points_at(f64::MAX), 100.0));
        let narrow = curve(&[(0.0, 10.0), (f64::MIN_POSITIVE, 90.0)]);
        assert!(close(narrow.points_at(f64::INFINITY), 90.0));
    }

    proptest! {
        #[test]
        fn places_that_reach_some_points_have_them_and_lie_at_the_edge(
            heights in proptest::collection::vec(0.0f64..=100.0, 2..8),
            points in 0.0f64..=100.0,
        ) {
            let corners: Vec<_> = heights.iter().enumerate().map(|(x, &height)| (x as f64, height)).collect();
            let curve = curve(&corners);
            let places = curve.reaching(points);
            for &place in &places {
                prop_assert!(curve.points_at(place) >= points);
                let is_corner = place.fract() == 0.0;
                let is_edge = [-1e-6, 1e-6].iter().any(|step| curve.points_at(place + step) < points);
                prop_assert!(is_corner || is_edge, "{place}");
            }
            let crossings = heights.windows(2).filter(|pair| (pair[0] >= points) != (pair[1] >= points)).count();
            let corners = heights.iter().filter(|height| **height >= points).count();
            prop_assert_eq!(places.len(), crossings + corners);
        }

        #[test]
        fn a_rising_curve_never_falls(
            steps in proptest::collection::vec((0.001f64..10.0, 0.0f64..5.0), 2..20),
            x in -20.0f64..200.0,
            further in 0.0f64..50.0,
        ) {
            let (mut at, mut worth) = (-10.0, 0.0);
            let corners: Vec<_> = steps.iter().map(|&(dx, rise)| {
                at += dx;
                worth = f64::min(worth + rise, 100.0);
                (at, worth)
            }).collect();
            let rising = curve(&corners);
            prop_assert!(rising.points_at(x) <= rising.points_at(x + further));
            prop_assert!((0.0..=100.0).contains(&rising.points_at(x)));
        }
    }
}
