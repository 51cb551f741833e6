//! The bot builder: each setting, and its effect on the requests of the bot.

use std::{future::IntoFuture, io::Write as _, time::Duration};

use flate2::{Compression, write::GzEncoder};
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tamtam::{
    Bot, BotBuilder, ChatId, ErrorKind, Target, UserId, request::RawRequest, reqwest::redirect::Policy,
    updates::Updates,
};
use wiremock::{
    Mock, MockServer, Request, ResponseTemplate,
    matchers::{any, path},
};

use crate::common::{
    CHILD, RawServer, TOKEN, answering, answering_json, bot, bot_at, bot_info, http_answer, in_a_process_of_its_own,
    message, mock_server, only_request, parameter, query, requests,
};

/// Returns the error for invalid settings.
fn refused(builder: BotBuilder) -> String {
    let error = builder.build().unwrap_err();
    assert!(error.kind() == ErrorKind::Build && !error.is_retryable() && error.operation().is_none(), "{error:?}");
    assert_eq!((error.status(), error.attempts()), (None, 0));
    error.to_string()
}

#[tokio::test]
async fn a_base_url_may_have_a_path_and_a_trailing_slash() {
    let cases = [
        ("", "/me"),
        ("/", "/me"),
        ("//", "/me"),
        ("/gateway", "/gateway/me"),
        ("/gateway/", "/gateway/me"),
        ("/a/b%20c/", "/a/b%20c/me"),
        ("/шлюз", "/%D1%88%D0%BB%D1%8E%D0%B7/me"),
    ];
    for (base, expected) in cases {
        let server = answering_json(&bot_info()).await;
        let bot = bot_at(format!("{}{base}", server.uri())).build().unwrap();
        bot.me().await.unwrap();
        bot.request(Method::GET, "/me").await.unwrap();
        let paths: Vec<String> = requests(&server).await.iter().map(|request| request.url.path().to_owned()).collect();
        assert_eq!(paths, [expected, expected], "{base}");
    }
    let server = answering_json(&json!({"subscriptions": [], "updates": [{"update_type": "new"}]})).await;
    bot_at(format!("{}/gateway/", server.uri())).build().unwrap().updates().try_next().await.unwrap();
    let paths: Vec<String> = requests(&server).await.iter().map(|request| request.url.path().to_owned()).collect();
    assert_eq!(paths, ["/gateway/subscriptions", "/gateway/updates"]);
    let server = answering_json(&bot_info()).await;
    bot_at(server.uri().to_uppercase()).build().unwrap().me().await.unwrap();
}

#[test]
fn an_invalid_base_url_is_refused_with_the_reason() {
    let parts = "the base URL has a user, a query or a fragment: set only scheme, host, port and path";
    let cases = [
        ("", "the base URL `` is not a URL: relative URL without a base"),
        ("example.org", "the base URL `example.org` is not a URL: relative URL without a base"),
        ("//example.org", "the base URL `//example.org` is not a URL: relative URL without a base"),
        ("http://", "the base URL `http://` is not a URL: empty host"),
        ("https://example.org:99999", "the base URL `https://example.org:99999` is not a URL: invalid port number"),
        ("ftp://example.org", "the base URL has the scheme `ftp`, expected https or http"),
        ("localhost:8080", "the base URL has the scheme `localhost`, expected https or http"),
        ("unix:/run/tamtam", "the base URL has the scheme `unix`, expected https or http"),
        ("https://example.org?v=1", parts),
        ("https://example.org/#top", parts),
        ("https://user@example.org", parts),
        ("https://user:hunter2@example.org", parts),
        ("https://:hunter2@example.org", parts),
    ];
    for (url, expected) in cases {
        assert_eq!(refused(Bot::builder("token").base_url(url)), expected);
    }
}

#[test]
fn a_bot_uses_tamtam_in_the_version_of_the_document_by_default() {
    let bot = Bot::new("token").unwrap();
    assert_eq!(bot.version(), Some("0.5.6"));
    assert_eq!(
        format!("{bot:?}"),
        r#"Bot { log_name: "50b3c152", base_url: "https://botapi.tamtam.chat", service: "TamTam", version: Some("0.5.6"), .. }"#
    );
}

