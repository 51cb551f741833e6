//! Escaping for Markdown and HTML.

use std::borrow::Cow;

/// The special characters of Markdown on TamTam and MAX, and of HTML in CommonMark: servers may remove tags and decode
/// entities.
const MARKDOWN: &[char] = &['\\', '`', '*', '_', '~', '+', '^', '[', ']', '#', '>', '<', '&'];

/// A text as Markdown that shows just this text, whatever is in it.
///
/// ```
/// use tamtam::{NewMessageBody, text::escape_markdown};
///
/// let name = "*~Snow_Flake~*";
/// let hello = NewMessageBody::markdown(format!("Hello, **{}**!", escape_markdown(name)));
/// assert_eq!(hello.text.unwrap(), r"Hello, **\*\~Snow\_Flake\~\***!");
/// ```
///
/// It puts a backslash before every sign that means something, as CommonMark has it; the API's documentation says nothing
/// of it. Within code a backslash is a backslash, so this is not for code, and Markdown takes no `** spaces **` at the
/// ends of what is bold: trim them. [`Text`](super::Text) sees to both.
#[must_use]
pub fn escape_markdown(text: &str) -> Cow<'_, str> {
    escape(text, MARKDOWN, |char, escaped| {
        escaped.push('\\');
        escaped.push(char);
    })
}

/// A text as HTML that shows just this text, whatever is in it. It can also be the value of an attribute, in double quotes.
///
/// ```
/// use tamtam::{NewMessageBody, text::escape_html};
///
/// let hello = NewMessageBody::html(format!("Hello, <b>{}</b>!", escape_html("<Ann & Bob>")));
/// assert_eq!(hello.text.unwrap(), "Hello, <b>&lt;Ann &amp; Bob&gt;</b>!");
/// ```
#[must_use]
pub fn escape_html(text: &str) -> Cow<'_, str> {
    escape(text, &['&', '<', '>', '"'], |char, escaped| {
        escaped.push_str(match char {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            _ => "&quot;",
        });
    })
}

fn escape<'a>(text: &'a str, signs: &[char], write: impl Fn(char, &mut String)) -> Cow<'a, str> {
    if !text.contains(signs) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + text.len() / 8);
    for char in text.chars() {
        if signs.contains(&char) {
            write(char, &mut escaped);
        } else {
            escaped.push(char);
        }
    }
    Cow::Owned(escaped)
}
