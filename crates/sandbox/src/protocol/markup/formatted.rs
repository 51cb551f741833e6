//! A text with its elements, and the builder that the parsers of both notations share.

use std::cmp::Reverse;

use super::element::{Element, Style};

/// A text without its notation, and what that said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Formatted {
    pub(crate) text: String,
    /// In order, the longer first where several begin.
    pub(crate) markup: Vec<Element>,
}

/// Collects a text and its elements.
#[derive(Debug, Default)]
pub(super) struct Builder {
    pub(super) text: String,
    /// The text's length in UTF-16 code units.
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

    /// Everything from there on looks like that. Of nothing, nothing is noted.
    pub(super) fn mark(&mut self, style: Style, from: usize) {
        let length = self.size - from;
        if length > 0 {
            self.markup.push(Element { style, from, length });
        }
    }

    pub(super) fn finish(mut self) -> Formatted {
        // What encloses is noted after what it encloses, and is to come first.
        self.markup.reverse();
        self.markup.sort_by_key(|element| (element.from, Reverse(element.length)));
        self.markup.dedup();
        Formatted { text: self.text, markup: self.markup }
    }
}

#[cfg(test)]
impl Formatted {
    /// The text, and of each element its name and the part of the text that it is about.
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
