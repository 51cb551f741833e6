//! A text with its elements, and the builder that the parsers of both notations share.

use std::cmp::Reverse;

use super::element::{Element, Style};

/// A parsed text: the plain text and its elements.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Formatted {
    pub(crate) text: String,
    /// Sorted by beginning. If elements have the same beginning, the longest element is first.
    pub(crate) markup: Vec<Element>,
}

/// Collects a text and its elements.
#[derive(Debug, Default)]
pub(super) struct Builder {
    pub(super) text: String,
    /// The length of the text, in UTF-16 code units.
    size: usize,
    markup: Vec<Element>,
}

impl Builder {
    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.size += text.encode_utf16().count();
    }

    pub(super) const fn size(&self) -> usize {
        self.size
    }

    /// Adds an element from `from` to the end of the text. An empty element is not added.
    pub(super) fn mark(&mut self, style: Style, from: usize) {
        let length = self.size - from;
        if length > 0 {
            self.markup.push(Element { style, from, length });
        }
    }

    pub(super) fn finish(mut self) -> Formatted {
        // An enclosing element is added after the elements in it, and must come first.
        self.markup.reverse();
        self.markup.sort_by_key(|element| (element.from, Reverse(element.length)));
        self.markup.dedup();
        Formatted { text: self.text, markup: self.markup }
    }
}

#[cfg(test)]
impl Formatted {
    /// Returns the text, and each element as its name and its part of the text.
    pub(super) fn parts(&self) -> (String, Vec<(String, String)>) {
        let units: Vec<u16> = self.text.encode_utf16().collect();
        let parts = self.markup.iter().map(|one| {
            let name = one.style.name();
            let name = match &one.style {
                Style::Link { url } => format!("{name} {url}"),
                Style::Mention { user_id: Some(user_id), .. } => format!("{name} {user_id}"),
                _ => name.to_owned(),
            };
            (name, String::from_utf16(&units[one.from..one.from + one.length]).unwrap())
        });
        (self.text.clone(), parts.collect())
    }
}
