//! Emits code that reads unions in one pass: into a struct with the properties of all variants. The tag then selects
//! some.
//!
//! Each property has one slot. If the variants have different objects for it, the slot is such a struct again. If they
//! have other different types, the slot keeps the JSON until the tag is known. Input that does not fit is an error
//! here, and `src/json/union.rs` then reads it in a slower way. An example is a new property of one variant with
//! another type than the property of the same name in other variants.

use std::collections::BTreeSet;

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::Type;

use super::{
    super::{model::Union, names},
    fields::{Property, Structs},
};

/// A struct with the properties of several structs.
struct Flat {
    ident: Ident,
    slots: Vec<Slot>,
    /// Whether it borrows JSON from the input.
    borrows: bool,
}

struct Slot {
    name: String,
    ident: Ident,
    kind: SlotKind,
}

enum SlotKind {
    /// All properties have this type. `boxed`: all of them are boxed.
    Same {
        ty: Type,
        boxed: bool,
    },
    Merged(Flat),
    Raw,
}

/// Emits the code that reads a union in one pass. It is in a `const` block, so that its names are private.
pub(super) fn emit(union: &Union, structs: &Structs) -> TokenStream {
    let name = names::type_ident(&union.name);
    let variants: Vec<(&String, Ident)> =
        union.variants.iter().map(|(value, schema)| (value, names::type_ident(schema))).collect();
    let members = variants.iter().map(|(_, ty)| ty.to_string()).collect();
    let mut merging = Merging { structs, count: 0, within: Vec::new() };
    let flat = merging.merge(members);
    let mut definitions = TokenStream::new();
    define(&flat, Some(&union.tag), &mut definitions);
    let arms = variants.iter().map(|(value, ty)| {
        let variant = names::type_ident(value);
        let member = build(ty, &flat, structs);
        quote!(#value => #name::#variant(#member),)
    });
    let ident = &flat.ident;
    quote! {
        #[allow(non_camel_case_types)]
        const _: () = {
            #definitions

            impl #ident<'_> {
                fn into_member(self) -> ::std::option::Option<crate::json::union::Flat<#name>> {
                    let flat = self;
                    ::std::option::Option::Some(crate::json::union::Flat::Member(match &*flat.tag_ {
                        #(#arms)*
                        _ => return ::std::option::Option::Some(crate::json::union::Flat::Unknown(flat.tag_.into_owned())),
                    }))
                }
            }

            impl crate::json::union::ReadFlat for #name {
                fn read_flat<'de, D: ::serde::Deserializer<'de>>(
                    deserializer: D,
                ) -> ::std::result::Result<crate::json::union::Flat<Self>, D::Error> {
                    crate::json::union::object(deserializer, |flat: #ident<'de>| flat.into_member())
                }
            }
        };
    }
}

struct Merging<'a> {
    structs: &'a Structs,
    count: usize,
    /// The schemas that are being merged. A schema that contains itself would otherwise be merged forever.
    within: Vec<BTreeSet<String>>,
}

impl Merging<'_> {
    fn merge(&mut self, members: BTreeSet<String>) -> Flat {
        // No schema's name has an underscore in Rust.
        let ident = format_ident!("Flat_{}", self.count);
        self.count += 1;
        let mut by_name: Vec<(&str, Vec<&Property>)> = Vec::new();
        for property in members.iter().filter_map(|member| self.structs.get(member)).flatten() {
            match by_name.iter_mut().find(|(name, _)| *name == property.name) {
                Some((_, properties)) => properties.push(property),
                None => by_name.push((&property.name, vec![property])),
            }
        }
        self.within.push(members);
        let slots: Vec<Slot> = by_name
            .into_iter()
            .map(|(name, properties)| Slot {
                name: name.to_owned(),
                ident: properties[0].ident.clone(),
                kind: self.kind(&properties),
            })
            .collect();
        self.within.pop();
        let borrows = slots.iter().any(|slot| slot.kind.borrows());
        Flat { ident, slots, borrows }
    }

    fn kind(&mut self, properties: &[&Property]) -> SlotKind {
        let types: BTreeSet<String> = properties.iter().map(|property| self.type_name(&property.ty)).collect();
        if types.len() == 1 {
            return SlotKind::Same {
                ty: properties[0].ty.clone(),
                boxed: properties.iter().all(|property| property.boxed),
            };
        }
        if types.iter().all(|ty| self.structs.contains_key(ty)) && !self.within.contains(&types) {
            return SlotKind::Merged(self.merge(types));
        }
        SlotKind::Raw
    }

    /// Returns the name of a struct, for any path to it. For other types, returns the type as written.
    fn type_name(&self, ty: &Type) -> String {
        struct_name(ty)
            .filter(|name| self.structs.contains_key(name))
            .unwrap_or_else(|| ty.to_token_stream().to_string())
    }
}

