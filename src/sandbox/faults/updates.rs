//! Updates that are lost, come twice, or are of a kind that nobody knows.

use serde_json::Value;

use crate::sandbox::Sandbox;
use crate::sandbox::server::wire;
use crate::sandbox::updates::queue::Update;

impl Sandbox {
    /// Loses the next so many deliveries to webhooks on their way: the webhook sees nothing of them, and gets them
    /// again after a pause ([`SandboxBuilder::redelivery`](crate::sandbox::SandboxBuilder::redelivery)), beside the others.
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
    /// use tamtam::{Update, sandbox::Sandbox};
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
        let kind = update["update_type"].as_str().unwrap_or_default().to_owned();
        let update = Update { kind: kind.into(), json: wire::to_text(update).into() };
        self.world().act(|state| {
            let now = state.clock.tick();
            if let Some(bot) = state.bots.get_mut(&self.bot_id().0) {
                bot.mailbox.push(update, now);
            }
            state.touched = true;
        });
    }

    /// Gives the bot its latest update once more, as happens when an answer of the bot's was lost: the same in every
    /// byte, at a new place in the order.
    ///
    /// # Panics
    ///
    /// If there was no update yet.
    #[track_caller]
    pub fn repeats_update(&self) {
        let is_repeated = self.world().act(|state| {
            let now = state.clock.tick();
            state.touched = true;
            state.bots.get_mut(&self.bot_id().0).is_some_and(|bot| bot.mailbox.repeat(now))
        });
        assert!(is_repeated, "there was no update yet that could come twice");
    }
}
