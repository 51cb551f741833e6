//! Requests and answers of every operation of the API: the exact request, and the values of the answer. The operations
//! of TamTam are here, the operations of MAX in `wire/max.rs`.

mod max;
mod other_service;

use std::{
    collections::{BTreeMap, BTreeSet},
    future::IntoFuture,
    pin::Pin,
};

use serde::Serialize;
use serde_json::{Value, json};
use tamtam::{
    AttachmentRequest, BotCommand, ChatId, ErrorKind, Keyboard, NewMessageBody, Service, Update, UpdateType, UserId,
    api::Api,
    types::{
        ActionRequestBody, BotPatch, CallbackAnswer, CallbackButton, ChatAdminPermission, ChatPatch, ChatType,
        ConstructedMessageBody, ConstructorAnswer, Intent, LinkButton, MessageLinkType, NewMessageLink,
        PhotoAttachmentRequest, PhotoAttachmentRequestPayload, PhotoToken, PinMessageBody, SenderAction, StrongMarkup,
        SubscriptionRequestBody, TextFormat, UploadType, UploadedInfo, UserIdsList, VideoAttachmentRequest,
    },
};
use wiremock::{Mock, Request, ResponseTemplate, matchers::any};

use crate::{
    common::{
        RawServer, TOKEN, TOKEN_BEGINNING, answering, answering_json, bot, bot_at, bot_info, bot_of, chat, http_answer,
        member, message, mock_server, only_request, parameter, query, requests, user,
    },
    document,
    fault_server::quick,
};

/// The version of TamTam's document, which every request to TamTam sends.
const VERSION: &str = "0.5.6";

/// One operation: its call, request, answer and result.
struct Case {
    /// The method and path of the request: `GET /chats/-7`.
    line: &'static str,
    /// The decoded query without token and version, in any order.
    query: Vec<(&'static str, &'static str)>,
    body: Option<Value>,
    answer: Value,
    /// Calls the operation and checks its result.
    call: Call,
}

type Call = Box<dyn FnOnce(&Api, Value) -> Called>;
type Called = Pin<Box<dyn Future<Output = tamtam::Result<()>>>>;

impl Case {
    fn query(mut self, name: &'static str, value: &'static str) -> Self {
        self.query.push((name, value));
        self
    }

    fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }
}

/// Returns the case of an operation that answers with an object. The typed answer must be written as the same JSON,
/// except joined names. `look` checks single values.
fn reads<R, T>(
    line: &'static str,
    answer: Value,
    request: impl FnOnce(&Api) -> R + 'static,
    look: impl FnOnce(T) + 'static,
) -> Case
where
    R: IntoFuture<Output = tamtam::Result<T>>,
    R::IntoFuture: 'static,
    T: Serialize,
{
    let call = move |api: &Api, expected: Value| -> Called {
        let future = request(api).into_future();
        Box::pin(async move {
            let answer = future.await?;
            let read = serde_json::to_value(&answer).unwrap();
            assert_eq!(read, with_joined_names(expected), "{line}: the read answer");
            look(answer);
            Ok(())
        })
    };
    Case { line, query: Vec::new(), body: None, answer, call: Box::new(call) }
}

/// Returns the case of an operation that answers with an acknowledgement, which is read as `()`.
fn does<R>(line: &'static str, request: impl FnOnce(&Api) -> R + 'static) -> Case
where
    R: IntoFuture<Output = tamtam::Result<()>>,
    R::IntoFuture: 'static,
{
    let call = move |api: &Api, _| -> Called { Box::pin(request(api).into_future()) };
    Case { line, query: Vec::new(), body: None, answer: json!({"success": true}), call: Box::new(call) }
}

fn sorted<T: Ord>(mut list: Vec<T>) -> Vec<T> {
    list.sort();
    list
}

/// Adds `name` to the users of MAX, whose JSON has `first_name` and `last_name`.
fn with_joined_names(mut json: Value) -> Value {
    match &mut json {
        Value::Array(items) => items.iter_mut().for_each(|item| *item = with_joined_names(item.take())),
        Value::Object(members) => {
            members.values_mut().for_each(|member| *member = with_joined_names(member.take()));
            if let Some(first_name) = members.get("first_name").and_then(Value::as_str) {
                let last_name = members.get("last_name").and_then(Value::as_str).unwrap_or_default();
                let name = format!("{first_name} {last_name}");
                let before = members.insert("name".to_owned(), name.trim_end().into());
                assert_eq!(before, None, "MAX sends no `name`");
            }
        }
        _ => {}
    }
    json
}