#[tokio::test]
async fn an_empty_token_is_refused_and_white_space_around_a_token_is_trimmed() {
    for token in ["", " ", "\n\t"] {
        let text = refused(Bot::builder(token));
        assert_eq!(text, "the token is empty: get one from PrimeBot (https://tt.me/primebot)");
        assert_eq!(Bot::new(token).unwrap_err().to_string(), text);
    }
    // A token read from a file ends with a line break.
    let server = answering_json(&bot_info()).await;
    let bot = Bot::builder(" token\n").base_url(server.uri()).http(|http| http.no_proxy()).build().unwrap();
    bot.me().await.unwrap();
    assert_eq!(parameter(&only_request(&server).await, "access_token"), ["token"]);
}

#[tokio::test]
async fn every_request_sends_the_pinned_version() {
    let server = answering_json(&json!({"subscriptions": [], "updates": [{"update_type": "new"}]})).await;
    let bot = bot_at(server.uri()).version("0.3.0 & more").build().unwrap();
    assert_eq!(bot.version(), Some("0.3.0 & more"));
    bot.api().get_updates().await.unwrap();
    bot.updates().try_next().await.unwrap();
    bot.request(Method::GET, "/new").query("x", 1).await.unwrap();
    let requests = requests(&server).await;
    assert_eq!(requests.len(), 4, "the stream first lists the webhooks");
    for request in requests {
        assert_eq!(parameter(&request, "v"), ["0.3.0 & more"]);
        assert_eq!(parameter(&request, "access_token"), [TOKEN]);
    }
}

/// Too short for a server that answers after [`SLOW`].
const SHORT: Duration = Duration::from_millis(30);
/// The delay of a slow server, well over [`SHORT`].
const SLOW: Duration = Duration::from_millis(100);
/// Never reached in a test that passes.
const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_call_can_have_its_own_timeout() {
    let server = RawServer::silent().await;
    let patient = bot_at(server.url()).timeout(LONG).poll_margin(LONG).build().unwrap();
    assert!(patient.me().request_timeout(SHORT).await.unwrap_err().is_timeout());
    assert!(patient.send(ChatId(-7), "hi").request_timeout(SHORT).await.unwrap_err().is_timeout());
    assert!(patient.api().get_updates().request_timeout(SHORT).await.unwrap_err().is_timeout());
    assert!(patient.request(Method::GET, "/me").request_timeout(SHORT).await.unwrap_err().is_timeout());

    let server = answering(ResponseTemplate::new(200).set_body_json(bot_info()).set_delay(SLOW)).await;
    let hasty = bot_at(server.uri()).timeout(SHORT).build().unwrap();
    assert!(hasty.me().await.unwrap_err().is_timeout());
    hasty.me().request_timeout(LONG).await.unwrap();
    assert!(hasty.request(Method::GET, "/me").await.unwrap_err().is_timeout());
    hasty.request(Method::GET, "/me").request_timeout(LONG).await.unwrap();
}

#[tokio::test]
async fn the_timeout_of_a_poll_is_its_hold_time_plus_the_margin() {
    let page = json!({"updates": [{"update_type": "new"}], "marker": 1});
    let server = answering(ResponseTemplate::new(200).set_body_json(page).set_delay(SLOW)).await;
    // The timeout of other calls must not apply to polls.
    let bot = bot_at(server.uri()).timeout(SHORT).poll_margin(Duration::ZERO).build().unwrap();
    bot.api().get_updates().await.expect("the hold time defaults to 30 s");
    bot.api().get_updates().timeout(1).await.expect("the hold time is 1 s");
    assert!(bot.api().get_updates().timeout(0).await.unwrap_err().is_timeout(), "the hold time is 0");

    let bot = bot_at(server.uri()).timeout(SHORT).poll_margin(LONG).build().unwrap();
    bot.api().get_updates().timeout(0).await.expect("the margin is enough");
}

#[tokio::test]
async fn a_poll_of_the_stream_allows_for_its_hold_time() {
    let page = json!({"updates": [{"update_type": "new"}], "marker": 1});
    let server = mock_server().await;
    let slow = ResponseTemplate::new(200).set_body_json(page).set_delay(SLOW);
    Mock::given(path("/updates")).respond_with(slow).expect(2).mount(&server).await;
    let bot = bot_at(server.uri()).timeout(SHORT).poll_margin(Duration::ZERO).build().unwrap();
    bot.updates().try_next().await.expect("the hold time defaults to 30 s");
    bot.updates().timeout(Duration::from_secs(1)).try_next().await.expect("the hold time is 1 s");
}

