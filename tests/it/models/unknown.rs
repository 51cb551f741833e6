//! Unknown and unreadable values are kept and written back unchanged. They do not affect the values around them.

use std::{collections::HashSet, str::FromStr};

use serde_json::{Value, json};
use tamtam::{
    Attachment, AttachmentRequest, Button, Chat, ChatId, ChatMember, MessageId, NewMessageBody, Update, UpdateType,
    UserId,
    types::{
        CallbackId, ChatAdminPermission, ChatStatus, ChatType, ConstructorInput, Intent, MarkupElement, MessageBody,
        MessageLinkType, SenderAction, SessionId, Subscription, TextFormat, Unknown, UpdateList, UploadType,
    },
};

/// A complete user.
const ANNA: &str = r#"{"user_id": 17, "name": "Анна", "username": null, "is_bot": false, "last_activity_time": 1}"#;

fn page(updates: &[&str]) -> UpdateList {
    let json = format!(r#"{{"updates": [{}], "marker": 9007199254740993}}"#, updates.join(", "));
    let page: UpdateList = serde_json::from_str(&json).unwrap();
    let again: UpdateList = serde_json::from_reader(json.as_bytes()).unwrap();
    assert_eq!(page, again);
    assert_eq!(page.marker, Some((1 << 53) + 1), "the marker is read exactly");
    assert_eq!(page.updates.len(), updates.len());
    page
}

fn unknown(update: &Update) -> &Unknown {
    let Update::Unknown(unknown) = update else { panic!("not an unknown update: {update:?}") };
    unknown
}

fn good_update() -> String {
    format!(r#"{{"timestamp": 5, "chat_id": 17, "user": {ANNA}, "update_type": "bot_started"}}"#)
}

#[test]
fn an_invalid_update_never_fails_its_page() {
    let deep = format!(r#"{{"update_type": "deep", "x": {}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    let strange = [
        // Not an object with properties.
        "null",
        "true",
        "0",
        r#""bot_started""#,
        "[]",
        r#"["bot_started"]"#,
        "{}",
        // No tag, or a tag that is not a string.
        r#"{"timestamp": 1}"#,
        r#"{"update_type": null}"#,
        r#"{"update_type": 5, "timestamp": 1}"#,
        r#"{"update_type": ["bot_started"]}"#,
        // An unknown tag.
        r#"{"update_type": "dialog_cleared", "timestamp": 1}"#,
        r#"{"update_type": ""}"#,
        r#"{"update_type": "BOT_STARTED"}"#,
        // A known tag with an invalid body.
        r#"{"update_type": "bot_started"}"#,
        r#"{"update_type": "bot_started", "timestamp": "1"}"#,
        r#"{"update_type": "message_removed", "timestamp": 1e400}"#,
        r#"{"update_type": "message_removed", "timestamp": 9223372036854775808}"#,
        // Half a surrogate pair in a value, in a key and in the tag. JSON can hold it, a Rust string cannot.
        r#"{"update_type": "message_removed", "timestamp": 1, "chat_id": 1, "user_id": 1, "message_id": "\ud83d"}"#,
        r#"{"\udc00": 1, "update_type": "bot_started"}"#,
        r#"{"update_type": "\ud83d"}"#,
        // A duplicate tag.
        r#"{"update_type": "bot_started", "update_type": "bot_added"}"#,
        // Nested deeper than the limit of serde_json.
        &deep,
    ];
    for strange in strange {
        let good = good_update();
        let page = page(&[&good, strange, &good]);
        assert!(matches!(page.updates[0], Update::BotStarted(_)), "before {strange}");
        assert!(matches!(page.updates[2], Update::BotStarted(_)), "after {strange}");
        assert_eq!(unknown(&page.updates[1]).raw.get(), strange);
        let written = serde_json::to_string(&page).unwrap();
        assert!(written.contains(strange), "{strange} is not in {written}");
    }
}

#[test]
fn an_update_with_an_empty_message_is_not_unknown() {
    let page = page(&[r#"{"update_type": "message_created", "timestamp": 1, "message": {}}"#]);
    let Update::MessageCreated(created) = &page.updates[0] else { panic!("{page:?}") };
    assert_eq!((&created.message, created.timestamp), (&None, 1), "an empty message is read as `None`");
}

#[test]
fn a_deeply_nested_unknown_property_does_not_affect_an_update() {
    let deep = format!("{}{}", r#"{"a":["#.repeat(5_000), "]}".repeat(5_000));
    let update =
        format!(r#"{{"новое": {deep}, "timestamp": 5, "chat_id": 17, "user": {ANNA}, "update_type": "bot_started"}}"#);
    assert!(matches!(page(&[&update]).updates[0], Update::BotStarted(_)));
}

#[test]
fn a_tag_is_found_in_any_position_and_notation() {
    let (before, after) = (format!(r#""timestamp": 5, "user": {ANNA}"#), r#""chat_id": 17"#);
    for tag in [
        r#""update_type": "bot_started""#,
        r#""update_type" :"\u0062ot_st\u0061rted""#,
        r#""\u0075pdate_type":"bot_started""#,
    ] {
        for json in [
            format!("{{{tag}, {before}, {after}}}"),
            format!("{{{before}, {tag}, {after}}}"),
            format!("\n{{{before}, {after}, {tag}\t}} "),
        ] {
            let update: Update = serde_json::from_str(&json).unwrap();
            assert!(matches!(update, Update::BotStarted(_)), "{json}");
            let value: Value = serde_json::from_str(&json).unwrap();
            assert_eq!(serde_json::from_value::<Update>(value).unwrap(), update);
            assert_eq!(serde_json::from_reader::<_, Update>(json.as_bytes()).unwrap(), update);
        }
    }
}

#[test]
fn a_nested_tag_is_not_the_tag_of_the_outer_value() {
    let update: Update =
        serde_json::from_str(r#"{"inner": {"update_type": "bot_started"}, "update_type": "x"}"#).unwrap();
    assert_eq!(update.tag(), "x");
    let update: Update = serde_json::from_str(r#"{"inner": {"update_type": "bot_started"}}"#).unwrap();
    assert_eq!(update.tag(), "");
}

#[test]
fn a_list_is_never_read_as_a_tagged_value() {
    // Derived implementations of serde read a list as the fields of a struct in their order: the tag, or a payload.
    let input: ConstructorInput = serde_json::from_str(r#"["callback"]"#).unwrap();
    assert_eq!((input.tag(), serde_json::to_string(&input).unwrap().as_str()), ("", r#"["callback"]"#));
    let update: Update = serde_json::from_str(r#" ["bot_started"]"#).unwrap();
    assert_eq!((update.tag(), unknown(&update).raw.get()), ("", r#"["bot_started"]"#));
}

#[test]
fn unknown_kinds_are_kept_and_written_back_unchanged() {
    macro_rules! kept {
        ($($union:ident by $tag:literal,)*) => {$({
            let json = concat!("{ \"b\":1.50 ,\"", $tag, "\":\"голосование\",\"a\" : [null,18446744073709551616,\"\\u0041\"] }");
            let value: $union = serde_json::from_str(json).unwrap();
            let $union::Unknown(unknown) = &value else { panic!("{value:?}") };
            assert_eq!((unknown.tag.as_str(), unknown.error.as_deref()), ("голосование", None));
            assert_eq!(value.tag(), "голосование");
            assert_eq!(serde_json::to_string(&value).unwrap(), json);
            assert_eq!(serde_json::to_string(&[&value]).unwrap(), format!("[{json}]"));
            assert_eq!(serde_json::from_reader::<_, $union>(json.as_bytes()).unwrap(), value);
        })*};
    }
    kept! {
        Update by "update_type",
        Attachment by "type",
        AttachmentRequest by "type",
        Button by "type",
        MarkupElement by "type",
        ConstructorInput by "input_type",
    }
}

#[test]
fn unknown_kinds_inside_a_message_leave_the_rest_readable() {
    let json = r#"{"text": "см. ниже", "mid": "mid.1", "seq": 9007199254740993,
        "attachments": [
            {"poll": {"q": "?"}, "type": "poll"},
            {"payload": {"buttons": [[{"type": "pay", "text": "10 ₽"}, {"url": "https://tt.me", "text": "→", "type": "link"}]]}, "type": "inline_keyboard"},
            {"type": "image", "payload": {"photo_id": "not a number"}}
        ],
        "markup": [{"from": 0, "length": 3, "type": "spoiler"}, {"from": 0, "length": 2, "type": "strong"}]}"#;
    let body: MessageBody = serde_json::from_str(json).unwrap();
    assert_eq!(body.text.as_deref(), Some("см. ниже"));
    let attachments = body.attachments.as_deref().unwrap();
    assert!(matches!(&attachments[0], Attachment::Unknown(poll) if poll.error.is_none()));
    let Attachment::InlineKeyboard(keyboard) = &attachments[1] else { panic!("{attachments:?}") };
    let row = &keyboard.payload.buttons[0];
    assert!(matches!(&row[0], Button::Unknown(pay) if pay.tag == "pay"));
    assert!(matches!(&row[1], Button::Link(link) if link.url == "https://tt.me"));
    assert!(matches!(&attachments[2], Attachment::Unknown(image) if image.tag == "image" && image.error.is_some()));
    let markup = body.markup.as_deref().unwrap();
    assert!(matches!(&markup[0], MarkupElement::Unknown(spoiler) if spoiler.tag == "spoiler"));
    assert!(matches!(&markup[1], MarkupElement::Strong(strong) if strong.length == 2));
    assert_eq!(serde_json::to_value(&body).unwrap(), serde_json::from_str::<Value>(json).unwrap());
}

#[test]
fn unknown_received_values_can_be_sent_again() {
    let poll = r#"{"type":"poll" , "options":["да","нет"]}"#;
    let body =
        NewMessageBody::from("ещё раз").attachments(vec![serde_json::from_str::<AttachmentRequest>(poll).unwrap()]);
    assert!(serde_json::to_string(&body).unwrap().contains(poll));
}

#[test]
fn an_unreadable_member_keeps_the_error() {
    let cases = [
        (r#"{"update_type": "bot_started", "timestamp": 1, "chat_id": 2}"#, "missing field `user`"),
        (r#"{"update_type": "bot_started", "timestamp": "now"}"#, "missing field `chat_id`"),
        (r#"{"update_type": "bot_started", "chat_id": "here"}"#, "invalid type: string, expected i64"),
        (
            r#"{"update_type": "message_chat_created", "timestamp": 1, "message_id": "m", "chat": {"chat_id": null}}"#,
            "invalid type: null, expected i64",
        ),
        (r#"{"update_type": "message_removed", "timestamp": 9223372036854775808}"#, "missing field `message_id`"),
        (r#"{"update_type": "message_removed", "timestamp": 1.0}"#, "missing field `message_id`"),
        (r#"{"update_type": "message_removed", "chat_id": 9223372036854775808}"#, "9223372036854775808"),
        (r#"{"update_type": "message_removed", "chat_id": 1.0}"#, "floating point `1.0`"),
        (r#"{"update_type": "message_removed", "message_id": "\ud83d"}"#, "hex escape"),
    ];
    for (json, problem) in cases {
        let update: Update = serde_json::from_str(json).unwrap();
        let unknown = unknown(&update);
        let error = unknown.error.as_deref().unwrap();
        assert!(error.contains(problem), "{json} is wrong since {error:?}");
        assert!(error.contains("line 1 column"), "{error:?} does not say where");
        assert_eq!((unknown.tag.as_str(), unknown.raw.get()), (update.tag(), json));
    }
}

#[test]
fn the_json_of_an_unknown_value_can_be_read() {
    let update: Update = serde_json::from_str(r#"{"update_type": "dialog_muted", "until": 5}"#).unwrap();
    assert_eq!(unknown(&update).to_value(), json!({"update_type": "dialog_muted", "until": 5}));
    assert!(format!("{update:?}").contains(r#""until\": 5"#), "{update:?}");
    // The value is nested too deeply for a `Value`, which then holds its text.
    let deep = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
    let update: Update = serde_json::from_str(&deep).unwrap();
    assert_eq!(unknown(&update).to_value(), Value::String(deep));
}

#[test]
fn unknown_values_are_equal_if_their_json_texts_are_identical() {
    let read = |json: &str| serde_json::from_str::<Button>(json).unwrap();
    assert_eq!(read(r#" {"type": "pay", "sum": 1}"#), read(r#"{"type": "pay", "sum": 1} "#));
    assert_ne!(read(r#"{"type": "pay", "sum": 1}"#), read(r#"{"type": "pay","sum": 1}"#));
    assert_ne!(read(r#"{"type": "pay", "sum": 1}"#), read(r#"{"sum": 1, "type": "pay"}"#));
    assert_ne!(read(r#"{"type": "pay", "text": "x"}"#), read(r#"{"type": "request_contact", "text": "x"}"#));
    assert_eq!(read(r#"{"type": "pay"}"#).clone(), read(r#"{"type": "pay"}"#));
}

#[test]
fn enums_keep_unknown_values() {
    macro_rules! open {
        ($($name:ident { $($variant:ident = $value:literal)* })*) => {$({
            $(
                let known = $name::$variant;
                assert_eq!((known.as_str(), known.to_string().as_str()), ($value, $value));
                assert_eq!(($name::from($value), $name::from(String::from($value))), (known.clone(), known.clone()));
                assert_eq!($name::from_str($value).unwrap(), known);
                assert_eq!(serde_json::to_value(&known).unwrap(), json!($value));
                assert_eq!(serde_json::from_value::<$name>(json!($value)).unwrap(), known);
            )*
            for value in ["", "новое", "🎲\u{0}\"", &[$($value),*].concat(), &format!("{} ", [$($value),*][0])] {
                let unknown = $name::Unknown(value.to_owned());
                assert_eq!((unknown.as_str(), unknown.to_string().as_str()), (value, value));
                assert_eq!($name::from(value), unknown);
                assert_eq!($name::from(value.to_owned()), unknown);
                assert_eq!(value.parse::<$name>().unwrap(), unknown);
                let json = serde_json::to_string(&unknown).unwrap();
                assert_eq!(serde_json::from_str::<$name>(&json).unwrap(), unknown);
                assert_eq!(serde_json::from_reader::<_, $name>(json.as_bytes()).unwrap(), unknown);
                assert_eq!(serde_json::from_value::<$name>(json!(value)).unwrap(), unknown);
            }
            for wrong in ["null", "1", "[]", "{}", "true"] {
                assert!(serde_json::from_str::<$name>(wrong).is_err(), "{wrong} is no string");
            }
        })*};
    }
    open! {
        ChatType { Dialog = "dialog" Chat = "chat" Channel = "channel" }
        ChatStatus { Active = "active" Removed = "removed" Left = "left" Closed = "closed" Suspended = "suspended" }
        ChatAdminPermission {
            ReadAllMessages = "read_all_messages" AddRemoveMembers = "add_remove_members" AddAdmins = "add_admins"
            ChangeChatInfo = "change_chat_info" PinMessage = "pin_message" Write = "write"
        }
        TextFormat { Markdown = "markdown" Html = "html" }
        Intent { Positive = "positive" Negative = "negative" Default = "default" }
        MessageLinkType { Forward = "forward" Reply = "reply" }
        UploadType { Image = "image" Video = "video" Audio = "audio" File = "file" }
        SenderAction {
            TypingOn = "typing_on" SendingPhoto = "sending_photo" SendingVideo = "sending_video"
            SendingAudio = "sending_audio" SendingFile = "sending_file" MarkSeen = "mark_seen"
        }
        UpdateType {
            MessageCreated = "message_created" MessageCallback = "message_callback" MessageEdited = "message_edited"
            MessageRemoved = "message_removed" BotAdded = "bot_added" BotRemoved = "bot_removed"
            UserAdded = "user_added" UserRemoved = "user_removed" BotStarted = "bot_started"
            ChatTitleChanged = "chat_title_changed" MessageConstructionRequest = "message_construction_request"
            MessageConstructed = "message_constructed" MessageChatCreated = "message_chat_created"
        }
    }
}

#[test]
fn unknown_values_of_enums_leave_the_rest_readable() {
    let chat: Chat = serde_json::from_str(
        r#"{"chat_id": -1, "type": "forum", "status": "frozen", "title": null, "last_event_time": 0,
            "participants_count": 2147483647, "icon": null, "is_public": true, "description": null}"#,
    )
    .unwrap();
    assert_eq!((chat.type_.as_str(), chat.status.as_str()), ("forum", "frozen"));
    let member: ChatMember = serde_json::from_str(
        r#"{"user_id": 1, "name": "", "last_access_time": 0, "is_owner": false, "is_admin": true, "join_time": 0,
            "permissions": ["write", "edit_message"]}"#,
    )
    .unwrap();
    let permissions = member.permissions.unwrap();
    assert_eq!(permissions, [ChatAdminPermission::Write, ChatAdminPermission::Unknown("edit_message".into())]);
    let subscription: Subscription = serde_json::from_str(
        r#"{"url": "https://example.com", "time": 0, "version": "0.5.6", "update_types": ["bot_started", "dialog_archived"]}"#,
    )
    .unwrap();
    let types = subscription.update_types.as_ref().unwrap();
    assert_eq!(types[..], [UpdateType::BotStarted, UpdateType::Unknown("dialog_archived".into())]);
}

#[test]
fn the_tag_of_an_update_is_its_update_type() {
    let update: Update = serde_json::from_str(&good_update()).unwrap();
    assert_eq!(UpdateType::from(update.tag()), UpdateType::BotStarted);
    assert_eq!(HashSet::from([UpdateType::from("x"), UpdateType::from("x")]).len(), 1);
}

#[test]
fn ids_are_the_same_in_json_in_text_and_in_rust() {
    for id in [i64::MIN, -1, 0, 1, i64::MAX] {
        assert_eq!(serde_json::to_value(ChatId(id)).unwrap(), json!(id));
        assert_eq!(serde_json::from_value::<UserId>(json!(id)).unwrap(), UserId(id));
        assert_eq!(ChatId(id).to_string().parse::<ChatId>().unwrap(), ChatId::from(id));
        assert_eq!(i64::from(UserId(id)), id);
    }
    for wrong in ["1.0", "\"1\"", "9223372036854775808", "null"] {
        assert!(serde_json::from_str::<ChatId>(wrong).is_err(), "{wrong} is no chat");
    }
    for id in ["", "mid.ffff", "🎲 +/=", "\0"] {
        assert_eq!(serde_json::to_value(MessageId::from(id)).unwrap(), json!(id));
        assert_eq!(serde_json::from_value::<CallbackId>(json!(id)).unwrap().as_str(), id);
        assert_eq!(SessionId::from(id).to_string().parse::<SessionId>().unwrap(), SessionId::from(id.to_owned()));
    }
}
