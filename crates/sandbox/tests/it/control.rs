//! The control endpoints, as a test in another language uses them.

mod guard;

use reqwest::Method;
use serde_json::{Value, json};
use tamtam::{ChatId, Update, UserId};
use tamtam_sandbox::{Sandbox, SandboxBuilder};

/// A sandbox with control endpoints, and an HTTP client.
pub(crate) struct Client {
    pub(crate) tamtam: Sandbox,
    http: reqwest::Client,
}

impl Client {
    async fn start() -> Self {
        Self::on(Sandbox::builder()).await
    }

    /// Starts a sandbox with these settings.
    pub(crate) async fn on(builder: SandboxBuilder) -> Self {
        let tamtam = builder.control_endpoints().start().await;
        Self { tamtam, http: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    pub(crate) async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> (u16, String) {
        let url = format!("{}/sandbox{path}", self.tamtam.base_url());
        let request = self.http.request(method, url);
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    /// Sends a request and returns the JSON of the response. Panics if the status is not 200.
    #[track_caller]
    pub(crate) fn post(&self, path: &str, body: Value) -> impl Future<Output = Value> {
        let caller = std::panic::Location::caller();
        async move {
            let (status, text) = self.ask(Method::POST, path, Some(body)).await;
            assert_eq!(status, 200, "{caller}: {text}");
            serde_json::from_str(&text).unwrap()
        }
    }

    /// Sends a request that must be refused. Returns the status and the error.
    pub(crate) async fn refused(&self, path: &str, body: Value) -> (u16, String) {
        let (status, text) = self.ask(Method::POST, path, Some(body)).await;
        let refusal: Value = serde_json::from_str(&text).unwrap();
        (status, refusal["error"].as_str().unwrap().to_owned())
    }

    pub(crate) async fn transcript(&self) -> String {
        self.ask(Method::GET, "/transcript", None).await.1
    }
}

pub(crate) fn id(of: &Value, name: &str) -> i64 {
    of[name].as_i64().unwrap_or_else(|| panic!("{of} has no {name}"))
}

#[tokio::test]
async fn a_person_talks_with_the_bot_in_their_dialog() {
    let client = Client::start().await;
    let bot = client.tamtam.bot();
    let alice = client.post("/users", json!({ "name": "Alice", "username": "alice" })).await;
    let acts = format!("/users/{}", id(&alice, "user_id"));
    let said = client.post(&format!("{acts}/says"), json!({ "text": "hi" })).await;

    let mut updates = bot.updates();
    assert!(matches!(updates.try_next().await.unwrap(), Some(Update::BotStarted(_))));
    let Some(Update::MessageCreated(created)) = updates.try_next().await.unwrap() else { panic!("no message") };
    let message = created.message.unwrap();
    assert_eq!(message.text(), Some("hi"));
    assert_eq!(message.body.as_ref().unwrap().mid.as_str(), said["message_id"].as_str().unwrap());
    assert_eq!(message.sender.as_ref().unwrap().username.as_deref(), Some("alice"));

    bot.reply(&message, "Hello, Alice").await.unwrap();
    let read = client.post(&format!("{acts}/reads"), json!({})).await;
    assert_eq!((&read["text"], &read["is_edit"]), (&json!("Hello, Alice"), &json!(false)));
    assert_eq!(read["message"]["recipient"]["chat_id"], alice["chat_id"]);
    assert_eq!(client.post(&format!("{acts}/sees"), json!({})).await, json!({ "texts": ["hi", "Hello, Alice"] }));
    assert_eq!(client.transcript().await, "Alice starts Sandbox Bot\nAlice: hi\nSandbox Bot: Hello, Alice  <reply>\n");
}

#[tokio::test]
async fn all_acts_of_people_in_a_group_work() {
    let client = Client::start().await;
    let bot = client.tamtam.bot();
    let [alice, bob, carol] = {
        let mut ids = Vec::new();
        for name in ["Alice", "Bob", "Carol"] {
            ids.push(id(&client.post("/users", json!({ "name": name })).await, "user_id"));
        }
        [ids[0], ids[1], ids[2]]
    };
    let team = client.post("/chats", json!({ "title": "Team", "members": [alice, bob], "public_link": "team" })).await;
    let team = id(&team, "chat_id");
    let act = async |who: i64, act: &str, mut fields: Value| {
        fields["chat_id"] = team.into();
        client.post(&format!("/users/{who}/{act}"), fields).await
    };
    let mid = act(alice, "says", json!({ "text": "one" })).await["message_id"].clone();
    act(bob, "replies", json!({ "message_id": mid, "text": "two" })).await;
    act(bob, "forwards", json!({ "message_id": mid })).await;
    act(alice, "edits", json!({ "message_id": mid, "text": "1" })).await;
    act(alice, "deletes", json!({ "message_id": mid })).await;
    act(carol, "joins", json!({})).await;
    act(carol, "leaves", json!({})).await;
    act(bob, "adds", json!({ "user_id": carol })).await;
    act(alice, "appoints", json!({ "user_id": bob })).await;
    act(bob, "removes", json!({ "user_id": carol })).await;
    act(bob, "blocks", json!({ "user_id": carol })).await;
    act(bob, "renames_chat", json!({ "title": "The team" })).await;
    act(bob, "shares_contact", json!({})).await;
    act(bob, "sends_location", json!({ "latitude": 1.5, "longitude": -2.25 })).await;
    let photo = json!({ "type": "photo", "base64": "AAEC" });
    let link = json!({ "type": "link", "url": "https://example.org" });
    let posted = act(bob, "says", json!({ "text": "See", "attachments": [photo, link] })).await;
    act(bob, "says", json!({ "attachments": [{ "type": "file", "name": "a.txt", "base64": "aGk=" }] })).await;
    for one in [json!({ "type": "video", "base64": "" }), json!({ "type": "audio", "base64": "AA==" })] {
        act(bob, "says", json!({ "attachments": [one] })).await;
    }
    act(bob, "says", json!({ "attachments": [{ "type": "sticker", "code": "smile" }] })).await;

    let message = bot.api().get_message_by_id(posted["message_id"].as_str().unwrap()).await.unwrap();
    assert_eq!(message.body.unwrap().attachments.unwrap().len(), 2);
    let chat = bot.api().get_chat(team).await.unwrap();
    assert_eq!(chat.title.as_deref(), Some("The team"));
    assert_eq!(chat.link.as_deref(), Some("https://tt.me/team"));
    let told = client.transcript().await;
    for line in ["Carol joins", "Bob removes Carol", "Bob blocks Carol", "Bob renames the chat: The team"] {
        assert!(told.contains(line), "{line} is missing in the transcript:\n{told}");
    }
    let (status, why) = client.refused(&format!("/users/{carol}/joins"), json!({ "chat_id": team })).await;
    assert_eq!((status, why.as_str()), (409, "Carol cannot join this chat: already a member, blocked, or in a dialog"));
}

#[tokio::test]
async fn buttons_are_pressed_and_their_answers_are_read() {
    let client = Client::start().await;
    let bot = client.tamtam.bot();
    let alice = client.post("/users", json!({ "name": "Alice" })).await;
    let acts = format!("/users/{}", id(&alice, "user_id"));
    client.post(&format!("{acts}/starts"), json!({ "payload": "shop" })).await;
    use tamtam::{
        Keyboard,
        types::{CallbackAnswer, CallbackButton},
    };
    let keyboard = Keyboard::new(vec![vec![CallbackButton::new("Yes", "yes").into()]]);
    let question = tamtam::NewMessageBody::from("Coming?").keyboard(keyboard);
    bot.send(ChatId(id(&alice, "chat_id")), question).await.unwrap();
    assert_eq!(client.post(&format!("{acts}/reads"), json!({})).await["buttons"], json!([["Yes"]]));

    let pressed = client.post(&format!("{acts}/presses"), json!({ "button": "Yes" })).await;
    let callback_id = pressed["callback_id"].as_str().unwrap();
    let answer = CallbackAnswer::new().notification("Noted").message("See you");
    bot.api().answer_on_callback(callback_id, answer).await.unwrap();
    assert_eq!(client.post(&format!("{acts}/reads_notification"), json!({})).await, json!({ "text": "Noted" }));
    let edited = client.post(&format!("{acts}/reads"), json!({})).await;
    assert_eq!((&edited["text"], &edited["is_edit"]), (&json!("See you"), &json!(true)));

    let (status, why) = client.refused(&format!("{acts}/presses"), json!({ "button": "No" })).await;
    assert_eq!((status, why.as_str()), (409, "Alice sees no button [No]; existing buttons: [Yes]"));
    client.post(&format!("{acts}/stops"), json!({})).await;
    assert!(bot.send(UserId(id(&alice, "user_id")), "Come back").await.unwrap_err().is_forbidden());
}

#[tokio::test]
async fn a_constructor_is_opened_filled_and_posted() {
    use tamtam::types::{ConstructedMessageBody, ConstructorAnswer};
    let client = Client::start().await;
    let bot = client.tamtam.bot();
    let alice = id(&client.post("/users", json!({ "name": "Alice" })).await, "user_id");
    let team = id(&client.post("/chats", json!({ "title": "Team", "members": [alice] })).await, "chat_id");
    let opened = client.post(&format!("/users/{alice}/opens_constructor"), json!({ "chat_id": team })).await;
    let session = json!({ "session_id": opened["session_id"] });
    let (status, _) = client.refused(&format!("/users/{alice}/posts"), session.clone()).await;
    assert_eq!(status, 409, "no message is prepared");
    let with = |name: &str, value: &str| {
        let mut fields = session.clone();
        fields[name] = value.into();
        fields
    };
    client.post(&format!("/users/{alice}/types"), with("text", "hap")).await;
    let answer = ConstructorAnswer::new()
        .messages([ConstructedMessageBody::new().text("Happy birthday!")])
        .hint("Choose")
        .keyboard(tamtam::types::Keyboard::new(vec![vec![
            tamtam::types::CallbackButton::new("Other", "other").into(),
        ]]));
    bot.api().construct(opened["session_id"].as_str().unwrap(), answer).await.unwrap();
    let prepared = client.post(&format!("/users/{alice}/reads_constructor"), session.clone()).await;
    assert_eq!((&prepared["texts"], &prepared["hint"]), (&json!(["Happy birthday!"]), &json!("Choose")));
    client.post(&format!("/users/{alice}/presses_in_constructor"), with("button", "Other")).await;
    let posted = client.post(&format!("/users/{alice}/posts"), session.clone()).await;
    assert_eq!(posted["message_ids"].as_array().unwrap().len(), 1);
    let (status, why) = client.refused(&format!("/users/{alice}/posts"), session).await;
    assert_eq!(
        (status, why.as_str()),
        (409, "Alice has posted this message already, or never had this constructor open")
    );
    assert_eq!(
        client.post(&format!("/users/{alice}/sees"), json!({ "chat_id": team })).await["texts"][0],
        "Happy birthday!"
    );
}

#[tokio::test]
async fn faults_are_injected_and_removed() {
    let client = Client::start().await;
    let bot = client.tamtam.bot();
    let faults = [
        json!({ "fault": "status", "status": 500 }),
        json!({ "fault": "error", "status": 404, "code": "chat.denied", "message": "no" }),
        json!({ "fault": "answer", "status": 502, "body": "<html>" }),
        json!({ "fault": "not_ready" }),
        json!({ "fault": "reset" }),
        json!({ "fault": "cut_body" }),
        json!({ "fault": "garbage" }),
    ];
    for mut fault in faults {
        fault["operation"] = json!("getMyInfo");
        client.post("/faults", fault.clone()).await;
        assert!(bot.me().no_retry().await.is_err(), "{fault}");
        assert!(bot.me().no_retry().await.is_ok(), "{fault} happens once");
    }
    client.post("/faults", json!({ "operation": "getMyInfo", "fault": "delay", "delay_ms": 1 })).await;
    assert!(bot.me().no_retry().await.is_ok());
    let limited = json!({ "operation": "getMyInfo", "fault": "status", "status": 429, "times": 2, "retry_after": 7 });
    client.post("/faults", limited).await;
    let error = bot.me().no_retry().await.unwrap_err();
    assert_eq!(error.retry_after(), Some(std::time::Duration::from_secs(7)));
    assert_eq!(client.ask(Method::DELETE, "/faults", None).await.0, 200);
    assert!(bot.me().no_retry().await.is_ok());
}

#[tokio::test]
async fn custom_updates_are_sent_and_repeated() {
    let client = Client::start().await;
    let helper = client.post("/bots", json!({ "name": "Helper", "username": "helper_bot" })).await;
    let token = helper["token"].as_str().unwrap();
    let bot = tamtam::Bot::builder(token).base_url(client.tamtam.base_url()).http(|http| http.no_proxy()).build();
    let (bot, to_helper) = (bot.unwrap(), id(&helper, "user_id"));
    let (status, _) = client.refused("/updates/repeat", json!({ "bot": to_helper })).await;
    assert_eq!(status, 400, "there is no update yet");
    let update = json!({ "update_type": "moon_risen", "timestamp": 5 });
    client.post("/updates", json!({ "update": update, "bot": to_helper })).await;
    client.post("/updates/repeat", json!({ "bot": to_helper })).await;
    let mut updates = bot.updates();
    for _ in 0..2 {
        let Some(Update::Unknown(unknown)) = updates.try_next().await.unwrap() else { panic!("not unknown") };
        assert_eq!(unknown.tag, "moon_risen");
    }
    let alice = id(&client.post("/users", json!({ "name": "Alice" })).await, "user_id");
    client.post(&format!("/users/{alice}/says"), json!({ "text": "hi", "bot": to_helper })).await;
    let update = updates.try_next().await.unwrap().unwrap();
    assert_eq!(update.user_id(), Some(UserId(alice)));
}

#[tokio::test]
async fn time_passes_deliveries_are_lost_and_uploads_fail() {
    let client = Client::start().await;
    let bot = client.tamtam.bot();
    let before = bot.send(client.tamtam.group("A", [&client.tamtam.user("A")]).chat_id(), "now").await.unwrap();
    client.post("/clock", json!({ "advance_ms": 3_600_000 })).await;
    let after = bot.send(client.tamtam.group("B", [&client.tamtam.user("B")]).chat_id(), "later").await.unwrap();
    assert!(after.message.timestamp - before.message.timestamp >= 3_600_000);
    let (status, why) = client.refused("/clock", json!({ "advance_ms": u64::MAX })).await;
    assert_eq!((status, why.as_str()), (400, "advance_ms: the sandbox's clock cannot go beyond the year 6300"));
    client.post("/deliveries/lose", json!({ "times": 1 })).await;
    client.post("/delivers", json!({})).await;
    client.post("/uploads/not_ready", json!({ "times": 2 })).await;
    let faults = [
        json!({ "fault": "answer", "status": 500, "body": "" }),
        json!({ "fault": "reset_at", "bytes": 0 }),
        json!({ "fault": "status_at", "bytes": 0, "status": 500 }),
    ];
    for fault in &faults {
        client.post("/uploads/faults", fault.clone()).await;
    }
    let fast = tamtam::settings::RetryPolicy::default().backoff(std::time::Duration::ZERO, std::time::Duration::ZERO);
    let bot = tamtam::Bot::builder(client.tamtam.token()).base_url(client.tamtam.base_url()).retry(fast.attempts(5));
    let bot = bot.http(|http| http.no_proxy()).build().unwrap();
    bot.upload_file(vec![1, 2, 3]).file_name("a").send().await.unwrap();
    assert_eq!(client.tamtam.uploads().requests().len(), 4, "each fault costs one request");
}

#[tokio::test]
async fn invalid_control_requests_are_refused_with_a_reason_and_no_effect() {
    let client = Client::start().await;
    let alice = id(&client.post("/users", json!({ "name": "Alice", "username": "alice" })).await, "user_id");
    let bot = client.tamtam.bot_id().0;
    let act = |act: &str| format!("/users/{alice}/{act}");
    for (path, body, status, part) in [
        ("/users".to_owned(), json!({}), 400, "missing field `name`"),
        ("/users".to_owned(), json!({ "name": "A", "age": 5 }), 400, "unknown field `age`"),
        ("/users".to_owned(), json!({ "name": "A", "username": "alice" }), 409, "@alice"),
        ("/bots".to_owned(), json!({ "name": "B", "username": "sandbox_bot" }), 409, "@sandbox_bot"),
        ("/chats".to_owned(), json!({ "title": "T", "members": [] }), 400, "owner"),
        ("/chats".to_owned(), json!({ "title": "T", "members": [5] }), 404, "no user 5"),
        (act("sings"), json!({}), 400, "unknown variant `sings`, expected one of `starts`"),
        (act("says"), json!({ "txt": "hi" }), 400, "unknown field `txt`"),
        (act("says"), json!({}), 409, "Alice has nothing to say"),
        (act("says"), json!({ "attachments": [{ "type": "photo", "base64": "*" }] }), 400, "says: Invalid symbol"),
        (act("says"), json!({ "text": "hi", "chat_id": 5 }), 404, "no chat 5"),
        (act("says"), json!({ "text": "hi", "chat_id": "x" }), 400, "chat_id: "),
        (act("says"), json!({ "text": "hi", "bot": alice }), 404, "no bot"),
        (act("edits"), json!({ "message_id": "mid.1", "text": "x" }), 409, "finds no message mid.1"),
        (format!("/users/{bot}/says"), json!({ "text": "hi" }), 404, "no person"),
        ("/users/5/says".to_owned(), json!({ "text": "hi" }), 404, "no person 5"),
        (act("reads"), json!({ "timeout_ms": 0 }), 408, "Alice got nothing in 0ns"),
        ("/faults".to_owned(), json!({ "fault": "reset" }), 400, "operation: is missing"),
        ("/faults".to_owned(), json!({ "operation": "fly", "fault": "reset" }), 400, "the API has no fly"),
        ("/faults".to_owned(), json!({ "operation": "getMyInfo", "fault": "fire" }), 400, "unknown variant `fire`"),
        ("/faults".to_owned(), json!({ "operation": "getMyInfo", "fault": "status", "status": 99 }), 400, "99"),
        ("/uploads/faults".to_owned(), json!({ "fault": "answer", "status": 99, "body": "" }), 400, "99"),
        ("/users/abc/says".to_owned(), json!({ "text": "hi" }), 404, "no person abc"),
        ("/users/%ff/says".to_owned(), json!({ "text": "hi" }), 404, ""),
        ("/nothing".to_owned(), json!({}), 404, "there is no /sandbox/nothing"),
        ("/transcript".to_owned(), json!({}), 405, "/sandbox/transcript does not accept POST"),
    ] {
        let (told, why) = client.refused(&path, body.clone()).await;
        assert_eq!(told, status, "{path} {body}: {why}");
        assert!(why.contains(part), "{path} {body}: {why}");
    }
    let (status, text) = client.ask(Method::POST, "/users", Some(json!("no object"))).await;
    assert_eq!((status, text.contains("body: ")), (400, true), "{text}");
    assert_eq!(client.transcript().await, "");
}

#[tokio::test]
async fn no_exchange_shows_the_token_of_any_bot() {
    let client = Client::start().await;
    let helper = client.post("/bots", json!({ "name": "Helper", "username": "helper_bot" })).await;
    let token = helper["token"].as_str().unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    client.tamtam.on_exchange(move |exchange| drop(tell.send(format!("{exchange:?}"))));
    for path in [format!("/bot{token}/me"), format!("/me?x={token}&{token}=1"), format!("/sandbox/{token}")] {
        let url = format!("{}{path}", client.tamtam.base_url());
        assert!(client.http.get(url).send().await.unwrap().status().is_client_error());
        let exchange = told.recv().unwrap();
        assert!(!exchange.contains(token), "{exchange}");
    }
}

#[tokio::test]
async fn the_sandbox_describes_itself_and_has_no_control_endpoints_by_default() {
    let client = Client::start().await;
    let (status, text) = client.ask(Method::GET, "", None).await;
    let about: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((status, &about["base_url"]), (200, &json!(client.tamtam.base_url())));
    assert!(about["upload_url"].as_str().unwrap().starts_with("http://127.0.0.1:"));
    assert_eq!(about["bots"][0]["token"], client.tamtam.token());
    assert_eq!(about["bots"][0]["username"], "sandbox_bot");

    let plain = Sandbox::start().await;
    let url = format!("{}/sandbox?access_token={}", plain.base_url(), plain.token());
    assert_eq!(client.http.get(url).send().await.unwrap().status(), 404);
}
