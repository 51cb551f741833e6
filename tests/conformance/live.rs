//! How the suite is told where to run: each test here runs it in a process of its own, whose environment it sets.

use std::{
    env,
    process::{Command, Output},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tamtam::{
    Bot, MessageId,
    types::{BotCommand, BotPatch, PinMessageBody},
};
use tamtam_sandbox::{Group, Sandbox};

const SUITE: &str = "the_server_does_what_is_documented";
const VARIABLES: [&str; 6] =
    ["TAMTAM_LIVE", "TAMTAM_TOKEN", "TAMTAM_BASE_URL", "TAMTAM_LIVE_CHAT", "TAMTAM_LIVE_VIDEO", "TAMTAM_LIVE_UPDATES"];

/// Runs the suite with these variables and no other of its own; what it said, and whether it passed.
async fn suite(variables: &[(&'static str, String)]) -> (String, bool) {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", SUITE, "--nocapture"]).env("NO_PROXY", "127.0.0.1");
    for name in VARIABLES {
        command.env_remove(name);
    }
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    let run = tokio::task::spawn_blocking(move || command.output());
    let Output { status, stdout, stderr } = run.await.unwrap().unwrap();
    let said = format!("{}\n{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(said.contains("running 1 test"), "there is no test {SUITE}: {said}");
    (said, status.success())
}

/// A sandbox that plays the real server: a group in which people talk, and a bot with commands and a pin.
struct Account {
    tamtam: Sandbox,
    group: Group,
    bot: Bot,
    pinned: MessageId,
}

impl Account {
    async fn open() -> Self {
        let tamtam = Sandbox::start().await;
        let (alice, bob) = (tamtam.user("Alice"), tamtam.user("Bob"));
        let group = tamtam.group("Friends", [&alice, &bob]);
        let pinned = alice.in_chat(&group).says("Read this");
        bob.in_chat(&group).says("I did");
        let bot = tamtam.bot();
        bot.api().pin_message(group.chat_id(), PinMessageBody::new(pinned.clone())).await.unwrap();
        let commands = vec![BotCommand::new("help")];
        bot.api().edit_my_info(BotPatch::new().commands(commands).description("Helps")).await.unwrap();
        Self { tamtam, group, bot, pinned }
    }

    fn variables(&self, more: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
        let (token, url) = (self.tamtam.token().to_owned(), self.tamtam.base_url().to_owned());
        let basic = [("TAMTAM_LIVE", "1".to_owned()), ("TAMTAM_TOKEN", token), ("TAMTAM_BASE_URL", url)];
        basic.into_iter().chain(more.iter().map(|(name, value)| (*name, (*value).to_owned()))).collect()
    }
}

#[tokio::test]
async fn without_tamtam_live_no_account_is_touched() {
    let account = Account::open().await;
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&requests);
    account.tamtam.on_exchange(move |_| _ = counted.fetch_add(1, Ordering::Relaxed));
    let variables = account.variables(&[("TAMTAM_LIVE", "0"), ("TAMTAM_LIVE_CHAT", "garbage")]);
    let (said, passed) = suite(&variables).await;
    assert!(passed && said.contains("on the sandbox"), "{said}");
    assert_eq!(requests.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn tamtam_live_without_a_token_is_a_failure() {
    let (said, passed) = suite(&[("TAMTAM_LIVE", "1".to_owned())]).await;
    assert!(!passed && said.contains("TAMTAM_LIVE=1 wants the bot's token in TAMTAM_TOKEN"), "{said}");
}

#[tokio::test]
async fn a_live_run_leaves_nothing_behind() {
    let account = Account::open().await;
    let (api, chat) = (account.bot.api(), account.group.chat_id());
    let id = chat.to_string();
    let (said, passed) = suite(&account.variables(&[("TAMTAM_LIVE_CHAT", &id)])).await;
    assert!(passed, "{said}");
    assert!(said.contains("skipped (needs a person): somebody presses a button"), "{said}");
    assert!(said.contains("skipped (needs TAMTAM_LIVE_UPDATES=1)"), "{said}");
    assert!(said.contains("  not leaveChat"), "{said}");
    assert!(!said.contains(account.tamtam.token()), "the token is nobody's business");
    assert!(account.tamtam.transcript().contains("conformance"), "the account was used: {said}");

    let reader = account.tamtam.user("Reader").in_chat(&account.group);
    assert_eq!(reader.sees(), ["Read this", "I did"]);
    assert_eq!(account.group.title(), "Friends");
    let pinned = api.get_pinned_message(chat).await.unwrap().message.unwrap();
    assert_eq!(pinned.body.unwrap().mid, account.pinned);
    let me = api.get_my_info().await.unwrap();
    assert_eq!((me.commands.unwrap()[0].name.as_str(), me.description.as_deref()), ("help", Some("Helps")));
    assert_eq!(api.get_members(chat).await.unwrap().members.len(), 3);
    assert!(api.get_subscriptions().await.unwrap().subscriptions.is_empty());
    let updates = api.get_updates().timeout(0).limit(1000).await.unwrap().updates;
    assert!(updates.iter().any(|update| update.tag() == "bot_added"), "no update was taken away: {updates:?}");
}

#[tokio::test]
async fn a_live_run_without_a_chat_and_with_a_failure_says_so() {
    let account = Account::open().await;
    account
        .tamtam
        .fails("getMyInfo", tamtam_sandbox::Fault::answer(200, r#"{"user_id": 1, "name": "Me", "x": 1}"#).times(1000));
    let (said, passed) = suite(&account.variables(&[("TAMTAM_LIVE_UPDATES", "1")])).await;
    assert!(!passed, "{said}");
    assert!(said.contains("not as documented: getMyInfo answered 200"), "{said}");
    assert!(said.contains("skipped (needs TAMTAM_LIVE_CHAT)"), "{said}");
    assert!(said.contains("FAILED: commands_are_set_and_reset"), "one failure does not hide the others: {said}");
    assert!(said.contains("passed: a_webhook_is_subscribed_and_unsubscribed"), "{said}");
    assert!(account.bot.api().get_subscriptions().await.unwrap().subscriptions.is_empty());
}

#[tokio::test]
async fn a_live_run_leaves_the_webhook_of_a_bot_alone() {
    let account = Account::open().await;
    let url = "http://127.0.0.1:1/the-bots-own";
    account.bot.subscribe_webhook(url, []).await.unwrap();
    let (said, passed) = suite(&account.variables(&[("TAMTAM_LIVE_UPDATES", "1")])).await;
    assert!(passed && said.contains("skipped (needs a bot without a webhook)"), "{said}");
    let subscriptions = account.bot.api().get_subscriptions().await.unwrap().subscriptions;
    assert_eq!(subscriptions.iter().map(|one| one.url.as_str()).collect::<Vec<_>>(), [url]);
}
