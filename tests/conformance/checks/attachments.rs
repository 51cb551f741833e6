//! Attachments of messages, except keyboards and videos.

use tamtam::{
    Attachment, AttachmentRequest, Keyboard, Message, MessageId, NewMessageBody,
    http::Method,
    types::{
        CallbackButton, ContactAttachmentRequest, ContactAttachmentRequestPayload, LocationAttachmentRequest,
        PhotoAttachmentRequest, PhotoAttachmentRequestPayload, UploadType,
    },
};

use crate::{
    media,
    outcome::{Done, PAYLOAD, assert_refused},
    place::{Place, marked},
};

/// The types of the attachments of a message.
pub(super) fn tags(message: &Message) -> Vec<&str> {
    message.attachments().iter().map(Attachment::tag).collect()
}

/// A keyboard with one button.
pub(super) fn keyboard() -> Keyboard {
    Keyboard::new(vec![vec![CallbackButton::new("Yes", "yes").into()]])
}

/// Fetches the current state of the message.
async fn again(place: &Place, message: &Message) -> Message {
    place.bot.api().get_message_by_id(message).await.unwrap()
}

pub(super) async fn every_kind_of_upload_has_a_url(place: Place) -> Done {
    for kind in [UploadType::Image, UploadType::Video, UploadType::Audio, UploadType::File] {
        let endpoint = place.bot.api().get_upload_url(kind).await.unwrap();
        assert!(endpoint.url.contains("//"), "{}", endpoint.url);
    }
    let unknown = place.bot.request(Method::POST, "/uploads").query("type", "hologram");
    assert_refused(unknown.await, 400, PAYLOAD);
    Ok(())
}

pub(super) async fn a_location_and_a_contact_are_attached(place: Place) -> Done {
    let chat = place.chat()?;
    let location = place.text("a place").attach(LocationAttachmentRequest::new(59.9386, 30.3141));
    let message = place.post(chat, location).await;
    let [Attachment::Location(location)] = message.attachments() else { panic!("no location: {message:?}") };
    assert!((location.latitude - 59.9386).abs() < 1e-4 && (location.longitude - 30.3141).abs() < 1e-4);
    let card = ContactAttachmentRequestPayload::new().name("Ann Example").vcf_phone("+70000000000");
    let contact = place.text("a contact").attach(ContactAttachmentRequest::new(card));
    assert_eq!(tags(&place.post(chat, contact).await), ["contact"]);
    Ok(())
}

pub(super) async fn a_photo_is_uploaded_and_sent_again(place: Place) -> Done {
    let chat = place.chat()?;
    let photo = place.bot.upload_photo(media::PHOTO).await.unwrap();
    let message = place.post(chat, place.text("a photo").attach(photo)).await;
    let [Attachment::Image(image)] = message.attachments() else { panic!("no photo: {message:?}") };
    assert!(!image.payload.url.is_empty());
    let payload = PhotoAttachmentRequestPayload::new().token(image.payload.token.clone().expect("a token"));
    let alone = NewMessageBody::new().attach(PhotoAttachmentRequest::new(payload));
    let message = place.post(chat, alone).await;
    assert_eq!((tags(&message), message.text().unwrap_or_default()), (vec!["image"], ""));
    Ok(())
}

pub(super) async fn an_audio_is_uploaded(place: Place) -> Done {
    let chat = place.chat()?;
    let audio = place.bot.upload_audio(media::audio()).file_name("tone.wav").await.unwrap();
    assert_eq!(tags(&place.post(chat, place.text("a tone").attach(audio)).await), ["audio"]);
    Ok(())
}

pub(super) async fn a_file_keeps_its_name_and_must_be_the_only_file(place: Place) -> Done {
    let chat = place.chat()?;
    let file = place.bot.upload_file(&b"conformance"[..]).file_name("Отчёт 1.txt").await.unwrap();
    let body = place.text("a file").attach(file.clone()).keyboard(keyboard());
    let message = place.post(chat, body).await;
    assert_eq!(tags(&message), ["file", "inline_keyboard"]);
    let [Attachment::File(found), _] = message.attachments() else { panic!("no file: {message:?}") };
    assert_eq!((found.filename.as_str(), found.size), ("Отчёт 1.txt", 11));
    let two = place.text("two files").attach(file.clone()).attach(file);
    assert_refused(place.try_post(place.unchecked(&two).query("chat_id", chat)).await, 400, PAYLOAD);
    Ok(())
}

pub(super) async fn an_edit_keeps_replaces_and_removes_attachments(place: Place) -> Done {
    let chat = place.chat()?;
    let photo: AttachmentRequest = place.bot.upload_photo(media::PHOTO).await.unwrap().into();
    let message = place.post(chat, place.text("kept").attach(photo.clone())).await;
    let mid = MessageId::from(&message);
    place.bot.edit(&mid, place.text("still kept")).await.unwrap();
    let kept = again(&place, &message).await;
    assert_eq!((tags(&kept), kept.text()), (vec!["image"], Some(marked("still kept").as_str())));
    place.bot.edit(&mid, place.text("replaced").keyboard(keyboard())).await.unwrap();
    assert_eq!(tags(&again(&place, &message).await), ["inline_keyboard"]);
    place.bot.edit(&mid, place.text("removed").attachments(Vec::<AttachmentRequest>::new())).await.unwrap();
    assert_eq!(tags(&again(&place, &message).await), [""; 0]);
    Ok(())
}

pub(super) async fn an_image_without_a_source_is_refused(place: Place) -> Done {
    let image = PhotoAttachmentRequest::new(PhotoAttachmentRequestPayload::new());
    let request = place.unchecked(&place.text("no image").attach(image)).query("chat_id", place.chat()?);
    assert_refused(place.try_post(request).await, 400, PAYLOAD);
    Ok(())
}
