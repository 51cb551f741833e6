//! The format of state files.

use serde::{Deserialize, Serialize};

use super::State;

/// The first property of the file, which identifies it. This version cannot read a format with another number.
const FORMAT: &str = "tamtam-sandbox-1";
/// The beginning of the formats of all versions.
const FAMILY: &str = "tamtam-sandbox-";

#[derive(Serialize)]
struct Contents<'a> {
    format: &'static str,
    upload_url: &'a str,
    state: &'a State,
}

/// The properties that are read before the state.
#[derive(Deserialize)]
struct Head {
    format: String,
    upload_url: String,
}

#[derive(Deserialize)]
struct Kept {
    state: State,
}

/// Writes a state as the text of a file.
pub(crate) fn write(state: &State) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&Contents { format: FORMAT, upload_url: &state.uploads.base_url, state })
}

/// Reads the state in the text of a file. The URLs of uploaded files change to `upload_url`, the current URL of the
/// upload host.
///
/// # Errors
///
/// Returns what is wrong with the text.
pub(crate) fn read(text: &[u8], upload_url: &str) -> Result<State, String> {
    let text = std::str::from_utf8(text).map_err(|_| "it is not UTF-8 text".to_owned())?;
    let head: Head = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if head.format != FORMAT {
        let is_version = head.format.starts_with(FAMILY);
        let whose = if is_version { "it is from another version of the crate" } else { "it is from another program" };
        return Err(format!("its format is not `{FORMAT}`: {whose}"));
    }
    // Waiting updates contain the URLs as text, so they are replaced in the whole file. Base64 has no colon, and cannot
    // match.
    let text = text.replace(&files_at(&head.upload_url), &files_at(upload_url));
    let Kept { mut state } = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    if state.first_bot.is_none_or(|first| !state.bots.contains_key(&first)) {
        return Err("it has no bot".to_owned());
    }
    upload_url.clone_into(&mut state.uploads.base_url);
    Ok(state)
}

