//! Validates requests by the API's document, before an operation runs.
//!
//! `build.rs` writes the request schemas of the document as JSON, with the exceptions in `openapi/tolerance.yaml`.
//! Operations check everything that depends on the state, such as whether a chat exists.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::protocol::error::ApiError;
use crate::protocol::service::Service;

mod parameter;
mod schema;
mod tolerance;

use parameter::Parameter;
use schema::{Schemas, What, Wrong};
use tolerance::Tolerance;

/// The documents by name.
static DOCUMENTS: LazyLock<BTreeMap<String, Document>> = LazyLock::new(|| {
    let documents = serde_json::from_str(tamtam::internals::REQUEST_SCHEMAS);
    let documents: Map<String, Value> = documents.expect("the build script writes JSON");
    documents.into_iter().map(|(name, document)| (name, Document::read(document))).collect()
});

const JSON: &str = "application/json";
/// Query parameters of every operation, which the document does not repeat.
const EVERYWHERE: [&str; 2] = ["access_token", "v"];
/// The maximum length of a wrong value in an error message, in characters.
const QUOTED: usize = 100;

/// The parts of a request that are validated.
pub(crate) struct Asked<'a> {
    pub(crate) operation: &'a str,
    /// Decoded parameters of the path.
    pub(crate) path: &'a [(&'static str, String)],
    /// The query in the URL, not decoded.
    pub(crate) query: &'a str,
    pub(crate) content_type: Option<&'a str>,
    pub(crate) body: &'a [u8],
}

/// Refuses a request that the document of the service does not allow. The error names the field.
pub(crate) fn check(service: Service, asked: &Asked<'_>) -> Result<(), ApiError> {
    document(service).check(asked)
}

fn document(service: Service) -> &'static Document {
    DOCUMENTS.get(service.traits().document).expect("the build script reads the document of every service")
}

/// Whether paths may have extra slashes.
pub(crate) fn takes_extra_slashes(service: Service) -> bool {
    document(service).tolerance.extra_slashes
}

/// Returns the names of the operations in the document.
#[cfg(test)]
pub(crate) fn operations(service: Service) -> impl Iterator<Item = &'static str> {
    document(service).operations.keys().map(String::as_str)
}

/// The request schemas of a document.
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
    fn read(mut document: Value) -> Self {
        let schemas = Schemas::new(&mut document);
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
        if let Some((name, value)) = asked.path.iter().find(|(_, value)| is_placeholder(value)) {
            let message = format!("{name}: {} is a placeholder: replace it with a value", quote(value));
            return Err(ApiError::payload(message));
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

/// Splits a query into parameters. Values are not decoded, because commas in them may be encoded.
fn read_query(query: &str) -> Vec<(String, &str)> {
    let decode = |name: &str| percent_decode_str(name).decode_utf8_lossy().into_owned();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(name, value)| (decode(name), value)).collect()
}

/// Whether a value is a placeholder that the client did not replace, as in `/videos/{video_token}`.
fn is_placeholder(value: &str) -> bool {
    value.starts_with('{') && value.ends_with('}')
}

/// Returns the error for a parameter.
fn in_parameter(Wrong { path, what }: Wrong) -> ApiError {
    match what {
        What::Missing => ApiError::payload(format!("{path}: must not be empty")),
        What::Type { expected, value } => ApiError::payload(format!("{path}: {} is not {expected}", quote(&value))),
        What::Unknown(value) => ApiError::payload(format!("{path}: {} is unknown", quote(&value))),
        limits => in_limits(&path, &limits),
    }
}

/// Returns the error for a field of the body.
fn in_body(Wrong { path, what }: Wrong) -> ApiError {
    match what {
        What::Missing => ApiError::payload(format!("Missing {path}")),
        What::Type { expected, .. } => ApiError::body(&format!("{path} is not {expected}")),
        What::Unknown(value) => ApiError::body(&format!("{path} {} is unknown", quote(&value))),
        limits => in_limits(&path, &limits),
    }
}

/// Returns the error for an exceeded limit, in a parameter or in the body.
fn in_limits(path: &str, what: &What) -> ApiError {
    match *what {
        What::Size { least, most } => ApiError::size(path, least, most),
        What::Range { least, most } => ApiError::range(path, least, most),
        What::Pattern(ref pattern) => ApiError::payload(format!("{path}: must match \"{pattern}\"")),
        _ => ApiError::payload(path),
    }
}

fn quote(value: &str) -> String {
    value.chars().take(QUOTED).collect()
}

#[cfg(test)]
mod tests;
