//! What a bot sends: attachments, keyboards, formatted text.

pub(crate) mod attachment;
pub(crate) mod keyboard;
pub(crate) mod payload;
pub mod text;
