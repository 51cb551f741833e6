//! Requests are validated by the document of the service. A request that breaks a constraint is refused. A request that
//! keeps all constraints is accepted.
//!
//! The invalid requests are generated from the documents, which these tests read independently.

mod breaches;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tamtam::Service;

use crate::client::{Api, callback, dialog, dialog_on, keyboard, mid, unlimited};
use crate::common::SERVICES;
use crate::document;
use breaches::{Breach, Breaches};

/// Requests that a document forbids and the sandbox accepts: operation, field, and the broken rule.
const TOLERATED: [(&str, &str, &str); 7] = [
    ("construct", "data", "null"),
    ("sendMessage", "notify", "null"),
    ("editMessage", "notify", "null"),
    ("answerOnCallback", "message.notify", "null"),
    ("subscribe", "secret", "null"),
    ("subscribe", "update_types", "null"),
    ("postAdmins", "admins[0].permissions", "required"),
];

/// Returns the document of a service.
fn document_of(service: &Service) -> Value {
    document::load(&service.name().to_lowercase())
}

/// An operation of a document.
pub(crate) struct Operation {
    method: String,
    template: String,
    node: Value,
}

impl Operation {
    pub(crate) fn all(service: &Service) -> Vec<Self> {
        let document = document_of(service);
        let mut operations = Vec::new();
        for (template, methods) in document["paths"].as_object().unwrap() {
            for (method, node) in methods.as_object().unwrap() {
                let (method, template) = (method.to_uppercase(), template.clone());
                operations.push(Self { method, template, node: node.clone() });
            }
        }
        operations
    }

    pub(crate) fn name(&self) -> &str {
        self.node["operationId"].as_str().unwrap()
    }

    fn parameters(&self) -> &[Value] {
        self.node["parameters"].as_array().map_or(&[], Vec::as_slice)
    }

    pub(crate) fn body(&self) -> Option<&Value> {
        self.node.pointer("/requestBody/content/application~1json/schema")
    }

    /// Returns the path and query of a request. A parameter has the value of `wanted`, or a valid one if it is
    /// required.
    fn url(&self, wanted: impl Fn(&str) -> Option<String>) -> String {
        let (mut path, mut query) = (self.template.clone(), String::new());
        for parameter in self.parameters() {
            let name = parameter["name"].as_str().unwrap();
            let right = match name {
                "chatLink" => Some("team"),
                "type" => Some("image"),
                "timeout" => Some("0"),
                _ if parameter["required"] == true => Some("1"),
                _ => None,
            };
            let Some(text) = wanted(name).or(right.map(str::to_owned)) else { continue };
            if parameter["in"] == "path" {
                path = path.replace(&format!("{{{name}}}"), &text);
            } else {
                query += &format!("&{name}={text}");
            }
        }
        format!("{path}?v=0.5.6{query}")
    }
}

