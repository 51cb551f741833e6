//! Accessors of updates and messages, on the sandbox. They must not panic on missing or invalid values.

use serde_json::{Value, json};
use tamtam::{
    Bot, Keyboard, Message, NewMessageBody, Update, UpdateType,
    http::Method,
    types::{CallbackButton, ChatType, ConstructedMessageBody, ConstructorAnswer},
};
use tamtam_sandbox::Enclosure;

use crate::conformance;

/// Returns the next update of this type.
async fn next(bot: &Bot, of: UpdateType) -> Update {
    let mut updates = bot.updates().types([of.clone()]);
    let update = updates.try_next().await.unwrap().unwrap();
    assert_eq!(update.update_type(), of);
    update
}

#[test]
fn an_empty_text_is_returned_as_none() {
    let body = json!({ "mid": "m", "seq": 1, "text": "" });
    let message = json!({
        "recipient": { "chat_id": 1, "chat_type": "dialog" },
        "timestamp": 1,
        "body": body,
        "link": { "type": "reply", "message": body },
    });
    let update = |kind: &str, fields: Value| {
        let mut update = fields;
        update["update_type"] = kind.into();
        update["timestamp"] = 1.into();
        serde_json::from_value::<Update>(update).unwrap()
    };
    let created = update("message_created", json!({ "message": message }));
    assert!(created.message().is_some());
    assert_eq!((created.text(), created.link_text()), (None, None));
    let posted = update("message_constructed", json!({ "session_id": "s", "message": message }));
    assert!(matches!(posted, Update::MessageConstructed(_)));
    assert_eq!((posted.text(), posted.constructed_text()), (None, None));
    let typed = json!({ "input_type": "message", "messages": [{ "text": "" }, { "text": "A cat" }] });
    let user = json!({ "user_id": 1, "name": "A" });
    let asked = json!({ "user": user, "session_id": "s", "input": typed });
    assert_eq!(update("message_construction_request", asked).constructed_text(), Some("A cat"));
}

#[tokio::test]
async fn accessors_return_chat_sender_time_and_text_of_a_message() {
    let tamtam = conformance::start().await;
    let (bot, alice) = (tamtam.bot(), tamtam.user("Alice").with_username("alice"));
    alice.starts();
    let mid = alice.says("hi");
    let update = next(&bot, UpdateType::MessageCreated).await;
    assert_eq!(update.chat_id(), Some(alice.chat_id()));
    assert_eq!(update.user_id(), Some(alice.user_id()));
    assert_eq!(update.user().unwrap().name, "Alice");
    assert_eq!((update.sender_name(), update.sender_username()), (Some("Alice"), Some("alice")));
    assert_eq!(update.sender_is_bot(), Some(false));
    assert_eq!((update.text(), update.message_id()), (Some("hi"), Some(mid)));
    assert_eq!((update.chat_type(), update.is_channel()), (Some(ChatType::Dialog), false));
    assert_eq!(update.user_locale(), Some("en"));
    assert!(update.attachments().is_empty() && update.urls().next().is_none() && update.link().is_none());
    assert!(update.timestamp().is_some());
    assert_eq!((update.payload(), update.callback_id(), update.start_payload()), (None, None, None));
    let message = update.message().unwrap();
    assert_eq!((message.chat_id(), message.user_id()), (Some(alice.chat_id()), Some(alice.user_id())));
    assert_eq!((message.sender_name(), message.sender_username()), (Some("Alice"), Some("alice")));
    assert!(message.is_dialog() && !message.is_channel());
}

#[tokio::test]
async fn accessors_return_the_linked_message_of_a_reply_or_forward() {
    let tamtam = conformance::start().await;
    let (bot, alice, bob) = (tamtam.bot(), tamtam.user("Alice"), tamtam.user("Bob").with_username("bob"));
    let team = tamtam.group("Team", [&alice, &bob]);
    let mid = bob.in_chat(&team).says("first");
    alice.in_chat(&team).replies(&mid, "second");
    alice.starts();
    alice.forwards(&mid);
    let mut updates = bot.updates().types([UpdateType::MessageCreated]);
    let mut next = async || updates.try_next().await.unwrap().unwrap();
    assert!(next().await.link_user_id().is_none());
    let reply = next().await;
    assert_eq!((reply.text(), reply.link_text()), (Some("second"), Some("first")));
    assert!(reply.link().unwrap().is_reply());
    let forward = next().await;
    let link = forward.link().unwrap();
    assert!(link.is_forward() && !link.is_reply());
    assert_eq!(forward.link_user_id(), Some(bob.user_id()));
    assert_eq!((forward.link_name(), forward.link_username()), (Some("Bob"), Some("bob")));
    assert_eq!(forward.link_chat_id(), link.chat_id);
    let message = forward.message().unwrap();
    assert_eq!((message.link_name(), message.link_text()), (Some("Bob"), Some("first")));
}

