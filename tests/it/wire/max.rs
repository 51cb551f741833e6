//! Requests and answers of every operation of MAX.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tamtam::{
    Attachment, BotCommand, Button, ChatId, Keyboard, NewMessageBody, Service, Update, UpdateType, UserId,
    types::{
        ActionRequestBody, BotCommandsPatch, CallbackAnswer, CallbackButton, ChatAdmin, ChatAdminPermission,
        ChatAdminsList, ChatPatch, ChatStatus, ChatType, ClipboardButton, LinkButton, MarkupElement, MessageButton,
        MessageLinkType, NewCommentBody, NewMessageLink, OpenAppButton, PhotoAttachmentRequest,
        PhotoAttachmentRequestPayload, PhotoToken, PinMessageBody, QuoteMarkup, RequestContactButton,
        RequestGeoLocationButton, SenderAction, SubscriptionRequestBody, TextFormat, UploadType, UploadedInfo,
        UserIdsList, VideoAttachmentRequest,
    },
};

use super::{Case, assert_every_operation_has_a_case, check, does, reads};
use crate::{
    common::{RawServer, bot_at, http_answer},
    document,
};

/// Adds properties to a JSON object.
fn with(mut json: Value, more: Value) -> Value {
    let Value::Object(more) = more else { panic!("not an object") };
    json.as_object_mut().unwrap().extend(more);
    json
}

/// Returns the JSON of a user of MAX, which has no `name`.
fn user(id: i64, first_name: &str, last_name: &str) -> Value {
    json!({
        "user_id": id,
        "first_name": first_name,
        "last_name": last_name,
        "username": first_name.to_lowercase(),
        "is_bot": false,
        "last_activity_time": 1_577_880_000_123_i64,
    })
}

fn alice() -> Value {
    user(101, "Alice", "Smith")
}

/// Returns a user with an empty last name.
fn bob() -> Value {
    user(102, "Bob", "")
}

/// Returns the properties of a profile with pictures.
fn photo() -> Value {
    json!({
        "description": "Tells the weather.",
        "avatar_url": "https://i.example/small.webp",
        "full_avatar_url": "https://i.example/large.webp",
    })
}

fn commands() -> Value {
    json!([{"name": "help", "description": "What I can do"}, {"name": "stop"}])
}

/// Returns the bot's profile. Bots have no last name.
fn bot_info() -> Value {
    let bot = json!({
        "user_id": 591_579_394_001_i64,
        "first_name": "Погода",
        "username": "pogoda_bot",
        "is_bot": true,
        "last_activity_time": 1_577_880_000_123_i64,
        "commands": commands(),
    });
    with(bot, photo())
}

fn member(user: Value) -> Value {
    let member = json!({
        "last_access_time": 1_577_880_000_456_i64,
        "is_owner": false,
        "is_admin": true,
        "join_time": 1_577_800_000_000_i64,
        "permissions": ["read_all_messages", "edit_link", "edit", "delete", "can_call", "view_stats"],
        "alias": "Boss",
    });
    with(with(user, photo()), member)
}

/// Returns a channel with a pinned post.
fn channel() -> Value {
    json!({
        "chat_id": -7,
        "type": "channel",
        "status": "active",
        "title": "Team",
        "icon": {"url": "https://i.example/icon.webp"},
        "last_event_time": 1_577_880_000_789_i64,
        "participants_count": 2,
        "owner_id": 101,
        "participants": {"101": 1_577_880_000_123_i64, "102": 0},
        "is_public": true,
        "link": "https://max.ru/join/team",
        "description": "All of us.",
        "messages_count": 5,
        "pinned_message": message("mid.1", "Read me"),
    })
}

/// Returns a dialog with a user who has stopped the bot.
fn dialog() -> Value {
    json!({
        "chat_id": i64::MAX,
        "type": "dialog",
        "status": "suspended",
        "last_event_time": 1_577_880_000_789_i64,
        "participants_count": 2,
        "is_public": false,
        "dialog_with_user": with(alice(), photo()),
    })
}

