//! Actions of people, the resulting updates, and the answers of the bot.

use tamtam::{
    ChatDenied, Keyboard, Update,
    types::{
        CallbackButton, ChatAdminPermission, ChatButton, ConstructedMessageBody, ConstructorAnswer, ConstructorInput,
        LinkButton, MessageButton, RequestContactButton,
    },
};

use super::polled::{kinds, updates};
use crate::{
    outcome::{Done, PAYLOAD, assert_refused},
    place::{Place, marked},
};

pub(super) async fn a_person_starts_the_bot_and_writes(place: Place) -> Done {
    let people = place.people("starts the bot and writes to it")?;
    updates(&place).await;
    let carol = people.sandbox.user("Carol");
    carol.starts_with("by-link");
    let mid = carol.says("Hello");
    let updates = updates(&place).await;
    let [Update::BotStarted(started), Update::MessageCreated(created)] = updates.as_slice() else {
        panic!("{updates:?}")
    };
    assert_eq!((started.chat_id, started.payload.as_deref()), (carol.chat_id(), Some("by-link")));
    let message = created.message.as_ref().unwrap();
    assert_eq!((message.text(), &message.body.as_ref().unwrap().mid), (Some("Hello"), &mid));
    let sent = place.bot.send(carol.user_id(), "Hello, Carol").await.unwrap().message;
    assert_eq!(sent.recipient.chat_id, Some(carol.chat_id()));
    assert_eq!(place.bot.chat(carol.chat_id()).await.unwrap().dialog_with_user.unwrap().name, "Carol");
    Ok(())
}

pub(super) async fn a_person_edits_and_deletes(place: Place) -> Done {
    let people = place.people("edits and deletes a message")?;
    let alice = &people.alice;
    let mid = alice.says("Helo");
    updates(&place).await;
    alice.edits(&mid, "Hello");
    alice.deletes(&mid);
    let updates = updates(&place).await;
    assert_eq!(kinds(&updates), ["message_edited", "message_removed"]);
    let Update::MessageRemoved(removed) = &updates[1] else { panic!("{updates:?}") };
    assert_eq!((&removed.message_id, removed.chat_id), (&mid, alice.chat_id()));
    assert_eq!(removed.user_id, alice.user_id());
    Ok(())
}

pub(super) async fn a_pressed_button_is_answered(place: Place) -> Done {
    let people = place.people("presses a button")?;
    let alice = people.alice.in_chat(&people.group);
    let button = |label: &str| Keyboard::new(vec![vec![CallbackButton::new(label, label.to_lowercase()).into()]]);
    let message = place.post(place.chat()?, place.text("Coming?").keyboard(button("Yes"))).await;
    alice.reads().await;
    updates(&place).await;
    alice.presses("Yes");
    let updates = updates(&place).await;
    let [Update::MessageCallback(pressed)] = updates.as_slice() else { panic!("{updates:?}") };
    assert_eq!(pressed.callback.payload.as_deref(), Some("yes"));
    assert_eq!(pressed.callback.user.user_id, alice.user_id());
    assert_eq!(pressed.message.as_ref().unwrap().body, message.body);
    let edit = place.text("See you").keyboard(button("Sorry"));
    place.bot.answer(&pressed.callback).edit(edit).notification("Fine").await.unwrap();
    let seen = alice.reads().await;
    assert_eq!((seen.text(), seen.is_edit()), (marked("See you").as_str(), true));
    assert_eq!(seen.buttons(), [["Sorry"]]);
    assert_eq!(alice.reads_notification().await, "Fine");
    Ok(())
}

pub(super) async fn a_button_shares_a_contact(place: Place) -> Done {
    let people = place.people("presses a button that shares a contact")?;
    let keyboard = Keyboard::new(vec![vec![RequestContactButton::new("Call me").into()]]);
    place.post(people.alice.chat_id(), place.text("Your number?").keyboard(keyboard)).await;
    updates(&place).await;
    people.alice.presses("Call me");
    let updates = updates(&place).await;
    let contact = updates[0].message().and_then(|message| message.contacts().next());
    let user = contact.and_then(|contact| contact.user()).unwrap_or_else(|| panic!("{updates:?}"));
    assert_eq!(user.user_id, people.alice.user_id());
    Ok(())
}

pub(super) async fn a_message_is_made_in_the_constructor(place: Place) -> Done {
    let people = place.people("opens the bot's constructor")?;
    updates(&place).await;
    let card = people.alice.in_chat(&people.group).opens_constructor();
    card.types("Cake");
    let asked = updates(&place).await;
    let [Update::MessageConstructionRequest(opened), Update::MessageConstructionRequest(typed)] = asked.as_slice()
    else {
        panic!("{asked:?}")
    };
    assert_eq!(opened.session_id, card.session_id());
    assert!(matches!(&typed.input, ConstructorInput::Message(_)), "{:?}", typed.input);
    let link = Keyboard::new(vec![vec![LinkButton::new("More", "https://tamtam.chat").into()]]);
    let answer = ConstructorAnswer::new()
        .messages(vec![ConstructedMessageBody::new().text("A card: cake")])
        .hint("As you like it")
        .keyboard(link)
        .data("state");
    place.bot.api().construct(card.session_id(), answer).await.unwrap();
    let prepared = card.reads().await;
    assert_eq!((prepared.texts(), prepared.hint()), (&["A card: cake".to_owned()][..], Some("As you like it")));
    card.posts();
    let updates = updates(&place).await;
    assert!(kinds(&updates).contains(&"message_constructed"), "{updates:?}");
    Ok(())
}

