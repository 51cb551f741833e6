//! What an error status says: the API's code and message, or the text of whoever answered in its place.

use std::time::{Duration, SystemTime};

use http::header;
use reqwest::{Response, Url};
use serde_json::{Map, Value};
use tokio::time::{Instant, timeout_at};

use crate::{
    client::retry::retry_after,
    error::{ErrorCode, Kind},
    model::read,
    redaction::Secrets,
};

/// How much of the body is read, in bytes. The API's own are far shorter; a proxy's page has no end to fear.
const MOST_READ: usize = 64 * 1024;
/// For how long it is read. The status is known, and what is to be done about it does not wait for an explanation.
const READING_TIME: Duration = Duration::from_secs(2);
/// The longest text that is not the API's which an error keeps, in bytes: enough to see whose page it is.
const MOST_KEPT: usize = 2048;

/// Reads an answer that is not a success.
pub(crate) async fn read(response: Response, secrets: &Secrets<'_>) -> Kind {
    let (status, retry_after) = (response.status(), retry_after(response.headers(), SystemTime::now()));
    let location = response.headers().get(header::LOCATION).filter(|_| status.is_redirection());
    let location = location.and_then(|location| destination(response.url(), location.as_bytes(), secrets));
    let (body, is_whole) = text_that_arrives(response).await;
    let (code, message) = explanation(&body, is_whole, secrets);
    Kind::Status { status, code, location, message, retry_after }
}

/// Returns where the `Location` of a redirect leads, fit to be shown: user, query and fragment may be secret. `None` if it
/// leads to no host.
fn destination(from: &Url, location: &[u8], secrets: &Secrets<'_>) -> Option<String> {
    let mut url = from.join(&String::from_utf8_lossy(location)).ok().filter(Url::has_host)?;
    url.set_username("").and_then(|()| url.set_password(None)).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    Some(excerpt(&secrets.clean(url.as_str())))
}

/// The body as far as it arrives, and whether that is all of it: the status is what counts, explained or not.
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

/// The API's code and message, or the text of a page, fit to be shown.
fn explanation(body: &[u8], is_whole: bool, secrets: &Secrets<'_>) -> (Option<ErrorCode>, String) {
    let clean = |text: &str| secrets.clean(text).into_owned();
    let text = String::from_utf8_lossy(body);
    let members: Map<String, Value> = read::read(&text).unwrap_or_default();
    // One that does not fit does not cost the others.
    let member = |name| members.get(name).and_then(Value::as_str).map(str::to_owned);
    match (member("code"), member("message").or_else(|| member("error"))) {
        (code, message) if code.is_some() || message.is_some() => {
            let code = code.filter(|code| !code.trim().is_empty()).map(|code| match ErrorCode::from(code.as_str()) {
                // A code that is known is no secret, even if it reads like one.
                ErrorCode::Other(code) => ErrorCode::Other(clean(&code)),
                known => known,
            });
            (code, clean(&message.unwrap_or_default()))
        }
        _ => {
            let text = if is_whole { &text } else { secrets.without_a_beginning_at_the_end(&text) };
            // First hidden, then shortened: half a secret would not be found.
            (None, excerpt(&clean(text.trim())))
        }
    }
}

/// The beginning of a text that is not the API's.
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
    fn of_a_redirect_the_destination_is_shown_without_user_query_fragment_and_secrets() {
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
    fn half_a_token_at_the_end_of_a_cut_page_is_not_shown() {
        let token = Secret::new("s3cr3t/token", "<token>");
        let secrets = Secrets::of(&token);
        for (page, shown) in [
            ("GET /me?access_token=s3cr3t%2Fto", "GET /me?access_token="),
            ("GET /me?access_token=s3cr3t/tok", "GET /me?access_token="),
            ("Bad Gateway", "Bad Gateway"),
        ] {
            assert_eq!(explanation(page.as_bytes(), false, &secrets), (None, shown.to_owned()), "{page}");
        }
        assert_eq!(explanation(b"no words", true, &secrets).1, "no words", "a whole page keeps its end");
    }

    #[test]
    fn one_bad_value_does_not_cost_the_code() {
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
    fn a_known_code_stays_known_whatever_the_token_is() {
        let token = Secret::new("token", "<token>");
        let secrets = Secrets::of(&token);
        let body = br#"{"code":"verify.token","message":"Invalid access_token"}"#;
        assert_eq!(
            explanation(body, true, &secrets),
            (Some(ErrorCode::VerifyToken), "Invalid access_<token>".to_owned())
        );
    }
}
