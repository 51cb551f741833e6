//! The meaning of an instance by its schema, which reading and writing must preserve.
//!
//! Null and absent are the same, unknown keys of known objects may be dropped, and numbers are exact. A value that does
//! not fit affects only the smallest optional part around it. That part becomes the default of the overlay, or is
//! absent, or is left out of its list or map. In a union, the JSON text of the part is kept as an unknown value. In a
//! schema that is never received, the whole instance is an error.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value, json, value::RawValue};

use crate::document::{Document, Field, Shape};

/// Returns whether a value can be read as an instance of a schema, possibly without some parts.
pub(crate) fn fits(document: &Document, shape: &Shape, value: &Value) -> bool {
    match (document.resolve(shape), value) {
        // A union accepts every value.
        (Shape::Union(_), _) | (Shape::Boolean, Value::Bool(_)) => true,
        (Shape::Text | Shape::Enum(_), Value::String(_)) | (Shape::Number, Value::Number(_)) => true,
        (Shape::Integer { min, max }, value) => value.as_i64().is_some_and(|value| (*min..=*max).contains(&value)),
        (Shape::List(elements), Value::Array(list)) => {
            elements.received || list.iter().all(|value| fits(document, &elements.shape, value))
        }
        (Shape::Map(elements), Value::Object(map)) => {
            elements.received || map.values().all(|value| fits(document, &elements.shape, value))
        }
        (Shape::Object(fields), Value::Object(object)) => {
            let all_fit = fields.iter().all(|field| {
                field.may_misfit()
                    || match object.get(&field.name) {
                        None => !field.needed,
                        // A union reads a null as an unknown value.
                        Some(Value::Null) if !field.needed => true,
                        Some(value) => fits(document, &field.shape, value),
                    }
            });
            all_fit && !has_nothing(document, fields, object)
        }
        _ => false,
    }
}

/// Returns the part of a fitting value that reading and writing must preserve.
pub(crate) fn meaning(document: &Document, shape: &Shape, value: &Value) -> Value {
    match (document.resolve(shape), value) {
        (Shape::Union(union), Value::Object(object)) => {
            let member = union.member_of(value).map(|member| document.schema(member));
            match member.filter(|member| fits(document, member, value)) {
                Some(member) => {
                    let mut known = meaning(document, member, value);
                    known[&union.tag] = object[&union.tag].clone();
                    known
                }
                None => value.clone(),
            }
        }
        (Shape::Number, Value::Number(number)) => number.as_f64().and_then(Number::from_f64).into(),
        (Shape::List(elements), Value::Array(list)) => {
            let fitting = list.iter().filter(|value| fits(document, &elements.shape, value));
            fitting.map(|value| meaning(document, &elements.shape, value)).collect()
        }
        (Shape::Map(elements), Value::Object(map)) => {
            let fitting = map.iter().filter(|(_, value)| fits(document, &elements.shape, value));
            fitting.map(|(key, value)| (key.clone(), meaning(document, &elements.shape, value))).collect()
        }
        (Shape::Object(fields), Value::Object(object)) => fields
            .iter()
            .filter_map(|field| Some((field, found(document, fields, field, object)?)))
            .map(|(field, value)| (field.name.clone(), meaning(document, &field.shape, &value)))
            .collect(),
        _ => value.clone(),
    }
}

/// Returns whether an object has only defaults, so that it may be of another schema. A member of a union is identified
/// by its tag.
fn has_nothing(document: &Document, fields: &[Field], object: &Map<String, Value>) -> bool {
    let only_defaults = |field: &&Field| field.needed && field.default().is_some() && !field.tagged;
    let needed: Vec<&Field> = fields.iter().filter(|field| field.needed).collect();
    !needed.is_empty()
        && needed.iter().all(only_defaults)
        && fields.iter().all(|field| match (fitting(document, field, object), field.default()) {
            (None, _) => true,
            (Some(value), Some(default)) => {
                meaning(document, &field.shape, value) == meaning(document, &field.shape, default)
            }
            (Some(_), None) => false,
        })
}

/// Returns the value that a property is read as: its own value, the joined one, or its default.
fn found(document: &Document, fields: &[Field], field: &Field, object: &Map<String, Value>) -> Option<Value> {
    let own = fitting(document, field, object);
    let parts: Vec<&str> = (fields.iter().filter(|part| field.join.contains(&part.name)))
        .filter_map(|part| fitting(document, part, object)?.as_str().filter(|text| !text.is_empty()))
        .collect();
    match own {
        None | Some(Value::String(_)) if own.is_none_or(|own| own == "") && !parts.is_empty() => {
            Some(parts.join(" ").into())
        }
        own => own.or(field.default()).cloned(),
    }
}

/// Returns the value of a property, if it is present and fits.
fn fitting<'v>(document: &Document, field: &Field, object: &'v Map<String, Value>) -> Option<&'v Value> {
    let value = object.get(&field.name)?;
    // Only a union can be needed and null: it keeps the null as an unknown value.
    ((field.needed || !value.is_null()) && fits(document, &field.shape, value)).then_some(value)
}

/// Returns the texts of all unknown values of unions, by their places.
pub(crate) fn kept(document: &Document, shape: &Shape, text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    collect_kept(document, shape, serde_json::from_str(text).expect("an instance is JSON"), "", &mut found);
    found
}

