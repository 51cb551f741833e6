//! Reads the body of an error status: the code and message of the API, or the text of a proxy.

use std::time::{Duration, SystemTime};

use http::header;
use reqwest::{Response, Url};
use serde_json::{Map, Value};
use tokio::time::{Instant, timeout_at};

use crate::{
    client::retry::retry_after,
    error::{ErrorCode, Reason},
    json::read,
    redaction::Secrets,
};

/// The maximum length of a body that is read, in bytes. Bodies of the API are far shorter. The limit is for proxies.
const MOST_READ: usize = 64 * 1024;
/// The time limit for reading the body. The status is already known, so a slow body must not delay the call.
const READING_TIME: Duration = Duration::from_secs(2);
/// The maximum length of a text in an error that is not from the API, in bytes. Enough to identify the page.
const MOST_KEPT: usize = 2048;

/// Reads a response that is not a success.
pub(crate) async fn read(response: Response, secrets: &Secrets<'_>) -> Reason {
    let (status, retry_after) = (response.status(), retry_after(response.headers(), SystemTime::now()));
    let location = response.headers().get(header::LOCATION).filter(|_| status.is_redirection());
    let location = location.and_then(|location| destination(response.url(), location.as_bytes(), secrets));
    let (body, is_whole) = text_that_arrives(response).await;
    let (code, message) = explanation(&body, is_whole, secrets);
    Reason::Status { status, code, location, message, retry_after }
}

/// Returns the destination of a redirect, without user, query and fragment, which may be secret. `None` if the
/// `Location` has no host.
fn destination(from: &Url, location: &[u8], secrets: &Secrets<'_>) -> Option<String> {
    let mut url = from.join(&String::from_utf8_lossy(location)).ok().filter(Url::has_host)?;
    url.set_username("").and_then(|()| url.set_password(None)).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    Some(excerpt(&secrets.clean(url.as_str())))
}

/// Returns the received part of the body, and whether it is complete. Errors are ignored: the status is sufficient.
async fn text_that_arrives(mut response: Response) -> (Vec<u8>, bool) {
    let (mut text, deadline) = (Vec::new(), Instant::now() + READING_TIME);
    while text.len() < MOST_READ {
        match timeout_at(deadline, response.chunk()).await {
            Ok(Ok(Some(chunk))) => text.extend_from_slice(&chunk),
            Ok(Ok(None)) => return (text, true),
            Ok(Err(_)) | Err(_) => break,
        }
    }
    (text, false)
}

/// Returns the code and message of the API, or the text of a page, without secrets.
fn explanation(body: &[u8], is_whole: bool, secrets: &Secrets<'_>) -> (Option<ErrorCode>, String) {
    let clean = |text: &str| secrets.clean(text).into_owned();
    let text = String::from_utf8_lossy(body);
    let members: Map<String, Value> = read::read(&text).unwrap_or_default();
    // A member of the wrong type does not affect the other members.
    let member = |name| members.get(name).and_then(Value::as_str).map(str::to_owned);
    match (member("code"), member("message").or_else(|| member("error"))) {
        (code, message) if code.is_some() || message.is_some() => {
            let code = code.filter(|code| !code.trim().is_empty()).map(|code| match ErrorCode::from(code.as_str()) {
                // A known code is not a secret, even if it contains the token.
                ErrorCode::Other(code) => ErrorCode::Other(clean(&code)),
                known => known,
            });
            (code, clean(&message.unwrap_or_default()))
        }
        _ => {
            let text = if is_whole { &text } else { secrets.without_a_beginning_at_the_end(&text) };
            // Redact, then shorten: a truncated secret would not be found.
            (None, excerpt(&clean(text.trim())))
        }
    }
}

