//! Rendering of formatted text as HTML.

use super::{
    builder::Text,
    escape::escape_html,
    nesting::{Code, Nested, tokens},
    style::{Style, segments},
};
use crate::api::types::NewMessageBody;

impl Text {
    /// Returns the text as HTML, for [`NewMessageBody::html`]. HTML can express all formatting of a `Text`.
    #[must_use]
    pub fn to_html(&self) -> String {
        render(self)
    }
}

/// Creates a message in HTML, which can express all formatting of a `Text`. If no part is formatted, the message is
/// plain text.
impl From<Text> for NewMessageBody {
    fn from(text: Text) -> Self {
        if text.spans.is_empty() { Self::from(text.text) } else { Self::html(text.to_html()) }
    }
}

fn render(text: &Text) -> String {
    let tokens = tokens(&segments(&text.text, &text.spans), Code::Nests);
    let mut html = String::with_capacity(text.text.len());
    let mut open = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Nested::Text(text) | Nested::Code(text) => html.push_str(&escape_html(text)),
            Nested::Open(style) => {
                let tag = tag(style, &tokens[at..]);
                open.push(tag);
                match style {
                    Style::Link(url) => html.push_str(&format!("<{tag} href=\"{}\">", escape_html(url))),
                    _ => html.push_str(&format!("<{tag}>")),
                }
            }
            Nested::Close(_) => html.push_str(&format!("</{}>", open.pop().unwrap_or_default())),
        }
    }
    html
}

/// Returns the tag of a style. `from_here` begins with the opening token of the style.
fn tag(style: &Style, from_here: &[Nested<'_>]) -> &'static str {
    match style {
        Style::Quote => "blockquote",
        Style::Heading => "h1",
        Style::Bold => "b",
        Style::Italic => "i",
        Style::Underline => "u",
        Style::Strike => "s",
        Style::Highlight => "mark",
        Style::Link(_) => "a",
        Style::Code => {
            let mut inside = from_here.iter().take_while(|token| **token != Nested::Close(style));
            let is_block = inside.any(|token| matches!(token, Nested::Text(text) if text.contains('\n')));
            if is_block { "pre" } else { "code" }
        }
    }
}
