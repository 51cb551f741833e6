//! What a message is made of: text, attachments, buttons, and the message it links to.

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
    /// The bot in whose constructor it was made.
    pub(crate) constructor: Option<UserId>,
    /// The people who have seen it.
    pub(crate) viewers: BTreeSet<UserId>,
    /// The post, if this message is a comment.
    #[serde(default)]
    pub(crate) post: Option<Seq>,
}

/// Text and attachments, and where they were first posted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct MessageBody {
    pub(crate) chat: ChatId,
    pub(crate) seq: Seq,
    pub(crate) text: Option<String>,
    pub(crate) markup: Vec<Element>,
    pub(crate) attachments: Vec<Attachment>,
}

/// A forwarded or replied message, as it was at that moment.
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

/// What pressing a button does.
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

/// How a callback button looks.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Intent {
    #[default]
    Default,
    Positive,
    Negative,
}

/// What a chat button says of its chat.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ChatButton {
    pub(crate) title: String,
    pub(crate) description: Option<String>,
    pub(crate) start_payload: Option<String>,
    /// Tells the chat buttons of one message apart.
    pub(crate) uuid: i64,
}

impl Message {
    pub(crate) fn mid(&self) -> String {
        self.body.mid()
    }

    /// The bot that hears of its buttons.
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

    /// The labels of the keyboard, row by row.
    pub(crate) fn labels(&self) -> Vec<Vec<String>> {
        let rows = self.keyboard().into_iter().flatten();
        rows.map(|row| row.iter().map(|button| button.label.clone()).collect()).collect()
    }
}

impl Link {
    /// A link to a message as it is now. A forward of a forward shows the first message.
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
    /// The `type` of the attachment.
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

/// What the author of a message gives.
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

    /// What a message has now.
    pub(crate) fn of(message: &Message) -> Self {
        let MessageBody { text, markup, attachments, .. } = message.body.clone();
        Self { text, markup, attachments, link: message.link.clone() }
    }

    /// Whether this is too little for a message: a keyboard needs something to stand under, and a
    /// reply something to say.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.as_deref().is_none_or(str::is_empty)
            && self.attachments.iter().all(|one| matches!(one, Attachment::Keyboard(_)))
            && self.link.as_ref().is_none_or(|link| link.kind != LinkKind::Forward)
    }
}

/// As the transcript shows it: `hi  <image> [Yes] [No]`.
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