/// Returns a message in a channel. A floating-point number cannot hold its `seq` exactly.
fn message(mid: &str, text: &str) -> Value {
    json!({
        "sender": alice(),
        "recipient": {"chat_id": -7, "chat_type": "channel"},
        "timestamp": 1_577_880_000_123_i64,
        "body": {"mid": mid, "seq": 103_411_943_473_037_313_i64, "text": text, "attachments": [], "markup": []},
        "stat": {"views": 3},
        "url": "https://max.ru/team/1",
    })
}

/// Returns a message with the properties that only MAX has.
fn message_of_max() -> Value {
    let contact = json!({
        "vcf_info": "BEGIN:VCARD\r\nTEL:79990000000\r\nEND:VCARD",
        "hash": "0d041d9949fbe03a35c4dc2bfebc1a00866b2571b688808ac746fb10d6908d64",
        "max_info": alice(),
    });
    let video = json!({"url": "https://v.example/1", "token": "video-token"});
    let buttons = json!([
        [{"type": "message", "text": "Yes"}, {"type": "clipboard", "text": "Copy", "payload": "A-1 b"}],
        [{"type": "open_app", "text": "Shop", "payload": "sale_1-x", "web_app": "shop_bot", "contact_id": 200}],
    ]);
    let body = json!({
        "mid": "mid.2",
        "seq": 1,
        "text": "Привет",
        "attachments": [
            {"type": "contact", "payload": contact},
            {"type": "video", "payload": video, "thumbnail": {"url": "https://i.example/v.webp"}, "width": 1920,
             "height": 1080, "duration": 7},
            {"type": "audio", "payload": {"url": "https://a.example/1", "token": "a"}, "transcription": "Привет"},
            {"type": "inline_keyboard", "payload": {"buttons": buttons}},
        ],
        "markup": [{"type": "quote", "from": 0, "length": 6}],
    });
    let link = json!({"type": "forward", "sender": bob(), "chat_id": -9, "message": {"mid": "mid.1", "seq": 2}});
    with(message("mid.2", ""), json!({"body": body, "link": link}))
}

/// Returns a comment on a channel post that replies to another comment.
fn comment(mid: &str, text: &str) -> Value {
    json!({
        "sender": bob(),
        "recipient": {"chat_id": -9, "chat_type": "channel", "post_id": "mid.post"},
        "timestamp": 1_577_880_000_123_i64,
        "link": {"type": "reply", "sender": alice(), "message": {"mid": "mid.c0", "seq": 1, "text": "First!"}},
        "body": {"mid": mid, "seq": 2, "text": text, "markup": [{"type": "strong", "from": 0, "length": 2}]},
    })
}

/// Returns one update of each type.
fn updates() -> Vec<Value> {
    let update = |update_type: &str, fields: Value| with(json!({"update_type": update_type, "timestamp": 1}), fields);
    let in_chat = |update_type: &str, fields: Value| {
        with(update(update_type, json!({"chat_id": -7, "user": alice(), "is_channel": true})), fields)
    };
    let in_dialog = |update_type: &str, fields: Value| {
        with(update(update_type, json!({"chat_id": 8, "user": alice(), "user_locale": "ru-RU"})), fields)
    };
    let callback = json!({"timestamp": 2, "callback_id": "cb", "payload": "yes", "user": bob()});
    let removed = json!({"message_id": "mid.1", "chat_id": -7, "user_id": 101});
    let rights = json!({
        "chat_id": -7,
        "user_id": 101,
        "bot_id": 200,
        "is_channel": true,
        "is_admin": true,
        "permissions": ["write", "can_call"],
    });
    vec![
        update("message_created", json!({"message": message_of_max(), "user_locale": "ru-RU"})),
        update("message_callback", json!({"callback": callback, "message": message("mid.1", "Coming?")})),
        update("message_edited", json!({"message": message("mid.1", "hi")})),
        update("message_removed", removed.clone()),
        update("comment_created", json!({"message": comment("mid.c1", "Well said")})),
        update("comment_edited", json!({"message": comment("mid.c1", "Well done")})),
        update("comment_removed", with(removed, json!({"post_id": "mid.post"}))),
        in_chat("bot_added", json!({})),
        in_chat("bot_removed", json!({})),
        in_chat("user_added", json!({"inviter_id": 102})),
        in_chat("user_removed", json!({"admin_id": 103})),
        in_dialog("bot_started", json!({"payload": "from-ad"})),
        in_dialog("bot_stopped", json!({})),
        in_dialog("dialog_cleared", json!({})),
        in_dialog("dialog_removed", json!({})),
        in_dialog("dialog_muted", json!({"muted_until": i64::MAX})),
        in_dialog("dialog_unmuted", json!({})),
        update("chat_title_changed", json!({"chat_id": -7, "user": alice(), "title": "Team A"})),
        update("bot_admin_permissions_changed", rights),
    ]
}

