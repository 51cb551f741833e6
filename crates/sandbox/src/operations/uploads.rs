//! Uploads: `getUploadUrl`.

use serde_json::Value;

use crate::server::error::Fault;
use crate::server::request::Request;
use crate::state::State;

/// What can be uploaded.
const KINDS: [&str; 4] = ["image", "video", "audio", "file"];

pub(crate) fn get_upload_url(state: &mut State, request: &Request) -> Result<Value, Fault> {
    let kind = request.required_text("type")?;
    let kind = KINDS.into_iter().find(|known| *known == kind);
    let kind = kind.ok_or_else(|| Fault::payload("type: is unknown"))?;
    Ok(state.begin_upload(kind))
}
