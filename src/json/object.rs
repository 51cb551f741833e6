//! Reads structs only from JSON objects. serde would also accept a list of the fields in order, and even `[]` if all
//! fields are optional.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};

/// A struct whose fields serde can read. Implemented by the generator.
pub(crate) trait Fields: Sized {
    /// Reads the fields.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

/// Reads a struct. Formats that are not self-describing have no objects, so they use the reader of serde.
#[inline]
pub(crate) fn read_object<'de, T: Fields, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    struct OfObject<T>(PhantomData<T>);

    impl<'de, T: Fields> Visitor<'de> for OfObject<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        #[inline]
        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
            T::read(MapAccessDeserializer::new(map))
        }
    }

    if deserializer.is_human_readable() {
        deserializer.deserialize_map(OfObject(PhantomData))
    } else {
        T::read(deserializer)
    }
}
