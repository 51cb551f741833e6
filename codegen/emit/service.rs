//! Emits constants for the services of the documents (`x-service`) and the versions of their API.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};
use serde_json::Value;

use super::{
    super::{
        error::{Error, Result},
        names,
        node::{items, text},
    },
    shared::{doc, option},
};

/// The required keys of `x-service`.
const REQUIRED: [&str; 6] = ["name", "base_url", "token_source", "links", "start_link", "mention"];
/// The limits of a [`Pace`](crate::service::Pace), and their keys in `x-service`.
const PACE: [(&str, &str); 3] =
    [("requests", "requests_per_second"), ("chat_requests", "chat_requests_per_second"), ("polls", "polls_per_second")];
const SIZES: [&str; 9] = [
    "text",
    "keyboard_buttons",
    "keyboard_rows",
    "row_buttons",
    "wide_row_buttons",
    "image_bytes",
    "video_bytes",
    "audio_bytes",
    "file_bytes",
];

/// Returns the services of a document, merged or not.
pub(super) fn all(document: &Value) -> Vec<&Value> {
    match document.get("x-service") {
        Some(only) => vec![only],
        None => items(document, "x-services").collect(),
    }
}

/// Returns the set of documents that have a node, from its `x-services`.
pub(super) fn documents(document: &Value, services: Option<&Value>) -> TokenStream {
    let bits = match services.and_then(Value::as_array) {
        None => u8::MAX,
        Some(names) => {
            let has = |service: &&Value| names.iter().any(|name| *name == service["name"]);
            let with_it = all(document).into_iter().enumerate().filter(|(_, service)| has(service));
            with_it.fold(0, |bits, (index, _)| bits | 1 << index)
        }
    };
    let bits = Literal::u8_unsuffixed(bits);
    quote!(crate::service::Documents(#bits))
}

/// Emits a constant for each service and for each version.
pub(super) fn emit(document: &Value) -> Result<TokenStream> {
    let services = all(document);
    if services.is_empty() {
        return Ok(TokenStream::new());
    }
    let mut constants = TokenStream::new();
    for (index, service) in services.iter().enumerate() {
        constants.extend(constant(index, service)?);
    }
    let names = services.iter().map(|service| names::type_ident(service["name"].as_str().unwrap_or_default()));
    let mentions = services.iter().filter_map(|service| text(service, "mention"));
    let versions = services.iter().filter(|service| text(service, "version_parameter").is_some());
    let versions = versions.flat_map(|service| items(service, "versions").filter_map(Value::as_str)).map(|version| {
        let name = format_ident!("V{}", version.replace('.', "_"));
        let documentation = doc(&format!("Version {version}."));
        quote!(#documentation pub const #name: Self = Self(::std::borrow::Cow::Borrowed(#version));)
    });
    let count = services.len();
    Ok(quote! {
        #[allow(non_upper_case_globals)]
        impl crate::service::Service {
            #constants
            /// All services of the documents.
            pub(crate) const ALL: [Self; #count] = [#(Self::#names),*];
            /// The prefixes of links that mention a user.
            pub(crate) const MENTIONS: &'static [&'static str] = &[#(#mentions),*];
        }

        impl crate::service::ApiVersion { #(#versions)* }
    })
}

fn constant(index: usize, service: &Value) -> Result<TokenStream> {
    let place = "x-service";
    if let Some(missing) = REQUIRED.iter().find(|key| text(service, key).is_none()) {
        return Err(Error::new(place, format!("has no `{missing}`")));
    }
    let required = |key: &str| text(service, key).unwrap_or_default();
    let (name, base_url) = (required("name"), required("base_url"));
    let token = match (text(service, "token_parameter"), text(service, "token_header")) {
        (Some(name), None) => quote!(Query(::std::borrow::Cow::Borrowed(#name))),
        (None, Some(name)) => quote!(Header(::std::borrow::Cow::Borrowed(#name))),
        _ => return Err(Error::new(place, "has neither or both of `token_parameter` and `token_header`")),
    };
    let version = text(service, "version_parameter").map(|parameter| {
        let version = text(service, "version").unwrap_or_default();
        quote!((#parameter, #version))
    });
    let certificate = text(service, "root_certificate").map(|file| {
        let path = format!("/openapi/{file}");
        quote!(::std::borrow::Cow::Borrowed(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), #path))))
    });
    let (version, certificate) = (option(version), option(certificate));
    let secret_header = option(text(service, "webhook_secret_header"));
    let (origin, start) = (required("links"), required("start_link"));
    let (app, share) = (option(text(service, "app_link")), option(text(service, "share_link")));
    let (mention, token_source) = (required("mention"), required("token_source"));
    let numbers = SIZES.iter().chain(PACE.iter().map(|(_, key)| key));
    if let Some(wrong) =
        numbers.clone().find(|key| service.get(key).is_some_and(|node| node.as_u64().unwrap_or(0) == 0))
    {
        return Err(Error::new(format!("{place}.{wrong}"), "must be a whole number from 1"));
    }
    let number = |key: &str| option(service.get(key).and_then(Value::as_u64).map(Literal::u64_unsuffixed));
    let sizes = SIZES.iter().map(|key| {
        let (ident, size) = (format_ident!("{key}"), number(key));
        quote!(#ident: #size)
    });
    let pace = PACE.iter().map(|(field, key)| {
        let (ident, limit) = (format_ident!("{field}"), number(key));
        quote!(#ident: #limit)
    });
    let wide = items(service, "wide_buttons").filter_map(Value::as_str);
    let bit = Literal::u8_unsuffixed(1 << index);
    let (ident, documentation) =
        (names::type_ident(name), doc(text(service, "description").unwrap_or("A service of the documents.")));
    Ok(quote! {
        #documentation
        pub const #ident: Self = Self {
            name: ::std::borrow::Cow::Borrowed(#name),
            document: crate::service::Documents(#bit),
            base_url: ::std::borrow::Cow::Borrowed(#base_url),
            token_place: crate::service::TokenPlace::#token,
            token_source: #token_source,
            version: #version,
            root_certificate: #certificate,
            webhook_secret_header: #secret_header,
            links: crate::service::Links { origin: #origin, start: #start, app: #app, share: #share },
            mention: #mention,
            limits: crate::service::Limits {
                #(#sizes,)*
                wide_buttons: ::std::borrow::Cow::Borrowed(&[#(::std::borrow::Cow::Borrowed(#wide)),*]),
            },
            pace: crate::service::Pace { #(#pace),* },
        };
    })
}