#[tokio::test]
async fn a_dead_poll_fails_after_the_hold_time_and_margin() {
    let server = RawServer::silent().await;
    let bot = bot_at(server.url()).timeout(LONG).poll_margin(SHORT).build().unwrap();
    assert!(bot.api().get_updates().timeout(0).await.unwrap_err().is_timeout());
}

/// Starts a server that compresses its answers for clients that accept gzip.
async fn compressing(status: u16, body: &Value) -> MockServer {
    let plain = body.to_string();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(plain.as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    let server = mock_server().await;
    let answer = move |request: &Request| {
        let wanted =
            request.headers.get("accept-encoding").is_some_and(|value| value.to_str().unwrap().contains("gzip"));
        match wanted {
            true => {
                ResponseTemplate::new(status).insert_header("content-encoding", "gzip").set_body_bytes(gzip.clone())
            }
            false => ResponseTemplate::new(status).set_body_string(plain.clone()),
        }
    };
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

#[tokio::test]
async fn answers_are_compressed_by_default() {
    let server = compressing(200, &bot_info()).await;
    let me = bot_at(server.uri()).build().unwrap().me().await.unwrap();
    assert_eq!(me.name, "Погода");
    assert_eq!(only_request(&server).await.headers["accept-encoding"], "gzip");

    let server = compressing(200, &bot_info()).await;
    let me = bot_at(server.uri()).gzip(false).build().unwrap().me().await.unwrap();
    assert_eq!(me.name, "Погода");
    assert!(!only_request(&server).await.headers.contains_key("accept-encoding"));
}

#[tokio::test]
async fn a_compressed_error_and_a_compressed_page_are_read() {
    let server = compressing(403, &json!({"code": "chat.denied", "message": "no"})).await;
    let error = bot(&server).me().await.unwrap_err();
    assert_eq!((error.code().map(tamtam::ErrorCode::as_str), error.message()), (Some("chat.denied"), Some("no")));
    let server = compressing(200, &json!({"subscriptions": [], "updates": [{"update_type": "new"}]})).await;
    assert_eq!(bot(&server).updates().try_next().await.unwrap().unwrap().tag(), "new");
}

#[tokio::test]
async fn requests_go_through_the_proxy() {
    let proxy = RawServer::answering(http_answer("200 OK", &[], &bot_info().to_string())).await;
    let url = proxy.url().replace("http://", "http://user:hunter2@");
    let builder = Bot::builder("token").base_url("http://tamtam.invalid/gateway").proxy(url);
    assert!(!format!("{builder:?} {builder:#?}").contains("hunter2"));
    builder.build().unwrap().me().await.unwrap();
    assert_eq!(
        proxy.request_line(),
        "GET http://tamtam.invalid/gateway/me?v=0.5.6&access_token=token HTTP/1.1",
        "a request to a proxy has the whole URL"
    );
    let request = proxy.requests()[0].to_lowercase();
    // `user:hunter2` in base64.
    assert!(request.contains("\r\nproxy-authorization: basic dxnlcjpodw50zxiy\r\n"), "{request}");
    assert!(request.contains("\r\nhost: tamtam.invalid\r\n"), "{request}");
}

#[test]
fn an_invalid_proxy_is_refused_without_showing_its_password() {
    for url in [
        "",
        "http://",
        "http://user:hunter2@",
        "http://user:hunter2@proxy example",
        "ftp://user:hunter2@proxy.example",
        "foo://user:hunter2@proxy.example",
        "socks://user:hunter2@proxy.example",
        "socks5://",
    ] {
        assert_eq!(
            refused(Bot::builder("token").proxy(url)),
            "the proxy is not a usable URL: it needs a host, and the scheme http, https or socks5"
        );
    }
    for url in ["http://proxy.example", "proxy.example:3128", "http://прокси.example"] {
        Bot::builder("token").proxy(url).build().unwrap();
    }
}

/// Starts a SOCKS5 proxy that requires a password and answers every request itself. Returns its address.
#[cfg(feature = "socks")]
async fn socks_proxy(accepts: bool) -> std::net::SocketAddr {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            // RFC 1928 and 1929: methods, password, address.
            let methods = client.read_u16().await.unwrap() & 0xff;
            client.read_exact(&mut vec![0; methods.into()]).await.unwrap();
            client.write_all(&[5, 2]).await.unwrap();
            let mut login = [0; "\x01\x04user\x07hunter2".len()];
            client.read_exact(&mut login).await.unwrap();
            assert_eq!(&login, b"\x01\x04user\x07hunter2");
            client.write_all(&[1, u8::from(!accepts)]).await.unwrap();
            if !accepts {
                continue;
            }
            let mut target = [0; "\x05\x01\x00\x03\x0etamtam.invalid\x00\x50".len()];
            client.read_exact(&mut target).await.unwrap();
            assert_eq!(&target, b"\x05\x01\x00\x03\x0etamtam.invalid\x00\x50");
            client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
            crate::common::read_request(&mut client).await.unwrap();
            client.write_all(http_answer("200 OK", &[], &bot_info().to_string()).as_bytes()).await.unwrap();
        }
    });
    address
}

