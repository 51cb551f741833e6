//! Messages: text, attachments, buttons, and the linked message.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::clock::Millis;
use super::ids::{self, ChatId, Seq, UserId};
use super::media::Media;
use crate::protocol::markup::element::Element;

/// A message in a chat.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Message {
    pub(crate) sender: UserId,
    pub(crate) timestamp: Millis,
    pub(crate) link: Option<Link>,
    pub(crate) body: MessageBody,
    /// The bot in whose constructor the message was made.
    pub(crate) constructor: Option<UserId>,
    /// The users who have seen the message.
    pub(crate) viewers: BTreeSet<UserId>,
    /// The post, if this message is a comment.
    #[serde(default)]
    pub(crate) post: Option<Seq>,
}

/// Text and attachments, with the chat and the `seq` of the original message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct MessageBody {
    pub(crate) chat: ChatId,
    pub(crate) seq: Seq,
    pub(crate) text: Option<String>,
    pub(crate) markup: Vec<Element>,
    pub(crate) attachments: Vec<Attachment>,
}

/// A forwarded message, or the message of a reply, as it was at that time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Link {
    pub(crate) kind: LinkKind,
    pub(crate) sender: UserId,
    pub(crate) body: MessageBody,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum LinkKind {
    Forward,
    Reply,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Attachment {
    Photo(Photo),
    Media(Media),
    Sticker {
        code: String,
    },
    Contact {
        vcf: Option<String>,
        user: Option<UserId>,
        /// The bot that the user shared their own card with. Its token signs the card.
        #[serde(default)]
        signed_for: Option<UserId>,
    },
    Share {
        url: Option<String>,
        token: Option<String>,
    },
    Location {
        latitude: f64,
        longitude: f64,
    },
    Keyboard(Keyboard),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Photo {
    pub(crate) photo_id: i64,
    pub(crate) token: String,
    pub(crate) url: String,
}

/// Rows of buttons.
pub(crate) type Keyboard = Vec<Vec<Button>>;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Button {
    pub(crate) label: String,
    pub(crate) action: Action,
}

/// The action of a button.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Action {
    Callback {
        payload: String,
        intent: Intent,
    },
    Link {
        url: String,
    },
    RequestContact,
    RequestLocation {
        quick: bool,
    },
    Chat(ChatButton),
    /// Posts the label as a message of the person.
    Message,
    OpenApp(AppButton),
    /// Copies `payload` to the clipboard.
    Clipboard {
        payload: String,
    },
}

/// The Mini App that a button opens.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AppButton {
    /// The username of the bot, or a link to the bot.
    pub(crate) web_app: String,
    pub(crate) payload: Option<String>,
    pub(crate) contact_id: Option<UserId>,
}

/// The look of a callback button.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Intent {
    #[default]
    Default,
    Positive,
    Negative,
}

/// The chat that a chat button creates.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ChatButton {
    pub(crate) title: String,
    pub(crate) description: Option<String>,
    pub(crate) start_payload: Option<String>,
    /// Distinguishes the chat buttons of one message.
    pub(crate) uuid: i64,
}

impl Message {
    pub(crate) fn mid(&self) -> String {
        self.body.mid()
    }

    /// Returns the bot that gets the updates of the message's buttons.
    pub(crate) fn button_bot(&self) -> UserId {
        self.constructor.unwrap_or(self.sender)
    }
}

impl MessageBody {
    pub(crate) fn mid(&self) -> String {
        ids::mid(self.chat, self.seq)
    }

    pub(crate) fn keyboard(&self) -> Option<&Keyboard> {
        self.attachments.iter().find_map(|attachment| match attachment {
            Attachment::Keyboard(rows) => Some(rows),
            _ => None,
        })
    }

    /// Returns the labels of the keyboard, row by row.
    pub(crate) fn labels(&self) -> Vec<Vec<String>> {
        let rows = self.keyboard().into_iter().flatten();
        rows.map(|row| row.iter().map(|button| button.label.clone()).collect()).collect()
    }
}

impl Link {
    /// Creates a link to a message as it is now. A forward of a forward links to the original message.
    pub(crate) fn to(message: &Message, kind: LinkKind) -> Self {
        match &message.link {
            Some(inner) if kind == LinkKind::Forward && inner.kind == kind => inner.clone(),
            _ => Self { kind, sender: message.sender, body: message.body.clone() },
        }
    }
}

impl LinkKind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Reply => "reply",
        }
    }
}

impl Intent {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Positive => "positive",
            Self::Negative => "negative",
        }
    }
}

impl Attachment {
    /// Returns the `type` of the attachment.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Photo(_) => "image",
            Self::Media(media) => media.kind.name(),
            Self::Sticker { .. } => "sticker",
            Self::Contact { .. } => "contact",
            Self::Share { .. } => "share",
            Self::Location { .. } => "location",
            Self::Keyboard(_) => "inline_keyboard",
        }
    }
}

/// The content of a message, as its author sets it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Content {
    pub(crate) text: Option<String>,
    pub(crate) markup: Vec<Element>,
    pub(crate) attachments: Vec<Attachment>,
    pub(crate) link: Option<Link>,
}

impl Content {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self { text: Some(text.into()), ..Self::default() }
    }

    /// Returns the current content of a message.
    pub(crate) fn of(message: &Message) -> Self {
        let MessageBody { text, markup, attachments, .. } = message.body.clone();
        Self { text, markup, attachments, link: message.link.clone() }
    }

    /// Whether the content is too little for a message. A keyboard or the link of a reply is not enough alone.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.as_deref().is_none_or(str::is_empty)
            && self.attachments.iter().all(|one| matches!(one, Attachment::Keyboard(_)))
            && self.link.as_ref().is_none_or(|link| link.kind != LinkKind::Forward)
    }
}

/// Formats the message for the transcript: `hi  <image> [Yes] [No]`.
impl fmt::Display for Message {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if let Some(link) = &self.link {
            parts.push(format!("<{}>", link.kind.name()));
        }
        for attachment in &self.body.attachments {
            match attachment {
                Attachment::Keyboard(rows) => {
                    parts.extend(rows.iter().flatten().map(|button| format!("[{}]", button.label)));
                }
                other => parts.push(format!("<{}>", other.name())),
            }
        }
        let text = self.body.text.as_deref().unwrap_or_default();
        let gap = if text.is_empty() || parts.is_empty() { "" } else { "  " };
        write!(out, "{text}{gap}{}", parts.join(" "))
    }
}