/// Checks the common parts of every request to a service.
fn assert_common(service: &Service, request: &Request, line: &str) {
    // `to_str` fails, because the token of the tests is not ASCII.
    let header = |name: &str| -> Vec<&str> {
        request.headers.get_all(name).iter().map(|value| str::from_utf8(value.as_bytes()).unwrap()).collect()
    };
    if *service == Service::Max {
        assert_eq!(header("authorization"), [TOKEN], "{line}: the token");
        assert_eq!(parameter(request, "v"), [""; 0], "{line}: MAX has no versions");
        assert_eq!(parameter(request, "access_token"), [""; 0], "{line}: MAX refuses a token in the query");
        assert!(!request.url.as_str().contains(TOKEN_BEGINNING), "{line}: the token is in {}", request.url);
    } else {
        assert_eq!(header("authorization"), [""; 0], "{line}");
        assert_eq!(parameter(request, "v"), [VERSION], "{line}: the version");
        assert_eq!(parameter(request, "access_token"), [TOKEN], "{line}: the token");
    }
    assert_eq!(header("user-agent"), [concat!("tamtam-rs/", env!("CARGO_PKG_VERSION"))], "{line}");
    assert_eq!(header("accept"), ["application/json"], "{line}");
    assert_eq!(header("api-version"), [""; 0], "{line}: a header that progenitor adds, but no service has");
    assert_eq!(header("referer"), [""; 0], "{line}");
    match request.body.is_empty() {
        true => assert_eq!(header("content-type"), [""; 0], "{line}"),
        false => assert_eq!(header("content-type"), ["application/json"], "{line}"),
    }
}

/// Calls each operation on a separate server and compares the request with the case.
async fn check(service: Service, cases: Vec<Case>) {
    for Case { line, query: expected_query, body, answer, call } in cases {
        let server = answering_json(&answer).await;
        call(&bot_of(&service, &server).api(), answer).await.unwrap_or_else(|error| panic!("{line}: {error}"));
        let request = only_request(&server).await;
        assert_common(&service, &request, line);
        assert_eq!(format!("{} {}", request.method, request.url.path()), line);
        let mut sent = query(&request);
        sent.retain(|(name, _)| name != "v" && name != "access_token");
        let sent: Vec<(&str, &str)> = sent.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(sorted(sent), sorted(expected_query), "{line}: the query");
        let sent = (!request.body.is_empty()).then(|| serde_json::from_slice::<Value>(&request.body).unwrap());
        assert_eq!(sent, body, "{line}: the body");
    }
}

/// Returns a message with every field, and its JSON.
fn full_message() -> (NewMessageBody, Value) {
    let photos = [("a+b/c=".to_owned(), PhotoToken::new("photo-token"))];
    let message = NewMessageBody::markdown("**Привет**, \"мир\" 😀\n")
        .attach(PhotoAttachmentRequest::new(PhotoAttachmentRequestPayload::new().photos(photos)))
        .attach(VideoAttachmentRequest::new(UploadedInfo::new().token("video-token")))
        .keyboard(Keyboard::new(vec![
            vec![
                CallbackButton::new("Yes", "yes").intent(Intent::Positive).into(),
                CallbackButton::new("No", "no").into(),
            ],
            vec![LinkButton::new("Map", "https://example.org/map?a=b&c=d").into()],
        ]))
        .link(NewMessageLink::new(MessageLinkType::Reply, "mid.5"))
        .notify(false);
    let json = json!({
        "text": "**Привет**, \"мир\" 😀\n",
        "attachments": [
            {"type": "image", "payload": {"photos": {"a+b/c=": {"token": "photo-token"}}}},
            {"type": "video", "payload": {"token": "video-token"}},
            {"type": "inline_keyboard", "payload": {"buttons": [
                [
                    {"type": "callback", "text": "Yes", "payload": "yes", "intent": "positive"},
                    {"type": "callback", "text": "No", "payload": "no"},
                ],
                [{"type": "link", "text": "Map", "url": "https://example.org/map?a=b&c=d"}],
            ]}},
        ],
        "link": {"type": "reply", "mid": "mid.5"},
        "notify": false,
        "format": "markdown",
    });
    (message, json)
}