/// Returns the beginning of a text that is not from the API.
fn excerpt(text: &str) -> String {
    match text.char_indices().find(|(index, c)| index + c.len_utf8() > MOST_KEPT) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redaction::Secret;

    #[test]
    fn a_long_page_is_cut_at_a_character() {
        let page = "ы".repeat(MOST_KEPT);
        assert_eq!(excerpt(&page).len(), MOST_KEPT + "...".len());
        assert_eq!(excerpt("Bad Gateway"), "Bad Gateway");
    }

    #[test]
    fn shows_the_destination_of_a_redirect_without_user_query_fragment_and_secrets() {
        let (token, path) =
            (Secret::new("s3cr3t/token", "<token>"), Secret::beyond_the_origin("http://a.example/b4se-path"));
        let secrets = Secrets::of(&token).and(path.as_ref());
        let from = Url::parse("http://a.example/b4se-path/me?access_token=s3cr3t%2Ftoken").unwrap();
        for (location, shown) in [
            ("https://b.example:8443/login", Some("https://b.example:8443/login")),
            ("https://user:pa55word@b.example/login?next=%2Fme#top", Some("https://b.example/login")),
            ("//user@b.example/login", Some("http://b.example/login")),
            ("/elsewhere?a=b", Some("http://a.example/elsewhere")),
            ("other", Some("http://a.example/.../other")),
            ("", Some("http://a.example/.../me")),
            ("?again", Some("http://a.example/.../me")),
            ("/b4se-path/you", Some("http://a.example/.../you")),
            ("/bot/s3cr3t/token", Some("http://a.example/bot/<token>")),
            ("/bot/s3cr3t%2Ftoken/x", Some("http://a.example/bot/<token>/x")),
            ("https://b.example/a b\u{1b}", Some("https://b.example/a%20b")),
            ("mailto:a@b.example", None),
            ("data:text/plain,s3cr3t", None),
            ("https://", None),
        ] {
            assert_eq!(destination(&from, location.as_bytes(), &secrets).as_deref(), shown, "{location}");
        }
        let long = format!("/{}", "x".repeat(MOST_KEPT));
        assert!(destination(&from, long.as_bytes(), &secrets).unwrap().ends_with("x..."));
    }

    #[test]
    fn hides_a_truncated_token_at_the_end_of_an_incomplete_page() {
        let token = Secret::new("s3cr3t/token", "<token>");
        let secrets = Secrets::of(&token);
        for (page, shown) in [
            ("GET /me?access_token=s3cr3t%2Fto", "GET /me?access_token="),
            ("GET /me?access_token=s3cr3t/tok", "GET /me?access_token="),
            ("Bad Gateway", "Bad Gateway"),
        ] {
            assert_eq!(explanation(page.as_bytes(), false, &secrets), (None, shown.to_owned()), "{page}");
        }
        assert_eq!(explanation(b"no words", true, &secrets).1, "no words", "a complete page keeps its end");
    }

    #[test]
    fn keeps_the_code_if_another_value_is_invalid() {
        let token = Secret::new("s3cr3t/token", "<token>");
        for body in [
            r#"{"code":"verify.token","message":5}"#,
            r#"{"code":"verify.token","message":"half \ud83d"}"#,
            "\u{feff}{\"code\":\"verify.token\",\"message\":\"bell \u{7}\"}",
            r#"{"code":"verify.token","time":NaN}"#,
        ] {
            let (code, message) = explanation(body.as_bytes(), true, &Secrets::of(&token));
            assert_eq!(code, Some(ErrorCode::VerifyToken), "{body}");
            assert!(!message.contains("verify"), "{body}: {message}");
        }
    }

    #[test]
    fn keeps_a_known_code_that_contains_the_token() {
        let token = Secret::new("token", "<token>");
        let secrets = Secrets::of(&token);
        let body = br#"{"code":"verify.token","message":"Invalid access_token"}"#;
        assert_eq!(
            explanation(body, true, &secrets),
            (Some(ErrorCode::VerifyToken), "Invalid access_<token>".to_owned())
        );
    }
}
