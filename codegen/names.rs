//! Names of the document as Rust identifiers, made as `progenitor` makes them, and told apart.

use std::collections::BTreeMap;

use heck::{ToPascalCase, ToSnakeCase};
use proc_macro2::{Ident, Span};

use super::error::{Error, Result};

/// `chatId`, `chat-id`, `ChatID` -> `chat_id`.
pub(super) fn snake(name: &str) -> String {
    separated(name).to_snake_case()
}

/// What cannot stand in an identifier separates words.
fn separated(name: &str) -> String {
    name.replace('\'', "").replace(|c: char| !c.is_alphanumeric() && c != '_', "-")
}

/// A value identifier: `chatId` -> `chat_id`, `type` -> `type_`, `2fa` -> `_2fa`.
pub(super) fn value_ident(name: &str) -> Ident {
    identifier(snake(name), "x", "_")
}

/// A type or variant identifier: `message_created`, `sendMessage` -> `MessageCreated`, `SendMessage`.
pub(super) fn type_ident(name: &str) -> Ident {
    identifier(separated(name).to_pascal_case(), "X", "X")
}

/// A name that has no letter becomes `empty`, and one that begins with a digit gets the `prefix`.
fn identifier(mut name: String, empty: &str, prefix: &str) -> Ident {
    match name.chars().next() {
        None => name.push_str(empty),
        Some(first) if !first.is_alphabetic() => name.insert_str(0, prefix),
        Some(_) => {}
    }
    // `gen` is a keyword since edition 2024, of which syn does not know.
    if name == "gen" || syn::parse_str::<Ident>(&name).is_err() {
        name.push('_');
    }
    Ident::new(&name, Span::call_site())
}

/// The identifiers of one scope, with the names of the document that became them.
#[derive(Debug, Default)]
pub(super) struct Scope(BTreeMap<String, Option<String>>);

impl Scope {
    /// A scope in which the generated code has identifiers of its own.
    pub(super) fn with(own: &[&str]) -> Self {
        Self(own.iter().map(|ident| ((*ident).to_owned(), None)).collect())
    }

    /// Adds a name, or tells that it cannot be told apart from another one in Rust.
    pub(super) fn add(&mut self, ident: &Ident, name: &str, place: &str) -> Result<()> {
        let message = match self.0.insert(ident.to_string(), Some(name.to_owned())) {
            Some(Some(other)) => format!("`{name}` is `{ident}` in Rust, and so is `{other}`"),
            Some(None) => format!("`{name}` is `{ident}` in Rust, which the generated code needs for itself"),
            None => return Ok(()),
        };
        Err(Error::new(place, message))
    }
}
