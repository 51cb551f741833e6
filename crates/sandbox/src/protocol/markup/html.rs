//! Parses the HTML of messages, which has a fixed list of tags.

use super::element::{Style, link};
use super::formatted::{Builder, Formatted};
use crate::protocol::service::Service;

/// The length of the longest entity, `&#x0010FFFF;`, in bytes.
const ENTITY_BYTES: usize = 12;

/// The named entities that messages use.
const ENTITIES: [(&str, &str); 14] = [
    ("amp", "&"),
    ("lt", "<"),
    ("gt", ">"),
    ("quot", "\""),
    ("apos", "'"),
    ("nbsp", "\u{A0}"),
    ("copy", "©"),
    ("hellip", "…"),
    ("mdash", "—"),
    ("ndash", "–"),
    ("laquo", "«"),
    ("raquo", "»"),
    ("bull", "•"),
    ("euro", "€"),
];

/// The known tags except `a`, with their styles.
const TAGS: [(&str, Style); 13] = [
    ("b", Style::Strong),
    ("strong", Style::Strong),
    ("i", Style::Emphasized),
    ("em", Style::Emphasized),
    ("s", Style::Strikethrough),
    ("del", Style::Strikethrough),
    ("u", Style::Underline),
    ("ins", Style::Underline),
    ("code", Style::Monospaced),
    ("pre", Style::Monospaced),
    ("h1", Style::Heading),
    ("mark", Style::Highlighted),
    ("blockquote", Style::Quote),
];
/// The number of known tags, including `a`.
const PLACES: usize = TAGS.len() + 1;

/// A tag in the source.
#[derive(Debug, PartialEq, Eq)]
struct Tag<'a> {
    name: String,
    is_end: bool,
    attributes: &'a str,
}

/// The open elements of one tag: each with its beginning and its style.
type Open = Vec<(usize, Option<Style>)>;

/// Parses HTML. An element that is not closed reaches to the end of the text. An end tag without a start tag is
/// ignored. Elements may overlap.
pub(super) fn format(source: &str, service: Service) -> Formatted {
    let mut builder = Builder::default();
    let mut open: [Open; PLACES] = Default::default();
    // Without this check, the search for the end of each `<!--` takes quadratic time.
    let last_comment_end = source.rfind("-->").unwrap_or(0);
    let mut rest = source;
    while let Some(at) = rest.find(['<', '&']) {
        builder.push(&rest[..at]);
        rest = &rest[at..];
        let place = source.len() - rest.len();
        let (taken, tag) = if rest.starts_with('&') {
            (push_entity(rest, &mut builder), None)
        } else if rest.starts_with("<!--") {
            (if place < last_comment_end { comment(rest) } else { 0 }, None)
        } else {
            read_tag(rest)
        };
        if let Some(tag) = tag {
            take(&tag, &mut open, &mut builder, service);
        } else if taken == 0 {
            builder.push(&rest[..1]);
        }
        rest = &rest[taken.max(1)..];
    }
    builder.push(rest);
    for (from, style) in open.into_iter().flatten() {
        style.into_iter().for_each(|style| builder.mark(style, from));
    }
    builder.finish()
}

fn take(tag: &Tag<'_>, open: &mut [Open; PLACES], builder: &mut Builder, service: Service) {
    let is_known = |style: &Style| *style != Style::Quote || service.traits().has_quotes;
    let known = TAGS.iter().position(|(name, style)| *name == tag.name && is_known(style));
    let place = known.or_else(|| (tag.name == "a").then_some(TAGS.len()));
    let Some(open) = place.and_then(|place| open.get_mut(place)) else { return };
    if tag.is_end {
        if let Some((from, Some(style))) = open.pop() {
            builder.mark(style, from);
        }
        return;
    }
    // A link without a URL is opened too, so that its end tag does not close another link.
    let style = match known {
        Some(known) => Some(TAGS[known].1.clone()),
        None => href(tag.attributes).and_then(|url| link(&url, service)),
    };
    open.push((builder.size(), style));
}

/// Returns the length of a comment, in bytes. Returns 0 if it is not closed.
fn comment(source: &str) -> usize {
    const BEGIN: usize = "<!--".len();
    source[BEGIN..].find("-->").map_or(0, |end| BEGIN + end + "-->".len())
}

