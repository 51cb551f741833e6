//! The pace of a bot: delays requests so that they do not exceed the limits of the server.

mod gate;
mod schedule;

pub use gate::PaceHealth;
pub(crate) use gate::{Gate, Passage};
pub(crate) use schedule::{PaceKey, Priority};
