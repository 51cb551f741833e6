//! Dialogs: a person stops the bot, and clears, mutes and removes the dialog.

use std::time::Duration;

use tamtam::Update;

use super::polled::{kinds, updates};
use crate::{
    outcome::{Done, assert_refused},
    place::Place,
};

const HOUR: Duration = Duration::from_secs(60 * 60);
/// The value of `muted_until` for a dialog that is muted forever.
const FOREVER: i64 = i64::MAX;

pub(super) async fn a_bot_is_stopped_and_started_again(place: Place) -> Done {
    let alice = &place.people("stops the bot")?.alice;
    updates(&place).await;
    alice.stops();
    alice.starts();
    let updates = updates(&place).await;
    let [Update::BotStopped(stopped), Update::BotStarted(started)] = updates.as_slice() else { panic!("{updates:?}") };
    assert_eq!((stopped.chat_id, stopped.user.user_id), (alice.chat_id(), alice.user_id()));
    assert_eq!(started.chat_id, alice.chat_id());
    place.bot.send(alice.user_id(), "Hello again").await.unwrap();
    Ok(())
}

pub(super) async fn a_dialog_is_cleared_muted_and_unmuted(place: Place) -> Done {
    let alice = &place.people("clears and mutes the dialog")?.alice;
    updates(&place).await;
    alice.clears();
    alice.mutes();
    alice.unmutes();
    alice.mutes_for(HOUR);
    let updates = updates(&place).await;
    let [
        Update::DialogCleared(cleared),
        Update::DialogMuted(muted),
        Update::DialogUnmuted(unmuted),
        Update::DialogMuted(for_an_hour),
    ] = updates.as_slice()
    else {
        panic!("{updates:?}")
    };
    let chats = [cleared.chat_id, muted.chat_id, unmuted.chat_id, for_an_hour.chat_id];
    assert_eq!(chats, [alice.chat_id(); 4]);
    assert_eq!(muted.muted_until, FOREVER);
    assert!(for_an_hour.muted_until > for_an_hour.timestamp && for_an_hour.muted_until < FOREVER, "{for_an_hour:?}");
    place.bot.send(alice.user_id(), "A muted bot can write").await.unwrap();
    Ok(())
}

pub(super) async fn a_removed_dialog_is_not_found(place: Place) -> Done {
    let alice = &place.people("removes the dialog")?.alice;
    updates(&place).await;
    alice.removes_dialog();
    assert_eq!(kinds(&updates(&place).await), ["dialog_removed", "bot_stopped"]);
    assert_refused(place.bot.chat(alice.chat_id()).await, 404, "chat.not.found");
    let error = place.bot.send(alice.user_id(), "Hello?").await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
    alice.starts();
    assert_eq!(kinds(&updates(&place).await), ["bot_started"]);
    place.bot.send(alice.user_id(), "Hello again").await.unwrap();
    Ok(())
}
