//! A call of an operation: the calling bot and the parameters. The parameters were validated, and are read with the
//! same tolerance.

use std::sync::Weak;

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::protocol::error::ApiError;
use crate::state::ids::UserId;

#[derive(Debug)]
pub(crate) struct Call {
    /// The bot that the token belongs to.
    pub(crate) bot: UserId,
    /// Decoded parameters of the path.
    pub(crate) path: Vec<(&'static str, String)>,
    /// Decoded parameters of the query.
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Bytes,
    /// The connection of the request. Dangling after the connection is closed.
    pub(crate) connection: Weak<()>,
}

impl Call {
    /// Returns a text parameter of the path.
    pub(crate) fn path_text(&self, name: &str) -> &str {
        self.path.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    }

    /// Returns a number in the path.
    pub(crate) fn path_integer(&self, name: &str) -> Result<i64, ApiError> {
        integer(name, self.path_text(name))
    }

    /// Returns a text parameter of the query. `None` if it is missing or empty.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    pub(crate) fn required_text(&self, name: &str) -> Result<&str, ApiError> {
        let text = self.text(name).filter(|text| !text.trim().is_empty());
        text.ok_or_else(|| ApiError::payload(format!("{name}: must not be empty")))
    }

    /// Returns a number in the query. `None` if it is missing, empty or `null`.
    pub(crate) fn integer(&self, name: &str) -> Result<Option<i64>, ApiError> {
        let text = self.text(name).filter(|text| *text != "null");
        text.map(|text| integer(name, text)).transpose()
    }

    pub(crate) fn required_integer(&self, name: &str) -> Result<i64, ApiError> {
        self.integer(name)?.ok_or_else(|| ApiError::payload(format!("{name}: must not be empty")))
    }

    /// Returns a number in the query, from 0 to 65535.
    pub(crate) fn count(&self, name: &str, default: u16) -> Result<u16, ApiError> {
        let number = self.integer(name)?.unwrap_or_else(|| default.into());
        u16::try_from(number).map_err(|_| ApiError::range(name, 0, u16::MAX.into()))
    }

    /// Returns a list in the query: items separated by commas, or a repeated parameter. Empty items are left out.
    pub(crate) fn list(&self, name: &str) -> Vec<&str> {
        let values = self.query.iter().filter(|(key, _)| key == name);
        let items = values.flat_map(|(_, value)| value.split(','));
        items.map(str::trim).filter(|item| !item.is_empty()).collect()
    }

    /// Returns a list of numbers in the query.
    pub(crate) fn integers(&self, name: &str) -> Result<Vec<i64>, ApiError> {
        self.list(name).into_iter().map(|item| integer(name, item)).collect()
    }

    /// Returns a boolean in the query. Defaults to `false`. The case is ignored, because Python clients write `True`.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, ApiError> {
        match self.text(name) {
            None => Ok(false),
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(true),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(false),
            Some(text) => Err(ApiError::payload(format!("{name}: {text} is not a boolean"))),
        }
    }

    /// Returns the body. Fails if it is not a JSON object. The `Content-Type` is ignored.
    pub(crate) fn body(&self) -> Result<Map<String, Value>, ApiError> {
        serde_json::from_slice(&self.body).map_err(|_| ApiError::body(""))
    }
}

fn integer(name: &str, text: &str) -> Result<i64, ApiError> {
    text.trim().parse().map_err(|_| ApiError::payload(format!("{name}: {text} is not a number")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(query: &[(&str, &str)]) -> Call {
        let query = query.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Call { bot: 0, path: Vec::new(), query: query.collect(), body: Bytes::new(), connection: Weak::new() }
    }

    #[test]
    fn an_empty_parameter_counts_as_missing() {
        let call = call(&[("marker", ""), ("message_ids", ""), ("block", "")]);
        assert_eq!(call.integer("marker"), Ok(None));
        assert_eq!(call.list("message_ids"), Vec::<&str>::new());
        assert_eq!(call.flag("block"), Ok(false));
    }

    #[test]
    fn booleans_are_read_in_any_case() {
        assert_eq!(call(&[("block", "True")]).flag("block"), Ok(true));
        assert_eq!(call(&[("block", "false")]).flag("block"), Ok(false));
        assert!(call(&[("block", "1")]).flag("block").is_err());
    }

    #[test]
    fn the_error_of_an_invalid_number_names_the_parameter() {
        let error = call(&[("marker", "abc")]).integer("marker").unwrap_err();
        assert_eq!(error.status(), 400);
        assert!(error.json()["message"].as_str().unwrap().starts_with("marker: "));
    }

    #[test]
    fn a_count_has_a_default_and_is_small() {
        assert_eq!(call(&[]).count("limit", 100), Ok(100));
        assert_eq!(call(&[("limit", "1000")]).count("limit", 100), Ok(1000));
        for limit in ["-1", "70000"] {
            assert!(call(&[("limit", limit)]).count("limit", 100).is_err());
        }
    }

    #[test]
    fn reads_lists_with_commas_and_repeated_parameters() {
        let call = call(&[("types", "a,b"), ("types", "c,")]);
        assert_eq!(call.list("types"), ["a", "b", "c"]);
    }
}
