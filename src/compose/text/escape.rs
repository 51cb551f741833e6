//! Escaping for Markdown and HTML.

use std::borrow::Cow;

/// The special characters of Markdown on TamTam and MAX, and of HTML in CommonMark: servers may remove tags and decode
/// entities.
const MARKDOWN: &[char] = &['\\', '`', '*', '_', '~', '+', '^', '[', ']', '#', '>', '<', '&'];

/// Escapes a text for Markdown, so that messenger apps show the text unchanged.
///
/// ```
/// use tamtam::{NewMessageBody, text::escape_markdown};
///
/// let name = "*~Snow_Flake~*";
/// let hello = NewMessageBody::markdown(format!("Hello, **{}**!", escape_markdown(name)));
/// assert_eq!(hello.text.unwrap(), r"Hello, **\*\~Snow\_Flake\~\***!");
/// ```
///
/// The function puts a backslash before each special character, as in CommonMark. The documentation of the API does not
/// mention backslashes, so escapes with a backslash may stop working.
///
/// - Do not escape code, because a backslash in code is a plain character.
/// - Remove the spaces at both ends of a text that you format, because `** bold **` is not bold.
///
/// Escaping does not prevent mentions and links: messenger apps can still turn `@username` into a mention, and a web
/// address into a link.
///
/// In a [`Text`](super::Text), no escapes are necessary, and a formatted part can begin or end with spaces.
#[must_use]
pub fn escape_markdown(text: &str) -> Cow<'_, str> {
    escape(text, MARKDOWN, |char, escaped| {
        escaped.push('\\');
        escaped.push(char);
    })
}

/// Escapes a text for HTML, so that messenger apps show the text unchanged.
///
/// You can also use the result as the value of an attribute in double quotes.
///
/// Escaping does not prevent mentions and links: messenger apps can still turn `@username` into a mention, and a web
/// address into a link.
///
/// ```
/// use tamtam::{NewMessageBody, text::escape_html};
///
/// let names = escape_html("<Ann & Bob>");
/// let hello = NewMessageBody::html(format!("Hello, <b>{names}</b>!"));
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
