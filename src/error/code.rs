//! The error codes of the API.

use crate::json::open_enum::open_enum;

open_enum! {
    /// An error code of the API: the value of `code` in the body of an error response. Returned by
    /// [`Error::code`](crate::Error::code).
    ///
    /// The APIs of TamTam and MAX do not document the codes. The variants are codes that servers have sent. Except for
    /// `Other`, the description of each variant begins with the usual HTTP status of the response. In a
    /// [refusal](crate::Error::is_refused) (`success: false`), the status is 200.
    ///
    /// In the descriptions, "the error message" is the text that [`Error::message`](crate::Error::message) returns.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let max = tamtam_sandbox::Sandbox::max().await;
    /// # let bot = max.bot();
    /// use tamtam::{ChatId, ErrorCode};
    ///
    /// let error = bot.chat(ChatId(-1)).await.unwrap_err();
    /// assert_eq!(error.code(), Some(&ErrorCode::ChatNotFound));
    /// assert_eq!(ErrorCode::ChatNotFound.as_str(), "chat.not.found");
    /// # Ok(())
    /// # }
    /// ```
    pub enum ErrorCode {
    /// 401 (on TamTam, also 403): the token is missing, wrong or revoked.
    VerifyToken = "verify.token",
    /// 400: the server is still processing the attached media. Some servers send a different code, and report this
    /// state only in the error message. So
    /// [`Error::is_attachment_not_ready`](crate::Error::is_attachment_not_ready) checks the code and the error
    /// message.
    AttachmentNotReady = "attachment.not.ready",
    /// 400: the request is invalid. The error message contains the reason.
    ProtoPayload = "proto.payload",
    /// 403: the chat does not allow the request. [`Error::chat_denied`](crate::Error::chat_denied) returns the reason.
    ChatDenied = "chat.denied",
    /// 403: the bot is not allowed to make the request. For example, the bot lacks an administrator right.
    AccessDenied = "access.denied",
    /// 404: the chat does not exist, or is not accessible to the bot.
    ChatNotFound = "chat.not.found",
    /// 404: an item in the request, such as a message, does not exist or is not accessible to the bot. If the error
    /// message is `dialog.not.found`, the user has never started the bot.
    NotFound = "not.found",
    /// 404: the API has no such operation.
    MethodNotFound = "method.not.found",
    /// 429: the bot sent too many requests.
    TooManyRequests = "too.many.requests",
    /// 500: the server failed. The last word of the error message is the id of this failure.
    InternalError = "internal.error",
    } else Other
}

/// The reason why a chat does not allow a request. Returned by [`Error::chat_denied`](crate::Error::chat_denied) for
/// errors with the code [`chat.denied`](ErrorCode::ChatDenied).
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// # let max = tamtam_sandbox::Sandbox::max().await;
/// # let (bot, alice) = (max.bot(), max.user("Alice"));
/// # alice.starts();
/// # alice.stops();
/// use tamtam::ChatDenied;
///
/// let error = bot.send(alice.user_id(), "News").await.unwrap_err();
/// if error.chat_denied() == Some(ChatDenied::BotStopped) {
///     println!("Alice has stopped the bot");
/// }
/// # assert_eq!(error.chat_denied(), Some(ChatDenied::BotStopped));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChatDenied {
    /// The user has stopped the bot. Messages to the user fail until the user starts the bot again, or sends a message
    /// to the bot.
    BotStopped,
    /// The bot is not an administrator of the chat, or lacks an administrator right, such as `write`.
    NotAdmin,
    /// Any other reason. [`Error::message`](crate::Error::message) returns the reason as text.
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
    fn keeps_unknown_codes() {
        assert_eq!(ErrorCode::from("chat.denied"), ErrorCode::ChatDenied);
        assert_eq!(ErrorCode::from("new.code"), ErrorCode::Other("new.code".to_owned()));
        assert_eq!(ErrorCode::from("new.code").to_string(), "new.code");
        assert_eq!(ErrorCode::VerifyToken, "verify.token");
    }

    #[test]
    fn reads_the_reason_of_a_denial_from_the_message() {
        assert_eq!(ChatDenied::of("error.dialog.suspended"), ChatDenied::BotStopped);
        assert_eq!(ChatDenied::of("Key: error.dialog.suspended"), ChatDenied::BotStopped);
        assert_eq!(ChatDenied::of("chat.send.msg.no.permission.because.not.admin"), ChatDenied::NotAdmin);
        assert_eq!(ChatDenied::of("chat.closed"), ChatDenied::Other);
    }
}
