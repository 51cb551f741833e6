//! Attachments of every kind: sent, and sent again when received.

use serde_json::{Value, json};
use tamtam::{Attachment, AttachmentRequest, ErrorKind, NewMessageBody};
use tamtam_sandbox::Enclosure;

use super::{next_message, sandbox};

#[tokio::test]
async fn every_kind_of_attachment_is_sent_by_one_call() {
    let (_tamtam, bot, alice) = sandbox().await;
    let card = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Bob\r\nEND:VCARD\r\n";
    let at = |value: &Value, place: &str| value.pointer(place).cloned().unwrap_or_default();
    for (attachment, kind, place, expected) in [
        (AttachmentRequest::photo_url("https://x.example/1.jpg"), "image", "/url", json!("https://x.example/1.jpg")),
        (AttachmentRequest::sticker("smile"), "sticker", "/code", json!("smile")),
        (AttachmentRequest::contact(alice.user_id()), "contact", "/tam_info/name", json!("Alice")),
        (AttachmentRequest::contact_vcard(card), "contact", "/vcf_info", json!(card)),
        (AttachmentRequest::share("https://x.example"), "share", "/url", json!("https://x.example")),
    ] {
        bot.send(alice.user_id(), attachment).await.unwrap();
        let seen = alice.reads().await;
        assert_eq!((seen.attachments().len(), &seen.attachments()[0]["type"]), (1, &json!(kind)));
        assert_eq!(at(&seen.attachments()[0]["payload"], place), expected);
    }
    bot.send(alice.chat_id(), AttachmentRequest::contact_phone("Bob", "+441632960123")).await.unwrap();
    let phone = alice.reads().await.attachments()[0]["payload"]["vcf_info"].to_string();
    assert!(phone.contains("+441632960123") && phone.contains("FN:Bob"), "{phone}");
    bot.send(alice.chat_id(), AttachmentRequest::location(59.939_098_437_5, -30.5)).await.unwrap();
    let place = alice.reads().await.attachments()[0].clone();
    assert_eq!((&place["latitude"], &place["longitude"]), (&json!(59.939_098_437_5), &json!(-30.5)));
}

#[tokio::test]
async fn received_attachments_are_sent_again_without_an_upload() {
    let (tamtam, bot, alice) = sandbox().await;
    let bob = tamtam.user("Bob");
    bob.starts();
    let mut updates = bot.updates();
    alice.says_with("photos", [Enclosure::photo(b"one"), Enclosure::photo(b"two"), Enclosure::video(b"three")]);
    alice.says_with("", [Enclosure::audio(b"four")]);
    alice.says_with("", [Enclosure::file("five.txt", b"five")]);
    alice.says_with("", [Enclosure::sticker("smile")]);
    alice.says_with("", [Enclosure::link("https://example.org")]);
    alice.shares_contact();
    alice.sends_location(59.9, 30.3);
    for count in [3, 1, 1, 1, 1, 1, 1] {
        let message = next_message(&mut updates).await;
        assert_eq!(message.attachments().len(), count);
        let requests = |attachments: &[Attachment]| -> Vec<AttachmentRequest> {
            attachments.iter().map(|attachment| attachment.try_into().unwrap()).collect()
        };
        let again = requests(message.attachments());
        bot.send(bob.chat_id(), NewMessageBody::new().attachments(again.clone())).await.unwrap();
        let seen: Vec<Attachment> = serde_json::from_value(bob.reads().await.attachments().into()).unwrap();
        assert_eq!(requests(&seen), again, "tokens, codes, cards and places are unchanged");
    }
}

#[tokio::test]
async fn a_photo_without_a_valid_http_url_is_not_sent() {
    let (_tamtam, bot, alice) = sandbox().await;
    for url in ["cat.jpg", "/tmp/cat.jpg", "ftp://x.example/cat.jpg", "https://", "not a url"] {
        let error = bot.send(alice.chat_id(), AttachmentRequest::photo_url(url)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error:?}");
        assert!(error.to_string().contains("not sent: body.attachments[0].payload.url "), "{error}");
        assert!(error.to_string().contains("https://"), "{error}");
    }
    assert!(alice.sees().is_empty());
}

#[tokio::test]
async fn the_name_and_phone_of_a_contact_card_are_read_back_unchanged() {
    let (_tamtam, bot, alice) = sandbox().await;
    for (name, phone) in [("Bob", "+15550100"), (r"Liddell, Alice; \n", "+1 555;7"), ("two\nlines", "1,2")] {
        let sent = bot.send(alice.chat_id(), AttachmentRequest::contact_phone(name, phone)).await.unwrap().message;
        let contact = sent.contacts().next().unwrap();
        assert_eq!((contact.name().as_deref(), contact.phone().as_deref()), (Some(name), Some(phone)));
    }
    let card = "BEGIN:VCARD\r\nVERSION:2.1\r\nitem1.TEL;CELL:tel:+155\r\n 50100\r\n\
        FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=D0=90=\r\n=D0=BD=D1=8F\r\nEND:VCARD\r\n";
    let sent = bot.send(alice.chat_id(), AttachmentRequest::contact_vcard(card)).await.unwrap().message;
    let contact = sent.contacts().next().unwrap();
    assert_eq!((contact.name().as_deref(), contact.phone().as_deref()), (Some("Аня"), Some("+15550100")));
}
