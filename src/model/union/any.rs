//! A value's JSON from whatever holds the value.

use std::{cell::RefCell, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, IntoDeserializer, MapAccess, Visitor, value::StringDeserializer},
    forward_to_deserialize_any,
};
use serde_json::{Map, Value, value::RawValue};

/// Reads JSON as it is written where it can be had. What serde keeps for `flatten` and untagged enums, and maps that
/// stand for an object, know no text: then it is written anew.
pub(crate) fn raw<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Box<RawValue>, D::Error> {
    let kept = RefCell::new(None);
    let read = Box::<RawValue>::deserialize(Source { inner: deserializer, token: "", kept: &kept });
    match kept.into_inner() {
        Some(value) => serde_json::value::to_raw_value(&value).map_err(D::Error::custom),
        None => read,
    }
}

/// A deserializer for a `RawValue`, or the visitor of one.
struct Source<'a, T> {
    inner: T,
    /// The name by which a `RawValue` asks for text; a map with this key has it.
    token: &'static str,
    /// The value, where there is no text.
    kept: &'a RefCell<Option<Value>>,
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Source<'_, D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_any(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        token: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_newtype_struct(token, Source { inner: visitor, token, kept: self.kept })
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

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<V::Value, A::Error> {
        let first = map.next_key::<String>()?;
        if first.as_deref() == Some(self.token) {
            return self.inner.visit_map(Begun { first, map });
        }
        let mut object = Map::new();
        let mut next = first;
        while let Some(key) = next {
            object.insert(key, map.next_value()?);
            next = map.next_key()?;
        }
        self.keep(object.into())
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.keep(Value::deserialize(deserializer)?)
    }
}

impl<V> Source<'_, V> {
    fn keep<T, E: Error>(self, value: Value) -> Result<T, E> {
        *self.kept.borrow_mut() = Some(value);
        Err(E::custom("the value is kept"))
    }
}

/// A map whose first key was looked at.
struct Begun<A> {
    first: Option<String>,
    map: A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Begun<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        match self.first.take() {
            Some(key) => {
                let key: StringDeserializer<A::Error> = key.into_deserializer();
                seed.deserialize(key).map(Some)
            }
            None => self.map.next_key_seed(seed),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}
