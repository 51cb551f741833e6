//! Emits the tolerant `Deserialize` of received structs: a value that does not fit removes only the smallest optional
//! part around it.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, format_ident, quote};
use serde_json::Value;
use syn::{ItemStruct, Type};

use super::{
    super::{
        error::{Error, Result},
        model::{Model, reference},
        names,
        node::{at, entries, items, text},
        yaml::join,
    },
    fields::{generic_argument, joined, property_name, remove_derive},
};

/// The extension with the value of a required property that is missing or does not fit.
pub(super) const DEFAULT: &str = "x-default";

/// Emits the `Deserialize` of a received struct, which replaces the derived one. A mirror of the struct has the
/// adapters of `src/json/tolerance.rs` at its fields.
pub(super) fn deserialize(
    model: &Model,
    document: &Value,
    item: &mut ItemStruct,
    schema_name: &str,
    schema: &Value,
) -> Result<TokenStream> {
    let is_tagged = model.unions.iter().flat_map(|union| &union.variants).any(|(_, schema)| schema == schema_name);
    let mut defaults = TokenStream::new();
    let mut fields = TokenStream::new();
    // Conditions for a field to have its default, the cheap ones first.
    let (mut is_default, mut is_none, mut has_core) = (Vec::new(), Vec::new(), false);
    for field in &item.fields {
        let (property, ident, ty) = (property_name(field), &field.ident, &field.ty);
        let node = &schema["properties"][&property];
        let attributes = if node.get(DEFAULT).is_some() {
            let place = format!("components.schemas.{schema_name}.properties.{property}");
            let (name, value) =
                (format_ident!("Default{}", names::type_ident(&property)), value(document, node, &place)?);
            let label = format!("{schema_name}.{property}");
            defaults.extend(quote! {
                enum #name {}
                impl crate::json::tolerance::DefaultValue for #name {
                    type Value = #ty;
                    const PROPERTY: &'static str = #label;
                    fn value() -> #ty { #value }
                }
            });
            let is_object = node[DEFAULT].is_object();
            let question = quote!(value.#ident == <#name as crate::json::tolerance::DefaultValue>::value());
            is_default.insert(if is_object { is_default.len() } else { 0 }, question);
            // A missing joined property is a misfit only if its parts are missing too, so it is logged later.
            let missing = match joined(&schema["properties"], &property).is_empty() {
                false => quote!(crate::json::tolerance::not_there),
                true => quote!(crate::json::tolerance::missing::<#name>),
            };
            let missing = missing.to_string();
            let read = adapted(&quote!(crate::json::tolerance::OrDefault<#name>));
            quote!(, default = #missing, deserialize_with = #read)
        } else if let Some(adapter) = adapter(ty) {
            let read = adapted(&adapter);
            let default = generic_argument(ty, "Option").map(|_| quote!(default,));
            match &default {
                Some(_) => is_none.push(quote!(value.#ident.is_none())),
                None => has_core = true,
            }
            quote!(, #default deserialize_with = #read)
        } else {
            has_core = true;
            TokenStream::new()
        };
        fields.extend(quote!(#[serde(rename = #property #attributes)] #ident: #ty,));
    }
    remove_derive(item, "Deserialize");
    // A struct whose required properties all have a default would fit any object, so it needs at least one value that
    // is not a default. A member of a union is identified by its tag.
    let joins = item.fields.iter().filter_map(|field| {
        let (property, ident) = (property_name(field), &field.ident);
        let (parts, label) = (joined(&schema["properties"], &property), format!("{schema_name}.{property}"));
        (!parts.is_empty()).then(|| {
            quote! {
                if let ::std::option::Option::Some(joined) = crate::json::tolerance::joined_or_missing(
                    #label,
                    &value.#ident,
                    [#(value.#parts.as_deref()),*],
                ) {
                    value.#ident = joined;
                }
            }
        })
    });
    let joins: TokenStream = joins.collect();
    let joins = (!joins.is_empty()).then(|| quote!(.map(|mut value| { #joins value })));
    let read = if has_core || is_tagged || is_default.is_empty() {
        quote!(Mirror::deserialize(deserializer) #joins)
    } else {
        let questions = is_default.into_iter().chain(is_none);
        quote! {
            match Mirror::deserialize(deserializer) #joins {
                Ok(value) if #(#questions)&&* => Err(crate::json::tolerance::nothing_fits()),
                read => read,
            }
        }
    };
    let (name, label) = (&item.ident, item.ident.to_string());
    Ok(quote! {
        const _: () = {
            #defaults

            #[derive(::serde::Deserialize)]
            #[serde(remote = #label)]
            struct Mirror { #fields }

            impl crate::json::object::Fields for #name {
                #[inline]
                fn read<'de, D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                    #read
                }
            }

            impl<'de> ::serde::Deserialize<'de> for #name {
                #[inline]
                fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                    crate::json::object::read_object(deserializer)
                }
            }
        };
    })
}

fn adapted(adapter: &TokenStream) -> String {
    quote!(::serde_with::As::<#adapter>::deserialize).to_string()
}

/// Returns the adapter of a type. `None` if the struct cannot be read without the value.
fn adapter(ty: &Type) -> Option<TokenStream> {
    let of = |ty: &Type| adapter(ty).unwrap_or_else(|| quote!(::serde_with::Same));
    if let Some(inner) = generic_argument(ty, "Option") {
        let inner = of(inner);
        return Some(quote!(crate::json::tolerance::OrNone<#inner>));
    }
    let element = generic_argument(ty, "Vec").or_else(|| map_value(ty))?;
    let element = of(element);
    Some(quote!(crate::json::tolerance::Each<#element>))
}

/// Returns `V` of `BTreeMap<String, V>`.
fn map_value(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    let segment = path.path.segments.last().filter(|segment| segment.ident == "BTreeMap")?;
    let syn::PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    match arguments.args.iter().nth(1) {
        Some(syn::GenericArgument::Type(value)) => Some(value),
        _ => None,
    }
}

/// Returns the Rust expression of a default. An object has the defaults of its properties.
fn value(document: &Value, node: &Value, place: &str) -> Result<TokenStream> {
    let unfit = || Error::new(join(place, DEFAULT), format!("{} is not a value of this property", node[DEFAULT]));
    match (&node[DEFAULT], text(node, "type"), reference(node)) {
        (Value::String(text), Some("string"), _) | (Value::String(text), None, Some(_)) => {
            Ok(quote!(::std::convert::From::from(#text)))
        }
        (Value::Number(number), Some("integer"), _) => {
            let number = number.as_i64().map(proc_macro2::Literal::i64_unsuffixed).ok_or_else(unfit)?;
            Ok(number.into_token_stream())
        }
        (Value::Bool(flag), Some("boolean"), _) => Ok(quote!(#flag)),
        (Value::Object(object), _, Some(name)) if object.is_empty() => {
            let schema = at(document, &["components", "schemas", name]).unwrap_or(&Value::Null);
            let fields = entries(schema, "properties").map(|(property, node)| {
                let ident = names::value_ident(property);
                if !items(schema, "required").any(|required| required == property.as_str()) {
                    return Ok(quote!(#ident: ::std::option::Option::None,));
                }
                let place = format!("components.schemas.{name}.properties.{property}");
                if node.get(DEFAULT).is_none() {
                    return Err(Error::new(
                        place,
                        format!("needs `{DEFAULT}`: it is required, and its schema is a default"),
                    ));
                }
                let value = value(document, node, &place)?;
                Ok(quote!(#ident: #value,))
            });
            let (ty, fields) = (names::type_ident(name), fields.collect::<Result<TokenStream>>()?);
            Ok(quote!(#ty { #fields }))
        }
        _ => Err(unfit()),
    }
}
