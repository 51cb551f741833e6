//! Tests of the Markdown parser.

use std::time::{Duration, Instant};

use super::*;

/// A parser with quadratic time would take minutes.
const PATIENCE: Duration = Duration::from_secs(20);

/// Returns the text, and each element as its type and its part of the text.
fn parts(source: &str) -> (String, Vec<(String, String)>) {
    format(source, Service::TamTam).parts()
}

#[track_caller]
fn check(source: &str, text: &str, expected: &[(&str, &str)]) {
    let expected = expected.iter().map(|(name, part)| ((*name).to_owned(), (*part).to_owned())).collect();
    assert_eq!(parts(source), (text.to_owned(), expected), "{source}");
}

#[track_caller]
fn check_plain(source: &str) {
    check(source, source, &[]);
}

#[test]
fn every_marker_has_its_style() {
    check("*a* _b_", "a b", &[("emphasized", "a"), ("emphasized", "b")]);
    check("**a** __b__", "a b", &[("strong", "a"), ("strong", "b")]);
    check("~~a~~ ++b++ ^^c^^", "a b c", &[("strikethrough", "a"), ("underline", "b"), ("highlighted", "c")]);
    check("`a` b", "a b", &[("monospaced", "a")]);
    check("[a](https://x.y/z)", "a", &[("link https://x.y/z", "a")]);
    check("[Ann](tamtam://user/42)", "Ann", &[("user_mention 42", "Ann")]);
}

#[test]
fn positions_are_counted_in_utf_16() {
    let formatted = format("😀 **b👍🏽** _ё_", Service::TamTam);
    assert_eq!(formatted.text, "😀 b👍🏽 ё");
    let places: Vec<_> = formatted.markup.iter().map(|one| (one.from, one.length)).collect();
    assert_eq!(places, [(3, 5), (9, 1)]);
}

#[test]
fn markers_nest() {
    check("**a *b* c**", "a b c", &[("strong", "a b c"), ("emphasized", "b")]);
    check("*a **b** c*", "a b c", &[("emphasized", "a b c"), ("strong", "b")]);
    check("*a**b**c*", "abc", &[("emphasized", "abc"), ("strong", "b")]);
    check("***a***", "a", &[("strong", "a"), ("emphasized", "a")]);
    check("**++~~a~~++**", "a", &[("strong", "a"), ("underline", "a"), ("strikethrough", "a")]);
    check("**[a *b*](u)**", "a b", &[("strong", "a b"), ("link u", "a b"), ("emphasized", "b")]);
}

#[test]
fn a_marker_without_a_partner_is_text() {
    for source in [
        "*",
        "**",
        "***",
        "****",
        "a * b * c",
        "2*3",
        "**a",
        "a**",
        "~~a",
        "a~b",
        "a+b",
        "C++ and D++",
        "++i",
        "a^b",
        "x^^",
        "_a",
        "snake_case_name",
        "a__b__c",
        "`a",
        "``",
        "[a]",
        "[a](",
        "[a](b",
        "[](u)",
        "[a]()",
        "[a](b c)",
        "]()",
        "(a)",
        "#",
        "#a",
        "# ",
        "a # b",
        "####### a",
        "** a **",
        "~",
        "\\",
        "\\a",
        "*a\n\nb*",
    ] {
        check_plain(source);
    }
    check("**a *b**", "a *b", &[("strong", "a *b")]);
    check("[a [b](u)", "[a b", &[("link u", "b")]);
    check("**a [b** c](u)", "a [b c](u)", &[("strong", "a [b")]);
    check("[**a](u) b**", "**a b**", &[("link u", "**a")]);
}

#[test]
fn a_backslash_escapes_a_marker() {
    check_plain("a\\b");
    check(r"\*a\* \_b\_ \[c](d) \`e` \\ \# f", "*a* _b_ [c](d) `e` \\ # f", &[]);
    check(r"*a\*b*", "a*b", &[("emphasized", "a*b")]);
    check(r"[a\]](u\))", "a]", &[("link u)", "a]")]);
    check(r"\# a", "# a", &[]);
}

