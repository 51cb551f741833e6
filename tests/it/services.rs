//! Behavior that depends on the service of a bot: limits, mentions, operations and settings.

use serde_json::{Value, json};
use tamtam::{
    Bot, BotCommand, Button, ErrorKind, Keyboard, NewMessageBody, Service, UserId,
    text::Text,
    types::{ChatAdminPermission, TextFormat},
    upload::Source,
};
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::any};

use crate::common::{
    CHILD, SERVICES, answering_json, bot_at, bot_info, bot_of, in_a_process_of_its_own, message, mock_server,
    only_request, parameter, requests,
};

/// Returns a bot of MAX without a server.
fn max() -> Bot {
    bot_at("http://localhost:1").service(Service::Max).build().unwrap()
}

fn callbacks(rows: usize, columns: usize) -> Keyboard {
    let row = || (0..columns).map(|_| Button::callback("A", "a").into()).collect::<Vec<Button>>();
    Keyboard::new((0..rows).map(|_| row()).collect::<Vec<_>>())
}

#[tokio::test]
async fn a_keyboard_over_a_limit_of_max_is_not_sent() {
    let server = answering_json(&json!({"message": message("mid.1", "Hi")})).await;
    let send = async |service: &Service, keyboard: Keyboard| {
        let message = NewMessageBody::from("Hi").keyboard(keyboard);
        bot_of(service, &server).send(UserId(1), message).await.map(drop)
    };
    let place = "sendMessage: not sent: body.attachments[0].payload.buttons";
    let link = || Button::link("A", "https://example.org").into();
    let wide = |columns: usize| {
        let row = (1..columns).map(|_| Button::callback("A", "a").into()).chain([link()]);
        Keyboard::new(vec![row.collect::<Vec<Button>>()])
    };
    for (keyboard, problem) in [
        (callbacks(31, 1), " has 31 rows, the limit of MAX is 30: remove some"),
        (callbacks(1, 8), "[0] has 8 buttons, the limit of MAX is 7: remove some"),
        (wide(4), "[0] has 4 buttons, one of the type `link`, the limit of MAX is 3: remove some"),
    ] {
        let error = send(&Service::Max, keyboard.clone()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error:?}");
        assert_eq!(error.to_string(), format!("{place}{problem}"));
        send(&Service::TamTam, keyboard).await.unwrap();
    }
    for keyboard in [callbacks(30, 7), wide(3)] {
        send(&Service::Max, keyboard).await.unwrap();
    }
    // 30 rows of 7 buttons are exactly 210. To exceed this limit, the test removes the limits of rows.
    let mut limits = Service::Max.limits().clone();
    (limits.keyboard_rows, limits.row_buttons) = (None, None);
    let service = Service::Max.with_limits(limits);
    let error = send(&service, callbacks(1, 211)).await.unwrap_err();
    assert_eq!(error.to_string(), format!("{place} has 211 buttons, the limit of MAX is 210: remove some"));
}

#[tokio::test]
async fn a_text_over_the_limit_of_the_service_is_not_sent() {
    let server = answering_json(&json!({"message": message("mid.1", "Hi")})).await;
    let mut limits = Service::Max.limits().clone();
    assert_eq!(limits.text, Some(4000));
    limits.text = Some(5);
    let bot = bot_of(&Service::Max.with_limits(limits), &server);
    bot.send(UserId(1), "12345").await.unwrap();
    let error = bot.send(UserId(1), "123456").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "sendMessage: not sent: body.text has 6 characters, the limit is 5: shorten it, or split it"
    );
    assert!(bot.comment("mid.1", "123456").await.unwrap_err().kind() == ErrorKind::InvalidRequest);
}

