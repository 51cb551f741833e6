//! The classes of failures that the retry policy distinguishes.

/// The class of a failure. It decides whether a call is retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// No connection: the request was not sent.
    NotSent,
    /// 429.
    RateLimited,
    /// Attached media is still being processed.
    AttachmentNotReady,
    /// The server certainly did not process the request: 503 with an API `code`, HTTP/2 `REFUSED_STREAM` or `GOAWAY`.
    NotProcessed,
    /// 408, 500 and the rest of the 5xx, no response in time, a broken connection: the request may have been applied.
    Unknown,
    /// A success whose body was cut or is not JSON.
    Garbled,
    /// A success whose body does not fit the models or the size limit. Another attempt would fail in the same way.
    Misfit,
    /// Any other 4xx, a redirect, a refusal by `success: false`.
    Refused,
}
