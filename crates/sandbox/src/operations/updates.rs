//! Long polling: `getUpdates`. The server does the waiting.

use std::time::Duration;

use super::call::Call;
use crate::protocol::error::ApiError;
use crate::state::State;
use crate::state::ids::UserId;
use crate::state::updates::queue::{Poller, Queue};

const LIMIT_DEFAULT: u16 = 100;
/// The default time that a poll is held, in seconds.
const HOLD_DEFAULT: u16 = 30;

/// The parameters of a poll.
pub(crate) struct Poll {
    bot: UserId,
    limit: usize,
    marker: Option<i64>,
    types: Vec<String>,
    poller: Option<Poller>,
    /// How long the server waits for an update.
    pub(crate) hold: Duration,
}

impl Poll {
    pub(crate) fn read(state: &State, call: &Call) -> Result<Self, ApiError> {
        let marker = call.integer("marker")?;
        let poller = Poller { connection: call.connection.clone(), marker, began: state.clock.now() };
        let hold = Duration::from_secs(call.count("timeout", HOLD_DEFAULT)?.into());
        Ok(Self {
            bot: call.bot,
            limit: state.rate_limit.page(call.count("limit", LIMIT_DEFAULT)?.into()),
            hold: state.rate_limit.hold(hold),
            marker,
            poller: Some(poller).filter(|_| state.service.traits().shares_updates),
            types: call.list("types").into_iter().map(str::to_owned).collect(),
        })
    }

    /// Commits the updates before the marker.
    pub(crate) fn commit(&self, state: &mut State) -> Result<(), ApiError> {
        if let Some(bot) = state.bots.get_mut(&self.bot) {
            bot.mailbox.asks_for(&self.types);
        }
        let Some(marker) = self.marker else { return Ok(()) };
        self.queue(state).map(|queue| queue.commit(marker, self.poller.as_ref()))
    }

    /// Returns the page as it is now. `is_over`: the poll is no longer held. Before that, an empty page is `None`.
    /// Fails if the bot has a webhook.
    ///
    /// Sending a page commits nothing. A client that disconnected, or that polls with its old marker, gets the same
    /// updates again.
    pub(crate) fn page(&self, state: &mut State, is_over: bool) -> Result<Option<String>, ApiError> {
        let now = state.clock.now();
        let queue = self.queue(state)?;
        let mut page = match &self.poller {
            Some(poller) => queue.shared_page(self.limit, &self.types, poller, now),
            None => queue.page(self.limit, &self.types),
        };
        if page.is_empty() && is_over && self.poller.is_some() {
            queue.mark(&mut page);
        }
        Ok((is_over || !page.is_empty()).then(|| page.json()))
    }

    /// Returns the queue of the bot. Fails if the bot has a webhook.
    fn queue<'a>(&self, state: &'a mut State) -> Result<&'a mut Queue, ApiError> {
        let forgets_before = state.rate_limit.forgets_before(state.clock.dated());
        let bot = state.bots.get_mut(&self.bot).ok_or_else(ApiError::token)?;
        if let Some(time) = forgets_before {
            bot.mailbox.forget_before(time);
        }
        bot.mailbox.polled().ok_or_else(ApiError::webhook_subscribed)
    }
}
