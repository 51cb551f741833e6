//! Names of the document as Rust identifiers.

use proc_macro2::{Ident, Span};

/// `chatId`, `chat-id`, `ChatID` -> `chat_id`.
pub(super) fn snake(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (index, &c) in chars.iter().enumerate() {
        if !c.is_ascii_alphanumeric() {
            if !out.is_empty() && !out.ends_with('_') {
                out.push('_');
            }
            continue;
        }
        let follows_lower = index > 0 && (chars[index - 1].is_ascii_lowercase() || chars[index - 1].is_ascii_digit());
        let ends_acronym = index > 0
            && chars[index - 1].is_ascii_uppercase()
            && chars.get(index + 1).is_some_and(char::is_ascii_lowercase);
        if c.is_ascii_uppercase() && (follows_lower || ends_acronym) && !out.ends_with('_') {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out.trim_end_matches('_').to_owned()
}

/// `message_created`, `sendMessage` -> `MessageCreated`, `SendMessage`.
pub(super) fn pascal(name: &str) -> String {
    let mut out = String::new();
    for word in snake(name).split('_') {
        let mut chars = word.chars();
        out.extend(chars.next().map(|c| c.to_ascii_uppercase()));
        out.extend(chars);
    }
    out
}

/// A value identifier; a keyword gets a trailing underscore, as `progenitor` does it.
pub(super) fn value_ident(name: &str) -> Ident {
    let name = snake(name);
    let safe = if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name };
    match syn::parse_str::<Ident>(&safe) {
        Ok(ident) => ident,
        Err(_) => Ident::new(&format!("{safe}_"), Span::call_site()),
    }
}

/// A type or variant identifier.
pub(super) fn type_ident(name: &str) -> Ident {
    let name = pascal(name);
    let safe = if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name };
    match syn::parse_str::<Ident>(&safe) {
        Ok(ident) => ident,
        Err(_) => Ident::new(&format!("{safe}_"), Span::call_site()),
    }
}
