//! Long polling: `getUpdates`.

use std::time::Duration;

use tokio::time::Instant;

use crate::sandbox::error::Fault;
use crate::sandbox::request::Request;
use crate::sandbox::state::State;
use crate::sandbox::world::World;

const LIMIT_DEFAULT: u16 = 100;
const LIMIT_MOST: u16 = 1_000;
/// How long a poll is held if it does not say, and at most; in seconds.
const HOLD_DEFAULT: u16 = 30;
const HOLD_MOST: u16 = 90;

/// Commits what is before the marker, then answers with the page that is there, or waits for one.
///
/// Sending a page commits nothing: a client that is gone by then, or asks again with the marker it
/// had, gets the same updates again.
pub(in crate::sandbox) async fn get_updates(world: &World, request: &Request) -> Result<String, Fault> {
    let limit = usize::from(request.limited("limit", LIMIT_DEFAULT, 1..=LIMIT_MOST)?);
    let hold = request.limited("timeout", HOLD_DEFAULT, 0..=HOLD_MOST)?;
    let marker = request.integer("marker")?;
    let types: Vec<String> = request.list("types").into_iter().map(str::to_owned).collect();
    if let Some(marker) = marker {
        world.act(|state| {
            if let Some(bot) = state.bots.get_mut(&request.bot) {
                bot.queue.commit(marker);
            }
        });
    }
    let page = |state: &mut State| state.bots.get(&request.bot).map(|bot| bot.queue.page(limit, &types));
    let deadline = Instant::now() + Duration::from_secs(hold.into());
    let found = world.wait(deadline, |state| page(state).filter(|(_, any)| *any)).await;
    let found = found.or_else(|| world.act(page));
    found.map(|(text, _)| text).ok_or_else(Fault::token)
}
