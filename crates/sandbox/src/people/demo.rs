//! Something to begin with: a group, a message with buttons, a pressed one, and an open constructor.

use tamtam::CallbackId;

use crate::sandbox::Sandbox;
use crate::state::State;
use crate::state::chat::Permission;
use crate::state::demo::Demo;
use crate::state::ids::{self, ChatId, Seq, UserId};
use crate::state::message::{Action, Attachment, Button, Content, Intent};

const TITLE: &str = "Demo";
const OWNER: &str = "Alice";
const MEMBER: &str = "Bob";
const TEXT: &str = "Shall we?";

impl Sandbox {
    /// A group "Demo" in which the bot is an administrator, with its owner Alice and with Bob, who has a dialog with the bot
    /// too; a message of the bot's with buttons, one of which Bob has pressed, and a constructor that he has opened. The
    /// bot has the updates of all this.
    ///
    /// There is one: who asks again, or starts with a [state file](crate::SandboxBuilder::state_file) that has
    /// it, gets the same ids. Only what is not there any more is made anew, such as a message that was deleted or a
    /// constructor whose message was posted.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// let (bot, demo) = (tamtam.bot(), tamtam.demo());
    /// let message = bot.api().get_message_by_id(demo.message_id.clone()).await?;
    /// assert_eq!(message.recipient.chat_id, Some(demo.chat_id));
    /// assert_eq!(tamtam.demo(), demo);
    /// # Ok(())
    /// # }
    /// ```
    pub fn demo(&self) -> Demo {
        self.world().act(|state| make(state, self.bot_id().0))
    }
}

/// Makes what is not there.
fn make(state: &mut State, bot: UserId) -> Demo {
    let old = state.demo.take();
    let (chat_id, user_id) = match &old {
        Some(old) if is_group(state, old.chat_id.0, old.user_id.0, bot) => (old.chat_id.0, old.user_id.0),
        _ => found(state, bot),
    };
    let message = old.as_ref().and_then(|old| state.find(old.message_id.as_str()));
    let message = message.filter(|(chat, _)| *chat == chat_id).map(|(_, seq)| seq);
    let seq = message.unwrap_or_else(|| state.post(chat_id, bot, content()));
    let callback = old.as_ref().map(|old| old.callback_id.clone());
    let callback = callback.filter(|id| state.callbacks.get(id.as_str()).is_some_and(|one| one.seq == seq));
    let session = old.map(|old| old.session_id);
    let session = session.filter(|id| state.sessions.get(id.as_str()).is_some_and(|one| one.chat == chat_id));
    let demo = Demo {
        chat_id: chat_id.into(),
        user_id: user_id.into(),
        message_id: ids::mid(chat_id, seq).into(),
        callback_id: callback.unwrap_or_else(|| press(state, chat_id, seq, user_id)),
        session_id: session.unwrap_or_else(|| state.open_constructor(user_id, bot, chat_id).into()),
    };
    state.demo = Some(demo.clone());
    demo
}

/// Whether both are still in the group, and the bot is an administrator as it was.
fn is_group(state: &State, chat_id: ChatId, user_id: UserId, bot: UserId) -> bool {
    state.chats.get(&chat_id).is_some_and(|chat| {
        let bot = chat.members.get(&bot);
        chat.members.contains_key(&user_id)
            && bot.is_some_and(|bot| Permission::ALL.iter().all(|right| bot.may(*right)))
    })
}

fn found(state: &mut State, bot: UserId) -> (ChatId, UserId) {
    let [owner, member] = [OWNER, MEMBER].map(|name| state.add_person(name.to_owned()));
    state.start(member, bot, None);
    (state.found_with(TITLE.to_owned(), owner, [member, bot], false), member)
}

fn content() -> Content {
    let row = vec![button("Yes", Intent::Positive), button("No", Intent::Negative)];
    Content { attachments: vec![Attachment::Keyboard(vec![row])], ..Content::text(TEXT) }
}

fn button(label: &str, intent: Intent) -> Button {
    Button { label: label.to_owned(), action: Action::Callback { payload: label.to_lowercase(), intent } }
}

fn press(state: &mut State, chat_id: ChatId, seq: Seq, user: UserId) -> CallbackId {
    let Button { label, action } = button("Yes", Intent::Positive);
    // A callback button of a message that is there always has an id.
    state.press(chat_id, seq, user, (&label, &action)).unwrap_or_default().into()
}
