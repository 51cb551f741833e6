//! Checks of the pinned message of a chat.

use tamtam::{
    ChatId, MessageId,
    types::{ChatPatch, PinMessageBody},
};

use crate::{
    outcome::{Done, PAYLOAD, assert_refused},
    place::Place,
};

/// Restores the pin after the check.
async fn keep_pin(place: &Place, chat: ChatId) {
    let before = pinned(place, chat).await;
    let bot = place.bot.clone();
    place.afterwards(async move {
        match before {
            Some(mid) => bot.pin(chat, mid).notify(false).await,
            None => bot.unpin(chat).await.or_else(|error| if error.is_refused() { Ok(()) } else { Err(error) }),
        }
    });
}

async fn pinned(place: &Place, chat: ChatId) -> Option<MessageId> {
    let message = place.bot.pinned(chat).await.unwrap().message;
    message.and_then(|message| message.body).map(|body| body.mid)
}

pub(super) async fn a_message_is_pinned_and_unpinned(place: Place) -> Done {
    let chat = place.chat()?;
    let mid = MessageId::from(&place.post(chat, place.text("a pin")).await);
    keep_pin(&place, chat).await;
    place.bot.pin(chat, &mid).notify(false).await.unwrap();
    assert_eq!(pinned(&place, chat).await, Some(mid));
    place.bot.unpin(chat).await.unwrap();
    assert_eq!(pinned(&place, chat).await, None);
    assert!(place.bot.unpin(chat).await.unwrap_err().is_refused(), "no message is pinned");
    Ok(())
}

pub(super) async fn editing_a_chat_can_pin_a_message(place: Place) -> Done {
    let chat = place.chat()?;
    let mid = MessageId::from(&place.post(chat, place.text("a pin")).await);
    keep_pin(&place, chat).await;
    let patch = ChatPatch::new().pin(mid.clone()).notify(false);
    let edited = place.bot.api().edit_chat(chat, patch).await.unwrap();
    assert_eq!(edited.pinned_message.unwrap().body.unwrap().mid, mid);
    Ok(())
}

pub(super) async fn an_unknown_message_is_not_pinned(place: Place) -> Done {
    let pin = PinMessageBody::new("mid.conformance").notify(false);
    assert_refused(place.bot.api().pin_message(place.chat()?, pin).await, 400, PAYLOAD);
    Ok(())
}
