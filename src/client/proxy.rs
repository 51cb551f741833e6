//! Checks of proxies. `reqwest` accepts any URL: it would ignore a proxy with an unknown scheme, and every call through
//! a proxy that needs a missing feature would fail.

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::{Proxy, Url};

use crate::error::{Error, Result};

/// The proxy protocols that are compiled in.
#[derive(Clone, Copy)]
struct Supported {
    socks: bool,
    tls: bool,
}

const SUPPORTED: Supported =
    Supported { socks: cfg!(feature = "socks"), tls: cfg!(any(feature = "rustls", feature = "native-tls")) };

/// Creates a proxy from its URL. Errors do not contain the URL, because it may contain a password.
pub(crate) fn proxy(url: &str) -> Result<Proxy> {
    // Normalized in the same way as `reqwest` does it.
    let text = Url::parse(url).map_or_else(|_| url.to_owned(), String::from);
    let proxy = Proxy::all(url).map_err(|_| UNUSABLE).and_then(|proxy| check(&text, SUPPORTED).map(|()| proxy));
    proxy.map_err(|problem| Error::build(format!("the proxy {problem}")))
}

/// Fails if the environment selects an unusable proxy for a URL. `variable`: returns the value of an environment
/// variable.
pub(crate) fn check_environment(url: &Url, variable: impl Fn(&str) -> Option<String>) -> Result<()> {
    check_environment_for(url, variable, SUPPORTED)
}

fn check_environment_for(url: &Url, variable: impl Fn(&str) -> Option<String>, supported: Supported) -> Result<()> {
    let value = |names: [&'static str; 2]| names.into_iter().find_map(|name| Some((name, variable(name)?)));
    let (_, direct) = value(["NO_PROXY", "no_proxy"]).unwrap_or_default();
    let is_direct = |uri: &Uri| Matcher::builder().all("http://any").no(direct).build().intercept(uri).is_none();
    // In a CGI program, `reqwest` ignores these variables: `HTTP_PROXY` may be the header `Proxy` of a request.
    if variable("REQUEST_METHOD").is_some() || url.as_str().parse().is_ok_and(|uri| is_direct(&uri)) {
        return Ok(());
    }
    let of_scheme = if url.scheme() == "https" { ["HTTPS_PROXY", "https_proxy"] } else { ["HTTP_PROXY", "http_proxy"] };
    let set: Vec<_> = [of_scheme, ["ALL_PROXY", "all_proxy"]].into_iter().filter_map(value).collect();
    // `reqwest` uses the first one that it can parse.
    let read = set.iter().find(|(_, proxy)| scheme(proxy).is_some());
    let Some((name, proxy)) = read.or_else(|| set.iter().find(|(_, proxy)| !proxy.is_empty())) else { return Ok(()) };
    check(proxy, supported).map_err(|problem| {
        Error::build(format!("the proxy in `{name}` {problem}; or ignore the environment with `BotBuilder::no_proxy`"))
    })
}

const UNUSABLE: &str = "is not a usable URL: it needs a host, and the scheme http, https or socks5";

fn check(proxy: &str, supported: Supported) -> Result<(), &'static str> {
    match scheme(proxy).as_deref() {
        None => Err(UNUSABLE),
        Some("http") => Ok(()),
        Some("https") if supported.tls => Ok(()),
        Some("https") => Err("is https, but no TLS is compiled in: enable the feature `rustls` or `native-tls`"),
        // All other schemes are versions of SOCKS.
        Some(_) if supported.socks => Ok(()),
        Some(_) => Err("needs SOCKS, which is not compiled in: enable the feature `socks`"),
    }
}

