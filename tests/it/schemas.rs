//! A JSON Schema validator of API messages, made from the raw document.
//!
//! It does not use the models or the generator of the crate, which would hide a mistake that both sides share. Each
//! service has a validator of its document. `tests/conformance` uses the validators, too.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex},
};

use jsonschema::Validator;
use serde_json::{Map, Value, json};
use tamtam::Service;

use crate::document;

/// The schema of error bodies. For statuses that the document does not list, it specifies this schema in prose.
const ERROR: &str = "Error";

/// Returns the validator of the document of a service.
pub(crate) fn schemas(service: &Service) -> &'static Schemas {
    static TAMTAM: LazyLock<Schemas> = LazyLock::new(|| Schemas::of(&document::load("tamtam")));
    static MAX: LazyLock<Schemas> = LazyLock::new(|| Schemas::of(&document::load("max")));
    if *service == Service::Max { &MAX } else { &TAMTAM }
}

pub(crate) struct Schemas {
    document: Value,
    definitions: Value,
    /// A cache of validators by their schema, because compiling one includes all definitions.
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Schemas {
    fn of(document: &Value) -> Self {
        let mut definitions = Map::new();
        for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
            let open = schema_of(schema, Place::Parent);
            let closed = match schema.get("discriminator") {
                Some(discriminator) => union(name, discriminator),
                // Clients tolerate unknown keys, but in an answer of the sandbox they are mistakes.
                None if schema.get("properties").is_some() || schema.get("allOf").is_some() => {
                    json!({"$ref": format!("#/$defs/{name}__open"), "unevaluatedProperties": false})
                }
                None => json!({"$ref": format!("#/$defs/{name}__open")}),
            };
            definitions.insert(format!("{name}__open"), open);
            definitions.insert(name.clone(), closed);
        }
        Self { document: document.clone(), definitions: definitions.into(), validators: Mutex::default() }
    }

    /// Returns the errors in an answer to this operation.
    pub(crate) fn faults(&self, operation: Option<&str>, status: u16, body: &[u8]) -> Vec<String> {
        let subject = format!("{} answered {status} {}", operation.unwrap_or("?"), String::from_utf8_lossy(body));
        let schema = match self.schema(operation, status) {
            Some(schema) => schema,
            None if status >= 400 => json!({"$ref": format!("#/$defs/{ERROR}")}),
            None => return vec![format!("{subject}: the document has no such answer")],
        };
        self.faults_by(&schema, subject, body)
    }

    /// Returns the errors in a body by this schema.
    pub(crate) fn faults_by(&self, schema: &Value, subject: String, body: &[u8]) -> Vec<String> {
        let Ok(body) = serde_json::from_slice::<Value>(body) else { return vec![format!("{subject}: not JSON")] };
        let validator = self.validator(schema);
        validator.iter_errors(&body).map(|error| format!("{subject}: {error} at {}", error.instance_path())).collect()
    }

    fn validator(&self, schema: &Value) -> Arc<Validator> {
        let mut validators = self.validators.lock().unwrap();
        let validator = validators.entry(schema.to_string()).or_insert_with(|| {
            let whole = json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "allOf": [schema],
                "$defs": self.definitions,
            });
            Arc::new(jsonschema::validator_for(&whole).expect("the document's schemas are schemas"))
        });
        Arc::clone(validator)
    }

    /// Returns the schema of an answer from the document.
    fn schema(&self, operation: Option<&str>, status: u16) -> Option<Value> {
        let paths = self.document["paths"].as_object()?;
        let methods = paths.values().filter_map(Value::as_object).flatten();
        let (_, operation) = methods.into_iter().find(|(_, node)| node["operationId"].as_str() == operation)?;
        let response = self.resolve(operation["responses"].get(status.to_string())?);
        Some(schema_of(&response["content"]["application/json"]["schema"], Place::Value))
    }

    fn resolve<'a>(&'a self, node: &'a Value) -> &'a Value {
        match node["$ref"].as_str().and_then(|target| self.document.pointer(target.trim_start_matches('#'))) {
            Some(target) => self.resolve(target),
            None => node,
        }
    }
}