/// Sends a request. Returns the message of its error, or `None` if it succeeds.
async fn said(api: &Api, operation: &Operation, url: &str, body: &Value) -> Option<String> {
    let answer = api.call(&operation.method, url, body.clone()).await;
    (answer.status != 200).then(|| answer.json["message"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn every_invalid_body_is_refused_with_the_name_of_the_field() {
    let mut kinds = BTreeSet::new();
    for service in SERVICES {
        kinds.extend(refuses_every_body(&service).await);
    }
    let all = [
        "enum",
        "format",
        "maxItems",
        "maxLength",
        "minItems",
        "minLength",
        "null",
        "pattern",
        "required",
        "tag",
        "type",
    ];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), all, "the rules of the documents for bodies");
}

/// Sends every invalid body. Returns the rules that the bodies break.
async fn refuses_every_body(service: &Service) -> BTreeSet<&'static str> {
    let (_sandbox, api, _) = dialog_on(unlimited(service)).await;
    let document = document_of(service);
    let mut kinds = BTreeSet::new();
    for operation in Operation::all(service) {
        let Some(schema) = operation.body() else { continue };
        let (name, url) = (operation.name(), operation.url(|_| None));
        let Breaches { whole, breaches, limits } = Breaches::of(&document, schema);
        assert!(!breaches.is_empty(), "{name}");
        let at_rest = said(&api, &operation, &url, &whole).await;
        for Breach { path, body, why } in breaches {
            if TOLERATED.contains(&(name, &path, why)) {
                assert_eq!(said(&api, &operation, &url, &body).await, at_rest, "{name}, {why} at {path}");
                continue;
            }
            kinds.insert(why);
            let answer = api.call(&operation.method, &url, body).await;
            let message = answer.fails(400, "proto.payload");
            let named = [format!("{path}: "), format!("Missing {path}"), format!("Can't deserialize body: {path} ")];
            assert!(named.iter().any(|named| message.starts_with(named)), "{name}, {why} at {path}: {message}");
            assert_ne!(Some(message), at_rest, "{name}, {why} at {path}: refused for another reason");
        }
        for Breach { path, body, why } in limits {
            assert_eq!(said(&api, &operation, &url, &body).await, at_rest, "{name}, {why} at {path}");
        }
        for body in [json!([]), json!(null), json!("text"), json!(5)] {
            let answer = api.call(&operation.method, &url, body).await;
            assert_eq!(answer.fails(400, "proto.payload"), "Can't deserialize body", "{name}");
        }
    }
    kinds
}

#[tokio::test]
async fn every_invalid_parameter_is_refused_with_its_name() {
    for service in SERVICES {
        let (_sandbox, api, _) = dialog_on(unlimited(&service)).await;
        let mut count = 0;
        for operation in Operation::all(&service) {
            for parameter in operation.parameters() {
                let name = parameter["name"].as_str().unwrap();
                for text in breaches::of_parameter(&document_of(&service), parameter) {
                    let url = operation.url(|one| (one == name).then(|| text.clone()));
                    let answer = api.call(&operation.method, &url, json!({})).await;
                    let message = answer.fails(400, "proto.payload");
                    assert!(message.starts_with(&format!("{name}: ")), "{}, {url}: {message}", operation.name());
                    count += 1;
                }
            }
        }
        assert!(count > 80, "{service:?}: {count}");
    }
}

