//! Parsed generated code, with lookups of its items.

use std::collections::BTreeSet;

use quote::ToTokens;
use syn::{
    Attribute, Expr, Fields, ImplItem, ImplItemFn, Item, ItemImpl, ItemStruct, LitStr, Stmt, Token,
    ext::IdentExt,
    parse::{Parse, ParseStream},
};

pub(super) struct Code {
    pub(super) text: String,
    file: syn::File,
}

impl Code {
    /// Parses the code. It must be valid Rust without duplicate names and undocumented items.
    pub(super) fn new(text: String) -> Self {
        let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let code = Self { text, file };
        code.assert_distinct();
        code.assert_documented();
        code
    }

    fn module(&self, name: &str) -> &[Item] {
        let found = self.file.items.iter().find_map(|item| match item {
            Item::Mod(module) if module.ident == name => module.content.as_ref(),
            _ => None,
        });
        found.map(|(_, items)| items.as_slice()).unwrap_or_default()
    }

    fn structs(&self, module: &str) -> impl Iterator<Item = &ItemStruct> {
        self.module(module).iter().filter_map(|item| match item {
            Item::Struct(item) => Some(item),
            _ => None,
        })
    }

    /// Returns the inherent methods of a type.
    fn functions(&self, module: &str, ty: &str) -> impl Iterator<Item = &ImplItemFn> {
        let blocks = self.module(module).iter().filter_map(|item| match item {
            Item::Impl(block) => Some(block),
            _ => None,
        });
        let own = blocks.filter(move |block| block.trait_.is_none() && short(&block.self_ty) == ty);
        own.flat_map(|block| &block.items).filter_map(|item| match item {
            ImplItem::Fn(function) => Some(function),
            _ => None,
        })
    }

    /// Returns the implementation of a trait for a type.
    fn implementation(&self, module: &str, of: &str, ty: &str) -> Option<&ItemImpl> {
        self.module(module).iter().find_map(|item| match item {
            Item::Impl(block) if short(&block.self_ty) == ty => {
                let (_, path, _) = block.trait_.as_ref()?;
                (path.segments.last()?.ident == of).then_some(block)
            }
            _ => None,
        })
    }

    fn structure(&self, name: &str) -> &ItemStruct {
        self.structs("types").find(|item| item.ident == name).unwrap_or_else(|| panic!("no {name} in\n{}", self.text))
    }

    /// Returns the names of all types, in order.
    pub(super) fn types(&self) -> Vec<String> {
        let structs = self.structs("types").map(|item| item.ident.to_string());
        structs.chain(self.enums().into_iter().map(|item| item.name)).collect()
    }

    /// Returns the fields of a struct: `name: type`.
    pub(super) fn fields(&self, name: &str) -> Vec<String> {
        fields(self.structure(name))
    }

