//! A state as a state file has it: which format that is, and what becomes of the addresses in it.

use serde::{Deserialize, Serialize};

use super::state::State;

/// The first property of the file, by which it is known. Another number means that this version cannot read it.
const FORMAT: &str = "tamtam-sandbox-1";
/// What the formats of all versions begin with.
const FAMILY: &str = "tamtam-sandbox-";

#[derive(Serialize)]
struct Contents<'a> {
    format: &'static str,
    upload_url: &'a str,
    state: &'a State,
}

/// What must be known before the rest can be read.
#[derive(Deserialize)]
struct Head {
    format: String,
    upload_url: String,
}

#[derive(Deserialize)]
struct Body {
    state: State,
}

/// A state as the text of a file.
pub(super) fn write(state: &State) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&Contents { format: FORMAT, upload_url: &state.uploads.base_url, state })
}

/// The state in the text of a file. What was kept of uploads is found at `upload_url`, wherever the host was before.
///
/// # Errors
///
/// What is wrong with the text.
pub(super) fn read(text: &[u8], upload_url: &str) -> Result<State, String> {
    let text = std::str::from_utf8(text).map_err(|_| "it is not text".to_owned())?;
    let head: Head = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if head.format != FORMAT {
        let is_version = head.format.starts_with(FAMILY);
        let whose = if is_version { "it is of another version of the crate" } else { "it is of another program" };
        return Err(format!("its format is not `{FORMAT}`: {whose}"));
    }
    // The addresses are in updates that wait as well, as text: they are found wherever they are. Base64 has no colon.
    let text = text.replace(&files_at(&head.upload_url), &files_at(upload_url));
    let Body { mut state } = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    if state.first_bot.is_none_or(|first| !state.bots.contains_key(&first)) {
        return Err("it has no bot".to_owned());
    }
    upload_url.clone_into(&mut state.uploads.base_url);
    state.resume();
    Ok(state)
}

fn files_at(upload_url: &str) -> String {
    format!("{upload_url}/files/")
}
