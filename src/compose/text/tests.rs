//! Tests of formatted text.

use super::*;
use crate::api::types::{
    AttachmentRequest, MarkupElement, MessageLinkType, NewMessageBody, NewMessageLink, StickerAttachmentRequest,
};

fn element(json: &str) -> MarkupElement {
    serde_json::from_str(json).unwrap()
}

/// Returns a text as a long message.
fn long(text: impl LongText) -> LongMessage {
    text.into_long()
}

#[test]
fn every_style_has_its_notation() {
    let text = Text::new("p")
        .bold("b")
        .line()
        .italic("i")
        .line()
        .underline("u")
        .line()
        .strike("s")
        .line()
        .highlight("h")
        .line()
        .code("c")
        .line()
        .heading("t")
        .line()
        .link("l", "https://example.org?a&b")
        .line()
        .mention("m", 42);
    assert_eq!(
        text.to_html(),
        "p<b>b</b>\n<i>i</i>\n<u>u</u>\n<s>s</s>\n<mark>h</mark>\n<code>c</code>\n<h1>t</h1>\n\
         <a href=\"https://example.org?a&amp;b\">l</a>\n<a href=\"tamtam://user/42\">m</a>"
    );
    assert_eq!(
        text.to_markdown(),
        "p**b**\n_i_\n++u++\n~~s~~\n^^h^^\n`c`\n# t\n[l](https://example.org?a&b)\n[m](tamtam://user/42)"
    );
    assert_eq!(text.as_str(), "pb\ni\nu\ns\nh\nc\nt\nl\nm");
}

#[test]
fn a_text_without_formatting_is_sent_as_it_is() {
    let body = NewMessageBody::from(Text::new("1 < **2**"));
    assert_eq!((body.text.as_deref(), body.format), (Some("1 < **2**"), None));
}

#[test]
fn texts_can_be_concatenated() {
    let mut text = Text::new("a") + "b" + Text::default().bold("c");
    text.extend(["d", "e"]);
    assert_eq!(text.to_html(), "ab<b>c</b>de");
    assert_eq!(Text::from_iter([Text::default().bold("a"), Text::new("b")]).to_html(), "<b>a</b>b");
    assert!(Text::default().bold("").link("", "u") == Text::default());
}

