//! The bot about itself: `getMyInfo`, `editMyInfo`.

use serde_json::Value;

use crate::sandbox::attachments;
use crate::sandbox::error::Fault;
use crate::sandbox::fields::Fields;
use crate::sandbox::request::Request;
use crate::sandbox::state::State;

/// Limits of the API's document: characters, and how many commands.
const NAME_CHARS: usize = 64;
const DESCRIPTION_CHARS: usize = 16_000;
const COMMANDS: usize = 32;
const COMMAND_NAME_CHARS: usize = 64;
const COMMAND_DESCRIPTION_CHARS: usize = 128;

pub(in crate::sandbox) fn get_my_info(state: &mut State, request: &Request) -> Result<Value, Fault> {
    Ok(state.bot_json(request.bot))
}

pub(in crate::sandbox) fn edit_my_info(state: &mut State, request: &Request) -> Result<Value, Fault> {
    let body = request.body()?;
    let patch = Fields(&body);
    let name = patch.sized("name", 1, NAME_CHARS)?;
    let description = patch.sized("description", 1, DESCRIPTION_CHARS)?;
    let commands = patch.list("commands")?.map(read_commands).transpose()?;
    let photos = patch.object("photo")?.map(|photo| attachments::read_photos(state, photo));
    let photos = photos.transpose()?;

    if let (Some(user), Some(name)) = (state.users.get_mut(&request.bot), name) {
        name.clone_into(&mut user.name);
    }
    if let Some(bot) = state.bots.get_mut(&request.bot) {
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
    Ok(state.bot_json(request.bot))
}

fn read_commands(list: &[Value]) -> Result<Vec<(String, Option<String>)>, Fault> {
    if list.len() > COMMANDS {
        return Err(Fault::size("commands", 0, COMMANDS));
    }
    let read = |command| {
        let command = Fields::of("command", command)?;
        let name = command.required_sized("name", 1, COMMAND_NAME_CHARS)?;
        let description = command.sized("description", 1, COMMAND_DESCRIPTION_CHARS)?;
        Ok((name.to_owned(), description.map(str::to_owned)))
    };
    list.iter().map(read).collect()
}
