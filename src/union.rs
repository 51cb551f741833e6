//! Unions told apart by a tag, which keep what they do not know.

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// A member of a union that the crate cannot read, kept as it came.
///
/// Servers add kinds of updates, attachments, buttons and markup without notice. Such a value is not lost: its JSON is
/// here, and writing it back writes the same JSON.
#[derive(Clone)]
#[non_exhaustive]
pub struct Unknown {
    /// The value of the tag (`update_type`, `type`, ...); empty when there is none.
    pub tag: String,
    /// The whole value as it came.
    pub raw: Box<RawValue>,
    /// Why a value whose tag is known could not be read; `None` when the tag is not known.
    pub error: Option<String>,
}

impl Unknown {
    /// The value as JSON, to look into.
    #[must_use]
    pub fn to_value(&self) -> serde_json::Value {
        // A `RawValue` is JSON by construction; what serde_json still refuses (too deep, say) is kept as text.
        serde_json::from_str(self.raw.get()).unwrap_or_else(|_| self.raw.get().into())
    }
}

impl std::fmt::Debug for Unknown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unknown")
            .field("tag", &self.tag)
            .field("raw", &self.raw.get())
            .field("error", &self.error)
            .finish()
    }
}

/// Two unknown values are equal when their JSON is, to the letter.
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

/// A union whose members are told apart by the value of one property.
///
/// `pub enum Name by "tag" { Variant(Type) = "value", }`, and under `from` the variants whose type converts into it.
macro_rules! tagged_union {
    (
        $(#[$doc:meta])*
        pub enum $name:ident by $tag:literal { $($(#[$variant_doc:meta])* $variant:ident($ty:ty) = $value:literal,)* }
        from { $($from_variant:ident($from_ty:ty),)* }
    ) => {
        $(#[$doc])*
        ///
        /// What the crate does not know, or cannot read, is [`Unknown`](Self::Unknown) with its JSON.
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant($ty),)*
            /// A kind that the crate does not know, or a known one that cannot be read: kept as it came.
            Unknown(crate::Unknown),
        }

        impl $name {
            #[doc = concat!("The value of `", $tag, "`: which kind this is, as the API writes it.")]
            #[must_use]
            pub fn tag(&self) -> &str {
                match self {
                    $(Self::$variant(_) => $value,)*
                    Self::Unknown(unknown) => &unknown.tag,
                }
            }

            /// Reads one value; whatever it is, it is a value of this type.
            pub(crate) fn read(json: &str) -> ::serde_json::Result<Self> {
                #[derive(::serde::Deserialize)]
                struct Peek<'a> {
                    #[serde(rename = $tag, borrow)]
                    tag: ::std::borrow::Cow<'a, str>,
                }
                // A list would do for the derived `Peek` too, its first element being taken for the tag.
                let peeked = if json.trim_start().starts_with('{') {
                    ::serde_json::from_str::<Peek<'_>>(json)
                } else {
                    Err(::serde::de::Error::custom("not an object"))
                };
                let (tag, error) = match peeked {
                    Ok(Peek { tag }) => {
                        let error = match tag.as_ref() {
                            $($value => match ::serde_json::from_str(json) {
                                Ok(value) => return Ok(Self::$variant(value)),
                                Err(error) => Some(error.to_string()),
                            },)*
                            _ => None,
                        };
                        (tag.into_owned(), error)
                    }
                    Err(error) => (String::new(), Some(error.to_string())),
                };
                let raw = ::serde_json::value::RawValue::from_string(json.to_owned())?;
                Ok(Self::Unknown(crate::Unknown { tag, raw, error }))
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                let raw = Box::<::serde_json::value::RawValue>::deserialize(deserializer)?;
                Self::read(raw.get()).map_err(::serde::de::Error::custom)
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
