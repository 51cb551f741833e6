//! Emits the accessors of unions (`x-accessors`): methods that look for a property in every variant.
//!
//! `x-accessors: {name: {description, paths, type, cow, internal}}`. The `paths` are dotted and are tried in order. In
//! a variant, a path counts only if it leads through structs to a property of the accessor's `type`. The default of
//! `type` is the type of the first property found. The result depends on the type:
//!
//! - a list: a slice, empty if the property is missing
//! - a string, struct or union: `Option<&T>`; `None` for `Unknown`
//! - a struct with `cow: true`: `Option<Cow<T>>`. Also found in the JSON of `Unknown`, and in structs with all
//!   properties of `T`
//! - anything else: `Option<T>`. Also found in the JSON of `Unknown`
//!
//! An `internal` accessor is for the crate only.
//!
//! An empty string, and a number that is its `x-default`, count as missing.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, format_ident, quote};
use serde_json::Value;
use syn::Type;

use super::{
    super::{
        docs::Links,
        error::{Error, Result},
        lower::Lowered,
        model::{Model, Union},
        names,
        node::{at, entries, flag, items, text},
    },
    fields::{Property, Structs, generic_argument},
    shared::doc,
    tolerance,
};

/// Writes the accessors of a union.
pub(super) fn emit(
    document: &Value,
    model: &Model,
    union: &Union,
    lowered: &Lowered,
    structs: &Structs,
    links: &Links,
) -> Result<TokenStream> {
    let place = format!("components.schemas.{}", union.name);
    let node = at(document, &["components", "schemas", &union.name]).unwrap_or(&Value::Null);
    let search = Search { model, lowered, structs };
    let methods = entries(node, "x-accessors")
        .filter_map(|(name, accessor)| search.method(union, name, accessor, links).transpose())
        .collect::<Result<Vec<_>>>()
        .map_err(|message| Error::new(format!("{place}.x-accessors"), message.to_string()))?;
    if methods.is_empty() {
        return Ok(TokenStream::new());
    }
    let union = names::type_ident(&union.name);
    Ok(quote!(impl #union { #(#methods)* }))
}

struct Search<'a> {
    model: &'a Model,
    lowered: &'a Lowered,
    structs: &'a Structs,
}

/// The kind of value that an accessor returns.
enum Kind {
    List(Type),
    Text,
    Borrowed(Type),
    Cow(Type),
    Owned(Type),
}

/// A property at the end of a path.
struct Leaf<'a> {
    /// An expression of type `Option<&T>`, in which `update` is the variant's struct.
    found: TokenStream,
    property: &'a Property,
    /// The number that means a missing value.
    default: Option<i64>,
}

