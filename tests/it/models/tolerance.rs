//! Deviations of real servers from the document, and shapes of older versions of the API.
//!
//! The fixtures are made up. The deviations are the ones that `openapi/overlay.yaml` describes.

use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tamtam::{
    Attachment, Button, Chat, ChatId, Message, Update, User, UserId,
    types::{
        BotInfo, ChatList, ChatMembersList, GetPinnedMessageResult, LinkedMessage, MessageBody, Recipient,
        SimpleQueryResult, Subscription, UpdateList, UploadEndpoint,
    },
};

/// Reads a fixture, and asserts that writing and reading it again gives the same value.
fn read<T: DeserializeOwned + Serialize + PartialEq + Debug>(fixture: Value) -> T {
    let value: T = serde_json::from_str(&fixture.to_string()).unwrap_or_else(|error| panic!("{error}: {fixture}"));
    let written = serde_json::to_value(&value).unwrap();
    assert_eq!(serde_json::from_value::<T>(written).unwrap(), value);
    value
}

/// Like [`read`], for an update that must not be unknown.
fn update(fixture: Value) -> Update {
    let update = read(fixture);
    assert!(!matches!(update, Update::Unknown(_)), "{update:?}");
    update
}

fn anna() -> Value {
    json!({"user_id": 17, "name": "Анна", "username": null, "is_bot": false, "last_activity_time": 1_700_000_000_000_i64})
}

fn message() -> Value {
    json!({
        "recipient": {"chat_id": -5, "chat_type": "chat", "user_id": null},
        "timestamp": 1_700_000_000_000_i64,
        "sender": anna(),
        "body": {"mid": "mid.1", "seq": 1, "text": "привет", "attachments": null},
    })
}

/// Returns a fixture with one key changed.
fn with(mut fixture: Value, key: &str, value: Value) -> Value {
    fixture[key] = value;
    fixture
}

fn without(mut fixture: Value, key: &str) -> Value {
    fixture.as_object_mut().unwrap().remove(key).unwrap_or_else(|| panic!("no {key} in the fixture"));
    fixture
}

// ---- Missing or null although the document requires it --------------------------------------------------------------

#[test]
fn a_native_voice_message_arrives_without_its_message() {
    for fixture in [
        json!({"update_type": "message_created", "timestamp": 1, "user_locale": "ru"}),
        json!({"message": null, "timestamp": 1, "update_type": "message_created"}),
    ] {
        let Update::MessageCreated(created) = update(fixture) else { panic!() };
        assert_eq!(created.message, None);
    }
}

#[test]
fn a_callback_of_a_deleted_message_has_no_message() {
    let fixture = json!({
        "update_type": "message_callback", "timestamp": 1, "message": null,
        "callback": {"timestamp": 1, "callback_id": "c", "payload": "да", "user": anna()},
    });
    for fixture in [fixture.clone(), without(fixture, "message")] {
        let Update::MessageCallback(pressed) = update(fixture) else { panic!() };
        assert_eq!((pressed.message, pressed.callback.callback_id.as_str()), (None, "c"));
    }
}

#[test]
fn an_edited_message_may_be_null() {
    for fixture in [
        json!({"update_type": "message_edited", "timestamp": 1, "message": null}),
        json!({"update_type": "message_edited", "timestamp": 1}),
    ] {
        let Update::MessageEdited(edited) = update(fixture) else { panic!() };
        assert_eq!(edited.message, None);
    }
}

#[test]
fn a_pure_forward_has_no_body() {
    let link = json!({"type": "forward", "sender": anna(), "chat_id": -6, "message": message()["body"]});
    let forward = with(message(), "link", link);
    for fixture in [with(forward.clone(), "body", Value::Null), without(forward, "body")] {
        let message: Message = read(fixture);
        assert_eq!(message.body, None);
        assert_eq!(message.link.unwrap().message.text.as_deref(), Some("привет"));
    }
}

#[test]
fn a_post_in_a_channel_has_no_sender() {
    for fixture in [with(message(), "sender", Value::Null), without(message(), "sender")] {
        assert_eq!(read::<Message>(fixture).sender, None);
    }
    let repost = json!({"type": "forward", "sender": null, "chat_id": -7, "message": message()["body"]});
    assert_eq!(read::<LinkedMessage>(repost).chat_id, Some(ChatId(-7)));
}

#[test]
fn a_group_as_recipient_has_no_user() {
    let recipient: Recipient = read(json!({"chat_id": -5, "chat_type": "chat"}));
    assert_eq!((recipient.chat_id, recipient.user_id), (Some(ChatId(-5)), None));
}

#[test]
fn a_dialog_as_recipient_may_have_no_chat() {
    let recipient: Recipient = read(json!({"chat_type": "dialog", "user_id": 17}));
    assert_eq!((recipient.chat_id, recipient.user_id), (None, Some(UserId(17))));
}

