//! Whether a fall is one customer's, or everybody's: a holiday, a season, or a source that limps.

use super::account_group::Distribution;
use super::inactivity::COMPARABLE_ACCOUNTS_MIN;

/// Whether most peers fell at least half as far as an account did that is at `own_share` of what it was; theirs are the shares of
/// those of which it can be said. With fewer peers than tell a silent source from silent customers, it is the account's own fall.
pub fn is_everybodys(own_share: f64, peer_shares: Vec<f64>) -> bool {
    let half_as_far = f64::midpoint(1.0, own_share);
    Distribution::of(peer_shares).is_some_and(|peers| {
        let tells = i64::try_from(peers.account_count()).is_ok_and(|count| count >= COMPARABLE_ACCOUNTS_MIN);
        tells && peers.median() <= half_as_far
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fall_that_most_peers_share_by_half_is_everybodys() {
        assert!(is_everybodys(0.6, vec![0.8, 0.7, 0.79, 1.1, 1.2]));
        assert!(!is_everybodys(0.6, vec![0.8, 0.7, 0.81, 1.1, 1.2]));
        assert!(is_everybodys(0.0, vec![0.5; 5]));
        assert!(!is_everybodys(0.0, vec![0.6; 5]));
    }

    #[test]
    fn with_few_peers_it_is_the_accounts_own() {
        assert!(!is_everybodys(0.6, vec![0.0; 4]));
        assert!(!is_everybodys(0.6, vec![]));
    }
}