impl SlotKind {
    fn borrows(&self) -> bool {
        match self {
            Self::Same { .. } => false,
            Self::Merged(flat) => flat.borrows,
            Self::Raw => true,
        }
    }
}

/// Returns the last name of a path without generics.
fn struct_name(ty: &Type) -> Option<String> {
    let Type::Path(path) = ty else { return None };
    path.path.segments.last().filter(|segment| segment.arguments.is_none()).map(|segment| segment.ident.to_string())
}

/// Emits a struct, and the structs of its slots.
fn define(flat: &Flat, tag: Option<&str>, out: &mut TokenStream) {
    let tag = tag.map(|tag| quote!(#[serde(rename = #tag, borrow)] tag_: ::std::borrow::Cow<'a, str>,));
    let slots = flat.slots.iter().map(|Slot { name, ident, kind }| {
        let ty = match kind {
            SlotKind::Same { ty, boxed: true } => quote!(::std::boxed::Box<#ty>),
            SlotKind::Same { ty, .. } => ty.to_token_stream(),
            SlotKind::Merged(inner) => {
                define(inner, None, out);
                let (ident, lifetime) = (&inner.ident, inner.borrows.then(|| quote!(<'a>)));
                quote!(crate::json::union::Object<#ident #lifetime>)
            }
            SlotKind::Raw => quote!(&'a ::serde_json::value::RawValue),
        };
        let borrow = kind.borrows().then(|| quote!(, borrow));
        quote!(#[serde(rename = #name #borrow)] #ident: ::std::option::Option<#ty>,)
    });
    let slots: TokenStream = slots.collect();
    let (ident, lifetime) = (&flat.ident, (tag.is_some() || flat.borrows).then(|| quote!(<'a>)));
    out.extend(quote! {
        #[derive(::serde::Deserialize)]
        struct #ident #lifetime { #tag #slots }
    });
}

/// Returns an expression that builds a struct from the slots of the variable `flat`, in a function that returns an
/// `Option`.
fn build(name: &Ident, flat: &Flat, structs: &Structs) -> TokenStream {
    let mut properties: Vec<&Property> = structs.get(&name.to_string()).into_iter().flatten().collect();
    // A joined property borrows its parts, before they are moved.
    properties.sort_by_key(|property| property.join.is_empty());
    let fields = properties.into_iter().map(|property| {
        let ident = &property.ident;
        let slot = flat.slots.iter().find(|slot| slot.name == property.name).map(|slot| &slot.kind);
        // The field, made from the `value` of the slot.
        let made = match slot {
            None | Some(SlotKind::Same { .. }) => quote!(value),
            Some(SlotKind::Raw) => quote!(::serde_json::from_str(value.get()).ok()?),
            Some(SlotKind::Merged(inner)) => {
                let inner = struct_name(&property.ty).map(|ty| build(&format_ident!("{ty}"), inner, structs));
                quote!({ let crate::json::union::Object(flat) = value; #inner })
            }
        };
        let is_boxed = matches!(slot, Some(SlotKind::Same { boxed: true, .. } | SlotKind::Raw));
        if !property.join.is_empty() {
            let parts = property.join.iter().map(|part| quote!(flat.#part.as_deref()));
            // The slow reader handles a missing value without parts.
            return quote!(#ident: crate::json::tolerance::joined(flat.#ident, [#(#parts),*])?,);
        }
        let made = if property.boxed && !is_boxed { quote!(::std::boxed::Box::new(#made)) } else { made };
        if made.to_string() == "value" {
            let required = (!property.optional).then(|| quote!(?));
            return quote!(#ident: flat.#ident #required,);
        }
        if property.optional {
            quote! {
                #ident: match flat.#ident {
                    ::std::option::Option::Some(value) => ::std::option::Option::Some(#made),
                    ::std::option::Option::None => ::std::option::Option::None,
                },
            }
        } else {
            quote!(#ident: { let value = flat.#ident?; #made },)
        }
    });
    quote!(#name { #(#fields)* })
}
