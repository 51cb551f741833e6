//! Where TamTam's deliveries come from.

use std::net::{IpAddr, Ipv4Addr};

/// The first addresses of TamTam's subnets (<https://dev.tamtam.chat/#section/About/Webhook>).
const SUBNETS: [Ipv4Addr; 4] = [
    Ipv4Addr::new(185, 16, 150, 0),
    Ipv4Addr::new(185, 16, 150, 84),
    Ipv4Addr::new(185, 16, 150, 152),
    Ipv4Addr::new(185, 16, 150, 192),
];
/// What an address has in common with its subnet: each is a `/30`.
const MASK: u32 = u32::MAX << 2;

/// Whether an address is in one of the subnets that TamTam documents as the source of its deliveries.
///
/// It is a second fence, the secret path being the first: the list may change without notice. Behind a proxy the
/// connection's address is the proxy's; ask about the one that the proxy says it saw, in a header that it sets itself
/// and that nobody else can bring along.
///
/// ```
/// use tamtam::webhook::is_tamtam_address;
///
/// assert!(is_tamtam_address([185, 16, 150, 85].into()));
/// assert!(is_tamtam_address("::ffff:185.16.150.85".parse().unwrap()), "as a socket for IPv4 and IPv6 sees it");
/// assert!(!is_tamtam_address([127, 0, 0, 1].into()));
/// ```
#[must_use]
pub fn is_tamtam_address(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => SUBNETS.iter().any(|subnet| (ip.to_bits() & MASK) == subnet.to_bits()),
        IpAddr::V6(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_subnets_have_four_addresses_each() {
        let ours = |ip: &Ipv4Addr| is_tamtam_address((*ip).into());
        let all: Vec<u8> = (0..=255).filter(|last| ours(&Ipv4Addr::new(185, 16, 150, *last))).collect();
        assert_eq!(all, [0, 1, 2, 3, 84, 85, 86, 87, 152, 153, 154, 155, 192, 193, 194, 195]);
        for other in [Ipv4Addr::new(185, 16, 151, 0), Ipv4Addr::new(185, 17, 150, 0), Ipv4Addr::new(0, 16, 150, 0)] {
            assert!(!ours(&other), "{other}");
        }
    }

    #[test]
    fn an_address_of_ipv6_counts_if_it_stands_for_one_of_ipv4() {
        for (text, is_theirs) in [
            ("::ffff:185.16.150.153", true),
            ("::ffff:185.16.150.156", false),
            ("::185.16.150.153", false),
            ("2001:db8::1", false),
            ("::1", false),
        ] {
            assert_eq!(is_tamtam_address(text.parse().unwrap()), is_theirs, "{text}");
        }
    }
}
