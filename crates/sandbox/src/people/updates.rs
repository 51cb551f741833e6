//! Pushes updates of any type to bots, and repeats updates.

use serde_json::Value;

use super::account::Account;
use crate::sandbox::Sandbox;

const NOTHING_YET: &str = "there is no update yet that could be repeated";

impl Sandbox {
    /// Sends `update` to the bot, by webhook or in the response to a poll. `update` may be any JSON object. For
    /// example, its `update_type` may be a type that does not exist in any version of the API.
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
    /// let update = json!({ "update_type": "moon_risen", "timestamp": 1577880000123_i64 });
    /// tamtam.pushes(&update);
    /// let update = bot.updates().try_next().await?;
    /// assert!(matches!(update, Some(Update::Unknown(_))));
    /// # Ok(())
    /// # }
    /// ```
    pub fn pushes(&self, update: &Value) {
        self.world().act(|state| state.push_update(self.bot_id().0, update));
    }

    /// Sends the bot its latest update again, with the same bytes. The repeated update comes after all updates that the
    /// sandbox has not sent yet. Real servers also repeat updates, for example if the response of a webhook is lost.
    ///
    /// # Panics
    ///
    /// Panics if there has been no update for the bot yet.
    #[track_caller]
    pub fn repeats_update(&self) {
        let is_repeated = self.world().act(|state| state.repeat_update(self.bot_id().0));
        assert!(is_repeated, "{NOTHING_YET}");
    }
}

impl Account {
    /// Sends `update` to this bot. `update` may be any JSON object. See [`Sandbox::pushes`].
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// let helper = tamtam.add_bot("Helper", "helper_bot");
    /// let time = 1_577_880_000_123_i64;
    /// let update = serde_json::json!({ "update_type": "moon_risen", "timestamp": time });
    /// helper.pushes(&update);
    /// let update = helper.bot().updates().try_next().await?;
    /// assert!(matches!(update, Some(tamtam::Update::Unknown(_))));
    /// # Ok(())
    /// # }
    /// ```
    pub fn pushes(&self, update: &Value) {
        self.sandbox.world().act(|state| state.push_update(self.user_id, update));
    }

    /// Sends this bot its latest update again. See [`Sandbox::repeats_update`].
    ///
    /// # Panics
    ///
    /// Panics if there has been no update for this bot yet.
    #[track_caller]
    pub fn repeats_update(&self) {
        let is_repeated = self.sandbox.world().act(|state| state.repeat_update(self.user_id));
        assert!(is_repeated, "{NOTHING_YET}");
    }
}
