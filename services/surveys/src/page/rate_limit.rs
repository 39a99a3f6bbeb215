//! How many requests one address may make.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Most addresses that are told apart; further ones share an allowance.
const ADDRESSES_MAX: usize = 20_000;
const REFILL_TIME: Duration = Duration::from_mins(1);

/// An allowance of requests a minute for each address, by token buckets: a full one allows a burst of a minute's requests.
/// By the machine's monotonic clock, as all limits against overload.
pub(super) struct RateLimit {
    per_minute: f64,
    buckets: Mutex<HashMap<Option<IpAddr>, Bucket>>,
}

#[derive(Clone, Copy)]
struct Bucket {
    left: f64,
    as_of: Instant,
}

impl RateLimit {
    /// Allows so many requests a minute, at least one.
    pub(super) fn new(per_minute: u32) -> Self {
        Self { per_minute: f64::from(per_minute.max(1)), buckets: Mutex::default() }
    }

    /// Whether an address may make a request now; if so, it is counted.
    pub(super) fn allows(&self, address: IpAddr, now: Instant) -> bool {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = Some(network(address));
        if buckets.len() >= ADDRESSES_MAX && !buckets.contains_key(&key) {
            buckets.retain(|_, bucket| self.refilled(*bucket, now) < self.per_minute);
            if buckets.len() >= ADDRESSES_MAX {
                key = None;
            }
        }
        let full = Bucket { left: self.per_minute, as_of: now };
        let bucket = buckets.entry(key).or_insert(full);
        let left = self.refilled(*bucket, now);
        let is_allowed = left >= 1.0;
        *bucket = Bucket { left: if is_allowed { left - 1.0 } else { left }, as_of: now };
        is_allowed
    }

    fn refilled(&self, bucket: Bucket, now: Instant) -> f64 {
        let elapsed = now.saturating_duration_since(bucket.as_of);
        let more = self.per_minute * elapsed.as_secs_f64() / REFILL_TIME.as_secs_f64();
        (bucket.left + more).min(self.per_minute)
    }
}

/// What one customer has of addresses: all 64 bits of an IPv6 network's hosts.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn an_address_has_its_allowance_and_gets_it_back() {
        let (limit, start) = (RateLimit::new(3), Instant::now());
        let one = address("192.0.2.1");
        let allowed = |at| (0..5).filter(|_| limit.allows(one, at)).count();
        assert_eq!(allowed(start), 3);
        assert!(limit.allows(address("192.0.2.2"), start), "another has its own");
        assert_eq!(allowed(start + Duration::from_secs(21)), 1);
        assert_eq!(allowed(start + Duration::from_hours(1)), 3);
    }

    #[test]
    fn hosts_of_one_ipv6_network_share() {
        let (limit, now) = (RateLimit::new(1), Instant::now());
        assert!(limit.allows(address("2001:db8::1"), now));
        assert!(!limit.allows(address("2001:db8::2"), now));
        assert!(limit.allows(address("2001:db8:0:1::2"), now));
        assert!(limit.allows(address("::ffff:192.0.2.9"), now));
        assert!(!limit.allows(address("192.0.2.9"), now), "the same, written otherwise");
    }

    #[test]
    fn the_memory_for_addresses_is_bounded() {
        let (limit, now) = (RateLimit::new(2), Instant::now());
        for number in 0..u32::try_from(ADDRESSES_MAX + 1_000).expect("small") {
            limit.allows(IpAddr::V4(number.into()), now);
        }
        assert!(limit.buckets.lock().expect("not poisoned").len() <= ADDRESSES_MAX + 1);
    }
}
