//! Updates that are lost, come twice, or are of a kind that nobody knows.

use serde_json::Value;

use crate::server::wire;
use crate::state::State;
use crate::state::ids::UserId;
use crate::updates::queue::Update;
use crate::{Account, Sandbox};

const NOTHING_YET: &str = "there was no update yet that could come twice";

impl Sandbox {
    /// Loses the next so many deliveries to webhooks on their way: the webhook sees nothing of them, and gets them
    /// again after a pause ([`SandboxBuilder::redelivery`](crate::SandboxBuilder::redelivery)), beside the others.
    pub fn loses_deliveries(&self, times: u32) {
        self.world().lose_deliveries(times);
    }

    /// Puts an update of your own making before the bot, by polling or by webhook as any other: `update_type` need not
    /// be one that the API has today.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// use serde_json::json;
    /// use tamtam::Update;
    /// use tamtam_sandbox::Sandbox;
    ///
    /// let tamtam = Sandbox::start().await;
    /// let bot = tamtam.bot();
    /// tamtam.pushes(&json!({ "update_type": "moon_risen", "timestamp": 1577880000123_i64, "over": "the sea" }));
    /// let update = bot.updates().try_next().await?;
    /// assert!(matches!(update, Some(Update::Unknown(_))));
    /// # Ok(())
    /// # }
    /// ```
    pub fn pushes(&self, update: &Value) {
        self.world().act(|state| state.push_update(self.bot_id().0, update));
    }

    /// Gives the bot its latest update once more, as happens when an answer of the bot's was lost: the same in every
    /// byte, at a new place in the order.
    ///
    /// # Panics
    ///
    /// If there was no update yet.
    #[track_caller]
    pub fn repeats_update(&self) {
        let is_repeated = self.world().act(|state| state.repeat_update(self.bot_id().0));
        assert!(is_repeated, "{NOTHING_YET}");
    }
}

impl Account {
    /// Puts an update of your own making before this bot, as [`Sandbox::pushes`] does before the first one.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// let helper = tamtam.add_bot("Helper", "helper_bot");
    /// helper.pushes(&serde_json::json!({ "update_type": "moon_risen", "timestamp": 1577880000123_i64 }));
    /// assert!(matches!(helper.bot().updates().try_next().await?, Some(tamtam::Update::Unknown(_))));
    /// # Ok(())
    /// # }
    /// ```
    pub fn pushes(&self, update: &Value) {
        self.sandbox.world().act(|state| state.push_update(self.user_id, update));
    }

    /// Gives this bot its latest update once more, as [`Sandbox::repeats_update`] does for the first one.
    ///
    /// # Panics
    ///
    /// If there was no update yet.
    #[track_caller]
    pub fn repeats_update(&self) {
        let is_repeated = self.sandbox.world().act(|state| state.repeat_update(self.user_id));
        assert!(is_repeated, "{NOTHING_YET}");
    }
}

impl State {
    /// Puts any update before a bot; false if there is no such bot.
    pub(crate) fn push_update(&mut self, bot: UserId, update: &Value) -> bool {
        let kind = update["update_type"].as_str().unwrap_or_default().to_owned();
        let update = Update { kind: kind.into(), json: wire::to_text(update).into() };
        let now = self.clock.tick();
        self.touched = true;
        self.bots.get_mut(&bot).map(|bot| bot.mailbox.push(update, now)).is_some()
    }

    /// Puts the latest update before a bot once more; false if there is none.
    pub(crate) fn repeat_update(&mut self, bot: UserId) -> bool {
        let now = self.clock.tick();
        self.touched = true;
        self.bots.get_mut(&bot).is_some_and(|bot| bot.mailbox.repeat(now))
    }
}
