//! State as JSON, in the shapes of the API's document: every required key, and no key it does not
//! have. The shapes are written by hand, so that they can disagree with the client's models.

use serde_json::{Map, Value, json};

use super::State;
use super::chat::{Chat, ChatKind, Member};
use super::ids::UserId;
use super::media::MediaKind;
use super::message::{Action, Attachment, Button, Keyboard, LinkKind, Message, MessageBody, Photo};
use crate::protocol::markup::element::Element;

/// `Chat` tells more when it is asked for alone than in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    Alone,
    Listed,
}

impl State {
    /// `User`.
    pub(crate) fn user_json(&self, user_id: UserId) -> Value {
        let Some(user) = self.users.get(&user_id) else { return Value::Null };
        json!({
            "user_id": user.user_id,
            "name": user.name,
            "username": user.username,
            "is_bot": user.is_bot,
            "last_activity_time": user.last_activity,
        })
    }

    /// `UserWithPhoto`: people of the sandbox have neither a photo nor a description.
    pub(crate) fn user_with_photo_json(&self, user_id: UserId) -> Value {
        let mut json = self.user_json(user_id);
        if let (Some(bot), Value::Object(fields)) = (self.bots.get(&user_id), &mut json) {
            fields.insert("description".to_owned(), json!(bot.description));
            if let Some(avatar) = &bot.avatar {
                fields.insert("avatar_url".to_owned(), json!(avatar));
                fields.insert("full_avatar_url".to_owned(), json!(avatar));
            }
        }
        json
    }

    /// `BotInfo`.
    pub(crate) fn bot_json(&self, user_id: UserId) -> Value {
        let mut json = self.user_with_photo_json(user_id);
        if let (Some(bot), Value::Object(fields)) = (self.bots.get(&user_id), &mut json) {
            let command = |(name, about): &(String, Option<String>)| json!({ "name": name, "description": about });
            let commands: Vec<_> = bot.commands.iter().map(command).collect();
            // No commands are null, not an empty list.
            let commands = if commands.is_empty() { Value::Null } else { Value::Array(commands) };
            fields.insert("commands".to_owned(), commands);
        }
        json
    }

    /// `Chat`, as this bot sees it.
    pub(crate) fn chat_json(&self, chat: &Chat, bot: UserId, view: View) -> Value {
        let (link, is_public) = match &chat.kind {
            ChatKind::Dialog { .. } => (None, false),
            ChatKind::Group { link, is_public, .. } => (Some(link), *is_public),
        };
        let mut fields = object(json!({
            "chat_id": chat.chat_id,
            "status": chat.status_for(bot).unwrap_or("removed"),
            "title": chat.title(),
            "icon": chat.icon.as_ref().map(|url| json!({ "url": url })),
            "last_event_time": chat.last_event,
            "participants_count": chat.members.len(),
            "is_public": is_public,
            "link": link,
            "description": chat.description,
            "type": chat.kind.name(),
        }));
        if let Some(mid) = &chat.button_mid {
            fields.insert("chat_message_id".to_owned(), json!(mid));
        }
        if let Some(partner) = chat.partner_of(bot) {
            fields.insert("dialog_with_user".to_owned(), self.user_with_photo_json(partner));
        } else {
            fields.insert("messages_count".to_owned(), json!(chat.messages.len()));
        }
        let is_admin = chat.is_admin(bot);
        if is_admin {
            let owner = chat.members.iter().find(|(_, member)| member.is_owner);
            fields.insert("owner_id".to_owned(), json!(owner.map(|(user_id, _)| user_id)));
        }
        if view == View::Alone {
            if is_admin {
                let seen = |(id, member): (&UserId, &Member)| (id.to_string(), json!(member.last_access));
                fields.insert("participants".to_owned(), chat.members.iter().map(seen).collect());
            }
            let pinned = chat.pinned.and_then(|seq| chat.messages.get(&seq));
            let pinned = pinned.map(|message| self.message_json(message));
            fields.insert("pinned_message".to_owned(), json!(pinned));
        }
        Value::Object(fields)
    }

    /// `ChatMember`.
    pub(crate) fn member_json(&self, user_id: UserId, member: &Member) -> Value {
        let mut fields = object(self.user_with_photo_json(user_id));
        let permissions = member.permissions.as_ref();
        let permissions = permissions.map(|all| all.iter().map(|one| one.name()).collect::<Vec<_>>());
        fields.extend(object(json!({
            "last_access_time": member.last_access,
            "is_owner": member.is_owner,
            "is_admin": member.is_admin(),
            "join_time": member.joined,
            "permissions": permissions,
        })));
        Value::Object(fields)
    }

