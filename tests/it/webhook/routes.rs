//! Routes of webhooks: only the secret path, beside other bots and other routes.

use std::panic::catch_unwind;

use tamtam::{
    ErrorKind,
    webhook::{
        Webhook,
        axum::{Router, routing::get},
    },
};

use super::{PATH, Seen, Server, bot, request, started, webhook};

/// Returns a router at a path that records its updates.
fn at(path: &str, seen: &Seen) -> Router {
    let seen = seen.clone();
    Webhook::new(bot(), path).unwrap().router(move |_, update| {
        seen.add(&update);
        async {}
    })
}

#[tokio::test]
async fn other_methods_than_post_are_answered_with_405() {
    let seen = Seen::default();
    let server = Server::start(at(PATH, &seen)).await;
    for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "post", "X"] {
        let answer = server.raw(&request(method, PATH, &started(1))).await;
        assert!(answer.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"), "{method} -> {answer}");
        assert!(answer.contains("allow: POST\r\n"), "{method} -> {answer}");
    }
    assert_eq!(seen.count(), 0);
}

#[tokio::test]
async fn a_wrong_path_is_answered_as_if_no_webhook_existed() {
    let seen = Seen::default();
    let server = Server::start(at(PATH, &seen)).await;
    let nothing = Server::start(Router::new()).await;
    let (last, end) = (PATH.len() - 1, &PATH[PATH.len() - 1..]);
    let wrong = [
        "/".to_owned(),
        "/tamtam".to_owned(),
        "/tamtam/".to_owned(),
        PATH[..last].to_owned(),
        PATH[..16].to_owned(),
        format!("{}x", &PATH[..last]),
        format!("{PATH}{end}"),
        format!("{PATH}/"),
        format!("{PATH}/more"),
        format!("/{PATH}"),
        PATH.to_uppercase(),
        PATH.replace("h00k", "%680k"),
        PATH.replace("/tamtam", ""),
        PATH.replace("S3cr3t", "X3cr3t"),
        PATH.replace("-9d", "-9e"),
    ];
    for path in wrong {
        for method in ["POST", "GET", "HEAD", "DELETE"] {
            for body in [started(1), "x".repeat(5000)] {
                let request = request(method, &path, &body);
                assert_eq!(server.raw(&request).await, nothing.raw(&request).await, "{method} {path}");
            }
        }
    }
    assert_eq!(seen.count(), 0);
    assert_eq!(server.post(started(1)).await, 200);
}

#[tokio::test]
async fn a_query_after_the_path_is_ignored() {
    let seen = Seen::default();
    let server = Server::start(at(PATH, &seen)).await;
    assert_eq!(server.post_to(&format!("{PATH}?from=tamtam"), started(1)).await, 200);
    assert_eq!(seen.all(), ["1"]);
}

#[tokio::test]
async fn several_bots_and_other_routes_share_a_router() {
    // Some paths share a directory, and some begin with the same segment.
    let paths = [
        "/tamtam/7Qm2xV9sKd4TzB8fLw3JhN6yRc5GpA1e",
        "/tamtam/Zk8Ew1uXo5Ti3Bv7Nq9Yd2Rf6Hs4Mc0j",
        "/Zk8Ew1uXo5Ti3Bv7Nq9Yd2Rf6Hs4Mc0j",
        "/7Qm2xV9s/d4TzB8fLw3JhN6yRc5GpA1eKd4TzB8fX",
    ];
    let seen: Vec<Seen> = paths.iter().map(|_| Seen::default()).collect();
    let own = Router::new()
        .route("/health", get(async || "ok"))
        .route("/tamtam/{name}", get(async || "a page"))
        .fallback(async || "nothing here");
    let router = paths.iter().zip(&seen).fold(own, |router, (path, seen)| router.merge(at(path, seen)));
    let server = Server::start(router).await;
    for (chat, path) in (1..).zip(paths) {
        assert_eq!(server.post_to(path, started(chat)).await, 200, "{path}");
    }
    for (chat, seen) in (1..).zip(&seen) {
        assert_eq!(seen.all(), [i64::to_string(&chat)]);
    }
    for (path, page) in [("/health", "ok"), ("/tamtam/weather", "a page"), ("/a/b", "nothing here")] {
        let answer = server.raw(&request("GET", path, "")).await;
        assert!(answer.ends_with(&format!("\r\n\r\n{page}")), "{path} -> {answer}");
    }
}

#[tokio::test]
async fn a_router_can_be_nested_and_layered() {
    let seen = Seen::default();
    let header =
        tamtam::webhook::axum::middleware::from_fn(async |request, next: tamtam::webhook::axum::middleware::Next| {
            let mut response = next.run(request).await;
            response.headers_mut().insert("x-layered", "yes".parse().unwrap());
            response
        });
    let server = Server::start(Router::new().nest("/bots/7", at(PATH, &seen)).layer(header)).await;
    let answer = server.raw(&request("POST", &format!("/bots/7{PATH}"), &started(1))).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("x-layered: yes\r\n"), "{answer}");
    assert_eq!(server.post(started(1)).await, 404);
    assert_eq!(seen.all(), ["1"]);
}

#[test]
fn two_webhooks_at_one_path_panic_with_a_clear_message() {
    let merge = || webhook().router(async |_, _| {}).merge(webhook().router(async |_, _| {}));
    let panic = catch_unwind(merge).unwrap_err();
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(message.contains("/tamtam/h00kS3cr{rest_of_the_secret_path_of_a_webhook}"), "{message}");
    assert!(message.contains("conflict with previously registered route"), "{message}");
    assert!(!message.contains("h00kS3cr3t"), "the message shows more of the secret: {message}");
}

#[test]
fn a_path_that_can_be_guessed_is_refused() {
    for path in ["", "/", "/webhook", "/tamtam/webhook"] {
        let error = Webhook::new(bot(), path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Build);
        assert!(error.to_string().contains("`openssl rand -hex 32`"), "{error}");
    }
    assert!(Webhook::new(bot(), PATH).is_ok());
}
