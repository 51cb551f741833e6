//! Live runs of the suite against a sandbox instead of the real server.
//!
//! Each test runs the suite in a separate process, because it sets environment variables.

use std::{
    env,
    process::{Command, Output},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tamtam::{Bot, BotCommand, MessageId, Service, types::BotPatch};
use tamtam_sandbox::{Fault, Group, Person, RateLimit, Sandbox};

use crate::{SERVICES, settings::variable};

const SUITE: &str = "the_server_does_what_is_documented";
/// The names of the variables, without the prefix of the service.
const VARIABLES: [&str; 7] = ["LIVE", "TOKEN", "BASE_URL", "LIVE_CHAT", "LIVE_CHANNEL", "LIVE_VIDEO", "LIVE_UPDATES"];

/// A variable with its value.
type Setting = (String, String);

fn setting(service: &Service, what: &str, value: impl ToString) -> Setting {
    (variable(service, what), value.to_string())
}

/// Runs the suite with only these of its variables. Returns its output, and whether it passed.
async fn suite(settings: impl IntoIterator<Item = Setting>) -> (String, bool) {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", SUITE, "--nocapture"]).env("NO_PROXY", "127.0.0.1");
    for service in &SERVICES {
        for what in VARIABLES {
            command.env_remove(variable(service, what));
        }
    }
    command.envs(settings);
    let run = tokio::task::spawn_blocking(move || command.output());
    let Output { status, stdout, stderr } = run.await.unwrap().unwrap();
    let output = format!("{}\n{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(output.contains("running 1 test"), "there is no test {SUITE}: {output}");
    (output, status.success())
}

/// An account on a sandbox: a group in which people talk, a channel (on MAX), and a bot with commands and a pin.
struct Account {
    sandbox: Sandbox,
    service: Service,
    alice: Person,
    group: Group,
    channel: Option<(Group, MessageId)>,
    bot: Bot,
    pinned: MessageId,
}

impl Account {
    async fn open(service: Service) -> Self {
        let sandbox = Sandbox::builder().service(service.clone()).rate_limit(limits(&service)).start().await;
        let (alice, bob) = (sandbox.user("Alice"), sandbox.user("Bob"));
        let group = sandbox.group("Friends", [&alice, &bob]);
        let pinned = alice.in_chat(&group).says("Read this");
        bob.in_chat(&group).says("I did");
        let channel = (service == Service::Max).then(|| open_channel(&sandbox, &alice));
        let bot = sandbox.bot();
        bot.pin(group.chat_id(), &pinned).await.unwrap();
        bot.set_commands([BotCommand::new("help")]).await.unwrap();
        if service == Service::TamTam {
            bot.api().edit_my_info(BotPatch::new().description("Helps")).await.unwrap();
        }
        Self { sandbox, service, alice, group, channel, bot, pinned }
    }

    /// The variables of a live run with this account.
    fn settings(&self) -> Vec<Setting> {
        let (token, url) = (self.sandbox.token(), self.sandbox.base_url());
        [("LIVE", "1"), ("TOKEN", token), ("BASE_URL", url)].map(|(what, value)| self.setting(what, value)).into()
    }

    fn setting(&self, what: &str, value: impl ToString) -> Setting {
        setting(&self.service, what, value)
    }

    /// Runs the suite live with the account and additional variables.
    async fn run(&self, more: impl IntoIterator<Item = Setting>) -> (String, bool) {
        let run = suite(self.settings().into_iter().chain(more)).await;
        // Lets a second pass, so that the requests of the run no longer count against the rate limits.
        self.sandbox.time_passes(Duration::from_secs(1));
        run
    }

    /// The variables that name the chats of the account.
    fn chats(&self) -> Vec<Setting> {
        let channel = self.channel.as_ref().map(|(channel, _)| self.setting("LIVE_CHANNEL", channel.chat_id()));
        channel.into_iter().chain([self.setting("LIVE_CHAT", self.group.chat_id())]).collect()
    }

    /// The texts that people see.
    fn texts(&self) -> Vec<String> {
        let mut texts = self.alice.in_chat(&self.group).sees();
        if let Some((channel, post)) = &self.channel {
            let alice = self.alice.in_chat(channel);
            texts.extend(alice.sees());
            texts.extend(alice.sees_comments(post));
        }
        texts
    }
}

/// Opens a channel with a post that has a comment.
fn open_channel(sandbox: &Sandbox, alice: &Person) -> (Group, MessageId) {
    let channel = sandbox.channel("News", [alice]).with_comments();
    let alice = alice.in_chat(&channel);
    let post = alice.says("It rains");
    alice.comments(&post, "Here as well");
    (channel, post)
}

/// The rate limits of the service. On MAX, a chat takes 8 messages per second instead of 2, to shorten the tests.
fn limits(service: &Service) -> RateLimit {
    if *service == Service::Max { RateLimit::max().chat_requests_per_second(8) } else { RateLimit::none() }
}

/// Generates a test for each service from each function.
macro_rules! on_both_services {
    ($($name:ident,)*) => {
        $(mod $name {
            #[tokio::test]
            async fn tamtam() {
                super::$name(tamtam::Service::TamTam).await;
            }

            #[tokio::test]
            async fn max() {
                super::$name(tamtam::Service::Max).await;
            }
        })*
    };
}

on_both_services! {
    a_live_run_needs_a_token,
    a_live_run_leaves_nothing_behind,
    a_live_run_without_a_chat_and_with_a_failure_says_so,
    a_live_run_leaves_the_webhook_of_a_bot_alone,
}

#[tokio::test]
async fn without_a_live_variable_no_account_is_touched() {
    let requests = Arc::new(AtomicUsize::new(0));
    let (mut accounts, mut settings) = (Vec::new(), Vec::new());
    for service in SERVICES {
        let account = Account::open(service).await;
        let counted = Arc::clone(&requests);
        account.sandbox.on_exchange(move |_| _ = counted.fetch_add(1, Ordering::Relaxed));
        settings.extend(account.settings());
        settings.extend([("LIVE", "0"), ("LIVE_CHAT", "garbage")].map(|(what, value)| account.setting(what, value)));
        accounts.push(account);
    }
    let (output, passed) = suite(settings).await;
    assert!(passed, "{output}");
    for service in &SERVICES {
        assert!(output.contains(&format!("{} on the sandbox", service.name())), "{output}");
    }
    assert_eq!(requests.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_live_run_uses_one_service() {
    let (output, passed) = suite(SERVICES.map(|service| setting(&service, "LIVE", 1))).await;
    assert!(!passed && output.contains("TAMTAM_LIVE and MAX_LIVE are both 1"), "{output}");
}

async fn a_live_run_needs_a_token(service: Service) {
    let (output, passed) = suite([setting(&service, "LIVE", 1)]).await;
    let [flag, token] = ["LIVE", "TOKEN"].map(|what| variable(&service, what));
    assert!(!passed && output.contains(&format!("{flag}=1 needs the token of the bot in {token}")), "{output}");
}

async fn a_live_run_leaves_nothing_behind(service: Service) {
    let account = Account::open(service.clone()).await;
    let (api, chat) = (account.bot.api(), account.group.chat_id());
    let (profile, texts) = (account.bot.me().await.unwrap(), account.texts());
    let (output, passed) = account.run(account.chats()).await;
    assert!(passed, "{output}");
    assert!(output.contains("skipped (needs a person): a person presses a button"), "{output}");
    let needs_updates = format!("skipped (needs {}=1)", variable(&service, "LIVE_UPDATES"));
    assert!(output.contains(&needs_updates), "{output}");
    assert!(output.contains("  not leaveChat"), "{output}");
    assert!(!output.contains(account.sandbox.token()), "the token must not be printed");
    assert!(account.sandbox.transcript().contains("conformance"), "the account was not used: {output}");
    // The suite sends faster than MAX allows, so its requests are rate-limited.
    assert_eq!(account.sandbox.rate_limited() > 0, service == Service::Max);

    assert_eq!(account.texts(), texts);
    assert_eq!(account.group.title(), "Friends");
    let pinned = api.get_pinned_message(chat).await.unwrap().message.unwrap();
    assert_eq!(pinned.mid(), Some(&account.pinned));
    assert_eq!(account.bot.me().await.unwrap(), profile);
    assert_eq!(api.get_members(chat).await.unwrap().members.len(), 3);
    assert!(api.get_subscriptions().await.unwrap().subscriptions.is_empty());
    let updates = api.get_updates().timeout(0).limit(1000).await.unwrap().updates;
    assert!(updates.iter().any(|update| update.tag() == "bot_added"), "updates were taken away: {updates:?}");
}

async fn a_live_run_without_a_chat_and_with_a_failure_says_so(service: Service) {
    let account = Account::open(service.clone()).await;
    let profile = r#"{"user_id": 1, "name": "Me", "x": 1}"#;
    account.sandbox.fails("getMyInfo", Fault::answer(200, profile).times(1000));
    let (output, passed) = account.run([account.setting("LIVE_UPDATES", 1)]).await;
    assert!(!passed, "{output}");
    assert!(output.contains("not as documented: getMyInfo answered 200"), "{output}");
    assert!(output.contains(&format!("skipped (needs {})", variable(&service, "LIVE_CHAT"))), "{output}");
    assert!(output.contains("FAILED: commands_are_set_and_cleared"), "{output}");
    // A failure does not hide the checks after it.
    assert!(output.contains("passed: a_webhook_is_subscribed_and_unsubscribed"), "{output}");
    assert!(account.bot.subscriptions().await.unwrap().subscriptions.is_empty());
}

async fn a_live_run_leaves_the_webhook_of_a_bot_alone(service: Service) {
    let account = Account::open(service).await;
    let url = "http://127.0.0.1:1/the-bots-own";
    account.bot.subscribe_webhook(url, []).await.unwrap();
    let (output, passed) = account.run([account.setting("LIVE_UPDATES", 1)]).await;
    assert!(passed && output.contains("skipped (needs a bot without a webhook)"), "{output}");
    let subscriptions = account.bot.subscriptions().await.unwrap().subscriptions;
    assert_eq!(subscriptions.iter().map(|one| one.url.as_str()).collect::<Vec<_>>(), [url]);
}