#[test]
fn code_is_not_parsed() {
    check("`**a** \\* [b](c)`", "**a** \\* [b](c)", &[("monospaced", "**a** \\* [b](c)")]);
    check("``a`b``", "a`b", &[("monospaced", "a`b")]);
    check("`a\nb` c", "a b c", &[("monospaced", "a b")]);
    check("```\nlet x = 1;\n\nx\n```", "let x = 1;\n\nx", &[("monospaced", "let x = 1;\n\nx")]);
    check("**`a`**", "a", &[("strong", "a"), ("monospaced", "a")]);
    check("`a **b` c**", "a **b c**", &[("monospaced", "a **b")]);
}

#[test]
fn a_heading_is_a_line() {
    check("# a *b*\nc", "a b\nc", &[("heading", "a b"), ("emphasized", "b")]);
    check("x\n## a\n### b", "x\na\nb", &[("heading", "a"), ("heading", "b")]);
    check("# *a\nb*", "*a\nb*", &[("heading", "*a")]);
}

#[test]
fn a_url_may_have_brackets_and_markers() {
    check("[a](https://x/(b)_c_)", "a", &[("link https://x/(b)_c_", "a")]);
    check("[a](tamtam://user/x)", "a", &[("link tamtam://user/x", "a")]);
    let long = format!("[a](https://{})", "x".repeat(3_000));
    check_plain(&long);
}

#[test]
fn markers_reach_the_next_line_but_not_over_an_empty_one() {
    check("**a\nb**", "a\nb", &[("strong", "a\nb")]);
    check("**a\n\n*b*", "**a\n\nb", &[("emphasized", "b")]);
}

#[test]
fn hostile_texts_are_parsed_quickly() {
    let (size, started) = (50_000, Instant::now());
    for (piece, end) in [
        ("*", ""),
        ("**a ", ""),
        ("[", "]"),
        ("[a](", ""),
        ("`", ""),
        ("` `` ", ""),
        ("_a *b ", "_"),
        ("**a [", "]"),
        ("[[a](u)", ""),
        ("~~a ++b ", "~~"),
        ("*a **b ", "_"),
    ] {
        let source = format!("{}{}", piece.repeat(size), end.repeat(size));
        assert!(format(&source, Service::Max).text.len() <= source.len());
    }
    assert!(started.elapsed() < PATIENCE, "{:?}", started.elapsed());
}

#[test]
fn max_has_quotes_of_one_line_or_more() {
    let parts = |source: &str| format(source, Service::Max).parts();
    let strings = |all: &[(&str, &str)]| -> Vec<_> {
        all.iter().map(|(name, part)| ((*name).to_owned(), (*part).to_owned())).collect()
    };
    for (source, text, markup) in [
        ("> a", "a", &[("quote", "a")][..]),
        (">a\n> **b**\nc", "a\nb\nc", &[("quote", "a\nb"), ("strong", "b")]),
        ("x\n> a\n\n> b", "x\na\n\nb", &[("quote", "a"), ("quote", "b")]),
        ("> # h", "h", &[("quote", "h"), ("heading", "h")]),
        ("a > b\n\\> c\n>", "a > b\n> c\n", &[]),
        ("**a\n> b** c", "**a\nb** c", &[("quote", "b** c")]),
    ] {
        assert_eq!(parts(source), (text.to_owned(), strings(markup)), "{source:?}");
    }
    assert_eq!(format("> a", Service::TamTam).parts(), ("> a".to_owned(), Vec::new()));
}

#[test]
fn a_mention_is_a_link_of_the_service() {
    let style = |source: &str, service| format(source, service).parts().1[0].0.clone();
    assert_eq!(style("[Ann](max://user/42)", Service::Max), "user_mention 42");
    assert_eq!(style("[Ann](max://user/42)", Service::TamTam), "link max://user/42");
}