#[tokio::test]
async fn a_file_over_the_limit_of_the_service_is_not_uploaded() {
    let server = answering_json(&json!({})).await;
    let mut limits = Service::Max.limits().clone();
    assert_eq!((limits.image_bytes, limits.video_bytes), (Some(50 << 20), Some(250 << 20)));
    assert_eq!((limits.audio_bytes, limits.file_bytes), (Some(256 << 20), Some(4 << 30)));
    (limits.image_bytes, limits.video_bytes, limits.audio_bytes, limits.file_bytes) =
        (Some(1), Some(2), Some(3), Some(4));
    let bot = bot_of(&Service::Max.with_limits(limits), &server);
    let bytes = |length: usize| Source::from(vec![0; length]);
    let errors = [
        bot.upload_photo(bytes(2)).await.map(drop).unwrap_err(),
        bot.upload_video(bytes(3)).await.map(drop).unwrap_err(),
        bot.upload_audio(bytes(4)).await.map(drop).unwrap_err(),
        bot.upload_file(bytes(5)).await.map(drop).unwrap_err(),
    ];
    for (limit, (error, kind)) in (1..).zip(errors.iter().zip(["image", "video", "audio", "file"])) {
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error:?}");
        let expected = format!("source has {} bytes, the limit of MAX for the type `{kind}` is {limit}", limit + 1);
        assert!(error.to_string().contains(&expected), "{error}");
    }
    assert!(requests(&server).await.is_empty());
    // At the limit, the upload URL is requested.
    assert_eq!(bot.upload_photo(bytes(1)).await.map(drop).unwrap_err().kind(), ErrorKind::Decode);
}

