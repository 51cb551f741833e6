//! Secrets must not appear in errors, `Debug` output, traces or panics, and must not be sent to other hosts. Secrets
//! are the token, URLs and secrets of webhooks, upload URLs, tokens of files, and the path of the base URL. TamTam
//! takes the token in the query, MAX in a header.

use std::{
    error::Error as _,
    fmt::{Debug, Write as _},
    future::IntoFuture,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use futures_util::FutureExt;
use http::Method;
use serde_json::json;
use tamtam::{
    Bot, ErrorKind, NewMessageBody, Service,
    api::Api,
    settings::RetryPolicy,
    types::{
        ActionRequestBody, BotCommandsPatch, BotPatch, CallbackAnswer, ChatAdmin, ChatAdminsList, ChatPatch,
        ConstructorAnswer, GetSubscriptionsResult, NewCommentBody, PhotoToken, PinMessageBody, SenderAction,
        Subscription, SubscriptionRequestBody, UploadEndpoint, UploadType, UploadedInfo, UserIdsList,
    },
};
use tokio::net::TcpListener;
use tracing::level_filters::LevelFilter;
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::any};

use crate::common::{
    ENCODED_TOKEN, RawServer, SERVICES, TOKEN, TOKEN_BEGINNING, answering, answering_json, bot, bot_at, bot_info,
    bot_of, cut_answer, http_answer, mock_server, only_request, refusing, requests,
};
use crate::{fault_server::quick, traced::Traced};

fn assert_no_token(text: &str, of: &str) {
    assert!(TOKEN.starts_with(TOKEN_BEGINNING) && ENCODED_TOKEN.starts_with(TOKEN_BEGINNING));
    assert!(!text.contains(TOKEN_BEGINNING), "{of} shows the token: {text}");
}

/// Prints an error and all its sources in every format.
fn printed(error: &tamtam::Error) -> String {
    let mut text = String::new();
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        write!(text, "{error}\n{error:#}\n{error:?}\n{error:#?}\n").unwrap();
        next = error.source();
    }
    text
}

/// Returns the error of a call, and asserts that it does not show the token.
async fn failure<T: Debug>(of: &str, call: impl IntoFuture<Output = tamtam::Result<T>>) -> tamtam::Error {
    let error = call.await.expect_err(of);
    assert_no_token(&printed(&error), of);
    for text in [error.operation(), error.code().map(tamtam::ErrorCode::as_str), error.message()].into_iter().flatten()
    {
        assert_no_token(text, of);
    }
    error
}

#[tokio::test]
async fn an_error_without_a_connection_does_not_show_the_token() {
    for service in SERVICES {
        let bot = |url: String| bot_at(url).service(service.clone()).build().unwrap();
        let (_port, url) = refusing();
        let error = failure("refused", bot(url).me()).await;
        assert_eq!(error.kind(), ErrorKind::Connect, "{error:?}");

        let error = failure("no such host", bot("http://nowhere.invalid".to_owned()).me()).await;
        assert_eq!(error.kind(), ErrorKind::Connect, "{error:?}");

        // The server disconnects during the TLS handshake.
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { while listener.accept().await.is_ok() {} });
        let error = failure("no TLS", bot(url).me()).await;
        assert_eq!(error.kind(), ErrorKind::Connect, "{error:?}");
    }
}

