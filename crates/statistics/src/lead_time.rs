//! How long before somebody left the warning was there.

use mainstay_domain::Proportion;

use crate::quantile;

/// Whether somebody who left was warned of on a day before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// So many days before the end; 0 is the day itself.
    pub days_before_end: u32,
    /// Whether the score was low enough to warn.
    pub warned: bool,
}

/// How early a customer who left was warned of: the days from the first reading of the warning that then lasted to the
/// end. A warning that was taken back does not count, as it told whoever looked later that all was well. None when
/// the last reading did not warn, or there is none. The order of the readings does not matter.
pub fn lead_time_days(readings: &[Reading]) -> Option<u32> {
    let mut ordered = readings.to_vec();
    // Of two readings of one day that count against the warning which did not warn.
    ordered.sort_by_key(|reading| (reading.days_before_end, reading.warned));
    let lasting = ordered.iter().take_while(|reading| reading.warned);
    lasting.last().map(|reading| reading.days_before_end)
}

/// How early those who left were warned of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LeadTimes {
    /// How many of those who left were warned of until the end.
    pub warned: Proportion,
    /// The quartiles of the lead times of those who were warned of, in days; none when nobody was.
    pub quartiles_days: Option<[f64; 3]>,
}

impl LeadTimes {
    /// Sums up what [`lead_time_days`] said of each who left.
    pub fn of(lead_times: &[Option<u32>]) -> Self {
        let mut days: Vec<f64> = lead_times.iter().flatten().map(|days| f64::from(*days)).collect();
        days.sort_by(f64::total_cmp);
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let at = |share| quantile(&days, share);
        Self {
            warned: Proportion { count: count(days.len()), total: count(lead_times.len()) },
            quartiles_days: at(0.25).zip(at(0.5)).zip(at(0.75)).map(|((low, middle), high)| [low, middle, high]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readings(days: &[(u32, bool)]) -> Vec<Reading> {
        days.iter()
            .map(|(days_before_end, warned)| Reading { days_before_end: *days_before_end, warned: *warned })
            .collect()
    }

    #[test]
    fn r77_only_the_warning_that_lasted_counts() {
        let taken_back = readings(&[(90, true), (60, false), (30, true), (1, true), (7, true)]);
        assert_eq!(lead_time_days(&taken_back), Some(30));
        assert_eq!(lead_time_days(&readings(&[(30, true), (1, false)])), None);
        assert_eq!(lead_time_days(&readings(&[(0, true)])), Some(0));
        assert_eq!(lead_time_days(&readings(&[(9, true), (5, true), (5, false), (1, true)])), Some(1));
        assert_eq!(lead_time_days(&[]), None);
    }

    #[test]
    fn those_without_a_warning_are_counted_and_not_averaged() {
        let found = LeadTimes::of(&[Some(10), None, Some(30), Some(20), None]);
        assert_eq!((found.warned.count, found.warned.total), (3, 5));
        assert_eq!(found.quartiles_days, Some([15.0, 20.0, 25.0]));
        assert_eq!(LeadTimes::of(&[None]).quartiles_days, None);
        assert_eq!(LeadTimes::of(&[]).warned, Proportion::default());
    }
}
