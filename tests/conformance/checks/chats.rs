//! Chats: their lists, details, titles and actions.

use serde_json::json;
use tamtam::{
    ChatId,
    http::Method,
    types::{ChatPatch, ChatStatus, ChatType, SenderAction},
};

use crate::{
    outcome::{Done, PAYLOAD, Skip, assert_refused},
    place::{MARK, Place},
};

/// No chat has this id.
const NOWHERE: ChatId = ChatId(-1);

pub(super) async fn chats_are_listed_in_pages(place: Place) -> Done {
    let api = place.bot.api();
    let first = api.get_chats().count(1).await.unwrap();
    assert!(first.chats.len() <= 1);
    if let Some(marker) = first.marker {
        let second = api.get_chats().count(1).marker(marker).await.unwrap();
        assert_ne!(second.chats.first().map(|chat| chat.chat_id), first.chats.first().map(|chat| chat.chat_id));
    }
    Ok(())
}

pub(super) async fn a_list_of_chats_has_its_limits(place: Place) -> Done {
    for count in [0, 101] {
        assert_refused(place.bot.request(Method::GET, "/chats").query("count", count).await, 400, PAYLOAD);
    }
    Ok(())
}

pub(super) async fn a_list_has_its_limits(place: Place) -> Done {
    let chat = place.chat()?;
    for count in [0, 101] {
        let messages = place.bot.request(Method::GET, "/messages").query("chat_id", chat).query("count", count);
        assert_refused(messages.await, 400, PAYLOAD);
        let members = place.bot.request(Method::GET, format!("/chats/{chat}/members")).query("count", count);
        assert_refused(members.await, 400, PAYLOAD);
    }
    assert_refused(place.bot.request(Method::GET, "/messages").await, 400, PAYLOAD);
    Ok(())
}

pub(super) async fn a_chat_has_its_details(place: Place) -> Done {
    let id = place.chat()?;
    let chat = place.bot.chat(id).await.unwrap();
    assert_eq!((chat.chat_id, chat.status), (id, ChatStatus::Active));
    assert_eq!(chat.type_, ChatType::Chat, "the chat must be a group");
    assert!(id.0 < 0 && chat.title.is_some() && chat.participants_count > 0);
    assert!(chat.dialog_with_user.is_none());
    Ok(())
}

pub(super) async fn a_public_chat_is_found_by_its_link(place: Place) -> Done {
    let chat = place.bot.chat(place.chat()?).await.unwrap();
    let Some(link) = chat.link.as_deref().filter(|_| chat.is_public) else {
        return Err(Skip::new("a public TAMTAM_LIVE_CHAT", "the chat is found by its link"));
    };
    let name = link.rsplit('/').next().unwrap_or_default();
    assert_eq!(place.bot.api().get_chat_by_link(name).await.unwrap().chat_id, chat.chat_id);
    Ok(())
}

pub(super) async fn an_unknown_link_is_not_found(place: Place) -> Done {
    let error = place.bot.api().get_chat_by_link("no_chat_of_this_name_x7q").await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
    Ok(())
}

pub(super) async fn an_unknown_chat_is_not_found(place: Place) -> Done {
    assert_refused(place.bot.chat(NOWHERE).await, 404, "chat.not.found");
    assert!(place.bot.send(NOWHERE, place.text("to nobody")).await.unwrap_err().is_not_found());
    Ok(())
}

/// Returns the title, and restores it after the check.
async fn keep_title(place: &Place, id: ChatId) -> String {
    let title = place.bot.chat(id).await.unwrap().title.unwrap();
    let (bot, patch) = (place.bot.clone(), ChatPatch::new().title(title.clone()).notify(false));
    let old = title.clone();
    place.afterwards(async move {
        if bot.chat(id).await?.title.as_ref() == Some(&old) {
            return Ok(());
        }
        bot.api().edit_chat(id, patch).await.map(drop)
    });
    title
}

pub(super) async fn a_title_is_changed(place: Place) -> Done {
    let id = place.chat()?;
    keep_title(&place, id).await;
    assert_eq!(place.bot.rename(id, MARK).notify(false).await.unwrap().title.as_deref(), Some(MARK));
    assert_eq!(place.bot.chat(id).await.unwrap().title.as_deref(), Some(MARK));
    Ok(())
}

pub(super) async fn a_title_is_not_blank_and_not_too_long(place: Place) -> Done {
    let id = place.chat()?;
    let title = keep_title(&place, id).await;
    for bad in [" ", "\u{2003}\u{00a0}", &"a".repeat(201)] {
        let edit = place.bot.request(Method::PATCH, format!("/chats/{id}"));
        assert_refused(edit.json(&json!({ "title": bad, "notify": false })).await, 400, PAYLOAD);
    }
    assert_eq!(place.bot.chat(id).await.unwrap().title, Some(title));
    Ok(())
}

pub(super) async fn actions_are_shown(place: Place) -> Done {
    let chat = place.chat()?;
    for action in [
        SenderAction::TypingOn,
        SenderAction::SendingPhoto,
        SenderAction::SendingVideo,
        SenderAction::SendingAudio,
        SenderAction::SendingFile,
        SenderAction::MarkSeen,
    ] {
        place.bot.action(chat, action).await.unwrap();
    }
    Ok(())
}

pub(super) async fn an_older_name_of_an_action_is_accepted(place: Place) -> Done {
    // Clients send it for `sending_photo`.
    place.bot.action(place.chat()?, "sending_image").await.unwrap();
    Ok(())
}

pub(super) async fn an_unknown_action_is_refused(place: Place) -> Done {
    assert_refused(place.bot.action(place.chat()?, "dancing").await, 400, PAYLOAD);
    Ok(())
}