    /// Returns the names that serde gives to the fields of a struct.
    pub(super) fn renames(&self, name: &str) -> Vec<String> {
        let text = self.structure(name).to_token_stream().to_string();
        text.split("rename = \"").skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())).collect()
    }

    /// Returns the fields of the structs into which a union is read in one pass.
    pub(super) fn slots(&self, union: &str) -> Vec<Vec<String>> {
        let blocks = self.module("types").iter().filter_map(|item| match item {
            Item::Const(item) => match &*item.expr {
                Expr::Block(block) => Some(&block.block.stmts),
                _ => None,
            },
            _ => None,
        });
        let items = blocks.map(|statements| {
            let items = statements.iter().filter_map(|statement| match statement {
                Stmt::Item(item) => Some(item),
                _ => None,
            });
            items.collect::<Vec<_>>()
        });
        let is_of = |item: &&Item| match item {
            Item::Impl(block) => block.trait_.is_some() && short(&block.self_ty) == union,
            _ => false,
        };
        let own = items.into_iter().find(|items| items.iter().any(is_of));
        let structs = own.into_iter().flatten().filter_map(|item| match item {
            Item::Struct(item) => Some(fields(item)),
            _ => None,
        });
        structs.collect()
    }

    /// Returns the documentation of a struct.
    pub(super) fn doc(&self, name: &str) -> String {
        doc(&self.structure(name).attrs)
    }

    /// Returns the documentation of a field.
    pub(super) fn field_doc(&self, name: &str, field: &str) -> String {
        let structure = self.structure(name);
        let found = structure.fields.iter().find(|known| known.ident.as_ref().is_some_and(|ident| ident == field));
        doc(&found.unwrap_or_else(|| panic!("no {name}.{field} in\n{}", self.text)).attrs)
    }

    /// Returns the signatures of a type's inherent methods: `new(a: i64)`.
    pub(super) fn methods(&self, name: &str) -> Vec<String> {
        self.functions("types", name).map(signature).collect()
    }

    /// Returns the documentation of an inherent method of a type.
    pub(super) fn method_doc(&self, name: &str, method: &str) -> String {
        let found = self.functions("types", name).find(|function| function.sig.ident == method);
        doc(&found.unwrap_or_else(|| panic!("no {name}::{method} in\n{}", self.text)).attrs)
    }

    /// Returns the body of a type's check before sending, if it has one.
    pub(super) fn checks(&self, name: &str) -> Option<String> {
        self.implementation("types", "Check", name).map(short)
    }

    /// Returns the code for the key of a received union, without spaces. Empty if the union has no key.
    pub(super) fn key(&self, name: &str) -> String {
        self.implementation("types", "Keyed", name).map(short).unwrap_or_default()
    }

    /// Returns the properties in the key of a received struct.
    pub(super) fn in_key(&self, name: &str) -> Vec<String> {
        let key = self.key(name);
        let added = key.split("key.property(\"").skip(1);
        added.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())).collect()
    }

    /// Returns the methods of `Api`.
    pub(super) fn api(&self) -> Vec<String> {
        self.functions("operations", "Api").map(signature).collect()
    }

    /// Returns the documentation of a method of `Api`.
    pub(super) fn api_doc(&self, method: &str) -> String {
        let found = self.functions("operations", "Api").find(|function| function.sig.ident == method);
        doc(&found.unwrap_or_else(|| panic!("no {method} in\n{}", self.text)).attrs)
    }

    /// Returns the setters of a request builder.
    pub(super) fn setters(&self, builder: &str) -> Vec<String> {
        self.functions("operations", builder).map(signature).collect()
    }

    /// Returns the documentation of a setter of a request builder.
    pub(super) fn setter_doc(&self, builder: &str, setter: &str) -> String {
        let found = self.functions("operations", builder).find(|function| function.sig.ident == setter);
        doc(&found.unwrap_or_else(|| panic!("no {setter} in\n{}", self.text)).attrs)
    }

    /// Returns the documentation of a request builder.
    pub(super) fn request_doc(&self, builder: &str) -> String {
        self.structs("operations").find(|item| item.ident == builder).map(|item| doc(&item.attrs)).unwrap_or_default()
    }

    /// Returns the fields of a request builder.
    pub(super) fn state(&self, builder: &str) -> Vec<String> {
        self.structs("operations").find(|item| item.ident == builder).map(fields).unwrap_or_default()
    }

    /// Returns the code that sends a request builder, without spaces.
    pub(super) fn sending(&self, builder: &str) -> String {
        self.implementation("operations", "Request", builder).map(short).unwrap_or_default()
    }

    /// Returns all unions and enums.
    pub(super) fn enums(&self) -> Vec<Enum> {
        let macros = self.module("types").iter().filter_map(|item| match item {
            Item::Macro(item) => Some(&item.mac),
            _ => None,
        });
        macros.map(|mac| mac.parse_body().unwrap_or_else(|error| panic!("{error}\n{}", self.text))).collect()
    }

    /// Returns one union or enum.
    pub(super) fn enumeration(&self, name: &str) -> Enum {
        let found = self.enums().into_iter().find(|item| item.name == name);
        found.unwrap_or_else(|| panic!("no {name} in\n{}", self.text))
    }

    /// Asserts that names are unique. `syn` accepts duplicate names, only rustc refuses them.
    fn assert_distinct(&self) {
        let distinct = |kind: &str, names: Vec<String>| {
            let mut seen = BTreeSet::new();
            for name in names {
                assert!(name != "gen", "a keyword of edition 2024 as a name in\n{}", self.text);
                assert!(seen.insert(name.clone()), "duplicate {kind} {name} in\n{}", self.text);
            }
        };
        distinct("type", self.types());
        for module in ["types", "operations"] {
            distinct("type", self.structs(module).map(|item| item.ident.to_string()).collect());
            for item in self.structs(module) {
                distinct("field", item.fields.iter().map(|field| field.ident.to_token_stream().to_string()).collect());
                let name = item.ident.to_string();
                distinct("method", self.functions(module, &name).map(|item| item.sig.ident.to_string()).collect());
            }
        }
        for item in self.enums() {
            distinct("variant", item.variants.iter().map(|variant| variant.name.clone()).collect());
        }
    }

    /// Asserts that all items are documented, because the crate denies `missing_docs`.
    fn assert_documented(&self) {
        let documented = |name: &dyn ToTokens, attributes: &[Attribute]| {
            assert!(!doc(attributes).trim().is_empty(), "{} has no documentation in\n{}", short(&name), self.text);
        };
        for module in ["types", "operations"] {
            for item in self.structs(module) {
                documented(&item.ident, &item.attrs);
                let public = item.fields.iter().filter(|field| matches!(field.vis, syn::Visibility::Public(_)));
                public.for_each(|field| documented(&field.ident, &field.attrs));
                let name = item.ident.to_string();
                self.functions(module, &name).for_each(|function| documented(&function.sig.ident, &function.attrs));
            }
        }
        for item in self.enums() {
            assert!(!item.doc.trim().is_empty(), "{} has no documentation in\n{}", item.name, self.text);
            for variant in &item.variants {
                assert!(!variant.doc.trim().is_empty(), "{} has no documentation in\n{}", variant.name, self.text);
            }
        }
    }
}

