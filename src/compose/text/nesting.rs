//! Styles that begin and end wherever they like, put into each other like brackets.

use super::style::{Segment, Style};

/// What a notation is written of. Each `Open` has its `Close`, and they nest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Nested<'a> {
    Open(&'a Style),
    Close(&'a Style),
    Text(&'a str),
    Code(&'a str),
}

/// Where code stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    /// It is a style like any other.
    Nests,
    /// Nothing can be within it: it is a [`Nested::Code`].
    Encloses,
}

/// The tokens of a text, of which these are the pieces.
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
    /// Of the styles that begin at one place the one that reaches furthest is outside. It is as deep as there are styles.
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

    /// The style of the first piece that is to be opened, and for how many pieces.
    fn outermost(&self, segments: &[Segment<'a>]) -> Option<(&'a Style, usize)> {
        let is_new =
            |style: &&&Style| !self.open.contains(style) && (self.code == Code::Nests || **style != &Style::Code);
        let reach = |style: &Style| segments.iter().take_while(|segment| segment.styles.contains(&style)).count();
        // Of equals the last is taken.
        let styles = segments[0].styles.iter().rev().filter(is_new);
        let (style, length) = styles.map(|style| (*style, reach(style))).max_by_key(|(_, length)| *length)?;
        Some((style, self.before_a_link(segments, length)))
    }

    /// A style ends before a link rather than in the middle of it, so that the link stays one.
    fn before_a_link(&self, segments: &[Segment<'a>], length: usize) -> usize {
        let link = segments[length - 1].link().filter(|link| !self.open.contains(link));
        let is_cut = link.is_some() && segments.get(length).is_some_and(|next| next.link() == link);
        let before = segments[..length].iter().rposition(|segment| segment.link() != link);
        before.filter(|_| is_cut).map_or(length, |before| before + 1)
    }
}
