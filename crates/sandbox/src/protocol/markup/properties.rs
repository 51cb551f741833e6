//! Property tests: the sandbox's parsers read formatted texts that the client writes.

use std::collections::BTreeSet;

use proptest::{collection::vec, prelude::*, sample::select};

use super::Notation;
use super::element::{Style, link};
use super::formatted::Formatted;
use crate::protocol::service::Service;
use tamtam::{
    Bot, ChatId, NewMessageBody,
    text::{LIMIT, Text, escape_html, escape_markdown, split},
    types::{MarkupElement, TextFormat},
};

/// Pieces of text that broke a notation, or might break one.
const PIECES: [&str; 58] = [
    "a",
    "B",
    "ё",
    "1",
    "_",
    "*",
    "**",
    "***",
    "~~",
    "~",
    "++",
    "+",
    "^^",
    "`",
    "``",
    "```",
    "[",
    "]",
    "](",
    "(",
    ")",
    "](u)",
    "#",
    "# ",
    "\n# ",
    ">",
    "\n> ",
    "\\",
    "\\\\",
    "<",
    "</b>",
    "<b>",
    "&",
    "&lt;",
    "&#42;",
    "<!--",
    "\"",
    "'",
    "@ann",
    "!",
    " ",
    "  ",
    "\t",
    "\n",
    "\n\n",
    "\r\n",
    "\u{A0}",
    "\u{200B}",
    "😀",
    "👨‍👩‍👧",
    "🏳️‍🌈",
    "👍🏽",
    "🇺🇦",
    "e\u{301}",
    "שלום",
    "\u{202E}",
    "漢",
    "\u{0}",
];

const URLS: [&str; 8] = [
    "https://example.org/a_b*c~d",
    "https://example.org/(a)",
    "https://example.org/?a=1&b=\"2\"",
    "https://e/)\\(",
    "tamtam://user/42",
    "x",
    "<y>&amp;",
    "https://пример.рф/[a](b)",
];

fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![8 => select(&PIECES[..]).prop_map(str::to_owned), 1 => "\\PC{0,3}", 1 => any::<char>().prop_map(String::from)];
    vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// Letters and spaces with few special characters, so that Markdown can show most of the formatting.
fn tame_text() -> impl Strategy<Value = String> {
    vec(select(&["a", "b", "ё", "😀", " ", "\n", ".", "*"][..]), 0..4).prop_map(|pieces| pieces.concat())
}

/// The service of most tests: the SDK writes mentions in the form of TamTam, and converts them when it sends a message.
const SERVICE: Service = Service::TamTam;

fn format(source: &str, notation: Notation) -> Formatted {
    super::format(source, notation, SERVICE)
}

/// A plan to build a [`Text`], and its expected styles.
#[derive(Clone, Debug)]
enum Plan {
    Plain(String),
    Styled(usize, &'static str, Box<Plan>),
    All(Vec<Plan>),
}

impl Plan {
    fn text(&self) -> Text {
        match self {
            Self::Plain(text) => Text::new(text),
            Self::All(plans) => plans.iter().map(Self::text).collect(),
            Self::Styled(style, url, inner) => match style {
                0 => Text::default().bold(inner.text()),
                1 => Text::default().italic(inner.text()),
                2 => Text::default().underline(inner.text()),
                3 => Text::default().strike(inner.text()),
                4 => Text::default().highlight(inner.text()),
                5 => Text::default().code(inner.text()),
                6 => Text::default().heading(inner.text()),
                7 => Text::default().link(inner.text(), *url),
                _ => Text::default().mention(inner.text(), -7),
            },
        }
    }

    fn style(style: usize, url: &str) -> Style {
        match style {
            0 => Style::Strong,
            1 => Style::Emphasized,
            2 => Style::Underline,
            3 => Style::Strikethrough,
            4 => Style::Highlighted,
            5 => Style::Monospaced,
            6 => Style::Heading,
            7 => link(url, SERVICE).unwrap(),
            _ => Style::Mention { user_link: None, user_id: Some(-7) },
        }
    }

    /// Returns the expected styles of every UTF-16 code unit.
    fn looks(&self) -> Vec<Look> {
        match self {
            Self::Plain(text) => vec![Look::default(); text.encode_utf16().count()],
            Self::All(plans) => plans.iter().flat_map(Self::looks).collect(),
            Self::Styled(style, url, inner) => {
                let mut looks = inner.looks();
                // If two links are nested, the inner link is kept.
                looks.iter_mut().for_each(|look| look.add(&Self::style(*style, url), false));
                looks
            }
        }
    }
}

/// The styles of a piece of text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Look {
    styles: BTreeSet<String>,
    link: Option<Style>,
}

