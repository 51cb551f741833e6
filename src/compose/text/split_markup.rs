//! Splitting of Markdown and HTML, only at line ends where no formatting can be open. Other splits would need the
//! parser of the server.

use super::split::{LIMIT, behind, is_blank, is_paragraph, limit, trim_end};
use crate::{
    api::types::TextFormat,
    validation::{Invalid, Place},
};

/// The tags that format text on at least one service. Other tags have no effect.
const TAGS: [&str; 14] =
    ["b", "strong", "i", "em", "s", "del", "u", "ins", "code", "pre", "h1", "mark", "blockquote", "a"];

/// Splits a source into parts that each fit into one message.
pub(super) fn split_source<'a>(source: &'a str, format: &TextFormat) -> Result<Vec<&'a str>, Invalid> {
    let seams = match format {
        TextFormat::Markdown => markdown(source),
        TextFormat::Html => html(source),
        TextFormat::Unknown(_) => Vec::new(),
    };
    let (mut parts, mut from) = (Vec::new(), 0);
    while let Some(fits) = limit(&source[from..]) {
        let within = seams.iter().rev().copied().filter(|seam| (from..=from + fits).contains(seam));
        let mut within = within.filter(|seam| !is_blank(&source[from..*seam]));
        let is_better = |seam: &usize| *seam >= from + fits / 2 && is_paragraph(source, *seam);
        let seam = within.clone().find(is_better).or_else(|| within.next());
        let seam = seam.ok_or_else(|| too_long(parts.len()))?;
        parts.push(trim_end(&source[from..seam]));
        from = behind(source, seam);
    }
    let rest = &source[from..];
    parts.extend((parts.is_empty() || !is_blank(rest)).then_some(rest));
    Ok(parts)
}

fn too_long(parts: usize) -> Invalid {
    let at = Place::root("body");
    Invalid::new(
        &at.field("text"),
        format!(
            "has no line end without open formatting within {LIMIT} UTF-16 units, in part {}: add paragraphs, or use a \
             `Text`, which can be split anywhere",
            parts + 1
        ),
    )
}

/// Returns the line ends at which Markdown can be split: before an empty line, which only code can span, and in a
/// paragraph before its first marker of formatting.
fn markdown(source: &str) -> Vec<usize> {
    let bytes = source.as_bytes();
    let (mut seams, mut at, mut is_plain) = (Vec::new(), 0, true);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if bytes.get(at + 1).is_some_and(u8::is_ascii_punctuation) => at += 1,
            b'`' => {
                let run = bytes[at..].iter().take_while(|byte| **byte == b'`').count();
                // The last backtick is passed below.
                at = closing(bytes, at + run, run).unwrap_or(at + run) - 1;
            }
            b'*' | b'_' | b'~' | b'+' | b'^' | b'[' => is_plain = false,
            b'\n' => {
                let is_end = is_paragraph(source, at);
                is_plain |= is_end;
                seams.extend(is_plain.then_some(at));
            }
            _ => {}
        }
        at += 1;
    }
    seams
}

/// Returns the end of the next run of exactly `length` backticks.
fn closing(bytes: &[u8], from: usize, length: usize) -> Option<usize> {
    let mut at = from;
    while at < bytes.len() {
        let run = bytes[at..].iter().take_while(|byte| **byte == b'`').count();
        if run == length {
            return Some(at + run);
        }
        at += run.max(1);
    }
    None
}

/// Returns the line ends of HTML that are outside of elements, tags and comments.
fn html(source: &str) -> Vec<usize> {
    let mut open = [0_usize; TAGS.len()];
    let (mut seams, mut at) = (Vec::new(), 0);
    while let Some(next) = source[at..].find(['<', '\n']) {
        at += next;
        let rest = &source[at..];
        if rest.starts_with('\n') {
            seams.extend(open.iter().all(|count| *count == 0).then_some(at));
            at += 1;
            continue;
        }
        if rest.starts_with("<!--") {
            at += rest.find("-->").unwrap_or(rest.len());
            continue;
        }
        let (is_end, inside) = rest[1..].strip_prefix('/').map_or((false, &rest[1..]), |inside| (true, inside));
        let name = inside.split(|char: char| !char.is_ascii_alphanumeric()).next().unwrap_or_default();
        if let Some(place) = TAGS.iter().position(|tag| tag.eq_ignore_ascii_case(name)) {
            open[place] = if is_end { open[place].saturating_sub(1) } else { open[place] + 1 };
        }
        at += if name.is_empty() { 1 } else { rest.find('>').unwrap_or(rest.len()) };
    }
    seams
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the lines after which a source may be split.
    fn lines<'a>(source: &'a str, seams: &[usize]) -> Vec<&'a str> {
        seams.iter().map(|seam| source[..*seam].rsplit('\n').next().unwrap()).collect()
    }

    #[test]
    fn windows_line_ends_and_lines_of_spaces_end_paragraphs() {
        for gap in ["\r\n\r\n", "\n  \n", "\r\n\t\r\n"] {
            let source = format!("**a**{gap}b");
            assert_eq!(markdown(&source).first(), Some(&source.find('\n').unwrap()), "{gap:?}");
        }
    }

    #[test]
    fn markdown_is_split_where_nothing_is_open() {
        for (source, after) in [
            ("a\nb\n", vec!["a", "b"]),
            ("a\n**b\nc**\nd\n\ne\nf", vec!["a", "d", "", "e"]),
            ("a `b\n\nc`\nd\n", vec!["c`", "d"]),
            ("a\n```\nb\n\n`c`\n```\nd\n", vec!["a", "```", "d"]),
            ("a ` b\nc\n", vec!["a ` b", "c"]),
            (
                r"\*a
\`b
",
                vec![r"\*a", r"\`b"],
            ),
            ("ё\\\nю\n", vec!["ё\\", "ю"]),
            ("[a\nb](c)\n", vec![]),
            ("> a\n> b\n\nc\n", vec!["> a", "> b", "", "c"]),
        ] {
            assert_eq!(lines(source, &markdown(source)), after, "{source}");
        }
    }

    #[test]
    fn html_is_split_where_nothing_is_open() {
        for (source, after) in [
            ("a\n<b>b\nc</b>\nd\n", vec!["a", "c</b>", "d"]),
            ("<b>a</strong>\n</B>b\n", vec!["</B>b"]),
            ("a<!-- \n<b> -->\nb\n", vec!["<b> -->", "b"]),
            ("<p\n>a</p>\n<br/>\n", vec![">a</p>", "<br/>"]),
            ("1 < 2\n</i>\n", vec!["1 < 2", "</i>"]),
            ("<a href='x'\n>y\n</a>\nz\n", vec!["</a>", "z"]),
            ("<blockquote>a\nb</blockquote>\nc\n", vec!["b</blockquote>", "c"]),
        ] {
            assert_eq!(lines(source, &html(source)), after, "{source}");
        }
    }
}
