//! A value's JSON from whatever holds the value.

use std::{cell::RefCell, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
    forward_to_deserialize_any,
};
use serde_json::value::RawValue;

/// Reads JSON as it is written where it can be had. serde keeps what it reads for `flatten` and untagged enums in a form
/// of its own, which knows no text: then it is written anew.
pub(crate) fn raw<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Box<RawValue>, D::Error> {
    let kept = RefCell::new(None);
    let read = Box::<RawValue>::deserialize(Source { inner: deserializer, kept: &kept });
    match kept.into_inner() {
        Some(value) => serde_json::value::to_raw_value(&value).map_err(D::Error::custom),
        None => read,
    }
}

struct Source<'a, T> {
    inner: T,
    kept: &'a RefCell<Option<serde_json::Value>>,
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Source<'_, D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_any(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_newtype_struct(name, Source { inner: visitor, kept: self.kept })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq
        tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Source<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.inner.visit_map(map)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        *self.kept.borrow_mut() = Some(serde_json::Value::deserialize(deserializer)?);
        Err(D::Error::custom("it is kept"))
    }
}
