//! Holds polls.

use tokio::time::Instant;

use super::world::World;
use crate::operations::call::Call;
use crate::operations::updates::Poll;
use crate::protocol::error::ApiError;
use crate::state::State;

/// Answers with the page that is there, or waits for one. A poll that is held when a webhook is subscribed is refused.
pub(super) async fn get_updates(world: &World, call: &Call) -> Result<String, ApiError> {
    let poll = Poll::read(call)?;
    world.act(|state| poll.commit(state))?;
    let deadline = Instant::now() + poll.hold;
    let worth_an_answer = |page: &Result<(String, bool), ApiError>| page.as_ref().map_or(true, |(_, any)| *any);
    let mut held = None;
    let look = |state: &mut State| {
        let page = Some(poll.page(state)).filter(worth_an_answer);
        // Held from the first look that finds nothing.
        if page.is_none() && held.is_none() {
            held = Some(world.hold_poll());
        }
        page
    };
    let found = world.wait(deadline, look).await;
    drop(held);
    let (text, _) = found.unwrap_or_else(|| world.act(|state| poll.page(state)))?;
    Ok(text)
}
