//! Messages: posting, reading, editing, deleting, linking and formatting.

use serde_json::json;
use tamtam::{
    AttachmentRequest, ChatId, Message, MessageId, NewMessageBody, Service,
    types::{MarkupElement, MessageLinkType},
};

use crate::{
    outcome::{Done, PAYLOAD, assert_refused, is_missing},
    place::{MARK, Place, marked},
};

fn mid(message: &Message) -> MessageId {
    message.mid().unwrap().clone()
}

/// Posts three messages and returns them, the oldest first.
async fn three(place: &Place, chat: ChatId) -> [Message; 3] {
    [
        place.post(chat, place.text("one")).await,
        place.post(chat, place.text("two")).await,
        place.post(chat, place.text("three")).await,
    ]
}

/// Returns the ids of `messages` in the order of `list`. The list may also contain messages of people.
fn ours(list: &[Message], messages: &[Message]) -> Vec<MessageId> {
    let messages: Vec<_> = messages.iter().map(mid).collect();
    list.iter().filter_map(|one| one.mid().cloned()).filter(|one| messages.contains(one)).collect()
}

pub(super) async fn a_fetched_message_equals_the_posted_one(place: Place) -> Done {
    let chat = place.chat()?;
    let posted = place.post(chat, place.text("Ура! 🎉")).await;
    assert_eq!(posted.text(), Some(marked("Ура! 🎉").as_str()));
    assert_eq!(posted.recipient.chat_id, Some(chat));
    assert_eq!(posted.sender.as_ref().unwrap().user_id, place.bot.me().await.unwrap().user_id);
    assert_eq!(place.bot.api().get_message_by_id(&posted).await.unwrap(), posted);
    let listed = place.bot.api().get_messages().message_ids([mid(&posted)]).await.unwrap();
    assert_eq!(listed.messages, [posted]);
    Ok(())
}

pub(super) async fn ids_have_the_documented_form(place: Place) -> Done {
    let chat = place.chat()?;
    let message = place.post(chat, place.text("an id")).await;
    let body = message.body.unwrap();
    assert_eq!(body.mid.as_str(), format!("mid.{:016x}{:016x}", chat.0, body.seq));
    assert_eq!(body.seq >> 16, message.timestamp);
    Ok(())
}

pub(super) async fn a_text_has_at_most_4000_characters(place: Place) -> Done {
    let chat = place.chat()?;
    let longest = format!("{MARK}{}", "ё".repeat(4000 - MARK.chars().count()));
    let message = place.post(chat, longest.as_str()).await;
    assert_eq!(message.text(), Some(longest.as_str()));
    let longer = json!({ "text": format!("{longest}ё"), "notify": false });
    assert_refused(place.try_post(place.unchecked(&longer).query("chat_id", chat)).await, 400, PAYLOAD);
    Ok(())
}

pub(super) async fn an_empty_message_is_refused(place: Place) -> Done {
    let chat = place.chat()?;
    let keyboard = json!({ "type": "inline_keyboard", "payload": {
        "buttons": [[{ "type": "callback", "text": "Yes", "payload": "yes" }]]
    } });
    for body in [json!({}), json!({ "text": "", "attachments": [] }), json!({ "attachments": [keyboard] })] {
        assert_refused(place.try_post(place.unchecked(&body).query("chat_id", chat)).await, 400, PAYLOAD);
    }
    let not_an_object = place.unchecked(&json!("a text")).query("chat_id", chat);
    assert_refused(place.try_post(not_an_object).await, 400, PAYLOAD);
    Ok(())
}

pub(super) async fn a_message_has_one_recipient(place: Place) -> Done {
    let (chat, me) = (place.chat()?, place.bot.me().await.unwrap().user_id);
    let body = json!({ "text": MARK, "notify": false });
    assert_refused(place.try_post(place.unchecked(&body)).await, 400, PAYLOAD);
    let two = place.try_post(place.unchecked(&body).query("chat_id", chat).query("user_id", me)).await;
    match *place.bot.service() == Service::Max {
        true => assert_eq!(two.unwrap()["message"]["recipient"]["chat_id"], chat.0, "`chat_id` wins over `user_id`"),
        false => assert_refused(two, 400, PAYLOAD),
    }
    Ok(())
}