/// Returns the scheme of a proxy as `reqwest` reads it. `None` if `reqwest` would not use the proxy.
fn scheme(proxy: &str) -> Option<String> {
    let proxy = Matcher::builder().all(proxy.to_owned()).build().intercept(&Uri::from_static("http://any"))?;
    let uri = proxy.uri();
    uri.host().filter(|host| !host.is_empty())?;
    uri.scheme_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Supported = Supported { socks: true, tls: true };
    const NONE: Supported = Supported { socks: false, tls: false };

    #[test]
    fn accepts_a_proxy_only_if_its_scheme_is_compiled_in() {
        for proxy in ["http://proxy", "http://user:hunter2@proxy:3128/", "proxy:3128", "HTTP://proxy"] {
            assert!(check(proxy, NONE).is_ok(), "{proxy}");
        }
        assert!(check("https://proxy", ALL).is_ok());
        assert!(check("https://proxy", NONE).unwrap_err().contains("enable the feature `rustls`"));
        for proxy in ["socks4://proxy", "socks4a://proxy", "socks5://user:hunter2@proxy:1080", "socks5h://[::1]:1080"] {
            assert!(check(proxy, ALL).is_ok(), "{proxy}");
            assert!(check(proxy, NONE).unwrap_err().contains("enable the feature `socks`"), "{proxy}");
        }
        for proxy in ["", " ", "ftp://proxy", "foo://proxy", "socks://proxy", "http://", "socks5://", "socks5://:1080"]
        {
            assert_eq!(check(proxy, ALL), Err(UNUSABLE), "{proxy}");
        }
    }

    /// Returns the error for a `url` with these environment variables and without SOCKS support.
    fn refused(url: &str, variables: &[(&str, &str)]) -> Option<String> {
        let variable = |name: &str| {
            let (_, value) = variables.iter().find(|(variable, _)| *variable == name)?;
            Some((*value).to_owned())
        };
        let supported = Supported { socks: false, ..ALL };
        check_environment_for(&Url::parse(url).unwrap(), variable, supported).err().map(|error| error.to_string())
    }

    const HTTPS: &str = "https://botapi.tamtam.chat";
    const SOCKS: &str = "socks5://user:hunter2@proxy:1080";

    #[test]
    fn names_an_unusable_proxy_of_the_environment() {
        for name in ["ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy"] {
            assert_eq!(
                refused(HTTPS, &[(name, SOCKS)]).unwrap(),
                format!(
                    "the proxy in `{name}` needs SOCKS, which is not compiled in: enable the feature `socks`; or ignore \
                     the environment with `BotBuilder::no_proxy`"
                )
            );
            let text = refused(HTTPS, &[(name, "ftp://user:hunter2@proxy")]).unwrap();
            assert!(text.contains(&format!("`{name}` {UNUSABLE}")) && !text.contains("hunter2"), "{text}");
        }
        for name in ["ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy"] {
            assert!(refused("http://localhost:8080/gateway", &[(name, SOCKS)]).is_some(), "{name}");
        }
    }

    #[test]
    fn ignores_proxies_of_the_environment_that_do_not_apply() {
        for (url, variables) in [
            (HTTPS, &[][..]),
            (HTTPS, &[("HTTP_PROXY", SOCKS)]),
            ("http://localhost", &[("HTTPS_PROXY", SOCKS)]),
            (HTTPS, &[("ALL_PROXY", "")]),
            (HTTPS, &[("ALL_PROXY", ""), ("all_proxy", SOCKS)]),
            (HTTPS, &[("HTTPS_PROXY", "http://proxy"), ("ALL_PROXY", SOCKS)]),
            (HTTPS, &[("HTTPS_PROXY", "proxy:3128"), ("ALL_PROXY", SOCKS)]),
            (HTTPS, &[("HTTPS_PROXY", "ftp://proxy"), ("ALL_PROXY", "http://proxy")]),
            (HTTPS, &[("ALL_PROXY", SOCKS), ("NO_PROXY", "localhost, .tamtam.chat")]),
            (HTTPS, &[("ALL_PROXY", SOCKS), ("no_proxy", "*")]),
            ("http://127.0.0.1:8080", &[("ALL_PROXY", SOCKS), ("NO_PROXY", "127.0.0.0/8")]),
            (HTTPS, &[("ALL_PROXY", SOCKS), ("REQUEST_METHOD", "GET")]),
        ] {
            assert_eq!(refused(url, variables), None, "{url} {variables:?}");
        }
        assert!(refused(HTTPS, &[("ALL_PROXY", SOCKS), ("NO_PROXY", "localhost")]).is_some());
        assert!(refused(HTTPS, &[("HTTPS_PROXY", ""), ("ALL_PROXY", SOCKS)]).is_some());
    }
}
