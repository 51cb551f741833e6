//! What a message is made of: text, attachments, buttons, and the message it links to.

use std::collections::BTreeSet;
use std::fmt;

use super::clock::Millis;
use super::ids::{self, ChatId, Seq, UserId};
use super::markup::Element;
use super::uploads::Media;

/// A message in a chat.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) sender: UserId,
    pub(super) timestamp: Millis,
    pub(super) link: Option<Link>,
    pub(super) body: Body,
    /// The bot in whose constructor it was made.
    pub(super) constructor: Option<UserId>,
    /// The people who have seen it.
    pub(super) viewers: BTreeSet<UserId>,
}

/// Text and attachments, and where they were first posted.
#[derive(Clone, Debug)]
pub(super) struct Body {
    pub(super) chat: ChatId,
    pub(super) seq: Seq,
    pub(super) text: Option<String>,
    pub(super) markup: Vec<Element>,
    pub(super) attachments: Vec<Attachment>,
}

/// A forwarded or replied message, as it was at that moment.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) kind: LinkKind,
    pub(super) sender: UserId,
    pub(super) body: Body,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LinkKind {
    Forward,
    Reply,
}

#[derive(Clone, Debug)]
pub(super) enum Attachment {
    Photo(Photo),
    Media(Media),
    Sticker { code: String },
    Contact { vcf: Option<String>, user: Option<UserId> },
    Share { url: Option<String>, token: Option<String> },
    Location { latitude: f64, longitude: f64 },
    Keyboard(Keyboard),
}

#[derive(Clone, Debug)]
pub(super) struct Photo {
    pub(super) photo_id: i64,
    pub(super) token: String,
    pub(super) url: String,
}

/// Rows of buttons.
pub(super) type Keyboard = Vec<Vec<Button>>;

#[derive(Clone, Debug)]
pub(super) struct Button {
    pub(super) label: String,
    pub(super) action: Action,
}

/// What pressing a button does.
#[derive(Clone, Debug)]
pub(super) enum Action {
    Callback { payload: String, intent: &'static str },
    Link { url: String },
    RequestContact,
    RequestLocation { quick: bool },
    Chat(ChatButton),
}

/// What a chat button says of its chat.
#[derive(Clone, Debug)]
pub(super) struct ChatButton {
    pub(super) title: String,
    pub(super) description: Option<String>,
    pub(super) start_payload: Option<String>,
    /// Tells the chat buttons of one message apart.
    pub(super) uuid: i64,
}

impl Message {
    pub(super) fn mid(&self) -> String {
        self.body.mid()
    }

    /// The bot that hears of its buttons.
    pub(super) fn button_bot(&self) -> UserId {
        self.constructor.unwrap_or(self.sender)
    }
}

impl Body {
    pub(super) fn mid(&self) -> String {
        ids::mid(self.chat, self.seq)
    }

    pub(super) fn keyboard(&self) -> Option<&Keyboard> {
        self.attachments.iter().find_map(|attachment| match attachment {
            Attachment::Keyboard(rows) => Some(rows),
            _ => None,
        })
    }

    /// The labels of the keyboard, row by row.
    pub(super) fn labels(&self) -> Vec<Vec<String>> {
        let rows = self.keyboard().into_iter().flatten();
        rows.map(|row| row.iter().map(|button| button.label.clone()).collect()).collect()
    }
}

impl Link {
    /// A link to a message as it is now. A forward of a forward shows the first message.
    pub(super) fn to(message: &Message, kind: LinkKind) -> Self {
        match &message.link {
            Some(inner) if kind == LinkKind::Forward && inner.kind == kind => inner.clone(),
            _ => Self { kind, sender: message.sender, body: message.body.clone() },
        }
    }
}

impl LinkKind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Reply => "reply",
        }
    }
}

impl Attachment {
    /// The `type` of the attachment.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Photo(_) => "image",
            Self::Media(media) => media.kind,
            Self::Sticker { .. } => "sticker",
            Self::Contact { .. } => "contact",
            Self::Share { .. } => "share",
            Self::Location { .. } => "location",
            Self::Keyboard(_) => "inline_keyboard",
        }
    }
}

/// What the author of a message gives.
#[derive(Clone, Debug, Default)]
pub(super) struct Content {
    pub(super) text: Option<String>,
    pub(super) markup: Vec<Element>,
    pub(super) attachments: Vec<Attachment>,
    pub(super) link: Option<Link>,
}

impl Content {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self { text: Some(text.into()), ..Self::default() }
    }

    /// What a message has now.
    pub(super) fn of(message: &Message) -> Self {
        let Body { text, markup, attachments, .. } = message.body.clone();
        Self { text, markup, attachments, link: message.link.clone() }
    }

    /// Whether this is too little for a message: a keyboard needs something to stand under, and a
    /// reply something to say.
    pub(super) fn is_empty(&self) -> bool {
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
