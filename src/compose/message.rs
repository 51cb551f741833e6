//! Methods for building the generated [`NewMessageBody`] and [`ConstructedMessageBody`].

use std::borrow::Cow;

use crate::{
    api::types::{
        AttachmentRequest, AudioAttachmentRequest, ConstructedMessageBody, FileAttachmentRequest, Keyboard,
        MessageLinkType, NewMessageBody, NewMessageLink, PhotoAttachmentRequest, TextFormat, VideoAttachmentRequest,
    },
    id::IntoMessageId,
};

/// Implements the methods that sent messages and messages of a constructor have in common.
macro_rules! body {
    ($body:ident, $empty_keyboard:literal) => {
        /// Creates a message with this text, without formatting.
        impl From<&str> for $body {
            fn from(text: &str) -> Self {
                Self::new().text(text)
            }
        }

        /// Creates a message with this text, without formatting.
        impl From<&String> for $body {
            fn from(text: &String) -> Self {
                Self::new().text(text)
            }
        }

        /// Creates a message with this text, without formatting.
        impl From<Cow<'_, str>> for $body {
            fn from(text: Cow<'_, str>) -> Self {
                Self::new().text(text)
            }
        }

        /// Creates a message with this text, without formatting.
        impl From<String> for $body {
            fn from(text: String) -> Self {
                Self::new().text(text)
            }
        }

        body! { $body of AttachmentRequest }
        body! { $body of PhotoAttachmentRequest }
        body! { $body of VideoAttachmentRequest }
        body! { $body of AudioAttachmentRequest }
        body! { $body of FileAttachmentRequest }

        impl $body {
            /// Creates a message whose text is in the Markdown dialect of the service. The dialect includes `**bold**`,
            /// `*italic*`, `~~struck~~`, `++underlined++` and `^^highlighted^^`.
            #[must_use]
            pub fn markdown(text: impl Into<String>) -> Self {
                Self::new().text(text).format(TextFormat::Markdown)
            }

            /// Creates a message whose text is in HTML. The service supports a few tags, such as `<b>` and `<a>`, and
            /// removes all other tags.
            #[must_use]
            pub fn html(text: impl Into<String>) -> Self {
                Self::new().text(text).format(TextFormat::Html)
            }

            /// Adds an attachment at the end of `attachments`.
            #[must_use]
            pub fn attach(mut self, attachment: impl Into<AttachmentRequest>) -> Self {
                self.attachments.get_or_insert_default().push(attachment.into());
                self
            }

            /// Adds a keyboard. A message can have at most one keyboard. A message with a keyboard also needs other
            /// content, such as a text.
            ///
            #[doc = $empty_keyboard]
            ///
            /// ```
            #[doc = concat!("use tamtam::{Button, Keyboard, types::", stringify!($body), "};")]
            ///
            #[doc = concat!("let question = ", stringify!($body), "::from(\"Coming?\").keyboard(")]
            ///     Keyboard::default()
            ///         .row([
            ///             Button::callback("Yes", "yes").positive(),
            ///             Button::callback("No", "no").negative(),
            ///         ])
            ///         .row(Button::link("Where is it?", "https://example.org/map")),
            /// );
            /// # let _ = question;
            /// ```
            #[must_use]
            pub fn keyboard(mut self, keyboard: impl Into<Keyboard>) -> Self {
                let keyboard = Some(keyboard.into()).filter(|keyboard| keyboard.iter().next().is_some());
                self.attachments.get_or_insert_default().extend(keyboard.map(AttachmentRequest::from));
                self
            }
        }
    };
    ($body:ident of $attachment:ident) => {
        /// Creates a message that has only this attachment.
        impl From<$attachment> for $body {
            fn from(attachment: $attachment) -> Self {
                Self::new().attach(attachment)
            }
        }
    };
}

body!(
    NewMessageBody,
    "A keyboard without buttons is not added. In an edit, all old attachments and the old keyboard are removed, \
     even if the new keyboard has no buttons."
);
body!(ConstructedMessageBody, "A keyboard without buttons is not added.");

impl NewMessageBody {
    /// Makes the message a reply to another message of the same chat. To reply without passing the chat, use
    /// [`Bot::reply`](crate::Bot::reply).
    #[must_use]
    pub fn reply_to(self, message: impl IntoMessageId) -> Self {
        self.link(NewMessageLink::new(MessageLinkType::Reply, message))
    }

    /// Makes the message a forward of another message, from any chat that the bot can read. To forward a message
    /// without other content, use [`Bot::forward`](crate::Bot::forward).
    #[must_use]
    pub fn forward(self, message: impl IntoMessageId) -> Self {
        self.link(NewMessageLink::new(MessageLinkType::Forward, message))
    }

    /// Removes all attachments from this value, including the keyboard. If this value is used in an edit, the edited
    /// message loses all its attachments.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # alice.starts();
    /// use tamtam::{Button, Keyboard, NewMessageBody};
    ///
    /// let keyboard = Keyboard::column(Button::callback("Yes", "yes"));
    /// let question = bot.send(alice.chat_id(), "Coming?").keyboard(keyboard).await?;
    ///
    /// bot.edit(&question, NewMessageBody::from("It is over.").no_attachments()).await?;
    /// # assert_eq!(alice.reads().await.buttons().len(), 1);
    /// # let over = alice.reads().await;
    /// # assert_eq!((over.text(), over.buttons().len()), ("It is over.", 0));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn no_attachments(mut self) -> Self {
        self.attachments = Some(Vec::new());
        self
    }
}

/// The message setters of all requests that send or edit a message.
macro_rules! message_setters {
    ($name:ident, $($body:ident).+) => {
        impl $name {
            fn with(
                mut self,
                set: impl FnOnce(crate::api::types::NewMessageBody) -> crate::api::types::NewMessageBody,
            ) -> Self {
                self.$($body).+ = set(::std::mem::take(&mut self.$($body).+));
                self
            }

            /// Sets the markup format of the text: Markdown or HTML. By default, a text that you pass as a string is
            /// plain. Do not call this method for a [`Text`](crate::text::Text), which has its own formatting.
            pub fn format(self, format: crate::api::types::TextFormat) -> Self {
                self.with(|body| body.format(format))
            }

            /// Adds an attachment. Added attachments appear in the order in which you call `attach` and
            /// [`keyboard`](Self::keyboard).
            pub fn attach(self, attachment: impl Into<crate::api::types::AttachmentRequest>) -> Self {
                self.with(|body| body.attach(attachment))
            }

            /// Adds a keyboard. A message can have at most one keyboard. A message with a keyboard also needs other
            /// content, such as a text. A keyboard without buttons is not added.
            pub fn keyboard(self, keyboard: impl Into<crate::api::types::Keyboard>) -> Self {
                self.with(|body| body.keyboard(keyboard))
            }
        }
    };
    ($name:ident, $($body:ident).+, link) => {
        impl $name {
            /// Sets the message to reply to. `message` must be in the chat to which the reply is sent. Replaces the
            /// reply or forward that is already set in this request.
            pub fn reply_to(self, message: impl IntoMessageId) -> Self {
                self.with(|body| body.reply_to(message))
            }

            /// Sets whether the members of the chat are notified. Defaults to `true`. In a channel, MAX refuses
            /// messages with `notify(false)`.
            pub fn notify(self, notify: bool) -> Self {
                self.with(|body| body.notify(notify))
            }
        }
    };
}

pub(crate) use message_setters;
