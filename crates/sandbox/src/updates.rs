//! How updates get to a bot: it polls them, or its webhooks are sent them.

pub(super) mod courier;
mod deliveries;
mod delivery;
pub(super) mod mailbox;
pub(super) mod queue;
mod schedule;
pub(super) mod subscription;

pub use delivery::Delivery;
