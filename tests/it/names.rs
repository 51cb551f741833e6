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
