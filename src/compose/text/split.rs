//! Splitting of a text that is too long for one message.

use super::builder::Text;
use crate::{
    api::types::NewMessageBody,
    validation::{Invalid, Place},
};

/// Maximum length of a part that [`split`] returns: 4000 UTF-16 code units. The characters of the markup (Markdown or
/// HTML) also count toward this limit.
///
/// The API documents a limit of 4000 characters, but does not define "character". [`split`] and
/// [`Bot::send_long`](crate::Bot::send_long) count UTF-16 code units. A text never has more code points than code
/// units. So a text within this limit is also valid if the server counts code points.
///
/// Before sending a message, the crate checks only the number of code points: see
/// [`Limits::text`](crate::settings::Limits::text).
pub const LIMIT: usize = 4000;

/// Splits a plain text into parts of at most [`LIMIT`] UTF-16 code units. Each part fits into one message.
///
/// If the remaining text has at most [`LIMIT`] code units, this text is the last part. Otherwise, the function looks
/// for the end of the next part in the first [`LIMIT`] code units of the remaining text. The part ends at the first of
/// these places that exists:
///
/// 1. the last empty line in the second half of these code units,
/// 2. the last line end in the same half,
/// 3. the last space or line end in all of these code units,
/// 4. the end of these code units, within a word.
///
/// A visible character, such as a flag or a letter with an accent, can consist of several code points. The function
/// does not split a visible character, unless this character alone exceeds the limit.
///
/// Spaces and empty lines between two parts are removed. The indentation of the first line of the next part is kept.
/// If `text` is empty, the function returns no parts.
///
/// ```
/// use tamtam::text;
///
/// let (first, second) = ("a ".repeat(1500), "b ".repeat(1500));
/// let both = format!("{first}\n\n  {second}");
/// assert_eq!(text::split(&both), [first.trim_end(), &format!("  {second}")]);
/// ```
#[must_use]
pub fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut rest) = (Vec::new(), text);
    while let Some(fits) = limit(rest) {
        let (end, next) = seam(rest, fits);
        parts.extend(Some(&rest[..end]).filter(|part| !part.is_empty()));
        rest = &rest[next..];
    }
    let is_needed = if parts.is_empty() { !rest.is_empty() } else { !is_blank(rest) };
    parts.extend(is_needed.then_some(rest));
    parts
}

/// Splits a formatted text like [`split`]. Each part fits together with its markup. Formatting that spans two parts is
/// applied to both.
pub(super) fn split_text(text: Text) -> Result<Vec<Text>, Invalid> {
    let (mut parts, mut rest) = (Vec::new(), text);
    while !is_sendable(&rest) {
        let (end, next) = seam_of(&rest)?;
        parts.extend(Some(rest.slice(0..end)).filter(|part| !part.is_empty()));
        rest = rest.slice(next..rest.text.len());
    }
    let is_needed = if parts.is_empty() { !rest.is_empty() } else { !is_blank(&rest.text) };
    parts.extend(is_needed.then_some(rest));
    Ok(parts)
}

/// Returns whether a text with its markup fits into one message.
fn is_sendable(text: &Text) -> bool {
    // The markup can only make the text longer.
    limit(&text.text).is_none()
        && NewMessageBody::from(text.clone()).text.is_none_or(|written| limit(&written).is_none())
}

fn seam_of(text: &Text) -> Result<(usize, usize), Invalid> {
    let window = text.slice(0..limit(&text.text).unwrap_or(text.text.len()));
    let ends: Vec<usize> = window.text.char_indices().map(|(at, char)| at + char.len_utf8()).collect();
    let mut count = ends.partition_point(|end| is_sendable(&window.slice(0..*end)));
    while let Some(fits) = count.checked_sub(1).map(|last| ends[last]) {
        let (end, next) = seam(&text.text, fits);
        // A shorter part can need more markup, for example to close a style earlier.
        if is_sendable(&window.slice(0..end)) {
            return Ok((end, next));
        }
        count = ends.partition_point(|shorter| *shorter < end);
    }
    let at = Place::root("body");
    Err(Invalid::new(
        &at.field("text"),
        format!("has a link whose address leaves no room for text within {LIMIT} UTF-16 units: shorten the address"),
    ))
}

/// Returns how many bytes of a text fit into one message. `None` if the whole text fits.
pub(super) fn limit(text: &str) -> Option<usize> {
    // A UTF-16 unit takes at least one byte in UTF-8.
    if text.len() <= LIMIT {
        return None;
    }
    let mut units = 0;
    text.char_indices().find_map(|(at, char)| {
        units += char.len_utf16();
        (units > LIMIT).then_some(at)
    })
}

