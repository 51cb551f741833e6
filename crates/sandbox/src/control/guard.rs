//! Checks which requests may reach the control endpoints. A browser lets any web page send requests to this machine.
//! These checks refuse requests of pages and accept requests of programs.
//!
//! - `Host` stops DNS rebinding: the name of a page's server resolves to this machine, so that the browser treats the
//!   sandbox as that server.
//! - `Origin` and `Sec-Fetch-Site` stop requests of foreign pages. Browsers set both, and pages cannot change them.
//! - `Content-Type` stops forms and other requests that a browser sends without a CORS preflight.

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

use axum::http::{HeaderMap, HeaderName, StatusCode, Uri, header};

use super::reply::Refusal;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const MEDIA_TYPE: &str = "application/json";

/// The hint of an error about the host.
const HOST_HINT: &str = "/sandbox accepts loopback hosts only, so that no web page can call it; \
    call http://127.0.0.1:PORT, or send the header Host: localhost";
/// The hint of an error about a web page.
const PAGE_HINT: &str = "/sandbox refuses requests from web pages of other origins; \
    call it from a program that sends neither Origin nor Sec-Fetch-Site";
/// The hint of an error about the content type.
const TYPE_HINT: &str = "the body must be JSON; send the header Content-Type: application/json";

/// Returns an error if a web page may have sent the request. Reads the headers only.
pub(super) fn check(uri: &Uri, headers: &HeaderMap, has_body: bool) -> Result<(), Refusal> {
    let hosts = check_host(uri, headers)?;
    check_site(headers)?;
    check_origin(headers, &hosts)?;
    check_content_type(headers, has_body)
}

/// Returns the hosts in the request. HTTP/2 and the absolute form of HTTP/1 also have a host in the URI.
fn check_host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Result<Vec<Cow<'a, str>>, Refusal> {
    let in_uri = uri.authority().map(|authority| authority.as_str().into());
    let in_header = single(headers, &header::HOST).map_err(|why| forbidden(why, HOST_HINT))?;
    let hosts: Vec<_> = in_uri.into_iter().chain(in_header).collect();
    if hosts.is_empty() {
        return Err(forbidden("Host is missing", HOST_HINT));
    }
    match hosts.iter().find(|host| !is_loopback(host)) {
        Some(host) => Err(forbidden(format!("Host `{host}` is refused"), HOST_HINT)),
        None => Ok(hosts),
    }
}

/// Refuses requests of pages of another site. Browsers send `none` if the user typed the address.
fn check_site(headers: &HeaderMap) -> Result<(), Refusal> {
    let site = single(headers, &SEC_FETCH_SITE).map_err(|why| forbidden(why, PAGE_HINT))?;
    match site {
        Some(site) if site != "same-origin" && site != "none" => {
            Err(forbidden(format!("Sec-Fetch-Site `{site}` is refused"), PAGE_HINT))
        }
        _ => Ok(()),
    }
}

fn check_origin(headers: &HeaderMap, hosts: &[Cow<'_, str>]) -> Result<(), Refusal> {
    let origin = single(headers, &header::ORIGIN).map_err(|why| forbidden(why, PAGE_HINT))?;
    let Some(origin) = origin else { return Ok(()) };
    let host = origin.strip_prefix("http://");
    if host.is_some_and(|host| hosts.iter().all(|own| own == host)) {
        Ok(())
    } else {
        Err(forbidden(format!("Origin `{origin}` is refused"), PAGE_HINT))
    }
}

fn check_content_type(headers: &HeaderMap, has_body: bool) -> Result<(), Refusal> {
    let refused = |why: String| Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("{why}: {TYPE_HINT}"));
    match single(headers, &header::CONTENT_TYPE).map_err(refused)? {
        Some(kind) if is_json(&kind) => Ok(()),
        Some(kind) => Err(refused(format!("Content-Type `{kind}` is refused"))),
        None if has_body => Err(refused("Content-Type is missing".to_owned())),
        None => Ok(()),
    }
}

fn forbidden(why: impl AsRef<str>, hint: &str) -> Refusal {
    Refusal::new(StatusCode::FORBIDDEN, format!("{}: {hint}", why.as_ref()))
}

/// Returns the value of a header that may be sent once. Bytes that are not UTF-8 become `U+FFFD`, which all checks
/// refuse.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<Cow<'a, str>>, String> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().map(|value| String::from_utf8_lossy(value.as_bytes()));
    match values.next() {
        Some(_) => Err(format!("the header {name} is sent more than once")),
        None => Ok(value),
    }
}

/// Whether a `Host`, with or without a port, is always this machine.
fn is_loopback(host: &str) -> bool {
    if let Some(bracketed) = host.strip_prefix('[') {
        let Some((address, rest)) = bracketed.split_once(']') else { return false };
        let is_own = address.parse().is_ok_and(|address: Ipv6Addr| address.is_loopback());
        return is_own && (rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port));
    }
    let (name, port) = host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port)));
    let is_own = name.parse().is_ok_and(|address: Ipv4Addr| address.is_loopback()) || is_localhost(name);
    is_own && port.is_none_or(is_port)
}

