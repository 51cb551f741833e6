//! The operations of the API, the options of a call, and the outgoing request.

use std::{borrow::Cow, time::Duration};

use bytes::Bytes;
use http::Method;
use reqwest::Url;

use crate::{
    client::{
        pace::{PaceKey, Priority},
        retry::Class,
    },
    redaction::Secret,
    service::Documents,
};

/// An operation of the API document.
#[derive(Debug)]
pub(crate) struct Operation {
    /// The `operationId` in the document.
    pub(crate) id: &'static str,
    /// The query parameter for the time that the server may hold the response, in seconds, and its default.
    pub(crate) hold: Option<(&'static str, u64)>,
    /// The effect of a repeated request, for retries.
    pub(crate) class: Class,
    /// The query parameters that name the chat, if the operation has a limit in each chat.
    pub(crate) paced_by: &'static [&'static str],
    /// Whether a refusal could be read as a response, because all properties are optional or have defaults.
    pub(crate) reads_refusals: bool,
    /// The documents that contain the operation.
    pub(crate) documents: Documents,
}

/// The options of one call.
#[derive(Debug, Clone, Default)]
pub(crate) struct CallOptions {
    /// Overrides the bot's timeout.
    pub(crate) timeout: Option<Duration>,
    /// Overrides whether the request is idempotent.
    pub(crate) idempotent: Option<bool>,
    /// Whether to send the request only once.
    pub(crate) no_retry: bool,
    /// The part of the request that errors must not show.
    pub(crate) secret: Option<Secret>,
}

/// The parts of a request, from which each attempt is built. Token and version are not included.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    /// The name of the operation in errors and logs.
    pub(crate) operation: Cow<'static, str>,
    pub(crate) class: Class,
    pub(crate) method: Method,
    pub(crate) url: Url,
    /// The JSON body.
    pub(crate) body: Option<Bytes>,
    /// The time that the server may hold the response.
    pub(crate) hold: Option<Duration>,
    /// The separate limit that the request counts against, in addition to the limit of the bot.
    pub(crate) pace_key: Option<PaceKey>,
    pub(crate) priority: Priority,
    pub(crate) options: CallOptions,
}

impl Outgoing {
    /// Takes the parts from a request of the generated client.
    pub(crate) fn new(
        operation: &'static Operation,
        request: &reqwest::Request,
        priority: Priority,
        options: CallOptions,
    ) -> Self {
        Self {
            operation: Cow::Borrowed(operation.id),
            class: operation.class,
            method: request.method().clone(),
            url: request.url().clone(),
            body: request.body().and_then(reqwest::Body::as_bytes).map(Bytes::copy_from_slice),
            hold: operation.hold.map(|(parameter, default)| held_for(request.url(), parameter, default)),
            pace_key: pace_key(operation, request.url()),
            priority,
            options,
        }
    }
}

/// Returns the separate limit that a request counts against, in addition to the limit of the bot.
fn pace_key(operation: &'static Operation, url: &Url) -> Option<PaceKey> {
    if operation.hold.is_some() {
        return Some(PaceKey::Polls);
    }
    if operation.paced_by.is_empty() {
        return None;
    }
    url.query_pairs().find_map(|(name, value)| {
        let parameter = operation.paced_by.iter().find(|parameter| **parameter == name)?;
        Some(PaceKey::Chat(operation.id, parameter, value.parse().ok()?))
    })
}

/// Returns the time that the server may hold the response, from the query of the request.
fn held_for(url: &Url, parameter: &str, default: u64) -> Duration {
    let given = url.query_pairs().find(|(name, _)| name == parameter).and_then(|(_, value)| value.parse().ok());
    Duration::from_secs(given.unwrap_or(default))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_hold_of_a_poll_from_its_query() {
        let url = |query: &str| Url::parse(&format!("http://localhost/updates?{query}")).unwrap();
        assert_eq!(held_for(&url("limit=5&timeout=90"), "timeout", 30), Duration::from_secs(90));
        assert_eq!(held_for(&url("limit=5"), "timeout", 30), Duration::from_secs(30));
    }

    #[test]
    fn reads_the_pace_key_from_the_query() {
        static SEND: Operation = Operation {
            id: "sendMessage",
            hold: None,
            class: Class::Act,
            paced_by: &["chat_id", "user_id"],
            reads_refusals: false,
            documents: Documents(1),
        };
        static POLL: Operation = Operation { id: "getUpdates", hold: Some(("timeout", 30)), paced_by: &[], ..SEND };
        static READ: Operation = Operation { id: "getChats", hold: None, ..POLL };
        let url = Url::parse("http://localhost/messages?notify=false&user_id=5").unwrap();
        assert_eq!(pace_key(&SEND, &url), Some(PaceKey::Chat("sendMessage", "user_id", 5)));
        assert_eq!(pace_key(&POLL, &url), Some(PaceKey::Polls));
        assert_eq!(pace_key(&READ, &url), None);
        let url = Url::parse("http://localhost/messages?chat_id=-7").unwrap();
        assert_eq!(pace_key(&SEND, &url), Some(PaceKey::Chat("sendMessage", "chat_id", -7)));
    }
}
