//! Tolerated mistakes that a schema cannot express: the names in `x-tolerates` of `openapi/tolerance.yaml`.

use serde_json::Value;

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tolerance {
    pub(super) any_content_type: bool,
    pub(super) unknown_parameters: bool,
    pub(super) empty_parameters: bool,
    pub(super) booleans_in_any_case: bool,
    pub(super) encoded_commas: bool,
    pub(super) repeated_lists: bool,
    pub(super) extra_slashes: bool,
}

impl Tolerance {
    pub(super) fn read(names: &Value) -> Self {
        let has = |name: &str| names.as_array().is_some_and(|names| names.iter().any(|one| one == name));
        Self {
            any_content_type: has("any-content-type"),
            unknown_parameters: has("unknown-parameters"),
            empty_parameters: has("empty-parameters"),
            booleans_in_any_case: has("booleans-in-any-case"),
            encoded_commas: has("encoded-commas"),
            repeated_lists: has("repeated-lists"),
            extra_slashes: has("extra-slashes"),
        }
    }
}
