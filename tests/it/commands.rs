//! Commands of people and the bot's list of commands, on the sandbox.

use tamtam::{BotCommand, Command, ErrorKind, Keyboard, NewMessageBody, Update, types::CallbackButton};

use crate::conformance;

/// The commands of an example bot, parsed without a derive macro.
#[derive(Debug, PartialEq)]
enum Order {
    Start { payload: String },
    Add(Vec<i64>),
}

impl TryFrom<Command<'_>> for Order {
    type Error = String;

    fn try_from(command: Command<'_>) -> Result<Self, String> {
        match command.name {
            "start" => Ok(Self::Start { payload: command.rest.to_owned() }),
            "add" => {
                let numbers = command.args().map(|word| word.parse().map_err(|_| format!("{word} is no number")));
                numbers.collect::<Result<_, _>>().map(Self::Add)
            }
            other => Err(format!("no /{other}")),
        }
    }
}

#[tokio::test]
async fn a_command_converts_into_a_type_of_the_bot() {
    let tamtam = conformance::start().await;
    let (bot, alice) = (tamtam.bot(), tamtam.user("Alice"));
    alice.starts();
    let me = bot.me().await.unwrap().username.unwrap();
    for text in ["hello", "/start abc", &format!("/add@{me} 2 -3"), "/add x", "/add@other 2", "/stop"] {
        alice.says(text);
    }
    let mut updates = bot.updates().types(["message_created"]);
    let mut orders = Vec::new();
    for _ in 0..6 {
        let update = updates.try_next().await.unwrap().unwrap();
        orders.push(update.command().filter(|command| command.is_for(&me)).map(Order::try_from));
    }
    assert_eq!(
        orders,
        [
            None,
            Some(Ok(Order::Start { payload: "abc".to_owned() })),
            Some(Ok(Order::Add(vec![2, -3]))),
            Some(Err("x is no number".to_owned())),
            None,
            Some(Err("no /stop".to_owned())),
        ]
    );
}

#[tokio::test]
async fn edits_callbacks_and_starts_are_not_commands() {
    let tamtam = conformance::start().await;
    let (bot, alice) = (tamtam.bot(), tamtam.user("Alice"));
    alice.starts();
    let mid = alice.says("hi");
    alice.edits(&mid, "/edited");
    let button = Keyboard::new(vec![vec![CallbackButton::new("Go", "/payload").into()]]);
    bot.send(alice.chat_id(), NewMessageBody::from("/help lists all").keyboard(button)).await.unwrap();
    alice.presses("Go");
    let mut updates = bot.updates().types(["message_edited", "message_callback"]);
    for _ in 0..2 {
        let update = updates.try_next().await.unwrap().unwrap();
        assert!(update.message().is_some_and(|message| message.command().is_some()));
        assert_eq!(update.command(), None);
    }
    assert_eq!(Update::BotStarted(started(&bot).await).command(), None);
}

async fn started(bot: &tamtam::Bot) -> tamtam::types::BotStartedUpdate {
    let mut updates = bot.updates().types(["bot_started"]);
    match updates.try_next().await {
        Ok(Some(Update::BotStarted(started))) => started,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_list_of_commands_is_set_and_removed() {
    let tamtam = conformance::start().await;
    let bot = tamtam.bot();
    let commands = bot.set_commands([("start", "Begin"), ("help", "What I can do")]).await.unwrap();
    assert_eq!(commands[1], BotCommand::new("help").description("What I can do"));
    let commands = bot.set_commands([BotCommand::new("stop")]).await.unwrap();
    assert_eq!(commands, [BotCommand::new("stop")]);
    assert_eq!(bot.remove_commands().await.unwrap(), []);
}

#[tokio::test]
async fn a_command_that_is_too_long_is_not_sent() {
    let tamtam = conformance::start().await;
    let bot = tamtam.bot();
    let (name, description) = ("n".repeat(65), "d".repeat(129));
    let error = bot.set_commands([("ok", "Fine"), (name.as_str(), "")]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(
        error.to_string().starts_with("editMyInfo: not sent: body.commands[1].name has 65 characters, the limit is 64"),
        "{error}"
    );
    let error = bot.set_commands([("ok", description)]).await.unwrap_err();
    assert!(error.to_string().contains("body.commands[0].description has 129 characters"), "{error}");
    bot.set_commands([("n".repeat(64), "d".repeat(128))]).await.unwrap();
}

#[tokio::test]
async fn more_commands_than_32_are_not_sent() {
    let tamtam = conformance::start().await;
    let bot = tamtam.bot();
    let commands = |count: u32| (0..count).map(|number| (format!("c{number}"), "d"));
    let error = bot.set_commands(commands(33)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    let words = "editMyInfo: not sent: body.commands has 33 items, the limit is 32: remove some";
    assert_eq!(error.to_string(), words);
    let error = bot.set_commands(commands(32).chain([("n".repeat(65), "d")]).skip(1)).await.unwrap_err();
    assert!(error.to_string().contains("body.commands[31].name has 65 characters"), "{error}");
    bot.set_commands(commands(32)).await.unwrap();
}

#[tokio::test]
async fn a_slash_before_the_name_of_a_command_is_removed() {
    let tamtam = conformance::start().await;
    let bot = tamtam.bot();
    let names = |commands: Vec<BotCommand>| commands.into_iter().map(|command| command.name).collect::<Vec<_>>();
    let commands = bot.set_commands([("/help", "What I can do"), ("stop", "The end")]).await.unwrap();
    assert_eq!(names(commands), ["help", "stop"]);
    let commands = bot.set_commands([BotCommand::new("/start")]).await.unwrap();
    assert_eq!(names(commands), ["start"]);
    let error = bot.set_commands([("/", "Nothing")]).await.unwrap_err();
    assert!(error.to_string().contains("body.commands[0].name is empty"), "{error}");
}
