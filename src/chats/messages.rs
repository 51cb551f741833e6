//! Verbs on messages: send, reply, edit, delete, forward.

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
    /// Who the bot is: its id, name, and what people see of it.
    pub fn me(&self) -> GetMyInfo {
        self.api().get_my_info()
    }

    /// Sends a message to a chat or a user. The answer has the message as it was posted.
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
    /// An upload, such as [`upload_photo`](Self::upload_photo), is a message as well: the file is uploaded, and the message
    /// is sent when the server has processed the file.
    pub fn send(&self, to: impl Into<Target>, message: impl Sendable) -> SendRequest {
        SendRequest::new(self, Some(to.into()), message.into_message())
    }

    /// Answers a message in its own chat, as a reply to it.
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
            // Neither is known: the check before sending says so.
            (None, None) => None,
        };
        let request = SendRequest::new(self, target, message.into_message());
        match to.mid() {
            Some(mid) => request.reply_to(mid),
            None => request,
        }
    }

    /// Changes a message of the bot's, given by its id, by itself, or by what [`send`](Self::send) answered.
    ///
    /// What is not given stays: a new text keeps the attachments. Those that are given take the place of all that the
    /// message has, so that a new keyboard alone takes a photo away;
    /// [`no_attachments`](crate::NewMessageBody::no_attachments) removes them all, the keyboard included.
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
    /// // A picture instead of whatever was attached:
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

    /// Deletes a message, for everyone: one of the bot's own, or any in a chat where it is an administrator who may. Takes
    /// the id, the message, or what [`send`](Self::send) answered.
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

    /// Forwards a message to a chat or a user. Takes the id, the message, or what [`send`](Self::send) answered.
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