#[tokio::test]
async fn mention_links_are_rewritten_for_the_service_in_formatted_texts() {
    let sent = async |service: &Service, body: NewMessageBody| -> Value {
        let server = answering_json(&json!({"message": message("mid.1", "Hi")})).await;
        bot_of(service, &server).send(UserId(1), body).await.unwrap();
        only_request(&server).await.body_json::<Value>().unwrap()["text"].clone()
    };
    let text = || Text::new("Ask ").mention("Bob", UserId(42));
    assert_eq!(sent(&Service::Max, text().into()).await, r#"Ask <a href="max://user/42">Bob</a>"#);
    assert_eq!(sent(&Service::TamTam, text().into()).await, r#"Ask <a href="tamtam://user/42">Bob</a>"#);
    for (theirs, ours) in [
        ("[Bob](tamtam://user/42)", "[Bob](max://user/42)"),
        ("[Bob](<tamtam://user/42>)", "[Bob](<max://user/42>)"),
        ("<a href='tamtam://user/42'>Bob</a>", "<a href='max://user/42'>Bob</a>"),
        ("<a href=tamtam://user/42>Bob</a>", "<a href=max://user/42>Bob</a>"),
        ("Write (tamtam://user/42) or \"tamtam://user/42\"", "Write (tamtam://user/42) or \"tamtam://user/42\""),
    ] {
        assert_eq!(sent(&Service::Max, NewMessageBody::html(theirs)).await, ours);
        assert_eq!(sent(&Service::TamTam, NewMessageBody::markdown(ours.to_owned())).await, theirs);
        assert_eq!(sent(&Service::Max, NewMessageBody::from(theirs)).await, theirs, "it is plain text, not a link");
    }
}

#[tokio::test]
async fn commands_are_set_on_both_services() {
    for service in SERVICES {
        let mut answer = bot_info();
        answer["commands"] = json!([{"name": "help", "description": "Help"}]);
        let server = answering_json(&answer).await;
        let commands = bot_of(&service, &server).set_commands([("/help", "Help")]).await.unwrap();
        assert_eq!(commands, [BotCommand::new("help").description("Help")]);
        let request = only_request(&server).await;
        let path = if service == Service::Max { "/me/commands" } else { "/me" };
        assert_eq!((request.method.as_str(), request.url.path()), ("PATCH", path));
        let body: Value = request.body_json().unwrap();
        assert_eq!(body, json!({"commands": [{"name": "help", "description": "Help"}]}));
    }
}

#[tokio::test]
async fn comments_are_listed_to_the_end() {
    /// Returns a page of 250 comments, two in each millisecond.
    fn comments(request: &Request) -> ResponseTemplate {
        let number =
            |name: &str, default: i64| parameter(request, name).first().map_or(default, |value| value.parse().unwrap());
        let (before, after, count) = (number("before", i64::MAX), number("after", -1), number("count", 50));
        let all = (0..250).rev().map(|number| (number, 1000 + number / 2));
        let page = all.filter(|(_, time)| (after + 1..before).contains(time)).take(usize::try_from(count).unwrap());
        let comment = |(number, time): (i64, i64)| {
            json!({
                "timestamp": time, "body": {"mid": format!("mid.{number}"), "seq": number, "text": "x"},
                "recipient": {"chat_id": -1, "chat_type": "channel", "post_id": "mid.p"},
            })
        };
        ResponseTemplate::new(200).set_body_json(json!({"messages": page.map(comment).collect::<Vec<_>>()}))
    }
    let server: MockServer = mock_server().await;
    Mock::given(any()).respond_with(comments).mount(&server).await;
    let bot = bot_of(&Service::Max, &server);
    let all = bot.comments("mid.p").page_size(100).all().await.unwrap();
    let expected: Vec<String> = (0..250).rev().map(|number| format!("mid.{number}")).collect();
    assert_eq!(all.iter().map(|comment| comment.mid().unwrap().to_string()).collect::<Vec<_>>(), expected);
    assert_eq!(bot.comments("mid.p").since(1100).until(1101).all().await.unwrap().len(), 4);
    bot.comments("mid.p").since(0).all().await.unwrap();
    for request in requests(&server).await {
        assert_eq!(request.url.path(), "/messages/mid.p/comments");
        assert!(parameter(&request, "after").iter().all(|after| !after.starts_with('-')), "{}", request.url);
    }
}

#[tokio::test]
async fn comments_can_reply_and_be_formatted() {
    let server = answering_json(&json!({"message": message("mid.2", "Hi")})).await;
    let bot = bot_of(&Service::Max, &server);
    bot.comment("mid.p", Text::new("a < b")).reply_to("mid.1").await.unwrap();
    bot.comment("mid.p", Text::new("so ").bold("it")).await.unwrap();
    let bodies: Vec<Value> = requests(&server).await.iter().map(|request| request.body_json().unwrap()).collect();
    assert_eq!(bodies[0], json!({"text": "a < b", "link": {"type": "reply", "mid": "mid.1"}}));
    assert_eq!(bodies[1], json!({"text": "so <b>it</b>", "format": TextFormat::Html}));
}

#[tokio::test]
async fn admins_are_appointed_and_removed() {
    let server = answering_json(&json!({"success": true})).await;
    let bot = bot_of(&Service::Max, &server);
    bot.add_admin(-7, UserId(1), [ChatAdminPermission::Write, ChatAdminPermission::EditLink]).await.unwrap();
    bot.remove_admin(-7, UserId(1)).await.unwrap();
    let requests = requests(&server).await;
    assert_eq!(requests[0].url.path(), "/chats/-7/members/admins");
    let body: Value = requests[0].body_json().unwrap();
    assert_eq!(body, json!({"admins": [{"user_id": 1, "permissions": ["write", "edit_link"]}]}));
    assert_eq!((requests[1].method.as_str(), requests[1].url.path()), ("DELETE", "/chats/-7/members/admins/1"));
}

#[test]
fn links_are_built_for_the_service() {
    assert_eq!(max().deep_link("my_bot", "a b").unwrap().to_string(), "https://max.ru/my_bot?start=a%20b");
    assert_eq!(max().app_link("my_bot", "a_b").unwrap().to_string(), "https://max.ru/my_bot?startapp=a_b");
    let tamtam = Bot::new("token").unwrap();
    assert_eq!(tamtam.deep_link("my_bot", "a b").unwrap().to_string(), "https://tt.me/my_bot/start/a%20b");
    assert!(tamtam.app_link("my_bot", "a_b").unwrap_err().kind() == ErrorKind::Unsupported);
}

#[tokio::test]
async fn a_refusal_is_classified_by_its_code() {
    let refused = async |code: &str| {
        let server = answering_json(&json!({"success": false, "code": code, "message": "No"})).await;
        bot_of(&Service::Max, &server).delete("mid.1").await.unwrap_err()
    };
    let error = refused("chat.not.found").await;
    assert!(error.is_refused() && error.is_not_found(), "{error:?}");
    assert_eq!(error.to_string(), "deleteMessage: refused: chat.not.found: No");
    assert!(refused("access.denied").await.is_forbidden());
    assert!(refused("too.many.requests").await.is_rate_limited());
    assert!(!refused("other").await.is_not_found());
}

#[tokio::test]
async fn a_retried_removal_that_is_forbidden_was_not_done_before() {
    for (code, is_done) in [(json!("access.denied"), false), (json!("not.found"), true), (Value::Null, true)] {
        let server = mock_server().await;
        let first = ResponseTemplate::new(502);
        Mock::given(any()).respond_with(first).up_to_n_times(1).mount(&server).await;
        let second = ResponseTemplate::new(200).set_body_json(json!({"success": false, "code": code}));
        Mock::given(any()).respond_with(second).mount(&server).await;
        let bot = bot_at(server.uri()).service(Service::Max).retry(crate::fault_server::quick()).build().unwrap();
        assert_eq!(bot.delete("mid.1").await.is_ok(), is_done, "{code}");
    }
}

#[test]
fn invalid_settings_of_a_service_are_refused() {
    let problem = |service: Service| Bot::builder("token").service(service).build().unwrap_err().to_string();
    for header in ["Accept", "content-type", "Host"] {
        let error = problem(Service::Max.with_token_header(header));
        assert_eq!(error, format!("the header `{header}` is reserved: send the token in another header"));
    }
    assert!(problem(Service::Max.with_token_header("a b")).starts_with("`a b` is not a valid header name"));
    for parameter in ["", "v"] {
        let error = problem(Service::TamTam.with_token_parameter(parameter));
        assert!(error.starts_with(&format!("cannot send the token in the query parameter `{parameter}`")), "{error}");
    }
    let error = Bot::builder("a\nb").service(Service::Max).build().unwrap_err().to_string();
    assert_eq!(error, "the token has characters that are not allowed in a header: copy it again");
    let error = Bot::builder("token").service(Service::Max).version("0.5.6").build().unwrap_err().to_string();
    assert_eq!(error, "`version` is set, but MAX has no versions: remove it");
}

#[tokio::test]
async fn a_custom_service_takes_the_token_in_its_header_or_parameter() {
    let server = answering_json(&bot_info()).await;
    let service = Service::Max.with_name("gateway").with_base_url(server.uri()).with_token_header("X-Key");
    let bot = Bot::builder("token").service(service).no_proxy().build().unwrap();
    bot.me().await.unwrap();
    let request = only_request(&server).await;
    assert_eq!((request.headers["x-key"].to_str().unwrap(), request.headers.get("authorization")), ("token", None));
    let service = Service::Max.with_token_parameter("key").with_base_url(server.uri());
    Bot::builder("token").service(service).no_proxy().build().unwrap().me().await.unwrap();
    assert_eq!(parameter(&requests(&server).await[1], "key"), ["token"]);
}

/// Runs only in a separate process with environment variables.
#[test]
fn prints_the_service_of_the_environment() {
    if std::env::var_os(CHILD).is_some() {
        match Bot::from_env() {
            Ok(bot) => println!("service {} at {bot:?}", bot.service().name()),
            Err(error) => println!("{error}"),
        }
    }
}

#[tokio::test]
async fn a_blank_variable_counts_as_not_set() {
    let said = async |variables: &[(&'static str, &str)]| {
        let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        in_a_process_of_its_own("services::prints_the_service_of_the_environment", &variables).await
    };
    let text = said(&[("TAMTAM_TOKEN", "token"), ("MAX_TOKEN", "")]).await;
    assert!(text.contains("service TamTam"), "{text}");
    let text = said(&[("MAX_TOKEN", "token"), ("MAX_BASE_URL", " "), ("TAMTAM_BASE_URL", "http://localhost:1")]).await;
    assert!(text.contains("service MAX") && text.contains("https://platform-api2.max.ru"), "{text}");
    assert!(said(&[("MAX_TOKEN", " ")]).await.contains("the token is empty: get one from the MAX partner platform"));
}
