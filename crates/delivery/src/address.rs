//! Which addresses lie in the public internet. Where only these may be reached, nobody who chooses a webhook's address
//! chooses what the service asks of its own network (server-side request forgery).
//!
//! The ranges are those of the IANA registries of special-purpose addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address can only belong to a host of the public internet.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    let is_shared = first == 100 && (64..128).contains(&second);
    let is_protocol_assignment = (first, second, third) == (192, 0, 0);
    let is_relay_anycast = (first, second, third) == (192, 88, 99);
    let is_benchmarking = first == 198 && (second == 18 || second == 19);
    let is_reserved = first >= 240;
    let is_this_network = first == 0;
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        || is_shared
        || is_protocol_assignment
        || is_relay_anycast
        || is_benchmarking
        || is_reserved
        || is_this_network)
}

/// Global unicast is `2000::/3`, less what has other uses; an address that carries one of version 4 is as that one.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    if let Some(mapped) = address.to_ipv4_mapped() {
        return is_public_v4(mapped);
    }
    let is_translated = segments[..6] == [0x64, 0xff9b, 0, 0, 0, 0];
    if is_translated {
        return is_public_v4(joined(segments[6], segments[7]));
    }
    let is_global_unicast = segments[0] & 0xe000 == 0x2000;
    // Teredo and ORCHID are among them.
    let is_protocol_assignment = segments[0] == 0x2001 && segments[1] < 0x0200;
    let is_documentation = (segments[0] == 0x2001 && segments[1] == 0x0db8) || segments[0] & 0xfff0 == 0x3ff0;
    let is_6to4 = segments[0] == 0x2002;
    is_global_unicast && !(is_protocol_assignment || is_documentation || is_6to4)
}

fn joined(high: u16, low: u16) -> Ipv4Addr {
    let [first, second] = high.to_be_bytes();
    let [third, fourth] = low.to_be_bytes();
    Ipv4Addr::new(first, second, third, fourth)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_public_text(text: &str) -> bool {
        is_public(text.parse().expect("an address"))
    }

    #[test]
    fn addresses_of_the_inside_are_not_public() {
        let inside = [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ];
        for text in inside {
            assert!(!is_public_text(text), "{text}");
        }
    }

    #[test]
    fn addresses_of_the_internet_are_public() {
        let outside = [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.255.255",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.255.255",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700:4700::1111",
            "2001:4860:4860::8888",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
        ];
        for text in outside {
            assert!(is_public_text(text), "{text}");
        }
    }
}
