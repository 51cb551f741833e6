//! Makes pages of realistic updates of a busy bot from a seed, with the tags at a chosen place.

use fastrand::Rng;
use serde_json::{Map, Value, json};

/// The place of a union's tag in its object. Real servers put the tag last.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tags {
    Last,
    First,
    Mixed,
}

const SEED: u64 = 0x7461_6d74_616d;
/// The updates of a page: the maximum of the API.
pub(crate) const PAGE: usize = 1000;
/// The digits of the marker at the end of a page.
pub(crate) const MARKER_DIGITS: usize = 13;

const WORDS: &[&str] = &[
    "привет",
    "когда",
    "завтра",
    "встреча",
    "в",
    "офисе",
    "на",
    "третьем",
    "этаже",
    "спасибо",
    "пожалуйста",
    "документ",
    "отправлю",
    "вечером",
    "посмотри",
    "ссылку",
    "это",
    "не",
    "срочно",
    "хорошо",
    "договорились",
    "ok",
    "deploy",
    "v2.4.1",
    "😀",
    "готово",
    "перезвоню",
    "через",
    "час",
    "билеты",
    "поезд",
    "расписание",
    "или",
    "потом",
];

const NAMES: &[&str] = &["Анна Каренина", "Пётр", "Мария Иванова", "Ivan", "Ольга 🌸", "Сергей Сергеевич", "Bot"];

/// Makes pages.
pub(crate) struct Corpus {
    random: Rng,
    tags: Tags,
}

/// Returns a page as JSON, with a different chat for each update. `strange` percent of the updates have an unknown
/// kind, and are otherwise the same.
pub(crate) fn page(tags: Tags, strange: u32) -> String {
    let mut corpus = Corpus { random: Rng::with_seed(SEED), tags };
    page_with((0..PAGE).map(|_| corpus.update(strange)).collect())
}

/// Returns a page whose updates belong to ten chats and ten constructor sessions in turn.
pub(crate) fn page_of_ten_chats() -> String {
    const CHATS: i64 = 10;
    let mut corpus = Corpus { random: Rng::with_seed(SEED), tags: Tags::Last };
    let chats = (0..CHATS).cycle();
    let updates: Vec<Value> = (0..PAGE).zip(chats).map(|(_, chat)| move_to_chat(corpus.update(0), chat)).collect();
    page_with(updates)
}

/// Returns a page of 1000 chats. Pages with different numbers have different chats.
pub(crate) fn page_with_own_chats(number: u64) -> String {
    let mut corpus = Corpus { random: Rng::with_seed(SEED + number), tags: Tags::Last };
    page_with((0..PAGE).map(|_| corpus.update(0)).collect())
}

fn page_with(updates: Vec<Value>) -> String {
    json!({"updates": updates, "marker": 1_700_000_123_456_i64}).to_string()
}

/// Replaces the ids of an update's chat and constructor session by ids of the same length.
fn move_to_chat(mut update: Value, chat: i64) -> Value {
    for place in ["/message/recipient/chat_id", "/chat_id", "/chat/chat_id"] {
        if let Some(id) = update.pointer_mut(place) {
            *id = ((1_i64 << 38) + chat).into();
        }
    }
    if let Some(id) = update.pointer_mut("/session_id") {
        *id = format!("{chat:024}").into();
    }
    update
}

/// Returns the answer of the server to a sent message.
pub(crate) fn sent() -> String {
    let mut corpus = Corpus { random: Rng::with_seed(SEED), tags: Tags::Last };
    json!({"message": corpus.message()}).to_string()
}

impl Corpus {
    fn percent(&mut self, chance: u32) -> bool {
        self.random.u32(0..100) < chance
    }

