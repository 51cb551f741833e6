//! The profile of the bot: `getMyInfo`, `editMyInfo`, `editMyCommands`.

use serde_json::Value;

use super::attachments;
use super::call::Call;
use crate::protocol::error::ApiError;
use crate::protocol::fields::Fields;
use crate::state::State;

pub(crate) fn get_my_info(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    Ok(state.bot_json(call.bot))
}

pub(crate) fn edit_my_info(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let body = call.body()?;
    let patch = Fields(&body);
    let name = patch.text("name")?;
    let description = patch.text("description")?;
    let commands = patch.list("commands")?.map(read_commands).transpose()?;
    let photos = patch.object("photo")?.map(|photo| attachments::read_photos(state, photo));
    let photos = photos.transpose()?;

    if let (Some(user), Some(name)) = (state.users.get_mut(&call.bot), name) {
        name.clone_into(&mut user.name);
    }
    if let Some(bot) = state.bots.get_mut(&call.bot) {
        if let Some(description) = description {
            bot.description = Some(description.to_owned());
        }
        if let Some(commands) = commands {
            bot.commands = commands;
        }
        if let Some(photo) = photos.into_iter().flatten().next() {
            bot.avatar = Some(photo.url);
        }
    }
    Ok(state.bot_json(call.bot))
}

/// Replaces all commands. A request without a list changes nothing.
pub(crate) fn edit_my_commands(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let body = call.body()?;
    let commands = Fields(&body).list("commands")?.map(read_commands).transpose()?;
    if let (Some(bot), Some(commands)) = (state.bots.get_mut(&call.bot), commands) {
        bot.commands = commands;
    }
    Ok(state.commands_json(call.bot))
}

fn read_commands(list: &[Value]) -> Result<Vec<(String, Option<String>)>, ApiError> {
    let read = |command| {
        let command = Fields::of("command", command)?;
        let name = command.required_text("name")?;
        let description = command.text("description")?;
        Ok((name.to_owned(), description.map(str::to_owned)))
    };
    list.iter().map(read).collect()
}
