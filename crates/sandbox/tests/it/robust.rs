//! The server survives random requests.

use serde_json::{Value, json};

use crate::client::{callback, dialog, keyboard};

/// A SplitMix64 generator, so that each run sends the same requests.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) as usize % sides
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.roll(from.len())]
    }

    fn json(&mut self, depth: usize) -> Value {
        const KEYS: [&str; 27] = [
            "text",
            "attachments",
            "link",
            "type",
            "payload",
            "buttons",
            "mid",
            "message",
            "notification",
            "token",
            "url",
            "photos",
            "title",
            "pin",
            "icon",
            "user_ids",
            "action",
            "message_id",
            "name",
            "commands",
            "photo",
            "latitude",
            "longitude",
            "contact_id",
            "format",
            "intent",
            "code",
        ];
        const TEXTS: [&str; 14] = [
            "",
            "a",
            "image",
            "inline_keyboard",
            "callback",
            "location",
            "contact",
            "share",
            "sticker",
            "chat",
            "forward",
            "reply",
            "\u{0}\u{FEFF}\"",
            "mid.00",
        ];
        match self.roll(if depth == 0 { 5 } else { 8 }) {
            0 => Value::Null,
            1 => json!(self.roll(2) == 0),
            2 => json!(i64::MIN + self.roll(3) as i64),
            3 => json!(1e300),
            4 => json!(TEXTS[self.roll(TEXTS.len())]),
            5 => (0..self.roll(4)).map(|_| self.json(depth - 1)).collect(),
            _ => {
                let fields = (0..self.roll(6)).map(|_| (KEYS[self.roll(KEYS.len())].to_owned(), self.json(depth - 1)));
                Value::Object(fields.collect())
            }
        }
    }
}

#[tokio::test]
async fn random_requests_get_an_answer_other_than_500() {
    let (tamtam, api, alice) = dialog().await;
    let team = tamtam.group("Team", [&alice]);
    let asked = json!({ "text": "?", "attachments": [keyboard(json!([[callback("Yes", "y")]]))] });
    let mid = crate::client::mid(&api.post(team.chat_id().0, asked).await.ok()["message"]);
    let ids = [team.chat_id().0, alice.chat_id().0, alice.user_id().0, i64::MIN, i64::MAX, 0, -1];
    let mut ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    ids.extend(["x", "", "%00", "%FF", "%2F", "@", "1e9", "..", &mid].map(str::to_owned));
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let paths = [
        "/me",
        "/chats",
        "/chats/{}",
        "/chats/{}/actions",
        "/chats/{}/pin",
        "/chats/{}/members/me",
        "/chats/{}/members/admins",
        "/chats/{}/members",
        "/subscriptions",
        "/uploads",
        "/messages",
        "/messages/{}",
        "/answers",
        "/answers/constructor",
        "/updates",
    ];
    let names = [
        "count",
        "marker",
        "chat_id",
        "user_id",
        "user_ids",
        "message_id",
        "message_ids",
        "from",
        "to",
        "block",
        "limit",
        "types",
        "callback_id",
        "disable_link_preview",
        "%FF",
    ];
    let mut dice = Dice(7);
    for _ in 0..3_000 {
        let method = dice.pick(&["GET", "POST", "PUT", "PATCH", "DELETE", "GET", "POST", "HEAD", "OPTIONS"]);
        let mut path = dice.pick(&paths).replace("{}", dice.pick(&ids)) + "?timeout=0";
        for _ in 0..dice.roll(4) {
            path += &format!("&{}={}", dice.pick(&names), dice.pick(&ids));
        }
        let body = match dice.roll(4) {
            0 => (0..dice.roll(40)).map(|_| dice.roll(256) as u8).collect(),
            _ => dice.json(5).to_string().into_bytes(),
        };
        let response = api.request(method, &path).body(body).send().await;
        let status = response.unwrap_or_else(|error| panic!("{method} {path}: {error}")).status();
        assert!(status != 500, "{method} {path}");
    }
    api.get("/me").await.ok();
}
