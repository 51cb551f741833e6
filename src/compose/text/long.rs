//! Long messages: they are sent in parts.

use std::borrow::Cow;

use super::{
    builder::Text,
    split::{split, split_text},
    split_markup::split_source,
};
use crate::{
    api::types::NewMessageBody,
    validation::{Invalid, Place},
};

/// A text of any length with the other parts of its message.
#[derive(Debug, Clone, PartialEq)]
pub struct LongMessage {
    pub(crate) text: Source,
    /// The message without its text.
    pub(crate) rest: NewMessageBody,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Source {
    /// A text for which the crate chooses the markup format.
    Own(Text),
    /// A text in the markup format of the message, or a plain text.
    Body(String),
}

impl LongMessage {
    fn plain(text: impl Into<String>) -> Self {
        Self { text: Source::Body(text.into()), rest: NewMessageBody::new() }
    }

    fn of_body(mut body: NewMessageBody) -> Self {
        Self { text: Source::Body(body.text.take().unwrap_or_default()), rest: body }
    }

    /// Splits the message into messages to be sent one after another.
    pub(crate) fn parts(self) -> Result<Vec<NewMessageBody>, Invalid> {
        let Self { text, mut rest } = self;
        let part = |body: NewMessageBody| NewMessageBody { notify: rest.notify, ..body };
        let mut parts: Vec<NewMessageBody> = match (text, &rest.format) {
            (Source::Own(text), _) => split_text(text)?.into_iter().map(|text| part(text.into())).collect(),
            (Source::Body(text), None) => split(&text).into_iter().map(|text| part(text.into())).collect(),
            (Source::Body(source), Some(format)) => {
                let sources = split_source(&source, format)?.into_iter();
                sources.map(|source| part(NewMessageBody::new().text(source).format(format.clone()))).collect()
            }
        };
        if parts.is_empty() {
            let is_nothing = rest.attachments.as_ref().is_none_or(Vec::is_empty) && rest.link.is_none();
            return if is_nothing { Err(nothing()) } else { Ok(vec![rest]) };
        }
        if let Some(first) = parts.first_mut() {
            first.link = rest.link.take();
        }
        if let Some(last) = parts.last_mut() {
            last.attachments = rest.attachments.take();
        }
        Ok(parts)
    }
}

fn nothing() -> Invalid {
    Invalid::new(
        &Place::root("body").field("text"),
        "has only white space, and nothing is attached: add a text or an attachment",
    )
}

/// A type that can be passed to [`Bot::send_long`](crate::Bot::send_long) as a text of any length. `Bot::send_long`
/// splits the text into messages.
///
/// Implemented for `&str`, `&String`, `String`, `Cow<str>`, [`Text`] and [`NewMessageBody`]. This trait is sealed:
/// other crates cannot implement it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent as a long text",
    note = "use a `&str`, a `String`, a `Text` or a `NewMessageBody`"
)]
pub trait LongText: sealed::LongText {}

pub(crate) mod sealed {
    use super::LongMessage;

    pub trait LongText {
        fn into_long(self) -> LongMessage;
    }
}

macro_rules! long_text {
    ($($name:ty => |$value:ident| $message:expr;)*) => {
        $(
            impl LongText for $name {}
            impl sealed::LongText for $name {
                fn into_long(self) -> LongMessage {
                    let $value = self;
                    $message
                }
            }
        )*
    };
}

long_text! {
    &str => |text| LongMessage::plain(text);
    &String => |text| LongMessage::plain(text);
    String => |text| LongMessage::plain(text);
    Cow<'_, str> => |text| LongMessage::plain(text);
    Text => |text| LongMessage { text: Source::Own(text), rest: NewMessageBody::new() };
    NewMessageBody => |body| LongMessage::of_body(body);
}
