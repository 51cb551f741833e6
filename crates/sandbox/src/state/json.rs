//! Writes the state as JSON in the form of the API's document: with every required key, and without unknown keys. The
//! shapes are written by hand, so that errors in the client's generated models are detected.

use serde_json::{Map, Value, json};

use super::chat::{Chat, ChatKind, Member};
use super::ids::{self, UserId};
use super::media::{Media, MediaKind, VIDEO_SECONDS, VIDEO_SIZE};
use super::message::{Action, AppButton, Attachment, Button, Keyboard, LinkKind, Message, MessageBody, Photo};
use super::{BotRecord, State};
use crate::protocol::markup::element::Element;
use crate::protocol::service::Service;

/// The context of a `Chat`. A chat alone has more fields than a chat in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    Alone,
    Listed,
}

impl State {
    /// Writes a `User`.
    pub(crate) fn user_json(&self, user_id: UserId) -> Value {
        let Some(user) = self.users.get(&user_id) else { return Value::Null };
        let mut fields = json!({
            "user_id": user.user_id,
            "username": user.username,
            "is_bot": user.is_bot,
            "last_activity_time": user.last_activity,
        });
        if self.service.traits().splits_names {
            let (first_name, last_name) = self.names(user_id);
            fields["first_name"] = json!(first_name);
            if !user.is_bot {
                fields["last_name"] = json!(last_name);
            }
        } else {
            fields["name"] = json!(user.name);
        }
        fields
    }

    /// Writes a `UserWithPhoto`. People of the sandbox have neither a photo nor a description.
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

    /// Writes a `BotInfo`.
    pub(crate) fn bot_json(&self, user_id: UserId) -> Value {
        let mut json = self.user_with_photo_json(user_id);
        if let (Some(bot), Value::Object(fields)) = (self.bots.get(&user_id), &mut json) {
            let commands = commands_json(bot);
            // TamTam writes null instead of an empty list.
            let is_null = bot.commands.is_empty() && !self.service.traits().omits_nulls;
            fields.insert("commands".to_owned(), if is_null { Value::Null } else { commands });
        }
        json
    }

    /// Writes a `BotCommandsInfo`.
    pub(crate) fn commands_json(&self, user_id: UserId) -> Value {
        json!({ "commands": self.bots.get(&user_id).map(commands_json) })
    }