fn files_at(upload_url: &str) -> String {
    format!("{upload_url}/files/")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;
    use crate::protocol::markup::element::{Element, Style};
    use crate::protocol::service::Service;
    use crate::state::chat::{Channel, ChatKind, Gone};
    use crate::state::ids::{ChatId, UserId};
    use crate::state::message::{Action, AppButton, Attachment, Button, ChatButton, Content, Intent, Link, LinkKind};
    use crate::state::prepared::Prepared;
    use crate::state::session::ConstructorAnswer;
    use crate::state::updates::subscription;

    const HOST: &str = "http://127.0.0.1:1";

    /// Returns a state in which every kind of event has happened.
    fn everything() -> State {
        let mut state = State::seeded(Service::TamTam, 7);
        HOST.clone_into(&mut state.uploads.base_url);
        let bot = state.add_bot("Echo".to_owned(), "echo_bot".to_owned(), "a token".to_owned());
        let helper = state.add_bot("Helper".to_owned(), "helper_bot".to_owned(), "another".to_owned());
        state.bots.get_mut(&bot).unwrap().commands.push(("help".to_owned(), Some("Helps".to_owned())));
        let (alice, bob) = (state.add_person("Alice".to_owned()), state.add_person("Боб".to_owned()));
        let dialog = state.start(alice, bot, Some("a payload"));
        let team = state.found_group("Team".to_owned(), alice, None);
        state.take_in(team, bot, Some(alice));
        state.take_in(team, bob, None);
        say_everything(&mut state, team, alice, bot);
        state.notify(team, bot, bob, "Psst");
        let news = state.found_group("News".to_owned(), bob, Some(Channel { signs: true }));
        state.make_public(news, "news");
        state.with_chat(news, |chat| {
            chat.gone.extend([(alice, Gone::Left), (helper, Gone::Removed)]);
            chat.blocked.insert(alice);
            chat.read.insert(bob, 3);
        });
        let post = state.post(news, bob, Content::text("Post"));
        state.comment(news, post, bob, Content::text("Comment"));
        state.clear(dialog);
        state.mute(dialog, 5);
        compose(&mut state, alice, helper, dialog);
        state.suspend(dialog, true);
        subscribe(&mut state, bot);
        state
    }

    fn say_everything(state: &mut State, team: ChatId, alice: UserId, bot: UserId) {
        let media = ["image", "video", "audio", "file"];
        let mut attachments = media.map(|kind| state.keep_media(kind, "a.bin".to_owned(), vec![0, 255, 10])).to_vec();
        let chat = ChatButton { title: "Chat".to_owned(), description: None, start_payload: None, uuid: 5 };
        let actions = [
            Action::Callback { payload: "yes".to_owned(), intent: Intent::Negative },
            Action::Link { url: "https://example.org".to_owned() },
            Action::RequestContact,
            Action::RequestLocation { quick: true },
            Action::Chat(chat),
            Action::Message,
            Action::OpenApp(AppButton { web_app: "app".to_owned(), payload: None, contact_id: Some(bot) }),
            Action::Clipboard { payload: "copied".to_owned() },
        ];
        let row = actions.iter().map(|action| Button { label: "Press".to_owned(), action: action.clone() }).collect();
        attachments.extend([
            Attachment::Sticker { code: "cat".to_owned() },
            Attachment::Contact { vcf: None, user: Some(alice), signed_for: Some(bot) },
            Attachment::Share { url: None, token: Some("t".to_owned()) },
            Attachment::Location { latitude: 0.1 + 0.2, longitude: -1e-9 },
            Attachment::Keyboard(vec![row]),
        ]);
        let styles = [
            Style::Strong,
            Style::Emphasized,
            Style::Monospaced,
            Style::Strikethrough,
            Style::Underline,
            Style::Heading,
            Style::Highlighted,
            Style::Quote,
            Style::Link { url: "https://example.org".to_owned() },
            Style::Mention { user_link: None, user_id: Some(alice) },
        ];
        let markup = styles.map(|style| Element { style, from: 0, length: 2 }).to_vec();
        let content = Content { markup, attachments, ..Content::text("Hi\n\u{1F600}\"") };
        let seq = state.post(team, bot, content.clone());
        for action in &actions {
            state.press(team, seq, alice, ("Press", action));
        }
        let message = state.message(team, seq).unwrap().clone();
        for kind in [LinkKind::Forward, LinkKind::Reply] {
            state.post(team, alice, Content { link: Some(Link::to(&message, kind)), ..Content::default() });
        }
        state.edit(team, seq, bot, content);
        state.pin(team, alice, seq);
        state.with_chat(team, |chat| chat.view(seq, alice));
    }

    fn compose(state: &mut State, alice: UserId, bot: UserId, chat: ChatId) {
        let id = state.open_constructor(alice, bot, chat);
        let session = state.sessions.get_mut(&id).unwrap();
        session.answer = Some(ConstructorAnswer {
            messages: vec![Content::text("Done")],
            allows_input: true,
            hint: Some("Hint".to_owned()),
            placeholder: None,
            data: Some("data".to_owned()),
            keyboard: Vec::new(),
        });
        session.unread.push_back(Prepared {
            texts: vec!["Done".to_owned()],
            buttons: Vec::new(),
            hint: Some("Hint".to_owned()),
            placeholder: None,
            allows_input: true,
        });
    }

    /// Adds a webhook that has failed to take one update, is being sent another, and will get more.
    fn subscribe(state: &mut State, bot: UserId) {
        let now = state.clock.now();
        let mailbox = &mut state.bots.get_mut(&bot).unwrap().mailbox;
        let url = "http://127.0.0.1:2/hook".to_owned();
        let secret = Some("a-secret".to_owned());
        let settings = subscription::WebhookSettings { url, update_types: Vec::new(), version: None, secret };
        mailbox.subscribe(9, settings, 5, now);
        let (parcels, _) = state.take_due();
        state.redelivery = 60_000;
        state.failed(&parcels[0], "status 500".to_owned());
        state.take_due();
        // The file does not keep these two.
        (state.redelivery, state.touched) = (0, false);
    }

    #[test]
    fn a_written_state_is_read_unchanged() {
        let state = everything();
        let text = write(&state).unwrap();
        let again = read(&text, HOST).unwrap();
        assert_eq!(format!("{again:#?}"), format!("{state:#?}"));
        assert_eq!(write(&again).unwrap(), text);
        // Without these parts in the state, the comparison would not detect that the file loses them.
        let kinds: BTreeSet<_> =
            state.chats.values().map(|chat| matches!(chat.kind, ChatKind::Dialog { .. })).collect();
        assert_eq!(kinds.len(), 2);
        let told = format!("{state:#?}");
        for part in [
            "again: Some(",
            "again: None",
            "button_chats: {\n",
            "unread: [\n",
            "notifications: {\n",
            "signs: true",
            "failing_since: Some(",
        ] {
            assert!(told.contains(part), "{part} is missing");
        }
    }

    #[test]
    fn urls_of_uploads_change_to_the_current_host() {
        const NEW: &str = "http://127.0.0.1:65000";
        let text = String::from_utf8(write(&everything()).unwrap()).unwrap();
        assert!(text.contains(&files_at(HOST)));
        let moved = read(text.as_bytes(), NEW).unwrap();
        let moved = String::from_utf8(write(&moved).unwrap()).unwrap();
        assert!(!moved.contains(HOST));
        assert_eq!(moved.matches(&files_at(NEW)).count(), text.matches(&files_at(HOST)).count());
    }

    #[test]
    fn reports_why_a_text_is_not_a_state() {
        let whole = String::from_utf8(write(&everything()).unwrap()).unwrap();
        let text = |value: serde_json::Value| value.to_string();
        let head = |format: &str| json!({ "format": format, "upload_url": "", "state": {} });
        for (text, problem) in [
            (whole[..whole.len() - 1].to_owned(), "EOF"),
            (text(head("tamtam-sandbox-2")), "another version"),
            (text(head("tamtam-marker-1")), "another program"),
            (text(head(FORMAT)), "missing field"),
            (text(json!([])), "invalid"),
            (whole.replace(r#""first_bot":"#, r#""first_bot":1"#), "no bot"),
        ] {
            let told = read(text.as_bytes(), HOST).unwrap_err();
            assert!(told.contains(problem), "{problem}: {told}");
        }
        assert_eq!(read(b"\xff", HOST).unwrap_err(), "it is not UTF-8 text");
    }
}
