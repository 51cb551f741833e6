//! Received text and its `markup`, whose positions are in UTF-16 code units.

use std::ops::Range;

use reqwest::Url;

use super::{
    builder::Text,
    style::{Span, Style},
};
use crate::api::types::{MarkupElement, Message, MessageBody};

impl Text {
    /// Creates a formatted text from a received text and its markup. Each element of the markup formats one range of
    /// the text. The ranges can overlap. The result always contains the complete text.
    ///
    /// If a range exceeds the text, the element formats only the part inside the text. If a range begins or ends
    /// between the two UTF-16 code units of a character, the element formats the whole character.
    ///
    /// These elements do not format their range:
    ///
    /// - [`Unknown`](MarkupElement::Unknown)
    /// - [`Code`](MarkupElement::Code), an obsolete element of version 0.5.0 of the TamTam API (now
    ///   [`Monospaced`](MarkupElement::Monospaced))
    /// - a mention without a user id, such as `@username`
    /// - a link whose URL is invalid or empty, contains only white space, or has more than 2048 characters
    /// - a link whose URL has a scheme other than `http`, `https`, `mailto`, `tel`, `tamtam` and `max` (a URL without a
    ///   scheme is allowed)
    ///
    /// So the [HTML](Self::to_html) of the result contains no `javascript:` links, and is safe in a web page.
    ///
    /// ```
    /// use tamtam::{text::Text, types::{EmphasizedMarkup, StrongMarkup}};
    ///
    /// // The numbers are positions and lengths in UTF-16 code units. The emoji has two units.
    /// let markup = [StrongMarkup::new(0, 8).into(), EmphasizedMarkup::new(3, 9).into()];
    /// let text = Text::from_markup("😀 bold, italic", &markup);
    /// assert_eq!(text.to_html(), "<b>😀 <i>bold,</i></b><i> ita</i>lic");
    /// ```
    #[must_use]
    pub fn from_markup(text: &str, markup: &[MarkupElement]) -> Self {
        let units = Units::of(text);
        let span = |element: &MarkupElement| {
            let range = units.bytes(element);
            Some(Span { style: style(element).filter(|_| !range.is_empty())?, range })
        };
        Self { text: text.to_owned(), spans: markup.iter().filter_map(span).collect() }
    }
}

/// The schemes that a received link may have: a `javascript:` link would run in a web page that shows the text.
const SCHEMES: [&str; 6] = ["http", "https", "mailto", "tel", "tamtam", "max"];

/// Returns whether a received URL is safe in a web page. The URL is parsed by the rules of browsers (WHATWG), which
/// skip white space within a scheme, for example.
fn is_safe(url: &str) -> bool {
    let page = Url::parse("https://page.example/");
    page.and_then(|page| page.join(url)).is_ok_and(|url| SCHEMES.contains(&url.scheme()))
}

fn style(element: &MarkupElement) -> Option<Style> {
    match element {
        MarkupElement::Strong(_) => Some(Style::Bold),
        MarkupElement::Emphasized(_) => Some(Style::Italic),
        MarkupElement::Monospaced(_) => Some(Style::Code),
        MarkupElement::Strikethrough(_) => Some(Style::Strike),
        MarkupElement::Underline(_) => Some(Style::Underline),
        MarkupElement::Quote(_) => Some(Style::Quote),
        MarkupElement::Heading(_) => Some(Style::Heading),
        MarkupElement::Highlighted(_) => Some(Style::Highlight),
        MarkupElement::Link(link) => Style::link(link.url.clone()).filter(|_| is_safe(&link.url)),
        MarkupElement::UserMention(mention) => mention.user_id.map(Style::mention),
        _ => None,
    }
}

