//! Holds polls until there are updates.

use tokio::time::Instant;

use super::world::World;
use crate::operations::call::Call;
use crate::operations::updates::Poll;
use crate::protocol::error::ApiError;
use crate::state::State;

/// Returns a page of updates, and waits for it if necessary. Subscribing a webhook refuses a held poll.
pub(super) async fn get_updates(world: &World, call: &Call) -> Result<String, ApiError> {
    let poll = world.act(|state| {
        let poll = Poll::read(state, call)?;
        // Wakes tasks that wait until all updates are handled.
        state.touched = true;
        poll.commit(state).map(|()| poll)
    })?;
    let deadline = Instant::now() + poll.hold;
    let mut held = None;
    let look = |state: &mut State| {
        let page = poll.page(state, false).transpose();
        // The poll counts as held after the first look without a page.
        if page.is_none() && held.is_none() {
            held = Some(world.hold_poll());
        }
        page
    };
    let found = world.wait(deadline, look).await;
    drop(held);
    match found {
        Some(page) => page,
        None => world.act(|state| poll.page(state, true)).map(Option::unwrap_or_default),
    }
}