fn bots() -> Vec<Case> {
    let patch = BotPatch::new()
        .name("Погода")
        .description("Tells the weather.")
        .commands([BotCommand::new("help").description("What I can do"), BotCommand::new("stop")])
        .photo(PhotoAttachmentRequestPayload::new().url("https://example.org/sun.png").token("old"));
    vec![
        reads(
            "GET /me",
            bot_info(),
            |api| api.get_my_info(),
            |me| {
                assert_eq!(me.user_id, UserId(591_579_394_001));
                assert_eq!((me.name.as_str(), me.username.as_deref()), ("Погода", Some("pogoda_bot")));
                assert_eq!(me.commands.unwrap()[1].description, None);
            },
        ),
        reads(
            "PATCH /me",
            bot_info(),
            |api| api.edit_my_info(patch),
            |me| {
                assert_eq!(me.description.as_deref(), Some("Tells the weather."));
            },
        )
        .body(json!({
            "name": "Погода",
            "description": "Tells the weather.",
            "commands": [{"name": "help", "description": "What I can do"}, {"name": "stop"}],
            "photo": {"url": "https://example.org/sun.png", "token": "old"},
        })),
    ]
}

fn chats() -> Vec<Case> {
    let patch = ChatPatch::new()
        .icon(PhotoAttachmentRequestPayload::new().url("https://example.org/icon.png"))
        .title("Team")
        .pin("mid.1")
        .notify(false);
    vec![
        reads(
            "GET /chats",
            json!({"chats": [chat(-7, "Team"), chat(8, "Другая")], "marker": 9_007_199_254_740_993_i64}),
            |api| api.get_chats().count(20).marker(-9_007_199_254_740_993),
            |page| {
                assert_eq!(page.chats[1].title.as_deref(), Some("Другая"));
                assert_eq!(page.marker, Some(9_007_199_254_740_993));
            },
        )
        .query("count", "20")
        .query("marker", "-9007199254740993"),
        reads(
            "GET /chats/@team_1-x",
            chat(-7, "Team"),
            |api| api.get_chat_by_link("@team_1-x"),
            |chat| {
                assert_eq!(chat.chat_id, ChatId(-7));
            },
        ),
        reads(
            "GET /chats/-9223372036854775808",
            chat(i64::MIN, "Team"),
            |api| api.get_chat(i64::MIN),
            |chat| {
                assert_eq!((chat.chat_id, chat.type_), (ChatId(i64::MIN), ChatType::Chat));
                assert_eq!(chat.participants.unwrap()["101"], 1_577_880_000_123);
                assert_eq!(chat.pinned_message.unwrap().body.unwrap().mid.as_str(), "mid.1");
            },
        ),
        reads(
            "PATCH /chats/-7",
            chat(-7, "Team"),
            |api| api.edit_chat(ChatId(-7), patch),
            |chat| {
                assert_eq!(chat.icon.unwrap().url, "https://i.example/icon.webp");
            },
        )
        .body(json!({
            "icon": {"url": "https://example.org/icon.png"},
            "title": "Team",
            "pin": "mid.1",
            "notify": false,
        })),
        does("POST /chats/-7/actions", |api| api.send_action(-7, ActionRequestBody::new(SenderAction::TypingOn)))
            .body(json!({"action": "typing_on"})),
        reads(
            "GET /chats/-7/pin",
            json!({"message": message("mid.1", "Read me")}),
            |api| api.get_pinned_message(-7),
            |pinned| {
                assert_eq!(pinned.message.unwrap().body.unwrap().text.as_deref(), Some("Read me"));
            },
        ),
        does("PUT /chats/-7/pin", |api| api.pin_message(-7, PinMessageBody::new("mid.1").notify(false)))
            .body(json!({"message_id": "mid.1", "notify": false})),
        does("DELETE /chats/-7/pin", |api| api.unpin_message(-7)),
    ]
}

