//! The names of the crate: the root and `types` can be imported together.

use tamtam::{types::*, *};

/// Uses each name of the root. A name that `types` has with another meaning would be ambiguous here.
#[test]
fn the_root_and_the_types_have_no_name_in_common() {
    fn named<T: ?Sized>() -> &'static str {
        std::any::type_name::<T>()
    }
    let names = [
        named::<Attachment>(),
        named::<AttachmentRequest>(),
        named::<Bot>(),
        named::<BotBuilder>(),
        named::<BotCommand>(),
        named::<Button>(),
        named::<Callback>(),
        named::<Chat>(),
        named::<ChatDenied>(),
        named::<ChatId>(),
        named::<ChatMember>(),
        named::<Command>(),
        named::<Error>(),
        named::<ErrorCode>(),
        named::<ErrorKind>(),
        named::<Keyboard>(),
        named::<Message>(),
        named::<MessageId>(),
        named::<NewMessageBody>(),
        named::<Result<()>>(),
        named::<Service>(),
        named::<Target>(),
        named::<Update>(),
        named::<UpdateType>(),
        named::<User>(),
        named::<UserId>(),
        named::<ApiError>(),
        named::<Unknown>(),
    ];
    fn handled(result: impl HandlerResult) -> bool {
        result.into_result().is_ok()
    }
    assert!(handled(()) && names.iter().all(|name| !name.is_empty()));
}

/// Compiles if the traits of arguments accept all forms in which callers have their values.
#[allow(dead_code, clippy::needless_borrows_for_generic_args)]
fn every_form_of_an_argument_is_accepted(bot: &Bot, message: Message, chat: Chat, user: User, member: ChatMember) {
    fn target(_: impl request::IntoTarget) {}
    fn mid(_: impl request::IntoMessageId) {}
    fn sendable(_: impl request::Sendable) {}
    fn long(_: impl request::LongText) {}
    fn source(_: impl Into<upload::Source>) {}
    let (chat_id, user_id, text) = (ChatId(1), UserId(1), "text".to_owned());
    target(chat_id);
    target(&chat_id);
    target(user_id);
    target(&user_id);
    target(Target::Chat(chat_id));
    target(&Target::Chat(chat_id));
    target(&chat);
    target(chat);
    target(&user);
    target(user);
    target(&member);
    target(member);
    mid("mid.1");
    mid(&text);
    mid(text.clone());
    mid(MessageId::from("mid.1"));
    mid(&MessageId::from("mid.1"));
    mid(&message);
    mid(Box::new(message.clone()));
    mid(&Box::new(message.clone()));
    mid(message);
    sendable("text");
    sendable(&text);
    sendable(text.clone());
    sendable(std::borrow::Cow::Borrowed("text"));
    sendable(text::Text::new("text"));
    sendable(NewMessageBody::from("text"));
    sendable(AttachmentRequest::sticker("code"));
    sendable(bot.upload_photo(b"bytes"));
    sendable(bot.upload_photo(b"bytes").text("text"));
    long("text");
    long(&text);
    long(text.clone());
    long(std::borrow::Cow::Borrowed("text"));
    long(text::Text::new("text"));
    long(NewMessageBody::markdown("text"));
    source("path");
    source(&text);
    source(text.clone());
    source(std::path::Path::new("path"));
    source(std::path::PathBuf::from("path"));
    source(&std::path::PathBuf::from("path"));
    source(std::ffi::OsString::from("path"));
    source(b"bytes");
    source(vec![1, 2]);
    source(vec![1, 2].into_boxed_slice());
    source(bytes::Bytes::from_static(b"bytes"));
}