#[test]
fn a_user_who_starts_the_bot_may_have_only_id_and_name() {
    let fixture = json!({
        "update_type": "bot_started", "timestamp": 1, "chat_id": 99, "payload": "из ссылки",
        "user": {"user_id": 17, "name": "Анна", "username": "anna"},
    });
    let Update::BotStarted(started) = update(fixture) else { panic!() };
    assert_eq!((started.user.is_bot, started.user.last_activity_time), (None, None));
    assert_eq!(started.payload.as_deref(), Some("из ссылки"));
    assert_eq!(read::<User>(json!({"user_id": 1, "name": ""})).username, None);
    assert_eq!(read::<User>(with(anna(), "is_bot", Value::Null)).is_bot, None);
}

#[test]
fn a_text_may_be_null_absent_or_empty() {
    let body = json!({"mid": "mid.1", "seq": 1, "attachments": []});
    assert_eq!(read::<MessageBody>(body.clone()).text, None);
    assert_eq!(read::<MessageBody>(with(body.clone(), "text", Value::Null)).text, None);
    assert_eq!(read::<MessageBody>(with(body, "text", json!(""))).text.as_deref(), Some(""));
}

#[test]
fn attachments_and_markup_may_be_null_absent_or_empty() {
    let body = json!({"mid": "mid.1", "seq": 1, "text": "x"});
    let nulls = json!({"mid": "mid.1", "seq": 1, "text": "x", "attachments": null, "markup": null});
    for fixture in [body, nulls] {
        let body: MessageBody = read(fixture);
        assert_eq!((body.attachments, body.markup), (None, None));
    }
    let body: MessageBody = read(json!({"mid": "mid.1", "seq": 1, "text": "x", "attachments": [], "markup": []}));
    assert_eq!((body.attachments, body.markup), (Some(vec![]), Some(vec![])));
}

#[test]
fn a_user_id_at_the_root_of_an_update_is_accepted() {
    for fixture in [
        json!({"update_type": "message_created", "timestamp": 1, "message": message(), "user_id": 17}),
        json!({"user_id": 17, "update_type": "bot_started", "timestamp": 1, "chat_id": 99, "user": anna()}),
        json!({"user_id": {"not": "a number"}, "update_type": "message_edited", "timestamp": 1, "message": message()}),
    ] {
        update(fixture);
    }
}

#[test]
fn a_received_keyboard_may_carry_a_callback_id() {
    let keyboard = json!({
        "type": "inline_keyboard", "callback_id": "f9LHod",
        "payload": {"buttons": [[{"type": "callback", "text": "Да", "payload": "yes", "intent": "default"}]]},
    });
    let Attachment::InlineKeyboard(received) = read(keyboard.clone()) else { panic!() };
    assert_eq!(received.callback_id.unwrap().as_str(), "f9LHod");
    for fixture in [without(keyboard.clone(), "callback_id"), with(keyboard, "callback_id", Value::Null)] {
        let Attachment::InlineKeyboard(received) = read(fixture) else { panic!() };
        assert_eq!(received.callback_id, None);
    }
}

#[test]
fn an_upload_address_may_carry_a_token() {
    let endpoint: UploadEndpoint = read(json!({"url": "//upload.example/x?a=1", "token": "t+/="}));
    assert_eq!(endpoint.token.as_deref(), Some("t+/="));
    assert_eq!(read::<UploadEndpoint>(json!({"url": "http://upload.example/"})).token, None);
}

#[test]
fn an_empty_page_may_have_a_null_marker_or_none() {
    for fixture in [json!({"updates": [], "marker": null}), json!({"updates": []})] {
        assert_eq!(read::<UpdateList>(fixture).marker, None);
    }
}

#[test]
fn a_join_by_link_has_no_inviter_and_a_leave_no_admin() {
    let joined = json!({
        "update_type": "user_added", "timestamp": 1, "chat_id": -5, "user": anna(), "is_channel": false, "inviter_id": null,
    });
    for fixture in [joined.clone(), without(joined, "inviter_id")] {
        let Update::UserAdded(joined) = update(fixture) else { panic!() };
        assert_eq!(joined.inviter_id, None);
    }
    let left = json!({
        "update_type": "user_removed", "timestamp": 1, "chat_id": -5, "user": anna(), "is_channel": false, "admin_id": null,
    });
    for fixture in [left.clone(), without(left, "admin_id")] {
        let Update::UserRemoved(left) = update(fixture) else { panic!() };
        assert_eq!(left.admin_id, None);
    }
}

#[test]
fn an_empty_list_of_commands_is_returned_as_null() {
    assert_eq!(read::<BotInfo>(with(anna(), "commands", Value::Null)).commands, None);
    assert_eq!(read::<BotInfo>(with(anna(), "commands", json!([]))).commands, Some(vec![]));
}

#[test]
fn a_sequence_number_beyond_the_precision_of_a_float_is_exact() {
    let body: MessageBody = read(with(message()["body"].clone(), "seq", json!(111_411_200_000_000_001_i64)));
    assert_eq!(body.seq, 111_411_200_000_000_001);
}

