//! The place of the token, and the known paths.

use serde_json::json;

use super::dialog;

#[tokio::test]
async fn a_token_in_the_query_is_refused_even_with_a_valid_header() {
    let (max, api, _) = dialog().await;
    let token = max.token().to_owned();
    let in_query = |token: &str| api.bare("GET", "/me").query(&[("access_token", token)]);
    let beside = api.request("GET", "/me").query(&[("access_token", &token)]);
    let wrong_beside = api.request("GET", "/me").query(&[("access_token", "x")]);
    for request in [in_query(&token), in_query("x"), in_query(""), beside, wrong_beside] {
        let message = api.send(request).await.fails(403, "deprecated.token");
        assert!(message.contains("Authorization") && !message.contains(&token), "{message}");
    }
    api.get("/me").await.ok();
}

#[tokio::test]
async fn a_missing_wrong_or_bearer_token_is_refused() {
    let (max, api, _) = dialog().await;
    api.send(api.bare("GET", "/me")).await.fails(401, "verify.token");
    for value in [String::new(), "x".into(), format!("Bearer {}", max.token()), format!("{}x", max.token())] {
        let request = api.bare("GET", "/me").header("authorization", &value);
        api.send(request).await.fails(401, "verify.token");
    }
    let unreadable = reqwest::header::HeaderValue::from_bytes(b"\xff").unwrap();
    api.send(api.bare("GET", "/me").header("authorization", unreadable)).await.fails(401, "verify.token");
    // The token is checked first. Without it, the answer does not depend on the path.
    api.send(api.bare("GET", "/nowhere")).await.fails(401, "verify.token");
}

#[tokio::test]
async fn the_header_identifies_the_bot() {
    let (max, api, _) = dialog().await;
    let helper = max.add_bot("Helper", "helper_bot");
    let me = api.of_bot(&helper).get("/me").await.ok();
    assert_eq!(me["user_id"], helper.bot_id().0);
    assert_eq!(api.get("/me").await.ok()["user_id"], max.bot_id().0);
}

#[tokio::test]
async fn operations_removed_by_max_are_unknown_paths() {
    let (max, api, alice) = dialog().await;
    let group = max.group("Team", [&alice]).with_public_link("team").chat_id().0;
    for (method, path) in [
        ("GET", "/chats".to_owned()),
        ("GET", "/chats/".to_owned()),
        ("GET", "/chats/team".to_owned()),
        ("GET", "/chats/@team".to_owned()),
        ("DELETE", format!("/chats/{group}")),
        ("PATCH", "/me".to_owned()),
        ("POST", "/me/commands".to_owned()),
        ("POST", "/answers/constructor?session_id=1".to_owned()),
        ("GET", "/nowhere".to_owned()),
    ] {
        let message = api.call(method, &path, json!({})).await.fails(404, "method.not.found");
        let path = path.split('?').next().unwrap();
        assert_eq!(message, format!("Path {path} is not recognized"), "{method}");
    }
    let allowed = api.request("PUT", "/me").send().await.unwrap();
    assert_eq!((allowed.status().as_u16(), &allowed.headers()["allow"]), (405, &"GET".parse().unwrap()));
    let allowed = api.request("PUT", &format!("/chats/{group}")).send().await.unwrap();
    assert_eq!((allowed.status().as_u16(), &allowed.headers()["allow"]), (405, &"GET, PATCH".parse().unwrap()));
}

#[tokio::test]
async fn a_placeholder_in_a_path_is_refused_with_the_name_of_its_parameter() {
    let (_max, api, _) = dialog().await;
    for (method, path, name) in [
        ("GET", "/chats/{chatId}", "chatId"),
        ("GET", "/chats/%7BchatId%7D/members", "chatId"),
        ("DELETE", "/chats/-1/members/admins/{userId}", "userId"),
        ("GET", "/messages/{messageId}", "messageId"),
        ("GET", "/messages/mid.1/comments/{commentId}", "commentId"),
        ("GET", "/videos/{video_token}", "videoToken"),
    ] {
        let message = api.call(method, path, json!({})).await.fails(400, "proto.payload");
        assert!(message.starts_with(&format!("{name}: ")) && message.contains("placeholder"), "{path}: {message}");
    }
}
