//! Parses the Markdown of messages. A marker without a partner stays text. Every step moves forward, so that hostile
//! texts are parsed quickly, too.

use std::collections::BTreeMap;

use super::element::{Style, link};
use super::formatted::{Builder, Formatted};
use crate::protocol::service::Service;

/// The first character of a quoted line.
const QUOTE: char = '>';
/// The maximum level of a heading. All levels look the same.
const HEADING_MARKERS: usize = 6;
/// The minimum number of backticks around a code block. The first and the last line break of a block are removed.
const FENCE: usize = 3;
/// The maximum nesting of brackets in a URL. It limits the search for the end of an unclosed bracket.
const DEPTH: usize = 32;

/// The characters of markers. The first `SINGLE` of them are also markers of one character.
const MARKERS: [char; 5] = ['*', '_', '~', '+', '^'];
const SINGLE: usize = 2;
/// The number of kinds of markers: first those of two characters, then those of one.
const KINDS: usize = MARKERS.len() + SINGLE;

/// A piece of the source.
#[derive(Debug)]
enum Piece {
    Text(String),
    Code(String),
    /// A marker: its source, which is shown if it has no partner, and its role.
    Marker(String, Role),
}

#[derive(Debug)]
enum Role {
    Text,
    Begin,
    End { begin: usize, style: Style },
}

/// A marker that waits for its partner.
#[derive(Debug)]
struct Waiting {
    piece: usize,
    kind: usize,
}

pub(super) fn format(source: &str, service: Service) -> Formatted {
    let mut scanner = Scanner::new(source, service);
    scanner.scan();
    render(scanner.pieces)
}

#[derive(Debug)]
struct Scanner {
    source: Vec<char>,
    at: usize,
    pieces: Vec<Piece>,
    waiting: Vec<Waiting>,
    /// Pieces with an opening bracket that wait for their partner.
    brackets: Vec<usize>,
    /// The number of waiting markers of each kind.
    waiting_of: [usize; KINDS],
    /// The first piece of the heading, if the current line is one.
    heading: Option<usize>,
    /// The first piece of the current quote.
    quote: Option<usize>,
    service: Service,
    /// The position of the last run of backticks, by its length.
    last_fence: BTreeMap<usize, usize>,
}

impl Scanner {
    fn new(source: &str, service: Service) -> Self {
        let source: Vec<char> = source.chars().collect();
        Self {
            last_fence: last_fences(&source),
            service,
            source,
            at: 0,
            pieces: Vec::new(),
            waiting: Vec::new(),
            brackets: Vec::new(),
            heading: None,
            quote: None,
            waiting_of: [0; KINDS],
        }
    }

    fn scan(&mut self) {
        self.begin_line();
        while let Some(char) = self.peek(0) {
            match char {
                '\\' if self.peek(1).is_some_and(|next| next.is_ascii_punctuation()) => {
                    let next = self.peek(1).unwrap_or(char);
                    self.text(next);
                    self.at += 2;
                }
                '\n' => {
                    self.end_heading();
                    if self.peek(1) != Some(QUOTE) {
                        self.end_quote();
                    }
                    self.text(char);
                    self.at += 1;
                    if self.peek(0) == Some('\n') {
                        // No marker reaches over an empty line.
                        self.forget_markers();
                    }
                    self.begin_line();
                }
                '`' => self.code(),
                '[' => {
                    self.brackets.push(self.pieces.len());
                    self.marker("[".to_owned(), Role::Text);
                    self.at += 1;
                }
                ']' => self.close_bracket(),
                _ if MARKERS.contains(&char) => self.run(char),
                _ => {
                    self.text(char);
                    self.at += 1;
                }
            }
        }
        self.end_heading();
        self.end_quote();
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.source.get(self.at + ahead).copied()
    }

    fn text(&mut self, char: char) {
        match self.pieces.last_mut() {
            Some(Piece::Text(text)) => text.push(char),
            _ => self.pieces.push(Piece::Text(char.to_string())),
        }
    }

    fn marker(&mut self, source: String, role: Role) {
        self.pieces.push(Piece::Marker(source, role));
    }

    fn forget_markers(&mut self) {
        self.waiting.clear();
        self.waiting_of = [0; KINDS];
        self.brackets.clear();
    }

