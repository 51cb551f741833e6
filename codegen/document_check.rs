//! Checks the shape of a document: mappings, lists and strings at the places that the generator reads.
//!
//! The rest of the generator reads with defaults (`entries`, `items`, `text`, `flag`). Without this check, `paths: 5`
//! would be a document without paths.

use serde_json::Value;

use super::{
    error::{Error, Result},
    yaml::{join, kind},
};

/// The required type of a value.
enum Shape {
    Any,
    Text,
    Flag,
    Number,
    List(&'static Shape),
    Map(&'static Shape),
    /// A mapping with keys of these shapes. Other keys are ignored.
    Fields(&'static [(&'static str, &'static Shape)]),
    /// `additionalProperties`: a schema, or a boolean.
    FlagOr(&'static Shape),
}

use Shape::{Any, Fields, Flag, FlagOr, List, Map, Number, Text};

static DOCUMENT: Shape = Fields(&[
    ("openapi", &Text),
    ("info", &Fields(&[("title", &Text), ("version", &Text)])),
    ("externalDocs", &Fields(&[("url", &Text)])),
    ("paths", &Map(&PATH)),
    ("components", &COMPONENTS),
    ("x-example-frame", &Text),
    ("x-service", &SERVICE),
    ("x-services", &List(&SERVICE)),
]);

static COMPONENTS: Shape = Fields(&[
    ("schemas", &Map(&SCHEMA)),
    ("parameters", &Map(&PARAMETER)),
    ("requestBodies", &Map(&BODY)),
    ("responses", &Map(&BODY)),
]);

static PATH: Shape = Fields(&[
    ("get", &OPERATION),
    ("put", &OPERATION),
    ("post", &OPERATION),
    ("delete", &OPERATION),
    ("patch", &OPERATION),
    ("head", &OPERATION),
    ("options", &OPERATION),
    ("parameters", &List(&PARAMETER)),
]);

static OPERATION: Shape = Fields(&[
    ("operationId", &Text),
    ("summary", &Text),
    ("description", &Text),
    ("parameters", &List(&PARAMETER)),
    ("requestBody", &BODY),
    ("responses", &Map(&BODY)),
    ("x-example", &Text),
    ("x-example-frame", &Text),
    ("x-exactly-one-of", &List(&Text)),
    ("x-paced-by", &List(&Text)),
    ("x-retry", &Text),
    ("x-services", &List(&Text)),
    ("x-since", &Map(&Text)),
]);

static PARAMETER: Shape = Fields(&[
    ("$ref", &Text),
    ("name", &Text),
    ("in", &Text),
    ("description", &Text),
    ("required", &Flag),
    ("schema", &SCHEMA),
    ("x-hold", &Flag),
    ("x-needed", &Flag),
    ("x-services", &List(&Text)),
    ("x-since", &Map(&Text)),
]);

/// The body of a request or a response.
static BODY: Shape =
    Fields(&[("$ref", &Text), ("description", &Text), ("content", &Map(&Fields(&[("schema", &SCHEMA)])))]);

static SCHEMA: Shape = Fields(&[
    ("$ref", &Text),
    ("type", &Text),
    ("format", &Text),
    ("description", &Text),
    ("nullable", &Flag),
    ("enum", &List(&Any)),
    ("properties", &Map(&SCHEMA)),
    ("required", &List(&Text)),
    ("additionalProperties", &FlagOr(&SCHEMA)),
    ("items", &SCHEMA),
    ("allOf", &List(&SCHEMA)),
    ("discriminator", &Fields(&[("propertyName", &Text), ("mapping", &Map(&Text))])),
    ("minLength", &Number),
    ("maxLength", &Number),
    ("minimum", &Number),
    ("maximum", &Number),
    ("minItems", &Number),
    ("maxItems", &Number),
    ("uniqueItems", &Flag),
    ("x-id", &Text),
    ("x-tag-of", &Text),
    ("x-at-least-one-of", &List(&Text)),
    ("x-boxed", &Flag),
    ("x-check", &Text),
    ("x-key", &Flag),
    ("x-secret", &Text),
    ("x-default", &Any),
    ("x-acknowledgement", &Fields(&[("success", &Text), ("message", &Text), ("code", &Text)])),
    ("x-accessors", &Map(&ACCESSOR)),
    ("x-join", &List(&Text)),
    ("x-keyboard", &Flag),
    ("x-mentions", &Text),
    ("x-name", &Text),
    ("x-example", &Text),
    ("x-tag-example", &Text),
    ("x-needed", &Flag),
    ("x-same-as", &Text),
    ("x-services", &List(&Text)),
    ("x-services-by-value", &Map(&List(&Text))),
    ("x-since", &Map(&Text)),
]);

static ACCESSOR: Shape =
    Fields(&[("description", &Text), ("paths", &List(&Text)), ("type", &Text), ("cow", &Flag), ("internal", &Flag)]);

/// The facts about a service, see `src/service.rs`.
static SERVICE: Shape = Fields(&[
    ("name", &Text),
    ("description", &Text),
    ("reference", &Text),
    ("base_url", &Text),
    ("token_source", &Text),
    ("token_parameter", &Text),
    ("token_header", &Text),
    ("version_parameter", &Text),
    ("root_certificate", &Text),
    ("webhook_secret_header", &Text),
    ("links", &Text),
    ("start_link", &Text),
    ("app_link", &Text),
    ("share_link", &Text),
    ("mention", &Text),
    ("text", &Number),
    ("keyboard_buttons", &Number),
    ("keyboard_rows", &Number),
    ("row_buttons", &Number),
    ("wide_row_buttons", &Number),
    ("wide_buttons", &List(&Text)),
    ("image_bytes", &Number),
    ("video_bytes", &Number),
    ("audio_bytes", &Number),
    ("file_bytes", &Number),
    ("requests_per_second", &Number),
    ("chat_requests_per_second", &Number),
    ("polls_per_second", &Number),
]);

/// The extensions above. An overlay must not set others: a misspelt extension would have no effect.
pub(super) const EXTENSIONS: [&str; 24] = [
    "x-accessors",
    "x-acknowledgement",
    "x-at-least-one-of",
    "x-boxed",
    "x-check",
    "x-default",
    "x-exactly-one-of",
    "x-example",
    "x-example-frame",
    "x-hold",
    "x-id",
    "x-join",
    "x-key",
    "x-keyboard",
    "x-mentions",
    "x-name",
    "x-needed",
    "x-paced-by",
    "x-retry",
    "x-same-as",
    "x-secret",
    "x-service",
    "x-tag-example",
    "x-tag-of",
];

/// Fails at the first value that does not have the required type.
pub(super) fn check(document: &Value) -> Result<()> {
    check_value(document, &DOCUMENT, "")?;
    match document.get("openapi").and_then(Value::as_str) {
        Some(version) if version.starts_with("3.0") => Ok(()),
        Some(version) => Err(Error::new("openapi", format!("is {version}, the generator reads 3.0"))),
        None => Err(Error::new("openapi", "missing: not an OpenAPI document")),
    }
}

fn check_value(value: &Value, shape: &Shape, place: &str) -> Result<()> {
    let expected = match (shape, value) {
        (Any, _) | (Text, Value::String(_)) | (Flag | FlagOr(_), Value::Bool(_)) | (Number, Value::Number(_)) => {
            return Ok(());
        }
        (FlagOr(shape), Value::Object(_)) => return check_value(value, shape, place),
        (List(shape), Value::Array(list)) => {
            return list
                .iter()
                .enumerate()
                .try_for_each(|(index, item)| check_value(item, shape, &format!("{place}[{index}]")));
        }
        (Map(shape), Value::Object(object)) => {
            return object.iter().try_for_each(|(key, value)| check_value(value, shape, &join(place, key)));
        }
        (Fields(fields), Value::Object(object)) => {
            return fields.iter().try_for_each(|(key, shape)| match object.get(*key) {
                Some(value) => check_value(value, shape, &join(place, key)),
                None => Ok(()),
            });
        }
        (Text, _) => "a string",
        (Flag, _) => "true or false",
        (Number, _) => "a number",
        (List(_), _) => "a list",
        (Map(_) | Fields(_) | FlagOr(_), _) => "a mapping",
    };
    Err(Error::new(place, format!("is {}, expected {expected}", kind(value))))
}
