//! A webhook of a bot, and the validation of its settings.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::schedule::Schedule;
use crate::protocol::error::ApiError;
use crate::protocol::service::Service;
use crate::state::clock::Millis;

/// The number of parts of a version, and of digits in each part.
const VERSION_PARTS: usize = 3;
const VERSION_DIGITS: RangeInclusive<usize> = 1..=3;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Subscription {
    /// Unique, even among earlier webhooks with the same URL.
    pub(crate) id: i64,
    pub(crate) settings: WebhookSettings,
    pub(crate) time: Millis,
    pub(crate) schedule: Schedule,
}

/// The settings that a bot sends.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct WebhookSettings {
    pub(crate) url: String,
    /// Empty stands for all types.
    pub(crate) update_types: Vec<String>,
    pub(crate) version: Option<String>,
    #[serde(default)]
    pub(crate) secret: Option<String>,
}

impl WebhookSettings {
    pub(crate) fn wants(&self, kind: &str) -> bool {
        self.update_types.is_empty() || self.update_types.iter().any(|wanted| wanted == kind)
    }
}

/// Refuses a URL that the service does not accept. A loopback host may have any port and either scheme, because tests
/// use free ports, and their servers may not speak TLS.
pub(crate) fn check_url(url: &str, service: Service) -> Result<(), ApiError> {
    let wrong = |why: &str| ApiError::payload(format!("url: {why}"));
    let lower = url.to_ascii_lowercase();
    let rest = lower.strip_prefix("http://").or_else(|| lower.strip_prefix("https://"));
    let rest = rest.ok_or_else(|| wrong("must start with http:// or https://"))?;
    if url.contains(|one: char| one.is_whitespace() || one.is_control()) {
        return Err(wrong("must not contain spaces"));
    }
    // `Url::parse` is as lenient as browsers: if the host is missing, it takes it from the path.
    if rest.is_empty() || rest.starts_with(['/', '\\', '?', '#', ':']) {
        return Err(wrong("has no host"));
    }
    let parsed = Url::parse(url).map_err(|error| wrong(&error.to_string()))?;
    let host = parsed.host_str().ok_or_else(|| wrong("has no host"))?;
    if is_loopback(host) {
        return Ok(());
    }
    let webhook = &service.traits().webhook;
    if webhook.https_only && parsed.scheme() != "https" {
        return Err(wrong("must start with https://"));
    }
    if webhook.refuses_ports && !is_reached(&parsed, service) {
        let (from, to) = webhook.port_range.unwrap_or_default();
        return Err(wrong(&format!("port must be one of {:?} or between {from} and {to}", webhook.ports)));
    }
    Ok(())
}

/// Whether the service sends updates to the port of a URL.
pub(crate) fn is_reached(url: &Url, service: Service) -> bool {
    let webhook = &service.traits().webhook;
    let port = url.port_or_known_default().unwrap_or_default();
    let is_in_range = webhook.port_range.is_some_and(|(first, last)| (first..=last).contains(&port));
    webhook.ports.contains(&port) || is_in_range || url.host_str().is_some_and(is_loopback)
}

/// Whether a host is a loopback host.
pub(crate) fn is_loopback(host: &str) -> bool {
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    ip.map_or_else(|_| host == "localhost" || host.ends_with(".localhost"), |ip| ip.is_loopback())
}

pub(crate) fn check_update_type(kind: &str, service: Service) -> Result<(), ApiError> {
    let is_known = service.traits().update_types.contains(&kind);
    if is_known { Ok(()) } else { Err(ApiError::payload(format!("update_types: {kind} is unknown"))) }
}

/// Refuses a malformed version. All versions get the same updates.
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
            assert_eq!(check_url(url, Service::TamTam), Ok(()), "{url}");
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
            let error = check_url(url, Service::TamTam).expect_err(url);
            assert!(error.json()["message"].as_str().unwrap().starts_with("url: "), "{url}");
        }
    }

    #[test]
    fn a_loopback_host_may_have_any_port() {
        for host in ["127.0.0.1", "127.8.9.1", "localhost", "LOCALHOST", "hook.localhost", "[::1]"] {
            for service in [Service::TamTam, Service::Max] {
                assert_eq!(check_url(&format!("http://{host}:40123/hook"), service), Ok(()), "{host}");
                assert_eq!(check_url(&format!("https://{host}:40123/hook"), service), Ok(()), "{host}");
            }
        }
    }

    #[test]
    fn max_requires_https_and_sends_only_to_port_443() {
        let is_reached = |url: &str| is_reached(&Url::parse(url).unwrap(), Service::Max);
        for url in ["https://bot.example", "https://bot.example:443/hook", "https://bot.example:8443/hook"] {
            assert_eq!(check_url(url, Service::Max), Ok(()), "{url}");
            assert_eq!(is_reached(url), !url.contains("8443"), "{url}");
        }
        assert!(is_reached("http://127.0.0.1:1/hook"));
        for url in ["http://bot.example/hook", "http://bot.example:443", "ftp://127.0.0.1/", "https://"] {
            assert_eq!(check_url(url, Service::Max).expect_err(url).status(), 400, "{url}");
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
    fn an_empty_list_of_types_stands_for_all_types() {
        let settings = |types: &[&str]| WebhookSettings {
            url: String::new(),
            update_types: types.iter().map(|kind| (*kind).to_owned()).collect(),
            version: None,
            secret: None,
        };
        assert!(settings(&[]).wants("bot_started"));
        assert!(settings(&["bot_started"]).wants("bot_started"));
        assert!(!settings(&["bot_started"]).wants("bot_added"));
    }
}