fn collect_kept(document: &Document, shape: &Shape, text: &RawValue, at: &str, found: &mut BTreeMap<String, String>) {
    let value = |text: &RawValue| serde_json::from_str::<Value>(text.get()).expect("a part of JSON is JSON");
    let entries = || serde_json::from_str::<BTreeMap<String, &RawValue>>(text.get()).unwrap_or_default();
    match document.resolve(shape) {
        Shape::Union(union) => {
            let value = value(text);
            match union.member_of(&value).map(|member| document.schema(member)) {
                Some(member) if fits(document, member, &value) => collect_kept(document, member, text, at, found),
                _ => drop(found.insert(at.to_owned(), text.get().to_owned())),
            }
        }
        Shape::List(elements) => {
            let list: Vec<&RawValue> = serde_json::from_str(text.get()).unwrap_or_default();
            let fitting = list.into_iter().filter(|text| fits(document, &elements.shape, &value(text)));
            for (index, text) in fitting.enumerate() {
                collect_kept(document, &elements.shape, text, &format!("{at}[{index}]"), found);
            }
        }
        Shape::Map(elements) => {
            for (key, text) in entries().into_iter().filter(|(_, text)| fits(document, &elements.shape, &value(text))) {
                collect_kept(document, &elements.shape, text, &format!("{at}.{key}"), found);
            }
        }
        Shape::Object(fields) => {
            let (object, entries) = (value(text), entries());
            for field in fields {
                let is_there = object.as_object().is_some_and(|object| fitting(document, field, object).is_some());
                if let Some(text) = entries.get(&field.name).filter(|_| is_there) {
                    collect_kept(document, &field.shape, text, &format!("{at}.{}", field.name), found);
                }
            }
        }
        _ => {}
    }
}

/// Returns a description of the first difference between two values. Numbers must be identical to the bit: an integer
/// differs from a float, and 0.0 differs from -0.0.
pub(crate) fn difference(expected: &Value, actual: &Value, at: &str) -> Option<String> {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            let missing = expected.keys().find(|key| !actual.contains_key(*key));
            let added = actual.keys().find(|key| !expected.contains_key(*key));
            match (missing, added) {
                (Some(key), _) => Some(format!("{at}.{key} is missing")),
                (_, Some(key)) => Some(format!("{at}.{key} is new: {}", actual[key])),
                _ => expected.iter().find_map(|(key, value)| difference(value, &actual[key], &format!("{at}.{key}"))),
            }
        }
        (Value::Array(expected), Value::Array(actual)) if expected.len() == actual.len() => {
            let mut pairs = expected.iter().zip(actual).enumerate();
            pairs.find_map(|(index, (expected, actual))| difference(expected, actual, &format!("{at}[{index}]")))
        }
        (Value::Number(expected), Value::Number(actual)) => {
            let bits = |number: &Number| number.as_f64().filter(|_| number.is_f64()).map(f64::to_bits);
            let same = bits(expected) == bits(actual) && (expected.is_f64() || expected == actual);
            (!same).then(|| format!("{at} is {actual}, not {expected}"))
        }
        (expected, actual) => (expected != actual).then(|| format!("{at} is {actual}, not {expected}")),
    }
}

/// Checks [`meaning`] against examples.
#[test]
fn the_measure_gives_the_expected_result_for_bad_values() {
    let document = Document::with_overlays();
    let default = |value: Value| json!({"user_id": 1, "name": value});
    for (schema, value, expected) in [
        ("User", default(json!("A")), Some(default(json!("A")))),
        ("User", default(Value::Null), Some(default(json!("")))),
        ("User", default(json!([])), Some(default(json!("")))),
        ("User", json!({"user_id": 1}), Some(default(json!("")))),
        ("User", json!({"user_id": 1, "name": "A", "is_bot": 1}), Some(default(json!("A")))),
        ("User", json!({"name": "A"}), None),
        ("User", json!([1, "A"]), None),
        ("Message", json!({}), None),
        ("Message", json!({"recipient": {}, "timestamp": 0}), None),
        (
            "Message",
            json!({"recipient": 5, "url": "u"}),
            Some(json!({"recipient": {"chat_type": ""}, "timestamp": 0, "url": "u"})),
        ),
        ("MessageBody", json!({"mid": "m", "seq": null}), Some(json!({"mid": "m", "seq": 0}))),
        ("MessageList", json!({"messages": {}}), None),
        ("ChatMembersList", json!({"members": [5, {"user_id": "x"}, [], null]}), Some(json!({"members": []}))),
        (
            "Keyboard",
            json!({"buttons": [5, [5], [{"type": "link", "text": 5, "url": "u"}]]}),
            Some(json!({"buttons": [[5], [{"type": "link", "text": 5, "url": "u"}]]})),
        ),
        (
            "PhotoAttachmentRequestPayload",
            json!({"photos": {"a": {"token": "t"}, "b": {}, "c": null}, "token": 5}),
            Some(json!({"photos": {"a": {"token": "t"}}})),
        ),
        ("Attachment", json!({"type": "image", "payload": {}}), Some(json!({"type": "image", "payload": {}}))),
        (
            "Attachment",
            json!({"type": "image", "payload": {"url": "u", "token": 5}, "new": 5}),
            Some(json!({"type": "image", "payload": {"url": "u"}})),
        ),
        // These are only sent.
        ("NewMessageBody", json!({"text": "x"}), Some(json!({"text": "x"}))),
        ("NewMessageBody", json!({"text": 5}), None),
        ("UserIdsList", json!({"user_ids": [1, "x"]}), None),
    ] {
        let shape = document.schema(schema);
        let read = fits(&document, shape, &value).then(|| meaning(&document, shape, &value));
        assert_eq!(read, expected, "{schema} {value}");
    }
}
