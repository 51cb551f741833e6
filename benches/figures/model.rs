//! The hand-written models: the same structs with the unions of serde, and with unions whose tags are known beforehand.

use std::{
    cell::{Cell, OnceCell},
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use serde::Deserialize;
use serde_json::Value;

thread_local! {
    /// The tags of a page in the order of their use, and the number of taken tags.
    static KNOWN: (OnceCell<Vec<&'static str>>, Cell<usize>) = const { (OnceCell::new(), Cell::new(0)) };
}

/// Collects the tags of a page.
pub(crate) fn know(page: &str) {
    let mut tags = Vec::new();
    collect("", &serde_json::from_str(page).expect("a page is JSON"), &mut tags);
    KNOWN.with(|(known, _)| known.set(tags).expect("one page"));
}

/// Starts again with the first tag, before the page is read again.
pub(crate) fn rewind() {
    KNOWN.with(|(_, taken)| taken.set(0));
}

fn next_tag() -> &'static str {
    KNOWN.with(|(known, taken)| {
        let tag = known.get().expect("the tags are known")[taken.get()];
        taken.set(taken.get() + 1);
        tag
    })
}

fn collect(key: &str, value: &Value, tags: &mut Vec<&'static str>) {
    match value {
        Value::Array(list) => list.iter().for_each(|value| collect(key, value, tags)),
        Value::Object(object) => {
            let tag = match key {
                "updates" => Some("update_type"),
                "input" => Some("input_type"),
                "attachments" | "buttons" | "markup" => Some("type"),
                _ => None,
            };
            let tag = tag.and_then(|tag| object[tag].as_str());
            tags.extend(tag.map(|tag| &*Box::leak(tag.to_owned().into_boxed_str())));
            object.iter().for_each(|(key, value)| collect(key, value, tags));
        }
        _ => {}
    }
}

/// serde's internally tagged enum.
macro_rules! tagged {
    ($name:ident by $tag:literal { $($variant:ident($ty:ty) = $value:literal,)* }) => {
        #[derive(Deserialize)]
        #[serde(tag = $tag)]
        pub(crate) enum $name { $(#[serde(rename = $value)] $variant($ty),)* }
    };
}

/// An enum that takes its tag from the collected ones.
macro_rules! known {
    ($name:ident by $tag:literal { $($variant:ident($ty:ty) = $value:literal,)* }) => {
        pub(crate) enum $name { $($variant($ty),)* }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                match next_tag() {
                    $($value => Deserialize::deserialize(deserializer).map(Self::$variant),)*
                    other => panic!("{other}"),
                }
            }
        }
    };
}

macro_rules! structs {
    ($($name:ident { $($(#[$attribute:meta])* $field:ident: $ty:ty,)* })*) => {
        $(#[derive(Deserialize)] pub(crate) struct $name { $($(#[$attribute])* pub(crate) $field: $ty,)* })*
    };
}

macro_rules! model {
    ($module:ident, $union:ident) => {
        #[expect(dead_code, reason = "it is read only")]
        pub(crate) mod $module {
            use super::*;

            structs! {
                Page { updates: Vec<Update>, marker: Option<i64>, }
                MessageCreated { timestamp: i64, message: Option<Box<Message>>, user_locale: Option<String>, }
                MessageCallback {
                    timestamp: i64, callback: Callback, message: Option<Box<Message>>, user_locale: Option<String>,
                }
                MessageEdited { timestamp: i64, message: Option<Box<Message>>, }
                MessageRemoved { timestamp: i64, message_id: String, chat_id: i64, user_id: i64, }
                BotAdded { timestamp: i64, chat_id: i64, user: User, is_channel: Option<bool>, }
                UserAdded {
                    timestamp: i64, chat_id: i64, user: User, inviter_id: Option<i64>, is_channel: Option<bool>,
                }
                UserRemoved {
                    timestamp: i64, chat_id: i64, user: User, admin_id: Option<i64>, is_channel: Option<bool>,
                }
                BotStarted {
                    timestamp: i64, chat_id: i64, user: User, payload: Option<String>, user_locale: Option<String>,
                }
                TitleChanged { timestamp: i64, chat_id: i64, user: User, title: String, }
                ConstructionRequest {
                    timestamp: i64, user: Profile, user_locale: Option<String>, session_id: String,
                    data: Option<String>, input: Input,
                }
                Constructed { timestamp: i64, session_id: String, message: ConstructedMessage, }
                ChatCreated { timestamp: i64, chat: Box<Chat>, message_id: String, start_payload: Option<String>, }
                ConstructedMessage { sender: Option<User>, timestamp: i64, link: Option<Linked>, body: Body, }
                CallbackInput { payload: String, }
                MessageInput { messages: Option<Vec<ConstructedBody>>, }
                ConstructedBody { text: Option<String>, attachments: Option<Vec<Attachment>>, markup: Option<Vec<Markup>>, }
                Message {
                    sender: Option<User>, recipient: Recipient, timestamp: i64, link: Option<Linked>, body: Option<Body>,
                    stat: Option<Stat>, url: Option<String>, constructor: Option<User>,
                }
                Stat { views: i64, }
                Recipient { chat_id: Option<i64>, chat_type: ChatType, user_id: Option<i64>, }
                Linked { #[serde(rename = "type")] kind: LinkType, sender: Option<User>, chat_id: Option<i64>, message: Body, }
                Body {
                    mid: String, seq: i64, text: Option<String>, attachments: Option<Vec<Attachment>>,
                    markup: Option<Vec<Markup>>,
                }
                User {
                    user_id: i64, name: String, username: Option<String>, is_bot: Option<bool>,
                    last_activity_time: Option<i64>,
                }
                Profile {
                    user_id: i64, name: String, username: Option<String>, is_bot: Option<bool>,
                    last_activity_time: Option<i64>, description: Option<String>, avatar_url: Option<String>,
                    full_avatar_url: Option<String>,
                }
                Callback { timestamp: i64, callback_id: String, payload: Option<String>, user: User, }
                Chat {
                    chat_id: i64, #[serde(rename = "type")] kind: ChatType, status: ChatStatus, title: Option<String>,
                    icon: Option<Icon>, last_event_time: i64, participants_count: i32, owner_id: Option<i64>,
                    participants: Option<std::collections::BTreeMap<String, i64>>, is_public: bool,
                    link: Option<String>, description: Option<String>, dialog_with_user: Option<Profile>,
                    messages_count: Option<i64>, chat_message_id: Option<String>, pinned_message: Option<Box<Message>>,
                }
                Icon { url: String, }
                Image { payload: Photo, }
                Photo { photo_id: i64, token: String, url: String, }
                Video {
                    payload: Media, thumbnail: Option<Photo>, width: Option<i64>, height: Option<i64>,
                    duration: Option<i64>,
                }
                Audio { payload: Media, }
                Media { url: String, token: String, }
                File { payload: Media, filename: String, size: i64, }
                Sticker { payload: StickerPayload, width: i64, height: i64, }
                StickerPayload { url: String, code: String, }
                Contact { payload: ContactPayload, }
                ContactPayload { vcf_info: Option<String>, tam_info: Option<User>, }
                InlineKeyboard { payload: Keyboard, callback_id: Option<String>, }
                Keyboard { buttons: Vec<Vec<Button>>, }
                Share {
                    payload: SharePayload, title: Option<String>, description: Option<String>, image_url: Option<String>,
                }
                SharePayload { url: Option<String>, token: Option<String>, }
                Location { latitude: f64, longitude: f64, }
                CallbackButton { text: String, payload: String, intent: Option<Intent>, }
                LinkButton { text: String, url: String, }
                ContactButton { text: String, }
                LocationButton { text: String, quick: Option<bool>, }
                ChatButton {
                    text: String, chat_title: String, chat_description: Option<String>, start_payload: Option<String>,
                    uuid: Option<i64>,
                }
                Style { from: i32, length: i32, }
                LinkStyle { from: i32, length: i32, url: String, }
                Mention { from: i32, length: i32, user_link: Option<String>, user_id: Option<i64>, }
            }

            $union! { Update by "update_type" {
                MessageCreated(MessageCreated) = "message_created",
                MessageCallback(MessageCallback) = "message_callback",
                MessageEdited(MessageEdited) = "message_edited",
                MessageRemoved(MessageRemoved) = "message_removed",
                BotAdded(BotAdded) = "bot_added",
                BotRemoved(BotAdded) = "bot_removed",
                UserAdded(UserAdded) = "user_added",
                UserRemoved(UserRemoved) = "user_removed",
                BotStarted(BotStarted) = "bot_started",
                TitleChanged(TitleChanged) = "chat_title_changed",
                ConstructionRequest(ConstructionRequest) = "message_construction_request",
                Constructed(Constructed) = "message_constructed",
                ChatCreated(ChatCreated) = "message_chat_created",
            } }
            $union! { Attachment by "type" {
                Image(Image) = "image",
                Video(Video) = "video",
                Audio(Audio) = "audio",
                File(File) = "file",
                Sticker(Sticker) = "sticker",
                Contact(Contact) = "contact",
                InlineKeyboard(InlineKeyboard) = "inline_keyboard",
                Share(Share) = "share",
                Location(Location) = "location",
            } }
            $union! { Button by "type" {
                Callback(CallbackButton) = "callback",
                Link(LinkButton) = "link",
                Contact(ContactButton) = "request_contact",
                Location(LocationButton) = "request_geo_location",
                Chat(ChatButton) = "chat",
            } }
            $union! { Markup by "type" {
                Strong(Style) = "strong",
                Emphasized(Style) = "emphasized",
                Monospaced(Style) = "monospaced",
                Link(LinkStyle) = "link",
                Strikethrough(Style) = "strikethrough",
                Underline(Style) = "underline",
                Mention(Mention) = "user_mention",
                Heading(Style) = "heading",
                Highlighted(Style) = "highlighted",
            } }
            $union! { Input by "input_type" {
                Callback(CallbackInput) = "callback",
                Message(MessageInput) = "message",
            } }
        }
    };
}

macro_rules! enums {
    ($($name:ident { $($variant:ident = $value:literal)* })*) => {
        $(
            #[derive(Deserialize)]
            pub(crate) enum $name { $(#[serde(rename = $value)] $variant,)* #[serde(other)] Other }
        )*
    };
}

enums! {
    ChatType { Dialog = "dialog" Chat = "chat" Channel = "channel" }
    ChatStatus { Active = "active" Removed = "removed" Left = "left" Closed = "closed" Suspended = "suspended" }
    LinkType { Forward = "forward" Reply = "reply" }
    Intent { Positive = "positive" Negative = "negative" Default = "default" }
}

model!(tagged, tagged);
model!(known, known);

impl tagged::Update {
    /// Returns the id of the chat, or a hash of the constructor session.
    pub(crate) fn chat(&self) -> i64 {
        let of_message = |message: &Option<Box<tagged::Message>>| message.as_ref()?.recipient.chat_id;
        match self {
            Self::MessageCreated(update) => of_message(&update.message).unwrap_or_default(),
            Self::MessageCallback(update) => of_message(&update.message).unwrap_or_default(),
            Self::MessageEdited(update) => of_message(&update.message).unwrap_or_default(),
            Self::MessageRemoved(update) => update.chat_id,
            Self::BotAdded(update) | Self::BotRemoved(update) => update.chat_id,
            Self::UserAdded(update) => update.chat_id,
            Self::UserRemoved(update) => update.chat_id,
            Self::BotStarted(update) => update.chat_id,
            Self::TitleChanged(update) => update.chat_id,
            Self::ConstructionRequest(update) => hash(&update.session_id),
            Self::Constructed(update) => hash(&update.session_id),
            Self::ChatCreated(update) => update.chat.chat_id,
        }
    }
}

fn hash(session: &str) -> i64 {
    let mut hasher = DefaultHasher::new();
    session.hash(&mut hasher);
    hasher.finish().cast_signed()
}
