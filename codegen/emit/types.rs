//! Emits the module `types`: the structs of `progenitor`, then unions, enums, constructors, setters and checks.

use std::collections::BTreeMap;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use serde_json::Value;
use syn::{Field, Item, ItemStruct, Type};

use super::{
    super::{
        docs::{self, Links},
        error::{Error, Result},
        lower::{AT_LEAST_ONE, Lowered},
        model::{self, Model, StringEnum, Union},
        names::{self, Scope},
        node::{at, entries, flag, items, text},
    },
    accessors,
    fields::{self, Structs, generic_argument, property_name},
    key, secret, service_support,
    shared::{check, doc, example},
    tolerance, union_reader,
};

pub(super) fn emit(
    document: &Value,
    model: &Model,
    lowered: &Lowered,
    structs: Vec<Item>,
    links: &Links,
) -> Result<TokenStream> {
    let schemas: BTreeMap<String, (&String, &Value)> = entries(&lowered.document["components"], "schemas")
        .map(|(name, node)| (names::type_ident(name).to_string(), (name, node)))
        .collect();
    let mut out = TokenStream::new();
    let mut fields = Structs::new();
    for item in structs {
        match item {
            Item::Struct(mut item) => {
                let (name, schema) = schemas.get(&item.ident.to_string()).copied().ok_or_else(|| {
                    Error::new("components.schemas", format!("no schema for the generated type {}", item.ident))
                })?;
                let name = name.clone();
                fields.insert(item.ident.to_string(), fields::properties(&item, schema));
                describe(&mut item, &name, schema, links);
                let node = at(document, &["components", "schemas", &name]).unwrap_or(&Value::Null);
                item.attrs.extend(attributes(doc_of_example(document, node, "x-example")));
                let debug = secret::debug_of_struct(&mut item, schema);
                let reading = match model.answers.contains(&name) {
                    true => tolerance::deserialize(model, &lowered.document, &mut item, &name, schema)?,
                    false => TokenStream::new(),
                };
                item.to_tokens(&mut out);
                out.extend(debug);
                out.extend(reading);
                if model.answers.contains(&name) {
                    out.extend(key::of_struct(&item, schema));
                }
                check_fields(&item, &name, model.requests.contains(&name))?;
                if model.requests.contains(&name) {
                    out.extend(setters(&item, &name));
                    out.extend(struct_checks(&item, schema)?);
                    out.extend(service_support::of_struct(document, &item, &name, schema));
                }
            }
            // Conversions of newtypes: the lowered document has no newtypes.
            Item::Mod(module) if module.ident == "error" => {}
            item => item.to_tokens(&mut out),
        }
    }
    for union in &model.unions {
        out.extend(emit_union(document, union, links));
        out.extend(union_reader::emit(union, &fields));
        out.extend(accessors::emit(document, model, union, lowered, &fields, links)?);
        if model.answers.contains(&union.name) {
            out.extend(key::of_union(union));
        }
        if model.requests.contains(&union.name) {
            out.extend(union_checks(union, lowered));
            out.extend(service_support::of_union(document, union, lowered));
        }
    }
    out.extend(model.enums.iter().map(|known| emit_enum(known, model, document, links)));
    out.extend(aliases(document).map(|(name, target, node)| emit_alias(name, target, node, links)));
    Ok(out)
}

/// Returns the schemas with `x-same-as`: name, target and node.
pub(super) fn aliases(document: &Value) -> impl Iterator<Item = (&String, &str, &Value)> {
    let schemas = document.get("components").into_iter().flat_map(|components| entries(components, "schemas"));
    schemas.filter_map(|(name, node)| Some((name, text(node, "x-same-as")?, node)))
}