#[tokio::test]
async fn attachments_are_found_by_kind_with_their_urls() {
    let tamtam = conformance::start().await;
    let (bot, alice) = (tamtam.bot(), tamtam.user("Alice"));
    alice.starts();
    let sent = |mid| bot.api().get_message_by_id(mid);
    let album = alice.says_with("", [Enclosure::photo(b"1"), Enclosure::photo(b"2"), Enclosure::video(b"3")]);
    let album = sent(album).await.unwrap();
    assert_eq!((album.photos().count(), album.videos().count(), album.files().count()), (2, 1, 0));
    let urls: Vec<_> = album.urls().collect();
    assert_eq!(urls[0], album.photos().next().unwrap().payload.url);
    assert_eq!((urls.len(), album.attachments().len()), (3, 3));
    assert_eq!(album.body.as_ref().unwrap().photos().count(), 2);
    let file = sent(alice.says_with("", [Enclosure::file("a.txt", "a")])).await.unwrap();
    assert_eq!(file.files().next().unwrap().filename, "a.txt");
    assert_eq!(file.urls().count(), 1);
    let audio = sent(alice.says_with("", [Enclosure::audio("a")])).await.unwrap();
    assert_eq!((audio.audios().count(), audio.urls().count()), (1, 1));
    let sticker = sent(alice.says_with("", [Enclosure::sticker("s")])).await.unwrap();
    assert_eq!((sticker.stickers().count(), sticker.urls().count()), (1, 1));
    let share = sent(alice.says_with("look", [Enclosure::link("https://example.org/x")])).await.unwrap();
    assert_eq!(share.shares().count(), 1);
    assert_eq!(share.urls().collect::<Vec<_>>(), ["https://example.org/x"]);
    let contact = sent(alice.shares_contact()).await.unwrap();
    assert_eq!((contact.contacts().count(), contact.urls().count()), (1, 0));
    let place = sent(alice.sends_location(1.5, 2.5)).await.unwrap();
    assert_eq!(place.locations().next().unwrap().longitude, 2.5);
}

#[tokio::test]
async fn accessors_return_the_payload_and_id_of_a_callback() {
    let tamtam = conformance::start().await;
    let (bot, alice) = (tamtam.bot(), tamtam.user("Alice"));
    alice.starts();
    let button = Keyboard::new(vec![vec![CallbackButton::new("Yes", "yes!").into()]]);
    bot.send(alice.chat_id(), NewMessageBody::from("Coming?").keyboard(button)).await.unwrap();
    alice.presses("Yes");
    let update = next(&bot, UpdateType::MessageCallback).await;
    assert_eq!((update.payload(), update.text()), (Some("yes!"), Some("Coming?")));
    // Alice pressed the button; the bot wrote the message.
    assert_eq!((update.user_id(), update.sender_name()), (Some(alice.user_id()), Some("Alice")));
    assert_eq!(update.message().unwrap().user_id(), Some(tamtam.bot_id()));
    bot.api()
        .answer_on_callback(update.callback_id().unwrap(), tamtam::types::CallbackAnswer::new().notification("Noted"))
        .await
        .unwrap();
    assert_eq!(alice.reads_notification().await, "Noted");
}

#[tokio::test]
async fn accessors_return_the_text_payload_and_message_of_a_constructor() {
    let tamtam = conformance::start().await;
    let (bot, alice) = (tamtam.bot(), tamtam.user("Alice"));
    alice.starts();
    let card = alice.opens_constructor();
    let mut updates = bot.updates();
    let mut next = async || loop {
        let update = updates.try_next().await.unwrap().unwrap();
        if update.session_id().is_some() {
            break update;
        }
    };
    let opened = next().await;
    assert_eq!((opened.constructed_text(), opened.payload(), opened.text()), (None, None, None));
    assert_eq!((opened.user_id(), opened.sender_name()), (Some(alice.user_id()), Some("Alice")));
    assert_eq!(opened.user().unwrap().user_id, alice.user_id());
    card.types("a birthday");
    let typed = next().await;
    assert_eq!(typed.constructed_text(), Some("a birthday"));
    assert_eq!((typed.constructed_messages().len(), typed.constructed_attachments().len()), (1, 0));
    assert_eq!(typed.session_id(), Some(card.session_id()));
    let answer = ConstructorAnswer::new()
        .messages([ConstructedMessageBody::new().text("Happy birthday!")])
        .keyboard(Keyboard::new(vec![vec![CallbackButton::new("Bigger", "big").into()]]));
    bot.api().construct(card.session_id(), answer.clone()).await.unwrap();
    card.reads().await;
    card.presses("Bigger");
    let pressed = next().await;
    assert_eq!((pressed.payload(), pressed.constructed_text()), (Some("big"), None));
    bot.api().construct(card.session_id(), answer).await.unwrap();
    card.reads().await;
    let mids = card.posts();
    let posted = next().await;
    assert_eq!(posted.constructed_text(), Some("Happy birthday!"));
    assert_eq!((posted.text(), posted.message_id()), (Some("Happy birthday!"), mids.into_iter().next()));
}

