//! Turns names of the document into Rust identifiers, by the rules of `progenitor`, and detects collisions.

use std::collections::BTreeMap;

use heck::{ToPascalCase, ToSnakeCase};
use proc_macro2::{Ident, Span};

use super::error::{Error, Result};

/// `chatId`, `chat-id`, `ChatID` -> `chat_id`.
pub(super) fn snake(name: &str) -> String {
    separated(name).to_snake_case()
}

/// Replaces characters that are not allowed in an identifier by separators of words.
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

/// An empty name becomes `empty`. A name that does not begin with a letter gets the `prefix`.
fn identifier(mut name: String, empty: &str, prefix: &str) -> Ident {
    match name.chars().next() {
        None => name.push_str(empty),
        Some(first) if !first.is_alphabetic() => name.insert_str(0, prefix),
        Some(_) => {}
    }
    // `gen` is a keyword since edition 2024, which syn does not support.
    if name == "gen" || syn::parse_str::<Ident>(&name).is_err() {
        name.push('_');
    }
    Ident::new(&name, Span::call_site())
}

/// The identifiers of one scope, with the names of the document that became them.
#[derive(Debug, Default)]
pub(super) struct Scope(BTreeMap<String, Option<String>>);

impl Scope {
    /// Creates a scope with the identifiers that the generated code reserves.
    pub(super) fn with(own: &[&str]) -> Self {
        Self(own.iter().map(|ident| ((*ident).to_owned(), None)).collect())
    }

    /// Adds a name. Fails if the scope already has its identifier.
    pub(super) fn add(&mut self, ident: &Ident, name: &str, place: &str) -> Result<()> {
        let message = match self.0.insert(ident.to_string(), Some(name.to_owned())) {
            Some(Some(other)) => format!("`{name}` is `{ident}` in Rust, and so is `{other}`"),
            Some(None) => format!("`{name}` is `{ident}` in Rust, which the generated code reserves"),
            None => return Ok(()),
        };
        Err(Error::new(place, message))
    }
}
