//! Emits the code for `x-secret`: values that `Debug` and errors must not show.

use proc_macro2::TokenStream;
use quote::quote;
use serde_json::Value;
use syn::{Ident, ItemStruct, Type};

use super::{
    super::node::text,
    fields::{generic_argument, property_name, remove_derive},
};

/// A field, for `Debug` and errors.
pub(super) struct Field<'a> {
    pub(super) ident: &'a Ident,
    pub(super) is_optional: bool,
    /// Its `x-secret`, checked by the lowering.
    pub(super) secret: Option<&'a str>,
}

/// Returns the `Debug` of a struct with secrets, which replaces the derived one. `None` if no field is secret.
pub(super) fn debug_of_struct(item: &mut ItemStruct, schema: &Value) -> Option<TokenStream> {
    let fields: Vec<(Ident, &Type, Option<&str>)> = item
        .fields
        .iter()
        .filter_map(|field| {
            let secret = text(&schema["properties"][property_name(field)], "x-secret");
            Some((field.ident.clone()?, &field.ty, secret))
        })
        .collect();
    let fields: Vec<Field<'_>> = fields
        .iter()
        .map(|(ident, ty, secret)| Field {
            ident,
            is_optional: generic_argument(ty, "Option").is_some(),
            secret: *secret,
        })
        .collect();
    let debug = debug(&item.ident, &fields)?;
    remove_derive(item, "Debug");
    Some(debug)
}

/// Returns a `Debug` that hides the secret fields. `None` if no field is secret.
pub(super) fn debug(name: &Ident, fields: &[Field<'_>]) -> Option<TokenStream> {
    fields.iter().find(|field| field.secret.is_some())?;
    let shown = fields.iter().map(|Field { ident, is_optional, secret }| {
        let label = ident.to_string();
        let value = match (secret, is_optional) {
            (None, _) => quote!(&self.#ident),
            (Some("url"), false) => quote!(&crate::redaction::HiddenUrl(&self.#ident)),
            (Some("url"), true) => quote!(&self.#ident.as_deref().map(crate::redaction::HiddenUrl)),
            (Some(_), false) => quote!(&crate::redaction::Hidden),
            (Some(_), true) => quote!(&self.#ident.as_ref().map(|_| crate::redaction::Hidden)),
        };
        quote!(.field(#label, #value))
    });
    let label = name.to_string();
    Some(quote! {
        /// Formats the fields for logs. Secret values, such as tokens, are hidden.
        impl ::std::fmt::Debug for #name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct(#label) #(#shown)* .finish()
            }
        }
    })
}

/// Returns an expression for the secret of a field, which is removed from foreign texts such as error messages.
pub(super) fn secret(value: &TokenStream, is_optional: bool, kind: &str) -> TokenStream {
    let made = match kind {
        "url" => quote!(crate::redaction::Secret::beyond_the_origin(value)),
        _ => quote!(::std::option::Option::Some(crate::redaction::Secret::new(value, "..."))),
    };
    if is_optional { quote!(#value.as_deref().and_then(|value| #made)) } else { quote!({ let value = &#value; #made }) }
}
