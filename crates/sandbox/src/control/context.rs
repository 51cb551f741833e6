//! The shared state of the endpoints.

use std::sync::Arc;
use std::time::Duration;

use axum::extract;
use tokio::time::Instant;

use crate::server::world::World;
use crate::state::State;
use crate::state::ids::UserId;

/// The world and the settings of the endpoints.
pub(crate) struct Control {
    pub(crate) world: Arc<World>,
    pub(crate) base_url: String,
    pub(crate) patience: Duration,
}

/// The extractor of [`Control`].
pub(super) type ControlState = extract::State<Arc<Control>>;

pub(super) async fn wait<T>(
    control: &Control,
    timeout: Duration,
    look: impl FnMut(&mut State) -> Option<T>,
) -> Option<T> {
    control.world.wait(deadline(timeout), look).await
}

/// Returns the instant at which a timeout ends.
pub(super) fn deadline(timeout: Duration) -> Instant {
    // An `Instant` cannot be too far in the future. No test waits longer than an hour.
    const LONGEST: Duration = Duration::from_secs(60 * 60);
    Instant::now() + timeout.min(LONGEST)
}

/// Returns the bot that the sandbox was started with.
pub(super) fn first_bot(state: &State) -> UserId {
    state.first_bot.unwrap_or_default()
}
