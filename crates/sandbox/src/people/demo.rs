//! The demo: a group, a message with buttons, presses, and an open constructor or a channel.

use tamtam::types::CallbackId;

use crate::protocol::service::Service;
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
const CHANNEL: &str = "Demo News";
const POST: &str = "We shall";
/// Unanswered presses on MAX. The official client has several methods that answer a press, and tests need one press for
/// each.
const PRESSES_OF_MAX: usize = 5;

impl Sandbox {
    /// Creates these items for a quick start, and returns their ids:
    ///
    /// - A group "Demo". Its members are Alice (the owner), Bob, and the bot (an administrator). Bob has also started
    ///   the bot in a dialog.
    /// - A message of the bot in the group, with two buttons. Bob has pressed one of these buttons, once on TamTam and
    ///   five times on MAX.
    /// - On TamTam, a [`Constructor`](crate::Constructor) that Bob has opened. A constructor is a window in which a bot
    ///   helps a person to compose a message.
    /// - On MAX, a channel "Demo News", which Alice owns. Comments are switched on, and the channel contains a post of
    ///   the bot.
    ///
    /// The bot gets the updates about these items.
    ///
    /// A second call returns the same ids, even in a new sandbox with the same
    /// [state file](crate::SandboxBuilder::state_file). The exceptions are:
    ///
    /// - If an item no longer exists, the call creates the item again, with a new id. For example, a constructor no
    ///   longer exists after its messages were posted.
    /// - If Bob has left the group, or if the bot has lost a right in the group, the call creates new people
    ///   (a new `user_id`), and a new group with its items.
    /// - If the bot has lost a right in the channel, the call creates a new channel and a post.
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

/// Creates the missing items of the demo. Returns the ids of all items.
fn make(state: &mut State, bot: UserId) -> Demo {
    let old = state.demo.take();
    let (chat_id, user_id) = match &old {
        Some(old) if is_group(state, old.chat_id.0, old.user_id.0, bot) => (old.chat_id.0, old.user_id.0),
        _ => found(state, bot),
    };
    let message = old.as_ref().and_then(|old| state.find(old.message_id.as_str()));
    let message = message.filter(|(chat, _)| *chat == chat_id).map(|(_, seq)| seq);
    let seq = message.unwrap_or_else(|| state.post(chat_id, bot, content()));
    let mut callback_ids = old.as_ref().map(|old| old.callback_ids.clone()).unwrap_or_default();
    if let (true, Some(old)) = (callback_ids.is_empty(), &old) {
        // State files of earlier versions have only `callback_id`.
        callback_ids.push(old.callback_id.clone());
    }
    callback_ids.retain(|id| state.callbacks.get(id.as_str()).is_some_and(|one| one.seq == seq));
    let presses = if state.service == Service::Max { PRESSES_OF_MAX } else { 1 };
    callback_ids.extend((callback_ids.len()..presses).map(|_| press(state, chat_id, seq, user_id)));
    let session = old.as_ref().and_then(|old| old.session_id.clone());
    let session = session.filter(|id| state.sessions.get(id.as_str()).is_some_and(|one| one.chat == chat_id));
    let has_constructors = state.service.traits().has_constructors;
    let session_id =
        has_constructors.then(|| session.unwrap_or_else(|| state.open_constructor(user_id, bot, chat_id).into()));
    let channel = state.service.traits().has_comments.then(|| channel(state, bot, chat_id, old.as_ref()));
    let demo = Demo {
        chat_id: chat_id.into(),
        user_id: user_id.into(),
        message_id: ids::mid(chat_id, seq).into(),
        callback_id: callback_ids.first().cloned().unwrap_or_else(|| "".into()),
        callback_ids,
        session_id,
        channel_id: channel.map(|(channel_id, _)| channel_id.into()),
        post_id: channel.map(|(channel_id, post)| ids::mid(channel_id, post).into()),
    };
    state.demo = Some(demo.clone());
    demo
}

/// Returns the channel and a post in it, and creates what is missing. The owner of the group owns the channel.
fn channel(state: &mut State, bot: UserId, group: ChatId, old: Option<&Demo>) -> (ChatId, Seq) {
    let known = old.and_then(|old| Some((old.channel_id?.0, old.post_id.clone()?)));
    let channel = known.as_ref().map(|(channel, _)| *channel).filter(|channel| has_all_rights(state, *channel, bot));
    let channel = channel.unwrap_or_else(|| {
        let chat = state.chats.get(&group);
        let owner = chat.and_then(|chat| chat.members.iter().find(|(_, member)| member.is_owner));
        let owner = owner.map_or(bot, |(owner, _)| *owner);
        state.found_with(CHANNEL.to_owned(), owner, [bot], true)
    });
    state.with_chat(channel, |chat| chat.takes_comments = true);
    let post = known.and_then(|(_, post)| state.find(post.as_str())).filter(|(chat, _)| *chat == channel);
    (channel, post.map_or_else(|| state.post(channel, bot, Content::text(POST)), |(_, seq)| seq))
}

/// Whether the user is still in the group, and the bot still has all rights there.
fn is_group(state: &State, chat_id: ChatId, user_id: UserId, bot: UserId) -> bool {
    let has_member = state.chats.get(&chat_id).is_some_and(|chat| chat.members.contains_key(&user_id));
    has_member && has_all_rights(state, chat_id, bot)
}

fn has_all_rights(state: &State, chat_id: ChatId, bot: UserId) -> bool {
    let chat = state.chats.get(&chat_id);
    chat.is_some_and(|chat| Permission::all(state.service).into_iter().all(|right| chat.may(bot, right)))
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
    // Pressing a callback button of an existing message always returns an id.
    state.press(chat_id, seq, user, (&label, &action)).unwrap_or_default().into()
}