fn members() -> Vec<Case> {
    vec![
        reads(
            "GET /chats/-7/members/me",
            member(200, "Bot"),
            |api| api.get_membership(-7),
            |me| {
                assert_eq!(me.permissions.unwrap(), [ChatAdminPermission::Write, ChatAdminPermission::PinMessage]);
                assert_eq!((me.is_admin, me.is_owner), (true, false));
            },
        ),
        does("DELETE /chats/-7/members/me", |api| api.leave_chat(-7)),
        reads(
            "GET /chats/-7/members/admins",
            json!({"members": [member(101, "Alice")]}),
            |api| api.get_admins(-7),
            |admins| {
                assert_eq!((admins.members[0].user_id, admins.marker), (UserId(101), None));
            },
        ),
        reads(
            "GET /chats/-7/members",
            json!({"members": [member(101, "Alice"), member(102, "Bob")], "marker": 103}),
            |api| api.get_members(-7).user_ids([101, 102, -103]).marker(100).count(2),
            |page| {
                assert_eq!(page.members[1].join_time, 1_577_800_000_000);
                assert_eq!(page.marker, Some(103));
            },
        )
        .query("user_ids", "101,102,-103")
        .query("marker", "100")
        .query("count", "2"),
        reads(
            "POST /chats/-7/members",
            json!({"success": true, "failed_user_ids": [102]}),
            |api| api.add_members(-7, UserIdsList::new([101, 102])),
            |added| assert_eq!(added.failed_user_ids, Some(vec![UserId(102)])),
        )
        .body(json!({"user_ids": [101, 102]})),
        does("DELETE /chats/-7/members", |api| api.remove_member(-7, UserId(101)).block(true))
            .query("user_id", "101")
            .query("block", "true"),
    ]
}

fn subscriptions() -> Vec<Case> {
    let webhook = SubscriptionRequestBody::new("https://bot.example:8443/hook?a=b&c=d")
        .update_types([UpdateType::MessageCreated, UpdateType::from("not_known_yet")])
        .version("0.5.6");
    vec![
        reads(
            "GET /subscriptions",
            json!({"subscriptions": [{
                "url": "https://bot.example:8443/hook?a=b&c=d",
                "time": 1_577_880_000_123_i64,
                "update_types": ["message_created", "not_known_yet"],
                "version": "0.5.6",
            }]}),
            |api| api.get_subscriptions(),
            |answer| {
                let types = answer.subscriptions[0].update_types.as_deref().unwrap();
                assert_eq!(types, [UpdateType::MessageCreated, UpdateType::Unknown("not_known_yet".to_owned())]);
            },
        ),
        does("POST /subscriptions", |api| api.subscribe(webhook)).body(json!({
            "url": "https://bot.example:8443/hook?a=b&c=d",
            "update_types": ["message_created", "not_known_yet"],
            "version": "0.5.6",
        })),
        // The `access_token` of the URL must stay inside the value.
        does("DELETE /subscriptions", |api| api.unsubscribe("https://bot.example/крюк?v=1&access_token=x#a+b c%20"))
            .query("url", "https://bot.example/крюк?v=1&access_token=x#a+b c%20"),
        reads(
            "GET /updates",
            json!({
                "updates": [
                    {"update_type": "message_created", "timestamp": 1, "message": message("mid.1", "hi"),
                     "user_locale": "ru-RU"},
                    {"update_type": "bot_started", "timestamp": 2, "chat_id": 9, "user": user(101, "Alice"),
                     "payload": "from-ad"},
                    {"update_type": "invented_later", "anything": [1, {"b": null}]},
                ],
                "marker": 9_007_199_254_740_993_i64,
            }),
            |api| {
                let types = [UpdateType::MessageCreated, UpdateType::BotStarted];
                api.get_updates().limit(3).timeout(0).marker(-1).types(types)
            },
            |page| {
                let [Update::MessageCreated(created), Update::BotStarted(started), Update::Unknown(unknown)] =
                    &page.updates[..]
                else {
                    panic!("{page:?}")
                };
                assert_eq!(created.message.as_ref().unwrap().recipient.chat_id, Some(ChatId(-7)));
                assert_eq!(started.payload.as_deref(), Some("from-ad"));
                assert_eq!((unknown.tag.as_str(), unknown.error.as_deref()), ("invented_later", None));
                assert_eq!(page.marker, Some(9_007_199_254_740_993));
            },
        )
        .query("limit", "3")
        .query("timeout", "0")
        .query("marker", "-1")
        .query("types", "message_created,bot_started"),
    ]
}

