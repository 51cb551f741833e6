//! Tagged unions that keep unknown members.

use std::{borrow::Cow, collections::HashMap, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::value::RawValue;

use crate::redaction::{hide_in_json, without_strings};

use super::error_path::at_its_place;
pub(crate) use super::{
    misfit::{forget, found, record},
    raw::raw,
    read::{OnePass, bytes_read, check_surrogates, in_one_pass, is_in_one_pass, read_prefix},
};

/// A value that the crate does not define or cannot parse, with the received JSON. Enums such as
/// [`Update`](crate::Update) have a variant `Unknown` for such values.
///
/// Servers add kinds of updates, attachments, buttons and markup without notice. The crate keeps a value of an unknown
/// kind as JSON in [`raw`](Self::raw), and serialization writes the same JSON. The crate also keeps a value of a known
/// kind that has an unexpected format. In this case, [`error`](Self::error) contains the reason.
#[derive(Clone)]
#[non_exhaustive]
pub struct Unknown {
    /// The kind, from the property `update_type`, `type` or `input_type` of the JSON. Empty if the property is missing.
    pub tag: String,
    /// The complete value as unchanged JSON text. If one of your types makes serde buffer the value (`flatten` or
    /// `untagged`), the JSON is equivalent, but formatted differently.
    pub raw: Box<RawValue>,
    /// The reason why the value cannot be parsed. `None` if the crate does not define the kind.
    pub error: Option<String>,
}

impl Unknown {
    /// Returns the complete value as a [`serde_json::Value`].
    ///
    /// If the JSON is nested too deeply for `serde_json`, returns the JSON text as a string.
    #[must_use]
    pub fn to_value(&self) -> serde_json::Value {
        // A `RawValue` is valid JSON, but serde_json rejects it if it is nested too deeply. Then it is returned as
        // text.
        serde_json::from_str(self.raw.get()).unwrap_or_else(|_| self.raw.get().into())
    }

    /// Returns the first value of this type at these JSON pointers. Other values may be unreadable.
    pub(crate) fn find<T: DeserializeOwned>(&self, pointers: &[&str]) -> Option<T> {
        pointers.iter().find_map(|pointer| serde_json::from_str(at(self.raw.get(), pointer)?).ok())
    }
}

/// Returns the unchanged JSON at a JSON pointer. Supports only objects, not lists.
fn at<'a>(json: &'a str, pointer: &str) -> Option<&'a str> {
    pointer.split('/').skip(1).try_fold(json, |json, name| {
        let members: HashMap<Cow<'a, str>, &'a RawValue> = serde_json::from_str(json).ok()?;
        members.get(name).map(|raw| raw.get())
    })
}

/// Formats the value for logs. Values of secret properties such as `token` are hidden.
impl fmt::Debug for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unknown")
            .field("tag", &self.tag)
            .field("raw", &hide_in_json(self.raw.get()))
            .field("error", &self.error)
            .finish()
    }
}

/// Compares the JSON texts. Two values are equal if their JSON texts are identical.
impl PartialEq for Unknown {
    fn eq(&self, other: &Self) -> bool {
        self.raw.get() == other.raw.get()
    }
}

impl Serialize for Unknown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.raw.serialize(serializer)
    }
}

/// Formats the reason why a value could not be read, without its strings, which may be secret.
pub(crate) fn words(json: &str, error: serde_json::Error) -> String {
    without_strings(&at_its_place(json, error).to_string()).into_owned()
}

/// A union that can be read in one pass. A property of a known member that is missing or has a wrong type is an error.
pub(crate) trait ReadFlat: Sized {
    fn read_flat<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Flat<Self>, D::Error>;
}

/// The result of reading in one pass.
pub(crate) enum Flat<T> {
    Member(T),
    /// An unknown member, with its tag.
    Unknown(String),
}

/// Returns an internal error. It is never reported, because the value is then read part by part.
#[cold]
pub(crate) fn not_flat<E: serde::de::Error>() -> E {
    E::custom("cannot be read in one pass")
}

/// A value that is read only from a JSON object. serde would also accept a list of the fields of a struct.
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        object(deserializer, |fields| Some(Self(fields)))
    }
}

/// Reads the fields of an object and converts them with `make`, in place because moving many fields is slow. If `make`
/// returns `None`, returns an error.
pub(crate) fn object<'de, T, U, D>(deserializer: D, make: impl FnOnce(T) -> Option<U>) -> Result<U, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    struct Making<F, T>(F, PhantomData<T>);

    impl<'de, F: FnOnce(T) -> Option<U>, T: Deserialize<'de>, U> Visitor<'de> for Making<F, T> {
        type Value = U;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<U, A::Error> {
            (self.0)(T::deserialize(MapAccessDeserializer::new(map))?).ok_or_else(not_flat)
        }
    }

    deserializer.deserialize_map(Making(make, PhantomData::<T>))
}

