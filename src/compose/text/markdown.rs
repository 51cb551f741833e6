//! Rendering of formatted text as Markdown. Each line has its own markers, because markers do not span empty lines.

use super::{
    builder::Text,
    escape::escape_markdown,
    nesting::{Code, Nested, tokens},
    style::{Segment, Style, segments},
};

impl Text {
    /// Returns the text in the Markdown dialect of MAX and TamTam, for
    /// [`NewMessageBody::markdown`](crate::NewMessageBody::markdown).
    ///
    /// The result contains the complete text, but Markdown cannot express all formatting. The following formatting is
    /// lost:
    ///
    /// - the formatting of spaces at the beginning or end of a formatted part;
    /// - the formatting of line ends, except in code;
    /// - a heading that is not on its own line, begins with a space, or contains code of several lines;
    /// - a quote that covers only a part of a line, or contains code of several lines;
    /// - a heading in a quote;
    /// - in some cases, italics that begin or end within a word and contain or touch bold text, such as
    ///   `x<i><b>a</b>b</i>`.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        render(self)
    }
}

/// The number of backticks around a block of code.
const FENCE: usize = 3;

fn render(text: &Text) -> String {
    lines(segments(&text.text, &text.spans)).into_iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A line, in segments with the same styles.
#[derive(Debug)]
struct Line<'a> {
    segments: Vec<Segment<'a>>,
    is_quote: bool,
}

impl<'a> Line<'a> {
    /// Creates a line. An empty line is a quote if its line end is in a quote.
    fn new(segments: Vec<Segment<'a>>, ends_in_quote: bool) -> Self {
        let is_quote = if segments.is_empty() { ends_in_quote } else { segments.iter().all(Segment::is_quote) };
        Self { segments, is_quote }
    }
}

/// Splits segments into lines. Code of several lines stays in one line.
fn lines(segments: Vec<Segment<'_>>) -> Vec<Line<'_>> {
    let (mut lines, mut line) = (Vec::new(), Vec::new());
    for segment in segments {
        let pieces: Vec<&str> = if segment.is_code() { vec![segment.text] } else { segment.text.split('\n').collect() };
        for (number, text) in pieces.into_iter().enumerate() {
            if number > 0 {
                lines.push(Line::new(std::mem::take(&mut line), segment.is_quote()));
            }
            if !text.is_empty() {
                line.push(Segment { text, styles: segment.styles.clone() });
            }
        }
    }
    lines.push(Line::new(line, false));
    lines
}

fn line(Line { mut segments, is_quote }: Line<'_>) -> String {
    let is_heading = !segments.is_empty() && segments.iter().all(|segment| segment.styles.contains(&&Style::Heading));
    let begins_with_space = segments.first().is_some_and(|segment| segment.text.starts_with(char::is_whitespace));
    let has_block = segments.iter().any(|segment| segment.text.contains('\n'));
    for segment in &mut segments {
        segment.styles.retain(|style| !matches!(style, Style::Quote | Style::Heading));
    }
    let mut line = String::new();
    // The services do not document headings in quotes.
    if is_heading && !is_quote && !begins_with_space && !has_block {
        line.push_str("# ");
    }
    write(&with_italics(&without_outer_spaces(tokens(&segments, Code::Encloses))), &mut line);
    // In code of several lines, the `> ` would be a part of the code.
    if is_quote && !line.contains('\n') {
        line.insert_str(0, "> ");
    }
    line
}

/// Moves spaces at the ends of a formatted part out of it, and drops parts that are then empty.
fn without_outer_spaces(tokens: Vec<Nested<'_>>) -> Vec<Nested<'_>> {
    let mut out: Vec<Nested<'_>> = Vec::with_capacity(tokens.len());
    for token in tokens {
        match token {
            Nested::Text(text) if matches!(out.last(), Some(Nested::Open(_))) => {
                let (space, text) = text.split_at(text.len() - text.trim_start().len());
                let outside =
                    out.iter().rposition(|token| !matches!(token, Nested::Open(_))).map_or(0, |last| last + 1);
                out.splice(outside..outside, not_empty(space));
                out.extend(not_empty(text));
            }
            Nested::Close(_) => {
                let mut spaces = Vec::new();
                while let Some(Nested::Text(text)) =
                    out.pop_if(|last| matches!(last, Nested::Text(text) if text.ends_with(char::is_whitespace)))
                {
                    let (text, space) = text.split_at(text.trim_end().len());
                    spaces.extend(not_empty(space));
                    out.extend(not_empty(text));
                }
                if out.pop_if(|last| matches!(last, Nested::Open(_))).is_none() {
                    out.push(token);
                }
                out.extend(spaces.into_iter().rev());
            }
            _ => out.push(token),
        }
    }
    out
}

fn not_empty(text: &str) -> Option<Nested<'_>> {
    (!text.is_empty()).then_some(Nested::Text(text))
}

/// A piece of Markdown to write.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Piece<'a> {
    Nested(Nested<'a>),
    /// A marker of italics.
    Italic(char),
}

/// Chooses the markers of italics. An underscore is unambiguous, but has no effect within a word. There, an asterisk is
/// used. If it would touch the asterisks of bold text, the italics are left out.
fn with_italics<'a>(tokens: &[Nested<'a>]) -> Vec<Piece<'a>> {
    let mut pieces: Vec<Piece<'a>> = Vec::with_capacity(tokens.len());
    let mut marker = None;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Nested::Open(Style::Italic) => {
                marker = italic_marker(&pieces, &tokens[at..]);
                pieces.extend(marker.map(Piece::Italic));
            }
            Nested::Close(Style::Italic) => pieces.extend(marker.take().map(Piece::Italic)),
            token => pieces.push(Piece::Nested(*token)),
        }
    }
    pieces
}