/// Returns the formatted parts of a received text. Each item is an element of `markup`, with the part of `text` that
/// the element formats. The items are in the order of `markup`.
///
/// - If an element begins or ends between the two UTF-16 code units of a character, its part contains the whole
///   character.
/// - If an element ends after the end of the text, its part ends at the end of the text.
/// - If an element lies completely outside the text, its part is empty.
/// - If an [`Unknown`](MarkupElement::Unknown) element has no start or no length, its part is empty.
///
/// ```
/// use tamtam::{text, types::{LinkMarkup, MarkupElement, StrongMarkup}};
///
/// // The link begins at "there". Its length, 100, exceeds the text.
/// let link = LinkMarkup::new(6, 100, "https://example.org");
/// let markup = [StrongMarkup::new(3, 2).into(), link.into()];
/// for (element, part) in text::slices("😀 hi there", &markup) {
///     match element {
///         MarkupElement::Link(link) => println!("{part} links to {}", link.url),
///         other => println!("{part} is {}", other.tag()),
///     }
/// }
/// # let parts: Vec<_> = text::slices("😀 hi there", &markup).map(|(_, part)| part).collect();
/// # assert_eq!(parts, ["hi", "there"]);
/// ```
pub fn slices<'a>(text: &'a str, markup: &'a [MarkupElement]) -> impl Iterator<Item = (&'a MarkupElement, &'a str)> {
    let units = Units::of(text);
    markup.iter().map(move |element| (element, &text[units.bytes(element)]))
}

impl MessageBody {
    /// Returns the formatted parts of the text. Each item is an element of [`MessageBody::markup`], with the part of
    /// the text that the element formats. See [`text::slices`](slices).
    pub fn slices(&self) -> impl Iterator<Item = (&MarkupElement, &str)> {
        slices(self.text.as_deref().unwrap_or_default(), self.markup.as_deref().unwrap_or_default())
    }

    /// Returns the text as HTML. Empty if the message has no text. Some formatting is lost: see
    /// [`Text::from_markup`].
    #[must_use]
    pub fn to_html(&self) -> String {
        Text::from(self).to_html()
    }

    /// Returns the text as Markdown. Empty if the message has no text. Some formatting is lost: see
    /// [`Text::from_markup`] and [`Text::to_markdown`].
    #[must_use]
    pub fn to_markdown(&self) -> String {
        Text::from(self).to_markdown()
    }
}

impl Message {
    /// Returns the text as HTML. Empty if the message has no text. Some formatting is lost: see
    /// [`Text::from_markup`].
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # alice.starts();
    /// use tamtam::NewMessageBody;
    ///
    /// let message = NewMessageBody::markdown("1 < **2**");
    /// let sent = bot.send(alice.chat_id(), message).await?.message;
    /// assert_eq!(sent.text(), Some("1 < 2"));
    /// assert_eq!(sent.to_html(), "1 &lt; <b>2</b>");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn to_html(&self) -> String {
        Text::from(self).to_html()
    }

    /// Returns the text as Markdown. Empty if the message has no text. Some formatting is lost: see
    /// [`Text::from_markup`] and [`Text::to_markdown`].
    #[must_use]
    pub fn to_markdown(&self) -> String {
        Text::from(self).to_markdown()
    }
}

/// Creates the formatted text of a message body. Empty if the body has no text.
impl From<&MessageBody> for Text {
    fn from(body: &MessageBody) -> Self {
        Self::from_markup(body.text.as_deref().unwrap_or_default(), body.markup.as_deref().unwrap_or_default())
    }
}

/// Creates the formatted text of a message. Empty if the message has no text.
impl From<&Message> for Text {
    fn from(message: &Message) -> Self {
        message.body.as_ref().map(Self::from).unwrap_or_default()
    }
}

/// For each UTF-16 code unit of a text, the byte at which its character begins. The last entry is the end of the text.
struct Units(Vec<usize>);

impl Units {
    fn of(text: &str) -> Self {
        let begins = text.char_indices().flat_map(|(byte, char)| std::iter::repeat_n(byte, char.len_utf16()));
        Self(begins.chain([text.len()]).collect())
    }

    /// Returns the bytes of the text that an element covers.
    fn bytes(&self, element: &MarkupElement) -> Range<usize> {
        let (Some(from), Some(length)) = (element.start(), element.length()) else { return 0..0 };
        let last = self.0.len() - 1;
        let within = |unit: i32| usize::try_from(unit.max(0)).unwrap_or(usize::MAX).min(last);
        let (from, to) = (within(from), within(from.saturating_add(length)));
        // Both units of a surrogate pair begin at the same byte: a range that ends between them includes the pair.
        let is_cut = to > 0 && to < last && self.0[to] == self.0[to - 1];
        if from < to { self.0[from]..self.0[to + usize::from(is_cut)] } else { 0..0 }
    }
}