    fn update(&mut self, strange: u32) -> Value {
        let timestamp = self.time();
        let (kind, mut fields) = match self.random.u32(0..100) {
            0..60 => ("message_created", json!({"message": self.message(), "user_locale": "ru"})),
            60..72 => (
                "message_callback",
                json!({"callback": self.callback(), "message": self.message(), "user_locale": "ru"}),
            ),
            72..76 => ("message_edited", json!({"message": self.message()})),
            76..79 => {
                ("message_removed", json!({"message_id": self.mid(), "chat_id": self.id(), "user_id": self.id()}))
            }
            79..81 => ("bot_added", self.membership(None)),
            81..82 => ("bot_removed", self.membership(None)),
            82..86 => ("user_added", self.membership(Some("inviter_id"))),
            86..89 => ("user_removed", self.membership(Some("admin_id"))),
            89..93 => (
                "bot_started",
                json!({"chat_id": self.id(), "user": self.user(), "payload": "ref_42", "user_locale": "ru"}),
            ),
            93..94 => ("chat_title_changed", json!({"chat_id": self.id(), "user": self.user(), "title": self.text(4)})),
            94..97 => {
                let input = json!({"payload": self.token(12)});
                let input = self.tagged("input_type", "callback", input);
                (
                    "message_construction_request",
                    json!({"user": self.profile(), "user_locale": "ru", "session_id": self.token(24), "data": "step=2", "input": input}),
                )
            }
            97..99 => {
                let message = json!({"sender": self.user(), "timestamp": timestamp, "body": self.body()});
                ("message_constructed", json!({"session_id": self.token(24), "message": message}))
            }
            _ => ("message_chat_created", json!({"chat": self.chat(), "message_id": self.mid(), "start_payload": "s"})),
        };
        fields["timestamp"] = timestamp.into();
        // Draws a random number in any case, so that all pages have the same updates.
        let kind = if self.percent(strange) { format!("{kind}_2") } else { kind.to_owned() };
        self.tagged("update_type", &kind, fields)
    }

    /// Returns an object with its tag.
    fn tagged(&mut self, key: &str, tag: &str, fields: Value) -> Value {
        let Value::Object(fields) = fields else { panic!("fields are an object") };
        let place = self.random.usize(0..=fields.len());
        let place = match self.tags {
            Tags::Last => fields.len(),
            Tags::First => 0,
            Tags::Mixed => place,
        };
        let mut entries: Vec<(String, Value)> = fields.into_iter().collect();
        entries.insert(place, (key.to_owned(), tag.into()));
        entries.into_iter().collect::<Map<_, _>>().into()
    }

    fn message(&mut self) -> Value {
        let dialog = self.percent(50);
        let mut message = json!({
            "recipient": {"chat_id": self.id(), "chat_type": if dialog { "dialog" } else { "chat" }, "user_id": dialog.then_some(1)},
            "timestamp": self.time(),
            "body": self.body(),
            "sender": self.user(),
        });
        if self.percent(15) {
            message["link"] = json!({"type": "reply", "sender": self.user(), "chat_id": 0, "message": self.body()});
        }
        message
    }

    fn body(&mut self) -> Value {
        let words = self.random.usize(2..40);
        let mut body = json!({"mid": self.mid(), "seq": self.random.i64(1 << 56..1 << 57), "text": self.text(words)});
        if self.percent(35) {
            let count = self.random.usize(1..3);
            body["attachments"] = (0..count).map(|_| self.attachment()).collect();
        }
        if self.percent(25) {
            let count = self.random.usize(1..5);
            body["markup"] = (0..count).map(|_| self.markup()).collect();
        }
        body
    }

