//! How the generated client's calls reach the transport, and their outcome comes back.

use std::{
    any::Any,
    borrow::Cow,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::StatusCode;
use progenitor_client::{ClientHooks, ClientInfo, OperationInfo};
use reqwest::{ResponseBuilderExt, Url};

use super::{Done, Outgoing};
use crate::{Bot, Error, api::Client, retry::Class, secret::Secret};

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
pub(crate) type Decode = fn(&str) -> serde_json::Result<Box<dyn Any + Send>>;

/// One call on its way through the generated client: what to do (in), and what became of it (out).
#[derive(Debug, Clone)]
pub(crate) struct Call {
    bot: Bot,
    operation: &'static Operation,
    options: CallOptions,
    decode: Decode,
    outcome: Arc<Mutex<Option<Outcome>>>,
}

/// The answer as [`Decode`] made it, or why there is none.
type Outcome = Result<Done<Box<dyn Any + Send>>, Error>;

impl Call {
    pub(crate) fn new(bot: Bot, operation: &'static Operation, options: CallOptions, decode: Decode) -> Self {
        Self { bot, operation, options, decode, outcome: Arc::default() }
    }

    /// What became of the call; `None` if the transport was not asked.
    pub(crate) fn take_outcome(&self) -> Option<Outcome> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl ClientHooks<Call> for Client {
    /// Sends what the generated code has made, its own way, and reads the answer. The outcome is put where
    /// [`Call::take_outcome`] finds it: `progenitor`'s errors could not carry it, and an answer is read once, inside the
    /// retries. What goes back to the generated code is of no meaning.
    async fn exec(&self, request: reqwest::Request, _: &OperationInfo) -> reqwest::Result<reqwest::Response> {
        let Call { bot, operation, options, decode, outcome } = self.inner();
        let transport = bot.transport();
        let hold = operation.hold.map(|(parameter, default)| held_for(request.url(), parameter, default));
        let outgoing = Outgoing {
            operation: Cow::Borrowed(operation.id),
            class: operation.class,
            method: request.method().clone(),
            url: request.url().clone(),
            body: request.body().and_then(reqwest::Body::as_bytes).map(Bytes::copy_from_slice),
            hold,
            options: options.clone(),
        };
        let done = transport.execute(outgoing, decode).await;
        *outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
        let nothing = http::Response::builder().url(bot.base_url().clone()).status(StatusCode::NO_CONTENT);
        Ok(nothing.body(Bytes::new()).unwrap_or_default().into())
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
