//! The pace of a bot: requests wait here until they may be sent, so that the server refuses none.

mod gate;
mod schedule;

pub use gate::PaceHealth;
pub(crate) use gate::{Gate, Passage};
pub(crate) use schedule::{PaceKey, Priority};