// ---- Older versions of the API --------------------------------------------------------------------------------------

#[test]
fn older_versions_do_not_say_whether_a_chat_is_a_channel() {
    for kind in ["bot_added", "bot_removed", "user_added", "user_removed"] {
        update(json!({"update_type": kind, "timestamp": 1, "chat_id": -5, "user": anna()}));
    }
}

#[test]
fn older_versions_send_fewer_properties_of_a_user() {
    // No `is_bot`, no `last_activity_time`, no `description`, no `commands`.
    let profile = json!({
        "user_id": 1, "name": "Бот", "username": "bot", "avatar_url": "https://i.example/a", "full_avatar_url": "https://i.example/b",
    });
    let profile: BotInfo = read(profile);
    assert_eq!((profile.is_bot, profile.description, profile.commands), (None, None, None));
    let members = json!({"members": [{
        "user_id": 17, "name": "Анна", "username": null, "last_access_time": 1, "is_owner": false, "is_admin": false,
        "join_time": 1,
    }]});
    let members: ChatMembersList = read(members);
    assert_eq!((members.members[0].permissions.as_ref(), members.marker), (None, None));
}

#[test]
fn older_versions_send_fewer_properties_of_a_message() {
    // No `url`, `stat` or `constructor` beside the body, and no `markup` in it.
    let fixture = json!({"update_type": "message_created", "timestamp": 1, "message": message()});
    let Update::MessageCreated(created) = update(fixture) else { panic!() };
    let message = created.message.unwrap();
    assert_eq!((&message.url, &message.stat, &message.constructor), (&None, &None, &None));
    assert_eq!((message.body.unwrap().markup, created.user_locale), (None, None));
    let reply: LinkedMessage = read(json!({"type": "reply", "message": {"mid": "m", "seq": 1, "text": "?"}}));
    assert_eq!((reply.sender, reply.chat_id), (None, None));
}

#[test]
fn older_versions_send_fewer_properties_of_a_chat() {
    // No `dialog_with_user`, `messages_count`, `chat_message_id` or `pinned_message`, no `owner_id` or `participants`.
    let chats: ChatList = read(json!({"chats": [{
        "chat_id": -5, "type": "channel", "status": "active", "title": "Новости", "icon": {"url": "https://i.example/c"},
        "last_event_time": 1, "participants_count": 3, "is_public": false,
    }]}));
    let chat: &Chat = &chats.chats[0];
    assert_eq!((&chat.owner_id, &chat.participants, &chat.pinned_message), (&None, &None, &None));
    assert_eq!((&chat.description, &chat.link, &chat.messages_count), (&None, &None, &None));
    assert_eq!(chats.marker, None);
    assert_eq!(read::<GetPinnedMessageResult>(json!({})).message, None);
}

#[test]
fn older_versions_send_fewer_properties_of_media() {
    let video = json!({"type": "video", "payload": {"url": "https://v.example/1", "token": "t", "id": 5}});
    let Attachment::Video(video) = read(video) else { panic!() };
    assert_eq!((video.thumbnail, video.width, video.height, video.duration), (None, None, None, None));
    let Attachment::Share(share) = read(json!({"type": "share", "payload": {"url": "https://x.example"}})) else {
        panic!()
    };
    assert_eq!((share.payload.token, share.title, share.image_url), (None, None, None));
    let Attachment::Contact(contact) =
        read(json!({"type": "contact", "payload": {"tam_info": {"user_id": 1, "name": "Я"}}}))
    else {
        panic!()
    };
    assert_eq!((contact.payload.vcf_info, contact.payload.tam_info.unwrap().is_bot), (None, None));
}

#[test]
fn older_versions_send_fewer_properties_of_buttons_and_subscriptions() {
    let Button::Callback(button) = read(json!({"type": "callback", "text": "Да", "payload": ""})) else { panic!() };
    assert_eq!(button.intent, None);
    let Button::RequestGeoLocation(button) = read(json!({"type": "request_geo_location", "text": "Где?"})) else {
        panic!()
    };
    assert_eq!(button.quick, None);
    let Button::Chat(button) = read(json!({"type": "chat", "text": "Обсудить", "chat_title": "О сообщении"}))
    else {
        panic!()
    };
    assert_eq!((button.chat_description, button.start_payload, button.uuid), (None, None, None));
    let subscription: Subscription = read(json!({"url": "https://example.com/hook", "time": 1}));
    assert_eq!((subscription.update_types, subscription.version), (None, None));
    assert_eq!(read::<SimpleQueryResult>(json!({"success": false})).message, None);
}

#[test]
fn kinds_of_older_versions_are_kept_as_unknown() {
    let restored = json!({"update_type": "message_restored", "timestamp": 1, "message_id": "mid.1"});
    assert!(matches!(read::<Update>(restored), Update::Unknown(unknown) if unknown.error.is_none()));
    let button = json!({"type": "poll", "text": "Да"});
    assert!(matches!(read::<Button>(button), Button::Unknown(unknown) if unknown.error.is_none()));
}
