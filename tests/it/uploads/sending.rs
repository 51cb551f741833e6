//! Uploaded media in messages: attached to a message, uploaded by `send`, and sent again.

use tamtam::{AttachmentRequest, NewMessageBody, types::PhotoAttachmentRequest};
use tamtam_sandbox::{Person, Sandbox, UploadFault};

use super::{TempFile, content, operations, sandbox};

fn started(tamtam: &Sandbox) -> Person {
    let alice = tamtam.user("Alice");
    alice.starts();
    alice
}

/// Returns the bytes that a person gets by opening an attachment.
async fn opened(attachment: &serde_json::Value) -> Vec<u8> {
    let url = attachment["payload"]["url"].as_str().unwrap();
    reqwest::get(url).await.unwrap().bytes().await.unwrap().to_vec()
}

fn kinds(attachments: &[serde_json::Value]) -> Vec<&str> {
    attachments.iter().map(|one| one["type"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn sending_a_path_does_all_steps_and_waits_until_the_media_is_processed() {
    let (tamtam, bot) = sandbox().await;
    let (alice, asked) = (started(&tamtam), operations(&tamtam));
    tamtam.uploads().set_not_ready(3);
    let cat = TempFile::new("cat.jpg", &content(1000));
    let sent = bot.send(alice.chat_id(), bot.upload_photo(cat.path()).text("My cat")).await.unwrap();
    assert!(sent.message.body.unwrap().text.unwrap() == "My cat");
    let seen = alice.reads().await;
    assert_eq!((seen.text(), kinds(seen.attachments())), ("My cat", vec!["image"]));
    assert_eq!(opened(&seen.attachments()[0]).await, content(1000));
    assert_eq!(asked.lock().unwrap().len(), 1 + 4);
}

#[tokio::test]
async fn every_kind_can_be_sent_without_a_text() {
    let (tamtam, bot) = sandbox().await;
    let alice = started(&tamtam);
    bot.send(alice.chat_id(), bot.upload_photo(content(1))).await.unwrap();
    bot.send(alice.user_id(), bot.upload_video(content(2))).await.unwrap();
    bot.send(alice.chat_id(), bot.upload_audio(content(3))).disable_link_preview(true).await.unwrap();
    bot.send(alice.chat_id(), bot.upload_file(content(4)).file_name("отчёт.pdf")).send().await.unwrap();
    for (size, kind) in [(1, "image"), (2, "video"), (3, "audio"), (4, "file")] {
        let seen = alice.reads().await;
        assert_eq!((seen.text(), kinds(seen.attachments())), ("", vec![kind]));
        assert_eq!(opened(&seen.attachments()[0]).await, content(size));
        assert!(kind != "file" || seen.attachments()[0]["filename"] == "отчёт.pdf");
    }
}

#[tokio::test]
async fn several_uploads_go_into_one_message_in_order() {
    let (tamtam, bot) = sandbox().await;
    let alice = started(&tamtam);
    let album = NewMessageBody::from("Three")
        .attach(AttachmentRequest::photo_url("https://example.org/0.jpg"))
        .upload(bot.upload_photo(content(1)))
        .upload(bot.upload_video(content(2)));
    bot.send(alice.chat_id(), album).await.unwrap();
    let seen = alice.reads().await;
    assert_eq!((seen.text(), kinds(seen.attachments())), ("Three", vec!["image", "image", "video"]));
    assert_eq!(seen.attachments()[0]["payload"]["url"], "https://example.org/0.jpg");
    assert_eq!(opened(&seen.attachments()[1]).await, content(1));
    assert_eq!(opened(&seen.attachments()[2]).await, content(2));
    assert_eq!(tamtam.uploads().received().len(), 2, "TamTam fetches the first photo by its URL");
}

#[tokio::test]
async fn an_upload_can_be_a_reply() {
    let (tamtam, bot) = sandbox().await;
    let alice = started(&tamtam);
    let mid = alice.says("Show me your cat");
    let message = bot.api().get_message_by_id(&mid).await.unwrap();
    bot.reply(&message, bot.upload_photo(content(1)).text("Here")).await.unwrap();
    let seen = alice.reads().await;
    assert_eq!(seen.message()["link"]["message"]["mid"], mid.as_ref());
    assert_eq!((seen.text(), kinds(seen.attachments())), ("Here", vec!["image"]));
}

#[tokio::test]
async fn nothing_is_sent_when_an_upload_fails() {
    let (tamtam, bot) = sandbox().await;
    let alice = started(&tamtam);
    tamtam.uploads().fail_next(UploadFault::Answer(400, "no".to_owned()));
    let message = NewMessageBody::from("Two").upload(bot.upload_photo(content(1))).upload(bot.upload_photo(content(2)));
    let error = bot.send(alice.chat_id(), message).await.unwrap_err();
    assert_eq!(error.operation(), Some("uploadPhoto"));
    assert!(!error.may_have_been_applied() && alice.sees().is_empty());
}

#[tokio::test]
async fn tokens_of_uploaded_and_received_media_can_be_sent_again() {
    let (tamtam, bot) = sandbox().await;
    let (alice, bob) = (started(&tamtam), started(&tamtam));
    let photo = bot.upload_photo(content(1)).await.unwrap();
    let video = bot.upload_video(content(2)).await.unwrap();
    let audio = bot.upload_audio(content(3)).await.unwrap();
    let file = bot.upload_file(content(4)).await.unwrap();
    // Serialized, as in a database.
    let kept = serde_json::to_string(&photo).unwrap();
    let again: PhotoAttachmentRequest = serde_json::from_str(&kept).unwrap();
    assert_eq!(again, photo);
    let uploaded: [AttachmentRequest; 4] = [again.into(), video.into(), audio.into(), file.into()];
    for (size, attachment) in uploaded.into_iter().enumerate() {
        let message = NewMessageBody::new().attach(attachment);
        bot.send(alice.chat_id(), message.clone()).await.unwrap();
        bot.send(bob.chat_id(), message).await.unwrap();
        let (seen, too) = (alice.reads().await, bob.reads().await);
        assert_eq!(seen.attachments(), too.attachments());
        let received = &seen.attachments()[0];
        assert_eq!(opened(received).await, content(size + 1));

        let token = received["payload"]["token"].as_str().unwrap();
        let by_token = match received["type"].as_str().unwrap() {
            "image" => AttachmentRequest::photo_token(token),
            "video" => AttachmentRequest::video(token),
            "audio" => AttachmentRequest::audio(token),
            _ => AttachmentRequest::file(token),
        };
        bot.send(bob.chat_id(), NewMessageBody::new().attach(by_token)).await.unwrap();
        assert_eq!(bob.reads().await.attachments(), seen.attachments());
    }
    assert_eq!(tamtam.uploads().received().len(), 4);
}

#[tokio::test]
async fn the_keys_of_uploaded_photos_keep_their_base64_characters() {
    let (_tamtam, bot) = sandbox().await;
    let photo = bot.upload_photo(content(1)).await.unwrap();
    let photos = photo.payload.photos.unwrap();
    let key = photos.keys().next().unwrap();
    assert!(['+', '/', '='].iter().all(|sign| key.contains(*sign)), "{key}");
}

#[tokio::test]
async fn an_upload_with_a_retval_answer_succeeds() {
    // Without checks against the document, which has no token beside the URL.
    let tamtam = Sandbox::start().await;
    let (bot, alice) = (super::bot(&tamtam, crate::fault_server::quick()), started(&tamtam));
    tamtam.uploads().set_retval(true);
    tamtam.uploads().set_scheme_relative(true);
    for resumable in super::PROTOCOLS {
        bot.send(alice.chat_id(), bot.upload_video(content(100)).resumable(resumable).chunk_size(30)).await.unwrap();
        assert_eq!(opened(&alice.reads().await.attachments()[0]).await, content(100));
    }
}

#[tokio::test]
async fn texts_messages_and_uploads_are_sent_by_the_same_method() {
    let (tamtam, bot) = sandbox().await;
    let alice = started(&tamtam);
    async fn by_anything(bot: &tamtam::Bot, to: tamtam::ChatId, message: impl Into<NewMessageBody>) {
        bot.send(to, message).disable_link_preview(true).no_retry().await.unwrap();
    }
    by_anything(&bot, alice.chat_id(), "one").await;
    by_anything(&bot, alice.chat_id(), String::from("two")).await;
    by_anything(&bot, alice.chat_id(), NewMessageBody::markdown("three")).await;
    tokio::spawn(bot.send(alice.chat_id(), bot.upload_photo(content(1)).text("four")).into_future())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(alice.sees(), ["one", "two", "three", "four"]);
}