#[tokio::test]
async fn a_valid_request_of_every_operation_is_accepted() {
    let (tamtam, api, alice) = dialog().await;
    let bob = tamtam.user("Bob").with_username("bob");
    bob.starts();
    let team = tamtam.group("Team", [&alice]);
    let (chat, group) = (alice.chat_id().0, team.chat_id().0);
    let asked = json!({ "text": "?", "attachments": [keyboard(json!([[callback("Yes", "y")]]))] });
    let theirs = mid(&api.post(group, asked).await.ok()["message"]);
    alice.in_chat(&team).presses("Yes");
    let (updates, _) = api.updates().await;
    let id = updates.last().unwrap()["callback"]["callback_id"].as_str().unwrap();
    let members = format!("/chats/{group}/members");
    let (hook, none) = ("https://bot.example/hook", Value::Null);
    let full = json!({
        "text": "**hi**", "format": "markdown", "notify": false, "link": { "type": "reply", "mid": theirs },
        "attachments": [{ "type": "image", "payload": { "url": "https://x/p.png", "token": null, "photos": null } }],
    });
    let requests = [
        ("getMyInfo", "GET", "/me".to_owned(), none.clone()),
        ("editMyInfo", "PATCH", "/me".into(), json!({ "commands": [{ "name": "x", "description": null }] })),
        ("getChats", "GET", "/chats?count=100&marker=0".into(), none.clone()),
        ("getChatByLink", "GET", "/chats/bob".into(), none.clone()),
        ("getChat", "GET", format!("/chats/{group}"), none.clone()),
        ("editChat", "PATCH", format!("/chats/{group}"), json!({ "title": "T", "icon": null, "notify": true })),
        ("sendAction", "POST", format!("/chats/{chat}/actions"), json!({ "action": "mark_seen" })),
        ("pinMessage", "PUT", format!("/chats/{group}/pin"), json!({ "message_id": theirs, "notify": null })),
        ("getPinnedMessage", "GET", format!("/chats/{group}/pin"), none.clone()),
        ("unpinMessage", "DELETE", format!("/chats/{group}/pin"), none.clone()),
        ("getMembership", "GET", format!("{members}/me"), none.clone()),
        ("getAdmins", "GET", format!("{members}/admins"), none.clone()),
        ("addMembers", "POST", members.clone(), json!({ "user_ids": [bob.user_id().0] })),
        ("getMembers", "GET", format!("{members}?user_ids={},{}", bob.user_id(), alice.user_id()), none.clone()),
        ("removeMember", "DELETE", format!("{members}?user_id={}&block=true", bob.user_id()), none.clone()),
        ("subscribe", "POST", "/subscriptions".into(), json!({ "url": hook, "update_types": ["bot_started"] })),
        ("getSubscriptions", "GET", "/subscriptions".into(), none.clone()),
        ("unsubscribe", "DELETE", format!("/subscriptions?url={hook}"), none.clone()),
        ("getUploadUrl", "POST", "/uploads?type=video".into(), none.clone()),
        ("sendMessage", "POST", format!("/messages?chat_id={chat}&disable_link_preview=true"), full),
        ("getMessages", "GET", format!("/messages?chat_id={group}&count=100&from=9&to=0"), none.clone()),
        ("getMessageById", "GET", format!("/messages/{theirs}"), none.clone()),
        ("answerOnCallback", "POST", format!("/answers?callback_id={id}"), json!({ "notification": "!" })),
        ("editMessage", "PUT", format!("/messages?message_id={theirs}"), json!({ "text": "x" })),
        ("deleteMessage", "DELETE", format!("/messages?message_id={theirs}"), none.clone()),
        ("getUpdates", "GET", "/updates?timeout=0&limit=1000&types=bot_started,bot_added".into(), none.clone()),
        ("leaveChat", "DELETE", format!("{members}/me"), none.clone()),
    ];
    for (name, method, path, body) in &requests {
        let answer = api.call(method, path, body.clone()).await;
        assert_eq!((answer.status, answer.json["success"] == false), (200, false), "{name}: {}", answer.text);
    }
    // No constructor is open. The request is valid by the document, so its status must not be 400.
    let constructed = json!({ "messages": [{ "text": "hi", "markup": null }], "allow_user_input": true, "data": null });
    let answer = api.call("POST", "/answers/constructor?session_id=nobody", constructed).await;
    assert_ne!(answer.status, 400, "{}", answer.text);

    let tried: BTreeSet<_> = requests.iter().map(|(name, ..)| (*name).to_owned()).chain(["construct".into()]).collect();
    assert_eq!(tried, Operation::all(&Service::TamTam).iter().map(|one| one.name().to_owned()).collect());
}

#[tokio::test]
async fn requests_of_real_clients_are_accepted() {
    let (tamtam, api, alice) = dialog().await;
    let bob = tamtam.user("Bob");
    let team = tamtam.group("Team", [&alice, &bob]);
    let (chat, group) = (alice.chat_id().0, team.chat_id().0);
    let first = api.say(chat, "one").await;
    let second = api.say(chat, "two").await;
    api.post(chat, json!({ "text": "no Content-Type, no link" })).await.ok();
    api.post(chat, json!({ "text": "hi", "attachments": null, "link": null, "format": null })).await.ok();
    api.call("POST", &format!("/chats/{chat}/actions"), json!({ "action": "sending_image" })).await.ok();
    api.get(&format!("/messages?chat_id={chat}&message_ids=&whatever=1")).await.ok();
    for commas in [format!("{first},{second}"), format!("{first}%2C{second}"), format!("{first}&message_ids={second}")]
    {
        let found = api.get(&format!("/messages?message_ids={commas}")).await.ok();
        assert_eq!(found["messages"].as_array().unwrap().len(), 2, "{commas}");
    }
    api.delete(&format!("/chats/{group}/members?user_id={}&block=True", bob.user_id())).await.ok();
    let added = json!({ "user_ids": [bob.user_id().0] });
    api.call("POST", &format!("/chats/{group}/members"), added).await.refused();
}
