//! Events of a sandbox, as readable text.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ids::ChatId;

/// An event in a chat, for example a message or the press of a button.
/// [`Sandbox::transcript`](crate::Sandbox::transcript) returns all events as text.
/// [`Sandbox::on_event`](crate::Sandbox::on_event) adds a hook that receives each event.
///
/// `Display` writes the event as text, such as `Alice: hi`, `Echo: hi  [Yes] [No]` or `Alice presses [Yes]`. In a group
/// or channel, the text starts with the title of the chat, such as `(Team) Alice: hi`. If a message has several lines,
/// all lines after the first are indented.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// use std::sync::mpsc;
///
/// let tamtam = tamtam_sandbox::Sandbox::start().await;
/// let (sender, events) = mpsc::channel();
/// tamtam.on_event(move |event| drop(sender.send(event.clone())));
/// let alice = tamtam.user("Alice");
/// alice.says("hi");
/// let event = events.try_iter().last().unwrap();
/// assert_eq!(event.to_string(), "Alice: hi");
/// assert_eq!((event.chat_id(), event.chat_title()), (alice.chat_id(), None));
/// # Ok(())
/// # }
/// ```
///
/// `Serialize` and `Deserialize` use the format of the [state file](crate::SandboxBuilder::state_file). Later versions
/// of this crate may change this format.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Event {
    pub(crate) chat_id: ChatId,
    pub(crate) chat_title: Option<String>,
    /// The person in a dialog, and the bot unless it is the first bot of the sandbox.
    pub(crate) dialog_with: Option<String>,
    pub(crate) what: String,
}

impl Event {
    /// Returns the id of the chat in which the event happened.
    pub fn chat_id(&self) -> tamtam::ChatId {
        tamtam::ChatId(self.chat_id)
    }

    /// Returns the title of the group or channel at the time of the event. If the event changes the title, returns the
    /// old title. `None` in a dialog, which is a private chat between one person and a bot.
    pub fn chat_title(&self) -> Option<&str> {
        self.chat_title.as_deref()
    }

    fn line(&self, place: Option<&str>) -> String {
        // Further lines of a text are indented: every line without an indent begins an event.
        let what = self.what.replace('\n', "\n    ");
        place.map_or_else(|| what.clone(), |place| format!("({place}) {what}"))
    }
}

impl fmt::Display for Event {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.line(self.chat_title()))
    }
}

/// Returns the transcript. If there are several dialogs, their lines begin with the name of the person.
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
    fn events_of_several_dialogs_begin_with_the_person() {
        let events = [event(1, None, Some("Alice"), "Echo: hi"), event(2, None, Some("Bob"), "Echo: hi")];
        assert_eq!(render(&events), "(Alice) Echo: hi\n(Bob) Echo: hi\n");
    }
}
