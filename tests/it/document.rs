//! The API's document, raw.

use serde_json::Value;

/// Our document, or the one that `TAMTAM_OPENAPI` names.
pub(crate) fn load() -> Value {
    let path = std::env::var("TAMTAM_OPENAPI")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/openapi/tamtam.yaml").to_owned());
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read {path}: {error}"));
    yaml_serde::from_str(&text).unwrap_or_else(|error| panic!("{path} is not YAML: {error}"))
}
