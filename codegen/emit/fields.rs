//! Reads the fields of the structs that `progenitor` wrote.

use std::collections::BTreeMap;

use proc_macro2::Ident;
use serde_json::Value;
use syn::{Field, GenericArgument, ItemStruct, Meta, PathArguments, Token, Type, punctuated::Punctuated};

use super::super::{lower::JOIN, names, node::items};

/// The fields of every struct, by its Rust name.
pub(super) type Structs = BTreeMap<String, Vec<Property>>;

/// A field of a struct.
pub(super) struct Property {
    pub(super) name: String,
    pub(super) ident: Ident,
    pub(super) optional: bool,
    pub(super) boxed: bool,
    /// The type without `Option` and `Box`.
    pub(super) ty: Type,
    /// The fields that it is joined from if it is missing (`x-join`).
    pub(super) join: Vec<Ident>,
}

/// Returns the fields of a struct.
pub(super) fn properties(item: &ItemStruct, schema: &Value) -> Vec<Property> {
    let property = |field: &Field| {
        let inner = generic_argument(&field.ty, "Option");
        let ty = inner.unwrap_or(&field.ty);
        let content = generic_argument(ty, "Box");
        let name = property_name(field);
        Some(Property {
            join: joined(&schema["properties"], &name),
            name,
            ident: field.ident.clone()?,
            optional: inner.is_some(),
            boxed: content.is_some(),
            ty: content.unwrap_or(ty).clone(),
        })
    };
    item.fields.iter().filter_map(property).collect()
}

/// Returns the fields that a property is joined from (`x-join`).
pub(super) fn joined(properties: &Value, property: &str) -> Vec<Ident> {
    let parts = items(&properties[property], JOIN).filter_map(Value::as_str);
    parts.filter(|part| properties.get(*part).is_some()).map(names::value_ident).collect()
}

/// Returns the name of a field in the document: its serde name, or the name of the field.
pub(super) fn property_name(field: &Field) -> String {
    let mut name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        // Other keys of the attribute do not matter, so errors are ignored.
        let _ = attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("rename") {
                name = meta.value()?.parse::<syn::LitStr>()?.value();
            } else if let Ok(value) = meta.value() {
                value.parse::<syn::Expr>()?;
            }
            Ok(())
        });
    }
    name
}

/// Returns `T` of `Outer<T>`, for any path to `Outer`.
pub(super) fn generic_argument<'a>(ty: &'a Type, outer: &str) -> Option<&'a Type> {
    let Type::Path(path) = ty else { return None };
    let segment = path.path.segments.last().filter(|segment| segment.ident == outer)?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(inner) => Some(inner),
        _ => None,
    })
}

/// Removes a derived trait from a struct.
pub(super) fn remove_derive(item: &mut ItemStruct, name: &str) {
    for attribute in item.attrs.iter_mut().filter(|attribute| attribute.path().is_ident("derive")) {
        let Ok(derives) = attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated) else { continue };
        let others =
            derives.iter().filter(|derive| derive.path().segments.last().is_none_or(|last| last.ident != name));
        *attribute = syn::parse_quote!(#[derive(#(#others),*)]);
    }
}
