//! Long polling: `getUpdates`. The server waits between the looks.

use std::time::Duration;

use super::call::Call;
use crate::protocol::error::ApiError;
use crate::state::State;
use crate::state::ids::UserId;
use crate::state::updates::queue::Queue;

const LIMIT_DEFAULT: u16 = 100;
/// How long a poll is held if it does not say, in seconds.
const HOLD_DEFAULT: u16 = 30;

/// The parameters of a poll.
pub(crate) struct Poll {
    bot: UserId,
    limit: usize,
    marker: Option<i64>,
    types: Vec<String>,
    /// How long the server waits for an update.
    pub(crate) hold: Duration,
}

impl Poll {
    pub(crate) fn read(call: &Call) -> Result<Self, ApiError> {
        Ok(Self {
            bot: call.bot,
            limit: call.count("limit", LIMIT_DEFAULT)?.into(),
            hold: Duration::from_secs(call.count("timeout", HOLD_DEFAULT)?.into()),
            marker: call.integer("marker")?,
            types: call.list("types").into_iter().map(str::to_owned).collect(),
        })
    }

    /// Commits the updates before the marker.
    pub(crate) fn commit(&self, state: &mut State) -> Result<(), ApiError> {
        let Some(marker) = self.marker else { return Ok(()) };
        self.queue(state).map(|queue| queue.commit(marker))
    }

    /// The page as it is now, and whether it has an update. Beside a webhook a poll is refused.
    ///
    /// Sending a page commits nothing: a client that is gone by then, or asks again with the marker it
    /// had, gets the same updates again.
    pub(crate) fn page(&self, state: &mut State) -> Result<(String, bool), ApiError> {
        Ok(self.queue(state)?.page(self.limit, &self.types))
    }

    /// The queue of the bot, if it may poll.
    fn queue<'a>(&self, state: &'a mut State) -> Result<&'a mut Queue, ApiError> {
        let bot = state.bots.get_mut(&self.bot).ok_or_else(ApiError::token)?;
        bot.mailbox.polled().ok_or_else(ApiError::webhook_subscribed)
    }
}
