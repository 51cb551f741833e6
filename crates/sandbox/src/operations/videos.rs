//! Videos: `getVideoAttachmentDetails`.

use serde_json::Value;

use super::call::Call;
use crate::protocol::error::ApiError;
use crate::state::State;
use crate::state::media::MediaKind;

pub(crate) fn get_video_details(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let token = call.path_text("videoToken");
    let video = state.uploads.media(MediaKind::Video.name(), token);
    Ok(state.video_json(&video.ok_or_else(|| ApiError::video_not_found(token))?))
}
