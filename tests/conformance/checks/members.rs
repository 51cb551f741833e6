//! Members of a chat.

use std::collections::BTreeSet;

use tamtam::{UserId, types::ChatStatus};

use crate::{outcome::Done, place::Place};

pub(super) async fn the_bot_is_a_member(place: Place) -> Done {
    let member = place.bot.membership(place.chat()?).await.unwrap();
    assert_eq!(member.user_id, place.bot.me().await.unwrap().user_id);
    assert!(member.is_admin && member.permissions.is_some(), "the bot must be an administrator of the chat");
    Ok(())
}

pub(super) async fn administrators_are_listed(place: Place) -> Done {
    let me = place.bot.me().await.unwrap().user_id;
    let admins = place.bot.admins(place.chat()?).await.unwrap().members;
    assert!(admins.iter().all(|member| member.is_admin || member.is_owner), "{admins:?}");
    assert!(admins.iter().any(|member| member.user_id == me), "the bot is an administrator");
    Ok(())
}

pub(super) async fn members_come_in_pages(place: Place) -> Done {
    /// Enough to test paging: a real chat may have thousands of members.
    const PAGES: usize = 5;
    let (chat, api) = (place.chat()?, place.bot.api());
    let (mut seen, mut marker) = (BTreeSet::new(), None);
    for _ in 0..PAGES {
        let request = api.get_members(chat).count(1);
        let page = match marker {
            Some(marker) => request.marker(marker).await.unwrap(),
            None => request.await.unwrap(),
        };
        assert!(page.members.len() <= 1);
        assert!(page.members.iter().all(|member| seen.insert(member.user_id)), "{page:?} repeats a member");
        marker = page.marker;
        if marker.is_none() {
            break;
        }
    }
    assert!(!seen.is_empty());
    let me = place.bot.me().await.unwrap().user_id;
    let found = api.get_members(chat).user_ids([me]).await.unwrap().members;
    assert_eq!(found.iter().map(|member| member.user_id).collect::<Vec<_>>(), [me]);
    Ok(())
}

pub(super) async fn a_member_is_not_added_again(place: Place) -> Done {
    let me = place.bot.me().await.unwrap().user_id;
    let error = place.bot.add_members(place.chat()?, [me]).await.unwrap_err();
    assert!(error.is_refused(), "{error}");
    Ok(())
}

pub(super) async fn users_who_were_not_added_are_listed(place: Place) -> Done {
    /// No user has this id.
    const NOBODY: UserId = UserId(1);
    let people = place.people("may be added to the chat")?;
    let (chat, carol, bob) = (place.chat()?, people.sandbox.user("Carol").user_id(), people.bob.user_id());
    let added = place.bot.add_members(chat, [carol, bob, NOBODY]).await.unwrap();
    assert_eq!(added.failed_user_ids.unwrap().into_iter().collect::<BTreeSet<_>>(), BTreeSet::from([bob, NOBODY]));
    let details = added.failed_user_details.unwrap();
    let users_of = |code: &str| details.iter().find(|one| one.error_code == code).map(|one| one.user_ids.as_slice());
    assert_eq!(users_of("add.participant.not.found"), Some(&[NOBODY][..]));
    assert_eq!(users_of("add.participant.privacy"), Some(&[bob][..]));
    assert_eq!(place.bot.api().get_members(chat).user_ids([carol]).await.unwrap().members.len(), 1);
    Ok(())
}

pub(super) async fn members_are_added_and_removed(place: Place) -> Done {
    let people = place.people("may be added to the chat and removed from it")?;
    let (chat, carol) = (place.chat()?, people.sandbox.user("Carol").user_id());
    let add = || place.bot.add_members(chat, [carol]);
    let find = || place.bot.api().get_members(chat).user_ids([carol]);
    add().await.unwrap();
    let member = find().await.unwrap().members.remove(0);
    assert_eq!((member.is_admin, member.permissions), (false, None));
    place.bot.remove_member(chat, carol).await.unwrap();
    assert!(find().await.unwrap().members.is_empty());
    assert!(place.bot.remove_member(chat, carol).await.unwrap_err().is_refused());
    add().await.unwrap();
    place.bot.block_member(chat, carol).await.unwrap();
    assert!(add().await.unwrap_err().is_refused(), "a blocked user cannot be added again");
    Ok(())
}

pub(super) async fn a_bot_leaves(place: Place) -> Done {
    place.people("adds the bot to the chat again after it has left")?;
    let chat = place.chat()?;
    place.bot.leave(chat).await.unwrap();
    assert_eq!(place.bot.chat(chat).await.unwrap().status, ChatStatus::Left);
    assert!(place.bot.send(chat, "Hello?").await.unwrap_err().is_forbidden());
    Ok(())
}
