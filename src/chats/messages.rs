//! Operations on messages: send, reply, edit, delete, forward.

pub(crate) mod edit;
pub(crate) mod send;
pub(crate) mod send_long;
pub(crate) mod sendable;

use self::{edit::EditRequest, send::SendRequest, sendable::Sendable};
use crate::{
    api::{
        DeleteMessage, GetMyInfo, GetVideoAttachmentDetails,
        types::{Message, NewMessageBody},
    },
    client::bot::{Bot, Target},
    id::MessageId,
};

impl Bot {
    /// Returns the profile of the bot, for example its id, name and commands.
    pub fn me(&self) -> GetMyInfo {
        self.api().get_my_info()
    }

    /// Sends a message to a chat or a user. The response has the posted message.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # alice.starts();
    /// let sent = bot.send(alice.chat_id(), "Hello!").await?.message;
    /// # assert_eq!(alice.sees(), ["Hello!"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// An upload, such as [`upload_photo`](Self::upload_photo), can be sent as a message, too. The file is uploaded
    /// first. The message is sent once the service has processed the file.
    pub fn send(&self, to: impl Into<Target>, message: impl Sendable) -> SendRequest {
        SendRequest::new(self, Some(to.into()), message.into_message())
    }

    /// Replies to a message, in the chat of the message.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # alice.says("How are you?");
    /// # let mut updates = bot.updates();
    /// while let Some(update) = updates.try_next().await? {
    ///     if let Some(message) = update.message() {
    ///         bot.reply(message, "Fine, thank you").await?;
    /// #       break;
    ///     }
    /// }
    /// # assert_eq!(alice.reads().await.text(), "Fine, thank you");
    /// # Ok(())
    /// # }
    /// ```
    pub fn reply(&self, to: &Message, message: impl Sendable) -> SendRequest {
        let target = match (to.recipient.chat_id, &to.sender) {
            (Some(chat), _) => Some(Target::Chat(chat)),
            (None, Some(sender)) => Some(Target::User(sender.user_id)),
            // Without chat and sender, the check before sending fails.
            (None, None) => None,
        };
        let request = SendRequest::new(self, target, message.into_message());
        match to.mid() {
            Some(mid) => request.reply_to(mid),
            None => request,
        }
    }

    /// Edits a message of the bot. `message` is its id, the message itself, or the result of [`send`](Self::send).
    ///
    /// Parts that are not set stay: a new text keeps the attachments. New attachments replace all attachments of the
    /// message, so a new keyboard alone removes a photo. [`no_attachments`](crate::NewMessageBody::no_attachments)
    /// removes all attachments, including the keyboard.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # alice.starts();
    /// let sent = bot.send(alice.chat_id(), "Helo!").await?;
    /// bot.edit(&sent, "Hello!").await?;
    /// # assert_eq!(alice.sees(), ["Hello!"]);
    ///
    /// // Replaces all attachments by a picture:
    /// bot.edit(&sent, bot.upload_photo(b"a picture")).await?;
    /// # assert_eq!(alice.reads().await.attachments().len(), 0);
    /// # assert_eq!(alice.reads().await.text(), "Hello!");
    /// # assert_eq!(alice.reads().await.attachments().len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn edit(&self, message: impl Into<MessageId>, new: impl Sendable) -> EditRequest {
        EditRequest::new(self, message.into(), new.into_message())
    }

    /// Deletes a message for everyone. The bot can delete its own messages. As an administrator with the right to
    /// delete, it can delete every message of a chat. `message` is the id, the message itself, or the result of
    /// [`send`](Self::send).
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
    pub fn delete(&self, message: impl Into<MessageId>) -> DeleteMessage {
        self.api().delete_message(message)
    }

    /// Returns the details of a video: the URLs for playback by resolution, the size and the duration. `token` is the token
    /// of a received video. MAX only.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let max = tamtam_sandbox::Sandbox::max().await;
    /// # let (bot, alice) = (max.bot(), max.user("Alice"));
    /// # let mid = alice.says_with("", [tamtam_sandbox::Enclosure::video(b"bytes of a video")]);
    /// # let message = bot.api().get_message_by_id(mid).await?;
    /// let video = message.videos().next().expect("a video");
    /// let details = bot.video(video.payload.token.as_deref().expect("a token")).await?;
    /// println!("{} s, {:?}", details.duration, details.urls);
    /// # assert!(details.urls.unwrap().mp4_720.is_some());
    /// # Ok(())
    /// # }
    /// ```
    pub fn video(&self, token: impl Into<String>) -> GetVideoAttachmentDetails {
        self.api().get_video_attachment_details(token)
    }

    /// Forwards a message to a chat or a user. `message` is the id, the message itself, or the result of
    /// [`send`](Self::send).
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
    pub fn forward(&self, to: impl Into<Target>, message: impl Into<MessageId>) -> SendRequest {
        self.send(to, NewMessageBody::new().forward(message))
    }
}