impl<'a> Search<'a> {
    /// Returns the method. `None` if no variant has such a property, as in a document of another version.
    fn method(&self, union: &Union, name: &str, accessor: &Value, links: &Links) -> Result<Option<TokenStream>> {
        let paths: Vec<Vec<&str>> =
            items(accessor, "paths").filter_map(Value::as_str).map(|path| path.split('.').collect()).collect();
        let leaves_of =
            |schema: &str| -> Vec<Leaf<'a>> { paths.iter().filter_map(|path| self.leaf(schema, path)).collect() };
        let all: Vec<_> = union.variants.iter().map(|(tag, schema)| (tag, leaves_of(schema))).collect();
        let wanted = match text(accessor, "type") {
            Some(schema) => Some(names::type_ident(schema).to_string()),
            None => all.iter().flat_map(|(_, leaves)| leaves).next().map(|leaf| type_name(&leaf.property.ty)),
        };
        let Some(ty) = all
            .iter()
            .flat_map(|(_, leaves)| leaves)
            .map(|leaf| &leaf.property.ty)
            .find(|ty| Some(type_name(ty)) == wanted)
        else {
            return Ok(None);
        };
        let kind = self.kind(ty, flag(accessor, "cow"))?;
        let arms = all.iter().filter_map(|(tag, leaves)| {
            let found: Vec<TokenStream> = leaves.iter().filter_map(|leaf| self.value(leaf, ty, &kind)).collect();
            let (first, others) = found.split_first()?;
            let variant = names::type_ident(tag);
            Some(quote!(Self::#variant(update) => #first #(.or_else(|| #others))*,))
        });
        let arms: Vec<_> = arms.collect();
        let places = paths.iter().map(|path| path.join("/")).map(|path| format!("/{path}"));
        let in_json = quote!(Self::Unknown(unknown) => unknown.find(&[#(#places),*]));
        let (output, unknown, end) = match &kind {
            Kind::List(element) => (quote!(&[#element]), quote!(), quote!(.unwrap_or_default())),
            Kind::Text => (quote!(::std::option::Option<&str>), quote!(), quote!()),
            Kind::Borrowed(ty) => (quote!(::std::option::Option<&#ty>), quote!(), quote!()),
            Kind::Owned(ty) => (quote!(::std::option::Option<#ty>), quote!(#in_json,), quote!()),
            Kind::Cow(ty) => (
                quote!(::std::option::Option<::std::borrow::Cow<'_, #ty>>),
                quote!(#in_json.map(::std::borrow::Cow::Owned),),
                quote!(),
            ),
        };
        let is_complete = !unknown.is_empty() && arms.len() == union.variants.len();
        let others = (!is_complete).then(|| quote!(_ => ::std::option::Option::None,));
        let documentation = doc(&links.rustdoc(text(accessor, "description").unwrap_or_default()));
        let method = names::value_ident(name);
        let visibility = if flag(accessor, "internal") { quote!(pub(crate)) } else { quote!(pub) };
        Ok(Some(quote! {
            #documentation
            #[must_use]
            #visibility fn #method(&self) -> #output {
                match self {
                    #(#arms)*
                    #unknown
                    #others
                } #end
            }
        }))
    }

    fn kind(&self, ty: &Type, is_cow: bool) -> Result<Kind> {
        let name = type_name(ty);
        Ok(match generic_argument(ty, "Vec") {
            Some(element) => Kind::List(element.clone()),
            None if name == "String" => Kind::Text,
            None if is_cow && self.structs.contains_key(&name) => Kind::Cow(ty.clone()),
            None if is_cow => return Err(Error::new("", format!("`cow` on `{name}`, which is not a struct"))),
            None if self.is_borrowed(&name) => Kind::Borrowed(ty.clone()),
            None => Kind::Owned(ty.clone()),
        })
    }

    /// Whether a type is a struct or a union, which are too large to be copied.
    fn is_borrowed(&self, name: &str) -> bool {
        self.structs.contains_key(name) || self.model.unions.iter().any(|union| names::type_ident(&union.name) == name)
    }

    /// Returns the property at the end of a path in a schema.
    fn leaf(&self, schema: &str, path: &[&str]) -> Option<Leaf<'a>> {
        let mut owner = names::type_ident(schema).to_string();
        let mut steps = TokenStream::new();
        let mut last = None;
        for name in path {
            let property = self.structs.get(&owner)?.iter().find(|property| property.name == *name)?;
            let ident = &property.ident;
            steps.extend(match (property.optional, property.boxed) {
                (true, true) => quote!(let at = at.#ident.as_deref()?;),
                (true, false) => quote!(let at = at.#ident.as_ref()?;),
                (false, true) => quote!(let at = &*at.#ident;),
                (false, false) => quote!(let at = &at.#ident;),
            });
            let node = self.schema(&owner).and_then(|schema| at(schema, &["properties", name]));
            last = Some((property, node.and_then(|node| node.get(tolerance::DEFAULT)?.as_i64())));
            owner = type_name(&property.ty);
        }
        let (property, default) = last?;
        let found = quote!((|| { let at = update; #steps ::std::option::Option::Some(at) })());
        Some(Leaf { found, property, default })
    }

    /// Returns the lowered schema of a struct.
    fn schema(&self, rust_name: &str) -> Option<&'a Value> {
        let schemas = entries(&self.lowered.document["components"], "schemas");
        schemas.filter(|(name, _)| names::type_ident(name) == rust_name).map(|(_, node)| node).next()
    }

    /// Returns the leaf as a value of the accessor. `None` if the leaf has another type.
    fn value(&self, leaf: &Leaf<'_>, ty: &Type, kind: &Kind) -> Option<TokenStream> {
        let found = &leaf.found;
        let (own, wanted) = (type_name(&leaf.property.ty), type_name(ty));
        if own != wanted {
            let Kind::Cow(_) = kind else { return None };
            let fields = self.shared(&own, &wanted)?;
            let name = format_ident!("{wanted}");
            return Some(
                quote!(#found.map(|at| ::std::borrow::Cow::Owned(#name { #(#fields: at.#fields.clone(),)* }))),
            );
        }
        Some(match kind {
            Kind::List(_) => quote!(#found.map(::std::vec::Vec::as_slice)),
            Kind::Text => quote!(#found.map(::std::string::String::as_str).filter(|text| !text.is_empty())),
            Kind::Borrowed(_) => found.clone(),
            Kind::Cow(_) => quote!(#found.map(::std::borrow::Cow::Borrowed)),
            Kind::Owned(_) if self.model.enums.iter().any(|known| names::type_ident(&known.name) == wanted) => {
                quote!(#found.cloned().filter(|value| !value.as_str().is_empty()))
            }
            Kind::Owned(_) => match leaf.default {
                Some(default) => quote!(#found.cloned().filter(|value| *value != #default)),
                None => quote!(#found.cloned()),
            },
        })
    }

    /// Returns the fields of `wanted`, if `own` has all of them with the same types.
    fn shared(&self, own: &str, wanted: &str) -> Option<Vec<&'a proc_macro2::Ident>> {
        let (own, wanted) = (self.structs.get(own)?, self.structs.get(wanted)?);
        let is_same = |one: &Property, other: &Property| {
            (&one.name, one.optional, one.boxed, type_name(&one.ty))
                == (&other.name, other.optional, other.boxed, type_name(&other.ty))
        };
        wanted.iter().map(|field| own.iter().any(|other| is_same(field, other)).then_some(&field.ident)).collect()
    }
}

/// Returns the last name of a path, with its generics.
fn type_name(ty: &Type) -> String {
    match ty {
        Type::Path(path) => {
            path.path.segments.last().map(|segment| segment.to_token_stream().to_string()).unwrap_or_default()
        }
        other => other.to_token_stream().to_string(),
    }
}