pub(super) async fn messages_are_listed_the_newest_first(place: Place) -> Done {
    let (chat, api) = (place.chat()?, place.bot.api());
    let messages = three(&place, chat).await;
    let [one, two, three] = messages.each_ref().map(mid);
    let listed = api.get_messages().chat_id(chat).await.unwrap().messages;
    assert_eq!(ours(&listed, &messages), [three, two.clone(), one.clone()]);
    assert!(listed.is_sorted_by(|newer, older| newer.timestamp >= older.timestamp));
    assert_eq!(api.get_messages().chat_id(chat).count(2).await.unwrap().messages.len(), 2);
    let by_ids = api.get_messages().message_ids([one.clone(), two.clone()]).await.unwrap().messages;
    assert_eq!(by_ids.len(), 2);
    assert!(ours(&by_ids, &messages).contains(&one) && ours(&by_ids, &messages).contains(&two));
    Ok(())
}

pub(super) async fn messages_are_listed_from_a_time_back_to_another(place: Place) -> Done {
    let (chat, api) = (place.chat()?, place.bot.api());
    let messages = three(&place, chat).await;
    let [one, two, three] = &messages;
    let list = async |from: &Message, to: &Message| {
        let listed = api.get_messages().chat_id(chat).from(from.timestamp).to(to.timestamp).await.unwrap();
        ours(&listed.messages, &messages)
    };
    assert_eq!(list(two, one).await, [mid(two), mid(one)], "both bounds are included");
    assert_eq!(list(three, two).await, [mid(three), mid(two)]);
    Ok(())
}

pub(super) async fn a_message_is_edited(place: Place) -> Done {
    let (chat, api) = (place.chat()?, place.bot.api());
    let message = place.post(chat, place.text("Helo")).await;
    place.bot.edit(&message, place.text("Hello")).await.unwrap();
    let edited = api.get_message_by_id(&message).await.unwrap();
    assert_eq!(edited.text(), Some(marked("Hello").as_str()));
    assert_eq!((mid(&edited), edited.timestamp), (mid(&message), message.timestamp));
    Ok(())
}

pub(super) async fn an_edit_that_leaves_nothing_is_refused(place: Place) -> Done {
    let message = place.post(place.chat()?, place.text("stays")).await;
    let empty = NewMessageBody::new().text("").attachments(Vec::<AttachmentRequest>::new());
    let error = place.bot.edit(&message, empty).await.unwrap_err();
    assert!(error.is_refused(), "{error}");
    assert_eq!(place.bot.api().get_message_by_id(&message).await.unwrap().text(), message.text());
    Ok(())
}

pub(super) async fn a_deleted_message_is_gone(place: Place) -> Done {
    let (chat, api) = (place.chat()?, place.bot.api());
    let message = place.post(chat, place.text("goes")).await;
    place.bot.delete(&message).await.unwrap();
    let listed = api.get_messages().chat_id(chat).await.unwrap().messages;
    assert!(ours(&listed, std::slice::from_ref(&message)).is_empty());
    let error = api.get_message_by_id(&message).await.unwrap_err();
    assert!(is_missing(&error), "{error}");
    Ok(())
}

pub(super) async fn an_unknown_id_is_an_error(place: Place) -> Done {
    let (bot, unknown) = (&place.bot, "mid.conformance");
    let read = bot.api().get_message_by_id(unknown).await.unwrap_err();
    let edited = bot.edit(unknown, place.text("nothing")).await.unwrap_err();
    let deleted = bot.delete(unknown).await.unwrap_err();
    for error in [read, edited, deleted] {
        assert!(is_missing(&error), "{error}");
    }
    Ok(())
}

pub(super) async fn a_reply_has_the_message_that_it_answers(place: Place) -> Done {
    let chat = place.chat()?;
    let question = place.post(chat, place.text("How are you?")).await;
    let link = place.post(chat, place.text("Fine").reply_to(&question)).await.link.unwrap();
    assert_eq!(link.type_, MessageLinkType::Reply);
    assert_eq!(link.sender.map(|sender| sender.user_id), question.sender.map(|sender| sender.user_id));
    assert_eq!(Some(link.message), question.body);
    Ok(())
}

