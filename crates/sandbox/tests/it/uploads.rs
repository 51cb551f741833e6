//! The upload host: both upload protocols, the status of uploads, and faults.

use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tamtam_sandbox::{Person, UploadFault, UploadStatus};

use crate::client::{Api, dialog};
use crate::conformance::Checked;

/// The content type of a form.
const FORM: &str = "multipart/form-data; boundary=b";

/// A started upload.
pub(crate) struct Begun {
    http: reqwest::Client,
    pub(crate) url: String,
    /// The token that came with the URL.
    pub(crate) token: Value,
}

pub(crate) async fn begin(api: &Api, kind: &str) -> Begun {
    let endpoint = api.call("POST", &format!("/uploads?type={kind}"), json!({})).await.ok();
    let url = endpoint["url"].as_str().unwrap().to_owned();
    Begun { http: reqwest::Client::new(), url, token: endpoint["token"].clone() }
}

impl Begun {
    /// Returns a request with a body of this content type, and with a range if `range` is set.
    pub(crate) fn request(&self, content_type: &str, range: Option<&str>, body: impl Into<Vec<u8>>) -> RequestBuilder {
        let request = self.http.post(&self.url).header("content-type", content_type).body(body.into());
        range.into_iter().fold(request, |request, range| request.header("content-range", range))
    }

    pub(crate) fn range(&self, first: usize, all: &[u8], end: usize) -> RequestBuilder {
        let range = format!("bytes {first}-{}/{}", end - 1, all.len());
        let name = "attachment; filename=\"___.bin\"; filename*=UTF-8''%D0%BA%D0%BE%D1%82.bin";
        self.request("application/x-cat", Some(&range), &all[first..end]).header("content-disposition", name)
    }

    pub(crate) fn form(&self, part: &str, bytes: &[u8]) -> RequestBuilder {
        let mut body = format!(
            "--b\r\nContent-Disposition: form-data; name=\"{part}\"; filename=\"a.bin\"\r\n\
             Content-Type: application/x-cat\r\n\r\n"
        )
        .into_bytes();
        body.extend(bytes);
        body.extend(b"\r\n--b--\r\n");
        self.request(FORM, None, body)
    }

    async fn status(&self) -> (String, Option<String>) {
        let answer = self.http.get(&self.url).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let header = answer.headers().get("x-last-known-byte").map(|value| value.to_str().unwrap().to_owned());
        (answer.text().await.unwrap(), header)
    }
}

async fn ok(request: RequestBuilder) -> Value {
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.json().await.unwrap()
}

