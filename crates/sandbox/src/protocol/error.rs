//! Error answers of the API: the table of kinds, and the message of each case.

use serde_json::{Value, json};

/// The reason why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    Token,
    TokenPlace,
    Payload,
    ChatDenied,
    AccessDenied,
    ChatNotFound,
    NotFound,
    PathUnknown,
    MethodNotAllowed,
    BodyTooLarge,
    NotReady,
    TooMany,
    CommentTooOld,
}

impl ErrorKind {
    /// Returns the HTTP status and the API's `code`.
    const fn row(self) -> (u16, &'static str) {
        match self {
            Self::Token => (401, "verify.token"),
            Self::TokenPlace => (403, "deprecated.token"),
            Self::Payload => (400, "proto.payload"),
            Self::ChatDenied => (403, "chat.denied"),
            Self::AccessDenied => (403, "access.denied"),
            Self::ChatNotFound => (404, "chat.not.found"),
            Self::NotFound => (404, "not.found"),
            Self::PathUnknown => (404, "method.not.found"),
            Self::MethodNotAllowed => (405, "method.not.allowed"),
            Self::BodyTooLarge => (413, "proto.payload"),
            Self::NotReady => (400, "attachment.not.ready"),
            Self::TooMany => (429, "too.many.requests"),
            Self::CommentTooOld => (422, "comments.timeout_exceeded"),
        }
    }
}

/// An error answer of the API. The message distinguishes the cases of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    kind: ErrorKind,
    message: String,
}

impl ApiError {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    pub(crate) fn token() -> Self {
        Self::new(ErrorKind::Token, "Invalid access_token")
    }

    /// The token is in the query.
    pub(crate) fn token_in_query() -> Self {
        Self::new(ErrorKind::TokenPlace, "The token must be in the header Authorization, not in the query")
    }

    pub(crate) fn too_many() -> Self {
        Self::new(ErrorKind::TooMany, "Too many requests")
    }

    /// The request has the right form, but is invalid.
    pub(crate) fn payload(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Payload, message)
    }

    /// The body is not JSON, or has a wrong field. `detail` names the field and the problem, or is empty.
    pub(crate) fn body(detail: &str) -> Self {
        let colon = if detail.is_empty() { "" } else { ": " };
        Self::payload(format!("Can't deserialize body{colon}{detail}"))
    }

    /// A text is shorter or longer than allowed.
    pub(crate) fn size(field: &str, least: usize, most: usize) -> Self {
        Self::payload(format!("{field}: size must be between {least} and {most}"))
    }

    /// A number is below or above what is allowed.
    pub(crate) fn range(field: &str, least: i64, most: i64) -> Self {
        Self::payload(format!("{field}: must be between {least} and {most}"))
    }

    pub(crate) fn suspended() -> Self {
        Self::new(ErrorKind::ChatDenied, "error.dialog.suspended")
    }

    pub(crate) fn not_a_member() -> Self {
        Self::new(ErrorKind::ChatDenied, "chat.no.permission.because.not.member")
    }

    pub(crate) fn not_an_admin() -> Self {
        Self::new(ErrorKind::ChatDenied, "chat.no.permission.because.not.admin")
    }

    /// Only administrators post in a channel.
    pub(crate) fn no_post() -> Self {
        Self::new(ErrorKind::ChatDenied, "chat.send.msg.no.permission.because.not.admin")
    }

    pub(crate) fn chat_not_found(chat: i64) -> Self {
        Self::new(ErrorKind::ChatNotFound, format!("Chat {chat} not found"))
    }

    /// The user has never started the bot, or has removed the dialog.
    pub(crate) fn dialog_not_found() -> Self {
        Self::new(ErrorKind::NotFound, "dialog.not.found")
    }

    pub(crate) fn message_not_found(mid: &str) -> Self {
        Self::new(ErrorKind::NotFound, format!("Message {mid} not found"))
    }

    pub(crate) fn link_not_found(link: &str) -> Self {
        Self::new(ErrorKind::ChatNotFound, format!("Chat {link} not found"))
    }

    pub(crate) fn callback_not_found(callback: &str) -> Self {
        Self::new(ErrorKind::NotFound, format!("Callback {callback} not found"))
    }

    /// The constructor session does not exist, belongs to another bot, or has ended because its message was posted.
    pub(crate) fn session_not_found(session: &str) -> Self {
        Self::new(ErrorKind::NotFound, format!("Session {session} not found"))
    }

    /// The message belongs to another user.
    pub(crate) fn access_denied() -> Self {
        Self::new(ErrorKind::AccessDenied, "Access denied")
    }

    /// An attached file is still being processed. Some servers send no message.
    pub(crate) fn not_ready() -> Self {
        Self::new(ErrorKind::NotReady, "")
    }

    /// The form of [`not_ready`](Self::not_ready) that other servers use.
    pub(crate) fn not_processed() -> Self {
        Self::payload("Key: errors.process.attachment.file.not.processed")
    }

    /// A user who is not in the chat cannot get rights there.
    pub(crate) fn not_a_participant(user: i64, chat: i64) -> Self {
        Self::new(ErrorKind::AccessDenied, format!("User {user} is not participant of chat {chat}"))
    }

    pub(crate) fn no_right(permission: &str) -> Self {
        Self::new(ErrorKind::AccessDenied, format!("The right {permission} is missing"))
    }

    /// Comments are switched off in the channel.
    pub(crate) fn comments_closed() -> Self {
        Self::new(ErrorKind::ChatDenied, "comments.disabled")
    }

    pub(crate) fn comment_too_old() -> Self {
        Self::new(ErrorKind::CommentTooOld, "The comment is too old to be edited")
    }

    pub(crate) fn video_not_found(token: &str) -> Self {
        Self::new(ErrorKind::NotFound, format!("Video {token} not found"))
    }

    /// Whether an attached file is still being processed.
    pub(crate) fn is_not_ready(&self) -> bool {
        self.kind == ErrorKind::NotReady || self.message.contains(".not.processed")
    }

    pub(crate) fn owner_stays() -> Self {
        Self::new(ErrorKind::ChatDenied, "chat.no.permission.because.owner")
    }

    /// The bot has a webhook, and cannot poll.
    pub(crate) fn webhook_subscribed() -> Self {
        Self::new(ErrorKind::MethodNotAllowed, "Updates are sent to a webhook: unsubscribe it to get them by polling")
    }

    pub(crate) const fn status(&self) -> u16 {
        self.kind.row().0
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn json(&self) -> Value {
        json!({ "code": self.kind.row().1, "message": self.message })
    }
}
