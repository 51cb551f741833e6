//! Formatted and long texts: the text that a person sees, and the markup from the server.

use serde_json::{Value, json};
use tamtam::{
    Bot, ChatId, ErrorKind, Keyboard, NewMessageBody, Update,
    text::{self, Text, escape_html, escape_markdown},
    types::{CallbackButton, LinkMarkup, MarkupElement},
};
use tamtam_sandbox::{Fault, Person, Sandbox};

use crate::{
    conformance::{self, Checked},
    fault_server::quick,
};

/// Names of users with characters of Markdown and HTML.
const NAMES: [&str; 6] = [
    "**Bold** _Ann_",
    "</b><h1>&lt;",
    "`code` ``",
    "# [a](https://x)\n# b",
    "C:\\*\\_",
    "👨‍👩‍👧 ~~ё~~ ++\u{202E}שלום++ ^^",
];

async fn dialog() -> (Checked, Bot, Person) {
    let tamtam = conformance::start().await;
    let bot = Bot::builder(tamtam.token()).base_url(tamtam.base_url()).retry(quick()).http(|http| http.no_proxy());
    let alice = tamtam.user("Alice");
    alice.starts();
    let bot = bot.build().unwrap();
    (tamtam, bot, alice)
}

fn element(kind: &str, from: i32, length: i32) -> Value {
    json!({ "from": from, "length": length, "type": kind })
}

/// Returns words of `length` characters, including spaces.
fn words(length: usize) -> String {
    "word ".repeat(length.div_ceil(5))[..length].to_owned()
}

/// Returns all texts that a person sees from the bot.
fn seen(alice: &Person) -> String {
    alice.sees().join("|")
}

#[tokio::test]
async fn an_escaped_text_is_shown_unchanged() {
    let (_tamtam, bot, alice) = dialog().await;
    for name in NAMES {
        for body in [
            NewMessageBody::markdown(format!("**a** {}", escape_markdown(name))),
            NewMessageBody::html(format!("<b>a</b> {}", escape_html(name))),
        ] {
            let sent = bot.send(alice.chat_id(), body).await.unwrap().message;
            assert_eq!(sent.text(), Some(format!("a {name}").as_str()));
            assert_eq!(alice.reads().await.markup(), [element("strong", 0, 1)], "{name}");
        }
    }
}

#[tokio::test]
async fn a_text_is_shown_with_its_formatting() {
    let (_tamtam, bot, alice) = dialog().await;
    for name in NAMES {
        let text = Text::new("😀 ").bold(Text::new("a ").italic(name)).plain(" b ").mention("Bob", 42);
        let sent = bot.send(alice.chat_id(), text.clone()).await.unwrap().message;
        let seen = alice.reads().await;
        let units = i32::try_from(name.encode_utf16().count()).unwrap();
        assert_eq!(seen.text(), text.as_str());
        assert_eq!(
            seen.markup(),
            [
                element("strong", 3, units + 2),
                element("emphasized", 5, units),
                json!({ "user_link": null, "user_id": 42, "from": units + 8, "length": 3, "type": "user_mention" }),
            ]
        );
        assert_eq!(sent.to_html(), text.to_html());
        // The received text can be sent unchanged in an edit, in both formats.
        let mid = &sent.body.as_ref().unwrap().mid;
        bot.edit(mid, NewMessageBody::html(sent.to_html())).await.unwrap();
        assert_eq!(alice.reads().await.markup(), seen.markup());
        if !name.contains('\n') {
            bot.edit(mid, NewMessageBody::markdown(sent.to_markdown())).await.unwrap();
            assert_eq!(alice.reads().await.markup(), seen.markup());
        }
    }
}

#[tokio::test]
async fn slices_returns_the_marked_up_parts_of_a_received_text() {
    let (_tamtam, bot, alice) = dialog().await;
    let posted =
        bot.send(alice.chat_id(), NewMessageBody::markdown("😀 **b [l](https://x)** `c`")).await.unwrap().message;
    let body = posted.body.unwrap();
    let parts: Vec<(&str, &str)> = body.slices().map(|(element, part)| (element.tag(), part)).collect();
    assert_eq!(parts, [("strong", "b l"), ("link", "l"), ("monospaced", "c")]);
    let link = body.slices().find_map(|(element, _)| match element {
        MarkupElement::Link(LinkMarkup { url, .. }) => Some(url.as_str()),
        _ => None,
    });
    assert_eq!(link, Some("https://x"));
    assert_eq!(body.to_markdown(), "😀 **b [l](https://x)** `c`");
}