fn uploads() -> Vec<Case> {
    vec![
        reads(
            "POST /uploads",
            json!({"url": "//upload.example/u?sig=a%2Fb", "token": "early"}),
            |api| api.get_upload_url(UploadType::Video),
            |endpoint| {
                assert_eq!(endpoint.url, "//upload.example/u?sig=a%2Fb");
                assert_eq!(endpoint.token.as_deref(), Some("early"));
            },
        )
        .query("type", "video"),
    ]
}

fn messages() -> Vec<Case> {
    let (to_user, json) = full_message();
    let (edited, answered) = (to_user.clone(), to_user.clone());
    let to_chat = to_user.clone();
    let constructed = ConstructedMessageBody::new()
        .text("Привет")
        .attachments([PhotoAttachmentRequest::new(PhotoAttachmentRequestPayload::new().token("photo-token"))])
        .markup([StrongMarkup::new(0, 6)])
        .format(TextFormat::Html);
    let constructor = ConstructorAnswer::new()
        .messages([constructed, ConstructedMessageBody::new().text("second")])
        .allow_user_input(false)
        .hint("Choose")
        .data("state 1")
        .keyboard(Keyboard::new(vec![vec![CallbackButton::new("Next", "next").into()]]))
        .placeholder("Type here");
    vec![
        reads(
            "GET /messages",
            json!({"messages": [message("mid.2", "second"), message("mid.1", "first")]}),
            |api| api.get_messages().chat_id(-7).message_ids(["mid.2", "mid.1"]).from(20).to(10).count(2),
            |list| {
                let body = list.messages[1].body.as_ref().unwrap();
                assert_eq!((body.mid.as_str(), body.seq), ("mid.1", 103_411_943_473_037_313));
            },
        )
        .query("chat_id", "-7")
        .query("message_ids", "mid.2,mid.1")
        .query("from", "20")
        .query("to", "10")
        .query("count", "2"),
        reads(
            "POST /messages",
            json!({"message": message("mid.3", "Привет")}),
            |api| api.send_message(to_chat).chat_id(ChatId(-7)).disable_link_preview(true),
            |sent| {
                assert_eq!(sent.message.body.unwrap().mid.as_str(), "mid.3");
                assert_eq!(sent.message.sender.unwrap().user_id, UserId(101));
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
                assert_eq!(sent.message.timestamp, 1_577_880_000_123);
            },
        )
        .query("user_id", "101")
        .query("disable_link_preview", "false")
        .body(json.clone()),
        does("PUT /messages", |api| api.edit_message("mid.3", edited)).query("message_id", "mid.3").body(json.clone()),
        does("DELETE /messages", |api| api.delete_message("mid/3+4=5 6&7")).query("message_id", "mid/3+4=5 6&7"),
        reads(
            "GET /messages/mid.3",
            message("mid.3", "Привет"),
            |api| api.get_message_by_id("mid.3"),
            |message| {
                assert_eq!(message.url.as_deref(), Some("https://tt.example/team/1"));
            },
        ),
        does("POST /answers", |api| {
            api.answer_on_callback("cb+1/2=", CallbackAnswer::new().message(answered).notification("Done"))
        })
        .query("callback_id", "cb+1/2=")
        .body(json!({"message": json, "notification": "Done"})),
        does("POST /answers/constructor", |api| api.construct("session 1", constructor))
            .query("session_id", "session 1")
            .body(json!({
                "messages": [
                    {
                        "text": "Привет",
                        "attachments": [{"type": "image", "payload": {"token": "photo-token"}}],
                        "markup": [{"type": "strong", "from": 0, "length": 6}],
                        "format": "html",
                    },
                    {"text": "second"},
                ],
                "allow_user_input": false,
                "hint": "Choose",
                "data": "state 1",
                "keyboard": {"buttons": [[{"type": "callback", "text": "Next", "payload": "next"}]]},
                "placeholder": "Type here",
            })),
    ]
}

/// Returns every operation of TamTam with all its parameters.
fn all() -> Vec<Case> {
    [bots(), chats(), members(), subscriptions(), uploads(), messages()].into_iter().flatten().collect()
}

/// Returns the operations of each service.
fn all_of_each_service() -> [(Service, Vec<Case>); 2] {
    [(Service::TamTam, all()), (Service::Max, max::all())]
}

#[tokio::test]
async fn the_bots_own_profile_is_read_and_changed() {
    check(Service::TamTam, bots()).await;
}

#[tokio::test]
async fn chats_are_read_changed_and_pinned_in() {
    check(Service::TamTam, chats()).await;
}

