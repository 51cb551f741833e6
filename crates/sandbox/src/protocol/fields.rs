//! Reads the fields of a JSON object in a request. `null` counts as absent.
//!
//! Requests are already validated by the document, limits included. A field of the wrong type still gives an error with
//! the name of the field.

use serde_json::{Map, Value};

use crate::protocol::error::ApiError;

#[derive(Clone, Copy)]
pub(crate) struct Fields<'a>(pub(crate) &'a Map<String, Value>);

impl<'a> Fields<'a> {
    /// Returns the fields of a value. Fails if the value is not an object.
    pub(crate) fn of(name: &str, value: &'a Value) -> Result<Self, ApiError> {
        value.as_object().map(Self).ok_or_else(|| wrong(name, "an object"))
    }

    pub(crate) fn text(self, name: &str) -> Result<Option<&'a str>, ApiError> {
        self.read(name, "a string", Value::as_str)
    }

    pub(crate) fn required_text(self, name: &str) -> Result<&'a str, ApiError> {
        self.text(name)?.ok_or_else(|| missing(name))
    }

    pub(crate) fn integer(self, name: &str) -> Result<Option<i64>, ApiError> {
        self.read(name, "an integer", Value::as_i64)
    }

    pub(crate) fn required_integer(self, name: &str) -> Result<i64, ApiError> {
        self.integer(name)?.ok_or_else(|| missing(name))
    }

    pub(crate) fn required_number(self, name: &str) -> Result<f64, ApiError> {
        self.read(name, "a number", Value::as_f64)?.ok_or_else(|| missing(name))
    }

    pub(crate) fn flag(self, name: &str) -> Result<Option<bool>, ApiError> {
        self.read(name, "a boolean", Value::as_bool)
    }

    pub(crate) fn list(self, name: &str) -> Result<Option<&'a [Value]>, ApiError> {
        self.read(name, "an array", |value| value.as_array().map(Vec::as_slice))
    }

    pub(crate) fn object(self, name: &str) -> Result<Option<Self>, ApiError> {
        self.read(name, "an object", |value| value.as_object().map(Self))
    }

    pub(crate) fn required_object(self, name: &str) -> Result<Self, ApiError> {
        self.object(name)?.ok_or_else(|| missing(name))
    }

    fn read<T>(
        self,
        name: &str,
        expected: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, ApiError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => read(value).map(Some).ok_or_else(|| wrong(name, expected)),
        }
    }
}

fn wrong(name: &str, expected: &str) -> ApiError {
    ApiError::body(&format!("{name} is not {expected}"))
}

fn missing(name: &str) -> ApiError {
    ApiError::payload(format!("Missing {name}"))
}
