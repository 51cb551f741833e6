//! The bot itself: its profile, commands and token, and unknown paths.

use serde_json::{Value, json};
use tamtam::{BotCommand, Service, http::Method, types::BotPatch};

use crate::{
    outcome::{Done, assert_refused},
    place::{MARK, Place},
};

pub(super) async fn a_bot_has_a_profile(place: Place) -> Done {
    let me = place.bot.me().await.unwrap();
    assert!(me.user_id.0 > 0 && !me.name.is_empty(), "{me:?}");
    assert_ne!(me.is_bot, Some(false));
    Ok(())
}

pub(super) async fn a_wrong_token_is_refused(place: Place) -> Done {
    let stranger = place.stranger(place.bot.service().clone());
    let error = stranger.me().await.unwrap_err();
    assert!(error.is_unauthorized(), "{error}");
    assert_eq!(error.code().map(|code| code.as_str()), Some("verify.token"));
    Ok(())
}

pub(super) async fn a_token_in_the_query_is_refused(place: Place) -> Done {
    let stranger = place.stranger(Service::Max.with_token_parameter("access_token"));
    assert_refused(stranger.me().await, 403, "deprecated.token");
    Ok(())
}

pub(super) async fn an_unknown_path_is_refused(place: Place) -> Done {
    assert_refused(place.bot.request(Method::GET, "/conformance").await, 404, "method.not.found");
    Ok(())
}

pub(super) async fn removed_operations_are_unknown_paths(place: Place) -> Done {
    for (method, path) in [
        (Method::GET, "/chats"),
        (Method::GET, "/chats/conformance"),
        // No chat has this id, so a server that still has the operation deletes nothing.
        (Method::DELETE, "/chats/-1"),
        (Method::PATCH, "/me"),
        (Method::POST, "/me/commands"),
        (Method::POST, "/answers/constructor"),
    ] {
        assert_refused(place.bot.request(method, path).await, 404, "method.not.found");
    }
    Ok(())
}

/// Restores the commands after the check.
async fn keep_commands(place: &Place) {
    let before = place.bot.me().await.unwrap().commands.unwrap_or_default();
    let bot = place.bot.clone();
    place.afterwards(async move { bot.set_commands(before).await.map(drop) });
}

pub(super) async fn commands_are_set_and_cleared(place: Place) -> Done {
    keep_commands(&place).await;
    let commands = vec![BotCommand::new("conformance").description(MARK), BotCommand::new("plain")];
    assert_eq!(place.bot.set_commands(commands.clone()).await.unwrap(), commands);
    assert_eq!(place.bot.me().await.unwrap().commands, Some(commands));
    assert_eq!(place.bot.remove_commands().await.unwrap(), []);
    assert_eq!(place.bot.me().await.unwrap().commands.unwrap_or_default(), []);
    Ok(())
}

/// Removes all commands with a PATCH request to `path`. Returns the commands in the answer.
async fn cleared_commands(place: &Place, path: &str) -> Value {
    keep_commands(place).await;
    let answer = place.bot.request(Method::PATCH, path).json(&json!({ "commands": [] })).await.unwrap();
    answer["commands"].clone()
}

pub(super) async fn cleared_commands_are_null(place: Place) -> Done {
    assert_eq!(cleared_commands(&place, "/me").await, Value::Null);
    Ok(())
}

pub(super) async fn cleared_commands_are_an_empty_list(place: Place) -> Done {
    assert_eq!(cleared_commands(&place, "/me/commands").await, json!([]));
    Ok(())
}

pub(super) async fn a_description_is_changed(place: Place) -> Done {
    let api = place.bot.api();
    let new = match api.get_my_info().await.unwrap().description {
        Some(before) => before,
        None => {
            place.people("removes the description, which the API cannot do")?;
            MARK.to_owned()
        }
    };
    let changed = api.edit_my_info(BotPatch::new().description(new.clone())).await.unwrap();
    assert_eq!(changed.description, Some(new));
    Ok(())
}
