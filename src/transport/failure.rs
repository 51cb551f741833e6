//! What a failure before the response means for the request.

use std::iter::successors;

use h2::Reason;

use crate::error::Kind;

/// Classifies an error of the HTTP client. Drops its URL, which carries the token.
pub(crate) fn failed(error: reqwest::Error) -> Kind {
    let source = error.without_url();
    match (source.is_connect(), source.is_timeout()) {
        _ if source.is_builder() => Kind::Unmade { source },
        (true, true) => Kind::ConnectTimeout { source },
        (true, false) => Kind::Connect { source },
        _ if is_unprocessed(&source) => Kind::Unprocessed { source },
        (false, true) => Kind::Timeout { source },
        (false, false) => Kind::Io { source },
    }
}

/// Whether an HTTP/2 server is certain not to have processed the request (RFC 9113, 6.8 and 8.7): it refused the stream,
/// or its GOAWAY names an earlier stream as the last one. `h2` fails only the streams above that one with the GOAWAY.
fn is_unprocessed(error: &reqwest::Error) -> bool {
    let first: &(dyn std::error::Error + 'static) = error;
    let cause = successors(Some(first), |error| error.source()).find_map(|error| error.downcast_ref::<h2::Error>());
    cause.is_some_and(|error| {
        let is_refused = error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM);
        error.is_remote() && (is_refused || error.is_go_away())
    })
}
