//! The API's own names of its failures.

use crate::model::open_enum::open_enum;

open_enum! {
    /// What the API calls a failure (`code` in the body of an error).
    ///
    /// Not in the API's document: these are the codes that servers were seen to send.
    pub enum ErrorCode {
    /// 401: the token is missing, wrong or revoked.
    VerifyToken = "verify.token",
    /// 400: attached media is still being processed. The message may say so under another code; ask
    /// [`Error::is_attachment_not_ready`](crate::Error::is_attachment_not_ready), which knows both.
    AttachmentNotReady = "attachment.not.ready",
    /// 400: the request is not valid; the message says why.
    ProtoPayload = "proto.payload",
    /// 403: the chat does not let the bot do this; [`Error::chat_denied`](crate::Error::chat_denied) says why.
    ChatDenied = "chat.denied",
    /// 403: the bot has no right to do this.
    AccessDenied = "access.denied",
    /// 404: there is no such chat, or the bot is not in it.
    ChatNotFound = "chat.not.found",
    /// 404: there is no such thing. With the message `dialog.not.found`, the user has never opened the bot.
    NotFound = "not.found",
    /// 404: the API has no such method.
    MethodNotFound = "method.not.found",
    /// 429: too many requests; slow down.
    TooManyRequests = "too.many.requests",
    /// 500: the server failed; the last word of the message is an incident's id.
    InternalError = "internal.error",
    } else Other
}

/// Why a chat does not let the bot do something (`chat.denied`), as far as the server's message tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChatDenied {
    /// The user has stopped the bot: nothing can be sent until the user starts it again.
    BotStopped,
    /// The bot is not an administrator, or lacks the right to write.
    NotAdmin,
    /// Something else, which [`Error::message`](crate::Error::message) says.
    Other,
}

impl ChatDenied {
    pub(crate) fn of(message: &str) -> Self {
        if message.contains("dialog.suspended") {
            Self::BotStopped
        } else if message.contains("not.admin") {
            Self::NotAdmin
        } else {
            Self::Other
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_apart_and_unknown_ones_kept() {
        assert_eq!(ErrorCode::from("chat.denied"), ErrorCode::ChatDenied);
        assert_eq!(ErrorCode::from("new.code"), ErrorCode::Other("new.code".to_owned()));
        assert_eq!(ErrorCode::from("new.code").to_string(), "new.code");
        assert_eq!(ErrorCode::VerifyToken, "verify.token");
    }

    #[test]
    fn a_denial_is_told_by_its_message() {
        assert_eq!(ChatDenied::of("error.dialog.suspended"), ChatDenied::BotStopped);
        assert_eq!(ChatDenied::of("Key: error.dialog.suspended"), ChatDenied::BotStopped);
        assert_eq!(ChatDenied::of("chat.send.msg.no.permission.because.not.admin"), ChatDenied::NotAdmin);
        assert_eq!(ChatDenied::of("chat.closed"), ChatDenied::Other);
    }
}
