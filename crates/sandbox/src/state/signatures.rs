//! Signatures with the token of a bot: for contact cards, and for the launch data of Mini Apps.

use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use sha2::Sha256;

use super::State;
use super::ids::{ChatId, UserId};
use crate::protocol::wire;

impl State {
    /// Returns the `hash` of a contact card that a user shared with a bot.
    pub(crate) fn contact_hash(&self, vcf: &str, bot: UserId) -> Option<String> {
        let token = &self.bots.get(&bot)?.token;
        Some(hex(&sign(token.as_bytes(), vcf)))
    }

    /// Returns the `initData` of a Mini App that a user opens.
    pub(crate) fn init_data(&mut self, user: UserId, bot: UserId, chat: ChatId, start_param: Option<&str>) -> String {
        let query_id = self.secret("query");
        // In seconds, unlike all other times. Uses real time even with a seed, because servers refuse old launch data.
        let auth_date = self.clock.now() / 1_000;
        let (first_name, last_name) = self.names(user);
        let username = self.users.get(&user).and_then(|user| user.username.clone());
        let person = json!({
            "id": user,
            "first_name": first_name,
            "last_name": last_name,
            "username": username,
            "language_code": super::acts::LOCALE,
            "photo_url": null,
        });
        let kind = self.chats.get(&chat).map_or("dialog", |chat| chat.kind.name());
        let chat = json!({ "id": chat, "type": kind.to_uppercase() });
        let mut fields = vec![
            ("auth_date", auth_date.to_string()),
            ("chat", wire::to_text(&chat)),
            ("query_id", query_id),
            ("user", wire::to_text(&person)),
        ];
        fields.extend(start_param.map(|text| ("start_param", text.to_owned())));
        fields.sort_unstable();
        let lines: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let token = self.bots.get(&bot).map(|bot| bot.token.clone()).unwrap_or_default();
        let hash = hex(&sign(&sign(b"WebAppData", &token), &lines.join("\n")));
        let encoded =
            fields.iter().map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
        encoded.chain([format!("hash={hash}")]).collect::<Vec<_>>().join("&")
    }
}

fn sign(key: &[u8], text: &str) -> Vec<u8> {
    let Ok(hmac) = Hmac::<Sha256>::new_from_slice(key) else { unreachable!("HMAC takes keys of any length") };
    hmac.chain_update(text).finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signatures_match_the_documentation() {
        let card = "BEGIN:VCARD\r\nTEL:79990000000\r\nEND:VCARD";
        let hash = hex(&sign(b"test-token", card));
        assert_eq!(hash, "0d041d9949fbe03a35c4dc2bfebc1a00866b2571b688808ac746fb10d6908d64");
        let text = "auth_date=1771409700\nquery_id=q-1\nstart_param=a_b\nuser={\"id\":7}";
        let hash = hex(&sign(&sign(b"WebAppData", "test-token"), text));
        assert_eq!(hash, "916bd6ee2a63abf0efe9b7703a16f53662e923c0cdc0a7109016865f22f005ed");
    }
}
