//! Emits the code that adapts requests to a service: unsupported values are left out, or are an error.

use proc_macro2::TokenStream;
use quote::quote;
use serde_json::Value;
use syn::ItemStruct;

use super::{
    super::{
        lower::{ADAPTS_INSIDE, KEYBOARD, Lowered, MENTIONS, NEEDED, SERVICES},
        model::Union,
        names,
        node::{at, flag, text},
    },
    fields::{generic_argument, property_name},
    service,
};

/// Emits the `Adapt` of a struct. Emits nothing if every service has all its properties.
pub(super) fn of_struct(document: &Value, item: &ItemStruct, schema_name: &str, schema: &Value) -> TokenStream {
    let mut steps = TokenStream::new();
    for field in &item.fields {
        let Some(ident) = &field.ident else { continue };
        let property = property_name(field);
        let node = &schema["properties"][&property];
        let is_optional = generic_argument(&field.ty, "Option").is_some();
        if let Some(services) = node.get(SERVICES).filter(|_| is_optional) {
            let label = format!("{schema_name}.{property}");
            steps.extend(match flag(node, NEEDED) {
                true => refused(document, services, &quote!(self.#ident), &label),
                false => left_out(document, services, &quote!(self.#ident), &label),
            });
        }
        if let Some(format) = text(node, MENTIONS) {
            let format = names::value_ident(format);
            steps.extend(quote! {
                if let (::std::option::Option::Some(text), true) = (&mut self.#ident, self.#format.is_some()) {
                    service.own_mentions(text, crate::service::Service::MENTIONS);
                }
                if let ::std::option::Option::Some(text) = &self.#ident {
                    service.check_text(text, &at.field(#property))?;
                }
            });
        }
        if flag(node, KEYBOARD) {
            steps.extend(quote! {
                let rows: ::std::vec::Vec<::std::vec::Vec<&str>> =
                    self.#ident.iter().map(|row| row.iter().map(|button| button.tag()).collect()).collect();
                service.check_keyboard(&rows, &at.field(#property))?;
            });
        }
        if flag(node, ADAPTS_INSIDE) {
            steps.extend(quote!(crate::service::Adapt::adapt(&mut self.#ident, service, &at.field(#property))?;));
        }
    }
    adapt(&names::type_ident(schema_name), steps)
}

/// Emits the `Adapt` of a union: a variant that the service does not have is an error.
pub(super) fn of_union(document: &Value, union: &Union, lowered: &Lowered) -> TokenStream {
    let limits = at(document, &["components", "schemas", &union.name, "x-services-by-value"]);
    let arms = union.variants.iter().filter_map(|(tag, schema)| {
        let variant = names::type_ident(tag);
        let limited = limits.and_then(|limits| limits.get(tag)).map(|services| {
            let (documents, what) =
                (service::documents(document, Some(services)), format!("`{tag}` in `{}`", union.name));
            quote! {
                if !service.has(#documents) {
                    return Err(service.unsupported(#what));
                }
            }
        });
        let inside = lowered.adapts(schema).then(|| quote!(crate::service::Adapt::adapt(value, service, at)?;));
        (limited.is_some() || inside.is_some()).then(|| quote!(Self::#variant(value) => { #limited #inside }))
    });
    let arms: Vec<_> = arms.collect();
    let body = if arms.is_empty() { TokenStream::new() } else { quote!(match self { #(#arms)* _ => {} }) };
    adapt(&names::type_ident(&union.name), body)
}

/// Emits code that fails on an optional value that the service does not have.
pub(super) fn refused(document: &Value, services: &Value, value: &TokenStream, label: &str) -> TokenStream {
    let (documents, what) = (service::documents(document, Some(services)), format!("`{label}`"));
    quote! {
        if #value.is_some() && !service.has(#documents) {
            return Err(service.unsupported(#what));
        }
    }
}

/// Emits code that removes an optional value that the service does not have.
pub(super) fn left_out(document: &Value, services: &Value, value: &TokenStream, label: &str) -> TokenStream {
    let documents = service::documents(document, Some(services));
    quote! {
        if #value.is_some() && !service.has(#documents) {
            #value = ::std::option::Option::None;
            service.left_out(#label);
        }
    }
}

fn adapt(name: &syn::Ident, steps: TokenStream) -> TokenStream {
    if steps.is_empty() {
        return steps;
    }
    quote! {
        impl crate::service::Adapt for #name {
            #[allow(unused_variables)]
            fn adapt(
                &mut self,
                service: &crate::service::Service,
                at: &crate::validation::Place<'_>,
            ) -> ::std::result::Result<(), crate::service::Unsuited> {
                #steps
                Ok(())
            }
        }
    }
}