    /// `Message`.
    pub(crate) fn message_json(&self, message: &Message) -> Value {
        let Some(chat) = self.chats.get(&message.body.chat) else { return Value::Null };
        let mut fields = object(json!({
            "recipient": {
                "chat_id": chat.chat_id,
                "chat_type": chat.kind.name(),
                "user_id": chat.partner_of(message.sender),
            },
            "timestamp": message.timestamp,
            "body": self.body_json(&message.body),
        }));
        // The document lets the sender be absent and not be null.
        if chat.names_authors() {
            fields.insert("sender".to_owned(), self.user_json(message.sender));
        }
        if let Some(link) = &message.link {
            let mut linked = object(json!({
                "message": self.body_json(&link.body),
                "type": link.kind.name(),
            }));
            if self.chats.get(&link.body.chat).is_none_or(Chat::names_authors) {
                linked.insert("sender".to_owned(), self.user_json(link.sender));
            }
            if link.kind == LinkKind::Forward {
                linked.insert("chat_id".to_owned(), json!(link.body.chat));
            }
            fields.insert("link".to_owned(), Value::Object(linked));
        }
        if let Some(bot) = message.constructor {
            fields.insert("constructor".to_owned(), self.user_json(bot));
        }
        if let ChatKind::Group { link, is_public: true, .. } = &chat.kind {
            fields.insert("url".to_owned(), json!(format!("{link}/{:x}", message.body.seq)));
        }
        Value::Object(fields)
    }

    /// `Message` with its figures, as the operations that read messages answer it: those of a channel are counted.
    pub(crate) fn read_message_json(&self, message: &Message) -> Value {
        let mut json = self.message_json(message);
        if self.chats.get(&message.body.chat).is_some_and(Chat::is_channel) {
            json["stat"] = json!({ "views": message.viewers.len() });
        }
        json
    }

    /// `ConstructedMessage`.
    pub(crate) fn constructed_json(&self, message: &Message) -> Value {
        let mut fields = object(self.message_json(message));
        fields.retain(|name, _| ["sender", "timestamp", "link", "body"].contains(&name.as_str()));
        Value::Object(fields)
    }

    /// `MessageBody`.
    fn body_json(&self, body: &MessageBody) -> Value {
        let attachments: Vec<_> = body.attachments.iter().map(|attachment| self.attachment_json(attachment)).collect();
        let mut fields = json!({
            "mid": body.mid(),
            "seq": body.seq,
            "text": body.text,
            // No attachments are null, not an empty list.
            "attachments": if attachments.is_empty() { Value::Null } else { Value::Array(attachments) },
        });
        // Plain text has no markup at all.
        if !body.markup.is_empty() {
            fields["markup"] = body.markup.iter().map(Element::json).collect();
        }
        fields
    }

    /// `Attachment`.
    fn attachment_json(&self, attachment: &Attachment) -> Value {
        let mut fields = match attachment {
            Attachment::Photo(photo) => json!({ "payload": photo_json(photo) }),
            Attachment::Media(media) => {
                let mut fields = json!({ "payload": { "url": media.url, "token": media.token } });
                if media.kind == MediaKind::File {
                    fields["filename"] = json!(media.name);
                    fields["size"] = json!(media.size);
                }
                fields
            }
            Attachment::Sticker { code } => json!({
                "payload": { "code": code, "url": format!("{STICKERS}/{code}") },
                "width": STICKER_SIDE,
                "height": STICKER_SIDE,
            }),
            Attachment::Contact { vcf, user } => json!({ "payload": {
                "vcf_info": vcf,
                "tam_info": user.map(|user_id| self.user_json(user_id)),
            }}),
            Attachment::Share { url, token } => json!({ "payload": { "url": url, "token": token } }),
            Attachment::Location { latitude, longitude } => {
                json!({ "latitude": latitude, "longitude": longitude })
            }
            Attachment::Keyboard(rows) => json!({ "payload": { "buttons": buttons_json(rows) } }),
        };
        fields["type"] = json!(attachment.name());
        fields
    }
}

/// Where the pictures of stickers would be.
const STICKERS: &str = "https://stickers.sandbox.invalid";
/// Width and height of every sticker of the sandbox, in pixels.
const STICKER_SIDE: u32 = 170;

fn photo_json(photo: &Photo) -> Value {
    json!({ "photo_id": photo.photo_id, "token": photo.token, "url": photo.url })
}

fn buttons_json(rows: &Keyboard) -> Vec<Vec<Value>> {
    rows.iter().map(|row| row.iter().map(button_json).collect()).collect()
}

/// `Button`.
fn button_json(button: &Button) -> Value {
    let (kind, mut fields) = match &button.action {
        Action::Callback { payload, intent } => ("callback", json!({ "payload": payload, "intent": intent.name() })),
        Action::Link { url } => ("link", json!({ "url": url })),
        Action::RequestContact => ("request_contact", json!({})),
        Action::RequestLocation { quick } => ("request_geo_location", json!({ "quick": quick })),
        Action::Chat(chat) => (
            "chat",
            json!({
                "chat_title": chat.title,
                "chat_description": chat.description,
                "start_payload": chat.start_payload,
                "uuid": chat.uuid,
            }),
        ),
    };
    fields["text"] = json!(button.label);
    fields["type"] = json!(kind);
    fields
}

impl ChatKind {
    /// The chat's `type`.
    const fn name(&self) -> &'static str {
        match self {
            Self::Dialog { .. } => "dialog",
            Self::Group { channel: None, .. } => "chat",
            Self::Group { channel: Some(_), .. } => "channel",
        }
    }
}

/// The fields of an object; anything else has none.
fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
