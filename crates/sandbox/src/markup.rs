//! How parts of a text look: the elements of `markup`, counted in UTF-16 code units as TamTam counts them, and the two
//! notations that they come of.

mod html;
mod markdown;
mod mentions;
#[cfg(test)]
mod properties;

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::server::error::Fault;
use crate::server::fields::Fields;

/// The longest address that a link may have, in characters.
const URL_CHARS: usize = 2_048;

/// A part of a text, and how it looks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Element {
    pub(super) style: Style,
    /// Where the part begins, and how long it is, in UTF-16 code units.
    pub(super) from: usize,
    pub(super) length: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Style {
    Strong,
    Emphasized,
    Monospaced,
    Strikethrough,
    Underline,
    Heading,
    Highlighted,
    Link { url: String },
    Mention { user_link: Option<String>, user_id: Option<i64> },
}

impl Style {
    /// The `type` of the element.
    const fn name(&self) -> &'static str {
        match self {
            Self::Strong => "strong",
            Self::Emphasized => "emphasized",
            Self::Monospaced => "monospaced",
            Self::Strikethrough => "strikethrough",
            Self::Underline => "underline",
            Self::Heading => "heading",
            Self::Highlighted => "highlighted",
            Self::Link { .. } => "link",
            Self::Mention { .. } => "user_mention",
        }
    }
}

impl Element {
    /// `MarkupElement`.
    pub(super) fn json(&self) -> Value {
        let mut fields = match &self.style {
            Style::Link { url } => json!({ "url": url }),
            Style::Mention { user_link, user_id } => json!({ "user_link": user_link, "user_id": user_id }),
            _ => json!({}),
        };
        fields["from"] = json!(self.from);
        fields["length"] = json!(self.length);
        fields["type"] = json!(self.style.name());
        fields
    }
}

/// A notation of formatted text (`TextFormat`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notation {
    Markdown,
    Html,
}

/// A text without its notation, and what that said.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Formatted {
    pub(super) text: String,
    /// In order, the longer first where several begin.
    pub(super) markup: Vec<Element>,
}

pub(super) fn format(source: &str, notation: Notation) -> Formatted {
    match notation {
        Notation::Markdown => markdown::format(source),
        Notation::Html => html::format(source),
    }
}

/// Collects a text and its elements.
#[derive(Debug, Default)]
struct Builder {
    text: String,
    /// The text's length in UTF-16 code units.
    size: usize,
    markup: Vec<Element>,
}

impl Builder {
    fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.size += text.encode_utf16().count();
    }

    const fn size(&self) -> usize {
        self.size
    }

    /// Everything from there on looks like that. Of nothing, nothing is noted.
    fn mark(&mut self, style: Style, from: usize) {
        let length = self.size - from;
        if length > 0 {
            self.markup.push(Element { style, from, length });
        }
    }

    fn finish(mut self) -> Formatted {
        // What encloses is noted after what it encloses, and is to come first.
        self.markup.reverse();
        self.markup.sort_by_key(|element| (element.from, Reverse(element.length)));
        self.markup.dedup();
        Formatted { text: self.text, markup: self.markup }
    }
}

/// What a link leads to: an address, or a user who is mentioned by it. None if it is no address that a link can have.
fn link(url: &str) -> Option<Style> {
    const USER: &str = "tamtam://user/";
    if let Some(user_id) = url.strip_prefix(USER).and_then(|user| user.parse().ok()) {
        return Some(Style::Mention { user_link: None, user_id: Some(user_id) });
    }
    let fits = !url.trim().is_empty() && url.chars().count() <= URL_CHARS;
    fits.then(|| Style::Link { url: url.to_owned() })
}

/// Adds the mentions of users by their usernames to the elements of a text, but where it says something else already:
/// `name` makes the mention of a username, if there is such a user.
pub(super) fn mention(text: &str, markup: &mut Vec<Element>, name: impl Fn(&str) -> Option<Style>) {
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

/// The elements that a bot gives for a text of its own.
pub(super) fn read(text: &str, list: &[Value]) -> Result<Vec<Element>, Fault> {
    let size = text.encode_utf16().count();
    list.iter().map(|element| read_one(size, Fields::of("markup", element)?)).collect()
}

fn read_one(size: usize, element: Fields<'_>) -> Result<Element, Fault> {
    let style = match element.required_text("type")? {
        "strong" => Style::Strong,
        "emphasized" => Style::Emphasized,
        "monospaced" => Style::Monospaced,
        "strikethrough" => Style::Strikethrough,
        "underline" => Style::Underline,
        "heading" => Style::Heading,
        "highlighted" => Style::Highlighted,
        "link" => Style::Link { url: element.required_text("url")?.to_owned() },
        "user_mention" => Style::Mention {
            user_link: element.text("user_link")?.map(str::to_owned),
            user_id: element.integer("user_id")?,
        },
        other => return Err(Fault::body(&format!("markup type {other} is unknown"))),
    };
    let place = |name| Ok(usize::try_from(element.required_integer(name)?).ok());
    let (from, length) = (place("from")?, place("length")?);
    let part = from.zip(length).filter(|(from, length)| from.checked_add(*length).is_some_and(|end| end <= size));
    let (from, length) = part.ok_or_else(|| Fault::payload("markup: is not within the text"))?;
    Ok(Element { style, from, length })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text, and of each element its name and the part of the text that it is about.
    pub(super) fn parts(formatted: &Formatted) -> (String, Vec<(String, String)>) {
        let units: Vec<u16> = formatted.text.encode_utf16().collect();
        let parts = formatted.markup.iter().map(|one| {
            let name = one.style.name();
            let name = match &one.style {
                Style::Link { url } => format!("{name} {url}"),
                Style::Mention { user_id: Some(user_id), .. } => format!("{name} {user_id}"),
                _ => name.to_owned(),
            };
            (name, String::from_utf16(&units[one.from..one.from + one.length]).unwrap())
        });
        (formatted.text.clone(), parts.collect())
    }

    #[test]
    fn elements_are_read_as_they_are_written() {
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
