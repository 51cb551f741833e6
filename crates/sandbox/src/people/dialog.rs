//! Acts of people on a whole dialog: clear, remove and mute it. MAX only.

use std::time::Duration;

use super::actor::Actor;
use super::person::Person;

impl Person {
    /// Clears the history of the dialog for this person. The bot can still read the messages. The bot gets
    /// `dialog_cleared`. MAX only.
    ///
    /// # Panics
    ///
    /// Panics in these cases:
    ///
    /// - If this person acts in a group or channel.
    /// - If the dialog was never opened, or was removed and not opened again.
    /// - If the sandbox simulates TamTam.
    #[track_caller]
    pub fn clears(&self) {
        self.must(Actor::clears);
    }

    /// Removes the dialog and its messages. The bot gets `dialog_removed` and then `bot_stopped`. MAX only.
    ///
    /// After the removal, requests of the bot for the dialog fail. If this person starts the bot or writes a message,
    /// the dialog is opened again.
    ///
    /// # Panics
    ///
    /// Panics in these cases:
    ///
    /// - If this person acts in a group or channel.
    /// - If the dialog was never opened, or was removed and not opened again.
    /// - If the sandbox simulates TamTam.
    #[track_caller]
    pub fn removes_dialog(&self) {
        self.must(Actor::removes_dialog);
    }

    /// Mutes the dialog (switches off its notifications) without a time limit. The bot can still write. The bot gets
    /// `dialog_muted`. MAX only.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// let max = tamtam_sandbox::Sandbox::max().await;
    /// let (bot, alice) = (max.bot(), max.user("Alice"));
    /// alice.starts();
    /// alice.mutes();
    /// alice.unmutes();
    /// let page = bot.api().get_updates().await?;
    /// let types: Vec<_> = page.updates.iter().map(|update| update.tag()).collect();
    /// assert_eq!(types, ["bot_started", "dialog_muted", "dialog_unmuted"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// Panics in these cases:
    ///
    /// - If this person acts in a group or channel.
    /// - If the dialog was never opened, or was removed and not opened again.
    /// - If the sandbox simulates TamTam.
    #[track_caller]
    pub fn mutes(&self) {
        self.must(|actor, state| actor.mutes(state, None));
    }

    /// Mutes the dialog (switches off its notifications) for `time` on the sandbox's
    /// [clock](crate::Sandbox::time_passes). The bot gets `dialog_muted`. When the time is over, the bot gets no
    /// update. MAX only.
    ///
    /// # Panics
    ///
    /// Panics in the same cases as [`mutes`](Self::mutes).
    #[track_caller]
    pub fn mutes_for(&self, time: Duration) {
        self.must(|actor, state| actor.mutes(state, Some(time)));
    }

    /// Switches the notifications of the dialog on again. The bot gets `dialog_unmuted`. MAX only.
    ///
    /// # Panics
    ///
    /// Panics in the same cases as [`mutes`](Self::mutes), and if the dialog is not muted.
    #[track_caller]
    pub fn unmutes(&self) {
        self.must(Actor::unmutes);
    }
}
