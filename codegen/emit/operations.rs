//! Emits the module `operations`: `Api` with a method per operation, and the request builders that the methods return.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use serde_json::Value;
use syn::{FnArg, ImplItem, ImplItemFn, Item, Pat, ReturnType, Type};

use super::{
    super::{
        docs::{self, Links},
        error::{Error, Result},
        lower::{self, Lowered, NEEDED, SERVICES},
        model::{self, Model, Operation, Parameter},
        names,
        node::{at, entries, flag, items, resolve, text},
    },
    fields::generic_argument,
    secret, service, service_support,
    shared::{check, doc, example},
    types::argument,
};

pub(super) fn emit(
    document: &Value,
    model: &Model,
    lowered: &Lowered,
    client: &[Item],
    links: &Links,
) -> Result<TokenStream> {
    if text(document, "x-example-frame").is_some_and(|frame| !frame.contains("{example}")) {
        return Err(Error::new("x-example-frame", "has no `{example}`, the place of the example"));
    }
    let (mut methods, mut builders) = (TokenStream::new(), TokenStream::new());
    for operation in &model.operations {
        let call = client_method(client, operation)?;
        let parts = Parts::read(document, lowered, operation, call)?;
        let documentation = Documentation { document, links };
        methods.extend(parts.method(&documentation));
        builders.extend(parts.builder(&documentation)?);
    }
    Ok(quote! {
        use crate::api::generated::{client, types};

        /// A client for the Bot APIs of MAX and TamTam, with one method for each operation. Returned by
        /// [`Bot::api`](crate::Bot::api).
        ///
        /// Each method returns a request. Required parameters are arguments of the method, and optional parameters
        /// are set with methods of the request. To send the request, `.await` it or call its method `send`.
        ///
        /// A *chat* is a dialog, a group or a channel. A *dialog* is the private chat of one user with the bot. A
        /// *right* is a permission of an administrator, such as `pin_message`
        /// ([`ChatAdminPermission`](crate::types::ChatAdminPermission)). An *update* is an event that the bot receives,
        /// such as a new message ([`Update`](crate::Update)). A *webhook* is a URL to which the service (MAX or TamTam)
        /// sends the updates of the bot.
        ///
        /// # Error responses
        ///
        /// A call fails if the response has an error status, such as 403. A call also fails if the response has status
        /// 200 and contains `success: false`. The [`Error`](crate::Error) of the call contains the status, the code
        /// (such as `chat.denied`) and the error message of the response. [`Error::kind`](crate::Error::kind)
        /// classifies the error, for example as [`Forbidden`](crate::ErrorKind::Forbidden) for status 403.
        ///
        /// # Differences between the services
        ///
        /// The words `MAX only` and `TamTam only` mark operations and parameters that exist on one service only. On the
        /// other service:
        ///
        /// - A marked operation fails ([`Unsupported`](crate::ErrorKind::Unsupported)).
        /// - If the result would be wrong without a marked parameter, the request fails (`Unsupported`). Otherwise, the
        ///   parameter is left out of the request.
        ///
        /// If both services have an operation, the description applies to MAX. TamTam may differ in details.
        ///
        /// # Examples
        ///
        /// The examples run on the simulated messenger of the crate `tamtam-sandbox`. In the examples, `alice` and
        /// `bob` are users, `team` is a group, and `post` is a post in a channel. `mid` is the id of a message, and
        /// `comment_id` is the id of a comment.
        #[derive(Debug, Clone)]
        pub struct Api { pub(crate) bot: crate::client::bot::Bot }

        impl Api { #methods }

        #builders
    })
}

/// Returns the method that `progenitor` wrote for an operation.
fn client_method<'a>(client: &'a [Item], operation: &Operation) -> Result<&'a ImplItemFn> {
    let name = names::value_ident(&operation.id);
    let functions = client.iter().filter_map(|item| match item {
        Item::Impl(block) if block.trait_.is_none() => Some(&block.items),
        _ => None,
    });
    let found = functions.flatten().find_map(|item| match item {
        ImplItem::Fn(function) if function.sig.ident == name => Some(function),
        _ => None,
    });
    found.ok_or_else(|| Error::new(&operation.place, format!("progenitor wrote no method `{name}`")))
}

