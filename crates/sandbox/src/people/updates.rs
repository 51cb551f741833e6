//! Updates of unknown types, and updates that come twice.

use serde_json::Value;

use super::account::Account;
use crate::sandbox::Sandbox;

const NOTHING_YET: &str = "there was no update yet that could come twice";

impl Sandbox {
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
