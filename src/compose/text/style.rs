//! Styles of text, and segments of a text with the same styles.

use std::ops::Range;

use crate::id::UserId;

/// Maximum length of the URL of a link, in characters (`LinkMarkup`).
const URL_CHARS: usize = 2048;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Style {
    Quote,
    Heading,
    Bold,
    Italic,
    Underline,
    Strike,
    Highlight,
    /// A mention is a link to a user.
    Link(String),
    Code,
}

impl Style {
    /// Returns a link. `None` if the URL is blank or too long.
    pub(super) fn link(url: String) -> Option<Self> {
        let fits = !url.trim().is_empty() && url.chars().nth(URL_CHARS).is_none();
        fits.then_some(Self::Link(url))
    }

    pub(super) fn mention(user: UserId) -> Self {
        Self::Link(format!("tamtam://user/{user}"))
    }

    /// Returns the nesting order of styles with the same range: the lowest rank is outside.
    const fn rank(&self) -> u8 {
        match self {
            Self::Quote => 0,
            Self::Heading => 1,
            Self::Bold => 2,
            Self::Italic => 3,
            Self::Underline => 4,
            Self::Strike => 5,
            Self::Highlight => 6,
            Self::Link(_) => 7,
            Self::Code => 8,
        }
    }
}

/// A range of a text, in bytes, and one style of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) range: Range<usize>,
    pub(super) style: Style,
}

/// A piece of a text that has the same styles throughout.
#[derive(Debug, Clone)]
pub(super) struct Segment<'a> {
    pub(super) text: &'a str,
    /// Sorted by rank. Each rank occurs once.
    pub(super) styles: Vec<&'a Style>,
}

impl<'a> Segment<'a> {
    pub(super) fn link(&self) -> Option<&'a Style> {
        self.styles.iter().find(|style| matches!(style, Style::Link(_))).copied()
    }

    pub(super) fn is_code(&self) -> bool {
        self.styles.contains(&&Style::Code)
    }

    pub(super) fn is_quote(&self) -> bool {
        self.styles.contains(&&Style::Quote)
    }
}

/// Returns the segments of a text, in order.
pub(super) fn segments<'a>(text: &'a str, spans: &'a [Span]) -> Vec<Segment<'a>> {
    let ends = spans.iter().flat_map(|span| [span.range.start, span.range.end]);
    let mut cuts: Vec<usize> = ends.chain([0, text.len()]).collect();
    cuts.sort_unstable();
    cuts.dedup();
    let mut coming: Vec<&Span> = spans.iter().collect();
    // The earliest start is last. Spans with the same start keep their order.
    coming.sort_by_key(|span| std::cmp::Reverse(span.range.start));
    let mut open: Vec<&Span> = Vec::new();
    let pieces = cuts.windows(2).map(|cut| {
        open.retain(|span| span.range.end > cut[0]);
        let begins = coming.iter().rposition(|span| span.range.start > cut[0]).map_or(0, |later| later + 1);
        open.extend(coming.drain(begins..));
        Segment { text: &text[cut[0]..cut[1]], styles: styles(&open) }
    });
    pieces.collect()
}

fn styles<'a>(open: &[&'a Span]) -> Vec<&'a Style> {
    let mut styles: Vec<&Style> = Vec::new();
    for span in open {
        match styles.iter_mut().find(|style| style.rank() == span.style.rank()) {
            // If two links are nested, the inner link counts.
            Some(style) => *style = &span.style,
            None => styles.push(&span.style),
        }
    }
    styles.sort_by_key(|style| style.rank());
    styles
}