#[tokio::test]
async fn members_are_read_added_and_removed() {
    check(Service::TamTam, members()).await;
}

#[tokio::test]
async fn webhooks_are_subscribed_and_updates_polled() {
    check(Service::TamTam, subscriptions()).await;
}

#[tokio::test]
async fn an_upload_url_is_requested() {
    check(Service::TamTam, uploads()).await;
}

#[tokio::test]
async fn messages_are_sent_read_edited_deleted_and_answered() {
    check(Service::TamTam, messages()).await;
}

/// Returns the operations of a document: id to method and path template.
fn operations_of(document: &Value) -> BTreeMap<String, (String, String)> {
    let mut operations = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Some(id) = operation["operationId"].as_str() else { continue };
            operations.insert(id.to_owned(), (method.to_uppercase(), path.clone()));
        }
    }
    operations
}

/// Returns whether a path matches a template.
fn fits(path: &str, template: &str) -> bool {
    let (path, template): (Vec<&str>, Vec<&str>) = (path.split('/').collect(), template.split('/').collect());
    path.len() == template.len() && path.iter().zip(&template).all(|(is, wants)| is == wants || wants.starts_with('{'))
}

/// Checks that these cases cover all `count` operations of the service's document.
async fn assert_every_operation_has_a_case(service: Service, document: &Value, cases: Vec<Case>, count: usize) {
    let document = operations_of(document);
    // The error of a call names the operation that was really called.
    let server = answering(ResponseTemplate::new(500)).await;
    let api = bot_of(&service, &server).api();
    let mut tested = BTreeSet::new();
    for Case { line, answer, call, .. } in cases {
        let error = call(&api, answer).await.unwrap_err();
        let id = error.operation().unwrap().to_owned();
        let (method, template) = &document[&id];
        let (sent_method, sent_path) = line.split_once(' ').unwrap();
        assert!(sent_method == method && fits(sent_path, template), "{id} is {method} {template}, not {line}");
        tested.insert(id);
    }
    assert_eq!(tested.iter().collect::<Vec<_>>(), document.keys().collect::<Vec<_>>());
    assert_eq!(tested.len(), count);
}

#[tokio::test]
async fn every_operation_of_tamtam_has_a_case() {
    let document = document::load("tamtam");
    assert_eq!(document["info"]["version"], VERSION);
    assert_every_operation_has_a_case(Service::TamTam, &document, all(), 28).await;
}

#[tokio::test]
async fn unset_parameters_are_not_sent() {
    let page = json!({"members": []});
    let sent = json!({"message": message("mid.1", "hi")});
    let no_updates = json!({"updates": []});
    let profile = || bot_info();
    let cases = vec![
        reads("GET /chats", json!({"chats": []}), |api| api.get_chats(), |page| assert_eq!(page.marker, None)),
        reads("GET /chats/-7/members", page, |api| api.get_members(-7), |page| assert!(page.members.is_empty())),
        does("DELETE /chats/-7/members", |api| api.remove_member(-7, 101)).query("user_id", "101"),
        reads("GET /messages", json!({"messages": []}), |api| api.get_messages(), |_| {}),
        reads("GET /updates", no_updates, |api| api.get_updates(), |page| assert_eq!(page.marker, None)),
        reads("POST /messages", sent.clone(), |api| api.send_message("hi").chat_id(-7), |_| {})
            .query("chat_id", "-7")
            .body(json!({"text": "hi"})),
        reads("POST /messages", sent, |api| api.send_message(NewMessageBody::new()).user_id(101), |_| {})
            .query("user_id", "101")
            .body(json!({})),
        reads("PATCH /me", profile(), |api| api.edit_my_info(BotPatch::new()), |_| {}).body(json!({})),
        reads("PATCH /chats/-7", chat(-7, "Team"), |api| api.edit_chat(-7, ChatPatch::new().title("Team")), |_| {})
            .body(json!({"title": "Team"})),
        does("PUT /chats/-7/pin", |api| api.pin_message(-7, PinMessageBody::new("mid.1")))
            .body(json!({"message_id": "mid.1"})),
        does("POST /subscriptions", |api| api.subscribe(SubscriptionRequestBody::new("http://bot.example:8080")))
            .body(json!({"url": "http://bot.example:8080"})),
        does("POST /answers", |api| api.answer_on_callback("cb", CallbackAnswer::new().notification("Done")))
            .query("callback_id", "cb")
            .body(json!({"notification": "Done"})),
        does("POST /answers/constructor", |api| api.construct("s", ConstructorAnswer::new()))
            .query("session_id", "s")
            .body(json!({})),
    ];
    check(Service::TamTam, cases).await;
}