#[cfg(feature = "socks")]
#[tokio::test]
async fn requests_go_through_a_socks_proxy() {
    let url = format!("socks5h://user:hunter2@{}", socks_proxy(true).await);
    let bot = || Bot::builder("token").base_url("http://tamtam.invalid");
    bot().proxy(&url).build().unwrap().me().await.unwrap();

    let variables = [
        ("TAMTAM_TOKEN", "token".to_owned()),
        ("TAMTAM_BASE_URL", "http://tamtam.invalid".to_owned()),
        ("ALL_PROXY", url),
    ];
    let text = in_a_process_of_its_own(IN_THE_ENVIRONMENT, &variables).await;
    assert!(text.contains(" is Погода"), "{text}");

    let url = format!("socks5h://user:hunter2@{}", socks_proxy(false).await);
    let error = bot().retry(tamtam::settings::RetryPolicy::none()).proxy(url).build().unwrap().me().await.unwrap_err();
    assert!(error.kind() == ErrorKind::Connect && !format!("{error} {error:?}").contains("hunter2"), "{error:?}");
}

#[cfg(not(feature = "socks"))]
#[test]
fn a_socks_proxy_needs_its_feature() {
    for scheme in ["socks4", "socks4a", "socks5", "socks5h"] {
        let text = refused(Bot::builder("token").proxy(format!("{scheme}://user:hunter2@proxy.example")));
        assert_eq!(text, "the proxy needs SOCKS, which is not compiled in: enable the feature `socks`");
    }
}

