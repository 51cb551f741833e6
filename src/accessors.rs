//! Accessors of received updates and messages. They never panic.
//!
//! Most accessors of `Update` are generated from its variants, see `x-accessors` in `openapi/overlay.yaml`.

// The documentation of `Update` shows the accessors in this order.
mod update;

mod linked;
mod message;
mod mid;
pub(crate) mod non_empty;
mod sender;
mod time;
mod vcard;

mod key;

mod constructor;
