//! Updates and answers with a value that does not fit the document. The value affects only itself.

use serde_json::{Value, json};
use tamtam::{Attachment, AttachmentRequest, Bot, ChatId, ErrorKind, Message, MessageId, Update, types::Subscription};
use wiremock::{MockServer, ResponseTemplate};

use crate::{
    common::{answering, answering_json, bot, chat, member, message as good_message, requests},
    updates::Pages,
};

const SENDER: &str = r#"{"user_id":7,"name":"Alice"}"#;

/// Returns the JSON of a message with the text `/start`, with more properties in its body and beside the body.
fn message(sender: &str, in_body: &str, beside: &str) -> String {
    format!(
        r#"{{"sender":{sender},"recipient":{{"chat_id":5,"chat_type":"dialog"}},"timestamp":1,
            "body":{{"mid":"m","seq":1,"text":"/start"{in_body}}}{beside}}}"#
    )
}

fn created(message: &str) -> String {
    format!(r#"{{"update_type":"message_created","timestamp":1,"message":{message}}}"#)
}

/// Reads the update with a message from every source.
fn read(message: &str) -> Update {
    let json = created(message);
    let update: Update = serde_json::from_str(&json).unwrap();
    let value: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(serde_json::from_value::<Update>(value).unwrap(), update);
    assert_eq!(serde_json::from_reader::<_, Update>(json.as_bytes()).unwrap(), update);
    assert!(matches!(update, Update::MessageCreated(_)), "{update:?}");
    update
}

/// Asserts that an update has all values of [`message`].
fn assert_whole(update: &Update) {
    assert_eq!((update.text(), update.command().map(|command| command.name)), (Some("/start"), Some("start")));
    assert_eq!((update.chat_id(), update.user_id().map(|user| user.0)), (Some(ChatId(5)), Some(7)));
    assert_eq!((update.message_id(), update.timestamp()), (Some(MessageId::from("m")), Some(1)));
    assert_eq!(update.message().unwrap().body.as_ref().unwrap().seq, 1);
}

/// People whose name is missing or does not fit.
const NAMELESS: [&str; 5] = [
    r#"{"user_id":7,"name":null}"#,
    r#"{"user_id":7}"#,
    r#"{"user_id":7,"name":5}"#,
    r#"{"user_id":7,"name":{"first":"Alice"}}"#,
    r#"{"name":["Alice"],"user_id":7}"#,
];

#[test]
fn a_message_of_a_sender_without_a_name_is_read_completely() {
    for sender in NAMELESS {
        let update = read(&message(sender, "", ""));
        assert_whole(&update);
        assert_eq!((update.sender_name(), update.message().unwrap().sender_name()), (None, None));
    }
}

#[tokio::test]
async fn the_update_stream_returns_a_message_of_a_sender_without_a_name() {
    let updates = NAMELESS.map(|sender| created(&message(sender, "", ""))).join(",");
    let page = format!(r#"{{"updates":[{updates}],"marker":9}}"#);
    let (_server, bot, _) = Pages::serve([page, r#"{"updates":[],"marker":9}"#.to_owned()]).await;
    let mut updates = bot.updates();
    for _ in NAMELESS {
        assert_whole(&updates.try_next().await.unwrap().unwrap());
    }
}

#[test]
fn an_incomplete_attachment_is_kept() {
    let attached = |attachment: &str| {
        let update = read(&message(SENDER, &format!(r#","attachments":[{attachment}]"#), ""));
        assert_whole(&update);
        update.attachments().to_vec()
    };
    let video = attached(r#"{"type":"video","payload":{"url":"u","token":"t"},"thumbnail":{"url":"u"}}"#);
    let [Attachment::Video(video)] = &video[..] else { panic!("{video:?}") };
    assert_eq!((video.payload.url.as_str(), video.payload.token.as_deref()), ("u", Some("t")));
    assert_eq!(video.thumbnail.as_ref().unwrap().url, "u");
    let contact = attached(r#"{"type":"contact","payload":{"vcf_info":"x","tam_info":{"user_id":3,"name":null}}}"#);
    let [Attachment::Contact(contact)] = &contact[..] else { panic!("{contact:?}") };
    assert_eq!(contact.payload.vcf_info.as_deref(), Some("x"));
    assert_eq!(contact.payload.tam_info.as_ref().unwrap().user_id.0, 3);
    for payload in [r#"{"url":"u"}"#, r#"{"url":"u","photo_id":1}"#, r#"{"url":"u","photo_id":"x","token":null}"#] {
        let image = attached(&format!(r#"{{"type":"image","payload":{payload}}}"#));
        let [image @ Attachment::Image(_)] = &image[..] else { panic!("{image:?}") };
        assert_eq!(image.url(), Some("u"));
        assert_eq!(AttachmentRequest::try_from(image).unwrap(), AttachmentRequest::photo_url("u"));
    }
}

#[test]
fn a_contact_without_a_name_of_the_user_has_the_name_of_its_card() {
    let json = r#"{"type":"contact","payload":{"vcf_info":"BEGIN:VCARD\r\nFN:Bob\r\nEND:VCARD",
        "tam_info":{"user_id":3,"name":null}}}"#;
    let Attachment::Contact(contact) = serde_json::from_str(json).unwrap() else { panic!() };
    assert_eq!(contact.name(), Some("Bob".to_owned()));
}

#[test]
fn a_reply_to_a_message_that_is_null_keeps_its_text() {
    for link in [r#"{"type":"reply","message":null}"#, r#"{"type":"reply"}"#, r#"{"type":5,"message":{}}"#, "[]"] {
        let update = read(&message(SENDER, "", &format!(r#","link":{link}"#)));
        assert_whole(&update);
        assert!(update.link().is_none());
    }
}

/// Returns values that are not members, chats or subscriptions.
fn odd() -> Vec<Value> {
    let fields = json!({"user_id": "x", "chat_id": "x", "url": 5, "name": "A", "title": "A", "is_admin": true});
    vec![json!(null), json!(5), json!("x"), json!([]), json!([1, "A"]), json!({}), fields]
}

/// Returns two valid values with invalid ones before, between and after them.
fn among_odd(good: [Value; 2], odd: Vec<Value>) -> Vec<Value> {
    let [first, second] = good;
    [odd.clone(), vec![first], odd.clone(), vec![second], odd].concat()
}

async fn answers(answer: Value) -> (MockServer, Bot) {
    let server = answering_json(&answer).await;
    let bot = bot(&server);
    (server, bot)
}

#[tokio::test]
async fn an_invalid_member_is_left_out_of_a_list() {
    let mut members = among_odd([member(1, "A"), member(2, "B")], odd());
    members.push(json!({"user_id": 3, "name": null, "permissions": ["write", 5]}));
    let (server, bot) = answers(json!({ "members": members })).await;
    for members in [
        bot.api().get_members(-7).await.unwrap().members,
        bot.api().get_admins(-7).await.unwrap().members,
        bot.admins(-7).await.unwrap().members,
        bot.members(-7).all().await.unwrap(),
    ] {
        let read: Vec<_> = members.iter().map(|member| (member.user_id.0, member.name.as_str())).collect();
        assert_eq!(read, [(1, "A"), (2, "B"), (3, "")]);
        let permissions = members.iter().map(|member| member.permissions.as_ref().unwrap().len());
        assert_eq!(permissions.collect::<Vec<_>>(), [2, 2, 1]);
    }
    assert_eq!(requests(&server).await.len(), 4);
}

#[tokio::test]
async fn an_invalid_chat_is_left_out_of_a_list() {
    let mut chats = among_odd([chat(1, "A"), chat(2, "B")], odd());
    chats.push(json!({"chat_id": 3, "participants": {"101": 1, "102": null}, "pinned_message": 5}));
    let (server, bot) = answers(json!({ "chats": chats, "marker": null })).await;
    for chats in [bot.api().get_chats().await.unwrap().chats, bot.chats().all().await.unwrap()] {
        let read: Vec<_> = chats.iter().map(|chat| (chat.chat_id.0, chat.title.as_deref())).collect();
        assert_eq!(read, [(1, Some("A")), (2, Some("B")), (3, None)]);
        let participants = chats.iter().map(|chat| chat.participants.as_ref().unwrap().len());
        assert_eq!(participants.collect::<Vec<_>>(), [2, 2, 1]);
        assert_eq!(chats.iter().filter(|chat| chat.pinned_message.is_some()).count(), 2);
    }
    assert_eq!(requests(&server).await.len(), 2);
}

fn texts(messages: &[Message]) -> Vec<Option<&str>> {
    messages.iter().map(Message::text).collect()
}

#[tokio::test]
async fn an_invalid_message_is_left_out_of_a_list() {
    let odd = vec![json!(null), json!(5), json!("x"), json!([]), json!([good_message("m", "x")])];
    let messages = among_odd([good_message("mid.2", "B"), good_message("mid.1", "A")], odd);
    let (server, bot) = answers(json!({ "messages": messages })).await;
    assert_eq!(texts(&bot.api().get_messages().chat_id(-7).await.unwrap().messages), [Some("B"), Some("A")]);
    assert_eq!(requests(&server).await.len(), 1);
    assert_eq!(texts(&bot.messages(-7).all().await.unwrap()), [Some("B"), Some("A")]);
}

#[tokio::test]
async fn an_invalid_subscription_is_left_out_of_a_list() {
    let hook = |path: &str| json!({"url": format!("https://bot.example/{path}"), "time": 1, "version": "0.5.6"});
    let mut subscriptions = among_odd([hook("1"), hook("2")], odd());
    // Captured lists of subscriptions have no `time`.
    subscriptions.push(json!({"url": "https://bot.example/3", "update_types": ["bot_started", 5]}));
    let (server, bot) = answers(json!({ "subscriptions": subscriptions })).await;
    for answer in [bot.subscriptions().await.unwrap(), bot.api().get_subscriptions().await.unwrap()] {
        let read = |hook: &Subscription| (hook.url.clone(), hook.time);
        let expected = [("1", Some(1)), ("2", Some(1)), ("3", None)];
        let expected = expected.map(|(path, time)| (format!("https://bot.example/{path}"), time));
        assert_eq!(answer.subscriptions.iter().map(read).collect::<Vec<_>>(), expected);
        assert_eq!(answer.subscriptions[2].update_types.as_ref().unwrap().len(), 1);
    }
    assert_eq!(requests(&server).await.len(), 2);
}

#[tokio::test]
async fn half_a_surrogate_pair_in_a_message_is_replaced() {
    let [one, two, three] =
        ["one", "half HALF", "three"].map(|text| good_message(&format!("mid.{text}"), text).to_string());
    let body = format!(r#"{{"messages":[{one},{},{three}]}}"#, two.replace("HALF", r"\ud83d"));
    let server = answering(ResponseTemplate::new(200).set_body_string(body)).await;
    let messages = bot(&server).api().get_messages().chat_id(-7).await.unwrap().messages;
    assert_eq!(texts(&messages), [Some("one"), Some("half \u{fffd}"), Some("three")]);
    assert_eq!(requests(&server).await.len(), 1);
}

#[test]
fn half_a_surrogate_pair_read_by_serde_directly_is_left_out() {
    let json = created(&message(SENDER, "", "").replace("/start", r"half \ud83d"));
    let Update::MessageCreated(created) = serde_json::from_str(&json).unwrap() else { panic!() };
    let message = created.message.unwrap();
    assert_eq!((message.text(), message.mid()), (None, Some(&MessageId::from("m"))));
}

#[tokio::test]
async fn a_message_is_sent_even_if_its_answer_does_not_fit() {
    let whole = r#"{"message":{"sender":{"user_id":7,"name":"Bot"},"recipient":{"chat_id":5,"chat_type":"dialog"},
        "timestamp":1,"body":{"mid":"mid.1","seq":1,"text":"hi"}}}"#;
    for (good, misfit) in [
        ("", ""),
        (r#""name":"Bot""#, r#""name":null"#),
        (r#","name":"Bot""#, ""),
        (r#""recipient":{"chat_id":5,"chat_type":"dialog"},"#, ""),
        (r#"{"chat_id":5,"chat_type":"dialog"}"#, "[]"),
        (r#""text":"hi""#, r#""text":"half \ud83d""#),
        (r#""seq":1"#, r#""seq":"1""#),
        (r#""timestamp":1"#, r#""timestamp":null"#),
        (r#""text":"hi""#, r#""text":"hi","attachments":{},"markup":[5]"#),
    ] {
        let body = whole.replace(good, misfit);
        assert!(good.is_empty() || body != whole, "{good}");
        let server = answering(ResponseTemplate::new(200).set_body_string(&body)).await;
        let sent = bot(&server).send(ChatId(5), "hi").await.unwrap_or_else(|error| panic!("{error}: {body}"));
        assert_eq!(MessageId::from(&sent).as_str(), "mid.1");
        assert_eq!(requests(&server).await.len(), 1);
    }
}

#[tokio::test]
async fn an_answer_without_the_sent_message_is_an_error_that_may_have_been_applied() {
    for body in ["[[]]", "{}", r#"{"message":"x"}"#, r#"{"message":null}"#, r#"{"message":[]}"#, r#"{"message":{}}"#] {
        let server = answering(ResponseTemplate::new(200).set_body_string(body)).await;
        let error = bot(&server).send(ChatId(5), "hi").await.unwrap_err();
        assert!(
            error.kind() == ErrorKind::Decode && error.may_have_been_applied() && !error.is_retryable(),
            "{body}: {error}"
        );
        assert_eq!(requests(&server).await.len(), 1);
    }
}