#[tokio::test]
async fn a_long_text_is_sent_complete_and_in_order() {
    let (_tamtam, bot, alice) = dialog().await;
    let novel = (0..2000).map(|number| format!("Sentence {number}. 😀{}", if number % 9 == 0 { "\n\n" } else { "" }));
    let novel: String = novel.collect();
    let sent = bot.send_long(alice.chat_id(), novel.as_str()).await.unwrap();
    assert!(sent.len() > 5);
    assert_eq!(alice.sees(), text::split(&novel));
    assert_eq!(alice.sees(), sent.iter().map(|message| message.text().unwrap()).collect::<Vec<_>>());
    assert_eq!(alice.sees().concat().replace([' ', '\n'], ""), novel.replace([' ', '\n'], ""));
    assert!(alice.sees().iter().all(|part| part.encode_utf16().count() <= text::LIMIT));
}

#[tokio::test]
async fn formatting_across_parts_is_kept_in_each_part() {
    let (_tamtam, bot, alice) = dialog().await;
    let (first, second) = (words(3000), words(3000));
    let long = Text::new("<&> ").bold(Text::new(&first).link(format!(" {second}"), "https://example.org?a&b"));
    let sent = bot.send_long(alice.user_id(), long).await.unwrap();
    assert_eq!(sent.len(), 2);
    for message in &sent {
        let body = message.body.as_ref().unwrap();
        let bold: usize =
            body.slices().filter(|(element, _)| element.tag() == "strong").map(|(_, part)| part.len()).sum();
        assert!(bold + "<&> ".len() >= message.text().unwrap().len(), "{}", message.to_html());
        let link = body.slices().find(|(element, _)| element.tag() == "link").unwrap().1;
        assert!(second.contains(link.trim()) && link.len() > 500, "{link}");
    }
    assert_eq!(seen(&alice).replace(['|', ' '], ""), format!("<&>{first}{second}").replace(' ', ""));
}

#[tokio::test]
async fn the_last_part_has_the_keyboard_and_the_first_one_is_the_reply() {
    let (_tamtam, bot, alice) = dialog().await;
    let question = alice.says("Tell me everything");
    let keyboard = Keyboard::new(vec![vec![CallbackButton::new("More", "more").into()]]);
    let long = bot.send_long(alice.chat_id(), words(9000)).keyboard(keyboard).reply_to(question);
    let sent = long.disable_link_preview(true).await.unwrap();
    assert_eq!(sent.len(), 3);
    let keyboards: Vec<bool> = sent.iter().map(|one| one.body.as_ref().unwrap().attachments.is_some()).collect();
    let links: Vec<bool> = sent.iter().map(|one| one.link.is_some()).collect();
    assert_eq!((keyboards, links), (vec![false, false, true], vec![true, false, false]));
    alice.presses("More");
}

#[tokio::test]
async fn markdown_and_html_are_split_between_paragraphs() {
    let (_tamtam, bot, alice) = dialog().await;
    let markdown = format!("**a\n{0}**\n\n```\n{0}\n\nb\n```\n\n_c_", words(2499));
    let html = format!("<b>a\n{0}</b>\n<pre>\n{0}\n\nb</pre>\n<i>c</i>", words(2499));
    for (body, kinds) in [
        (NewMessageBody::markdown(markdown), ["strong", "monospaced", "emphasized"]),
        (NewMessageBody::html(html), ["strong", "monospaced", "emphasized"]),
    ] {
        let sent = bot.send_long(alice.chat_id(), body).await.unwrap();
        assert_eq!(sent.len(), 2);
        let bodies = sent.iter().map(|message| message.body.as_ref().unwrap());
        let elements: Vec<&str> = bodies.flat_map(|body| body.slices().map(|(element, _)| element.tag())).collect();
        assert_eq!(elements, kinds);
    }
}

#[tokio::test]
async fn no_part_of_a_text_that_cannot_be_split_is_sent() {
    let (_tamtam, bot, alice) = dialog().await;
    let body = NewMessageBody::markdown(format!("a\n\n**{0}\n{0}**", words(2500)));
    let mut long = bot.send_long(alice.chat_id(), body);
    assert_eq!(long.parts().unwrap_err().kind(), ErrorKind::InvalidRequest);
    let error = long.send().await.unwrap_err();
    assert!(error.kind() == ErrorKind::InvalidRequest && !error.may_have_been_applied() && long.sent().is_empty());
    assert!(error.to_string().starts_with("sendMessage: not sent: body.text has no line end"), "{error}");
    assert!(alice.sees().is_empty());
}

