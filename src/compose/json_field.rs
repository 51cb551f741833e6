//! Values of the bot's own in the fields that come back to it, as JSON.
//!
//! The document limits these fields in characters, and servers count in units of their own; a value within the limit by
//! its bytes is within it by any count.

use std::borrow::Cow;

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    error::{Error, Kind, Result},
    redaction::printable,
    validation::{Invalid, Place},
};

/// The limit of a callback's payload, in bytes.
pub(crate) const CALLBACK_BYTES: usize = 1024;
/// The limit of the state of a constructor session, in bytes.
pub(crate) const DATA_BYTES: usize = 8192;

/// A value as the text of a field of at most so many bytes.
pub(crate) fn write(value: &impl Serialize, field: &str, limit: usize) -> Result<String> {
    let fail = |problem| Err(Error::new(Kind::Invalid(Invalid::new(&Place::root(field), problem))));
    match serde_json::to_string(value) {
        Ok(json) if json.len() <= limit => Ok(json),
        Ok(json) => fail(format!("has {} bytes of JSON, the limit is {limit}: keep the rest elsewhere", json.len())),
        Err(error) => fail(format!("cannot be written as JSON: {error}")),
    }
}

/// The value that a field has; a field that is missing is `null`.
pub(crate) fn read<T: DeserializeOwned>(text: Option<&str>, field: &'static str) -> Result<T> {
    serde_json::from_str(text.unwrap_or("null")).map_err(|source| {
        // It quotes what came back from a person's messenger.
        let source = match printable(&source.to_string()) {
            Cow::Borrowed(_) => source,
            Cow::Owned(words) => serde::de::Error::custom(words),
        };
        Error::new(Kind::Payload { field, source })
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn a_value_fits_to_the_byte_and_is_refused_past_it() {
        // Two quotes, and two bytes a letter.
        let fits = "ы".repeat(511);
        let json = write(&fits, "payload", CALLBACK_BYTES).unwrap();
        assert_eq!(json.len(), 1024);
        assert_eq!(read::<String>(Some(&json), "payload").unwrap(), fits);
        let error = write(&"ы".repeat(512), "payload", CALLBACK_BYTES).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert_eq!(
            error.to_string(),
            "not sent: payload has 1026 bytes of JSON, the limit is 1024: keep the rest elsewhere"
        );
    }

    #[test]
    fn what_is_no_json_is_refused() {
        let map = BTreeMap::from([((1, 2), 3)]);
        let error = write(&map, "data", DATA_BYTES).unwrap_err().to_string();
        assert_eq!(error, "not sent: data cannot be written as JSON: key must be a string");
    }

    #[test]
    fn a_field_that_is_missing_is_none_or_an_error() {
        assert_eq!(read::<Option<u32>>(None, "payload").unwrap(), None);
        let error = read::<u32>(None, "payload").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Payload);
        assert!(error.to_string().starts_with("the payload is not what was expected: invalid type: null"), "{error}");
        assert!(read::<u32>(Some("yes"), "payload").unwrap_err().kind() == ErrorKind::Payload);
    }
}
