//! Reads the JSON of a value from any deserializer. The JSON is unchanged if it is read from text, else it is
//! serialized again.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};
use serde_json::{Map, Value};

/// The newtype name for which `serde_json` returns the text of a value. If `serde_json` renames it, this module
/// serializes the value again: the JSON is equivalent, but the text may differ.
const RAW_VALUE: &str = "$serde_json::private::RawValue";

/// Reads any value as JSON. Text is kept unchanged. Values that serde buffers have no text: those in `flatten`, and in
/// untagged and internally tagged enums.
pub(crate) fn raw<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Cow<'de, str>, D::Error> {
    deserializer.deserialize_newtype_struct(RAW_VALUE, AnyValue)
}

struct AnyValue;

/// A string that is borrowed if possible.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Visitor<'de> for AnyValue {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut key: Option<String> = map.next_key()?;
        if key.as_deref() == Some(RAW_VALUE) {
            return map.next_value().map(|Text(text)| text);
        }
        let mut object = Map::new();
        while let Some(name) = key {
            object.insert(name, map.next_value()?);
            key = map.next_key()?;
        }
        write(&object.into())
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        write(&Value::deserialize(deserializer)?)
    }
}

fn write<E: Error>(value: &Value) -> Result<Cow<'static, str>, E> {
    serde_json::to_string(value).map(Cow::Owned).map_err(E::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Raw(String);

    impl<'de> Deserialize<'de> for Raw {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            raw(deserializer).map(|raw| Self(raw.into_owned()))
        }
    }

    #[test]
    fn keeps_text_unchanged() {
        for json in [r#"{ "b" : 1.0, "a" : [ ] }"#, "[1,  2]", "null", "1e3", r#""\u0041""#] {
            assert_eq!(serde_json::from_str::<Raw>(json).unwrap().0, json);
            assert_eq!(serde_json::from_reader::<_, Raw>(json.as_bytes()).unwrap().0, json);
        }
    }

    #[test]
    fn serializes_values_without_text() {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Buffered {
            Raw(Raw),
        }
        for json in [r#"{"a":[]}"#, "[1,2]", "null", "1000.0", r#""A""#] {
            let Buffered::Raw(raw) = serde_json::from_str(json).unwrap();
            assert_eq!(raw.0, json);
            let value: Value = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::from_value::<Raw>(value).unwrap().0, json);
        }
    }
}
