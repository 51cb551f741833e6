//! The bot itself.

use tamtam::{
    http::Method,
    types::{BotCommand, BotPatch},
};

use crate::place::{Done, MARK, Place, assert_refused};

pub(super) async fn a_bot_knows_who_it_is(place: Place) -> Done {
    let me = place.bot.me().await.unwrap();
    assert!(me.user_id.0 > 0 && !me.name.is_empty(), "{me:?}");
    assert_ne!(me.is_bot, Some(false));
    Ok(())
}

pub(super) async fn a_wrong_token_is_refused(place: Place) -> Done {
    let error = place.stranger().me().await.unwrap_err();
    assert!(error.is_unauthorized(), "{error}");
    assert_eq!(error.code().map(|code| code.as_str()), Some("verify.token"));
    Ok(())
}

pub(super) async fn an_unknown_path_is_told(place: Place) -> Done {
    assert_refused(place.bot.request(Method::GET, "/conformance").await, 404, "method.not.found");
    Ok(())
}

pub(super) async fn commands_are_set_and_reset(place: Place) -> Done {
    let api = place.bot.api();
    let before = api.get_my_info().await.unwrap().commands.unwrap_or_default();
    let restore = BotPatch::new().commands(before.clone());
    let bot = place.bot.clone();
    place.afterwards(async move { bot.api().edit_my_info(restore).await.map(drop) });

    let commands = vec![BotCommand::new("conformance").description(MARK), BotCommand::new("plain")];
    let changed = api.edit_my_info(BotPatch::new().commands(commands.clone())).await.unwrap();
    assert_eq!(changed.commands.as_ref(), Some(&commands));
    assert_eq!(api.get_my_info().await.unwrap().commands, Some(commands));
    let reset = api.edit_my_info(BotPatch::new().commands(Vec::<BotCommand>::new())).await.unwrap();
    assert_eq!(reset.commands, None);
    Ok(())
}

pub(super) async fn a_description_is_changed(place: Place) -> Done {
    let api = place.bot.api();
    let new = match api.get_my_info().await.unwrap().description {
        Some(before) => before,
        None => {
            place.people("takes the first description away again, which the API cannot")?;
            MARK.to_owned()
        }
    };
    let changed = api.edit_my_info(BotPatch::new().description(new.clone())).await.unwrap();
    assert_eq!(changed.description, Some(new));
    Ok(())
}
