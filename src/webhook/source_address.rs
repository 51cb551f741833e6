//! The source addresses of TamTam's deliveries.

use std::net::{IpAddr, Ipv4Addr};

/// The first addresses of TamTam's subnets (<https://dev.tamtam.chat/#section/About/Webhook>).
const SUBNETS: [Ipv4Addr; 4] = [
    Ipv4Addr::new(185, 16, 150, 0),
    Ipv4Addr::new(185, 16, 150, 84),
    Ipv4Addr::new(185, 16, 150, 152),
    Ipv4Addr::new(185, 16, 150, 192),
];
/// The mask of the subnets: each is a `/30`.
const MASK: u32 = u32::MAX << 2;

/// Returns whether an IP address is in one of the subnets from which TamTam sends updates to webhooks.
///
/// The subnets are from the documentation of TamTam. TamTam may change its subnets without notice. Use this check only
/// in addition to the [secret path](crate::webhook::Webhook::new) of the webhook.
///
/// Behind a proxy, the address of the connection is the address of the proxy. So check the client address that the
/// proxy writes to a header. If a client sends this header, the proxy must overwrite it.
///
/// ```
/// use tamtam::webhook::is_tamtam_address;
///
/// assert!(is_tamtam_address([185, 16, 150, 85].into()));
/// // A socket for both IPv4 and IPv6 reports the same address in this form:
/// assert!(is_tamtam_address("::ffff:185.16.150.85".parse().unwrap()));
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
    fn an_ipv6_address_counts_only_if_it_is_mapped_from_ipv4() {
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