/// Returns the end of the first part of a text, and the beginning of the next part. `fits`: how many bytes fit.
fn seam(text: &str, fits: usize) -> (usize, usize) {
    // The next character may be the space at which to split.
    let room = fits + text[fits..].chars().next().map_or(0, char::len_utf8);
    let begin = text.len() - text.trim_start_matches(is_space).len();
    if begin >= fits {
        // A message cannot have only spaces.
        return (0, behind(text, 0));
    }
    let window = &text[begin..room];
    // Splitting in the first half would produce more messages.
    let line_ends = || window.rmatch_indices('\n').map(|(at, _)| begin + at).take_while(|at| *at >= fits / 2);
    let end = (line_ends().find(|at| is_paragraph(text, *at)))
        .or_else(|| line_ends().next())
        .or_else(|| window.rfind(is_space).map(|at| begin + at));
    match end {
        Some(at) => (trim_end(&text[..at]).len(), behind(text, at)),
        None => {
            let end = clusters_end(text, begin, fits);
            (end, end)
        }
    }
}

/// Returns whether an empty line follows the line that ends at `line_end`.
pub(super) fn is_paragraph(text: &str, line_end: usize) -> bool {
    text[line_end + 1..].split_once('\n').is_some_and(|(line, _)| is_blank(line))
}

/// Returns where the text continues after a seam: after spaces and empty lines, but with the indentation of its line.
pub(super) fn behind(text: &str, seam: usize) -> usize {
    let rest = &text[seam..];
    let word = rest.len() - rest.trim_start_matches(is_space).len();
    let line = rest[..word].rfind('\n').map(|line_end| line_end + 1).filter(|_| word < rest.len());
    seam + line.unwrap_or(word)
}

/// Returns the text before a seam, without spaces at its end.
pub(super) fn trim_end(text: &str) -> &str {
    text.trim_end_matches(is_space)
}

/// Returns whether a character is a space at which a line may be broken.
fn is_space(char: char) -> bool {
    char.is_whitespace() && !matches!(char, '\u{A0}' | '\u{2007}' | '\u{202F}')
}

pub(super) fn is_blank(text: &str) -> bool {
    text.chars().all(is_space)
}

/// Returns the last position up to `end` that does not split a visible character, or `end` if every position does.
fn clusters_end(text: &str, begin: usize, end: usize) -> usize {
    let places = text[begin..end].char_indices().rev().map(|(at, _)| begin + at).filter(|at| *at > begin);
    [end].into_iter().chain(places).find(|at| !is_joined(text, *at)).unwrap_or(end)
}

/// Returns whether the characters before and after a place form one visible character.
fn is_joined(text: &str, at: usize) -> bool {
    const JOINER: char = '\u{200D}';
    let (before, behind) = text.split_at(at);
    let (Some(last), Some(next)) = (before.chars().next_back(), behind.chars().next()) else { return false };
    // A flag is a pair of letters, counted from the first letter.
    let is_half_a_flag = || before.chars().rev().take_while(|char| is_flag_letter(*char)).count() % 2 == 1;
    next == JOINER
        || last == JOINER
        || (last, next) == ('\r', '\n')
        || is_mark(next)
        || is_flag_letter(next) && is_half_a_flag()
}

const fn is_flag_letter(char: char) -> bool {
    matches!(char, '\u{1F1E6}'..='\u{1F1FF}')
}

/// Returns whether a character modifies the previous one: accents, vowel points, variation selectors, skin tones, tags
/// of flags. Marks of South Asian scripts are not included.
const fn is_mark(char: char) -> bool {
    matches!(char,
        '\u{300}'..='\u{36F}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5BD}' | '\u{5BF}' | '\u{5C1}'..='\u{5C2}'
        | '\u{5C4}'..='\u{5C5}' | '\u{5C7}' | '\u{610}'..='\u{61A}' | '\u{64B}'..='\u{65F}' | '\u{670}'
        | '\u{6D6}'..='\u{6DC}' | '\u{6DF}'..='\u{6E4}' | '\u{6E7}'..='\u{6E8}' | '\u{6EA}'..='\u{6ED}'
        | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}' | '\u{200C}' | '\u{20D0}'..='\u{20FF}'
        | '\u{3099}'..='\u{309A}' | '\u{FE00}'..='\u{FE0F}' | '\u{FE20}'..='\u{FE2F}'
        | '\u{1F3FB}'..='\u{1F3FF}' | '\u{E0020}'..='\u{E007F}' | '\u{E0100}'..='\u{E01EF}')
}
