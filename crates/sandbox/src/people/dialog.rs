//! Acts of people on a whole dialog: clear, remove and mute it. MAX only.

use std::time::Duration;

use super::actor::Actor;
use super::person::Person;

impl Person {
    /// Clears the history of the dialog for this person. The bot gets `dialog_cleared`, and still finds the messages.
    ///
    /// # Panics
    ///
    /// In a group, if there is no dialog, or on TamTam.
    #[track_caller]
    pub fn clears(&self) {
        self.must(Actor::clears);
    }

    /// Removes the dialog with its messages. The bot gets `dialog_removed` and then `bot_stopped`, and no longer finds
    /// the chat. When this person starts the bot or writes to it, the dialog exists again.
    ///
    /// # Panics
    ///
    /// In a group, if there is no dialog, or on TamTam.
    #[track_caller]
    pub fn removes_dialog(&self) {
        self.must(Actor::removes_dialog);
    }

    /// Mutes the bot without end. The bot gets `dialog_muted`, and can still write.
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
    /// In a group, if there is no dialog, or on TamTam.
    #[track_caller]
    pub fn mutes(&self) {
        self.must(|actor, state| actor.mutes(state, None));
    }

    /// Mutes the bot for `time` on the sandbox's clock. The bot gets `dialog_muted`. When the time is over, the bot
    /// gets no update.
    ///
    /// # Panics
    ///
    /// In the same cases as [`mutes`](Self::mutes).
    #[track_caller]
    pub fn mutes_for(&self, time: Duration) {
        self.must(|actor, state| actor.mutes(state, Some(time)));
    }

    /// Unmutes the bot. The bot gets `dialog_unmuted`.
    ///
    /// # Panics
    ///
    /// In the same cases as [`mutes`](Self::mutes), and if the bot is not muted.
    #[track_caller]
    pub fn unmutes(&self) {
        self.must(Actor::unmutes);
    }
}
