//! What messages have beside their text.

use tamtam::{
    ChatId, Message, NewMessageBody, RawRequest,
    http::Method,
    types::{
        Attachment, AttachmentRequest, CallbackButton, ChatButton, ContactAttachmentRequest,
        ContactAttachmentRequestPayload, Intent, Keyboard, LinkButton, LocationAttachmentRequest,
        PhotoAttachmentRequest, PhotoAttachmentRequestPayload, RequestContactButton, RequestGeoLocationButton,
        UploadType,
    },
};

use crate::{
    media,
    place::{Done, Place, assert_refused},
};

const PAYLOAD: &str = "proto.payload";

fn attachments(message: &Message) -> &[Attachment] {
    message.body.as_ref().and_then(|body| body.attachments.as_deref()).unwrap_or_default()
}

fn tags(message: &Message) -> Vec<&str> {
    attachments(message).iter().map(Attachment::tag).collect()
}

/// A message that should be refused.
fn post(place: &Place, chat: ChatId, body: &NewMessageBody) -> RawRequest {
    place.bot.request(Method::POST, "/messages").query("chat_id", chat).json(body)
}

fn keyboard() -> Keyboard {
    Keyboard::new(vec![vec![CallbackButton::new("Yes", "yes").into()]])
}

/// The current state of a message.
async fn again(place: &Place, message: &Message) -> Message {
    place.bot.api().get_message_by_id(message.body.as_ref().unwrap().mid.clone()).await.unwrap()
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

pub(super) async fn a_keyboard_has_every_kind_of_button(place: Place) -> Done {
    let buttons = vec![
        vec![
            CallbackButton::new("Yes", "yes").intent(Intent::Positive).into(),
            CallbackButton::new("No", "no").intent(Intent::Negative).into(),
            CallbackButton::new("Well", "well").into(),
        ],
        vec![LinkButton::new("Site", "https://tamtam.chat").into()],
        vec![RequestContactButton::new("My contact").into(), RequestGeoLocationButton::new("My place").into()],
        vec![ChatButton::new("Talk", "Conformance").into()],
    ];
    let body = place.text("every button").keyboard(Keyboard::new(buttons));
    let message = place.post(place.chat()?, body).await;
    let [Attachment::InlineKeyboard(keyboard)] = attachments(&message) else { panic!("no keyboard: {message:?}") };
    let rows = &keyboard.payload.buttons;
    let kinds: Vec<Vec<&str>> = rows.iter().map(|row| row.iter().map(|button| button.tag()).collect()).collect();
    let expected: [&[&str]; 4] = [&["callback"; 3], &["link"], &["request_contact", "request_geo_location"], &["chat"]];
    assert_eq!(kinds, expected);
    let intent = serde_json::to_value(&rows[0][2]).unwrap()["intent"].clone();
    assert_eq!(intent, "default", "it is so unless the bot says otherwise");
    Ok(())
}

pub(super) async fn a_message_has_one_keyboard(place: Place) -> Done {
    let two = place.text("two keyboards").keyboard(keyboard()).keyboard(keyboard());
    assert_refused(place.try_post(post(&place, place.chat()?, &two)).await, 400, PAYLOAD);
    Ok(())
}

pub(super) async fn a_location_and_a_contact_are_attached(place: Place) -> Done {
    let chat = place.chat()?;
    let location = place.text("a place").attach(LocationAttachmentRequest::new(59.9386, 30.3141));
    let message = place.post(chat, location).await;
    let [Attachment::Location(location)] = attachments(&message) else { panic!("no location: {message:?}") };
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
    let [Attachment::Image(image)] = attachments(&message) else { panic!("no photo: {message:?}") };
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

pub(super) async fn a_video_is_uploaded(place: Place) -> Done {
    let chat = place.chat()?;
    place.takes_time_to_process();
    let video = place.bot.upload_video(place.video()?).file_name("video.mp4").await.unwrap();
    assert_eq!(tags(&place.post(chat, place.text("a video").attach(video)).await), ["video"]);
    Ok(())
}

pub(super) async fn a_file_keeps_its_name_and_is_alone(place: Place) -> Done {
    let chat = place.chat()?;
    let file = place.bot.upload_file(&b"conformance"[..]).file_name("Отчёт 1.txt").await.unwrap();
    let body = place.text("a file").attach(file.clone()).keyboard(keyboard());
    let message = place.post(chat, body).await;
    assert_eq!(tags(&message), ["file", "inline_keyboard"]);
    let [Attachment::File(found), _] = attachments(&message) else { panic!("no file: {message:?}") };
    assert_eq!((found.filename.as_str(), found.size), ("Отчёт 1.txt", 11));
    let two = place.text("two files").attach(file.clone()).attach(file);
    assert_refused(place.try_post(post(&place, chat, &two)).await, 400, PAYLOAD);
    Ok(())
}

pub(super) async fn an_edit_keeps_replaces_and_removes_attachments(place: Place) -> Done {
    let chat = place.chat()?;
    let photo: AttachmentRequest = place.bot.upload_photo(media::PHOTO).await.unwrap().into();
    let message = place.post(chat, place.text("kept").attach(photo.clone())).await;
    let mid = message.body.as_ref().unwrap().mid.clone();
    place.bot.edit(mid.clone(), place.text("still kept")).await.unwrap();
    let kept = again(&place, &message).await;
    assert_eq!((tags(&kept), kept.text()), (vec!["image"], place.text("still kept").text.as_deref()));
    place.bot.edit(mid.clone(), place.text("replaced").keyboard(keyboard())).await.unwrap();
    assert_eq!(tags(&again(&place, &message).await), ["inline_keyboard"]);
    place.bot.edit(mid, place.text("removed").attachments(Vec::<AttachmentRequest>::new())).await.unwrap();
    assert_eq!(tags(&again(&place, &message).await), [""; 0]);
    Ok(())
}

pub(super) async fn an_image_without_a_source_is_refused(place: Place) -> Done {
    let image = PhotoAttachmentRequest::new(PhotoAttachmentRequestPayload::new());
    let request = post(&place, place.chat()?, &place.text("no image").attach(image));
    assert_refused(place.try_post(request).await, 400, PAYLOAD);
    Ok(())
}
