//! Which partition of an event log an account belongs to.

use crate::stable_hash;

/// Number of partitions of every event log. Consumers share work by partition,
/// and offsets are kept by partition, so this never changes.
pub const PARTITION_COUNT: i16 = 64;

/// The partition of an account, or of the empty key for events that concern
/// none: the id's [`stable_hash`], its high bits folded into its low ones,
/// modulo 64. Stable over versions and languages.
#[expect(clippy::cast_possible_truncation, reason = "the remainder is below 64")]
pub fn partition_of(account_id: &str) -> i16 {
    let hash = stable_hash(account_id.bytes());
    let folded = hash ^ (hash >> 32);
    (folded % u64::from(PARTITION_COUNT.unsigned_abs())) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_of_known_accounts_never_change() {
        // Computed by an implementation of its own in Python.
        assert_eq!(["", "a", "acme", "0015g00000XyZ"].map(partition_of), [1, 0, 12, 63]);
    }

    #[test]
    fn accounts_spread_evenly() {
        let mut counts = [0u32; PARTITION_COUNT as usize];
        for number in 0..64_000 {
            counts[usize::try_from(partition_of(&format!("customer-{number}"))).expect("not negative")] += 1;
        }
        let (least, most) = (counts.iter().min().expect("some"), counts.iter().max().expect("some"));
        assert!(*least > 800 && *most < 1200, "between {least} and {most} of 1000");
    }
}