#[tokio::test]
async fn an_edit_keeps_absent_attachments_and_removes_them_if_empty() {
    let none = Vec::<AttachmentRequest>::new();
    let cases = vec![
        does("PUT /messages", |api| api.edit_message("mid.1", "new text"))
            .query("message_id", "mid.1")
            .body(json!({"text": "new text"})),
        does("PUT /messages", |api| api.edit_message("mid.1", NewMessageBody::new().attachments(none)))
            .query("message_id", "mid.1")
            .body(json!({"attachments": []})),
        does("PUT /messages", |api| api.edit_message("mid.1", NewMessageBody::new().text("")))
            .query("message_id", "mid.1")
            .body(json!({"text": ""})),
        reads(
            "PATCH /me",
            bot_info(),
            |api| api.edit_my_info(BotPatch::new().commands(Vec::<BotCommand>::new())),
            |_| {},
        )
        .body(json!({"commands": []})),
    ];
    check(Service::TamTam, cases).await;
}

#[tokio::test]
async fn a_list_of_one_has_no_comma_and_an_unknown_type_is_sent_unchanged() {
    let cases = vec![
        reads("GET /chats/-7/members", json!({"members": []}), |api| api.get_members(-7).user_ids([UserId(5)]), |_| {})
            .query("user_ids", "5"),
        reads(
            "GET /updates",
            json!({"updates": []}),
            |api| api.get_updates().types(["message_created", "not_known_yet"]),
            |_| {},
        )
        .query("types", "message_created,not_known_yet"),
    ];
    check(Service::TamTam, cases).await;
}

#[tokio::test]
async fn a_path_parameter_is_percent_encoded_and_stays_one_segment() {
    let cases = [
        ("@team", "@team"),
        ("друзья", "%D0%B4%D1%80%D1%83%D0%B7%D1%8C%D1%8F"),
        ("a b", "a%20b"),
        ("a/b", "a%2Fb"),
        ("../me", "..%2Fme"),
        ("a?v=1", "a%3Fv=1"),
        ("a#b", "a%23b"),
        ("100%", "100%25"),
        ("a%2Fb", "a%252Fb"),
        ("%2e%2e", "%252e%252e"),
        ("...", "..."),
        ("a\"<>`{}b", "a%22%3C%3E%60%7B%7Db"),
        ("line\r\nHost: evil", "line%0D%0AHost:%20evil"),
        ("tab\tnul\0", "tab%09nul%00"),
        ("a+b&c=d;e", "a+b&c=d;e"),
    ];
    for (value, encoded) in cases {
        let server = RawServer::answering(http_answer("200 OK", &[], &chat(-7, "Team").to_string())).await;
        bot_at(server.url()).build().unwrap().api().get_chat_by_link(value).await.unwrap();
        let line = server.request_line();
        assert!(line.starts_with(&format!("GET /chats/{encoded}?v=0.5.6&access_token=")), "{value}: {line}");

        let server = RawServer::answering(http_answer("200 OK", &[], &message("mid.1", "hi").to_string())).await;
        bot_at(server.url()).build().unwrap().api().get_message_by_id(value).await.unwrap();
        let line = server.request_line();
        assert!(line.starts_with(&format!("GET /messages/{encoded}?v=0.5.6&access_token=")), "{value}: {line}");
    }
}