#[tokio::test]
async fn an_error_of_a_broken_connection_does_not_show_the_token() {
    for service in SERVICES {
        let builder = |server: &RawServer| bot_at(server.url()).service(service.clone());
        let server = RawServer::silent().await;
        let bot = builder(&server).timeout(Duration::from_millis(30)).build().unwrap();
        assert!(failure("timeout", bot.me()).await.is_timeout());
        assert!(
            failure("timeout of a poll", bot.api().get_updates().request_timeout(Duration::from_millis(30)))
                .await
                .is_timeout()
        );

        for (of, answer) in [
            ("cut body", cut_answer("200 OK", r#"{"user_id": "#)),
            ("cut head", "HTTP/1.1 200 OK\r\ncontent-le".to_owned()),
            ("no answer at all", String::new()),
            ("not HTTP", format!("SSH-2.0-{TOKEN}\r\n")),
            ("garbage for a header", format!("HTTP/1.1 200 OK\r\n{TOKEN}\r\n\r\n")),
            ("garbage for gzip", http_answer("200 OK", &["content-encoding: gzip"], TOKEN)),
        ] {
            let server = RawServer::answering(answer).await;
            let error = failure(of, builder(&server).build().unwrap().me()).await;
            assert!(error.is_retryable(), "{of}: {error:?}");
        }
    }
}

#[tokio::test]
async fn an_error_status_whose_body_quotes_the_token_does_not_show_it() {
    for text in [TOKEN, ENCODED_TOKEN] {
        let answers = [
            json!({"code": "verify.token", "message": format!("Invalid access_token {text}, {text}")}),
            json!({"code": format!("bad.{text}"), "message": ""}),
            json!({"error": format!("no such bot: {text}")}),
            json!({"something": {"else": text}}),
        ];
        for body in answers {
            let server = answering(ResponseTemplate::new(401).set_body_json(&body)).await;
            for service in SERVICES {
                let error = failure("401", bot_of(&service, &server).me()).await;
                assert!(error.is_unauthorized() && error.to_string().contains("<token>"), "{error}");
            }
        }
    }
}

/// Starts a server that answers every request with a page that quotes the URL and the `Authorization` header.
async fn quoting(status: u16) -> MockServer {
    let server = mock_server().await;
    let page = move |request: &Request| {
        let header = request.headers.get("authorization").map(|value| String::from_utf8_lossy(value.as_bytes()));
        let header = header.as_deref().unwrap_or("none");
        let page = format!("<html>Bad Gateway: GET {}, Authorization: {header}</html>", request.url);
        ResponseTemplate::new(status).set_body_raw(page, "text/html")
    };
    Mock::given(any()).respond_with(page).mount(&server).await;
    server
}

#[tokio::test]
async fn a_page_that_quotes_the_request_does_not_show_the_token() {
    for (service, shown) in
        [(Service::TamTam, "access_token=<token>, Authorization: none"), (Service::Max, "/me, Authorization: <token>")]
    {
        for status in [200, 204, 304, 400, 404, 502] {
            let server = quoting(status).await;
            let bot = bot_of(&service, &server);
            failure("page", bot.me()).await;
            failure("page for a raw request", bot.request(Method::GET, "/me")).await;
            failure("page for a raw request with a type", bot.request(Method::GET, "/me").send_as::<u8>()).await;
            if status != 204 {
                failure("page for a poll", bot.api().get_updates()).await;
            }
        }
        let error = failure("page", bot_of(&service, &quoting(502).await).me()).await;
        assert!(error.message().unwrap().contains(shown), "{error}");
    }
}

#[tokio::test]
async fn a_long_page_is_not_cut_in_the_middle_of_the_token() {
    // The text is shortened to 2048 bytes. The token must be hidden first, even if the cut is within it.
    for before in 2034..2044 {
        let page = format!("{}{TOKEN}{}", "x".repeat(before), "y".repeat(1000));
        let server = answering(ResponseTemplate::new(502).set_body_string(page)).await;
        failure("long page", bot(&server).me()).await;
    }
}

#[tokio::test]
async fn an_unreadable_answer_does_not_show_the_token() {
    for text in [TOKEN, ENCODED_TOKEN] {
        // The error of serde quotes the unexpected value.
        let server = answering_json(&json!({"user_id": text, "name": 5, "updates": text})).await;
        for service in SERVICES {
            let bot = bot_of(&service, &server);
            let error = failure("typed answer", bot.me()).await;
            assert!(
                error.kind() == ErrorKind::Decode && error.to_string().contains("invalid type: string, expected"),
                "{error}"
            );
            failure("raw answer", bot.request(Method::GET, "/me").send_as::<Vec<u8>>()).await;
            failure("page of updates", bot.api().get_updates()).await;
        }
    }
}

#[tokio::test]
async fn a_refusal_whose_message_quotes_the_token_does_not_show_it() {
    for text in [TOKEN, ENCODED_TOKEN] {
        let server = answering_json(&json!({"success": false, "message": format!("not done for {text}")})).await;
        for service in SERVICES {
            let error = failure("refusal", bot_of(&service, &server).api().unpin_message(-7)).await;
            assert_eq!(error.message(), Some("not done for <token>"));
        }
    }
}

#[tokio::test]
async fn a_redirect_does_not_take_the_token_to_another_host() {
    let other = answering_json(&bot_info()).await;
    for status in [301, 302, 303, 307, 308] {
        let location = format!("{}/me?access_token={ENCODED_TOKEN}", other.uri());
        let answer = ResponseTemplate::new(status).insert_header("location", location.as_str());
        let server = answering(answer.set_body_string(format!("<a href=\"{location}\">moved</a>"))).await;
        for service in SERVICES {
            let bot = bot_of(&service, &server);
            let error = failure("redirect", bot.me()).await;
            assert_eq!(error.status().unwrap(), status);
            failure("redirect of a message", bot.send(tamtam::ChatId(-7), "hi")).await;
            failure("redirect of a raw request", bot.request(Method::GET, "/me")).await;
        }
    }
    assert!(requests(&other).await.is_empty(), "the redirect was followed");
}

#[tokio::test]
async fn an_error_of_a_proxy_does_not_show_the_token() {
    for service in SERVICES {
        let builder = |base: &str, proxy: String| {
            Bot::builder(TOKEN).service(service.clone()).base_url(base).proxy(proxy).retry(RetryPolicy::none())
        };
        let through = |url: String| builder("http://tamtam.invalid", url).build().unwrap();

        let (_port, url) = refusing();
        assert!(failure("no proxy there", through(url).me()).await.kind() == ErrorKind::Connect);

        // The page of a proxy quotes the request.
        let proxy = quoting(407).await;
        let error = failure("proxy's page", through(proxy.uri()).me()).await;
        assert_eq!(error.status().unwrap(), 407);

        // For https, the proxy gets only a request for a tunnel, and refuses it.
        let proxy = RawServer::answering(http_answer("403 Forbidden", &[], "no")).await;
        let bot = builder("https://tamtam.invalid", proxy.url()).build().unwrap();
        assert!(failure("no tunnel", bot.me()).await.kind() == ErrorKind::Connect);
        assert_eq!(proxy.request_line(), "CONNECT tamtam.invalid:443 HTTP/1.1");
        assert_no_token(&proxy.requests().concat(), "the tunnel's request");
    }
}

#[tokio::test]
async fn no_error_of_building_a_bot_shows_the_token() {
    let builders = [
        Bot::builder(TOKEN).base_url("ftp://example.org"),
        Bot::builder(TOKEN).base_url("not a url"),
        Bot::builder(TOKEN).proxy("not a url"),
        Bot::builder(TOKEN).root_certificates("not PEM"),
        Bot::builder(TOKEN).service(Service::Max).base_url("not a url"),
        Bot::builder(TOKEN).service(Service::Max).version("0.5.6"),
        // A header cannot contain a line break.
        Bot::builder(format!("{TOKEN}\nsecond line")).service(Service::Max),
        Bot::builder(TOKEN).service(Service::Max.with_token_header("not a name")),
    ];
    for builder in builders {
        assert!(failure("build", async { builder.build() }).await.kind() == ErrorKind::Build);
    }
}

/// Returns the `Debug` output of every request.
fn debug_of_requests(api: &Api) -> Vec<String> {
    fn debug(request: impl Debug) -> String {
        format!("{request:?}\n{request:#?}")
    }
    vec![
        debug(api.get_my_info()),
        debug(api.edit_my_info(BotPatch::new())),
        debug(api.get_chats()),
        debug(api.get_chat_by_link("team")),
        debug(api.get_chat(-7)),
        debug(api.edit_chat(-7, ChatPatch::new())),
        debug(api.send_action(-7, ActionRequestBody::new(SenderAction::TypingOn))),
        debug(api.get_pinned_message(-7)),
        debug(api.pin_message(-7, PinMessageBody::new("mid.1"))),
        debug(api.unpin_message(-7)),
        debug(api.get_membership(-7)),
        debug(api.leave_chat(-7)),
        debug(api.get_admins(-7)),
        debug(api.get_members(-7)),
        debug(api.add_members(-7, UserIdsList::new([1]))),
        debug(api.remove_member(-7, 1)),
        debug(api.get_subscriptions()),
        debug(api.subscribe(SubscriptionRequestBody::new("https://bot.example"))),
        debug(api.unsubscribe("https://bot.example")),
        debug(api.get_upload_url(UploadType::Image)),
        debug(api.get_messages()),
        debug(api.edit_message("mid.1", NewMessageBody::new())),
        debug(api.send_message("hi")),
        debug(api.delete_message("mid.1")),
        debug(api.get_message_by_id("mid.1")),
        debug(api.answer_on_callback("cb", CallbackAnswer::new())),
        debug(api.construct("s", ConstructorAnswer::new())),
        debug(api.get_updates()),
        debug(api.edit_my_commands(BotCommandsPatch::new())),
        debug(api.post_admins(-7, ChatAdminsList::new(Vec::<ChatAdmin>::new()))),
        debug(api.delete_admins(-7, 1)),
        debug(api.get_comments("mid.1")),
        debug(api.get_comment_by_id("mid.1", "mid.2")),
        debug(api.send_comment("mid.1", NewCommentBody::new())),
        debug(api.edit_comment("mid.1", "mid.2", NewCommentBody::new())),
        debug(api.delete_comment("mid.1", "mid.2")),
        debug(api.get_video_attachment_details("video")),
    ]
}

#[tokio::test]
async fn debug_of_types_that_hold_a_bot_does_not_show_the_token() {
    for service in SERVICES {
        let builder = Bot::builder(TOKEN).service(service.clone()).proxy(format!("http://user:{TOKEN}@proxy.example"));
        assert_no_token(&format!("{builder:?}\n{builder:#?}"), "BotBuilder");

        let server = RawServer::answering(http_answer(
            "200 OK",
            &[],
            r#"{"subscriptions": [], "updates": [{"update_type": "new"}]}"#,
        ))
        .await;
        let bot = bot_at(server.url()).service(service).build().unwrap();
        assert_no_token(&format!("{:?}\n{:#?}", bot.service(), bot.service()), "Service");
        let mut all = vec![
            format!("{bot:?}\n{bot:#?}"),
            format!("{:?}\n{:#?}", bot.api(), bot.api()),
            format!("{:?}", bot.send(tamtam::UserId(1), "hi")),
            format!("{:#?}", bot.request(Method::POST, "/me").query("a", "b").json(&json!({"c": 1}))),
        ];
        let requests = debug_of_requests(&bot.api());
        assert_eq!(requests.len(), 37);
        all.extend(requests);

        let mut updates = bot.updates();
        all.push(format!("{updates:?}\n{updates:#?}"));
        assert!(updates.next().now_or_never().is_none(), "the poll is still in progress");
        let polling = format!("{updates:?}\n{updates:#?}");
        assert!(polling.contains("polling: true"), "{polling}");
        all.push(polling);
        updates.try_next().await.unwrap();
        all.push(format!("{updates:?}\n{updates:#?}"));

        for text in all {
            assert!(text.contains("Bot {"), "no bot in {text}");
            assert_no_token(&text, "Debug");
        }
    }
}

#[tokio::test]
async fn a_panic_with_the_bot_and_its_error_does_not_show_the_token() {
    let server = quoting(502).await;
    for service in SERVICES {
        let bot = bot_of(&service, &server);
        let error = bot.me().await.unwrap_err();
        let built = bot_at("ftp://x").service(service).build();
        let panics: [Box<dyn FnOnce()>; 2] = [
            Box::new(|| panic!("{bot:?} {error:?} {error} {:?}", error.source())),
            // The most common panic in user code.
            Box::new(|| drop(built.unwrap())),
        ];
        for panic in panics {
            let payload = catch_unwind(AssertUnwindSafe(panic)).unwrap_err();
            assert_no_token(payload.downcast_ref::<String>().unwrap(), "a panic");
        }
    }
}

/// Makes calls that succeed and calls that fail in every way.
async fn call_everything(settings: impl Fn(&str) -> tamtam::BotBuilder) {
    let build = |server: &MockServer| settings(&server.uri()).build().unwrap();
    let server = answering_json(&bot_info()).await;
    let bot = build(&server);
    bot.me().await.unwrap();
    // The token is in the place that the service expects.
    let request = only_request(&server).await;
    let parameters = if *bot.service() == Service::Max { 0 } else { 2 };
    assert_eq!(request.url.query_pairs().count(), parameters);
    assert_eq!(request.headers.contains_key("authorization"), parameters == 0);
    let server = answering_json(&json!({"subscriptions": [], "updates": [{"update_type": "new"}], "marker": 1})).await;
    let bot = build(&server);
    bot.updates().try_next().await.unwrap();
    bot.request(Method::POST, "/me").json(&json!({"a": 1})).await.unwrap();

    let refusal = answering_json(&json!({"success": false, "message": TOKEN})).await;
    build(&refusal).api().leave_chat(-7).await.unwrap_err();
    for status in [200, 302, 401, 502] {
        let server = quoting(status).await;
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        let hook =
            move |retry: &tamtam::settings::Retry<'_>| tell.send(format!("{retry:?} {}", retry.error())).unwrap();
        let bot = settings(&server.uri()).on_retry(hook).build().unwrap();
        bot.me().await.unwrap_err();
        // A stream retries, and calls the hook.
        tokio::select! {
            _ = async { bot.updates().next().await } => panic!("the stream returned an item"),
            told = told.recv() => assert_no_token(&told.unwrap(), "on_retry"),
        }
    }
    let (_port, url) = refusing();
    settings(&url).build().unwrap().me().await.unwrap_err();
    let server = RawServer::silent().await;
    let bot = settings(&server.url()).timeout(Duration::from_millis(30)).build().unwrap();
    bot.me().await.unwrap_err();
    let server = RawServer::answering(cut_answer("200 OK", TOKEN)).await;
    settings(&server.url()).build().unwrap().me().await.unwrap_err();
}

#[tokio::test]
async fn traces_of_http_1_do_not_show_the_token() {
    for service in SERVICES {
        let (traced, _guard) = Traced::start(LevelFilter::TRACE);
        call_everything(|url| bot_at(url).service(service.clone()).retry(quick())).await;
        let text = traced.text();
        assert!(text.contains("getMyInfo") && text.contains("status=200") && text.contains("retrying"), "{text}");
        assert_no_token(&text, "a trace");
    }
}

#[tokio::test]
async fn traces_of_http_2_do_not_show_the_token() {
    for service in SERVICES {
        let (traced, _guard) = Traced::start(LevelFilter::TRACE);
        call_everything(|url| {
            let builder = Bot::builder(TOKEN).service(service.clone()).base_url(url).retry(quick());
            builder.http(|http| http.no_proxy().http2_prior_knowledge())
        })
        .await;
        let text = traced.text();
        assert!(text.contains("h2::") && text.contains("status=200") && text.contains("retrying"), "{text}");
        assert_no_token(&text, "a trace");
    }
}

/// A secret other than the bot's token: the path of a URL, or the token of a file.
const OTHER: &str = "0ther-s3cret-path";

fn assert_no_secret(shown: &impl Debug, of: &str) {
    for text in [format!("{shown:?}"), format!("{shown:#?}")] {
        assert!(!text.contains(OTHER), "Debug of {of} shows a secret: {text}");
        assert_no_token(&text, of);
    }
}

#[tokio::test]
async fn debug_of_types_with_a_webhook_shows_neither_its_path_nor_its_secret() {
    let url = format!("https://bot.example/{OTHER}");
    let bot = bot_at("http://localhost").build().unwrap();
    let api = bot.api();
    let subscription = || SubscriptionRequestBody::new(&url).version("0.5.6").secret(OTHER);
    let subscribed: Subscription = serde_json::from_value(json!({"url": url, "time": 1, "version": "0.5.6"})).unwrap();
    let list: GetSubscriptionsResult =
        serde_json::from_value(json!({"subscriptions": [{"url": url, "time": 1}]})).unwrap();
    assert_no_secret(&subscription(), "SubscriptionRequestBody");
    assert_no_secret(&subscribed, "Subscription");
    assert_no_secret(&list, "GetSubscriptionsResult");
    assert_no_secret(&api.subscribe(subscription()), "Subscribe");
    assert_no_secret(&api.unsubscribe(&url), "Unsubscribe");
    assert_no_secret(&bot.subscribe_webhook(&url, []), "Bot::subscribe_webhook");
    assert_no_secret(&bot.unsubscribe_webhook(&url), "Bot::unsubscribe_webhook");
    let raw = || bot.request(Method::POST, "/subscriptions");
    assert_no_secret(&raw().json(&subscription()), "RawRequest with a body");
    assert_no_secret(&raw().query("url", &url), "RawRequest with a query");
    // The other values are still shown.
    let shown = format!("{:?}", subscription());
    assert!(shown.contains(r#"url: "https://bot.example/...""#) && shown.contains("0.5.6"), "{shown}");
    let shown = format!("{:?}", raw().query("url", &url));
    assert!(shown.contains("/subscriptions") && shown.contains(r#"query: ["url"]"#), "{shown}");
}

#[tokio::test]
async fn debug_of_upload_results_shows_neither_their_url_nor_a_token() {
    fn shown<T: Debug + serde::de::DeserializeOwned>(json: serde_json::Value, of: &str) -> String {
        let value: T = serde_json::from_value(json).unwrap();
        assert_no_secret(&value, of);
        format!("{value:?}")
    }
    let url = format!("https://upload.example/{OTHER}?id={OTHER}");
    let endpoint = shown::<UploadEndpoint>(json!({"url": url, "token": OTHER}), "UploadEndpoint");
    assert_eq!(endpoint, r#"UploadEndpoint { url: "https://upload.example/...", token: Some(<hidden>) }"#);
    shown::<UploadedInfo>(json!({"token": OTHER}), "UploadedInfo");
    shown::<PhotoToken>(json!({"token": OTHER}), "PhotoToken");
    let attachment = |kind: &str| json!({"type": kind, "payload": {"token": OTHER, "photos": {"a": {"token": OTHER}}}});
    for kind in ["image", "video", "audio", "file"] {
        shown::<tamtam::AttachmentRequest>(attachment(kind), kind);
        let body = json!({"text": "hi", "attachments": [attachment(kind)]});
        shown::<NewMessageBody>(body, "NewMessageBody");
    }
    // A payload that does not fit is kept unchanged.
    let misfit = json!({"type": "video", "payload": {"token": OTHER, "url": 5}});
    assert!(shown::<tamtam::types::Attachment>(misfit, "Unknown").contains("Unknown"));
    for kind in ["video", "audio", "file"] {
        let payload = json!({"url": "https://x.example/1", "token": OTHER});
        let received = json!({"type": kind, "payload": payload, "filename": "a", "size": 1});
        shown::<tamtam::types::Attachment>(received, kind);
    }
}

#[tokio::test]
async fn neither_debug_nor_errors_show_the_path_of_the_base_url() {
    let base = |server: &str| format!("{server}/{OTHER}/");
    let builder = || Bot::builder("token").base_url(base("http://gateway.example:8080"));
    assert_no_secret(&builder(), "BotBuilder");
    let bot = builder().build().unwrap();
    assert!(format!("{bot:?}").contains(r#"base_url: "http://gateway.example:8080/...""#), "{bot:?}");
    assert_no_secret(&bot, "Bot");
    assert_no_secret(&bot.api(), "Api");
    assert_no_secret(&bot.updates(), "Updates");
    assert_no_secret(&bot.run(async |_, _| {}), "Run");
    assert_no_secret(&bot.request(Method::GET, "/me"), "RawRequest");
    assert_no_secret(&bot.upload_photo("a.png"), "Upload");
    assert_no_secret(&bot.send(tamtam::ChatId(1), bot.upload_photo("a.png")), "UploadMessage");
    for request in debug_of_requests(&bot.api()) {
        assert!(!request.contains(OTHER), "{request}");
    }
    for wrong in [
        format!("gateway.example/{OTHER}"),
        format!("ftp://gateway.example/{OTHER}"),
        base("http://["),
        format!("http://x/{OTHER}?q"),
    ] {
        let error = Bot::builder("token").base_url(&wrong).build().unwrap_err();
        assert_no_secret(&error, "a base URL");
        assert!(!error.to_string().contains(OTHER), "{error}");
    }
    let server = quoting(502).await;
    let (traced, _guard) = Traced::start(LevelFilter::DEBUG);
    let bot =
        Bot::builder(TOKEN).base_url(base(&server.uri())).retry(quick()).http(|http| http.no_proxy()).build().unwrap();
    let error = failure("a page that quotes the URL", bot.me()).await;
    let page = error.message().unwrap();
    assert!(!printed(&error).contains(OTHER) && page.contains("access_token=<token>"), "{error}");
    assert!(!traced.text().contains(OTHER), "{}", traced.text());
}

/// Starts an API that answers every request with an error that quotes the URL and body of the request.
async fn api_that_quotes() -> MockServer {
    let server = mock_server().await;
    let quoting = |request: &Request| {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        ResponseTemplate::new(400).set_body_json(json!({"code": "bad", "message": format!("{} {body}", request.url)}))
    };
    Mock::given(any()).respond_with(quoting).mount(&server).await;
    server
}

#[tokio::test]
async fn an_error_that_quotes_a_webhooks_url_does_not_show_its_path() {
    let url = format!("https://bot.example/{OTHER}");
    let server = api_that_quotes().await;
    let bot = bot(&server);
    let photo = tamtam::AttachmentRequest::from(tamtam::types::PhotoAttachmentRequest::new(
        tamtam::types::PhotoAttachmentRequestPayload::new().token(OTHER),
    ));
    let errors = [
        failure("an attachment's token", bot.send(tamtam::ChatId(1), NewMessageBody::new().attachments([photo]))).await,
        failure("raw, deep", bot.request(Method::POST, "/new").json(&json!({"a": [{"url": url}]}))).await,
        failure("subscribe", bot.subscribe_webhook(&url, [])).await,
        failure("unsubscribe", bot.unsubscribe_webhook(&url)).await,
        failure("raw", bot.request(Method::DELETE, "/subscriptions").query("url", &url)).await,
        failure("raw", bot.request(Method::POST, "/subscriptions").json(&json!({"url": url}))).await,
    ];
    for error in errors {
        assert!(!printed(&error).contains(OTHER), "{error}");
    }
}

#[tokio::test]
async fn an_error_on_max_shows_neither_the_secret_of_a_webhook_nor_the_token_of_a_video() {
    let server = api_that_quotes().await;
    let api = bot_of(&Service::Max, &server).api();
    assert_no_secret(&api.get_video_attachment_details(OTHER), "GetVideoAttachmentDetails");
    let errors = [
        failure("secret", api.subscribe(SubscriptionRequestBody::new("https://bot.example").secret(OTHER))).await,
        failure("video", api.get_video_attachment_details(OTHER)).await,
    ];
    for error in errors {
        assert!(!printed(&error).contains(OTHER) && error.message().unwrap().contains("..."), "{error}");
    }
}

#[tokio::test]
async fn an_answer_that_does_not_fit_does_not_show_its_secrets() {
    let url = format!("https://bot.example/{OTHER}");
    for body in [json!({"subscriptions": url}), json!(url), json!({"url": [url]})] {
        let server = answering_json(&body).await;
        let (traced, _guard) = Traced::start(LevelFilter::DEBUG);
        let bot = bot(&server);
        let subscriptions = bot.subscriptions().await.unwrap_err();
        let upload = bot.api().get_upload_url(UploadType::Image).await.unwrap_err();
        for error in [subscriptions, upload] {
            assert!(error.kind() == ErrorKind::Decode && !printed(&error).contains(OTHER), "{error}");
        }
        assert!(!traced.text().contains(OTHER), "{}", traced.text());
    }
}

#[tokio::test]
async fn the_log_of_a_left_out_value_does_not_show_its_secrets() {
    let url = format!("https://bot.example/{OTHER}");
    let hook = json!({"url": url, "time": url, "update_types": url, "version": [url]});
    let server = answering_json(&json!({"subscriptions": [url, [url], {"url": [url]}, {"time": url}, hook]})).await;
    let (traced, _guard) = Traced::start(LevelFilter::DEBUG);
    let answer = bot(&server).subscriptions().await.unwrap();
    let [left] = &answer.subscriptions[..] else { panic!("{answer:?}") };
    assert_eq!((left.url.as_str(), left.time), (url.as_str(), None));
    assert!(!format!("{answer:?}").contains(OTHER), "{answer:?}");
    let log = traced.text();
    assert!(log.contains("value does not fit the model") && !log.contains(OTHER), "{log}");
    let server = answering_json(&json!({"subscriptions": [url]})).await;
    assert!(bot(&server).subscriptions().await.unwrap().subscriptions.is_empty());
    assert!(!traced.text().contains(OTHER), "{}", traced.text());
}

#[tokio::test]
async fn a_page_that_quotes_the_token_escaped_does_not_show_it() {
    let token = "s3cr3t&\"/<'t0ken";
    let html = "s3cr3t&amp;&quot;/&lt;&#39;t0ken";
    let twice = "s3cr3t%2526%2522%252F%253C%2527t0ken";
    for page in [html, twice, &format!("{html} {twice}"), &html.replace('&', "&amp;"), &html.replace('&', "%26")] {
        let server = answering(ResponseTemplate::new(502).set_body_string(format!("<p>?t={page}</p>"))).await;
        for service in SERVICES {
            let builder = Bot::builder(token).service(service).base_url(server.uri()).retry(RetryPolicy::none());
            let error = failure(page, builder.build().unwrap().me()).await;
            assert!(
                !error.message().unwrap().contains("t0ken") && error.to_string().contains("<token>"),
                "{page}: {error}"
            );
        }
    }
}