#[test]
fn styles_that_overlap_are_nested_and_a_link_stays_one() {
    let markup = [
        element(r#"{"type": "strong", "from": 0, "length": 4}"#),
        element(r#"{"type": "link", "from": 2, "length": 4, "url": "u"}"#),
    ];
    let text = Text::from_markup("abcdef", &markup);
    assert_eq!(text.to_html(), "<b>ab</b><a href=\"u\"><b>cd</b>ef</a>");
    assert_eq!(text.to_markdown(), "**ab**[**cd**ef](u)");
}

#[test]
fn the_inner_of_nested_links_counts_and_an_invalid_url_makes_no_link() {
    let text = Text::default().link(Text::new("a").link("b", "inner").plain("c"), "outer");
    assert_eq!(text.to_markdown(), "[a](outer)[b](inner)[c](outer)");
    assert_eq!(Text::default().link("a", " ").link("b", "u".repeat(2049)), Text::new("ab"));
}

#[test]
fn markdown_is_written_as_servers_read_it() {
    for (text, markdown) in [
        (Text::new("a").bold(" b ").plain("c"), "a **b** c"),
        (Text::default().bold("a\n\nb "), "**a**\n\n**b** "),
        (Text::default().bold(" \n"), " \n"),
        (Text::new("a").italic("b"), "a*b*"),
        (Text::default().italic(Text::default().bold("a").plain(": b")), "_**a**: b_"),
        (Text::new("x").italic(Text::default().bold("a").plain("b")), "x**a**b"),
        (Text::default().code("a`b"), "``a`b``"),
        (Text::default().code("`a"), "```\n`a\n```"),
        (Text::default().code("a\n\nb"), "```\na\n\nb\n```"),
        (Text::default().code("a").bold(Text::default().code("b")), "`a`**`b`**"),
        (Text::default().link("a", "x y(z)"), r"[a](x%20y\(z\))"),
        (Text::new("a ").heading("b"), "a b"),
        (Text::default().heading("a\nb"), "# a\n# b"),
    ] {
        assert_eq!(text.to_markdown(), markdown, "{text:?}");
    }
}

#[test]
fn each_line_of_a_quote_begins_with_a_greater_than_sign_in_markdown() {
    let code = Text::new("a\n").code("b\nc").plain("\n").code("`d").plain("\n").code("e").plain("\nf");
    for (text, markdown) in [
        (Text::default().quote("a"), "> a"),
        (Text::default().quote("a\n\nb").line().line().plain("c"), "> a\n> \n> b\n\nc"),
        (Text::default().quote(Text::new("a ").bold("b\nc")).plain("\nd"), "> a **b**\n> **c**\nd"),
        (Text::new("a").quote("\nb\n").plain("c"), "a\n> b\nc"),
        (Text::new("a ").quote("b\nc\nd").plain(" e"), "a b\n> c\nd e"),
        (Text::default().quote(" a"), ">  a"),
        (Text::default().quote(Text::default().heading("a")), "> a"),
        (Text::default().quote(code), "> a\n```\nb\nc\n```\n```\n`d\n```\n> `e`\n> f"),
    ] {
        assert_eq!(text.to_markdown(), markdown, "{text:?}");
    }
}

#[test]
fn a_quote_is_a_blockquote_in_html() {
    let quote = Text::default().quote(Text::new("a\n").bold("b")).plain("\nc");
    assert_eq!(quote.to_html(), "<blockquote>a\n<b>b</b></blockquote>\nc");
    let heading = Text::default().heading(Text::default().quote("a"));
    assert_eq!(heading.to_html(), "<blockquote><h1>a</h1></blockquote>");
}

#[test]
fn a_received_quote_is_rendered_as_a_quote() {
    let markup = [
        element(r#"{"type": "quote", "from": 0, "length": 3}"#),
        element(r#"{"type": "strong", "from": 2, "length": 3}"#),
    ];
    let text = Text::from_markup("a\nb\nc", &markup);
    assert_eq!(text.to_html(), "<blockquote>a\n<b>b</b></blockquote><b>\nc</b>");
    assert_eq!(text.to_markdown(), "> a\n> **b**\n**c**");
}

#[test]
fn a_greater_than_sign_is_escaped_in_markdown() {
    assert_eq!(Text::new("> a\n>b").to_markdown(), "\\> a\n\\>b");
    assert_eq!(Text::default().quote("> a").to_markdown(), "> \\> a");
    assert_eq!(escape_markdown("> a"), r"\> a");
}

#[test]
fn a_quote_that_is_split_is_a_quote_in_each_part() {
    let (a, b) = ("a".repeat(2500), "b".repeat(2500));
    let texts =
        |message: LongMessage| message.parts().unwrap().into_iter().map(|part| part.text.unwrap()).collect::<Vec<_>>();
    assert_eq!(
        texts(long(Text::default().quote(format!("{a}\n\n{b}")))),
        [format!("<blockquote>{a}</blockquote>"), format!("<blockquote>{b}</blockquote>")]
    );
    assert_eq!(texts(long(NewMessageBody::markdown(format!("> {a}\n> {b}")))), [format!("> {a}"), format!("> {b}")]);
}

#[test]
fn code_of_several_lines_is_a_block() {
    assert_eq!(Text::default().code("a\nb").to_html(), "<pre>a\nb</pre>");
    assert_eq!(Text::default().code(Text::new("a").bold("b\n")).to_html(), "<pre>a<b>b\n</b></pre>");
}

#[test]
fn invalid_markup_formats_only_text_that_exists() {
    let markup = [
        element(r#"{"type": "strong", "from": -5, "length": 6}"#),
        element(r#"{"type": "emphasized", "from": 3, "length": 2147483647}"#),
        element(r#"{"type": "underline", "from": 7, "length": -3}"#),
        element(r#"{"type": "blinking", "from": 2, "length": 1}"#),
        element(r#"{"type": "blinking"}"#),
        element(r#"{"type": "user_mention", "from": 2, "length": 1, "user_link": "@a"}"#),
        element(r#"{"type": "link", "from": 2, "length": 1, "url": ""}"#),
    ];
    assert_eq!(Text::from_markup("😀ab", &markup).to_html(), "<b>😀</b>a<i>b</i>");
    let parts: Vec<&str> = slices("😀ab", &markup).map(|(_, part)| part).collect();
    assert_eq!(parts, ["😀", "b", "", "a", "", "a", "a"]);
    assert!(slices("", &markup).all(|(_, part)| part.is_empty()));
}

#[test]
fn a_text_is_split_at_an_empty_line_else_a_line_else_a_word_else_a_character() {
    let a = |count| "a".repeat(count);
    let split_in_two = |text: &str| {
        let parts = split(text);
        assert_eq!(parts.len(), 2, "{parts:?}");
        (parts[0].len(), parts[1].to_owned())
    };
    let four = format!("{}\n\n{}\n{} {}", a(2000), a(500), a(500), a(2000));
    assert_eq!(split_in_two(&four).0, 2000);
    let three = format!("{}\n{} {}", a(2000), a(500), a(2000));
    assert_eq!(split_in_two(&three).0, 2000);
    assert_eq!(split_in_two(&format!("{} {}", a(10), a(4000))).0, 10);
    // An early empty line would produce more messages.
    let early = format!("{}\n\n{}\n{} {}", a(10), a(10), a(3000), a(4000));
    assert_eq!(split_in_two(&early).0, 3023);
    assert_eq!(split_in_two(&a(4001)), (4000, a(1)));
    // A part may have exactly the maximum length.
    assert_eq!(split_in_two(&format!("{} {}", a(4000), a(4000))), (4000, a(4000)));
    assert_eq!(split_in_two(&format!("{}\n\n  {}", a(4000), a(9))), (4000, format!("  {}", a(9))));
    assert_eq!(split(&a(4000)), [a(4000)]);
    assert_eq!(split("  "), ["  "]);
    assert!(split("").is_empty() && split(&" ".repeat(5000)).is_empty());
}

#[test]
fn characters_that_belong_together_are_not_split() {
    for cluster in ["😀", "👨‍👩‍👧", "👍🏽", "🇺🇦", "e\u{301}\u{302}", "🏴\u{E0067}\u{E0062}\u{E007F}"]
    {
        let text = format!("{}{}", "x".repeat(LIMIT - 1), cluster.repeat(3));
        let parts = split(&text);
        assert_eq!(parts, ["x".repeat(LIMIT - 1), cluster.repeat(3)], "{cluster}");
    }
    // Longer than a part, so it is split.
    let marks = "\u{301}".repeat(LIMIT * 2);
    assert_eq!(split(&marks).concat(), marks);
}

#[test]
fn the_first_part_has_the_link_and_the_last_part_the_attachments() {
    let sticker = AttachmentRequest::from(StickerAttachmentRequest::new(
        crate::api::types::StickerAttachmentRequestPayload::new("s"),
    ));
    let body = NewMessageBody::markdown(format!("**a**\n\n{}", "b".repeat(4000)));
    let body = body.attach(sticker.clone()).link(NewMessageLink::new(MessageLinkType::Reply, "mid")).notify(false);
    let parts = long(body).parts().unwrap();
    assert_eq!(parts.len(), 2);
    assert_eq!((parts[0].text.as_deref(), parts[1].text.as_ref().unwrap().len()), (Some("**a**"), 4000));
    assert!(parts.iter().all(|part| part.notify == Some(false) && part.format.is_some()));
    assert!(parts[0].link.is_some() && parts[0].attachments.is_none());
    assert!(parts[1].link.is_none() && parts[1].attachments == Some(vec![sticker]));
}

#[test]
fn a_message_of_one_part_is_unchanged() {
    let sticker = NewMessageBody::from(crate::api::types::AttachmentRequest::sticker("smile")).notify(true);
    for body in [NewMessageBody::html("<b>a"), NewMessageBody::from(" a "), sticker] {
        assert_eq!(long(body.clone()).parts().unwrap(), [body]);
    }
}

#[test]
fn an_empty_message_is_an_error() {
    for text in [String::new(), " \n".repeat(5000)] {
        let error = long(text).parts().unwrap_err();
        assert!(error.to_string().contains("only white space"), "{error}");
    }
}

#[test]
fn a_text_that_cannot_be_split_is_an_error_with_advice() {
    let words = "a ".repeat(2001);
    for body in [
        NewMessageBody::markdown(format!("a\n\n*b\n{words}")),
        NewMessageBody::html(format!("<b>{words}\n{words}</b>")),
    ] {
        let error = long(body).parts().unwrap_err();
        assert!(error.to_string().starts_with("body.text"), "{error}");
        assert!(error.to_string().contains("`Text`"), "{error}");
    }
    let link = Text::default().link(words, "&".repeat(2000));
    let error = long(link).parts().unwrap_err();
    assert!(error.to_string().contains("shorten the address"), "{error}");
}

#[test]
fn a_received_link_with_an_unsafe_scheme_is_left_out() {
    let html = |url: &str| {
        let link = serde_json::json!({"type": "link", "from": 0, "length": 4, "url": url});
        Text::from_markup("here", &[element(&link.to_string())]).to_html()
    };
    for url in [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        " javascript:alert(1)",
        "\u{1}javascript:alert(1)",
        "java\nscript:alert(1)",
        "java\tscript:alert(1)",
        "javascript\r:alert(1)",
        "vbscript:x",
        "data:text/html,<script>alert(1)</script>",
        "blob:https://x.example/1",
        "file:///etc/passwd",
        "intent://x#Intent;end",
        "http://[",
    ] {
        assert_eq!(html(url), "here", "{url}");
    }
    for url in [
        "https://x.example/a?b=c",
        "HTTP://x.example",
        "mailto:a@x.example",
        "tel:+70000000000",
        "tamtam://user/42",
        "max://user/42",
        "x.example/path",
        "//x.example",
    ] {
        assert_eq!(html(url), format!("<a href=\"{url}\">here</a>"), "{url}");
    }
}
