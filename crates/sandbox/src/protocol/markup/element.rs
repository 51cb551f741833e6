//! Elements of `markup`: parts of a text with their styles.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::protocol::service::Service;

/// The maximum length of the URL of a link, in characters.
const URL_CHARS: usize = 2_048;

/// A part of a text with its style.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Element {
    pub(crate) style: Style,
    /// The beginning of the part, in UTF-16 code units.
    pub(crate) from: usize,
    /// The length of the part, in UTF-16 code units.
    pub(crate) length: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Style {
    Strong,
    Emphasized,
    Monospaced,
    Strikethrough,
    Underline,
    Heading,
    Highlighted,
    Quote,
    Link { url: String },
    Mention { user_link: Option<String>, user_id: Option<i64> },
}

impl Style {
    /// Returns the `type` of the element.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Strong => "strong",
            Self::Emphasized => "emphasized",
            Self::Monospaced => "monospaced",
            Self::Strikethrough => "strikethrough",
            Self::Underline => "underline",
            Self::Heading => "heading",
            Self::Highlighted => "highlighted",
            Self::Quote => "quote",
            Self::Link { .. } => "link",
            Self::Mention { .. } => "user_mention",
        }
    }
}

impl Element {
    /// Writes a `MarkupElement`.
    pub(crate) fn json(&self) -> Value {
        let mut fields = match &self.style {
            Style::Link { url } => json!({ "url": url }),
            Style::Mention { user_link, user_id } => json!({ "user_link": user_link, "user_id": user_id }),
            _ => json!({}),
        };
        fields["from"] = json!(self.from);
        fields["length"] = json!(self.length);
        fields["type"] = json!(self.style.name());
        fields
    }
}

/// Returns the style of a link: a link to a URL, or the mention of a user. `None` if the URL is blank or too long.
pub(super) fn link(url: &str, service: Service) -> Option<Style> {
    if let Some(user_id) = url.strip_prefix(service.traits().mention).and_then(|user| user.parse().ok()) {
        return Some(Style::Mention { user_link: None, user_id: Some(user_id) });
    }
    let fits = !url.trim().is_empty() && url.chars().count() <= URL_CHARS;
    fits.then(|| Style::Link { url: url.to_owned() })
}