fn italic_marker(before: &[Piece<'_>], from_here: &[Nested<'_>]) -> Option<char> {
    let is_glued_before =
        matches!(before.last(), Some(Piece::Nested(Nested::Text(text))) if text.ends_with(char::is_alphanumeric));
    let mut behind = from_here.iter().skip_while(|token| **token != Nested::Close(&Style::Italic)).skip(1);
    let is_glued_behind = matches!(behind.next(), Some(Nested::Text(text)) if text.starts_with(char::is_alphanumeric));
    if !is_glued_before && !is_glued_behind {
        return Some('_');
    }
    let bold_begins = from_here.get(1) == Some(&Nested::Open(&Style::Bold));
    let both_ended = before.ends_with(&[Piece::Italic('*'), Piece::Nested(Nested::Close(&Style::Bold))]);
    (!bold_begins && !both_ended).then_some('*')
}

fn write(pieces: &[Piece<'_>], line: &mut String) {
    let mut pieces = pieces.iter().peekable();
    while let Some(piece) = pieces.next() {
        match piece {
            Piece::Italic(marker) => line.push(*marker),
            Piece::Nested(Nested::Text(text)) => line.push_str(&escape_markdown(text)),
            Piece::Nested(Nested::Code(text)) => {
                let mut code = (*text).to_owned();
                while let Some(Piece::Nested(Nested::Code(more))) =
                    pieces.next_if(|next| matches!(next, Piece::Nested(Nested::Code(_))))
                {
                    code.push_str(more);
                }
                line.push_str(&self::code(&code));
            }
            Piece::Nested(Nested::Open(Style::Link(_))) => line.push('['),
            Piece::Nested(Nested::Close(Style::Link(url))) => line.push_str(&format!("]({})", address(url))),
            Piece::Nested(Nested::Open(style) | Nested::Close(style)) => line.push_str(marker(style)),
        }
    }
}

const fn marker(style: &Style) -> &'static str {
    match style {
        Style::Bold => "**",
        Style::Underline => "++",
        Style::Strike => "~~",
        Style::Highlight => "^^",
        // The other styles are written elsewhere.
        Style::Quote | Style::Heading | Style::Italic | Style::Link(_) | Style::Code => "",
    }
}

/// Writes code between more backticks than its longest run of backticks. Code gets its own lines if it has several
/// lines, would touch the backticks, or would lose outer spaces.
fn code(code: &str) -> String {
    let longest = code.split(|char| char != '`').map(str::len).max().unwrap_or(0);
    let touches = code.starts_with('`') || code.ends_with('`') || code.starts_with(' ') && code.ends_with(' ');
    if code.contains('\n') || touches {
        let fence = "`".repeat(FENCE.max(longest + 1));
        format!("{fence}\n{code}\n{fence}")
    } else {
        let fence = "`".repeat(longest + 1);
        format!("{fence}{code}{fence}")
    }
}

/// Escapes a URL for the parentheses of a link.
fn address(url: &str) -> String {
    let mut address = String::with_capacity(url.len());
    for char in url.chars() {
        match char {
            '(' | ')' | '<' | '>' | '\\' => address.extend(['\\', char]),
            _ if char.is_whitespace() || char.is_control() => {
                let mut bytes = [0; 4];
                address.extend(char.encode_utf8(&mut bytes).bytes().map(|byte| format!("%{byte:02X}")));
            }
            _ => address.push(char),
        }
    }
    address
}
