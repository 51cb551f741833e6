//! Classifies failures before the response.

use crate::error::{HttpError, Reason, in_http2};

/// Classifies an error of the HTTP client.
pub(crate) fn failed(error: reqwest::Error, has_body: bool) -> Reason {
    let (is_connect, is_timeout, is_builder) = (error.is_connect(), error.is_timeout(), error.is_builder());
    let is_unprocessed = is_unprocessed(&error, has_body);
    let source = HttpError::from(error);
    match (is_connect, is_timeout) {
        _ if is_builder => Reason::Unmade { source },
        (true, true) => Reason::ConnectTimeout { source },
        (true, false) => Reason::Connect { source },
        _ if is_unprocessed => Reason::Unprocessed { source },
        (false, true) => Reason::Timeout { source },
        (false, false) => Reason::Io { source },
    }
}

/// Returns whether an HTTP/2 server has certainly not processed the request (RFC 9113, 6.8 and 8.7). Either the server
/// refused the stream, or its GOAWAY names an earlier stream as the last one.
///
/// On GOAWAY, `h2` fails only the streams after the last one that it names. `hyper` may report the GOAWAY also for a
/// lower stream, if it arrives while the request is sent. A request with a body is then incomplete, and so not
/// processed. A request without a body may have been processed. A request that waits for a free stream at the GOAWAY
/// fails without an HTTP/2 error, and counts as ambiguous.
fn is_unprocessed(error: &reqwest::Error, has_body: bool) -> bool {
    in_http2(error).is_some_and(|error| {
        let is_refused = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
        error.is_remote() && (is_refused || error.is_go_away() && has_body)
    })
}
