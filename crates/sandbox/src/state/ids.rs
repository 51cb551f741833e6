//! Ids in the form of TamTam: their sign, their size, and the format of a `mid`.

use super::clock::Millis;

pub(crate) type UserId = i64;
pub(crate) type ChatId = i64;
/// The position of a message in its chat. Greater than 2^53, to detect clients that read numbers as doubles.
pub(crate) type Seq = i64;

/// The number of bits of a `seq` below its timestamp.
const SEQ_COUNTER_BITS: u32 = 16;
/// Ids of people do not fit into 32 bits, to detect clients that truncate them.
const PERSON_ID_BASE: i64 = 1 << 39;
/// Ids of bots have a bit that ids of people do not have. So a dialog id, the XOR of both, is never zero, small or
/// negative.
const BOT_ID_BASE: i64 = 1 << 40;
/// Ids of groups and channels are negative: this base plus a number, negated.
const GROUP_ID_BASE: i64 = 1 << 46;
/// The bits in which ids differ.
const ID_BITS_MASK: i64 = (1 << 38) - 1;
/// An odd factor, so that its multiples visit every value of the mask once. A large one, so that ids do not look like a
/// count.
const ID_STRIDE: i64 = 0x23_9A7F_3C15;

/// Returns the first number of a seed, far from the numbers of other seeds that a test would use.
pub(crate) fn offset(seed: u64) -> i64 {
    // Fibonacci hashing. The result is not negative, and leaves room for later numbers.
    (seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 2).cast_signed() / 2
}

pub(crate) fn person(number: i64) -> UserId {
    PERSON_ID_BASE + scatter(number)
}

pub(crate) fn bot(number: i64) -> UserId {
    BOT_ID_BASE + scatter(number)
}

pub(crate) fn group(number: i64) -> ChatId {
    -(GROUP_ID_BASE + scatter(number))
}

/// Returns the id of the dialog between a user and a bot.
pub(crate) fn dialog(user: UserId, bot: UserId) -> ChatId {
    user ^ bot
}

pub(crate) fn seq(timestamp: Millis, counter: u16) -> Seq {
    (timestamp << SEQ_COUNTER_BITS) | i64::from(counter)
}

pub(crate) fn mid(chat: ChatId, seq: Seq) -> String {
    format!("mid.{:016x}{:016x}", chat.cast_unsigned(), seq.cast_unsigned())
}

/// Returns the chat and the `seq` of a `mid`. `None` if the text is not a `mid`.
pub(crate) fn parse_mid(mid: &str) -> Option<(ChatId, Seq)> {
    const HALF: usize = 16;
    let digits = mid.strip_prefix("mid.")?;
    if digits.len() != 2 * HALF || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let (chat, seq) = digits.split_at(HALF);
    let number = |half| u64::from_str_radix(half, 16).ok().map(u64::cast_signed);
    Some((number(chat)?, number(seq)?))
}

/// Returns a string that looks like a secret, for tokens, callback ids and invitation links. It is the same in every
/// run.
pub(crate) fn opaque(seed: &str, number: u64, length: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    // FNV-1a over the seed, then SplitMix64. Not secure, but these strings protect nothing.
    let mut state = seed
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    state = state.wrapping_add(number.wrapping_mul(0xd134_2543_de82_ef95));
    (0..length)
        .map(|_| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = state;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            char::from(ALPHABET[((mixed ^ (mixed >> 31)) & 63) as usize])
        })
        .collect()
}

fn scatter(number: i64) -> i64 {
    number.wrapping_mul(ID_STRIDE) & ID_BITS_MASK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialog_id_is_positive_and_beyond_32_bits() {
        for user in 0..100 {
            for bot_number in 0..10 {
                let id = dialog(person(user), bot(bot_number));
                assert!(id > i64::from(u32::MAX), "{id}");
            }
        }
    }

    #[test]
    fn a_group_id_is_negative() {
        assert!((0..100).all(|number| group(number) < -i64::from(u32::MAX)));
    }

    #[test]
    fn a_mid_gives_back_its_chat_and_seq() {
        let seq = seq(1_700_000_000_123, 7);
        assert_eq!(seq >> 16, 1_700_000_000_123);
        for chat in [person(1), group(1)] {
            let mid = mid(chat, seq);
            assert_eq!(mid.len(), "mid.".len() + 32);
            assert_eq!(parse_mid(&mid), Some((chat, seq)));
        }
    }

    #[test]
    fn refuses_a_text_that_is_not_a_mid() {
        for text in ["", "mid.", "mid.12", "mid.nonexistingmessageid123456789012", "mid.ёёёёёёёёёёёёёёёё"]
        {
            assert_eq!(parse_mid(text), None, "{text}");
        }
    }

    #[test]
    fn opaque_strings_repeat_for_the_same_seed_only() {
        assert_eq!(opaque("a", 1, 43), opaque("a", 1, 43));
        assert_ne!(opaque("a", 1, 43), opaque("a", 2, 43));
        assert_ne!(opaque("a", 1, 43), opaque("b", 1, 43));
        assert_eq!(opaque("a", 1, 43).len(), 43);
    }
}
