//! Shapes that were captured from servers of MAX and are not in its document. Each is read without a misfit.

use serde_json::{Value, json};
use tamtam::{ChatId, Update, UserId, types};
use tracing::level_filters::LevelFilter;

use crate::traced::Traced;

/// Reads a value, and asserts that no part of it is left out or unknown.
#[track_caller]
fn read<T: serde::de::DeserializeOwned>(json: Value) -> T {
    let (traced, guard) = Traced::start(LevelFilter::DEBUG);
    let value = serde_json::from_str(&json.to_string()).unwrap();
    drop(guard);
    assert_eq!(traced.text(), "", "{json}");
    value
}

#[track_caller]
fn update(json: Value) -> Update {
    let update = read(json);
    assert!(!matches!(update, Update::Unknown(_)), "{update:?}");
    update
}

#[test]
fn a_voice_message_arrives_without_a_message() {
    let update = update(json!({"update_type": "message_created", "timestamp": 1, "user_locale": "ru"}));
    assert_eq!((update.chat_id(), update.user_id(), update.text()), (None, None, None));
    assert_eq!(update.lane().to_string(), "other");
}

#[test]
fn a_callback_arrives_without_its_chat_or_message() {
    let user = json!({"user_id": 7, "first_name": "Anna", "last_name": "", "is_bot": false});
    let callback = json!({"timestamp": 1, "callback_id": "cb", "user": user});
    for message in [
        Value::Null,
        json!({"timestamp": 1, "recipient": {"chat_type": "dialog", "user_id": 7}, "body": {"mid": "mid.1", "seq": 1}}),
    ] {
        let update = update(
            json!({"update_type": "message_callback", "timestamp": 1, "callback": callback, "message": message}),
        );
        assert_eq!((update.chat_id(), update.user_id()), (None, Some(UserId(7))));
        assert_eq!((update.payload(), update.callback_id()), (None, Some("cb".into())));
        assert_eq!(update.lane().to_string(), "user:7");
        assert_eq!(update.sender_name(), Some("Anna"));
    }
}

#[test]
fn bot_added_may_lack_its_user_and_user_removed_its_admin() {
    let added =
        update(json!({"update_type": "bot_added", "timestamp": 1, "chat_id": -5, "is_channel": true, "user_id": 7}));
    assert_eq!((added.chat_id(), added.is_channel(), added.user().is_none()), (Some(ChatId(-5)), true, true));
    let user = json!({"user_id": 7, "first_name": "Anna", "is_bot": false, "avatar_url": "u", "full_avatar_url": "u"});
    let left = update(json!({
        "update_type": "user_removed", "timestamp": 1, "chat_id": -5, "user": user, "admin_id": null, "is_channel": false,
    }));
    assert_eq!(left.user().map(|user| user.name.clone()).as_deref(), Some("Anna"));
}

#[test]
fn names_arrive_in_each_form() {
    for (user, name) in [
        (json!({"user_id": 7, "first_name": "Anna", "last_name": "Petrova", "is_bot": false}), "Anna Petrova"),
        (json!({"user_id": 7, "first_name": "Anna", "last_name": "", "is_bot": false}), "Anna"),
        (json!({"user_id": 7, "first_name": "Echo", "is_bot": true}), "Echo"),
        (json!({"user_id": 7, "name": "Anna P.", "first_name": "Anna", "last_name": "P."}), "Anna P."),
        (json!({"user_id": 7, "name": "Echo", "username": "echo_bot", "is_bot": true}), "Echo"),
    ] {
        assert_eq!(read::<types::User>(user.clone()).name, name, "{user}");
        assert_eq!(read::<types::BotInfo>(user.clone()).name, name, "{user}");
    }
}

#[test]
fn a_dialog_is_muted_forever() {
    let user = json!({"user_id": 7, "first_name": "Anna", "is_bot": false});
    let muted =
        json!({"update_type": "dialog_muted", "timestamp": 1, "chat_id": 5, "user": user, "muted_until": i64::MAX});
    let Update::DialogMuted(muted) = update(muted) else { panic!() };
    assert_eq!(muted.muted_until, i64::MAX);
}

#[test]
fn posts_and_forwards_lack_a_sender_and_a_body() {
    let message: types::Message = read(json!({
        "timestamp": 1, "sender": null, "recipient": {"chat_id": -5, "chat_type": "channel", "chat_title": "News"},
        "link": {"type": "forward", "sender": null, "message": {"mid": "mid.1", "seq": 1, "text": "hi"}}, "body": null,
    }));
    assert_eq!((message.mid(), message.user_id(), message.link_text()), (None, None, Some("hi")));
}

#[test]
fn an_old_right_and_a_shared_contact_are_read() {
    let admin: types::ChatMember = read(json!({
        "user_id": 7, "first_name": "Anna", "is_bot": false, "is_owner": false, "is_admin": true, "join_time": 1,
        "last_access_time": 1, "permissions": ["write", "edit_message", "post_edit_delete_message"],
    }));
    assert_eq!(admin.permissions.map(|rights| rights.len()), Some(3));
    let contact: types::Attachment = read(json!({"type": "contact", "payload": {
        "vcf_info": "BEGIN:VCARD\r\nFN:A\r\nEND:VCARD", "hash": "0d04",
        "max_info": {"user_id": 7, "first_name": "Anna", "last_name": "Petrova"},
    }}));
    let types::Attachment::Contact(contact) = contact else { panic!("{contact:?}") };
    assert_eq!((contact.name().as_deref(), contact.payload.hash.as_deref()), (Some("Anna Petrova"), Some("0d04")));
}