#[tokio::test]
async fn an_unusable_proxy_of_the_environment_is_refused_or_ignored() {
    let server = answering_json(&bot_info()).await;
    let variables = |proxy: &str| {
        let base_url = server.uri();
        [("TAMTAM_TOKEN", "token".to_owned()), ("TAMTAM_BASE_URL", base_url), ("all_proxy", proxy.to_owned())]
    };
    let text = in_a_process_of_its_own(IN_THE_ENVIRONMENT, &variables("foo://user:hunter2@proxy.example")).await;
    assert!(text.contains("no bot: the proxy in `all_proxy` is not a usable URL"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
    assert!(requests(&server).await.is_empty());
    for proxy in ["foo://proxy.example", "http://proxy.invalid"] {
        in_a_process_of_its_own("builder::ignores_the_proxy_of_the_environment", &variables(proxy)).await;
    }
    assert_eq!(requests(&server).await.len(), 4);
}

/// Runs only in a separate process.
#[tokio::test]
async fn ignores_the_proxy_of_the_environment() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let builder = || Bot::builder("token").base_url(std::env::var("TAMTAM_BASE_URL").unwrap());
    builder().no_proxy().build().unwrap().me().await.unwrap();
    builder().http(|http| http.no_proxy()).build().unwrap().me().await.unwrap();
}

/// An untrusted certificate, made for this test by `openssl req -x509 -newkey ed25519`. Its key was not kept.
const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----
MIIBRjCB+aADAgECAhRB+SQnGtGGkUDeCSXTiZdBf7xtOzAFBgMrZXAwGDEWMBQG
A1UEAwwNcHJveHkuZXhhbXBsZTAgFw0yNjExMjIwNDM3MjlaGA8yMTI2MTAyOTA0
MzcyOVowGDEWMBQGA1UEAwwNcHJveHkuZXhhbXBsZTAqMAUGAytlcAMhAIq9fVNr
zB8e3UMl6wXA6yCJT9JXsdjSUhxS23kG2gX/o1MwUTAdBgNVHQ4EFgQUgop4zpZE
QbGMnc4uP8XoiFPzCKwwHwYDVR0jBBgwFoAUgop4zpZEQbGMnc4uP8XoiFPzCKww
DwYDVR0TAQH/BAUwAwEB/zAFBgMrZXADQQALQmSr203F+58tQBd+k3I3qDFat4Au
2MJijgpQ5ulIoMDQLp78YPShPGbN32yvoAnJQiNAaYJOjox9SunXCwgD
-----END CERTIFICATE-----
";

#[test]
fn root_certificates_must_be_pem() {
    Bot::builder("token").root_certificates(CERTIFICATE).build().unwrap();
    let bundle = format!("# two certificates\n{CERTIFICATE}\n{CERTIFICATE}");
    Bot::builder("token").root_certificates(bundle).root_certificates(CERTIFICATE).build().unwrap();

    let none = "the root certificates are not PEM: no certificate found";
    assert_eq!(refused(Bot::builder("token").root_certificates("")), none);
    assert_eq!(refused(Bot::builder("token").root_certificates("/etc/ssl/company.pem")), none);
    assert_eq!(refused(Bot::builder("token").root_certificates(b"\x30\x82\x01\x46".to_vec())), none);
    let cut = &CERTIFICATE[..200];
    assert!(refused(Bot::builder("token").root_certificates(cut)).starts_with("the root certificates are not PEM: "));
    // A valid certificate does not hide an invalid one.
    assert_eq!(refused(Bot::builder("token").root_certificates(CERTIFICATE).root_certificates("")), none);
}

#[test]
fn a_root_certificate_with_invalid_contents_is_refused() {
    let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let text = refused(Bot::builder("token").root_certificates(pem));
    assert!(text.contains("certificate"), "{text}");
}

#[tokio::test]
async fn the_http_closure_is_applied_but_cannot_enable_redirects() {
    let server = mock_server().await;
    let moved = ResponseTemplate::new(302).insert_header("location", "/moved");
    Mock::given(path("/me")).respond_with(moved).mount(&server).await;
    Mock::given(path("/moved")).respond_with(ResponseTemplate::new(200).set_body_json(bot_info())).mount(&server).await;
    let bot = Bot::builder("token")
        .base_url(server.uri())
        .http(|http| {
            let mut headers = http::HeaderMap::new();
            headers.insert("x-team", http::HeaderValue::from_static("weather"));
            http.no_proxy().default_headers(headers).redirect(Policy::limited(5)).referer(true)
        })
        .build()
        .unwrap();
    assert_eq!(bot.me().await.unwrap_err().status().unwrap(), 302);
    let request = only_request(&server).await;
    assert_eq!(request.headers["x-team"], "weather");
    assert!(!request.headers.contains_key("referer"));
}

#[tokio::test]
async fn the_http_closure_cannot_shorten_a_poll() {
    let page = json!({"subscriptions": [], "updates": [{"update_type": "new"}]});
    let server = answering(ResponseTemplate::new(200).set_body_json(page).set_delay(SLOW)).await;
    let builder = Bot::builder("token").base_url(server.uri()).http(|http| http.no_proxy().timeout(SHORT));
    builder.build().unwrap().updates().try_next().await.unwrap();
}

/// Runs only in a separate process, started by the tests of `Bot::from_env`: these must not change the environment of
/// the other tests.
#[tokio::test]
async fn prints_the_bot_of_the_environment() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    match Bot::from_env() {
        Ok(bot) => println!("{bot:?} is {}", bot.me().await.unwrap().name),
        Err(error) => println!("no bot: {error}"),
    }
}

const IN_THE_ENVIRONMENT: &str = "builder::prints_the_bot_of_the_environment";

#[tokio::test]
async fn from_env_builds_a_bot() {
    let server = answering_json(&bot_info()).await;
    let variables = [("TAMTAM_TOKEN", TOKEN.to_owned()), ("TAMTAM_BASE_URL", server.uri())];
    let text = in_a_process_of_its_own(IN_THE_ENVIRONMENT, &variables).await;
    assert!(text.contains(" is Погода"), "{text}");
    assert_eq!(parameter(&only_request(&server).await, "access_token"), [TOKEN]);
}

#[tokio::test]
async fn from_env_uses_the_proxy_of_the_environment() {
    let proxy = RawServer::answering(http_answer("200 OK", &[], &bot_info().to_string())).await;
    let variables = [
        ("TAMTAM_TOKEN", "token".to_owned()),
        ("TAMTAM_BASE_URL", "http://tamtam.invalid".to_owned()),
        ("http_proxy", proxy.url()),
    ];
    in_a_process_of_its_own(IN_THE_ENVIRONMENT, &variables).await;
    assert_eq!(proxy.request_line(), "GET http://tamtam.invalid/me?v=0.5.6&access_token=token HTTP/1.1");
}

