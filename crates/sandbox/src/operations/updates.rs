//! Long polling: `getUpdates`.

use std::time::Duration;

use tokio::time::Instant;

use crate::server::error::Fault;
use crate::server::request::Request;
use crate::state::State;
use crate::updates::queue::Queue;
use crate::world::World;

const LIMIT_DEFAULT: u16 = 100;
/// How long a poll is held if it does not say, in seconds.
const HOLD_DEFAULT: u16 = 30;

/// Commits what is before the marker, then answers with the page that is there, or waits for one. Beside a webhook it
/// is refused, and so is a poll that is held when the webhook is subscribed.
///
/// Sending a page commits nothing: a client that is gone by then, or asks again with the marker it
/// had, gets the same updates again.
pub(crate) async fn get_updates(world: &World, request: &Request) -> Result<String, Fault> {
    let limit = usize::from(request.count("limit", LIMIT_DEFAULT)?);
    let hold = request.count("timeout", HOLD_DEFAULT)?;
    let marker = request.integer("marker")?;
    let types: Vec<String> = request.list("types").into_iter().map(str::to_owned).collect();
    if let Some(marker) = marker {
        world.act(|state| queue(state, request).map(|queue| queue.commit(marker)))?;
    }
    let page = |state: &mut State| Ok(queue(state, request)?.page(limit, &types));
    let deadline = Instant::now() + Duration::from_secs(hold.into());
    let worth_an_answer = |page: &Result<(String, bool), Fault>| page.as_ref().map_or(true, |(_, any)| *any);
    let found = world.wait(deadline, |state| Some(page(state)).filter(worth_an_answer)).await;
    let (text, _) = found.unwrap_or_else(|| world.act(page))?;
    Ok(text)
}

/// The queue of the bot, if it may poll.
fn queue<'a>(state: &'a mut State, request: &Request) -> Result<&'a mut Queue, Fault> {
    let bot = state.bots.get_mut(&request.bot).ok_or_else(Fault::token)?;
    bot.mailbox.polled().ok_or_else(Fault::webhook_subscribed)
}
