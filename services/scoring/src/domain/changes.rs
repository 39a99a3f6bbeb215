//! Which changes of health deserve an event.

use mainstay_domain::{Band, Points};

/// By how much a score must have moved since the last event to deserve one.
const ANNOUNCED_MOVE_MIN: Points = Points::whole(1);

/// What was last said of an account's health, or would be said now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Announced {
    /// The score, when there is one.
    pub score: Option<Points>,
    /// Its band.
    pub band: Option<Band>,
}

/// Whether health deserves an event: it appeared or vanished, entered another
/// band, or moved by at least one point since the last event. An account of
/// which nothing was said yet counts as one without a score.
pub fn deserves_event(last: Announced, now: Announced) -> bool {
    match (last.score, now.score) {
        (None, None) => false,
        (Some(before), Some(after)) => last.band != now.band || (after - before).abs() >= ANNOUNCED_MOVE_MIN,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use mainstay_domain::BandCuts;

    use super::*;

    fn announced(units: i32) -> Announced {
        let score = Points::from_units(units);
        Announced { score: Some(score), band: Some(BandCuts::default().band(score)) }
    }

    #[test]
    fn a_move_of_a_point_or_into_another_band_is_told() {
        let sixty = Points::whole(60).units();
        assert!(!deserves_event(announced(sixty), announced(sixty + 127)));
        assert!(deserves_event(announced(sixty), announced(sixty + 128)));
        assert!(deserves_event(announced(sixty), announced(sixty - 128)));
        let fifty = Points::whole(50).units();
        assert!(deserves_event(announced(fifty), announced(fifty - 1)));
        assert!(deserves_event(announced(fifty - 1), announced(fifty)));
    }

    #[test]
    fn appearing_and_vanishing_are_told() {
        assert!(deserves_event(Announced::default(), announced(0)));
        assert!(deserves_event(announced(0), Announced::default()));
        assert!(!deserves_event(Announced::default(), Announced::default()));
    }
}
