//! Converts attachments that a bot sends (`AttachmentRequest`) to attachments of a message.

use serde_json::Value;

use super::keyboard;
use crate::protocol::error::ApiError;
use crate::protocol::fields::Fields;
use crate::state::State;
use crate::state::acts;
use crate::state::message::{Attachment, Photo};

/// Attachments that can only be combined with a keyboard.
const ALONE: [&str; 4] = ["audio", "file", "sticker", "contact"];

pub(crate) fn read(state: &mut State, list: &[Value]) -> Result<Vec<Attachment>, ApiError> {
    let requests = list.iter().map(|value| Fields::of("attachment", value));
    let requests = requests.collect::<Result<Vec<_>, _>>()?;
    let kinds = requests.iter().map(|request| request.required_text("type"));
    let kinds = kinds.collect::<Result<Vec<_>, _>>()?;
    check_combination(&kinds)?;
    let mut attachments = Vec::new();
    for (request, kind) in requests.into_iter().zip(kinds) {
        attachments.extend(read_one(state, kind, request)?);
    }
    Ok(attachments)
}

/// Refuses attachments that cannot be combined.
pub(crate) fn check_combination(kinds: &[&str]) -> Result<(), ApiError> {
    const KEYBOARD: &str = "inline_keyboard";
    let others = kinds.iter().filter(|kind| **kind != KEYBOARD).count();
    if kinds.len() - others > 1 {
        return Err(ApiError::payload("Must be only one keyboard attachment in message"));
    }
    match kinds.iter().find(|kind| ALONE.contains(kind)) {
        Some(kind) if others > 1 => Err(ApiError::payload(format!("Must be only one {kind} attachment in message"))),
        _ => Ok(()),
    }
}

/// Reads one request. Only a request with photos can give several attachments.
fn read_one(state: &mut State, kind: &str, request: Fields<'_>) -> Result<Vec<Attachment>, ApiError> {
    let attachment = match kind {
        "image" => {
            let photos = read_photos(state, request.required_object("payload")?)?;
            return Ok(photos.into_iter().map(Attachment::Photo).collect());
        }
        "video" | "audio" | "file" => {
            let payload = request.required_object("payload")?;
            let token = payload.text("token")?.filter(|token| !token.is_empty());
            let token = token.ok_or_else(|| ApiError::payload(format!("Missing token in {kind} attachment")))?;
            let media = state.uploads.media(kind, token);
            let media = media.ok_or_else(|| ApiError::payload(format!("Invalid token in {kind} attachment")))?;
            state.uploads.check_ready(token)?;
            Attachment::Media(media)
        }
        "sticker" => {
            let code = request.required_object("payload")?.required_text("code")?;
            Attachment::Sticker { code: code.to_owned() }
        }
        "contact" => read_contact(state, request.required_object("payload")?)?,
        "share" => read_share(request.required_object("payload")?)?,
        "location" => Attachment::Location {
            latitude: request.required_number("latitude")?,
            longitude: request.required_number("longitude")?,
        },
        "inline_keyboard" => Attachment::Keyboard(keyboard::read(state, request.required_object("payload")?)?),
        other => return Err(ApiError::body(&format!("attachment type {other} is unknown"))),
    };
    Ok(vec![attachment])
}

/// Reads the photos of a `PhotoAttachmentRequestPayload`: by URL, by token, or from an upload.
pub(crate) fn read_photos(state: &mut State, payload: Fields<'_>) -> Result<Vec<Photo>, ApiError> {
    if let Some(url) = payload.text("url")? {
        if url.trim().is_empty() {
            return Err(ApiError::payload("url: must not be empty"));
        }
        if !reqwest::Url::parse(url).is_ok_and(|url| ["http", "https"].contains(&url.scheme())) {
            return Err(ApiError::payload("url: must start with http:// or https://"));
        }
        return Ok(vec![photo_from(state, url)]);
    }
    if let Some(token) = payload.text("token")? {
        return Ok(vec![photo_of(state, token)?]);
    }
    let mut photos = Vec::new();
    for (_, photo) in payload.object("photos")?.into_iter().flat_map(|photos| photos.0) {
        let token = Fields::of("photos", photo)?.required_text("token")?;
        photos.push(photo_of(state, token)?);
    }
    if photos.is_empty() {
        return Err(ApiError::payload("No photos, url or token provided"));
    }
    Ok(photos)
}

/// Creates a photo with an external URL. TamTam would download it, the sandbox does not.
fn photo_from(state: &mut State, url: &str) -> Photo {
    let token = state.secret("photo");
    let photo = Photo { photo_id: state.issue(), token, url: url.to_owned() };
    state.photos.insert(photo.token.clone(), photo.clone());
    photo
}

fn photo_of(state: &mut State, token: &str) -> Result<Photo, ApiError> {
    let photo = state.photos.get(token).cloned();
    let photo = photo.ok_or_else(|| ApiError::payload("Invalid token in image attachment"))?;
    state.uploads.check_ready(token)?;
    Ok(photo)
}

fn read_contact(state: &State, payload: Fields<'_>) -> Result<Attachment, ApiError> {
    let user = payload.integer("contact_id")?.filter(|user| state.users.contains_key(user));
    let phone = payload.text("vcf_phone")?;
    let name = payload.text("name")?.or_else(|| user.map(|user| state.name(user)));
    let name = name.or(phone.filter(|_| state.service.traits().takes_bare_phones));
    let vcf = match (payload.text("vcf_info")?, name) {
        (Some(vcf), _) => Some(vcf.to_owned()),
        (None, Some(name)) => Some(acts::vcard(name, phone)),
        (None, None) => None,
    };
    if vcf.is_none() {
        return Err(ApiError::payload("No name, contact_id or vcf_info provided"));
    }
    Ok(Attachment::Contact { vcf, user, signed_for: None })
}

fn read_share(payload: Fields<'_>) -> Result<Attachment, ApiError> {
    let url = payload.text("url")?.filter(|url| !url.is_empty()).map(str::to_owned);
    let token = payload.text("token")?.filter(|token| !token.is_empty()).map(str::to_owned);
    if url.is_none() && token.is_none() {
        return Err(ApiError::payload("No url or token provided"));
    }
    Ok(Attachment::Share { url, token })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_attachments_can_only_be_combined_with_a_keyboard() {
        assert!(check_combination(&["image", "image", "video", "inline_keyboard"]).is_ok());
        assert!(check_combination(&["file", "inline_keyboard"]).is_ok());
        let error = check_combination(&["file", "file"]).unwrap_err();
        assert_eq!(error.json()["message"], "Must be only one file attachment in message");
        assert!(check_combination(&["image", "contact"]).is_err());
        assert!(check_combination(&["inline_keyboard", "image", "inline_keyboard"]).is_err());
    }
}
