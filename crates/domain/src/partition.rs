//! Which partition of an event log an account belongs to.

/// Number of partitions of every event log. Consumers share work by partition,
/// and offsets are kept by partition, so this never changes.
pub const PARTITION_COUNT: i16 = 64;

/// The partition of an account, or of the empty key for events that concern
/// none: FNV-1a (64 bit; Fowler, Noll, Vo) of the id, its high bits folded
/// into its low ones, modulo 64. Stable over versions and languages.
#[expect(clippy::cast_possible_truncation, reason = "the remainder is below 64")]
pub fn partition_of(account_id: &str) -> i16 {
    const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let hash = account_id.bytes().fold(OFFSET_BASIS, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
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