pub(super) async fn a_forward_keeps_the_id(place: Place) -> Done {
    let chat = place.chat()?;
    let original = place.post(chat, place.text("news")).await;
    let forward = place.post(chat, NewMessageBody::new().forward(&original)).await;
    let link = forward.link.as_ref().unwrap();
    assert_eq!((&link.type_, link.chat_id), (&MessageLinkType::Forward, Some(chat)));
    assert_eq!(link.message.mid, mid(&original));
    assert_eq!(link.message.text.as_deref(), original.text());
    assert_ne!(mid(&forward), mid(&original));
    Ok(())
}

pub(super) async fn markdown_and_html_become_markup(place: Place) -> Done {
    let chat = place.chat()?;
    let markdown = NewMessageBody::markdown(format!("🎉 **bold** {MARK}"));
    let html = NewMessageBody::html(format!("🎉 <b>bold</b> {MARK}"));
    for body in [markdown, html] {
        let body = place.post(chat, body).await.body.unwrap();
        assert_eq!(body.text, Some(format!("🎉 bold {MARK}")));
        let markup = body.markup.unwrap_or_default();
        let [MarkupElement::Strong(strong)] = markup.as_slice() else { panic!("{markup:?} should be one strong") };
        assert_eq!((strong.from, strong.length), (3, 4), "in UTF-16 code units");
    }
    Ok(())
}

pub(super) async fn a_text_without_a_format_stays_as_it_is(place: Place) -> Done {
    const TEXT: &str = "**not bold** <b>neither</b>";
    let body = place.post(place.chat()?, place.text(TEXT)).await.body.unwrap();
    assert_eq!(body.text, Some(marked(TEXT)));
    assert_eq!(body.markup.unwrap_or_default(), []);
    Ok(())
}

pub(super) async fn a_link_is_sent_without_its_preview(place: Place) -> Done {
    let chat = place.chat()?;
    let send = place.bot.send(chat, place.text("https://tamtam.chat")).disable_link_preview(true);
    let message = send.await.unwrap().message;
    place.deletes_afterwards(&mid(&message));
    assert_eq!(message.body.unwrap().attachments.unwrap_or_default(), []);
    Ok(())
}

pub(super) async fn messages_are_listed_between_two_times(place: Place) -> Done {
    let (chat, api) = (place.chat()?, place.bot.api());
    let messages = three(&place, chat).await;
    let [one, two, three] = &messages;
    let between = api.get_messages().chat_id(chat).after(one.timestamp).before(three.timestamp).await.unwrap();
    assert_eq!(ours(&between.messages, &messages), [mid(two)], "neither bound is included");
    let before = api.get_messages().chat_id(chat).before(three.timestamp).await.unwrap();
    assert_eq!(ours(&before.messages, &messages), [mid(two), mid(one)]);
    let after = api.get_messages().chat_id(chat).after(one.timestamp).await.unwrap();
    assert_eq!(ours(&after.messages, &messages), [mid(three), mid(two)]);
    Ok(())
}

pub(super) async fn a_quote_becomes_markup(place: Place) -> Done {
    let chat = place.chat()?;
    let markdown = NewMessageBody::markdown(format!("> said\n\n{MARK}"));
    let html = NewMessageBody::html(format!("<blockquote>said</blockquote>\n{MARK}"));
    for body in [markdown, html] {
        let body = place.post(chat, body).await.body.unwrap();
        assert!(body.text.as_deref().unwrap_or_default().starts_with("said"), "{body:?}");
        let markup = body.markup.unwrap_or_default();
        let [MarkupElement::Quote(quote)] = markup.as_slice() else { panic!("{markup:?} should be one quote") };
        assert_eq!((quote.from, quote.length), (0, 4));
    }
    Ok(())
}

pub(super) async fn a_post_without_a_notification_is_refused_in_a_channel(place: Place) -> Done {
    let request = place.unchecked(&place.text("a silent post")).query("chat_id", place.channel()?);
    assert_refused(place.try_post(request).await, 400, PAYLOAD);
    Ok(())
}