#[tokio::test]
async fn sending_a_long_text_continues_after_a_failure() {
    let (tamtam, bot, alice) = dialog().await;
    let novel = words(10_000);
    fail_second(&tamtam, Fault::error(403, "chat.denied", "no"));
    let mut long = bot.send_long(alice.chat_id(), &novel);
    let error = long.send().await.unwrap_err();
    assert!(error.is_forbidden() && !error.may_have_been_applied());
    assert_eq!((long.sent().len(), long.parts().unwrap().len()), (1, 2));
    assert_eq!(alice.sees(), [long.sent()[0].text().unwrap()]);
    assert_eq!(long.send().await.unwrap().len(), 3);
    assert_eq!(long.send().await.unwrap().len(), 3, "all parts are posted");
    assert_eq!(alice.sees(), text::split(&novel));
}

#[tokio::test]
async fn a_part_that_may_be_posted_can_be_skipped() {
    let (tamtam, bot, alice) = dialog().await;
    let novel = words(10_000);
    fail_second(&tamtam, Fault::reset().applied(true));
    let mut long = bot.send_long(alice.chat_id(), &novel);
    assert!(long.send().await.unwrap_err().may_have_been_applied());
    assert_eq!((long.sent().len(), alice.sees().len()), (1, 2));
    long.skip_part();
    assert_eq!(long.send().await.unwrap().len(), 2);
    assert_eq!(alice.sees(), text::split(&novel));
}

#[tokio::test]
async fn a_dropped_send_of_a_long_text_keeps_what_is_posted() {
    let (tamtam, bot, alice) = dialog().await;
    let novel = words(10_000);
    fail_second(&tamtam, Fault::delay(std::time::Duration::from_secs(3_600)));
    let mut long = bot.send_long(alice.chat_id(), &novel);
    let second_is_posted = async {
        while alice.sees().len() < 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = long.send() => panic!("the answer to the second part is delayed"),
        () = second_is_posted => {}
    }
    assert_eq!(long.sent().len(), 1);
    long.skip_part();
    assert_eq!(long.send().await.unwrap().len(), 2);
    assert_eq!(alice.sees(), text::split(&novel));
}

#[tokio::test]
async fn an_awaited_long_text_that_is_half_posted_may_have_been_applied() {
    let (tamtam, bot, alice) = dialog().await;
    let refused = || Fault::error(403, "chat.denied", "no");
    fail_second(&tamtam, refused());
    let error = bot.send_long(alice.chat_id(), words(10_000)).await.unwrap_err();
    assert!(error.may_have_been_applied() && error.is_forbidden());
    tamtam.fails("sendMessage", refused());
    let error = bot.send_long(alice.chat_id(), words(10_000)).await.unwrap_err();
    assert!(!error.may_have_been_applied() && error.is_forbidden());
}

#[tokio::test]
async fn a_skipped_part_counts_as_posted() {
    let (tamtam, bot, alice) = dialog().await;
    let mut long = bot.send_long(alice.chat_id(), words(10_000));
    long.skip_part();
    tamtam.fails("sendMessage", Fault::error(403, "chat.denied", "no"));
    assert!(long.await.unwrap_err().may_have_been_applied());
}

#[tokio::test]
async fn a_long_text_may_have_a_format() {
    let (_tamtam, bot, alice) = dialog().await;
    let long = bot.send_long(alice.chat_id(), format!("**a**\n\n{}", words(4000)));
    let sent = long.format(tamtam::types::TextFormat::Markdown).await.unwrap();
    assert_eq!((sent.len(), alice.sees()[0].as_str()), (2, "a"));
}

/// Makes the second message fail.
fn fail_second(tamtam: &Sandbox, fault: Fault) {
    let sandbox = tamtam.clone();
    let armed = std::sync::Once::new();
    tamtam.on_event(move |_| armed.call_once(|| sandbox.fails("sendMessage", fault.clone())));
}

#[tokio::test]
async fn a_formatted_text_can_be_a_reply() {
    let (_tamtam, bot, alice) = dialog().await;
    alice.says("1 < 2");
    let mut updates = bot.updates();
    let echoed = loop {
        if let Update::MessageCreated(created) = updates.try_next().await.unwrap().unwrap() {
            break created.message.unwrap();
        }
    };
    bot.reply(&echoed, Text::new("You said: ").italic(Text::from(&*echoed))).await.unwrap();
    let seen = alice.reads().await;
    assert_eq!((seen.text(), seen.markup()), ("You said: 1 < 2", &[element("emphasized", 10, 5)][..]));
}

#[test]
fn the_future_of_send_long_is_send_and_static() {
    fn check<T: Send + 'static>(_: impl Fn(Bot, ChatId) -> T) {}
    check(|bot, chat| bot.send_long(chat, "a").into_future());
}