/// An argument of an operation. Arguments have the order of the document, with the body last.
struct Argument {
    ident: syn::Ident,
    ty: Type,
    required: bool,
    documentation: String,
    check: Option<TokenStream>,
    /// Its `x-secret`.
    secret: Option<String>,
    /// The name of a parameter in the document. `None` for the body.
    parameter: Option<String>,
    /// The code that adapts the request to the service.
    adaption: Option<TokenStream>,
}

/// The parts of an operation from which its code is made.
struct Parts<'a> {
    operation: &'a Operation,
    name: syn::Ident,
    builder: syn::Ident,
    arguments: Vec<Argument>,
    /// The expressions for the arguments of the client's method, in its order.
    passed: Vec<TokenStream>,
    answer: Type,
    acknowledgement: Option<Acknowledgement>,
    /// Whether a refusal may parse as the answer, because each property of the answer is optional or has a default.
    reads_refusals: bool,
    /// Expressions for the secrets of the request, each of type `Option<Secret>`.
    secrets: Vec<TokenStream>,
    /// Name and default (in seconds) of the parameter for the time that the server holds the answer back.
    hold: Option<(String, u64)>,
}

/// The fields of an answer that contain the success and the reason for a refusal.
struct Acknowledgement {
    success: syn::Ident,
    message: syn::Ident,
    code: Option<syn::Ident>,
    /// Whether the answer has more fields, so that the request returns it.
    has_more: bool,
}

