//! Requests judged by the API's document: what it does not allow is refused before an operation sees it.
//!
//! `build.rs` leaves what the document says of requests, and what `openapi/tolerance.yaml` allows beyond it, as JSON.
//! What only the state can tell (whether a chat is there, a token is good) is the operations' business.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::protocol::error::ApiError;

mod parameter;
mod schema;
mod tolerance;

use parameter::Parameter;
use schema::{Schemas, What, Wrong};
use tolerance::Tolerance;

static DOCUMENT: LazyLock<Document> = LazyLock::new(|| Document::read(tamtam::internals::REQUEST_SCHEMAS));

const JSON: &str = "application/json";
/// Parameters that every operation has, though the document does not repeat them.
const EVERYWHERE: [&str; 2] = ["access_token", "v"];
/// How much of a wrong value a message repeats, in characters.
const QUOTED: usize = 100;

/// A request as it came, but for its path.
pub(crate) struct Asked<'a> {
    pub(crate) operation: &'a str,
    /// Decoded parameters of the path.
    pub(crate) path: &'a [(&'static str, String)],
    /// As it stands in the URL.
    pub(crate) query: &'a str,
    pub(crate) content_type: Option<&'a str>,
    pub(crate) body: &'a [u8],
}

/// Refuses what the document does not allow, by the name of the field.
pub(crate) fn check(asked: &Asked<'_>) -> Result<(), ApiError> {
    DOCUMENT.check(asked)
}

/// The operations of the document.
#[cfg(test)]
pub(crate) fn operations() -> impl Iterator<Item = &'static str> {
    DOCUMENT.operations.keys().map(String::as_str)
}

/// What the document says of requests.
struct Document {
    operations: BTreeMap<String, Operation>,
    schemas: Schemas,
    tolerance: Tolerance,
}

struct Operation {
    parameters: Vec<Parameter>,
    body: Option<Value>,
}

impl Document {
    fn read(json: &str) -> Self {
        let mut document: Value = serde_json::from_str(json).unwrap_or_default();
        let operations = match document["operations"].take() {
            Value::Object(operations) => operations,
            _ => Map::new(),
        };
        let operations = operations.into_iter().map(|(name, mut operation)| {
            let parameters = operation["parameters"].as_array().into_iter().flatten().map(Parameter::read).collect();
            let body = Some(operation["body"].take()).filter(|body| !body.is_null());
            (name, Operation { parameters, body })
        });
        let operations = operations.collect();
        let schemas = Schemas::new(document["schemas"].take());
        Self { operations, schemas, tolerance: Tolerance::read(&document["tolerates"]) }
    }

    fn check(&self, asked: &Asked<'_>) -> Result<(), ApiError> {
        let Some(operation) = self.operations.get(asked.operation) else { return Ok(()) };
        let query = read_query(asked.query);
        if !self.tolerance.unknown_parameters {
            let known = |name: &str| operation.parameters.iter().any(|one| one.is_in_query() && one.name == name);
            let unknown = query.iter().find(|(name, _)| !known(name) && !EVERYWHERE.contains(&name.as_str()));
            unknown.map_or(Ok(()), |(name, _)| Err(ApiError::payload(format!("{name}: no such parameter"))))?;
        }
        for parameter in &operation.parameters {
            let given = parameter.find(asked.path, &query);
            parameter.check(&given, &self.schemas, self.tolerance).map_err(in_parameter)?;
        }
        let Some(schema) = &operation.body else { return Ok(()) };
        if !self.tolerance.any_content_type && !asked.content_type.is_some_and(|kind| kind.starts_with(JSON)) {
            return Err(ApiError::payload(format!("Content-Type: must be {JSON}")));
        }
        let body: Map<String, Value> = serde_json::from_slice(asked.body).map_err(|_| ApiError::body(""))?;
        self.schemas.check(schema, &body.into(), "").map_err(in_body)
    }
}

/// The parameters with their values as they stand in the URL: a comma may be encoded there.
fn read_query(query: &str) -> Vec<(String, &str)> {
    let decode = |name: &str| percent_decode_str(name).decode_utf8_lossy().into_owned();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(name, value)| (decode(name), value)).collect()
}

/// What is said of a parameter.
fn in_parameter(Wrong { path, what }: Wrong) -> ApiError {
    match what {
        What::Missing => ApiError::payload(format!("{path}: must not be empty")),
        What::Type { expected, value } => ApiError::payload(format!("{path}: {} is not {expected}", quote(&value))),
        What::Unknown(value) => ApiError::payload(format!("{path}: {} is unknown", quote(&value))),
        limits => in_limits(&path, &limits),
    }
}

/// What is said of a field of the body.
fn in_body(Wrong { path, what }: Wrong) -> ApiError {
    match what {
        What::Missing => ApiError::payload(format!("Missing {path}")),
        What::Type { expected, .. } => ApiError::body(&format!("{path} is not {expected}")),
        What::Unknown(value) => ApiError::body(&format!("{path} {} is unknown", quote(&value))),
        limits => in_limits(&path, &limits),
    }
}

/// What is said of limits, wherever they are.
fn in_limits(path: &str, what: &What) -> ApiError {
    match *what {
        What::Size { least, most } => ApiError::size(path, least, most),
        What::Range { least, most } => ApiError::range(path, least, most),
        _ => ApiError::payload(path),
    }
}

fn quote(value: &str) -> String {
    value.chars().take(QUOTED).collect()
}

#[cfg(test)]
mod tests;
