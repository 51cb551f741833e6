//! Checks before every operation: token, path, method, parameters and body.

use serde_json::json;

use crate::client::{Api, dialog};

#[tokio::test]
async fn a_wrong_or_missing_token_is_a_401_even_for_an_unknown_path() {
    let (_tamtam, mut api, _) = dialog().await;
    api.token = "wrong".to_owned();
    for path in ["/me", "/x", "/updates?timeout=90"] {
        assert_eq!(api.get(path).await.fails(401, "verify.token"), "Invalid access_token");
    }
    let bare = reqwest::get(format!("{}/me", api.base)).await.unwrap();
    assert_eq!(bare.status(), 401);
}

#[tokio::test]
async fn a_token_in_a_header_is_refused() {
    let (_tamtam, api, _) = dialog().await;
    let client = reqwest::Client::new();
    let request = client.get(format!("{}/me", api.base)).header("Authorization", &api.token);
    assert_eq!(request.send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn an_unknown_path_is_not_recognized() {
    let (_tamtam, api, _) = dialog().await;
    assert_eq!(api.get("/x").await.fails(404, "method.not.found"), "Path /x is not recognized");
    api.get("/").await.fails(404, "method.not.found");
}

#[tokio::test]
async fn a_wrong_method_is_a_405_with_the_allowed_methods() {
    let (_tamtam, api, _) = dialog().await;
    let response = api.request("DELETE", "/me").send().await.unwrap();
    assert_eq!(response.status(), 405);
    assert_eq!(response.headers()["allow"], "GET, PATCH");
}

#[tokio::test]
async fn a_body_that_is_not_a_json_object_is_refused() {
    let (_tamtam, api, alice) = dialog().await;
    let path = format!("/messages?chat_id={}", alice.chat_id().0);
    let deep = "[".repeat(100_000);
    for body in ["", "{", "[]", "null", "\"text\"", "{\"text\":\"\u{0}\"}", &deep] {
        let answer = api.send(api.request("POST", &path).body(body.to_owned())).await;
        assert_eq!(answer.fails(400, "proto.payload"), "Can't deserialize body", "{body:.20}");
    }
    let not_utf8 = api.request("POST", &path).body(b"{\"text\":\"\xff\"}".to_vec());
    api.send(not_utf8).await.fails(400, "proto.payload");
    let number = api.post(alice.chat_id().0, json!({ "text": 5 })).await;
    assert!(number.fails(400, "proto.payload").contains("text is not a string"));
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let (_tamtam, api, alice) = dialog().await;
    let path = format!("/messages?chat_id={}", alice.chat_id().0);
    // One byte over the limit. With a longer body, the server would leave a part unread and reset the connection.
    let large = api.request("POST", &path).body("x".repeat((4 << 20) + 1));
    api.send(large).await.fails(413, "proto.payload");
}

#[tokio::test]
async fn an_invalid_number_is_refused_with_the_name_of_the_parameter() {
    let (_tamtam, api, _) = dialog().await;
    for (path, name) in [
        ("/updates?marker=abc", "marker"),
        ("/updates?limit=0", "limit"),
        ("/updates?limit=1001", "limit"),
        ("/updates?timeout=91", "timeout"),
        ("/chats?count=x", "count"),
        ("/chats?count=101", "count"),
        ("/chats/99999999999999999999", "chatId"),
        ("/chats/-", "chatId"),
        ("/chats/abc/members", "chatId"),
        ("/messages?chat_id=1.5", "chat_id"),
    ] {
        let message = api.get(path).await.fails(400, "proto.payload");
        assert!(message.starts_with(&format!("{name}: ")), "{path}: {message}");
    }
}

#[tokio::test]
async fn unknown_parameters_and_content_types_are_ignored() {
    let (_tamtam, api, alice) = dialog().await;
    api.get("/me?v=0.5.6&whatever=1").await.ok();
    let path = format!("/messages?chat_id={}&v=0.5.6", alice.chat_id().0);
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/json"] {
        let request = api.request("POST", &path).header("Content-Type", kind).body(r#"{"text":"hi"}"#);
        api.send(request).await.ok();
    }
    // `post` sends no Content-Type.
    api.post(alice.chat_id().0, json!({ "text": "hi", "unknown": [1] })).await.ok();
}

#[tokio::test]
async fn the_tag_is_the_last_key_at_every_level() {
    let (_tamtam, api, alice) = dialog().await;
    let message = json!({ "text": "?", "attachments": [crate::client::keyboard(json!([[
        { "type": "link", "url": "https://x", "text": "go" }
    ]]))] });
    let text = api.post(alice.chat_id().0, message).await.text;
    assert!(text.contains(r#""type":"link"}]]},"type":"inline_keyboard"}]"#), "{text}");
    let text = api.get("/updates?timeout=0").await.text;
    assert!(text.contains(r#""update_type":"bot_started"}]"#), "{text}");
}

#[tokio::test]
async fn an_exchange_has_all_details_but_not_the_token() {
    let (tamtam, api, _) = dialog().await;
    let told = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = told.clone();
    tamtam.on_exchange(move |exchange| seen.lock().unwrap().push(exchange.clone()));
    let answer = api.call("PATCH", "/me?v=0.5.6", json!({ "name": "Ёcho" })).await;
    api.get("/x?a=b").await;
    let told = told.lock().unwrap();
    assert_eq!(told[0].operation(), Some("editMyInfo"));
    assert_eq!((told[0].method(), told[0].path()), ("PATCH", "/me"));
    assert_eq!(told[0].path_template(), Some("/me"));
    assert_eq!(told[0].query(), [("v".to_owned(), "0.5.6".to_owned())]);
    assert_eq!(told[0].request_body(), json!({ "name": "Ёcho" }).to_string().as_bytes());
    assert_eq!(told[0].status(), 200);
    assert_eq!(told[0].response_body(), answer.text.as_bytes());
    assert_eq!((told[1].operation(), told[1].status()), (None, 404));
    assert!(!format!("{told:?}").contains(&api.token));
}

#[tokio::test]
async fn the_token_can_be_set_and_has_a_constant_realistic_default() {
    use tamtam_sandbox::Sandbox;
    let chosen = Sandbox::builder().token("secret").start().await;
    Api::of(&chosen).get("/me").await.ok();
    let (first, second) = (Sandbox::start().await, Sandbox::start().await);
    assert_eq!(first.token(), second.token());
    assert!(first.token().len() > 40);
    assert_ne!(first.base_url(), second.base_url());
}
