//! Creates people, groups and channels.

use tamtam::ChatId;

use super::actor::Actor;
use super::group::Group;
use super::person::Person;
use crate::sandbox::Sandbox;

impl Sandbox {
    /// Creates a person with the visible name `name`. Each call creates a new person, even if the name is the same. On
    /// MAX, the part before the first space is the first name, and the part after this space is the last name.
    pub fn user(&self, name: impl Into<String>) -> Person {
        let name = name.into();
        let user_id = self.world().act(|state| state.add_person(name.clone()));
        let actor = Actor { user_id, bot: self.bot_id().0, group: None };
        Person { sandbox: self.clone(), actor, name: name.into() }
    }

    /// Creates a group with `people` and the bot as members. The bot is an administrator and gets the update
    /// `bot_added`. The first person is the owner. The owner adds the other people, and then the bot.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// let (alice, bob) = (tamtam.user("Alice"), tamtam.user("Bob"));
    /// let team = tamtam.group("Team", [&alice, &bob]);
    /// tamtam.bot().send(team.chat_id(), "Lunch?").await?;
    /// assert_eq!(bob.in_chat(&team).reads().await.text(), "Lunch?");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if `people` is empty.
    #[track_caller]
    pub fn group<'a>(&self, title: impl Into<String>, people: impl IntoIterator<Item = &'a Person>) -> Group {
        self.found(title.into(), people, false)
    }

    /// Creates a channel with `people` and the bot as members. The bot is an administrator and gets the update
    /// `bot_added`. The first person is the owner. The owner adds the other people, and then the bot. At first, only
    /// the owner and the bot can write posts.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let (bot, alice, bob) = (tamtam.bot(), tamtam.user("Alice"), tamtam.user("Bob"));
    /// let news = tamtam.channel("News", [&alice, &bob]).with_public_link("news");
    /// let post = bot.send(news.chat_id(), "The sun shines").await?;
    /// assert_eq!(bob.in_chat(&news).reads().await.text(), "The sun shines");
    /// let post = bot.api().get_message_by_id(&post).await?;
    /// assert_eq!(post.stat.unwrap().views, 1); // Bob has read the post.
    /// assert!(post.sender.is_none()); // By default, posts have no sender.
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if `people` is empty.
    #[track_caller]
    pub fn channel<'a>(&self, title: impl Into<String>, people: impl IntoIterator<Item = &'a Person>) -> Group {
        self.found(title.into(), people, true)
    }

    #[track_caller]
    fn found<'a>(&self, title: String, people: impl IntoIterator<Item = &'a Person>, is_channel: bool) -> Group {
        let mut people = people.into_iter().map(|person| person.actor.user_id);
        let Some(owner) = people.next() else { panic!("a chat needs an owner: pass at least one person") };
        let bot = self.bot_id().0;
        let chat_id = self.world().act(|state| state.found_with(title, owner, people.chain([bot]), is_channel));
        Group { sandbox: self.clone(), chat_id }
    }

    /// Returns the group or channel with the id `chat_id`. For example, on TamTam, `chat_id` can come from the update
    /// `message_chat_created`.
    ///
    /// # Panics
    ///
    /// Panics if there is no group or channel with this id, for example if `chat_id` is the id of a dialog.
    #[track_caller]
    pub fn chat(&self, chat_id: ChatId) -> Group {
        let found = self.world().act(|state| state.chats.get(&chat_id.0).is_some_and(|chat| !chat.is_dialog()));
        assert!(found, "there is no group or channel {chat_id}");
        Group { sandbox: self.clone(), chat_id: chat_id.0 }
    }
}