fn emit_alias(name: &str, target: &str, node: &Value, links: &Links) -> TokenStream {
    let description =
        docs::with_paragraph(text(node, "description").unwrap_or_default().to_owned(), docs::provenance(node));
    let (documentation, name, target) =
        (doc(&links.rustdoc(&description)), names::type_ident(name), names::type_ident(target));
    quote!(#documentation pub type #name = #target;)
}

/// Returns the documentation with the example of a node, below a description.
fn doc_of_example(document: &Value, node: &Value, key: &str) -> TokenStream {
    example(document, node, key).map(|example| doc(&format!("\n{example}"))).unwrap_or_default()
}

/// Parses the attributes of an item.
fn attributes(tokens: TokenStream) -> Vec<syn::Attribute> {
    syn::parse::Parser::parse2(syn::Attribute::parse_outer, tokens).unwrap_or_default()
}

/// Documents a struct and its fields from the schema, and sorts the fields in the order of the document.
fn describe(item: &mut ItemStruct, name: &str, schema: &Value, links: &Links) {
    // Servers add fields without notice, even to a struct without fields.
    let closed = quote!(#[serde(deny_unknown_fields)]).to_string();
    item.attrs
        .retain(|attribute| !attribute.path().is_ident("doc") && attribute.to_token_stream().to_string() != closed);
    let text_of = |node: &Value, fallback: &str| {
        let description = text(node, "description").unwrap_or_default();
        let description = if description.is_empty() { docs::words(fallback) } else { description.to_owned() };
        attributes(doc(&links.rustdoc(&description)))
    };
    item.attrs.splice(0..0, text_of(schema, name));
    let order: Vec<&String> = entries(schema, "properties").map(|(name, _)| name).collect();
    if let syn::Fields::Named(fields) = &mut item.fields {
        let mut sorted: Vec<Field> = fields.named.iter().cloned().collect();
        sorted.sort_by_key(|field| order.iter().position(|name| **name == property_name(field)));
        for field in &mut sorted {
            field.attrs.retain(|attribute| !attribute.path().is_ident("doc"));
            let property = property_name(field);
            field.attrs.splice(0..0, text_of(&schema["properties"][&property], &property));
        }
        fields.named = sorted.into_iter().collect();
    }
}

/// Fails on two properties with the same field in Rust, and on a property whose setter would be `new`.
fn check_fields(item: &ItemStruct, schema_name: &str, has_setters: bool) -> Result<()> {
    let mut scope = Scope::with(if has_setters { &["new"] } else { &[] });
    item.fields.iter().try_for_each(|field| {
        let property = property_name(field);
        let place = format!("components.schemas.{schema_name}.properties.{property}");
        field.ident.as_ref().map_or(Ok(()), |ident| scope.add(ident, &property, &place))
    })
}

/// Emits `new` with the required fields as arguments, and a setter for every field.
fn setters(item: &ItemStruct, schema_name: &str) -> TokenStream {
    let name = &item.ident;
    let (mut arguments, mut required, mut optional, mut setters) = (vec![], vec![], vec![], vec![]);
    for field in &item.fields {
        let Some(ident) = &field.ident else { continue };
        let documentation = doc(&docs::setter(&ident.to_string(), &doc_of(field)));
        let inner = generic_argument(&field.ty, "Option");
        let (argument, value) = argument(inner.unwrap_or(&field.ty), ident);
        let stored = if inner.is_some() { quote!(::std::option::Option::Some(#value)) } else { value.clone() };
        if inner.is_none() {
            arguments.push(quote!(#ident: #argument));
            required.push(quote!(#ident: #value));
        } else {
            optional.push(quote!(#ident: ::std::option::Option::None));
        }
        setters.push(quote! {
            #documentation
            #[must_use]
            pub fn #ident(mut self, #ident: #argument) -> Self {
                self.#ident = #stored;
                self
            }
        });
    }
    let summary = if required.is_empty() {
        format!(
            " Creates {} `{schema_name}` in which no field is set. Every field has a setter.",
            docs::article(schema_name)
        )
    } else {
        format!(
            " Creates {} `{schema_name}` from its required fields. Every field has a setter.",
            docs::article(schema_name)
        )
    };
    quote! {
        impl #name {
            #[doc = #summary]
            #[must_use]
            pub fn new(#(#arguments),*) -> Self {
                Self { #(#required,)* #(#optional,)* }
            }
            #(#setters)*
        }
    }
}

/// Returns the documentation of a field.
fn doc_of(field: &Field) -> String {
    let lines = field.attrs.iter().filter(|attribute| attribute.path().is_ident("doc")).filter_map(|attribute| {
        let syn::Meta::NameValue(pair) = &attribute.meta else { return None };
        let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(line), .. }) = &pair.value else { return None };
        let line = line.value();
        Some(line.strip_prefix(' ').map_or_else(|| line.clone(), str::to_owned))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns the argument type for a value of a type, and the expression that converts the argument.
pub(super) fn argument(ty: &Type, ident: &syn::Ident) -> (TokenStream, TokenStream) {
    if let Some(inner) = generic_argument(ty, "Box") {
        return (quote!(impl ::std::convert::Into<#inner>), quote!(::std::boxed::Box::new(#ident.into())));
    }
    match generic_argument(ty, "Vec") {
        Some(inner) if generic_argument(inner, "Vec").is_some() => {
            (quote!(impl ::std::convert::Into<#ty>), quote!(#ident.into()))
        }
        Some(inner) => (
            quote!(impl ::std::iter::IntoIterator<Item = impl ::std::convert::Into<#inner>>),
            quote!(#ident.into_iter().map(::std::convert::Into::into).collect()),
        ),
        None if is_scalar(ty) => (quote!(#ty), quote!(#ident)),
        None => (quote!(impl ::std::convert::Into<#ty>), quote!(#ident.into())),
    }
}

fn is_scalar(ty: &Type) -> bool {
    let name = ty.to_token_stream().to_string();
    matches!(name.as_str(), "bool" | "i32" | "i64" | "f32" | "f64")
}

fn struct_checks(item: &ItemStruct, schema: &Value) -> Result<TokenStream> {
    let name = &item.ident;
    let mut checks = TokenStream::new();
    for field in &item.fields {
        let Some(ident) = &field.ident else { continue };
        let property = property_name(field);
        let node = &schema["properties"][&property];
        let place = quote!(&at.field(#property));
        if let Some(kind) = node.get("x-check") {
            let check = check(kind, &quote!(value), &place)?;
            checks.extend(if generic_argument(&field.ty, "Option").is_some() {
                quote!(if let ::std::option::Option::Some(value) = &self.#ident { #check })
            } else {
                quote!({ let value = &self.#ident; #check })
            });
        }
        if flag(node, "x-checks-inside") {
            checks.extend(quote!(crate::validation::Check::check(&self.#ident, #place)?;));
        }
    }
    let group: Vec<&str> = items(schema, AT_LEAST_ONE).filter_map(Value::as_str).collect();
    if !group.is_empty() {
        let given = group.iter().map(|property| {
            let ident = names::value_ident(property);
            quote!((#property, self.#ident.is_some()))
        });
        checks.extend(quote!(crate::validation::at_least_one(&[#(#given),*], at)?;));
    }
    if checks.is_empty() {
        return Ok(checks);
    }
    Ok(quote! {
        impl crate::validation::Check for #name {
            fn check(&self, at: &crate::validation::Place<'_>) -> ::std::result::Result<(), crate::validation::Invalid> {
                #checks
                Ok(())
            }
        }
    })
}

fn union_checks(union: &Union, lowered: &Lowered) -> TokenStream {
    let name = names::type_ident(&union.name);
    let checked = union.variants.iter().filter(|(_, schema)| {
        at(&lowered.document, &["components", "schemas", schema]).is_some_and(|schema| {
            let is_checked = |node: &Value| node.get("x-check").is_some() || flag(node, "x-checks-inside");
            items(schema, AT_LEAST_ONE).next().is_some()
                || entries(schema, "properties").any(|(_, node)| is_checked(node))
        })
    });
    let arms: Vec<_> = checked
        .map(|(tag, _)| {
            let variant = names::type_ident(tag);
            quote!(Self::#variant(value) => crate::validation::Check::check(value, at),)
        })
        .collect();
    if arms.is_empty() {
        return TokenStream::new();
    }
    quote! {
        impl crate::validation::Check for #name {
            fn check(&self, at: &crate::validation::Place<'_>) -> ::std::result::Result<(), crate::validation::Invalid> {
                match self { #(#arms)* _ => Ok(()) }
            }
        }
    }
}
/// Returns the documentation of a type with listed values, without the list.
fn described_type<'a>(
    name: &str,
    description: &str,
    values: impl Iterator<Item = &'a str> + Clone,
    links: &Links,
) -> TokenStream {
    let description = docs::without_list(description, values);
    let description = if description.is_empty() { docs::words(name) } else { description };
    doc(&links.rustdoc(&description))
}

fn emit_union(document: &Value, union: &Union, links: &Links) -> TokenStream {
    let (name, tag) = (names::type_ident(&union.name), &union.tag);
    let node = at(document, &["components", "schemas", &union.name]).unwrap_or(&Value::Null);
    let described = text(node, "description").unwrap_or_default();
    let described_whole = docs::with_paragraph(described.to_owned(), docs::provenance(node));
    let documentation =
        described_type(&union.name, &described_whole, union.variants.iter().map(|(value, _)| value.as_str()), links);
    let example = doc_of_example(document, node, "x-example");
    let variants = union.variants.iter().map(|(value, schema)| {
        let own = at(document, &["components", "schemas", schema]).and_then(|node| text(node, "description"));
        let own = own.filter(|description| !description.trim().is_empty());
        let text =
            docs::listed(described, value).or_else(|| own.map(str::to_owned)).unwrap_or_else(|| docs::words(value));
        let text = docs::with_paragraph(text, docs::services(at(node, &["x-services-by-value", value])));
        let (documentation, variant, ty) =
            (doc(&links.rustdoc(&text)), names::type_ident(value), names::type_ident(schema));
        quote!(#documentation #variant(#ty) = #value,)
    });
    // A schema with two tags gets no conversion, because its tag is ambiguous.
    let convertible = union
        .variants
        .iter()
        .filter(|(_, schema)| union.variants.iter().filter(|(_, other)| other == schema).count() == 1)
        .map(|(value, schema)| {
            let (variant, ty) = (names::type_ident(value), names::type_ident(schema));
            quote!(#variant(#ty),)
        });
    quote! {
        crate::json::union::tagged_union! {
            #documentation
            #example
            pub enum #name by #tag { #(#variants)* }
            from { #(#convertible)* }
        }
    }
}

fn emit_enum(known: &StringEnum, model: &Model, document: &Value, links: &Links) -> TokenStream {
    let name = names::type_ident(&known.name);
    // An enum of tags takes the descriptions from its union.
    let of_union = model.unions.iter().find(|union| model::tag_enum_name(&union.name) == known.name);
    let source = of_union
        .and_then(|union| at(document, &["components", "schemas", &union.name]))
        .and_then(|node| text(node, "description"));
    let source = source.unwrap_or(&known.description);
    let owner = of_union.map_or(&known.name, |union| &union.name);
    let services = at(document, &["components", "schemas", owner]).unwrap_or(&Value::Null);
    let own = at(document, &["components", "schemas", &known.name]).unwrap_or(&Value::Null);
    let described = docs::with_paragraph(known.description.clone(), docs::provenance(own));
    let documentation = described_type(&known.name, &described, known.values.iter().map(String::as_str), links);
    let example = match of_union {
        Some(_) => doc_of_example(document, services, "x-tag-example"),
        None => doc_of_example(document, own, "x-example"),
    };
    let values = known.values.iter().filter(|value| !model::is_unknown(value)).map(|value| {
        let text = docs::listed(source, value).unwrap_or_else(|| docs::words(value));
        let text = docs::with_paragraph(text, docs::services(at(services, &["x-services-by-value", value])));
        let (documentation, variant) = (doc(&links.rustdoc(&text)), names::type_ident(value));
        quote!(#documentation #variant = #value,)
    });
    quote! {
        crate::json::open_enum::open_enum! {
            #documentation
            #example
            pub enum #name { #(#values)* }
        }
    }
}