/// Returns a message with every field and every button, and its JSON.
fn full_message() -> (NewMessageBody, Value) {
    let photos = [("a+b/c=".to_owned(), PhotoToken::new("photo-token"))];
    let keyboard = Keyboard::new(vec![
        vec![
            CallbackButton::new("Yes", "yes").into(),
            MessageButton::new("No").into(),
            ClipboardButton::new("Copy", "A-1 b").into(),
        ],
        vec![
            OpenAppButton::new("Shop", "shop_bot").payload("sale_1-x").contact_id(UserId(200)).into(),
            OpenAppButton::new("Map", "https://max.ru/map_bot").into(),
            LinkButton::new("Site", "https://example.org/map?a=b&c=d").into(),
        ],
        vec![RequestContactButton::new("Call me").into(), RequestGeoLocationButton::new("Here").quick(true).into()],
    ]);
    // The mention with a link of TamTam is sent with a link of MAX.
    let message = NewMessageBody::markdown("**Привет**, [Alice](tamtam://user/101) 😀\n")
        .attach(PhotoAttachmentRequest::new(PhotoAttachmentRequestPayload::new().photos(photos)))
        .attach(VideoAttachmentRequest::new(UploadedInfo::new().token("video-token")))
        .keyboard(keyboard)
        .link(NewMessageLink::new(MessageLinkType::Reply, "mid.5"))
        .notify(false);
    let json = json!({
        "text": "**Привет**, [Alice](max://user/101) 😀\n",
        "attachments": [
            {"type": "image", "payload": {"photos": {"a+b/c=": {"token": "photo-token"}}}},
            {"type": "video", "payload": {"token": "video-token"}},
            {"type": "inline_keyboard", "payload": {"buttons": [
                [
                    {"type": "callback", "text": "Yes", "payload": "yes"},
                    {"type": "message", "text": "No"},
                    {"type": "clipboard", "text": "Copy", "payload": "A-1 b"},
                ],
                [
                    {"type": "open_app", "text": "Shop", "payload": "sale_1-x", "web_app": "shop_bot", "contact_id": 200},
                    {"type": "open_app", "text": "Map", "web_app": "https://max.ru/map_bot"},
                    {"type": "link", "text": "Site", "url": "https://example.org/map?a=b&c=d"},
                ],
                [
                    {"type": "request_contact", "text": "Call me"},
                    {"type": "request_geo_location", "text": "Here", "quick": true},
                ],
            ]}},
        ],
        "link": {"type": "reply", "mid": "mid.5"},
        "notify": false,
        "format": "markdown",
    });
    (message, json)
}

fn bots() -> Vec<Case> {
    let patch = BotCommandsPatch::new()
        .commands([BotCommand::new("help").description("What I can do"), BotCommand::new("stop")]);
    vec![
        reads(
            "GET /me",
            bot_info(),
            |api| api.get_my_info(),
            |me| {
                assert_eq!((me.name.as_str(), me.first_name.as_deref()), ("Погода", Some("Погода")));
                assert_eq!(me.commands.unwrap()[0].name, "help");
            },
        ),
        reads(
            "PATCH /me/commands",
            json!({"commands": commands()}),
            |api| api.edit_my_commands(patch),
            |set| {
                assert_eq!(set.commands.unwrap()[1].name, "stop");
            },
        )
        .body(json!({"commands": commands()})),
    ]
}

