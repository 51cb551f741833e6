//! Uploads: `getUploadUrl`.

use serde_json::Value;

use super::call::Call;
use crate::protocol::error::ApiError;
use crate::state::State;

/// The types of uploads.
const KINDS: [&str; 4] = ["image", "video", "audio", "file"];

pub(crate) fn get_upload_url(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let kind = call.required_text("type")?;
    let kind = KINDS.into_iter().find(|known| *known == kind);
    let kind = kind.ok_or_else(|| ApiError::payload("type: is unknown"))?;
    Ok(state.begin_upload(kind))
}
