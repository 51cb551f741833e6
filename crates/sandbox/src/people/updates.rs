//! Pushes updates of any type to bots, and repeats updates.

use serde_json::Value;

use super::account::Account;
use crate::sandbox::Sandbox;

const NOTHING_YET: &str = "there is no update yet that could be repeated";

impl Sandbox {
    /// Sends an update of your own to the bot, by polling or by webhook, like any other update. `update_type` may be
    /// unknown to the API.
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

    /// Sends the bot its latest update again, as after a lost answer of the bot. The bytes are the same, and the update
    /// has a new position in the order.
    ///
    /// # Panics
    ///
    /// If the bot has had no update yet.
    #[track_caller]
    pub fn repeats_update(&self) {
        let is_repeated = self.world().act(|state| state.repeat_update(self.bot_id().0));
        assert!(is_repeated, "{NOTHING_YET}");
    }
}

impl Account {
    /// Sends an update of your own to this bot. Works like [`Sandbox::pushes`].
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

    /// Sends this bot its latest update again. Works like [`Sandbox::repeats_update`].
    ///
    /// # Panics
    ///
    /// If the bot has had no update yet.
    #[track_caller]
    pub fn repeats_update(&self) {
        let is_repeated = self.sandbox.world().act(|state| state.repeat_update(self.user_id));
        assert!(is_repeated, "{NOTHING_YET}");
    }
}
