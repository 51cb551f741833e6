//! The key of an update, for deduplication.

use crate::{api::types::Update, json::key::Key, redaction::fnv_1a};

impl Update {
    /// Returns a key that identifies the update, so that a bot can find duplicates.
    ///
    /// If a poll (a request for updates) or a request to a webhook fails, the server delivers the same updates again. A
    /// repeated update has the same key, unless it is an [`Update::Unknown`] whose JSON has changed. Two updates have
    /// different keys if they differ in at least one of these properties:
    ///
    /// - the [kind](Self::tag) or the timestamp
    /// - the id of a chat, user, message, callback or session, including the ids in the original message of a forward
    ///   or reply
    /// - the title of the chat, or the payload of the button or deep link
    ///
    /// The key does not contain user names, message texts or attachments. The key also does not contain values that can
    /// change between two deliveries: activity times, view counts, URLs, or the pinned message of a chat.
    ///
    /// The key of [`Update::Unknown`] contains the kind, the timestamp (if the update has one), and a 64-bit hash of
    /// the JSON text.
    ///
    /// The key is printable ASCII without spaces. You can use the key in a database or in a header such as
    /// `Nats-Msg-Id`. Do not parse the key. The key contains payloads, so do not log the key if your payloads are
    /// secret.
    ///
    /// To find duplicates, store each key for as long as the server can repeat the update, for example for a day.
    ///
    /// An upgrade of the crate can change the key of an update. A later version may add an id to the key, or support an
    /// update that is `Unknown` now.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::collections::HashSet;
    /// use tamtam::Update;
    ///
    /// let json = r#"{"update_type": "user_added", "timestamp": 1700000000000,
    ///     "chat_id": -5, "is_channel": false,
    ///     "user": {"user_id": 7, "name": "Alice", "last_activity_time": 1699999999999}}"#;
    /// let update: Update = serde_json::from_str(json)?;
    /// assert_eq!(
    ///     update.key(),
    ///     "user_added/timestamp=1700000000000/chat_id=-5/user.user_id=7",
    /// );
    ///
    /// let changed = json.replace("1699999999999", "1700000000500");
    /// let again: Update = serde_json::from_str(&changed)?;
    /// let mut seen = HashSet::new();
    /// assert!(seen.insert(update.key()));
    /// assert!(!seen.insert(again.key()), "a duplicate");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[doc(alias = "deduplicate")]
    #[doc(alias = "idempotency")]
    #[must_use]
    pub fn key(&self) -> String {
        let mut key = Key::of(self);
        if let Self::Unknown(unknown) = self {
            key.property("timestamp", &self.timestamp());
            // Without a name: no key of a known kind has such a field.
            key.value(&format!("{:016x}", fnv_1a(unknown.raw.get().as_bytes())));
        }
        key.into_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(json: &str) -> String {
        serde_json::from_str::<Update>(json).unwrap().key()
    }

    #[test]
    fn the_key_of_a_message_contains_its_ids() {
        let message = r#"{"update_type":"message_created","timestamp":1,"message":{"timestamp":2,
            "sender":{"user_id":3,"name":"A"},"recipient":{"chat_id":-4,"chat_type":"chat"},"body":{"mid":"m/5","seq":6},
            "link":{"type":"reply","sender":{"user_id":7,"name":"B"},"message":{"mid":"m8","seq":9}}}}"#;
        assert_eq!(
            key(message),
            "message_created/timestamp=1/message.sender.user_id=3/message.recipient.chat_id=-4\
             /message.link.sender.user_id=7/message.link.message.mid=m8/message.body.mid=m%2F5"
        );
        assert_eq!(key(r#"{"update_type":"message_created","timestamp":1}"#), "message_created/timestamp=1");
    }

    #[test]
    fn the_key_of_a_constructor_input_contains_its_kind() {
        let request = |input: &str| {
            key(&format!(
                r#"{{"update_type":"message_construction_request","timestamp":1,"session_id":"s",
                    "user":{{"user_id":3,"name":"A"}},"input":{input}}}"#
            ))
        };
        let begins = "message_construction_request/timestamp=1/user.user_id=3/session_id=s/input=";
        for (input, ends) in [
            (r#"{"input_type":"callback","payload":""}"#, "callback/input.payload="),
            (r#"{"input_type":"message","messages":[{"text":"hi"}]}"#, "message"),
            (r#"{"input_type":"voice","payload":"x"}"#, "voice"),
        ] {
            assert_eq!(request(input), format!("{begins}{ends}"));
        }
    }

    #[test]
    fn the_key_of_an_unknown_update_contains_a_hash_of_its_json() {
        for (json, begins) in [
            (r#"{"update_type":"dialog muted","timestamp":1,"chat_id":2}"#, "dialog%20muted/timestamp=1/"),
            (r#"{"update_type":"dialog_muted","timestamp":"?"}"#, "dialog_muted/"),
            (r#"{"update_type":"bot_started","timestamp":1}"#, "bot_started/timestamp=1/"),
            ("5", "/"),
        ] {
            assert_eq!(key(json), format!("{begins}{:016x}", fnv_1a(json.as_bytes())));
            assert_eq!(key(json), key(&format!(" {json}\n")), "surrounding white space does not matter");
        }
        let muted = |chat: i64| key(&format!(r#"{{"update_type":"dialog_muted","timestamp":1,"chat_id":{chat}}}"#));
        assert_ne!(muted(1), muted(2));
    }
}