    /// Writes a `Chat` as `bot` sees it.
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
            if pinned.is_some() || !self.service.traits().omits_nulls {
                fields.insert("pinned_message".to_owned(), json!(pinned));
            }
        }
        Value::Object(fields)
    }

    /// Writes a `ChatMember`.
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
        if let Some(alias) = &member.alias {
            fields.insert("alias".to_owned(), json!(alias));
        }
        Value::Object(fields)
    }

    /// Writes a `Message` or a `CommentMessage`.
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
        if let Some(post) = message.post {
            fields["recipient"]["post_id"] = json!(ids::mid(chat.chat_id, post));
        }
        // The document allows a missing sender, but not a null one. Comments always have a sender.
        if chat.names_authors() || message.post.is_some() {
            fields.insert("sender".to_owned(), self.user_json(message.sender));
        }
        if let Some(link) = &message.link {
            let mut body = link.body.clone();
            let has_buttons = link.kind != LinkKind::Forward || !self.service.traits().forwards_without_buttons;
            body.attachments.retain(|one| has_buttons || !matches!(one, Attachment::Keyboard(_)));
            let mut linked = object(json!({
                "message": self.body_json(&body),
                "type": link.kind.name(),
            }));
            let is_named = self.chats.get(&link.body.chat).is_none_or(Chat::names_authors);
            if is_named || message.post.is_some() {
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
        if let (ChatKind::Group { link, is_public: true, .. }, None) = (&chat.kind, message.post) {
            fields.insert("url".to_owned(), json!(format!("{link}/{:x}", message.body.seq)));
        }
        Value::Object(fields)
    }

    /// Writes a `Message` for the operations that read messages. A post of a channel has `stat`, with the number of its
    /// views.
    pub(crate) fn read_message_json(&self, message: &Message) -> Value {
        let mut json = self.message_json(message);
        if self.chats.get(&message.body.chat).is_some_and(Chat::is_channel) {
            json["stat"] = json!({ "views": message.viewers.len() });
        }
        json
    }

    /// Writes a `ConstructedMessage`.
    pub(crate) fn constructed_json(&self, message: &Message) -> Value {
        let mut fields = object(self.message_json(message));
        fields.retain(|name, _| ["sender", "timestamp", "link", "body"].contains(&name.as_str()));
        Value::Object(fields)
    }

    /// Writes a `MessageBody`.
    fn body_json(&self, body: &MessageBody) -> Value {
        let attachments: Vec<_> = body.attachments.iter().map(|attachment| self.attachment_json(attachment)).collect();
        let omits_nulls = self.service.traits().omits_nulls;
        let text = body.text.as_deref().or(omits_nulls.then_some(""));
        let mut fields = json!({ "mid": body.mid(), "seq": body.seq, "text": text });
        if !attachments.is_empty() {
            fields["attachments"] = Value::Array(attachments);
        } else if !omits_nulls {
            // TamTam writes null instead of an empty list.
            fields["attachments"] = Value::Null;
        }
        // Plain text has no `markup`.
        if !body.markup.is_empty() {
            fields["markup"] = body.markup.iter().map(Element::json).collect();
        }
        fields
    }

    /// Writes an `Attachment`.
    fn attachment_json(&self, attachment: &Attachment) -> Value {
        let mut fields = match attachment {
            Attachment::Photo(photo) => json!({ "payload": photo_json(photo) }),
            Attachment::Media(media) => {
                let mut fields = json!({ "payload": { "url": media.url, "token": media.token } });
                match media.kind {
                    MediaKind::File => {
                        fields["filename"] = json!(media.name);
                        fields["size"] = json!(media.size);
                    }
                    MediaKind::Video if self.service.traits().measures_videos => {
                        let (width, height) = VIDEO_SIZE;
                        fields["width"] = json!(width);
                        fields["height"] = json!(height);
                        fields["duration"] = json!(VIDEO_SECONDS);
                    }
                    MediaKind::Video | MediaKind::Audio => {}
                }
                fields
            }
            Attachment::Sticker { code } => json!({
                "payload": { "code": code, "url": format!("{STICKERS}/{code}") },
                "width": STICKER_SIDE,
                "height": STICKER_SIDE,
            }),
            Attachment::Contact { vcf, user, signed_for } => {
                let user = user.map(|user_id| self.user_json(user_id));
                let traits = self.service.traits();
                let mut payload = json!({ "vcf_info": vcf });
                payload[traits.contact_user] = json!(user);
                if let (true, Some(vcf), Some(bot)) = (traits.signs_contacts, vcf, signed_for) {
                    payload["hash"] = json!(self.contact_hash(vcf, *bot));
                }
                self.omit_nulls(&mut payload);
                json!({ "payload": payload })
            }
            Attachment::Share { url, token } => {
                let mut payload = json!({ "url": url, "token": token });
                self.omit_nulls(&mut payload);
                json!({ "payload": payload })
            }
            Attachment::Location { latitude, longitude } => {
                json!({ "latitude": latitude, "longitude": longitude })
            }
            Attachment::Keyboard(rows) => json!({ "payload": { "buttons": self.buttons_json(rows) } }),
        };
        fields["type"] = json!(attachment.name());
        fields
    }

    /// Writes `VideoAttachmentDetails`.
    pub(crate) fn video_json(&self, media: &Media) -> Value {
        let (width, height) = VIDEO_SIZE;
        json!({
            "token": media.token,
            "urls": { "mp4_720": media.url },
            "width": width,
            "height": height,
            "duration": VIDEO_SECONDS,
        })
    }

    fn buttons_json(&self, rows: &Keyboard) -> Vec<Vec<Value>> {
        rows.iter().map(|row| row.iter().map(|button| button_json(button, self.service)).collect()).collect()
    }
}

fn commands_json(bot: &BotRecord) -> Value {
    let command = |(name, about): &(String, Option<String>)| json!({ "name": name, "description": about });
    bot.commands.iter().map(command).collect()
}

/// The beginning of the URLs of stickers. Nothing is served there.
const STICKERS: &str = "https://stickers.sandbox.invalid";
/// Width and height of every sticker of the sandbox, in pixels.
const STICKER_SIDE: u32 = 170;

fn photo_json(photo: &Photo) -> Value {
    json!({ "photo_id": photo.photo_id, "token": photo.token, "url": photo.url })
}

/// Writes a `Button`.
fn button_json(button: &Button, service: Service) -> Value {
    let (kind, mut fields) = match &button.action {
        Action::Callback { payload, intent } => {
            let mut fields = json!({ "payload": payload });
            if service.traits().has_intents {
                fields["intent"] = json!(intent.name());
            }
            ("callback", fields)
        }
        Action::Message => ("message", json!({})),
        Action::OpenApp(AppButton { web_app, payload, contact_id }) => {
            let mut fields = json!({ "web_app": web_app });
            if let Some(payload) = payload {
                fields["payload"] = json!(payload);
            }
            if let Some(contact_id) = contact_id {
                fields["contact_id"] = json!(contact_id);
            }
            ("open_app", fields)
        }
        Action::Clipboard { payload } => ("clipboard", json!({ "payload": payload })),
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
    /// Returns the `type` of the chat.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Dialog { .. } => "dialog",
            Self::Group { channel: None, .. } => "chat",
            Self::Group { channel: Some(_), .. } => "channel",
        }
    }
}

/// Returns the fields of an object. Empty for other values.
fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
