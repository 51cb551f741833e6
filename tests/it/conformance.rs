//! Whether the sandbox's answers are what the API's document says, judged by a JSON Schema validator on the raw document.
//!
//! Nothing of the crate's own models or generator takes part: they would hide a mistake that both sides share. The
//! document is ours unless `TAMTAM_OPENAPI` names another, such as the official one.

use std::{
    collections::HashMap,
    ops::Deref,
    sync::{Arc, LazyLock, Mutex},
};

use jsonschema::Validator;
use serde_json::{Map, Value, json};
use tamtam::sandbox::{Delivery, Exchange, Sandbox, SandboxBuilder};

use crate::document;

/// The error statuses' body, which the document describes in prose for those it does not list.
const ERROR: &str = "Error";

static SCHEMAS: LazyLock<Schemas> = LazyLock::new(|| Schemas::of(&document::load()));

/// A sandbox whose every answer, and every update that it sends to a webhook, is checked against the document. Dropping
/// it fails the test if one was not right.
pub(crate) struct Checked {
    sandbox: Sandbox,
    /// The test itself shows the token to the upload host.
    pub(crate) leaks_expected: bool,
    faults: Arc<Mutex<Vec<String>>>,
}

/// Starts a sandbox and checks what it answers.
pub(crate) async fn start() -> Checked {
    checked(Sandbox::builder()).await
}

/// The same with settings.
pub(crate) async fn checked(builder: SandboxBuilder) -> Checked {
    let sandbox = builder.start().await;
    let faults = Arc::new(Mutex::new(Vec::new()));
    let found = Arc::clone(&faults);
    sandbox.on_exchange(move |exchange| found.lock().unwrap().extend(faults_of(exchange)));
    let found = Arc::clone(&faults);
    sandbox.on_delivery(move |delivery| found.lock().unwrap().extend(faults_of_delivery(delivery)));
    Checked { sandbox, leaks_expected: false, faults }
}

impl Deref for Checked {
    type Target = Sandbox;

    fn deref(&self) -> &Sandbox {
        &self.sandbox
    }
}

impl Drop for Checked {
    fn drop(&mut self) {
        let faults = self.faults.lock().unwrap();
        if !std::thread::panicking() {
            assert!(faults.is_empty(), "the sandbox's answers do not fit the document:\n{}", faults.join("\n"));
            let leaks = self.sandbox.uploads().leaks();
            assert!(leaks.is_empty() || self.leaks_expected, "the upload host saw the bot's token in {leaks:?}");
        }
    }
}

/// What is wrong with the answer of an exchange.
pub(crate) fn faults_of(exchange: &Exchange) -> Vec<String> {
    // What a test asks for is wrong on purpose.
    if exchange.is_faulty() {
        return Vec::new();
    }
    SCHEMAS.faults(exchange.operation(), exchange.status(), exchange.response_body())
}

/// What is wrong with the update of a delivery.
pub(crate) fn faults_of_delivery(delivery: &Delivery) -> Vec<String> {
    let subject = format!("a webhook got {}", delivery.update());
    SCHEMAS.faults_by(&json!({"$ref": "#/$defs/Update"}), subject, delivery.update().as_bytes())
}

struct Schemas {
    document: Value,
    definitions: Value,
    /// Validators by their schema, since making one takes all definitions.
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Schemas {
    fn of(document: &Value) -> Self {
        let mut definitions = Map::new();
        for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
            let open = schema_of(schema, Place::Parent);
            let closed = match schema.get("discriminator") {
                Some(discriminator) => union(name, discriminator),
                // Keys that the document does not have are mistakes of the sandbox, whatever a client tolerates.
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

    fn faults(&self, operation: Option<&str>, status: u16, body: &[u8]) -> Vec<String> {
        let subject = format!("{} answered {status} {}", operation.unwrap_or("?"), String::from_utf8_lossy(body));
        let schema = match self.schema(operation, status) {
            Some(schema) => schema,
            None if status >= 400 => json!({"$ref": format!("#/$defs/{ERROR}")}),
            None => return vec![format!("{subject}: the document has no such answer")],
        };
        self.faults_by(&schema, subject, body)
    }

    fn faults_by(&self, schema: &Value, subject: String, body: &[u8]) -> Vec<String> {
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

    /// The schema of an answer, by the document.
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

/// Whether a reference is to a whole value, or to what a schema inherits from.
#[derive(Clone, Copy)]
enum Place {
    Value,
    Parent,
}

/// A schema of OpenAPI 3.0 as one of JSON Schema 2020-12.
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
                // A parent is one of several parts; a single part is the value itself, with prose beside it.
                let inside = if inherits { Place::Parent } else { Place::Value };
                let parts = value.as_array().into_iter().flatten();
                schema.insert(key.clone(), parts.map(|part| schema_of(part, inside)).collect());
            }
            // The official document gives a thumbnail the type string beside a reference to an object.
            "type" if object.contains_key("allOf") => {}
            "type" | "enum" | "minimum" | "maximum" | "minLength" | "maxLength" | "minItems" | "maxItems"
            | "uniqueItems" | "pattern" => {
                schema.insert(key.clone(), value.clone());
            }
            "required" => {
                // The official document requires a `link` in `MessageBody`, which has no such property.
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
    // The official document leaves the type away where it goes without saying.
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

/// A union: the tag says which schema the whole value has.
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

fn faults(operation: &str, status: u16, body: Value) -> Vec<String> {
    SCHEMAS.faults(Some(operation), status, body.to_string().as_bytes())
}

fn message() -> Value {
    json!({
        "recipient": {"chat_id": 1, "chat_type": "dialog", "user_id": 2},
        "timestamp": 1,
        "body": {"mid": "m", "seq": 1, "text": null, "attachments": [
            {"payload": {"url": "u", "token": "t", "photo_id": 1}, "type": "image"},
        ]},
    })
}

#[test]
fn the_validator_takes_what_the_document_allows() {
    assert_eq!(faults("getMessageById", 200, message()), [""; 0]);
    assert_eq!(faults("getMyInfo", 401, json!({"code": "c", "message": "m"})), [""; 0]);
    let update = json!({"timestamp": 1, "message": message(), "update_type": "message_created"});
    assert_eq!(faults("getUpdates", 200, json!({"updates": [update], "marker": null})), [""; 0]);
}

#[test]
fn the_validator_can_fail() {
    let broken = |change: fn(&mut Value)| {
        let mut message = message();
        change(&mut message);
        faults("getMessageById", 200, message)
    };
    assert!(!broken(|message| message["extra"] = 1.into()).is_empty(), "an unknown key");
    assert!(!broken(|message| message["timestamp"] = "1".into()).is_empty(), "a wrong type");
    assert!(!broken(|message| message["recipient"] = Value::Null).is_empty(), "null where none is allowed");
    assert!(!broken(|message| message["recipient"]["chat_type"] = "room".into()).is_empty(), "an unknown enum value");
    assert!(!broken(|message| message["body"]["attachments"][0]["type"] = "gif".into()).is_empty(), "an unknown tag");
    assert!(!broken(|message| message["body"]["attachments"][0]["type"] = "video".into()).is_empty(), "a wrong tag");
    assert!(!broken(|message| message["body"]["attachments"][0]["payload"]["x"] = 1.into()).is_empty(), "deep inside");
    assert!(!broken(|message| drop(message.as_object_mut().unwrap().remove("recipient"))).is_empty(), "a missing key");
    assert!(!faults("getMyInfo", 401, json!({"code": "c"})).is_empty(), "an error without a message");
    assert!(!faults("getMyInfo", 201, json!({})).is_empty(), "an answer that the document does not have");
}