#[tokio::test]
async fn from_env_without_a_token_is_a_clear_error() {
    let text = in_a_process_of_its_own(IN_THE_ENVIRONMENT, &[]).await;
    assert!(
        text.contains("no bot: neither TAMTAM_TOKEN nor MAX_TOKEN is set: set one of them to the token of the bot"),
        "{text}"
    );
    let text = in_a_process_of_its_own(IN_THE_ENVIRONMENT, &[("TAMTAM_TOKEN", " ".to_owned())]).await;
    assert!(text.contains("no bot: the token is empty"), "{text}");
    let variables = [("TAMTAM_TOKEN", "token".to_owned()), ("TAMTAM_BASE_URL", "example.org".to_owned())];
    let text = in_a_process_of_its_own(IN_THE_ENVIRONMENT, &variables).await;
    assert!(text.contains("no bot: the base URL `example.org` is not a URL"), "{text}");
    let variables = [("TAMTAM_TOKEN", "a".to_owned()), ("MAX_TOKEN", "b".to_owned())];
    let text = in_a_process_of_its_own(IN_THE_ENVIRONMENT, &variables).await;
    assert!(text.contains("no bot: both TAMTAM_TOKEN and MAX_TOKEN are set"), "{text}");
}

#[test]
fn a_bot_and_its_requests_can_be_shared_and_sent_to_tasks() {
    fn shared<T: Clone + Send + Sync + 'static>() {}
    fn sent<T: Send + 'static>(_: &T) {}
    shared::<Bot>();
    shared::<RawRequest>();
    shared::<Target>();
    sent(&Bot::builder("token"));
    let bot = Bot::new("token").unwrap();
    fn request<R: IntoFuture<IntoFuture: Send + 'static> + Clone + Send + Sync + 'static>(request: R) {
        sent(&request.into_future());
    }
    request(bot.me());
    request(bot.api().send_message("hi").user_id(UserId(1)));
    request(bot.answer("callback").notification("Noted"));
    // Not `Clone`: an upload may read its source only once.
    fn once<R: IntoFuture<IntoFuture: Send + 'static> + Send + Sync + 'static>(request: R) {
        sent(&request.into_future());
    }
    once(bot.send(UserId(1), "hi"));
    once(bot.send_long(UserId(1), "hi"));
    once(bot.member(-1, 7));
    once(bot.is_admin(-1, 7));
    once(bot.send(UserId(1), bot.upload_photo(b"bytes")));
    once(bot.edit("mid.1", bot.upload_photo(b"bytes")));
    request(bot.api().get_updates());
    request(bot.request(Method::GET, "/me"));
    sent(&bot.me().send());
    sent(&bot.request(Method::GET, "/me").send());
    sent(&bot.request(Method::GET, "/me").send_as::<Value>());
    fn stream<T: futures_util::Stream + Unpin + Send + Sync + 'static>() {}
    stream::<Updates>();
}

#[tokio::test]
async fn a_request_can_be_awaited_or_sent_in_any_task_and_repeatedly() {
    let server = answering_json(&bot_info()).await;
    let bot = bot(&server);
    let request = bot.me();
    let clone = bot.clone();
    drop(bot);
    assert_eq!(request.clone().await.unwrap(), request.clone().send().await.unwrap());
    tokio::spawn(request.clone().send()).await.unwrap().unwrap();
    tokio::spawn(request.into_future()).await.unwrap().unwrap();
    tokio::spawn(async move { clone.me().await }).await.unwrap().unwrap();
    assert_eq!(requests(&server).await.len(), 5);
}

#[tokio::test]
async fn a_request_that_is_not_awaited_sends_nothing() {
    let server = answering_json(&bot_info()).await;
    let bot = bot(&server);
    drop(bot.me());
    drop(bot.me().send());
    drop(bot.request(Method::GET, "/me").into_future());
    drop(bot.updates());
    assert!(requests(&server).await.is_empty());
}