fn chats() -> Vec<Case> {
    let patch = ChatPatch::new()
        .icon(PhotoAttachmentRequestPayload::new().url("https://example.org/icon.png"))
        .title("Team")
        .description("All of us.")
        .pin("mid.1")
        .notify(false);
    vec![
        reads(
            "GET /chats/9223372036854775807",
            dialog(),
            |api| api.get_chat(i64::MAX),
            |chat| {
                assert_eq!((chat.type_, chat.status), (ChatType::Dialog, ChatStatus::Suspended));
                assert_eq!(chat.dialog_with_user.unwrap().name, "Alice Smith");
            },
        ),
        reads(
            "PATCH /chats/-7",
            channel(),
            |api| api.edit_chat(ChatId(-7), patch),
            |chat| {
                assert_eq!(chat.description.as_deref(), Some("All of us."));
                assert_eq!(chat.participants.unwrap()["101"], 1_577_880_000_123);
                assert_eq!(chat.pinned_message.unwrap().stat.unwrap().views, 3);
            },
        )
        .body(json!({
            "icon": {"url": "https://example.org/icon.png"},
            "title": "Team",
            "description": "All of us.",
            "pin": "mid.1",
            "notify": false,
        })),
        does("POST /chats/-7/actions", |api| api.send_action(-7, ActionRequestBody::new(SenderAction::MarkSeen)))
            .body(json!({"action": "mark_seen"})),
        reads(
            "GET /chats/-7/pin",
            json!({"message": message("mid.1", "Read me")}),
            |api| api.get_pinned_message(-7),
            |pinned| {
                assert_eq!(pinned.message.unwrap().sender.unwrap().name, "Alice Smith");
            },
        ),
        does("PUT /chats/-7/pin", |api| api.pin_message(-7, PinMessageBody::new("mid.1").notify(false)))
            .body(json!({"message_id": "mid.1", "notify": false})),
        does("DELETE /chats/-7/pin", |api| api.unpin_message(-7)),
    ]
}

fn members() -> Vec<Case> {
    let admins = ChatAdminsList::new([
        ChatAdmin::new(UserId(101), [ChatAdminPermission::ReadAllMessages, ChatAdminPermission::from("not_known_yet")])
            .alias("Boss"),
        ChatAdmin::new(UserId(102), Vec::<ChatAdminPermission>::new()),
    ]);
    let failed = json!({
        "success": true,
        "failed_user_ids": [102, 103],
        "failed_user_details": [
            {"error_code": "add.participant.privacy", "user_ids": [102]},
            {"error_code": "add.participant.not.found", "user_ids": [103]},
        ],
    });
    vec![
        reads(
            "GET /chats/-7/members/me",
            member(bob()),
            |api| api.get_membership(-7),
            |me| {
                assert_eq!((me.name.as_str(), me.last_name.as_deref()), ("Bob", Some("")));
                assert_eq!(me.permissions.unwrap()[1..3], [ChatAdminPermission::EditLink, ChatAdminPermission::Edit]);
            },
        ),
        does("DELETE /chats/-7/members/me", |api| api.leave_chat(-7)),
        reads(
            "GET /chats/-7/members/admins",
            json!({"members": [member(alice())]}),
            |api| api.get_admins(-7),
            |admins| {
                assert_eq!(admins.members[0].alias.as_deref(), Some("Boss"));
            },
        ),
        does("POST /chats/-7/members/admins", |api| api.post_admins(-7, admins)).body(json!({"admins": [
            {"user_id": 101, "permissions": ["read_all_messages", "not_known_yet"], "alias": "Boss"},
            {"user_id": 102, "permissions": []},
        ]})),
        does("DELETE /chats/-7/members/admins/101", |api| api.delete_admins(-7, UserId(101))),
        reads(
            "GET /chats/-7/members",
            json!({"members": [member(alice()), member(bob())], "marker": 9_007_199_254_740_993_i64}),
            |api| api.get_members(-7).user_ids([101, 102]).marker(-9_007_199_254_740_993).count(100),
            |page| {
                assert_eq!((page.members[1].user_id, page.marker), (UserId(102), Some(9_007_199_254_740_993)));
            },
        )
        .query("user_ids", "101,102")
        .query("marker", "-9007199254740993")
        .query("count", "100"),
        reads(
            "POST /chats/-7/members",
            failed,
            |api| api.add_members(-7, UserIdsList::new([101, 102, 103])),
            |added| {
                assert_eq!(added.failed_user_ids.unwrap(), [UserId(102), UserId(103)]);
                let details = added.failed_user_details.unwrap();
                assert_eq!(details[1].error_code, "add.participant.not.found");
                assert_eq!(details[1].user_ids, [UserId(103)]);
            },
        )
        .body(json!({"user_ids": [101, 102, 103]})),
        does("DELETE /chats/-7/members", |api| api.remove_member(-7, UserId(101)).block(true))
            .query("user_id", "101")
            .query("block", "true"),
    ]
}