pub(crate) async fn said(answer: Response) -> (u16, String) {
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// Returns bytes of varying values.
fn content(length: usize) -> Vec<u8> {
    (0..length).map(|place| (place * 31 % 251) as u8).collect()
}

async fn send(api: &Api, alice: &Person, kind: &str, payload: &Value) -> Value {
    let body = json!({ "attachments": [{ "type": kind, "payload": payload }] });
    api.post(alice.chat_id().0, body).await.ok()["message"]["body"]["attachments"][0].clone()
}

#[tokio::test]
async fn a_form_is_accepted_with_any_part_name() {
    let (tamtam, api, _alice) = dialog().await;
    for part in ["data", "v1", "files", "file", "any"] {
        let answer = ok(begin(&api, "file").await.form(part, &content(100_000))).await;
        assert!(answer["fileId"].is_i64() && answer["token"].is_string(), "{answer}");
    }
    let received = tamtam.uploads().received();
    assert_eq!(received.len(), 5);
    for file in received {
        assert_eq!((file.kind(), file.name(), file.content_type()), ("file", "a.bin", "application/x-cat"));
        assert_eq!(file.bytes().unwrap(), content(100_000));
        assert_eq!(file.sha256(), <[u8; 32]>::from(Sha256::digest(content(100_000))));
    }
    let field = "--b\r\nContent-Disposition: form-data; name=\"any\"\r\n\r\nno file name\r\n--b--\r\n";
    assert_eq!(begin(&api, "file").await.request(FORM, None, field).send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn ranges_are_accepted_only_in_order() {
    let (tamtam, api, _alice) = dialog().await;
    let (begun, all) = (begin(&api, "file").await, content(10));
    assert_eq!(said(begun.range(0, &all, 4).send().await.unwrap()).await, (201, "0-3/10".to_owned()));
    assert_eq!(said(begun.range(4, &all, 8).send().await.unwrap()).await, (201, "0-7/10".to_owned()));
    for (first, end) in [(0, 4), (4, 8), (9, 10)] {
        assert_eq!(begun.range(first, &all, end).send().await.unwrap().status(), 416, "{first}-{end}");
    }
    let answer = ok(begun.range(8, &all, 10)).await;
    assert!(answer["fileId"].is_i64(), "{answer}");
    let file = &tamtam.uploads().received()[0];
    assert_eq!((file.name(), file.content_type()), ("кот.bin", "application/x-cat"));
    assert_eq!(file.bytes().unwrap(), all);
    assert_eq!(file.sha256(), <[u8; 32]>::from(Sha256::digest(&all)));
}

#[tokio::test]
async fn the_upload_status_has_three_forms() {
    let (tamtam, api, _alice) = dialog().await;
    let (begun, all, host) = (begin(&api, "file").await, content(10), tamtam.uploads());
    for (form, nothing, four) in [
        (UploadStatus::Range, ("", None), ("0-3/10", None)),
        (UploadStatus::Offset, ("0", None), ("4", None)),
        (UploadStatus::Header, ("", None), ("", Some("3"))),
    ] {
        host.set_status(form);
        let begun = begin(&api, "file").await;
        let told = |told: (&str, Option<&str>)| (told.0.to_owned(), told.1.map(str::to_owned));
        assert_eq!(begun.status().await, told(nothing), "{form:?}");
        begun.range(0, &all, 4).send().await.unwrap();
        assert_eq!(begun.status().await, told(four), "{form:?}");
    }
    drop(begun);
}

#[tokio::test]
async fn an_upload_url_accepts_one_file_and_an_unknown_url_is_refused() {
    let (_tamtam, api, _alice) = dialog().await;
    let begun = begin(&api, "file").await;
    ok(begun.form("data", b"one")).await;
    assert_eq!(begun.form("data", b"two").send().await.unwrap().status(), 400);
    assert_eq!(begun.range(0, b"two", 3).send().await.unwrap().status(), 400);
    let unknown = Begun { url: format!("{}x", begun.url), ..begun };
    assert_eq!(unknown.form("data", b"one").send().await.unwrap().status(), 404);
    api.call("POST", "/uploads?type=gif", json!({})).await.fails(400, "proto.payload");
}

#[tokio::test]
async fn uploads_of_every_type_can_be_attached_and_downloaded() {
    let (_tamtam, api, alice) = dialog().await;
    for kind in ["image", "video", "audio", "file"] {
        let answer = ok(begin(&api, kind).await.form("data", kind.as_bytes())).await;
        if kind == "image" {
            let key = answer["photos"].as_object().unwrap().keys().next().unwrap();
            assert!(['+', '/', '='].iter().all(|sign| key.contains(*sign)), "{key}");
        }
        let attachment = send(&api, &alice, kind, &answer).await;
        assert_eq!(attachment["type"], kind);
        let url = attachment["payload"]["url"].as_str().unwrap();
        assert_eq!(reqwest::get(url).await.unwrap().text().await.unwrap(), kind);
        if kind == "file" {
            assert_eq!((&attachment["filename"], &attachment["size"]), (&json!("a.bin"), &json!(4)));
        }
        // The token of a received attachment can be sent again.
        let token = json!({ "token": attachment["payload"]["token"] });
        send(&api, &alice, kind, &token).await;
        let other = if kind == "video" { "audio" } else { "video" };
        let body = json!({ "attachments": [{ "type": other, "payload": token }] });
        let message = api.post(alice.chat_id().0, body).await.fails(400, "proto.payload");
        assert_eq!(message, format!("Invalid token in {other} attachment"));
    }
}

#[tokio::test]
async fn a_new_token_is_not_ready_for_the_set_number_of_requests() {
    let (tamtam, api, alice) = dialog().await;
    tamtam.uploads().set_not_ready(3);
    for kind in ["image", "video", "audio", "file"] {
        let answer = ok(begin(&api, kind).await.form("data", b"x")).await;
        let body = json!({ "attachments": [{ "type": kind, "payload": answer }] });
        for code in ["attachment.not.ready", "proto.payload", "attachment.not.ready"] {
            let message = api.post(alice.chat_id().0, body.clone()).await.fails(400, code);
            assert!(code == "attachment.not.ready" || message.contains(".not.processed"), "{message}");
        }
        api.post(alice.chat_id().0, body.clone()).await.ok();
        api.post(alice.chat_id().0, body).await.ok();
    }
}

#[tokio::test]
async fn videos_can_have_their_token_with_the_url_and_a_retval_response() {
    // Not checked against the document, which lacks this token.
    let tamtam = tamtam_sandbox::Sandbox::start().await;
    let (api, alice) = (Api::of(&tamtam), tamtam.user("Alice"));
    alice.starts();
    tamtam.uploads().set_retval(true);
    tamtam.uploads().set_scheme_relative(true);
    for kind in ["video", "audio", "file"] {
        let endpoint = api.call("POST", &format!("/uploads?type={kind}"), json!({})).await.ok();
        let url = endpoint["url"].as_str().unwrap();
        assert!(url.starts_with("//127.0.0.1:"), "{url}");
        let begun = Begun { http: reqwest::Client::new(), url: format!("http:{url}"), token: Value::Null };
        let answer = begun.form("data", b"x").send().await.unwrap().text().await.unwrap();
        assert_eq!(endpoint["token"].is_string(), kind != "file");
        assert_eq!(answer.contains("<retval>1</retval>"), kind != "file", "{answer}");
        if kind != "file" {
            send(&api, &alice, kind, &endpoint).await;
        }
    }
}

#[tokio::test]
async fn a_reset_at_an_offset_drops_or_keeps_the_partial_range() {
    let (tamtam, api, _alice) = dialog().await;
    let (all, host) = (content(1_000_000), tamtam.uploads());
    for (keep, there) in [(false, "300000"), (true, "450000")] {
        host.set_status(UploadStatus::Offset);
        host.set_keep_partial(keep);
        let begun = begin(&api, "file").await;
        begun.range(0, &all, 300_000).send().await.unwrap();
        host.fail_next(UploadFault::ResetAt(450_000));
        begun.range(300_000, &all, 600_000).send().await.unwrap_err();
        assert_eq!(begun.status().await.0, there);
        ok(begun.range(there.parse().unwrap(), &all, all.len())).await;
        assert_eq!(host.received().last().unwrap().bytes().unwrap(), all);
    }
    host.fail_next(UploadFault::ResetAt(500_000));
    begin(&api, "file").await.form("data", &all).send().await.unwrap_err();
    assert_eq!(host.received().len(), 2);
    assert_eq!(host.requests().last().unwrap().status(), None);
}

#[tokio::test]
async fn a_reset_at_the_end_loses_the_response_but_not_the_file() {
    let (tamtam, api, _alice) = dialog().await;
    let (all, host) = (content(1000), tamtam.uploads());
    let begun = begin(&api, "file").await;
    host.fail_next(UploadFault::ResetAt(1000));
    begun.form("data", &all).send().await.unwrap_err();
    assert_eq!(host.received()[0].bytes().unwrap(), all);
    assert_eq!(begun.status().await.0, "0-999/1000");
}

#[tokio::test]
async fn an_answer_fault_waits_for_the_range_that_completes_the_file() {
    let (tamtam, api, _alice) = dialog().await;
    let (all, host) = (content(1000), tamtam.uploads());
    let begun = begin(&api, "file").await;
    host.fail_next(UploadFault::Answer(200, "<html>".to_owned()));
    assert_eq!(begun.range(0, &all, 400).send().await.unwrap().status(), 201);
    let last = begun.range(400, &all, 1000).send().await.unwrap();
    assert_eq!(last.text().await.unwrap(), "<html>");
    assert_eq!(host.received()[0].bytes().unwrap(), all);
}

#[tokio::test]
async fn other_faults_answer_with_the_set_response_or_stall() {
    let (tamtam, api, _alice) = dialog().await;
    let (all, host) = (content(1000), tamtam.uploads());
    host.fail_next(UploadFault::StatusAt(500, 500));
    host.fail_next(UploadFault::StatusAt(0, 416));
    host.fail_next(UploadFault::Answer(200, "<html>".to_owned()));
    host.fail_next(UploadFault::StallAt(500));
    for expected in [500, 416, 200] {
        let answer = begin(&api, "file").await.form("data", &all).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), expected);
        assert!(expected != 200 || answer.text().await.unwrap() == "<html>");
    }
    let begun = begin(&api, "file").await;
    let request = begun.form("data", &all).timeout(std::time::Duration::from_millis(100));
    assert!(request.send().await.unwrap_err().is_timeout());
    // The host keeps working, even with the same URL.
    ok(begun.form("data", &all)).await;
}

#[tokio::test]
async fn a_request_with_the_token_is_refused_and_reported() {
    let (mut tamtam, api, _alice): (Checked, _, _) = dialog().await;
    tamtam.leaks_expected = true;
    let begun = begin(&api, "file").await;
    let leaky = [
        begun.form("data", b"x").query(&[("access_token", &api.token)]),
        begun.form("data", b"x").header("referer", format!("http://x/?access_token={}", api.token)),
        begun.form(&format!("data\"; x=\"{}", api.token), b"x"),
    ];
    for request in leaky {
        let (status, text) = said(request.send().await.unwrap()).await;
        assert_eq!(status, 400, "{text}");
        assert!(!text.contains(&api.token), "{text}");
    }
    assert_eq!(tamtam.uploads().leaks(), ["the URL", "header referer", "the form"]);
    assert!(!format!("{:?}", tamtam.uploads().requests()).contains(&api.token));
    // The content of a file may contain the token.
    ok(begun.form("data", api.token.as_bytes())).await;
}

#[tokio::test]
async fn a_large_file_is_hashed_but_not_stored() {
    let (tamtam, api, alice) = dialog().await;
    tamtam.uploads().set_most_kept(1000);
    let all = content(1001);
    let answer = ok(begin(&api, "file").await.form("data", &all)).await;
    let file = &tamtam.uploads().received()[0];
    assert_eq!((file.size(), file.bytes()), (1001, None));
    assert_eq!(file.sha256(), <[u8; 32]>::from(Sha256::digest(&all)));
    let attachment = send(&api, &alice, "file", &answer).await;
    assert_eq!(attachment["size"], 1001);
    let url = attachment["payload"]["url"].as_str().unwrap();
    assert_eq!(reqwest::get(url).await.unwrap().status(), 410);
}