impl Acknowledgement {
    /// Returns an expression for the reason of a refusal, from `answer`.
    fn refusal(&self) -> TokenStream {
        let message = &self.message;
        let code = self.code.as_ref().map_or_else(|| quote!(::std::option::Option::None), |code| quote!(answer.#code));
        // The message may be required.
        quote!(crate::error::Refusal::new(#code, answer.#message.into()))
    }
}

/// The sources of the documentation of an operation.
struct Documentation<'a> {
    document: &'a Value,
    links: &'a Links,
}

impl<'a> Parts<'a> {
    fn read(document: &Value, lowered: &Lowered, operation: &'a Operation, call: &ImplItemFn) -> Result<Self> {
        let mut passed = Vec::new();
        let mut types = Vec::new();
        for input in call.sig.inputs.iter() {
            let FnArg::Typed(typed) = input else { continue };
            let Pat::Ident(pattern) = &*typed.pat else { continue };
            let ident = pattern.ident.clone();
            let optional = generic_argument(&typed.ty, "Option");
            let (owned, by_reference) = owned(optional.unwrap_or(&typed.ty));
            passed.push(match (optional.is_some(), by_reference) {
                (true, Some(true)) => quote!(self.#ident.as_deref()),
                (true, Some(false)) => quote!(self.#ident.as_ref()),
                (false, Some(_)) => quote!(&self.#ident),
                (_, None) => quote!(self.#ident),
            });
            types.push((ident, owned));
        }
        let mut take = |ident: &syn::Ident| {
            let position = types.iter().position(|(known, _)| known == ident);
            position
                .map(|position| types.swap_remove(position).1)
                .ok_or_else(|| Error::new(&operation.place, format!("progenitor's method has no argument `{ident}`")))
        };
        let mut arguments = Vec::new();
        let mut hold = None;
        for parameter in &operation.parameters {
            let (name, node, schema) = (parameter.name(), &parameter.node, &parameter.node["schema"]);
            let ident = names::value_ident(name);
            let ty = take(&ident)?;
            let required = flag(node, "required");
            let description = text(node, "description").unwrap_or_default();
            let description =
                if required { description.to_owned() } else { docs::setter(&ident.to_string(), description) };
            if flag(node, "x-hold") {
                hold = Some((name.to_owned(), schema.get("default").and_then(Value::as_u64).unwrap_or(0)));
            }
            arguments.push(Argument {
                check: parameter_check(document, parameter)?,
                secret: lower::secret(document, schema, &parameter.place)?.map(str::to_owned),
                documentation: docs::requirement(&docs::described(Some(&description), &[schema, node])),
                required,
                adaption: node.get(SERVICES).filter(|_| !required).map(|services| {
                    let (value, label) = (quote!(self.#ident), format!("{}.{name}", operation.id));
                    match flag(node, NEEDED) {
                        true => service_support::refused(document, services, &value, &label),
                        false => service_support::left_out(document, services, &value, &label),
                    }
                }),
                parameter: Some(name.to_owned()),
                ident,
                ty,
            });
        }
        if operation.body.is_some() {
            let ident = format_ident!("body");
            let ty = take(&ident)?;
            let check = lowered
                .checked_bodies
                .contains(&operation.id)
                .then(|| quote!(crate::validation::Check::check(value, &crate::validation::Place::root("body"))?;));
            let described = operation.node.get("requestBody").map(|node| resolve(document, node));
            let described = described.and_then(|node| text(node, "description"));
            let documentation = docs::described(described, &[]);
            let adapts = lowered.adapted_bodies.contains(&operation.id);
            let adaption = adapts.then(|| {
                let place = quote!(&crate::validation::Place::root("body"));
                quote!(crate::service::Adapt::adapt(&mut self.body, service, #place)?;)
            });
            let (required, secret, parameter) = (true, None, None);
            arguments.push(Argument { ident, ty, required, documentation, check, secret, parameter, adaption });
        }
        let acknowledgement = match operation.answer.as_ref().and_then(model::reference) {
            Some(name) => acknowledgement(document, lowered, name)?,
            None => None,
        };
        let reads_refusals = operation.answer.as_ref().and_then(model::reference).is_some_and(|name| {
            let schema = &lowered.document["components"]["schemas"][name];
            let is_needed = |property: &str| schema["properties"][property].get(super::tolerance::DEFAULT).is_none();
            schema.is_object() && !items(schema, "required").filter_map(Value::as_str).any(is_needed)
        });
        let of_parameters = arguments.iter().filter_map(|argument| {
            let ident = &argument.ident;
            Some(secret::secret(&quote!(self.#ident), !argument.required, argument.secret.as_deref()?))
        });
        let secrets = of_parameters.chain(body_secrets(lowered, operation)).collect();
        Ok(Self {
            secrets,
            name: names::value_ident(&operation.id),
            builder: names::type_ident(&operation.id),
            answer: answer(call).ok_or_else(|| {
                Error::new(&operation.place, "the method of progenitor has an unexpected answer type")
            })?,
            operation,
            arguments,
            passed,
            acknowledgement,
            reads_refusals,
            hold,
        })
    }

    fn required(&self) -> impl Iterator<Item = &Argument> {
        self.arguments.iter().filter(|argument| argument.required)
    }

    /// Emits the method of `Api`.
    fn method(&self, documentation: &Documentation<'_>) -> TokenStream {
        let (name, builder) = (&self.name, &self.builder);
        let text = doc(&documentation.method(self));
        let (arguments, fields): (Vec<_>, Vec<_>) = self
            .required()
            .map(|Argument { ident, ty, .. }| {
                let (argument, value) = taken(ty, ident);
                (quote!(#ident: #argument), quote!(#ident: #value))
            })
            .unzip();
        let optional = self.arguments.iter().filter(|argument| !argument.required).map(|argument| &argument.ident);
        quote! {
            #text
            pub fn #name(&self, #(#arguments),*) -> #builder {
                #builder {
                    bot: self.bot.clone(),
                    options: crate::client::transport::CallOptions::default(),
                    #(#fields,)*
                    #(#optional: ::std::option::Option::None,)*
                }
            }
        }
    }

    /// Emits the request builder: its struct, its setters, and the traits that `request!` needs to send it.
    fn builder(&self, documentation: &Documentation<'_>) -> Result<TokenStream> {
        let Self { operation, name, builder, passed, answer, .. } = self;
        let summary = doc(&documentation.request(self));
        let (mut fields, mut setters, mut checks) = (vec![], vec![], vec![]);
        for Argument { ident, ty, required, documentation: text, check, .. } in &self.arguments {
            let field = if *required { quote!(#ty) } else { quote!(::std::option::Option<#ty>) };
            // The verbs of `Bot` also set parts of a body.
            fields.push(quote!(pub(crate) #ident: #field));
            if !required {
                let (argument, value) = taken(ty, ident);
                let text = doc(&documentation.links.rustdoc(text));
                setters.push(quote! {
                    #text
                    pub fn #ident(mut self, #ident: #argument) -> Self {
                        self.#ident = ::std::option::Option::Some(#value);
                        self
                    }
                });
            }
            checks.extend(check.as_ref().map(|check| {
                if *required {
                    quote!({ let value = &self.#ident; #check })
                } else {
                    quote!(if let ::std::option::Option::Some(value) = &self.#ident { #check })
                }
            }));
        }
        if let Some(group) = operation.node.get("x-exactly-one-of") {
            checks.push(self.exactly_one(group)?);
        }
        let id = &operation.id;
        let documents = service::documents(documentation.document, operation.node.get(SERVICES));
        let adaptions: Vec<_> = self.arguments.iter().filter_map(|argument| argument.adaption.as_ref()).collect();
        let adapt = (!adaptions.is_empty()).then(|| {
            quote! {
                fn adapt(
                    &mut self,
                    service: &crate::service::Service,
                ) -> ::std::result::Result<(), crate::service::Unsuited> {
                    #(#adaptions)*
                    Ok(())
                }
            }
        });
        let hold = match &self.hold {
            Some((parameter, seconds)) => quote!(::std::option::Option::Some((#parameter, #seconds))),
            None => quote!(::std::option::Option::None),
        };
        let paced_by = self.paced_by()?;
        let class = retry_class(operation)?;
        let is_idempotent = match class.to_string().as_str() {
            // A poll also confirms updates.
            "Read" if self.hold.is_none() => "`true`, because the request only reads data.",
            "Act" => "`false`. With `true`, the server may apply the request twice.",
            _ => "`true`, because applying the request twice has the same effect as applying it once.",
        };
        let time_limit = match &self.hold {
            Some((parameter, seconds)) => format!(
                "[`{builder}::{0}`](Self::{0}) ({seconds} s by default) plus \
                 [`BotBuilder::poll_margin`](crate::BotBuilder::poll_margin) (15 s by default)",
                names::value_ident(parameter)
            ),
            None => "[`BotBuilder::timeout`](crate::BotBuilder::timeout), which defaults to 30 s".to_owned(),
        };
        let reads_refusals = self.reads_refusals;
        let (derives, debug) = self.debug();
        let secret = self.secret();
        let refusal = self.acknowledgement.as_ref().map(Acknowledgement::refusal);
        let (output, finish, gone) = match &self.acknowledgement {
            Some(Acknowledgement { success, has_more: false, .. }) => (
                quote!(()),
                quote!(if answer.#success { Ok(()) } else { Err(#refusal) }),
                quote!(::std::option::Option::Some(())),
            ),
            Some(Acknowledgement { success, has_more: true, .. }) => (
                quote!(#answer),
                quote!(if answer.#success { Ok(answer) } else { Err(#refusal) }),
                quote!(::std::option::Option::None),
            ),
            None => (quote!(#answer), quote!(Ok(answer)), quote!(::std::option::Option::None)),
        };
        Ok(quote! {
            #summary
            #[derive(#derives)]
            #[must_use = "a request does nothing until it is awaited or sent"]
            pub struct #builder {
                pub(crate) bot: crate::client::bot::Bot,
                pub(crate) options: crate::client::transport::CallOptions,
                #(#fields,)*
            }

            impl #builder { #(#setters)* }

            impl crate::client::request::Request for #builder {
                type Answer = #answer;
                type Output = #output;
                const OPERATION: &'static crate::client::transport::Operation = &crate::client::transport::Operation {
                    id: #id,
                    hold: #hold,
                    class: crate::client::retry::Class::#class,
                    paced_by: &[#(#paced_by),*],
                    reads_refusals: #reads_refusals,
                    documents: #documents,
                };
                #secret
                fn check(&self) -> ::std::result::Result<(), crate::validation::Invalid> {
                    #(#checks)*
                    Ok(())
                }
                #adapt
                fn make(&self, base_url: &str, http: ::reqwest::Client) -> crate::client::request::Made {
                    client::Client::new_with_client(base_url, http).#name(#(#passed),*)
                }
                fn finish(answer: Self::Answer) -> ::std::result::Result<Self::Output, crate::error::Refusal> {
                    #finish
                }
                fn gone() -> ::std::option::Option<Self::Output> {
                    #gone
                }
            }

            crate::client::request::request!(#builder, #name, #time_limit, #is_idempotent -> #output);
            #debug
        })
    }

    /// Returns the derives of the request, and its `Debug` if that cannot be derived.
    fn debug(&self) -> (TokenStream, Option<TokenStream>) {
        let (bot, options) = (format_ident!("bot"), format_ident!("options"));
        let field = |ident, is_optional, secret| secret::Field { ident, is_optional, secret };
        let arguments = self
            .arguments
            .iter()
            .map(|Argument { ident, required, secret, .. }| field(ident, !required, secret.as_deref()));
        let fields: Vec<_> =
            [field(&bot, false, None), field(&options, false, None)].into_iter().chain(arguments).collect();
        match secret::debug(&self.builder, &fields) {
            Some(debug) => (quote!(Clone), Some(debug)),
            None => (quote!(Debug, Clone), None),
        }
    }

    fn secret(&self) -> Option<TokenStream> {
        let secrets = &self.secrets;
        (!secrets.is_empty()).then(|| {
            quote! {
                fn secret(&self) -> ::std::option::Option<crate::redaction::Secret> {
                    crate::redaction::Secret::all([#(#secrets),*])
                }
            }
        })
    }

    /// Returns the query parameters with the chat in which the operation has a limit (`x-paced-by`).
    fn paced_by(&self) -> Result<Vec<&str>> {
        let place = format!("{}.x-paced-by", self.operation.place);
        let named = items(&self.operation.node, "x-paced-by").filter_map(Value::as_str);
        named
            .map(|name| {
                let is_there =
                    |parameter: &Parameter| parameter.name() == name && text(&parameter.node, "in") == Some("query");
                match self.operation.parameters.iter().any(is_there) {
                    true => Ok(name),
                    false => Err(Error::new(&place, format!("`{name}` is not a query parameter of the operation"))),
                }
            })
            .collect()
    }

    /// Emits the check for `x-exactly-one-of: [a, b]`: exactly one of these optional parameters must be set.
    fn exactly_one(&self, group: &Value) -> Result<TokenStream> {
        let place = format!("{}.x-exactly-one-of", self.operation.place);
        let names: Vec<&str> = group.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if names.len() < 2 {
            return Err(Error::new(place, "names fewer than two parameters"));
        }
        let given = names
            .iter()
            .map(|name| {
                let known = self
                    .arguments
                    .iter()
                    .find(|argument| argument.parameter.as_deref() == Some(*name) && !argument.required);
                let ident = known
                    .map(|argument| &argument.ident)
                    .ok_or_else(|| Error::new(&place, format!("`{name}` is not an optional parameter")))?;
                Ok(quote!((#name, self.#ident.is_some())))
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(quote!(crate::validation::exactly_one(&[#(#given),*])?;))
    }
}

/// Returns expressions for the secrets in the body of an operation.
fn body_secrets(lowered: &Lowered, operation: &Operation) -> Vec<TokenStream> {
    let Some(name) = operation.body.as_ref().and_then(model::reference) else { return Vec::new() };
    let schema = &lowered.document["components"]["schemas"][name];
    let secrets = entries(schema, "properties").filter_map(|(property, node)| {
        let ident = names::value_ident(property);
        let is_required = items(schema, "required").any(|required| required == property.as_str());
        Some(secret::secret(&quote!(self.body.#ident), !is_required, text(node, "x-secret")?))
    });
    secrets.collect()
}

/// Returns the effect of a repeated request (`x-retry`) as a variant of `retry::Class`. The default `act` is the safe
/// one: it assumes that a repeated request acts again.
fn retry_class(operation: &Operation) -> Result<syn::Ident> {
    match text(&operation.node, "x-retry") {
        Some(class @ ("read" | "repeat" | "remove" | "act")) => Ok(names::type_ident(class)),
        Some(other) => {
            let place = format!("{}.x-retry", operation.place);
            Err(Error::new(place, format!("`{other}` is not one of `read`, `repeat`, `remove`, `act`")))
        }
        None => Ok(names::type_ident("act")),
    }
}

/// Returns the owned type of a parameter, and whether it is passed by reference. `Some(true)` means as `&str`.
fn owned(ty: &Type) -> (Type, Option<bool>) {
    match ty {
        Type::Reference(reference) => match &*reference.elem {
            Type::Path(path) if path.path.is_ident("str") => (syn::parse_quote!(::std::string::String), Some(true)),
            inner => (inner.clone(), Some(false)),
        },
        plain => (plain.clone(), None),
    }
}

/// Returns the argument type and its conversion: any iterator for a comma-separated list, otherwise as in setters.
fn taken(ty: &Type, ident: &syn::Ident) -> (TokenStream, TokenStream) {
    match generic_argument(ty, "CommaSeparated") {
        Some(inner) => (
            quote!(impl ::std::iter::IntoIterator<Item = impl ::std::convert::Into<#inner>>),
            quote!(#ident.into_iter().map(::std::convert::Into::into).collect()),
        ),
        None => argument(ty, ident),
    }
}

/// Returns `T` of `Result<ResponseValue<T>, _>`.
fn answer(call: &ImplItemFn) -> Option<Type> {
    let ReturnType::Type(_, ty) = &call.sig.output else { return None };
    generic_argument(generic_argument(ty, "Result")?, "ResponseValue").cloned()
}

/// Returns the fields that `x-acknowledgement` names. `None` if the answer has no `x-acknowledgement`.
fn acknowledgement(document: &Value, lowered: &Lowered, name: &str) -> Result<Option<Acknowledgement>> {
    let node = at(document, &["components", "schemas", name]).unwrap_or(&Value::Null);
    let Some(mark) = inherited(document, node, "x-acknowledgement") else { return Ok(None) };
    let place = format!("components.schemas.{name}.x-acknowledgement");
    let schema = &lowered.document["components"]["schemas"][name];
    let field = |key, kind| {
        let property = text(mark, key).ok_or_else(|| Error::new(&place, format!("has no `{key}`")))?;
        if at(schema, &["properties", property, "type"]).and_then(Value::as_str) == Some(kind) {
            Ok((property, names::value_ident(property)))
        } else {
            Err(Error::new(&place, format!("`{property}` is not a property of type {kind}")))
        }
    };
    let ((success, flag), (_, message)) = (field("success", "boolean")?, field("message", "string")?);
    if !items(schema, "required").any(|required| required == success) {
        return Err(Error::new(place, format!("`{success}` is not required")));
    }
    let code = text(mark, "code").map(|_| field("code", "string")).transpose()?.map(|(_, code)| code);
    let has_more = entries(schema, "properties").count() > 2 + usize::from(code.is_some());
    Ok(Some(Acknowledgement { success: flag, message, code, has_more }))
}

/// Returns a keyword of a schema, or of a schema that it inherits from.
fn inherited<'a>(document: &'a Value, node: &'a Value, key: &str) -> Option<&'a Value> {
    let node = resolve(document, node);
    node.get(key).or_else(|| items(node, "allOf").find_map(|part| inherited(document, part, key)))
}

/// Returns the check of a parameter. A string in a path must be one segment, and an id must not be empty.
fn parameter_check(document: &Value, parameter: &Parameter) -> Result<Option<TokenStream>> {
    let (name, schema) = (parameter.name(), &parameter.node["schema"]);
    let at = quote!(&crate::validation::Place::root(#name));
    let asked = lower::check(document, schema, &parameter.place)?;
    if asked.as_ref().is_some_and(|check| check["kind"] == "items") {
        return Err(Error::new(&parameter.place, "`x-check: items` is for properties, not for parameters"));
    }
    if parameter.in_path() && lower::is_string(document, schema) {
        return Ok(Some(quote!(crate::validation::path_segment(value.as_str(), #at)?;)));
    }
    asked.map(|kind| check(&kind, &quote!(value), &at)).transpose()
}

impl Documentation<'_> {
    /// Returns the URL of the operation in the documentation of the last service that has the operation.
    fn reference(&self, operation: &Operation) -> Option<String> {
        let has_it = |service: &&Value| match operation.node.get(SERVICES).and_then(Value::as_array) {
            Some(names) => names.contains(&service["name"]),
            None => true,
        };
        let template = text(service::all(self.document).into_iter().rfind(has_it)?, "reference")?;
        // In the documentation of MAX, `-chatId-` is the parameter `chatId` of a path.
        let path = operation.path.replace(['{', '}'], "-");
        let url =
            template.replace("{operationId}", &operation.id).replace("{METHOD}", &operation.method.to_uppercase());
        Some(url.replace("{path}", &path))
    }

    /// Returns the documentation of the request.
    fn request(&self, parts: &Parts<'_>) -> String {
        let operation = parts.operation;
        let what = match text(&operation.node, "summary").map(sentence).filter(|summary| !summary.is_empty()) {
            Some(summary) => format!("A request that {}", docs::decapitalized(&summary)),
            None => format!("A request of the operation `{}`.", operation.id),
        };
        let setters = match parts.required().count() {
            required if required == parts.arguments.len() => ".",
            0 => ". All parameters have setters.",
            _ => ", whose arguments are the required parameters. All other parameters have setters.",
        };
        let how = format!(
            "Created by [`Api::{}`]{setters} To send the request, `.await` it or call [`send`](Self::send).",
            parts.name
        );
        let mut out = vec![docs::with_paragraph(format!("{what}\n\n{how}"), docs::provenance(&operation.node))];
        out.extend(example(self.document, &operation.node, "x-example"));
        self.links.rustdoc(&out.join("\n\n"))
    }

    /// Returns the documentation of the method of `Api`.
    fn method(&self, parts: &Parts<'_>) -> String {
        let operation = parts.operation;
        let node = &operation.node;
        let summary = sentence(text(node, "summary").unwrap_or(&operation.id));
        let (description, sections) = sections(text(node, "description").unwrap_or_default());
        let mut out = Vec::new();
        // A description repeats the summary in more detail if it starts with the same verb.
        if description.split_whitespace().next() != summary.split_whitespace().next() {
            out.push(summary);
        }
        out.extend((!description.is_empty()).then(|| description.to_owned()));
        out.extend(docs::provenance(node));
        let wire = format!("`{} {}`", operation.method.to_uppercase(), operation.path);
        out.push(match self.reference(operation) {
            Some(url) => format!("API: [{wire}]({url})."),
            None => format!("API: {wire}."),
        });
        let required: Vec<String> = parts
            .required()
            .filter(|argument| !argument.documentation.is_empty())
            .map(|argument| format!("- `{}`: {}", argument.ident, argument.documentation.replace('\n', "\n  ")))
            .collect();
        out.extend((!required.is_empty()).then(|| format!("# Parameters\n\n{}", required.join("\n"))));
        out.extend((!sections.is_empty()).then(|| sections.to_owned()));
        out.extend(example(self.document, node, "x-example"));
        out.push(format!("# Errors\n\nReturns an error in these cases:\n\n{}", self.errors(parts)));
        out.push(format!("# Retries\n\n{}", self.retries(parts)));
        let safety = if parts.hold.is_some() {
            "Dropping the future abandons the call. Updates that the request has confirmed stay confirmed."
        } else if operation.method == "get" {
            "Dropping the future abandons the call. Nothing changes on the server."
        } else {
            "Dropping the future abandons the call. The server may still apply the request."
        };
        out.push(format!("# Cancel safety\n\n{safety}"));
        self.links.rustdoc(&out.join("\n\n"))
    }

    /// Returns the list of the errors of an operation.
    fn errors(&self, parts: &Parts<'_>) -> String {
        let node = &parts.operation.node;
        let unsupported = docs::services(node.get(SERVICES)).map(|_| {
            "- If the bot's service does not have the operation ([`Unsupported`](crate::ErrorKind::Unsupported)). The \
             request is not sent."
        });
        let mut out: Vec<String> = unsupported.into_iter().map(str::to_owned).collect();
        if !parts.arguments.is_empty() {
            out.push(format!(
                "- If a value of the request is invalid ({}). The request is not sent.",
                kind("InvalidRequest")
            ));
        }
        let (connect, timeout, connection) = (kind("Connect"), kind("Timeout"), kind("Connection"));
        out.push(format!("- If no complete response arrives ({connect}, {timeout} or {connection})."));
        out.push(format!("- If the response cannot be read ({} or {}).", kind("Decode"), kind("TooLarge")));
        if self.attaches(parts.operation) {
            out.push(format!(
                "- If the server is still processing attached media when the retries end ({}).",
                kind("AttachmentNotReady")
            ));
        }
        let mut statuses: Vec<String> = error_statuses(self.document, node)
            .into_iter()
            .map(|(status, text)| format!("  - {status} ({}): {}", kind(kind_of(status)), sentence(text)))
            .collect();
        if parts.acknowledgement.is_some() {
            statuses.push(format!(
                "  - 200 with `success: false` (usually {}): The server did not apply the request. The error message \
                 gives the reason.",
                kind("Refused")
            ));
        }
        let usual = if statuses.is_empty() { "." } else { ", for example with one of these statuses:" };
        out.push(format!("- If the server responds with an error{usual}"));
        out.extend(statuses);
        out.join("\n")
    }

    /// Returns the text about retries of an operation, by its `x-retry`.
    fn retries(&self, parts: &Parts<'_>) -> String {
        let operation = parts.operation;
        let policy = "After a transient failure, such as a broken connection, the request is retried according to the \
                      bot's [`RetryPolicy`](crate::settings::RetryPolicy).";
        let effect = match text(&operation.node, "x-retry") {
            Some("read") => policy.to_owned(),
            Some("repeat") => format!(
                "Sending the request twice has the same effect as sending it once. {policy} The request is not \
                 retried if its response has a success status but cannot be read."
            ),
            Some("remove") => format!(
                "{policy} The request is not retried if its response has a success status but cannot be read. If a \
                 retry fails because there is nothing left to remove, and the server may have applied an earlier \
                 attempt, the call succeeds."
            ),
            _ => format!(
                "If the request is sent twice, the server can apply the request twice. Therefore, after a transient \
                 failure, the request is retried only if the server has certainly not applied it. To change this \
                 default, call [`idempotent`](crate::api::{}::idempotent). If the call fails, \
                 [`Error::may_have_been_applied`](crate::Error::may_have_been_applied) returns whether the server may \
                 have applied the request.",
                parts.builder
            ),
        };
        match self.attaches(operation) {
            true => format!(
                "{effect} While the server processes attached media, the request is retried for at most \
                 [`RetryPolicy::attachment_budget`](crate::settings::RetryPolicy::attachment_budget), 60 s by default."
            ),
            false => effect,
        }
    }

    /// Returns whether the body of an operation has attachments.
    fn attaches(&self, operation: &Operation) -> bool {
        operation.body.as_ref().is_some_and(|body| has_attachments(self.document, body, 3))
    }
}

/// Returns whether a body has attachments, up to a depth.
fn has_attachments(document: &Value, schema: &Value, depth: usize) -> bool {
    let schema = resolve(document, schema);
    let properties = entries(schema, "properties").map(|(_, node)| node);
    let mut parts = properties.chain(items(schema, "allOf")).chain(schema.get("items"));
    at(schema, &["properties", "attachments"]).is_some()
        || (depth > 0 && parts.any(|part| has_attachments(document, part, depth - 1)))
}

/// Splits a description before its first heading.
fn sections(description: &str) -> (&str, &str) {
    let description = description.trim();
    let start = match description.starts_with("# ") {
        true => 0,
        false => description.find("\n# ").unwrap_or(description.len()),
    };
    let (text, sections) = description.split_at(start);
    (text.trim_end(), sections.trim_start())
}

/// Returns a description as one line that ends like a sentence.
fn sentence(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() || text.ends_with(['.', '!', '?', ':']) { text } else { format!("{text}.") }
}

/// Returns a link to a kind of error.
fn kind(name: &str) -> String {
    format!("[`{name}`](crate::ErrorKind::{name})")
}

/// Returns the usual kind of the error with a status.
fn kind_of(status: &str) -> &'static str {
    match status {
        "401" => "Unauthorized",
        "403" => "Forbidden",
        "404" => "NotFound",
        "429" => "RateLimited",
        _ if status == "408" || status.starts_with('5') => "Server",
        _ => "Rejected",
    }
}

/// Returns the descriptions of the error statuses of an operation, sorted by status.
fn error_statuses<'a>(document: &'a Value, node: &'a Value) -> Vec<(&'a str, &'a str)> {
    let mut statuses: Vec<_> = entries(node, "responses")
        .filter(|(status, _)| !status.starts_with('2'))
        .map(|(status, response)| {
            (status.as_str(), text(resolve(document, response), "description").unwrap_or_default())
        })
        .collect();
    statuses.sort_unstable();
    statuses
}
