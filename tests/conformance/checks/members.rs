//! Members of a chat.

use std::collections::BTreeSet;

use tamtam::types::{ChatStatus, UserIdsList};

use crate::place::{Done, Place};

pub(super) async fn the_bot_is_a_member(place: Place) -> Done {
    let chat = place.chat()?;
    let member = place.bot.api().get_membership(chat).await.unwrap();
    assert_eq!(member.user_id, place.bot.me().await.unwrap().user_id);
    assert!(member.is_admin && member.permissions.is_some(), "the bot is to be an administrator of TAMTAM_LIVE_CHAT");
    Ok(())
}

pub(super) async fn administrators_are_listed(place: Place) -> Done {
    let me = place.bot.me().await.unwrap().user_id;
    let admins = place.bot.api().get_admins(place.chat()?).await.unwrap().members;
    assert!(admins.iter().all(|member| member.is_admin || member.is_owner), "{admins:?}");
    assert!(admins.iter().any(|member| member.user_id == me), "the bot is an administrator");
    Ok(())
}

pub(super) async fn members_come_in_pages(place: Place) -> Done {
    /// Enough to see that pages go on; a real chat may have thousands of members.
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
        assert!(page.members.iter().all(|member| seen.insert(member.user_id)), "{page:?} was there before");
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
    let error = place.bot.api().add_members(place.chat()?, UserIdsList::new(vec![me])).await.unwrap_err();
    assert!(error.is_refused(), "{error}");
    Ok(())
}

pub(super) async fn members_are_added_and_removed(place: Place) -> Done {
    let people = place.people("may be added to the chat and removed from it")?;
    let (chat, api, carol) = (place.chat()?, place.bot.api(), people.tamtam.user("Carol").user_id());
    let add = || api.add_members(chat, UserIdsList::new(vec![carol]));
    let find = || api.get_members(chat).user_ids([carol]);
    add().await.unwrap();
    let member = find().await.unwrap().members.remove(0);
    assert_eq!((member.is_admin, member.permissions), (false, None));
    api.remove_member(chat, carol).await.unwrap();
    assert!(find().await.unwrap().members.is_empty());
    assert!(api.remove_member(chat, carol).await.unwrap_err().is_refused());
    add().await.unwrap();
    api.remove_member(chat, carol).block(true).await.unwrap();
    assert!(add().await.unwrap_err().is_refused(), "who is blocked does not come back");
    Ok(())
}

pub(super) async fn a_bot_leaves(place: Place) -> Done {
    place.people("adds the bot to the chat again when it has left")?;
    let (chat, api) = (place.chat()?, place.bot.api());
    api.leave_chat(chat).await.unwrap();
    assert_eq!(api.get_chat(chat).await.unwrap().status, ChatStatus::Left);
    assert!(place.bot.send(chat, "Hello?").await.unwrap_err().is_forbidden());
    Ok(())
}