    /// Joins two markers. Waiting markers between them stay text.
    fn join(&mut self, begin: usize, end: String, style: Style) {
        while let Some(one) = self.waiting.pop_if(|one| one.piece >= begin) {
            self.waiting_of[one.kind] -= 1;
        }
        while self.brackets.pop_if(|piece| *piece >= begin).is_some() {}
        if let Some(Piece::Marker(_, role)) = self.pieces.get_mut(begin) {
            *role = Role::Begin;
        }
        self.marker(end, Role::End { begin, style });
    }

    fn begin_line(&mut self) {
        if self.service.traits().has_quotes && self.peek(0) == Some(QUOTE) {
            let begin = self.at;
            self.at += if self.peek(1) == Some(' ') { 2 } else { 1 };
            if self.quote.is_none() {
                self.forget_markers();
                self.quote = Some(self.pieces.len());
                self.marker(self.source[begin..self.at].iter().collect(), Role::Text);
            }
        }
        let markers = run_of('#', &self.source[self.at..]);
        let is_heading = (1..=HEADING_MARKERS).contains(&markers)
            && self.peek(markers) == Some(' ')
            && self.peek(markers + 1).is_some_and(|char| !char.is_whitespace());
        if is_heading {
            self.forget_markers();
            self.heading = Some(self.pieces.len());
            self.marker(format!("{} ", "#".repeat(markers)), Role::Text);
            self.at += markers + 1;
        }
    }

    fn end_quote(&mut self) {
        if let Some(begin) = self.quote.take() {
            self.join(begin, String::new(), Style::Quote);
        }
    }

    fn end_heading(&mut self) {
        if let Some(begin) = self.heading.take() {
            self.join(begin, String::new(), Style::Heading);
        }
    }

    /// Reads a run of backticks: code up to the next run of the same length, or text.
    fn code(&mut self) {
        let length = run_of('`', &self.source[self.at..]);
        let begin = self.at + length;
        let Some(end) = self.closing_fence(begin, length) else {
            for _ in 0..length {
                self.text('`');
            }
            self.at = begin;
            return;
        };
        let mut code = &self.source[begin..end];
        if length >= FENCE {
            code = code.strip_prefix(&['\n']).unwrap_or(code);
            code = code.strip_suffix(&['\n']).unwrap_or(code);
        }
        let is_inline = length < FENCE;
        let shown = |char: &char| if is_inline && *char == '\n' { ' ' } else { *char };
        self.pieces.push(Piece::Code(code.iter().map(shown).collect()));
        self.at = end + length;
    }

    fn closing_fence(&self, begin: usize, length: usize) -> Option<usize> {
        // Without this check, the search of the remaining text for each run takes quadratic time.
        let last = *self.last_fence.get(&length).filter(|last| **last >= begin)?;
        let mut at = begin;
        while at < last {
            let run = run_of('`', &self.source[at..]);
            if run == length {
                return Some(at);
            }
            at += run.max(1);
        }
        Some(last)
    }

    /// Reads a run of a marker character.
    fn run(&mut self, char: char) {
        let mut left = run_of(char, &self.source[self.at..]);
        let before = self.at.checked_sub(1).and_then(|before| self.source.get(before)).copied();
        let after = self.peek(left);
        self.at += left;
        // An underscore within a word, as in `snake_case`, is not a marker.
        let is_inside = |neighbor: Option<char>| char == '_' && neighbor.is_some_and(char::is_alphanumeric);
        let begins = after.is_some_and(|after| !after.is_whitespace()) && !is_inside(before);
        let ends = before.is_some_and(|before| !before.is_whitespace()) && !is_inside(after);
        while left > 0 {
            let size = self.size_of_marker(char, left, ends);
            let text = char.to_string().repeat(size);
            left -= size;
            let kind = kind_of(char, size);
            let partner = kind.filter(|_| ends).and_then(|kind| Some((self.partner(kind)?, style_of(kind))));
            if let Some((begin, style)) = partner {
                self.join(begin, text, style);
            } else if let Some(kind) = kind.filter(|_| begins) {
                self.waiting.push(Waiting { piece: self.pieces.len(), kind });
                self.waiting_of[kind] += 1;
                self.marker(text, Role::Text);
            } else {
                text.chars().for_each(|char| self.text(char));
            }
        }
    }

