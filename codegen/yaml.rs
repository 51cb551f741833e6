//! Reads YAML text as JSON values. Errors have a place.

use serde_json::{Map, Number, Value};

use super::error::{Error, Result};

/// Reads a YAML document whose root is a mapping. Keys that are numbers or booleans become strings.
pub(super) fn read(text: &str) -> Result<Value> {
    let value: yaml_serde::Value = yaml_serde::from_str(text).map_err(|error| {
        let place =
            error.location().map_or_else(String::new, |at| format!("line {}, column {}", at.line(), at.column()));
        Error::new(place, format!("not YAML: {error}"))
    })?;
    match to_json(value, "")? {
        root @ Value::Object(_) => Ok(root),
        other => Err(Error::new("", format!("the root is {}, expected a mapping", kind(&other)))),
    }
}

fn to_json(value: yaml_serde::Value, place: &str) -> Result<Value> {
    use yaml_serde::Value as Yaml;
    Ok(match value {
        Yaml::Null => Value::Null,
        Yaml::Bool(flag) => Value::Bool(flag),
        Yaml::String(text) => Value::String(text),
        Yaml::Number(number) => {
            let integer = number.as_i64().map(Number::from).or_else(|| number.as_u64().map(Number::from));
            let number = integer.or_else(|| number.as_f64().and_then(Number::from_f64));
            Value::Number(number.ok_or_else(|| Error::new(place, "a number that JSON cannot hold"))?)
        }
        Yaml::Sequence(items) => Value::Array(
            items
                .into_iter()
                .enumerate()
                .map(|(index, item)| to_json(item, &format!("{place}[{index}]")))
                .collect::<Result<_>>()?,
        ),
        Yaml::Mapping(mapping) => {
            let mut object = Map::new();
            for (key, value) in mapping {
                let key = match key {
                    Yaml::String(key) => key,
                    Yaml::Number(key) => key.to_string(),
                    Yaml::Bool(key) => key.to_string(),
                    _ => return Err(Error::new(place, "a key that is not a string")),
                };
                let place = join(place, &key);
                let value = to_json(value, &place)?;
                // `200` and `'200'` are different keys in YAML, but the same key in JSON.
                if object.insert(key, value).is_some() {
                    return Err(Error::new(place, "occurs twice"));
                }
            }
            Value::Object(object)
        }
        Yaml::Tagged(tagged) => {
            return Err(Error::new(place, format!("the YAML tag {} is not supported", tagged.tag)));
        }
    })
}

/// Appends a key to a dotted place.
pub(super) fn join(place: &str, key: &str) -> String {
    if place.is_empty() { key.to_owned() } else { format!("{place}.{key}") }
}

/// The kind of a value, for messages.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}