fn subscriptions() -> Vec<Case> {
    let webhook = SubscriptionRequestBody::new("https://bot.example/hook?a=b&c=d")
        .update_types([UpdateType::CommentCreated, UpdateType::from("not_known_yet")])
        .secret("0123456789_abc-DEF");
    vec![
        reads(
            "GET /subscriptions",
            json!({"subscriptions": [{
                "url": "https://bot.example/hook?a=b&c=d",
                "time": 1_577_880_000_123_i64,
                "update_types": ["comment_created", "not_known_yet"],
            }]}),
            |api| api.get_subscriptions(),
            |answer| {
                let types = answer.subscriptions[0].update_types.as_deref().unwrap();
                assert_eq!(types, [UpdateType::CommentCreated, UpdateType::Unknown("not_known_yet".to_owned())]);
            },
        ),
        does("POST /subscriptions", |api| api.subscribe(webhook)).body(json!({
            "url": "https://bot.example/hook?a=b&c=d",
            "update_types": ["comment_created", "not_known_yet"],
            "secret": "0123456789_abc-DEF",
        })),
        does("DELETE /subscriptions", |api| api.unsubscribe("https://bot.example/крюк?a=b&c=d#e+f g%20"))
            .query("url", "https://bot.example/крюк?a=b&c=d#e+f g%20"),
        reads(
            "GET /updates",
            json!({"updates": updates(), "marker": 9_007_199_254_740_993_i64}),
            |api| {
                let types = [UpdateType::CommentCreated, UpdateType::DialogMuted, UpdateType::from("not_known_yet")];
                api.get_updates().limit(100).timeout(0).marker(-1).types(types)
            },
            |page| {
                assert_eq!(page.updates.len(), 19);
                let tags: BTreeSet<&str> = page.updates.iter().map(Update::tag).collect();
                let document = document::load("max");
                let types = &document["components"]["schemas"]["Update"]["discriminator"]["mapping"];
                let types: BTreeSet<&str> = types.as_object().unwrap().keys().map(String::as_str).collect();
                assert_eq!(tags, types);
                for update in &page.updates {
                    assert_eq!(update.timestamp(), Some(1), "{update:?}");
                    match update {
                        Update::Unknown(unknown) => panic!("{unknown:?}"),
                        Update::MessageCallback(pressed) => assert_eq!(pressed.callback.user.name, "Bob"),
                        Update::CommentCreated(created) => {
                            assert_eq!(created.message.recipient.post_id.as_ref().unwrap().as_str(), "mid.post");
                        }
                        Update::CommentRemoved(removed) => assert_eq!(removed.post_id.as_str(), "mid.post"),
                        Update::BotAdded(added) => assert_eq!(added.user.as_ref().unwrap().name, "Alice Smith"),
                        Update::UserAdded(added) => assert_eq!(added.inviter_id, Some(UserId(102))),
                        Update::UserRemoved(removed) => assert_eq!(removed.admin_id, Some(UserId(103))),
                        Update::DialogMuted(muted) => assert_eq!(muted.muted_until, i64::MAX),
                        Update::BotAdminPermissionsChanged(changed) => {
                            assert_eq!((changed.user_id, changed.bot_id), (UserId(101), UserId(200)));
                        }
                        _ => {}
                    }
                }
            },
        )
        .query("limit", "100")
        .query("timeout", "0")
        .query("marker", "-1")
        .query("types", "comment_created,dialog_muted,not_known_yet"),
    ]
}

