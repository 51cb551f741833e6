//! JSON values in fields that the service returns to the bot, such as the payload of a callback.
//!
//! The document limits these fields in characters, and servers may count in other units. A value within the limit in
//! bytes is within the limit in every unit.

use std::borrow::Cow;

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    error::{Error, Reason, Result},
    redaction::printable,
    validation::{Invalid, Place},
};

/// The limit of a callback's payload, in bytes.
pub(crate) const CALLBACK_BYTES: usize = 1024;
/// The limit of the state of a constructor session, in bytes.
pub(crate) const DATA_BYTES: usize = 8192;

/// Writes a value as JSON of at most `limit` bytes.
pub(crate) fn write(value: &impl Serialize, field: &str, limit: usize) -> Result<String> {
    let fail = |problem| Err(Error::new(Reason::Invalid(Invalid::new(&Place::root(field), problem))));
    match serde_json::to_string(value) {
        Ok(json) if json.len() <= limit => Ok(json),
        Ok(json) => fail(format!("has {} bytes of JSON, the limit is {limit}: keep the rest elsewhere", json.len())),
        Err(error) => fail(format!("cannot be written as JSON: {error}")),
    }
}

/// Reads the value of a field. A missing field is read as `null`.
pub(crate) fn read<T: DeserializeOwned>(text: Option<&str>, field: &'static str) -> Result<T> {
    serde_json::from_str(text.unwrap_or("null")).map_err(|source| {
        // The error may quote the field, which comes from the client of a user.
        let source = match printable(&source.to_string()) {
            Cow::Borrowed(_) => source,
            Cow::Owned(words) => serde::de::Error::custom(words),
        };
        Error::new(Reason::Payload { field, source })
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn a_value_of_the_maximum_length_is_accepted_and_a_longer_one_refused() {
        // Two quotes, and two bytes per letter.
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
    fn a_value_that_cannot_be_json_is_refused() {
        let map = BTreeMap::from([((1, 2), 3)]);
        let error = write(&map, "data", DATA_BYTES).unwrap_err().to_string();
        assert_eq!(error, "not sent: data cannot be written as JSON: key must be a string");
    }

    #[test]
    fn a_missing_field_is_none_or_an_error() {
        assert_eq!(read::<Option<u32>>(None, "payload").unwrap(), None);
        let error = read::<u32>(None, "payload").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Payload);
        assert!(error.to_string().starts_with("the payload is not what was expected: invalid type: null"), "{error}");
        assert!(read::<u32>(Some("yes"), "payload").unwrap_err().kind() == ErrorKind::Payload);
    }
}
