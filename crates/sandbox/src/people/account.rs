//! Bots that are added to a sandbox.

use std::fmt;
use std::sync::Arc;

use tamtam::Bot;

use crate::sandbox::Sandbox;
use crate::state::ids::UserId;

/// A bot that was added to a sandbox by [`Sandbox::add_bot`]. The bot has its own token, updates and dialogs. A dialog
/// is a private chat between one person and a bot.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// let tamtam = tamtam_sandbox::Sandbox::start().await;
/// let helper = tamtam.add_bot("Helper", "helper_bot");
/// assert_ne!(helper.bot_id(), tamtam.bot_id());
/// assert_eq!(helper.bot().api().get_my_info().await?.user_id, helper.bot_id());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Account {
    pub(crate) sandbox: Sandbox,
    pub(crate) user_id: UserId,
    token: Arc<str>,
}

impl Sandbox {
    /// Adds another bot to the messenger. A person talks to this bot through
    /// [`Person::with_bot`](crate::Person::with_bot).
    ///
    /// - `name`: the visible name of the bot.
    /// - `username`: the unique username of the bot, without the `@`.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// let helper = tamtam.add_bot("Helper", "helper_bot");
    /// let alice = tamtam.user("Alice").with_bot(&helper);
    /// alice.says("hi");
    /// helper.bot().send(alice.chat_id(), "How can I help?").await?;
    /// assert_eq!(alice.reads().await.text(), "How can I help?");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if a bot or a person already has `username`.
    #[track_caller]
    pub fn add_bot(&self, name: impl Into<String>, username: impl Into<String>) -> Account {
        let (name, username) = (name.into(), username.into());
        let added = self.world().act(|state| state.add_another_bot(name, username.clone()));
        let Some((user_id, token)) = added else { panic!("the username @{username} is already taken") };
        Account { sandbox: self.clone(), user_id, token: token.into() }
    }
}

impl Account {
    /// Returns a [`Bot`] with the token of this bot. The other settings are the same as the settings of the `Bot`
    /// that [`Sandbox::bot`] returns.
    ///
    /// # Panics
    ///
    /// Panics if the HTTP client cannot be created.
    #[must_use]
    pub fn bot(&self) -> Bot {
        self.sandbox.bot_of(&self.token)
    }

    /// Returns the bot's token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Returns the bot's user id.
    pub fn bot_id(&self) -> tamtam::UserId {
        tamtam::UserId(self.user_id)
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Account").field("bot_id", &self.user_id).finish_non_exhaustive()
    }
}