/// The target of a reference: a whole value, or a parent that a schema inherits from.
#[derive(Clone, Copy)]
enum Place {
    Value,
    Parent,
}

/// Converts a schema of OpenAPI 3.0 to JSON Schema 2020-12.
fn schema_of(node: &Value, place: Place) -> Value {
    let Some(object) = node.as_object() else { return node.clone() };
    if let Some(target) = node["$ref"].as_str() {
        let name = target.rsplit('/').next().unwrap_or_default();
        return match place {
            Place::Value => json!({"$ref": format!("#/$defs/{name}")}),
            Place::Parent => json!({"$ref": format!("#/$defs/{name}__open")}),
        };
    }
    let inherits = object.get("properties").is_some()
        || object.get("allOf").and_then(Value::as_array).is_some_and(|parts| parts.len() > 1);
    let mut schema = Map::new();
    for (key, value) in object {
        match key.as_str() {
            "properties" => {
                let properties = value.as_object().into_iter().flatten();
                let properties: Map<_, _> =
                    properties.map(|(name, node)| (name.clone(), schema_of(node, Place::Value))).collect();
                schema.insert(key.clone(), properties.into());
            }
            "items" | "additionalProperties" => {
                schema.insert(key.clone(), schema_of(value, Place::Value));
            }
            "allOf" => {
                // Several parts are parents. A single part is the value itself, with a description beside it.
                let inside = if inherits { Place::Parent } else { Place::Value };
                let parts = value.as_array().into_iter().flatten();
                schema.insert(key.clone(), parts.map(|part| schema_of(part, inside)).collect());
            }
            // In the official document, a thumbnail has `type: string` beside a reference to an object.
            "type" if object.contains_key("allOf") => {}
            "type" | "enum" | "minimum" | "maximum" | "minLength" | "maxLength" | "minItems" | "maxItems"
            | "uniqueItems" | "pattern" => {
                schema.insert(key.clone(), value.clone());
            }
            "required" => {
                // The official document requires `link` in `MessageBody`, which has no such property.
                let names = value.as_array().into_iter().flatten();
                let known = names.filter(|name| {
                    let name = name.as_str().unwrap_or_default();
                    object.get("properties").is_some_and(|properties| properties.get(name).is_some())
                });
                schema.insert(key.clone(), known.cloned().collect());
            }
            _ => {}
        }
    }
    // The official document omits the type where the other keys imply it.
    for (sign, kind) in [("properties", "object"), ("items", "array")] {
        if schema.contains_key(sign) {
            schema.entry("type").or_insert_with(|| kind.into());
        }
    }
    match object.get("format").and_then(Value::as_str) {
        Some("int32") => {
            schema.extend([("minimum".to_owned(), i32::MIN.into()), ("maximum".to_owned(), i32::MAX.into())])
        }
        Some("int64") => {
            schema.extend([("minimum".to_owned(), i64::MIN.into()), ("maximum".to_owned(), i64::MAX.into())])
        }
        _ => {}
    }
    if node["nullable"] == true { json!({"anyOf": [{"type": "null"}, schema]}) } else { schema.into() }
}

/// Returns the schema of a union: the tag selects the schema of the whole value.
fn union(name: &str, discriminator: &Value) -> Value {
    let tag = discriminator["propertyName"].as_str().unwrap_or_default();
    let mapping: Vec<(&String, &str)> = discriminator["mapping"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(value, target)| {
            (value, target.as_str().and_then(|target| target.rsplit('/').next()).unwrap_or_default())
        })
        .collect();
    let tags: Vec<&String> = mapping.iter().map(|(value, _)| *value).collect();
    let variants: Vec<Value> = mapping
        .iter()
        .map(|(value, schema)| {
            json!({
                "if": {"properties": {tag: {"const": value}}, "required": [tag]},
                "then": {"$ref": format!("#/$defs/{schema}__open")},
            })
        })
        .collect();
    json!({
        "$ref": format!("#/$defs/{name}__open"),
        "properties": {tag: {"enum": tags}},
        "required": [tag],
        "allOf": variants,
        "unevaluatedProperties": false,
    })
}
