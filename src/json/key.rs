//! The key of a value: a line of printable ASCII that stays the same if a server sends the value again.

use std::fmt::{Display, Write as _};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::id::{CallbackId, ChatId, MessageId, SessionId, UserId};

/// The characters that are encoded in a value: all except the unreserved characters of a URL. Includes all separators.
const IN_VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The characters that are encoded in a name: also the dot, which separates the names of a path.
const IN_NAME: &AsciiSet = &IN_VALUE.add(b'.');

/// A part of a key. Implemented by the generator for received structs and unions.
pub(crate) trait Keyed {
    /// Adds the identifying properties of the value.
    fn add_to(&self, key: &mut Key);
}

/// A key under construction. Its fields are separated by `/`. A property is `path=value`, and the value itself is
/// `value`.
#[derive(Debug)]
pub(crate) struct Key {
    /// The path to the value that is being added.
    path: String,
    text: String,
    /// Whether the text has a field, which may be empty.
    has_field: bool,
}

impl Key {
    pub(crate) fn of(value: &impl Keyed) -> Self {
        // Large enough for most updates.
        let mut key = Self { path: String::with_capacity(64), text: String::with_capacity(256), has_field: false };
        value.add_to(&mut key);
        key
    }

    /// Adds a property of the value that is being added.
    pub(crate) fn property(&mut self, name: &str, value: &impl Keyed) {
        let length = self.path.len();
        if length > 0 {
            self.path.push('.');
        }
        self.path.extend(utf8_percent_encode(name, IN_NAME));
        value.add_to(self);
        self.path.truncate(length);
    }

    /// Adds a field with this value.
    pub(crate) fn value(&mut self, value: &str) {
        self.begin_field();
        self.text.extend(utf8_percent_encode(value, IN_VALUE));
    }

    /// Adds a field with a number, which needs no encoding.
    fn number(&mut self, number: impl Display) {
        self.begin_field();
        // Writing to a `String` cannot fail.
        let _ = write!(self.text, "{number}");
    }

    fn begin_field(&mut self) {
        if std::mem::replace(&mut self.has_field, true) {
            self.text.push('/');
        }
        self.text.push_str(&self.path);
        if !self.path.is_empty() {
            self.text.push('=');
        }
    }

    pub(crate) fn into_string(self) -> String {
        self.text
    }
}

impl<T: Keyed> Keyed for Option<T> {
    fn add_to(&self, key: &mut Key) {
        if let Some(value) = self {
            value.add_to(key);
        }
    }
}

impl<T: Keyed> Keyed for Box<T> {
    fn add_to(&self, key: &mut Key) {
        (**self).add_to(key);
    }
}

/// The path of an element ends with its index. Without it, the properties of different elements could not be
/// distinguished.
impl<T: Keyed> Keyed for Vec<T> {
    fn add_to(&self, key: &mut Key) {
        for (index, element) in self.iter().enumerate() {
            key.property(&index.to_string(), element);
        }
    }
}

macro_rules! numbers {
    ($($ty:ty)*) => {
        $(impl Keyed for $ty {
            fn add_to(&self, key: &mut Key) {
                key.number(self);
            }
        })*
    };
}

macro_rules! texts {
    ($($ty:ty)*) => {
        $(impl Keyed for $ty {
            fn add_to(&self, key: &mut Key) {
                key.value(self.as_str());
            }
        })*
    };
}

numbers! { i32 i64 ChatId UserId }
texts! { String MessageId CallbackId SessionId }

#[cfg(test)]
mod tests {
    use super::*;

    /// Properties by name, and their values.
    struct Object(Vec<(&'static str, Option<&'static str>)>);

    impl Keyed for Object {
        fn add_to(&self, key: &mut Key) {
            self.0.iter().for_each(|(name, value)| key.property(name, &value.map(str::to_owned)));
        }
    }

    fn key(properties: &[(&'static str, Option<&'static str>)]) -> String {
        Key::of(&Object(properties.to_vec())).into_string()
    }

    #[test]
    fn values_are_printable_ascii() {
        assert_eq!(key(&[("mid", Some("mid.0f-_~"))]), "mid=mid.0f-_~");
        assert_eq!(key(&[("title", Some("a b/c=d%\n\0\x7f"))]), "title=a%20b%2Fc%3Dd%25%0A%00%7F");
        assert_eq!(key(&[("title", Some("Я😀"))]), "title=%D0%AF%F0%9F%98%80");
        assert_eq!(key(&[("поле .", Some("x"))]), "%D0%BF%D0%BE%D0%BB%D0%B5%20%2E=x");
    }

    #[test]
    fn different_values_have_different_keys() {
        let lists: [&[_]; 10] = [
            &[("a", Some("1")), ("b", Some("2"))],
            &[("a", Some("1/b=2"))],
            &[("a", Some("1%2Fb=2"))],
            &[("a", Some("1")), ("b", Some(""))],
            &[("a", Some("1")), ("b", None)],
            &[("a", None), ("b", Some("1"))],
            &[("a", Some("")), ("b", Some("1"))],
            &[("a=1/b", Some("2"))],
            &[("a.b", Some("1"))],
            &[],
        ];
        let keys: std::collections::BTreeSet<String> = lists.iter().map(|list| key(list)).collect();
        assert_eq!(keys.len(), lists.len(), "{keys:?}");
        let object = |name, value| Object(vec![(name, Some(value))]);
        let elements = |list: Vec<Object>| Key::of(&list).into_string();
        assert_eq!(elements(vec![object("a", "1"), object("b", "2")]), "0.a=1/1.b=2");
        assert_eq!(elements(vec![Object(vec![("a", Some("1")), ("b", Some("2"))])]), "0.a=1/0.b=2");
    }

    #[test]
    fn a_path_ends_after_its_object() {
        struct Outer;
        impl Keyed for Outer {
            fn add_to(&self, key: &mut Key) {
                key.value("outer");
                key.property("inner", &Some(Box::new(Object(vec![("id", Some("1")), ("none", None)]))));
                key.property("last", &5_i64);
            }
        }
        assert_eq!(Key::of(&Outer).into_string(), "outer/inner.id=1/last=5");
    }
}
