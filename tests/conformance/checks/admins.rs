//! Administrators of a chat: granting, replacing and withdrawing their rights.

use tamtam::{
    ChatId, ChatMember, UserId,
    types::{ChatAdmin, ChatAdminPermission},
};

use crate::{
    outcome::{Done, PAYLOAD, assert_refused},
    place::Place,
};

async fn member(place: &Place, chat: ChatId, user: UserId) -> ChatMember {
    place.bot.api().get_members(chat).user_ids([user]).await.unwrap().members.remove(0)
}

pub(super) async fn rights_are_given_replaced_and_withdrawn(place: Place) -> Done {
    use ChatAdminPermission::{PinMessage, ReadAllMessages, Write};
    let (chat, bob) = (place.chat()?, place.people("becomes an administrator")?.bob.user_id());
    place.bot.add_admin(chat, bob, [ReadAllMessages, PinMessage]).await.unwrap();
    let admin = member(&place, chat, bob).await;
    assert_eq!((admin.is_admin, admin.permissions), (true, Some(vec![ReadAllMessages, PinMessage])));

    place.bot.add_admins(chat, [ChatAdmin::new(bob, [ReadAllMessages, Write]).alias("Editor")]).await.unwrap();
    let admin = member(&place, chat, bob).await;
    assert_eq!((admin.permissions, admin.alias.as_deref()), (Some(vec![ReadAllMessages, Write]), Some("Editor")));
    assert!(place.bot.admins(chat).await.unwrap().members.iter().any(|admin| admin.user_id == bob));

    place.bot.remove_admin(chat, bob).await.unwrap();
    let former = member(&place, chat, bob).await;
    assert_eq!((former.is_admin, former.permissions), (false, None));
    assert!(place.bot.remove_admin(chat, bob).await.unwrap_err().is_refused(), "the rights are already withdrawn");
    Ok(())
}

pub(super) async fn rights_need_the_right_to_read(place: Place) -> Done {
    use ChatAdminPermission::{Delete, Edit, PinMessage, ReadAllMessages, Write};
    let (chat, bob) = (place.chat()?, place.people("becomes an administrator")?.bob.user_id());
    for right in [Edit, Delete, Write, PinMessage] {
        assert_refused(place.bot.add_admin(chat, bob, [right.clone()]).await, 400, PAYLOAD);
        assert!(!member(&place, chat, bob).await.is_admin);
        place.bot.add_admin(chat, bob, [right, ReadAllMessages]).await.unwrap();
        place.bot.remove_admin(chat, bob).await.unwrap();
    }
    Ok(())
}

pub(super) async fn a_user_outside_the_chat_gets_no_rights(place: Place) -> Done {
    let carol = place.people("is outside the chat")?.sandbox.user("Carol").user_id();
    let chat = place.chat()?;
    let rights = [ChatAdminPermission::ReadAllMessages];
    assert_refused(place.bot.add_admin(chat, carol, rights).await, 403, "access.denied");
    assert_refused(place.bot.remove_admin(chat, carol).await, 403, "access.denied");
    Ok(())
}

pub(super) async fn the_owner_keeps_all_rights(place: Place) -> Done {
    let (chat, alice) = (place.chat()?, place.people("owns the chat")?.alice.user_id());
    let rights = [ChatAdminPermission::ReadAllMessages];
    assert_refused(place.bot.add_admin(chat, alice, rights).await, 403, "chat.denied");
    assert_refused(place.bot.remove_admin(chat, alice).await, 403, "chat.denied");
    Ok(())
}

pub(super) async fn a_bot_needs_a_right_to_appoint_admins(place: Place) -> Done {
    let people = place.people("changes the rights of the bot")?;
    let (chat, bob) = (place.chat()?, people.bob.user_id());
    people.group.promotes_bot_to([ChatAdminPermission::ReadAllMessages]);
    let error = place.bot.add_admin(chat, bob, [ChatAdminPermission::ReadAllMessages]).await.unwrap_err();
    assert!(error.is_forbidden(), "{error}");
    Ok(())
}
