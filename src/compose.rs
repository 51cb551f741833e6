//! Content of messages: attachments, keyboards, formatted text.

pub(crate) mod attachment;
pub(crate) mod json_field;
pub(crate) mod keyboard;
pub(crate) mod message;
pub mod text;
