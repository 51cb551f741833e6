//! Parsing of the upload host's response, regardless of its content type: tokens, a `retval`, or an error.

use std::collections::BTreeMap;

use http::StatusCode;
use serde::de::Error as _;
use serde_json::{Map, Value};
use serde_with::DeserializeAs as _;

use crate::{
    api::types::{PhotoToken, UploadType},
    error::Reason,
    json::{read, tolerance::Each},
};

/// The tokens that attach an uploaded file to a message.
#[derive(Debug, Clone, PartialEq)]
pub enum FileTokens {
    /// The photos of an upload, by the keys that the host returned.
    Photos(BTreeMap<String, PhotoToken>),
    /// A single token.
    One(String),
}

/// Reads the response to an upload of this kind. `given`: the token that came with the upload URL.
pub(super) fn read_tokens(
    kind: &UploadType,
    status: StatusCode,
    body: &str,
    given: Option<&str>,
) -> Result<FileTokens, Reason> {
    let body = body.trim_start_matches('\u{feff}').trim();
    let misfit = |problem: &str| Reason::Decode { status, source: serde_json::Error::custom(problem) };
    let given = given.filter(|token| !token.is_empty()).map(|token| FileTokens::One(token.to_owned()));
    match retval(body) {
        Some("1") => {
            return given.ok_or_else(|| misfit("the host has the file, but no token came with the URL"));
        }
        Some(other) => return Err(Reason::Refused(format!("the upload host answered retval {other}").into())),
        None => {}
    }
    let answer: Map<String, Value> = read::read(body).map_err(|source| Reason::Decode { status, source })?;
    if let Some(photos) = answer.get("photos").filter(|photos| *kind == UploadType::Image && photos.is_object()) {
        let photos: BTreeMap<String, PhotoToken> =
            <Each>::deserialize_as(photos).map_err(|source| Reason::Decode { status, source })?;
        if !photos.is_empty() {
            return Ok(FileTokens::Photos(photos));
        }
    }
    if let Some(token) = answer.get("token").and_then(Value::as_str).filter(|token| !token.is_empty()) {
        return Ok(FileTokens::One(token.to_owned()));
    }
    let words = complaint(&answer);
    if words.is_some() || answer.get("success") == Some(&Value::Bool(false)) {
        return Err(Reason::Refused(words.into()));
    }
    given.ok_or_else(|| misfit("the response has no token"))
}

/// Returns the value in `<retval>..</retval>`. `None` if the response has no such element.
fn retval(body: &str) -> Option<&str> {
    let (_, rest) = body.strip_prefix('<').and(body.split_once("<retval>"))?;
    rest.split_once("</retval>").map(|(value, _)| value.trim())
}

/// Returns the error in a response with a success status.
fn complaint(answer: &Map<String, Value>) -> Option<String> {
    let text = |name: &str| match answer.get(name)? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    let code = text("error_code").or_else(|| text("code")).or_else(|| text("error"));
    let message = text("error_msg").or_else(|| text("message")).or_else(|| text("error_data"));
    match (code, message) {
        (Some(code), Some(message)) => Some(format!("{code}: {message}")),
        (code, message) => code.or(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(kind: UploadType, body: &str, given: Option<&str>) -> Result<FileTokens, Reason> {
        read_tokens(&kind, StatusCode::OK, body, given)
    }

    fn one(token: &str) -> FileTokens {
        FileTokens::One(token.to_owned())
    }

    #[test]
    fn a_photo_that_cannot_be_read_does_not_affect_the_others() {
        let body = r#"{"photos":{"a":{"token":"t"},"b":{"token":null},"c":5}}"#;
        let FileTokens::Photos(photos) = answer(UploadType::Image, body, None).unwrap() else { panic!() };
        assert_eq!(
            photos.into_iter().map(|(key, photo)| (key, photo.token)).collect::<Vec<_>>(),
            [("a".into(), "t".into())]
        );
    }

    #[test]
    fn a_response_that_is_nearly_json_is_read() {
        for body in ["{\"token\":\"t\",\"name\":\"a\u{1}\"}", r#"{"token":"t","size":NaN,"name":"\ud83d"}"#] {
            assert_eq!(answer(UploadType::File, body, None).unwrap(), one("t"), "{body}");
        }
    }

    #[test]
    fn all_photos_keep_their_keys() {
        let body = r#"{"photos": {"a+b/c==": {"token": "t1"}, "/+=": {"token": "t2"}}}"#;
        let FileTokens::Photos(photos) = answer(UploadType::Image, body, None).unwrap() else { panic!() };
        let pairs: Vec<_> = photos.iter().map(|(key, photo)| (key.as_str(), photo.token.as_str())).collect();
        assert_eq!(pairs, [("/+=", "t2"), ("a+b/c==", "t1")]);
    }

    #[test]
    fn a_token_comes_from_the_response_or_with_the_url() {
        assert_eq!(answer(UploadType::File, r#"{"fileId": 5, "token": "t"}"#, None).unwrap(), one("t"));
        assert_eq!(answer(UploadType::Video, r#"{"token": "t"}"#, Some("given")).unwrap(), one("t"));
        assert_eq!(answer(UploadType::Video, "{}", Some("given")).unwrap(), one("given"));
        for body in [
            "<retval>1</retval>",
            "\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<retval>1</retval>\n",
            "<response><retval> 1 </retval></response>",
        ] {
            assert_eq!(answer(UploadType::Audio, body, Some("given")).unwrap(), one("given"));
            assert!(matches!(answer(UploadType::Audio, body, None), Err(Reason::Decode { .. })));
        }
    }

    #[test]
    fn an_error_with_a_success_status_is_an_error() {
        for (body, words) in [
            ("<retval>0</retval>", "retval 0"),
            ("<retval></retval>", "retval "),
            (r#"{"error_code": 4, "error_msg": "UPLOAD_FAIL", "error_data": null}"#, "4: UPLOAD_FAIL"),
            (r#"{"code": "upload.error", "message": "too big"}"#, "upload.error: too big"),
            (r#"{"error": "no"}"#, "no"),
        ] {
            for kind in [UploadType::Image, UploadType::Video] {
                match answer(kind, body, Some("given")) {
                    Err(Reason::Refused(told)) => assert!(told.to_string().contains(words), "{told}"),
                    other => panic!("{body}: {other:?}"),
                }
            }
        }
    }

    #[test]
    fn success_false_is_a_refusal_even_if_a_token_came_with_the_url() {
        let refused = answer(UploadType::Video, r#"{"success": false}"#, Some("given"));
        assert!(matches!(&refused, Err(Reason::Refused(told)) if told.message.is_none()), "{refused:?}");
        let refused = answer(UploadType::Video, r#"{"success": false, "message": "too big"}"#, Some("given"));
        assert!(matches!(&refused, Err(Reason::Refused(told)) if told.to_string() == "too big"), "{refused:?}");
        assert_eq!(answer(UploadType::Video, r#"{"success": true}"#, Some("given")).unwrap(), one("given"));
    }

    #[test]
    fn an_unexpected_response_is_a_decode_error() {
        for body in ["", "<html>Welcome to the hotel</html>", "token", "[1]", "5"] {
            assert!(matches!(answer(UploadType::File, body, Some("given")), Err(Reason::Decode { .. })), "{body}");
        }
        for body in [r#"{"photos": {}}"#, r#"{"photos": {"a": {}}}"#, r#"{"token": ""}"#, r#"{"token": 5}"#] {
            assert!(matches!(answer(UploadType::Image, body, None), Err(Reason::Decode { .. })), "{body}");
        }
    }
}
