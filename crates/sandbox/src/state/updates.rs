//! The updates of a bot: a queue that it polls, and its webhooks.

pub(crate) mod mailbox;
pub(crate) mod queue;
pub(crate) mod schedule;
pub(crate) mod subscription;