fn media() -> Vec<Case> {
    let video = json!({
        "token": "video-token_1",
        "urls": {
            "mp4_1080": "https://v.example/1080",
            "mp4_720": "https://v.example/720",
            "mp4_480": "https://v.example/480",
            "mp4_360": "https://v.example/360",
            "mp4_240": "https://v.example/240",
            "mp4_144": "https://v.example/144",
            "hls": "https://v.example/hls",
        },
        "thumbnail": {"photo_id": 5, "token": "photo-token", "url": "https://i.example/v.webp"},
        "width": 1920,
        "height": 1080,
        "duration": 7,
    });
    vec![
        reads(
            "POST /uploads",
            json!({"url": "https://vu.okcdn.ru/upload.do?sig=a%2Fb", "token": "early"}),
            |api| api.get_upload_url(UploadType::Video),
            |endpoint| {
                assert_eq!(endpoint.url, "https://vu.okcdn.ru/upload.do?sig=a%2Fb");
                assert_eq!(endpoint.token.as_deref(), Some("early"));
            },
        )
        .query("type", "video"),
        reads(
            "GET /videos/video-token_1",
            video,
            |api| api.get_video_attachment_details("video-token_1"),
            |video| {
                assert_eq!(video.urls.unwrap().mp4_1080.as_deref(), Some("https://v.example/1080"));
                assert_eq!((video.thumbnail.unwrap().photo_id, video.duration), (Some(5), 7));
            },
        ),
    ]
}

fn messages() -> Vec<Case> {
    let (to_chat, json) = full_message();
    let (to_user, edited, answered) = (to_chat.clone(), to_chat.clone(), to_chat.clone());
    vec![
        reads(
            "GET /messages",
            json!({"messages": [message("mid.2", "second"), message("mid.1", "first")]}),
            |api| {
                let messages = api.get_messages().chat_id(-7).message_ids(["mid.2", "mid.1"]);
                messages.from(40).to(10).before(30).after(20).count(100)
            },
            |list| {
                let body = list.messages[1].body.as_ref().unwrap();
                assert_eq!((body.mid.as_str(), body.seq), ("mid.1", 103_411_943_473_037_313));
            },
        )
        .query("chat_id", "-7")
        .query("message_ids", "mid.2,mid.1")
        .query("from", "40")
        .query("to", "10")
        .query("before", "30")
        .query("after", "20")
        .query("count", "100"),
        reads(
            "POST /messages",
            json!({"message": message_of_max()}),
            |api| api.send_message(to_chat).chat_id(ChatId(-7)).disable_link_preview(true),
            |sent| {
                let message = *sent.message;
                assert_eq!(message.link.unwrap().sender.unwrap().name, "Bob");
                let body = message.body.unwrap();
                assert_eq!(body.markup.unwrap(), [MarkupElement::from(QuoteMarkup::new(0, 6))]);
                let Attachment::Contact(contact) = &body.attachments.as_ref().unwrap()[0] else { panic!() };
                assert_eq!(contact.payload.max_info.as_ref().unwrap().name, "Alice Smith");
            },
        )
        .query("chat_id", "-7")
        .query("disable_link_preview", "true")
        .body(json.clone()),
        // A message is sent to either a user or a chat, so the parameters need two calls.
        reads(
            "POST /messages",
            json!({"message": message("mid.3", "Привет")}),
            |api| api.send_message(to_user).user_id(UserId(101)).disable_link_preview(false),
            |sent| {
                assert_eq!(sent.message.sender.unwrap().name, "Alice Smith");
            },
        )
        .query("user_id", "101")
        .query("disable_link_preview", "false")
        .body(json.clone()),
        does("PUT /messages", |api| api.edit_message("mid.3", edited)).query("message_id", "mid.3").body(json.clone()),
        does("DELETE /messages", |api| api.delete_message("mid/3+4=5 6&7")).query("message_id", "mid/3+4=5 6&7"),
        reads(
            "GET /messages/mid.2",
            message_of_max(),
            |api| api.get_message_by_id("mid.2"),
            |message| {
                let buttons = &message.keyboard().unwrap().buttons;
                assert_eq!(buttons[0][0], Button::from(MessageButton::new("Yes")));
                assert_eq!(buttons[0][1], Button::from(ClipboardButton::new("Copy", "A-1 b")));
                let Button::OpenApp(app) = &buttons[1][0] else { panic!("{buttons:?}") };
                assert_eq!((app.web_app.as_str(), app.contact_id), ("shop_bot", Some(UserId(200))));
            },
        ),
        does("POST /answers", |api| {
            let answer = CallbackAnswer::new().message(answered).notification("Done");
            api.answer_on_callback("cb+1/2=", answer).disable_link_preview(true)
        })
        .query("callback_id", "cb+1/2=")
        .query("disable_link_preview", "true")
        .body(json!({"message": json, "notification": "Done"})),
    ]
}

