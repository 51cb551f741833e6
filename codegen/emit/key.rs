//! Emits the keys of received values: a struct adds its marked properties, and a union adds its tag and its member.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use serde_json::Value;
use syn::ItemStruct;

use super::{
    super::{lower::KEY, model::Union, names, node::flag},
    fields::property_name,
};

pub(super) fn of_struct(item: &ItemStruct, schema: &Value) -> TokenStream {
    let properties = item.fields.iter().filter_map(|field| {
        let (property, ident) = (property_name(field), &field.ident);
        flag(&schema["properties"][&property], KEY).then(|| quote!(key.property(#property, &self.#ident);))
    });
    keyed(&item.ident, quote!(#(#properties)*))
}

pub(super) fn of_union(union: &Union) -> TokenStream {
    let variants = union.variants.iter().map(|(tag, _)| names::type_ident(tag));
    let body = quote! {
        key.value(self.tag());
        match self {
            #(Self::#variants(value) => crate::json::key::Keyed::add_to(value, key),)*
            // In a kind without a schema, the place of an id is unknown.
            Self::Unknown(_) => {}
        }
    };
    keyed(&names::type_ident(&union.name), body)
}

fn keyed(name: &Ident, body: TokenStream) -> TokenStream {
    quote! {
        impl crate::json::key::Keyed for #name {
            #[allow(unused_variables)]
            fn add_to(&self, key: &mut crate::json::key::Key) { #body }
        }
    }
}
