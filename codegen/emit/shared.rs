//! Emits code that types and operations share: documentation and checks.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use serde_json::Value;

use super::super::{
    error::{Error, Result},
    node::text,
};

/// Returns the `#[doc]` attributes of a text, one for each line, so that the generated file is readable.
pub(super) fn doc(text: &str) -> TokenStream {
    // rustc rejects carriage returns in documentation comments.
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines = text.lines().map(|line| if line.is_empty() { String::new() } else { format!(" {line}") });
    quote!(#(#[doc = #lines])*)
}

/// Returns the section with the example of a node, if it has one. `key`: the extension with the example.
pub(super) fn example(document: &Value, node: &Value, key: &str) -> Option<String> {
    let example = text(node, key)?.trim();
    let frame = text(node, "x-example-frame").or_else(|| text(document, "x-example-frame")).unwrap_or("{example}");
    Some(format!("# Example\n\n```rust\n{}\n```", frame.replace("{example}", example).trim()))
}

/// Returns an `Option` as an expression.
pub(super) fn option(value: Option<impl ToTokens>) -> TokenStream {
    match value {
        Some(value) => quote!(::std::option::Option::Some(#value)),
        None => quote!(::std::option::Option::None),
    }
}

/// Returns the code that checks `value` (a reference) at `place`, for a result of `lower::check`.
pub(super) fn check(check: &Value, value: &TokenStream, place: &TokenStream) -> Result<TokenStream> {
    let limit = |key| check[key].as_u64().and_then(|limit| usize::try_from(limit).ok());
    match check["kind"].as_str() {
        Some("id") => Ok(quote!(crate::validation::id(#value, #place)?;)),
        Some("items") => {
            let (min, max) = (option(limit("min")), option(limit("max")));
            Ok(quote!(crate::validation::items(#value.len(), #min, #max, #place)?;))
        }
        Some("range") => {
            let (min, max) = (option(check["min"].as_i64()), option(check["max"].as_i64()));
            Ok(quote!(crate::validation::range((*#value).into(), #min, #max, #place)?;))
        }
        Some(kind @ ("length" | "url" | "http-url")) => {
            let min = limit("min").map(|limit| quote!(crate::validation::min_length(#value, #limit, #place)?;));
            let max = limit("max").map(|limit| quote!(crate::validation::max_length(#value, #limit, #place)?;));
            let url = match kind {
                "url" => quote!(crate::validation::url(#value, #place)?;),
                "http-url" => quote!(crate::validation::http_url(#value, #place)?;),
                _ => quote!(),
            };
            Ok(quote!(#min #max #url))
        }
        _ => Err(Error::new("", format!("no such check: {check}"))),
    }
}
