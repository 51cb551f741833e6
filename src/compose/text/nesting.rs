//! Conversion of overlapping styles into nested tokens.

use super::style::{Segment, Style};

/// A token of Markdown or HTML. Each `Open` has a `Close`, and the pairs nest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Nested<'a> {
    Open(&'a Style),
    Close(&'a Style),
    Text(&'a str),
    Code(&'a str),
}

/// How a markup format treats code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    /// Code is a style like any other.
    Nests,
    /// Code contains no other styles: it is a [`Nested::Code`].
    Encloses,
}

/// Returns the tokens of a text.
pub(super) fn tokens<'a>(segments: &[Segment<'a>], code: Code) -> Vec<Nested<'a>> {
    let mut nesting = Nesting { code, open: Vec::new(), tokens: Vec::new() };
    nesting.add(segments);
    nesting.tokens
}

struct Nesting<'a> {
    code: Code,
    open: Vec<&'a Style>,
    tokens: Vec<Nested<'a>>,
}

impl<'a> Nesting<'a> {
    /// Adds segments. If styles have the same start, the longest is outside. At most one level of recursion per
    /// style.
    fn add(&mut self, segments: &[Segment<'a>]) {
        let mut at = 0;
        while at < segments.len() {
            let rest = &segments[at..];
            let Some((style, length)) = self.outermost(rest) else {
                self.tokens.push(match self.code {
                    Code::Encloses if rest[0].is_code() => Nested::Code(rest[0].text),
                    _ => Nested::Text(rest[0].text),
                });
                at += 1;
                continue;
            };
            self.tokens.push(Nested::Open(style));
            self.open.push(style);
            self.add(&rest[..length]);
            self.open.pop();
            self.tokens.push(Nested::Close(style));
            at += length;
        }
    }

    /// Returns the style to open at the first segment, and its length in segments.
    fn outermost(&self, segments: &[Segment<'a>]) -> Option<(&'a Style, usize)> {
        let is_new =
            |style: &&&Style| !self.open.contains(style) && (self.code == Code::Nests || **style != &Style::Code);
        let reach = |style: &Style| segments.iter().take_while(|segment| segment.styles.contains(&style)).count();
        // If lengths are equal, `max_by_key` returns the last style: `rev` puts the outer styles last.
        let styles = segments[0].styles.iter().rev().filter(is_new);
        let (style, length) = styles.map(|style| (*style, reach(style))).max_by_key(|(_, length)| *length)?;
        Some((style, self.before_a_link(segments, length)))
    }

    /// Shortens a style that would end in the middle of a link, so that the link stays whole.
    fn before_a_link(&self, segments: &[Segment<'a>], length: usize) -> usize {
        let link = segments[length - 1].link().filter(|link| !self.open.contains(link));
        let is_cut = link.is_some() && segments.get(length).is_some_and(|next| next.link() == link);
        let before = segments[..length].iter().rposition(|segment| segment.link() != link);
        before.filter(|_| is_cut).map_or(length, |before| before + 1)
    }
}
