//! The builder of formatted text.

use std::ops::{Add, Range};

use super::style::{Span, Style};
use crate::id::UserId;

/// A text with formatted parts, such as bold text and links.
///
/// Each method that adds a text accepts a string or another `Text`, so formatted parts can be nested. The bot sends a
/// `Text` as HTML, or as plain text if no part is formatted.
///
/// ```
/// use tamtam::{UserId, text::Text};
///
/// let text = Text::default()
///     .heading("News")
///     .line()
///     .bold(Text::new("All of ").italic("it").plain(" is new"))
///     .plain(", says ")
///     .mention("Bob", UserId(42));
/// assert_eq!(text.as_str(), "News\nAll of it is new, says Bob");
/// assert_eq!(
///     text.to_html(),
///     "<h1>News</h1>\n<b>All of <i>it</i> is new</b>, \
///      says <a href=\"tamtam://user/42\">Bob</a>"
/// );
/// assert_eq!(
///     text.to_markdown(),
///     "# News\n**All of _it_ is new**, says [Bob](tamtam://user/42)"
/// );
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text {
    pub(super) text: String,
    /// If spans have the same start, the outer span is first. No span is empty.
    pub(super) spans: Vec<Span>,
}

impl Text {
    /// Creates a text without formatting.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), spans: Vec::new() }
    }

    /// Adds a text without new formatting. If you add a `Text`, its parts keep their formatting.
    #[must_use]
    pub fn plain(self, text: impl Into<Self>) -> Self {
        self.append(text.into(), None)
    }

    /// Adds a line break.
    #[must_use]
    pub fn line(self) -> Self {
        self.plain("\n")
    }

    /// Adds a bold text.
    #[must_use]
    pub fn bold(self, text: impl Into<Self>) -> Self {
        self.append(text.into(), Some(Style::Bold))
    }

    /// Adds an italic text.
    #[must_use]
    pub fn italic(self, text: impl Into<Self>) -> Self {
        self.append(text.into(), Some(Style::Italic))
    }

    /// Adds an underlined text.
    #[must_use]
    pub fn underline(self, text: impl Into<Self>) -> Self {
        self.append(text.into(), Some(Style::Underline))
    }

    /// Adds a struck-through text.
    #[must_use]
    pub fn strike(self, text: impl Into<Self>) -> Self {
        self.append(text.into(), Some(Style::Strike))
    }

    /// Adds a highlighted text, which messenger apps usually show in red.
    #[must_use]
    pub fn highlight(self, text: impl Into<Self>) -> Self {
        self.append(text.into(), Some(Style::Highlight))
    }

    /// Adds code, which messenger apps show in a monospaced font. Code of several lines becomes a block. Add a
    /// [`line`](Self::line) before and after a block.
    #[must_use]
    pub fn code(self, text: impl Into<Self>) -> Self {
        self.append(text.into(), Some(Style::Code))
    }

    /// Adds a heading. Add a [`line`](Self::line) before and after the heading, because Markdown cannot express a
    /// heading within a line.
    #[must_use]
    pub fn heading(self, text: impl Into<Self>) -> Self {
        self.append(text.into(), Some(Style::Heading))
    }

    /// Adds a quote. Add a [`line`](Self::line) before and after the quote, because Markdown cannot express a quote
    /// within a line.
    ///
    /// MAX only. TamTam shows a quote as plain text. If you send the text as Markdown, TamTam also shows a `>`
    /// before each line.
    ///
    /// ```
    /// use tamtam::text::Text;
    ///
    /// let text = Text::default().quote("Coming?\nTomorrow?").line().plain("Yes!");
    /// assert_eq!(text.to_html(), "<blockquote>Coming?\nTomorrow?</blockquote>\nYes!");
    /// assert_eq!(text.to_markdown(), "> Coming?\n> Tomorrow?\nYes!");
    /// ```
    #[must_use]
    pub fn quote(self, text: impl Into<Self>) -> Self {
        self.append(text.into(), Some(Style::Quote))
    }

    /// Adds a text that links to `url`. If a part of the text already has a link, this part keeps its link.
    ///
    /// If the URL is empty, contains only white space, or has more than 2048 characters, the text is added without a
    /// link.
    #[must_use]
    pub fn link(self, text: impl Into<Self>, url: impl Into<String>) -> Self {
        self.append(text.into(), Style::link(url.into()))
    }

    /// Adds a mention of a user: a link that contains the id of the user, such as `tamtam://user/42`. The user does not
    /// need a username. When a bot of MAX sends the text, the link becomes `max://user/42`.
    #[must_use]
    pub fn mention(self, text: impl Into<Self>, user: impl Into<UserId>) -> Self {
        self.append(text.into(), Some(Style::mention(user.into())))
    }

    /// Returns the text without its formatting.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns whether the text is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Appends a text, with `style` around its own styles.
    fn append(mut self, text: Self, style: Option<Style>) -> Self {
        let from = self.text.len();
        self.text.push_str(&text.text);
        if let Some(style) = style.filter(|_| !text.text.is_empty()) {
            self.spans.push(Span { range: from..self.text.len(), style });
        }
        let moved = |span: Span| Span { range: from + span.range.start..from + span.range.end, ..span };
        self.spans.extend(text.spans.into_iter().map(moved));
        self
    }

    /// Returns a part of the text. `range`: in bytes, at character boundaries.
    pub(super) fn slice(&self, range: Range<usize>) -> Self {
        let clipped = |span: &Span| {
            let (start, end) = (span.range.start.max(range.start), span.range.end.min(range.end));
            (start < end).then(|| Span { range: start - range.start..end - range.start, style: span.style.clone() })
        };
        Self { text: self.text[range.clone()].to_owned(), spans: self.spans.iter().filter_map(clipped).collect() }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<&String> for Text {
    fn from(text: &String) -> Self {
        Self::new(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl<T: Into<Self>> Add<T> for Text {
    type Output = Self;

    fn add(self, text: T) -> Self {
        self.plain(text)
    }
}

impl<T: Into<Self>> Extend<T> for Text {
    fn extend<I: IntoIterator<Item = T>>(&mut self, texts: I) {
        *self = texts.into_iter().fold(std::mem::take(self), Self::plain);
    }
}

impl<T: Into<Self>> FromIterator<T> for Text {
    fn from_iter<I: IntoIterator<Item = T>>(texts: I) -> Self {
        texts.into_iter().fold(Self::default(), Self::plain)
    }
}
