//! Deep links and links of chats, on the sandbox.

use tamtam::{
    ErrorKind,
    link::{ChatLink, DeepLink},
};

use crate::conformance;

#[tokio::test]
async fn the_payload_of_a_deep_link_reaches_the_bot() {
    let tamtam = conformance::start().await;
    let (bot, alice) = (tamtam.bot(), tamtam.user("Alice"));
    let me = bot.me().await.unwrap().username.unwrap();
    let url = DeepLink::new(&me, "заказ 7/1 ".repeat(12)).unwrap().to_string();
    let link: DeepLink = url.parse().unwrap();
    assert_eq!(link.bot(), me);
    alice.starts_with(link.payload());
    let mut updates = bot.updates();
    let update = updates.try_next().await.unwrap().unwrap();
    assert_eq!(update.start_payload(), Some("заказ 7/1 ".repeat(12).as_str()));
}

#[tokio::test]
async fn a_chat_is_found_by_every_form_of_its_link() {
    let tamtam = conformance::start().await;
    let (bot, alice) = (tamtam.bot(), tamtam.user("Alice").with_username("alice"));
    alice.starts();
    let news = tamtam.channel("News", [&alice]).with_public_link("all_news");
    for link in ["all_news", "@all_news", "https://tt.me/all_news", "http://tt.me/all_news/?x=1", "tt.me/all_news"] {
        assert_eq!(bot.chat_by_link(link).await.unwrap().chat_id, news.chat_id(), "{link}");
    }
    let link: ChatLink = "@alice".parse().unwrap();
    assert_eq!(bot.chat_by_link(&link).await.unwrap().chat_id, alice.chat_id());
    assert!(bot.chat_by_link("nobody").await.unwrap_err().is_not_found());
    assert!(bot.chat_by_link("..").await.unwrap_err().kind() == ErrorKind::InvalidRequest);
}

#[tokio::test]
async fn links_returned_by_the_api_are_parsed() {
    let tamtam = conformance::start().await;
    let (bot, alice) = (tamtam.bot(), tamtam.user("Alice"));
    let team = tamtam.group("Team", [&alice]);
    let written = bot.chat(team.chat_id()).await.unwrap().link.unwrap();
    let link: ChatLink = written.parse().unwrap();
    assert_eq!(link.name(), None);
    assert!(link.invitation().is_some_and(|invitation| written.ends_with(invitation)));
    assert_eq!(link.to_string(), written);
    assert!(bot.chat_by_link(&link).await.unwrap_err().is_not_found());
    let team = team.with_public_link("team");
    let link: ChatLink = bot.chat(team.chat_id()).await.unwrap().link.unwrap().parse().unwrap();
    assert_eq!(link.name(), Some("team"));
}
