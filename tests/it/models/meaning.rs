//! What an instance says, by its schema: the measure that reading and writing must leave as it is.
//!
//! Null and absent are one, unknown keys of known objects may go, numbers are exact. What stands in a union and cannot
//! be read as one of its members is kept, to the letter.

use std::collections::BTreeMap;

use serde_json::{Number, Value, value::RawValue};

use crate::document::{Document, Shape};

/// Whether a value is an instance of a schema.
pub(crate) fn fits(document: &Document, shape: &Shape, value: &Value) -> bool {
    match (document.resolve(shape), value) {
        // Whatever it is, a union has a place for it.
        (Shape::Union(_), _) | (Shape::Boolean, Value::Bool(_)) => true,
        (Shape::Text | Shape::Enum(_), Value::String(_)) | (Shape::Number, Value::Number(_)) => true,
        (Shape::Integer { min, max }, value) => value.as_i64().is_some_and(|value| (*min..=*max).contains(&value)),
        (Shape::List(element), Value::Array(list)) => list.iter().all(|value| fits(document, element, value)),
        (Shape::Map(element), Value::Object(map)) => map.values().all(|value| fits(document, element, value)),
        (Shape::Object(fields), Value::Object(object)) => fields.iter().all(|field| match object.get(&field.name) {
            None => !field.needed,
            // A union takes a null as a value that it does not know.
            Some(Value::Null) if !field.needed => true,
            Some(value) => fits(document, &field.shape, value),
        }),
        _ => false,
    }
}

/// What of an instance must be there after reading and writing it.
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
        (Shape::List(element), Value::Array(list)) => {
            list.iter().map(|value| meaning(document, element, value)).collect()
        }
        (Shape::Map(element), Value::Object(map)) => {
            map.iter().map(|(key, value)| (key.clone(), meaning(document, element, value))).collect()
        }
        (Shape::Object(fields), Value::Object(object)) => fields
            .iter()
            .filter_map(|field| Some((field, object.get(&field.name)?)))
            // Only a union can be needed and null: it keeps the null like anything else that it does not know.
            .filter(|(field, value)| field.needed || !value.is_null())
            .map(|(field, value)| (field.name.clone(), meaning(document, &field.shape, value)))
            .collect(),
        _ => value.clone(),
    }
}

/// The text of all that stands in a union and is not one of its members, by its place.
pub(crate) fn kept(document: &Document, shape: &Shape, text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    collect_kept(document, shape, serde_json::from_str(text).expect("an instance is JSON"), "", &mut found);
    found
}

fn collect_kept(document: &Document, shape: &Shape, text: &RawValue, at: &str, found: &mut BTreeMap<String, String>) {
    let entries = || serde_json::from_str::<BTreeMap<String, &RawValue>>(text.get()).unwrap_or_default();
    match document.resolve(shape) {
        Shape::Union(union) => {
            let value: Value = serde_json::from_str(text.get()).expect("a part of JSON is JSON");
            match union.member_of(&value).map(|member| document.schema(member)) {
                Some(member) if fits(document, member, &value) => collect_kept(document, member, text, at, found),
                _ => drop(found.insert(at.to_owned(), text.get().to_owned())),
            }
        }
        Shape::List(element) => {
            let list: Vec<&RawValue> = serde_json::from_str(text.get()).unwrap_or_default();
            for (index, text) in list.into_iter().enumerate() {
                collect_kept(document, element, text, &format!("{at}[{index}]"), found);
            }
        }
        Shape::Map(element) => {
            for (key, text) in entries() {
                collect_kept(document, element, text, &format!("{at}.{key}"), found);
            }
        }
        Shape::Object(fields) => {
            let entries = entries();
            for field in fields {
                if let Some(text) = entries.get(&field.name).filter(|text| field.needed || text.get() != "null") {
                    collect_kept(document, &field.shape, text, &format!("{at}.{}", field.name), found);
                }
            }
        }
        _ => {}
    }
}

/// The first place where two values are not the same, and how. Numbers are the same when they are so to the bit: an
/// integer is not a float, and 0.0 is not -0.0.
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