#[tokio::test]
async fn the_methods_of_bot_call_the_operations() {
    let server = answering_json(&json!({"message": message("mid.9", "hi")})).await;
    let bot = bot(&server);
    bot.send(ChatId(-7), "to a chat").await.unwrap();
    bot.send(UserId(101), "to a user").await.unwrap();
    let received = bot.send(Target::Chat(ChatId(-7)), "to a target").await.unwrap().message;
    bot.reply(&received, "to a message").await.unwrap();
    let seen: Vec<(String, String, Value)> = requests(&server)
        .await
        .iter()
        .map(|request| {
            let target = query(request).into_iter().find(|(name, _)| name.ends_with("_id")).unwrap();
            (target.0, target.1, serde_json::from_slice(&request.body).unwrap())
        })
        .collect();
    let to = |name: &str, id: &str, body: Value| (name.to_owned(), id.to_owned(), body);
    assert_eq!(
        seen,
        [
            to("chat_id", "-7", json!({"text": "to a chat"})),
            to("user_id", "101", json!({"text": "to a user"})),
            to("chat_id", "-7", json!({"text": "to a target"})),
            to("chat_id", "-7", json!({"text": "to a message", "link": {"type": "reply", "mid": "mid.9"}})),
        ]
    );
}

#[tokio::test]
async fn a_raw_request_sends_any_method_path_query_and_body() {
    let server = answering_json(&json!({"answer": 42})).await;
    let bot = bot_at(format!("{}/gateway", server.uri())).build().unwrap();
    for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        let answer = bot
            .request(method, "/new/путь a/b%2Fc")
            .query("list", "a,b & c")
            .query("count", 5)
            .query("count", true)
            .json(&json!({"null": null, "text": "ы"}))
            .await
            .unwrap();
        assert_eq!(answer, json!({"answer": 42}));
    }
    for request in requests(&server).await {
        assert_eq!(request.url.path(), "/gateway/new/%D0%BF%D1%83%D1%82%D1%8C%20a/b%2Fc");
        assert_eq!(parameter(&request, "list"), ["a,b & c"]);
        assert_eq!(parameter(&request, "count"), ["5", "true"]);
        assert_eq!(
            (parameter(&request, "v"), parameter(&request, "access_token")),
            (vec!["0.5.6".to_owned()], vec![TOKEN.to_owned()])
        );
        assert_eq!(request.headers["content-type"], "application/json");
        assert_eq!(serde_json::from_slice::<Value>(&request.body).unwrap(), json!({"null": null, "text": "ы"}));
    }
}

#[tokio::test]
async fn a_raw_request_reads_the_answer_as_any_type() {
    #[derive(Deserialize)]
    struct Answer {
        answer: u8,
    }
    let server = answering_json(&json!({"answer": 42, "more": []})).await;
    let answer: Answer = bot(&server).request(Method::GET, "/new").send_as().await.unwrap();
    assert_eq!(answer.answer, 42);
    let request = only_request(&server).await;
    assert!(request.body.is_empty() && !request.headers.contains_key("content-type"));
}

#[tokio::test]
async fn a_raw_request_refuses_a_path_outside_the_api() {
    let server = answering_json(&json!({})).await;
    let bot = bot_at(format!("{}/gateway", server.uri())).build().unwrap();
    let bad = [
        "",
        "me",
        "@evil.example/me",
        "http://evil.example/me",
        "/../me",
        "/a/../../me",
        "/.",
        "/%2e%2e/me",
        "/.%2E",
        "/a\\..\\..\\me",
        "/me?v=1",
        "/me#top",
    ];
    for path in bad {
        let error = bot.request(Method::GET, path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error:?}");
        assert_eq!(error.operation(), Some(format!("GET {path}").as_str()));
        assert_eq!(error.attempts(), 0);
        let problem = "expected a leading slash and no `..`, `?`, `#` or backslash; set the query with `query`";
        assert_eq!(error.to_string(), format!("GET {path}: not sent: path is `{path}`, {problem}"));
    }
    for path in ["/\0", "/me\n", "/.\t./me", "/\u{7f}"] {
        let error = bot.request(Method::GET, path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error:?}");
        assert!(error.to_string().ends_with("`, which has a control character: remove it"), "{error}");
        assert!(!error.to_string().contains(char::is_control), "{error:?}");
    }
    // Keys of a JSON object are strings.
    let body = std::collections::HashMap::from([(vec![1], 2)]);
    let error = bot.request(Method::POST, "/new").json(&body).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error:?}");
    assert_eq!(error.to_string(), "POST /new: not sent: body cannot be written as JSON: key must be a string");
    assert!(requests(&server).await.is_empty());
}
