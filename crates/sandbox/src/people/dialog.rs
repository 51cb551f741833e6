//! What people do to the dialog with a bot of MAX: clear, remove and mute it.

use std::time::Duration;

use super::actor::Actor;
use super::person::Person;

impl Person {
    /// Clears the history of the dialog; the bot gets `dialog_cleared`. The bot still has the messages.
    ///
    /// # Panics
    ///
    /// In a group, if there is no dialog, and on TamTam.
    #[track_caller]
    pub fn clears(&self) {
        self.must(Actor::clears);
    }

    /// Removes the dialog; the bot gets `dialog_removed` and then `bot_stopped`, and does not find the chat any more. The
    /// dialog is back when this person starts the bot or writes to it.
    ///
    /// # Panics
    ///
    /// In a group, if there is no dialog, and on TamTam.
    #[track_caller]
    pub fn removes_dialog(&self) {
        self.must(Actor::removes_dialog);
    }

    /// Mutes the bot for ever; it gets `dialog_muted`. The bot can still write.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// use std::time::Duration;
    /// use tamtam::Update;
    ///
    /// let max = tamtam_sandbox::Sandbox::max().await;
    /// let (bot, alice) = (max.bot(), max.user("Alice"));
    /// alice.starts();
    /// alice.mutes_for(Duration::from_secs(60 * 60));
    /// alice.unmutes();
    /// let kinds: Vec<_> = bot.api().get_updates().await?.updates.iter().map(|one| one.tag().to_owned()).collect();
    /// assert_eq!(kinds, ["bot_started", "dialog_muted", "dialog_unmuted"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// In a group, if there is no dialog, and on TamTam.
    #[track_caller]
    pub fn mutes(&self) {
        self.must(|actor, state| actor.mutes(state, None));
    }

    /// Mutes the bot for a time on the sandbox's clock. The end of that time is not told to the bot.
    ///
    /// # Panics
    ///
    /// As [`mutes`](Self::mutes) does.
    #[track_caller]
    pub fn mutes_for(&self, time: Duration) {
        self.must(|actor, state| actor.mutes(state, Some(time)));
    }

    /// Unmutes the bot; it gets `dialog_unmuted`.
    ///
    /// # Panics
    ///
    /// As [`mutes`](Self::mutes) does, and if the bot is not muted.
    #[track_caller]
    pub fn unmutes(&self) {
        self.must(Actor::unmutes);
    }
}