/// A union (`tagged_union!`) or an enum of strings (`open_enum!`).
pub(super) struct Enum {
    pub(super) name: String,
    pub(super) doc: String,
    /// The property that distinguishes the members of a union.
    pub(super) tag: Option<String>,
    pub(super) variants: Vec<Variant>,
    /// The variants whose type converts into the union.
    pub(super) from: Vec<String>,
}

pub(super) struct Variant {
    pub(super) name: String,
    pub(super) doc: String,
    pub(super) ty: Option<String>,
    pub(super) value: String,
}

impl Enum {
    /// Returns the variants as `Name(Type) = value`.
    pub(super) fn listed(&self) -> Vec<String> {
        let listed = |Variant { name, ty, value, .. }: &Variant| match ty {
            Some(ty) => format!("{name}({ty}) = {value}"),
            None => format!("{name} = {value}"),
        };
        self.variants.iter().map(listed).collect()
    }
}

impl Parse for Enum {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        input.parse::<Token![pub]>()?;
        input.parse::<Token![enum]>()?;
        let name = input.parse::<syn::Ident>()?.to_string();
        let tag = match input.peek(syn::Ident) {
            true => Some((input.parse::<syn::Ident>()?, input.parse::<LitStr>()?.value()).1),
            false => None,
        };
        let body;
        syn::braced!(body in input);
        let variants = body.parse_terminated(Variant::parse, Token![,])?.into_iter().collect();
        let mut from = Vec::new();
        if input.peek(syn::Ident) {
            input.call(syn::Ident::parse_any)?;
            let body;
            syn::braced!(body in input);
            let listed = body.parse_terminated(syn::Variant::parse, Token![,])?;
            from = listed.iter().map(|variant| variant.ident.to_string()).collect();
        }
        Ok(Self { name, doc: doc(&attributes), tag, variants, from })
    }
}

impl Parse for Variant {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let name = input.parse::<syn::Ident>()?.to_string();
        let ty = match input.peek(syn::token::Paren) {
            true => {
                let body;
                syn::parenthesized!(body in input);
                Some(short(&body.parse::<syn::Type>()?))
            }
            false => None,
        };
        input.parse::<Token![=]>()?;
        Ok(Self { name, doc: doc(&attributes), ty, value: input.parse::<LitStr>()?.value() })
    }
}

/// Returns tokens without spaces and without the paths of common items.
pub(super) fn short(tokens: &impl ToTokens) -> String {
    let mut text = tokens.to_token_stream().to_string().split_whitespace().collect::<String>();
    let paths = ["option", "string", "vec", "boxed", "collections", "convert", "iter", "result"];
    for path in paths.map(|module| format!("::std::{module}::")) {
        text = text.replace(&path, "");
    }
    for path in ["Option::Some", "Option::None"] {
        text = text.replace(path, &path["Option::".len()..]);
    }
    for path in ["::serde_json::", "crate::api::types::", "crate::id::", "crate::client::request::", "types::"] {
        text = text.replace(path, "");
    }
    // In a long line, the last argument is followed by a comma.
    [",>", ",)", ",]"].iter().fold(text, |text, end| text.replace(end, &end[1..]))
}

fn fields(item: &ItemStruct) -> Vec<String> {
    match &item.fields {
        Fields::Named(fields) => fields
            .named
            .iter()
            .map(|field| format!("{}: {}", field.ident.to_token_stream(), short(&field.ty)))
            .collect(),
        _ => vec![],
    }
}

fn signature(function: &ImplItemFn) -> String {
    let arguments = function.sig.inputs.iter().filter_map(|argument| match argument {
        syn::FnArg::Typed(typed) => Some(format!("{}: {}", typed.pat.to_token_stream(), short(&typed.ty))),
        syn::FnArg::Receiver(_) => None,
    });
    let arguments: Vec<String> = arguments.collect();
    format!("{}({})", function.sig.ident, arguments.join(", "))
}

fn doc(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| {
        let syn::Meta::NameValue(pair) = &attribute.meta else { return None };
        let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) = &pair.value else { return None };
        let value = text.value();
        attribute.path().is_ident("doc").then(|| value.strip_prefix(' ').map_or(value.clone(), str::to_owned))
    });
    lines.collect::<Vec<_>>().join("\n")
}
