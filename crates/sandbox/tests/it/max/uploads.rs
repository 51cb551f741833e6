//! Uploads: their limits, the tokens of videos and audio, and requests with the token of a bot.

use serde_json::{Value, json};
use tamtam_sandbox::Sandbox;

use super::dialog;
use crate::client::Api;
use crate::uploads::{begin, said};

/// The largest upload of each type, in bytes.
const LIMITS: [(&str, u64); 4] =
    [("image", 50_000_000), ("video", 250_000_000), ("audio", 256_000_000), ("file", 4_000_000_000)];
const BINARY: &str = "application/x-binary; charset=x-user-defined";

#[tokio::test]
async fn an_upload_of_the_maximum_size_is_accepted_and_a_larger_one_is_refused() {
    let (max, api, _) = dialog().await;
    for (kind, most) in LIMITS {
        let (fits, exceeds) = (begin(&api, kind).await, begin(&api, kind).await);
        let range = |total: u64| format!("bytes 0-9/{total}");
        let answer = fits.request(BINARY, Some(&range(most)), [0; 10]).send().await.unwrap();
        assert_eq!(said(answer).await, (201, format!("0-9/{most}")), "{kind}");
        let answer = exceeds.request(BINARY, Some(&range(most + 1)), [0; 10]).send().await.unwrap();
        let (status, text) = said(answer).await;
        let refusal: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((status, &refusal["code"]), (413, &json!("upload.error")), "{kind}: {text}");
    }
    assert_eq!(max.uploads().received().len(), 0);
    let tamtam = Sandbox::start().await;
    let begun = begin(&Api::of(&tamtam), "image").await;
    let answer = begun.request(BINARY, Some("bytes 0-9/5000000000"), [0; 10]).send().await.unwrap();
    assert_eq!(answer.status(), 201, "the limits of TamTam are not known");
}

#[tokio::test]
async fn the_token_of_a_video_or_audio_comes_with_the_upload_url() {
    let (_max, api, alice) = dialog().await;
    let post = async |kind: &str, token: &Value| {
        let body = json!({ "attachments": [{ "type": kind, "payload": { "token": token } }] });
        api.post(alice.chat_id().0, body).await
    };
    for kind in ["video", "audio"] {
        let begun = begin(&api, kind).await;
        post(kind, &begun.token).await.fails(400, "proto.payload");
        let answer = begun.form("data", b"moving").send().await.unwrap();
        assert_eq!(said(answer).await, (200, "<retval>1</retval>".to_owned()));
        let sent = post(kind, &begun.token).await.ok();
        assert_eq!(sent["message"]["body"]["attachments"][0]["payload"]["token"], begun.token);
        post(kind, &begun.token).await.ok();

        let begun = begin(&api, kind).await;
        let (first, second) = (begun.range(0, b"moving", 3).send(), begun.range(3, b"moving", 6).send());
        assert_eq!(said(first.await.unwrap()).await, (201, "0-2/6".to_owned()));
        assert_eq!(said(second.await.unwrap()).await, (200, "<retval>1</retval>".to_owned()));
        post(kind, &begun.token).await.ok();
    }
}

#[tokio::test]
async fn the_token_of_an_image_or_file_comes_from_the_upload_host() {
    let (max, api, alice) = dialog().await;
    for kind in ["image", "file"] {
        let begun = begin(&api, kind).await;
        assert_eq!(begun.token, Value::Null);
        let answer = begun.form("data", b"still").send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "application/json", "clients accept no other type");
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["photos"].is_object(), kind == "image", "{answer}");
        assert_eq!(answer["token"].is_string(), kind == "file", "{answer}");
        let body = json!({ "attachments": [{ "type": kind, "payload": answer }] });
        api.post(alice.chat_id().0, body).await.ok();
    }
    assert_eq!(max.uploads().received().len(), 2);
    api.call("POST", "/uploads?type=photo", Value::Null).await.fails(400, "proto.payload");
}

#[tokio::test]
async fn details_of_a_video_are_found_by_its_token() {
    let (max, api, alice) = dialog().await;
    let video = max.bot().upload_video(b"moving").file_name("a.mp4").await.unwrap();
    max.bot().send(alice.chat_id(), tamtam::NewMessageBody::new().attach(video)).await.unwrap();
    let seen = alice.reads().await;
    let shown = &seen.attachments()[0];
    let token = shown["payload"]["token"].as_str().unwrap();
    let details = api.get(&format!("/videos/{token}")).await.ok();
    assert_eq!(details["token"], *token);
    for field in ["width", "height", "duration"] {
        assert!(details[field].as_i64().unwrap() > 0 && details[field] == shown[field], "{details}");
    }
    assert_eq!(details.get("thumbnail"), None);
    let url = details["urls"]["mp4_720"].as_str().unwrap();
    assert_eq!(reqwest::get(url).await.unwrap().bytes().await.unwrap(), &b"moving"[..]);
    let audio = begin(&api, "audio").await;
    audio.form("data", b"sound").send().await.unwrap();
    for unknown in ["nothing", audio.token.as_str().unwrap()] {
        api.get(&format!("/videos/{unknown}")).await.fails(404, "not.found");
    }
}

#[tokio::test]
async fn the_upload_host_accepts_and_reports_the_authorization_header() {
    let (mut max, api, _) = dialog().await;
    max.leaks_expected = true;
    let begun = begin(&api, "video").await;
    let upload = begun.form("data", b"moving").header("authorization", &api.token);
    assert_eq!(said(upload.send().await.unwrap()).await.0, 200);
    assert_eq!(max.uploads().leaks(), ["header authorization"]);
    assert_eq!(max.uploads().received().len(), 1);
    assert!(!format!("{:?}", max.uploads().requests()).contains(&api.token));

    let begun = begin(&api, "video").await;
    let elsewhere = [("referer", format!("http://x/{}", api.token)), ("x-token", api.token.clone())];
    for (name, value) in elsewhere {
        let upload = begun.form("data", b"moving").header("authorization", &api.token).header(name, value);
        let (status, text) = said(upload.send().await.unwrap()).await;
        assert_eq!((status, text.contains(&api.token)), (400, false), "{name}: {text}");
        let mut leaks = max.uploads().leaks().split_off(max.uploads().leaks().len() - 2);
        leaks.sort();
        assert_eq!(leaks, ["header authorization".to_owned(), format!("header {name}")]);
    }
    assert_eq!(max.uploads().received().len(), 1);
}