/// Returns the length of a tag in bytes, and the tag. Returns 0 and `None` if there is no tag.
fn read_tag(source: &str) -> (usize, Option<Tag<'_>>) {
    let inside = &source[1..];
    let (is_end, inside) = inside.strip_prefix('/').map_or((false, inside), |inside| (true, inside));
    if !inside.starts_with(|first: char| first.is_ascii_alphabetic() || first == '!' || first == '?') {
        return (0, None);
    }
    let Some(length) = end_of_tag(inside) else { return (0, None) };
    let taken = source.len() - inside.len() + length + 1;
    let content = &inside[..length];
    let name_end = content.find(|char: char| char.is_ascii_whitespace() || char == '/').unwrap_or(length);
    let (name, attributes) = content.split_at(name_end);
    (taken, Some(Tag { name: name.to_ascii_lowercase(), is_end, attributes }))
}

/// Returns the position of the `>` that ends a tag. A quoted value may contain `>`.
fn end_of_tag(inside: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in inside.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(at),
            // Another tag begins, so this is not a tag.
            (None, b'<') => return None,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

/// Returns the URL of a link. `None` if there is no `href`.
fn href(attributes: &str) -> Option<String> {
    let mut rest = attributes;
    loop {
        rest = rest.trim_start_matches(|char: char| char.is_ascii_whitespace() || char == '/');
        if rest.is_empty() {
            return None;
        }
        let name_end = rest.find(|char: char| char.is_ascii_whitespace() || char == '=').unwrap_or(rest.len());
        let (name, behind) = rest.split_at(name_end.max(1));
        let behind = behind.trim_ascii_start();
        let Some(value) = behind.strip_prefix('=').map(str::trim_ascii_start) else {
            rest = behind;
            continue;
        };
        let quote = value.chars().next().filter(|first| matches!(first, '"' | '\''));
        let (value, behind) = match quote {
            Some(quote) => value[1..].split_once(quote).unwrap_or((&value[1..], "")),
            None => value.split_at(value.find(|char: char| char.is_ascii_whitespace()).unwrap_or(value.len())),
        };
        if name.eq_ignore_ascii_case("href") {
            return Some(decode(value));
        }
        rest = behind;
    }
}

/// Decodes the entities in a text.
fn decode(source: &str) -> String {
    let mut builder = Builder::default();
    let mut rest = source;
    while let Some(at) = rest.find('&') {
        builder.push(&rest[..at]);
        rest = &rest[at..];
        let taken = push_entity(rest, &mut builder);
        if taken == 0 {
            builder.push("&");
        }
        rest = &rest[taken.max(1)..];
    }
    builder.push(rest);
    builder.finish().text
}

/// Adds the character of an entity. Returns the length of the entity in bytes, or 0 if there is no entity.
fn push_entity(source: &str, builder: &mut Builder) -> usize {
    let Some(end) = source.bytes().take(ENTITY_BYTES).position(|byte| byte == b';') else { return 0 };
    let name = &source[1..end];
    let number = name.strip_prefix('#').and_then(|digits| match digits.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => digits.parse().ok(),
    });
    let char = number.and_then(char::from_u32).filter(|char| *char != '\0');
    let known = ENTITIES.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned());
    let Some(text) = char.map(String::from).or(known) else { return 0 };
    builder.push(&text);
    end + 1
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    /// A parser with quadratic time would take minutes.
    const PATIENCE: Duration = Duration::from_secs(20);

    fn format(source: &str) -> Formatted {
        super::format(source, Service::TamTam)
    }

    #[track_caller]
    fn check(source: &str, text: &str, expected: &[(&str, &str)]) {
        let expected = expected.iter().map(|(name, part)| ((*name).to_owned(), (*part).to_owned())).collect();
        assert_eq!(format(source).parts(), (text.to_owned(), expected), "{source}");
    }

    #[test]
    fn every_tag_has_its_style() {
        for (tag, name) in [
            ("b", "strong"),
            ("strong", "strong"),
            ("i", "emphasized"),
            ("em", "emphasized"),
            ("s", "strikethrough"),
            ("del", "strikethrough"),
            ("u", "underline"),
            ("ins", "underline"),
            ("code", "monospaced"),
            ("pre", "monospaced"),
            ("h1", "heading"),
            ("mark", "highlighted"),
        ] {
            check(&format!("x<{tag}>a</{tag}>y"), "xay", &[(name, "a")]);
            check(&format!("<{0} class=\"c\">a</{0} >", tag.to_uppercase()), "a", &[(name, "a")]);
        }
        check("<a href=\"https://x.y/z\">a</a>", "a", &[("link https://x.y/z", "a")]);
        check("<a href='tamtam://user/42'>Ann</a>", "Ann", &[("user_mention 42", "Ann")]);
    }

    #[test]
    fn each_service_has_its_own_mentions_and_max_has_quotes() {
        let parts = |source: &str, service| super::format(source, service).parts().1;
        let mention = "<a href='max://user/42'>Ann</a>";
        assert_eq!(parts(mention, Service::Max)[0].0, "user_mention 42");
        assert_eq!(parts(mention, Service::TamTam)[0].0, "link max://user/42");
        let quote = "<blockquote>a</blockquote>";
        assert_eq!(parts(quote, Service::Max), [("quote".to_owned(), "a".to_owned())]);
        assert_eq!(parts(quote, Service::TamTam), []);
    }

    #[test]
    fn positions_are_counted_in_utf_16() {
        let formatted = format("😀<b>👍🏽</b>&#128512;<i>ё</i>");
        assert_eq!(formatted.text, "😀👍🏽😀ё");
        let places: Vec<_> = formatted.markup.iter().map(|one| (one.from, one.length)).collect();
        assert_eq!(places, [(2, 4), (8, 1)]);
    }

    #[test]
    fn unknown_tags_and_comments_are_stripped() {
        check("<p>a<br/><font color='>'>b</font></p><!-- <b>x</b> -->c<!DOCTYPE html>", "abc", &[]);
        check("<h2>a</h2><bold>b</bold><script>c</script>", "abc", &[]);
    }

    #[test]
    fn elements_nest_and_may_overlap() {
        check("<b>a<i>b</i></b>", "ab", &[("strong", "ab"), ("emphasized", "b")]);
        check("<b>a<i>b</b>c</i>", "abc", &[("strong", "ab"), ("emphasized", "bc")]);
        check("<pre><code>a</code></pre>", "a", &[("monospaced", "a")]);
        check("<u>a<u>b</u>c</u>", "abc", &[("underline", "abc"), ("underline", "b")]);
    }

    #[test]
    fn an_unclosed_tag_reaches_to_the_end_and_an_unopened_one_does_nothing() {
        check("a<b>b", "ab", &[("strong", "b")]);
        check("a</b>b<i></i>", "ab", &[]);
        check("<b>a</strong>b</b>", "ab", &[("strong", "ab")]);
    }

    #[test]
    fn text_that_is_not_a_tag_is_kept() {
        for source in ["a < b", "a<", "<", "1<2>0", "<b", "</", "<>", "a > b", "<!-- a", "< b>"] {
            check(source, source, &[]);
        }
        check("a<b <b>c</b>", "a<b c", &[("strong", "c")]);
    }

    #[test]
    fn known_entities_are_decoded() {
        check("&lt;b&gt; &amp;amp; &quot;&apos;&#39;&#x27;&nbsp;&mdash;", "<b> &amp; \"'''\u{A0}—", &[]);
        for source in ["&", "&;", "&unknown;", "&#;", "&#x110000;", "&#0;", "a & b; c", "&amp", "&ampampampampampamp;"]
        {
            check(source, source, &[]);
        }
        check("&ёёёёё;<b>&eacute</b>", "&ёёёёё;&eacute", &[("strong", "&eacute")]);
    }

    #[test]
    fn finds_the_href_among_other_attributes() {
        check("<a class=x href = https://x?a=1&amp;b=2 id>a</a>", "a", &[("link https://x?a=1&b=2", "a")]);
        check("<a data-href='no' HREF=\"a>b\">a</a>", "a", &[("link a>b", "a")]);
        for none in ["<a>a</a>", "<a href>a</a>", "<a href=''>a</a>", "<a title='href=x'>a</a>", "<a =>a</a>"] {
            check(none, "a", &[]);
        }
        check("<a href='u'><a>a</a>b</a>", "ab", &[("link u", "ab")]);
    }

    #[test]
    fn hostile_texts_are_parsed_quickly() {
        let started = Instant::now();
        for piece in ["<", "<a ", "<b>", "</b>", "&", "<b><i>", "<!--", "<a href='", "<b a='"] {
            let source = piece.repeat(50_000);
            assert!(format(&source).text.len() <= source.len());
        }
        assert!(started.elapsed() < PATIENCE, "{:?}", started.elapsed());
    }
}
