//! Acts of people as JSON: names, fields and answers.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use serde_with::{base64::Base64, serde_as};

use crate::people::actor::{Actor, Done};
use crate::people::enclosure::Enclosure;
use crate::state::State;
use crate::state::ids::UserId;
use crate::state::prepared::Prepared;
use crate::state::seen::Seen;

/// An act with its fields.
#[derive(Debug, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Act {
    Starts {
        payload: Option<String>,
    },
    Stops {},
    Says {
        text: Option<String>,
        format: Option<String>,
        #[serde(default)]
        attachments: Vec<NewEnclosure>,
    },
    Replies {
        message_id: String,
        text: String,
    },
    Forwards {
        message_id: String,
    },
    Edits {
        message_id: String,
        text: String,
    },
    Deletes {
        message_id: String,
    },
    Presses {
        button: String,
    },
    PressesApp {
        button: String,
    },
    OpensApp {
        payload: Option<String>,
    },
    Comments {
        message_id: String,
        text: String,
    },
    SeesComments {
        message_id: String,
    },
    Clears {},
    RemovesDialog {},
    Mutes {
        duration_ms: Option<u64>,
    },
    Unmutes {},
    SendsVoice {},
    SharesContact {},
    SendsLocation {
        latitude: f64,
        longitude: f64,
    },
    Joins {},
    Leaves {},
    Adds {
        user_id: UserId,
    },
    Removes {
        user_id: UserId,
    },
    Blocks {
        user_id: UserId,
    },
    Appoints {
        user_id: UserId,
    },
    RenamesChat {
        title: String,
    },
    OpensConstructor {},
    Types {
        session_id: String,
        text: String,
    },
    PressesInConstructor {
        session_id: String,
        button: String,
    },
    Posts {
        session_id: String,
    },
    Sees {},
    Reads {},
    ReadsNotification {},
    ReadsConstructor {
        session_id: String,
    },
}

/// An attachment of a message.
#[serde_as]
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum NewEnclosure {
    Photo {
        #[serde_as(as = "Base64")]
        base64: Vec<u8>,
    },
    Video {
        #[serde_as(as = "Base64")]
        base64: Vec<u8>,
    },
    Audio {
        #[serde_as(as = "Base64")]
        base64: Vec<u8>,
    },
    File {
        name: String,
        #[serde_as(as = "Base64")]
        base64: Vec<u8>,
    },
    Sticker {
        code: String,
    },
    Link {
        url: String,
    },
    Contact {
        name: String,
        phone: String,
    },
    Location {
        latitude: f64,
        longitude: f64,
    },
}

impl From<NewEnclosure> for Enclosure {
    fn from(enclosure: NewEnclosure) -> Self {
        match enclosure {
            NewEnclosure::Photo { base64 } => Self::photo(base64),
            NewEnclosure::Video { base64 } => Self::video(base64),
            NewEnclosure::Audio { base64 } => Self::audio(base64),
            NewEnclosure::File { name, base64 } => Self::file(name, base64),
            NewEnclosure::Sticker { code } => Self::sticker(code),
            NewEnclosure::Link { url } => Self::link(url),
            NewEnclosure::Contact { name, phone } => Self::contact(name, phone),
            NewEnclosure::Location { latitude, longitude } => Self::location(latitude, longitude),
        }
    }
}

impl Act {
    /// Whether this act waits until there is something to read.
    pub(super) const fn is_reading(&self) -> bool {
        matches!(self, Self::Reads {} | Self::ReadsNotification {} | Self::ReadsConstructor { .. })
    }

    /// Returns the next unread item of a reading act, or `None` if there is no item yet.
    pub(super) fn read(&self, actor: Actor, state: &mut State) -> Option<Value> {
        match self {
            Self::Reads {} => actor.reads(state).as_ref().map(seen_json),
            Self::ReadsNotification {} => actor.reads_notification(state).map(|text| json!({ "text": text })),
            Self::ReadsConstructor { session_id } => {
                actor.reads_prepared(state, session_id).as_ref().map(prepared_json)
            }
            _ => None,
        }
    }

