//! The upload host: its address, and requests to it. This module has no access to the bot's token.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use reqwest::{RequestBuilder, Url};
use serde::de::Error as _;

use super::flow::{Flow, unless_idle};
use crate::{
    client::transport::{body, error_response, failed},
    error::{Reason, SizeLimit},
    redaction::{Secrets, origin},
};

/// Maximum size of a response, in bytes. A response has one token, or one token per photo.
const ANSWER_BYTES: usize = 256 * 1024;
/// Effectively no timeout: the idle timeout bounds uploads. Overrides the timeout that the bot's HTTP client may have
/// for all requests.
const NO_TIMEOUT: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// A successful response of the host.
#[derive(Debug)]
pub(super) struct HostResponse {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

/// Parses the URL of an upload. A URL without a scheme gets the scheme of the API. `http` becomes `https`, unless the
/// API itself uses `http`.
pub(super) fn address(url: &str, base: &Url) -> Result<Url, Reason> {
    let misfit = |problem: &str| Reason::Decode { status: StatusCode::OK, source: serde_json::Error::custom(problem) };
    let url = if url.starts_with("//") { format!("{}:{url}", base.scheme()) } else { url.to_owned() };
    // Anyone with the URL can upload, so the error must not show it.
    let mut url = Url::parse(&url).map_err(|error| misfit(&format!("the upload URL is invalid: {error}")))?;
    match (url.scheme(), base.scheme()) {
        ("http", "https") => {
            url.set_scheme("https").map_err(|()| misfit("the upload URL cannot be changed to https"))?;
        }
        ("http" | "https", _) => {}
        (other, _) => return Err(misfit(&format!("the upload URL has the scheme `{other}`, expected `https`"))),
    }
    url.set_fragment(None);
    Ok(url)
}

/// Sends a request, and reads the whole response. Fails if no byte moves for `idle`, or if the response takes longer.
pub(super) async fn exchange(
    request: RequestBuilder,
    flow: Option<&Flow>,
    idle: Duration,
    secrets: &Secrets<'_>,
) -> Result<HostResponse, Reason> {
    let response = unless_idle(flow, idle, request.timeout(NO_TIMEOUT).send()).await?;
    let mut response =
        response.map_err(|error| flow.and_then(Flow::take_problem).unwrap_or_else(|| failed(error, flow.is_some())))?;
    let status = response.status();
    if !status.is_success() {
        // The request has no token. Redact it anyway: the host may have it from elsewhere.
        let mut kind = error_response::read(response, secrets).await;
        // The path of an upload URL is a secret, also if it is the target of a redirect.
        if let Reason::Status { location: Some(location), .. } = &mut kind {
            *location = origin(location);
        }
        return Err(kind);
    }
    let headers = std::mem::take(response.headers_mut());
    // The response is short: `idle` limits all of it, so that a slow host cannot delay it forever.
    let body = unless_idle(None, idle, body::read(response, SizeLimit::fixed(ANSWER_BYTES))).await??;
    Ok(HostResponse { status, headers, body: String::from_utf8_lossy(&body).into_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_url_uses_https_unless_the_api_uses_http() {
        let address = |url, base| address(url, &Url::parse(base).unwrap()).map(String::from);
        for (url, base, expected) in [
            ("//up.example/a?b=c", "https://api.example", "https://up.example/a?b=c"),
            ("//up.example/a", "http://localhost:8080", "http://up.example/a"),
            ("http://up.example/a", "https://api.example", "https://up.example/a"),
            ("http://up.example/a", "http://localhost", "http://up.example/a"),
            ("https://up.example/a", "http://localhost", "https://up.example/a"),
            ("HTTP://up.example:80/a#b", "https://api.example", "https://up.example/a"),
        ] {
            assert_eq!(address(url, base).unwrap(), expected);
        }
        for url in ["", "/a", "up.example/a", "ftp://up.example/s3cret", "file:///s3cret", "//"] {
            let error = address(url, "https://api.example").unwrap_err();
            assert!(!error.to_string().contains("s3cret"), "{error}");
        }
    }
}