/// Defines a union whose members are distinguished by the value of one property.
///
/// `pub enum Name by "tag" { Variant(Type) = "value", }`. `from` lists the variants whose types convert into the union.
macro_rules! tagged_union {
    (
        $(#[$doc:meta])*
        pub enum $name:ident by $tag:literal { $($(#[$variant_doc:meta])* $variant:ident($ty:ty) = $value:literal,)* }
        from { $($from_variant:ident($from_ty:ty),)* }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant($ty),)*
            /// A value of a kind that the crate does not define, or a value that cannot be parsed. The variant contains
            /// the received JSON.
            Unknown(crate::json::union::Unknown),
        }

        impl $name {
            #[doc = concat!("Returns the kind as text: the value of `", $tag, "` in JSON.")]
            #[must_use]
            pub fn tag(&self) -> &str {
                match self {
                    $(Self::$variant(_) => $value,)*
                    Self::Unknown(unknown) => &unknown.tag,
                }
            }

            /// Reads the value at the start of a text, and appends it to a list. Returns its length in bytes. The list
            /// is a parameter because moving such a large value would cost more than the rest of this method.
            #[allow(dead_code, reason = "not every union is read from a list")]
            pub(crate) fn read_prefix(json: &str, list: &mut Vec<Self>) -> ::serde_json::Result<usize> {
                let (in_one_pass, found) = (crate::json::union::OnePass::begin(), crate::json::union::found());
                let mut deserializer = ::serde_json::Deserializer::from_str(json);
                match crate::json::union::ReadFlat::read_flat(&mut deserializer) {
                    Ok(crate::json::union::Flat::Member(value)) => {
                        list.push(value);
                        Ok(crate::json::union::bytes_read(deserializer))
                    }
                    Ok(crate::json::union::Flat::Unknown(tag)) => {
                        let (raw, length): (Box<::serde_json::value::RawValue>, usize) =
                            crate::json::union::read_prefix(json)?;
                        crate::json::union::check_surrogates(raw.get())?;
                        list.push(Self::Unknown(crate::json::union::Unknown { tag, raw, error: None }));
                        Ok(length)
                    }
                    Err(_) => {
                        drop(in_one_pass);
                        crate::json::union::forget(found);
                        let (raw, length): (&::serde_json::value::RawValue, usize) = crate::json::union::read_prefix(json)?;
                        crate::json::union::check_surrogates(raw.get())?;
                        list.push(Self::read_slowly(raw));
                        Ok(length)
                    }
                }
            }

            /// Reads a value in steps: first the tag, then the member. Used if reading in one pass fails.
            #[cold]
            fn read_slowly(raw: &::serde_json::value::RawValue) -> Self {
                #[derive(::serde::Deserialize)]
                struct Peek<'a> {
                    #[serde(rename = $tag, borrow)]
                    tag: ::std::borrow::Cow<'a, str>,
                }
                let json = raw.get();
                let (tag, error) = match ::serde_json::from_str(json) {
                    Ok(crate::json::union::Object(Peek { tag })) => {
                        let error = match tag.as_ref() {
                            $($value => match ::serde_json::from_str(json) {
                                Ok(value) => return Self::$variant(value),
                                Err(error) => {
                                    crate::json::union::record(json, &error);
                                    Some(crate::json::union::words(json, error))
                                }
                            },)*
                            _ => None,
                        };
                        (tag.into_owned(), error)
                    }
                    Err(error) => {
                        crate::json::union::record(json, &error);
                        (String::new(), Some(crate::json::union::words(json, error)))
                    }
                };
                Self::Unknown(crate::json::union::Unknown { tag, raw: raw.to_owned(), error })
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                if crate::json::union::is_in_one_pass() {
                    return match crate::json::union::ReadFlat::read_flat(deserializer)? {
                        crate::json::union::Flat::Member(value) => Ok(value),
                        crate::json::union::Flat::Unknown(_) => Err(crate::json::union::not_flat()),
                    };
                }
                let json = crate::json::union::raw(deserializer)?;
                crate::json::union::in_one_pass(|| ::serde_json::from_str(&json)).or_else(|_: ::serde_json::Error| {
                    let raw: &::serde_json::value::RawValue =
                        ::serde_json::from_str(&json).map_err(::serde::de::Error::custom)?;
                    Ok(Self::read_slowly(raw))
                })
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                #[derive(::serde::Serialize)]
                struct Tagged<'a, T> {
                    #[serde(rename = $tag)]
                    tag: &'static str,
                    #[serde(flatten)]
                    value: &'a T,
                }
                match self {
                    $(Self::$variant(value) => Tagged { tag: $value, value }.serialize(serializer),)*
                    Self::Unknown(unknown) => unknown.serialize(serializer),
                }
            }
        }

        $(
            impl From<$from_ty> for $name {
                fn from(value: $from_ty) -> Self {
                    Self::$from_variant(value)
                }
            }
        )*
    };
}

pub(crate) use tagged_union;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::types::Update;

    /// The values are the same in both ways, so other tests do not detect a slow read.
    #[test]
    fn reads_known_members_in_one_pass() {
        for json in [
            r#"{"timestamp":5,"chat_id":17,"user":{"user_id":1,"name":""},"update_type":"bot_started"}"#,
            r#"{"update_type":"message_created","timestamp":1,"message":{"timestamp":1,
                "recipient":{"chat_id":5,"chat_type":"chat"},"body":{"mid":"m","seq":1,"attachments":[
                {"type":"image","payload":{"photo_id":1,"token":"t","url":"u"}},
                {"type":"inline_keyboard","payload":{"buttons":[[{"type":"callback","text":"x","payload":"y"}]]}}]}}}"#,
        ] {
            assert!(in_one_pass(|| serde_json::from_str::<Update>(json)).is_ok(), "{json}");
        }
    }
}
