//! Reads a message that a bot posts or edits (`NewMessageBody`), and converts it to content of the sandbox.

use serde_json::{Map, Value};

use super::access;
use super::attachments;
use crate::protocol::error::ApiError;
use crate::protocol::fields::Fields;
use crate::protocol::markup::element::{Element, Style};
use crate::protocol::markup::formatted::Formatted;
use crate::protocol::markup::{self, Notation};
use crate::protocol::service::Service;
use crate::state::State;
use crate::state::ids::UserId;
use crate::state::message::{Attachment, Content, Link, LinkKind};

/// A message as it was sent. `None` is a missing field: a new message does without it, an edit keeps the old value.
#[derive(Debug)]
pub(crate) struct Draft {
    text: Option<String>,
    markup: Vec<Element>,
    attachments: Option<Vec<Attachment>>,
    link: Option<Link>,
}

impl Draft {
    pub(crate) fn read(state: &mut State, bot: UserId, body: &Map<String, Value>) -> Result<Self, ApiError> {
        let fields = Fields(body);
        let notation = match fields.text("format")? {
            None => None,
            Some("markdown") => Some(Notation::Markdown),
            Some("html") => Some(Notation::Html),
            Some(other) => return Err(ApiError::body(&format!("format {other} is unknown"))),
        };
        let (text, markup) = read_text(fields.text("text")?, notation, state.service);
        let link = fields.object("link")?.map(|link| read_link(state, bot, link)).transpose()?;
        let attachments = fields.list("attachments")?;
        let attachments = attachments.map(|list| attachments::read(state, list)).transpose()?;
        Ok(Self { text, markup, attachments, link })
    }

    /// Replaces the link.
    pub(crate) fn with_link(self, link: Option<Link>) -> Self {
        Self { link, ..self }
    }

    /// Converts to a new or edited comment: a text without attachments, links and mentions. `None` if the comment would
    /// be empty.
    pub(crate) fn into_comment(self, old: Content) -> Option<Content> {
        let content = self.into_edit(old)?;
        let is_style = |element: &Element| !matches!(element.style, Style::Link { .. } | Style::Mention { .. });
        let markup = content.markup.into_iter().filter(is_style).collect();
        Some(Content { markup, attachments: Vec::new(), ..content })
    }

    /// Reads a message for a constructor (`ConstructedMessageBody`), which may have `markup`, and has no link.
    pub(crate) fn read_constructed(
        state: &mut State,
        bot: UserId,
        body: &Map<String, Value>,
    ) -> Result<Self, ApiError> {
        let mut draft = Self { link: None, ..Self::read(state, bot, body)? };
        if let Some(list) = Fields(body).list("markup")? {
            draft.markup = markup::read(draft.text.as_deref().unwrap_or_default(), list)?;
        }
        Ok(draft)
    }

    /// Converts to content, which may be empty.
    pub(crate) fn into_content(self) -> Content {
        let Self { text, markup, attachments, link } = self;
        Content { text, markup, attachments: attachments.unwrap_or_default(), link }
    }

    /// Converts to a new message.
    pub(crate) fn into_new(self) -> Result<Content, ApiError> {
        let content = self.into_content();
        if content.is_empty() {
            return Err(ApiError::payload("Message must have text or attachments"));
        }
        Ok(content)
    }

    /// Converts to the content of an edited message. Missing fields do not change. `None` if the message would be
    /// empty.
    pub(crate) fn into_edit(self, old: Content) -> Option<Content> {
        let content = Content {
            markup: if self.text.is_some() { self.markup } else { old.markup },
            text: self.text.or(old.text),
            attachments: self.attachments.unwrap_or(old.attachments),
            link: self.link.or(old.link),
        };
        (!content.is_empty()).then_some(content)
    }
}

/// Parses the text with its formatting.
fn read_text(text: Option<&str>, notation: Option<Notation>, service: Service) -> (Option<String>, Vec<Element>) {
    let Some(text) = text else { return (None, Vec::new()) };
    let Formatted { text, markup } = match notation {
        Some(notation) => markup::format(text, notation, service),
        None => Formatted { text: text.to_owned(), markup: Vec::new() },
    };
    (Some(text), markup)
}

fn read_link(state: &State, bot: UserId, link: Fields<'_>) -> Result<Link, ApiError> {
    let kind = match link.required_text("type")? {
        "forward" => LinkKind::Forward,
        "reply" => LinkKind::Reply,
        other => return Err(ApiError::body(&format!("link type {other} is unknown"))),
    };
    Ok(Link::to(access::message(state, bot, link.required_text("mid")?)?, kind))
}
