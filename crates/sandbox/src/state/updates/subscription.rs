//! One webhook of a bot: what can be asked for, and what was.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::schedule::Schedule;
use crate::protocol::error::ApiError;
use crate::state::clock::Millis;

/// All types of updates, as the API's document has them.
const UPDATE_TYPES: [&str; 13] = [
    "message_callback",
    "message_created",
    "message_removed",
    "message_edited",
    "bot_added",
    "bot_removed",
    "user_added",
    "user_removed",
    "bot_started",
    "chat_title_changed",
    "message_construction_request",
    "message_constructed",
    "message_chat_created",
];

/// Ports that TamTam sends to.
const PORTS: [u16; 4] = [80, 443, 8080, 8443];
const HIGH_PORTS: RangeInclusive<u16> = 16_384..=32_383;
/// Parts of a version, and digits of each.
const VERSION_PARTS: usize = 3;
const VERSION_DIGITS: RangeInclusive<usize> = 1..=3;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Subscription {
    /// Differs from that of every other, also of an earlier one with the same URL.
    pub(crate) id: i64,
    pub(crate) settings: WebhookSettings,
    pub(crate) time: Millis,
    pub(crate) schedule: Schedule,
}

/// What a bot asks for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct WebhookSettings {
    pub(crate) url: String,
    /// None are all.
    pub(crate) update_types: Vec<String>,
    pub(crate) version: Option<String>,
}

impl WebhookSettings {
    pub(crate) fn wants(&self, kind: &str) -> bool {
        self.update_types.is_empty() || self.update_types.iter().any(|wanted| wanted == kind)
    }
}

/// Refuses a URL that TamTam would not send to. Free ports for tests are not those of TamTam: a loopback host may have
/// any.
pub(crate) fn check_url(url: &str) -> Result<(), ApiError> {
    let wrong = |why: &str| ApiError::payload(format!("url: {why}"));
    let lower = url.to_ascii_lowercase();
    let rest = lower.strip_prefix("http://").or_else(|| lower.strip_prefix("https://"));
    let rest = rest.ok_or_else(|| wrong("must start with http:// or https://"))?;
    if url.contains(|one: char| one.is_whitespace() || one.is_control()) {
        return Err(wrong("must not contain spaces"));
    }
    // A parser as lenient as those of browsers takes the path for a host that is not there.
    if rest.is_empty() || rest.starts_with(['/', '\\', '?', '#', ':']) {
        return Err(wrong("has no host"));
    }
    let parsed = reqwest::Url::parse(url).map_err(|error| wrong(&error.to_string()))?;
    let host = parsed.host_str().ok_or_else(|| wrong("has no host"))?;
    let port = parsed.port_or_known_default().unwrap_or_default();
    if PORTS.contains(&port) || HIGH_PORTS.contains(&port) || is_loopback(host) {
        return Ok(());
    }
    let (from, to) = HIGH_PORTS.into_inner();
    Err(wrong(&format!("port must be one of {PORTS:?} or between {from} and {to}")))
}

fn is_loopback(host: &str) -> bool {
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    ip.map_or_else(|_| host == "localhost" || host.ends_with(".localhost"), |ip| ip.is_loopback())
}

pub(crate) fn check_update_type(kind: &str) -> Result<(), ApiError> {
    let is_known = UPDATE_TYPES.contains(&kind);
    if is_known { Ok(()) } else { Err(ApiError::payload(format!("update_types: {kind} is unknown"))) }
}

/// Refuses what is no version; the sandbox itself speaks one, whichever is asked for.
pub(crate) fn check_version(version: &str) -> Result<(), ApiError> {
    let parts: Vec<_> = version.split('.').collect();
    let is_number =
        |part: &&str| VERSION_DIGITS.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_version = parts.len() == VERSION_PARTS && parts.iter().all(is_number);
    if is_version { Ok(()) } else { Err(ApiError::payload(format!("version: {version} is not a version"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_a_scheme_a_host_and_a_port_of_tamtam() {
        for url in [
            "https://bot.example",
            "http://bot.example/hook?a=b#c",
            "HTTPS://bot.example:8443/",
            "http://bot.example:16384",
            "http://bot.example:32383",
            "https://пример.испытание/крюк",
            "http://10.0.0.1:8080/",
            "http://user:password@bot.example/",
        ] {
            assert_eq!(check_url(url), Ok(()), "{url}");
        }
        for url in [
            "",
            "bot.example",
            "ftp://bot.example",
            "//bot.example",
            "http:/bot.example",
            "http://",
            "http:///hook",
            "http://:8080/",
            "http://?a",
            "http:// bot.example",
            "http://bot.example/a b",
            "http://bot.example\n",
            "http://bot.example:99999",
            "http://bot.example:81",
            "http://bot.example:16383",
            "http://bot.example:32384",
            "http://[::2]:81",
            "http://[::1",
            "http://localhost.bot.example:81",
        ] {
            let error = check_url(url).expect_err(url);
            assert!(error.json()["message"].as_str().unwrap().starts_with("url: "), "{url}");
        }
    }

    #[test]
    fn a_loopback_host_may_have_any_port() {
        for host in ["127.0.0.1", "127.8.9.1", "localhost", "LOCALHOST", "hook.localhost", "[::1]"] {
            assert_eq!(check_url(&format!("http://{host}:40123/hook")), Ok(()), "{host}");
        }
    }

    #[test]
    fn a_version_has_three_numbers() {
        for version in ["0.5.6", "1.10.100"] {
            assert_eq!(check_version(version), Ok(()), "{version}");
        }
        for version in ["", "0.5", "0.5.6.7", "0.5.x", "0.5.1234", "0..6", "v0.5.6", "0.5.6 ", "0.5.-6", "invalid"] {
            assert!(check_version(version).is_err(), "{version}");
        }
    }

    #[test]
    fn no_types_are_all_types() {
        let settings = |types: &[&str]| WebhookSettings {
            url: String::new(),
            update_types: types.iter().map(|kind| (*kind).to_owned()).collect(),
            version: None,
        };
        assert!(settings(&[]).wants("bot_started"));
        assert!(settings(&["bot_started"]).wants("bot_started"));
        assert!(!settings(&["bot_started"]).wants("bot_added"));
    }
}
