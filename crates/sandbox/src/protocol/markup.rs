//! Formatted text: the elements of `markup`, and the two notations that produce them. Positions are in UTF-16 code
//! units, as on TamTam.

pub(crate) mod element;
pub(crate) mod formatted;
mod html;
mod markdown;
mod mentions;
#[cfg(test)]
mod properties;

use std::cmp::Reverse;

use serde_json::Value;

use crate::protocol::error::ApiError;
use crate::protocol::fields::Fields;
use crate::protocol::service::Service;
use element::{Element, Style};
use formatted::Formatted;

/// A notation of formatted text (`TextFormat`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notation {
    Markdown,
    Html,
}

/// Parses a formatted text.
pub(crate) fn format(source: &str, notation: Notation, service: Service) -> Formatted {
    match notation {
        Notation::Markdown => markdown::format(source, service),
        Notation::Html => html::format(source, service),
    }
}

/// Adds the mentions of users by username to the elements of a text. Skips code, links and other mentions.
///
/// `name` returns the mention of a username, or `None` if there is no such user.
pub(crate) fn mention(text: &str, markup: &mut Vec<Element>, name: impl Fn(&str) -> Option<Style>) {
    for (place, username) in mentions::find(text) {
        let is_literal = |one: &Element| {
            let is_near = one.from < place.end && place.start < one.from + one.length;
            is_near && matches!(one.style, Style::Monospaced | Style::Link { .. } | Style::Mention { .. })
        };
        if !markup.iter().any(is_literal)
            && let Some(style) = name(username)
        {
            markup.push(Element { style, from: place.start, length: place.len() });
        }
    }
    markup.sort_by_key(|element| (element.from, Reverse(element.length)));
}

/// Reads the elements that a bot sends with a text.
pub(crate) fn read(text: &str, list: &[Value]) -> Result<Vec<Element>, ApiError> {
    let size = text.encode_utf16().count();
    list.iter().map(|element| read_one(size, Fields::of("markup", element)?)).collect()
}

fn read_one(size: usize, element: Fields<'_>) -> Result<Element, ApiError> {
    let style = match element.required_text("type")? {
        "strong" => Style::Strong,
        "emphasized" => Style::Emphasized,
        "monospaced" => Style::Monospaced,
        "strikethrough" => Style::Strikethrough,
        "underline" => Style::Underline,
        "heading" => Style::Heading,
        "highlighted" => Style::Highlighted,
        "quote" => Style::Quote,
        "link" => Style::Link { url: element.required_text("url")?.to_owned() },
        "user_mention" => Style::Mention {
            user_link: element.text("user_link")?.map(str::to_owned),
            user_id: element.integer("user_id")?,
        },
        other => return Err(ApiError::body(&format!("markup type {other} is unknown"))),
    };
    let place = |name| Ok(usize::try_from(element.required_integer(name)?).ok());
    let (from, length) = (place("from")?, place("length")?);
    let part = from.zip(length).filter(|(from, length)| from.checked_add(*length).is_some_and(|end| end <= size));
    let (from, length) = part.ok_or_else(|| ApiError::payload("markup: is not within the text"))?;
    Ok(Element { style, from, length })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn written_elements_are_read_unchanged() {
        let list = [
            json!({ "from": 0, "length": 2, "type": "strong" }),
            json!({ "url": "https://x", "from": 1, "length": 3, "type": "link" }),
            json!({ "user_link": null, "user_id": 5, "from": 4, "length": 0, "type": "user_mention" }),
        ];
        let elements = read("😀ab", &list).unwrap();
        assert_eq!(elements.iter().map(Element::json).collect::<Vec<_>>(), list);
    }

    #[test]
    fn an_element_must_be_known_and_within_the_text() {
        for bad in [
            json!({ "from": 0, "length": 3, "type": "strong" }),
            json!({ "from": -1, "length": 1, "type": "strong" }),
            json!({ "from": i64::MAX, "length": i64::MAX, "type": "strong" }),
            json!({ "from": 0, "length": 1, "type": "blinking" }),
            json!({ "from": 0, "length": 1, "type": "link" }),
            json!({ "from": 0, "type": "strong" }),
        ] {
            assert_eq!(read("😀", std::slice::from_ref(&bad)).unwrap_err().status(), 400, "{bad}");
        }
    }
}