pub(super) async fn people_come_and_go(place: Place) -> Done {
    let people = place.people("joins the chat, leaves it and renames it")?;
    let carol = people.sandbox.user("Carol").in_chat(&people.group);
    updates(&place).await;
    carol.joins();
    carol.renames_chat("Carol's");
    carol.leaves();
    let updates = updates(&place).await;
    assert_eq!(kinds(&updates), ["user_added", "chat_title_changed", "user_removed"]);
    let (Update::UserAdded(added), Update::UserRemoved(removed)) = (&updates[0], &updates[2]) else {
        panic!("{updates:?}")
    };
    assert_eq!((added.user.user_id, added.inviter_id), (carol.user_id(), None), "joined by link");
    assert_eq!((removed.user.user_id, removed.admin_id), (carol.user_id(), None), "left");
    Ok(())
}

pub(super) async fn a_chat_button_creates_a_chat(place: Place) -> Done {
    let people = place.people("presses a chat button")?;
    let button = ChatButton::new("Talk", "A talk").start_payload("about-it");
    let keyboard = Keyboard::new(vec![vec![button.into()]]);
    place.post(people.group.chat_id(), place.text("Let us talk").keyboard(keyboard)).await;
    updates(&place).await;
    people.bob.in_chat(&people.group).presses("Talk");
    let updates = updates(&place).await;
    let created = updates.iter().find_map(|update| match update {
        Update::MessageChatCreated(created) => Some(created),
        _ => None,
    });
    let created = created.unwrap_or_else(|| panic!("{updates:?}"));
    assert_eq!(created.start_payload.as_deref(), Some("about-it"));
    assert_eq!(created.chat.title.as_deref(), Some("A talk"));
    Ok(())
}

pub(super) async fn a_bot_cannot_write_to_a_person_who_stopped_it(place: Place) -> Done {
    let people = place.people("stops the bot")?;
    people.alice.stops();
    let error = place.bot.send(people.alice.user_id(), "Hello?").await.unwrap_err();
    assert_eq!(error.chat_denied(), Some(ChatDenied::BotStopped), "{error}");
    Ok(())
}

pub(super) async fn a_person_who_never_opened_the_bot_has_no_dialog(place: Place) -> Done {
    let people = place.people("gets a message, but never opened the bot")?;
    let carol = people.sandbox.user("Carol");
    let error = place.bot.send(carol.user_id(), "Hello?").await.unwrap_err();
    assert!(error.is_not_found() && error.message() == Some("dialog.not.found"), "{error}");
    Ok(())
}

pub(super) async fn a_dialog_has_no_pin_and_no_members(place: Place) -> Done {
    let people = place.people("has a dialog with the bot")?;
    let dialog = people.alice.chat_id();
    let message = place.post(dialog, place.text("in a dialog")).await;
    assert_refused(place.bot.pin(dialog, &message).await, 400, PAYLOAD);
    assert_refused(place.bot.admins(dialog).await, 400, PAYLOAD);
    assert!(dialog.0 == people.alice.user_id().0 ^ place.bot.me().await.unwrap().user_id.0 && dialog.0 > 0);
    Ok(())
}

pub(super) async fn a_message_button_posts_its_label(place: Place) -> Done {
    let alice = &place.people("presses a message button")?.alice;
    let keyboard = Keyboard::new(vec![vec![MessageButton::new("More").into()]]);
    place.post(alice.chat_id(), place.text("Is it enough?").keyboard(keyboard)).await;
    updates(&place).await;
    alice.presses("More");
    let updates = updates(&place).await;
    let [Update::MessageCreated(created)] = updates.as_slice() else { panic!("{updates:?}") };
    let message = created.message.as_ref().unwrap();
    assert_eq!((message.text(), message.user_id()), (Some("More"), Some(alice.user_id())));
    Ok(())
}

pub(super) async fn a_bot_reads_a_group_with_the_right_to_do_so(place: Place) -> Done {
    let people = place.people("changes the rights of the bot")?;
    let (chat, bob) = (place.chat()?, people.bob.in_chat(&people.group));
    updates(&place).await;
    people.group.demotes_bot();
    bob.says("Psst");
    assert_eq!(updates(&place).await, [], "the bot is not an administrator");
    let error = place.bot.api().get_messages().chat_id(chat).await.unwrap_err();
    assert!(error.is_forbidden(), "{error}");
    people.group.promotes_bot_to([ChatAdminPermission::ReadAllMessages]);
    bob.says("Hello");
    assert_eq!(kinds(&updates(&place).await), ["message_created"]);
    assert_eq!(place.bot.api().get_messages().chat_id(chat).await.unwrap().messages.len(), 2);
    Ok(())
}