    fn attachment(&mut self) -> Value {
        let (kind, fields) = match self.random.u32(0..100) {
            0..45 => ("image", json!({"payload": {"photo_id": self.id(), "token": self.token(64), "url": self.url()}})),
            45..55 => (
                "video",
                json!({"payload": {"url": self.url(), "token": self.token(64)}, "width": 1280, "height": 720, "duration": 31,
                    "thumbnail": {"photo_id": self.id(), "token": self.token(64), "url": self.url()}}),
            ),
            55..60 => ("audio", json!({"payload": {"url": self.url(), "token": self.token(64)}})),
            60..68 => (
                "file",
                json!({"payload": {"url": self.url(), "token": self.token(64)}, "filename": "отчёт.pdf", "size": 1_048_576}),
            ),
            68..74 => (
                "sticker",
                json!({"payload": {"url": self.url(), "code": self.token(10)}, "width": 512, "height": 512}),
            ),
            74..77 => (
                "contact",
                json!({"payload": {"vcf_info": "BEGIN:VCARD\r\nFN:Анна\r\nEND:VCARD", "tam_info": self.user()}}),
            ),
            77..92 => {
                let buttons: Vec<Vec<Value>> = (0..2).map(|_| (0..2).map(|_| self.button()).collect()).collect();
                ("inline_keyboard", json!({"callback_id": self.token(40), "payload": {"buttons": buttons}}))
            }
            92..97 => (
                "share",
                json!({"payload": {"url": self.url(), "token": self.token(64)}, "title": self.text(3), "description": self.text(8), "image_url": self.url()}),
            ),
            _ => ("location", json!({"latitude": 55.755_826, "longitude": 37.617_3})),
        };
        self.tagged("type", kind, fields)
    }

    fn button(&mut self) -> Value {
        let (kind, fields) = match self.random.u32(0..10) {
            0..7 => ("callback", json!({"text": self.text(2), "payload": self.token(16), "intent": "default"})),
            7..9 => ("link", json!({"text": self.text(2), "url": self.url()})),
            _ => ("request_contact", json!({"text": self.text(2)})),
        };
        self.tagged("type", kind, fields)
    }

    fn markup(&mut self) -> Value {
        let (from, length) = (self.random.u8(..), self.random.u8(1..20));
        let (kind, fields) = match self.random.u32(0..10) {
            0..4 => ("strong", json!({"from": from, "length": length})),
            4..6 => ("emphasized", json!({"from": from, "length": length})),
            6..8 => ("link", json!({"from": from, "length": length, "url": self.url()})),
            _ => ("user_mention", json!({"from": from, "length": length, "user_link": null, "user_id": self.id()})),
        };
        self.tagged("type", kind, fields)
    }

    fn callback(&mut self) -> Value {
        json!({"timestamp": self.time(), "callback_id": self.token(40), "payload": self.token(16), "user": self.user()})
    }

    fn membership(&mut self, by: Option<&str>) -> Value {
        let mut fields = json!({"chat_id": self.id(), "user": self.user(), "is_channel": false});
        if let Some(by) = by {
            fields[by] = self.id().into();
        }
        fields
    }

    fn user(&mut self) -> Value {
        json!({"user_id": self.id(), "name": NAMES[self.random.usize(..NAMES.len())], "username": null, "is_bot": false,
            "last_activity_time": self.time()})
    }

    fn profile(&mut self) -> Value {
        let mut user = self.user();
        user["avatar_url"] = self.url().into();
        user["full_avatar_url"] = self.url().into();
        user
    }

    fn chat(&mut self) -> Value {
        json!({"chat_id": -self.id(), "type": "chat", "status": "active", "title": self.text(3), "icon": {"url": self.url()},
            "last_event_time": self.time(), "participants_count": 12, "owner_id": self.id(), "is_public": false, "link": null,
            "description": null})
    }

    fn id(&mut self) -> i64 {
        self.random.i64(1 << 32..1 << 40)
    }

    fn time(&mut self) -> i64 {
        1_700_000_000_000 + self.random.i64(0..1 << 32)
    }

    fn mid(&mut self) -> String {
        format!("mid.{:016x}{:016x}", self.random.u64(..), self.random.u64(..))
    }

    fn token(&mut self, length: usize) -> String {
        (0..length).map(|_| self.random.alphanumeric()).collect()
    }

    fn url(&mut self) -> String {
        format!("https://i.example.com/getImage?id={}&t={}", self.id(), self.token(20))
    }

    fn text(&mut self, words: usize) -> String {
        let words: Vec<&str> = (0..words).map(|_| WORDS[self.random.usize(..WORDS.len())]).collect();
        words.join(" ")
    }
}
