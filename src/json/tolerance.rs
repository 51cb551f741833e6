//! Reads fields of received structs. If a value does not fit, only the smallest optional part around it is dropped.
//!
//! The generator adds these adapters for [`serde_with::As`] to the fields. They work like `DefaultOnError` and
//! `VecSkipError` of `serde_with`, but read the field's text instead of buffering its value. A buffered value has no
//! text for [`Unknown`](crate::types::Unknown) and no place for the log event, and buffering also slows down valid
//! input. When reading in one pass, the adapters do nothing.

use std::{collections::BTreeMap, marker::PhantomData};

use serde::{Deserialize, Deserializer, de::Error};
use serde_json::value::RawValue;
use serde_with::{DeserializeAs, Same};

use super::{
    misfit,
    raw::raw,
    read::{in_one_pass, is_in_one_pass},
};

/// Reads an optional value. `None` if it does not fit.
pub(crate) struct OrNone<U = Same>(PhantomData<U>);

impl<'de, T, U: for<'a> DeserializeAs<'a, T>> DeserializeAs<'de, Option<T>> for OrNone<U> {
    #[inline]
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
        if is_strict(&deserializer) {
            return Option::<U>::deserialize_as(deserializer);
        }
        let json = raw(deserializer)?;
        Ok(read_as::<_, Option<U>>(&json).unwrap_or_else(|error| {
            misfit::record(&json, &error);
            None
        }))
    }
}

/// Reads a list or map, without the elements that do not fit.
pub(crate) struct Each<U = Same>(PhantomData<U>);

impl<'de, T, U: for<'a> DeserializeAs<'a, T>> DeserializeAs<'de, Vec<T>> for Each<U> {
    #[inline]
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
        if is_strict(&deserializer) {
            return Vec::<U>::deserialize_as(deserializer);
        }
        let json = raw(deserializer)?;
        let elements: Vec<&RawValue> = part(&json)?;
        Ok(elements.into_iter().filter_map(fitting::<_, U>).collect())
    }
}

impl<'de, T, U: for<'a> DeserializeAs<'a, T>> DeserializeAs<'de, BTreeMap<String, T>> for Each<U> {
    #[inline]
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, T>, D::Error> {
        if is_strict(&deserializer) {
            return BTreeMap::<Same, U>::deserialize_as(deserializer);
        }
        let json = raw(deserializer)?;
        let entries: BTreeMap<String, &RawValue> = part(&json)?;
        Ok(entries.into_iter().filter_map(|(key, value)| Some((key, fitting::<_, U>(value)?))).collect())
    }
}

/// Reads a required property with a default (`x-default`), which is used if the property is missing or does not fit.
pub(crate) struct OrDefault<P>(PhantomData<P>);

/// A property with a default. Implemented by the generator.
pub(crate) trait DefaultValue {
    type Value;
    /// The schema and the property, such as `User.name`.
    const PROPERTY: &'static str;
    fn value() -> Self::Value;
}

impl<'de, T, P> DeserializeAs<'de, T> for OrDefault<P>
where
    T: for<'a> Deserialize<'a>,
    P: DefaultValue<Value = T>,
{
    #[inline]
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        if is_strict(&deserializer) {
            return T::deserialize(deserializer);
        }
        let json = raw(deserializer)?;
        Ok(read_as::<_, Same>(&json).unwrap_or_else(|error| {
            misfit::record(&json, &error);
            P::value()
        }))
    }
}

/// Returns the default of a missing property.
pub(crate) fn missing<P: DefaultValue>() -> P::Value {
    misfit::record_missing(P::PROPERTY);
    P::value()
}

/// Returns a string, or its parts joined by spaces if the string is missing or empty. If the parts are also empty,
/// returns the string unchanged.
pub(crate) fn joined<const N: usize>(own: Option<String>, parts: [Option<&str>; N]) -> Option<String> {
    if own.as_ref().is_some_and(|text| !text.is_empty()) {
        return own;
    }
    let parts: Vec<&str> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { own } else { Some(parts.join(" ")) }
}

/// Placeholder for a missing joined string, until its parts are read. No server sends this value.
const NOT_THERE: &str = "\0not there";

/// Returns the placeholder for a missing joined string.
pub(crate) fn not_there() -> String {
    NOT_THERE.to_owned()
}

/// Returns the new value of a joined string. `None` if the string does not change. A missing string without parts is a
/// misfit.
#[inline]
pub(crate) fn joined_or_missing<const N: usize>(
    property: &'static str,
    own: &str,
    parts: [Option<&str>; N],
) -> Option<String> {
    // Almost all names start with another byte.
    match own.as_bytes().first() {
        Some(first) if *first != NOT_THERE.as_bytes()[0] => None,
        _ => joined_or_missing_slowly(property, own, parts),
    }
}

#[cold]
fn joined_or_missing_slowly<const N: usize>(
    property: &'static str,
    own: &str,
    parts: [Option<&str>; N],
) -> Option<String> {
    let is_there = own != NOT_THERE;
    if is_there && !own.is_empty() {
        return None;
    }
    let joined = joined(None, parts);
    if joined.is_none() && !is_there {
        misfit::record_missing(property);
        return Some(String::new());
    }
    joined
}