fn comments() -> Vec<Case> {
    let new = NewCommentBody::new()
        .text("**Well** said")
        .link(NewMessageLink::new(MessageLinkType::Reply, "mid.c0"))
        .format(TextFormat::Markdown);
    let edited = new.clone();
    let json = json!({"text": "**Well** said", "link": {"type": "reply", "mid": "mid.c0"}, "format": "markdown"});
    vec![
        reads(
            "GET /messages/mid.post/comments",
            json!({"messages": [comment("mid.c2", "second"), comment("mid.c1", "first")]}),
            |api| api.get_comments("mid.post").comment_ids(["mid.c2", "mid.c1"]).before(20).after(10).count(50),
            |list| {
                let link = list.messages[0].link.as_ref().unwrap();
                assert_eq!((&link.type_, link.message.mid.as_str()), (&MessageLinkType::Reply, "mid.c0"));
                assert_eq!(link.sender.as_ref().unwrap().name, "Alice Smith");
            },
        )
        .query("comment_ids", "mid.c2,mid.c1")
        .query("before", "20")
        .query("after", "10")
        .query("count", "50"),
        reads(
            "POST /messages/mid.post/comments",
            json!({"message": comment("mid.c3", "Well said")}),
            |api| api.send_comment("mid.post", new).disable_link_preview(true),
            |sent| {
                assert_eq!(sent.message.recipient.post_id.unwrap().as_str(), "mid.post");
            },
        )
        .query("disable_link_preview", "true")
        .body(json.clone()),
        does("PUT /messages/mid.post/comments", |api| api.edit_comment("mid.post", "mid.c3", edited))
            .query("comment_id", "mid.c3")
            .body(json),
        does("DELETE /messages/mid.post/comments", |api| api.delete_comment("mid.post", "mid/3+4=5 6&7"))
            .query("comment_id", "mid/3+4=5 6&7"),
        reads(
            "GET /messages/mid.post/comments/mid.c3",
            comment("mid.c3", "Well said"),
            |api| api.get_comment_by_id("mid.post", "mid.c3"),
            |comment| {
                assert_eq!(comment.body.unwrap().text.as_deref(), Some("Well said"));
            },
        ),
    ]
}

/// Returns every operation of MAX with all its parameters.
pub(super) fn all() -> Vec<Case> {
    let groups = [bots(), chats(), members(), subscriptions(), media(), messages(), comments()];
    groups.into_iter().flatten().collect()
}

#[tokio::test]
async fn the_bots_own_profile_is_read_and_its_commands_are_changed() {
    check(Service::Max, bots()).await;
}

#[tokio::test]
async fn chats_are_read_described_and_pinned_in() {
    check(Service::Max, chats()).await;
}

