//! What happened, told so that a person can read it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ids::ChatId;

/// Something that happened in a conversation. `Display` tells it in one line, or more if a text has
/// more: `Alice: hi`, `Echo: hi  [Yes] [No]`, `Alice presses [Yes]`, and with the chat's title in
/// front when it is not a dialog: `(Team) Alice: hi`.
///
/// Written with serde it has what a sandbox's state file keeps of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Event {
    pub(crate) chat_id: ChatId,
    pub(crate) chat_title: Option<String>,
    /// The person of a dialog, and the bot unless it is the one that the sandbox started with.
    pub(crate) dialog_with: Option<String>,
    pub(crate) what: String,
}

impl Event {
    /// The chat it happened in.
    pub fn chat_id(&self) -> tamtam::ChatId {
        tamtam::ChatId(self.chat_id)
    }

    /// The title of that chat at that moment; dialogs have none.
    pub fn chat_title(&self) -> Option<&str> {
        self.chat_title.as_deref()
    }

    fn line(&self, place: Option<&str>) -> String {
        // Further lines of a text are indented, so that a line that is not begins an event.
        let what = self.what.replace('\n', "\n    ");
        place.map_or_else(|| what.clone(), |place| format!("({place}) {what}"))
    }
}

impl fmt::Display for Event {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.line(self.chat_title()))
    }
}

/// All events, a line each. When there are several dialogs, each line says whose it is.
pub(crate) fn render(events: &[Event]) -> String {
    let mut dialogs = events.iter().filter(|event| event.chat_title.is_none());
    let first = dialogs.next().map(|event| event.chat_id);
    let several = dialogs.any(|event| Some(event.chat_id) != first);
    let mut text = String::new();
    for event in events {
        let dialog = event.dialog_with.as_deref().filter(|_| several);
        text.push_str(&event.line(event.chat_title().or(dialog)));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(chat_id: ChatId, title: Option<&str>, dialog_with: Option<&str>, what: &str) -> Event {
        Event {
            chat_id,
            chat_title: title.map(str::to_owned),
            dialog_with: dialog_with.map(str::to_owned),
            what: what.to_owned(),
        }
    }

    #[test]
    fn one_dialog_needs_no_name_and_a_group_has_its_title() {
        let events = [event(1, None, Some("Alice"), "Alice: hi"), event(-1, Some("Team"), None, "Bob: a\nb")];
        assert_eq!(render(&events), "Alice: hi\n(Team) Bob: a\n    b\n");
        assert_eq!(events[1].to_string(), "(Team) Bob: a\n    b");
    }

    #[test]
    fn several_dialogs_are_told_apart() {
        let events = [event(1, None, Some("Alice"), "Echo: hi"), event(2, None, Some("Bob"), "Echo: hi")];
        assert_eq!(render(&events), "(Alice) Echo: hi\n(Bob) Echo: hi\n");
    }
}