impl Look {
    /// Adds a style. A second link is only set if `replaces_link`.
    fn add(&mut self, style: &Style, replaces_link: bool) {
        if !matches!(style, Style::Link { .. } | Style::Mention { .. }) {
            self.styles.insert(format!("{style:?}"));
        } else if self.link.is_none() || replaces_link {
            self.link = Some(style.clone());
        }
    }

    /// Whether `other` has all of these styles.
    fn is_part_of(&self, other: &Self) -> bool {
        self.styles.is_subset(&other.styles) && (self.link.is_none() || self.link == other.link)
    }
}

fn plan(leaf: impl Strategy<Value = String> + 'static) -> impl Strategy<Value = Plan> {
    leaf.prop_map(Plan::Plain).prop_recursive(4, 24, 4, |inner| {
        let styled = (0..9_usize, select(&URLS[..]), inner)
            .prop_map(|(style, url, inner)| Plan::Styled(style, url, Box::new(inner)));
        vec(styled, 1..4).prop_map(Plan::All)
    })
}

/// Elements at any position, also outside the text.
fn any_markup() -> impl Strategy<Value = Vec<MarkupElement>> {
    let place = prop_oneof![4 => -3..24_i32, 1 => select(&[i32::MIN, i32::MAX][..])];
    let element = (0..11_usize, place.clone(), place, select(&URLS[..])).prop_map(|(kind, from, length, url)| {
        let kinds = [
            "strong",
            "emphasized",
            "monospaced",
            "strikethrough",
            "underline",
            "heading",
            "highlighted",
            "link",
            "user_mention",
            "blinking",
            "strong",
        ];
        let json = serde_json::json!({ "type": kinds[kind], "from": from, "length": length, "url": url, "user_id": 5 });
        serde_json::from_value(json).unwrap()
    });
    vec(element, 0..8)
}

/// Returns the styles of every UTF-16 code unit.
fn looks(formatted: &Formatted) -> Vec<Look> {
    let mut looks = vec![Look::default(); formatted.text.encode_utf16().count()];
    for element in &formatted.markup {
        let part = &mut looks[element.from..element.from + element.length];
        part.iter_mut().for_each(|look| look.add(&element.style, true));
    }
    looks
}

/// Returns the text of a message as the server parses it.
fn posted(body: &NewMessageBody) -> Formatted {
    let source = body.text.as_deref().unwrap_or_default();
    match body.format {
        Some(TextFormat::Html) => format(source, Notation::Html),
        Some(_) => format(source, Notation::Markdown),
        None => Formatted { text: source.to_owned(), markup: Vec::new() },
    }
}

/// Returns the expected styles of a text with this markup. An element formats every character that it covers at least
/// partly. If two links overlap, the link that begins later counts.
fn meant(text: &str, markup: &[MarkupElement]) -> Vec<Look> {
    let chars: Vec<usize> =
        text.chars().enumerate().flat_map(|(at, char)| std::iter::repeat_n(at, char.len_utf16())).collect();
    let mut looks = vec![Look::default(); chars.len()];
    let mut parts = Vec::new();
    for element in markup {
        let json = serde_json::to_value(element).unwrap();
        let (from, length) = (json["from"].as_i64().unwrap(), json["length"].as_i64().unwrap());
        let style = match element.tag() {
            "strong" => Style::Strong,
            "emphasized" => Style::Emphasized,
            "monospaced" => Style::Monospaced,
            "strikethrough" => Style::Strikethrough,
            "underline" => Style::Underline,
            "heading" => Style::Heading,
            "highlighted" => Style::Highlighted,
            "link" => link(json["url"].as_str().unwrap(), SERVICE).unwrap(),
            "user_mention" => Style::Mention { user_link: None, user_id: Some(5) },
            _ => continue,
        };
        let is_in = |(unit, _): &(usize, &usize)| (from..from.saturating_add(length)).contains(&(*unit as i64));
        parts.push((chars.iter().enumerate().filter(is_in).map(|(_, char)| *char).collect::<Vec<_>>(), style));
    }
    parts.sort_by_key(|(chars, _)| chars.first().copied());
    for (part, style) in parts {
        let within = chars.iter().zip(&mut looks).filter(|(char, _)| part.contains(char));
        within.for_each(|(_, look)| look.add(&style, true));
    }
    looks
}

/// Whether a text has no styles but the expected ones. Markdown cannot show all formatting, so styles may be missing.
fn is_part_of(shown: &[Look], meant: &[Look]) -> bool {
    shown.len() == meant.len() && shown.iter().zip(meant).all(|(shown, meant)| shown.is_part_of(meant))
}

fn is_space(unit: u16) -> bool {
    char::from_u32(unit.into()).is_some_and(char::is_whitespace)
}

/// Sets the number of cases to `PROPTEST_CASES` divided by `fewer`.
fn cases_of(fewer: u32) -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig { cases: default.cases / fewer, failure_persistence: None, ..default }
}

