//! The pinned message of a chat.

use tamtam::{
    ChatId, MessageId,
    types::{ChatPatch, PinMessageBody},
};

use crate::place::{Done, Place, assert_refused};

/// Pins again what was pinned, or nothing, when the check is over.
async fn keep_pin(place: &Place, chat: ChatId) {
    let pinned = place.bot.api().get_pinned_message(chat).await.unwrap().message;
    let before = pinned.and_then(|message| message.body).map(|body| body.mid);
    let bot = place.bot.clone();
    place.afterwards(async move {
        match before {
            Some(mid) => bot.api().pin_message(chat, PinMessageBody::new(mid).notify(false)).await,
            None => bot
                .api()
                .unpin_message(chat)
                .await
                .or_else(|error| if error.is_refused() { Ok(()) } else { Err(error) }),
        }
    });
}

async fn pinned(place: &Place, chat: ChatId) -> Option<MessageId> {
    let message = place.bot.api().get_pinned_message(chat).await.unwrap().message;
    message.and_then(|message| message.body).map(|body| body.mid)
}

pub(super) async fn a_message_is_pinned_and_unpinned(place: Place) -> Done {
    let chat = place.chat()?;
    let message = place.post(chat, place.text("a pin")).await;
    let mid = message.body.unwrap().mid;
    keep_pin(&place, chat).await;
    let api = place.bot.api();
    api.pin_message(chat, PinMessageBody::new(mid.clone()).notify(false)).await.unwrap();
    assert_eq!(pinned(&place, chat).await, Some(mid));
    api.unpin_message(chat).await.unwrap();
    assert_eq!(pinned(&place, chat).await, None);
    assert!(api.unpin_message(chat).await.unwrap_err().is_refused(), "there is nothing to unpin");
    Ok(())
}

pub(super) async fn a_chat_is_edited_with_a_pin(place: Place) -> Done {
    let chat = place.chat()?;
    let message = place.post(chat, place.text("a pin")).await;
    let mid = message.body.unwrap().mid;
    keep_pin(&place, chat).await;
    let edited = place.bot.api().edit_chat(chat, ChatPatch::new().pin(mid.clone()).notify(false)).await.unwrap();
    assert_eq!(edited.pinned_message.unwrap().body.unwrap().mid, mid);
    Ok(())
}

pub(super) async fn what_is_no_message_is_not_pinned(place: Place) -> Done {
    let pin = PinMessageBody::new("mid.conformance").notify(false);
    assert_refused(place.bot.api().pin_message(place.chat()?, pin).await, 400, "proto.payload");
    Ok(())
}