/// Whether this is `localhost` or a name below it. RFC 6761 reserves them for loopback addresses.
fn is_localhost(name: &str) -> bool {
    let mut labels = name.strip_suffix('.').unwrap_or(name).rsplit('.');
    labels.next().is_some_and(|top| top.eq_ignore_ascii_case("localhost")) && labels.all(is_label)
}

fn is_label(label: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !label.is_empty() && label.bytes().all(is_allowed)
}

fn is_port(port: &str) -> bool {
    // `parse` accepts a plus sign.
    port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok()
}

/// Whether a `Content-Type` is JSON, with any parameters.
fn is_json(kind: &str) -> bool {
    let essence = kind.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case(MEDIA_TYPE)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    /// Returns the status and the error of a request with these headers.
    fn judge(uri: &str, headers: &[(&'static str, &str)], has_body: bool) -> Result<(), (u16, String)> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let refused = |refusal: Refusal| (refusal.0.as_u16(), refusal.1["error"].as_str().unwrap().to_owned());
        check(&uri.parse().unwrap(), &map, has_body).map_err(refused)
    }

    /// Returns the status of a refusal, or 200 if the request is accepted.
    fn status(headers: &[(&'static str, &str)], has_body: bool) -> u16 {
        judge("/sandbox", headers, has_body).map_or_else(|(status, _)| status, |()| 200)
    }

    #[test]
    fn accepts_loopback_hosts() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:8090",
            "127.255.255.254:1",
            "[::1]",
            "[::1]:65535",
            "[0:0:0:0:0:0:0:1]:80",
            "localhost",
            "localhost:8090",
            "LocalHost.:8090",
            "localhost.",
            "tamtam.localhost",
            "a-b_1.tamtam.localhost.:80",
        ] {
            assert_eq!(status(&[("host", host)], false), 200, "{host}");
        }
    }

    #[test]
    fn refuses_every_other_host() {
        for host in [
            "",
            ".",
            ":",
            ":80",
            "evil.example",
            "evil.example:8090",
            "127.0.0.1.evil.example",
            "127.0.0.1.",
            "localhost.evil",
            "localhost.evil.example:8090",
            "evillocalhost",
            "notlocalhost:80",
            "localhost..",
            ".localhost",
            "a..localhost",
            "*.localhost",
            "evil.example/.localhost",
            "evil.example#.localhost",
            "evil.example?.localhost",
            "evil.example\\.localhost",
            "evil.example@localhost",
            "localhost@evil.example",
            "localhost:80@evil.example",
            "user:1@localhost",
            "127.0.0.1@evil.example:80",
            "localhost,evil.example",
            "localhost, localhost",
            "localhost evil.example",
            "localhost\tevil",
            "http://localhost",
            "localhost/",
            "localhost:",
            "127.0.0.1:",
            "localhost:x",
            "localhost:+80",
            "localhost:-1",
            "localhost:80x",
            "localhost: 80",
            "localhost:80:80",
            "localhost:65536",
            "localhost:80.evil.example",
            "[::1]evil",
            "[::1]:",
            "[::1]:evil",
            "[::1].evil.example",
            "[::1",
            "::1",
            "::1]",
            "[]",
            "[[::1]]",
            "[::1%25eth0]",
            "[::]",
            "[::2]",
            "[::ffff:127.0.0.1]",
            "[::127.0.0.1]",
            "[127.0.0.1]",
            "[localhost]",
            "0.0.0.0",
            "128.0.0.1",
            "126.255.255.255",
            "10.0.0.1",
            "192.168.0.1:8090",
            "169.254.169.254",
            "127.1",
            "127.0.0.256",
            "0127.0.0.1",
            "0x7f.0.0.1",
            "0x7f000001",
            "2130706433",
            "127.0.0.1%00",
            "l\u{43e}calhost",
            "localhost\u{3002}",
            "localhost.localdomain",
            "host.docker.internal",
        ] {
            let (status, error) = judge("/sandbox", &[("host", host)], false).unwrap_err();
            assert_eq!(status, 403, "{host}");
            assert!(error.starts_with(&format!("Host `{host}` is refused: ")), "{error}");
        }
    }

    #[test]
    fn refuses_a_missing_or_repeated_host() {
        let (status, error) = judge("/sandbox", &[], false).unwrap_err();
        assert_eq!((status, error), (403, format!("Host is missing: {HOST_HINT}")));
        for second in ["localhost", "evil.example"] {
            let (status, error) = judge("/sandbox", &[("host", "localhost"), ("host", second)], false).unwrap_err();
            assert_eq!((status, error), (403, format!("the header host is sent more than once: {HOST_HINT}")));
        }
    }

    #[test]
    fn refuses_a_host_that_is_not_utf8() {
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_bytes(b"\xff.localhost").unwrap());
        assert!(check(&Uri::from_static("/sandbox"), &headers, false).is_err());
    }

    #[test]
    fn checks_the_host_in_the_uri_and_the_header() {
        let judge = |uri, headers: &[_]| judge(uri, headers, false);
        assert_eq!(judge("http://localhost:80/sandbox", &[]), Ok(()));
        assert_eq!(judge("http://localhost:80/sandbox", &[("host", "127.0.0.1")]), Ok(()));
        for (uri, host) in [
            ("http://evil.example/sandbox", "localhost"),
            ("http://localhost/sandbox", "evil.example"),
            ("http://localhost@evil.example/sandbox", "localhost"),
            ("http://evil.example@localhost/sandbox", "localhost"),
        ] {
            assert_eq!(judge(uri, &[("host", host)]).unwrap_err().0, 403, "{uri} {host}");
        }
        assert_eq!(judge("http://evil.example/sandbox", &[]).unwrap_err().0, 403);
    }

    #[test]
    fn accepts_the_origin_of_the_sandbox_itself() {
        for host in ["localhost", "localhost:8090", "127.0.0.1:8090", "[::1]:8090"] {
            assert_eq!(status(&[("host", host), ("origin", &format!("http://{host}"))], false), 200, "{host}");
        }
    }

    #[test]
    fn refuses_every_other_origin() {
        for origin in [
            "",
            "null",
            "http://",
            "localhost:8090",
            "http://evil.example",
            "http://localhost",
            "http://localhost:3000",
            "http://127.0.0.1:8090",
            "https://localhost:8090",
            "HTTP://localhost:8090",
            "http://localhost:8090/",
            "http://localhost:8090.evil.example",
            "http://localhost:8090@evil.example",
            "http://localhost:8090 http://evil.example",
            "http://http://localhost:8090",
            "file://localhost:8090",
            "chrome-extension://localhost:8090",
        ] {
            let (status, error) =
                judge("/sandbox", &[("host", "localhost:8090"), ("origin", origin)], false).unwrap_err();
            assert_eq!((status, error), (403, format!("Origin `{origin}` is refused: {PAGE_HINT}")));
        }
        let own = ("origin", "http://localhost");
        assert_eq!(status(&[("host", "localhost"), own, own], false), 403);
        let other_uri = judge("http://127.0.0.1/sandbox", &[("host", "localhost"), own], false);
        assert_eq!(other_uri.unwrap_err().0, 403, "the origin must be the host in the URI and in the header");
    }

    #[test]
    fn refuses_requests_that_a_browser_sends_for_another_site() {
        let status_of = |sites: &[&'static str]| {
            let sites = sites.iter().map(|site| ("sec-fetch-site", *site));
            status(&std::iter::once(("host", "localhost")).chain(sites).collect::<Vec<_>>(), false)
        };
        for site in ["same-origin", "none"] {
            assert_eq!(status_of(&[site]), 200, "{site}");
        }
        for sites in
            [&["cross-site"][..], &["same-site"], &[""], &["x"], &["none, cross-site"], &["none", "cross-site"]]
        {
            assert_eq!(status_of(sites), 403, "{sites:?}");
        }
    }

    #[test]
    fn accepts_json_and_requests_without_a_body() {
        let host = ("host", "localhost");
        assert_eq!(status(&[host], false), 200);
        for kind in [
            "application/json",
            "Application/JSON",
            "application/json;charset=utf-8",
            "application/json ; charset=\"utf-8\"",
        ] {
            for has_body in [false, true] {
                assert_eq!(status(&[host, ("content-type", kind)], has_body), 200, "{kind}");
            }
        }
    }

    #[test]
    fn refuses_every_other_content_type() {
        let host = ("host", "localhost");
        let (status_of_none, error) = judge("/sandbox", &[host], true).unwrap_err();
        assert_eq!((status_of_none, error), (415, format!("Content-Type is missing: {TYPE_HINT}")));
        for kind in [
            "",
            ";",
            "text/plain",
            "text/plain;charset=utf-8",
            "text/plain; application/json",
            "text/plain, application/json",
            "application/json, text/plain",
            "application/json text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=application/json",
            "application/jsonp",
            "application/vnd.api+json",
            "text/json",
            "*/*",
        ] {
            for has_body in [false, true] {
                let (status, error) = judge("/sandbox", &[host, ("content-type", kind)], has_body).unwrap_err();
                assert_eq!((status, error), (415, format!("Content-Type `{kind}` is refused: {TYPE_HINT}")));
            }
        }
        let json = ("content-type", "application/json");
        assert_eq!(status(&[host, json, json], true), 415);
    }
}