proptest! {
    #![proptest_config(cases_of(1))]

    #[test]
    fn an_escaped_text_is_read_unchanged(text in any_text()) {
        for (source, notation) in
            [(escape_markdown(&text), Notation::Markdown), (escape_html(&text), Notation::Html)]
        {
            for service in [Service::TamTam, Service::Max] {
                let plain = Formatted { text: text.clone(), markup: Vec::new() };
                prop_assert_eq!(super::format(&source, notation, service), plain);
            }
        }
    }

    #[test]
    fn an_escaped_text_is_plain_within_other_text(before in any_text(), text in any_text(), after in any_text()) {
        let source = [before.as_str(), &text, &after].map(escape_markdown).concat();
        prop_assert_eq!(format(&source, Notation::Markdown).text, [before.as_str(), &text, &after].concat());
        let attribute = format!("<a href=\"{}\">x</a>", escape_html(&format!("u{text}")));
        let link = Style::Link { url: format!("u{text}") };
        prop_assert_eq!(&format(&attribute, Notation::Html).markup[0].style, &link);
    }

    #[test]
    fn html_keeps_all_formatting(plan in plan(any_text())) {
        let text = plan.text();
        let html = format(&text.to_html(), Notation::Html);
        prop_assert_eq!(&html.text, text.as_str());
        prop_assert_eq!(looks(&html), plan.looks());
        prop_assert_eq!(posted(&text.into()), html);
    }

    #[test]
    fn markdown_adds_no_formatting(plan in plan(any_text())) {
        let text = plan.text();
        let markdown = format(&text.to_markdown(), Notation::Markdown);
        prop_assert_eq!(&markdown.text, text.as_str());
        prop_assert!(is_part_of(&looks(&markdown), &plan.looks()), "{}", text.to_markdown());
    }

    #[test]
    fn markdown_omits_only_headings_and_emphasis(plan in plan(tame_text())) {
        let text = plan.text();
        let shown = looks(&format(&text.to_markdown(), Notation::Markdown));
        for ((unit, shown), meant) in text.as_str().encode_utf16().zip(shown).zip(plan.looks()) {
            let mut all = Look { link: shown.link, styles: shown.styles };
            for style in [Style::Heading, Style::Emphasized].iter().map(|style| format!("{style:?}")) {
                all.styles.extend(meant.styles.get(&style).cloned());
            }
            prop_assert!(is_space(unit) || all == meant, "{} lacks some of {meant:?}", text.to_markdown());
        }
    }

    #[test]
    fn html_keeps_received_markup(text in any_text(), markup in any_markup()) {
        let html = format(&Text::from_markup(&text, &markup).to_html(), Notation::Html);
        prop_assert_eq!(&html.text, &text);
        prop_assert_eq!(looks(&html), meant(&text, &markup));
    }

    #[test]
    fn markdown_adds_nothing_to_received_markup(text in any_text(), markup in any_markup()) {
        let markdown = Text::from_markup(&text, &markup).to_markdown();
        let shown = format(&markdown, Notation::Markdown);
        prop_assert_eq!(&shown.text, &text);
        prop_assert!(is_part_of(&looks(&shown), &meant(&text, &markup)), "{markdown}");
    }
}

proptest! {
    #![proptest_config(cases_of(8))]

    #[test]
    fn a_split_text_is_whole_and_its_parts_fit(pieces in vec(any_text(), 1..60), times in 1..60_usize) {
        let text = pieces.concat().repeat(times);
        let parts = split(&text);
        let mut rest = text.as_str();
        for part in &parts {
            prop_assert!(part.encode_utf16().count() <= LIMIT);
            let at = rest.find(part).unwrap();
            prop_assert!(rest[..at].chars().all(char::is_whitespace));
            rest = &rest[at + part.len()..];
        }
        prop_assert!(rest.chars().all(char::is_whitespace));
    }

    #[test]
    fn a_formatted_text_keeps_its_formatting_when_it_is_split(plans in vec(plan(any_text()), 1..20), times in 5..20_usize) {
        let plan = Plan::All(std::iter::repeat_n(Plan::All(plans), times).collect());
        let text = plan.text();
        // A message with only white space is refused.
        prop_assume!(!text.as_str().trim().is_empty());
        let mut whole = text.as_str().encode_utf16().zip(plan.looks()).filter(|(unit, _)| !is_space(*unit));
        let bot = Bot::max("token").unwrap();
        for part in bot.send_long(ChatId(1), text.clone()).parts().unwrap() {
            prop_assert!(part.text.as_deref().unwrap_or_default().encode_utf16().count() <= LIMIT);
            let part = posted(&part);
            for shown in part.text.encode_utf16().zip(looks(&part)).filter(|(unit, _)| !is_space(*unit)) {
                prop_assert_eq!(Some(shown), whole.next());
            }
        }
        prop_assert_eq!(whole.next(), None);
    }
}
