//! Holds polls.

use tokio::time::Instant;

use super::world::World;
use crate::operations::call::Call;
use crate::operations::updates::Poll;
use crate::protocol::error::ApiError;
use crate::state::State;

/// Answers with the page that is there, or waits for one. A poll that is held when a webhook is subscribed is refused.
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
        // Held from the first look that finds nothing.
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
