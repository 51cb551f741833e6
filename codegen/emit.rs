//! Emits the generated code of the crate: the documented code of `progenitor`, and the code that `progenitor` does not
//! write.

mod accessors;
mod fields;
mod key;
mod operations;
mod secret;
mod service;
mod service_support;
mod shared;
mod tolerance;
mod types;
mod union_reader;

use quote::{ToTokens as _, quote};
use serde_json::Value;
use syn::{Expr, ImplItem, Item, Local, Pat, Stmt};

use super::{
    docs::Links,
    error::{Error, Result},
    lower::Lowered,
    model::Model,
    names,
    node::entries,
};

/// Assembles the modules: `types`, `client` (the calls as `progenitor` wrote them), `operations` and `services`.
pub(super) fn emit(document: &Value, model: &Model, lowered: &Lowered, code: syn::File) -> Result<String> {
    let links = links(document, model, lowered);
    let (mut uses, mut client, mut structs) = (Vec::new(), Vec::new(), Vec::new());
    for item in code.items {
        match item {
            Item::Mod(module) if module.ident == "types" => {
                structs = module.content.map(|(_, items)| items).unwrap_or_default()
            }
            Item::Mod(module) if module.ident == "prelude" => {}
            Item::Use(item) => uses.push(item),
            item => client.push(item),
        }
    }
    let operations = operations::emit(document, model, lowered, &client, &links)?;
    client.retain_mut(trim_client);
    let services = service::emit(document)?;
    let types = types::emit(document, model, lowered, structs, &links)?;
    let file = syn::parse2(quote! {
        /// The types of requests, responses and updates, generated from the OpenAPI documents of the services.
        ///
        /// The models have the types, properties and values of all services. "MAX only" marks items that only MAX has.
        ///
        /// Structs that are sent have `new`, with the required fields in the order of the document, and a setter per
        /// field.
        ///
        /// # Values that do not fit
        ///
        /// Servers send values that the document does not allow: null for a required name, a new kind of attachment,
        /// half an emoji. Only the smallest optional part around such a value is lost:
        ///
        /// - A required property with a known default gets the default. For example, a missing name is empty.
        /// - An optional property is `None`.
        /// - An element of a list or map is left out.
        /// - A value of a union (such as `Update`) or of a string enum is `Unknown`, and keeps its JSON or text.
        /// - If no such part contains the value, the whole response is an error.
        ///
        /// Each such value is logged as `value does not fit the model`, with its `path` and the `reason`. The level is
        /// `WARN` the first time that the path occurs in the process, then `DEBUG`. An unknown kind or enum value is
        /// not logged. Properties that the document does not have are ignored; [`RawUpdate`](crate::updates::RawUpdate)
        /// has the exact JSON of an update.
        pub(crate) mod types { #types }

        #[allow(clippy::all, dead_code, unused_imports, missing_docs, missing_debug_implementations, unreachable_pub)]
        pub(crate) mod client {
            #(#uses)*
            use super::types;
            #(#client)*
        }

        pub(crate) mod operations { #operations }

        mod services { #services }
    });
    let file = file.map_err(|error| Error::new("", format!("cannot parse the generated code: {error}")))?;
    Ok(prettyplease::unparse(&file))
}

/// Keeps only the parts of the client that build requests. The crate sends the requests and reads the answers itself.
fn trim_client(item: &mut Item) -> bool {
    match item {
        Item::Impl(block) if block.trait_.is_none() => {
            block.items.retain_mut(|item| match item {
                // `new` creates an HTTP client with a timeout that is shorter than a poll.
                ImplItem::Fn(function) if function.sig.ident == "new" => false,
                ImplItem::Fn(function) => {
                    trim_call(function);
                    true
                }
                _ => true,
            });
            true
        }
        Item::Impl(block) => !block.trait_.as_ref().is_some_and(|(_, path, _)| names_hooks(path)),
        Item::Const(_) => false,
        _ => true,
    }
}

fn names_hooks(path: &syn::Path) -> bool {
    path.segments.last().is_some_and(|segment| segment.ident == "ClientHooks")
}

/// Reduces a call to the code that builds its request, without the headers, which are the same for all calls.
fn trim_call(function: &mut syn::ImplItemFn) {
    let local = |statement: &Stmt, name: &str| matches!(statement, Stmt::Local(Local { pat: Pat::Ident(pattern), .. }) if pattern.ident == name);
    let statements = &mut function.block.stmts;
    let Some(last) = statements.iter().position(|statement| local(statement, "request")) else { return };
    let Stmt::Local(Local { init: Some(init), .. }) = &mut statements[last] else { return };
    without_headers(&mut init.expr);
    let made = init.expr.clone();
    statements.truncate(last);
    statements.retain(|statement| {
        let text = statement.to_token_stream().to_string();
        !local(statement, "header_map") && !text.starts_with("header_map .")
    });
    statements.push(Stmt::Expr(syn::parse_quote!(Ok(#made)), None));
    function.sig.asyncness = None;
    function.sig.output = syn::parse_quote!(-> Result<::reqwest::Request, Error<()>>);
}

fn without_headers(expression: &mut Expr) {
    match expression {
        Expr::Try(inner) => without_headers(&mut inner.expr),
        Expr::MethodCall(call) => {
            without_headers(&mut call.receiver);
            if call.method == "header" || call.method == "headers" {
                *expression = (*call.receiver).clone();
            }
        }
        _ => {}
    }
}

fn links(document: &Value, model: &Model, lowered: &Lowered) -> Links {
    let mut links = Links::default();
    let unions = model.unions.iter().map(|union| &union.name);
    let aliases = types::aliases(document).map(|(name, ..)| name);
    for name in lowered.objects.iter().chain(unions).chain(aliases).chain(model.enums.iter().map(|known| &known.name)) {
        links.add(name, name.clone(), format!("crate::api::types::{}", names::type_ident(name)));
    }
    for name in &lowered.objects {
        let ty = names::type_ident(name);
        for (property, _) in entries(&lowered.document["components"]["schemas"][name], "properties") {
            let field = format!("{ty}::{}", names::value_ident(property));
            links.add(&format!("{name}.{property}"), field.clone(), format!("crate::api::types::{field}"));
        }
    }
    for operation in &model.operations {
        let method = format!("Api::{}", names::value_ident(&operation.id));
        links.add(&operation.id, method.clone(), format!("crate::api::{method}"));
    }
    links
}