    /// Returns whether the next marker of a run has one or two characters. In `***`, the single one is inside.
    fn size_of_marker(&self, char: char, left: usize, ends: bool) -> usize {
        let is_single_inside = self.waiting.last().is_some_and(|last| Some(last.kind) == kind_of(char, 1));
        if left == 2 || left > 2 && !(ends && is_single_inside && left % 2 == 1) { 2 } else { 1 }
    }

    /// Returns the nearest waiting marker of this kind. `None` if no such marker exists, or if nothing follows it.
    fn partner(&self, kind: usize) -> Option<usize> {
        // Without this check, the search of all waiting markers for each marker takes quadratic time.
        if self.waiting_of[kind] == 0 {
            return None;
        }
        let found = self.waiting.iter().rev().find(|one| one.kind == kind)?;
        (found.piece + 1 < self.pieces.len()).then_some(found.piece)
    }

    /// Reads a closing bracket. It ends the text of a link if a URL follows.
    fn close_bracket(&mut self) {
        let begin = self.brackets.pop().filter(|begin| begin + 1 < self.pieces.len());
        let address = begin.and_then(|begin| Some((begin, self.address()?)));
        let Some((begin, (style, end))) = address else {
            self.text(']');
            self.at += 1;
            return;
        };
        let source = self.source[self.at..end].iter().collect();
        self.join(begin, source, style);
        self.at = end;
    }

    /// Returns the link style of the URL after a bracket, and the position after the URL.
    fn address(&self) -> Option<(Style, usize)> {
        if self.peek(1) != Some('(') {
            return None;
        }
        let begin = self.at + 2;
        let (mut depth, mut url, mut at) = (0_usize, String::new(), begin);
        while at < self.source.len() && depth < DEPTH {
            match self.source[at] {
                ')' if depth == 0 => return Some((link(&url, self.service)?, at + 1)),
                char if char.is_whitespace() => return None,
                '\\' if self.source.get(at + 1).is_some_and(char::is_ascii_punctuation) => {
                    url.push(self.source[at + 1]);
                    at += 2;
                    continue;
                }
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            url.push(self.source[at]);
            at += 1;
        }
        None
    }
}

/// Returns the kind of a marker. `None` if it is not a marker.
fn kind_of(char: char, size: usize) -> Option<usize> {
    let place = MARKERS.iter().position(|marker| *marker == char)?;
    match size {
        1 if place < SINGLE => Some(MARKERS.len() + place),
        2 => Some(place),
        _ => None,
    }
}

fn style_of(kind: usize) -> Style {
    match MARKERS.get(kind) {
        None => Style::Emphasized,
        Some('~') => Style::Strikethrough,
        Some('+') => Style::Underline,
        Some('^') => Style::Highlighted,
        Some(_) => Style::Strong,
    }
}

/// Returns how many times a text begins with a character.
fn run_of(char: char, source: &[char]) -> usize {
    source.iter().take_while(|next| **next == char).count()
}

fn last_fences(source: &[char]) -> BTreeMap<usize, usize> {
    let (mut fences, mut at) = (BTreeMap::new(), 0);
    while at < source.len() {
        let run = run_of('`', &source[at..]);
        if run > 0 {
            fences.insert(run, at);
        }
        at += run.max(1);
    }
    fences
}

fn render(pieces: Vec<Piece>) -> Formatted {
    let mut builder = Builder::default();
    // The position of each piece in the text.
    let mut begins = Vec::with_capacity(pieces.len());
    for piece in pieces {
        begins.push(builder.size());
        match piece {
            Piece::Text(text) | Piece::Marker(text, Role::Text) => builder.push(&text),
            Piece::Code(code) => {
                let from = builder.size();
                builder.push(&code);
                builder.mark(Style::Monospaced, from);
            }
            Piece::Marker(_, Role::Begin) => {}
            Piece::Marker(_, Role::End { begin, style }) => builder.mark(style, begins[begin]),
        }
    }
    builder.finish()
}

#[cfg(test)]
mod tests;
