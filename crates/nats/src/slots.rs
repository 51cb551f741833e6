//! The slots of a queue: a hash that never changes assigns each lane to a slot.

use tamtam::updates::Lane;

/// Returns the slot of a lane, below `slots`. Must not change, because stored updates stay in their slot.
pub(crate) fn slot_of(lane: &Lane, slots: u16) -> u16 {
    (mixed(fnv_1a(lane.to_string().as_bytes())) % u64::from(slots)) as u16
}

/// FNV-1a, 64 bits.
fn fnv_1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The finalizer of MurmurHash3: without it, the low bits of similar ids differ little.
fn mixed(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(chat: i64) -> Lane {
        let json = format!(r#"{{"update_type":"weather","chat_id":{chat}}}"#);
        serde_json::from_str::<tamtam::Update>(&json).unwrap().lane()
    }

    #[test]
    fn the_slot_of_a_lane_never_changes() {
        // Computed elsewhere. If these values change, chats of running queues change their slots, and their order is
        // lost.
        for (chat, slot) in [(0, 36), (1, 23), (-5, 13), (123_456_789, 43)] {
            assert_eq!(slot_of(&lane(chat), 64), slot, "{chat}");
        }
    }

    #[test]
    fn chats_are_spread_evenly() {
        let mut counts = [0_u32; 64];
        (0..64_000).for_each(|chat| counts[usize::from(slot_of(&lane(chat), 64))] += 1);
        assert!(counts.iter().all(|count| (850..1_150).contains(count)), "{counts:?}");
    }
}