#[tokio::test]
async fn members_are_read_added_promoted_and_removed() {
    check(Service::Max, members()).await;
}

#[tokio::test]
async fn webhooks_are_subscribed_and_updates_of_all_types_polled() {
    check(Service::Max, subscriptions()).await;
}

#[tokio::test]
async fn an_upload_url_and_the_details_of_a_video_are_read() {
    check(Service::Max, media()).await;
}

#[tokio::test]
async fn messages_are_sent_read_edited_deleted_and_answered() {
    check(Service::Max, messages()).await;
}

#[tokio::test]
async fn comments_are_sent_read_edited_and_deleted() {
    check(Service::Max, comments()).await;
}

#[tokio::test]
async fn every_operation_of_max_has_a_case() {
    let document = document::load("max");
    assert_eq!(document["info"]["version"], "0.0.33");
    assert_every_operation_has_a_case(Service::Max, &document, all(), 33).await;
}

#[tokio::test]
async fn unset_parameters_are_not_sent() {
    let sent = json!({"message": comment("mid.c1", "hi")});
    let no_messages = || json!({"messages": []});
    let no_commands = BotCommandsPatch::new().commands(Vec::<BotCommand>::new());
    let no_members = json!({"members": []});
    let cases = vec![
        reads("PATCH /me/commands", json!({}), |api| api.edit_my_commands(BotCommandsPatch::new()), |_| {})
            .body(json!({})),
        reads("PATCH /me/commands", json!({"commands": []}), |api| api.edit_my_commands(no_commands), |_| {})
            .body(json!({"commands": []})),
        reads("PATCH /chats/-7", channel(), |api| api.edit_chat(-7, ChatPatch::new().description("")), |_| {})
            .body(json!({"description": ""})),
        reads("GET /chats/-7/members", no_members, |api| api.get_members(-7), |page| assert_eq!(page.marker, None)),
        does("POST /subscriptions", |api| api.subscribe(SubscriptionRequestBody::new("https://bot.example")))
            .body(json!({"url": "https://bot.example"})),
        reads("GET /updates", json!({"updates": []}), |api| api.get_updates(), |page| assert_eq!(page.marker, None)),
        reads("GET /messages", no_messages(), |api| api.get_messages(), |_| {}),
        does("POST /answers", |api| api.answer_on_callback("cb", CallbackAnswer::new().notification("Done")))
            .query("callback_id", "cb")
            .body(json!({"notification": "Done"})),
        reads("GET /messages/mid.post/comments", no_messages(), |api| api.get_comments("mid.post"), |_| {}),
        reads(
            "GET /messages/mid.post/comments",
            no_messages(),
            |api| api.get_comments("mid.post").comment_ids(["mid.c1"]),
            |_| {},
        )
        .query("comment_ids", "mid.c1"),
        reads(
            "POST /messages/mid.post/comments",
            sent,
            |api| api.send_comment("mid.post", NewCommentBody::new().text("hi")),
            |_| {},
        )
        .body(json!({"text": "hi"})),
    ];
    check(Service::Max, cases).await;
}

#[tokio::test]
async fn a_path_parameter_is_percent_encoded_and_stays_one_segment() {
    let answer = http_answer("200 OK", &[], &comment("mid.c1", "hi").to_string());
    let server = RawServer::answering(answer).await;
    let bot = bot_at(server.url()).service(Service::Max).build().unwrap();
    bot.api().get_comment_by_id("../me", "a b?c=d").await.unwrap();
    assert_eq!(server.request_line(), "GET /messages/..%2Fme/comments/a%20b%3Fc=d HTTP/1.1");

    let answer = http_answer("200 OK", &[], r#"{"token": "t", "width": 1, "height": 1, "duration": 1}"#);
    let server = RawServer::answering(answer).await;
    let bot = bot_at(server.url()).service(Service::Max).build().unwrap();
    bot.api().get_video_attachment_details("a/b#c").await.unwrap();
    assert_eq!(server.request_line(), "GET /videos/a%2Fb%23c HTTP/1.1");
}
