//! How the requests that the generated client makes reach the transport.

use std::{any::Any, borrow::Cow, time::Duration};

use bytes::Bytes;
use reqwest::Url;

use super::{Done, Outgoing, Transport};
use crate::{Error, retry::Class, secret::Secret};

/// An operation of the API, as the document has it.
#[derive(Debug)]
pub(crate) struct Operation {
    /// The document's `operationId`.
    pub(crate) id: &'static str,
    /// The query parameter that says for how many seconds the server may hold its answer back, and its default.
    pub(crate) hold: Option<(&'static str, u64)>,
    /// What it does when it is carried out twice.
    pub(crate) class: Class,
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

/// Reads an answer; what comes out is known to whoever made the call.
pub(crate) type Decode = fn(Bytes) -> serde_json::Result<Box<dyn Any + Send>>;

/// Sends what the generated client has made, and reads the answer.
pub(crate) async fn execute(
    transport: &Transport,
    operation: &'static Operation,
    request: reqwest::Request,
    options: CallOptions,
    read: Decode,
) -> Result<Done<Box<dyn Any + Send>>, Error> {
    let hold = operation.hold.map(|(parameter, default)| held_for(request.url(), parameter, default));
    let outgoing = Outgoing {
        operation: Cow::Borrowed(operation.id),
        class: operation.class,
        method: request.method().clone(),
        url: request.url().clone(),
        body: request.body().and_then(reqwest::Body::as_bytes).map(Bytes::copy_from_slice),
        hold,
        options,
    };
    transport.execute(outgoing, read).await
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
