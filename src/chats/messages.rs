//! Operations on messages: send, reply, edit, delete, forward.

pub(crate) mod edit;
pub(crate) mod send;
pub(crate) mod send_long;
pub(crate) mod sendable;

use self::send::SendRequest;
use crate::{
    api::{DeleteMessage, GetMyInfo, GetVideoAttachmentDetails, types::NewMessageBody},
    chats::target::IntoTarget,
    client::bot::Bot,
    id::IntoMessageId,
};

impl Bot {
    /// Returns the profile of the bot: id, name, username, commands and other properties.
    #[doc(alias = "get_me")]
    pub fn me(&self) -> GetMyInfo {
        self.api().get_my_info()
    }

    /// Deletes a message for all members of its chat. The bot can delete its own messages. To delete a message of
    /// another sender, the bot must be an administrator (on MAX, with the right `delete`).
    ///
    /// `message`: The id of the message, the message itself, or the result of [`send`](Self::send).
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # alice.starts();
    /// let secret = bot.send(alice.chat_id(), "This message will destroy itself").await?;
    /// bot.delete(&secret).await?;
    /// # assert!(alice.sees().is_empty());
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "delete_message")]
    pub fn delete(&self, message: impl IntoMessageId) -> DeleteMessage {
        self.api().delete_message(message)
    }

    /// Returns the details of a video: width, height, duration, and playback URLs for several resolutions. MAX only.
    ///
    /// `token`: The token of a received video.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let max = tamtam_sandbox::Sandbox::max().await;
    /// # let (bot, alice) = (max.bot(), max.user("Alice"));
    /// # let mid = alice.says_with("", [tamtam_sandbox::Enclosure::video(b"bytes of a video")]);
    /// # let message = bot.api().get_message_by_id(mid).await?;
    /// let video = message.videos().next().expect("the message has a video");
    /// let token = video.payload.token.as_deref().expect("the video has a token");
    /// let details = bot.video(token).await?;
    /// println!("{} s, {:?}", details.duration, details.urls);
    /// # assert!(details.urls.unwrap().mp4_720.is_some());
    /// # Ok(())
    /// # }
    /// ```
    pub fn video(&self, token: impl Into<String>) -> GetVideoAttachmentDetails {
        self.api().get_video_attachment_details(token)
    }

    /// Forwards a message to a chat or a user.
    ///
    /// - `to`: The chat or the user that receives the message.
    /// - `message`: The id of the message, the message itself, or the result of [`send`](Self::send).
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let (alice, bob) = (tamtam.user("Alice"), tamtam.user("Bob"));
    /// # bob.starts();
    /// # let mid = alice.says("The shop is on fire");
    /// # let message = bot.api().get_message_by_id(mid).await?;
    /// bot.forward(bob.user_id(), &message).await?;
    /// # assert_eq!(bob.reads().await.message()["link"]["message"]["text"], "The shop is on fire");
    /// # Ok(())
    /// # }
    /// ```
    pub fn forward(&self, to: impl IntoTarget, message: impl IntoMessageId) -> SendRequest {
        self.send(to, NewMessageBody::new().forward(message))
    }
}
