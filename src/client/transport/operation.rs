//! An operation of the API, what a caller sets for one call of it, and the request that both make.

use std::{borrow::Cow, time::Duration};

use bytes::Bytes;
use http::Method;
use reqwest::Url;

use crate::{client::retry::Class, redaction::Secret, service::Documents};

/// An operation of the API, as the document has it.
#[derive(Debug)]
pub(crate) struct Operation {
    /// The document's `operationId`.
    pub(crate) id: &'static str,
    /// The query parameter that says for how many seconds the server may hold its answer back, and its default.
    pub(crate) hold: Option<(&'static str, u64)>,
    /// What it does when it is carried out twice.
    pub(crate) class: Class,
    /// Whether a refusal may be readable as its answer, because each property is optional or has a default.
    pub(crate) reads_refusals: bool,
    /// The documents that have it.
    pub(crate) documents: Documents,
}

/// What a caller sets for one call.
#[derive(Debug, Clone, Default)]
pub(crate) struct CallOptions {
    /// Overrides the bot's timeout.
    pub(crate) timeout: Option<Duration>,
    /// The caller's word on whether twice is the same as once.
    pub(crate) idempotent: Option<bool>,
    /// Send it once, whatever happens.
    pub(crate) no_retry: bool,
    /// What the request has that errors must not show.
    pub(crate) secret: Option<Secret>,
}

/// A request in parts, from which every attempt is made anew. It knows neither the token nor the version.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    /// Its name in errors and logs.
    pub(crate) operation: Cow<'static, str>,
    pub(crate) class: Class,
    pub(crate) method: Method,
    pub(crate) url: Url,
    /// A JSON body.
    pub(crate) body: Option<Bytes>,
    /// For how long the server may hold its answer back.
    pub(crate) hold: Option<Duration>,
    pub(crate) options: CallOptions,
}

impl Outgoing {
    /// What the generated client has made, in the parts that every attempt is made from.
    pub(crate) fn new(operation: &'static Operation, request: &reqwest::Request, options: CallOptions) -> Self {
        Self {
            operation: Cow::Borrowed(operation.id),
            class: operation.class,
            method: request.method().clone(),
            url: request.url().clone(),
            body: request.body().and_then(reqwest::Body::as_bytes).map(Bytes::copy_from_slice),
            hold: operation.hold.map(|(parameter, default)| held_for(request.url(), parameter, default)),
            options,
        }
    }
}

/// How long the server may hold its answer back, by the request's own query.
fn held_for(url: &Url, parameter: &str, default: u64) -> Duration {
    let given = url.query_pairs().find(|(name, _)| name == parameter).and_then(|(_, value)| value.parse().ok());
    Duration::from_secs(given.unwrap_or(default))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poll_is_held_as_long_as_its_query_says() {
        let url = |query: &str| Url::parse(&format!("http://localhost/updates?{query}")).unwrap();
        assert_eq!(held_for(&url("limit=5&timeout=90"), "timeout", 30), Duration::from_secs(90));
        assert_eq!(held_for(&url("limit=5"), "timeout", 30), Duration::from_secs(30));
    }
}