#[tokio::test]
async fn a_post_without_a_body_has_a_content_length_of_0() {
    // A server may refuse a POST without a `Content-Length` (411).
    let server = RawServer::answering(http_answer("200 OK", &[], r#"{"url": "https://upload.example"}"#)).await;
    bot_at(server.url()).build().unwrap().api().get_upload_url(UploadType::Image).await.unwrap();
    assert!(server.requests()[0].contains("\r\ncontent-length: 0\r\n"), "{:?}", server.requests());
}

/// Returns the error of each operation for a 200 with this body. Each operation must send one request.
async fn answered(service: &Service, cases: Vec<Case>, body: &Value) -> Vec<tamtam::Error> {
    let mut errors = Vec::new();
    for Case { line, answer, call, .. } in cases {
        let server = answering_json(body).await;
        let result = call(&bot_of(service, &server).api(), answer).await;
        errors.push(result.expect_err(line));
        only_request(&server).await;
    }
    errors
}

#[tokio::test]
async fn a_200_with_success_false_is_a_refusal_for_every_operation() {
    for (body, message) in [
        (json!({"success": false, "message": "Chat is muted"}), Some("Chat is muted")),
        (json!({"success": false, "message": "Chat is muted", "code": 7, "updates": 5}), Some("Chat is muted")),
        (json!({"success": false}), None),
        (json!({"success": false, "message": null}), None),
        (json!({"success": false, "message": ""}), None),
        (json!({"success": false, "message": 5}), Some("5")),
        (json!({"success": false, "message": {"key": "muted"}}), Some(r#"{"key":"muted"}"#)),
    ] {
        for (service, cases) in all_of_each_service() {
            for error in answered(&service, cases, &body).await {
                assert!(error.is_refused() && error.status().unwrap() == 200, "{body}: {error:?}");
                assert!(
                    !error.may_have_been_applied() && !error.is_retryable() && error.kind() != ErrorKind::Decode,
                    "{body}: {error:?}"
                );
                assert_eq!(error.message(), message, "{body}: {error:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_success_that_is_not_a_boolean_is_a_decode_error_for_every_operation() {
    for body in [json!({"success": "false"}), json!({"success": 0}), json!({"success": null})] {
        for (service, mut cases) in all_of_each_service() {
            // These answers have no required property, and the properties of others are ignored.
            cases.retain(|case| !["GET /chats/-7/pin", "PATCH /me/commands"].contains(&case.line));
            for error in answered(&service, cases, &body).await {
                assert!(error.kind() == ErrorKind::Decode && !error.is_refused(), "{body}: {error:?}");
            }
        }
    }
}

#[tokio::test]
async fn every_operation_that_changes_something_retries_a_200_that_says_not_processed() {
    let not_ready = json!({"success": false, "message": "Key: errors.process.attachment.file.not.processed"});
    let cases = all_of_each_service().into_iter();
    let cases = cases.flat_map(|(service, cases)| cases.into_iter().map(move |case| (service.clone(), case)));
    for (service, Case { line, answer, call, .. }) in cases {
        let server = mock_server().await;
        let not_ready = ResponseTemplate::new(200).set_body_json(&not_ready);
        Mock::given(any()).respond_with(not_ready).up_to_n_times(5).mount(&server).await;
        Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_json(&answer)).mount(&server).await;
        let bot = bot_at(server.uri()).service(service).retry(quick()).build().unwrap();
        let result = call(&bot.api(), answer).await;
        let asked = requests(&server).await.len();
        if line.starts_with("GET ") {
            let error = result.unwrap_err();
            assert!(error.is_refused() && error.is_attachment_not_ready(), "{line}: {error:?}");
            assert_eq!(asked, 1, "{line} has no attachments");
        } else {
            result.unwrap_or_else(|error| panic!("{line}: {error}"));
            assert_eq!(asked, 6, "{line}");
        }
    }
}

#[tokio::test]
async fn a_refusal_with_half_a_surrogate_pair_is_a_refusal() {
    let body = r#"{"success":false,"message":"muted \ud83d"}"#;
    let server = answering(ResponseTemplate::new(200).set_body_string(body)).await;
    let error = bot(&server).send(ChatId(-7), "hi").await.unwrap_err();
    assert!(error.is_refused() && error.message().unwrap().contains("muted"), "{error:?}");
}

#[tokio::test]
async fn a_raw_request_returns_a_refusal_as_json_and_fails_if_a_type_does_not_fit_it() {
    let body = json!({"success": false, "message": "Chat is muted"});
    let server = answering_json(&body).await;
    let request = bot(&server).request(http::Method::POST, "/new");
    assert_eq!(request.clone().await.unwrap(), body);
    assert_eq!(request.clone().send_as::<BTreeMap<String, Value>>().await.unwrap()["success"], false);
    let error = request.send_as::<Vec<Value>>().await.unwrap_err();
    assert!(error.is_refused() && !error.may_have_been_applied(), "{error:?}");
    assert_eq!(error.to_string(), "POST /new: refused: Chat is muted");
}