/// Returns the error for an object without a property that fits.
#[cold]
pub(crate) fn nothing_fits<E: Error>() -> E {
    E::custom("an object without any of the expected properties")
}

/// Returns whether to read strictly. Formats that are not self-describing have no text to read part by part.
fn is_strict<'de>(deserializer: &impl Deserializer<'de>) -> bool {
    is_in_one_pass() || !deserializer.is_human_readable()
}

/// Returns the element. `None` if it does not fit.
fn fitting<T, U: for<'a> DeserializeAs<'a, T>>(element: &RawValue) -> Option<T> {
    let json = element.get();
    read_as::<T, U>(json).inspect_err(|error| misfit::record(json, error)).ok()
}

fn read_as<T, U: for<'a> DeserializeAs<'a, T>>(json: &str) -> serde_json::Result<T> {
    let read = || U::deserialize_as(&mut serde_json::Deserializer::from_str(json));
    in_one_pass(read).or_else(|_| read())
}

/// Reads a part of a text. The error has no position in the part, because serde_json adds its position in the whole
/// text.
fn part<'a, T: Deserialize<'a>, E: Error>(json: &'a str) -> Result<T, E> {
    serde_json::from_str(json).map_err(|error| E::custom(misfit::reason(&error)))
}

#[cfg(test)]
mod tests {
    use serde_with::As;

    use super::*;
    use crate::json::read::read_text;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Outer {
        id: i64,
        #[serde(default, deserialize_with = "As::<OrNone>::deserialize")]
        inner: Option<Inner>,
        #[serde(default, deserialize_with = "As::<OrNone<Each>>::deserialize")]
        list: Option<Vec<i64>>,
        #[serde(default, deserialize_with = "As::<OrNone<Each<Each>>>::deserialize")]
        rows: Option<Vec<Vec<i64>>>,
        #[serde(default, deserialize_with = "As::<OrNone<Each>>::deserialize")]
        map: Option<BTreeMap<String, i64>>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Inner {
        id: i64,
        #[serde(default = "missing::<InnerName>", deserialize_with = "As::<OrDefault<InnerName>>::deserialize")]
        name: String,
    }

    struct InnerName;

    impl DefaultValue for InnerName {
        type Value = String;
        const PROPERTY: &'static str = "Inner.name";

        fn value() -> String {
            "?".to_owned()
        }
    }

    /// Returns the read value, and the paths and reasons of the misfits.
    fn read(json: &str) -> (Outer, Vec<String>) {
        let (outer, misfits) =
            read_text(json, |json| in_one_pass(|| serde_json::from_str(json)).or_else(|_| serde_json::from_str(json)))
                .unwrap();
        (outer, misfits.words())
    }

    fn outer() -> Outer {
        Outer { id: 1, inner: None, list: None, rows: None, map: None }
    }

    #[test]
    fn an_optional_value_that_does_not_fit_is_none() {
        let (read, misfits) = read(r#"{"inner":{"id":"x","name":"n"},"list":[1],"id":1,"map":5}"#);
        assert_eq!(read, Outer { list: Some(vec![1]), ..outer() });
        assert_eq!(
            misfits,
            ["inner.id: invalid type: string, expected i64", "map: invalid type: integer, expected a map"]
        );
    }

    #[test]
    fn an_element_that_does_not_fit_is_left_out() {
        let (read, misfits) =
            read("{\"id\":1,\n\"list\":[1,\"x\",3],\"rows\":[[1,[]],5,[2]],\"map\":{\"a\":1,\"b\":null}}");
        let map = BTreeMap::from([("a".to_owned(), 1)]);
        assert_eq!(
            read,
            Outer { list: Some(vec![1, 3]), rows: Some(vec![vec![1], vec![2]]), map: Some(map), ..outer() }
        );
        let paths: Vec<&str> = misfits.iter().filter_map(|misfit| Some(misfit.split_once(": ")?.0)).collect();
        assert_eq!(paths, ["list[1]", "rows[0][1]", "rows[1]", "map.b"]);
    }

    #[test]
    fn a_required_property_that_is_missing_or_does_not_fit_has_its_default() {
        for (name, misfit) in [
            ("", "Inner.name: missing"),
            (r#","name":null"#, "inner.name: invalid type: null, expected a string"),
            (r#","name":[]"#, "inner.name: invalid type: sequence, expected a string"),
        ] {
            let (read, misfits) = read(&format!(r#"{{"id":1,"inner":{{"id":2{name}}}}}"#));
            assert_eq!(read, Outer { inner: Some(Inner { id: 2, name: "?".to_owned() }), ..outer() });
            assert_eq!(misfits, [misfit]);
        }
    }

    #[test]
    fn a_required_property_that_does_not_fit_is_an_error() {
        for json in [r#"{"list":[1]}"#, r#"{"id":"x"}"#, "5"] {
            assert!(serde_json::from_str::<Outer>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn a_value_is_read_the_same_without_its_text() {
        let json = r#"{"id":1,"inner":{"id":2,"name":5},"list":[1,"x"]}"#;
        let value: serde_json::Value = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::from_value::<Outer>(value).unwrap(), read(json).0);
    }
}