    /// Performs an act that does not wait.
    pub(super) fn perform(self, actor: Actor, state: &mut State) -> Done<Value> {
        let nothing = |()| json!({});
        let posted = |mid| json!({ "message_id": mid });
        let launched = |init_data| json!({ "init_data": init_data });
        match self {
            Self::Starts { payload } => actor.starts(state, payload.as_deref()).map(nothing),
            Self::Stops {} => actor.stops(state).map(nothing),
            Self::Says { text, format, attachments } => {
                let enclosures = attachments.into_iter().map(Into::into).collect();
                actor.says(state, &json!({ "text": text, "format": format }), enclosures).map(posted)
            }
            Self::PressesApp { button } => actor.presses_app(state, &button).map(launched),
            Self::OpensApp { payload } => {
                let payload = payload.as_deref().filter(|payload| !payload.is_empty());
                actor.opens_app(state, payload).map(launched)
            }
            Self::Comments { message_id, text } => actor.comments(state, &message_id, text).map(posted),
            Self::SeesComments { message_id } => {
                actor.sees_comments(state, &message_id).map(|texts| json!({ "texts": texts }))
            }
            Self::Clears {} => actor.clears(state).map(nothing),
            Self::RemovesDialog {} => actor.removes_dialog(state).map(nothing),
            Self::Mutes { duration_ms } => actor.mutes(state, duration_ms.map(Duration::from_millis)).map(nothing),
            Self::Unmutes {} => actor.unmutes(state).map(nothing),
            Self::SendsVoice {} => actor.sends_voice(state).map(nothing),
            Self::Replies { message_id, text } => actor.replies(state, &message_id, text).map(posted),
            Self::Forwards { message_id } => actor.forwards(state, &message_id).map(posted),
            Self::Edits { message_id, text } => actor.edits(state, &message_id, text).map(nothing),
            Self::Deletes { message_id } => actor.deletes(state, &message_id).map(nothing),
            Self::Presses { button } => {
                let pressed = actor.presses(state, &button);
                pressed.map(|id| id.map_or_else(|| json!({}), |id| json!({ "callback_id": id })))
            }
            Self::SharesContact {} => actor.shares_contact(state).map(posted),
            Self::SendsLocation { latitude, longitude } => actor.sends_location(state, latitude, longitude).map(posted),
            Self::Joins {} => actor.joins(state).map(nothing),
            Self::Leaves {} => actor.leaves(state).map(nothing),
            Self::Adds { user_id } => actor.adds(state, user_id).map(nothing),
            Self::Removes { user_id } => actor.removes(state, user_id).map(nothing),
            Self::Blocks { user_id } => actor.blocks(state, user_id).map(nothing),
            Self::Appoints { user_id } => actor.appoints(state, user_id).map(nothing),
            Self::RenamesChat { title } => actor.renames_chat(state, &title).map(nothing),
            Self::OpensConstructor {} => actor.opens_constructor(state).map(|id| json!({ "session_id": id })),
            Self::Types { session_id, text } => actor.types(state, &session_id, &text).map(nothing),
            Self::PressesInConstructor { session_id, button } => {
                actor.presses_in(state, &session_id, &button).map(nothing)
            }
            Self::Posts { session_id } => actor.posts(state, &session_id).map(|mids| json!({ "message_ids": mids })),
            Self::Sees {} => Ok(json!({ "texts": actor.sees(state) })),
            Self::Reads {} | Self::ReadsNotification {} | Self::ReadsConstructor { .. } => Ok(json!({})),
        }
    }
}

fn seen_json(seen: &Seen) -> Value {
    json!({
        "message_id": seen.mid(),
        "text": seen.text(),
        "buttons": seen.buttons(),
        "is_edit": seen.is_edit(),
        "message": seen.message(),
    })
}

fn prepared_json(prepared: &Prepared) -> Value {
    json!({
        "texts": prepared.texts(),
        "buttons": prepared.buttons(),
        "hint": prepared.hint(),
        "placeholder": prepared.placeholder(),
        "allows_input": prepared.allows_input(),
    })
}