#[tokio::test]
async fn is_channel_distinguishes_channels_from_groups() {
    let tamtam = conformance::start().await;
    let (bot, alice) = (tamtam.bot(), tamtam.user("Alice"));
    let news = tamtam.channel("News", [&alice]);
    alice.in_chat(&news).says("extra");
    let post = next(&bot, UpdateType::MessageCreated).await;
    assert!(post.is_channel() && post.message().unwrap().is_channel());
    assert_eq!((post.user_id(), post.sender_name()), (None, None));
    let added = next(&bot, UpdateType::BotAdded).await;
    assert_eq!(added.chat_type(), Some(ChatType::Channel));
    alice.starts_with("x y");
    let started = next(&bot, UpdateType::BotStarted).await;
    assert_eq!((started.start_payload(), started.payload()), (Some("x y"), None));
    assert_eq!(started.chat_type(), Some(ChatType::Dialog));
}

#[test]
fn accessors_return_the_attachments_of_a_constructor() {
    let update: Update = serde_json::from_value(json!({
        "update_type": "message_construction_request", "timestamp": 1, "session_id": "s",
        "user": {"user_id": 3, "name": "Alice"},
        "input": {"input_type": "message", "messages": [
            {"attachments": [{"type": "location", "latitude": 1.5, "longitude": 2.5}]},
        ]},
    }))
    .unwrap();
    let kinds: Vec<_> = update.constructed_attachments().iter().map(|attachment| attachment.tag()).collect();
    assert_eq!(kinds, ["location"]);
    assert_eq!(update.constructed_text(), None);
}

/// Calls every accessor. Returns the results as text.
fn ask(update: &Update) -> String {
    let of = |message: &Message| {
        let body = message.body.as_ref();
        format!(
            "{:?}",
            (
                (message.text(), message.chat_id(), message.is_channel(), message.is_dialog(), message.user_id()),
                (message.sender_name(), message.sender_username(), message.link(), message.attachments()),
                (message.link_chat_id(), message.link_user_id(), message.link_name(), message.link_username()),
                (message.link_text(), message.command(), message.urls().count(), body.map(|body| body.urls().count())),
                (message.photos().count(), message.videos().count(), message.audios().count()),
                (message.files().count(), message.stickers().count(), message.contacts().count()),
                (message.locations().count(), message.shares().count()),
                message.link().map(|link| (link.is_forward(), link.is_reply(), link.text(), link.user_id())),
            )
        )
    };
    format!(
        "{:?}",
        (
            (update.chat_id(), update.chat_type(), update.is_channel(), update.user(), update.user_id()),
            (update.sender_name(), update.sender_username(), update.sender_is_bot(), update.text()),
            (update.attachments(), update.urls().count(), update.link(), update.link_chat_id(), update.link_user_id()),
            (update.link_name(), update.link_username(), update.link_text(), update.message_id(), update.payload()),
            (update.callback_id(), update.start_payload(), update.constructed_text(), update.constructed_messages()),
            update.constructed_attachments(),
            (update.user_locale(), update.update_type(), update.timestamp(), update.session_id(), update.command()),
            update.message().map(of),
        )
    )
}

/// Returns variants of a value. In each variant, one nested value is missing or replaced by a value of another type.
fn variants(value: &Value) -> Vec<Value> {
    let mut all = vec![Value::Null, json!(7), json!("x"), json!([]), json!({}), json!(1e300)];
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let mut without = members.clone();
                without.remove(name);
                all.push(without.into());
                for variant in variants(member) {
                    let mut changed = members.clone();
                    changed.insert(name.clone(), variant);
                    all.push(changed.into());
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                for variant in variants(item) {
                    let mut changed = items.clone();
                    changed[index] = variant;
                    all.push(changed.into());
                }
            }
        }
        _ => {}
    }
    all
}

#[tokio::test]
async fn accessors_do_not_panic_on_missing_or_invalid_values() {
    let tamtam = conformance::start().await;
    let (bot, alice, bob) = (tamtam.bot(), tamtam.user("Alice"), tamtam.user("Bob"));
    alice.starts_with("payload");
    let team = tamtam.group("Team", [&alice]);
    let in_team = alice.in_chat(&team);
    in_team.adds(&bob);
    in_team.removes(&bob);
    in_team.renames_chat("Team A");
    let mid = in_team.says_with("look", [Enclosure::photo(b"1")]);
    in_team.replies(&mid, "indeed");
    in_team.edits(&mid, "look!");
    in_team.deletes(&mid);
    let button = Keyboard::new(vec![vec![CallbackButton::new("Go", "go").into()]]);
    bot.send(alice.chat_id(), NewMessageBody::from("?").keyboard(button)).await.unwrap();
    alice.presses("Go");
    alice.opens_constructor().types("text");
    in_team.removes_bot();
    let page = bot.request(Method::GET, "/updates").query("timeout", 0).query("limit", 100).await.unwrap();
    let updates = page["updates"].as_array().unwrap();
    let mut kinds = std::collections::BTreeSet::new();
    for whole in updates {
        let update: Update = serde_json::from_value(whole.clone()).unwrap();
        kinds.insert(update.update_type().to_string());
        let answers = ask(&update);
        for variant in variants(whole) {
            let update: Update = serde_json::from_value(variant).unwrap();
            ask(&update);
        }
        assert!(answers.contains("Some("), "{answers}");
    }
    assert!(kinds.len() >= 10, "{kinds:?}");
}
