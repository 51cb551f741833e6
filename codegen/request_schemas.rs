//! Collects the schemas of requests as one JSON value, by which the sandbox validates requests at run time.
//!
//! `{"operations": {operationId: {"parameters": [...], "body": schema}}, "schemas": {...}, "tolerates": [...]}`. The
//! schemas contain only the keywords that a request can violate.

use serde_json::{Map, Value, json};

use super::{
    error::{Error, Result},
    node::{at, entries, flag, items, resolve, text},
};

/// The extension with the tolerances that a schema cannot express.
pub(super) const TOLERATES: &str = "x-tolerates";

/// The known tolerances.
const TOLERANCES: [&str; 7] = [
    "any-content-type",
    "unknown-parameters",
    "empty-parameters",
    "booleans-in-any-case",
    "encoded-commas",
    "repeated-lists",
    "extra-slashes",
];

/// The keywords of a schema that are copied unchanged.
const PLAIN: [&str; 14] = [
    "$ref",
    "type",
    "format",
    "nullable",
    "enum",
    "required",
    "discriminator",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minimum",
    "maximum",
    "pattern",
];

/// Reads a document to which the tolerance has been applied.
pub(super) fn read(document: &Value) -> Result<Value> {
    let mut operations = Map::new();
    for (_, path) in entries(document, "paths") {
        for operation in path.as_object().into_iter().flat_map(Map::values) {
            if let Some(name) = text(operation, "operationId") {
                operations.insert(name.to_owned(), request(document, path, operation));
            }
        }
    }
    let schemas = document.get("components").into_iter().flat_map(|components| entries(components, "schemas"));
    let schemas: Map<_, _> = schemas.map(|(name, node)| (name.clone(), schema(node))).collect();
    let tolerates: Vec<_> = items(document, TOLERATES).collect();
    if let Some(unknown) = tolerates.iter().find(|name| !name.as_str().is_some_and(|name| TOLERANCES.contains(&name))) {
        return Err(Error::new(TOLERATES, format!("names {unknown}, which is not a tolerance of the sandbox")));
    }
    Ok(json!({ "operations": operations, "schemas": schemas, "tolerates": tolerates }))
}

fn request(document: &Value, path: &Value, operation: &Value) -> Value {
    let parameter = |node: &Value| {
        let node = resolve(document, node);
        json!({
            "name": node["name"],
            "in": node["in"],
            "required": flag(node, "required"),
            "schema": schema(&node["schema"]),
        })
    };
    let parameters = items(path, "parameters").chain(items(operation, "parameters"));
    let parameters: Vec<_> = parameters.map(parameter).collect();
    let body = operation.get("requestBody").map(|body| resolve(document, body));
    let body = body.and_then(|body| at(body, &["content", "application/json", "schema"])).map(schema);
    json!({ "parameters": parameters, "body": body })
}

/// Reduces a schema to the keywords that a request can violate.
fn schema(node: &Value) -> Value {
    let mut reduced = Map::new();
    for (key, value) in node.as_object().into_iter().flatten() {
        let value = match key.as_str() {
            "properties" => entries(node, key).map(|(name, node)| (name.clone(), schema(node))).collect(),
            "allOf" => items(node, key).map(schema).collect(),
            "items" => schema(value),
            "additionalProperties" if value.is_object() => schema(value),
            key if PLAIN.contains(&key) => value.clone(),
            _ => continue,
        };
        reduced.insert(key.clone(), value);
    }
    reduced.into()
}
